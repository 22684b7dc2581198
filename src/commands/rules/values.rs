//! Which values of a rule's threshold are tried.

use crate::cli::{Backtest, Range};
use crate::commands::session::UsageError;
use crate::config::{RuleConfig, RuleKind};

/// With more values than these, they are spread over the range.
const MOST: u32 = 20;
/// Values that are no whole numbers, between the ends of a range and with them.
const STEPS: u32 = 10;
/// What is tried where nobody says what: the configured value times these.
const AROUND: [f64; 9] = [0.25, 0.5, 0.75, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0];

/// The number that makes a rule fire sooner or later.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Key {
    Count,
    Percent,
    Factor,
}

impl Key {
    /// That of a rule; `None`: it has none.
    fn of(rule: &RuleConfig) -> Option<Self> {
        match rule.kind {
            RuleKind::Threshold | RuleKind::Distinct | RuleKind::Absence => Some(Self::Count),
            RuleKind::Ratio => Some(Self::Percent),
            RuleKind::Spike | RuleKind::Baseline => Some(Self::Factor),
            _ => None,
        }
    }

    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Count => "count",
            Self::Percent => "percent",
            Self::Factor => "factor",
        }
    }

    fn configured(self, rule: &RuleConfig) -> f64 {
        match self {
            Self::Count => f64::from(rule.count),
            Self::Percent => rule.percent.unwrap_or(100.0),
            Self::Factor => rule.factor.unwrap_or(1.0),
        }
    }

    /// The greatest value that the config takes.
    const fn greatest(self) -> f64 {
        match self {
            Self::Count => i32::MAX as f64,
            Self::Percent => 100.0,
            Self::Factor => 1e9,
        }
    }

    /// The rule with another value.
    fn set(self, rule: &RuleConfig, value: f64) -> RuleConfig {
        let mut rule = rule.clone();
        match self {
            Self::Count => {
                #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
                let count = value as u32;
                rule.count = count;
                rule.clear_below = rule.clear_below.map(|below| below.min(count));
            }
            Self::Percent => rule.percent = Some(value),
            Self::Factor => rule.factor = Some(value),
        }
        rule
    }
}

/// What is tried of a rule.
pub(super) struct Trials {
    /// The key whose values are tried, with the configured one; `None`: the rule has none.
    pub(super) key: Option<(Key, f64)>,
    /// The rule with each of the values, in their order.
    pub(super) rules: Vec<(Option<f64>, RuleConfig)>,
}

/// The rules to try.
///
/// # Errors
/// When the command line names values that mean nothing for the rule.
pub(super) fn trials(rule: &RuleConfig, arguments: &Backtest) -> Result<Trials, UsageError> {
    let key = Key::of(rule);
    let given = [
        (Key::Count, arguments.count),
        (Key::Percent, arguments.percent),
        (Key::Factor, arguments.factor),
    ];
    let given = given.into_iter().find_map(|(of, range)| Some((of, range?)));
    let kind = rule.kind.as_str();
    let range = match (key, given) {
        (_, None) => None,
        (Some(key), Some((of, range))) if key == of => Some(checked(key, range)?),
        (None, Some((of, _))) => {
            let of = of.as_str();
            let message = format!("--{of} means nothing for a rule of kind {kind}");
            return Err(UsageError(format!("{message}, which has no such threshold")));
        }
        (Some(key), Some((of, _))) => {
            let (key, of) = (key.as_str(), of.as_str());
            let message = format!("--{of} means nothing for a rule of kind {kind}");
            return Err(UsageError(format!("{message}; give --{key}")));
        }
    };
    let Some(key) = key else {
        return Ok(Trials { key: None, rules: vec![(None, rule.clone())] });
    };
    let configured = key.configured(rule);
    let values = match range {
        Some(range) => spread(key, range, configured),
        None => around(key, configured),
    };
    let rules = values.into_iter().map(|value| (Some(value), key.set(rule, value)));
    Ok(Trials { key: Some((key, configured)), rules: rules.collect() })
}

fn checked(key: Key, range: Range) -> Result<Range, UsageError> {
    let greatest = key.greatest();
    let name = key.as_str();
    if range.to > greatest {
        return Err(UsageError(format!("--{name} must not be above {greatest}")));
    }
    if key == Key::Count && !(is_whole(range.from) && is_whole(range.to)) {
        return Err(UsageError(format!("--{name} takes whole numbers")));
    }
    Ok(range)
}

/// Values of a range, and among them the configured one.
fn spread(key: Key, range: Range, configured: f64) -> Vec<f64> {
    let Range { from, to } = range;
    let in_whole_numbers = is_whole(from) && is_whole(to);
    let steps = if !in_whole_numbers || (key != Key::Count && to - from < 5.0) {
        STEPS
    } else if to - from < f64::from(MOST) {
        // Each of them.
        #[expect(clippy::cast_possible_truncation, clippy::cast_sign_loss)]
        let all = (to - from) as u32;
        all
    } else {
        MOST - 1
    };
    let value = |step: u32| from + (to - from) * f64::from(step) / f64::from(steps.max(1));
    let configured = Some(configured).filter(|value| (from..=to).contains(value));
    sorted(key, (0..=steps).map(value).chain(configured))
}

fn around(key: Key, configured: f64) -> Vec<f64> {
    let values = AROUND.into_iter().map(|times| times * configured);
    sorted(key, values.filter(|value| *value <= key.greatest()).chain([configured]))
}

/// Rounded, in order, each once.
fn sorted(key: Key, values: impl Iterator<Item = f64>) -> Vec<f64> {
    let rounded = |value: f64| match key {
        Key::Count => value.round().max(1.0),
        // As exact as the range, but for what comes of dividing it.
        Key::Percent | Key::Factor => (value * 1e6).round() / 1e6,
    };
    let mut values: Vec<f64> = values.map(rounded).filter(|value| *value > 0.0).collect();
    values.sort_by(f64::total_cmp);
    values.dedup();
    values
}

fn is_whole(value: f64) -> bool {
    value.fract() == 0.0
}

#[cfg(test)]
mod tests {
    use super::*;

    fn spread(key: Key, from: f64, to: f64, configured: f64) -> Vec<f64> {
        super::spread(key, Range { from, to }, configured)
    }

    #[test]
    fn few_values_are_all_tried_and_many_are_spread() {
        assert_eq!(spread(Key::Count, 3.0, 6.0, 5.0), [3.0, 4.0, 5.0, 6.0]);
        assert_eq!(spread(Key::Count, 4.0, 4.0, 5.0), [4.0]);
        let many = spread(Key::Count, 1.0, 1000.0, 7.0);
        assert_eq!((many[0], many[1], many[20], many.len()), (1.0, 7.0, 1000.0, 21));
        assert_eq!(spread(Key::Percent, 10.0, 15.0, 50.0), [10.0, 11.0, 12.0, 13.0, 14.0, 15.0]);
        let tenths = [1.0, 1.1, 1.2, 1.3, 1.4, 1.5, 1.6, 1.7, 1.8, 1.9, 2.0];
        assert_eq!(spread(Key::Factor, 1.0, 2.0, 1.5), tenths);
    }

    #[test]
    fn without_a_range_the_values_lie_around_the_configured_one() {
        assert_eq!(around(Key::Count, 1.0), [1.0, 2.0, 3.0, 4.0, 6.0]);
        assert_eq!(around(Key::Percent, 40.0), [10.0, 20.0, 30.0, 40.0, 60.0, 80.0]);
        assert_eq!(around(Key::Factor, 0.3)[..3], [0.075, 0.15, 0.225]);
    }

    #[test]
    fn a_lower_count_lowers_what_clears() {
        let rule = RuleConfig {
            count: 5,
            clear_below: Some(3),
            ..RuleConfig::new("x", RuleKind::Threshold)
        };
        let clear_below = |count| Key::Count.set(&rule, count).clear_below;
        assert_eq!((clear_below(2.0), clear_below(9.0)), (Some(2), Some(3)));
    }
}
