//! `tripline ingest --since`: the newer part of an old log.

use expect_test::expect;

use crate::support::program::Setup;
use crate::{line, said};

/// `ingest` of the log from this moment on.
fn ingest_since(setup: &Setup, since: &str) -> crate::Ran {
    let log = setup.log();
    setup.run(["ingest", "--since", since, log.to_str().unwrap()])
}

fn old_log() -> Setup {
    let setup = Setup::new();
    setup.write(
        "app.log",
        "no entry\n".to_owned()
            + &line(0, "ERROR", "zero")
            + "  at a\n"
            + &line(10, "ERROR", "ten")
            + &line(5, "ERROR", "five, late")
            + &line(20, "INFO", "twenty")
            + &line(30, "FATAL", "thirty")
            + "2026-01-15 11:00:40 [ERR",
    );
    setup
}

#[test]
fn what_stands_before_is_neither_stored_nor_counted() {
    let setup = old_log();
    ingest_since(&setup, "2026-01-15T11:00:05Z").expect_silence();
    assert_eq!(setup.entries(), ["ERROR ten", "ERROR five, late", "FATAL thirty"]);
    assert_eq!(setup.counts(), "info 1, error 2, fatal 1");
    assert_eq!(setup.state("line_no"), "4");
    // From then on it is a log like any other.
    setup.append("app.log", "OR] forty\n");
    setup.ingest();
    assert_eq!(setup.entries().last().unwrap(), "ERROR forty");
    assert_eq!((setup.state("line_no").as_str(), setup.gaps().len()), ("5", 0));
}

#[test]
fn where_nothing_is_new_enough_reading_begins_at_the_end() {
    let setup = old_log();
    ingest_since(&setup, "2026-01-15T11:30:00Z").expect_silence();
    assert_eq!((setup.entries().len(), setup.counts().as_str()), (0, "none"));
    setup.append("app.log", "OR] forty\n");
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR forty"]);
}

#[test]
fn where_all_is_new_enough_all_entries_are_read() {
    let setup = old_log();
    ingest_since(&setup, "2026-01-15T11:00:00Z").expect_silence();
    assert_eq!(setup.entries().len(), 4);
    // The first line is none of an entry.
    assert_eq!(setup.counts(), "info 1, error 3, fatal 1, continued 1");
}

#[test]
fn the_time_is_one_of_the_source_s_zone() {
    let mut setup = old_log();
    setup.zone = "Europe/Berlin";
    ingest_since(&setup, "2026-01-15T10:00:20Z").expect_silence();
    assert_eq!(
        (setup.entries(), setup.counts()),
        (vec!["FATAL thirty".to_owned()], "info 1, fatal 1".to_owned())
    );
}

#[test]
fn the_end_as_a_start_does_not_stand_in_its_way() {
    let setup = old_log();
    setup.config("[[source]]\npaths = [\"LOGS/app.log\"]\nstart = \"end\"\n");
    setup.run(["ingest", "--since", "2026-01-15T11:00:30Z"]).expect_silence();
    assert_eq!(setup.entries(), ["FATAL thirty"]);
}

#[test]
fn a_log_that_was_read_is_refused_and_no_other_is_read() {
    let setup = old_log();
    setup.ingest();
    setup.write("other.log", line(0, "ERROR", "other"));
    let before = setup.contents();
    let [log, other] = [setup.log(), setup.path("other.log")];
    let refused = setup.run([
        "ingest".as_ref(),
        "--since".as_ref(),
        "2026-01-15T11:00:00Z".as_ref(),
        other.as_os_str(),
        log.as_os_str(),
    ]);
    expect![[r#"
        tripline: error: LOGS/app.log was read before, and --since is for logs that were not; to read it anew, forget it first: tripline source forget LOGS/app.log
    "#]]
    .assert_eq(&said(&setup, &refused, 2));
    assert_eq!(setup.contents(), before);
    let refused = ingest_since(&setup, "yesterday");
    assert!(said(&setup, &refused, 2).contains("write it like 2026-01-01T12:00:00Z"));
}
