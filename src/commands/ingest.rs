//! `tripline ingest`: read the logs into the database.

use std::sync::atomic::AtomicBool;
use std::time::Instant;

use diesel::pg::PgConnection;

use super::SomeFailed;
use super::session::{Session, Stage, UsageError, host_zone};
use crate::cli::{Global, Logs};
use crate::ingest::{self, Target};
use crate::model::Tick;
use crate::store::runs::{self, Figures};

pub(super) fn run(
    global: &Global,
    arguments: &Logs,
    tick: Tick,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let session = Session::new(global)?;
    let targets = targets(&session, arguments)?;
    let _lock = session.lock(Stage::Ingest, arguments.wait.seconds, stop)?;
    let mut connection = session.connect()?;
    let pipeline = session.pipeline(tick, stop, arguments.chunk_bytes);
    let outcome = pipeline.read(&mut connection, &targets, &mut |_, _| Ok(()))?;
    finish(&session, &mut connection, "ingest", tick, begun, &outcome.figures)?;
    result(&outcome.figures, outcome.stopped)
}

/// The logs to read.
pub(super) fn targets(session: &Session, arguments: &Logs) -> anyhow::Result<Vec<Target>> {
    if arguments.logs.is_empty() && session.config.sources.is_empty() {
        return Err(UsageError(
            "no log to read: name one (tripline run /var/log/app.log), or write a [[source]] \
             into /etc/tripline/tripline.toml"
                .to_owned(),
        )
        .into());
    }
    Ok(ingest::expand(&session.config, &arguments.logs, host_zone()?)?)
}

/// Keeps the figures of a run and logs them on one line.
pub(super) fn finish(
    session: &Session,
    connection: &mut PgConnection,
    command: &str,
    tick: Tick,
    begun: Instant,
    figures: &Figures,
) -> anyhow::Result<()> {
    runs::record(connection, &session.host, command, tick, begun.elapsed(), figures)?;
    log::info!(
        "command={command} sources={} bytes={} lines={} entries={} unparsed_lines={} \
         alerts_fired={} alerts_resolved={} errors={} duration_ms={}",
        figures.sources,
        figures.bytes,
        figures.lines,
        figures.entries,
        figures.unparsed_lines,
        figures.alerts_fired,
        figures.alerts_resolved,
        figures.errors,
        begun.elapsed().as_millis(),
    );
    Ok(())
}

/// The end of a run: an error if anything failed or the run was asked to stop.
pub(super) fn result(figures: &Figures, stopped: bool) -> anyhow::Result<()> {
    if stopped {
        anyhow::bail!("stopped by a signal; what was read is stored, the next run goes on there");
    }
    if figures.errors > 0 {
        return Err(SomeFailed(figures.errors).into());
    }
    Ok(())
}
