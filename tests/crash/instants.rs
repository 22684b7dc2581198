//! Runs that are killed, or lose their connection, at a random instant.

use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use crate::support::cases;
use crate::support::program::{Setup, rows};
use crate::support::random::{Random, log};
use crate::{LINES, expect_undisturbed, run};

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
    for case in 0..cases(2) {
        disturbed(case, 30, |_, mut child| {
            child.kill().unwrap();
            !child.wait().unwrap().success()
        });
    }
}

#[test]
fn the_servers_process_ended_at_any_instant() {
    for case in 0..cases(2) {
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
