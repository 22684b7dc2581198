//! One rule, explained.

use std::collections::BTreeMap;
use std::io::{self, Write};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::table::{Column, table, text};
use super::{shown, source_name, time, wrapped};
use crate::visible;

/// Characters in a line of words.
const LINE_CHARS: usize = 78;
/// Characters of a line of SQL.
const SQL_CHARS: usize = 2000;

/// A rule with its meaning.
#[derive(Debug, Serialize)]
pub struct Explained {
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: &'static str,
    /// Its number in the database; absent: no run has seen it yet.
    pub id: Option<i64>,
    /// What it looks for, in a few words.
    pub looks_for: String,
    /// When it holds, from when, and until when.
    pub meaning: String,
    /// The keys that mean something for it.
    #[serde(serialize_with = "as_map")]
    pub parameters: Vec<(&'static str, String)>,
    /// The time of the windows.
    pub at: DateTime<Utc>,
    /// The stretches of time that decide whether it holds then.
    pub windows: Vec<ExplainedWindow>,
    /// The views that say when it holds.
    pub views: Vec<ExplainedView>,
}

/// A stretch of time.
#[derive(Debug, Serialize)]
pub struct ExplainedWindow {
    /// What lies in it.
    pub name: String,
    /// Where it begins.
    pub from: DateTime<Utc>,
    /// Where it ends.
    pub to: DateTime<Utc>,
    /// Whether its beginning belongs to it, and not its end; else it is the other way round.
    pub holds_beginning: bool,
    /// What matches in it, by source.
    pub sources: Vec<MatchingSource>,
}

/// How much matches of a source.
#[derive(Debug, Serialize)]
pub struct MatchingSource {
    /// The number under which it is judged: its own, or that of the one that stands for all.
    pub judged_as: i64,
    /// Its name; `*`: all sources together.
    pub source: String,
    /// The host that reads it.
    pub host: String,
    /// Where it is on that host.
    pub path: String,
    /// Which of the rule's patterns matches, from 1.
    pub step: i64,
    /// How many entries, or lines.
    pub matching: i64,
    /// Of how many, where that matters.
    pub of: Option<i64>,
}

/// A view.
#[derive(Debug, Serialize)]
pub struct ExplainedView {
    /// Its name.
    pub name: String,
    /// The query that it is; absent: it is a table, or not there.
    pub definition: Option<String>,
}

/// Writes it for people.
///
/// # Errors
/// When the output takes nothing.
pub fn write(rule: &Explained, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "{}: {}", shown(&rule.name), shown(&rule.looks_for))?;
    writeln!(out, "\n{}\n", wrapped(&shown_words(&rule.meaning), LINE_CHARS))?;
    writeln!(out, "{:<12}{}", "kind", rule.kind)?;
    for (key, value) in &rule.parameters {
        writeln!(out, "{key:<12}{}", shown(value))?;
    }
    write_windows(rule, out)?;
    for view in &rule.views {
        let name = shown(&view.name);
        match &view.definition {
            None => writeln!(out, "\n{name} is no view of the database")?,
            Some(definition) => {
                writeln!(out, "\nview {name}:")?;
                for line in definition.lines() {
                    writeln!(out, "{}", visible::line(line, SQL_CHARS).trim_end())?;
                }
            }
        }
    }
    write_by_hand(rule, out)
}

fn write_windows(rule: &Explained, out: &mut dyn Write) -> io::Result<()> {
    if rule.windows.is_empty() {
        return Ok(());
    }
    writeln!(out, "\nat {}:", time(rule.at))?;
    for window in &rule.windows {
        let (open, close) = if window.holds_beginning { ('[', ')') } else { ('(', ']') };
        writeln!(
            out,
            "{:<12}{open}{}, {}{close}",
            window.name,
            exact_time(window.from),
            exact_time(window.to)
        )?;
    }
    let has_steps = rule.windows.iter().flat_map(|one| &one.sources).any(|one| one.step > 1);
    let mut columns = vec![("WINDOW", Column::Word), ("SOURCE", Column::Name)];
    columns.extend(has_steps.then_some(("PATTERN", Column::Number)));
    columns.push(("MATCHING", Column::Number));
    let mut table = table(&columns);
    for window in &rule.windows {
        for found in &window.sources {
            let of = found.of.map(|all| format!(" of {all}")).unwrap_or_default();
            let source = if found.source == "*" {
                "all together".to_owned()
            } else {
                format!("{}: {}", shown(&found.host), source_name(&found.source, &found.path))
            };
            let step = has_steps.then(|| found.step.to_string());
            let matching = format!("{}{of}", found.matching);
            let row = [window.name.clone(), source].into_iter().chain(step);
            table.add_row(row.chain([matching]));
        }
    }
    if table.row_count() == 0 {
        return Ok(());
    }
    writeln!(out, "\n{}", text(&table))
}

/// What to type in psql.
fn write_by_hand(rule: &Explained, out: &mut dyn Write) -> io::Result<()> {
    let (Some(id), Some(window)) = (rule.id, rule.windows.first()) else { return Ok(()) };
    writeln!(out, "\nBy hand, what is not evaluated yet, and what matches at any time:")?;
    for view in &rule.views {
        writeln!(out, "  select * from {} where rule_id = {id};", view.name)?;
    }
    let Some(source_id) = window.sources.first().map(|found| found.judged_as) else {
        return Ok(());
    };
    let (after, before) = if window.holds_beginning { (">=", "<") } else { (">", "<=") };
    writeln!(
        out,
        "  select * from matching_entries where source_id = {source_id} and rule_id = {id}\n    \
         and logged_at {after} '{}' and logged_at {before} '{}';",
        exact_time(window.from),
        exact_time(window.to)
    )
}

/// A time as the borders of windows need it: as exact as it is.
fn exact_time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%S%.fZ").to_string()
}

/// Words of ours around those of a config, which may be of any sort.
fn shown_words(words: &str) -> String {
    visible::line(words, 4000)
}

fn as_map<S: serde::Serializer>(
    parameters: &[(&'static str, String)],
    serializer: S,
) -> Result<S::Ok, S::Error> {
    // A key can come more than once: exclude, steps.
    let mut map: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for (key, value) in parameters {
        map.entry(key).or_default().push(value);
    }
    serializer.collect_map(map)
}
