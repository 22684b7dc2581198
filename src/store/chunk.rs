//! One chunk of a log in one transaction: its entries, its counts and the new offset.
//!
//! The transaction is what makes reading exactly-once: either all of it is there or nothing,
//! and the offset moves only from where this run found it (compare and set on generation and
//! offset). Two runs that read the same bytes at once cannot both commit.

use std::cell::RefCell;
use std::io::{self, Write};

use chrono::{DateTime, Utc};
use diesel::pg::{CopyFormat, PgConnection};
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};

use super::binary_copy::{self, EntryWriter};
use super::dirty::DirtyRanges;
use super::generations;
use super::schema::{line_counts, log_entries};
use super::tails::{self, Flushed, Tail};
use super::transaction::{Patience, transaction};
use super::{StoreError, to_bigint, to_timestamps};
use crate::model::{EventTime, Format, Gap, Level, OpenEntry, Place, SourceId, Tick, Trace};

/// Columns of `line_counts`: the six levels, continued, unparsed.
pub const COUNTERS: usize = Level::ALL.len() + 2;
/// Place of the lines that continue an entry in [`MinuteCounts`].
pub const CONTINUED: usize = Level::ALL.len();
/// Place of the unparsed lines in [`MinuteCounts`].
pub const UNPARSED: usize = Level::ALL.len() + 1;

/// The columns of `line_counts` in the order of [`MinuteCounts`].
pub const COUNTER_NAMES: [&str; COUNTERS] =
    ["trace", "debug", "info", "warning", "error", "fatal", "continued", "unparsed"];

/// The last microsecond of a minute, from its beginning.
const LAST_OF_MINUTE: i64 = 59_999_999;
/// From so many new minutes on, their counts are copied: inserting a row costs four times as
/// much, but a tick has few, and saves a round trip.
const COPIED_MINUTES: usize = 100;

/// Lines of one minute.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct MinuteCounts {
    /// How many, by level, continued, unparsed.
    pub lines: [i64; COUNTERS],
    /// The time of the earliest one.
    pub first_at: EventTime,
    /// The time of the latest one.
    pub last_at: EventTime,
}

impl Default for MinuteCounts {
    fn default() -> Self {
        Self { lines: [0; COUNTERS], first_at: EventTime(i64::MAX), last_at: EventTime(i64::MIN) }
    }
}

/// From where a chunk was read: the transaction fails if this is no longer true.
#[derive(Clone, Debug)]
pub struct ChunkStart {
    /// The source.
    pub source: SourceId,
    /// Which file of the source: the one at its path, or an earlier one.
    pub generation: i64,
    /// Bytes of the file that were stored before.
    pub byte_offset: u64,
    /// Lines of the source that were stored before.
    pub line_no: i64,
    /// How the line there was stored although it had no end: that is taken back first.
    pub flushed: Option<Flushed>,
}

/// Everything about a chunk but its entries.
#[derive(Clone, Debug)]
pub struct Chunk {
    /// The place after its last line.
    pub place: Place,
    /// Size of the file, in bytes.
    pub size_bytes: u64,
    /// Lines in it.
    pub lines: i64,
    /// Lines that begin an entry.
    pub parsed_lines: i64,
    /// Lines that neither begin nor continue one.
    pub unparsed_lines: i64,
    /// The last of these, at most three.
    pub unparsed_samples: Vec<String>,
    /// Lines that were not kept whole.
    pub cut_lines: i64,
    /// NUL bytes before its lines that were skipped.
    pub nul_bytes: i64,
    /// Entries dated more than a day after the tick, which got the tick's time.
    pub redated_entries: i64,
    /// Lines by minute, in order.
    pub counts: Vec<(EventTime, MinuteCounts)>,
    /// Written time of the last entry read, of this chunk or before.
    pub last_logged_at: Option<EventTime>,
    /// The last entry, which further lines may continue.
    pub open: Option<OpenEntry>,
    /// What has begun in its last lines.
    pub trace: Option<Trace>,
    /// The format of its lines, if it was found out from them.
    pub detected_format: Option<Format>,
    /// Lines that continue an entry stored before this chunk.
    pub appended: Option<Appended>,
    /// Event times of the entries.
    pub dirty: DirtyRanges,
    /// Whether the chunk ends at the end of the file.
    pub at_end: bool,
    /// The last line of the file, if it is in the chunk although it has no end.
    pub tail: Option<Tail>,
    /// Where its last entry is in the journal of systemd.
    pub cursor: Option<String>,
    /// What was lost before it.
    pub gap: Option<Gap>,
}

/// Lines that continue an entry which an earlier chunk has stored.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Appended {
    /// The entry's line number.
    pub line_no: i64,
    /// The entry's time.
    pub logged_at: EventTime,
    /// The lines, each with a line feed before it.
    pub text: String,
}

/// Stores a chunk that `read` makes while the entries are on their way to the server.
///
/// Returns how many entries were stored, and the chunk.
///
/// # Errors
/// [`StoreError::Overtaken`] when another run has moved the offset meanwhile; nothing is
/// stored then, nor after any other error.
pub fn store<R>(
    connection: &mut PgConnection,
    start: &ChunkStart,
    tick: Tick,
    read: R,
) -> Result<(i64, Chunk), StoreError>
where
    R: FnOnce(&mut EntryWriter<'_>) -> io::Result<Chunk>,
{
    transaction(connection, Patience::Longest, |connection| {
        let mut known = lock(connection, start)?;
        if let Some(flushed) = &start.flushed {
            tails::take_back(connection, start.source, start.line_no, flushed)?;
            if let Some(time) = flushed.entry_at {
                known.dirty.add_range(time, time);
            }
            if let Some(counted) = &mut known.counted {
                counted.add_range(flushed.minute, EventTime(flushed.minute.0 + LAST_OF_MINUTE));
            }
        }
        let (entries, mut chunk) = copy_entries(connection, start.source, read)?;
        if let Some(appended) = &chunk.appended {
            append(connection, start.source, appended)?;
        }
        if let Some(flushed) = chunk.tail.as_mut().and_then(|tail| tail.flushed.as_mut()) {
            flushed.counted_before = tails::counted(connection, start.source, flushed.minute)?;
        }
        let counts = copy_new_counts(connection, start.source, &chunk.counts, known.last_minute)?;
        advance(connection, start, &chunk, counts, known, tick)?;
        if let Some(gap) = &chunk.gap {
            generations::write_gap(connection, start.source, gap, tick)?;
        }
        if let Some(tail) = &chunk.tail {
            let byte_offset = chunk.place.byte_offset;
            tails::note(connection, start.source, start.generation, byte_offset, tail)?;
        }
        Ok((entries, chunk))
    })
}

/// What earlier chunks have left of a source.
struct Known {
    dirty: DirtyRanges,
    /// The same of counts; `None` where no rule reads them.
    counted: Option<DirtyRanges>,
    /// The last minute of which lines are counted.
    last_minute: Option<EventTime>,
}

/// Locks the source's row and returns what is known of it.
fn lock(connection: &mut PgConnection, start: &ChunkStart) -> Result<Known, StoreError> {
    #[derive(QueryableByName)]
    struct Range {
        #[diesel(sql_type = Nullable<Timestamptz>)]
        dirty_from: Option<DateTime<Utc>>,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        dirty_to: Option<DateTime<Utc>>,
        #[diesel(sql_type = Bool)]
        is_of_counts: bool,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        last_minute: Option<DateTime<Utc>>,
        #[diesel(sql_type = Bool)]
        are_counts_read: bool,
    }
    let rows = diesel::sql_query(include_str!("lock_source.sql"))
        .bind::<BigInt, _>(start.source.0)
        .bind::<BigInt, _>(start.generation)
        .bind::<BigInt, _>(to_bigint(start.byte_offset))
        .bind::<BigInt, _>(start.line_no)
        .load::<Range>(connection)?;
    let Range { last_minute, are_counts_read, .. } = *rows.first().ok_or(StoreError::Overtaken)?;
    let ranges = |is_of_counts: bool| -> DirtyRanges {
        let rows = rows.iter().filter(|row| row.is_of_counts == is_of_counts);
        let ranges = rows.filter_map(|row| row.dirty_from.zip(row.dirty_to));
        ranges.map(|(from, to)| (from.into(), to.into())).collect()
    };
    Ok(Known {
        dirty: ranges(false),
        counted: are_counts_read.then(|| ranges(true)),
        last_minute: last_minute.map(EventTime::from),
    })
}

/// Runs COPY into `log_entries` with `read` as the source of its rows.
fn copy_entries<R>(
    connection: &mut PgConnection,
    source: SourceId,
    read: R,
) -> Result<(i64, Chunk), StoreError>
where
    R: FnOnce(&mut EntryWriter<'_>) -> io::Result<Chunk>,
{
    // diesel wants a callback that could be called again; it calls it once.
    let read = RefCell::new(Some(read));
    let result = RefCell::new(None);
    let action = |sink: &mut dyn Write| -> Result<(), CopyError> {
        let Some(read) = read.borrow_mut().take() else { return Ok(()) };
        let mut writer = EntryWriter::new(sink, source);
        let chunk = read(&mut writer)?;
        let entries = writer.entries;
        writer.finish()?;
        *result.borrow_mut() = Some((entries, chunk));
        Ok(())
    };
    let columns = (
        log_entries::logged_at,
        log_entries::line_no,
        log_entries::source_id,
        log_entries::byte_offset,
        log_entries::fingerprint,
        log_entries::level,
        log_entries::message,
        log_entries::fields,
    );
    diesel::copy_from(log_entries::table)
        .from_raw_data(columns, action)
        .with_format(CopyFormat::Binary)
        .execute(connection)?;
    result.into_inner().ok_or(StoreError::Database(diesel::result::Error::RollbackTransaction))
}

/// Copies the counts of minutes of which no line is counted yet, and returns the others, which
/// come first in time and are to be added to what is there.
///
/// The lock on the source's row keeps everybody else from counting its lines. A few minutes are
/// not worth a statement of their own.
fn copy_new_counts<'a>(
    connection: &mut PgConnection,
    source: SourceId,
    counts: &'a [(EventTime, MinuteCounts)],
    last_minute: Option<EventTime>,
) -> Result<&'a [(EventTime, MinuteCounts)], StoreError> {
    let is_known = |minute| last_minute.is_some_and(|last_minute| minute <= last_minute);
    let (known, new) = counts.split_at(counts.partition_point(|(minute, _)| is_known(*minute)));
    if new.len() < COPIED_MINUTES {
        return Ok(counts);
    }
    diesel::copy_from(line_counts::table)
        .from_raw_data(line_counts::table, |sink: &mut dyn Write| -> Result<(), CopyError> {
            Ok(binary_copy::write_counts(sink, source, new)?)
        })
        .with_format(CopyFormat::Binary)
        .execute(connection)?;
    Ok(known)
}

/// An error inside of COPY: diesel's own, or one of writing to the connection.
#[derive(Debug, thiserror::Error)]
enum CopyError {
    #[error(transparent)]
    Database(#[from] diesel::result::Error),
    #[error(transparent)]
    Write(#[from] io::Error),
}

impl From<CopyError> for StoreError {
    fn from(error: CopyError) -> Self {
        match error {
            CopyError::Database(error) => Self::Database(error),
            CopyError::Write(error) => Self::Connection(error),
        }
    }
}

fn append(
    connection: &mut PgConnection,
    source: SourceId,
    appended: &Appended,
) -> Result<(), StoreError> {
    diesel::sql_query(
        "update log_entries set message = message || $4
         where source_id = $1 and logged_at = $2 and line_no = $3",
    )
    .bind::<BigInt, _>(source.0)
    .bind::<Timestamptz, _>(appended.logged_at.to_utc())
    .bind::<BigInt, _>(appended.line_no)
    .bind::<Text, _>(&appended.text)
    .execute(connection)?;
    Ok(())
}

/// Adds the counts that are left and moves the offset.
fn advance(
    connection: &mut PgConnection,
    start: &ChunkStart,
    chunk: &Chunk,
    counts: &[(EventTime, MinuteCounts)],
    known: Known,
    tick: Tick,
) -> Result<(), StoreError> {
    let Known { mut dirty, mut counted, .. } = known;
    for &(from, to) in chunk.dirty.as_slice() {
        dirty.add_range(from, to);
    }
    // Rules that look at whole entries see another text now.
    if let Some(appended) = &chunk.appended {
        dirty.add_range(appended.logged_at, appended.logged_at);
    }
    if let Some(counted) = &mut counted {
        for (minute, _) in &chunk.counts {
            counted.add_range(*minute, EventTime(minute.0 + LAST_OF_MINUTE));
        }
    }
    let (dirty, counted) = (dirty.as_slice(), counted.unwrap_or_default());
    let counted = counted.as_slice();
    let lines_of = |index: usize| -> Vec<i64> {
        counts.iter().map(|(_, counts)| counts.lines[index]).collect()
    };
    let open = chunk.open;
    let changed = diesel::sql_query(include_str!("advance.sql"))
        .bind::<BigInt, _>(start.source.0)
        .bind::<BigInt, _>(start.generation)
        .bind::<BigInt, _>(to_bigint(chunk.place.begin_hash))
        .bind::<BigInt, _>(to_bigint(chunk.place.byte_offset))
        .bind::<BigInt, _>(to_bigint(chunk.place.head_hash))
        .bind::<BigInt, _>(to_bigint(chunk.place.marker_hash))
        .bind::<BigInt, _>(to_bigint(chunk.size_bytes))
        .bind::<BigInt, _>(chunk.lines)
        .bind::<BigInt, _>(chunk.parsed_lines)
        .bind::<BigInt, _>(chunk.unparsed_lines)
        .bind::<BigInt, _>(chunk.cut_lines)
        .bind::<BigInt, _>(chunk.redated_entries)
        .bind::<Nullable<Timestamptz>, _>(chunk.last_logged_at.map(EventTime::to_utc))
        .bind::<Nullable<BigInt>, _>(open.map(|open| open.line_no))
        .bind::<Nullable<Timestamptz>, _>(open.map(|open| open.logged_at.to_utc()))
        .bind::<Nullable<Text>, _>(open.map(|open| open.level.as_str()))
        .bind::<Integer, _>(open.map_or(0, |open| open.lines))
        .bind::<BigInt, _>(open.map_or(0, |open| open.bytes))
        .bind::<Nullable<Timestamptz>, _>(chunk.at_end.then_some(tick.0))
        .bind::<Array<Timestamptz>, _>(to_timestamps(dirty.iter().map(|range| range.0)))
        .bind::<Array<Timestamptz>, _>(to_timestamps(dirty.iter().map(|range| range.1)))
        .bind::<Array<Timestamptz>, _>(to_timestamps(counts.iter().map(|row| row.0)))
        .bind::<Array<BigInt>, _>(lines_of(Level::Trace.index()))
        .bind::<Array<BigInt>, _>(lines_of(Level::Debug.index()))
        .bind::<Array<BigInt>, _>(lines_of(Level::Info.index()))
        .bind::<Array<BigInt>, _>(lines_of(Level::Warning.index()))
        .bind::<Array<BigInt>, _>(lines_of(Level::Error.index()))
        .bind::<Array<BigInt>, _>(lines_of(Level::Fatal.index()))
        .bind::<Array<BigInt>, _>(lines_of(CONTINUED))
        .bind::<Array<BigInt>, _>(lines_of(UNPARSED))
        .bind::<Nullable<Text>, _>(chunk.trace.map(Trace::as_str))
        .bind::<BigInt, _>(chunk.nul_bytes)
        .bind::<Nullable<Text>, _>(&chunk.cursor)
        .bind::<Nullable<Text>, _>(chunk.detected_format.map(Format::as_str))
        .bind::<Array<Text>, _>(&chunk.unparsed_samples)
        .bind::<Array<Timestamptz>, _>(to_timestamps(counted.iter().map(|range| range.0)))
        .bind::<Array<Timestamptz>, _>(to_timestamps(counted.iter().map(|range| range.1)))
        .bind::<Array<Timestamptz>, _>(to_timestamps(counts.iter().map(|row| row.1.first_at)))
        .bind::<Array<Timestamptz>, _>(to_timestamps(counts.iter().map(|row| row.1.last_at)))
        .bind::<Bool, _>(start.flushed.is_some() || chunk.appended.is_some())
        .execute(connection)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Overtaken) }
}
