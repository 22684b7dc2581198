//! A run that is asked to end.

use std::process::{Child, Stdio};
use std::time::Duration;

use expect_test::expect;
use rustix::process::{Pid, Signal, kill_process};
use tripline::lock::RunLock;

use crate::said;
use crate::support::program::{Ran, Setup};

fn end(child: Child, signal: Signal) -> Ran {
    kill_process(Pid::from_child(&child), signal).unwrap();
    let output = child.wait_with_output().unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::from_utf8(output.stdout).unwrap(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

fn start(setup: &Setup, arguments: &[&str]) -> Child {
    let mut command = setup.command(arguments);
    command.arg(setup.log()).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
}

#[test]
fn what_a_stopped_run_has_stored_stays_and_the_next_run_goes_on() {
    for signal in [Signal::TERM, Signal::INT] {
        let setup = Setup::new();
        let log = "2026-01-15 11:00:00 [ERROR] one of many\n".repeat(20_000);
        setup.write("app.log", &log);
        let mut child = start(&setup, &["run", "--chunk-bytes=400"]);
        while setup.rows("select '' as value from ingest_state where line_no > 100").is_empty() {
            assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
        }
        let stopped = end(child, signal);
        expect![[r#"
            tripline: error: stopped by a signal; what was read is stored, the next run goes on there
        "#]]
        .assert_eq(&said(&setup, &stopped, 1));
        let lines: usize = setup.state("line_no").parse().unwrap();
        assert!(lines < 20_000, "it stopped in between");
        assert_eq!(setup.counts(), format!("error {lines}"));
        setup.ingest();
        assert_eq!(setup.counts(), "error 20000");
        assert_eq!(setup.entries().len(), 20_000);
    }
}

#[test]
fn a_run_that_waits_for_the_lock_ends_at_once() {
    let setup = Setup::new();
    setup.config("lock_file = \"LOGS/lock\"");
    setup.write("app.log", "");
    let lock = RunLock::take(&setup.path("lock"), Duration::ZERO).unwrap();
    let mut child = start(&setup, &["run", "--wait=600"]);
    // It listens to signals before it looks for the lock, which it keeps open while it waits.
    let files = format!("/proc/{}/fd", child.id());
    let lock_path = setup.path("lock");
    let holds = || {
        let mut files = std::fs::read_dir(&files).unwrap().flatten();
        files.any(|file| std::fs::read_link(file.path()).is_ok_and(|path| path == lock_path))
    };
    while !holds() {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
    }
    expect![[r#"
        tripline: error: stopped by a signal while waiting for the lock LOGS/lock
    "#]]
    .assert_eq(&said(&setup, &end(child, Signal::TERM), 1));
    drop(lock);
}
