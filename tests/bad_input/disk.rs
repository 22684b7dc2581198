//! The disk is full, of the database or of the folder in which it is to be made.
//!
//! What makes it full is a limit on the length of files, for which nobody needs any rights. The
//! server has it from the run that starts it.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use expect_test::expect;
use tripline::cluster::Durability;

use crate::scratch::Scratch;
use crate::support::program::{NOW, Ran, ran};

/// As long as a file of the server's write-ahead log, which it must be able to make, and in the
/// units of the shell.
const LIMIT: usize = (16 << 20) / 512;

/// A run on the private PostgreSQL.
fn run(server: &Scratch, log: &Path, limit: Option<usize>) -> Ran {
    let program = env!("CARGO_BIN_EXE_tripline");
    let mut command = match limit {
        None => Command::new(program),
        Some(limit) => {
            let mut command = Command::new("/bin/sh");
            let script = format!("ulimit -f {limit} && exec \"$@\"");
            command.args(["-c", script.as_str(), "sh", program]);
            command
        }
    };
    command
        .env_clear()
        .env("PATH", "/usr/bin:/bin")
        .env("TRIPLINE_STATE_DIR", server.cluster.base())
        .env("TZ", "UTC")
        .args(["--now", NOW, "run", "--chunk-bytes=2000000"])
        .arg(log);
    ran(&mut command)
}

fn log(server: &Scratch, content: &str) -> PathBuf {
    let log = server.folder.path().join("app.log");
    fs::write(&log, content).unwrap();
    log
}

#[test]
fn the_disk_of_the_database_is_full() {
    const LINES: usize = 12_000;
    let server = Scratch::below("state", Durability::ThrowAway);
    server.cluster.ensure_running().unwrap();
    server.cluster.stop().unwrap();
    // The rows of all lines together are longer than a file may be.
    let line = |number: usize| {
        let (minute, second) = (number / 60 % 60, number % 60);
        let rest = "x".repeat(1_460);
        format!("2026-01-15 11:{minute:02}:{second:02} [ERROR] no {number:05} {rest}\n")
    };
    let log = log(&server, &(1..=LINES).map(line).collect::<String>());
    let length = line(1).len();

    let message = |run: &Ran| {
        let said = run.expect_failure(1);
        let file = said.split('"').nth(1).unwrap();
        assert!(file.starts_with("base/"), "{said}");
        // Servers from 16 on say how they tried.
        said.replace(file, "FILE").replace(" with FileFallocate()", "")
    };
    let expected = expect![[r#"
        tripline: error: database: could not extend file "FILE": File too large
        tripline: hint: make room on the disk of the database; what was read before is stored; the next run goes on there
    "#]];
    let state = || {
        let rows = server.query(
            "select count(*), count(*) filter (
                 where message = 'no ' || to_char(line_no, 'FM00000') || ' ' || repeat('x', 1460)
             ) from log_entries",
        );
        let place = server.query("select line_no, byte_offset from ingest_state");
        let (all, right) = rows.split_once('|').unwrap();
        let (lines, byte_offset) = place.split_once('|').unwrap();
        let number = |text: &str| text.parse::<usize>().unwrap();
        assert_eq!(number(right), number(all), "rows that are not as the lines are");
        assert_eq!(number(lines), number(all), "rows, and lines before the place");
        assert_eq!(number(byte_offset), number(all) * length);
        number(all)
    };

    expected.assert_eq(&message(&run(&server, &log, Some(LIMIT))));
    let stored = state();
    assert!((LINES / 2..LINES).contains(&stored), "{stored} rows");
    // As long as nothing is done about it.
    expected.assert_eq(&message(&run(&server, &log, Some(LIMIT))));
    assert_eq!(state(), stored);

    server.cluster.stop().unwrap();
    let cured = run(&server, &log, None);
    assert_eq!((cured.code, cured.stderr.as_str()), (Some(0), ""));
    assert_eq!(state(), LINES);
    // One alert, told once.
    assert_eq!(cured.stdout.lines().count(), 1, "{}", cured.stdout);
    assert!(cured.stdout.contains("error-burst (alert 1)"), "{}", cured.stdout);
    run(&server, &log, None).expect_silence();
}

#[test]
fn there_is_no_room_for_a_private_postgresql() {
    let server = Scratch::below("state", Durability::Safe);
    let log = log(&server, "2026-01-15 11:00:00 [ERROR] one\n");
    for _ in 0..2 {
        let run = run(&server, &log, Some(100));
        let said = run.expect_failure(1);
        let base = server.cluster.base().display();
        let begin = format!(
            "tripline: error: cannot set up the private PostgreSQL in {base}: initdb failed; \
             free some space on that disk; it said:\n"
        );
        assert!(said.starts_with(&begin), "{said}");
        assert!(said.contains("File too large"), "{said}");
    }
    run(&server, &log, None).expect_silence();
    assert_eq!(server.query("select message from log_entries"), "one");
}
