//! Whatever happens to runs, the rows are those of one undisturbed run over the same log.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod support;

use std::fs;
use std::process::{Child, Command, Stdio};
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use support::program::{Setup, append, ran, rows};
use support::random::{Random, log};

const LINES: usize = 3000;

/// A run over the log in chunks of about ten lines.
fn run(setup: &Setup) -> Command {
    let mut command = setup.command(["run", "--chunk-bytes=500"]);
    command.arg(setup.log()).stdout(Stdio::null());
    command
}

/// Everything that a log has led to, but for what depends on the order of the runs.
fn result(setup: &Setup) -> Vec<String> {
    let mut result = Vec::new();
    for statement in [
        "select 'entry ' || (to_jsonb(t) - 'source_id')::text as value
         from log_entries t order by source_id, line_no",
        "select 'count ' || (to_jsonb(t) - 'source_id')::text as value
         from line_counts t order by source_id, minute",
        "select 'state ' || concat_ws(' ', generation, byte_offset, line_no, parsed_lines,
             unparsed_lines, cut_lines, last_logged_at, open_line_no, open_lines, open_bytes,
             read_to_end_at, dirty) as value
         from ingest_state order by source_id",
        "select 'alert ' || concat_ws(' ', rule.name, started_at, ended_at, measured, threshold,
             fired_at is not null, resolved_at is not null) as value
         from alerts join alert_rules rule on rule.id = rule_id
         where merged_into is null and retracted_at is null
         order by source_id, started_at, rule.name",
        "select 'gap ' || reason as value from ingest_gaps order by id",
    ] {
        result.extend(setup.rows(statement));
    }
    result
}

/// What one undisturbed run makes of a log.
fn undisturbed(log: &str) -> Vec<String> {
    let setup = Setup::new();
    setup.write("app.log", log);
    let run = ran(&mut setup.command(["run".as_ref(), setup.log().as_os_str()]));
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let result = result(&setup);
    let count = |kind| result.iter().filter(|row| row.starts_with(kind)).count();
    assert!(count("entry") > 100 && count("alert") > 5, "the log is worth the test");
    result
}

/// Waits until no run is connected any more: the server notices a killed client a moment late.
fn wait_for_the_server(setup: &Setup) {
    let busy = "select count(*)::text as value from pg_stat_activity
                where datname = current_database() and application_name = 'tripline'";
    while setup.value(busy) != "0" {
        thread::yield_now();
    }
}

/// After whatever happened: one more run, and all is as if nothing had.
#[track_caller]
fn expect_undisturbed(setup: &Setup, log: &str) {
    wait_for_the_server(setup);
    let last = ran(&mut run(setup));
    assert_eq!((last.code, last.stderr.as_str()), (Some(0), ""));
    // Compared row by row: a difference is one row long, not a megabyte.
    let (found, expected) = (result(setup), undisturbed(log));
    for (found, expected) in found.iter().zip(&expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
    let untold = "select count(*)::text as value from alerts
                  where merged_into is null and not exists (
                      select from notifications
                      where alert_id = alerts.id and delivered_at is not null)";
    assert_eq!(setup.value(untold), "0", "alerts that nobody was told of");
}

/// Appends a log in pieces, and disturbs the run that reads a piece after a random while.
///
/// `disturb` says whether the run was still at work. The while is chosen so that most are.
fn disturbed(case: usize, rounds: usize, mut disturb: impl FnMut(&Setup, Child) -> bool) {
    let mut random = Random::new(case);
    let log = log(&mut random, LINES);
    let setup = Setup::new();
    setup.write("app.log", "");
    let mut rest = log.as_str();
    let (mut longest, mut hits) = (60_000, 0);
    for round in 0..rounds {
        let (piece, after) = rest.split_at(rest.len() / (rounds - round));
        setup.append("app.log", piece);
        rest = after;
        let child = run(&setup).stderr(Stdio::piped()).spawn().unwrap();
        thread::sleep(Duration::from_micros(random.below(longest) as u64));
        if disturb(&setup, child) {
            hits += 1;
            longest += longest / 10;
        } else {
            longest -= longest / 4;
        }
    }
    assert!(rest.is_empty());
    assert!(hits >= rounds / 3, "only {hits} of {rounds} runs were disturbed");
    expect_undisturbed(&setup, &log);
}

#[test]
fn killed_at_any_instant() {
    for case in 0..support::cases(3) {
        disturbed(case, 40, |_, mut child| {
            child.kill().unwrap();
            !child.wait().unwrap().success()
        });
    }
}

#[test]
fn the_servers_process_ended_at_any_instant() {
    for case in 0..support::cases(2) {
        let mut connection = None;
        disturbed(case, 25, |setup, mut child| {
            let connection = connection.get_or_insert_with(|| setup.database.connect());
            let end_all = "select pg_terminate_backend(pid)::text as value from pg_stat_activity
                 where datname = current_database() and application_name = 'tripline'";
            // If it is not connected yet, it is a moment later.
            while rows(connection, end_all).is_empty() && child.try_wait().unwrap().is_none() {}
            let output = child.wait_with_output().unwrap();
            let said = String::from_utf8_lossy(&output.stderr);
            if output.status.success() {
                return false;
            }
            assert_eq!(output.status.code(), Some(1), "{said}");
            let (lost, unreached) = ("lost the connection to the database: ", "cannot connect");
            assert!(said.contains(lost) || said.contains(unreached), "{said}");
            assert!(said.ends_with("the next run goes on there\n"), "{said}");
            // A connection that is not complete yet is told by the client library itself.
            let ours = said.lines().filter(|line| !line.starts_with("FATAL: ")).count();
            assert_eq!(ours, 2, "{said}");
            true
        });
    }
}

/// Starts a run that has a lock of its own, as if it ran on another host with the same name.
fn start_elsewhere(setup: &Setup, number: usize) -> Child {
    run(setup)
        .env("TRIPLINE_STATE_DIR", setup.path(&format!("state-{number}")))
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

#[test]
fn runs_at_the_same_time_with_different_locks() {
    for case in 0..support::cases(2) {
        let mut random = Random::new(case);
        let log = log(&mut random, LINES);
        let setup = Setup::new();
        setup.write("app.log", "");
        let half = log.len() / 2;
        for part in [&log[..half], &log[half..]] {
            setup.append("app.log", part);
            let children: Vec<Child> = (0..4)
                .map(|number| {
                    thread::sleep(Duration::from_micros(random.below(20_000) as u64));
                    start_elsewhere(&setup, number)
                })
                .collect();
            let mut codes: Vec<_> = children
                .into_iter()
                .map(|child| {
                    let output = child.wait_with_output().unwrap();
                    assert_eq!(String::from_utf8_lossy(&output.stderr), "");
                    output.status.code().unwrap()
                })
                .collect();
            codes.sort_unstable();
            assert_eq!(codes[0], 0, "one of them did the work: {codes:?}");
            assert!(codes.iter().all(|code| [0, 75].contains(code)), "{codes:?}");
        }
        expect_undisturbed(&setup, &log);
    }
}

#[test]
fn a_run_that_finds_the_lock_held_does_nothing_and_says_nothing() {
    let setup = Setup::new();
    setup.config("lock_file = \"LOGS/lock\"");
    setup.write("app.log", "2026-01-15 11:00:00 [FATAL] x\n");
    let lock = tripline::lock::RunLock::take(&setup.path("lock"), Duration::ZERO).unwrap();
    let before = setup.contents();
    for command in ["run", "ingest"] {
        let run = setup.run([command.as_ref(), setup.log().as_os_str()]);
        assert_eq!((run.expect_failure(75), setup.contents()), ("", before.clone()));
    }
    drop(lock);
    setup.ingest();
    assert_eq!(setup.entries(), ["FATAL x"]);
}

#[test]
fn runs_while_the_log_grows() {
    for case in 0..support::cases(1) {
        let mut random = Random::new(case);
        let log = log(&mut random, LINES);
        let setup = Setup::new();
        setup.write("app.log", "");
        let path = setup.log();
        let written = &log;
        thread::scope(|scope| {
            let writer = scope.spawn(move || {
                let mut rest = written.as_str();
                while !rest.is_empty() {
                    // Anywhere in a line, and several times while one run reads.
                    let (piece, after) = rest.split_at(random.below(400).min(rest.len()));
                    append(&path, piece.as_bytes());
                    rest = after;
                    thread::sleep(Duration::from_micros(random.below(2000) as u64));
                }
            });
            while !writer.is_finished() {
                let run = ran(&mut run(&setup));
                assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
            }
        });
        expect_undisturbed(&setup, &log);
    }
}

#[test]
fn runs_while_the_log_grows_and_is_rotated() {
    for case in 0..support::cases(1) {
        let mut random = Random::new(case);
        let log = log(&mut random, LINES);
        let setup = Setup::new();
        setup.write("app.log", "");
        let written = &log;
        let folder = setup.folder.path();
        thread::scope(|scope| {
            let (runs, done_runs) = mpsc::channel();
            let writer = scope.spawn(move || {
                let lines: Vec<&str> = written.lines().collect();
                for (rotation, part) in lines.chunks(LINES / 8).enumerate() {
                    if rotation > 0 {
                        // A whole run between two rotations: the one before is found then.
                        done_runs.try_iter().for_each(drop);
                        done_runs.recv().unwrap();
                        done_runs.recv().unwrap();
                        let archive = folder.join(format!("app.log-{rotation}"));
                        fs::rename(folder.join("app.log"), archive).unwrap();
                    }
                    for line in part {
                        append(&folder.join("app.log"), format!("{line}\n").as_bytes());
                        thread::sleep(Duration::from_micros(random.below(600) as u64));
                    }
                }
            });
            while !writer.is_finished() {
                let run = ran(&mut run(&setup));
                // Between renaming and creating there is no log.
                let is_missing = run.code == Some(1) && run.stderr.contains("does not exist");
                assert!(run.code == Some(0) && run.stderr.is_empty() || is_missing, "{run:?}");
                // The writer may just have ended.
                let _ = runs.send(());
            }
        });
        wait_for_the_server(&setup);
        assert_eq!(ran(&mut run(&setup)).code, Some(0));
        let lines = written.lines().count();
        assert_eq!(setup.state("line_no"), lines.to_string());
        assert_eq!(setup.gaps(), [""; 0]);
        let of = |rows: Vec<String>, kind: &str| -> Vec<String> {
            let is_of = |row: &String| row.starts_with(kind);
            rows.into_iter().filter(is_of).collect()
        };
        let (found, expected) = (result(&setup), undisturbed(&log));
        assert_eq!(of(found.clone(), "count"), of(expected.clone(), "count"));
        assert_eq!(of(found, "alert"), of(expected, "alert"));
    }
}
