//! How the private PostgreSQL is configured.
//!
//! What must hold, because the program relies on it, is given on the server's command line at
//! each start, where no configuration file can override it. What is merely a good start stands
//! in `postgresql.conf`, for the user to change.

use std::ffi::{OsStr, OsString};
use std::fmt::Write;
use std::os::unix::ffi::{OsStrExt, OsStringExt};

use super::Durability;
use super::layout::{Layout, ROLE};

/// Appended to the `postgresql.conf` that `initdb` writes.
pub(super) const POSTGRESQL_CONF: &str = "
# tripline's private PostgreSQL: a small server that is left running between two runs.
# Change what you like; it holds from the next start on. Where it listens is not decided here.
shared_buffers = 32MB
# Planning one evaluation through LLVM costs a hundred times the evaluation.
jit = off
# A user's POSIX shared memory is deleted by systemd-logind at the user's last logout.
dynamic_shared_memory_type = mmap
# Nothing rotates this server's log while it runs.
log_checkpoints = off
";

/// The `pg_hba.conf`: by the unix socket, as the users of [`pg_ident_conf`], and in no other way.
pub(super) const PG_HBA_CONF: &str = "\
# tripline's private PostgreSQL: only by the unix socket, only the users of pg_ident.conf.
local all all peer map=tripline
";

/// The `pg_ident.conf`: which users of the operating system may connect.
pub(super) fn pg_ident_conf(names: &[String]) -> String {
    let mut text = String::from("# map  user of the operating system  role\n");
    for name in names {
        // Writing to a string cannot fail.
        let _ = writeln!(text, "tripline \"{}\" {ROLE}", name.replace('"', "\"\""));
    }
    text
}

/// The server's command line, as `pg_ctl -o` takes it: words for a shell.
pub(super) fn server_options(layout: &Layout, durability: Durability) -> OsString {
    // Every process of the server shows the cluster's name in its command line.
    let mut options = format!(
        "-c cluster_name={} -c port=5432 -c listen_addresses= -c unix_socket_directories=",
        layout.name()
    )
    .into_bytes();
    options.extend(quoted_for_shell(&quoted_in_list(layout.run().as_os_str())));
    options.extend(match durability {
        Durability::Safe => &b" -c fsync=on -c full_page_writes=on"[..],
        Durability::ThrowAway => b" -c fsync=off -c full_page_writes=off -c synchronous_commit=off",
    });
    OsString::from_vec(options)
}

/// One element of a list of folders, which PostgreSQL takes as it stands.
fn quoted_in_list(folder: &OsStr) -> Vec<u8> {
    quoted(folder.as_bytes(), b'"', b"\"\"")
}

/// One word for a POSIX shell.
fn quoted_for_shell(word: &[u8]) -> Vec<u8> {
    quoted(word, b'\'', b"'\\''")
}

fn quoted(bytes: &[u8], quote: u8, quote_inside: &[u8]) -> Vec<u8> {
    let mut quoted = vec![quote];
    for &byte in bytes {
        if byte == quote { quoted.extend(quote_inside) } else { quoted.push(byte) }
    }
    quoted.push(quote);
    quoted
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::path::PathBuf;

    fn layout(base: &str) -> Layout {
        Layout::new(PathBuf::from(base))
    }

    #[test]
    fn socket_folder_is_one_word_and_one_folder() {
        let options = server_options(&layout("/a b/it's \"it\""), Durability::Safe);
        let options = options.into_string().unwrap();
        let folder = options.split_once("unix_socket_directories=").unwrap().1;
        assert!(folder.starts_with(r#"'"/a b/it'\''s ""it""/run"' -c fsync=on"#), "{options}");
    }

    #[test]
    fn only_a_throw_away_cluster_does_without_fsync() {
        let options =
            |durability| server_options(&layout("/base"), durability).into_string().unwrap();
        assert!(options(Durability::Safe).contains("fsync=on"));
        assert!(options(Durability::ThrowAway).contains("fsync=off"));
    }

    #[test]
    fn user_names_are_quoted() {
        let text = pg_ident_conf(&[String::from("DOMAIN\\ann b"), String::from("root")]);
        assert!(
            text.ends_with("tripline \"DOMAIN\\ann b\" tripline\ntripline \"root\" tripline\n")
        );
    }
}
