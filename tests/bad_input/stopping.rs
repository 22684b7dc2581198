//! A run that is asked to end.

use std::io::Write;
use std::os::unix::net::UnixListener;
use std::process::{Child, Stdio};
use std::time::Duration;

use diesel::connection::SimpleConnection;
use expect_test::expect;
use rustix::fs::{OFlags, fcntl_setfl};
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

/// A server that takes connections and says nothing. Returns its URL.
fn mute_server(setup: &Setup) -> (UnixListener, String) {
    let listener = UnixListener::bind(setup.path(".s.PGSQL.5432")).unwrap();
    (listener, format!("host={} port=5432 dbname=logs", setup.folder.path().display()))
}

/// Sends the signal when a statement of the run's is as `state` says, and checks that the run
/// ends by itself and so does its process on the server.
#[track_caller]
fn end_when(setup: &Setup, mut child: Child, state: &str) {
    let statements = format!(
        "select '' as value from pg_stat_activity
         where datname = current_database() and application_name = 'tripline' and {state}"
    );
    while setup.rows(&statements).is_empty() {
        assert!(child.try_wait().unwrap().is_none(), "it ended by itself");
    }
    expect![[r#"
        tripline: error: stopped by a signal; what was not complete is undone, what was is stored
    "#]]
    .assert_eq(&said(setup, &end(child, Signal::TERM), 1));
    let processes = "select '' as value from pg_stat_activity
                     where datname = current_database() and application_name = 'tripline'";
    while !setup.rows(processes).is_empty() {}
}

/// A log with one entry, which raises an alert.
fn one_alert() -> Setup {
    let setup = Setup::new();
    setup.write("app.log", "2026-01-15 11:59:00 [FATAL] disk full\n");
    setup
}

#[track_caller]
fn expect_alert(setup: &Setup) {
    let next = setup.run(["run".into(), setup.log()]);
    assert_eq!((next.code, next.stderr.as_str()), (Some(0), ""));
    assert!(next.stdout.starts_with("FIRED: critical fatal "), "{next:?}");
    assert_eq!(setup.entries(), ["FATAL disk full"]);
}

#[test]
fn a_run_whose_server_does_not_answer_ends_soon() {
    let setup = one_alert();
    let (listener, url) = mute_server(&setup);
    let mut run = setup.command(["run".as_ref(), setup.log().as_os_str()]);
    run.env("TRIPLINE_DATABASE_URL", url).stdout(Stdio::piped()).stderr(Stdio::piped());
    let run = run.spawn().unwrap();
    let _connected = listener.accept().unwrap();
    expect![[r#"
        tripline: error: stopped by a signal; what was not complete is undone, what was is stored
    "#]]
    .assert_eq(&said(&setup, &end(run, Signal::TERM), 1));
    expect_alert(&setup);
}

#[test]
fn a_command_that_only_shows_ends_at_once() {
    let setup = one_alert();
    let (listener, url) = mute_server(&setup);
    let mut status = setup.command(["status"]);
    status.env("TRIPLINE_DATABASE_URL", url).stdout(Stdio::piped()).stderr(Stdio::piped());
    let status = status.spawn().unwrap();
    let _connected = listener.accept().unwrap();
    let ended = end(status, Signal::INT);
    assert_eq!((ended.code, ended.stderr.as_str()), (None, ""), "the signal itself ended it");
}

#[test]
fn a_run_that_waits_for_somebodys_lock_ends_soon() {
    for table in ["log_entries", "alerts"] {
        let setup = one_alert();
        let mut somebody = setup.database.connect();
        let lock = format!("begin; lock table {table} in share mode");
        somebody.batch_execute(&lock).unwrap();
        end_when(&setup, start(&setup, &["run"]), "wait_event_type = 'Lock'");
        somebody.batch_execute("rollback").unwrap();
        expect_alert(&setup);
    }
}

#[test]
fn a_run_in_a_long_evaluation_ends_soon() {
    let setup = one_alert();
    let mut owner = setup.database.connect();
    let slow = "alter view alert_episodes rename to real_episodes;
                create view alert_episodes as
                    select episode.* from real_episodes episode, pg_sleep(3600)";
    owner.batch_execute(slow).unwrap();
    end_when(&setup, start(&setup, &["run"]), "query like '%alert_episodes%'");
    let fast = "drop view alert_episodes; alter view real_episodes rename to alert_episodes";
    owner.batch_execute(fast).unwrap();
    expect_alert(&setup);
}

#[test]
fn a_run_whose_output_nobody_reads_ends_soon() {
    let setup = one_alert();
    let (_reader, mut writer) = std::io::pipe().unwrap();
    // Full to the last byte.
    fcntl_setfl(&writer, OFlags::NONBLOCK).unwrap();
    for piece in [4096, 1] {
        while writer.write(&vec![b'x'; piece]).is_ok() {}
    }
    fcntl_setfl(&writer, OFlags::empty()).unwrap();
    let mut run = setup.command(["run".as_ref(), setup.log().as_os_str()]);
    let run = run.stdout(writer).stderr(Stdio::piped()).spawn().unwrap();
    end_when(&setup, run, "state = 'idle in transaction' and query like '-- What the messages%'");
    expect_alert(&setup);
}
