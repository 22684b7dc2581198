//! Starting and stopping the server by `pg_ctl`, which also detaches it from this process.

use std::fs::{self, File};
use std::io::{self, ErrorKind, Read, Seek, SeekFrom};
use std::path::Path;
use std::process::Command;

use log::info;

use super::Durability;
use super::child;
use super::error::ClusterError;
use super::folders;
use super::layout::Layout;
use super::owner::Owner;
use super::postmaster::{self, PATIENCE};
use super::programs::Programs;
use super::settings;

/// A log that is longer than this when the server starts is put aside, replacing the last one
/// that was.
const LONGEST_LOG: u64 = 4 << 20;

/// As much of the log's end as can matter for a message.
const LOG_TAIL: i64 = 4096;

/// Starts the server and waits until it takes connections.
///
/// The caller holds the lock and knows that no server works on the data folder.
pub(super) fn start(
    layout: &Layout,
    owner: Owner,
    programs: &Programs,
    durability: Durability,
) -> Result<(), ClusterError> {
    folders::prepare_run(layout, owner)?;
    postmaster::remove_stale_lock_files(layout)?;
    put_aside_long_log(&layout.log())?;
    let mut command = pg_ctl("start", layout, owner, programs);
    command.args(["--log=log", "-o"]).arg(settings::server_options(layout, durability));
    let mut finished = child::run(command, "")?;
    if !finished.success {
        // pg_ctl itself only points at the log.
        let log = tail(&layout.log()).unwrap_or_default();
        finished.output = child::last_lines(&format!("{}\n{log}", finished.output));
    }
    finished.or_failed_to("start the private PostgreSQL in", layout.base())?;
    info!("started the private PostgreSQL in {}", layout.base().display());
    Ok(())
}

/// Stops the server and waits until it has ended.
///
/// The caller holds the lock and knows that a server works on the data folder.
pub(super) fn stop(layout: &Layout, owner: Owner, programs: &Programs) -> Result<(), ClusterError> {
    let mut command = pg_ctl("stop", layout, owner, programs);
    command.arg("--mode=fast");
    child::run(command, "")?.or_failed_to("stop the private PostgreSQL in", layout.base())?;
    info!("stopped the private PostgreSQL in {}", layout.base().display());
    Ok(())
}

/// The command runs in the base folder, so that plain names suffice.
fn pg_ctl(action: &str, layout: &Layout, owner: Owner, programs: &Programs) -> Command {
    let mut command = owner.command(&programs.path("pg_ctl"), layout);
    let timeout = format!("--timeout={}", PATIENCE.as_secs());
    command.args([action, "--wait", "--silent", &timeout, "--pgdata=data"]);
    command
}

fn put_aside_long_log(log: &Path) -> Result<(), ClusterError> {
    match fs::metadata(log) {
        Ok(metadata) if metadata.len() > LONGEST_LOG => {
            fs::rename(log, log.with_extension("old")).map_err(ClusterError::file("rename", log))
        }
        Err(error) if error.kind() != ErrorKind::NotFound => {
            Err(ClusterError::file("look at", log)(error))
        }
        _ => Ok(()),
    }
}

fn tail(log: &Path) -> io::Result<String> {
    let mut file = File::open(log)?;
    let length = file.metadata()?.len();
    if length > LOG_TAIL.unsigned_abs() {
        file.seek(SeekFrom::End(-LOG_TAIL))?;
    }
    let mut bytes = Vec::new();
    file.read_to_end(&mut bytes)?;
    Ok(String::from_utf8_lossy(&bytes).into_owned())
}
