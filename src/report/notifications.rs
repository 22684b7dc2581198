//! The outbox: what people were told or not, and why.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Integer, Nullable, Text, Timestamptz};
use serde::Serialize;

use super::table::{Column, table, text};
use super::{shown, time};
use crate::store::StoreError;

/// A message about an alert to a channel.
#[derive(Clone, Debug, Serialize, QueryableByName)]
pub struct Notification {
    /// Its number.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// The alert that it is about.
    #[diesel(sql_type = BigInt)]
    pub alert_id: i64,
    /// Name of the alert's rule.
    #[diesel(sql_type = Text)]
    pub rule: String,
    /// info, warning or critical.
    #[diesel(sql_type = Text)]
    pub severity: String,
    /// fired, reminder, resolved, storm, acknowledged or `storm_over`.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// Which message of this kind about the alert it is.
    #[diesel(sql_type = Integer)]
    pub number: i32,
    /// Where it goes.
    #[diesel(sql_type = Text)]
    pub channel: String,
    /// The host that delivers it.
    #[diesel(sql_type = Text)]
    pub host: String,
    /// Why it goes there.
    #[diesel(sql_type = Text)]
    pub why: String,
    /// waiting, failing, delivered or given up.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// The tick at which it was written.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// How often it was tried.
    #[diesel(sql_type = Integer)]
    pub attempts: i32,
    /// Not before when it is tried next; absent when it is not.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub next_attempt_at: Option<DateTime<Utc>>,
    /// When it was delivered.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub delivered_at: Option<DateTime<Utc>>,
    /// When it was given up.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub given_up_at: Option<DateTime<Utc>>,
    /// Who gave it up; absent: the program.
    #[diesel(sql_type = Nullable<Text>)]
    pub given_up_by: Option<String>,
    /// Why the last attempt failed, or what the channel had to say besides.
    #[diesel(sql_type = Nullable<Text>)]
    pub last_error: Option<String>,
}

/// Which notifications.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'a> {
    /// Also those that were delivered.
    pub all: bool,
    /// For this channel; `None`: any.
    pub channel: Option<&'a str>,
    /// About this alert; `None`: any.
    pub alert: Option<i64>,
    /// The newest so many.
    pub limit: u32,
}

/// Notifications, the newest first.
pub fn list(
    connection: &mut PgConnection,
    wanted: &Wanted<'_>,
) -> Result<Vec<Notification>, StoreError> {
    Ok(diesel::sql_query(include_str!("notifications.sql"))
        .bind::<Bool, _>(wanted.all)
        .bind::<Nullable<Text>, _>(wanted.channel)
        .bind::<Nullable<BigInt>, _>(wanted.alert)
        .bind::<Nullable<BigInt>, _>(None::<i64>)
        .bind::<BigInt, _>(i64::from(wanted.limit))
        .load(connection)?)
}

/// One of them; `None` if there is none of that number.
pub fn show(connection: &mut PgConnection, id: i64) -> Result<Option<Notification>, StoreError> {
    Ok(diesel::sql_query(include_str!("notifications.sql"))
        .bind::<Bool, _>(true)
        .bind::<Nullable<Text>, _>(None::<&str>)
        .bind::<Nullable<BigInt>, _>(None::<i64>)
        .bind::<Nullable<BigInt>, _>(Some(id))
        .bind::<BigInt, _>(1)
        .get_result(connection)
        .optional()?)
}

/// Writes a list as a table.
///
/// # Errors
/// When the output takes nothing.
pub fn write_table(
    notifications: &[Notification],
    wanted: &Wanted<'_>,
    out: &mut dyn Write,
) -> io::Result<()> {
    if notifications.is_empty() {
        let hint = if wanted.all {
            "no notification so far"
        } else {
            "everything is delivered (all: tripline notifications --all)"
        };
        return writeln!(out, "{hint}");
    }
    let mut table = table(&[
        ("ID", Column::Number),
        ("STATE", Column::Word),
        ("KIND", Column::Word),
        ("ALERT", Column::Number),
        ("RULE", Column::Name),
        ("CHANNEL", Column::Name),
        ("WRITTEN", Column::Word),
        ("TRIED", Column::Number),
        ("LAST ERROR", Column::Name),
    ]);
    for one in notifications {
        table.add_row([
            one.id.to_string(),
            one.state.clone(),
            one.kind.clone(),
            one.alert_id.to_string(),
            shown(&one.rule),
            shown(&one.channel),
            time(one.created_at),
            one.attempts.to_string(),
            one.last_error.as_deref().map_or("-".to_owned(), shown),
        ]);
    }
    writeln!(out, "{}", text(&table))?;
    if u32::try_from(notifications.len()).is_ok_and(|shown| shown == wanted.limit) {
        writeln!(out, "the newest {}; more: --limit", wanted.limit)?;
    }
    Ok(())
}

/// Writes one of them for people.
///
/// # Errors
/// When the output takes nothing.
pub fn write_one(one: &Notification, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "notification {}: {}, {}", one.id, one.kind, one.state)?;
    writeln!(out, "alert      {}: {} {}", one.alert_id, one.severity, shown(&one.rule))?;
    writeln!(out, "channel    {}, because {}", shown(&one.channel), shown(&one.why))?;
    writeln!(out, "from       {}", shown(&one.host))?;
    writeln!(out, "written    {}", time(one.created_at))?;
    writeln!(out, "tried      {}", times(one.attempts))?;
    if let Some(delivered_at) = one.delivered_at {
        writeln!(out, "delivered  {}", time(delivered_at))?;
    }
    if let Some(given_up_at) = one.given_up_at {
        let author = one.given_up_by.as_deref().map(|name| format!(" by {}", shown(name)));
        writeln!(out, "given up   {}{}", time(given_up_at), author.unwrap_or_default())?;
    }
    if let Some(next_attempt_at) = one.next_attempt_at {
        writeln!(out, "next try   {} or later", time(next_attempt_at))?;
    }
    if let Some(error) = &one.last_error {
        let what = if one.delivered_at.is_some() { "remark" } else { "last error" };
        writeln!(out, "{what:<11}{}", shown(error))?;
    }
    Ok(())
}

fn times(attempts: i32) -> String {
    match attempts {
        0 => "not yet".to_owned(),
        1 => "once".to_owned(),
        2 => "twice".to_owned(),
        many => format!("{many} times"),
    }
}
