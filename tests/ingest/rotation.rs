//! The file at a path is replaced, truncated or copied, and nothing is lost or read twice.

use std::fs;

use chrono::{DateTime, TimeDelta, Utc};

use crate::support::program::Setup;

/// `count` lines from number `first` on, all errors.
fn lines(first: usize, count: usize) -> String {
    (first..first + count)
        .map(|i| format!("2026-01-15 11:{:02}:{:02} [ERROR] no {i}\n", i / 60 % 60, i % 60))
        .collect::<Vec<_>>()
        .concat()
}

/// Checks that the errors from 0 to `count` are stored, each once.
#[track_caller]
fn expect_all(setup: &Setup, count: usize) {
    let expected: Vec<String> = (0..count).map(|i| format!("ERROR no {i}")).collect();
    assert_eq!(setup.entries(), expected);
    assert_eq!(setup.counts(), format!("error {count}"));
    assert_eq!(setup.state("line_no"), count.to_string());
    assert_eq!(setup.gaps(), [""; 0]);
}

/// A log of 10 lines that was read.
fn read_log() -> Setup {
    let setup = Setup::new();
    setup.write("app.log", lines(0, 10));
    setup.ingest();
    setup
}

#[test]
fn a_renamed_file_is_read_to_its_end_and_then_the_new_one() {
    let setup = read_log();
    setup.append("app.log", lines(10, 5));
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", lines(15, 3));
    setup.ingest();
    expect_all(&setup, 18);
    // Once more, over names that end in a date.
    setup.append("app.log", lines(18, 4));
    setup.rename("app.log", "app.log-20260115");
    setup.write("app.log", lines(22, 30));
    setup.ingest();
    expect_all(&setup, 52);
    assert_eq!(setup.state("generation"), "3");
}

#[test]
fn a_renamed_file_that_was_read_to_its_end_is_not_read_again() {
    let setup = read_log();
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", lines(10, 2));
    setup.ingest();
    expect_all(&setup, 12);
}

/// Sets when the renamed file was last written to, as seen by the runs.
fn touch(setup: &Setup, minutes_ago: i64) {
    let now: DateTime<Utc> = setup.now.parse().unwrap();
    let file = fs::File::options().append(true).open(setup.path("app.log.1")).unwrap();
    file.set_modified((now - TimeDelta::minutes(minutes_ago)).into()).unwrap();
}

#[test]
fn the_writer_may_go_on_in_the_renamed_file_until_it_opens_the_new_one() {
    let setup = read_log();
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", "");
    setup.append("app.log.1", lines(10, 1));
    touch(&setup, 1);
    setup.ingest();
    expect_all(&setup, 11);
    setup.append("app.log.1", "2026-01-15 11:00:11 [ERR");
    touch(&setup, 0);
    setup.ingest();
    setup.append("app.log.1", "OR] no 11\n");
    touch(&setup, 1);
    setup.ingest();
    expect_all(&setup, 12);
    setup.append("app.log.1", lines(12, 2));
    touch(&setup, 1);
    setup.append("app.log", lines(14, 2));
    setup.ingest();
    expect_all(&setup, 16);
}

#[test]
fn a_renamed_file_that_nobody_writes_to_is_left_in_time() {
    let unfinished = |setup: &Setup| {
        setup.value("select count(*)::text as value from generations where state = 'unfinished'")
    };
    let setup = read_log();
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", "");
    touch(&setup, 300);
    setup.ingest();
    assert_eq!(unfinished(&setup), "1", "the new one is empty");
    setup.write("app.log", lines(10, 1));
    touch(&setup, 59);
    setup.ingest();
    assert_eq!(unfinished(&setup), "1");
    touch(&setup, 60);
    setup.ingest();
    assert_eq!(unfinished(&setup), "0");
    // So its archive may be deleted when the log is rotated again.
    fs::remove_file(setup.path("app.log.1")).unwrap();
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", lines(11, 1));
    setup.ingest();
    expect_all(&setup, 12);
}

#[test]
fn a_log_that_is_missing_for_a_while_goes_on_where_it_was() {
    let setup = read_log();
    setup.append("app.log", lines(10, 1));
    setup.rename("app.log", "app.log.1");
    let missing = setup.run(["ingest".as_ref(), setup.log().as_os_str()]);
    assert!(missing.expect_failure(1).contains("does not exist"));
    setup.write("app.log", lines(11, 1));
    setup.ingest();
    expect_all(&setup, 12);
}

#[test]
fn a_truncated_file_is_read_from_its_beginning() {
    let setup = read_log();
    setup.write("app.log", "");
    setup.run(["ingest".as_ref(), setup.log().as_os_str()]);
    setup.append("app.log", lines(10, 2));
    setup.ingest();
    assert_eq!(setup.entries().len(), 12);
    assert_eq!(setup.entries().last().unwrap(), "ERROR no 11");
    // What was written between the last run and the truncation is lost, which is said.
    assert_eq!(setup.gaps(), ["the file was truncated: 0"]);
}

#[test]
fn a_file_that_was_truncated_and_has_grown_beyond_the_offset_is_read_from_its_beginning() {
    let setup = read_log();
    setup.write("app.log", lines(10, 30));
    let run = setup.run(["ingest".as_ref(), setup.log().as_os_str()]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""));
    assert!(run.stderr.contains("app.log: the file was rewritten; lines written since"), "{run:?}");
    setup.ingest();
    assert_eq!(setup.entries().len(), 40);
    assert_eq!(setup.entries().last().unwrap(), "ERROR no 39");
    assert_eq!(setup.gaps(), ["the file was rewritten: 0"]);
}

#[test]
fn the_copy_beside_a_truncated_file_is_read_to_its_end() {
    let setup = read_log();
    setup.append("app.log", lines(10, 5));
    fs::copy(setup.log(), setup.path("app.log.1")).unwrap();
    setup.write("app.log", "");
    setup.ingest();
    expect_all(&setup, 15);
    setup.append("app.log", lines(15, 2));
    setup.ingest();
    expect_all(&setup, 17);
    // The next time it has grown beyond the offset meanwhile.
    fs::copy(setup.log(), setup.path("app.log.1")).unwrap();
    setup.write("app.log", lines(17, 20));
    setup.ingest();
    expect_all(&setup, 37);
}

#[test]
fn a_copy_that_is_shorter_than_what_was_read_is_never_read() {
    let setup = Setup::new();
    let line = |number| format!("2026-01-15 11:00:00 [ERROR] no {number}\n");
    let lines = |from, to| (from..to).map(line).collect::<String>();
    setup.write("app.log", lines(0, 40));
    setup.ingest();
    // logrotate copies, the writer and a run go on, and only then the log is emptied.
    setup.write("app.log.1", lines(0, 50));
    setup.append("app.log", lines(40, 60));
    setup.ingest();
    setup.write("app.log", lines(60, 70));
    setup.ingest();
    // However often it is rotated then.
    for rotation in 0..3 {
        for number in (1..=rotation + 1).rev() {
            setup.rename(&format!("app.log.{number}"), &format!("app.log.{}", number + 1));
        }
        setup.rename("app.log", "app.log.1");
        let from = 70 + 10 * rotation;
        setup.write("app.log", lines(from, from + 10));
        setup.ingest();
    }
    let expected: Vec<String> = (0..100).map(|number| format!("ERROR no {number}")).collect();
    assert_eq!(setup.entries(), expected);
    assert_eq!(setup.gaps(), [""; 0]);
}

#[test]
fn a_file_that_was_replaced_by_its_copy_goes_on_where_it_was() {
    let setup = read_log();
    for round in 0..3 {
        fs::copy(setup.log(), setup.path(".app.log.new")).unwrap();
        setup.append(".app.log.new", lines(10 + round, 1));
        setup.rename(".app.log.new", "app.log");
        setup.ingest();
        expect_all(&setup, 11 + round);
        assert_eq!(setup.state("generation"), "1");
    }
}

#[test]
fn what_is_lost_with_a_deleted_file_is_told_once_and_kept() {
    let setup = read_log();
    setup.append("app.log", "2026-01-15 11:30:00 [ERR");
    setup.ingest();
    // Both exist for a moment, so that they have not the same inode.
    setup.write("new", lines(10, 1));
    setup.rename("new", "app.log");
    let run = setup.run(["ingest".as_ref(), setup.log().as_os_str()]);
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""));
    assert!(run.stderr.contains("app.log: the file that was read is gone"), "{run:?}");
    setup.ingest();
    assert_eq!(setup.entries().len(), 11);
    assert_eq!(setup.gaps().len(), 1);
}

#[test]
fn the_inode_of_a_deleted_file_says_nothing() {
    let setup = read_log();
    // In place: the same inode with other content, of the same length and longer.
    for content in [lines(90, 10), lines(50, 40)] {
        setup.write("app.log", content);
        setup.run(["ingest".as_ref(), setup.log().as_os_str()]);
        setup.ingest();
    }
    assert_eq!(setup.entries().len(), 60);
}

#[test]
fn the_end_of_a_new_log_is_where_reading_starts_if_the_config_says_so() {
    let setup = Setup::new();
    setup.config(
        r#"
        [[source]]
        paths = ["LOGS/app.log"]
        start = "end"
        "#,
    );
    setup.write("app.log", lines(90, 7) + "2026-01-15 11:00:00 [ERR");
    setup.ingest();
    assert_eq!(setup.entries(), [""; 0]);
    setup.append("app.log", "OR] no 0\n");
    setup.append("app.log", lines(1, 1));
    setup.ingest();
    expect_all(&setup, 2);
    // After a rotation all of the new file is new.
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", lines(2, 3));
    setup.ingest();
    expect_all(&setup, 5);
}

#[test]
fn a_log_switched_by_a_symlink_is_a_rotation() {
    let setup = Setup::new();
    setup.write("app-1", lines(0, 3));
    std::os::unix::fs::symlink("app-1", setup.log()).unwrap();
    setup.ingest();
    setup.append("app-1", lines(3, 3));
    setup.write("app-2", lines(6, 2));
    fs::remove_file(setup.log()).unwrap();
    std::os::unix::fs::symlink("app-2", setup.log()).unwrap();
    setup.ingest();
    expect_all(&setup, 8);
}

#[test]
fn an_entry_goes_on_in_the_next_file() {
    let setup = read_log();
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", "  at a\n  at b\n");
    setup.ingest();
    assert_eq!(setup.entries().last().unwrap(), "ERROR no 9\n  at a\n  at b");
}
