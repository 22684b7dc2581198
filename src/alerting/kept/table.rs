//! The table `hot_intervals`, and the alerts near what changes in it.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Double, Nullable, Text, Timestamptz};

use super::super::interval::{Cuts, FOREVER, Hot, Key, Stored};
use super::super::judge::end;
use crate::model::{EventTime, SourceId, Tick};
use crate::store::StoreError;

/// From when to when something has changed, by rule and group.
pub(super) type Touched = BTreeMap<Key, (EventTime, EventTime)>;

pub(super) fn kept_near(
    connection: &mut PgConnection,
    source: SourceId,
    near: &Touched,
) -> Result<BTreeMap<Key, Vec<Hot>>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        rule_id: i64,
        #[diesel(sql_type = Text)]
        group_key: String,
        #[diesel(sql_type = Timestamptz)]
        hot_from: DateTime<Utc>,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        hot_until: Option<DateTime<Utc>>,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        full_from: Option<DateTime<Utc>>,
        #[diesel(sql_type = Double)]
        measured: f64,
    }
    let rows = diesel::sql_query(include_str!("../kept_near.sql"))
        .bind::<BigInt, _>(source.0)
        .bind::<Array<BigInt>, _>(rules(near))
        .bind::<Array<Text>, _>(groups(near))
        .bind::<Array<Timestamptz>, _>(starts(near))
        .bind::<Array<Nullable<Timestamptz>>, _>(ends(near))
        .load::<Row>(connection)?;
    let mut kept: BTreeMap<Key, Vec<Hot>> = BTreeMap::new();
    for row in rows {
        let key = Key { rule_id: row.rule_id, group: row.group_key };
        kept.entry(key).or_default().push(Hot {
            from: row.hot_from.into(),
            until: until(row.hot_until),
            full_from: row.full_from.map(EventTime::from),
            measured: row.measured,
        });
    }
    Ok(kept)
}

pub(super) fn stored_near(
    connection: &mut PgConnection,
    source: SourceId,
    near: &Touched,
) -> Result<Vec<Stored>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = BigInt)]
        rule_id: i64,
        #[diesel(sql_type = Text)]
        group_key: String,
        #[diesel(sql_type = Timestamptz)]
        started_at: DateTime<Utc>,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        ended_at: Option<DateTime<Utc>>,
    }
    let rows = diesel::sql_query(include_str!("../stored_near.sql"))
        .bind::<BigInt, _>(source.0)
        .bind::<Array<BigInt>, _>(rules(near))
        .bind::<Array<Text>, _>(groups(near))
        .bind::<Array<Timestamptz>, _>(starts(near))
        .bind::<Array<Nullable<Timestamptz>>, _>(ends(near))
        .load::<Row>(connection)?;
    let stored = |row: Row| Stored {
        id: row.id,
        key: Key { rule_id: row.rule_id, group: row.group_key },
        started_at: row.started_at.into(),
        ended_at: until(row.ended_at),
    };
    Ok(rows.into_iter().map(stored).collect())
}

pub(super) fn forget(
    connection: &mut PgConnection,
    source: SourceId,
    forgotten: &[(Key, EventTime)],
) -> Result<(), StoreError> {
    if forgotten.is_empty() {
        return Ok(());
    }
    let rules: Vec<i64> = forgotten.iter().map(|(key, _)| key.rule_id).collect();
    let groups: Vec<&str> = forgotten.iter().map(|(key, _)| key.group.as_str()).collect();
    let starts: Vec<_> = forgotten.iter().map(|(_, from)| from.to_utc()).collect();
    diesel::sql_query(
        "delete from hot_intervals
         using unnest($2, $3, $4) as forgotten (rule_id, group_key, hot_from)
         where hot_intervals.source_id = $1
           and hot_intervals.rule_id = forgotten.rule_id
           and hot_intervals.group_key = forgotten.group_key
           and hot_intervals.hot_from = forgotten.hot_from",
    )
    .bind::<BigInt, _>(source.0)
    .bind::<Array<BigInt>, _>(rules)
    .bind::<Array<Text>, _>(groups)
    .bind::<Array<Timestamptz>, _>(starts)
    .execute(connection)?;
    Ok(())
}

pub(super) fn keep(
    connection: &mut PgConnection,
    source: SourceId,
    written: &[(Key, Hot)],
) -> Result<(), StoreError> {
    fn column<T>(written: &[(Key, Hot)], value: impl Fn(&Key, &Hot) -> T) -> Vec<T> {
        written.iter().map(|(key, hot)| value(key, hot)).collect()
    }
    if written.is_empty() {
        return Ok(());
    }
    diesel::sql_query(include_str!("../keep.sql"))
        .bind::<BigInt, _>(source.0)
        .bind::<Array<BigInt>, _>(column(written, |key, _| key.rule_id))
        .bind::<Array<Text>, _>(column(written, |key, _| key.group.clone()))
        .bind::<Array<Timestamptz>, _>(column(written, |_, hot| hot.from.to_utc()))
        .bind::<Array<Nullable<Timestamptz>>, _>(column(written, |_, hot| end(hot.until)))
        .bind::<Array<Nullable<Timestamptz>>, _>(column(written, |_, hot| {
            hot.full_from.map(EventTime::to_utc)
        }))
        .bind::<Array<Double>, _>(column(written, |_, hot| hot.measured))
        .execute(connection)?;
    Ok(())
}

pub(super) fn write_cuts(
    connection: &mut PgConnection,
    source: SourceId,
    cuts: &Cuts,
    tick: Tick,
) -> Result<(), StoreError> {
    if *cuts == Cuts::default() {
        return Ok(());
    }
    let shortened = &cuts.shortened;
    diesel::sql_query(include_str!("../cut.sql"))
        .bind::<BigInt, _>(source.0)
        .bind::<Timestamptz, _>(tick.0)
        .bind::<Array<BigInt>, _>(&cuts.retracted)
        .bind::<Array<BigInt>, _>(shortened.iter().map(|cut| cut.0).collect::<Vec<_>>())
        .bind::<Array<Timestamptz>, _>(
            shortened.iter().map(|cut| cut.1.to_utc()).collect::<Vec<_>>(),
        )
        .bind::<Array<Nullable<Timestamptz>>, _>(
            shortened.iter().map(|cut| end(cut.2)).collect::<Vec<_>>(),
        )
        .execute(connection)?;
    Ok(())
}

fn rules(near: &Touched) -> Vec<i64> {
    near.keys().map(|key| key.rule_id).collect()
}

fn groups(near: &Touched) -> Vec<&str> {
    near.keys().map(|key| key.group.as_str()).collect()
}

fn starts(near: &Touched) -> Vec<DateTime<Utc>> {
    near.values().map(|hull| hull.0.to_utc()).collect()
}

fn ends(near: &Touched) -> Vec<Option<DateTime<Utc>>> {
    near.values().map(|hull| end(hull.1)).collect()
}

pub(super) fn until(end: Option<DateTime<Utc>>) -> EventTime {
    end.map_or(FOREVER, EventTime::from)
}
