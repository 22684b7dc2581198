//! Last lines that have no end yet.
//!
//! The place of a source stays before such a line. When it was stored all the same, the state
//! of the source is as after it, and how to get back is kept: the line is then read again from
//! its beginning, as if it had never been stored.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Jsonb, Nullable, Text, Timestamptz};
use serde::{Deserialize, Serialize};

use super::schema::line_counts;
use super::transaction::execute_alone;
use super::{StoreError, to_bigint};
use crate::model::{EventTime, OpenEntry, SourceId, Trace};

/// A last line without an end.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Tail {
    /// How many bytes there are of it.
    pub bytes: u64,
    /// Hash of those of its bytes that are kept.
    pub hash: u64,
    /// The tick that first saw it as it is.
    pub first_seen_at: DateTime<Utc>,
    /// How it, or less of it, was stored.
    pub flushed: Option<Flushed>,
}

/// How a last line was stored and counted although it had no end.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Flushed {
    /// How many bytes there were of it then.
    pub bytes: u64,
    /// Their hash, as that of a [`Tail`]; `None` where an older version has stored it.
    pub hash: Option<u64>,
    /// The tick at which it was stored.
    pub flushed_at: DateTime<Utc>,
    /// The minute in which it was counted.
    pub minute: EventTime,
    /// How many lines it was: some formats have several that are one.
    #[serde(default = "one")]
    pub lines: i64,
    /// The column of `line_counts` in which its first line was counted.
    pub counter: String,
    /// First and last time of the lines that were counted in that minute before it; `None`
    /// where there were none.
    pub counted_before: Option<(EventTime, EventTime)>,
    /// Whether it was not kept whole.
    pub cut: bool,
    /// NUL bytes before it that were skipped.
    pub nul_bytes: i64,
    /// Whether it got the time of the tick.
    pub redated: bool,
    /// Time of the entry that it was stored as.
    pub entry_at: Option<EventTime>,
    /// Characters that it added to the entry before it.
    pub added_chars: usize,
    /// What was known before it.
    pub before: BeforeTail,
}

fn one() -> i64 {
    1
}

impl Flushed {
    /// Whether a last line of so many bytes with this hash is the one that was stored.
    pub fn is(&self, bytes: u64, hash: u64) -> bool {
        self.bytes == bytes && self.hash.is_none_or(|stored| stored == hash)
    }

    /// Whether it was read as the beginning of an entry.
    pub fn is_parsed(&self) -> bool {
        !self.is_unparsed() && self.counter != "continued"
    }

    fn is_unparsed(&self) -> bool {
        self.counter == "unparsed"
    }
}

/// What the lines before a last line say about it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct BeforeTail {
    /// Written time of the entry before it.
    pub last_logged_at: Option<EventTime>,
    /// The entry that it may continue.
    pub open: Option<OpenEntry>,
    /// What has begun before it.
    pub trace: Option<Trace>,
}

/// Keeps what is known of a last line, if the source still stands before it.
///
/// # Errors
/// When the database fails.
pub fn note(
    connection: &mut PgConnection,
    source: SourceId,
    generation: i64,
    byte_offset: u64,
    tail: &Tail,
) -> Result<(), StoreError> {
    let flushed = tail.flushed.as_ref().map(serde_json::to_value).transpose();
    let flushed = flushed.map_err(|error| StoreError::UnknownValue(error.to_string(), "tail"))?;
    let statement = diesel::sql_query(
        "insert into ingest_tails (source_id, generation, byte_offset, bytes, hash, first_seen_at, flushed)
         select source_id, generation, byte_offset, $4, $5, $6, $7
         from ingest_state
         where source_id = $1 and generation = $2 and byte_offset = $3
         on conflict on constraint ingest_tails_pkey do update set
             generation = excluded.generation, byte_offset = excluded.byte_offset,
             bytes = excluded.bytes, hash = excluded.hash,
             first_seen_at = excluded.first_seen_at, flushed = excluded.flushed",
    )
    .bind::<BigInt, _>(source.0)
    .bind::<BigInt, _>(generation)
    .bind::<BigInt, _>(to_bigint(byte_offset))
    .bind::<BigInt, _>(to_bigint(tail.bytes))
    .bind::<BigInt, _>(to_bigint(tail.hash))
    .bind::<Timestamptz, _>(tail.first_seen_at)
    .bind::<Nullable<Jsonb>, _>(flushed);
    execute_alone(connection, statement)?;
    Ok(())
}

/// First and last time of the lines of a source that are counted in a minute.
///
/// # Errors
/// When the database fails.
pub(super) fn counted(
    connection: &mut PgConnection,
    source: SourceId,
    minute: EventTime,
) -> Result<Option<(EventTime, EventTime)>, StoreError> {
    let times = line_counts::table
        .find((source.0, minute.to_utc()))
        .select((line_counts::first_at, line_counts::last_at))
        .first::<(Option<DateTime<Utc>>, Option<DateTime<Utc>>)>(connection)
        .optional()?;
    let times = times.and_then(|(first_at, last_at)| first_at.zip(last_at));
    Ok(times.map(|(first_at, last_at)| (first_at.into(), last_at.into())))
}

/// Takes back how a last line was stored, under the lock of its source.
///
/// # Errors
/// When the database fails.
pub(super) fn take_back(
    connection: &mut PgConnection,
    source: SourceId,
    line_no: i64,
    flushed: &Flushed,
) -> Result<(), StoreError> {
    let one = |is: bool| i64::from(is);
    let further = flushed.lines - 1;
    let unparsed = if flushed.is_unparsed() { flushed.lines } else { 0 };
    let open = flushed.before.open;
    diesel::sql_query(include_str!("take_back.sql"))
        .bind::<BigInt, _>(source.0)
        .bind::<Nullable<Timestamptz>, _>(flushed.entry_at.map(EventTime::to_utc))
        .bind::<BigInt, _>(line_no - further)
        .bind::<Integer, _>(i32::try_from(flushed.added_chars).unwrap_or(i32::MAX))
        .bind::<Nullable<Timestamptz>, _>(open.map(|open| open.logged_at.to_utc()))
        .bind::<Nullable<BigInt>, _>(open.map(|open| open.line_no))
        .bind::<Timestamptz, _>(flushed.minute.to_utc())
        .bind::<Text, _>(&flushed.counter)
        .bind::<BigInt, _>(one(flushed.is_parsed()))
        .bind::<BigInt, _>(unparsed)
        .bind::<BigInt, _>(one(flushed.cut))
        .bind::<BigInt, _>(one(flushed.redated))
        .bind::<BigInt, _>(flushed.nul_bytes)
        .bind::<Nullable<Timestamptz>, _>(flushed.counted_before.map(|times| times.0.to_utc()))
        .bind::<Nullable<Timestamptz>, _>(flushed.counted_before.map(|times| times.1.to_utc()))
        .bind::<BigInt, _>(further)
        .execute(connection)?;
    // A minute without lines has no row.
    diesel::sql_query(
        "delete from line_counts
         where source_id = $1 and minute = $2
           and trace + debug + info + warning + error + fatal + continued + unparsed = 0",
    )
    .bind::<BigInt, _>(source.0)
    .bind::<Timestamptz, _>(flushed.minute.to_utc())
    .execute(connection)?;
    Ok(())
}
