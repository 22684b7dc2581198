//! The PostgreSQL server that the tests use.
//!
//! `TEST_DATABASE_URL` names one whose role may create databases. Otherwise it is a private
//! PostgreSQL without fsync, one for each checkout and user, in the temporary directory:
//! whichever test comes first starts it (and sets it up, once), all test processes share it.
//!
//! It ends by itself. Each test process holds a shared lock on the file `in-use` for as long as
//! it lives. A shell script in the background, of which a second lock admits only one, tries
//! every few seconds to have that file alone; when it has, it stops the server. A test that
//! starts at that moment waits for its own lock first, and then starts the server again.

use std::env;
use std::fs::{self, DirBuilder, File, OpenOptions};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{DirBuilderExt, MetadataExt};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;

use diesel::Connection;
use diesel::pg::PgConnection;
use tripline::cluster::{Cluster, Durability};
use xxhash_rust::xxh3::xxh3_64;

/// Stops the server when nobody uses it any more; runs in the folder of the shared server.
const WATCHER: &str = r#"
exec 9>watcher && flock --nonblock 9 || exit 0
exec 8>in-use
while sleep 3; do
    flock --nonblock 8 && break
done
pid=$(head -n 1 cluster/data/postmaster.pid) || exit 0
works() { grep --quiet cluster_name=tripline- "/proc/$pid/cmdline"; }
works && kill -INT "$pid"
while works; do sleep 0.1; done
"#;

/// The URL of a database on the server.
pub(super) fn url_of(database: &str) -> String {
    with_database(&server().url, database)
}

/// A connection to the server's maintenance database.
pub(super) fn connect() -> PgConnection {
    PgConnection::establish(&server().url).unwrap_or_else(|error| {
        panic!("cannot connect to the tests' PostgreSQL (TEST_DATABASE_URL if set): {error}")
    })
}

struct Server {
    /// The URL of the maintenance database.
    url: String,
    /// Locked until this process ends.
    _in_use: Option<File>,
}

fn server() -> &'static Server {
    static SERVER: OnceLock<Server> = OnceLock::new();
    SERVER.get_or_init(|| match env::var("TEST_DATABASE_URL") {
        Ok(url) if !url.is_empty() => Server { url, _in_use: None },
        _ => shared_server(),
    })
}

fn shared_server() -> Server {
    let folder = shared_folder();
    let in_use = open(&folder.join("in-use"));
    fs2::FileExt::lock_shared(&in_use).expect("lock the tests' PostgreSQL");
    let cluster = Cluster::new(folder.join("cluster"), Durability::ThrowAway);
    if let Err(error) = cluster.ensure_running() {
        panic!(
            "the tests need PostgreSQL: {error:?}: {error}\n\
             run scripts/setup, or set TEST_DATABASE_URL to the URL of a server on which the \
             tests may create databases"
        );
    }
    ensure_watched(&folder);
    Server { url: cluster.url("postgres"), _in_use: Some(in_use) }
}

/// Open to the user who runs the server, who is not root even if we are.
fn shared_folder() -> PathBuf {
    let uid = rustix::process::geteuid().as_raw();
    let checkout = xxh3_64(Path::new(env!("CARGO_MANIFEST_DIR")).as_os_str().as_bytes());
    let folder = env::temp_dir().join(format!("tripline-test-{uid}-{checkout:016x}"));
    DirBuilder::new().recursive(true).mode(0o755).create(&folder).expect("create a folder");
    let owner = fs::symlink_metadata(&folder).expect("look at the folder").uid();
    assert_eq!(owner, uid, "{} belongs to somebody else", folder.display());
    folder
}

fn ensure_watched(folder: &Path) {
    let watcher = open(&folder.join("watcher"));
    if fs2::FileExt::try_lock_exclusive(&watcher).is_err() {
        return;
    }
    drop(watcher);
    #[expect(clippy::zombie_processes, reason = "it outlives this process")]
    Command::new("/bin/sh")
        .args(["-c", WATCHER])
        .current_dir(folder)
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        // Ctrl-C ends the tests and not the one who cleans up after them.
        .process_group(0)
        .spawn()
        .expect("start the script that stops the tests' PostgreSQL");
}

fn open(path: &Path) -> File {
    OpenOptions::new().create(true).truncate(false).write(true).open(path).expect("open a lock")
}

/// The same URL with another database name.
fn with_database(url: &str, database: &str) -> String {
    let (address, parameters) = match url.split_once('?') {
        Some((address, parameters)) => (address, format!("?{parameters}")),
        None => (url, String::new()),
    };
    let (scheme, rest) = address
        .split_once("://")
        .expect("TEST_DATABASE_URL must look like postgresql://user@host/database");
    let authority = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{authority}/{database}{parameters}")
}

#[test]
fn only_the_database_of_a_url_changes() {
    for (url, expected) in [
        ("postgresql:///postgres?host=%2Frun&user=a", "postgresql:///x?host=%2Frun&user=a"),
        (
            "postgres://a:b@host:5433/old?sslmode=require",
            "postgres://a:b@host:5433/x?sslmode=require",
        ),
        ("postgres://host", "postgres://host/x"),
    ] {
        assert_eq!(with_database(url, "x"), expected);
    }
}
