//! Standard output takes nothing, or is to be fooled by what a log says.

use std::fs::File;
use std::process::{Command, Stdio};

use expect_test::expect;

use crate::said;
use crate::support::program::{Ran, Setup, ran};

/// A log whose only entry raises an alert.
fn setup() -> Setup {
    let setup = Setup::new();
    setup.write("app.log", "2026-01-15 11:58:00 [FATAL] disk full\n");
    setup
}

fn run(setup: &Setup) -> Command {
    setup.command(["run".as_ref(), setup.log().as_os_str()])
}

/// Runs with this standard output.
fn run_into(setup: &Setup, stdout: impl Into<Stdio>) -> Ran {
    let output = run(setup).stdout(stdout).stderr(Stdio::piped()).spawn().unwrap();
    let output = output.wait_with_output().unwrap();
    Ran {
        code: output.status.code(),
        stdout: String::new(),
        stderr: String::from_utf8(output.stderr).unwrap(),
    }
}

#[track_caller]
fn expect_printed_once(setup: &Setup) {
    let next = ran(&mut run(setup));
    assert_eq!((next.code, next.stderr.as_str()), (Some(0), ""));
    assert!(next.stdout.starts_with("FIRED: critical fatal "), "{next:?}");
    assert_eq!(next.stdout.lines().count(), 1);
    ran(&mut run(setup)).expect_silence();
}

#[test]
fn alerts_that_a_full_disk_does_not_take_are_printed_by_the_next_run() {
    let setup = setup();
    let full = File::options().write(true).open("/dev/full").unwrap();
    expect![[r#"
        tripline: error: channel stdout does not deliver: cannot write to standard output: No space left on device (os error 28); the messages wait and are tried again by later runs
    "#]].assert_eq(&said(&setup, &run_into(&setup, full), 1));
    expect_printed_once(&setup);
}

#[test]
fn alerts_that_nobody_reads_are_printed_by_the_next_run() {
    let setup = setup();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    expect![[r#"
        tripline: error: channel stdout does not deliver: cannot write to standard output: Broken pipe (os error 32); the messages wait and are tried again by later runs
    "#]].assert_eq(&said(&setup, &run_into(&setup, writer), 1));
    expect_printed_once(&setup);
}

#[test]
fn a_reader_of_a_listing_may_go_away() {
    let setup = setup();
    let (reader, writer) = std::io::pipe().unwrap();
    drop(reader);
    let output = setup.command(["status"]).stdout(writer).output().unwrap();
    assert_eq!((output.status.code(), output.stderr), (Some(0), Vec::new()));
}

#[test]
fn hostile_messages_are_shown_escaped_on_one_line() {
    let setup = Setup::new();
    let hostile = "\x1b]0;title\x07\x1b[2J\r\u{9b}31m\u{202e}{{ 7 * 7 }}\u{2028}\0";
    let long = "x".repeat(1 << 20);
    setup.write("app.log", format!("2026-01-15 11:58:00 [FATAL] {hostile}\r\n"));
    setup.append("app.log", "FIRED: critical fake\n  \x1b[2Jmore\r\n");
    setup.write("other.log", format!("2026-01-15 11:58:00 [FATAL] {long}\r\n"));
    let ran = ran(run(&setup).arg(setup.path("other.log")));
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    let folder = setup.folder.path().to_str().unwrap();
    expect![[r#"
        FIRED: critical fatal (alert 1) on LOGS/app.log: 1 FATAL within 5m (threshold 1), since 2026-01-15 11:58:00 +00:00: \r\u{9b}31m\u{202e}{{ 7 * 7 }}\u{2028}␀
        FIRED: critical fatal (alert 2) on LOGS/other.log: 1 FATAL within 5m (threshold 1), since 2026-01-15 11:58:00 +00:00: x...x…
    "#]].assert_eq(&ran.stdout.replace(folder, "LOGS").replace(&"x".repeat(159), "x..."));
    let hostile = |c: char| c.is_control() && c != '\n' || "\u{202e}\u{2028}".contains(c);
    for arguments in [
        ["alerts", "--all"].as_slice(),
        &["alerts", "show", "1"],
        &["status"],
        &["alerts", "show", "2"],
    ] {
        let listing = setup.run(arguments);
        assert_eq!(listing.code, Some(0));
        assert!(!listing.stdout.contains(hostile), "{arguments:?}: {}", listing.stdout);
    }
}

#[test]
fn a_last_line_without_an_end_keeps_no_alert_open() {
    let mut setup = setup();
    setup.append("app.log", "2026-01-15 11:59:00 [IN");
    assert!(ran(&mut run(&setup)).stdout.starts_with("FIRED: "));
    setup.now = "2026-01-15T12:02:59Z".to_owned();
    ran(&mut run(&setup)).expect_silence();
    setup.now = "2026-01-15T12:03:00Z".to_owned();
    assert!(ran(&mut run(&setup)).stdout.starts_with("RESOLVED: "));
    ran(&mut run(&setup)).expect_silence();
}
