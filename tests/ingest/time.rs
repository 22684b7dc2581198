//! Event times: daylight saving, wrong clocks, old entries, and partitions.

use crate::support::program::Setup;

/// The times of the stored entries in UTC, in the order of the log.
fn times(setup: &Setup) -> Vec<String> {
    setup.rows(
        "select to_char(logged_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') as value
         from log_entries order by line_no",
    )
}

fn partitions(setup: &Setup) -> Vec<String> {
    setup.rows(
        "select replace(inhrelid::regclass::text, 'log_entries_', '') as value from pg_inherits
         where inhparent = 'log_entries'::regclass order by 1",
    )
}

fn errors(times: &[&str]) -> String {
    times.iter().map(|time| format!("{time} [ERROR] x\n")).collect::<Vec<_>>().concat()
}

/// A host in Berlin.
fn berlin(now: &str) -> Setup {
    Setup { zone: "Europe/Berlin", now: now.to_owned(), ..Setup::new() }
}

#[test]
fn the_repeated_hour_in_two_runs_is_told_by_the_order_of_the_file() {
    let setup = berlin("2026-10-25T12:00:00Z");
    setup.write("app.log", errors(&["2026-10-25 01:59:00", "2026-10-25 02:30:00"]));
    setup.ingest();
    setup.append("app.log", errors(&["2026-10-25 02:50:00"]));
    setup.ingest();
    // Here the clocks are put back.
    setup.append("app.log", errors(&["2026-10-25 02:10:00", "2026-10-25 02:30:00"]));
    setup.ingest();
    setup.append("app.log", errors(&["2026-10-25 02:50:00", "2026-10-25 03:00:00"]));
    setup.ingest();
    assert_eq!(
        times(&setup),
        [
            "2026-10-24 23:59:00",
            "2026-10-25 00:30:00",
            "2026-10-25 00:50:00",
            "2026-10-25 01:10:00",
            "2026-10-25 01:30:00",
            "2026-10-25 01:50:00",
            "2026-10-25 02:00:00",
        ]
    );
}

#[test]
fn the_skipped_hour_is_moved_forward() {
    let setup = berlin("2026-03-29T12:00:00Z");
    setup.write("app.log", errors(&["2026-03-29 01:59:59", "2026-03-29 03:00:00"]));
    setup.append("app.log", errors(&["2026-03-29 02:30:00", "2026-03-29 03:00:01+02:00"]));
    setup.ingest();
    assert_eq!(
        times(&setup),
        [
            "2026-03-29 00:59:59",
            "2026-03-29 01:00:00",
            "2026-03-29 01:30:00",
            "2026-03-29 01:00:01"
        ]
    );
}

#[test]
fn an_entry_of_more_than_a_day_in_the_future_gets_the_time_of_the_run() {
    let mut setup = Setup::new();
    let log = ["2026-01-16 12:00:00", "2026-01-16 12:00:00.000001", "9999-12-31 23:59:60"];
    setup.write("app.log", errors(&log) + "  goes on\n");
    setup.ingest();
    setup.append("app.log", "  goes on in the next run\n");
    setup.now = "2026-01-15T13:00:00Z".to_owned();
    setup.ingest();
    assert_eq!(
        times(&setup),
        ["2026-01-16 12:00:00", "2026-01-15 12:00:00", "2026-01-15 12:00:00"]
    );
    assert_eq!(
        setup.rows(
            "select coalesce(fields ->> 'written_at', '-') as value
             from log_entries order by line_no"
        ),
        ["-", log[1], log[2]]
    );
    assert_eq!(setup.state("redated_entries"), "2");
    assert_eq!(setup.entries()[2], "ERROR x\n  goes on\n  goes on in the next run");
}

#[test]
fn old_entries_lie_in_the_default_partition() {
    let setup = Setup::new();
    setup.write("app.log", errors(&["1970-01-01 00:00:00", "2024-12-31 00:00:00"]));
    setup.ingest();
    let in_default = "select count(*)::text as value from log_entries_default";
    assert_eq!(setup.value(in_default), "2");
    assert_eq!(partitions(&setup), ["default"]);
}

#[test]
fn a_backlog_of_two_years_is_read_silently() {
    let setup = Setup::new();
    let dates = setup.rows(
        "select to_char(day, 'YYYY-MM-DD HH24:MI:SS') as value from generate_series(
            timestamp '2024-01-01', timestamp '2026-01-15', interval '17 hours') as day",
    );
    let dates: Vec<&str> = dates.iter().map(String::as_str).collect();
    setup.write("app.log", errors(&dates));
    setup.ingest();
    assert_eq!(times(&setup), dates);
    assert_eq!(setup.counts(), format!("error {}", dates.len()));
    // A year and the week that its first day lies in, the week of the run, and the one after.
    let partitions = partitions(&setup);
    assert_eq!(partitions[0], "20250113_20250120");
    assert_eq!(partitions.len(), 53 + 1 + 1, "{partitions:?}");
    let first = "select min(logged_at at time zone 'UTC')::text as value from log_entries_20250113_20250120";
    assert!(setup.value(first).starts_with("2025-01-13 "));
}

#[test]
fn partitions_may_be_days_weeks_or_months_and_change() {
    let mut setup = Setup::new();
    setup.write("app.log", "");
    let mut all = vec!["default"];
    // Each time those of the day of the run and of the interval after it.
    for (interval, day, expected) in [
        ("day", "2026-01-15", ["20260115_20260116", "20260116_20260117"]),
        ("week", "2026-01-17", ["20260117_20260119", "20260119_20260126"]),
        ("month", "2026-01-30", ["20260126_20260201", "20260201_20260301"]),
        ("day", "2026-03-01", ["20260301_20260302", "20260302_20260303"]),
    ] {
        setup.now = format!("{day}T12:00:00Z");
        setup.config(&format!("[database]\npartition = {interval:?}\n"));
        setup.append("app.log", errors(&[&format!("{day} 11:00:00")]));
        setup.ingest();
        all.splice(all.len() - 1..all.len() - 1, expected);
        assert_eq!(partitions(&setup), all, "{interval}");
    }
    assert_eq!(setup.entries().len(), 4);
}

/// Many new minutes are copied, others are added to what is there.
#[test]
fn lines_are_counted_in_their_minutes_however_many_there_are() {
    let setup = Setup::new();
    let line = |minute: usize| {
        let level = ["INFO", "ERROR"][minute % 2];
        format!("2026-01-15 {:02}:{:02}:30 [{level}] x\n", minute / 60, minute % 60)
    };
    let lines = |minutes: &[usize]| minutes.iter().map(|&minute| line(minute)).collect::<String>();
    let counts = || {
        setup.rows(
            "select to_char(minute, 'HH24:MI ') || info || ' ' || error as value
             from line_counts order by minute",
        )
    };
    // The minute 200 is counted by both runs, in the second of which some lines come late.
    let first: Vec<usize> = (0..=200).collect();
    let second: Vec<usize> = (200..500).chain([7, 7, 300, 450]).collect();
    setup.write("app.log", lines(&first));
    setup.ingest();
    setup.append("app.log", lines(&second));
    setup.ingest();
    let expected: Vec<String> = (0..500)
        .map(|minute: usize| {
            let lines = first.iter().chain(&second).filter(|&&line| line == minute).count();
            let (info, error) = if minute.is_multiple_of(2) { (lines, 0) } else { (0, lines) };
            format!("{:02}:{:02} {info} {error}", minute / 60, minute % 60)
        })
        .collect();
    assert_eq!(counts(), expected);
}

#[test]
fn a_line_that_waits_for_its_partition_is_not_known_before_it_is_stored() {
    let mut setup = Setup::new();
    // Stored without its end, and later taken back to what was known before.
    setup.write("app.log", "2026-01-10 09:00:05 [WARNING] one\n2026-01-15 11:00:00 [FATAL] two");
    setup.ingest_once();
    setup.now = "2026-01-15T12:10:00Z".to_owned();
    setup.ingest_once();
    assert_eq!(setup.entries(), ["FATAL two"]);
    let before = "select to_timestamp((flushed->'before'->>'last_logged_at')::bigint / 1000000)
                      at time zone 'UTC' || '' as value from ingest_tails";
    assert_eq!(setup.value(before), "2026-01-10 09:00:05");
}
