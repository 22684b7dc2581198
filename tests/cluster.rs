//! The private PostgreSQL, on the programs that are installed.
//!
//! Each test sets up a server of its own and stops it at its end. As root the server runs as
//! the user that the module chooses, otherwise as the user who runs the tests.

#![allow(
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but not in what tests share"
)]

#[path = "support/scratch.rs"]
mod scratch;

use std::env;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::{MetadataExt, chown};
use std::os::unix::net::UnixStream;
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;

use rustix::process::{Pid, Signal, geteuid, kill_process};
use tripline::cluster::{Cluster, ClusterError, DATABASE, Durability, Status};
use tripline::state_folder::Environment;

use scratch::{Scratch, open_folder};

impl Scratch {
    fn new() -> Self {
        Self::below("state", Durability::ThrowAway)
    }

    fn started() -> Self {
        Self::new().start()
    }

    fn start(self) -> Self {
        self.cluster.ensure_running().unwrap();
        self
    }

    fn path(&self, path: &str) -> PathBuf {
        self.cluster.base().join(path)
    }

    fn running_pid(&self) -> u32 {
        match self.cluster.status().unwrap() {
            Status::Running { pid, .. } => pid,
            other => panic!("{other:?}"),
        }
    }

    /// How often the server was started, by its own log.
    fn starts(&self) -> usize {
        let log = fs::read_to_string(self.cluster.log()).unwrap();
        log.lines().filter(|line| line.contains("starting PostgreSQL")).count()
    }
}

fn mode(path: &Path) -> u32 {
    fs::metadata(path).unwrap().mode() & 0o777
}

/// This test program again, running [`in_another_process`] only, with nothing else in its
/// environment.
fn another_process(program: &Path) -> Command {
    let mut command = Command::new(program);
    command.args(["--exact", "in_another_process", "--nocapture"]).env_clear().current_dir("/");
    command
}

/// The ordinary user whom root plays; everybody else is one.
const NOBODY: u32 = 65534;

/// Tells [`in_another_process`] the base folder; empty for the default place.
const BASE: &str = "TRIPLINE_TEST_BASE";

/// Not a test of its own: what the tests below do in other processes.
#[test]
fn server_gets_through_the_folders_made_above_its_own() {
    let scratch = Scratch::below("new/deep/state", Durability::ThrowAway).start();
    let above = if geteuid().is_root() { 0o755 } else { 0o700 };
    assert_eq!(mode(&scratch.folder.path().join("new/deep")), above);
    assert_eq!(mode(scratch.cluster.base()), 0o700);
}

#[test]
fn in_another_process() {
    let Some(base) = env::var_os(BASE) else { return };
    let cluster = if base.is_empty() {
        Cluster::in_default_place(&Environment::of_this_process()).unwrap()
    } else {
        Cluster::new(PathBuf::from(base), Durability::ThrowAway)
    };
    cluster.ensure_running().unwrap();
}

#[test]
fn first_start_sets_up_and_the_second_finds_it_running() {
    let scratch = Scratch::new();
    assert_eq!(scratch.cluster.status().unwrap(), Status::NeverSetUp);
    assert!(!scratch.cluster.stop().unwrap());

    scratch.cluster.ensure_running().unwrap();
    let pid = scratch.running_pid();
    assert_eq!(scratch.query("select current_user, current_database()"), "tripline|tripline");
    scratch.cluster.ensure_running().unwrap();
    assert_eq!(scratch.running_pid(), pid);
    assert_eq!(scratch.starts(), 1);
}

#[test]
fn set_up_is_private_and_safe() {
    let scratch = Scratch::started();
    for folder in [scratch.cluster.base().to_path_buf(), scratch.path("data"), scratch.path("run")]
    {
        assert_eq!(mode(&folder), 0o700, "{}", folder.display());
    }
    for (setting, expected) in [
        ("listen_addresses", ""),
        ("data_checksums", "on"),
        ("server_encoding", "UTF8"),
        ("shared_buffers", "32MB"),
        ("fsync", "off"),
    ] {
        assert_eq!(scratch.query(&format!("show {setting}")), expected, "{setting}");
    }
    // Peer authentication by the socket is the only way in.
    let rules = "select type, auth_method, options from pg_hba_file_rules";
    assert_eq!(scratch.query(rules), "local|peer|{map=tripline}");
}

#[test]
fn environment_of_another_server_is_ignored() {
    let scratch = Scratch::started();
    let output = Command::new(scratch.cluster.psql(DATABASE).unwrap().get_program())
        .args(["-XAtc", "select current_database()", &scratch.cluster.url(DATABASE)])
        .envs([("PGHOSTADDR", "127.0.0.1"), ("PGPORT", "1"), ("PGUSER", "nobody")])
        .output()
        .unwrap();
    assert_eq!(String::from_utf8_lossy(&output.stdout), "tripline\n", "{output:?}");
}

#[test]
fn stopped_server_comes_back_with_its_data() {
    let scratch = Scratch::started();
    scratch.query("create table kept as select 42 as answer");
    assert!(scratch.cluster.stop().unwrap());
    assert!(matches!(scratch.cluster.status().unwrap(), Status::Stopped { .. }));
    assert!(!scratch.cluster.stop().unwrap());

    scratch.cluster.ensure_running().unwrap();
    assert_eq!(scratch.query("select answer from kept"), "42");
}

#[test]
fn killed_server_recovers() {
    let scratch = Scratch::below("state", Durability::Safe).start();
    scratch.query("create table kept as select 42 as answer");
    let pid = Pid::from_raw(scratch.running_pid().cast_signed()).unwrap();
    kill_process(pid, Signal::KILL).unwrap();
    // The signal is sent when this returns, but the server may still be dying.
    while UnixStream::connect(scratch.path("run/.s.PGSQL.5432")).is_ok() {
        thread::yield_now();
    }

    scratch.cluster.ensure_running().unwrap();
    assert_ne!(scratch.running_pid().cast_signed(), pid.as_raw_nonzero().get());
    assert_eq!(scratch.query("select answer from kept"), "42");
}

#[test]
fn many_at_once_start_one_server() {
    let scratch = Scratch::new();
    let program = env::current_exe().unwrap();
    let start = || another_process(&program).env(BASE, scratch.cluster.base()).spawn().unwrap();
    let processes: Vec<Child> = (0..4).map(|_| start()).collect();
    thread::scope(|scope| {
        for _ in 0..4 {
            scope.spawn(|| scratch.cluster.ensure_running().unwrap());
        }
    });
    for mut process in processes {
        assert!(process.wait().unwrap().success());
    }
    assert_eq!(scratch.starts(), 1);
}

#[test]
fn stale_lock_files_naming_a_living_process_are_removed() {
    let scratch = Scratch::started();
    let pid_file = scratch.path("data/postmaster.pid");
    let socket_lock = scratch.path("run/.s.PGSQL.5432.lock");
    let (pid_text, lock_text) =
        (fs::read_to_string(&pid_file).unwrap(), fs::read_to_string(&socket_lock).unwrap());
    let server = scratch.running_pid().to_string();
    scratch.cluster.stop().unwrap();

    // PostgreSQL takes any process of its own user for its server.
    let user = fs::metadata(scratch.path("data")).unwrap().uid();
    let mut stranger = Command::new("sleep").arg("600").uid(user).current_dir("/").spawn().unwrap();
    let number = stranger.id().to_string();
    fs::write(&pid_file, pid_text.replacen(&server, &number, 1)).unwrap();
    fs::write(&socket_lock, lock_text.replacen(&server, &number, 1)).unwrap();

    assert!(matches!(scratch.cluster.status().unwrap(), Status::Stopped { .. }));
    assert!(!scratch.cluster.stop().unwrap());
    let result = scratch.cluster.ensure_running();
    let stranger_lives = stranger.try_wait().unwrap().is_none();
    stranger.kill().unwrap();
    stranger.wait().unwrap();
    result.unwrap();
    assert!(stranger_lives, "stopping the server must not signal another process");
    assert_ne!(scratch.running_pid().to_string(), number);
}

#[test]
fn leftover_of_an_interrupted_set_up_is_replaced() {
    let scratch = Scratch::new();
    fs::create_dir_all(scratch.path("data.new/base")).unwrap();
    fs::write(scratch.path("data.new/PG_VERSION"), "15\n").unwrap();
    scratch.cluster.ensure_running().unwrap();
    assert_eq!(scratch.query("select 1"), "1");
    assert!(!scratch.path("data.new").exists());
}

#[test]
fn deleted_folder_is_set_up_again() {
    let scratch = Scratch::started();
    let deleted = scratch.running_pid();
    // The server may still add a file to a folder that is about to be deleted.
    while fs::remove_dir_all(scratch.cluster.base()).is_err() {}
    assert_eq!(scratch.cluster.status().unwrap(), Status::NeverSetUp);

    scratch.cluster.ensure_running().unwrap();
    assert_ne!(scratch.running_pid(), deleted);
    // The old server would delete the socket of the new one when it ends.
    let command_line = fs::read(format!("/proc/{deleted}/cmdline"));
    assert!(command_line.is_err() || command_line.unwrap().is_empty(), "{deleted} still runs");
    assert_eq!(scratch.query("select 1"), "1");
}

#[test]
fn path_too_long_for_a_socket_is_no_obstacle() {
    let scratch = Scratch::below("x".repeat(100), Durability::ThrowAway).start();
    assert_eq!(scratch.query("select 1"), "1");
    assert!(!scratch.path("run").exists());
    let socket_folder = scratch.cluster.socket_folder();
    assert!(socket_folder.starts_with("/tmp"), "{}", socket_folder.display());
    assert_eq!(mode(&socket_folder), 0o700);
}

#[test]
fn path_may_hold_what_a_shell_would_interpret() {
    for path in ["it's \"$(exit 1)\" `a`\\ä", "a, b"] {
        let scratch = Scratch::below(path, Durability::ThrowAway).start();
        assert_eq!(scratch.query("select 1"), "1", "{path}");
    }
}

#[test]
fn two_servers_stand_side_by_side() {
    let (one, other) = (Scratch::started(), Scratch::started());
    assert_ne!(one.running_pid(), other.running_pid());
    one.query("create table only_here ()");
    assert_eq!(other.query("select to_regclass('only_here') is null"), "t");
    one.cluster.stop().unwrap();
    assert_eq!(other.query("select 1"), "1");
}

#[test]
fn bare_environment_suffices() {
    let scratch = Scratch::new();
    let program = env::current_exe().unwrap();
    let status = another_process(&program).env(BASE, scratch.cluster.base()).status().unwrap();
    assert!(status.success());
    assert_eq!(scratch.query("select 1"), "1");
}

#[test]
fn ordinary_user_has_a_server_in_the_home_folder() {
    let scratch = Scratch::below(".local/state/tripline", Durability::Safe);
    let home = scratch.folder.path();
    // The test program may lie where only root can reach it.
    let program = home.join("test-program");
    fs::copy(env::current_exe().unwrap(), &program).unwrap();

    let mut command = another_process(&program);
    command.env(BASE, "").env("HOME", home);
    if geteuid().is_root() {
        chown(home, Some(NOBODY), Some(NOBODY)).unwrap();
        command.uid(NOBODY).gid(NOBODY);
    }
    assert!(command.status().unwrap().success());
    scratch.running_pid();
    let owner = fs::metadata(scratch.path("data")).unwrap().uid();
    assert_eq!(owner, fs::metadata(home).unwrap().uid());
}

#[test]
fn folder_of_somebody_else_is_refused() {
    let folder = open_folder();
    let base = if geteuid().is_root() {
        chown(folder.path(), Some(NOBODY), None).unwrap();
        folder.path()
    } else {
        Path::new("/usr")
    };
    let error = Cluster::new(base, Durability::ThrowAway).ensure_running().unwrap_err();
    assert!(matches!(error, ClusterError::BelongsToSomebodyElse { .. }), "{error}");
    assert!(error.to_string().contains(&base.display().to_string()), "{error}");
}

#[test]
fn failed_start_shows_what_the_server_said() {
    let scratch = Scratch::started();
    scratch.cluster.stop().unwrap();
    let mut configuration =
        OpenOptions::new().append(true).open(scratch.path("data/postgresql.conf")).unwrap();
    writeln!(configuration, "nonsense = 1").unwrap();
    let error = scratch.cluster.ensure_running().unwrap_err();
    assert!(error.to_string().contains("unrecognized configuration parameter"), "{error}");
    assert!(error.to_string().contains("nonsense"), "{error}");
}
