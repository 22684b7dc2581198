//! The rules of the config as rows of `alert_rules`, which the views join.

use chrono::TimeDelta;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::{Array, BigInt, Integer, Nullable, Text, Timestamptz};

use crate::config::{GroupBy, RuleConfig};
use crate::model::{Level, Tick};
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

/// A rule as its row says it.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
struct RuleRow {
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    kind: String,
    /// Separated by commas.
    #[diesel(sql_type = Text)]
    levels: String,
    #[diesel(sql_type = Nullable<Text>)]
    pattern: Option<String>,
    #[diesel(sql_type = Integer)]
    count: i32,
    #[diesel(sql_type = BigInt)]
    within_seconds: i64,
    /// Separated by commas.
    #[diesel(sql_type = Text)]
    group_by: String,
    #[diesel(sql_type = Text)]
    severity: String,
    #[diesel(sql_type = Nullable<Text>)]
    summary: Option<String>,
}

impl From<&RuleConfig> for RuleRow {
    fn from(rule: &RuleConfig) -> Self {
        let joined = |words: Vec<&str>| words.join(",");
        Self {
            name: rule.name.clone(),
            kind: rule.kind.as_str().to_owned(),
            levels: joined(rule.levels.iter().map(Level::as_str).collect()),
            pattern: rule.pattern.clone(),
            count: i32::try_from(rule.count).unwrap_or(i32::MAX),
            within_seconds: seconds(rule.within),
            group_by: joined(rule.group_by.iter().map(|by| GroupBy::as_str(*by)).collect()),
            severity: rule.severity.as_str().to_owned(),
            summary: rule.summary.clone(),
        }
    }
}

/// The rules that the database has in use for a host.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RulesInUse {
    host: String,
    rows: Vec<RuleRow>,
}

/// Reads the rules in use of `host`.
pub fn in_use(connection: &mut PgConnection, host: &str) -> Result<RulesInUse, StoreError> {
    let query = diesel::sql_query(include_str!("rules_in_use.sql")).bind::<Text, _>(host);
    let mut rows: Vec<RuleRow> = load_alone(connection, query)?;
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

/// Asks PostgreSQL about each pattern, so that the message can name the rule.
fn check_patterns(connection: &mut PgConnection, rules: &[RuleRow]) -> Result<(), RuleError> {
    for rule in rules {
        let Some(pattern) = &rule.pattern else { continue };
        if let Some(message) = pattern::objection(connection, pattern)? {
            return Err(RuleError::Pattern {
                rule: rule.name.clone(),
                pattern: pattern.clone(),
                message,
            });
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
    fn column<T>(rules: &[RuleRow], value: impl Fn(&RuleRow) -> T) -> Vec<T> {
        rules.iter().map(value).collect()
    }
    transaction(connection, Patience::Short, |connection| {
        diesel::sql_query(include_str!("write_rules.sql"))
            .bind::<Text, _>(host)
            .bind::<Timestamptz, _>(tick.0)
            .bind::<Array<Text>, _>(column(rules, |rule| rule.name.clone()))
            .bind::<Array<Text>, _>(column(rules, |rule| rule.kind.clone()))
            .bind::<Array<Text>, _>(column(rules, |rule| rule.levels.clone()))
            .bind::<Array<Nullable<Text>>, _>(column(rules, |rule| rule.pattern.clone()))
            .bind::<Array<Integer>, _>(column(rules, |rule| rule.count))
            .bind::<Array<BigInt>, _>(column(rules, |rule| rule.within_seconds))
            .bind::<Array<Text>, _>(column(rules, |rule| rule.group_by.clone()))
            .bind::<Array<Text>, _>(column(rules, |rule| rule.severity.clone()))
            .bind::<Array<Nullable<Text>>, _>(column(rules, |rule| rule.summary.clone()))
            .execute(connection)?;
        diesel::sql_query(
            "update alert_rules set retired_at = $2
             where host = $1 and retired_at is null and name <> all ($3)",
        )
        .bind::<Text, _>(host)
        .bind::<Timestamptz, _>(tick.0)
        .bind::<Array<Text>, _>(column(rules, |rule| rule.name.clone()))
        .execute(connection)?;
        Ok(())
    })
}

/// The config's lengths of time are whole seconds.
fn seconds(length: TimeDelta) -> i64 {
    length.num_seconds()
}
