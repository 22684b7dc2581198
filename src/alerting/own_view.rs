//! Rules of kind `sql`: a view of the user's own says when they hold.
//!
//! The view has the columns `group_key`, `started_at`, `ended_at` (null: it still holds) and
//! `measured`, and is read by every run. What it no longer returns, no longer holds: what would
//! have gone on ends at the tick, what was over stays as it was.

use std::collections::BTreeMap;

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Double, Nullable, Text, Timestamptz};
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag};
use nom::character::complete::{char, multispace0};
use nom::combinator::{all_consuming, opt, recognize, value};
use nom::multi::many1_count;
use nom::{IResult, Parser};

use super::interval::{Change, Episode, FOREVER, Hot, Key, Replaces};
use super::kept;
use crate::model::{EventTime, SourceId, Tick};
use crate::store::StoreError;
use crate::store::transaction::{Patience, load_alone, transaction};

/// Characters of a group that are kept.
const GROUP_CHARS: usize = 200;

/// Why a view of the user's could not be used.
#[derive(Debug, thiserror::Error)]
pub enum ViewError {
    /// It is not there.
    #[error("rule {rule:?}: there is no view {view:?} in the database")]
    Missing {
        /// The rule.
        rule: String,
        /// Its view.
        view: String,
    },
    /// It failed, or the database did.
    #[error("rule {rule:?}: its view {view:?} failed: {error}")]
    Failed {
        /// The rule.
        rule: String,
        /// Its view.
        view: String,
        /// Why.
        error: StoreError,
    },
}

#[derive(QueryableByName)]
struct ViewRule {
    #[diesel(sql_type = BigInt)]
    source_id: i64,
    #[diesel(sql_type = BigInt)]
    rule_id: i64,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    view: String,
}

#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = Text)]
    group_key: String,
    #[diesel(sql_type = Timestamptz)]
    started_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ended_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Double)]
    measured: f64,
}

/// Reads the views of the rules of a host (`*`: of those for all hosts) and records what they
/// say. One that fails does not stop the others.
///
/// # Errors
/// When the database fails.
pub fn evaluate_views(
    connection: &mut PgConnection,
    host: &str,
    tick: Tick,
) -> Result<Vec<ViewError>, StoreError> {
    let query = diesel::sql_query(include_str!("own_views.sql")).bind::<Text, _>(host);
    let rules: Vec<ViewRule> = load_alone(connection, query)?;
    let mut failures = Vec::new();
    for rule in rules {
        match evaluate(connection, &rule, tick) {
            Ok(true) => {}
            Ok(false) => failures.push(ViewError::Missing { rule: rule.name, view: rule.view }),
            Err(error) if error.stops_everything() => return Err(error),
            Err(error) => {
                failures.push(ViewError::Failed { rule: rule.name, view: rule.view, error });
            }
        }
    }
    Ok(failures)
}

/// Returns whether the view is there.
fn evaluate(
    connection: &mut PgConnection,
    rule: &ViewRule,
    tick: Tick,
) -> Result<bool, StoreError> {
    let source = SourceId(rule.source_id);
    transaction(connection, Patience::Short, |connection| {
        let Some(quoted) = quoted(connection, &rule.view)? else { return Ok(false) };
        diesel::sql_query("select source_id from ingest_state where source_id = $1 for update")
            .bind::<BigInt, _>(source.0)
            .execute(connection)?;
        let rows = diesel::sql_query(statement(&quoted)).load::<Row>(connection)?;
        let mut changes = what_ends(connection, rule, &rows, tick)?;
        add(rows, rule.rule_id, &mut changes);
        kept::apply(connection, source, &changes, tick)?;
        Ok(true)
    })
}

/// The episodes that the view of a rule gives now. Nothing is recorded.
pub(super) fn episodes(
    connection: &mut PgConnection,
    host: &str,
    rule_id: i64,
) -> Result<Vec<Episode>, StoreError> {
    let rules = diesel::sql_query(include_str!("own_views.sql"))
        .bind::<Text, _>(host)
        .load::<ViewRule>(connection)?;
    let Some(rule) = rules.into_iter().find(|rule| rule.rule_id == rule_id) else {
        return Ok(Vec::new());
    };
    let Some(quoted) = quoted(connection, &rule.view)? else { return Ok(Vec::new()) };
    let rows = diesel::sql_query(statement(&quoted)).load::<Row>(connection)?;
    let mut changes = BTreeMap::new();
    add(rows, rule_id, &mut changes);
    kept::episodes_of_changes(connection, SourceId(rule.source_id), &changes)
}

/// What the view returns, as changes of what is kept.
fn add(rows: Vec<Row>, rule_id: i64, changes: &mut BTreeMap<Key, Vec<Change>>) {
    for row in rows {
        let from = EventTime::from(row.started_at);
        let hot = Hot {
            from,
            until: row.ended_at.map_or(FOREVER, EventTime::from),
            full_from: Some(from),
            measured: row.measured,
        };
        let key = Key { rule_id, group: row.group_key };
        let change = Change { hot, is_hot: true, replaces: Replaces::Key };
        changes.entry(key).or_default().push(change);
    }
}

/// A view's name as SQL writes it; `None`: there is no such view.
fn quoted(connection: &mut PgConnection, view: &str) -> Result<Option<String>, StoreError> {
    #[derive(QueryableByName)]
    struct Name {
        #[diesel(sql_type = Text)]
        quoted: String,
    }
    let name = diesel::sql_query(include_str!("own_view_name.sql"))
        .bind::<Nullable<Text>, _>(possible_name(view))
        .get_result::<Name>(connection)
        .optional()?;
    Ok(name.map(|name| name.quoted))
}

/// A view's name, with its schema or without, if it can be one: of others PostgreSQL says up to
/// version 16 by an error that there is none.
///
/// Grammar: the manual of PostgreSQL, 4.1.1, as `to_regclass` reads it.
pub(super) fn possible_name(view: &str) -> Option<&str> {
    let schema = opt((multispace0, identifier, multispace0, char('.')));
    let name = all_consuming((schema, multispace0, identifier, multispace0)).parse(view);
    name.is_ok().then_some(view)
}

fn identifier(input: &str) -> IResult<&str, ()> {
    let quoted = (char('"'), many1_count(alt((is_not("\""), tag("\"\"")))), char('"'));
    value((), alt((recognize(quoted), is_not(" \t\r\n\x0b\x0c.\"")))).parse(input)
}

/// What is read of a view.
///
/// Its name is the one part of a statement that comes from the user: it is the name of a relation
/// that is there, quoted by PostgreSQL itself.
pub(super) fn statement(quoted: &str) -> String {
    format!(
        "select coalesce(left(group_key::text, {GROUP_CHARS}), '') as group_key, started_at,
                nullif(ended_at, 'infinity') as ended_at,
                coalesce(measured, 0)::double precision as measured
         from {quoted}
         where started_at is not null and coalesce(ended_at, 'infinity') >= started_at"
    )
}

/// Kept intervals that would go on, and that the view no longer returns.
fn what_ends(
    connection: &mut PgConnection,
    rule: &ViewRule,
    rows: &[Row],
    tick: Tick,
) -> Result<BTreeMap<Key, Vec<Change>>, StoreError> {
    let open = diesel::sql_query(
        "select group_key, hot_from as started_at, null::timestamptz as ended_at, measured
         from hot_intervals
         where source_id = $1 and rule_id = $2 and hot_until > $3",
    )
    .bind::<BigInt, _>(rule.source_id)
    .bind::<BigInt, _>(rule.rule_id)
    .bind::<Timestamptz, _>(tick.0)
    .load::<Row>(connection)?;
    let is_returned = |open: &Row| {
        rows.iter()
            .any(|row| (&row.group_key, row.started_at) == (&open.group_key, open.started_at))
    };
    let mut changes: BTreeMap<Key, Vec<Change>> = BTreeMap::new();
    for row in open.into_iter().filter(|open| !is_returned(open)) {
        let from = EventTime::from(row.started_at);
        let hot = Hot {
            from,
            until: EventTime::from(tick.0).max(from),
            full_from: Some(from),
            measured: row.measured,
        };
        let key = Key { rule_id: rule.rule_id, group: row.group_key };
        let change = Change { hot, is_hot: true, replaces: Replaces::Key };
        changes.entry(key).or_default().push(change);
    }
    Ok(changes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_of_views_are_told_from_other_texts() {
        for name in ["a", "a.b", " a . b ", "\"not a name\"", "\"a\"\".b\".c", "ü1"] {
            assert_eq!(possible_name(name), Some(name));
        }
        for text in ["", " ", "not a name", "a.b.c", "a.", ".a", "\"a", "\"\"", "a\"b\""] {
            assert_eq!(possible_name(text), None, "{text}");
        }
    }
}
