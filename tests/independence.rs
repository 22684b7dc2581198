//! The same logs give the same rows and the same alerts, however they are read: at once or in
//! hundreds of small runs, in any order of the logs, in chunks of any size.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod support;

use std::path::PathBuf;

use support::program::{Setup, ran};
use support::random::{Random, log};

const LOGS: usize = 3;
const LINES: usize = 300;

/// Short and long windows, low and high thresholds, patterns and levels.
const RULES: &str = r#"
[[rule]]
name = "burst"
kind = "threshold"
count = 3
within = "1m"

[[rule]]
name = "many"
kind = "threshold"
count = 8
within = "1h"

[[rule]]
name = "sevens"
kind = "threshold"
pattern = "7"
count = 2
within = "10m"

[[rule]]
name = "fatal"
kind = "threshold"
levels = ["FATAL"]
count = 1
within = "5m"
"#;

/// Logs of which some lines come late, and some have wrong clocks.
fn logs(random: &mut Random) -> Vec<String> {
    let logs = (0..LOGS).map(|_| {
        let log = log(random, LINES);
        let mut lines: Vec<&str> = log.lines().collect();
        for _ in 0..LINES / 10 {
            let line = lines.remove(random.below(lines.len()));
            lines.insert(random.below(lines.len()), line);
        }
        for wrong in ["1987-01-15 00:00:00 [ERROR] 7", "2999-01-15 00:00:00 [FATAL] 7"] {
            lines.insert(random.below(lines.len()), wrong);
        }
        // A log that begins with what is no entry would be an error at first.
        lines.insert(0, "2026-01-15 00:00:00 [INFO] begin");
        lines.join("\n") + "\n"
    });
    logs.collect()
}

/// Everything that the logs lead to, but for numbers and for what was told when.
fn result(setup: &Setup) -> Vec<String> {
    let mut result = Vec::new();
    for statement in [
        "select concat_ws(' ', 'entry', path, line_no, byte_offset, logged_at, level, fingerprint,
             fields, message) as value
         from log_entries join sources on id = source_id order by path, line_no",
        "select 'count ' || path || (to_jsonb(counts) - 'source_id')::text as value
         from line_counts counts join sources on id = source_id order by path, minute",
        "select 'state ' || path || (to_jsonb(state) - array['source_id', 'device', 'inode'])::text
             as value
         from ingest_state state join sources on id = source_id order by path",
        "select concat_ws(' ', 'alert', path, rule.name, group_key, started_at, ended_at, measured,
             threshold, alert.severity, fired_at is not null, resolved_at is not null) as value
         from alerts alert
         join sources on sources.id = source_id
         join alert_rules rule on rule.id = rule_id
         where merged_into is null and retracted_at is null
         order by path, rule.name, started_at",
    ] {
        result.extend(setup.rows(statement));
    }
    let folder = setup.folder.path().to_str().unwrap();
    result.into_iter().map(|row| row.replace(folder, "LOGS")).collect()
}

fn setup() -> Setup {
    let setup = Setup::new();
    setup.config(RULES);
    for log in 0..LOGS {
        setup.write(&name(log), "");
    }
    setup
}

fn name(log: usize) -> String {
    format!("{log}.log")
}

/// Runs a command on some logs.
fn run(setup: &Setup, command: &str, options: &[String], logs: &[usize]) {
    let logs: Vec<PathBuf> = logs.iter().map(|log| setup.path(&name(*log))).collect();
    let run = ran(setup.command([command]).args(options).args(logs));
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
}

/// All logs, in a random order.
fn shuffled(random: &mut Random) -> Vec<usize> {
    let mut logs: Vec<usize> = (0..LOGS).collect();
    for last in (1..LOGS).rev() {
        logs.swap(last, random.below(last + 1));
    }
    logs
}

/// All of it in one run.
fn at_once(logs: &[String]) -> Vec<String> {
    let setup = setup();
    for (log, text) in logs.iter().enumerate() {
        setup.append(&name(log), text);
    }
    run(&setup, "run", &[], &[0, 1, 2]);
    let result = result(&setup);
    for kind in ["burst", "many", "sevens", "fatal"] {
        let is_alert = |row: &&String| row.starts_with("alert ") && row.contains(kind);
        assert!(result.iter().any(|row| is_alert(&row)), "no alert of {kind}");
    }
    result
}

/// One log after the other, in any order; rules are evaluated now and then.
fn one_by_one(logs: &[String], random: &mut Random) -> Vec<String> {
    let setup = setup();
    for (log, text) in logs.iter().enumerate() {
        setup.append(&name(log), text);
    }
    for log in shuffled(random) {
        run(&setup, "ingest", &[], &[log]);
        if random.below(2) == 0 {
            run(&setup, "alert", &[], &[]);
        }
    }
    run(&setup, "alert", &[], &[]);
    result(&setup)
}

/// A piece of one log after a piece of another, with runs between them.
fn in_pieces(logs: &[String], random: &mut Random) -> Vec<String> {
    let setup = setup();
    let mut rests: Vec<&str> = logs.iter().map(String::as_str).collect();
    while rests.iter().any(|rest| !rest.is_empty()) {
        let log = random.below(LOGS);
        let end = (1 + random.below(300)).min(rests[log].len());
        let (piece, rest) = rests[log].split_at(end);
        setup.append(&name(log), piece);
        rests[log] = rest;
        let chunk = format!("--chunk-bytes={}", 1 + random.below(500));
        let mut some = shuffled(random);
        some.truncate(1 + random.below(LOGS));
        match random.below(4) {
            0 => run(&setup, "ingest", &[chunk], &some),
            1 => run(&setup, "alert", &[], &[]),
            _ => run(&setup, "run", &[chunk], &some),
        }
    }
    run(&setup, "run", &[], &shuffled(random));
    result(&setup)
}

#[track_caller]
fn expect_same(found: &[String], expected: &[String]) {
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
}

#[test]
fn any_order_and_any_pieces_give_the_same() {
    for case in 0..support::cases(1) {
        let mut random = Random::new(case);
        let logs = logs(&mut random);
        let expected = at_once(&logs);
        expect_same(&one_by_one(&logs, &mut random), &expected);
        expect_same(&in_pieces(&logs, &mut random), &expected);
    }
}
