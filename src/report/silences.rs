//! Lists of silences.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};
use serde::Serialize;

use super::table::{Column, table, text};
use super::{shown, time};
use crate::model::Tick;
use crate::store::StoreError;

/// A silence in a list.
#[derive(Clone, Debug, Serialize, QueryableByName)]
pub struct Silence {
    /// Its number.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// Name of the rule that it mutes; absent: any.
    #[diesel(sql_type = Nullable<Text>)]
    pub rule: Option<String>,
    /// The group, or the name or path of the source; absent: any.
    #[diesel(sql_type = Nullable<Text>)]
    pub group: Option<String>,
    /// The severity; absent: any.
    #[diesel(sql_type = Nullable<Text>)]
    pub severity: Option<String>,
    /// When it begins.
    #[diesel(sql_type = Timestamptz)]
    pub starts_at: DateTime<Utc>,
    /// When it ends; absent: when somebody ends it.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub ends_at: Option<DateTime<Utc>>,
    /// The hours in which it holds; absent: all.
    #[diesel(sql_type = Nullable<Text>)]
    pub weekly: Option<String>,
    /// Whether it is over.
    #[diesel(sql_type = Bool)]
    pub is_over: bool,
    /// Who wanted it.
    #[diesel(sql_type = Text)]
    pub author: String,
    /// Why.
    #[diesel(sql_type = Text)]
    pub reason: String,
}

/// Silences that are not over, or all.
pub fn list(
    connection: &mut PgConnection,
    all: bool,
    tick: Tick,
) -> Result<Vec<Silence>, StoreError> {
    Ok(diesel::sql_query(
        "select id, rule, group_key as \"group\", severity, starts_at,
                least(ended_at, ends_at) as ends_at, weekly,
                coalesce(least(ended_at, ends_at) <= $2, false) as is_over, author, reason
         from silences
         where $1 or coalesce(least(ended_at, ends_at) > $2, true)
         order by id",
    )
    .bind::<Bool, _>(all)
    .bind::<Timestamptz, _>(tick.0)
    .load(connection)?)
}

/// Whether any host has a rule of that name.
pub fn is_rule_known(connection: &mut PgConnection, name: &str) -> Result<bool, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        is_known: bool,
    }
    let row = diesel::sql_query(
        "select exists (select from alert_rules where name = $1 and retired_at is null) as is_known",
    )
    .bind::<Text, _>(name)
    .get_result::<Row>(connection)?;
    Ok(row.is_known)
}

/// Writes a list as a table.
///
/// # Errors
/// When the output takes nothing.
pub fn write_table(silences: &[Silence], all: bool, out: &mut dyn Write) -> io::Result<()> {
    if silences.is_empty() {
        let hint = if all { "no silence so far" } else { "no silence (all: --all)" };
        return writeln!(out, "{hint}");
    }
    let mut table = table(&[
        ("SILENCE", Column::Number),
        ("RULE", Column::Name),
        ("GROUP", Column::Name),
        ("SEVERITY", Column::Word),
        ("FROM", Column::Word),
        ("UNTIL", Column::Word),
        ("HOURS", Column::Name),
        ("BY", Column::Name),
        ("REASON", Column::Name),
    ]);
    for silence in silences {
        let any = |text: &Option<String>| text.as_deref().map_or("any".to_owned(), shown);
        table.add_row([
            silence.id.to_string(),
            any(&silence.rule),
            any(&silence.group),
            any(&silence.severity),
            time(silence.starts_at),
            silence.ends_at.map_or("-".to_owned(), time),
            any(&silence.weekly),
            shown(&silence.author),
            shown(&silence.reason),
        ]);
    }
    writeln!(out, "{}", text(&table))
}
