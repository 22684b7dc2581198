//! Asks the views what holds in slices of sources, and records it.

use std::collections::{BTreeMap, BTreeSet};

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable, Text, Timestamptz};

use super::interval::{Episode, FOREVER, Key};
use super::kept::{self, Waiting};
use super::slice::{Slice, ids};
use crate::model::{EventTime, SourceId, Tick};
use crate::store::StoreError;

/// Which rules are evaluated.
#[derive(Clone, Copy, Debug)]
pub(super) struct Rules<'a> {
    /// These; `None`: all.
    pub(super) only: Option<&'a [i64]>,
    /// But not these.
    pub(super) except: &'a [i64],
}

impl Rules<'_> {
    pub(super) const ALL: Self = Self { only: None, except: &[] };
}

/// Sources and rules: all of these rules are asked about all of these sources, though some of them
/// may have nothing to say of some.
#[derive(Clone, Debug, Default)]
pub(super) struct Concerned {
    sources: BTreeSet<SourceId>,
    rules: BTreeSet<i64>,
}

impl Concerned {
    /// One rule about one source.
    pub(super) fn one(source: SourceId, rule: i64) -> Self {
        Self { sources: [source].into(), rules: [rule].into() }
    }

    fn is_empty(&self) -> bool {
        self.sources.is_empty()
    }

    pub(super) fn extend(&mut self, other: &Self) {
        self.sources.extend(&other.sources);
        self.rules.extend(&other.rules);
    }

    /// The sources as the database knows them.
    pub(super) fn sources(&self) -> Vec<i64> {
        self.sources.iter().map(|source| source.0).collect()
    }

    /// The rules.
    pub(super) fn rules(&self) -> Vec<i64> {
        self.rules.iter().copied().collect()
    }
}

/// Asks the views about some rules and records what they say of the slices, which are all that
/// they see of these sources. Returns what has to wait until more is read.
pub(super) fn judge(
    connection: &mut PgConnection,
    slices: &[&Slice],
    rules: &Rules<'_>,
    tick: Tick,
) -> Result<Vec<Waiting>, StoreError> {
    let (mut by_kind, counted) = concerned(connection, slices, rules)?;
    if !counted.is_empty() {
        count_buckets(connection, &counted)?;
    }
    if let Some(thresholds) = by_kind.remove("threshold") {
        for (source, episodes) in episodes(connection, &thresholds)? {
            record(connection, source, &episodes, tick)?;
        }
    }
    kept::evaluate(connection, slices, by_kind, tick)
}

/// The rules for which there may be something new in slices, by the kind that says which views
/// are asked, and those whose buckets are counted.
///
/// Most new lines concern few rules. To find that out costs a look at the new lines; a view may
/// read much of what was before them, and its statement has to be planned.
fn concerned(
    connection: &mut PgConnection,
    slices: &[&Slice],
    rules: &Rules<'_>,
) -> Result<(BTreeMap<String, Concerned>, Concerned), StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        source_id: i64,
        #[diesel(sql_type = BigInt)]
        rule_id: i64,
        #[diesel(sql_type = Text)]
        kind: String,
        #[diesel(sql_type = Bool)]
        is_counted: bool,
    }
    let sources: Vec<SourceId> = slices.iter().map(|slice| slice.source).collect();
    let rows = diesel::sql_query(include_str!("concerned.sql"))
        .bind::<Array<BigInt>, _>(ids(&sources))
        .bind::<Nullable<Array<BigInt>>, _>(rules.only)
        .bind::<Array<BigInt>, _>(rules.except)
        .load::<Row>(connection)?;
    let mut by_kind: BTreeMap<String, Concerned> = BTreeMap::new();
    let mut counted = Concerned::default();
    for row in rows {
        let concerned = Concerned::one(SourceId(row.source_id), row.rule_id);
        if row.is_counted {
            counted.extend(&concerned);
        }
        by_kind.entry(row.kind).or_default().extend(&concerned);
    }
    Ok((by_kind, counted))
}

/// Counts new matches by bucket, so that no view has to look at them again.
fn count_buckets(connection: &mut PgConnection, counted: &Concerned) -> Result<(), StoreError> {
    for statement in [include_str!("forget_buckets.sql"), include_str!("count_buckets.sql")] {
        diesel::sql_query(statement)
            .bind::<Array<BigInt>, _>(counted.sources())
            .bind::<Array<BigInt>, _>(counted.rules())
            .execute(connection)?;
    }
    Ok(())
}

/// A stretch of time over which a rule holds, as the view `alert_episodes` gives it.
#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    source_id: i64,
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

/// What holds around what is not evaluated yet, by source.
pub(super) fn episodes(
    connection: &mut PgConnection,
    concerned: &Concerned,
) -> Result<BTreeMap<SourceId, Vec<Episode>>, StoreError> {
    let rows = diesel::sql_query(include_str!("episodes.sql"))
        .bind::<Array<BigInt>, _>(concerned.sources())
        .bind::<Array<BigInt>, _>(concerned.rules())
        .load::<Row>(connection)?;
    let mut episodes: BTreeMap<SourceId, Vec<Episode>> = BTreeMap::new();
    for row in rows {
        episodes.entry(SourceId(row.source_id)).or_default().push(row.into());
    }
    Ok(episodes)
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
