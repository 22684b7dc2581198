//! The sample log generator, `scripts/generate_logs.sh`: what it writes, that a rotation
//! beside it loses no line, and that a signal ends it between two lines.

#![allow(clippy::unwrap_used, reason = "a helper that fails fails the test that called it")]

use std::fs;
use std::io::{BufRead, BufReader, Read};
use std::path::Path;
use std::process::{Command, ExitStatus, Output, Stdio};
use std::thread;

use expect_test::{Expect, expect};
use rustix::process::{Pid, Signal, kill_process};

#[test]
fn a_seed_and_a_start_give_the_same_lines_each_time() {
    check(
        &["--seed", "1", "--lines", "6", "--start", "2026-03-01 23:59:50"],
        &expect![[r"
            2026-03-01 23:59:50 [ERROR] This is a ERROR message
            2026-03-01 23:59:55 [WARNING] This is a WARNING message
            2026-03-02 00:00:00 [INFO] This is a INFO message
            2026-03-02 00:00:05 [ERROR] This is a ERROR message
            2026-03-02 00:00:10 [ERROR] This is a ERROR message
            2026-03-02 00:00:15 [FATAL] This is a FATAL message
        "]],
    );
    check(
        &["--seed", "2", "--lines", "3", "--start", "2026-03-01 12:00:00", "--interval", ".5"],
        &expect![[r"
            2026-03-01 12:00:00 [INFO] This is a INFO message
            2026-03-01 12:00:00 [ERROR] This is a ERROR message
            2026-03-01 12:00:01 [INFO] This is a INFO message
        "]],
    );
}

#[test]
fn a_level_without_weight_never_comes() {
    let lines = stdout(&["--weights", "INFO=3,FATAL=1", "--interval", "0", "--lines", "400"]);
    let of_level = |level| lines.lines().filter(|line| level_of(line) == Some(level)).count();
    assert_eq!(of_level("INFO") + of_level("FATAL"), 400);
    assert!(of_level("INFO") > 0 && of_level("FATAL") > 0);
}

#[test]
fn every_line_has_the_documented_shape() {
    let lines = stdout(&["--interval", "0", "--lines", "200"]);
    assert_eq!(lines.lines().count(), 200);
    for line in lines.lines() {
        assert!(level_of(line).is_some(), "{line}");
    }
}

#[test]
fn a_rename_beside_it_loses_no_line() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("app.log");
    let mut generations = Vec::new();
    disturb(&log, 20, || {
        let renamed = folder.path().join(format!("app.log.{}", generations.len()));
        fs::rename(&log, &renamed).unwrap();
        generations.push(renamed);
    });

    generations.push(log);
    let written: String =
        generations.iter().map(|path| fs::read_to_string(path).unwrap_or_default()).collect();
    let count = written.lines().count().to_string();
    let undisturbed = stdout(&["--seed", "7", "--interval", "0", "--lines", &count]);
    assert!(levels(&written).eq(levels(&undisturbed)));
}

#[test]
fn a_truncation_beside_it_leaves_no_hole() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("app.log");
    disturb(&log, 20, || {
        fs::OpenOptions::new().write(true).open(&log).unwrap().set_len(0).unwrap();
    });
    for line in fs::read_to_string(&log).unwrap().lines() {
        assert!(level_of(line).is_some(), "{line:?}");
    }
}

/// With a second line to come after the interval, a generator that sleeps on would write it
/// before it ends.
#[test]
fn a_signal_ends_its_sleep_at_once() {
    for signal in [Signal::TERM, Signal::INT] {
        let (status, lines) = stop_after(1, signal, &["--interval", "20", "--lines", "2"]);
        assert_eq!(status.code(), Some(0), "{signal:?}");
        assert_eq!(lines.lines().count(), 1, "{lines}");
    }
}

#[test]
fn a_signal_while_it_writes_leaves_whole_lines() {
    let (status, lines) = stop_after(500, Signal::TERM, &["--interval", "0"]);
    assert_eq!(status.code(), Some(0));
    assert!(lines.ends_with('\n'));
    for line in lines.lines() {
        assert!(level_of(line).is_some(), "{line:?}");
    }
}

#[test]
fn wrong_usage_says_what_is_right() {
    check_usage_error(&["--lines"], "--lines needs a value");
    check_usage_error(&["--count", "3"], "unknown argument '--count'");
    check_usage_error(&["--lines", "many"], "--lines must be a whole number, not 'many'");
    check_usage_error(
        &["--interval", "5s"],
        "--interval must be a number of seconds such as 5 or 0.2, not '5s'",
    );
    check_usage_error(
        &["--weights", "DEBUG=1"],
        "--weights takes LEVEL=NUMBER pairs with the levels INFO WARNING ERROR FATAL, not 'DEBUG=1'",
    );
    check_usage_error(
        &["--weights", "INFO=0"],
        "--weights needs at least one level with a weight above 0",
    );
    check_usage_error(
        &["--start", "2026-03-01 12:00:00"],
        "--start needs --lines, as it writes without waiting",
    );
}

#[test]
fn a_file_that_cannot_be_written_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("missing").join("app.log");
    let output = run(&["--lines", "1", "--file", path.to_str().unwrap()]);
    assert_eq!(output.status.code(), Some(1));
    assert_eq!(
        String::from_utf8(output.stderr).unwrap(),
        format!(
            "generate_logs.sh: cannot append to {}: No such file or directory\n\
             Create the folder first, or choose another file with --file.\n",
            path.display()
        )
    );
}

fn check(options: &[&str], expected: &Expect) {
    expected.assert_eq(&stdout(options));
}

fn check_usage_error(options: &[&str], expected: &str) {
    let output = run(options);
    assert_eq!(output.status.code(), Some(2), "{options:?}");
    let stderr = String::from_utf8(output.stderr).unwrap();
    let expected = format!("generate_logs.sh: {expected}\nTry 'generate_logs.sh --help'.\n");
    assert_eq!(stderr, expected, "{options:?}");
}

fn generator() -> Command {
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/generate_logs.sh");
    let mut command = Command::new(script);
    command.env("TZ", "UTC").stdin(Stdio::null());
    command
}

fn run(options: &[&str]) -> Output {
    generator().args(options).output().unwrap()
}

/// What a generator writes that ends by itself.
fn stdout(options: &[&str]) -> String {
    let output = run(&[&["--file", "/dev/stdout"], options].concat());
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    String::from_utf8(output.stdout).unwrap()
}

/// Lets a generator write to `log` without pause, calls `rotate` so many `times` whenever some
/// lines have been written, then stops the generator.
fn disturb(log: &Path, times: usize, mut rotate: impl FnMut()) {
    let options = ["--seed", "7", "--interval", "0"];
    let mut child = generator().arg("--file").arg(log).args(options).spawn().unwrap();
    for _ in 0..times {
        while fs::metadata(log).map_or(0, |metadata| metadata.len()) < 5_000 {
            assert_eq!(child.try_wait().unwrap(), None, "the generator ended by itself");
            thread::yield_now();
        }
        rotate();
    }
    kill_process(Pid::from_child(&child), Signal::TERM).unwrap();
    assert!(child.wait().unwrap().success());
}

/// Sends `signal` once `count` lines have been written; returns how it ended and all lines.
fn stop_after(count: usize, signal: Signal, options: &[&str]) -> (ExitStatus, String) {
    let mut child = generator()
        .args(["--file", "/dev/stdout"])
        .args(options)
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut reader = BufReader::new(child.stdout.take().unwrap());
    let mut lines = String::new();
    for _ in 0..count {
        reader.read_line(&mut lines).unwrap();
    }
    kill_process(Pid::from_child(&child), signal).unwrap();
    reader.read_to_string(&mut lines).unwrap();
    (child.wait().unwrap(), lines)
}

fn levels(lines: &str) -> impl Iterator<Item = Option<&str>> {
    lines.lines().map(level_of)
}

/// The level of a line `YYYY-MM-DD HH:MM:SS [LEVEL] This is a LEVEL message`, `None` if it is
/// no such line.
fn level_of(line: &str) -> Option<&str> {
    let (time, rest) = line.split_once(" [")?;
    let (level, message) = rest.split_once("] ")?;
    chrono::NaiveDateTime::parse_from_str(time, "%Y-%m-%d %H:%M:%S").ok()?;
    let known = ["INFO", "WARNING", "ERROR", "FATAL"].contains(&level);
    (known && time.len() == 19 && message == format!("This is a {level} message")).then_some(level)
}
