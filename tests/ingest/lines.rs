//! One file that grows: lines, entries, and the limits of both.

use std::fmt::Write;

use crate::support::program::Setup;

#[test]
fn every_complete_line_is_counted_and_the_errors_are_stored() {
    let setup = Setup::new();
    let mut log = String::new();
    let mut expected = Vec::new();
    for i in 0..500 {
        let level = ["INFO", "ERROR", "DEBUG", "FATAL", "WARN", "TRACE"][i % 6];
        let (minute, second) = (i / 60, i % 60);
        writeln!(log, "2026-01-15 11:{minute:02}:{second:02} [{level}] no {i}").unwrap();
        if matches!(level, "ERROR" | "FATAL") {
            expected.push(format!("{level} no {i}"));
        }
    }
    setup.write("app.log", &log);
    setup.ingest();
    assert_eq!(setup.entries(), expected);
    assert_eq!(
        setup.counts(),
        "trace 83, debug 83, info 84, warning 83, error 84, fatal 83",
        "together the 500 lines of the file"
    );
    assert_eq!(setup.state("byte_offset"), log.len().to_string());
    assert_eq!(setup.state("line_no"), "500");
    assert_eq!(setup.value("select count(*)::text as value from line_counts"), "9");
}

#[test]
fn an_unterminated_last_line_waits_and_comes_whole() {
    let setup = Setup::new();
    setup.write("app.log", "2026-01-15 11:00:00 [ERROR] one\n2026-01-15 11:00:01 [ERR");
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR one"]);
    setup.append("app.log", "OR] two");
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR one"]);
    setup.append("app.log", " and more\n");
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR one", "ERROR two and more"]);
    assert_eq!(setup.counts(), "error 2");
}

#[test]
fn cr_lf_ends_a_line_too() {
    let setup = Setup::new();
    setup.write("app.log", "2026-01-15 11:00:00 [ERROR] one\r\n\tat two\r\n\r\nneither\r\n");
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR one\n\tat two"]);
    assert_eq!(setup.counts(), "error 1, continued 2, unparsed 1");
    // The CR of a line whose LF is not written yet is no end.
    setup.append("app.log", "2026-01-15 11:00:01 [FATAL] three\r");
    setup.ingest();
    setup.append("app.log", "\n");
    setup.ingest();
    assert_eq!(setup.entries().last().unwrap(), "FATAL three");
}

#[test]
fn an_empty_file_is_read_silently_and_begins_later() {
    let setup = Setup::new();
    setup.write("app.log", "");
    setup.ingest();
    assert_eq!((setup.counts().as_str(), setup.state("byte_offset").as_str()), ("none", "0"));
    setup.append("app.log", "2026-01-15 11:00:00 [ERROR] one\n");
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR one"]);
    assert!(setup.gaps().is_empty());
}

#[test]
fn continuation_lines_belong_to_their_entry_over_runs_too() {
    let setup = Setup::new();
    setup.write("app.log", "2026-01-15 11:00:00 [ERROR] one\n  at a\nCaused by: b\n");
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR one\n  at a\nCaused by: b"]);
    setup.append("app.log", "  at c\n  at d\n");
    setup.ingest();
    setup.append("app.log", "  at e\n2026-01-15 11:00:01 [FATAL] two\n");
    setup.ingest();
    let one = "ERROR one\n  at a\nCaused by: b\n  at c\n  at d\n  at e";
    assert_eq!(setup.entries(), [one, "FATAL two"]);
    assert_eq!(setup.counts(), "error 1, fatal 1, continued 5");
}

#[test]
fn continuation_lines_of_an_entry_that_is_not_stored_are_only_counted() {
    let setup = Setup::new();
    setup.write("app.log", "2026-01-15 11:00:00 [ERROR] one\n2026-01-15 11:00:01 [INFO] two\n");
    setup.ingest();
    setup.append("app.log", "  of two\n\n  of two again\n");
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR one"]);
    assert_eq!(setup.counts(), "info 1, error 1, continued 3");
}

#[test]
fn a_continuation_before_the_first_entry_is_an_unparsed_line() {
    let setup = Setup::new();
    setup.write("app.log", "  at a\n\n2026-01-15 11:00:00 [ERROR] one\n  at b\n");
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR one\n  at b"]);
    assert_eq!(setup.counts(), "error 1, continued 1, unparsed 2");
}

#[test]
fn the_config_says_which_lines_belong_together() {
    let log = "2026-01-15 11:00:00 [ERROR] quoted:\n> 2026-01-15 11:00:00 [FATAL] x\n  at a\nx\n";
    for (multiline, entry, counts) in [
        ("'auto'", "quoted:\n  at a", "error 1, continued 1, unparsed 2"),
        ("'none'", "quoted:", "error 1, unparsed 3"),
        ("'indent'", "quoted:\n  at a", "error 1, continued 1, unparsed 2"),
        (
            "{ continue = '^>' }",
            "quoted:\n> 2026-01-15 11:00:00 [FATAL] x",
            "error 1, continued 1, unparsed 2",
        ),
        (
            "{ start = '^2026' }",
            "quoted:\n> 2026-01-15 11:00:00 [FATAL] x\n  at a\nx",
            "error 1, continued 3",
        ),
    ] {
        let setup = Setup::new();
        setup.config(&format!("[[source]]\npaths = ['LOGS/app.log']\nmultiline = {multiline}\n"));
        setup.write("app.log", log);
        setup.ingest();
        assert_eq!(setup.entries(), [format!("ERROR {entry}")], "{multiline}");
        assert_eq!(setup.counts(), counts, "{multiline}");
    }
}

#[test]
fn an_entry_takes_as_many_lines_as_the_config_says() {
    let setup = Setup::new();
    setup.config(
        r#"
        [[source]]
        paths = ["LOGS/app.log"]
        max_entry_lines = 3
        "#,
    );
    setup.write("app.log", "2026-01-15 11:00:00 [ERROR] one\n  two\n");
    setup.ingest();
    setup.append("app.log", "  three\n  four\n\n");
    setup.ingest();
    setup.append("app.log", "  five\n2026-01-15 11:00:01 [ERROR] next\n  line\n");
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR one\n  two\n  three", "ERROR next\n  line"]);
    assert_eq!(setup.counts(), "error 2, continued 6");
    assert_eq!(setup.state("cut_lines"), "2", "four and five; the blank one loses nothing");
}

#[test]
fn a_long_line_is_cut_and_the_next_is_read_normally() {
    let setup = Setup::new();
    setup.config(
        r#"
        [[source]]
        paths = ["LOGS/*.log"]
        max_line_bytes = 1024
        "#,
    );
    let long = "x".repeat(3_000_000);
    setup.write("app.log", format!("2026-01-15 11:00:00 [ERROR] {long}\n  {long}\n"));
    setup.append("app.log", "2026-01-15 11:00:01 [ERROR] next\n");
    setup.ingest();
    // 28 bytes are the time and the level.
    assert_eq!(setup.entries(), [format!("ERROR {}", "x".repeat(996)), "ERROR next".to_owned()]);
    assert_eq!(setup.counts(), "error 2, continued 1");
    assert_eq!(setup.state("cut_lines"), "2");
    assert_eq!(
        setup.rows("select coalesce(fields::text, '-') as value from log_entries order by line_no"),
        [r#"{"cut": true}"#, "-"]
    );
    // An entry is no longer than a line may be.
    setup.write("other.log", format!("2026-01-15 11:00:00 [ERROR] {}\n", "y".repeat(990)));
    // 990 + 1 + 33 bytes, then no more.
    setup.append("other.log", format!("  {}\n  z\n", "z".repeat(31)));
    setup.twice(["ingest".into(), setup.path("other.log")]);
    assert_eq!(setup.entries()[2], format!("ERROR {}\n  {}", "y".repeat(990), "z".repeat(31)));
}

#[test]
fn what_the_database_cannot_hold_is_replaced() {
    let setup = Setup::new();
    setup.write("app.log", b"2026-01-15 11:00:00 [ERROR] a\0b\xff\xfec \x1b[31mred\x1b[0m\n \0\n");
    setup.append("app.log", b"\xef\xbb\xbf2026-01-15 11:00:01 [ERROR] after a mark\nx\0\0\n");
    setup.ingest();
    assert_eq!(
        setup.entries(),
        ["ERROR a\u{2400}b\u{fffd}\u{fffd}c red\n \u{2400}", "ERROR after a mark"]
    );
    assert_eq!(setup.counts(), "error 2, continued 1, unparsed 1");
}

#[test]
fn the_levels_that_the_config_names_are_stored() {
    let setup = Setup::new();
    setup.config(
        r#"
        [[source]]
        paths = ["LOGS/app.log"]
        store = ["WARNING", "ERROR", "FATAL"]
        "#,
    );
    setup.write("app.log", "2026-01-15 11:00:00 [WARN] one\n  more\n");
    setup.append("app.log", "2026-01-15 11:00:01 [INFO] two\n2026-01-15 11:00:02 [ERR] three\n");
    setup.ingest();
    assert_eq!(setup.entries(), ["WARNING one\n  more", "ERROR three"]);
}

#[test]
fn chunks_end_anywhere_without_a_trace() {
    let setup = Setup::new();
    let log = "2026-01-15 11:00:00 [ERROR] one\n  at a\n\n  at b\nneither\n\
               2026-01-15 11:00:01 [INFO] two\n  at c\n2026-01-15 11:00:02 [FATAL] three\n";
    setup.write("app.log", log);
    setup.write("copy.log", log);
    setup.ingest();
    setup.twice(["ingest".into(), "--chunk-bytes=1".into(), setup.path("copy.log")]);
    assert_eq!(setup.entries()[..2], setup.entries()[2..]);
    assert_eq!(
        setup.rows(
            "select count(*)::text as value from (
                 select line_no, parsed_lines, byte_offset, head_hash, marker_hash, open_line_no,
                        open_lines, open_bytes, cut_lines, last_logged_at, read_to_end_at
                 from ingest_state
                 group by 1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11
             ) as states"
        ),
        ["1"]
    );
}

#[test]
fn status_shows_the_last_lines_that_could_not_be_parsed() {
    let setup = Setup::new();
    setup.write("app.log", "2026-01-15 11:00:00 [ERROR] one\nfirst\nsecond\n");
    setup.ingest();
    setup.append("app.log", "third \x1b[31mred\x1b[0m\nfourth\n");
    setup.ingest();
    let samples = "select unparsed_samples::text as value from ingest_state";
    assert_eq!(setup.value(samples), r#"{second,"third red",fourth}"#);
    let status = setup.run(["status"]).stdout;
    assert!(status.contains("not parsed: second\n  not parsed: third red\n"), "{status}");
}
