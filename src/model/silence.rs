//! Silences: times in which people do not want to be told of some alerts.

use chrono::{DateTime, Utc};

use super::WeeklyHours;

/// A silence that nobody has ended.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Silence {
    /// Its number.
    pub id: i64,
    /// Name of the rule that it mutes; `None`: any.
    pub rule: Option<String>,
    /// The group, or the name or path of the source, that it mutes; `None`: any.
    pub group: Option<String>,
    /// The severity that it mutes; `None`: any.
    pub severity: Option<String>,
    /// From when.
    pub starts_at: DateTime<Utc>,
    /// Until when; `None`: for ever.
    pub ends_at: Option<DateTime<Utc>>,
    /// Within that time only in these hours; `None`: always.
    pub weekly: Option<WeeklyHours>,
}

/// What of an alert silences are about.
#[derive(Clone, Copy, Debug)]
pub struct Subject<'a> {
    /// Name of its rule.
    pub rule: &'a str,
    /// What the rule groups by besides the source.
    pub group: &'a str,
    /// Name of its source.
    pub source: &'a str,
    /// Path of its source.
    pub path: &'a str,
    /// How urgent it is.
    pub severity: &'a str,
}

impl Silence {
    /// Whether it mutes an alert, at whatever time.
    pub fn is_about(&self, alert: &Subject<'_>) -> bool {
        let groups = [alert.group, alert.source, alert.path];
        self.rule.as_deref().is_none_or(|rule| rule == alert.rule)
            && self.group.as_deref().is_none_or(|group| groups.contains(&group))
            && self.severity.as_deref().is_none_or(|severity| severity == alert.severity)
    }

    /// Whether it is in force. Its first moment belongs to it, its end does not.
    pub fn holds_at(&self, time: DateTime<Utc>) -> bool {
        self.starts_at <= time
            && self.ends_at.is_none_or(|end| time < end)
            && self.weekly.as_ref().is_none_or(|hours| hours.contains(time))
    }

    /// The first moment at or after `time`, at which it holds, from which it does not; `None`: never.
    pub fn until(&self, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let hours_end = self.weekly.as_ref().and_then(|hours| hours.end(time));
        self.ends_at.into_iter().chain(hours_end).min()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn time(text: &str) -> DateTime<Utc> {
        text.parse().unwrap()
    }

    fn silence() -> Silence {
        Silence {
            id: 1,
            rule: None,
            group: None,
            severity: None,
            starts_at: time("2026-01-01T00:00:00Z"),
            ends_at: Some(time("2026-02-01T00:00:00Z")),
            weekly: None,
        }
    }

    #[test]
    fn it_holds_from_its_beginning_to_before_its_end() {
        let silence = silence();
        assert!(!silence.holds_at(time("2025-12-31T23:59:59Z")));
        assert!(silence.holds_at(time("2026-01-01T00:00:00Z")));
        assert!(silence.holds_at(time("2026-01-31T23:59:59Z")));
        assert!(!silence.holds_at(time("2026-02-01T00:00:00Z")));
        assert_eq!(silence.until(time("2026-01-05T00:00:00Z")), silence.ends_at);
    }

    #[test]
    fn a_recurring_one_holds_in_its_hours() {
        let silence = Silence {
            weekly: Some("weekly sun 02:00-04:00".parse().unwrap()),
            ends_at: None,
            ..silence()
        };
        assert!(!silence.holds_at(time("2026-01-04T01:59:59Z")));
        assert!(silence.holds_at(time("2026-01-04T02:00:00Z")));
        assert!(!silence.holds_at(time("2026-01-04T04:00:00Z")));
        assert_eq!(silence.until(time("2026-01-04T02:30:10Z")), Some(time("2026-01-04T04:00:00Z")));
        let always = Silence { weekly: Some("00:00-24:00".parse().unwrap()), ..silence };
        assert_eq!(always.until(time("2026-01-04T02:30:10Z")), None);
    }

    #[test]
    fn it_is_about_what_it_names() {
        let alert = Subject {
            rule: "burst",
            group: "192.0.2.1",
            source: "app",
            path: "/var/log/app.log",
            severity: "warning",
        };
        let some = |text: &str| Some(text.to_owned());
        for (rule, group, severity, is_about) in [
            (None, None, None, true),
            (some("burst"), None, None, true),
            (some("other"), None, None, false),
            (None, some("192.0.2.1"), None, true),
            (some("burst"), some("app"), some("warning"), true),
            (None, some("/var/log/app.log"), None, true),
            (None, some("/var/log"), None, false),
            (some("burst"), None, some("critical"), false),
        ] {
            let silence = Silence { rule, group, severity, ..silence() };
            assert_eq!(silence.is_about(&alert), is_about, "{silence:?}");
        }
    }
}
