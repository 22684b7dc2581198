//! Last lines that have no end: stored after a while, and replaced when they go on.

use chrono::{DateTime, Utc};
use tripline::model::SourceId;
use tripline::store::StoreError;
use tripline::store::chunk::{self, ChunkStart};

use crate::support::program::{NOW, Setup};

const ONE: &str = "2026-01-15 11:00:00 [ERROR] one\n";

/// A log of one line and a last line without an end, seen once.
fn seen(last_line: &str) -> Setup {
    let setup = Setup::new();
    setup.write("app.log", ONE);
    setup.append("app.log", last_line);
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR one"]);
    setup
}

/// Reads at so many seconds after noon, twice.
fn ingest_at(setup: &mut Setup, second: i64) {
    let noon: DateTime<Utc> = NOW.parse().unwrap();
    setup.now = (noon + chrono::TimeDelta::seconds(second)).to_rfc3339();
    setup.ingest();
}

fn unread(setup: &Setup) -> i64 {
    let status = setup.run(["status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    status["sources"][0]["unread_bytes"].as_i64().unwrap()
}

#[test]
fn a_last_line_that_stays_as_it_is_is_stored_and_later_replaced() {
    let mut setup = seen("2026-01-15 11:00:01 [ERROR] tw");
    ingest_at(&mut setup, 59);
    assert_eq!((setup.entries().len(), unread(&setup)), (1, 30));
    ingest_at(&mut setup, 60);
    assert_eq!(setup.entries(), ["ERROR one", "ERROR tw"]);
    assert_eq!((setup.counts().as_str(), unread(&setup)), ("error 2", 0));
    assert_eq!((setup.state("byte_offset"), setup.state("line_no")), ("32".into(), "2".into()));
    ingest_at(&mut setup, 3600);
    setup.append("app.log", "o\n  at x\n2026-01-15 11:00:02 [FATAL] three\n");
    ingest_at(&mut setup, 3601);
    assert_eq!(setup.entries(), ["ERROR one", "ERROR two\n  at x", "FATAL three"]);
    assert_eq!(setup.counts(), "error 2, fatal 1, continued 1");
    assert_eq!(setup.state("line_no"), "4");
    assert_eq!(
        setup.rows("select line_no::text as value from log_entries order by 1"),
        ["1", "2", "4"]
    );
    assert_eq!(setup.rows("select '' as value from ingest_tails"), [""; 0]);
}

#[test]
fn a_last_line_that_grows_is_as_young_as_what_was_added() {
    let mut setup = seen("2026-01-15 11:00:01 [ERROR] t");
    setup.append("app.log", "w");
    ingest_at(&mut setup, 40);
    ingest_at(&mut setup, 99);
    assert_eq!(setup.entries().len(), 1);
    ingest_at(&mut setup, 100);
    assert_eq!(setup.entries(), ["ERROR one", "ERROR tw"]);
    // What is stored stays until what was added is old enough too.
    setup.append("app.log", "o");
    ingest_at(&mut setup, 150);
    assert_eq!(setup.entries(), ["ERROR one", "ERROR tw"]);
    assert_eq!(unread(&setup), 1);
    ingest_at(&mut setup, 210);
    assert_eq!(setup.entries(), ["ERROR one", "ERROR two"]);
    setup.append("app.log", "\n");
    ingest_at(&mut setup, 211);
    assert_eq!(setup.entries(), ["ERROR one", "ERROR two"]);
    assert_eq!((setup.counts().as_str(), setup.state("line_no").as_str()), ("error 2", "2"));
}

#[test]
fn a_last_line_that_was_rewritten_is_another_one() {
    let mut setup = seen("2026-01-15 11:00:01 [ERROR] 10 %");
    setup.write("app.log", format!("{ONE}2026-01-15 11:00:01 [ERROR] 20 %"));
    ingest_at(&mut setup, 60);
    assert_eq!(setup.entries().len(), 1);
    ingest_at(&mut setup, 120);
    assert_eq!(setup.entries(), ["ERROR one", "ERROR 20 %"]);
    // So it is when it was stored already.
    setup.write("app.log", format!("{ONE}2026-01-15 11:00:01 [ERROR] 30 %"));
    ingest_at(&mut setup, 180);
    assert_eq!(setup.entries(), ["ERROR one", "ERROR 20 %"]);
    ingest_at(&mut setup, 240);
    assert_eq!(setup.entries(), ["ERROR one", "ERROR 30 %"]);
}

#[test]
fn the_times_of_a_minute_are_as_if_a_replaced_line_had_never_been_there() {
    for second in [20, 40] {
        let mut setup = seen("2026-01-15 11:00:50 [INFO] x");
        ingest_at(&mut setup, 60);
        let times = "select to_char(first_at, 'SS') || '-' || to_char(last_at, 'SS') as value
             from line_counts";
        assert_eq!(setup.rows(times), ["00-50"]);
        let last_line = format!("2026-01-15 11:00:{second} [INFO] rewritten");
        setup.write("app.log", format!("{ONE}{last_line}"));
        ingest_at(&mut setup, 61);
        ingest_at(&mut setup, 121);
        assert_eq!(setup.rows(times), [format!("00-{second}")]);
        setup.append("app.log", " z\n");
        ingest_at(&mut setup, 122);
        assert_eq!(setup.rows(times), [format!("00-{second}")]);
        assert_eq!(setup.counts(), "info 1, error 1");
    }
}

#[test]
fn what_a_last_line_is_may_change_when_it_is_whole() {
    for (part, stored, rest, whole, counts) in [
        // Unparsed, then an entry.
        ("2026-01-15 12:00:01 [ERR", "ERROR one", "OR] two", "ERROR one|ERROR two", "error 2"),
        // A continuation that is longer, and one that is none.
        ("  at", "ERROR one\n  at", " x", "ERROR one\n  at x", "error 1, continued 1"),
        ("KeyError", "ERROR one\nKeyError", "s 7", "ERROR one", "error 1, unparsed 1"),
        // A blank one, which is not kept.
        ("  ", "ERROR one", "at x", "ERROR one\n  at x", "error 1, continued 1"),
        // One that is not stored.
        ("2026-01-15 12:00:01 [INFO] t", "ERROR one", "wo", "ERROR one", "info 1, error 1"),
        ("garbage", "ERROR one", " line", "ERROR one", "error 1, unparsed 1"),
    ] {
        let mut setup = seen(part);
        ingest_at(&mut setup, 60);
        assert_eq!(setup.entries().join("|"), stored, "{part:?}");
        assert_eq!(setup.state("line_no"), "2");
        setup.append("app.log", format!("{rest}\n"));
        ingest_at(&mut setup, 61);
        assert_eq!(setup.entries().join("|"), whole, "{part:?}");
        assert_eq!(setup.counts(), counts, "{part:?}");
        let all_counted = "select '' as value from line_counts where trace + debug + info + warning
             + error + fatal + continued + unparsed = 0";
        assert_eq!(setup.rows(all_counted), [""; 0], "a minute without lines");
        assert_eq!(setup.state("line_no"), "2");
        assert_eq!(
            setup.state(
                "(parsed_lines + unparsed_lines + (select sum(continued) from line_counts))"
            ),
            "2"
        );
    }
}

#[test]
fn what_follows_a_replaced_line_is_read_as_if_it_had_been_whole_at_once() {
    let mut setup = seen("thread 'main' panicked at src/main.rs:2:5");
    ingest_at(&mut setup, 60);
    setup.append("app.log", ":\ndisk full\ndisk full\n");
    ingest_at(&mut setup, 61);
    assert_eq!(
        setup.entries(),
        ["ERROR one\nthread 'main' panicked at src/main.rs:2:5:\ndisk full"]
    );
    assert_eq!(setup.counts(), "error 1, continued 2, unparsed 1");
}

#[test]
fn how_long_a_last_line_waits_is_for_the_config_to_say() {
    let setup = Setup::new();
    let config = |idle_flush: &str| {
        setup.config(&format!("[[source]]\npaths = ['LOGS/*']\nidle_flush = '{idle_flush}'\n"));
    };
    setup.write("app.log", ONE.trim_end());
    config("never");
    setup.ingest();
    assert_eq!(setup.rows("select '' as value from ingest_tails"), [""; 0]);
    config("0s");
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR one"]);
    setup.append("app.log", " and more");
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR one and more"]);
    // What is stored is replaced whatever the config says by then.
    config("never");
    setup.append("app.log", " and all\n");
    setup.ingest();
    assert_eq!(
        (setup.entries(), setup.counts()),
        (vec!["ERROR one and more and all".into()], "error 1".into())
    );
}

#[test]
fn a_last_line_that_is_too_long_is_cut_like_any_other() {
    let setup = Setup::new();
    setup.config("[[source]]\npaths = ['LOGS/*']\nidle_flush = '0s'\nmax_line_bytes = 1024\n");
    let long = "x".repeat(1_000_000);
    setup.write("app.log", format!("2026-01-15 11:00:00 [ERROR] {long}"));
    setup.ingest();
    assert_eq!(setup.entries(), [format!("ERROR {}", &long[..996])]);
    setup.append("app.log", "y\n2026-01-15 11:00:01 [ERROR] next\r");
    setup.ingest();
    assert_eq!(setup.entries(), [format!("ERROR {}", &long[..996]), "ERROR next".to_owned()]);
    assert_eq!(setup.state("cut_lines"), "1");
}

#[test]
fn an_alert_of_a_last_line_is_not_raised_twice() {
    let setup = Setup::new();
    setup.config(
        "[[source]]\npaths = ['LOGS/*']\nidle_flush = '0s'\n
         [[rule]]\nname = 'any'\nkind = 'threshold'\ncount = 1\nwithin = '5m'\n
         [[rule]]\nname = 'timeout'\nkind = 'threshold'\ncount = 1\nwithin = '5m'\npattern = 'timeout'\n",
    );
    let run = || {
        let run = setup.run(["run".as_ref(), setup.log().as_os_str()]);
        assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
        run.stdout
    };
    setup.write("app.log", "2026-01-15 11:59:59 [ERROR] time");
    assert!(run().starts_with("FIRED: warning any (alert 1)"));
    assert_eq!(run(), "");
    setup.append("app.log", "out\n");
    let whole = run();
    assert!(whole.starts_with("FIRED: warning timeout (alert 2)"), "{whole}");
    assert_eq!(whole.lines().count(), 1);
    assert_eq!(run(), "");
    assert_eq!(setup.value("select count(*)::text as value from alerts"), "2");
}

#[test]
fn an_entry_with_a_wrong_clock_keeps_the_time_that_it_was_stored_with() {
    let mut setup = seen("2027-01-15 11:00:01 [FATAL] tw");
    ingest_at(&mut setup, 60);
    setup.append("app.log", "o\n2027-01-15 11:00:01 [FATAL] three\n");
    ingest_at(&mut setup, 7200);
    assert_eq!(
        setup.rows("select logged_at::time::text || ' ' || message as value from log_entries order by line_no"),
        ["11:00:00 one", "12:01:00 two", "14:00:00 three"]
    );
    assert_eq!(setup.state("redated_entries"), "2");
}

#[test]
fn a_stored_last_line_is_not_lost_with_its_file_and_not_read_again() {
    let mut setup = seen("2026-01-15 11:00:01 [ERROR] two");
    ingest_at(&mut setup, 60);
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", "2026-01-15 11:00:02 [ERROR] three\n");
    ingest_at(&mut setup, 120);
    assert_eq!(setup.entries(), ["ERROR one", "ERROR two", "ERROR three"]);
    assert_eq!((setup.gaps(), setup.state("line_no")), (vec![], "3".to_owned()));
    // The next time the file is gone before the next run.
    setup.append("app.log", "2026-01-15 11:00:03 [ERROR] four");
    ingest_at(&mut setup, 180);
    ingest_at(&mut setup, 240);
    std::fs::remove_file(setup.log()).unwrap();
    setup.write("app.log", "2026-01-15 11:00:04 [ERROR] five\n");
    setup.run(["ingest".as_ref(), setup.log().as_os_str()]);
    assert_eq!(setup.entries()[3..], ["ERROR four", "ERROR five"]);
    assert_eq!(setup.state("line_no"), "5");
}

#[test]
fn a_stored_last_line_that_goes_on_in_a_renamed_file_is_replaced() {
    let mut setup = seen("2026-01-15 11:00:01 [ERROR] tw");
    ingest_at(&mut setup, 60);
    setup.append("app.log", "o\n");
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", "2026-01-15 11:00:02 [ERROR] three\n");
    ingest_at(&mut setup, 120);
    assert_eq!(setup.entries(), ["ERROR one", "ERROR two", "ERROR three"]);
    assert_eq!((setup.counts().as_str(), setup.gaps().len()), ("error 3", 0));
}

#[test]
fn two_runs_cannot_both_store_a_last_line() {
    let mut setup = seen("2026-01-15 11:00:01 [ERROR] two");
    ingest_at(&mut setup, 60);
    // Another run that has seen the line before it was stored: the offset is the same.
    let start = ChunkStart {
        source: SourceId(setup.state("source_id").parse().unwrap()),
        generation: 1,
        byte_offset: 32,
        line_no: 1,
        flushed: None,
    };
    let mut connection = setup.database.connect();
    let tick = tripline::model::Tick(NOW.parse().unwrap());
    let stored = chunk::store(&mut connection, &start, tick, |_| panic!("it must not read"));
    assert!(matches!(stored, Err(StoreError::Overtaken)), "{stored:?}");
}
