//! `tripline ingest`: read the logs into the database.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use diesel::pg::PgConnection;

use super::SomeFailed;
use super::heartbeat;
use super::metrics;
use super::progress::Bar;
use super::session::{Session, Stage, UsageError, host_zone};
use crate::cli::{Global, Ingest, Logs};
use crate::ingest::{self, Progress, ReadLimits, Target};
use crate::model::Tick;
use crate::pipeline::Pipeline;
use crate::store::runs::{self, Figures};
use crate::store::sources::{self, Source};

pub(super) fn run(
    global: &Global,
    arguments: &Ingest,
    tick: Tick,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let session = Session::new(global)?;
    let done = work(global, &session, arguments, tick, stop);
    heartbeat::after(&session, tick, done)
}

fn work(
    global: &Global,
    session: &Session,
    arguments: &Ingest,
    tick: Tick,
    stop: &AtomicBool,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let logs = &arguments.logs;
    let mut targets = targets(session, logs)?;
    let _lock = session.lock(Stage::Ingest, logs.wait.seconds, stop)?;
    let (mut connection, sources) =
        session.connect_and_read(|connection| sources::load(connection, &session.host))?;
    if let Some(since) = arguments.since {
        refuse_known(&sources, &targets)?;
        for target in &mut targets {
            target.since = Some(since.into());
        }
    }
    let bar = Bar::new(global.quiet);
    let pipeline = Pipeline {
        progress: bar.as_ref().map(|bar| bar as &dyn Progress),
        ..session.pipeline(tick, stop, limits(logs, begun))
    };
    let mut outcome = pipeline.read(&mut connection, sources, &targets, &mut |_, _, _| Ok(()))?;
    finish(session, &mut connection, "ingest", tick, begun, &mut outcome.figures)?;
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

/// How much a run reads that began at `begun`.
pub(super) fn limits(arguments: &Logs, begun: Instant) -> ReadLimits {
    let seconds = arguments.max_seconds.map(Duration::from_secs);
    ReadLimits {
        chunk_bytes: arguments.chunk_bytes.unwrap_or(ingest::CHUNK_BYTES).max(1),
        max_bytes: arguments.max_bytes,
        // A time that is too far away to be counted is no limit.
        deadline: seconds.and_then(|seconds| begun.checked_add(seconds)),
        ..ReadLimits::default()
    }
}

/// Where a log was read before, nothing can be passed over any more.
fn refuse_known(known: &[Source], targets: &[Target]) -> anyhow::Result<()> {
    let was_read = |target: &&Target| {
        known.iter().any(|source| {
            source.place.is_some() && target.path.to_str() == Some(source.path.as_str())
        })
    };
    match targets.iter().find(was_read) {
        None => Ok(()),
        Some(target) => Err(UsageError(format!(
            "{} was read before, and --since is for logs that were not; to read it anew, forget \
             it first: tripline source forget {}",
            super::display(&target.path),
            super::shell_word(&target.path.to_string_lossy()),
        ))
        .into()),
    }
}

/// Keeps the figures of a run, logs them on one line, and writes the metrics.
pub(super) fn finish(
    session: &Session,
    connection: &mut PgConnection,
    command: &str,
    tick: Tick,
    begun: Instant,
    figures: &mut Figures,
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
    if let Err(error) = metrics::write(session, connection, tick) {
        log::error!("{}", super::message(&error));
        figures.errors += 1;
    }
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
