//! `tripline db`: the private PostgreSQL.

use std::io::Write;
use std::os::unix::process::CommandExt;

use anyhow::Context;

use super::session::private_cluster;
use crate::cli::{DbCommand, Global};
use crate::cluster::{DATABASE, Status};

pub(super) fn run(
    _global: &Global,
    command: &DbCommand,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let cluster = private_cluster()?;
    match command {
        DbCommand::Start => {
            cluster.ensure_running()?;
            writeln!(stdout, "running in {}", super::display(cluster.base()))?;
        }
        DbCommand::Stop => {
            let was_running = cluster.stop()?;
            writeln!(stdout, "{}", if was_running { "stopped" } else { "it did not run" })?;
        }
        DbCommand::Status(output) => {
            let status = cluster.status()?;
            if output.json {
                serde_json::to_writer(&mut *stdout, &status)?;
                writeln!(stdout)?;
            } else {
                let base = super::display(cluster.base());
                writeln!(stdout, "{} in {base}", describe(&status))?;
            }
        }
        DbCommand::Url => writeln!(stdout, "{}", cluster.url(DATABASE))?,
        DbCommand::Psql { arguments } => {
            cluster.ensure_running()?;
            stdout.flush()?;
            let error = cluster.psql(DATABASE)?.args(arguments).exec();
            return Err(error).context("cannot start psql");
        }
    }
    Ok(())
}

fn describe(status: &Status) -> String {
    match status {
        Status::NeverSetUp => "not set up yet".to_owned(),
        Status::Stopped { version } => format!("PostgreSQL {version}, stopped,"),
        Status::NotReady { version, pid } => {
            format!("PostgreSQL {version}, starting, stopping or recovering (process {pid}),")
        }
        Status::Running { version, pid } => {
            format!("PostgreSQL {version}, running (process {pid}),")
        }
    }
}
