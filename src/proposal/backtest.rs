//! How often a threshold would have been reached.

use chrono::TimeDelta;

use crate::model::EventTime;

/// The counts that are tried.
pub(super) const COUNTS: [usize; 13] = [1, 3, 5, 10, 20, 30, 50, 100, 200, 500, 1000, 2000, 5000];

/// A count and what it would have given.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Threshold {
    /// So many entries within the window.
    pub(super) count: usize,
    /// How many alerts there would have been.
    pub(super) alerts: usize,
    /// The count before it, and how many alerts that would have given.
    pub(super) rejected: Option<(usize, usize)>,
}

/// The first of `counts` that would have given no more than one alert a day, of entries at
/// `times` in a log that was looked at for this long. The last one, if none would.
pub(super) fn threshold(
    times: &[EventTime],
    within: TimeDelta,
    lasts: TimeDelta,
    counts: &[usize],
) -> Threshold {
    let mut times = times.to_vec();
    times.sort_unstable();
    let most = usize::try_from(lasts.num_days().max(1)).unwrap_or(usize::MAX);
    let mut rejected = None;
    let mut last = Threshold { count: 1, alerts: 0, rejected: None };
    for &count in counts {
        last = Threshold { count, alerts: episodes(&times, count, within), rejected };
        if last.alerts <= most {
            break;
        }
        rejected = Some((count, last.alerts));
    }
    last
}

/// How many episodes there are in which `count` of the times lie within the window; the times
/// are in order.
///
/// At a time with the count-th before it less than `within` older, the rule holds until that one
/// has left the window; what overlaps or touches is one episode.
fn episodes(times: &[EventTime], count: usize, within: TimeDelta) -> usize {
    let within = within.num_microseconds().unwrap_or(i64::MAX);
    let mut episodes = 0;
    let mut holds_until = None;
    for window in times.windows(count) {
        let (Some(first), Some(last)) = (window.first(), window.last()) else { continue };
        if last.0.saturating_sub(first.0) >= within {
            continue;
        }
        if holds_until.is_none_or(|end| last.0 > end) {
            episodes += 1;
        }
        holds_until = Some(first.0.saturating_add(within));
    }
    episodes
}

#[cfg(test)]
mod tests {
    use super::*;

    fn seconds(seconds: &[i64]) -> Vec<EventTime> {
        seconds.iter().map(|second| EventTime(second * 1_000_000)).collect()
    }

    #[test]
    fn episodes_are_those_of_the_views() {
        let five = TimeDelta::minutes(5);
        for (times, count, expected) in [
            (&[][..], 1, 0),
            (&[0], 1, 1),
            (&[0], 2, 0),
            // Exactly a window apart: the first has left, and what touches is one.
            (&[0, 300], 2, 0),
            (&[0, 300], 1, 1),
            (&[0, 301], 1, 2),
            (&[0, 299], 2, 1),
            (&[0, 0, 0], 3, 1),
            (&[0, 10, 1000, 1010], 2, 2),
        ] {
            assert_eq!(episodes(&seconds(times), count, five), expected, "{times:?} {count}");
        }
    }

    #[test]
    fn the_first_count_that_would_have_fired_seldom_is_taken() {
        let five = TimeDelta::minutes(5);
        // Pairs each hour of two days, ten at once on each of them.
        let mut times: Vec<i64> = (0..48).flat_map(|hour| [hour * 3600, hour * 3600 + 1]).collect();
        times.extend((0..20).map(|one| one / 10 * 86_400 + 60 + one % 10));
        let times = seconds(&times);
        let lasts = TimeDelta::days(2);
        let found = threshold(&times, five, lasts, &COUNTS);
        assert_eq!(found, Threshold { count: 3, alerts: 2, rejected: Some((1, 48)) });
        assert_eq!(threshold(&[], five, lasts, &COUNTS[1..]).count, 3);
        // Of an hour nobody knows what a day is like: one is not too many.
        let found = threshold(&seconds(&[0, 1, 2]), five, TimeDelta::hours(1), &COUNTS);
        assert_eq!((found.count, found.alerts), (1, 1));
    }
}
