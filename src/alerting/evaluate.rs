//! Asks the views what holds, and records it.
//!
//! One transaction a source, under the lock of its `ingest_state` row. What is stored always
//! becomes what the complete data give: late entries lengthen an episode, start it earlier,
//! join two, or take one back. A long backlog is evaluated in slices, each committed, so that no
//! amount of it can run into the statement time-out for ever.
//!
//! A rule across sources is evaluated for the source that stands for them, which is told what
//! was evaluated of each.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable, Text, Timestamptz};

use super::failing::{self, RuleFailure};
use super::interval::{Episode, FOREVER, Key};
use super::kept::{self, Waiting};
use crate::model::{EventTime, SourceId, Tick};
use crate::store::StoreError;
use crate::store::transaction::{Patience, load_alone, transaction};

/// Entries that one transaction looks at, besides a window around them.
const SLICE_ENTRIES: u32 = 100_000;

/// A source with which something is to be done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Pending {
    /// The source.
    pub source: SourceId,
    /// Whether it stands for all others, which are to be evaluated before it.
    pub stands_for_others: bool,
}

/// Sources whose entries are not evaluated yet, or whose alerts are to be announced: those of
/// `host`, or of every host.
pub fn sources_to_evaluate(
    connection: &mut PgConnection,
    host: Option<&str>,
    tick: Tick,
) -> Result<Vec<Pending>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        source_id: i64,
        #[diesel(sql_type = Bool)]
        stands_for_others: bool,
    }
    let query = diesel::sql_query(include_str!("sources_to_evaluate.sql"))
        .bind::<Nullable<Text>, _>(host)
        .bind::<Timestamptz, _>(tick.0);
    let rows: Vec<Row> = load_alone(connection, query)?;
    let pending = |row: Row| {
        let Row { source_id, stands_for_others } = row;
        Pending { source: SourceId(source_id), stands_for_others }
    };
    Ok(rows.into_iter().map(pending).collect())
}

/// Evaluates everything of a source that is not evaluated yet, and records the alerts.
///
/// Returns the rules that failed; what they missed is left to a later run.
pub fn evaluate(
    connection: &mut PgConnection,
    source: SourceId,
    tick: Tick,
) -> Result<Vec<RuleFailure>, StoreError> {
    evaluate_in_slices(connection, source, tick, SLICE_ENTRIES)
}

/// The same with about `slice_entries` entries a transaction. The result does not depend on it.
pub fn evaluate_in_slices(
    connection: &mut PgConnection,
    source: SourceId,
    tick: Tick,
    slice_entries: u32,
) -> Result<Vec<RuleFailure>, StoreError> {
    let mut failures = Vec::new();
    let mut is_first = true;
    while evaluate_slice(connection, source, tick, slice_entries, is_first, &mut failures)? {
        is_first = false;
    }
    Ok(failures)
}

#[derive(QueryableByName)]
struct Position {
    #[diesel(sql_type = Nullable<Timestamptz>)]
    read_until: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Bool>)]
    is_due: Option<bool>,
}

#[derive(QueryableByName)]
struct Slice {
    #[diesel(sql_type = Timestamptz)]
    dirty_from: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    dirty_to: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Text>)]
    other_dirty: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    other_counted: Option<String>,
    #[diesel(sql_type = Bool)]
    is_member: bool,
    #[diesel(sql_type = Bool)]
    has_episodes: bool,
    /// Rules that failed the last time.
    #[diesel(sql_type = Array<BigInt>)]
    failing: Vec<i64>,
    /// Kinds whose intervals are kept.
    #[diesel(sql_type = Array<Text>)]
    kinds: Vec<String>,
}

impl Slice {
    fn has_more(&self) -> bool {
        self.other_dirty.is_some() || self.other_counted.is_some()
    }
}

/// Evaluates one slice; `true` while there is more.
fn evaluate_slice(
    connection: &mut PgConnection,
    source: SourceId,
    tick: Tick,
    slice_entries: u32,
    is_first: bool,
    failures: &mut Vec<RuleFailure>,
) -> Result<bool, StoreError> {
    transaction(connection, Patience::Long, |connection| {
        // Nothing else may change the source's dirty ranges or alerts from here on.
        let position = diesel::sql_query(include_str!("lock.sql"))
            .bind::<BigInt, _>(source.0)
            .bind::<Timestamptz, _>(tick.0)
            .get_result::<Position>(connection)
            .optional()?;
        let Some(position) = position else { return Ok(false) };
        if is_first && position.is_due == Some(true) {
            diesel::sql_query(include_str!("take_held.sql"))
                .bind::<BigInt, _>(source.0)
                .execute(connection)?;
        }
        let slice = diesel::sql_query(include_str!("take_slice.sql"))
            .bind::<BigInt, _>(source.0)
            .bind::<BigInt, _>(i64::from(slice_entries))
            .get_result::<Slice>(connection)
            .optional()?;
        let Some(slice) = slice else { return Ok(false) };
        if slice.has_more() {
            narrow(connection, source, &slice)?;
        }
        let judging = Judging {
            source,
            tick,
            read_until: position.read_until,
            dirty_from: slice.dirty_from,
            dirty_to: slice.dirty_to,
            has_episodes: slice.has_episodes,
            kinds: &slice.kinds,
        };
        let waiting = failing::evaluate(connection, &judging, &slice.failing, failures)?;
        if slice.is_member {
            pass_on(connection, source, &slice)?;
        }
        release(connection, source, &slice, &waiting, position.read_until)?;
        Ok(slice.has_more())
    })
}

/// Which rules are evaluated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    /// These; `None`: all.
    pub(super) only: Option<&'a [i64]>,
    /// But not these.
    pub(super) except: &'a [i64],
}

/// A slice of a source, which is locked and narrowed to it.
pub(super) struct Judging<'a> {
    pub(super) source: SourceId,
    pub(super) tick: Tick,
    /// Up to when the source was read.
    pub(super) read_until: Option<DateTime<Utc>>,
    pub(super) dirty_from: DateTime<Utc>,
    pub(super) dirty_to: DateTime<Utc>,
    has_episodes: bool,
    kinds: &'a [String],
}

impl Judging<'_> {
    /// Asks the views about some rules and records what they say. Returns what has to wait until
    /// more is read.
    pub(super) fn judge(
        &self,
        connection: &mut PgConnection,
        rules: &Rules<'_>,
    ) -> Result<Vec<Waiting>, StoreError> {
        if self.has_episodes {
            let episodes = episodes(connection, self.source, rules)?;
            record(connection, self.source, &episodes, self.tick)?;
        }
        kept::evaluate(connection, self.source, self.kinds, rules, self.read_until, self.tick)
    }
}

/// Makes the slice all that the views see.
fn narrow(
    connection: &mut PgConnection,
    source: SourceId,
    slice: &Slice,
) -> Result<(), StoreError> {
    diesel::sql_query(
        "update ingest_state
         set dirty   = dirty * tstzmultirange(tstzrange($2, $3, '[]')),
             counted = counted * tstzmultirange(tstzrange($2, $3, '[]'))
         where source_id = $1",
    )
    .bind::<BigInt, _>(source.0)
    .bind::<Timestamptz, _>(slice.dirty_from)
    .bind::<Timestamptz, _>(slice.dirty_to)
    .execute(connection)?;
    Ok(())
}

/// Tells the sources that stand for this one what they have to look at.
fn pass_on(
    connection: &mut PgConnection,
    source: SourceId,
    slice: &Slice,
) -> Result<(), StoreError> {
    diesel::sql_query(include_str!("pass_on.sql"))
        .bind::<BigInt, _>(source.0)
        .bind::<Timestamptz, _>(slice.dirty_from)
        .bind::<Timestamptz, _>(slice.dirty_to)
        .execute(connection)?;
    Ok(())
}

/// The slice is evaluated: what is left is what lies beyond it, and what has to wait.
fn release(
    connection: &mut PgConnection,
    source: SourceId,
    slice: &Slice,
    waiting: &[Waiting],
    judged_until: Option<DateTime<Utc>>,
) -> Result<(), StoreError> {
    diesel::sql_query(include_str!("release.sql"))
        .bind::<BigInt, _>(source.0)
        .bind::<Nullable<Text>, _>(&slice.other_dirty)
        .bind::<Nullable<Text>, _>(&slice.other_counted)
        .bind::<Array<Timestamptz>, _>(waiting.iter().map(|one| one.hot_from).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(waiting.iter().map(|one| one.known_from).collect::<Vec<_>>())
        .bind::<Nullable<Timestamptz>, _>(judged_until)
        .execute(connection)?;
    Ok(())
}

/// A stretch of time over which a rule holds, as the view `alert_episodes` gives it.
#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    rule_id: i64,
    #[diesel(sql_type = Text)]
    group_key: String,
    #[diesel(sql_type = Timestamptz)]
    started_at: DateTime<Utc>,
    #[diesel(sql_type = Timestamptz)]
    ended_at: DateTime<Utc>,
    #[diesel(sql_type = Double)]
    measured: f64,
}

impl From<Row> for Episode {
    fn from(row: Row) -> Self {
        let (started_at, ended_at) = (row.started_at.into(), row.ended_at.into());
        Self {
            key: Key { rule_id: row.rule_id, group: row.group_key },
            started_at,
            ended_at,
            measured: row.measured,
            reach: (started_at, ended_at),
        }
    }
}

/// What holds around what is not evaluated yet.
pub(super) fn episodes(
    connection: &mut PgConnection,
    source: SourceId,
    rules: &Rules<'_>,
) -> Result<Vec<Episode>, StoreError> {
    let rows = diesel::sql_query(
        "select rule_id, group_key, started_at, ended_at, measured
         from alert_episodes
         where source_id = $1
           and ($2 is null or rule_id = any ($2))
           and rule_id <> all ($3)
         order by rule_id, group_key, started_at",
    )
    .bind::<BigInt, _>(source.0)
    .bind::<Nullable<Array<BigInt>>, _>(rules.only)
    .bind::<Array<BigInt>, _>(rules.except)
    .load::<Row>(connection)?;
    Ok(rows.into_iter().map(Episode::from).collect())
}

/// Brings the table `alerts` to what the episodes say.
///
/// Three statements, because the exclusion constraint is checked row by row: a grown episode
/// must first absorb the rows that it covers now, and only then grow.
pub(super) fn record(
    connection: &mut PgConnection,
    source: SourceId,
    episodes: &[Episode],
    tick: Tick,
) -> Result<(), StoreError> {
    fn column<T>(episodes: &[Episode], value: impl Fn(&Episode) -> T) -> Vec<T> {
        episodes.iter().map(value).collect()
    }
    if episodes.is_empty() {
        return Ok(());
    }
    for statement in
        [include_str!("absorb.sql"), include_str!("grow.sql"), include_str!("insert.sql")]
    {
        diesel::sql_query(statement)
            .bind::<BigInt, _>(source.0)
            .bind::<Timestamptz, _>(tick.0)
            .bind::<Array<BigInt>, _>(column(episodes, |episode| episode.key.rule_id))
            .bind::<Array<Text>, _>(column(episodes, |episode| episode.key.group.clone()))
            .bind::<Array<Timestamptz>, _>(column(episodes, |episode| episode.started_at.to_utc()))
            .bind::<Array<Nullable<Timestamptz>>, _>(column(episodes, |one| end(one.ended_at)))
            .bind::<Array<Double>, _>(column(episodes, |episode| episode.measured))
            .bind::<Array<Timestamptz>, _>(column(episodes, |episode| episode.reach.0.to_utc()))
            .bind::<Array<Nullable<Timestamptz>>, _>(column(episodes, |one| end(one.reach.1)))
            .execute(connection)?;
    }
    Ok(())
}

/// An end as the database takes it; `None` for ever.
pub(super) fn end(time: EventTime) -> Option<DateTime<Utc>> {
    (time < FOREVER).then(|| time.to_utc())
}
