//! The day of a time of which only the clock is written.
//!
//! The first time of a log is the last one before the file was changed. Each further one follows
//! the one before it: it is the first that is not more than [`BACK_SECONDS`] before that, so that
//! a line may be late, and midnight begins the next day.
//!
//! A log that is silent for more than half a day is dated a day too early from there on.

const DAY_SECONDS: i64 = 86_400;
/// How far a line may lie behind the one before it.
const BACK_SECONDS: i64 = DAY_SECONDS / 2;
/// How much later than the last change of the file a line may be: the clocks may differ.
const AHEAD_SECONDS: i64 = 60;

/// A clock time (seconds since midnight), moved to its day; `last` and `changed_at` in civil
/// seconds.
pub(super) fn civil_seconds(clock: i64, last: Option<i64>, changed_at: i64) -> i64 {
    let earliest = match last {
        Some(last) => last - BACK_SECONDS,
        None => changed_at.saturating_add(AHEAD_SECONDS - DAY_SECONDS + 1),
    };
    let days = (earliest - clock + DAY_SECONDS - 1).div_euclid(DAY_SECONDS);
    clock + days.max(0) * DAY_SECONDS
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Utc};

    use super::*;

    fn seconds(time: &str) -> i64 {
        format!("{time}:00Z").parse::<DateTime<Utc>>().unwrap().timestamp()
    }

    #[track_caller]
    fn check(clock: &str, last: Option<&str>, expected: &str) {
        let clock = seconds(&format!("1970-01-01T{clock}"));
        let found = civil_seconds(clock, last.map(seconds), seconds("2026-05-02T12:00"));
        assert_eq!(found, seconds(expected), "after {last:?}");
    }

    #[test]
    fn the_first_time_is_the_last_before_the_file_was_changed() {
        check("11:59", None, "2026-05-02T11:59");
        check("12:01", None, "2026-05-02T12:01");
        check("12:02", None, "2026-05-01T12:02");
    }

    #[test]
    fn each_time_follows_the_one_before() {
        check("00:01", Some("2026-05-01T23:59"), "2026-05-02T00:01");
        check("23:59", Some("2026-05-02T00:01"), "2026-05-01T23:59");
        check("11:00", Some("2026-05-01T10:00"), "2026-05-01T11:00");
        check("10:00", Some("2026-05-01T11:00"), "2026-05-01T10:00");
    }
}
