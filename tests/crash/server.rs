//! The server that the program has started for itself is stopped under it, at any instant.

use std::fs;
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use diesel::Connection;
use diesel::pg::PgConnection;
use rustix::process::{Pid, Signal, kill_process};
use tripline::cluster::{DATABASE, Durability, Status};

use crate::scratch::Scratch;
use crate::support::cases;
use crate::support::program::{NOW, append, ran};
use crate::support::random::{Random, log};
use crate::{LINES, expect_rows, result, undisturbed};

/// A run in small chunks, which starts the server if it does not run.
fn run(server: &Scratch) -> Command {
    let mut command = Command::new(env!("CARGO_BIN_EXE_tripline"));
    command
        .env_clear()
        .env("TRIPLINE_STATE_DIR", server.cluster.base())
        .env("TZ", "UTC")
        .args(["--now", NOW, "run", "--chunk-bytes=2000"])
        .arg(server.folder.path().join("app.log"))
        .stdout(Stdio::null())
        .stderr(Stdio::piped());
    command
}

/// Ends the server at once, as if it had crashed: it recovers at its next start.
fn crash(server: &Scratch) {
    let status = server.cluster.status().unwrap();
    let Status::Running { pid, .. } = status else { panic!("{status:?}") };
    kill_process(Pid::from_raw(pid.cast_signed()).unwrap(), Signal::QUIT).unwrap();
}

#[test]
fn the_server_crashes_at_any_instant() {
    for case in 0..cases(1) {
        let mut random = Random::new(case);
        let server = Scratch::below("state", Durability::Safe);
        let path = server.folder.path().join("app.log");
        fs::write(&path, "").unwrap();
        assert_eq!(ran(&mut run(&server)).code, Some(0));
        let log = log(&mut random, LINES);
        let lines: Vec<&str> = log.split_inclusive('\n').collect();
        let (mut longest, mut hits) = (100_000, 0);
        for piece in lines.chunks(lines.len() / 6) {
            append(&path, piece.concat().as_bytes());
            server.cluster.ensure_running().unwrap();
            let run = run(&server).spawn().unwrap();
            thread::sleep(Duration::from_micros(random.below(longest) as u64));
            crash(&server);
            let output = run.wait_with_output().unwrap();
            if output.status.success() {
                longest -= longest / 4;
                continue;
            }
            hits += 1;
            longest += longest / 10;
            let said = String::from_utf8_lossy(&output.stderr);
            assert_eq!(output.status.code(), Some(1), "{said}");
            assert!(said.contains("lost the connection to the database: "), "{said}");
            assert!(said.ends_with("the next run goes on there\n"), "{said}");
        }
        assert!(hits >= 2, "only {hits} runs were disturbed");
        // It starts the server by itself.
        let last = ran(&mut run(&server));
        assert_eq!((last.code, last.stderr.as_str()), (Some(0), ""));
        let mut connection = PgConnection::establish(&server.cluster.url(DATABASE)).unwrap();
        expect_rows(&result(&mut connection), &undisturbed(&log));
    }
}
