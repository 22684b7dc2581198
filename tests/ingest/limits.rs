//! A run that reads only so much, and those after it that read the rest.

use std::sync::atomic::AtomicBool;
use std::time::{Duration, Instant};

use diesel::pg::PgConnection;
use tripline::config::Config;
use tripline::ingest::{self, Ingest, ReadLimits};
use tripline::model::{PartitionInterval, Tick};
use tripline::store::sources;

use crate::support::program::{NOW, Setup};

/// One line of 40 bytes.
const LINE: &str = "2026-01-15 11:00:00 [ERROR] one of many\n";

fn ingest_at_most(setup: &Setup, bytes: u64, logs: &[&str]) -> String {
    let mut command = setup.command(["-v", "ingest", "--max-bytes", &bytes.to_string()]);
    let run = crate::support::program::ran(command.args(logs.iter().map(|log| setup.path(log))));
    assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""), "{run:?}");
    run.stderr
}

#[test]
fn a_backlog_is_read_over_several_runs() {
    let setup = Setup::new();
    setup.write("app.log", LINE.repeat(10));
    // A line that begins below the limit is read to its end.
    for (read, has_more) in [(120, true), (240, true), (360, true), (400, false), (400, false)] {
        let said = ingest_at_most(&setup, 100, &["app.log"]);
        assert_eq!(setup.state("byte_offset"), read.to_string());
        assert_eq!(said.contains("ended after 120 bytes of log"), has_more, "{said}");
        assert_eq!(setup.state("read_to_end_at") == "-", has_more, "else alerts end too early");
    }
    assert_eq!(setup.entries().len(), 10);
    // Small chunks do not add up to more.
    setup.append("app.log", LINE.repeat(10));
    let run = setup.run([
        "ingest".into(),
        "--max-bytes=100".into(),
        "--chunk-bytes=1".into(),
        setup.log(),
    ]);
    run.expect_silence();
    assert_eq!(setup.state("byte_offset"), "520");
}

#[test]
fn a_log_that_is_far_behind_does_not_keep_others_from_being_read() {
    let setup = Setup::new();
    setup.write("a.log", LINE.repeat(100));
    setup.write("b.log", LINE.repeat(2));
    let offsets = || {
        setup.rows(
            "select byte_offset::text as value from ingest_state
             join sources on id = source_id order by path",
        )
    };
    ingest_at_most(&setup, 200, &["a.log", "b.log"]);
    assert_eq!(offsets(), ["120", "80"]);
    setup.append("a.log", LINE.repeat(100));
    setup.append("b.log", LINE.repeat(3));
    ingest_at_most(&setup, 200, &["a.log", "b.log"]);
    assert_eq!(offsets(), ["200", "200"]);
}

/// A stage of this host.
fn stage(stop: &AtomicBool) -> Ingest<'_> {
    Ingest {
        host: "host",
        tick: Tick(NOW.parse().unwrap()),
        partition_interval: PartitionInterval::Month,
        limits: ReadLimits::default(),
        progress: None,
        stop,
    }
}

/// How many entries are stored after each of some runs that have no time for a second chunk.
fn entries_after_each_chunk(limits: ReadLimits, runs: usize) -> Vec<usize> {
    let setup = Setup::new();
    setup.write("app.log", LINE.repeat(10));
    setup.write("b.log", LINE.repeat(10));
    let mut connection = setup.database.connect();
    let targets = [setup.log(), setup.path("b.log")];
    let targets = ingest::expand(&Config::default(), &targets, chrono_tz::UTC).unwrap();
    let limits = ReadLimits { deadline: Some(Instant::now()), ..limits };
    let stop = AtomicBool::new(false);
    let stage = Ingest { limits, ..stage(&stop) };
    let mut run = || {
        let known = sources::load(&mut connection, stage.host).unwrap();
        let outcome =
            ingest::run(&mut connection, &stage, known, &targets, &mut |_, _, _| Ok(())).unwrap();
        assert!(outcome.has_more && !outcome.stopped);
        setup.entries().len()
    };
    (0..runs).map(|_| run()).collect()
}

#[test]
fn after_its_time_a_run_begins_no_further_chunk() {
    let limits = ReadLimits { chunk_bytes: 100, ..ReadLimits::default() };
    assert_eq!(entries_after_each_chunk(limits, 5), [3, 6, 9, 10, 13]);
}

#[test]
fn after_its_time_a_chunk_takes_no_further_mebibyte() {
    let setup = Setup::new();
    let lines = 5 * (1 << 20) / LINE.len();
    setup.write("app.log", LINE.repeat(lines));
    let stop = AtomicBool::new(false);
    let run = |connection: &mut PgConnection, limits| {
        let known = sources::load(connection, "host").unwrap();
        let targets = ingest::expand(&Config::default(), &[setup.log()], chrono_tz::UTC).unwrap();
        let stage = Ingest { limits, ..stage(&stop) };
        ingest::run(connection, &stage, known, &targets, &mut |_, _, _| Ok(())).unwrap()
    };
    let mut connection = setup.database.connect();
    let late = ReadLimits { deadline: Some(Instant::now()), ..ReadLimits::default() };
    let outcome = run(&mut connection, late);
    assert!(outcome.has_more);
    let read = usize::try_from(outcome.figures.bytes).unwrap();
    assert!(((1 << 20)..(2 << 20)).contains(&read), "{read} bytes");
    assert_eq!(setup.entries().len(), read / LINE.len());
    let slow = ReadLimits { chunk_time: Duration::ZERO, ..ReadLimits::default() };
    assert!(!run(&mut connection, slow).has_more);
    assert_eq!(setup.entries().len(), lines);
}

#[test]
fn a_chunk_ends_with_the_entry_that_makes_it_too_large() {
    // An entry is 90 bytes with the lengths of its columns, and is written when the next one
    // begins: the one that begins when the chunk is full is its last.
    let limits = ReadLimits { chunk_entry_bytes: 200, ..ReadLimits::default() };
    assert_eq!(entries_after_each_chunk(limits, 5), [4, 8, 10, 14, 18]);
    let limits = ReadLimits { chunk_entry_bytes: 1, ..limits };
    assert_eq!(entries_after_each_chunk(limits, 2), [2, 4]);
}

#[test]
fn a_limit_that_is_not_reached_changes_nothing() {
    let setup = Setup::new();
    setup.write("app.log", LINE.repeat(10));
    setup.twice([
        "ingest".into(),
        "--max-seconds=86400".into(),
        "--chunk-bytes=1".into(),
        setup.log(),
    ]);
    assert_eq!(setup.entries().len(), 10);
}
