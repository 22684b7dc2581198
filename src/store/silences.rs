//! Silences: rows that people write.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};

use super::StoreError;
use super::transaction::{Patience, transaction};
use crate::model::{Silence, Tick};

/// A silence that somebody wants.
#[derive(Clone, Debug)]
pub struct NewSilence<'a> {
    /// As in [`Silence`].
    pub rule: Option<&'a str>,
    /// As in [`Silence`].
    pub group: Option<&'a str>,
    /// As in [`Silence`].
    pub severity: Option<&'a str>,
    /// As in [`Silence`].
    pub starts_at: DateTime<Utc>,
    /// As in [`Silence`].
    pub ends_at: Option<DateTime<Utc>>,
    /// As in [`Silence`], as people write it.
    pub weekly: Option<String>,
    /// Who wants it.
    pub author: &'a str,
    /// Why.
    pub reason: &'a str,
}

/// The silences that have begun and are not over; within their hours or not.
///
/// Until the end of the transaction nobody can end one: whoever does that notices which alerts
/// it has held back, and must not miss one that is just being held back by it.
pub fn in_force(connection: &mut PgConnection, tick: Tick) -> Result<Vec<Silence>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = Nullable<Text>)]
        rule: Option<String>,
        #[diesel(sql_type = Nullable<Text>)]
        group_key: Option<String>,
        #[diesel(sql_type = Nullable<Text>)]
        severity: Option<String>,
        #[diesel(sql_type = Timestamptz)]
        starts_at: DateTime<Utc>,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        ends_at: Option<DateTime<Utc>>,
        #[diesel(sql_type = Nullable<Text>)]
        weekly: Option<String>,
    }
    let rows = diesel::sql_query(
        "select id, rule, group_key, severity, starts_at, ends_at, weekly
         from silences
         where ended_at is null and starts_at <= $1 and (ends_at is null or ends_at > $1)
         order by id
         for share",
    )
    .bind::<Timestamptz, _>(tick.0)
    .load::<Row>(connection)?;
    let silence = |row: Row| {
        // One with hours that nobody can read mutes nothing: better one message too many.
        let weekly = row.weekly.map(|hours| hours.parse().ok());
        (weekly != Some(None)).then_some(Silence {
            id: row.id,
            rule: row.rule,
            group: row.group_key,
            severity: row.severity,
            starts_at: row.starts_at,
            ends_at: row.ends_at,
            weekly: weekly.flatten(),
        })
    };
    Ok(rows.into_iter().filter_map(silence).collect())
}

/// Writes a silence. Returns its number.
pub fn add(
    connection: &mut PgConnection,
    silence: &NewSilence<'_>,
    now: DateTime<Utc>,
) -> Result<i64, StoreError> {
    #[derive(QueryableByName)]
    struct Added {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    transaction(connection, Patience::Short, |connection| {
        let added = diesel::sql_query(
            "insert into silences
                 (rule, group_key, severity, starts_at, ends_at, weekly, author, reason, created_at)
             values ($1, $2, $3, $4, $5, $6, $7, $8, $9)
             returning id",
        )
        .bind::<Nullable<Text>, _>(silence.rule)
        .bind::<Nullable<Text>, _>(silence.group)
        .bind::<Nullable<Text>, _>(silence.severity)
        .bind::<Timestamptz, _>(silence.starts_at)
        .bind::<Nullable<Timestamptz>, _>(silence.ends_at)
        .bind::<Nullable<Text>, _>(&silence.weekly)
        .bind::<Text, _>(silence.author)
        .bind::<Text, _>(silence.reason)
        .bind::<Timestamptz, _>(now)
        .get_result::<Added>(connection)?;
        Ok(added.id)
    })
}

/// Ends a silence before its time; `false` if there is none of that number that could be ended.
///
/// The next run looks at every alert that it may have held back. One that is just deciding
/// about alerts has locked the silence: this waits for it, and then sees what it has held back.
/// One that decides later waits for this, and finds the silence ended.
pub fn end(
    connection: &mut PgConnection,
    id: i64,
    author: &str,
    now: DateTime<Utc>,
) -> Result<bool, StoreError> {
    transaction(connection, Patience::Short, |connection| {
        let ended = diesel::sql_query(
            "update silences set ended_at = $2, ended_by = $3
             where id = $1 and ended_at is null and (ends_at is null or ends_at > $2)",
        )
        .bind::<BigInt, _>(id)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(author)
        .execute(connection)?;
        diesel::sql_query(
            "update alerts set look_at = $1
             where held_back = 'silenced'
               and resolved_at is null and merged_into is null and retracted_at is null",
        )
        .bind::<Timestamptz, _>(now)
        .execute(connection)?;
        Ok(ended > 0)
    })
}
