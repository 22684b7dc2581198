//! The year of a time that is written without one.
//!
//! The first time of a log lies in the year in which the file was changed last, or in the year
//! before if it would be later than that. Each further one follows the one before it: it lies
//! within the year that begins [`BACK_SECONDS`] before that, so that a line may be late, and a
//! December is followed by the January of the next year. It is never later than the file.
//!
//! A log in which more than eleven months are missing is dated a year too early from there on,
//! and one whose first line is older than a year from its beginning until it is found to be
//! later than the file.

use chrono::{DateTime, Datelike, NaiveDate};

use crate::model::EventTime;

/// How far a line may lie behind the one before it.
const BACK_SECONDS: i64 = 31 * 86_400;
/// How much later than the last change of the file a line may be: the zone of its clock may be
/// wrong, or not that of this host.
const AHEAD_SECONDS: i64 = 86_400;
/// A leap day comes back after four years, or after eight around most centuries.
const YEARS_BACK: i32 = 8;

/// February 29, 1972, in days since 1970.
const LEAP_DAY: i64 = 789;
/// No clock differs so much from UTC.
const MOST_EAST_SECONDS: i64 = 86_400;

/// Whether [`civil_seconds`] finds this one of the times that lie whole years from each other,
/// told without a look at the zone: other ones are further from `last` by months. For others it
/// may be so.
#[inline]
pub(super) fn is_sure(time: i64, last: EventTime, changed_at: i64) -> bool {
    let since_last = time - last.0.div_euclid(1_000_000);
    since_last.abs() < BACK_SECONDS - MOST_EAST_SECONDS
        && time <= changed_at.saturating_add(AHEAD_SECONDS)
}

/// A civil time in 1972, moved to its year; `last` and `changed_at` in seconds since 1970.
pub(super) fn civil_seconds(in_1972: i64, last: Option<i64>, changed_at: i64) -> i64 {
    let latest = changed_at.saturating_add(AHEAD_SECONDS);
    let around = year(last.unwrap_or(changed_at).min(latest));
    let mut newest = None;
    let years_back = if in_1972.div_euclid(86_400) == LEAP_DAY { YEARS_BACK } else { 1 };
    for year in around - years_back..=around + 1 {
        let Some(time) = moved(in_1972, year).filter(|time| *time <= latest) else { continue };
        if last.is_some_and(|last| time > last - BACK_SECONDS) {
            return time;
        }
        newest = Some(time);
    }
    newest.unwrap_or(in_1972)
}

/// The time in another year; `None` for a leap day in a year that has none.
fn moved(in_1972: i64, year: i32) -> Option<i64> {
    let time = DateTime::from_timestamp(in_1972, 0)?;
    let date = NaiveDate::from_ymd_opt(year, time.month(), time.day())?;
    Some(date.and_time(time.time()).and_utc().timestamp())
}

fn year(seconds: i64) -> i32 {
    DateTime::from_timestamp(seconds, 0).map_or(1972, |time| time.year())
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn seconds(time: &str) -> i64 {
        format!("{time}:00Z").parse::<DateTime<chrono::Utc>>().unwrap().timestamp()
    }

    #[track_caller]
    fn check(written: &str, last: Option<&str>, changed_at: &str, expected: &str) {
        let found = civil_seconds(
            seconds(&format!("1972-{written}")),
            last.map(seconds),
            seconds(changed_at),
        );
        assert_eq!(found, seconds(expected), "{written} after {last:?}, file of {changed_at}");
    }

    #[test]
    fn the_first_time_is_no_later_than_the_file() {
        check("06-01T10:00", None, "2026-06-02T00:00", "2026-06-01T10:00");
        check("12-31T23:59", None, "2026-01-01T00:05", "2025-12-31T23:59");
        check("06-03T23:00", None, "2026-06-03T00:00", "2026-06-03T23:00");
        check("06-04T01:00", None, "2026-06-03T00:00", "2025-06-04T01:00");
        check("02-29T10:00", None, "2026-06-03T00:00", "2024-02-29T10:00");
    }

    #[test]
    fn each_time_follows_the_one_before() {
        let file = "2026-06-03T00:00";
        check("12-31T23:59", Some("2024-12-31T23:58"), file, "2024-12-31T23:59");
        check("01-01T00:00", Some("2024-12-31T23:59"), file, "2025-01-01T00:00");
        check("12-31T23:59", Some("2025-01-01T00:00"), file, "2024-12-31T23:59");
        check("02-29T10:00", Some("2024-02-28T23:00"), file, "2024-02-29T10:00");
        check("11-01T10:00", Some("2024-01-15T00:00"), file, "2024-11-01T10:00");
    }

    proptest! {
        /// Where it is sure, it is what would be found.
        #[test]
        fn what_is_sure_is_found(
            in_1972 in 63_072_000_i64..94_694_400,
            last in 1_000_000_000_i64..2_000_000_000,
            near in -40_i64 * 86_400..40 * 86_400,
            changed in -40_i64 * 86_400..40 * 86_400,
            east in -50_000_i64..50_000,
        ) {
            // In the year of a time near the last one.
            let Some(time) = moved(in_1972, year(last + near)) else { return Ok(()) };
            let last = time - near;
            let changed_at = time - changed;
            if is_sure(time, EventTime((last - east) * 1_000_000), changed_at) {
                prop_assert_eq!(civil_seconds(in_1972, Some(last), changed_at), time);
            }
        }
    }

    #[test]
    fn none_is_later_than_the_file() {
        check("06-10T10:00", Some("2026-06-02T10:00"), "2026-06-03T00:00", "2025-06-10T10:00");
    }
}
