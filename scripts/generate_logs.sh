#!/usr/bin/env bash
# Writes a sample application log, one line every few seconds, until it is stopped.
#
# Each line is one append that opens the file anew, so a log rotation beside it needs no
# signal: after a rename the next line goes to a new file, after a copytruncate to the
# start of the same one. Needs bash 4.2 or newer, and GNU date for --start.
set -euo pipefail
export LC_ALL=C # the decimal point of --interval is a point everywhere

readonly LEVELS=(INFO WARNING ERROR FATAL)
readonly FOREVER=999999999999999999 # lines; far beyond what any disk holds

usage() {
    cat <<'END'
Writes "YYYY-MM-DD HH:MM:SS [LEVEL] This is a LEVEL message" lines with random levels.

Usage: generate_logs.sh [OPTION]...

  --file PATH         append to this file (default: /var/log/app.log)
  --interval SECONDS  wait so long after each line; fractions and 0 are allowed (default: 5)
  --lines N           stop after N lines (default: go on until SIGTERM or SIGINT)
  --weights LIST      how often each level comes, relative to the others; a level that is
                      not named never comes (default: INFO=1,WARNING=1,ERROR=1,FATAL=1)
  --seed N            the same seed gives the same sequence of levels (default: random)
  --start TIME        do not wait: date the first line TIME (anything that `date -d` reads)
                      and each further one --interval later; needs --lines
  --help              print this

Examples:
  # What an application does: a line every 5 seconds to /var/log/app.log.
  sudo generate_logs.sh

  # A log with few errors, twice a second, in the current folder.
  generate_logs.sh --file app.log --interval 0.5 --weights INFO=60,WARNING=25,ERROR=10,FATAL=5

  # A fixture: the same 720 lines, one hour, each time it is made.
  TZ=UTC generate_logs.sh --file app.log --seed 1 --lines 720 --start '2026-03-01 12:00:00'

Exit codes: 0 all lines written, or stopped by SIGTERM or SIGINT; 1 the file cannot be
written; 2 wrong usage.
END
}

usage_error() {
    printf 'generate_logs.sh: %s\n' "$1" >&2
    printf "Try 'generate_logs.sh --help'.\n" >&2
    exit 2
}

# Called after a failed append: finds out why, and what would help.
cannot_append() {
    local reason
    reason=$({ printf '' >>"$file"; } 2>&1) || true
    reason=${reason##*: }
    printf 'generate_logs.sh: cannot append to %s: %s\n' "$file" "${reason:-the write failed}" >&2
    case $reason in
        'Permission denied') echo 'Run it as a user who may write there, or choose another file with --file.' >&2 ;;
        '') echo 'Look whether the disk is full.' >&2 ;;
        'No such file or directory') echo 'Create the folder first, or choose another file with --file.' >&2 ;;
    esac
    exit 1
}

# Sets microseconds from seconds with an optional fraction, as in "5", "0.25" or ".5".
parse_interval() {
    [[ $1 =~ ^[0-9]{0,9}(\.[0-9]*)?$ && $1 == *[0-9]* ]] ||
        usage_error "--interval must be a number of seconds such as 5 or 0.2, not '$1'"
    local whole=${1%%.*} fraction=
    [[ $1 != *.* ]] || fraction=${1#*.}
    fraction=${fraction}000000
    microseconds=$((10#${whole:-0} * 1000000 + 10#${fraction:0:6}))
}

# Sets weights, in the order of LEVELS, and their sum from "INFO=60,ERROR=40".
parse_weights() {
    local -A weight_of=()
    local pairs pair level
    IFS=, read -ra pairs <<<"$1"
    for pair in "${pairs[@]}"; do
        [[ $pair =~ ^(INFO|WARNING|ERROR|FATAL)=([0-9]{1,9})$ ]] ||
            usage_error "--weights takes LEVEL=NUMBER pairs with the levels ${LEVELS[*]}, not '$pair'"
        weight_of[${BASH_REMATCH[1]}]=$((10#${BASH_REMATCH[2]}))
    done
    weights=()
    total_weight=0
    for level in "${LEVELS[@]}"; do
        weights+=("${weight_of[$level]:-0}")
        total_weight=$((total_weight + ${weight_of[$level]:-0}))
    done
    ((total_weight > 0)) || usage_error '--weights needs at least one level with a weight above 0'
}

# Sets level. The generator is our own (Knuth's 64-bit linear congruential one) because
# bash's RANDOM gives other numbers for the same seed in other versions of bash.
random_level() {
    random=$((random * 6364136223846793005 + 1442695040888963407))
    local choice=$((((random >> 33) & 0x7fffffff) % total_weight)) index=0
    while ((choice >= weights[index])); do
        choice=$((choice - weights[index]))
        index=$((index + 1))
    done
    level=${LEVELS[index]}
}

# A timed read of a pipe in which never anything comes: it starts no process, and a signal
# ends it. It waits in slices because a signal that comes just before a read begins is seen
# only after it.
wait_microseconds() {
    local remaining=$1 slice seconds
    while ((remaining > 0)); do
        slice=$((remaining < 250000 ? remaining : 250000))
        printf -v seconds '0.%06d' "$slice"
        read -rt "$seconds" -u "$silence" || true
        remaining=$((remaining - slice))
    done
}

file=/var/log/app.log
interval=5
lines=
weights_list=INFO=1,WARNING=1,ERROR=1,FATAL=1
seed=
start=

while (($# > 0)); do
    case $1 in
        --help | -h)
            usage
            exit 0
            ;;
        --file | --interval | --lines | --weights | --seed | --start)
            (($# > 1)) || usage_error "$1 needs a value"
            [[ -n $2 ]] || usage_error "$1 must not be empty"
            ;;&
        --file) file=$2 ;;
        --interval) interval=$2 ;;
        --lines) lines=$2 ;;
        --weights) weights_list=$2 ;;
        --seed) seed=$2 ;;
        --start) start=$2 ;;
        *) usage_error "unknown argument '$1'" ;;
    esac
    shift 2
done

parse_interval "$interval"
parse_weights "$weights_list"
[[ $lines =~ ^[0-9]{0,18}$ ]] || usage_error "--lines must be a whole number, not '$lines'"
[[ $seed =~ ^[0-9]{0,18}$ ]] || usage_error "--seed must be a whole number, not '$seed'"
lines=$((10#${lines:-$FOREVER}))
random=$((10#${seed:-$RANDOM$RANDOM$RANDOM}))

written_at=-1 # means now to printf's %(...)T
if [[ -n $start ]]; then
    ((lines < FOREVER)) || usage_error '--start needs --lines, as it writes without waiting'
    start_seconds=$(date --date="$start" +%s 2>/dev/null) ||
        usage_error "--start must be a time, not '$start'"
    ((start_seconds >= 0)) || usage_error '--start must not be before 1970'
fi

# bash runs a trap between two commands, so a line that was begun is always whole.
trap 'exit 0' TERM INT
exec {silence}<> <(:)

for ((line = 0; line < lines; line++)); do
    if [[ -n $start ]]; then
        written_at=$((start_seconds + line * microseconds / 1000000))
    elif ((line > 0)); then
        wait_microseconds "$microseconds"
    fi
    random_level
    printf '%(%Y-%m-%d %H:%M:%S)T [%s] This is a %s message\n' "$written_at" "$level" "$level" \
        2>/dev/null >>"$file" || cannot_append
done
