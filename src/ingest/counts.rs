//! Lines counted by minute of event time.

use std::collections::BTreeMap;

use crate::model::EventTime;
use crate::store::chunk::{COUNTERS, MinuteCounts};

/// A chunk ends when it holds this many minutes, so that a log of many years with few lines a
/// minute does not fill the memory.
const MAX_MINUTES: usize = 50_000;

/// In microseconds.
const MINUTE: u64 = 60_000_000;

/// Counters of the minute that is being read, and of those before.
#[derive(Debug)]
pub(super) struct Counts {
    minute: EventTime,
    /// The time gone to last.
    time: EventTime,
    current: MinuteCounts,
    others: BTreeMap<EventTime, MinuteCounts>,
}

impl Counts {
    /// No line yet; `time` is where lines without a time count.
    pub(super) fn new(time: EventTime) -> Self {
        Self {
            minute: time.minute(),
            time,
            current: MinuteCounts::default(),
            others: BTreeMap::new(),
        }
    }

    /// Goes to `time`.
    pub(super) fn go_to(&mut self, time: EventTime) {
        self.time = time;
        // As unsigned numbers, a time before the minute is far behind it.
        if time.0.wrapping_sub(self.minute.0).cast_unsigned() >= MINUTE {
            self.keep();
            self.minute = time.minute();
            self.current = self.others.remove(&self.minute).unwrap_or_default();
        }
    }

    /// Counts one line at the time gone to last.
    pub(super) fn add(&mut self, counter: usize) {
        self.add_lines(counter, 1);
    }

    /// Counts several lines at the time gone to last.
    pub(super) fn add_lines(&mut self, counter: usize, lines: i64) {
        self.current.lines[counter] += lines;
        self.current.first_at = self.current.first_at.min(self.time);
        self.current.last_at = self.current.last_at.max(self.time);
    }

    /// Whether as many minutes hold lines as a chunk may have.
    pub(super) fn are_many(&self) -> bool {
        self.others.len() >= MAX_MINUTES
    }

    /// All minutes that hold lines, in order.
    pub(super) fn finish(mut self) -> Vec<(EventTime, MinuteCounts)> {
        self.keep();
        self.others.into_iter().collect()
    }

    fn keep(&mut self) {
        if self.current.lines != [0; COUNTERS] {
            self.others.insert(self.minute, self.current);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn lines_are_counted_in_their_minutes_in_any_order() {
        let at = |seconds: i64| EventTime(seconds * 1_000_000);
        let mut counts = Counts::new(at(600));
        for (second, counter) in [(0, 0), (59, 1), (60, 0), (30, 0), (-1, 7)] {
            counts.go_to(at(second));
            counts.add(counter);
        }
        let minute = |second, first, last, values: &[(usize, i64)]| {
            let mut lines = [0; COUNTERS];
            for &(counter, value) in values {
                lines[counter] = value;
            }
            (at(second), MinuteCounts { lines, first_at: at(first), last_at: at(last) })
        };
        assert_eq!(
            counts.finish(),
            [
                minute(-60, -1, -1, &[(7, 1)]),
                minute(0, 0, 59, &[(0, 2), (1, 1)]),
                minute(60, 60, 60, &[(0, 1)])
            ]
        );
    }
}
