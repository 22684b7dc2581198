//! Is a server at work on the data folder, and is it ready?
//!
//! PostgreSQL's own answer is `postmaster.pid`, but it trusts the process number in it alone:
//! after a reboot or a crash another process may have that number, and the server then refuses
//! to start. A server is known by more than its number: the data folder is its current folder.

use std::fs;
use std::io::ErrorKind;
use std::os::unix::net::UnixStream;
use std::path::Path;
use std::thread;
use std::time::{Duration, Instant};

use log::warn;
use rustix::io::Errno;
use rustix::process::{Pid, Signal, kill_process, test_kill_process};

use super::error::ClusterError;
use super::folders;
use super::layout::Layout;
use super::process::postgres_processes;

/// How long a server may take to become ready or to end before we give up.
pub(super) const PATIENCE: Duration = Duration::from_secs(60);

/// How long to wait before looking again.
const PAUSE: Duration = Duration::from_millis(10);

/// Whether the server takes connections: a few system calls, no process.
pub(super) fn is_ready(layout: &Layout) -> bool {
    says_ready(layout) && UnixStream::connect(layout.socket()).is_ok()
}

/// Whether the last server that ran was ready, and only its user can have made its socket.
///
/// A socket alone does not say so, because it opens before crash recovery is done; the server
/// writes `ready` into its pid file after that.
pub(super) fn says_ready(layout: &Layout) -> bool {
    let says_ready = fs::read_to_string(layout.pid_file())
        .is_ok_and(|text| text.lines().nth(7).is_some_and(|status| status.trim() == "ready"));
    says_ready && folders::run_is_private(layout)
}

/// Waits until the server is either ready (true) or not there (false).
///
/// In between are a start that another process began, crash recovery, a shutdown, and the last
/// moments of backends whose postmaster was killed.
pub(super) fn wait_until_settled(layout: &Layout) -> Result<bool, ClusterError> {
    let deadline = Instant::now() + PATIENCE;
    loop {
        if is_ready(layout) {
            return Ok(true);
        }
        let Some(pid) = server_process(layout) else { return Ok(false) };
        if Instant::now() >= deadline {
            return Err(ClusterError::NotReady {
                pid,
                socket: layout.socket(),
                log: layout.log(),
                seconds: PATIENCE.as_secs(),
            });
        }
        thread::sleep(PAUSE);
    }
}

/// A process of the server that works on the data folder: the postmaster if there is one, else
/// any of its backends.
pub(super) fn server_process(layout: &Layout) -> Option<u32> {
    let written = pid_in(&layout.pid_file());
    let Some(processes) = postgres_processes() else {
        // Without /proc there is only PostgreSQL's own rule: the number is taken.
        return written.filter(|&pid| exists(pid));
    };
    let ours = || processes.iter().filter(|process| process.serves(layout)).map(|it| it.pid);
    ours().find(|&pid| Some(pid) == written).or_else(|| ours().next())
}

/// Ends servers whose data folder was deleted under them; the caller knows that there is none.
///
/// Such a server has nothing left to lose. It would end within a minute by itself, and delete
/// the socket then, which would be that of its successor.
pub(super) fn end_servers_without_data(layout: &Layout) {
    let deadline = Instant::now() + PATIENCE;
    loop {
        let processes = postgres_processes().unwrap_or_default();
        let mut lost = processes.iter().filter(|it| it.has_lost_its_data(layout)).peekable();
        if lost.peek().is_none() || Instant::now() >= deadline {
            return;
        }
        for pid in lost.filter_map(|process| as_pid(process.pid)) {
            warn!("ending the server {pid} of {}, which was deleted", layout.data().display());
            // It may have ended just now; what counts is that it is gone in the end.
            let _ = kill_process(pid, Signal::QUIT);
        }
        thread::sleep(PAUSE);
    }
}

/// Removes lock files of an earlier server that would keep a new one from starting.
///
/// The caller knows that no server works on the data folder. Files whose process is gone are
/// left to PostgreSQL, which then checks for shared memory in use as well.
pub(super) fn remove_stale_lock_files(layout: &Layout) -> Result<(), ClusterError> {
    for path in [layout.pid_file(), layout.socket_lock()] {
        let Some(pid) = pid_in(&path).filter(|&pid| exists(pid)) else { continue };
        warn!("removing stale {}: process {pid} is not its server", path.display());
        match fs::remove_file(&path) {
            Err(error) if error.kind() != ErrorKind::NotFound => {
                return Err(ClusterError::file("remove the stale", path)(error));
            }
            _ => {}
        }
    }
    Ok(())
}

/// The process number in a lock file's first line; it is negative for a server without clients.
fn pid_in(lock_file: &Path) -> Option<u32> {
    let text = fs::read_to_string(lock_file).ok()?;
    text.lines().next()?.trim().parse::<i32>().ok().map(i32::unsigned_abs)
}

fn exists(pid: u32) -> bool {
    // "Not permitted" is said about a process that is there.
    as_pid(pid).is_some_and(|pid| test_kill_process(pid) != Err(Errno::SRCH))
}

fn as_pid(pid: u32) -> Option<Pid> {
    i32::try_from(pid).ok().and_then(Pid::from_raw)
}
