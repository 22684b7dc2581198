//! From a time as a log shows it to an instant.
//!
//! A time with a zone is an instant. A time without one is read in the zone of the source,
//! where twice a year the clock does not tell the whole truth:
//!
//! - **The skipped hour.** A time that no clock of the zone showed is moved forward by the
//!   gap: where clocks jump from 02:00 to 03:00, 02:30 becomes 03:30. It is what a clock
//!   that was not put forward in time meant.
//! - **The repeated hour.** A time that was shown twice is resolved by the order of the
//!   file: it is the earlier instant, unless that lies more than [`JITTER_SECONDS`] before
//!   the last time that was read; then it is the later one. The jitter allows for the
//!   threads of one program, whose lines overtake each other a little.
//!
//! Where the order does not tell, the rule errs, by the length of the repetition and only
//! for times in it:
//!
//! - A log that is silent from the first pass into the second, and goes on at a later clock,
//!   is read as still in the first pass, until its clock steps back.
//! - A log that is silent in the second pass until the last minute of it is read as if that
//!   line were a late one of the first pass.
//! - A line of the first pass that is late by more than the jitter is read as the second
//!   pass, and so is the rest of the first.
//!
//! A log that writes its zone is always read right.
//!
//! Zones come from the IANA database as `chrono-tz` compiles it in.

mod day;
mod year;

use std::ops::Range;

use chrono::{DateTime, MappedLocalTime, NaiveDateTime, Offset, TimeZone};
use chrono_tz::{GapInfo, Tz};

use crate::model::EventTime;

/// How far a line may lie behind the one before it and still be merely late, not a line of
/// the second pass through a repeated hour.
const JITTER_SECONDS: i64 = 60;

const DAY_SECONDS: i64 = 86_400;

/// Such a time, with any offset, still is an [`EventTime`].
const LATEST_CIVIL_SECONDS: i64 = i64::MAX / 1_000_000 - 2 * DAY_SECONDS;

/// The lengths of the stretches for which an offset is remembered, the longest that is possible:
/// a day, and where the clocks change in it, as much of it as this.
///
/// Every gap and every repetition since 1970 lasts at least as long as the shorter one, and
/// between two of a zone lie at least six days. One that reaches into such a stretch therefore
/// covers its first or its last second, or makes the offsets at its ends differ, so that these
/// two tell whether one offset alone holds in all of it.
const STRETCH_SECONDS: [i64; 2] = [DAY_SECONDS, 15 * 60];

/// What of a day a log shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum WrittenDay {
    /// Year, month and day.
    Whole,
    /// Month and day; the time lies in 1972.
    WithoutYear,
    /// Nothing; the time lies on 1970-01-01.
    None,
}

/// A time as a log shows it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct WrittenTime {
    /// Seconds from 1970-01-01 00:00:00 to the time, both read off the same clock.
    civil_seconds: i64,
    /// Below two million: a leap second is the second million of the second before it.
    micros: u32,
    /// How far the clock was east of UTC, where the log says it.
    utc_offset_seconds: Option<i32>,
    /// What of its day the log says.
    day: WrittenDay,
}

impl WrittenTime {
    /// A time in the minute that starts at `minute_seconds` after 1970-01-01 00:00:00 on the
    /// same clock. Second 60, a leap second, is one second after second 59.
    pub(super) fn new(
        minute_seconds: i64,
        second: u32,
        micros: u32,
        utc_offset_seconds: Option<i32>,
    ) -> Self {
        // The offset is looked up for second 59, so that a leap second right before the
        // clock changes belongs to the minute that it is written in.
        let second_in_minute = second.min(59);
        Self {
            civil_seconds: minute_seconds + i64::from(second_in_minute),
            micros: micros + (second - second_in_minute) * 1_000_000,
            utc_offset_seconds,
            day: WrittenDay::Whole,
        }
    }

    /// A time that is written as a count of seconds since 1970-01-01 00:00:00 UTC.
    pub(super) fn of_instant(seconds: i64, micros: u32) -> Self {
        Self { civil_seconds: seconds, micros, utc_offset_seconds: Some(0), day: WrittenDay::Whole }
    }

    /// The time, of a clock that was this far east of UTC.
    #[must_use]
    pub(super) fn east_of_utc(self, seconds: i32) -> Self {
        Self { utc_offset_seconds: Some(seconds), ..self }
    }

    /// The time, with the fraction of another one if it shows none itself and the other shows the
    /// same second, in whichever zone.
    #[must_use]
    pub(super) fn with_fraction_of(self, other: Self) -> Self {
        // Zones lie whole quarters of an hour apart.
        let second = |time: Self| time.civil_seconds.rem_euclid(15 * 60);
        let is_finer = self.micros == 0 && other.micros < 1_000_000;
        if is_finer && second(self) == second(other) {
            Self { micros: other.micros, ..self }
        } else {
            self
        }
    }

    /// The time, of which only month, day and clock are written: it lies in 1972.
    #[must_use]
    pub(super) fn without_year(self) -> Self {
        Self { day: WrittenDay::WithoutYear, ..self }
    }

    /// The time, of which only the clock is written: it lies on 1970-01-01.
    #[must_use]
    pub(super) fn without_day(self) -> Self {
        Self { day: WrittenDay::None, ..self }
    }
}

/// A day of 1972, in days since 1970, and how many seconds later its year has it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct FoundDay {
    day_in_1972: i64,
    seconds_later: i64,
}

/// Turns the times of one log, in the order of the file, into instants.
#[derive(Clone, Debug)]
pub(super) struct LocalTime {
    zone: Tz,
    last: Option<EventTime>,
    /// No line of the log is much younger: when the file was changed last.
    changed_at: EventTime,
    /// What a clock of the zone showed then, in civil seconds.
    changed_at_shown: i64,
    /// The last day that was found for a month and a day without a year: nearly every line
    /// repeats it.
    last_day: FoundDay,
    /// Civil seconds in all of which `known_offset_seconds` is the only offset.
    known: Range<i64>,
    known_offset_seconds: i64,
}

impl LocalTime {
    /// `last` is the last instant that was read from the log before, if any.
    pub(super) fn new(zone: Tz, last: Option<EventTime>) -> Self {
        let mut local_time = Self {
            zone,
            last,
            changed_at: EventTime(i64::MAX),
            changed_at_shown: 0,
            last_day: FoundDay::default(),
            known: 0..0,
            known_offset_seconds: 0,
        };
        local_time.set_changed_at(EventTime(i64::MAX));
        local_time
    }

    /// Says when the file was changed last, which tells years that are not written.
    pub(super) fn set_changed_at(&mut self, changed_at: EventTime) {
        self.changed_at = changed_at;
        self.changed_at_shown = self.shown(changed_at);
    }

    /// The last instant that was read from the log.
    pub(super) fn last(&self) -> Option<EventTime> {
        self.last
    }

    /// The instant of the next time in the log; where there is none, the one before it or, at
    /// the beginning, that of the last change of the file.
    #[inline]
    pub(super) fn event_time(&mut self, written: Option<WrittenTime>) -> EventTime {
        let Some(written) = written else { return self.last.unwrap_or(self.changed_at) };
        let written = if written.day == WrittenDay::Whole { written } else { self.dated(written) };
        let offset_seconds = match written.utc_offset_seconds {
            Some(seconds) => i64::from(seconds),
            None if self.known.contains(&written.civil_seconds) => self.known_offset_seconds,
            None => self.look_up(written.civil_seconds),
        };
        let seconds = written.civil_seconds - offset_seconds;
        let time = EventTime(seconds * 1_000_000 + i64::from(written.micros));
        self.last = Some(time);
        time
    }

    /// The time on the day on which it must have been written.
    fn dated(&mut self, written: WrittenTime) -> WrittenTime {
        let time = written.civil_seconds;
        let latest = self.changed_at_shown;
        let civil_seconds = match written.day {
            WrittenDay::Whole => time,
            WrittenDay::None => day::civil_seconds(time, self.last_shown(), latest),
            WrittenDay::WithoutYear => {
                let FoundDay { day_in_1972, seconds_later } = self.last_day;
                let again = time + seconds_later;
                if time.div_euclid(DAY_SECONDS) == day_in_1972
                    && self.last.is_some_and(|last| year::is_sure(again, last, latest))
                {
                    again
                } else {
                    let found = year::civil_seconds(time, self.last_shown(), latest);
                    let day_in_1972 = time.div_euclid(DAY_SECONDS);
                    self.last_day = FoundDay { day_in_1972, seconds_later: found - time };
                    found
                }
            }
        };
        // Where it is not known when the file was changed, that may be later than any time.
        let civil_seconds = civil_seconds.min(LATEST_CIVIL_SECONDS);
        WrittenTime { civil_seconds, day: WrittenDay::Whole, ..written }
    }

    /// What a clock of the zone showed at the last instant.
    fn last_shown(&self) -> Option<i64> {
        self.last.map(|last| self.shown(last))
    }

    /// What a clock of the zone showed at an instant, in civil seconds.
    fn shown(&self, time: EventTime) -> i64 {
        let seconds = time.0.div_euclid(1_000_000);
        seconds + seconds_east(&self.zone.offset_from_utc_datetime(&naive(seconds)))
    }

    /// The instant at which a minute without a zone begins, if it is known that one offset holds
    /// in all of it: the instants in it depend on nothing else then.
    pub(super) fn whole_minute(&self, civil_seconds: i64) -> Option<EventTime> {
        // What is known ends where a minute ends.
        let is_known = self.known.contains(&civil_seconds);
        is_known.then(|| EventTime((civil_seconds - self.known_offset_seconds) * 1_000_000))
    }

    /// Notes an instant of the log that was found out by [`LocalTime::whole_minute`].
    pub(super) fn note(&mut self, time: EventTime) {
        self.last = Some(time);
    }

    /// Goes back to where this was the last instant.
    pub(super) fn go_back(&mut self, last: Option<EventTime>) {
        self.last = last;
    }

    /// The offset of a local time, and what is remembered of it for the next ones.
    fn look_up(&mut self, civil_seconds: i64) -> i64 {
        match self.offsets(civil_seconds) {
            MappedLocalTime::Single(offset) => {
                self.remember(civil_seconds, offset);
                offset
            }
            MappedLocalTime::Ambiguous(first_pass, second_pass) => {
                if self.has_passed(civil_seconds - first_pass) { second_pass } else { first_pass }
            }
            MappedLocalTime::None => self.offset_before_gap(civil_seconds),
        }
    }

    /// Whether an instant (Unix seconds) lies too far behind the last one to be its
    /// successor.
    fn has_passed(&self, seconds: i64) -> bool {
        self.last.is_some_and(|last| (seconds + JITTER_SECONDS) * 1_000_000 < last.0)
    }

    fn remember(&mut self, civil_seconds: i64, offset: i64) {
        let alone = MappedLocalTime::Single(offset);
        for length in STRETCH_SECONDS {
            let start = civil_seconds - civil_seconds.rem_euclid(length);
            let end = start + length;
            if self.offsets(start) == alone && self.offsets(end - 1) == alone {
                self.known = start..end;
                self.known_offset_seconds = offset;
                return;
            }
        }
    }

    /// The offsets, in seconds east of UTC, under which a clock of the zone showed a time:
    /// none in a gap, two in a repeated hour (that of the first pass first).
    fn offsets(&self, civil_seconds: i64) -> MappedLocalTime<i64> {
        self.zone
            .offset_from_local_datetime(&naive(civil_seconds))
            .map(|offset| seconds_east(&offset))
    }

    /// The offset that held until the gap that a time lies in.
    fn offset_before_gap(&self, civil_seconds: i64) -> i64 {
        let local = naive(civil_seconds);
        let before = GapInfo::new(&local, &self.zone).and_then(|gap| gap.begin);
        let offset = match before {
            Some((_, offset)) => offset,
            // Never: a gap lies between two offsets.
            None => self.zone.offset_from_utc_datetime(&local),
        };
        seconds_east(&offset)
    }
}

fn seconds_east(offset: &impl Offset) -> i64 {
    i64::from(offset.fix().local_minus_utc())
}

/// Civil seconds as chrono's type, whose range is wider than the years that a log may show.
fn naive(civil_seconds: i64) -> NaiveDateTime {
    DateTime::from_timestamp(civil_seconds, 0).unwrap_or_default().naive_utc()
}

#[cfg(test)]
mod tests;
