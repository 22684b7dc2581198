//! The rules of the config as rows of `alert_rules`, which the views join.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::{Array, BigInt, Jsonb, Text, Timestamptz};
use serde::{Deserialize, Serialize};

use super::literal::{likeness, required_literal};
use crate::config::RuleConfig;
use crate::model::Tick;
use crate::store::transaction::{Patience, load_alone, transaction};
use crate::store::{StoreError, pattern};

/// Why the rules of a config cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum RuleError {
    /// PostgreSQL cannot read a pattern.
    #[error("rule {rule:?}: pattern {pattern:?} is no regular expression of PostgreSQL: {message}")]
    Pattern {
        /// The rule.
        rule: String,
        /// Its pattern.
        pattern: String,
        /// What PostgreSQL says of it.
        message: String,
    },
    /// The database failed.
    #[error(transparent)]
    Store(#[from] StoreError),
}

impl From<DieselError> for RuleError {
    fn from(error: DieselError) -> Self {
        Self::Store(error.into())
    }
}

/// A rule as its row says it; lengths of time in seconds.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
pub(super) struct RuleRow {
    name: String,
    kind: String,
    levels: Vec<String>,
    pattern: Option<String>,
    exclude: Vec<String>,
    match_entry: bool,
    sources: Option<Vec<String>>,
    count: u32,
    within: i64,
    percent: Option<f64>,
    at_least: Option<u32>,
    factor: Option<f64>,
    floor: Option<f64>,
    lookback: Option<i64>,
    clear_below: Option<u32>,
    steps: Vec<String>,
    value: Option<String>,
    stale_after: Option<i64>,
    view: Option<String>,
    group_by: Vec<String>,
    severity: String,
    holds_for: i64,
    keep_firing: i64,
    active: Option<String>,
    remind_every: Option<i64>,
    summary: Option<String>,
    runbook: Option<String>,
}

impl From<&RuleConfig> for RuleRow {
    fn from(rule: &RuleConfig) -> Self {
        let hours: Vec<String> = rule.active.iter().map(ToString::to_string).collect();
        Self {
            name: rule.name.clone(),
            kind: rule.kind.as_str().to_owned(),
            levels: rule.levels.iter().map(|level| level.as_str().to_owned()).collect(),
            pattern: rule.pattern.clone(),
            exclude: rule.exclude.clone(),
            match_entry: rule.match_entry,
            sources: rule.sources.clone(),
            count: rule.count,
            within: rule.within.num_seconds(),
            percent: rule.percent,
            at_least: rule.at_least,
            factor: rule.factor,
            floor: Some(rule.floor),
            lookback: rule.lookback.map(|length| length.num_seconds()),
            clear_below: rule.clear_below,
            steps: rule.steps.clone(),
            value: rule.value.as_ref().map(ToString::to_string),
            stale_after: rule.stale_after.map(|length| length.num_seconds()),
            view: rule.view.clone(),
            group_by: rule.group_by.iter().map(ToString::to_string).collect(),
            severity: rule.severity.as_str().to_owned(),
            holds_for: rule.holds_for.num_seconds(),
            keep_firing: rule.keep_firing.num_seconds(),
            active: (!hours.is_empty()).then(|| hours.join("\n")),
            remind_every: rule.remind_every.map(|length| length.num_seconds()),
            summary: rule.summary.clone(),
            runbook: rule.runbook.clone(),
        }
    }
}

impl RuleRow {
    /// All columns of it: what the config says, and what follows from that.
    pub(super) fn columns(&self) -> serde_json::Value {
        let literal = |pattern: &String| required_literal(pattern).map(str::to_owned);
        let literals: Vec<Option<String>> = match &self.pattern {
            Some(pattern) if self.steps.is_empty() => vec![literal(pattern), likeness(pattern)],
            _ => self.steps.iter().map(literal).collect(),
        };
        let mut columns = serde_json::json!(self);
        columns["literals"] = serde_json::json!(literals);
        columns
    }

    /// Every regular expression of it.
    fn patterns(&self) -> impl Iterator<Item = &String> {
        self.pattern.iter().chain(&self.exclude).chain(&self.steps)
    }
}

/// The rules that the database has in use for a host.
#[derive(Clone, Debug, PartialEq)]
pub struct RulesInUse {
    host: String,
    rows: Vec<RuleRow>,
}

/// Reads the rules in use of `host`.
pub fn in_use(connection: &mut PgConnection, host: &str) -> Result<RulesInUse, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        rule: String,
    }
    let query = diesel::sql_query(include_str!("rules_in_use.sql")).bind::<Text, _>(host);
    let rows: Vec<Row> = load_alone(connection, query)?;
    // A row that an older version cannot read is not as the config says it: it is written anew.
    let rows = rows.iter().filter_map(|row| serde_json::from_str::<RuleRow>(&row.rule).ok());
    let mut rows: Vec<RuleRow> = rows.collect();
    rows.sort_by(|a, b| a.name.cmp(&b.name));
    Ok(RulesInUse { host: host.to_owned(), rows })
}

/// Brings the rules of a host to what the config says; rules that left it are retired.
///
/// A rule that changed keeps its row and so its alerts: what it has raised is not raised again.
/// Nothing is written when nothing changed.
///
/// # Errors
/// [`RuleError::Pattern`] when PostgreSQL cannot read a pattern; nothing is changed then.
pub fn sync(
    connection: &mut PgConnection,
    in_use: &RulesInUse,
    rules: &[RuleConfig],
    tick: Tick,
) -> Result<(), RuleError> {
    let mut wanted: Vec<RuleRow> = rules.iter().map(RuleRow::from).collect();
    wanted.sort_by(|a, b| a.name.cmp(&b.name));
    if wanted == in_use.rows {
        return Ok(());
    }
    check_patterns(connection, &wanted)?;
    write(connection, &in_use.host, &wanted, tick)?;
    Ok(())
}

/// Asks PostgreSQL about the patterns of a rule that is only tried.
///
/// # Errors
/// [`RuleError::Pattern`] when it cannot read one.
pub fn check_patterns_of(
    connection: &mut PgConnection,
    rule: &RuleConfig,
) -> Result<(), RuleError> {
    check_patterns(connection, &[RuleRow::from(rule)])
}

/// Asks PostgreSQL about each pattern, so that the message can name the rule.
fn check_patterns(connection: &mut PgConnection, rules: &[RuleRow]) -> Result<(), RuleError> {
    for rule in rules {
        for pattern in rule.patterns() {
            if let Some(message) = pattern::objection(connection, pattern)? {
                return Err(RuleError::Pattern {
                    rule: rule.name.clone(),
                    pattern: pattern.clone(),
                    message,
                });
            }
        }
    }
    Ok(())
}

fn write(
    connection: &mut PgConnection,
    host: &str,
    rules: &[RuleRow],
    tick: Tick,
) -> Result<(), StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let names: Vec<&str> = rules.iter().map(|rule| rule.name.as_str()).collect();
    let rows = rules.iter().map(RuleRow::columns).collect();
    transaction(connection, Patience::Short, |connection| {
        let changed = diesel::sql_query(include_str!("write_rules.sql"))
            .bind::<Text, _>(host)
            .bind::<Timestamptz, _>(tick.0)
            .bind::<Jsonb, serde_json::Value>(rows)
            .load::<Row>(connection)?;
        let retired = diesel::sql_query(
            "update alert_rules set retired_at = $2
             where host = $1 and retired_at is null and name <> all ($3)
             returning id",
        )
        .bind::<Text, _>(host)
        .bind::<Timestamptz, _>(tick.0)
        .bind::<Array<Text>, _>(&names)
        .load::<Row>(connection)?;
        let is_across = |rule: &RuleRow| !rule.group_by.iter().any(|by| by == "source");
        if rules.iter().any(is_across) {
            diesel::sql_query(include_str!("stand_for_others.sql"))
                .bind::<Text, _>(host)
                .bind::<Timestamptz, _>(tick.0)
                .execute(connection)?;
        }
        let retired = retired.into_iter().map(|row| row.id);
        let changed: Vec<i64> = changed.into_iter().map(|row| row.id).collect();
        let both: Vec<i64> = changed.iter().copied().chain(retired).collect();
        look_at_alerts(connection, &both, tick)?;
        diesel::sql_query(include_str!("begin_rules.sql"))
            .bind::<Array<BigInt>, _>(changed)
            .bind::<Timestamptz, _>(tick.0)
            .execute(connection)?;
        Ok(())
    })
}

/// Has the next look at open alerts of rules decide by what the rules say now.
fn look_at_alerts(
    connection: &mut PgConnection,
    rules: &[i64],
    tick: Tick,
) -> Result<(), StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let open = diesel::sql_query(
        "select id from alerts
         where rule_id = any ($1)
           and resolved_at is null and merged_into is null and retracted_at is null",
    )
    .bind::<Array<BigInt>, _>(rules)
    .load::<Row>(connection)?;
    // A statement that changes nothing waits for locks all the same.
    if open.is_empty() {
        return Ok(());
    }
    diesel::sql_query("update alerts set look_at = $3 where rule_id = any ($1) and id = any ($2)")
        .bind::<Array<BigInt>, _>(rules)
        .bind::<Array<BigInt>, _>(open.into_iter().map(|alert| alert.id).collect::<Vec<_>>())
        .bind::<Timestamptz, _>(tick.0)
        .execute(connection)?;
    Ok(())
}
