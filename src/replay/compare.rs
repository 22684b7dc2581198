//! What came of a run, against what was expected of it.

use std::fmt::Display;

use chrono::{DateTime, Utc};

use super::expected::{Expected, ExpectedAlert, ExpectedNotification};
use super::found::Found;
use super::matching::{Item, Matching};

/// Something that is not as a run expects it.
#[derive(Clone, Debug)]
pub struct Difference {
    /// Which step of the case ran the job, from 1.
    pub step: usize,
    /// The line of the case in which that step begins.
    pub line: usize,
    /// The time of the run.
    pub run_at: DateTime<Utc>,
    /// What was expected: the key.
    pub what: &'static str,
    /// What was expected and is not so, and what is so and was not expected.
    pub lines: Vec<(Side, String)>,
}

/// Which side of a comparison a line stands on.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Side {
    /// It was expected and is not so.
    Expected,
    /// It is so and was not expected.
    Found,
    /// What else is known.
    Told,
}

impl Difference {
    /// One text a difference, for machines.
    pub fn texts(&self) -> Vec<String> {
        let Self { step, what, lines, .. } = self;
        if let [(Side::Expected, expected), (Side::Found, found), told @ ..] = lines.as_slice()
            && !["fired", "resolved", "alerts", "notifications", "entries"].contains(what)
        {
            let told = told.iter().fold(String::new(), |all, (_, text)| all + "; " + text);
            return vec![format!("step {step}: {what}: expected {expected}, found {found}{told}")];
        }
        let text = |(side, text): &(Side, String)| match side {
            Side::Expected => format!("step {step}: {what}: expected {text}"),
            Side::Found => format!("step {step}: {what}: found    {text}"),
            Side::Told => format!("step {step}: {what}: {text}"),
        };
        lines.iter().map(text).collect()
    }
}

/// What is other than expected, as the key and the lines of each difference; none if all is as
/// expected.
pub(super) fn compare(
    expected: &Expected,
    found: &Found,
) -> Vec<(&'static str, Vec<(Side, String)>)> {
    let Expected { fired, resolved, alerts, notifications, entries, .. } = expected;
    let lists = [
        ("fired", fired.as_ref().map(|wanted| lines(wanted, &found.fired, alert_instead))),
        ("resolved", resolved.as_ref().map(|wanted| lines(wanted, &found.resolved, alert_instead))),
        ("alerts", alerts.as_ref().map(|wanted| lines(wanted, &found.alerts, alert_instead))),
        (
            "notifications",
            notifications
                .as_ref()
                .map(|wanted| lines(wanted, &found.notifications, notification_instead)),
        ),
        ("entries", entries.as_ref().map(|wanted| entry_lines(wanted, &found.entries))),
    ];
    let mut differences: Vec<_> =
        lists.into_iter().filter_map(|(what, lines)| Some((what, lines?))).collect();
    for (what, wanted, found) in [
        ("entry_count", expected.entry_count, found.entry_count),
        ("unparsed_lines", expected.unparsed_lines, found.unparsed_lines),
        ("gaps", expected.gaps, found.gaps),
    ] {
        if let Some(wanted) = wanted.filter(|wanted| *wanted != found) {
            differences.push((what, both_sides(wanted, found)));
        }
    }
    if expected.errors != found.errors {
        let mut lines = both_sides(expected.errors, found.errors);
        lines.extend(found.told.iter().map(|text| (Side::Told, text.clone())));
        differences.push(("errors", lines));
    }
    differences.retain(|(_, lines)| !lines.is_empty());
    differences
}

fn both_sides(expected: impl Display, found: impl Display) -> Vec<(Side, String)> {
    vec![(Side::Expected, expected.to_string()), (Side::Found, found.to_string())]
}

/// What is missing, each with what may have come instead of it, then what nobody expected.
fn lines<T: Item + Display>(
    wanted: &[T],
    found: &[T],
    instead: impl Fn(&T, &T) -> String,
) -> Vec<(Side, String)> {
    let matching = Matching::of(wanted, found);
    let mut lines = Vec::new();
    for (index, one) in wanted.iter().enumerate() {
        if matching.fitting[index].is_some() {
            continue;
        }
        lines.push((Side::Expected, one.to_string()));
        let other = matching.instead[index].map(|other| instead(one, &found[other]));
        lines.extend(other.map(|text| (Side::Found, text)));
    }
    lines.extend(matching.new.iter().map(|&other| (Side::Found, found[other].to_string())));
    lines
}

fn entry_lines(wanted: &[String], found: &[String]) -> Vec<(Side, String)> {
    let matching = Matching::of(wanted, found);
    let missing = wanted.iter().zip(&matching.fitting).filter(|(_, fitting)| fitting.is_none());
    let missing = missing.map(|(entry, _)| (Side::Expected, format!("{entry:?}")));
    missing
        .chain(matching.new.iter().map(|&other| (Side::Found, format!("{:?}", found[other]))))
        .collect()
}

/// What was found instead of an alert: what the expected one says first, the rest in brackets.
fn alert_instead(wanted: &ExpectedAlert, found: &ExpectedAlert) -> String {
    let same = ExpectedAlert {
        rule: found.rule.clone(),
        source: found.source.clone().filter(|_| wanted.source.is_some()),
        group: found.group.clone().filter(|_| wanted.group.is_some()),
        started_at: found.started_at.filter(|_| wanted.started_at.is_some()),
        ended_at: found.ended_at.filter(|_| wanted.ended_at.is_some()),
        measured: found.measured.filter(|_| wanted.measured.is_some()),
        number: found.number.filter(|_| wanted.number.is_some()),
        state: found.state.filter(|_| wanted.state.is_some()),
        withdrawn: found.withdrawn.filter(|_| wanted.withdrawn.is_some()),
    };
    with_rest(same.to_string(), &same.details(), found.details())
}

fn notification_instead(wanted: &ExpectedNotification, found: &ExpectedNotification) -> String {
    let same = ExpectedNotification {
        rule: found.rule.clone(),
        source: found.source.clone().filter(|_| wanted.source.is_some()),
        group: found.group.clone().filter(|_| wanted.group.is_some()),
        kind: found.kind.clone(),
        number: found.number.filter(|_| wanted.number.is_some()),
        at: found.at.filter(|_| wanted.at.is_some()),
    };
    with_rest(same.to_string(), &same.details(), found.details())
}

fn with_rest(said: String, details: &[String], all: Vec<String>) -> String {
    let rest: Vec<String> = all.into_iter().filter(|detail| !details.contains(detail)).collect();
    if rest.is_empty() { said } else { format!("{said} ({})", rest.join(", ")) }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::expect;

    fn found(rule: &str, second: u32) -> ExpectedAlert {
        ExpectedAlert {
            rule: rule.to_owned(),
            source: Some("/var/log/app.log".to_owned()),
            started_at: Some(format!("2026-01-01T00:00:{second:02}Z").parse().unwrap()),
            measured: Some(1.0),
            ..ExpectedAlert::default()
        }
    }

    #[test]
    fn what_is_missing_stands_beside_what_came_instead() {
        let wanted = |rule: &str, measured| ExpectedAlert {
            rule: rule.to_owned(),
            measured,
            ..ExpectedAlert::default()
        };
        let lines = lines(
            &[wanted("fatal", None), wanted("fatal", Some(3.0)), wanted("other", None)],
            &[found("fatal", 5), found("burst", 7), found("fatal", 8)],
            alert_instead,
        );
        let difference = Difference {
            step: 2,
            line: 9,
            run_at: "2026-01-01T00:01:00Z".parse().unwrap(),
            what: "fired",
            lines,
        };
        expect![[r#"
            step 2: fired: expected fatal, measured 3
            step 2: fired: found    fatal, measured 1 (on /var/log/app.log, started 2026-01-01T00:00:08Z)
            step 2: fired: expected other
            step 2: fired: found    burst on /var/log/app.log, started 2026-01-01T00:00:07Z, measured 1"#]].assert_eq(&difference.texts().join("\n"));
    }
}
