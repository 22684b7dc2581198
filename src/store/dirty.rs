//! Event times whose rules are not evaluated yet.
//!
//! Kept as ranges, because times in one batch may lie far apart: one lone old entry must not
//! make the rules read all history in between. Neighbours are joined, since looking at a few
//! quiet minutes costs less than another range does, and the number of ranges is bounded.

use chrono::TimeDelta;

use crate::model::EventTime;

/// Ranges closer than this are one.
const JOIN_GAP: TimeDelta = TimeDelta::minutes(10);
/// More ranges than this are joined where the gaps are smallest.
const MAX_RANGES: usize = 64;

/// Closed ranges of event time, in order and apart from each other.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct DirtyRanges {
    ranges: Vec<(EventTime, EventTime)>,
    /// The range that the last time fell into: logs are nearly in order.
    last: usize,
}

impl DirtyRanges {
    /// Marks one moment.
    pub fn add(&mut self, time: EventTime) {
        // A range that grows may meet the next one, so only the last one grows here.
        let is_last = self.last + 1 == self.ranges.len();
        if let Some((from, to)) = self.ranges.get_mut(self.last)
            && *from <= time
            && (time <= *to || is_last && time <= to.saturating_add(JOIN_GAP))
        {
            *to = time.max(*to);
            return;
        }
        self.add_range(time, time);
    }

    /// Marks all moments from `from` to `to`.
    pub fn add_range(&mut self, from: EventTime, to: EventTime) {
        // Those that end before the new one, less the gap, stay before it.
        let begin = self.ranges.partition_point(|range| range.1.saturating_add(JOIN_GAP) < from);
        let end = self.ranges.partition_point(|range| range.0 <= to.saturating_add(JOIN_GAP));
        let joined = self.ranges[begin..end.max(begin)]
            .iter()
            .fold((from, to), |joined, range| (joined.0.min(range.0), joined.1.max(range.1)));
        self.ranges.splice(begin..end.max(begin), [joined]);
        self.last = begin;
        if self.ranges.len() > MAX_RANGES {
            self.join_nearest();
        }
    }

    /// The ranges, in order.
    pub fn as_slice(&self) -> &[(EventTime, EventTime)] {
        &self.ranges
    }

    fn join_nearest(&mut self) {
        let nearest = (1..self.ranges.len())
            .min_by_key(|&i| self.ranges[i].0.0.saturating_sub(self.ranges[i - 1].1.0));
        if let Some(i) = nearest {
            self.ranges[i - 1].1 = self.ranges[i].1;
            self.ranges.remove(i);
            self.last = 0;
        }
    }
}

impl FromIterator<(EventTime, EventTime)> for DirtyRanges {
    fn from_iter<I: IntoIterator<Item = (EventTime, EventTime)>>(ranges: I) -> Self {
        let mut dirty = Self::default();
        for (from, to) in ranges {
            dirty.add_range(from, to);
        }
        dirty
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn minutes(minutes: i64) -> EventTime {
        EventTime(minutes * 60_000_000)
    }

    fn ranges(times: &[i64]) -> Vec<(i64, i64)> {
        let mut dirty = DirtyRanges::default();
        for &time in times {
            dirty.add(minutes(time));
        }
        dirty.as_slice().iter().map(|(a, b)| (a.0 / 60_000_000, b.0 / 60_000_000)).collect()
    }

    #[test]
    fn near_times_are_one_range_and_far_ones_are_not() {
        assert_eq!(ranges(&[0, 5, 15, 14]), [(0, 15)]);
        assert_eq!(ranges(&[0, 11]), [(0, 0), (11, 11)]);
        assert_eq!(ranges(&[100_000, 0, 100_001]), [(0, 0), (100_000, 100_001)]);
        assert_eq!(ranges(&[0, 20, 10]), [(0, 20)]);
    }

    #[test]
    fn the_number_of_ranges_is_bounded() {
        let times: Vec<i64> = (0..1000).map(|i| i * i * 20).collect();
        assert_eq!(ranges(&times).len(), MAX_RANGES);
    }

    proptest! {
        #[test]
        fn every_time_is_covered_and_ranges_stay_apart(
            times in prop::collection::vec(0i64..20_000, 0..300),
        ) {
            let found = ranges(&times);
            for time in &times {
                prop_assert!(found.iter().any(|(from, to)| from <= time && time <= to));
            }
            for pair in found.windows(2) {
                prop_assert!(pair[0].1 + 10 < pair[1].0, "{found:?}");
            }
            prop_assert!(found.len() <= MAX_RANGES);
        }
    }
}
