//! Runs while the log is written to.

use std::fs;
use std::sync::mpsc;
use std::thread;
use std::time::Duration;

use crate::support::cases;
use crate::support::program::{Setup, append, ran};
use crate::support::random::{Random, log};
use crate::{LINES, expect_undisturbed, result, run, undisturbed, wait_for_the_server};

#[test]
fn runs_while_the_log_grows() {
    for case in 0..cases(1) {
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
    for case in 0..cases(1) {
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
        let connection = &mut setup.database.connect();
        wait_for_the_server(connection);
        assert_eq!(ran(&mut run(&setup)).code, Some(0));
        let lines = written.lines().count();
        assert_eq!(setup.state("line_no"), lines.to_string());
        assert_eq!(setup.gaps(), [""; 0]);
        let of = |rows: Vec<String>, kind: &str| -> Vec<String> {
            let is_of = |row: &String| row.starts_with(kind);
            rows.into_iter().filter(is_of).collect()
        };
        let (found, expected) = (result(connection), undisturbed(&log));
        assert_eq!(of(found.clone(), "count"), of(expected.clone(), "count"));
        assert_eq!(of(found, "alert"), of(expected, "alert"));
    }
}
