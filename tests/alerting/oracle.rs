//! The definitions of the rules, as slow and as plain as they can be said.
//!
//! All times are microseconds.

use std::collections::BTreeMap;
use std::fmt;

use chrono::TimeDelta;
use proptest::prelude::*;
use tripline::config::{GroupBy, RuleConfig, RuleKind};
use tripline::model::{Level, LevelSet, Severity};

use crate::bench::numbered;

pub(crate) const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const WEEK: i64 = 7 * 24 * 60 * MINUTE;
/// What only new lines can end, ends then.
pub(crate) const FOREVER: i64 = i64::MAX;

/// One entry of a log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Line {
    pub(crate) at: i64,
    pub(crate) level: Level,
    pub(crate) message: String,
    /// Lines after it that could not be parsed.
    pub(crate) unparsed: usize,
}

impl Line {
    /// An ERROR entry.
    pub(crate) fn error(at: i64, message: &str) -> Self {
        Self { at, level: Level::Error, message: message.to_owned(), unparsed: 0 }
    }

    pub(crate) fn first_line(&self) -> &str {
        self.message.split('\n').next().unwrap()
    }

    /// What stands in place of the real fingerprint.
    pub(crate) fn fingerprint(&self) -> i64 {
        self.first_line().bytes().map(i64::from).sum()
    }
}

/// An entry where it was stored.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Stored<'a> {
    pub(crate) source: usize,
    pub(crate) line_no: i64,
    pub(crate) line: &'a Line,
}

/// A pattern and what it means, so that no second regular expression engine has to agree with
/// PostgreSQL's: what its first parentheses hold, or the empty text, where it matches.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Pattern {
    pub(crate) regex: &'static str,
    pub(crate) matches: fn(&str) -> Option<&str>,
}

fn when(holds: bool) -> Option<&'static str> {
    holds.then_some("")
}

pub(crate) const PATTERNS: [Pattern; 5] = [
    Pattern { regex: "disk", matches: |line| when(line.contains("disk")) },
    Pattern { regex: "^disk", matches: |line| when(line.starts_with("disk")) },
    Pattern { regex: "full$", matches: |line| when(line.ends_with("full")) },
    Pattern {
        regex: r"(?i)disk\s.*full|refused",
        matches: |line| {
            let line = line.to_lowercase();
            let after_disk = line.find("disk ").map(|at| &line[at..]);
            let full = after_disk.is_some_and(|rest| rest.contains("full"));
            when(full || line.contains("refused"))
        },
    },
    Pattern { regex: "^$", matches: |line| when(line.is_empty()) },
];

/// Patterns that capture a word.
pub(crate) const CAPTURING: [Pattern; 3] = [
    Pattern { regex: r"(\w+)$", matches: |line| line.rsplit(' ').next().filter(|w| !w.is_empty()) },
    Pattern {
        regex: r"^(\w+) ",
        matches: |line| line.split_once(' ').map(|(word, _)| word).filter(|w| !w.is_empty()),
    },
    Pattern {
        regex: r"(full|lost)",
        matches: |line| ["full", "lost"].into_iter().find(|word| line.contains(word)),
    },
];

/// What a rule looks for.
#[derive(Clone, Debug)]
pub(crate) enum Kind {
    Threshold { clear_below: Option<usize> },
    Ratio { percent: f64, at_least: usize },
    Spike { factor: f64, at_least: usize, floor: f64 },
    Baseline { factor: f64, at_least: usize, weeks: i64 },
    Absence { lookback_seconds: i64 },
    New { lookback_seconds: i64 },
    Distinct,
    MissingFollowUp { follow_up: Pattern },
    Sequence { steps: Vec<Pattern> },
    Blind { stale_after_seconds: Option<i64>, percent: Option<f64>, at_least: usize },
}

/// What a rule groups by besides the source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    Level,
    Capture,
    Fingerprint,
    Message,
}

/// A rule.
#[derive(Clone)]
pub(crate) struct Rule {
    pub(crate) name: String,
    pub(crate) kind: Kind,
    pub(crate) levels: Vec<Level>,
    pub(crate) pattern: Option<Pattern>,
    pub(crate) exclude: Option<Pattern>,
    pub(crate) count: usize,
    pub(crate) within_seconds: i64,
    pub(crate) key: Vec<Part>,
    /// Whether it looks at all sources together.
    pub(crate) across: bool,
    pub(crate) keep_firing_seconds: i64,
}

impl Default for Rule {
    fn default() -> Self {
        Self {
            name: "r".to_owned(),
            kind: Kind::Threshold { clear_below: None },
            levels: vec![Level::Error],
            pattern: None,
            exclude: None,
            count: 1,
            within_seconds: 60,
            key: Vec::new(),
            across: false,
            keep_firing_seconds: 0,
        }
    }
}

/// From when to when a rule holds, and what was measured at its worst.
#[derive(Clone, Debug, PartialEq, PartialOrd)]
pub(crate) struct Episode {
    pub(crate) rule: String,
    pub(crate) group: String,
    pub(crate) started_at: i64,
    pub(crate) ended_at: i64,
    pub(crate) measured: f64,
}

/// A part of an episode.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Interval {
    pub(crate) from: i64,
    pub(crate) until: i64,
    pub(crate) measured: f64,
}

impl Rule {
    /// The rule as the config has it.
    pub(crate) fn config(&self) -> RuleConfig {
        let kind = match self.kind {
            Kind::Threshold { .. } => RuleKind::Threshold,
            Kind::Ratio { .. } => RuleKind::Ratio,
            Kind::Spike { .. } => RuleKind::Spike,
            Kind::Baseline { .. } => RuleKind::Baseline,
            Kind::Absence { .. } => RuleKind::Absence,
            Kind::New { .. } => RuleKind::New,
            Kind::Distinct => RuleKind::Distinct,
            Kind::MissingFollowUp { .. } => RuleKind::MissingFollowUp,
            Kind::Sequence { .. } => RuleKind::Sequence,
            Kind::Blind { .. } => RuleKind::Blind,
        };
        let mut group_by: Vec<GroupBy> = self
            .key
            .iter()
            .map(|part| match part {
                Part::Level => GroupBy::Level,
                Part::Capture => GroupBy::Capture(1),
                Part::Fingerprint => GroupBy::Fingerprint,
                Part::Message => GroupBy::Message,
            })
            .collect();
        if !self.across {
            group_by.insert(0, GroupBy::Source);
        }
        let count = |number: usize| u32::try_from(number).unwrap();
        let mut rule = RuleConfig {
            levels: self.levels.iter().copied().collect::<LevelSet>(),
            pattern: self.pattern.map(|pattern| pattern.regex.to_owned()),
            exclude: self.exclude.iter().map(|pattern| pattern.regex.to_owned()).collect(),
            count: count(self.count),
            within: TimeDelta::seconds(self.within_seconds),
            group_by,
            severity: Severity::Warning,
            keep_firing: TimeDelta::seconds(self.keep_firing_seconds),
            ..RuleConfig::new(&self.name, kind)
        };
        match &self.kind {
            Kind::Threshold { clear_below } => rule.clear_below = clear_below.map(count),
            Kind::Ratio { percent, at_least } => {
                (rule.percent, rule.at_least) = (Some(*percent), Some(count(*at_least)));
            }
            Kind::Spike { factor, at_least, floor } => {
                (rule.factor, rule.at_least) = (Some(*factor), Some(count(*at_least)));
                rule.floor = *floor;
            }
            Kind::Baseline { factor, at_least, weeks } => {
                (rule.factor, rule.at_least) = (Some(*factor), Some(count(*at_least)));
                rule.lookback = Some(TimeDelta::weeks(*weeks));
            }
            Kind::Absence { lookback_seconds } | Kind::New { lookback_seconds } => {
                rule.lookback = Some(TimeDelta::seconds(*lookback_seconds));
            }
            Kind::Distinct => {}
            Kind::MissingFollowUp { follow_up } => {
                rule.steps = vec![rule.pattern.clone().unwrap(), follow_up.regex.to_owned()];
            }
            Kind::Sequence { steps } => {
                rule.steps = steps.iter().map(|step| step.regex.to_owned()).collect();
            }
            Kind::Blind { stale_after_seconds, percent, at_least } => {
                rule.stale_after = stale_after_seconds.map(TimeDelta::seconds);
                (rule.percent, rule.at_least) = (*percent, Some(count(*at_least)));
            }
        }
        rule
    }

    fn within(&self) -> i64 {
        self.within_seconds * SECOND
    }

    /// What the pattern captures of a line that counts.
    fn matches<'a>(&self, line: &'a Line, pattern: Option<Pattern>) -> Option<&'a str> {
        let first_line = line.first_line();
        let excluded = self.exclude.is_some_and(|one| (one.matches)(first_line).is_some());
        if !self.levels.contains(&line.level) || excluded {
            return None;
        }
        pattern.map_or(Some(""), |pattern| (pattern.matches)(first_line))
    }

    /// The entries that match, in the order of time, by group.
    fn matching<'a>(
        &self,
        stored: &[Stored<'a>],
        pattern: Option<Pattern>,
    ) -> BTreeMap<String, Vec<(Stored<'a>, &'a str)>> {
        let mut groups: BTreeMap<String, Vec<_>> = BTreeMap::new();
        for one in stored {
            let Some(captured) = self.matches(one.line, pattern) else { continue };
            let parts: Vec<String> = self
                .key
                .iter()
                .map(|part| match part {
                    Part::Level => one.line.level.as_str().to_owned(),
                    Part::Capture => captured.to_owned(),
                    Part::Fingerprint => one.line.fingerprint().to_string(),
                    Part::Message => one.line.first_line().to_owned(),
                })
                .collect();
            groups.entry(parts.join(" | ")).or_default().push((*one, captured));
        }
        for entries in groups.values_mut() {
            entries.sort_by_key(|(one, _)| (one.line.at, one.line_no));
        }
        groups
    }

    /// The times of the matching entries by group, in order.
    fn times(&self, stored: &[Stored<'_>]) -> BTreeMap<String, Vec<i64>> {
        let matching = self.matching(stored, self.pattern).into_iter();
        matching
            .map(|(group, entries)| (group, entries.iter().map(|(one, _)| one.line.at).collect()))
            .collect()
    }

    /// How many of these times lie in the window `(at - within, at]`.
    fn in_window(&self, times: &[i64], at: i64) -> usize {
        times.iter().filter(|&&time| at - self.within() < time && time <= at).count()
    }

    /// The episodes that all entries give, as far as they can be judged when everything until a
    /// time was read.
    pub(crate) fn episodes(&self, stored: &[Stored<'_>], read_until: i64) -> Vec<Episode> {
        let mut episodes = match &self.kind {
            Kind::Threshold { clear_below } => self.thresholds(stored, *clear_below),
            Kind::Ratio { .. } => self.ratios(stored, read_until),
            Kind::Spike { .. } | Kind::Baseline { .. } | Kind::Distinct => {
                self.buckets(stored, read_until)
            }
            Kind::Absence { lookback_seconds } => {
                self.silences(stored, lookback_seconds * SECOND, read_until)
            }
            Kind::Blind { .. } => self.blindness(stored, read_until),
            Kind::New { lookback_seconds } => self.news(stored, lookback_seconds * SECOND),
            Kind::MissingFollowUp { follow_up } => self.missing(stored, *follow_up, read_until),
            Kind::Sequence { steps } => self.sequences(stored, steps),
        };
        episodes.sort_by(|a, b| a.partial_cmp(b).unwrap());
        episodes
    }

    fn episode(&self, group: &str, (from, until): (i64, i64), measured: f64) -> Episode {
        Episode {
            rule: self.name.clone(),
            group: group.to_owned(),
            started_at: from,
            ended_at: until,
            measured,
        }
    }

    /// Intervals of a group, each held on by `keep_firing`, as episodes.
    fn union(
        &self,
        group: &str,
        intervals: &[Interval],
        measure: fn(&[f64]) -> f64,
    ) -> Vec<Episode> {
        let keep_firing = self.keep_firing_seconds * SECOND;
        episodes_of(&self.name, group, intervals, keep_firing, measure)
    }

    /// At an entry whose (count - 1)-th predecessor is less than `within` older, the rule holds
    /// until that one leaves the window. Intervals are closed; those that touch are one.
    fn full(&self, times: &[i64], count: usize) -> Vec<Interval> {
        let full = |(i, &at): (usize, &i64)| {
            let oldest = times[(i + 1).checked_sub(count)?];
            (oldest > at - self.within()).then(|| Interval {
                from: at,
                until: oldest + self.within(),
                measured: as_float(self.in_window(times, at)),
            })
        };
        times.iter().enumerate().filter_map(full).collect()
    }

    /// With `clear_below` it holds on while so many are in the window, from the moment at which
    /// there were `count`.
    fn thresholds(&self, stored: &[Stored<'_>], clear_below: Option<usize>) -> Vec<Episode> {
        let of_group = |(group, times): (String, Vec<i64>)| {
            let full = self.full(&times, self.count);
            let Some(clear_below) = clear_below else { return self.union(&group, &full, most) };
            let low = self.full(&times, clear_below);
            let stretches = union(low.iter().map(|one| (one.from, one.until)).collect());
            let intervals: Vec<Interval> = stretches
                .into_iter()
                .filter_map(|(from, until)| {
                    let inside = |one: &&Interval| from <= one.from && one.from <= until;
                    let measures: Vec<f64> =
                        low.iter().filter(inside).map(|one| one.measured).collect();
                    let first = full.iter().filter(inside).map(|one| one.from).min()?;
                    Some(Interval { from: first, until, measured: most(&measures) })
                })
                .collect();
            self.union(&group, &intervals, most)
        };
        self.times(stored).into_iter().flat_map(of_group).collect()
    }

    /// The bucket of a time: buckets are aligned to 1970.
    fn bucket(&self, at: i64) -> i64 {
        let since_epoch = at + base();
        at - since_epoch.rem_euclid(self.within())
    }

    /// How many of these times lie in each bucket.
    fn by_bucket(&self, times: &[i64]) -> BTreeMap<i64, usize> {
        let mut buckets = BTreeMap::new();
        for at in times {
            *buckets.entry(self.bucket(*at)).or_default() += 1;
        }
        buckets
    }

    fn interval(&self, bucket: i64, measured: f64) -> Interval {
        Interval { from: bucket, until: bucket + self.within(), measured }
    }

    fn ratios(&self, stored: &[Stored<'_>], read_until: i64) -> Vec<Episode> {
        let Kind::Ratio { percent, at_least } = self.kind else { return Vec::new() };
        let all: Vec<i64> = stored.iter().map(|one| one.line.at).collect();
        let all = self.by_bucket(&all);
        let matching = self.times(stored).remove("").unwrap_or_default();
        let hot = |(bucket, matching): (i64, usize)| {
            let share = 100.0 * as_float(matching) / as_float(all[&bucket]);
            let holds = matching >= at_least
                && 100.0 * as_float(matching) >= percent * as_float(all[&bucket])
                && bucket + self.within() <= read_until;
            holds.then(|| self.interval(bucket, rounded(share)))
        };
        let intervals: Vec<Interval> =
            self.by_bucket(&matching).into_iter().filter_map(hot).collect();
        self.union("", &intervals, most)
    }

    fn buckets(&self, stored: &[Stored<'_>], read_until: i64) -> Vec<Episode> {
        let all: Vec<i64> = stored.iter().map(|one| one.line.at).collect();
        let matching = self.matching(stored, self.pattern);
        let of_group = |(group, entries): (String, Vec<(Stored<'_>, &str)>)| {
            let times: Vec<i64> = entries.iter().map(|(one, _)| one.line.at).collect();
            let buckets = self.by_bucket(&times);
            let measured = |(bucket, found): (i64, usize)| {
                let measured = match self.kind {
                    Kind::Spike { factor, at_least, floor } => {
                        let before = buckets.get(&(bucket - self.within())).copied().unwrap_or(0);
                        let enough = factor * as_float(before).max(floor);
                        (found >= at_least && as_float(found) >= enough).then_some(found)
                    }
                    Kind::Baseline { factor, at_least, weeks } => {
                        let usual = self.usual(bucket, weeks, &times, &all)?;
                        let enough = factor * usual.max(1.0);
                        (found >= at_least && as_float(found) >= enough).then_some(found)
                    }
                    _ => {
                        let inside =
                            entries.iter().filter(|(one, _)| self.bucket(one.line.at) == bucket);
                        let values: std::collections::BTreeSet<&str> =
                            inside.map(|(_, value)| *value).collect();
                        (values.len() >= self.count).then_some(values.len())
                    }
                };
                let measured = measured.filter(|_| bucket + self.within() <= read_until)?;
                Some(self.interval(bucket, as_float(measured)))
            };
            let intervals: Vec<Interval> =
                buckets.clone().into_iter().filter_map(measured).collect();
            self.union(&group, &intervals, most)
        };
        matching.into_iter().flat_map(of_group).collect()
    }

    /// The median of the same time in the weeks before in which the log had any line then;
    /// `None` for fewer than two of them.
    fn usual(&self, bucket: i64, weeks: i64, times: &[i64], all: &[i64]) -> Option<f64> {
        let inside = |times: &[i64], week: i64| {
            let from = bucket - week * WEEK;
            times.iter().filter(|&&at| from <= at && at < from + self.within()).count()
        };
        let seen =
            (1..=weeks).filter(|week| inside_minutes(all, bucket - week * WEEK, self.within()));
        let mut counts: Vec<usize> = seen.map(|week| inside(times, week)).collect();
        counts.sort_unstable();
        let middle = counts.len() / 2;
        match counts.len() {
            0 | 1 => None,
            odd if odd % 2 == 1 => Some(as_float(counts[middle])),
            _ => Some(f64::midpoint(as_float(counts[middle - 1]), as_float(counts[middle]))),
        }
    }

    /// The times at which a line counts as seen, and how many, by group. Of lines that are only
    /// counted, the first one of a minute is known, and the others count at the last one's.
    fn signs(&self, stored: &[Stored<'_>]) -> BTreeMap<String, Vec<(i64, usize)>> {
        let all_levels = self.levels.len() == Level::ALL.len();
        let counts_suffice = matches!(self.kind, Kind::Blind { .. })
            || self.pattern.is_none()
                && self.exclude.is_none()
                && self.key.is_empty()
                && self.within_seconds % 60 == 0
                && all_levels;
        if !counts_suffice {
            let single = |times: Vec<i64>| times.into_iter().map(|at| (at, 1)).collect();
            return self.times(stored).into_iter().map(|(g, times)| (g, single(times))).collect();
        }
        let mut minutes: BTreeMap<(usize, i64), Vec<&Line>> = BTreeMap::new();
        for one in stored {
            let minute = (one.line.at + base()).div_euclid(MINUTE);
            minutes.entry((one.source, minute)).or_default().push(one.line);
        }
        let mut signs: Vec<(i64, usize)> = Vec::new();
        for lines in minutes.values() {
            let unparsed: usize = lines.iter().map(|line| line.unparsed).sum();
            let times = lines.iter().map(|line| line.at);
            signs.push((times.clone().min().unwrap(), 1));
            signs.push((times.max().unwrap(), lines.len() - 1 + unparsed));
        }
        BTreeMap::from([(String::new(), signs)])
    }

    /// Between two moments at which a line enters or leaves the window there are too few or not.
    fn silences(&self, stored: &[Stored<'_>], lookback: i64, read_until: i64) -> Vec<Episode> {
        let of_group = |(group, signs): (String, Vec<(i64, usize)>)| {
            let signs: Vec<(i64, usize)> = signs.into_iter().filter(|sign| sign.1 > 0).collect();
            let mut moments: Vec<i64> =
                signs.iter().flat_map(|(at, _)| [*at, at + self.within()]).collect();
            moments.sort_unstable();
            moments.dedup();
            let mut intervals = Vec::new();
            for (i, &from) in moments.iter().enumerate() {
                let in_window =
                    signs.iter().filter(|(at, _)| from - self.within() < *at && *at <= from);
                let lines: usize = in_window.map(|sign| sign.1).sum();
                let last = signs.iter().map(|sign| sign.0).filter(|at| *at <= from).max().unwrap();
                let next = moments.get(i + 1).copied().unwrap_or(FOREVER);
                let until = next.min(last.saturating_add(lookback));
                if lines < self.count && from <= read_until && from < until {
                    intervals.push(Interval { from, until, measured: as_float(lines) });
                }
            }
            self.union(&group, &intervals, fewest)
        };
        self.signs(stored).into_iter().flat_map(of_group).collect()
    }

    /// While no line lies in a window of `stale_after`, from the first line on; and buckets of
    /// whose lines too many could not be parsed.
    fn blindness(&self, stored: &[Stored<'_>], read_until: i64) -> Vec<Episode> {
        let Kind::Blind { stale_after_seconds, percent, at_least } = self.kind else {
            return Vec::new();
        };
        let silent = stale_after_seconds.map(|within_seconds| {
            let rule = Self { within_seconds, count: 1, ..self.clone() };
            rule.silences(stored, FOREVER, read_until)
        });
        let silent = silent.into_iter().flatten();
        let silent = silent.map(|one| Episode { group: "silent".to_owned(), ..one });
        let mut buckets: BTreeMap<i64, (usize, usize)> = BTreeMap::new();
        for one in stored {
            let bucket = buckets.entry(self.bucket(one.line.at)).or_default();
            bucket.0 += one.line.unparsed;
            bucket.1 += 1 + one.line.unparsed;
        }
        let hot = |(bucket, (unparsed, lines)): (i64, (usize, usize))| {
            let share = 100.0 * as_float(unparsed) / as_float(lines);
            let holds = unparsed >= at_least
                && 100.0 * as_float(unparsed) > percent? * as_float(lines)
                && bucket + self.within() <= read_until;
            holds.then(|| self.interval(bucket, rounded(share)))
        };
        let intervals: Vec<Interval> = buckets.into_iter().filter_map(hot).collect();
        silent.chain(self.union("unparsed", &intervals, most)).collect()
    }

    /// Entries of whose group, or fingerprint, there was none in `(at - lookback, at)`.
    fn news(&self, stored: &[Stored<'_>], lookback: i64) -> Vec<Episode> {
        let by_fingerprint = Self { key: vec![Part::Fingerprint], ..self.clone() };
        let grouped = if self.key.is_empty() { &by_fingerprint } else { self };
        let of_group = |(group, times): (String, Vec<i64>)| {
            let is_new =
                |&(i, at): &(usize, i64)| times[..i].iter().all(|before| *before <= at - lookback);
            let moments = times.iter().copied().enumerate().filter(is_new);
            moments.map(|(_, at)| self.episode(&group, (at, at), 1.0)).collect::<Vec<_>>()
        };
        grouped.times(stored).into_iter().flat_map(of_group).collect()
    }

    /// From `within` after an entry until the next one of its group that follows up.
    fn missing(&self, stored: &[Stored<'_>], follow_up: Pattern, read_until: i64) -> Vec<Episode> {
        let followers = self.matching(stored, Some(follow_up));
        let of_group = |(group, times): (String, Vec<i64>)| {
            let mut times = times;
            times.dedup();
            let followers = followers.get(&group).map(Vec::as_slice).unwrap_or_default();
            let overdue = |&at: &i64| {
                let times = followers.iter().map(|(one, _)| one.line.at);
                let until = times.filter(|time| *time >= at).min().unwrap_or(FOREVER);
                let from = at + self.within();
                (until > from && from <= read_until).then_some(Interval {
                    from,
                    until,
                    measured: 1.0,
                })
            };
            let intervals: Vec<Interval> = times.iter().filter_map(overdue).collect();
            self.union(&group, &intervals, sum)
        };
        self.times(stored).into_iter().flat_map(of_group).collect()
    }

    /// At an entry of the last step before which those of the others lie in their order, the
    /// first one less than `within` before it: until that one leaves the window.
    fn sequences(&self, stored: &[Stored<'_>], steps: &[Pattern]) -> Vec<Episode> {
        let order = |one: &Stored<'_>| (one.line.at, one.line_no);
        let by_step: Vec<_> = steps.iter().map(|step| self.matching(stored, Some(*step))).collect();
        let mut episodes = Vec::new();
        for (group, last) in by_step.last().unwrap() {
            let entries = |step: usize| {
                by_step[step].get(group).map(Vec::as_slice).unwrap_or_default().iter()
            };
            let mut intervals = Vec::new();
            for (entry, _) in last {
                // The latest of each step before the one that follows gives the latest beginning.
                let mut begin = Some(*entry);
                for step in (0..steps.len() - 1).rev() {
                    begin = begin.and_then(|next| {
                        let before = entries(step).map(|(one, _)| *one);
                        before.filter(|one| order(one) < order(&next)).max_by_key(order)
                    });
                }
                let Some(begin) = begin else { continue };
                if begin.line.at > entry.line.at - self.within() {
                    intervals.push((entry.line.at, begin.line.at + self.within()));
                }
            }
            let moments = union(intervals).into_iter().map(|(from, _)| from);
            episodes.extend(moments.map(|at| self.episode(group, (at, at), 1.0)));
        }
        episodes
    }

    /// A threshold from the other end: it holds at each moment at whose window it is full.
    ///
    /// That can change only where an entry enters the window or leaves it.
    fn intervals_by_moment(&self, times: &[i64]) -> Vec<(i64, i64)> {
        let mut moments: Vec<i64> =
            times.iter().flat_map(|&time| [time, time + self.within()]).collect();
        moments.sort_unstable();
        let holds = |pair: &&[i64]| self.in_window(times, pair[0]) >= self.count;
        union(moments.windows(2).filter(holds).map(|pair| (pair[0], pair[1])).collect())
    }
}

/// Whether any of these times lies in a minute that begins in the window from a time on.
fn inside_minutes(times: &[i64], from: i64, length: i64) -> bool {
    times.iter().any(|at| {
        let minute = at - (at + base()).rem_euclid(MINUTE);
        from <= minute && minute < from + length
    })
}

/// Microseconds from 1970 to the moment from which times count.
fn base() -> i64 {
    crate::bench::moment(0).timestamp_micros()
}

fn as_float(number: usize) -> f64 {
    f64::from(u32::try_from(number).unwrap())
}

/// With two digits behind the point.
fn rounded(number: f64) -> f64 {
    (number * 100.0).round() / 100.0
}

pub(crate) fn most(measures: &[f64]) -> f64 {
    measures.iter().copied().fold(f64::MIN, f64::max)
}

fn fewest(measures: &[f64]) -> f64 {
    measures.iter().copied().fold(f64::MAX, f64::min)
}

fn sum(measures: &[f64]) -> f64 {
    measures.iter().sum()
}

/// Intervals of a group of a rule, each held on by `keep_firing`, as episodes.
pub(crate) fn episodes_of(
    rule: &str,
    group: &str,
    intervals: &[Interval],
    keep_firing: i64,
    measure: fn(&[f64]) -> f64,
) -> Vec<Episode> {
    let whole = |one: &Interval| (one.from, one.until.saturating_add(keep_firing));
    let unions = union(intervals.iter().map(whole).collect());
    let episode = |(started_at, ended_at): (i64, i64)| {
        let inside = intervals.iter().filter(|one| started_at <= one.from && one.from <= ended_at);
        let measured = measure(&inside.map(|one| one.measured).collect::<Vec<f64>>());
        Episode { rule: rule.to_owned(), group: group.to_owned(), started_at, ended_at, measured }
    };
    unions.into_iter().map(episode).collect()
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
        let Self { name, kind, levels, count, within_seconds, key, across, .. } = self;
        let pattern = self.pattern.map_or("anything", |pattern| pattern.regex);
        let exclude = self.exclude.map_or("nothing", |pattern| pattern.regex);
        let keep = self.keep_firing_seconds;
        write!(
            f,
            "{name}: {kind:?} {count} {levels:?} matching {pattern:?} but {exclude:?} within \
             {within_seconds}s by {key:?}, across {across}, keeps firing {keep}s"
        )
    }
}

fn lines_at(times: &[i64]) -> Vec<Line> {
    times.iter().map(|&at| Line::error(at, "x")).collect()
}

/// Entries of one source.
pub(crate) fn stored(lines: &[Line], source: usize) -> impl Iterator<Item = Stored<'_>> {
    numbered(lines, 0).map(move |(line, line_no)| Stored { source, line_no, line })
}

/// (`started_at`, `ended_at`, `measured`) in seconds.
fn in_seconds(count: usize, within_seconds: i64, seconds: &[i64]) -> Vec<(i64, i64, f64)> {
    let times: Vec<i64> = seconds.iter().map(|second| second * SECOND).collect();
    let rule = Rule { count, within_seconds, ..Rule::default() };
    let lines = lines_at(&times);
    let episodes = rule.episodes(&stored(&lines, 0).collect::<Vec<_>>(), FOREVER);
    let shown = |one: &Episode| (one.started_at / SECOND, one.ended_at / SECOND, one.measured);
    episodes.iter().map(shown).collect()
}

#[test]
fn the_definition_by_example() {
    // The oldest of the three leaves the window at 10.
    assert_eq!(in_seconds(3, 10, &[0, 4, 9]), [(9, 10, 3.0)]);
    // The window (t - within, t] is open at its old end.
    assert_eq!(in_seconds(3, 10, &[0, 4, 10]), []);
    // Each further entry keeps it full.
    assert_eq!(in_seconds(2, 10, &[0, 5, 10, 12]), [(5, 20, 3.0)]);
    // From 9 to 10 and from 10 on: they touch.
    assert_eq!(in_seconds(2, 10, &[0, 9, 10, 30]), [(9, 19, 2.0)]);
    assert_eq!(in_seconds(1, 10, &[0, 10, 21]), [(0, 20, 1.0), (21, 31, 1.0)]);
    // Several in one moment.
    assert_eq!(in_seconds(3, 10, &[5, 5, 5]), [(5, 15, 3.0)]);
}

proptest! {
    #![proptest_config(ProptestConfig { failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn two_ways_to_say_it_are_the_same(
        seconds in prop::collection::vec((0i64..60, -1i64..=1), 0..40),
        count in 1usize..6,
        within_seconds in 1i64..12,
    ) {
        let mut times: Vec<i64> =
            seconds.iter().map(|(second, off)| second * SECOND + off).collect();
        let rule = Rule { count, within_seconds, ..Rule::default() };
        let lines = lines_at(&times);
        times.sort_unstable();
        let episodes: Vec<(i64, i64)> = rule
            .episodes(&stored(&lines, 0).collect::<Vec<_>>(), FOREVER)
            .iter()
            .map(|one| (one.started_at, one.ended_at))
            .collect();
        prop_assert_eq!(episodes, rule.intervals_by_moment(&times));
    }
}
