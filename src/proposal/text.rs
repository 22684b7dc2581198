//! The proposal as a `tripline.toml`, with what it rests on as comments.

use std::fmt::Write;

use chrono::{DateTime, TimeDelta, Utc};
use toml_edit::Value;

use super::backtest::Threshold;
use super::{Advice, Log, grouped};
use crate::model::{EventTime, Level};
use crate::{duration, visible};

/// The text of a config for these logs; `left_out` says what is not watched, and why.
pub fn write(logs: &[Log], left_out: &[String], now: DateTime<Utc>) -> String {
    let advice: Vec<Advice<'_>> = logs.iter().map(|log| Advice::of(log, now)).collect();
    let mut text = format!(
        "# Proposed by `tripline init` on {} from what the logs held. Change what you like:\n\
         #   tripline rules check          can all rules be used?\n\
         #   tripline rules backtest RULE  how often would other values have fired?\n",
        now.format("%Y-%m-%d")
    );
    for log in logs {
        source(log, &mut text);
    }
    counting(&advice, "fatal", "FATAL", |one| one.fatals, &mut text);
    counting(&advice, "error-burst", "ERROR or FATAL", |one| one.errors, &mut text);
    silences(&advice, &mut text);
    text += "\n# Logs that cannot be read, or of which most lines cannot be parsed.\n[[rule]]\n\
             name = \"blind\"\nkind = \"blind\"\npercent = 50\nat_least = 20\nwithin = \"5m\"\n";
    text += "\n# Errors of which there was none like it for a week; numbers in them do not matter. \
             Take the\n# comment signs away once the logs were read for some days.\n# [[rule]]\n\
             # name = \"new-error\"\n# kind = \"new\"\n# lookback = \"7d\"\n# severity = \"info\"\n";
    if !left_out.is_empty() {
        text += "\n# Left out:\n";
        for line in left_out {
            let _ = writeln!(text, "#   {}", visible::line(line, 300));
        }
    }
    text
}

fn source(log: &Log, text: &mut String) {
    // Writing to a string cannot fail.
    let survey = &log.survey;
    let part = if survey.looked_at < survey.size {
        format!("the last {} of {}", bytes(survey.looked_at), bytes(survey.size))
    } else {
        format!("all {}", bytes(survey.size))
    };
    let format = survey.format.unwrap_or("unknown");
    let levels = Level::ALL.iter().zip(survey.by_level).filter(|(_, count)| *count > 0);
    let levels: Vec<String> =
        levels.map(|(level, count)| format!("{count} {}", level.as_str())).collect();
    let _ = writeln!(text, "\n# Format {format}. Looked at {part}: {} lines,", survey.lines);
    if let Some((first, last)) = survey.span {
        let _ = writeln!(text, "# {} to {};", time(first), time(last));
    }
    let unparsed = format!("{} lines could not be parsed", survey.unparsed);
    let _ = writeln!(text, "# {}; {unparsed}.", levels.join(", "));
    if survey.by_level[Level::Info.index()] == survey.entries {
        *text += "# No entry is worse than INFO: if its lines name no levels, level_patterns can say \
                  which are errors.\n";
    }
    *text += "[[source]]\n";
    if let Some(name) = &log.name {
        let _ = writeln!(text, "name = {}", quoted(name));
    }
    let path = survey.path.to_string_lossy();
    // What means a pattern elsewhere is a name here.
    let is_pattern = path.contains(['*', '?', '[']);
    let path = if is_pattern { glob::Pattern::escape(&path) } else { path.into_owned() };
    let _ = writeln!(text, "paths = [{}]", quoted(&path));
    if let Some(zone) = log.zone {
        let _ = writeln!(text, "timezone = {}   # its times show none", quoted(zone));
    }
    *text += "# start = \"end\"   # leaves out what it holds already\n";
}

/// Rules that count entries within five minutes: one for each count that is proposed.
fn counting(
    advice: &[Advice<'_>],
    name: &str,
    levels: &str,
    of: impl Fn(&Advice<'_>) -> Threshold,
    text: &mut String,
) {
    let groups = grouped(advice, |one| Some(of(one).count));
    for (count, logs) in &groups {
        let alerts: usize = logs.iter().map(|one| of(one).alerts).sum();
        let longest = logs.iter().map(|one| one.log.lasts()).max().unwrap_or_default();
        let _ = writeln!(
            text,
            "\n# {count} {levels} within 5m: {} in {} of log{}.",
            counted(alerts, "alert"),
            rough(longest),
            rejected(logs, &of)
        );
        *text += "[[rule]]\n";
        let name = if groups.len() == 1 { name.to_owned() } else { format!("{name}-{count}") };
        let _ = writeln!(text, "name = {}\nkind = \"threshold\"", quoted(&name));
        let (words, severity) = if levels == "FATAL" {
            ("[\"FATAL\"]", "critical")
        } else {
            ("[\"ERROR\", \"FATAL\"]", "warning")
        };
        let _ = writeln!(text, "levels = {words}\ncount = {count}\nwithin = \"5m\"");
        let _ = writeln!(text, "severity = {}", quoted(severity));
        sources(logs, advice.len(), text);
    }
}

/// What one step lower would have given.
fn rejected(logs: &[&Advice<'_>], of: impl Fn(&Advice<'_>) -> Threshold) -> String {
    let rejected: Vec<(usize, usize)> = logs.iter().filter_map(|one| of(one).rejected).collect();
    let Some((count, _)) = rejected.first() else { return String::new() };
    let alerts: usize = rejected.iter().map(|(_, alerts)| alerts).sum();
    format!("; {count} would have given {alerts}")
}

fn silences(advice: &[Advice<'_>], text: &mut String) {
    let groups = grouped(advice, |one| one.silence);
    for (within, logs) in &groups {
        let longest = logs.iter().map(|one| one.log.survey.longest_silence).max();
        let longest = TimeDelta::microseconds(longest.unwrap_or_default());
        let within = duration::display(*within);
        let _ = writeln!(
            text,
            "\n# No entry of any level for {within}; the longest time without one was {}.",
            rough(longest)
        );
        let name = if groups.len() == 1 { "silent".to_owned() } else { format!("silent-{within}") };
        *text += "[[rule]]\n";
        let _ = writeln!(text, "name = {}\nkind = \"absence\"", quoted(&name));
        let _ = writeln!(text, "within = {}", quoted(&within));
        sources(logs, advice.len(), text);
    }
}

fn sources(logs: &[&Advice<'_>], all: usize, text: &mut String) {
    if logs.len() < all {
        let names: Vec<String> = logs.iter().map(|one| quoted(&one.log.reference())).collect();
        let _ = writeln!(text, "sources = [{}]", names.join(", "));
    }
}

fn quoted(text: &str) -> String {
    Value::from(text).to_string()
}

fn counted(count: usize, what: &str) -> String {
    if count == 1 { format!("1 {what}") } else { format!("{count} {what}s") }
}

/// A length in words that are exact enough.
fn rough(length: TimeDelta) -> String {
    let (days, hours, minutes) = (length.num_days(), length.num_hours(), length.num_minutes());
    match (days, hours, minutes) {
        (2.., _, _) => format!("{days} days"),
        (_, 2.., _) => format!("{hours} hours"),
        (_, _, 2..) => format!("{minutes} minutes"),
        _ => format!("{} s", length.num_seconds()),
    }
}

fn bytes(bytes: u64) -> String {
    match bytes {
        0..10_240 => format!("{bytes} bytes"),
        10_240..10_485_760 => format!("{} KiB", bytes >> 10),
        _ => format!("{} MiB", bytes >> 20),
    }
}

fn time(time: EventTime) -> String {
    time.to_utc().format("%Y-%m-%d %H:%M:%SZ").to_string()
}
