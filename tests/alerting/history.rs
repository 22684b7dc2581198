//! Random histories: rules, and entries in the order in which they arrive.
//!
//! What an evaluation costs is nearly all the planning of its statements, one for each kind of
//! rule that a source has. So a history has few kinds, and many rules of each: every rule with the
//! entries is a case of its own, and a further one of a kind costs next to nothing. Or it has all
//! kinds, and is short.

use std::fmt;
use std::ops::Range;

use proptest::prelude::*;
use proptest::sample::{Index, select, subsequence};
use proptest::strategy::Union;
use tripline::model::Level;

use crate::oracle::{CAPTURING, Kind, Line, PATTERNS, Part, Pattern, Rule, SECOND};

/// Lengths of windows, in seconds.
const WINDOWS: [i64; 8] = [1, 2, 3, 5, 10, 60, 300, 900];

/// How many rules of one kind a history has at the most.
const MOST_OF_A_KIND: usize = 24;

/// First lines that patterns match or not, and further lines that they must not see.
const MESSAGES: [&str; 7] = [
    "disk full",
    "the disk is full",
    "Disk was FULL",
    "connection lost",
    "connection lost\n  disk full\nrefused",
    "refused\n\n  by peer",
    "\ndisk full",
];

/// Patterns of which one may follow another.
const FOLLOWERS: [Pattern; 4] = [PATTERNS[0], PATTERNS[3], CAPTURING[0], CAPTURING[2]];

/// What arrives between two evaluations.
#[derive(Clone)]
pub(crate) struct Batch {
    /// Which source each entry belongs to, and the entry.
    pub(crate) lines: Vec<(usize, Line)>,
    /// Whether it begins with a line that continues the entry stored last.
    pub(crate) continued: bool,
    /// Microseconds, as all times here.
    pub(crate) tick: i64,
    /// Whether the reader reached the end of the file.
    pub(crate) at_end: bool,
    /// Otherwise it waits for the evaluation of the next one.
    pub(crate) evaluated: Option<How>,
}

/// How sources are evaluated.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum How {
    /// Each in transactions of its own.
    Alone,
    /// All in one, as far as one slice goes.
    Together,
}

/// A whole test case.
#[derive(Clone)]
pub(crate) struct History {
    pub(crate) rules: Vec<Rule>,
    pub(crate) sources: usize,
    pub(crate) batches: Vec<Batch>,
    pub(crate) slice_entries: u32,
}

/// Histories whose evaluation looks at so many entries at once, with many rules of a few kinds.
pub(crate) fn histories(
    slice_entries: impl Strategy<Value = u32>,
) -> impl Strategy<Value = History> {
    let rules = prop::collection::vec(rules_of_a_kind(), 1..=3).prop_map(|rules| rules.concat());
    histories_of(rules, 1..3, 100, 1..7, slice_entries)
}

/// Short ones of one source, with some rules of each kind.
pub(crate) fn short_histories() -> impl Strategy<Value = History> {
    let rules_of = |(_, kind)| prop::collection::vec(rule(kind), 1..=2);
    let rules: Vec<_> = kinds().into_iter().map(rules_of).collect();
    let slice_entries = prop_oneof![1 => 1u32..=20, 4 => Just(100_000)];
    histories_of(rules.prop_map(|rules| rules.concat()), 1..2, 30, 1..4, slice_entries)
}

fn histories_of(
    rules: impl Strategy<Value = Vec<Rule>>,
    sources: Range<usize>,
    most_lines: usize,
    batches: Range<usize>,
    slice_entries: impl Strategy<Value = u32>,
) -> impl Strategy<Value = History> {
    let line = (gap(), level(), message(), 0usize..2, delay(), unparsed());
    let lines = prop::collection::vec(line, 0..most_lines);
    let batches = prop::collection::vec(batch(), batches);
    (rules, sources, lines, batches, slice_entries).prop_map(
        |(mut rules, sources, lines, mut batches, slice_entries)| {
            for (number, rule) in rules.iter_mut().enumerate() {
                rule.name = format!("rule{number}");
            }
            let count = batches.len();
            let (mut at, total) = (0, lines.len());
            for (place, (gap, level, message, source, delay, unparsed)) in
                lines.into_iter().enumerate()
            {
                at += gap;
                let on_time = place * count / total;
                let late = delay.map_or(0, |delay| delay.index(count - on_time));
                let line = Line { at, level, message: message.to_owned(), unparsed };
                batches[on_time + late].lines.push((source % sources, line));
            }
            settle(&mut batches);
            History { rules, sources, batches, slice_entries }
        },
    )
}

/// Ticks follow the entries, more or less, and never go back; in the end all is read and over.
fn settle(batches: &mut [Batch]) {
    let (mut newest, mut tick) = (0, 0);
    for batch in batches.iter_mut() {
        newest = batch.lines.iter().map(|(_, line)| line.at).fold(newest, i64::max);
        tick = tick.max(newest + batch.tick);
        batch.tick = tick;
    }
    if let Some(last) = batches.last_mut() {
        last.tick = tick + 3600 * SECOND;
        last.at_end = true;
        last.evaluated = last.evaluated.or(Some(How::Alone));
    }
}

/// Microseconds between two entries: many of them nothing, and many that end at the very edge
/// of a window.
fn gap() -> impl Strategy<Value = i64> {
    let seconds = |seconds: i64| seconds * SECOND;
    prop_oneof![
        4 => Just(0),
        8 => (0i64..=6).prop_map(seconds),
        2 => ((0i64..=10), (-1i64..=1)).prop_map(|(seconds, off)| (seconds * SECOND + off).max(0)),
        2 => 0..3 * SECOND,
        2 => (select(&WINDOWS[..]), 1i64..=2, -1i64..=1)
            .prop_map(|(window, times, off)| window * times * SECOND + off),
        // Far enough apart for two dirty ranges.
        1 => (11i64..40).prop_map(|minutes| minutes * 60 * SECOND),
        1 => prop_oneof![3 => Just(0), 1 => (1i64..4).prop_map(|days| days * 86_400 * SECOND)],
        // A week, for rules that compare with the week before.
        1 => prop_oneof![2 => Just(0), 1 => (-20i64..20).prop_map(|off| (7 * 86_400 + off) * SECOND)],
    ]
}

fn level() -> impl Strategy<Value = Level> {
    prop_oneof![
        6 => Just(Level::Error),
        2 => Just(Level::Fatal),
        1 => Just(Level::Warning),
        1 => Just(Level::Info),
    ]
}

fn message() -> impl Strategy<Value = &'static str> {
    prop_oneof![3 => Just(MESSAGES[0]), 4 => select(&MESSAGES[..])]
}

/// A third of the entries may come in a later batch.
fn delay() -> impl Strategy<Value = Option<Index>> {
    prop_oneof![2 => Just(None), 1 => any::<Index>().prop_map(Some)]
}

/// Few entries have lines after them that could not be parsed.
fn unparsed() -> impl Strategy<Value = usize> {
    prop_oneof![8 => Just(0), 1 => 1usize..4]
}

fn batch() -> impl Strategy<Value = Batch> {
    let tick = prop_oneof![
        3 => -10 * SECOND..20 * SECOND,
        1 => -3600 * SECOND..3600 * SECOND,
    ];
    let often = || prop::bool::weighted(0.8);
    let evaluated = prop_oneof![
        1 => Just(None),
        2 => Just(Some(How::Alone)),
        2 => Just(Some(How::Together)),
    ];
    (tick, often(), evaluated, prop::bool::weighted(0.3)).prop_map(
        |(tick, at_end, evaluated, continued)| Batch {
            lines: Vec::new(),
            continued,
            tick,
            at_end,
            evaluated,
        },
    )
}

/// Rules of one kind, which look at each source by itself or at all together.
fn rules_of_a_kind() -> impl Strategy<Value = Vec<Rule>> {
    let of =
        |(weight, kind)| (weight, prop::collection::vec(rule(kind), 1..=MOST_OF_A_KIND).boxed());
    let rules = Union::new_weighted(kinds().into_iter().map(of).collect());
    (rules, prop::bool::weighted(0.25)).prop_map(|(mut rules, across)| {
        for rule in &mut rules {
            rule.across = across && !matches!(rule.kind, Kind::Blind { .. });
        }
        rules
    })
}

fn rule(kind: BoxedStrategy<Kind>) -> impl Strategy<Value = Rule> {
    let levels = prop_oneof![
        3 => Just(vec![Level::Error, Level::Fatal]),
        1 => subsequence(vec![Level::Info, Level::Warning, Level::Error, Level::Fatal], 1..=4),
    ];
    let pattern = prop_oneof![
        2 => Just(None),
        1 => select(&PATTERNS[..]).prop_map(Some),
        1 => select(&CAPTURING[..]).prop_map(Some),
    ];
    let exclude = prop_oneof![3 => Just(None), 1 => select(&PATTERNS[..4]).prop_map(Some)];
    let key = prop_oneof![
        3 => Just(vec![]),
        1 => Just(vec![Part::Capture]),
        1 => subsequence(vec![Part::Level, Part::Fingerprint, Part::Message], 1..=2),
    ];
    let keep_firing = prop_oneof![3 => Just(0), 1 => select(&WINDOWS[..])];
    let common = (levels, pattern, exclude, key, keep_firing);
    (kind, common, 1usize..=6, select(&WINDOWS[..])).prop_map(
        |(kind, (levels, pattern, exclude, key, keep_firing_seconds), count, within)| {
            let name = String::new();
            let rule = Rule {
                name,
                kind,
                levels,
                pattern,
                exclude,
                count,
                within_seconds: within,
                key,
                across: false,
                keep_firing_seconds,
            };
            settled(rule)
        },
    )
}

/// The kinds, with how often they come.
fn kinds() -> Vec<(u32, BoxedStrategy<Kind>)> {
    let at_least = || 1usize..=4;
    let factor = || select(vec![0.5, 1.0, 2.0, 3.0]);
    let clear_below = |clear_below| Kind::Threshold { clear_below: Some(clear_below) };
    vec![
        (3, Just(Kind::Threshold { clear_below: None }).boxed()),
        (1, (1usize..=6).prop_map(clear_below).boxed()),
        (
            1,
            (select(vec![5.0, 25.0, 50.0, 100.0]), at_least())
                .prop_map(|(percent, at_least)| Kind::Ratio { percent, at_least })
                .boxed(),
        ),
        (
            1,
            (factor(), at_least(), select(vec![1.0, 2.5]))
                .prop_map(|(factor, at_least, floor)| Kind::Spike { factor, at_least, floor })
                .boxed(),
        ),
        (
            1,
            (factor(), 1usize..=2, 2i64..=3)
                .prop_map(|(factor, at_least, weeks)| Kind::Baseline { factor, at_least, weeks })
                .boxed(),
        ),
        (
            1,
            select(vec![2i64, 10, 700, 3600])
                .prop_map(|seconds| Kind::Absence { lookback_seconds: seconds })
                .boxed(),
        ),
        (
            1,
            select(&WINDOWS[..])
                .prop_map(|lookback_seconds| Kind::New { lookback_seconds })
                .boxed(),
        ),
        (1, Just(Kind::Distinct).boxed()),
        (
            1,
            select(&FOLLOWERS[..])
                .prop_map(|follow_up| Kind::MissingFollowUp { follow_up })
                .boxed(),
        ),
        (
            1,
            prop::collection::vec(select(&FOLLOWERS[..]), 2..=5)
                .prop_map(|steps| Kind::Sequence { steps })
                .boxed(),
        ),
        (
            1,
            (
                prop::option::of(select(&WINDOWS[..])),
                prop::option::of(select(vec![5.0, 25.0, 50.0])),
                at_least(),
            )
                .prop_map(|(stale_after_seconds, percent, at_least)| Kind::Blind {
                    stale_after_seconds,
                    percent,
                    at_least,
                })
                .boxed(),
        ),
    ]
}

/// What the config would refuse is left out.
fn settled(mut rule: Rule) -> Rule {
    let all = Level::ALL.to_vec();
    match &mut rule.kind {
        Kind::Threshold { clear_below: Some(clear_below) } => {
            *clear_below = (*clear_below).min(rule.count);
        }
        Kind::Ratio { .. } => {
            rule.key.clear();
            rule.within_seconds = rule.within_seconds.max(60);
        }
        Kind::Absence { lookback_seconds } => {
            *lookback_seconds += rule.within_seconds;
            rule.count = rule.count.min(3);
            if rule.pattern.is_none() {
                rule.levels = all;
            }
        }
        Kind::Distinct => {
            rule.pattern = Some(CAPTURING[0]);
            rule.count = rule.count.min(3);
        }
        Kind::MissingFollowUp { .. } => {
            rule.pattern = rule.pattern.or(Some(CAPTURING[1]));
            rule.levels = all;
        }
        Kind::Sequence { .. } => {
            (rule.pattern, rule.levels) = (None, all);
            rule.keep_firing_seconds = 0;
        }
        Kind::New { .. } => rule.keep_firing_seconds = 0,
        Kind::Blind { .. } => {
            (rule.pattern, rule.exclude, rule.levels) = (None, None, all);
            rule.key.clear();
            rule.across = false;
            rule.within_seconds = rule.within_seconds.max(60);
        }
        Kind::Threshold { .. } | Kind::Spike { .. } | Kind::Baseline { .. } => {}
    }
    if rule.pattern.is_none() && !matches!(rule.kind, Kind::Sequence { .. }) {
        rule.key.retain(|part| *part != Part::Capture);
    }
    if rule.key.contains(&Part::Capture) {
        let captures = |pattern: Pattern| CAPTURING[pattern.regex.len() % CAPTURING.len()];
        rule.pattern = rule.pattern.map(captures);
        match &mut rule.kind {
            Kind::MissingFollowUp { follow_up } => *follow_up = captures(*follow_up),
            Kind::Sequence { steps } => {
                for step in steps.iter_mut() {
                    *step = captures(*step);
                }
            }
            _ => {}
        }
    }
    rule
}

impl fmt::Debug for History {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} sources, slices of {} entries", self.sources, self.slice_entries)?;
        for rule in &self.rules {
            writeln!(f, "{rule:?}")?;
        }
        for batch in &self.batches {
            write!(f, "{batch:?}")?;
        }
        Ok(())
    }
}

impl fmt::Debug for Batch {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { lines, continued, tick, at_end, evaluated } = self;
        write!(f, "batch at {tick}µs")?;
        for (holds, word) in [
            (*continued, "begins with a continuation"),
            (*at_end, "read to the end"),
            (*evaluated == Some(How::Alone), "evaluated one by one"),
            (*evaluated == Some(How::Together), "evaluated together"),
        ] {
            if holds {
                write!(f, ", {word}")?;
            }
        }
        writeln!(f)?;
        for (source, Line { at, level, message, unparsed }) in lines {
            writeln!(f, "    source {source} {at:>12}µs {level:7} {message:?} +{unparsed}")?;
        }
        Ok(())
    }
}
