//! Runs at the same time.

use std::collections::BTreeMap;
use std::process::{Child, Stdio};
use std::thread;
use std::time::Duration;

use chrono::{DateTime, TimeDelta, Utc};
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

/// Starts a run of a host, by its config, with a lock of its own, and what it prints kept.
fn start_on(setup: &Setup, host: &str, place: &str, now: &str) -> Child {
    let mut command = setup.command(["run"]);
    command
        .env("TRIPLINE_CONFIG", setup.path(&format!("{host}.toml")))
        .env("TRIPLINE_STATE_DIR", setup.path(place))
        .args(["--now", now])
        .stdout(Stdio::piped())
        .stderr(Stdio::piped())
        .spawn()
        .unwrap()
}

/// Two processes at a time, of one host that do not know of each other, or of two hosts. All of
/// them judge what both hosts log.
#[test]
fn two_runs_at_the_same_time_give_each_alert_once() {
    let setup = Setup::new();
    let folder = setup.folder.path().to_str().unwrap();
    for host in ["web1", "web2"] {
        let rule = |name: &str, count: u32, group_by: &str| {
            format!(
                "[[rule]]\nname = '{name}'\nkind = 'threshold'\ncount = {count}\nwithin = '10s'\n\
                 group_by = {group_by}\n"
            )
        };
        let config = format!(
            "host = '{host}'\n[evaluate]\nall_hosts = true\n\
             [[source]]\nname = '{host}'\npaths = ['{folder}/{host}.log']\n{}{}",
            rule("each", 2, "['source']"),
            rule("across", 4, "[]"),
        );
        setup.write(&format!("{host}.toml"), config);
        setup.write(&format!("{host}.log"), "");
    }
    let begin: DateTime<Utc> = "2026-01-15T00:00:00Z".parse().unwrap();
    let rounds = cases(100);
    let mut told: BTreeMap<String, u32> = BTreeMap::new();
    // What is left over by one that found another at work is done in the last round.
    for round in 0..=rounds {
        let burst = begin + TimeDelta::minutes(i64::try_from(round).unwrap());
        if round < rounds {
            for host in ["web1", "web2"] {
                let line = |second| format!("{}:0{second} [ERROR] x\n", burst.format("%F %H:%M"));
                setup.append(&format!("{host}.log"), line(1) + &line(2));
            }
        }
        let now = (burst + TimeDelta::seconds(30)).to_rfc3339();
        let start = |(host, place): (&str, &str)| start_on(&setup, host, place, &now);
        let others = [("web1", "state-2"), ("web2", "state-3")];
        let together = [("web1", "state-1"), others[round % 2]];
        let children = together.map(start).into_iter();
        // At last one after the other, so that nobody finds another at work.
        let alone = others.into_iter().filter(|_| round == rounds).map(start);
        for child in children.chain(alone) {
            let output = child.wait_with_output().unwrap();
            assert_eq!(String::from_utf8_lossy(&output.stderr), "");
            assert!([Some(0), Some(75)].contains(&output.status.code()), "{:?}", output.status);
            for line in String::from_utf8(output.stdout).unwrap().lines() {
                *told.entry(line.to_owned()).or_default() += 1;
            }
        }
    }
    let alerts = "select concat_ws(' ', rule.name, count(*)) as value
                  from alerts join alert_rules rule on rule.id = rule_id
                  where fired_at is not null and resolved_at is not null
                    and merged_into is null and retracted_at is null
                  group by rule.name order by rule.name";
    assert_eq!(setup.rows(alerts), [format!("across {rounds}"), format!("each {}", 2 * rounds)]);
    let all = setup.value("select count(*)::text as value from alerts");
    assert_eq!(all, (3 * rounds).to_string(), "and no others");
    assert!(told.values().all(|&times| times == 1), "something was told twice: {told:?}");
    let over = told.keys().filter(|line| line.starts_with("RESOLVED")).count();
    assert_eq!(over, 3 * rounds, "each is over: {told:?}");
}
