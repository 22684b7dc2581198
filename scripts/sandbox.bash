# shellcheck shell=bash
# For the scripts that run tripline: the program of this checkout with a state, a config and
# a private PostgreSQL of its own, so that nothing of the user's is read or changed.
#
# open_sandbox FOLDER  builds the program, puts it first in PATH, and points it at FOLDER
# temporary_sandbox    the same with a new folder, which close_sandbox removes
# close_sandbox        stops the PostgreSQL; for `trap ... EXIT`

open_sandbox() {
    sandbox=$1
    sandbox_is_temporary=${2:-no}
    # Not --release: a first build takes half as long, and the program is quick enough.
    cargo build --locked --quiet
    PATH="$(realpath "${CARGO_TARGET_DIR:-target}")/debug:$PATH"
    unset DATABASE_URL TRIPLINE_DATABASE_URL RUST_LOG
    export TRIPLINE_STATE_DIR=$sandbox/state TRIPLINE_CONFIG=$sandbox/tripline.toml
    mkdir -p "$sandbox"
    : >"$TRIPLINE_CONFIG"
}

temporary_sandbox() {
    local folder
    folder=$(mktemp -d -t tripline.XXXXXXXX)
    chmod 711 "$folder" # as root, PostgreSQL runs as another user, who must get through
    open_sandbox "$folder" yes
}

close_sandbox() {
    [[ -n ${sandbox:-} ]] || return 0
    [[ ! -e $TRIPLINE_STATE_DIR/data/postmaster.pid ]] || tripline db stop >/dev/null || true
    [[ $sandbox_is_temporary == no ]] || rm -rf "$sandbox"
}
