//! Logs that are missing, unreadable, or no logs.

use std::fs;
use std::os::unix::fs::{PermissionsExt, symlink};
use std::os::unix::net::UnixListener;

use expect_test::expect;

use crate::said;
use crate::support::program::{Ran, Setup};
use crate::support::rights::ran_without_rights;

const GOOD: &str = "2026-01-15 11:00:00 [ERROR] good\n";

/// Reads two logs, of which the second is good.
fn ingest_at(setup: &mut Setup, time: &str) -> Ran {
    setup.now = format!("2026-01-15T{time}Z");
    setup.write("good.log", GOOD);
    let run = setup.run(["ingest".into(), setup.log(), setup.path("good.log")]);
    assert_eq!(setup.entries().last().unwrap(), "ERROR good", "the other log is read");
    run
}

/// What `status --json` says of the log that is not good.
fn status(setup: &Setup, key: &str) -> serde_json::Value {
    let status = setup.run(["status", "--json"]);
    let status: serde_json::Value = serde_json::from_str(&status.stdout).unwrap();
    status["sources"][0][key].clone()
}

#[test]
fn a_missing_log_is_told_once_and_then_hourly_until_it_is_there() {
    let mut setup = Setup::new();
    for (time, is_told) in [
        ("12:00:00", true),
        ("12:01:00", false),
        ("12:59:59", false),
        ("13:00:00", true),
        ("13:59:00", false),
        ("14:00:00", true),
    ] {
        let run = ingest_at(&mut setup, time);
        if is_told {
            expect![[r#"
                tripline: error: LOGS/app.log does not exist; create it, correct the path, or use a glob if it may be missing
            "#]].assert_eq(&said(&setup, &run, 1));
        } else {
            assert_eq!(run.expect_failure(1), "");
        }
        let error = status(&setup, "last_error");
        assert!(error.as_str().unwrap().contains("app.log does not exist"));
        assert_eq!(status(&setup, "last_error_since"), "2026-01-15T12:00:00Z");
    }
    setup.write("app.log", "2026-01-15 11:00:00 [ERROR] there\n");
    ingest_at(&mut setup, "14:01:00").expect_silence();
    assert!(status(&setup, "last_error").is_null());
    assert!(status(&setup, "last_error_since").is_null());
    // Another error is told at once, and so is the same one when it comes again.
    fs::remove_file(setup.log()).unwrap();
    assert_ne!(ingest_at(&mut setup, "14:02:00").expect_failure(1), "");
    fs::create_dir(setup.log()).unwrap();
    let run = ingest_at(&mut setup, "14:03:00");
    expect![[r#"
        tripline: error: LOGS/app.log is a folder, not a regular file; name a log file
    "#]]
    .assert_eq(&said(&setup, &run, 1));
    assert_eq!(ingest_at(&mut setup, "14:04:00").expect_failure(1), "");
}

#[test]
fn a_symlink_to_nothing_is_told_as_what_it_is() {
    let mut setup = Setup::new();
    symlink("gone.log", setup.log()).unwrap();
    let run = ingest_at(&mut setup, "12:00:00");
    expect![[r#"
        tripline: error: LOGS/app.log leads to gone.log, which does not exist; correct the symlink or the path
    "#]].assert_eq(&said(&setup, &run, 1));
}

#[test]
fn a_pipe_is_no_log_and_nobody_waits_for_its_writer() {
    let mut setup = Setup::new();
    let mode = rustix::fs::Mode::from_raw_mode(0o600);
    rustix::fs::mkfifoat(rustix::fs::CWD, setup.log(), mode).unwrap();
    let run = ingest_at(&mut setup, "12:00:00");
    expect![[r#"
        tripline: error: LOGS/app.log is a pipe, not a regular file; name a log file
    "#]]
    .assert_eq(&said(&setup, &run, 1));
}

#[test]
fn a_socket_and_a_device_are_no_logs() {
    let mut setup = Setup::new();
    let _socket = UnixListener::bind(setup.log()).unwrap();
    let run = ingest_at(&mut setup, "12:00:00");
    expect![[r#"
        tripline: error: LOGS/app.log is a socket, not a regular file; name a log file
    "#]]
    .assert_eq(&said(&setup, &run, 1));
    let run = setup.run(["ingest", "/dev/null"]);
    expect![[r#"
        tripline: error: /dev/null is a device, not a regular file; name a log file
    "#]]
    .assert_eq(&said(&setup, &run, 1));
}

#[test]
fn an_unreadable_log_is_named() {
    let setup = Setup::new();
    setup.write("app.log", GOOD);
    setup.write("good.log", GOOD);
    fs::set_permissions(setup.log(), fs::Permissions::from_mode(0o000)).unwrap();
    let mut program = setup.command(["ingest".into(), setup.log(), setup.path("good.log")]);
    let run = ran_without_rights(&setup, &mut program);
    expect![[r#"
        tripline: error: cannot read LOGS/app.log: Permission denied (os error 13)
    "#]]
    .assert_eq(&said(&setup, &run, 1));
    assert_eq!(setup.entries(), ["ERROR good"]);
    let run = setup.run(["ingest".into(), setup.path("good.log/app.log")]);
    expect![[r#"
        tripline: error: cannot read LOGS/good.log/app.log: Not a directory (os error 20)
    "#]]
    .assert_eq(&said(&setup, &run, 1));
}

#[test]
fn a_file_that_is_no_log_is_told_and_not_stored() {
    let mut setup = Setup::new();
    let program = fs::read(env!("CARGO_BIN_EXE_tripline")).unwrap();
    setup.write("app.log", &program[..200_000.min(program.len())]);
    let run = ingest_at(&mut setup, "12:00:00");
    expect![[r#"
        tripline: error: no line of LOGS/app.log could be parsed; tripline detect shows how it is read
    "#]].assert_eq(&said(&setup, &run, 1));
    assert_eq!(ingest_at(&mut setup, "12:01:00").expect_failure(1), "");
    assert_eq!(setup.entries(), ["ERROR good"]);
    // Further lines of the same kind do not tell it again within the hour.
    setup.append("app.log", "\nstill nothing\n");
    assert_eq!(ingest_at(&mut setup, "12:02:00").expect_failure(1), "");
    assert_eq!(status(&setup, "last_error_since"), "2026-01-15T12:00:00Z");
    // One line that is understood ends it.
    setup.append("app.log", "2026-01-15 11:00:00 [INFO] good\n");
    ingest_at(&mut setup, "12:03:00").expect_silence();
    assert!(status(&setup, "last_error").is_null());
}

#[test]
fn hostile_names_of_logs_are_shown_escaped_on_one_line() {
    let setup = Setup::new();
    let run = setup.run(["ingest".into(), setup.path("a\n\x1b[31mtripline: error: fake")]);
    expect![[r#"
        tripline: error: LOGS/a\n\u{1b}[31mtripline: error: fake does not exist; create it, correct the path, or use a glob if it may be missing
    "#]].assert_eq(&said(&setup, &run, 1));
}
