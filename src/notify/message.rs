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

/// The notification on one line, fit for a terminal and a mail.
pub(super) fn line(due: &Due) -> String {
    let when = match due.kind.as_str() {
        "resolved" => format!(
            "fired {}, resolved after {}",
            local(due.started_at, &due.timezone),
            duration::display(due.ended_at - due.started_at)
        ),
        _ => format!("since {}", local(due.started_at, &due.timezone)),
    };
    let again = if due.number > 1 { " again" } else { "" };
    let mut line = format!(
        "{}{again}: {} {} (alert {}) on {}: {}, {when}",
        due.kind.to_uppercase(),
        due.severity,
        visible::line(&due.rule, NAME_CHARS),
        due.alert_id,
        source(due),
        summary(due),
    );
    if let Some(sample) = &due.sample
        && due.kind != "resolved"
    {
        line.push_str(": ");
        line.push_str(&visible::line(sample, MESSAGE_CHARS));
    }
    line
}

/// The source's name, with the path where the name does not say it.
fn source(due: &Due) -> String {
    let path = visible::line(&due.path, MESSAGE_CHARS);
    if due.source == due.path {
        path
    } else {
        format!("{} ({path})", visible::line(&due.source, NAME_CHARS))
    }
}

/// The rule's own summary, or what was counted.
fn summary(due: &Due) -> String {
    let within = duration::display(TimeDelta::seconds(due.within_seconds));
    let levels = due.levels.replace(',', " or ");
    let counted =
        format!("{} {levels} within {within} (threshold {})", due.measured, due.threshold);
    let Some(template) = &due.summary else { return counted };
    let rendered = Environment::new().render_str(
        template,
        context! {
            count => due.measured,
            threshold => due.threshold,
            within => within,
            levels => levels,
            rule => &due.rule,
            severity => &due.severity,
            source => &due.source,
            group => &due.source,
            started_at => local(due.started_at, &due.timezone),
        },
    );
    match rendered {
        Ok(text) => visible::line(&text, MESSAGE_CHARS),
        Err(error) => {
            log::warn!("rule {}: its summary cannot be rendered: {error}", due.rule);
            counted
        }
    }
}

/// A time in the zone of the log, so that it can be found there.
fn local(time: DateTime<Utc>, timezone: &str) -> String {
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
            alert_id: 7,
            kind: kind.to_owned(),
            rule: "error-burst".to_owned(),
            severity: "warning".to_owned(),
            levels: "ERROR,FATAL".to_owned(),
            within_seconds: 300,
            summary: None,
            source: "/var/log/app.log".to_owned(),
            path: "/var/log/app.log".to_owned(),
            timezone: "Europe/Berlin".to_owned(),
            started_at: "2026-01-01T11:03:05Z".parse().unwrap(),
            ended_at: "2026-01-01T11:08:05Z".parse().unwrap(),
            measured: 6,
            threshold: 5,
            number: 1,
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
    fn a_summary_of_the_rule_is_used_and_hostile_text_is_shown_escaped() {
        check(
            &Due {
                summary: Some("{{count}} errors from {{group}} in {{within}}".to_owned()),
                sample: Some("\x1b[31m{{ 7 * 7 }}\nFIRED: fake".to_owned()),
                ..due("fired")
            },
            &expect![[
                r"FIRED: warning error-burst (alert 7) on /var/log/app.log: 6 errors from /var/log/app.log in 5m, since 2026-01-01 12:03:05 +01:00: \u{1b}[31m{{ 7 * 7 }}\nFIRED: fake"
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
