//! What was read from each source, the last run, and what is open.

use std::io::{self, Write};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz};
use serde::Serialize;

use super::gaps::{self, GapStatus};
use super::table::{Column, table, text};
use super::{optional_time, shown, source_name, time};
use crate::model::Tick;
use crate::store::StoreError;

/// The state of everything.
#[derive(Debug, Serialize)]
pub struct Status {
    /// All sources, of every host.
    pub sources: Vec<SourceStatus>,
    /// What was lost before it was read, the latest of each source first.
    pub gaps: Vec<GapStatus>,
    /// The last run of this host; absent before the first.
    pub last_run: Option<LastRun>,
    /// The last run of this host in which nothing failed; absent before the first.
    pub last_success_at: Option<DateTime<Utc>>,
    /// How many alerts are not over.
    pub open_alerts: i64,
    /// Those that fire and that nobody holds back, by severity.
    pub firing: Firing,
    /// How many notifications wait in the outbox.
    pub undelivered: i64,
    /// How many were given up within the last week because their channel never took them.
    pub given_up: i64,
    /// How delivering does, by host and channel.
    pub channels: Vec<ChannelStatus>,
}

/// How many alerts fire that people are to know of, by severity.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Firing {
    /// Of severity critical.
    pub critical: i64,
    /// Of severity warning.
    pub warning: i64,
    /// Of severity info.
    pub info: i64,
}

/// How the last deliveries to a channel went.
#[derive(Clone, Debug, Serialize, QueryableByName)]
pub struct ChannelStatus {
    /// The host that delivers.
    #[diesel(sql_type = Text)]
    pub host: String,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub channel: String,
    /// The last run that delivered something; absent before the first.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub delivered_at: Option<DateTime<Utc>>,
    /// From which run on it has failed; absent while it works.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub failing_since: Option<DateTime<Utc>>,
    /// Why.
    #[diesel(sql_type = Nullable<Text>)]
    pub last_error: Option<String>,
}

/// The state of one source.
#[derive(Debug, Serialize)]
pub struct SourceStatus {
    /// Name from the config, else the path.
    pub name: String,
    /// The host that reads it.
    pub host: String,
    /// Where it is on that host.
    pub path: String,
    /// Bytes of the file that are stored and counted.
    pub byte_offset: i64,
    /// Size of the file now; on other hosts, when it was last read. Absent when it is missing.
    pub size_bytes: Option<i64>,
    /// Bytes that are not stored yet, a last line without an end included that waits for it.
    pub unread_bytes: Option<i64>,
    /// Event time of the last entry read.
    pub last_entry_at: Option<DateTime<Utc>>,
    /// Lines read so far.
    pub lines: i64,
    /// Lines that neither began nor continued an entry.
    pub unparsed_lines: i64,
    /// The last of these, cut to 200 characters.
    pub unparsed_samples: Vec<String>,
    /// Lines that were not kept whole.
    pub cut_lines: i64,
    /// NUL bytes that were skipped before a line.
    pub nul_bytes: i64,
    /// Entries without a time, or dated in the future, which got another one.
    pub redated_entries: i64,
    /// How many times bytes were lost.
    pub gaps: i64,
    /// Why it could not be read at the last try.
    pub last_error: Option<String>,
    /// Since when.
    pub last_error_since: Option<DateTime<Utc>>,
}

/// What the last run did.
#[derive(Debug, Serialize, QueryableByName)]
pub struct LastRun {
    /// run, ingest or alert.
    #[diesel(sql_type = Text)]
    pub command: String,
    /// The host.
    #[diesel(sql_type = Text)]
    pub host: String,
    /// The tick.
    #[diesel(sql_type = Timestamptz)]
    pub started_at: DateTime<Utc>,
    /// In milliseconds.
    #[diesel(sql_type = BigInt)]
    pub duration_ms: i64,
    /// Lines read.
    #[diesel(sql_type = BigInt)]
    pub lines: i64,
    /// Entries stored.
    #[diesel(sql_type = BigInt)]
    pub entries: i64,
    /// Things that failed.
    #[diesel(sql_type = Integer)]
    pub errors: i32,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    host: String,
    #[diesel(sql_type = Text)]
    path: String,
    #[diesel(sql_type = Nullable<BigInt>)]
    inode: Option<i64>,
    #[diesel(sql_type = BigInt)]
    byte_offset: i64,
    #[diesel(sql_type = BigInt)]
    size_bytes: i64,
    #[diesel(sql_type = BigInt)]
    flushed_bytes: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_logged_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    line_no: i64,
    #[diesel(sql_type = BigInt)]
    unparsed_lines: i64,
    #[diesel(sql_type = Array<Text>)]
    unparsed_samples: Vec<String>,
    #[diesel(sql_type = BigInt)]
    cut_lines: i64,
    #[diesel(sql_type = BigInt)]
    nul_bytes: i64,
    #[diesel(sql_type = BigInt)]
    redated_entries: i64,
    #[diesel(sql_type = BigInt)]
    gaps: i64,
    #[diesel(sql_type = Nullable<Text>)]
    last_error: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_error_since: Option<DateTime<Utc>>,
}

/// For how long what was given up is shown.
const GIVEN_UP_SHOWN: TimeDelta = TimeDelta::weeks(1);

#[derive(QueryableByName)]
struct Open {
    #[diesel(sql_type = BigInt)]
    alerts: i64,
    #[diesel(sql_type = BigInt)]
    critical: i64,
    #[diesel(sql_type = BigInt)]
    warning: i64,
    #[diesel(sql_type = BigInt)]
    info: i64,
    #[diesel(sql_type = BigInt)]
    undelivered: i64,
    #[diesel(sql_type = BigInt)]
    given_up: i64,
}

/// Reads the state; the sizes of this host's logs are looked up now.
pub fn load(connection: &mut PgConnection, host: &str, tick: Tick) -> Result<Status, StoreError> {
    let rows = diesel::sql_query(include_str!("status.sql")).load::<Row>(connection)?;
    let open = diesel::sql_query(include_str!("open.sql"))
        .bind::<Timestamptz, _>(tick.0 - GIVEN_UP_SHOWN)
        .get_result::<Open>(connection)?;
    let last_run = diesel::sql_query(
        "select command, host, started_at, duration_ms, lines, entries, errors
         from runs
         where host = $1
         order by id desc
         limit 1",
    )
    .bind::<Text, _>(host)
    .get_result::<LastRun>(connection)
    .optional()?;
    let channels = diesel::sql_query(
        "select host, channel, delivered_at, failing_since, last_error
         from channel_states
         order by host, channel",
    )
    .load(connection)?;
    Ok(Status {
        sources: rows.into_iter().map(|row| source_status(row, host)).collect(),
        gaps: gaps::load(connection)?,
        last_run,
        last_success_at: last_success_at(connection, host)?,
        open_alerts: open.alerts,
        firing: Firing { critical: open.critical, warning: open.warning, info: open.info },
        undelivered: open.undelivered,
        given_up: open.given_up,
        channels,
    })
}

fn last_success_at(
    connection: &mut PgConnection,
    host: &str,
) -> Result<Option<DateTime<Utc>>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Timestamptz)]
        started_at: DateTime<Utc>,
    }
    let row = diesel::sql_query(
        "select started_at from runs where host = $1 and errors = 0 order by id desc limit 1",
    )
    .bind::<Text, _>(host)
    .get_result::<Row>(connection)
    .optional()?;
    Ok(row.map(|row| row.started_at))
}

fn source_status(row: Row, host: &str) -> SourceStatus {
    let (size_bytes, unread_bytes) = if row.host == host {
        sizes_now(&row)
    } else {
        let unread = row.size_bytes - row.byte_offset - row.flushed_bytes;
        (Some(row.size_bytes), Some(unread.max(0)))
    };
    SourceStatus {
        name: row.name,
        host: row.host,
        path: row.path,
        byte_offset: row.byte_offset,
        size_bytes,
        unread_bytes,
        last_entry_at: row.last_logged_at,
        lines: row.line_no,
        unparsed_lines: row.unparsed_lines,
        unparsed_samples: row.unparsed_samples,
        cut_lines: row.cut_lines,
        nul_bytes: row.nul_bytes,
        redated_entries: row.redated_entries,
        gaps: row.gaps,
        last_error: row.last_error,
        last_error_since: row.last_error_since,
    }
}

/// Size and unread bytes of a log of this host; of another file at its path, all is unread.
fn sizes_now(row: &Row) -> (Option<i64>, Option<i64>) {
    let Ok(metadata) = Path::new(&row.path).metadata() else { return (None, None) };
    let size = i64::try_from(metadata.len()).unwrap_or(i64::MAX);
    let is_same = row.inode == Some(metadata.ino().cast_signed()) && size >= row.byte_offset;
    (
        Some(size),
        Some(if is_same { (size - row.byte_offset - row.flushed_bytes).max(0) } else { size }),
    )
}

/// Writes the state as a table.
///
/// # Errors
/// When the output takes nothing.
pub fn write_table(status: &Status, out: &mut dyn Write) -> io::Result<()> {
    if status.sources.is_empty() {
        writeln!(out, "No source was read yet; begin with: tripline run /var/log/app.log")?;
    } else {
        writeln!(out, "{}", text(&source_table(status)))?;
    }
    for source in &status.sources {
        for note in notes(source) {
            writeln!(out, "\n{}: {note}", shown(&source.name))?;
        }
        for sample in &source.unparsed_samples {
            writeln!(out, "  not parsed: {}", shown(sample))?;
        }
    }
    gaps::write(&status.gaps, out)?;
    writeln!(out)?;
    match &status.last_run {
        None => writeln!(out, "last run       none yet")?,
        Some(run) => writeln!(
            out,
            "last run       {} at {}, {} ms, {} lines, {} entries stored, {} errors",
            run.command,
            time(run.started_at),
            run.duration_ms,
            run.lines,
            run.entries,
            run.errors,
        )?,
    }
    writeln!(out, "open alerts    {}", status.open_alerts)?;
    writeln!(out, "undelivered    {}", status.undelivered)?;
    if status.given_up > 0 {
        writeln!(
            out,
            "given up       {} within a week; see: tripline notifications",
            status.given_up
        )?;
    }
    for channel in status.channels.iter().filter(|channel| channel.failing_since.is_some()) {
        let name = shown(&channel.channel);
        let error = channel.last_error.as_deref().map(shown).unwrap_or_default();
        let since = optional_time(channel.failing_since);
        writeln!(out, "channel        {name} has failed since {since}: {error}")?;
    }
    Ok(())
}

/// What is not as it should be with a source.
fn notes(source: &SourceStatus) -> Vec<String> {
    let mut notes = Vec::new();
    if let Some(error) = &source.last_error {
        let since = optional_time(source.last_error_since);
        notes.push(format!("{} (since {since})", shown(error)));
    }
    for (number, what) in [
        (source.unparsed_lines, "lines that could not be parsed"),
        (source.cut_lines, "lines that were not kept whole"),
        (source.nul_bytes, "NUL bytes before a line, which were skipped"),
        (
            source.redated_entries,
            "entries without a time, or dated in the future: they got another",
        ),
    ] {
        if number > 0 {
            notes.push(format!("{what}: {number}"));
        }
    }
    notes
}

/// The host is named where there are several.
fn source_table(status: &Status) -> comfy_table::Table {
    let number = |value: Option<i64>| value.map_or_else(|| "-".to_owned(), |v| v.to_string());
    let one_host = status.sources.windows(2).all(|pair| pair[0].host == pair[1].host);
    let mut table = table(&[
        ("SOURCE", Column::Name),
        ("OFFSET", Column::Number),
        ("SIZE", Column::Number),
        ("UNREAD", Column::Number),
        ("LINES", Column::Number),
        ("LAST ENTRY", Column::Word),
        ("STATE", Column::Word),
    ]);
    for source in &status.sources {
        let mut name = source_name(&source.name, &source.path);
        if !one_host {
            name = format!("{}: {name}", shown(&source.host));
        }
        table.add_row([
            name,
            source.byte_offset.to_string(),
            number(source.size_bytes),
            number(source.unread_bytes),
            source.lines.to_string(),
            optional_time(source.last_entry_at),
            (if source.last_error.is_some() { "ERROR" } else { "ok" }).to_owned(),
        ]);
    }
    table
}
