//! Where everything of the private PostgreSQL lies, and the address that clients use.
//!
//! Pure: paths in, paths and URLs out. Nothing is created or looked at here.

use std::fmt::Write;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use xxhash_rust::xxh3::xxh3_64;

/// PostgreSQL names its socket, and the lock file beside it, after the port.
const SOCKET: &str = ".s.PGSQL.5432";

/// The longest path of a unix socket: `sockaddr_un` holds one byte more, for the final NUL.
const LONGEST_SOCKET_PATH: usize = if cfg!(target_os = "linux") { 107 } else { 103 };

/// The superuser of the private PostgreSQL, and the role as which everybody connects.
pub(super) const ROLE: &str = "tripline";

/// The folders and files of one private PostgreSQL.
#[derive(Clone, Debug)]
pub(super) struct Layout {
    base: PathBuf,
}

impl Layout {
    pub(super) fn new(base: PathBuf) -> Self {
        Self { base }
    }

    /// The folder that holds all the others; belongs to the user who runs the server.
    pub(super) fn base(&self) -> &Path {
        &self.base
    }

    /// PostgreSQL's data folder; complete if it exists at all.
    pub(super) fn data(&self) -> PathBuf {
        self.base.join("data")
    }

    /// Where a data folder is made before it gets its name.
    pub(super) fn new_data(&self) -> PathBuf {
        self.base.join("data.new")
    }

    /// What the server prints and logs.
    pub(super) fn log(&self) -> PathBuf {
        self.base.join("log")
    }

    /// Held by whoever sets up, starts or stops the server.
    pub(super) fn lock(&self) -> PathBuf {
        self.base.join("lock")
    }

    /// The folder of the socket.
    ///
    /// In the base folder, unless the socket's path would be too long for the system or holds a
    /// comma, which separates hosts for libpq. Then it is a folder in `/tmp` whose name follows
    /// from the base folder alone: a cron job, a login shell and a service must find the same
    /// one, and neither `TMPDIR` nor `XDG_RUNTIME_DIR` is the same for them (the latter is even
    /// deleted at the last logout).
    pub(super) fn run(&self) -> PathBuf {
        let inside = self.base.join("run");
        let length = inside.join(SOCKET).as_os_str().len();
        if length <= LONGEST_SOCKET_PATH && !inside.as_os_str().as_bytes().contains(&b',') {
            return inside;
        }
        Path::new("/tmp").join(self.name())
    }

    /// A name that no other private PostgreSQL has, made from the base folder alone.
    pub(super) fn name(&self) -> String {
        format!("tripline-{:016x}", xxh3_64(self.base.as_os_str().as_bytes()))
    }

    pub(super) fn socket(&self) -> PathBuf {
        self.run().join(SOCKET)
    }

    /// PostgreSQL's own guard against two servers on one socket.
    pub(super) fn socket_lock(&self) -> PathBuf {
        self.run().join(format!("{SOCKET}.lock"))
    }

    /// PostgreSQL's own guard against two servers on one data folder.
    pub(super) fn pid_file(&self) -> PathBuf {
        self.data().join("postmaster.pid")
    }

    /// The connection URL of one database, in the form that libpq documents.
    ///
    /// Port and an empty `hostaddr` are written out because libpq would otherwise take them
    /// from `PGPORT` and `PGHOSTADDR`, and the latter wins over `host`.
    pub(super) fn url(&self, database: &str) -> String {
        format!(
            "postgresql:///{}?host={}&hostaddr=&port=5432&user={ROLE}",
            percent_encoded(database.as_bytes()),
            percent_encoded(self.run().as_os_str().as_bytes()),
        )
    }
}

/// Encodes everything but the unreserved characters of RFC 3986.
fn percent_encoded(bytes: &[u8]) -> String {
    let mut encoded = String::with_capacity(bytes.len() * 3);
    for &byte in bytes {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            // Writing to a string cannot fail.
            let _ = write!(encoded, "%{byte:02X}");
        }
    }
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;

    fn layout(base: &str) -> Layout {
        Layout::new(PathBuf::from(base))
    }

    #[test]
    fn url_names_the_socket_folder() {
        assert_eq!(
            layout("/var/lib/tripline").url("tripline"),
            "postgresql:///tripline?host=%2Fvar%2Flib%2Ftripline%2Frun\
             &hostaddr=&port=5432&user=tripline"
        );
    }

    #[test]
    fn url_encodes_what_a_url_cannot_hold() {
        assert_eq!(
            layout("/a b/ä&x").url("50%/?"),
            "postgresql:///50%25%2F%3F?host=%2Fa%20b%2F%C3%A4%26x%2Frun\
             &hostaddr=&port=5432&user=tripline"
        );
    }

    #[test]
    fn socket_path_never_exceeds_what_the_system_takes() {
        let overhead = "/".len() + "/run/".len() + SOCKET.len();
        let longest = format!("/{}", "x".repeat(LONGEST_SOCKET_PATH - overhead));
        assert_eq!(layout(&longest).run(), Path::new(&longest).join("run"));
        assert_eq!(layout(&longest).socket().as_os_str().len(), LONGEST_SOCKET_PATH);

        let too_long = layout(&format!("{longest}x"));
        assert!(too_long.run().starts_with("/tmp"), "{}", too_long.run().display());
        assert_eq!(too_long.run(), too_long.run());
        assert_ne!(too_long.run(), layout(&format!("{longest}y")).run());
    }

    #[test]
    fn socket_path_never_holds_a_comma() {
        assert!(layout("/a,b").run().starts_with("/tmp"));
    }
}
