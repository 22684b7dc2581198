use chrono_tz::{America, Asia, Australia, Europe, Pacific, TZ_VARIANTS};
use expect_test::{Expect, expect};

use super::*;

fn written(date: &str, time: &str) -> WrittenTime {
    let minute = NaiveDateTime::parse_from_str(&format!("{date} {}", &time[..5]), "%F %R");
    let minute_seconds = minute.unwrap().and_utc().timestamp();
    WrittenTime::new(minute_seconds, time[6..].parse().unwrap(), 0, None)
}

/// Reads the times of a file, and shows what they are in UTC. On both sides a date holds
/// until the next one.
#[track_caller]
fn check(zone: Tz, times: &str, expected: &Expect) {
    let mut local_time = LocalTime::new(zone, None);
    let (mut date, mut utc_date) = ("", String::new());
    let mut instants = Vec::new();
    for word in times.split_whitespace() {
        if word.contains('-') {
            date = word;
            continue;
        }
        let instant = local_time.event_time(Some(written(date, word))).to_utc();
        if instant.format("%F").to_string() != utc_date {
            utc_date = instant.format("%F").to_string();
            instants.push(utc_date.clone());
        }
        instants.push(instant.format("%T").to_string());
    }
    expected.assert_eq(&instants.join(" "));
}

#[test]
fn the_skipped_hour_moves_forward() {
    let hour = "2026-03-29 01:59:59 02:00:00 02:30:00 02:59:59 03:00:00";
    check(
        Europe::Berlin,
        hour,
        &expect!["2026-03-29 00:59:59 01:00:00 01:30:00 01:59:59 01:00:00"],
    );
    let hour = "2026-03-08 01:59:59 02:30:00 03:00:00";
    check(America::New_York, hour, &expect!["2026-03-08 06:59:59 07:30:00 07:00:00"]);
    let half_hour = "2026-10-04 01:59:59 02:15:00 02:30:00";
    check(Australia::Lord_Howe, half_hour, &expect!["2026-10-03 15:29:59 15:45:00 15:30:00"]);
}

#[test]
fn the_repeated_hour_goes_by_the_order_of_the_file() {
    let hour = "2026-10-25 01:59:59 02:00:00 02:59:59 02:00:00 02:30:00 02:59:59 03:00:00";
    check(
        Europe::Berlin,
        hour,
        &expect![
            "2026-10-24 23:59:59 2026-10-25 00:00:00 00:59:59 01:00:00 01:30:00 01:59:59 02:00:00"
        ],
    );
    let hour = "2026-11-01 01:30:00 01:59:00 01:00:00 02:00:00";
    check(America::New_York, hour, &expect!["2026-11-01 05:30:00 05:59:00 06:00:00 07:00:00"]);
    let half_hour = "2026-04-05 01:29:59 01:45:00 01:30:00 02:00:00";
    check(
        Australia::Lord_Howe,
        half_hour,
        &expect!["2026-04-04 14:29:59 14:45:00 15:00:00 15:30:00"],
    );
}

#[test]
fn lines_that_overtake_each_other_stay_in_their_pass() {
    let first_pass = "2026-10-25 02:10:00 02:09:00 02:10:30";
    check(Europe::Berlin, first_pass, &expect!["2026-10-25 00:10:00 00:09:00 00:10:30"]);
    let second_pass = "2026-10-25 02:59:59 02:00:01 02:00:00 02:30:00 02:59:59 03:00:01 02:59:58";
    check(
        Europe::Berlin,
        second_pass,
        &expect!["2026-10-25 00:59:59 01:00:01 01:00:00 01:30:00 01:59:59 02:00:01 01:59:58"],
    );
}

#[test]
fn a_late_line_of_the_first_pass_does_not_end_the_second() {
    let times = "2026-10-25 02:59:58 02:00:00 02:59:59 02:00:01";
    check(Europe::Berlin, times, &expect!["2026-10-25 00:59:58 01:00:00 00:59:59 01:00:01"]);
}

/// The limits that the documentation of the module names.
#[test]
fn where_the_order_does_not_tell_it_errs_by_an_hour() {
    let silent = "2026-10-25 02:10:00 02:20:00 03:00:00";
    check(Europe::Berlin, silent, &expect!["2026-10-25 00:10:00 00:20:00 02:00:00"]);
    let silent_second_pass = "2026-10-25 02:59:59 02:00:00 02:59:30 03:00:00";
    check(
        Europe::Berlin,
        silent_second_pass,
        &expect!["2026-10-25 00:59:59 01:00:00 00:59:30 02:00:00"],
    );
    let late_line = "2026-10-25 02:10:00 02:08:59 02:10:01 03:00:00";
    check(Europe::Berlin, late_line, &expect!["2026-10-25 00:10:00 01:08:59 01:10:01 02:00:00"]);
}

#[test]
fn zones_change_without_daylight_saving_too() {
    let put_back = "2015-08-14 23:29:59 23:45:00 23:30:00 2015-08-15 00:00:00";
    check(Asia::Pyongyang, put_back, &expect!["2015-08-14 14:29:59 14:45:00 15:00:00 15:30:00"]);
    let put_forward = "2018-05-04 23:29:59 23:45:00 2018-05-05 00:00:00";
    check(Asia::Pyongyang, put_forward, &expect!["2018-05-04 14:59:59 15:15:00 15:00:00"]);
    let skipped_day = "2011-12-29 23:59:59 2011-12-30 12:00:00 2011-12-31 00:00:00";
    check(Pacific::Apia, skipped_day, &expect!["2011-12-30 09:59:59 22:00:00 10:00:00"]);
}

#[test]
fn a_leap_second_follows_second_59() {
    let times = "2017-01-01 00:59:59 00:59:60 01:00:00 2026-03-29 01:59:60";
    check(
        Europe::Berlin,
        times,
        &expect!["2016-12-31 23:59:59 2017-01-01 00:00:00 00:00:00 2026-03-29 01:00:00"],
    );
}

#[test]
fn an_earlier_run_tells_the_pass() {
    let first_pass = EventTime(1_792_888_200_000_000);
    let read = |last: i64| {
        let mut local_time = LocalTime::new(Europe::Berlin, Some(EventTime(last)));
        local_time.event_time(Some(written("2026-10-25", "02:30:00")))
    };
    let jitter = JITTER_SECONDS * 1_000_000;
    assert_eq!(read(first_pass.0 + jitter), first_pass);
    assert_eq!(read(first_pass.0 + jitter + 1).0, first_pass.0 + 3_600_000_000);
}

#[test]
fn an_offset_in_the_log_wins() {
    let mut local_time = LocalTime::new(Europe::Berlin, None);
    let local = written("1970-01-01", "00:00:00");
    let time = WrittenTime { utc_offset_seconds: Some(-16_200), ..local };
    assert_eq!(local_time.event_time(Some(time)), EventTime(16_200_000_000));
    assert_eq!(local_time.last(), Some(EventTime(16_200_000_000)));
}

/// The instants (Unix seconds) at which the offset of a zone changes.
fn changes(zone: Tz) -> impl Iterator<Item = i64> {
    // Changes are further apart than this, or the test does not see them.
    const STEP: i64 = 7 * 86_400;
    let offset = move |seconds| seconds_east(&zone.offset_from_utc_datetime(&naive(seconds)));
    let steps = (0..70 * 53).map(|step| step * STEP);
    steps.filter(move |&start| offset(start) != offset(start + STEP)).map(move |start| {
        let (mut before, mut after) = (start, start + STEP);
        while after - before > 1 {
            let middle = before.midpoint(after);
            if offset(middle) == offset(start) { before = middle } else { after = middle }
        }
        after
    })
}

#[test]
fn a_steady_log_is_read_right_through_every_change_of_every_zone() {
    for zone in TZ_VARIANTS {
        for change in changes(zone) {
            let mut warm = LocalTime::new(zone, None);
            for instant in (change - 2 * 3_600..change + 2 * 3_600).step_by(420) {
                let local = zone.from_utc_datetime(&naive(instant)).naive_local();
                let civil_seconds = local.and_utc().timestamp();
                let time = WrittenTime::new(civil_seconds, 0, 0, None);
                let mut fresh = LocalTime::new(zone, warm.last());
                let expected = EventTime(instant * 1_000_000);
                assert_eq!(warm.event_time(Some(time)), expected, "{zone} {local}");
                assert_eq!(fresh.event_time(Some(time)), expected, "{zone} {local}");
            }
        }
    }
}

#[test]
fn a_clock_without_a_day_is_read_where_no_file_says_when() {
    let mut local_time = LocalTime::new(Europe::Berlin, None);
    let mut last = local_time.event_time(Some(written("1970-01-01", "05:01:14").without_day()));
    // A day has no end then; each is later than the one before it until no time is.
    for clock in ["05:01:14", "17:04:14", "03:04:14", "13:04:14", "00:00:00"].repeat(3) {
        let time = local_time.event_time(Some(written("1970-01-01", clock).without_day()));
        assert!(time.0 > 0 && time.0 >= last.0 - 12 * 3_600_000_000, "{clock} after {last:?}");
        last = time;
    }
}
