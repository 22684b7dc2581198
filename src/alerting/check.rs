//! Whether rules can be used, as far as only PostgreSQL can say: patterns, captures and views.
//!
//! Reads only. Each question is asked in a savepoint, so that one answer does not spoil the
//! others, and all that is wrong is found at once.

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::{Bool, Nullable, Text};

use super::own_view;
use crate::config::{GroupBy, RuleConfig};
use crate::store::transaction::{Patience, transaction};
use crate::store::{StoreError, pattern};

/// The columns that a view of the user's must have, for messages.
const COLUMNS: &str = "group_key, started_at, ended_at and measured";

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleProblem {
    /// The key of the config.
    pub key: &'static str,
    /// What stands there.
    pub value: String,
    /// What is wrong with it.
    pub message: String,
}

/// Asks PostgreSQL about rules; returns for each of them what is wrong with it.
///
/// # Errors
/// When the database fails.
pub fn check(
    connection: &mut PgConnection,
    rules: &[RuleConfig],
) -> Result<Vec<Vec<RuleProblem>>, StoreError> {
    transaction(connection, Patience::Short, |connection| {
        connection.batch_execute("set transaction read only")?;
        rules.iter().map(|rule| check_rule(connection, rule)).collect()
    })
}

fn check_rule(
    connection: &mut PgConnection,
    rule: &RuleConfig,
) -> Result<Vec<RuleProblem>, StoreError> {
    let mut problems = Vec::new();
    for (key, text) in rule.patterns() {
        let found = match objection(connection, text)? {
            Some(message) => vec![message],
            None if key == "exclude" => Vec::new(),
            None => missing_captures(connection, rule, text)?,
        };
        problems.extend(found.into_iter().map(|message| RuleProblem {
            key,
            value: text.to_owned(),
            message,
        }));
    }
    if let Some(view) = &rule.view
        && let Some(message) = objection_to_view(connection, view)?
    {
        problems.push(RuleProblem { key: "view", value: view.clone(), message });
    }
    Ok(problems)
}

/// What a pattern does not capture although the rule groups by it, or counts it.
fn missing_captures(
    connection: &mut PgConnection,
    rule: &RuleConfig,
    text: &str,
) -> Result<Vec<String>, StoreError> {
    let grouped = rule.group_by.iter().map(|by| ("group_by", by));
    let counted = rule.value.iter().map(|by| ("value", by));
    let mut missing = Vec::new();
    for (key, by) in grouped.chain(counted) {
        let GroupBy::Capture(number) = by else { continue };
        if !captures(connection, text, *number)? {
            missing
                .push(format!("it has no parentheses number {number}, which {key} needs for {by}"));
        }
    }
    Ok(missing)
}

/// Whether a pattern, which PostgreSQL can read, has so many pairs of parentheses that capture.
fn captures(connection: &mut PgConnection, text: &str, number: u8) -> Result<bool, StoreError> {
    // Without parentheses $1 is all that matches.
    if number == 1 {
        return Ok(true);
    }
    // All of it is literal.
    if text.starts_with("***=") {
        return Ok(false);
    }
    // PostgreSQL refuses to refer back to what is not captured. The line feed ends a comment.
    Ok(objection(connection, &format!("{text}\n\\{number}"))?.is_none())
}

/// What PostgreSQL says against a pattern.
fn objection(connection: &mut PgConnection, text: &str) -> Result<Option<String>, StoreError> {
    in_savepoint(connection, |connection| pattern::objection(connection, text))
}

/// What is wrong with the view of a rule.
fn objection_to_view(
    connection: &mut PgConnection,
    view: &str,
) -> Result<Option<String>, StoreError> {
    #[derive(QueryableByName)]
    struct Column {
        #[diesel(sql_type = Text)]
        name: String,
        /// The view as SQL writes it; `None`: there is none.
        #[diesel(sql_type = Nullable<Text>)]
        quoted: Option<String>,
        /// Its type; `None`: the view does not have it.
        #[diesel(sql_type = Nullable<Text>)]
        type_name: Option<String>,
        #[diesel(sql_type = Bool)]
        is_right: bool,
        #[diesel(sql_type = Text)]
        wanted: String,
    }
    in_savepoint(connection, |connection| {
        let columns = diesel::sql_query(include_str!("own_view_columns.sql"))
            .bind::<Nullable<Text>, _>(own_view::possible_name(view))
            .load::<Column>(connection)?;
        let Some(quoted) = columns.first().and_then(|column| column.quoted.clone()) else {
            return Ok(Some("there is no such view in the database".to_owned()));
        };
        let wrong: Vec<String> = columns
            .iter()
            .filter(|column| !column.is_right)
            .map(|Column { name, type_name, wanted, .. }| match type_name {
                None => format!("it has no column {name}"),
                Some(type_name) => format!("its column {name} is {type_name}, not {wanted}"),
            })
            .collect();
        if !wrong.is_empty() {
            return Ok(Some(format!("{}; it must have {COLUMNS}", wrong.join(", "))));
        }
        // As a run reads it, but for the rows.
        let read = format!("{} limit 0", own_view::statement(&quoted));
        diesel::sql_query(read)
            .execute(connection)
            .map_or_else(|error| pattern::said(error).map(Some), |_| Ok(None))
    })
}

/// Asks something that may spoil its transaction. What it has done is undone.
fn in_savepoint(
    connection: &mut PgConnection,
    ask: impl FnOnce(&mut PgConnection) -> Result<Option<String>, StoreError>,
) -> Result<Option<String>, StoreError> {
    /// Why the savepoint is rolled back.
    enum Undone {
        Objection(String),
        Failed(StoreError),
    }
    impl From<DieselError> for Undone {
        fn from(error: DieselError) -> Self {
            Self::Failed(error.into())
        }
    }
    let asked = connection.transaction(|connection| match ask(connection) {
        Ok(None) => Ok(()),
        Ok(Some(objection)) => Err(Undone::Objection(objection)),
        Err(error) => Err(Undone::Failed(error)),
    });
    match asked {
        Ok(()) => Ok(None),
        Err(Undone::Objection(objection)) => Ok(Some(objection)),
        Err(Undone::Failed(error)) => Err(error),
    }
}
