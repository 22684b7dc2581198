//! Rules that fail: what they have not evaluated is kept, and the others go on.
//!
//! All rules of a source are evaluated together, which is quick. If that fails, they are
//! evaluated one by one with little patience, and those that fail get a row in `rule_backlog`.
//! From then on they are evaluated apart from the others, after ever longer pauses.

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Text, Timestamptz};

use super::judge::{Rules, judge};
use super::kept::Waiting;
use super::slice::Slice;
use crate::model::Tick;
use crate::store::StoreError;

/// Seconds for a statement about one rule alone.
const ALONE_SECONDS: u32 = 10;
/// The longest pause before a failing rule is tried again.
const LONGEST_PAUSE: TimeDelta = TimeDelta::minutes(60);

/// A rule that could not be evaluated.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleFailure {
    /// Its name.
    pub rule: String,
    /// The path of the source.
    pub source: String,
    /// Why.
    pub message: String,
    /// When it will be tried again.
    pub next_try_at: DateTime<Utc>,
    /// Whether people are to be told: when it begins, and then hourly.
    pub tell: bool,
}

#[derive(Clone, Debug, QueryableByName)]
struct Rule {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = BigInt)]
    failures: i64,
    /// Whether it is time to try it again.
    #[diesel(sql_type = Bool)]
    is_due: bool,
}

/// Evaluates a slice of a source: all rules together if possible, else each by itself.
pub(super) fn evaluate(
    connection: &mut PgConnection,
    slice: &Slice,
    tick: Tick,
    failures: &mut Vec<RuleFailure>,
) -> Result<Vec<Waiting>, StoreError> {
    let failing = slice.failing.as_slice();
    let together = connection.transaction(|connection| {
        judge(connection, &[slice], &Rules { only: None, except: failing }, tick)
    });
    let mut waiting = match together {
        Ok(waiting) if failing.is_empty() => return Ok(waiting),
        Ok(waiting) => Some(waiting),
        Err(error) if error.stops_everything() || error.is_lock_timeout() => return Err(error),
        Err(_) => None,
    };
    let all = rules(connection, slice, tick)?;
    let (apart, others): (Vec<Rule>, Vec<Rule>) =
        all.into_iter().partition(|rule| failing.contains(&rule.id));
    connection.batch_execute(&format!("set local statement_timeout = '{ALONE_SECONDS}s'"))?;
    let others = if waiting.is_some() { Vec::new() } else { others };
    for rule in others.into_iter().chain(apart) {
        if rule.failures > 0 && !rule.is_due {
            postpone(connection, slice, &rule)?;
            continue;
        }
        let only = [rule.id];
        let alone = connection.transaction(|connection| {
            judge(connection, &[slice], &Rules { only: Some(&only), except: &[] }, tick)
        });
        match alone {
            Ok(more) => {
                waiting.get_or_insert_default().extend(more);
                if rule.failures > 0 {
                    forget(connection, slice, tick, &rule)?;
                }
            }
            Err(error) if error.stops_everything() || error.is_lock_timeout() => return Err(error),
            Err(error) => failures.push(note(connection, slice, tick, rule, &error)?),
        }
    }
    Ok(waiting.unwrap_or_default())
}

fn rules(
    connection: &mut PgConnection,
    slice: &Slice,
    tick: Tick,
) -> Result<Vec<Rule>, StoreError> {
    Ok(diesel::sql_query(include_str!("rules_apart.sql"))
        .bind::<BigInt, _>(slice.source.0)
        .bind::<Timestamptz, _>(tick.0)
        .load(connection)?)
}

/// What is evaluated now is left to a later run.
fn postpone(connection: &mut PgConnection, slice: &Slice, rule: &Rule) -> Result<(), StoreError> {
    diesel::sql_query(
        "update rule_backlog
         set dirty = dirty + tstzmultirange(tstzrange($3, $4, '[]'))
         where source_id = $1 and rule_id = $2",
    )
    .bind::<BigInt, _>(slice.source.0)
    .bind::<BigInt, _>(rule.id)
    .bind::<Timestamptz, _>(slice.dirty_from)
    .bind::<Timestamptz, _>(slice.dirty_to)
    .execute(connection)?;
    try_again(connection, slice, rule.id)
}

/// A failing rule is tried again when its time comes, even if no line does.
fn try_again(connection: &mut PgConnection, slice: &Slice, rule: i64) -> Result<(), StoreError> {
    diesel::sql_query(
        "update ingest_state state
         set held = state.held + tstzmultirange(tstzrange($3, $3, '[]')),
             judge_at = least(state.judge_at, backlog.next_try_at)
         from rule_backlog backlog
         where state.source_id = $1 and backlog.source_id = $1 and backlog.rule_id = $2",
    )
    .bind::<BigInt, _>(slice.source.0)
    .bind::<BigInt, _>(rule)
    .bind::<Timestamptz, _>(slice.dirty_to)
    .execute(connection)?;
    Ok(())
}

/// It has evaluated everything that it had missed.
fn forget(
    connection: &mut PgConnection,
    slice: &Slice,
    tick: Tick,
    rule: &Rule,
) -> Result<(), StoreError> {
    diesel::sql_query("delete from rule_backlog where source_id = $1 and rule_id = $2")
        .bind::<BigInt, _>(slice.source.0)
        .bind::<BigInt, _>(rule.id)
        .execute(connection)?;
    look_at_blindness(connection, slice, tick)
}

/// Notes a failure, and what was not evaluated for it.
fn note(
    connection: &mut PgConnection,
    slice: &Slice,
    tick: Tick,
    rule: Rule,
    error: &StoreError,
) -> Result<RuleFailure, StoreError> {
    #[derive(QueryableByName)]
    struct Noted {
        #[diesel(sql_type = Bool)]
        tell: bool,
    }
    let exponent = u32::try_from(rule.failures).unwrap_or(u32::MAX).min(10);
    let pause = TimeDelta::minutes(1 << exponent).min(LONGEST_PAUSE);
    let next_try_at = tick.0 + pause;
    let message = error.to_string();
    let noted = diesel::sql_query(include_str!("note_failure.sql"))
        .bind::<BigInt, _>(slice.source.0)
        .bind::<BigInt, _>(rule.id)
        .bind::<Timestamptz, _>(slice.dirty_from)
        .bind::<Timestamptz, _>(slice.dirty_to)
        .bind::<Timestamptz, _>(tick.0)
        .bind::<Text, _>(&message)
        .bind::<Timestamptz, _>(next_try_at)
        .get_result::<Noted>(connection)?;
    try_again(connection, slice, rule.id)?;
    look_at_blindness(connection, slice, tick)?;
    let (source, rule) = (rule.source, rule.name);
    Ok(RuleFailure { rule, source, message, next_try_at, tell: noted.tell })
}

/// Rules about blindness tell of rules that fail again and again.
fn look_at_blindness(
    connection: &mut PgConnection,
    slice: &Slice,
    tick: Tick,
) -> Result<(), StoreError> {
    diesel::sql_query(
        "update ingest_state
         set held = held + tstzmultirange(tstzrange($2, $2, '[]')), judge_at = least(judge_at, $2)
         where source_id = $1
           and exists (select from alert_rules where kind = 'blind' and retired_at is null)",
    )
    .bind::<BigInt, _>(slice.source.0)
    .bind::<Timestamptz, _>(tick.0)
    .execute(connection)?;
    Ok(())
}
