//! Positions that are out of date, out of bounds, or not kept.

use std::fs;

use crate::support::program::Setup;
use crate::{expect_all, lines, read_log};

#[test]
fn fluent_bit_11455_a_position_beyond_the_end_does_not_wait_for_ever() {
    let setup = read_log(10);
    setup.write("app.log", lines(10, 1));
    let run = setup.run(["ingest".as_ref(), setup.log().as_os_str()]);
    assert!(run.stderr.contains("the file was truncated"), "{run:?}");
    setup.ingest();
    assert_eq!(setup.entries().len(), 11);
    assert_eq!(setup.gaps(), ["the file was truncated: 0"]);
}

#[test]
fn loki_8039_truncated_while_it_was_down_and_then_longer_than_before() {
    let setup = read_log(10);
    fs::copy(setup.log(), setup.path("app.log.1")).unwrap();
    setup.write("app.log", lines(10, 50));
    setup.ingest();
    expect_all(&setup, 60);
}

#[test]
fn loki_6503_rotated_while_it_was_down_and_then_longer_than_before() {
    let setup = read_log(10);
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", lines(10, 50));
    setup.ingest();
    expect_all(&setup, 60);
}

#[test]
fn beats_38070_a_truncation_that_was_seen_is_kept() {
    let setup = read_log(10);
    setup.write("app.log", "");
    setup.run(["ingest".as_ref(), setup.log().as_os_str()]);
    assert_eq!((setup.state("byte_offset"), setup.state("generation")), ("0".into(), "2".into()));
    setup.append("app.log", lines(10, 20));
    setup.ingest();
    setup.ingest();
    assert_eq!(setup.entries().len(), 30);
    assert_eq!(setup.gaps().len(), 1);
}

/// The gap is not counted again, and the lines do not come again.
#[test]
fn fluent_bit_8955_a_file_that_was_rewritten_does_not_come_again() {
    let setup = read_log(100);
    // An editor that writes a new file: two lines are taken out, one is added.
    let edited = lines(0, 100).replace(&lines(20, 1), "").replace(&lines(40, 1), "edited\n");
    setup.write("app.log.swp", edited + &lines(100, 1));
    setup.rename("app.log.swp", "app.log");
    setup.ingest();
    expect_all(&setup, 101);
    // One that writes to the same file: only the last lines are kept.
    setup.write("app.log", lines(50, 52));
    setup.ingest();
    expect_all(&setup, 102);
    // If nothing of it is left, all that is there is new, and it is said that more may be lost.
    setup.write("app.log", lines(102, 300));
    let run = setup.run(["ingest".as_ref(), setup.log().as_os_str()]);
    assert!(run.stderr.contains("the file was rewritten"), "{run:?}");
    setup.ingest();
    assert_eq!(setup.entries().len(), 402);
    assert_eq!(setup.gaps().len(), 1);
}

#[test]
fn vector_7229_the_position_moves_though_no_line_is_stored() {
    let setup = Setup::new();
    let log = "2026-01-15 11:00:00 [INFO] nothing\n2026-01-15 11:00:01 [DEBUG] nothing\n";
    setup.write("app.log", log);
    setup.ingest();
    assert_eq!(setup.entries(), [""; 0]);
    assert_eq!(setup.state("byte_offset"), log.len().to_string());
}

#[test]
fn vector_20753_a_run_that_is_killed_leaves_no_empty_position() {
    let setup = read_log(10);
    for round in 1..=10 {
        setup.append("app.log", lines(10 * round, 10));
        let mut program = setup.command(["ingest".as_ref(), setup.log().as_os_str()]);
        let mut child = program.stderr(std::process::Stdio::null()).spawn().unwrap();
        // At once, or when it is at work: some are killed before they have begun.
        if round % 2 == 0 {
            while child.try_wait().unwrap().is_none()
                && setup.value(
                    "select count(*)::text as value from pg_stat_activity
                    where datname = current_database() and application_name = 'tripline'",
                ) == "0"
            {}
        }
        let _ = child.kill();
        child.wait().unwrap();
        assert!(setup.state("byte_offset").parse::<u64>().unwrap() >= 300);
    }
    setup.ingest();
    expect_all(&setup, 110);
}

#[test]
fn status_says_what_was_lost_and_run_says_it_once() {
    let setup = read_log(10);
    for round in 0..7 {
        setup.write("app.log", lines(10 * round, 5));
        let run = setup.run(["ingest".as_ref(), setup.log().as_os_str()]);
        assert_eq!((run.code, run.stderr.lines().count()), (Some(0), 1), "{run:?}");
    }
    setup.ingest();
    let status = setup.run(["status"]).stdout;
    let log = setup.log().display().to_string();
    let begin = status.find("what was not read").unwrap_or_else(|| panic!("{status}"));
    let gap = "  2026-01-15 12:00:00Z  the file was truncated; lines written since the last run may be lost\n";
    let rewritten = gap.replace("truncated", "rewritten");
    let expected = format!(
        "what was not read, or may not have been: 7\n{}  and 2 before (--json has all)\n",
        rewritten.repeat(5)
    );
    assert!(status[begin..].starts_with(&expected), "{status}");
    assert!(status[..begin].ends_with(&format!("{log}: ")), "{status}");

    let status = setup.run(["status", "--json"]).stdout;
    let status: serde_json::Value = serde_json::from_str(&status).unwrap();
    assert_eq!(status["sources"][0]["gaps"], 7);
    assert_eq!(status["gaps"].as_array().unwrap().len(), 7);
    assert_eq!(status["gaps"][6]["reason"], "the file was truncated");
    assert_eq!(status["gaps"][6]["lost_bytes"], 0);
}
