//! What the rules look for.

use chrono::TimeDelta;

use crate::model::{Level, LevelSet, Severity};

/// `[[rule]]`: one thing to look for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RuleConfig {
    /// The rule's name, unique within the config.
    pub name: String,
    /// What has to hold.
    pub kind: RuleKind,
    /// The levels of the entries that count; at least one.
    pub levels: LevelSet,
    /// A PostgreSQL regular expression that the first line of an entry has to match.
    pub pattern: Option<String>,
    /// How many entries it takes; at least 1.
    pub count: u32,
    /// The length of the window `(t - within, t]`; longer than nothing, at most 366 days.
    pub within: TimeDelta,
    /// What has an alert of its own.
    pub group_by: Vec<GroupBy>,
    /// How urgent the alerts are.
    pub severity: Severity,
    /// A template for the line that people see.
    pub summary: Option<String>,
}

impl RuleConfig {
    /// The rules that apply when none is configured: `fatal` (one FATAL) and `error-burst`
    /// (five ERROR or FATAL), each within five minutes and per source.
    pub fn built_in() -> Vec<Self> {
        let rule = |name: &str, levels: &[Level], count, severity| Self {
            name: name.to_owned(),
            kind: RuleKind::Threshold,
            levels: levels.iter().copied().collect(),
            pattern: None,
            count,
            within: TimeDelta::minutes(5),
            group_by: vec![GroupBy::Source],
            severity,
            summary: None,
        };
        vec![
            rule("fatal", &[Level::Fatal], 1, Severity::Critical),
            rule("error-burst", &[Level::Error, Level::Fatal], 5, Severity::Warning),
        ]
    }
}

/// What has to hold for a rule to fire.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum RuleKind {
    /// At least `count` matching entries lie in the window.
    Threshold,
}

impl RuleKind {
    /// All kinds.
    pub const ALL: [Self; 1] = [Self::Threshold];

    /// The name that config, database and output use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Threshold => "threshold",
        }
    }
}

/// What a rule has one alert for each of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GroupBy {
    /// The source that the entries come from.
    Source,
}

impl GroupBy {
    /// Everything to group by.
    pub const ALL: [Self; 1] = [Self::Source];

    /// The name that config, database and output use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Source => "source",
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
