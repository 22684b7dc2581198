//! What the rules look for.

use std::fmt;

use chrono::TimeDelta;

use crate::model::{Level, LevelSet, Severity, WeeklyHours};

/// `[[rule]]`: one thing to look for.
///
/// Which of the fields mean something depends on the kind.
#[derive(Clone, Debug, PartialEq)]
pub struct RuleConfig {
    /// The rule's name, unique within the config.
    pub name: String,
    /// What has to hold.
    pub kind: RuleKind,
    /// The levels of the entries that count; at least one.
    pub levels: LevelSet,
    /// A PostgreSQL regular expression that the first line of an entry has to match.
    pub pattern: Option<String>,
    /// Regular expressions: an entry whose first line matches one of them does not count. Those
    /// of `exclude_file` too.
    pub exclude: Vec<String>,
    /// Whether the whole entry is matched rather than its first line.
    pub match_entry: bool,
    /// Names or paths of the sources it judges; `None`: all.
    pub sources: Option<Vec<String>>,
    /// How many entries or values it takes; at least 1.
    pub count: u32,
    /// The length of the window `(t - within, t]` or of the buckets; whole seconds, longer than
    /// nothing, at most 366 days.
    pub within: TimeDelta,
    /// The share that it takes, above 0 and up to 100.
    pub percent: Option<f64>,
    /// With fewer matching entries it does not hold.
    pub at_least: Option<u32>,
    /// How many times as many as usual it takes; above 0.
    pub factor: Option<f64>,
    /// What is taken for usual where there was less.
    pub floor: f64,
    /// How far back is looked; at most 366 days.
    pub lookback: Option<TimeDelta>,
    /// Once it holds, it holds until there are fewer than these; from 1 to `count`.
    pub clear_below: Option<u32>,
    /// The patterns of `missing_follow_up` (two) and `sequence` (two to five), in order.
    pub steps: Vec<String>,
    /// Whose distinct values are counted.
    pub value: Option<GroupBy>,
    /// A source without a line for so long is silent.
    pub stale_after: Option<TimeDelta>,
    /// The view of an `sql` rule.
    pub view: Option<String>,
    /// What has an alert of its own; nothing: all sources together.
    pub group_by: Vec<GroupBy>,
    /// How urgent the alerts are.
    pub severity: Severity,
    /// How long it has to hold before an alert fires.
    pub holds_for: TimeDelta,
    /// How long it is taken to hold on after it no longer does.
    pub keep_firing: TimeDelta,
    /// When alerts are announced; none: always.
    pub active: Vec<WeeklyHours>,
    /// How often people are reminded while an alert fires and nobody has taken it on.
    pub remind_every: Option<TimeDelta>,
    /// A template for the line that people see.
    pub summary: Option<String>,
    /// Where it says what to do.
    pub runbook: Option<String>,
    /// The channels that it goes to whatever the routes say; `None`: the routes say.
    pub channels: Option<Vec<String>>,
}

impl RuleConfig {
    /// A rule of a kind with the defaults of everything that may be left out.
    pub fn new(name: &str, kind: RuleKind) -> Self {
        Self {
            name: name.to_owned(),
            kind,
            levels: kind.default_levels(),
            pattern: None,
            exclude: Vec::new(),
            match_entry: false,
            sources: None,
            count: 1,
            within: TimeDelta::minutes(5),
            percent: None,
            at_least: None,
            factor: None,
            floor: 1.0,
            lookback: kind.default_lookback(),
            clear_below: None,
            steps: Vec::new(),
            value: (kind == RuleKind::Distinct).then_some(GroupBy::Capture(1)),
            stale_after: None,
            view: None,
            group_by: if kind == RuleKind::Sql { Vec::new() } else { vec![GroupBy::Source] },
            severity: Severity::Warning,
            holds_for: TimeDelta::zero(),
            keep_firing: TimeDelta::zero(),
            active: Vec::new(),
            remind_every: None,
            summary: None,
            runbook: None,
            channels: None,
        }
    }

    /// The rules that apply when none is configured: `fatal` (one FATAL) and `error-burst`
    /// (five ERROR or FATAL), each within five minutes and per source.
    pub fn built_in() -> Vec<Self> {
        let rule = |name: &str, levels: &[Level], count, severity| Self {
            levels: levels.iter().copied().collect(),
            count,
            severity,
            ..Self::new(name, RuleKind::Threshold)
        };
        vec![
            rule("fatal", &[Level::Fatal], 1, Severity::Critical),
            rule("error-burst", &[Level::Error, Level::Fatal], 5, Severity::Warning),
        ]
    }

    /// Whether one alert is about all sources together rather than about one of them.
    pub fn is_across_sources(&self) -> bool {
        !self.group_by.contains(&GroupBy::Source)
    }

    /// Whether the counts of all lines say what it needs, so that no entry has to be stored.
    pub fn reads_only_counts(&self) -> bool {
        let by_source = self.group_by.iter().all(|by| *by == GroupBy::Source);
        let all = self.pattern.is_none() && self.exclude.is_empty();
        match self.kind {
            RuleKind::Blind | RuleKind::Sql => true,
            RuleKind::Ratio => all,
            RuleKind::Spike | RuleKind::Baseline => {
                all && by_source && self.within.num_seconds() % 60 == 0
            }
            RuleKind::Absence => all && by_source && self.levels == LevelSet::all(),
            _ => false,
        }
    }
}

/// What has to hold for a rule to fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// At least `count` matching entries lie in the window.
    Threshold,
    /// The share of matching entries is at least `percent`.
    Ratio,
    /// At least `factor` times as many as in the window before.
    Spike,
    /// At least `factor` times as many as usual at that hour of the week.
    Baseline,
    /// Fewer than `count` lines lie in the window.
    Absence,
    /// A message, or a value, that was not seen for `lookback`.
    New,
    /// At least `count` different values.
    Distinct,
    /// What must follow an entry within the window does not come.
    MissingFollowUp,
    /// Patterns that match one after the other within the window.
    Sequence,
    /// A source cannot be read, is silent, lost bytes, or cannot be understood.
    Blind,
    /// A view of the user's says so.
    Sql,
}

/// Keys that a kind needs, and those that it may have besides the common ones.
pub(super) struct KindKeys {
    pub(super) required: &'static [&'static str],
    pub(super) optional: &'static [&'static str],
}

/// The keys that are about some kinds only.
pub(super) const KEYS_OF_KINDS: [&str; 13] = [
    "count",
    "within",
    "percent",
    "at_least",
    "factor",
    "floor",
    "lookback",
    "clear_below",
    "steps",
    "follow_up",
    "value",
    "stale_after",
    "view",
];

/// The keys that say which entries count.
pub(super) const KEYS_OF_ENTRIES: [&str; 5] =
    ["levels", "pattern", "exclude", "exclude_file", "match"];

impl RuleKind {
    /// All kinds.
    pub const ALL: [Self; 11] = [
        Self::Threshold,
        Self::Ratio,
        Self::Spike,
        Self::Baseline,
        Self::Absence,
        Self::New,
        Self::Distinct,
        Self::MissingFollowUp,
        Self::Sequence,
        Self::Blind,
        Self::Sql,
    ];

    /// The name that config, database and output use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Threshold => "threshold",
            Self::Ratio => "ratio",
            Self::Spike => "spike",
            Self::Baseline => "baseline",
            Self::Absence => "absence",
            Self::New => "new",
            Self::Distinct => "distinct",
            Self::MissingFollowUp => "missing_follow_up",
            Self::Sequence => "sequence",
            Self::Blind => "blind",
            Self::Sql => "sql",
        }
    }

    /// Which keys belong to it.
    pub(super) const fn keys(self) -> KindKeys {
        let (required, optional): (&[_], &[_]) = match self {
            Self::Threshold => (&["count", "within"], &["clear_below"]),
            Self::Ratio => (&["percent", "at_least", "within"], &[]),
            Self::Spike => (&["factor", "at_least", "within"], &["floor"]),
            Self::Baseline => (&["factor", "at_least", "within"], &["floor", "lookback"]),
            Self::Absence => (&["within"], &["count", "lookback"]),
            Self::New => (&["lookback"], &[]),
            Self::Distinct => (&["count", "within"], &["value"]),
            Self::MissingFollowUp => (&["pattern", "follow_up", "within"], &[]),
            Self::Sequence => (&["steps", "within"], &[]),
            Self::Blind => (&[], &["stale_after", "percent", "at_least", "within"]),
            Self::Sql => (&["view"], &[]),
        };
        KindKeys { required, optional }
    }

    /// Whether its alerts are moments: they are over as soon as they have begun.
    pub const fn is_one_shot(self) -> bool {
        matches!(self, Self::New | Self::Sequence)
    }

    /// Whether its windows lie beside each other, rather than end at each entry.
    pub const fn has_buckets(self) -> bool {
        matches!(self, Self::Ratio | Self::Spike | Self::Baseline | Self::Distinct)
    }

    /// The levels that count where the config names none: all where silence or patterns matter.
    fn default_levels(self) -> LevelSet {
        match self {
            Self::Absence | Self::MissingFollowUp | Self::Sequence | Self::Blind | Self::Sql => {
                LevelSet::all()
            }
            _ => LevelSet::from_iter([Level::Error, Level::Fatal]),
        }
    }

    fn default_lookback(self) -> Option<TimeDelta> {
        match self {
            Self::Baseline => Some(TimeDelta::days(28)),
            Self::Absence => Some(TimeDelta::days(7)),
            _ => None,
        }
    }
}

/// What a rule has one alert for each of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// The source that the entries come from.
    Source,
    /// The host that reads the source.
    Host,
    /// The level.
    Level,
    /// The fingerprint of the message.
    Fingerprint,
    /// The first line of the message.
    Message,
    /// What the pattern's parentheses with this number match, from 1 to 9.
    Capture(u8),
    /// A field of the entry; dots reach into nested ones.
    Field(String),
}

impl GroupBy {
    /// Those that are one word.
    pub(super) const WORDS: [(&'static str, Self); 5] = [
        ("source", Self::Source),
        ("host", Self::Host),
        ("level", Self::Level),
        ("fingerprint", Self::Fingerprint),
        ("message", Self::Message),
    ];
    /// Everything to group by, for messages.
    pub(super) const NAMES: [&'static str; 7] =
        ["source", "host", "level", "fingerprint", "message", "$1", "fields.NAME"];
}

impl fmt::Display for GroupBy {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Capture(number) => write!(f, "${number}"),
            Self::Field(name) => write!(f, "fields.{name}"),
            word => f.write_str(
                Self::WORDS.iter().find(|(_, by)| by == word).map_or("", |(name, _)| name),
            ),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fmt::Write;

    use expect_test::expect;

    use super::*;
    use crate::duration;

    #[test]
    fn the_built_in_rules_are_the_documented_ones() {
        let mut shown = String::new();
        for rule in RuleConfig::built_in() {
            let levels: Vec<_> = rule.levels.iter().map(Level::as_str).collect();
            let within = duration::display(rule.within);
            let RuleConfig { name, count, group_by, severity, .. } = rule;
            writeln!(
                shown,
                "{name}: {count} {levels:?} within {within} by {group_by:?}, {severity}"
            )
            .unwrap();
        }
        expect![[r#"
            fatal: 1 ["FATAL"] within 5m by [Source], critical
            error-burst: 5 ["ERROR", "FATAL"] within 5m by [Source], warning
        "#]]
        .assert_eq(&shown);
    }
}
