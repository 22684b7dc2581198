//! `tripline run`: the cron job. Reads the logs, evaluates the rules, delivers alerts.

use std::io::Write;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::alert::{evaluate_and_deliver, sync_rules, tell};
use super::ingest::{finish, read, result, stage, targets};
use super::session::{Session, Stage};
use crate::alerting;
use crate::cli::{Global, Logs};
use crate::model::Tick;
use crate::store::runs::Figures;

pub(super) fn run(
    global: &Global,
    arguments: &Logs,
    tick: Tick,
    stop: &AtomicBool,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let session = Session::new(global)?;
    let targets = targets(&session, arguments)?;
    let ingest_lock = session.lock(Stage::Ingest, arguments.wait.seconds, stop)?;
    let mut connection = session.connect()?;
    sync_rules(&session, &mut connection, tick)?;

    // A backlog is evaluated chunk by chunk, so that no amount of it piles up.
    let mut evaluation = Figures::default();
    let stage = stage(&session, arguments, tick, stop);
    let outcome = read(&mut connection, &stage, &targets, &mut |connection, id| {
        alerting::evaluate(connection, id, tick).or_else(|error| tell(error, &mut evaluation))
    })?;
    drop(ingest_lock);

    let mut figures = outcome.figures;
    figures.errors += evaluation.errors;
    if !outcome.stopped {
        let _lock = session.lock(Stage::Alert, arguments.wait.seconds, stop)?;
        evaluate_and_deliver(&session, &mut connection, tick, &mut figures, stdout)?;
    }
    finish(&session, &mut connection, "run", tick, begun, &figures)?;
    result(&figures, outcome.stopped)
}
