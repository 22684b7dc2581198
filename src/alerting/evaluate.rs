//! Asks the views what holds, and records it.
//!
//! One transaction a source, under the lock of its `ingest_state` row. What is stored always
//! becomes what the complete data give: late entries lengthen an episode, start it earlier or
//! join two. A long backlog is evaluated in slices, each committed, so that no amount of it
//! can run into the statement time-out for ever.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz};

use crate::model::{SourceId, Tick};
use crate::store::StoreError;
use crate::store::transaction::{Patience, load_alone, transaction};

/// Entries that one transaction looks at, besides a window around them.
const SLICE_ENTRIES: u32 = 100_000;

/// What was announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    /// Alerts that fire.
    pub fired: usize,
    /// Alerts that are over.
    pub resolved: usize,
}

#[derive(QueryableByName)]
struct Range {
    #[diesel(sql_type = Timestamptz)]
    dirty_from: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    dirty_to: DateTime<Utc>,
}

/// Sources whose entries are not evaluated yet, or whose alerts are to be announced: those of
/// `host`, or of every host.
pub fn sources_to_evaluate(
    connection: &mut PgConnection,
    host: Option<&str>,
) -> Result<Vec<SourceId>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        source_id: i64,
    }
    let query =
        diesel::sql_query(include_str!("sources_to_evaluate.sql")).bind::<Nullable<Text>, _>(host);
    let rows: Vec<Row> = load_alone(connection, query)?;
    Ok(rows.into_iter().map(|row| SourceId(row.source_id)).collect())
}

/// Evaluates everything of a source that is not evaluated yet, and records the alerts.
pub fn evaluate(
    connection: &mut PgConnection,
    source: SourceId,
    tick: Tick,
) -> Result<(), StoreError> {
    evaluate_in_slices(connection, source, tick, SLICE_ENTRIES)
}

/// The same with about `slice_entries` entries a transaction. The result does not depend on it.
pub fn evaluate_in_slices(
    connection: &mut PgConnection,
    source: SourceId,
    tick: Tick,
    slice_entries: u32,
) -> Result<(), StoreError> {
    while evaluate_slice(connection, source, tick, slice_entries)? {}
    Ok(())
}

/// Evaluates one slice; `true` while there is more.
fn evaluate_slice(
    connection: &mut PgConnection,
    source: SourceId,
    tick: Tick,
    slice_entries: u32,
) -> Result<bool, StoreError> {
    transaction(connection, Patience::Long, |connection| {
        // Nothing else may change the source's dirty ranges or alerts from here on.
        let slice = diesel::sql_query(include_str!("take_slice.sql"))
            .bind::<BigInt, _>(source.0)
            .bind::<BigInt, _>(i64::from(slice_entries))
            .get_result::<Range>(connection)
            .optional()?;
        let Some(slice) = slice else { return Ok(false) };
        let rest = narrow(connection, source, &slice)?;
        let episodes = episodes(connection, source)?;
        if !episodes.is_empty() {
            record(connection, source, &episodes, tick)?;
        }
        widen(connection, source, &rest)?;
        Ok(!rest.is_empty())
    })
}

/// Makes the slice all that the views see, and returns what else is dirty.
fn narrow(
    connection: &mut PgConnection,
    source: SourceId,
    slice: &Range,
) -> Result<Vec<Range>, StoreError> {
    let rest = diesel::sql_query(
        "select lower(rest) as dirty_from, upper(rest) as dirty_to
         from ingest_state
         cross join lateral unnest(dirty - tstzmultirange(tstzrange($2, $3, '[]'))) as rest
         where source_id = $1",
    )
    .bind::<BigInt, _>(source.0)
    .bind::<Timestamptz, _>(slice.dirty_from)
    .bind::<Timestamptz, _>(slice.dirty_to)
    .load::<Range>(connection)?;
    if !rest.is_empty() {
        widen(connection, source, std::slice::from_ref(slice))?;
    }
    Ok(rest)
}

/// Sets what is dirty.
fn widen(
    connection: &mut PgConnection,
    source: SourceId,
    dirty: &[Range],
) -> Result<(), StoreError> {
    diesel::sql_query(
        "update ingest_state
         set dirty = (
             select coalesce(range_agg(tstzrange(dirty_from, dirty_to, '[]')), '{}')
             from unnest($2, $3) as new_dirty (dirty_from, dirty_to)
         )
         where source_id = $1",
    )
    .bind::<BigInt, _>(source.0)
    .bind::<Array<Timestamptz>, _>(dirty.iter().map(|range| range.dirty_from).collect::<Vec<_>>())
    .bind::<Array<Timestamptz>, _>(dirty.iter().map(|range| range.dirty_to).collect::<Vec<_>>())
    .execute(connection)?;
    Ok(())
}

/// A stretch of time over which a rule holds, as the view `alert_episodes` gives it.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
struct Episode {
    #[diesel(sql_type = BigInt)]
    rule_id: i64,
    #[diesel(sql_type = Text)]
    group_key: String,
    #[diesel(sql_type = Timestamptz)]
    started_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    ended_at: DateTime<Utc>,
    #[diesel(sql_type = BigInt)]
    measured: i64,
}

fn episodes(connection: &mut PgConnection, source: SourceId) -> Result<Vec<Episode>, StoreError> {
    Ok(diesel::sql_query(
        "select rule_id, group_key, started_at, ended_at, measured
         from alert_episodes
         where source_id = $1
         order by rule_id, group_key, started_at",
    )
    .bind::<BigInt, _>(source.0)
    .load::<Episode>(connection)?)
}

/// Brings the table `alerts` to what the episodes say.
///
/// Three statements, because the exclusion constraint is checked row by row: a grown episode
/// must first absorb the rows that it covers now, and only then grow.
fn record(
    connection: &mut PgConnection,
    source: SourceId,
    episodes: &[Episode],
    tick: Tick,
) -> Result<(), StoreError> {
    fn column<T>(episodes: &[Episode], value: impl Fn(&Episode) -> T) -> Vec<T> {
        episodes.iter().map(value).collect()
    }
    for statement in
        [include_str!("absorb.sql"), include_str!("grow.sql"), include_str!("insert.sql")]
    {
        diesel::sql_query(statement)
            .bind::<BigInt, _>(source.0)
            .bind::<Timestamptz, _>(tick.0)
            .bind::<Array<BigInt>, _>(column(episodes, |episode| episode.rule_id))
            .bind::<Array<Text>, _>(column(episodes, |episode| episode.group_key.clone()))
            .bind::<Array<Timestamptz>, _>(column(episodes, |episode| episode.started_at))
            .bind::<Array<Timestamptz>, _>(column(episodes, |episode| episode.ended_at))
            .bind::<Array<BigInt>, _>(column(episodes, |episode| episode.measured))
            .execute(connection)?;
    }
    Ok(())
}

/// Announces the alerts of a source that fire, and those that are over, in the outbox.
///
/// An alert is over when its episode ended no later than the source was read. One that was
/// never announced as firing is announced once, as both.
pub fn announce(
    connection: &mut PgConnection,
    source: SourceId,
    host: &str,
    channel: &str,
    tick: Tick,
) -> Result<Announced, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        kind: String,
    }
    transaction(connection, Patience::Long, |connection| {
        diesel::sql_query("select source_id from ingest_state where source_id = $1 for update")
            .bind::<BigInt, _>(source.0)
            .execute(connection)?;
        let rows = diesel::sql_query(include_str!("announce.sql"))
            .bind::<BigInt, _>(source.0)
            .bind::<Timestamptz, _>(tick.0)
            .bind::<Text, _>(host)
            .bind::<Text, _>(channel)
            .load::<Row>(connection)?;
        let resolved = rows.iter().filter(|row| row.kind == "resolved").count();
        Ok(Announced { fired: rows.len() - resolved, resolved })
    })
}
