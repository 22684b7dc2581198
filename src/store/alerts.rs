//! What people do with alerts by hand.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Nullable, Text, Timestamptz};

use super::transaction::{Patience, transaction};
use super::{StoreError, storms};

/// What somebody does with an alert.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handling {
    /// Takes it on.
    Ack,
    /// Takes that back.
    Unack,
    /// Writes something down.
    Note,
    /// Closes it.
    Resolve,
}

impl Handling {
    /// The name of the decision.
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ack => "acked",
            Self::Unack => "unacked",
            Self::Note => "note",
            Self::Resolve => "closed",
        }
    }
}

/// What came of it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Handled {
    /// It is done.
    Done,
    /// There is no alert of that number.
    Unknown,
    /// It is over, or another one has absorbed it.
    Over,
    /// It is so already, or was never so.
    Already,
}

/// What the config says of the channels that are told what somebody has done.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Listeners<'a> {
    /// Those that are not told that an alert is over.
    pub not_of_ends: Vec<&'a str>,
    /// Those that can show that somebody has taken an alert on.
    pub of_acks: Vec<&'a str>,
    /// Those that show a storm until they are told that it is over.
    pub of_ends_of_storms: Vec<&'a str>,
    /// Those that deliver later than now, by their hours or digests, with when.
    pub later: Vec<(&'a str, DateTime<Utc>)>,
}

impl<'a> Listeners<'a> {
    /// Those that deliver later, and when, side by side.
    pub(super) fn later(&self) -> (Vec<&'a str>, Vec<DateTime<Utc>>) {
        self.later.iter().copied().unzip()
    }
}

#[derive(QueryableByName)]
struct Found {
    #[diesel(sql_type = BigInt)]
    source_id: i64,
    #[diesel(sql_type = Bool)]
    is_open: bool,
    #[diesel(sql_type = Bool)]
    is_acked: bool,
}

/// Does something with the alert of a number, notes it in its history, and writes messages for
/// those who are to know.
pub fn handle(
    connection: &mut PgConnection,
    id: i64,
    handling: Handling,
    note: Option<&str>,
    author: &str,
    listeners: &Listeners<'_>,
    now: DateTime<Utc>,
) -> Result<Handled, StoreError> {
    transaction(connection, Patience::Short, |connection| {
        let found = diesel::sql_query(
            "select source_id, acked_at is not null as is_acked,
                    resolved_at is null and merged_into is null and retracted_at is null as is_open
             from alerts where id = $1 for update",
        )
        .bind::<BigInt, _>(id)
        .get_result::<Found>(connection)
        .optional()?;
        let Some(found) = found else { return Ok(Handled::Unknown) };
        match handling {
            Handling::Note => {}
            _ if !found.is_open => return Ok(Handled::Over),
            Handling::Ack if found.is_acked => return Ok(Handled::Already),
            Handling::Unack if !found.is_acked => return Ok(Handled::Already),
            _ => {}
        }
        let change = match handling {
            Handling::Ack => "acked_at = $3, acked_by = $4",
            // A reminder may be due.
            Handling::Unack => "acked_at = null, acked_by = null, look_at = $3",
            Handling::Note => "look_at = look_at",
            Handling::Resolve => "resolved_at = $3, closed_at = $3",
        };
        diesel::sql_query(format!(
            "with handled as (
                 update alerts set {change} where source_id = $1 and id = $2
                 returning source_id, id
             )
             insert into alert_events (source_id, alert_id, at, decision, reason, author)
             select source_id, id, $3, $5, $6, $4 from handled"
        ))
        .bind::<BigInt, _>(found.source_id)
        .bind::<BigInt, _>(id)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(author)
        .bind::<Text, _>(handling.as_str())
        .bind::<Nullable<Text>, _>(note)
        .execute(connection)?;
        match handling {
            Handling::Ack => {
                tell(connection, &found, id, "acknowledged", listeners, now)?;
            }
            Handling::Resolve => {
                tell(connection, &found, id, "resolved", listeners, now)?;
                storms::end(connection, listeners, now)?;
            }
            Handling::Unack | Handling::Note => {}
        }
        Ok(Handled::Done)
    })
}

/// Whoever was told that it fires, and wants to know this of it, is told.
fn tell(
    connection: &mut PgConnection,
    found: &Found,
    id: i64,
    kind: &str,
    listeners: &Listeners<'_>,
    now: DateTime<Utc>,
) -> Result<(), StoreError> {
    // Those who are told, or those who are not.
    let (are_told, channels) = match kind {
        "acknowledged" => (true, &listeners.of_acks),
        _ => (false, &listeners.not_of_ends),
    };
    let (later, times) = listeners.later();
    diesel::sql_query(
        "insert into notifications
             (source_id, alert_id, host, channel, kind, number, created_at, next_attempt_at, why)
         select distinct alert.source_id, alert.id, told.host, told.channel, $7, alert.number, $3,
                coalesce(later.not_before, $3), 'it was told when the alert fired'
         from alerts alert
         join notifications told on told.source_id = alert.source_id and told.alert_id = alert.id
         left join unnest($5, $6) later (channel, not_before) on later.channel = told.channel
         where alert.source_id = $1 and alert.id = $2 and alert.told_at is not null
           and told.kind = 'fired' and told.number = alert.number
           and (told.channel = any ($4)) = $8
         on conflict on constraint one_message_per_change do nothing",
    )
    .bind::<BigInt, _>(found.source_id)
    .bind::<BigInt, _>(id)
    .bind::<Timestamptz, _>(now)
    .bind::<Array<Text>, _>(channels)
    .bind::<Array<Text>, _>(later)
    .bind::<Array<Timestamptz>, _>(times)
    .bind::<Text, _>(kind)
    .bind::<Bool, _>(are_told)
    .execute(connection)?;
    Ok(())
}
