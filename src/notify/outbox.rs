//! Notifications that are due: claimed, delivered, noted.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::{Array, BigInt, Bool, Double, Integer, Nullable, Text, Timestamptz};

use super::{STDOUT, message};
use crate::model::Tick;
use crate::store::StoreError;
use crate::store::transaction::{Patience, load_alone, transaction};

/// Why notifications were not delivered. They stay in the outbox.
#[derive(Debug, thiserror::Error)]
pub enum NotifyError {
    /// Standard output takes nothing.
    #[error("cannot write alerts to standard output: {0}; they will be printed by the next run")]
    Stdout(io::Error),
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// A notification with what its message says.
#[derive(Clone, Debug, QueryableByName)]
pub(super) struct Due {
    #[diesel(sql_type = BigInt)]
    pub(super) id: i64,
    #[diesel(sql_type = BigInt)]
    pub(super) alert_id: i64,
    #[diesel(sql_type = Text)]
    pub(super) kind: String,
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
    #[diesel(sql_type = Text)]
    pub(super) source: String,
    #[diesel(sql_type = Text)]
    pub(super) path: String,
    #[diesel(sql_type = Text)]
    pub(super) timezone: String,
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

/// Prints the notifications of this host that are due, one line each, and notes them as
/// delivered. Returns how many.
///
/// Two runs at once print each notification once: a run passes over what the other has claimed.
///
/// # Errors
/// When a line cannot be written; everything is due again then.
pub fn deliver_to_stdout(
    connection: &mut PgConnection,
    host: &str,
    tick: Tick,
    stdout: &mut dyn Write,
) -> Result<usize, NotifyError> {
    let mut unwritten = None;
    let delivered = transaction(connection, Patience::Short, |connection| {
        let due = claim(connection, host, tick)?;
        if let Err(error) = print(&due, stdout) {
            unwritten = Some(error);
            return Err(DieselError::RollbackTransaction.into());
        }
        note_delivered(connection, &due, tick)?;
        Ok(due.len())
    });
    match unwritten {
        Some(error) => Err(NotifyError::Stdout(error)),
        None => Ok(delivered?),
    }
}

fn print(notifications: &[Due], stdout: &mut dyn Write) -> io::Result<()> {
    for notification in notifications {
        writeln!(stdout, "{}", message::line(notification))?;
    }
    stdout.flush()
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

fn claim(connection: &mut PgConnection, host: &str, tick: Tick) -> QueryResult<Vec<Due>> {
    diesel::sql_query(include_str!("due.sql"))
        .bind::<Text, _>(host)
        .bind::<Text, _>(STDOUT)
        .bind::<Timestamptz, _>(tick.0)
        .load(connection)
}

fn note_delivered(
    connection: &mut PgConnection,
    notifications: &[Due],
    tick: Tick,
) -> QueryResult<()> {
    let ids: Vec<i64> = notifications.iter().map(|notification| notification.id).collect();
    diesel::sql_query(
        "update notifications set delivered_at = $2, attempts = attempts + 1 where id = any ($1)",
    )
    .bind::<Array<BigInt>, _>(ids)
    .bind::<Timestamptz, _>(tick.0)
    .execute(connection)?;
    Ok(())
}
