//! A case made of a log: what the rules say about it, as what is expected of them.

use std::fs;
use std::path::Path;

use anyhow::{Context, bail, ensure};
use chrono::{DateTime, DurationRound, TimeDelta, Utc};
use chrono_tz::Tz;
use toml_edit::{ArrayOfTables, DocumentMut, Item, Table, Value, value};

use super::case::Case;
use super::expected::{State, rfc3339};
use super::found::Found;
use super::scratch::ScratchServer;
use super::{differences, play, update};
use crate::config::Config;
use crate::model::Tick;

/// Bytes of log that a case holds; a file of more is none that people read.
const MOST_BYTES: u64 = 4 << 20;
/// An alert that ends later than that is not waited for.
const MOST_DAYS: i64 = 31;

/// The text of a case that appends all of the log at this absolute path and runs the job after
/// its last entry, and once more when what fires then is over.
///
/// # Errors
/// When the log or the config cannot be read, or make no case.
pub fn record(
    log: &Path,
    config: &Config,
    zone: Tz,
    tick: Tick,
    server: &ScratchServer,
) -> anyhow::Result<String> {
    let (text, changed_at) = contents(log)?;
    let draft = Draft { log, text: &text, config: config_text(log, config)?, zone };
    // Years that the log does not write are found out from when it was written.
    let first = played(&draft.text(&[changed_at.map_or(tick.0, |at| at.min(tick.0))])?, server)?;
    let last_entry_at = first.1.last().and_then(|(_, found)| found.last_entry_at);
    let ran_at = after(last_entry_at.unwrap_or(tick.0))?;
    let (mut case, mut runs) = played(&draft.text(&[ran_at])?, server)?;
    if let Some(over_at) = runs.last().and_then(|(_, found)| over_at(found, ran_at)) {
        (case, runs) = played(&draft.text(&[ran_at, after(over_at)?])?, server)?;
    }
    let text = update::updated(&case, &runs)?;
    let case = Case::parse(&case.path, text, None)?;
    let left = differences(&case, &runs);
    ensure!(left.is_empty(), "the case would not pass: {:?}", left[0].texts());
    Ok(case.text)
}

fn played(text: &str, server: &ScratchServer) -> anyhow::Result<(Case, Vec<(usize, Found)>)> {
    let case = Case::parse(Path::new("case.toml"), text.to_owned(), None)?;
    let runs = play::play(&case, server, true)?;
    Ok((case, runs))
}

/// The first full minute after a time.
fn after(time: DateTime<Utc>) -> anyhow::Result<DateTime<Utc>> {
    let minute = TimeDelta::minutes(1);
    time.duration_trunc(minute)?.checked_add_signed(minute).context("a date is too far away")
}

/// When the last of the alerts that fire is over, if that is known.
fn over_at(found: &Found, ran_at: DateTime<Utc>) -> Option<DateTime<Utc>> {
    let firing = found.alerts.iter().filter(|alert| alert.state == Some(State::Firing));
    let ends = firing.filter_map(|alert| alert.ended_at);
    ends.filter(|end| *end - ran_at < TimeDelta::days(MOST_DAYS)).max()
}

/// The text of a log, and when it was last written to.
fn contents(log: &Path) -> anyhow::Result<(String, Option<DateTime<Utc>>)> {
    let cannot_read = || format!("cannot read {}", log.display());
    let metadata = fs::metadata(log).with_context(cannot_read)?;
    ensure!(metadata.is_file(), "{} is no file", log.display());
    ensure!(
        metadata.len() <= MOST_BYTES,
        "{} has {} bytes, and a case holds {MOST_BYTES} at most; take a part of it: \
         tail -c 1M {} > part.log",
        log.display(),
        metadata.len(),
        log.display()
    );
    let bytes = fs::read(log).with_context(cannot_read)?;
    let Ok(text) = String::from_utf8(bytes) else {
        bail!(
            "{} is not UTF-8, and a case is text; unpack or convert it first (zcat, iconv)",
            log.display()
        );
    };
    Ok((text, metadata.modified().ok().map(DateTime::from)))
}

/// What of the config the case needs: the rules, and the source that reaches the log. Nothing
/// of where the database is, and who is told.
fn config_text(log: &Path, config: &Config) -> anyhow::Result<Option<String>> {
    let Some(path) = &config.path else { return Ok(None) };
    let cannot_read = || format!("cannot read config {}", path.display());
    let text = fs::read_to_string(path).with_context(cannot_read)?;
    let mut document: DocumentMut = text.parse().with_context(cannot_read)?;
    document.retain(|key, _| ["source", "rule", "evaluate"].contains(&key));
    let reaching = config.sources.iter().position(|source| source.reaches(log));
    let kept = document.remove("source").and_then(|item| item.into_array_of_tables().ok());
    let source = kept.and_then(|tables| Some(tables.get(reaching?)?.clone()));
    if let Some(source) = source {
        let name = source.get("name").and_then(Item::as_str).map(str::to_owned);
        if let Some(Item::ArrayOfTables(rules)) = document.get_mut("rule") {
            keep_rules_about(rules, log, name.as_deref());
            ensure!(
                !rules.is_empty(),
                "no rule of {} is about {}: they name other sources",
                path.display(),
                log.display()
            );
        }
        document.insert("source", Item::ArrayOfTables(only(source, log)));
    }
    let text = document.to_string();
    Ok((!text.trim().is_empty()).then(|| text.trim_start().to_owned()))
}

/// The source, for this log alone.
fn only(mut source: Table, log: &Path) -> ArrayOfTables {
    source.remove("exclude");
    let paths = [log.to_string_lossy().into_owned()].into_iter().map(Value::from);
    source.insert("paths", value(paths.collect::<toml_edit::Array>()));
    // Before the rules, wherever it stood.
    source.set_position(Some(0));
    [source].into_iter().collect()
}

/// Without the names of other sources, which the config of the case does not have.
fn keep_rules_about(rules: &mut ArrayOfTables, log: &Path, name: Option<&str>) {
    let is_this = |source: &str| Path::new(source) == log || Some(source) == name;
    rules.retain(|rule| {
        let sources = rule.get("sources").and_then(Item::as_array);
        sources.is_none_or(|list| list.iter().filter_map(Value::as_str).any(is_this))
    });
    for rule in rules.iter_mut() {
        // A case tells nobody.
        rule.remove("channels");
        if let Some(list) = rule.get_mut("sources").and_then(Item::as_array_mut) {
            list.retain(|source| {
                source.as_str().is_some_and(|it| is_this(it) || it.starts_with('/'))
            });
        }
    }
}

/// A case that expects nothing yet.
struct Draft<'a> {
    log: &'a Path,
    text: &'a str,
    config: Option<String>,
    zone: Tz,
}

impl Draft<'_> {
    fn text(&self, runs: &[DateTime<Utc>]) -> anyhow::Result<String> {
        let log = self.log.to_str().context("the path of the log is not UTF-8")?;
        let mut document = DocumentMut::new();
        let about = format!("What the rules say about {log}.");
        document.insert("description", value(about));
        if self.zone != Tz::UTC {
            document.insert("timezone", value(self.zone.name()));
        }
        if let Some(config) = &self.config {
            document.insert("config", value(config.as_str()));
        }
        let mut append = Table::new();
        append.insert("append", value(log));
        append.insert("text", value(self.text));
        let runs = runs.iter().map(|run| {
            let mut table = Table::new();
            table.insert("run", value(rfc3339(*run)));
            table
        });
        let steps: ArrayOfTables = [append].into_iter().chain(runs).collect();
        document.insert("step", Item::ArrayOfTables(steps));
        Ok(document.to_string())
    }
}
