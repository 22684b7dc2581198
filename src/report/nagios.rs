//! The state as a plugin of Nagios says it: one line, performance data, further lines.
//!
//! `SERVICE STATUS - text | 'label'=value[UOM];[warn];[crit];[min];[max] ...`
//! <https://nagios-plugins.org/doc/guidelines.html>, which Icinga, Sensu and others read as well.

use std::cmp::Reverse;
use std::io::{self, Write};

use chrono::{DateTime, TimeDelta, Utc};

use super::alerts::Alert;
use super::status::Status;
use super::{shown, time};
use crate::duration;

/// Alerts and problems that are told one by one.
const LINES_MOST: usize = 20;

/// Alerts of a severity that the first line names.
const NAMES_MOST: usize = 3;

/// The verdict; as a number the exit code.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Verdict {
    /// Nothing fires, and everything works.
    Ok = 0,
    /// An alert fires, or something does not work.
    Warning = 1,
    /// A critical alert fires, or nothing has run for too long.
    Critical = 2,
    /// It cannot be told.
    Unknown = 3,
}

impl Verdict {
    const fn as_str(self) -> &'static str {
        match self {
            Self::Ok => "OK",
            Self::Warning => "WARNING",
            Self::Critical => "CRITICAL",
            Self::Unknown => "UNKNOWN",
        }
    }
}

/// What is not as it should be.
type Problem = (Verdict, String);

/// Writes the state of `host` at a moment; its last run may be as old as `stale_after`.
///
/// # Errors
/// When the output takes nothing.
pub fn write(
    status: &Status,
    alerts: &[Alert],
    host: &str,
    now: DateTime<Utc>,
    stale_after: TimeDelta,
    out: &mut dyn Write,
) -> io::Result<Verdict> {
    let firing: Vec<&Alert> = alerts.iter().filter(|alert| alert.is_to_be_known()).collect();
    let mut problems = firing_problems(status, &firing);
    problems.extend(other_problems(status, host, now, stale_after));
    // The worst first: some monitors show no more than the beginning.
    problems.sort_by_key(|problem| Reverse(problem.0));
    let verdict = problems.iter().map(|problem| problem.0).max().unwrap_or(Verdict::Ok);
    let text = if problems.is_empty() {
        "nothing fires".to_owned()
    } else {
        let texts = problems.iter().take(LINES_MOST).map(|(_, text)| text.as_str());
        texts.collect::<Vec<_>>().join("; ")
    };
    let data = performance_data(status, host, now, stale_after);
    writeln!(out, "TRIPLINE {} - {} | {data}", verdict.as_str(), safe(&text))?;
    for alert in firing.iter().take(LINES_MOST) {
        let line = format!(
            "alert {}: {} {} on {} since {}",
            alert.id,
            alert.severity,
            shown(&alert.rule),
            shown(&alert.place()),
            time(alert.started_at)
        );
        writeln!(out, "{}", safe(&line))?;
    }
    let further = firing.len().saturating_sub(LINES_MOST);
    if further > 0 {
        writeln!(out, "and {further} more; see: tripline alerts")?;
    }
    Ok(verdict)
}

/// Writes that the state cannot be told, and why.
///
/// # Errors
/// When the output takes nothing.
pub fn write_unknown(reason: &str, out: &mut dyn Write) -> io::Result<()> {
    writeln!(out, "TRIPLINE {} - {}", Verdict::Unknown.as_str(), safe(&shown(reason)))
}

/// What stands behind a bar is read as performance data.
fn safe(text: &str) -> String {
    text.replace('|', "¦")
}

/// `2 critical alerts fire (oom on app, disk on db1)`
fn firing_problems(status: &Status, firing: &[&Alert]) -> Vec<Problem> {
    use Verdict::{Critical, Warning};
    let of_severity = |&(number, severity, verdict): &(i64, &str, Verdict)| {
        let alerts = firing.iter().filter(|alert| alert.severity == severity);
        let names: Vec<String> = alerts
            .take(NAMES_MOST)
            .map(|alert| format!("{} on {}", shown(&alert.rule), shown(&alert.place())))
            .collect();
        let further = if number > count(names.len()) { ", ..." } else { "" };
        let fires = if number == 1 { "alert fires" } else { "alerts fire" };
        (verdict, format!("{number} {severity} {fires} ({}{further})", names.join(", ")))
    };
    [
        (status.firing.critical, "critical", Critical),
        (status.firing.warning, "warning", Warning),
        (status.firing.info, "info", Warning),
    ]
    .iter()
    .filter(|(number, ..)| *number > 0)
    .map(of_severity)
    .collect()
}

fn count(number: usize) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

fn other_problems(
    status: &Status,
    host: &str,
    now: DateTime<Utc>,
    stale_after: TimeDelta,
) -> Vec<Problem> {
    use Verdict::{Critical, Unknown, Warning};
    let mut problems = Vec::new();
    match &status.last_run {
        None => problems.push((Unknown, format!("no run of host {} so far", shown(host)))),
        Some(run) if now - run.started_at > stale_after => {
            let age = duration::display(whole_seconds(now - run.started_at));
            problems.push((Critical, format!("the last run was {age} ago; does cron start it?")));
        }
        Some(run) if run.errors > 0 => {
            problems.push((Warning, format!("errors in the last run: {}", run.errors)));
        }
        Some(_) => {}
    }
    for source in status.sources.iter().filter(|source| source.host == host) {
        if let Some(error) = &source.last_error {
            problems.push((Warning, format!("source {}: {}", shown(&source.name), shown(error))));
        }
    }
    for channel in status.channels.iter().filter(|channel| channel.host == host) {
        if channel.failing_since.is_some() {
            let error = channel.last_error.as_deref().map(shown).unwrap_or_default();
            problems.push((Warning, format!("channel {}: {error}", shown(&channel.channel))));
        }
    }
    if status.given_up > 0 {
        problems.push((Warning, format!("notifications given up: {}", status.given_up)));
    }
    problems
}

fn whole_seconds(length: TimeDelta) -> TimeDelta {
    TimeDelta::seconds(length.num_seconds())
}

fn performance_data(
    status: &Status,
    host: &str,
    now: DateTime<Utc>,
    stale_after: TimeDelta,
) -> String {
    let of_host = || status.sources.iter().filter(|source| source.host == host);
    let failing = of_host().filter(|source| source.last_error.is_some()).count();
    let unread: i64 = of_host().filter_map(|source| source.unread_bytes).sum();
    let unparsed: i64 = of_host().map(|source| source.unparsed_lines).sum();
    let mut data = vec![
        format!("'alerts_critical'={};;0;0", status.firing.critical),
        format!("'alerts_warning'={};0;;0", status.firing.warning),
        format!("'alerts_info'={};0;;0", status.firing.info),
        format!("'sources_failing'={failing};0;;0"),
        format!("'unread_bytes'={unread}B;;;0"),
        format!("'unparsed_lines'={unparsed}c;;;0"),
        format!("'undelivered'={};;;0", status.undelivered),
        format!("'given_up'={};0;;0", status.given_up),
    ];
    if let Some(run) = &status.last_run {
        let age = (now - run.started_at).num_seconds().max(0);
        data.push(format!("'last_run_age'={age}s;;{};0", stale_after.num_seconds()));
        data.push(format!("'last_run_duration'={}ms;;;0", run.duration_ms));
        data.push(format!("'last_run_errors'={};0;;0", run.errors));
    }
    data.join(" ")
}
