//! `tripline silence`: add, list and end silences.

use std::io::Write;

use super::author::author;
use super::session::{Session, UsageError};
use crate::cli::{Global, NewSilence, SilenceCommand};
use crate::model::{Tick, WeeklyHours};
use crate::report::silences as listed;
use crate::store::silences;
use crate::store::transaction::{Patience, transaction};
use crate::{duration, report};

pub(super) fn run(
    global: &Global,
    command: &SilenceCommand,
    tick: Tick,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    match command {
        SilenceCommand::Add(wanted) => add(global, wanted, tick, stdout),
        SilenceCommand::List { all, output } => {
            let mut connection = Session::new(global)?.connect()?;
            let list = transaction(&mut connection, Patience::Long, |connection| {
                listed::list(connection, *all, tick)
            })?;
            if output.json {
                report::write_json(&list, stdout)?;
            } else {
                listed::write_table(&list, *all, stdout)?;
            }
            Ok(())
        }
        SilenceCommand::End { id, by } => {
            let mut connection = Session::new(global)?.connect()?;
            if !silences::end(&mut connection, *id, &author(by.as_deref()), tick.0)? {
                return Err(UsageError(format!(
                    "there is no silence {id} that could be ended; see: tripline silence list --all"
                ))
                .into());
            }
            writeln!(stdout, "silence {id} is over")?;
            Ok(())
        }
    }
}

fn add(
    global: &Global,
    wanted: &NewSilence,
    tick: Tick,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let usage = |message: String| UsageError(message);
    let starts_at = wanted.from.unwrap_or(tick.0);
    let length = wanted.length.as_deref().map(duration::parse).transpose();
    let length = length.map_err(|error| usage(format!("--for: {error}")))?;
    let ends_at = match length {
        Some(length) => Some(
            starts_at
                .checked_add_signed(length)
                .ok_or_else(|| usage("--for is longer than a date can be".to_owned()))?,
        ),
        None => wanted.until,
    };
    let weekly = wanted.weekly.as_deref().map(str::parse::<WeeklyHours>).transpose();
    let weekly = weekly.map_err(|error| usage(format!("--weekly: {error}")))?;
    if ends_at.is_none() && weekly.is_none() {
        return Err(
            usage("say how long: --for LENGTH, --until TIME or --weekly HOURS".to_owned()).into()
        );
    }
    if ends_at.is_some_and(|end| end <= starts_at.max(tick.0)) {
        return Err(usage("it would be over already".to_owned()).into());
    }
    let author = author(wanted.by.as_deref());
    let silence = silences::NewSilence {
        rule: wanted.rule.as_deref(),
        group: wanted.group.as_deref(),
        severity: wanted.severity.as_deref(),
        starts_at,
        ends_at,
        weekly: weekly.map(|hours| hours.to_string()),
        author: &author,
        reason: &wanted.reason,
    };
    let session = Session::new(global)?;
    let mut connection = session.connect()?;
    let id = silences::add(&mut connection, &silence, tick.0)?;
    let until = ends_at.map(|end| format!(" until {}", report::time(end))).unwrap_or_default();
    writeln!(stdout, "silence {id} holds{until}; end it: tripline silence end {id}")?;
    if let Some(rule) = &wanted.rule {
        // It may be one of another host, or one that no run has seen yet.
        let is_configured = session.config.rules.iter().any(|known| known.name == *rule);
        let is_known = transaction(&mut connection, Patience::Short, |connection| {
            listed::is_rule_known(connection, rule)
        })?;
        if !is_configured && !is_known {
            log::warn!("there is no rule {rule:?} so far; see: tripline rules list");
        }
    }
    Ok(())
}
