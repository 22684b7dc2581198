//! One row a tick: what it did.

use diesel::pg::PgConnection;
use diesel::prelude::*;

use super::StoreError;
use super::schema::runs;
use super::transaction::execute_alone;
use crate::model::Tick;

/// The figures of a run.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Figures {
    /// Sources it looked at.
    pub sources: usize,
    /// Bytes of log it read.
    pub bytes: u64,
    /// Lines it read.
    pub lines: i64,
    /// Entries it stored.
    pub entries: i64,
    /// Lines it read that neither began nor continued an entry.
    pub unparsed_lines: i64,
    /// Alerts it announced as firing.
    pub alerts_fired: usize,
    /// Alerts it found to be over.
    pub alerts_resolved: usize,
    /// Things that failed.
    pub errors: usize,
}

#[derive(Insertable)]
#[diesel(table_name = runs)]
struct NewRun<'a> {
    host: &'a str,
    command: &'a str,
    version: &'a str,
    started_at: chrono::DateTime<chrono::Utc>,
    duration_ms: i64,
    sources: i32,
    bytes: i64,
    lines: i64,
    entries: i64,
    unparsed_lines: i64,
    alerts_fired: i32,
    alerts_resolved: i32,
    errors: i32,
}

/// Keeps the figures of a run.
pub fn record(
    connection: &mut PgConnection,
    host: &str,
    command: &str,
    tick: Tick,
    duration: std::time::Duration,
    figures: &Figures,
) -> Result<(), StoreError> {
    let count = |number: usize| i32::try_from(number).unwrap_or(i32::MAX);
    let statement = diesel::insert_into(runs::table).values(NewRun {
        host,
        command,
        version: env!("CARGO_PKG_VERSION"),
        started_at: tick.0,
        duration_ms: i64::try_from(duration.as_millis()).unwrap_or(i64::MAX),
        sources: count(figures.sources),
        bytes: i64::try_from(figures.bytes).unwrap_or(i64::MAX),
        lines: figures.lines,
        entries: figures.entries,
        unparsed_lines: figures.unparsed_lines,
        alerts_fired: count(figures.alerts_fired),
        alerts_resolved: count(figures.alerts_resolved),
        errors: count(figures.errors),
    });
    execute_alone(connection, statement)?;
    Ok(())
}
