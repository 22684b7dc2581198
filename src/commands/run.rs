//! `tripline run`: the cron job. Reads the logs, evaluates the rules, delivers alerts.

use std::io::Write;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use super::heartbeat;
use super::ingest::{finish, limits, result, targets};
use super::progress::Bar;
use super::session::{Session, Stage};
use crate::cli::{Global, Logs};
use crate::ingest::Progress;
use crate::model::Tick;
use crate::pipeline::Pipeline;

pub(super) fn run(
    global: &Global,
    arguments: &Logs,
    tick: Tick,
    stop: &AtomicBool,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let session = Session::new(global)?;
    let done = work(global, &session, arguments, tick, stop, stdout);
    heartbeat::after(&session, tick, done)
}

fn work(
    global: &Global,
    session: &Session,
    arguments: &Logs,
    tick: Tick,
    stop: &AtomicBool,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let targets = targets(session, arguments)?;
    let ingest_lock = session.lock(Stage::Ingest, arguments.wait.seconds, stop)?;
    let bar = Bar::new(global.quiet);
    let pipeline = Pipeline {
        progress: bar.as_ref().map(|bar| bar as &dyn Progress),
        ..session.pipeline(tick, stop, limits(arguments, begun))
    };
    let (mut connection, (rules, sources)) = session.connect_and_read(|connection| {
        Ok((pipeline.rules_in_use(connection)?, pipeline.known_sources(connection)?))
    })?;
    pipeline.sync_rules(&mut connection, &rules)?;
    let mut outcome = pipeline.read_and_evaluate(&mut connection, sources, &targets)?;
    drop(ingest_lock);
    if !outcome.stopped {
        let _lock = session.lock(Stage::Alert, arguments.wait.seconds, stop)?;
        outcome.stopped =
            !pipeline.evaluate_and_deliver(&mut connection, &mut outcome.figures, stdout)?;
    }
    finish(session, &mut connection, "run", tick, begun, &mut outcome.figures)?;
    result(&outcome.figures, outcome.stopped)
}
