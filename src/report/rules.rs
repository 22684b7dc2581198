//! The rules of a config, with what the database knows of them.

use std::collections::BTreeMap;
use std::io::{self, Write};

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use serde::Serialize;

use super::table::{Column, table, text};
use super::{optional_time, shown};
use crate::store::StoreError;
use crate::visible;

/// Characters of a line of a request.
const BODY_LINE_CHARS: usize = 2000;

/// A rule in a list.
#[derive(Clone, Debug, PartialEq, Serialize)]
pub struct ListedRule {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// What it looks for, in a few words.
    pub looks_for: String,
    /// What has an alert of its own.
    pub group_by: Vec<String>,
    /// How urgent its alerts are.
    pub severity: &'static str,
    /// What the database knows of it; absent: there is none, or no run has seen the rule.
    #[serde(flatten)]
    pub standing: Option<Standing>,
}

/// What the database knows of a rule.
#[derive(Clone, Debug, PartialEq, Serialize, QueryableByName)]
pub struct Standing {
    #[serde(skip)]
    #[diesel(sql_type = Text)]
    name: String,
    /// How many of its alerts fire.
    #[diesel(sql_type = BigInt)]
    pub open_alerts: i64,
    /// When its last alert so far began.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub last_started_at: Option<DateTime<Utc>>,
    /// For how many sources it fails.
    #[diesel(sql_type = BigInt)]
    pub failing_sources: i64,
    /// Since when it fails.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub failing_since: Option<DateTime<Utc>>,
    /// Why it failed the last time.
    #[diesel(sql_type = Nullable<Text>)]
    pub last_error: Option<String>,
}

/// What the database knows of the rules in use of a host (`*`: of those for all hosts), by name.
pub fn standings(
    connection: &mut PgConnection,
    host: &str,
) -> Result<BTreeMap<String, Standing>, StoreError> {
    let rows = diesel::sql_query(include_str!("rules.sql"))
        .bind::<Text, _>(host)
        .load::<Standing>(connection)?;
    Ok(rows.into_iter().map(|row| (row.name.clone(), row)).collect())
}

/// Writes the list as a table.
///
/// # Errors
/// When the output takes nothing.
pub fn write_table(rules: &[ListedRule], out: &mut dyn Write) -> io::Result<()> {
    let mut table = table(&[
        ("RULE", Column::Name),
        ("KIND", Column::Word),
        ("LOOKS FOR", Column::Name),
        ("GROUP", Column::Name),
        ("SEVERITY", Column::Word),
        ("OPEN", Column::Number),
        ("LAST", Column::Word),
    ]);
    for rule in rules {
        let standing = rule.standing.as_ref();
        let open = standing.map_or_else(|| "-".to_owned(), |known| known.open_alerts.to_string());
        table.add_row([
            shown(&rule.name),
            rule.kind.to_owned(),
            shown(&rule.looks_for),
            groups(&rule.group_by),
            rule.severity.to_owned(),
            open,
            optional_time(standing.and_then(|known| known.last_started_at)),
        ]);
    }
    writeln!(out, "{}", text(&table))?;
    for rule in rules {
        let Some(Standing { failing_sources, failing_since, last_error: Some(error), .. }) =
            &rule.standing
        else {
            continue;
        };
        let since = optional_time(*failing_since);
        writeln!(
            out,
            "\n{}: it fails for {failing_sources} of its sources since {since}: {}",
            shown(&rule.name),
            shown(error)
        )?;
    }
    Ok(())
}

/// What has an alert of its own, for people.
pub(super) fn groups(group_by: &[String]) -> String {
    if group_by.is_empty() { "-".to_owned() } else { shown(&group_by.join(", ")) }
}

/// What a message about an alert of a rule says.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct RenderedMessage {
    /// Name of the rule.
    pub rule: String,
    /// Name of the channel; absent: without one.
    pub channel: Option<String>,
    /// Number of the alert; absent: it is made up.
    pub alert: Option<i64>,
    /// The headline.
    pub title: String,
    /// The text.
    pub text: String,
    /// All of it on one line.
    pub line: String,
    /// What a program on the web or a command gets.
    pub body: Option<String>,
}

/// Writes a message for people. Its parts are fit to be shown already.
///
/// # Errors
/// When the output takes nothing.
pub fn write_rendered(message: &RenderedMessage, out: &mut dyn Write) -> io::Result<()> {
    match message.alert {
        Some(id) => writeln!(out, "about  alert {id}")?,
        None => writeln!(out, "about  a made-up alert: none of this rule was told so far")?,
    }
    writeln!(out, "line   {}", message.line)?;
    writeln!(out, "title  {}", message.title)?;
    for (place, line) in message.text.trim_end().lines().enumerate() {
        let head = if place == 0 { "text " } else { "" };
        writeln!(out, "{}", format!("{head:<7}{line}").trim_end())?;
    }
    for (place, line) in message.body.as_deref().unwrap_or_default().lines().enumerate() {
        let head = if place == 0 { "body " } else { "" };
        writeln!(
            out,
            "{}",
            format!("{head:<7}{}", visible::line(line, BODY_LINE_CHARS)).trim_end()
        )?;
    }
    Ok(())
}

/// What a check of rules found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Checked {
    /// Each rule, in the order of the config.
    pub rules: Vec<CheckedRule>,
    /// Each channel, as far as its templates are concerned.
    pub channels: Vec<CheckedRule>,
}

/// What a check of a rule, or of a channel, found.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct CheckedRule {
    /// Its name.
    pub name: String,
    /// Whether it can be used.
    pub passed: bool,
    /// What is wrong with it.
    pub problems: Vec<FoundProblem>,
}

/// What is wrong with a rule.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FoundProblem {
    /// The key of the config.
    pub key: &'static str,
    /// What stands there.
    pub value: String,
    /// What is wrong with it.
    pub message: String,
}
