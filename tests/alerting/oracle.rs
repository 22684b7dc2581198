//! The definition of a threshold rule, as slow and as plain as it can be said.
//!
//! All times are microseconds.

use std::fmt;

use chrono::TimeDelta;
use proptest::prelude::*;
use tripline::config::{GroupBy, RuleConfig, RuleKind};
use tripline::model::{Level, LevelSet, Severity};

pub(crate) const SECOND: i64 = 1_000_000;

/// One entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) at: i64,
    pub(crate) level: Level,
    pub(crate) message: String,
}

/// A pattern and what it means, so that no second regular expression engine has to agree with
/// PostgreSQL's.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern {
    pub(crate) regex: &'static str,
    pub(crate) matches: fn(&str) -> bool,
}

pub(crate) const PATTERNS: [Pattern; 5] = [
    Pattern { regex: "disk", matches: |line| line.contains("disk") },
    Pattern { regex: "^disk", matches: |line| line.starts_with("disk") },
    Pattern { regex: "full$", matches: |line| line.ends_with("full") },
    Pattern {
        regex: r"(?i)disk\s.*full|refused",
        matches: |line| {
            let line = line.to_lowercase();
            let after_disk = line.find("disk ").map(|at| &line[at..]);
            after_disk.is_some_and(|rest| rest.contains("full")) || line.contains("refused")
        },
    },
    Pattern { regex: "^$", matches: str::is_empty },
];

/// A rule of kind `threshold`.
#[derive(Clone)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) levels: Vec<Level>,
    pub(crate) pattern: Option<Pattern>,
    pub(crate) count: usize,
    pub(crate) within_seconds: i64,
}

/// From when to when a rule holds, and the most matching entries in one window.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) struct Episode {
    pub(crate) rule: String,
    pub(crate) started_at: i64,
    pub(crate) ended_at: i64,
    pub(crate) measured: i64,
}

impl Rule {
    /// The rule as the config has it.
    pub(crate) fn config(&self) -> RuleConfig {
        RuleConfig {
            name: self.name.clone(),
            kind: RuleKind::Threshold,
            levels: self.levels.iter().copied().collect::<LevelSet>(),
            pattern: self.pattern.map(|pattern| pattern.regex.to_owned()),
            count: u32::try_from(self.count).unwrap(),
            within: TimeDelta::seconds(self.within_seconds),
            group_by: vec![GroupBy::Source],
            severity: Severity::Warning,
            summary: None,
        }
    }

    fn matches(&self, line: &Line) -> bool {
        let first_line = line.message.split('\n').next().unwrap();
        self.levels.contains(&line.level)
            && self.pattern.is_none_or(|pattern| (pattern.matches)(first_line))
    }

    fn within(&self) -> i64 {
        self.within_seconds * SECOND
    }

    /// The times of the matching entries, in order.
    fn matching_times(&self, lines: &[Line]) -> Vec<i64> {
        let mut times: Vec<i64> =
            lines.iter().filter(|line| self.matches(line)).map(|line| line.at).collect();
        times.sort_unstable();
        times
    }

    /// How many of these times lie in the window `(at - within, at]`.
    fn in_window(&self, times: &[i64], at: i64) -> usize {
        times.iter().filter(|&&time| at - self.within() < time && time <= at).count()
    }

    /// The episodes that all entries of a source give.
    ///
    /// At an entry whose (count - 1)-th predecessor is less than `within` older, the rule holds
    /// until that one leaves the window. Intervals are closed; those that touch are one.
    pub(crate) fn episodes(&self, lines: &[Line]) -> Vec<Episode> {
        let times = self.matching_times(lines);
        let mut intervals = Vec::new();
        for (i, &at) in times.iter().enumerate() {
            if i + 1 >= self.count {
                let oldest = times[i + 1 - self.count];
                if oldest > at - self.within() {
                    intervals.push((at, oldest + self.within()));
                }
            }
        }
        union(intervals)
            .into_iter()
            .map(|(started_at, ended_at)| {
                let inside = times.iter().filter(|&&at| started_at <= at && at <= ended_at);
                let measured = inside.map(|&at| self.in_window(&times, at)).max().unwrap();
                Episode {
                    rule: self.name.clone(),
                    started_at,
                    ended_at,
                    measured: i64::try_from(measured).unwrap(),
                }
            })
            .collect()
    }

    /// The same from the other end: the rule holds at each moment at whose window it is full.
    ///
    /// That can change only where an entry enters the window or leaves it.
    fn intervals_by_moment(&self, lines: &[Line]) -> Vec<(i64, i64)> {
        let times = self.matching_times(lines);
        let mut moments: Vec<i64> =
            times.iter().flat_map(|&time| [time, time + self.within()]).collect();
        moments.sort_unstable();
        let holds = |pair: &&[i64]| self.in_window(&times, pair[0]) >= self.count;
        union(moments.windows(2).filter(holds).map(|pair| (pair[0], pair[1])).collect())
    }
}

/// Joins closed intervals as long as two of them touch.
fn union(mut intervals: Vec<(i64, i64)>) -> Vec<(i64, i64)> {
    intervals.sort_unstable();
    let mut joined: Vec<(i64, i64)> = Vec::new();
    for (from, to) in intervals {
        match joined.last_mut() {
            Some(last) if from <= last.1 => last.1 = last.1.max(to),
            _ => joined.push((from, to)),
        }
    }
    joined
}

impl fmt::Debug for Rule {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { name, levels, pattern, count, within_seconds } = self;
        let pattern = pattern.map_or("anything", |pattern| pattern.regex);
        write!(f, "{name}: {count} {levels:?} matching {pattern:?} within {within_seconds}s")
    }
}

fn rule(count: usize, within_seconds: i64) -> Rule {
    Rule { name: "r".to_owned(), levels: vec![Level::Error], pattern: None, count, within_seconds }
}

fn lines_at(times: &[i64]) -> Vec<Line> {
    let line = |&at: &i64| Line { at, level: Level::Error, message: "x".to_owned() };
    times.iter().map(line).collect()
}

/// (`started_at`, `ended_at`, `measured`) in seconds.
fn in_seconds(count: usize, within_seconds: i64, seconds: &[i64]) -> Vec<(i64, i64, i64)> {
    let times: Vec<i64> = seconds.iter().map(|second| second * SECOND).collect();
    let episodes = rule(count, within_seconds).episodes(&lines_at(&times));
    let shown = |one: &Episode| (one.started_at / SECOND, one.ended_at / SECOND, one.measured);
    episodes.iter().map(shown).collect()
}

#[test]
fn the_definition_by_example() {
    // The oldest of the three leaves the window at 10.
    assert_eq!(in_seconds(3, 10, &[0, 4, 9]), [(9, 10, 3)]);
    // The window (t - within, t] is open at its old end.
    assert_eq!(in_seconds(3, 10, &[0, 4, 10]), []);
    // Each further entry keeps it full.
    assert_eq!(in_seconds(2, 10, &[0, 5, 10, 12]), [(5, 20, 3)]);
    // From 9 to 10 and from 10 on: they touch.
    assert_eq!(in_seconds(2, 10, &[0, 9, 10, 30]), [(9, 19, 2)]);
    assert_eq!(in_seconds(1, 10, &[0, 10, 21]), [(0, 20, 1), (21, 31, 1)]);
    // Several in one moment.
    assert_eq!(in_seconds(3, 10, &[5, 5, 5]), [(5, 15, 3)]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_ways_to_say_it_are_the_same(
        seconds in prop::collection::vec((0i64..60, -1i64..=1), 0..40),
        count in 1usize..6,
        within_seconds in 1i64..12,
    ) {
        let times: Vec<i64> = seconds.iter().map(|(second, off)| second * SECOND + off).collect();
        let (rule, lines) = (rule(count, within_seconds), lines_at(&times));
        let episodes: Vec<(i64, i64)> =
            rule.episodes(&lines).iter().map(|one| (one.started_at, one.ended_at)).collect();
        prop_assert_eq!(episodes, rule.intervals_by_moment(&lines));
    }
}
