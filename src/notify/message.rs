//! What a notification says, on one line.

use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use minijinja::{Environment, context};

use super::outbox::Due;
use crate::{duration, visible};

/// Characters of a message that are shown.
const MESSAGE_CHARS: usize = 160;
/// Characters of a name that are shown.
const NAME_CHARS: usize = 100;

/// What rendering a template may cost.
pub(super) const FUEL: u64 = 100_000;

/// The notification on one line, fit for a terminal and a mail.
pub(super) fn line(due: &Due) -> String {
    match due.kind.as_str() {
        "storm" => return storm(due),
        "storm_over" => return storm_over(due),
        _ => {}
    }
    let since = local(due.started_at, &due.timezone);
    let when = match (due.kind.as_str(), due.ended_at) {
        ("resolved", _) if due.is_withdrawn => {
            format!("fired {since}, withdrawn: what came later says that it did not hold")
        }
        ("resolved", Some(ended_at)) if ended_at > due.started_at => {
            let lasted = duration::display(ended_at - due.started_at);
            format!("fired {since}, resolved after {lasted}")
        }
        ("resolved", _) => format!("fired {since}"),
        _ => format!("since {since}"),
    };
    let again = if due.number > 1 && due.kind != "reminder" { " again" } else { "" };
    let mut line = format!(
        "{}{again}: {} {} (alert {}) on {}: {}, {when}",
        due.kind.to_uppercase(),
        due.severity,
        visible::line(&due.rule, NAME_CHARS),
        due.alert_id,
        place(due),
        summary(due),
    );
    if let Some(sample) = &due.sample
        && due.tells_beginning
    {
        line.push_str(": ");
        line.push_str(&visible::line(sample, MESSAGE_CHARS));
    }
    line
}

/// What was not told one by one.
fn storm(due: &Due) -> String {
    let alerts = if due.further == 1 { "one more alert" } else { "more alerts" };
    let number = if due.further == 1 { String::new() } else { format!("{} ", due.further) };
    format!(
        "STORM: {} {}: {number}{alerts}, the first of them alert {} on {}; see: tripline alerts --all",
        due.severity,
        visible::line(&due.rule, NAME_CHARS),
        due.alert_id,
        place(due),
    )
}

fn storm_over(due: &Due) -> String {
    format!(
        "STORM OVER: {} {}: all alerts are over that were not told one by one; see: tripline alerts --all",
        due.severity,
        visible::line(&due.rule, NAME_CHARS),
    )
}

/// The source's name, with the path where the name does not say it, and the group.
pub(super) fn place(due: &Due) -> String {
    let path = visible::line(&due.path, MESSAGE_CHARS);
    let source = if due.is_across {
        "all sources".to_owned()
    } else if due.source == due.path {
        path
    } else {
        format!("{} ({path})", visible::line(&due.source, NAME_CHARS))
    };
    if due.group.is_empty() {
        return source;
    }
    format!("{source} for {}", visible::line(&due.group, NAME_CHARS))
}

/// The rule's own summary, or what was measured.
pub(super) fn summary(due: &Due) -> String {
    let within = duration::display(TimeDelta::seconds(due.within_seconds));
    let measured = measured(due, &within);
    let Some(template) = &due.summary else { return measured };
    let group = if due.group.is_empty() { &due.source } else { &due.group };
    let mut environment = Environment::new();
    // A template that never ends ends here.
    environment.set_fuel(Some(FUEL));
    let rendered = environment.render_str(
        template,
        context! {
            count => number(due.measured),
            threshold => number(due.threshold),
            within => within,
            levels => levels(due),
            rule => &due.rule,
            kind => &due.rule_kind,
            severity => &due.severity,
            source => &due.source,
            group => group,
            runbook => &due.runbook,
            started_at => local(due.started_at, &due.timezone),
        },
    );
    match rendered {
        Ok(text) => visible::line(&text, MESSAGE_CHARS),
        Err(error) => {
            log::warn!("rule {}: its summary cannot be rendered: {error}", due.rule);
            measured
        }
    }
}

/// What was measured, in the words of the rule's kind.
fn measured(due: &Due, within: &str) -> String {
    let Due { measured, threshold, .. } = due;
    let entries = levels(due);
    let factor = due.factor.unwrap_or(1.0);
    match due.rule_kind.as_str() {
        "ratio" => format!("{measured} % are {entries} within {within} (threshold {threshold} %)"),
        "spike" => format!(
            "{measured} {entries} within {within} (at least {threshold}, and {factor} times as many as before)"
        ),
        "baseline" => format!(
            "{measured} {entries} within {within} (at least {threshold}, and {factor} times as many as usual)"
        ),
        "absence" => format!("{measured} {entries} within {within} (fewer than {threshold})"),
        "new" => {
            let lookback = duration::display(TimeDelta::seconds(due.lookback_seconds));
            format!("not seen for {lookback}")
        }
        "distinct" => {
            format!("{measured} different values within {within} (threshold {threshold})")
        }
        "missing_follow_up" => format!("{measured} without what must follow within {within}"),
        "sequence" => format!("all steps within {within}"),
        "blind" => match due.group.as_str() {
            "unreadable" => "the log cannot be read".to_owned(),
            "silent" => "no line".to_owned(),
            "gap" => format!("at least {measured} bytes were lost"),
            _ => format!("{measured} % of the lines cannot be parsed (threshold {threshold} %)"),
        },
        "sql" => format!("its view says {measured}"),
        _ => format!("{measured} {entries} within {within} (threshold {threshold})"),
    }
}

/// As a template shows it: whole where it is whole.
fn number(measured: f64) -> minijinja::Value {
    #[expect(clippy::cast_possible_truncation, reason = "it is whole and small enough")]
    if measured.fract() == 0.0 && measured.abs() < 1e15 {
        (measured as i64).into()
    } else {
        measured.into()
    }
}

/// What is counted: `ERROR or FATAL`.
fn levels(due: &Due) -> String {
    if due.levels.is_empty() { "entries".to_owned() } else { due.levels.replace(',', " or ") }
}

/// A time in the zone of the log, so that it can be found there.
pub(super) fn local(time: DateTime<Utc>, timezone: &str) -> String {
    let zone: Tz = timezone.parse().unwrap_or(Tz::UTC);
    time.with_timezone(&zone).format("%Y-%m-%d %H:%M:%S%.f %:z").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};

    fn due(kind: &str) -> Due {
        Due {
            id: 1,
            source_id: 1,
            host: "web1".to_owned(),
            about_host: Some("web1".to_owned()),
            created_at: "2026-01-01T11:04:00Z".parse().unwrap(),
            attempts: 0,
            alert_id: 7,
            kind: kind.to_owned(),
            tells_beginning: kind == "fired",
            rule: "error-burst".to_owned(),
            rule_kind: "threshold".to_owned(),
            group: String::new(),
            factor: None,
            lookback_seconds: 0,
            runbook: None,
            is_across: false,
            is_withdrawn: false,
            severity: "warning".to_owned(),
            levels: "ERROR,FATAL".to_owned(),
            within_seconds: 300,
            summary: None,
            source: "/var/log/app.log".to_owned(),
            path: "/var/log/app.log".to_owned(),
            timezone: "Europe/Berlin".to_owned(),
            first_seen_at: "2026-01-01T00:00:00Z".parse().unwrap(),
            started_at: "2026-01-01T11:03:05Z".parse().unwrap(),
            ended_at: Some("2026-01-01T11:08:05Z".parse().unwrap()),
            measured: 6.0,
            threshold: 5.0,
            number: 1,
            further: 0,
            sample: Some("connection lost".to_owned()),
        }
    }

    fn check(due: &Due, expected: &Expect) {
        expected.assert_eq(&line(due));
    }

    #[test]
    fn an_alert_that_fires_says_what_since_when_and_where() {
        check(
            &due("fired"),
            &expect![
                "FIRED: warning error-burst (alert 7) on /var/log/app.log: 6 ERROR or FATAL within 5m (threshold 5), since 2026-01-01 12:03:05 +01:00: connection lost"
            ],
        );
        check(
            &Due { number: 2, source: "app".to_owned(), sample: None, ..due("fired") },
            &expect![
                "FIRED again: warning error-burst (alert 7) on app (/var/log/app.log): 6 ERROR or FATAL within 5m (threshold 5), since 2026-01-01 12:03:05 +01:00"
            ],
        );
    }

    #[test]
    fn an_alert_that_is_over_says_how_long_it_lasted() {
        check(
            &due("resolved"),
            &expect![
                "RESOLVED: warning error-burst (alert 7) on /var/log/app.log: 6 ERROR or FATAL within 5m (threshold 5), fired 2026-01-01 12:03:05 +01:00, resolved after 5m"
            ],
        );
    }

    #[test]
    fn one_that_is_over_when_it_is_first_told_says_what_it_was() {
        check(
            &Due { tells_beginning: true, ..due("resolved") },
            &expect![
                "RESOLVED: warning error-burst (alert 7) on /var/log/app.log: 6 ERROR or FATAL within 5m (threshold 5), fired 2026-01-01 12:03:05 +01:00, resolved after 5m: connection lost"
            ],
        );
    }

    #[test]
    fn a_reminder_and_a_storm_say_what_they_are() {
        check(
            &Due { number: 2, sample: None, ..due("reminder") },
            &expect![
                "REMINDER: warning error-burst (alert 7) on /var/log/app.log: 6 ERROR or FATAL within 5m (threshold 5), since 2026-01-01 12:03:05 +01:00"
            ],
        );
        check(
            &Due { further: 213, group: "192.0.2.7".to_owned(), ..due("storm") },
            &expect![
                "STORM: warning error-burst: 213 more alerts, the first of them alert 7 on /var/log/app.log for 192.0.2.7; see: tripline alerts --all"
            ],
        );
        check(
            &Due { further: 1, ..due("storm") },
            &expect![
                "STORM: warning error-burst: one more alert, the first of them alert 7 on /var/log/app.log; see: tripline alerts --all"
            ],
        );
    }

    #[test]
    fn what_only_some_hear_can_be_said_too() {
        check(
            &Due { sample: None, ..due("acknowledged") },
            &expect![
                "ACKNOWLEDGED: warning error-burst (alert 7) on /var/log/app.log: 6 ERROR or FATAL within 5m (threshold 5), since 2026-01-01 12:03:05 +01:00"
            ],
        );
        check(
            &due("storm_over"),
            &expect![
                "STORM OVER: warning error-burst: all alerts are over that were not told one by one; see: tripline alerts --all"
            ],
        );
    }

    #[test]
    fn a_summary_of_the_rule_is_used_and_hostile_text_is_shown_escaped() {
        check(
            &Due {
                summary: Some("{{count}} errors from {{group}} in {{within}}".to_owned()),
                sample: Some("\x1b[31m{{ 7 * 7 }}\nFIRED: fake".to_owned()),
                ..due("fired")
            },
            &expect![[
                r#"FIRED: warning error-burst (alert 7) on /var/log/app.log: 6 errors from /var/log/app.log in 5m, since 2026-01-01 12:03:05 +01:00: \u{1b}[31m{{ 7 * 7 }}\nFIRED: fake"#
            ]],
        );
    }

    #[test]
    fn a_broken_summary_falls_back_to_the_default() {
        check(
            &Due { summary: Some("{{count".to_owned()), sample: None, ..due("fired") },
            &expect![
                "FIRED: warning error-burst (alert 7) on /var/log/app.log: 6 ERROR or FATAL within 5m (threshold 5), since 2026-01-01 12:03:05 +01:00"
            ],
        );
    }
}
