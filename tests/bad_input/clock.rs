//! The clock of the host jumps between two runs.

use std::fs::File;

use expect_test::expect;

use crate::support::program::{Ran, Setup};

fn run_at(setup: &mut Setup, time: &str) -> Ran {
    time.clone_into(&mut setup.now);
    let run = setup.run(["run".into(), setup.log()]);
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""), "{time}");
    run
}

/// What is written to the log before each run. A line of one is ended before the next.
const PIECES: [&str; 8] = [
    "2026-01-15 11:58:00 [ERROR] one\n2026-01-15 11:58:10 [FATAL] disk full\n",
    "2026-01-15 11:58:20 [ERROR] two\n2026-01-15 11:58:30 [ERR",
    "OR] three\n2026-01-15 11:58:40 [ERROR] four\n",
    "2026-01-15 12:01:00 [ERROR] five\n\tat some.Class(File.java:17)\n",
    "2026-01-15 12:02:00 [ERROR] six\n2026-01-15 12:02:00 [INFO] no e",
    "nd\n\n2026-01-15 11:40:00 [FATAL] late\n",
    "2026-01-15 12:03:30 [ERROR] seven\n",
    "2026-01-15 12:04:30 [FATAL] disk full again\n",
];

/// Everything that is stored, but for what depends on the time of the runs.
fn stored(setup: &Setup) -> Vec<String> {
    let mut stored = Vec::new();
    for statement in [
        "select concat_ws(' ', logged_at, line_no, byte_offset, level, message) as value
         from log_entries order by line_no",
        "select (to_jsonb(line_counts) - 'source_id')::text as value
         from line_counts order by minute",
        "select concat_ws(' ', byte_offset, line_no, parsed_lines, unparsed_lines,
             redated_entries, dirty) as value from ingest_state",
        "select concat_ws(' ', name, started_at, ended_at, measured) as value
         from alerts join alert_rules rule on rule.id = rule_id
         where merged_into is null order by started_at, name",
    ] {
        stored.extend(setup.rows(statement));
    }
    stored
}

fn read_at(times: [&str; PIECES.len()]) -> (Setup, Vec<String>) {
    let mut setup = Setup::new();
    let mut told = Vec::new();
    for (piece, time) in PIECES.into_iter().zip(times) {
        setup.append("app.log", piece);
        let folder = setup.folder.path().to_str().unwrap().to_owned();
        let run = run_at(&mut setup, time);
        told.extend(run.stdout.lines().map(|line| line.replace(&folder, "LOGS")));
    }
    (setup, told)
}

fn partitions(setup: &Setup) -> Vec<String> {
    setup.rows(
        "select replace(inhrelid::regclass::text, 'log_entries_', '') as value from pg_inherits
         where inhparent = 'log_entries'::regclass order by 1",
    )
}

#[test]
fn a_clock_that_jumps_by_hours_and_years_loses_and_doubles_nothing() {
    let (right, _) = read_at([
        "2026-01-15T12:00:00Z",
        "2026-01-15T12:00:30Z",
        "2026-01-15T12:01:00Z",
        "2026-01-15T12:02:00Z",
        "2026-01-15T12:03:00Z",
        "2026-01-15T12:04:00Z",
        "2026-01-15T12:05:00Z",
        "2026-01-15T12:06:00Z",
    ]);
    let (jumping, told) = read_at([
        "2026-01-15T12:00:00Z",
        "2026-01-15T17:00:30Z",
        "2026-01-15T07:01:00Z",
        "2029-01-15T12:02:00Z",
        "2026-01-15T12:03:00Z",
        "2286-11-20T17:46:40Z",
        "2026-01-14T12:05:00Z",
        "2026-01-15T12:06:00Z",
    ]);
    assert_eq!(stored(&jumping), stored(&right));
    assert_eq!(partitions(&jumping), partitions(&right));
    expect![[r#"
        FIRED: critical fatal (alert 1) on LOGS/app.log: 1 FATAL within 5m (threshold 1), since 2026-01-15 11:58:10 +00:00: disk full
        RESOLVED: critical fatal (alert 1) on LOGS/app.log: 1 FATAL within 5m (threshold 1), fired 2026-01-15 11:58:10 +00:00, resolved after 5m
        FIRED: warning error-burst (alert 2) on LOGS/app.log: 5 ERROR or FATAL within 5m (threshold 5), since 2026-01-15 11:58:40 +00:00: four
        RESOLVED: warning error-burst (alert 2) on LOGS/app.log: 6 ERROR or FATAL within 5m (threshold 5), fired 2026-01-15 11:58:40 +00:00, resolved after 4m30s
        FIRED again: warning error-burst (alert 2) on LOGS/app.log: 7 ERROR or FATAL within 5m (threshold 5), since 2026-01-15 11:58:40 +00:00: four
        RESOLVED: critical fatal (alert 3) on LOGS/app.log: 1 FATAL within 5m (threshold 1), fired 2026-01-15 11:40:00 +00:00, resolved after 5m: late
        RESOLVED again: warning error-burst (alert 2) on LOGS/app.log: 7 ERROR or FATAL within 5m (threshold 5), fired 2026-01-15 11:58:40 +00:00, resolved after 4m40s
        FIRED: critical fatal (alert 4) on LOGS/app.log: 1 FATAL within 5m (threshold 1), since 2026-01-15 12:04:30 +00:00: disk full again"#]].assert_eq(&told.join("\n"));
}

#[test]
fn entries_of_the_time_before_the_clock_was_set_are_where_they_belong_or_in_the_default() {
    let mut setup = Setup::new();
    setup.write("app.log", "2026-01-15 11:00:00 [ERROR] one\n");
    run_at(&mut setup, "2286-11-20T17:46:40Z").expect_silence();
    assert_eq!(partitions(&setup), ["default"]);
    setup.append("app.log", "2026-01-15 11:01:00 [ERROR] two\n2026-01-19 11:02:00 [ERROR] three\n");
    run_at(&mut setup, "2026-01-20T12:00:00Z").expect_silence();
    run_at(&mut setup, "2026-01-20T12:01:00Z").expect_silence();
    assert_eq!(setup.entries(), ["ERROR one", "ERROR two", "ERROR three"]);
    assert_eq!(partitions(&setup), ["20260119_20260126", "20260126_20260202", "default"]);
}

#[test]
fn a_clock_that_is_behind_by_years_loses_no_entry() {
    let mut setup = Setup::new();
    setup.write("app.log", "2026-01-15 11:00:00 [ERROR] one\n");
    run_at(&mut setup, "2026-01-15T12:00:00Z").expect_silence();
    setup.append("app.log", "2026-01-15 11:01:00 [ERROR] two\n");
    run_at(&mut setup, "2020-06-10T12:00:00Z").expect_silence();
    setup.append("app.log", "2026-01-15 12:02:00 [ERROR] three\n");
    run_at(&mut setup, "2026-01-15T12:03:00Z").expect_silence();
    // The run has no better time for it than its own; what was written stays.
    let entries = "select concat_ws(' ', to_char(logged_at at time zone 'UTC', 'yyyy-mm-dd'),
                       message, fields ->> 'written_at') as value
                   from log_entries order by line_no";
    expect![[r#"
        2026-01-15 one
        2020-06-10 two 2026-01-15 11:01:00
        2026-01-15 three
    "#]]
    .assert_eq(&(setup.rows(entries).join("\n") + "\n"));
    assert_eq!(setup.state("redated_entries"), "1");
}

#[test]
fn an_alert_that_could_not_be_printed_before_the_clock_was_set_back_is_printed_after() {
    let mut setup = Setup::new();
    setup.write("app.log", "2026-01-15 11:59:00 [FATAL] disk full\n");
    "2029-01-15T12:00:00Z".clone_into(&mut setup.now);
    let mut run = setup.command(["run".as_ref(), setup.log().as_os_str()]);
    let full = File::options().write(true).open("/dev/full").unwrap();
    let output = run.stdout(full).output().unwrap();
    assert_eq!(output.status.code(), Some(1));
    let told = run_at(&mut setup, "2026-01-15T12:01:00Z").stdout;
    assert!(told.starts_with("RESOLVED: critical fatal (alert 1)"), "{told}");
    run_at(&mut setup, "2026-01-15T12:02:00Z").expect_silence();
}

#[test]
fn the_last_run_is_the_last_one_made() {
    let mut setup = Setup::new();
    setup.write("app.log", "");
    run_at(&mut setup, "2029-01-15T12:00:00Z").expect_silence();
    run_at(&mut setup, "2026-01-15T12:00:00Z").expect_silence();
    let status = setup.run(["status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    assert_eq!(status["last_run"]["started_at"], "2026-01-15T12:00:00Z");
}
