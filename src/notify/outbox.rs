//! The rows of the outbox: which are due, what they are about, how their delivery went.

use std::collections::HashMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Nullable, Text, Timestamptz};
use serde::Serialize;

use super::backoff;
use super::deliver::Delivery;
use super::failure::Failure;
use crate::model::Tick;
use crate::store::StoreError;
use crate::store::transaction::{execute_alone, load_alone};

/// A notification with what its message says.
#[derive(Clone, Debug, QueryableByName)]
pub(super) struct Due {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) alert_id: i64,
    #[diesel(sql_type = Text)]
    pub(super) kind: String,
    /// Whether the channel hears of the alert for the first time.
    #[diesel(sql_type = Bool)]
    pub(super) tells_beginning: bool,
    #[diesel(sql_type = Timestamptz)]
    pub(super) created_at: DateTime<Utc>,
    /// How often it was tried.
    #[diesel(sql_type = Integer)]
    pub(super) attempts: i32,
    #[diesel(sql_type = Text)]
    pub(super) rule: String,
    #[diesel(sql_type = Text)]
    pub(super) rule_kind: String,
    /// What the rule groups by besides the source.
    #[diesel(sql_type = Text)]
    pub(super) group: String,
    #[diesel(sql_type = Nullable<Double>)]
    pub(super) factor: Option<f64>,
    #[diesel(sql_type = BigInt)]
    pub(super) lookback_seconds: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) runbook: Option<String>,
    /// Whether it is about all sources together.
    #[diesel(sql_type = Bool)]
    pub(super) is_across: bool,
    /// Whether the complete data no longer give it.
    #[diesel(sql_type = Bool)]
    pub(super) is_withdrawn: bool,
    #[diesel(sql_type = Text)]
    pub(super) severity: String,
    /// Separated by commas.
    #[diesel(sql_type = Text)]
    pub(super) levels: String,
    #[diesel(sql_type = BigInt)]
    pub(super) within_seconds: i64,
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) summary: Option<String>,
    #[diesel(sql_type = BigInt)]
    pub(super) source_id: i64,
    #[diesel(sql_type = Text)]
    pub(super) source: String,
    #[diesel(sql_type = Text)]
    pub(super) path: String,
    #[diesel(sql_type = Text)]
    pub(super) timezone: String,
    /// When the source was first seen: another one on every database.
    #[diesel(sql_type = Timestamptz)]
    pub(super) first_seen_at: DateTime<Utc>,
    /// The host that delivers it.
    #[diesel(sql_type = Text)]
    pub(super) host: String,
    /// The host whose logs it is about; `None`: those of all hosts.
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) about_host: Option<String>,
    #[diesel(sql_type = Timestamptz)]
    pub(super) started_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub(super) ended_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Double)]
    pub(super) measured: f64,
    #[diesel(sql_type = Double)]
    pub(super) threshold: f64,
    #[diesel(sql_type = Integer)]
    pub(super) number: i32,
    /// How many alerts of a storm there are besides.
    #[diesel(sql_type = Integer)]
    pub(super) further: i32,
    /// First line of the entry with which the rule began to hold.
    #[diesel(sql_type = Nullable<Text>)]
    pub(super) sample: Option<String>,
}

/// An entry that an alert is about.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, QueryableByName)]
pub(super) struct Sample {
    #[diesel(sql_type = Timestamptz)]
    pub(super) logged_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    pub(super) level: String,
    #[diesel(sql_type = Text)]
    pub(super) message: String,
    #[diesel(sql_type = Text)]
    pub(super) path: String,
    #[diesel(sql_type = BigInt)]
    pub(super) byte_offset: i64,
    #[serde(skip)]
    #[diesel(sql_type = Text)]
    pub(super) timezone: String,
}

/// Whether there is anything to deliver, which costs less to find out than what it is.
pub fn is_any_due(
    connection: &mut PgConnection,
    host: &str,
    tick: Tick,
) -> Result<bool, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        is_due: bool,
    }
    let query = diesel::sql_query(
        "select exists (
             select from notifications
             where host = $1 and (next_attempt_at <= $2 or created_at > $2)
               and delivered_at is null and given_up_at is null
         ) as is_due",
    )
    .bind::<Text, _>(host)
    .bind::<Timestamptz, _>(tick.0);
    let rows: Vec<Row> = load_alone(connection, query)?;
    Ok(rows.iter().any(|row| row.is_due))
}

/// The channels that have something to deliver.
pub(super) fn due_channels(
    connection: &mut PgConnection,
    host: &str,
    tick: Tick,
) -> Result<Vec<String>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        channel: String,
    }
    let query = diesel::sql_query(
        "select distinct channel from notifications
         where host = $1 and (next_attempt_at <= $2 or created_at > $2)
           and delivered_at is null and given_up_at is null
         order by channel",
    )
    .bind::<Text, _>(host)
    .bind::<Timestamptz, _>(tick.0);
    let rows: Vec<Row> = load_alone(connection, query)?;
    Ok(rows.into_iter().map(|row| row.channel).collect())
}

/// Notes everything that is due as delivered without telling anybody: a replay does not wake
/// people.
///
/// # Errors
/// When the database fails.
pub fn pretend(connection: &mut PgConnection, host: &str, tick: Tick) -> Result<(), StoreError> {
    let statement = diesel::sql_query(
        "update notifications set delivered_at = $2, attempts = attempts + 1
         where host = $1 and (next_attempt_at <= $2 or created_at > $2)
           and delivered_at is null and given_up_at is null",
    )
    .bind::<Text, _>(host)
    .bind::<Timestamptz, _>(tick.0);
    execute_alone(connection, statement)?;
    Ok(())
}

/// Claims up to `most` notifications for this transaction; what another run has claimed is
/// passed over.
pub(super) fn claim(
    connection: &mut PgConnection,
    host: &str,
    channel: &str,
    tick: Tick,
    most: i64,
) -> QueryResult<Vec<Due>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let claimed: Vec<Row> = diesel::sql_query(include_str!("claim.sql"))
        .bind::<Text, _>(host)
        .bind::<Text, _>(channel)
        .bind::<Timestamptz, _>(tick.0)
        .bind::<BigInt, _>(most)
        .load(connection)?;
    if claimed.is_empty() {
        return Ok(Vec::new());
    }
    due(connection, claimed.into_iter().map(|row| row.id).collect())
}

/// Notifications with what their messages say.
pub(super) fn due(connection: &mut PgConnection, ids: Vec<i64>) -> QueryResult<Vec<Due>> {
    diesel::sql_query(include_str!("due.sql")).bind::<Array<BigInt>, _>(ids).load(connection)
}

/// Up to `most` entries that an alert is about, the newest first.
pub(super) fn samples(
    connection: &mut PgConnection,
    due: &Due,
    most: i64,
) -> QueryResult<Vec<Sample>> {
    diesel::sql_query(include_str!("samples.sql"))
        .bind::<BigInt, _>(due.source_id)
        .bind::<BigInt, _>(due.alert_id)
        .bind::<BigInt, _>(most)
        .load(connection)
}

/// The same for many alerts of one source, by their numbers; those without entries are not there.
pub(super) fn samples_of_many(
    connection: &mut PgConnection,
    source_id: i64,
    alerts: &[i64],
    most: i64,
) -> QueryResult<HashMap<i64, Vec<Sample>>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        alert_id: i64,
        #[diesel(embed)]
        sample: Sample,
    }
    let rows: Vec<Row> = diesel::sql_query(include_str!("samples_of_many.sql"))
        .bind::<BigInt, _>(source_id)
        .bind::<Array<BigInt>, _>(alerts)
        .bind::<BigInt, _>(most)
        .load(connection)?;
    let mut samples: HashMap<i64, Vec<Sample>> = HashMap::new();
    for Row { alert_id, sample } in rows {
        samples.entry(alert_id).or_default().push(sample);
    }
    Ok(samples)
}

/// The alerts of which a channel is to be told next that they fire, by source and number, up to
/// `most`.
pub(super) fn told_next(
    connection: &mut PgConnection,
    delivery: &Delivery<'_>,
    channel: &str,
    most: i64,
) -> QueryResult<Vec<(i64, i64)>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        source_id: i64,
        #[diesel(sql_type = BigInt)]
        alert_id: i64,
    }
    let rows: Vec<Row> = diesel::sql_query(
        "select source_id, alert_id
         from notifications
         where host = $1 and channel = $2 and delivered_at is null and given_up_at is null
           and kind = 'fired' and next_attempt_at <= $3
         order by id
         limit $4",
    )
    .bind::<Text, _>(delivery.host)
    .bind::<Text, _>(channel)
    .bind::<Timestamptz, _>(delivery.tick.0)
    .bind::<BigInt, _>(most)
    .load(connection)?;
    Ok(rows.into_iter().map(|row| (row.source_id, row.alert_id)).collect())
}

/// Notes that notifications were delivered, with what the other side had to say besides.
pub(super) fn note_delivered(
    connection: &mut PgConnection,
    delivered: &[Due],
    tick: Tick,
    remark: Option<&str>,
) -> QueryResult<()> {
    let ids: Vec<i64> = delivered.iter().map(|due| due.id).collect();
    diesel::sql_query(
        "update notifications set delivered_at = $2, attempts = attempts + 1, last_error = $3
         where id = any ($1)",
    )
    .bind::<Array<BigInt>, _>(ids)
    .bind::<Timestamptz, _>(tick.0)
    .bind::<Nullable<Text>, _>(remark)
    .execute(connection)?;
    Ok(())
}

/// Notes that notifications could not be delivered: they are tried again later, or given up
/// where they are older than `give_up_after`. Returns how many were given up.
pub(super) fn note_failed(
    connection: &mut PgConnection,
    failed: &[Due],
    failure: &Failure,
    tick: Tick,
    give_up_after: TimeDelta,
) -> QueryResult<usize> {
    let is_too_old = |due: &&Due| tick.0 - due.created_at >= give_up_after;
    let next =
        |due: &Due| backoff::next_attempt(due.id, due.attempts + 1, tick.0, failure.retry_after);
    let ids: Vec<i64> = failed.iter().map(|due| due.id).collect();
    let next: Vec<DateTime<Utc>> = failed.iter().map(next).collect();
    let given_up: Vec<bool> = failed.iter().map(|due| is_too_old(&due)).collect();
    diesel::sql_query(
        "update notifications notification
         set attempts = attempts + 1, last_error = $2, next_attempt_at = failed.next_attempt_at,
             given_up_at = case when failed.is_given_up then $3 end
         from unnest($1, $4, $5) failed (id, next_attempt_at, is_given_up)
         where notification.id = failed.id",
    )
    .bind::<Array<BigInt>, _>(ids)
    .bind::<Text, _>(&failure.reason)
    .bind::<Timestamptz, _>(tick.0)
    .bind::<Array<Timestamptz>, _>(next)
    .bind::<Array<Bool>, _>(given_up)
    .execute(connection)?;
    Ok(failed.iter().filter(is_too_old).count())
}
