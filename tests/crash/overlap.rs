//! Runs at the same time.

use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use tripline::lock::RunLock;

use crate::support::cases;
use crate::support::program::Setup;
use crate::support::random::{Random, log};
use crate::{LINES, expect_undisturbed, run};

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
    for case in 0..cases(1) {
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
    let lock = RunLock::take(&setup.path("lock"), Duration::ZERO).unwrap();
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
fn evaluations_at_the_same_time_tell_everything_once() {
    for case in 0..cases(2) {
        let mut random = Random::new(case);
        let setup = Setup::new();
        setup.write("app.log", log(&mut random, LINES));
        setup.write("other.log", log(&mut random, LINES / 4));
        for name in ["app.log", "other.log"] {
            setup.run(["ingest".into(), setup.path(name)]).expect_silence();
        }
        let children: Vec<Child> = (0..4)
            .map(|number| {
                thread::sleep(Duration::from_micros(random.below(5000) as u64));
                let mut command = setup.command(["alert"]);
                command.env("TRIPLINE_STATE_DIR", setup.path(&format!("state-{number}")));
                command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
            })
            .collect();
        let mut told = Vec::new();
        for child in children {
            let output = child.wait_with_output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stderr), "");
            assert_eq!(output.status.code(), Some(0));
            let printed = String::from_utf8(output.stdout).unwrap();
            told.extend(printed.lines().map(str::to_owned));
        }
        // One that finds another at work leaves the rest to it.
        let last = setup.run(["alert"]);
        assert_eq!((last.code, last.stderr.as_str()), (Some(0), ""));
        told.extend(last.stdout.lines().map(str::to_owned));
        told.sort();
        let all = told.len();
        told.dedup();
        assert_eq!(told.len(), all, "something was told twice");
        let alerts = setup.value("select count(*)::text as value from alerts");
        assert_eq!(all.to_string(), alerts, "each of them is over: one message");
        assert!(all > 5, "the logs are worth the test");
    }
}
