//! A first config, proposed from what logs hold.
//!
//! In: a [`Survey`] of each log. Out: the text of a `tripline.toml` whose rules would have fired
//! seldom. Nothing is opened or written here.

mod backtest;
mod text;

use chrono::{DateTime, TimeDelta, Utc};

pub use self::text::write;

use self::backtest::{Threshold, threshold};
use crate::ingest::survey::Survey;
use crate::model::EventTime;

/// The window of the rules that count.
const WITHIN: TimeDelta = TimeDelta::minutes(5);
/// A log of fewer entries does not say how often it is silent.
const FEWEST_FOR_SILENCE: u64 = 100;
/// How long a log must be silent to be reported, in minutes: the first that is long enough.
const SILENCES: [i64; 8] = [10, 15, 30, 60, 120, 360, 720, 1440];
/// So many times as long as it was ever silent.
const TIMES_AS_LONG: i32 = 3;

/// A log that is to be watched.
#[derive(Clone, Debug)]
pub struct Log {
    /// The name of its source; `None`: its path.
    pub name: Option<String>,
    /// What it holds.
    pub survey: Survey,
    /// The zone of its times, if they show none.
    pub zone: Option<&'static str>,
}

/// What is proposed for one log.
struct Advice<'a> {
    log: &'a Log,
    /// Of ERROR and FATAL.
    errors: Threshold,
    /// Of FATAL alone.
    fatals: Threshold,
    /// How long it must be silent; `None`: it says too little, or is silent anyway.
    silence: Option<TimeDelta>,
}

impl Log {
    /// What it is called in `sources` of a rule.
    fn reference(&self) -> String {
        self.name.clone().unwrap_or_else(|| self.survey.path.to_string_lossy().into_owned())
    }

    /// How long what was looked at lasts.
    fn lasts(&self) -> TimeDelta {
        let span = self.survey.span.map_or(0, |(first, last)| last.0.saturating_sub(first.0));
        TimeDelta::microseconds(span)
    }
}

impl<'a> Advice<'a> {
    fn of(log: &'a Log, now: DateTime<Utc>) -> Self {
        let Survey { errors, fatals, .. } = &log.survey;
        Self {
            log,
            errors: threshold(errors, WITHIN, log.lasts(), &backtest::COUNTS[1..]),
            fatals: threshold(fatals, WITHIN, log.lasts(), &backtest::COUNTS),
            silence: silence(log, now),
        }
    }
}

fn silence(log: &Log, now: DateTime<Utc>) -> Option<TimeDelta> {
    let (_, last) = log.survey.span.filter(|_| log.survey.entries >= FEWEST_FOR_SILENCE)?;
    let longest = TimeDelta::microseconds(log.survey.longest_silence);
    let enough = |minutes: &&i64| TimeDelta::minutes(**minutes) >= longest * TIMES_AS_LONG;
    let within = TimeDelta::minutes(*SILENCES.iter().find(enough)?);
    // One that is silent already would be reported at once.
    let is_alive = EventTime::from(now).0.saturating_sub(last.0) < within.num_microseconds()?;
    // What lasts no longer than that says nothing about it.
    (is_alive && log.lasts() >= within).then_some(within)
}

/// Values with the logs that they are proposed for, in the order of the values.
fn grouped<'a, 'b, T: Ord + Copy>(
    advice: &'b [Advice<'a>],
    value: impl Fn(&Advice<'a>) -> Option<T>,
) -> Vec<(T, Vec<&'b Advice<'a>>)> {
    let mut groups = std::collections::BTreeMap::<T, Vec<&Advice<'a>>>::new();
    for one in advice {
        if let Some(value) = value(one) {
            groups.entry(value).or_default().push(one);
        }
    }
    groups.into_iter().collect()
}

#[cfg(test)]
mod tests;
