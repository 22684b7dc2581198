//! What a rule looks at: its views, and how many entries match at a time.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Nullable, Text, Timestamptz};

use super::trial::{copy, trial};
use super::{kept, own_view};
use crate::config::{RuleConfig, RuleKind, Window};
use crate::model::Tick;
use crate::store::StoreError;

/// What the database says of a rule.
#[derive(Clone, Debug, PartialEq)]
pub struct Explanation {
    /// Its number, if a run has seen it.
    pub id: Option<i64>,
    /// How much matches in each window, in the order of the windows.
    pub found: Vec<Vec<Found>>,
    /// The views that say when it holds.
    pub views: Vec<View>,
}

/// How much matches in a window, of one source.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct Found {
    /// The number under which it is judged: its own, or that of the one that stands for all.
    #[diesel(sql_type = BigInt)]
    pub judged_as: i64,
    /// Its name; `*`: all sources together.
    #[diesel(sql_type = Text)]
    pub source: String,
    /// The host that reads it.
    #[diesel(sql_type = Text)]
    pub host: String,
    /// Where it is on that host.
    #[diesel(sql_type = Text)]
    pub path: String,
    /// Which of the rule's patterns matches, from 1.
    #[diesel(sql_type = BigInt)]
    pub step: i64,
    /// How many entries, or lines.
    #[diesel(sql_type = BigInt)]
    pub matching: i64,
    /// Of how many, where that matters.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub of: Option<i64>,
}

/// A view.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub struct View {
    /// Its name.
    #[diesel(sql_type = Text)]
    pub name: String,
    /// The query that it is; `None`: it is a table, or not there.
    #[diesel(sql_type = Nullable<Text>)]
    pub definition: Option<String>,
}

/// Asks about a rule of a host (`*`: of all) and its windows. The rule need not be in use.
pub fn explain(
    connection: &mut PgConnection,
    host: &str,
    rule: &RuleConfig,
    windows: &[Window],
    tick: Tick,
) -> Result<Explanation, StoreError> {
    trial(connection, |connection| {
        let id = number(connection, host, &rule.name)?;
        let views = views(connection, rule)?;
        let copied = copy(connection, host, 1, rule, tick)?;
        let found = windows.iter().map(|window| found(connection, copied, rule, window));
        Ok(Explanation { id, found: found.collect::<Result<_, _>>()?, views })
    })
}

fn number(
    connection: &mut PgConnection,
    host: &str,
    name: &str,
) -> Result<Option<i64>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let row = diesel::sql_query(
        "select id from alert_rules where host = $1 and name = $2 and retired_at is null",
    )
    .bind::<Text, _>(host)
    .bind::<Text, _>(name)
    .get_result::<Row>(connection)
    .optional()?;
    Ok(row.map(|row| row.id))
}

fn found(
    connection: &mut PgConnection,
    rule_id: i64,
    rule: &RuleConfig,
    window: &Window,
) -> Result<Vec<Found>, StoreError> {
    // What is counted is what the view of the kind counts.
    let statement = match rule.kind {
        RuleKind::Absence => include_str!("found_signs_of_life.sql"),
        RuleKind::Blind if !window.is_bucket => include_str!("found_signs_of_life.sql"),
        RuleKind::Ratio | RuleKind::Spike | RuleKind::Baseline | RuleKind::Blind => {
            include_str!("found_counts.sql")
        }
        _ => include_str!("found_entries.sql"),
    };
    let (from, to): (DateTime<Utc>, DateTime<Utc>) = (window.from.to_utc(), window.to.to_utc());
    Ok(diesel::sql_query(statement)
        .bind::<BigInt, _>(rule_id)
        .bind::<Timestamptz, _>(from)
        .bind::<Timestamptz, _>(to)
        .bind::<Bool, _>(window.is_bucket)
        .load(connection)?)
}

/// The views that say when a rule holds, with their definitions.
fn views(connection: &mut PgConnection, rule: &RuleConfig) -> Result<Vec<View>, StoreError> {
    let names = match &rule.view {
        Some(view) => vec![view.as_str()],
        None => kept::names_of_views(rule).unwrap_or_else(|| vec!["threshold_hot"]),
    };
    let view = |name: &str| {
        let definition = diesel::sql_query(
            "select $1 as name,
                    (select pg_get_viewdef(oid, true) from pg_class
                     where oid = to_regclass($2) and relkind in ('v', 'm')) as definition",
        );
        Ok(definition
            .bind::<Text, _>(name)
            .bind::<Nullable<Text>, _>(own_view::possible_name(name))
            .get_result::<View>(connection)?)
    };
    names.into_iter().map(view).collect()
}
