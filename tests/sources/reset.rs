//! `tripline source reset`: what is read again is there once, and nothing is told twice.

use std::fmt::Write;
use std::fs;

use chrono::{DateTime, TimeDelta, Utc};
use expect_test::expect;

use crate::support::cases;
use crate::support::program::Setup;
use crate::support::random::Random;
use crate::{line, printed, said};

const CONFIG: &str = r#"
    host = "web1"
    [[source]]
    name = "app"
    paths = ["LOGS/app.log"]
"#;

fn setup() -> Setup {
    let setup = Setup::new();
    setup.config(CONFIG);
    setup
}

fn reset(setup: &Setup) {
    let reset = setup.run(["source", "reset", "app", "--yes"]);
    assert_eq!((reset.code, reset.stderr.as_str()), (Some(0), ""));
}

/// All rows but the stamps of ticks, which a second reading sets anew.
fn outcome(setup: &Setup) -> Vec<String> {
    setup.rows(
        "select concat_ws(' ', 'entry', line_no, byte_offset, level, logged_at, message) as value
         from log_entries
         union all
         select to_jsonb(line_counts)::text from line_counts
         union all
         select to_jsonb(ingest_state)::text from ingest_state
         union all
         select (to_jsonb(alerts) - 'id')::text from alerts
         union all
         select (to_jsonb(notifications) - 'id' - 'alert_id')::text from notifications
         union all
         select to_jsonb(generations)::text from generations
         union all
         select to_jsonb(ingest_gaps)::text from ingest_gaps
         order by value",
    )
}

#[test]
fn everything_is_as_before_and_nothing_is_told_again() {
    let setup = setup();
    for second in 0..6 {
        setup.append("app.log", line(second, "ERROR", "burst"));
    }
    setup.append("app.log", line(10, "FATAL", "panic") + "  at a\nno entry\n");
    // One alert is over, the other one fires.
    setup.append("app.log", "2026-01-15 11:59:00 [FATAL] again\n");
    let run = setup.run(["run"]);
    assert_eq!(run.stdout.lines().count(), 3, "{run:?}");
    let before = outcome(&setup);

    let reset = setup.run(["source", "reset", "app", "--yes"]);
    assert_eq!(
        printed(&setup, &reset),
        "reset LOGS/app.log on web1 (entries: 8); the next run reads its file from the beginning\n"
    );
    assert_eq!(setup.entries(), [""; 0]);
    assert_eq!((setup.counts().as_str(), setup.state("line_no").as_str()), ("none", "0"));
    // Twice is as once.
    let again = setup.run(["source", "reset", "app", "--yes"]);
    assert!(printed(&setup, &again).contains("(entries: 0)"));

    setup.run(["run"]).expect_silence();
    assert_eq!(outcome(&setup), before);
    setup.run(["run"]).expect_silence();
    assert_eq!(outcome(&setup), before);
}

#[test]
fn an_open_alert_ends_and_an_open_entry_goes_on() {
    let mut setup = setup();
    setup.write("app.log", "2026-01-15 11:59:00 [FATAL] panic\n  at a\n");
    assert!(setup.run(["run"]).stdout.starts_with("FIRED"));
    reset(&setup);
    setup.append("app.log", "  at b\n");
    setup.run(["run"]).expect_silence();
    assert_eq!(setup.entries(), ["FATAL panic\n  at a\n  at b"]);
    setup.append("app.log", "  at c\n");
    setup.now = "2026-01-15T12:10:00Z".to_owned();
    let run = setup.run(["run"]);
    assert!(run.stdout.starts_with("RESOLVED"), "{run:?}");
    assert_eq!(run.stdout.lines().count(), 1);
    assert_eq!(setup.entries(), ["FATAL panic\n  at a\n  at b\n  at c"]);
}

#[test]
fn what_was_not_evaluated_yet_is_told_once() {
    let setup = setup();
    setup.write("app.log", line(0, "FATAL", "one"));
    setup.run(["ingest"]).expect_silence();
    reset(&setup);
    let run = setup.run(["run"]);
    assert_eq!((run.code, run.stdout.lines().count()), (Some(0), 1), "{run:?}");
    setup.run(["run"]).expect_silence();
}

#[test]
fn rows_of_earlier_files_go_and_their_alerts_stay() {
    let setup = setup();
    setup.write("app.log", line(0, "FATAL", "in the first file"));
    setup.run(["run"]);
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", line(60, "ERROR", "in the second file"));
    setup.run(["run"]);
    let alerts = "select to_jsonb(alerts)::text as value from alerts";
    let before = setup.rows(alerts);

    reset(&setup);
    setup.run(["run"]).expect_silence();
    assert_eq!(setup.entries(), ["ERROR in the second file"]);
    assert_eq!((setup.counts(), setup.state("line_no")), ("error 1".to_owned(), "1".to_owned()));
    assert_eq!((setup.rows(alerts), setup.gaps().len()), (before, 0));
}

#[test]
fn a_file_that_was_rotated_after_the_reset_is_read_from_its_beginning() {
    let setup = setup();
    setup.write("app.log", line(0, "ERROR", "one"));
    setup.run(["run"]);
    reset(&setup);
    setup.append("app.log", line(1, "ERROR", "two"));
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", line(2, "ERROR", "three"));
    setup.run(["run"]).expect_silence();
    assert_eq!(setup.entries(), ["ERROR one", "ERROR two", "ERROR three"]);
    assert_eq!(setup.gaps().len(), 0);
}

#[test]
fn the_beginning_is_read_even_where_new_logs_are_read_from_their_end() {
    let setup = setup();
    setup.config(&format!("{CONFIG}start = \"end\"\n"));
    setup.write("app.log", line(0, "ERROR", "one"));
    setup.run(["run"]);
    setup.append("app.log", line(1, "ERROR", "two"));
    setup.run(["run"]);
    assert_eq!(setup.entries(), ["ERROR two"]);
    reset(&setup);
    setup.run(["run"]).expect_silence();
    assert_eq!(setup.entries(), ["ERROR one", "ERROR two"]);
}

#[test]
fn a_log_that_was_never_read_is_reset_as_well() {
    let setup = setup();
    setup.run(["run"]);
    assert_ne!(setup.state("last_error"), "-");
    reset(&setup);
    assert_eq!(setup.state("last_error"), "-");
    setup.write("app.log", line(0, "ERROR", "one"));
    setup.run(["run"]).expect_silence();
    assert_eq!(setup.entries(), ["ERROR one"]);
}

#[test]
fn a_change_of_the_config_holds_for_what_was_read() {
    let setup = setup();
    setup.write("app.log", line(0, "WARNING", "one") + &line(1, "ERROR", "two"));
    setup.run(["run"]);
    setup.config(&format!("{CONFIG}store = [\"WARNING\", \"ERROR\", \"FATAL\"]\n"));
    reset(&setup);
    setup.run(["run"]).expect_silence();
    assert_eq!(setup.entries(), ["WARNING one", "ERROR two"]);
}

#[test]
fn without_a_terminal_it_wants_a_yes() {
    let setup = setup();
    setup.write("app.log", line(0, "ERROR", "one"));
    setup.run(["run"]);
    let refused = setup.run(["source", "reset", "app"]);
    expect![[r#"
        tripline: error: this deletes what was read from LOGS/app.log on web1 (lines: 1), also of its earlier files; the next run reads the present one from the beginning; repeat the command with --yes
    "#]]
    .assert_eq(&said(&setup, &refused, 2));
    assert_eq!(setup.entries(), ["ERROR one"]);
}

/// A history of ticks: what is appended before each, in bursts and with late entries.
fn history(random: &mut Random) -> Vec<(String, String)> {
    let mut now: DateTime<Utc> = "2026-01-15T11:00:00Z".parse().unwrap();
    // A line before the first entry would be counted at the tick.
    let mut ticks = vec![(now.to_rfc3339(), "2026-01-15 10:59:00 [INFO] begin\n".to_owned())];
    for _ in 0..8 + random.below(8) {
        let mut text = String::new();
        for _ in 0..random.below(12) {
            let late = [0, 0, 0, 1, 20][random.below(5)];
            let age = 60 * late + i64::try_from(random.below(60)).unwrap();
            let at = (now - TimeDelta::seconds(age)).format("%F %T");
            let level = ["INFO", "WARN", "ERROR", "ERROR", "FATAL"][random.below(5)];
            match random.below(8) {
                0 => text.push_str("neither this nor that\n"),
                1 => text.push_str("  at a continuation\n"),
                _ => writeln!(text, "{at} [{level}] message").unwrap(),
            }
        }
        ticks.push((now.to_rfc3339(), text));
        now += TimeDelta::minutes([1, 1, 1, 4, 15][random.below(5)]);
    }
    ticks
}

/// What is told at each tick, and what is there in the end.
fn live(ticks: &[(String, String)], reset_before: Option<usize>) -> (Vec<String>, Vec<String>) {
    let mut setup = setup();
    fs::write(setup.log(), "").unwrap();
    let mut told = Vec::new();
    for (tick, (now, text)) in ticks.iter().enumerate() {
        setup.append("app.log", text);
        setup.now.clone_from(now);
        if reset_before == Some(tick) {
            reset(&setup);
        }
        let run = setup.run(["run"]);
        let folder = setup.folder.path().to_str().unwrap();
        told.push(run.stdout.replace(folder, "LOGS") + &run.stderr.replace(folder, "LOGS"));
    }
    let rows = outcome(&setup);
    // The inode, and when alerts were found, which is told at the same ticks anyway.
    (told, rows.into_iter().filter(|row| !row.contains("\"inode\"")).collect())
}

#[test]
fn a_reset_at_any_time_changes_nothing_in_the_end() {
    for case in 0..cases(6) {
        let mut random = Random::new(case);
        let ticks = history(&mut random);
        let reset_before = 1 + random.below(ticks.len() - 1);
        let (told, rows) = live(&ticks, Some(reset_before));
        let (expected_told, expected_rows) = live(&ticks, None);
        assert_eq!(told, expected_told, "reset before tick {reset_before} of {ticks:#?}");
        assert_eq!(rows, expected_rows, "reset before tick {reset_before} of {ticks:#?}");
    }
}
