//! What rules look for, in words: the one place that says what each kind means.
//!
//! A new kind says here in a few words what it looks for, at length when it holds, and over
//! which times that is decided.

use chrono::TimeDelta;

use super::rule::{GroupBy, RuleConfig, RuleKind};
use crate::duration;
use crate::model::{EventTime, Level, LevelSet};

/// A stretch of time that decides whether a rule holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Window {
    /// What lies in it, in a few words.
    pub name: String,
    /// Where it begins.
    pub from: EventTime,
    /// Where it ends.
    pub to: EventTime,
    /// Whether it is a bucket, which holds its beginning and not its end; else it is the other
    /// way round.
    pub is_bucket: bool,
}

/// About windows that end at each entry.
const SLIDES: &str = "The window at a time t is everything after t - within, up to and including \
     t: an entry that is exactly so much older has left it.";
/// About windows side by side.
const BUCKETS: &str = "Buckets of that length lie side by side since 1970-01-01 00:00 UTC; a \
     bucket holds its first moment and not its end, is judged when it is over and the log was \
     read beyond it, and buckets that follow each other are one alert.";

impl RuleConfig {
    /// What it looks for, in a few words: `5 ERROR or FATAL within 5m`.
    pub fn in_short(&self) -> String {
        let within = duration::display(self.within);
        let entries = self.entries();
        let at_least = self.at_least.unwrap_or(1);
        let factor = self.factor.unwrap_or_default();
        match self.kind {
            RuleKind::Threshold => {
                let until = self.clear_below.map(|count| format!(", until fewer than {count}"));
                format!("{} {entries} within {within}{}", self.count, until.unwrap_or_default())
            }
            RuleKind::Ratio => {
                let percent = self.percent.unwrap_or_default();
                format!("{percent}% of all are {entries}, and {at_least} or more, in {within}")
            }
            RuleKind::Spike => format!(
                "{factor} times as many {entries} as in the {within} before, and {at_least} or more"
            ),
            RuleKind::Baseline => format!(
                "{factor} times as many {entries} in {within} as usual at that time of the week, \
                 and {at_least} or more"
            ),
            RuleKind::Absence if self.count == 1 => format!("no {entries} within {within}"),
            RuleKind::Absence => format!("fewer than {} {entries} within {within}", self.count),
            RuleKind::New => {
                let lookback = duration::display(self.lookback.unwrap_or_default());
                let what = self.what_is_new();
                format!("{what} of {entries} that was not there for {lookback}")
            }
            RuleKind::Distinct => {
                let value = self.value.as_ref().map(ToString::to_string).unwrap_or_default();
                format!("{} different {value} of {entries} within {within}", self.count)
            }
            RuleKind::MissingFollowUp => {
                format!("{} within {within}", self.steps_joined(" without "))
            }
            RuleKind::Sequence => format!("{} within {within}", self.steps_joined(", then ")),
            RuleKind::Blind => self.blindness(),
            RuleKind::Sql => {
                format!("what the view {} returns", self.view.as_deref().unwrap_or_default())
            }
        }
    }

    /// When it holds, from when, and until when, with what happens at the edges.
    pub fn at_length(&self) -> String {
        let within = duration::display(self.within);
        match self.kind {
            RuleKind::Threshold => format!(
                "Holds from the matching entry that is number {} in the window of {within}, until \
                 fewer than {} are in it. {SLIDES} The moment at which it ends belongs to it: \
                 alerts that touch are one.",
                self.count,
                self.clear_below.unwrap_or(self.count),
            ),
            RuleKind::Ratio => format!(
                "Holds for a bucket of {within} in which matching entries are at least {}% of \
                 all entries, and at least {}. All lines are counted, stored or not. {BUCKETS}",
                self.percent.unwrap_or_default(),
                self.at_least.unwrap_or(1),
            ),
            RuleKind::Spike => format!(
                "Holds for a bucket of {within} with at least {} times as many matching entries \
                 as the bucket before it had, or as {} where that had fewer, and at least {}. \
                 {BUCKETS}",
                self.factor.unwrap_or_default(),
                self.floor,
                self.at_least.unwrap_or(1),
            ),
            RuleKind::Baseline => format!(
                "Holds for a bucket of {within} with at least {} times as many matching entries \
                 as the median of the same time in the weeks before, as far as {} back, or as {} \
                 where that is fewer, and at least {}. Only weeks count in which the log had a \
                 line at that time, and it takes two of them. A week is 168 hours, whatever \
                 clocks do. {BUCKETS}",
                self.factor.unwrap_or_default(),
                duration::display(self.lookback.unwrap_or_default()),
                self.floor,
                self.at_least.unwrap_or(1),
            ),
            RuleKind::Absence => format!(
                "Holds while fewer than {} matching lines lie in the window of {within}, of a log \
                 that had one within {}: until there are as many again, or until that is over. It \
                 is judged once the log was read up to then. {SLIDES}",
                self.count,
                duration::display(self.lookback.unwrap_or_default()),
            ),
            RuleKind::New => format!(
                "Holds at the moment of a matching entry with {} that was not seen for {}; one \
                 that is exactly so much older was not seen within it. It is over at once.",
                self.what_is_new(),
                duration::display(self.lookback.unwrap_or_default()),
            ),
            RuleKind::Distinct => format!(
                "Holds for a bucket of {within} with at least {} different values of {}. {BUCKETS}",
                self.count,
                self.value.as_ref().map(ToString::to_string).unwrap_or_default(),
            ),
            RuleKind::MissingFollowUp => format!(
                "Holds from {within} after an entry of the first pattern, if none of its group \
                 that matches the second comes at the same time or up to and including {within} \
                 later; until one comes."
            ),
            RuleKind::Sequence => format!(
                "Holds at the moment of an entry that completes the patterns, one after the other \
                 by different entries of one group, the last less than {within} after the first. \
                 While it goes on being completed it is one alert. It is over at once."
            ),
            RuleKind::Blind => format!(
                "Holds while the log cannot be read, and at the moment at which bytes of it were \
                 lost{}{}.{}",
                self.stale_after.map_or_else(String::new, |length| format!(
                    "; while no line lies in the window of {}",
                    duration::display(length)
                )),
                self.percent.map_or_else(String::new, |percent| format!(
                    "; and for a bucket of {within} of whose lines more than {percent}% could \
                     not be parsed, and at least {}",
                    self.at_least.unwrap_or(1)
                )),
                match (self.stale_after, self.percent) {
                    (_, Some(_)) => format!(" {BUCKETS}"),
                    (Some(_), None) => format!(" {SLIDES}"),
                    (None, None) => String::new(),
                },
            ),
            RuleKind::Sql => format!(
                "Holds from started_at to ended_at (null: it goes on) of each row that the view {} \
                 returns, for its group_key. Every run reads the view; what it no longer returns \
                 no longer holds.",
                self.view.as_deref().unwrap_or_default()
            ),
        }
    }

    /// The stretches of time that decide whether it holds at a time.
    pub fn windows_at(&self, time: EventTime) -> Vec<Window> {
        let back = |name: &str, length: TimeDelta| Window {
            name: name.to_owned(),
            from: time.saturating_add(-length),
            to: time,
            is_bucket: false,
        };
        let length = self.within.num_microseconds().unwrap_or(i64::MAX).max(1);
        let start = EventTime(time.0.div_euclid(length).saturating_mul(length));
        let bucket = |weeks: i32| {
            let from = start.saturating_add(-TimeDelta::weeks(1) * weeks);
            let name = if weeks == 0 { "bucket".to_owned() } else { format!("week -{weeks}") };
            Window { name, from, to: from.saturating_add(self.within), is_bucket: true }
        };
        let lookback = self.lookback.unwrap_or_default();
        match self.kind {
            RuleKind::Threshold | RuleKind::MissingFollowUp | RuleKind::Sequence => {
                vec![back("window", self.within)]
            }
            RuleKind::Ratio | RuleKind::Distinct => vec![bucket(0)],
            RuleKind::Spike => {
                let before = start.saturating_add(-self.within);
                vec![
                    bucket(0),
                    Window { name: "before".to_owned(), from: before, to: start, is_bucket: true },
                ]
            }
            RuleKind::Baseline => {
                let weeks = i32::try_from(lookback.num_weeks()).unwrap_or(i32::MAX).min(53);
                (0..=weeks).map(bucket).collect()
            }
            RuleKind::Absence => vec![back("window", self.within), back("lookback", lookback)],
            RuleKind::New => vec![back("lookback", lookback)],
            RuleKind::Blind => {
                let silent = self.stale_after.map(|length| back("window", length));
                silent.into_iter().chain(self.percent.map(|_| bucket(0))).collect()
            }
            RuleKind::Sql => Vec::new(),
        }
    }

    /// The keys that mean something for it, each with what it is, defaults included.
    pub fn parameters(&self) -> Vec<(&'static str, String)> {
        let mut parameters = Vec::new();
        if !matches!(self.kind, RuleKind::Blind | RuleKind::Sql) {
            parameters.push(("levels", listed(self.levels.iter().map(Level::as_str))));
            if self.match_entry {
                parameters.push(("match", "entry".to_owned()));
            }
        }
        let patterns = self.patterns().into_iter();
        parameters.extend(patterns.map(|(key, pattern)| (key, pattern.to_owned())));
        let keys = self.kind.keys();
        for key in keys.required.iter().chain(keys.optional) {
            parameters.extend(self.of_kind(key).map(|value| (*key, value)));
        }
        if let Some(sources) = &self.sources {
            parameters.push(("sources", listed(sources.iter().map(String::as_str))));
        }
        let groups: Vec<String> = self.group_by.iter().map(ToString::to_string).collect();
        if !groups.is_empty() {
            parameters.push(("group_by", listed(groups.iter().map(String::as_str))));
        }
        for (key, length) in [("for", self.holds_for), ("keep_firing", self.keep_firing)] {
            if length > TimeDelta::zero() {
                parameters.push((key, duration::display(length)));
            }
        }
        parameters
    }

    /// A key that only some kinds have; `None` where it says nothing.
    fn of_kind(&self, key: &str) -> Option<String> {
        let length = |length: Option<TimeDelta>| length.map(duration::display);
        match key {
            "count" => Some(self.count.to_string()),
            "within" => length(Some(self.within)),
            "percent" => self.percent.map(|percent| percent.to_string()),
            "at_least" => self.at_least.map(|count| count.to_string()),
            "factor" => self.factor.map(|factor| factor.to_string()),
            "floor" => Some(self.floor.to_string()),
            "lookback" => length(self.lookback),
            "clear_below" => self.clear_below.map(|count| count.to_string()),
            "value" => self.value.as_ref().map(ToString::to_string),
            "stale_after" => length(self.stale_after),
            "view" => self.view.clone(),
            _ => None,
        }
    }

    /// Every regular expression of it, each with the key under which the config has it.
    pub fn patterns(&self) -> Vec<(&'static str, &str)> {
        let exclude = self.exclude.iter().map(|pattern| ("exclude", pattern.as_str()));
        let steps = self.steps.iter().enumerate().filter_map(|(place, step)| match self.kind {
            // The first one is its pattern.
            RuleKind::MissingFollowUp if place == 0 => None,
            RuleKind::MissingFollowUp => Some(("follow_up", step.as_str())),
            _ => Some(("steps", step.as_str())),
        });
        let pattern = self.pattern.iter().map(|pattern| ("pattern", pattern.as_str()));
        pattern.chain(exclude).chain(steps).collect()
    }

    /// Which entries count: `ERROR or FATAL matching 'timeout'`.
    fn entries(&self) -> String {
        let levels = levels(self.levels);
        let matching = self.pattern.as_ref().map(|pattern| format!(" matching '{pattern}'"));
        let except = match self.exclude.len() {
            0 => String::new(),
            1 => format!(" but not '{}'", self.exclude[0]),
            count => format!(" but not {count} patterns"),
        };
        format!("{levels}{}{except}", matching.unwrap_or_default())
    }

    fn what_is_new(&self) -> String {
        let others = self.group_by.iter().filter(|by| **by != GroupBy::Source);
        let named: Vec<String> = others.map(ToString::to_string).collect();
        if named.is_empty() { "a message".to_owned() } else { format!("a {}", named.join(" | ")) }
    }

    fn steps_joined(&self, between: &str) -> String {
        let steps: Vec<String> = self.steps.iter().map(|step| format!("'{step}'")).collect();
        steps.join(between)
    }

    fn blindness(&self) -> String {
        let mut signs = vec!["a log that cannot be read or lost bytes".to_owned()];
        if let Some(length) = self.stale_after {
            signs.push(format!("is silent for {}", duration::display(length)));
        }
        if let Some(percent) = self.percent {
            let within = duration::display(self.within);
            signs.push(format!("has more than {percent}% lines in {within} that do not parse"));
        }
        signs.join(", or ")
    }
}

fn listed<'a>(words: impl Iterator<Item = &'a str>) -> String {
    words.collect::<Vec<_>>().join(", ")
}

/// Levels as one says them; all of them are simply entries.
fn levels(levels: LevelSet) -> String {
    if levels == LevelSet::all() {
        return "entries".to_owned();
    }
    let names: Vec<&str> = levels.iter().map(Level::as_str).collect();
    match names.as_slice() {
        [all_but_last @ .., last] if !all_but_last.is_empty() => {
            format!("{} or {last}", all_but_last.join(", "))
        }
        names => names.concat(),
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use expect_test::expect;

    use super::*;

    /// A rule of a kind with everything that the kind may have.
    fn rule(kind: RuleKind) -> RuleConfig {
        RuleConfig {
            count: 3,
            percent: Some(2.5),
            at_least: Some(4),
            factor: Some(1.5),
            lookback: Some(TimeDelta::days(14)),
            steps: vec!["a".to_owned(), r"\d".to_owned()],
            stale_after: Some(TimeDelta::hours(1)),
            view: Some("mine".to_owned()),
            ..RuleConfig::new("x", kind)
        }
    }

    #[test]
    fn every_kind_is_told_at_length() {
        let mut told = String::new();
        for kind in RuleKind::ALL {
            let length =
                rule(kind).at_length().replace(SLIDES, "SLIDES").replace(BUCKETS, "BUCKETS");
            writeln!(told, "{}: {length}", kind.as_str()).unwrap();
        }
        expect![[r#"
            threshold: Holds from the matching entry that is number 3 in the window of 5m, until fewer than 3 are in it. SLIDES The moment at which it ends belongs to it: alerts that touch are one.
            ratio: Holds for a bucket of 5m in which matching entries are at least 2.5% of all entries, and at least 4. All lines are counted, stored or not. BUCKETS
            spike: Holds for a bucket of 5m with at least 1.5 times as many matching entries as the bucket before it had, or as 1 where that had fewer, and at least 4. BUCKETS
            baseline: Holds for a bucket of 5m with at least 1.5 times as many matching entries as the median of the same time in the weeks before, as far as 14d back, or as 1 where that is fewer, and at least 4. Only weeks count in which the log had a line at that time, and it takes two of them. A week is 168 hours, whatever clocks do. BUCKETS
            absence: Holds while fewer than 3 matching lines lie in the window of 5m, of a log that had one within 14d: until there are as many again, or until that is over. It is judged once the log was read up to then. SLIDES
            new: Holds at the moment of a matching entry with a message that was not seen for 14d; one that is exactly so much older was not seen within it. It is over at once.
            distinct: Holds for a bucket of 5m with at least 3 different values of $1. BUCKETS
            missing_follow_up: Holds from 5m after an entry of the first pattern, if none of its group that matches the second comes at the same time or up to and including 5m later; until one comes.
            sequence: Holds at the moment of an entry that completes the patterns, one after the other by different entries of one group, the last less than 5m after the first. While it goes on being completed it is one alert. It is over at once.
            blind: Holds while the log cannot be read, and at the moment at which bytes of it were lost; while no line lies in the window of 1h; and for a bucket of 5m of whose lines more than 2.5% could not be parsed, and at least 4. BUCKETS
            sql: Holds from started_at to ended_at (null: it goes on) of each row that the view mine returns, for its group_key. Every run reads the view; what it no longer returns no longer holds.
        "#]].assert_eq(&told);
    }

    #[test]
    fn a_bucket_holds_its_time_also_before_1970() {
        let second = |second: i64| EventTime(second * 1_000_000);
        for (time, from, to) in [(0, 0, 300), (299, 0, 300), (300, 300, 600), (-1, -300, 0)] {
            let windows = rule(RuleKind::Ratio).windows_at(second(time));
            let expected = (second(from), second(to), true);
            assert_eq!((windows[0].from, windows[0].to, windows[0].is_bucket), expected);
        }
        let names = |kind| -> Vec<String> {
            rule(kind).windows_at(second(0)).into_iter().map(|window| window.name).collect()
        };
        assert_eq!(names(RuleKind::Baseline), ["bucket", "week -1", "week -2"]);
        assert_eq!(names(RuleKind::Blind), ["window", "bucket"]);
        assert_eq!(names(RuleKind::Sql), Vec::<String>::new());
    }
}
