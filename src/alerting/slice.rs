//! What of a source is not evaluated yet, and is evaluated in one transaction.

use std::collections::HashMap;

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz};

use super::kept::Waiting;
use crate::model::{SourceId, Tick};
use crate::store::StoreError;

/// A slice of a source, whose row is locked.
pub(super) struct Slice {
    pub(super) source: SourceId,
    /// Up to when the source was read.
    pub(super) read_until: Option<DateTime<Utc>>,
    pub(super) dirty_from: DateTime<Utc>,
    pub(super) dirty_to: DateTime<Utc>,
    /// Rules that failed the last time.
    pub(super) failing: Vec<i64>,
    other_dirty: Option<String>,
    other_counted: Option<String>,
    /// Whether what is not evaluated is several ranges.
    is_scattered: bool,
    is_member: bool,
    recount: bool,
}

impl Slice {
    /// Whether it is not all of the source that is not evaluated yet.
    pub(super) fn has_more(&self) -> bool {
        self.other_dirty.is_some() || self.other_counted.is_some()
    }
}

/// What is done with sources that somebody else has locked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Locked {
    /// They are waited for.
    WaitedFor,
    /// They are left out.
    LeftOut,
}

/// A source that is locked.
#[derive(QueryableByName)]
pub(super) struct Position {
    #[diesel(sql_type = BigInt)]
    source_id: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    read_until: Option<DateTime<Utc>>,
    /// Whether it was read up to a time for which something has waited.
    #[diesel(sql_type = Nullable<Bool>)]
    is_due: Option<bool>,
}

impl Position {
    pub(super) fn source(&self) -> SourceId {
        SourceId(self.source_id)
    }
}

/// Locks sources: nothing else may change their dirty ranges or alerts from here on.
pub(super) fn lock(
    connection: &mut PgConnection,
    sources: &[SourceId],
    tick: Tick,
    locked: Locked,
) -> Result<Vec<Position>, StoreError> {
    let statement = match locked {
        Locked::WaitedFor => include_str!("lock.sql").to_owned(),
        Locked::LeftOut => format!("{} skip locked", include_str!("lock.sql")),
    };
    Ok(diesel::sql_query(statement)
        .bind::<Array<BigInt>, _>(ids(sources))
        .bind::<Timestamptz, _>(tick.0)
        .load(connection)?)
}

/// What has waited for a time that has come is to be evaluated again.
pub(super) fn take_held(
    connection: &mut PgConnection,
    locked: &[Position],
) -> Result<(), StoreError> {
    let is_due = |one: &&Position| one.is_due == Some(true);
    let due: Vec<i64> = locked.iter().filter(is_due).map(|one| one.source_id).collect();
    if !due.is_empty() {
        diesel::sql_query(include_str!("take_held.sql"))
            .bind::<Array<BigInt>, _>(due)
            .execute(connection)?;
    }
    Ok(())
}

/// The first slices of locked sources, with about so many entries each; none of a source of which
/// all is evaluated.
pub(super) fn take(
    connection: &mut PgConnection,
    locked: &[Position],
    slice_entries: u32,
) -> Result<Vec<Slice>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        source_id: i64,
        #[diesel(sql_type = Timestamptz)]
        dirty_from: DateTime<Utc>,
        #[diesel(sql_type = Timestamptz)]
        dirty_to: DateTime<Utc>,
        #[diesel(sql_type = Nullable<Text>)]
        other_dirty: Option<String>,
        #[diesel(sql_type = Nullable<Text>)]
        other_counted: Option<String>,
        #[diesel(sql_type = Bool)]
        is_scattered: bool,
        #[diesel(sql_type = Bool)]
        is_member: bool,
        #[diesel(sql_type = Bool)]
        recount: bool,
        #[diesel(sql_type = Array<BigInt>)]
        failing: Vec<i64>,
    }
    let rows: Vec<Row> = diesel::sql_query(include_str!("take_slice.sql"))
        .bind::<Array<BigInt>, _>(locked.iter().map(|one| one.source_id).collect::<Vec<_>>())
        .bind::<BigInt, _>(i64::from(slice_entries))
        .load(connection)?;
    let read_until: HashMap<i64, Option<DateTime<Utc>>> =
        locked.iter().map(|one| (one.source_id, one.read_until)).collect();
    let slice = |row: Row| Slice {
        source: SourceId(row.source_id),
        read_until: read_until.get(&row.source_id).copied().flatten(),
        dirty_from: row.dirty_from,
        dirty_to: row.dirty_to,
        failing: row.failing,
        other_dirty: row.other_dirty,
        other_counted: row.other_counted,
        is_scattered: row.is_scattered,
        is_member: row.is_member,
        recount: row.recount,
    };
    Ok(rows.into_iter().map(slice).collect())
}

/// Makes slices all that the views see of their sources, each as one range: what lies between the
/// parts of it is evaluated again, which costs less than to look at each part by itself.
pub(super) fn narrow(connection: &mut PgConnection, slices: &[&Slice]) -> Result<(), StoreError> {
    let is_another = |slice: &&&Slice| slice.is_scattered || slice.has_more();
    let others: Vec<&Slice> = slices.iter().filter(is_another).copied().collect();
    if others.is_empty() {
        return Ok(());
    }
    diesel::sql_query(
        "update ingest_state
         set dirty   = case when dirty && slice.range then slice.range else '{}' end,
             counted = case when counted && slice.range then slice.range else '{}' end
         from (
             select source_id, tstzmultirange(tstzrange(dirty_from, dirty_to, '[]')) as range
             from unnest($1, $2, $3) as slice (source_id, dirty_from, dirty_to)
         ) slice
         where ingest_state.source_id = slice.source_id",
    )
    .bind::<Array<BigInt>, _>(column(&others, |slice| slice.source.0))
    .bind::<Array<Timestamptz>, _>(column(&others, |slice| slice.dirty_from))
    .bind::<Array<Timestamptz>, _>(column(&others, |slice| slice.dirty_to))
    .execute(connection)?;
    Ok(())
}

/// Forgets how many entries rules have matched where other rules judge the source now.
pub(super) fn forget_counts(
    connection: &mut PgConnection,
    slices: &[&Slice],
) -> Result<(), StoreError> {
    let sources: Vec<i64> =
        slices.iter().filter(|slice| slice.recount).map(|slice| slice.source.0).collect();
    if !sources.is_empty() {
        diesel::sql_query("delete from counted_spans where source_id = any ($1)")
            .bind::<Array<BigInt>, _>(sources)
            .execute(connection)?;
    }
    Ok(())
}

/// The slices are evaluated: what is left is what lies beyond them, and what has to wait. The
/// sources that stand for theirs are told what they have to look at.
pub(super) fn release(
    connection: &mut PgConnection,
    slices: &[&Slice],
    waiting: &[Waiting],
) -> Result<(), StoreError> {
    let members: Vec<&Slice> = slices.iter().filter(|slice| slice.is_member).copied().collect();
    if !members.is_empty() {
        diesel::sql_query(include_str!("pass_on.sql"))
            .bind::<Array<BigInt>, _>(column(&members, |slice| slice.source.0))
            .bind::<Array<Timestamptz>, _>(column(&members, |slice| slice.dirty_from))
            .bind::<Array<Timestamptz>, _>(column(&members, |slice| slice.dirty_to))
            .execute(connection)?;
    }
    let other_dirty = column(slices, |slice| slice.other_dirty.as_deref());
    let other_counted = column(slices, |slice| slice.other_counted.as_deref());
    diesel::sql_query(include_str!("release.sql"))
        .bind::<Array<BigInt>, _>(column(slices, |slice| slice.source.0))
        .bind::<Array<Nullable<Text>>, _>(other_dirty)
        .bind::<Array<Nullable<Text>>, _>(other_counted)
        .bind::<Array<Nullable<Timestamptz>>, _>(column(slices, |slice| slice.read_until))
        .bind::<Array<BigInt>, _>(waiting.iter().map(|one| one.source.0).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(waiting.iter().map(|one| one.hot_from).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(waiting.iter().map(|one| one.known_from).collect::<Vec<_>>())
        .execute(connection)?;
    Ok(())
}

fn column<'s, T>(slices: &[&'s Slice], value: impl Fn(&'s Slice) -> T) -> Vec<T> {
    slices.iter().map(|slice| value(slice)).collect()
}

/// Sources as the database knows them.
pub(super) fn ids(sources: &[SourceId]) -> Vec<i64> {
    sources.iter().map(|source| source.0).collect()
}
