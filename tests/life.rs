//! The life of an alert as people see it: taken on, noted, closed, silenced, reminded of.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod support;

use std::process::{Child, Stdio};
use std::thread;

use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use expect_test::{Expect, expect};
use support::program::{Setup, rows};

const RULE: &str = "[[rule]]\nname = 'any'\nkind = 'threshold'\ncount = 1\nwithin = '1h'\n";

/// A log with one ERROR at noon, by a config with more keys of its rule.
fn setup(keys: &str) -> Setup {
    let setup = Setup::new();
    configure(&setup, keys);
    setup.write("app.log", "2026-01-15 11:59:00 [ERROR] the disk is full\n");
    setup
}

fn configure(setup: &Setup, keys: &str) {
    setup.config(&format!(
        "host = 'web1'\n[[source]]\nname = 'app'\npaths = ['LOGS/app.log']\n{RULE}{keys}\n"
    ));
}

/// What a run at a time of the day prints.
fn run_at(setup: &mut Setup, time: &str) -> String {
    at(setup, time);
    let ran = setup.run(["run"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    ran.stdout.replace(&setup.folder.path().display().to_string(), "LOGS")
}

fn at(setup: &mut Setup, time: &str) {
    setup.now = format!("2026-01-15T{time}Z");
}

/// What a command prints that works.
fn told<const N: usize>(setup: &Setup, arguments: [&str; N]) -> String {
    let ran = setup.run(arguments);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    ran.stdout
}

/// What is said of a command that does not.
fn refused<const N: usize>(setup: &Setup, arguments: [&str; N], expected: &Expect) {
    let ran = setup.run(arguments);
    assert_eq!((ran.code, ran.stdout.as_str()), (Some(2), ""), "{ran:?}");
    expected.assert_eq(&ran.stderr);
}

/// The decisions about all alerts so far.
fn decisions(setup: &Setup) -> Vec<String> {
    setup.rows(
        "select concat_ws(' ', alert_id, decision, reason, 'by ' || author) as value
         from alert_events order by id",
    )
}

#[test]
fn nobody_is_reminded_of_what_somebody_has_taken_on() {
    let mut setup = setup("remind_every = '10m'");
    assert!(run_at(&mut setup, "12:00:00").starts_with("FIRED: warning any (alert 1) on app"));
    assert_eq!(run_at(&mut setup, "12:09:59"), "");
    assert!(run_at(&mut setup, "12:10:00").starts_with("REMINDER: warning any (alert 1) on app"));
    at(&mut setup, "12:15:00");
    told(&setup, ["alerts", "ack", "1", "--by", "maria", "--note", "a new disk comes"]);
    assert_eq!(run_at(&mut setup, "12:30:00"), "");
    expect![[r#"
        ALERT  STATE  SEVERITY  RULE  STARTED               LASTED  COUNT  SOURCE
            1  acked  warning   any   2026-01-15 11:59:00Z  -         1/1  app
    "#]]
    .assert_eq(&told(&setup, ["alerts"]));
    refused(
        &setup,
        ["alerts", "ack", "1"],
        &expect![[r#"
            tripline: error: somebody has taken alert 1 on already; see: tripline alerts show 1
        "#]],
    );
    told(&setup, ["alerts", "unack", "1", "--by", "maria"]);
    assert!(run_at(&mut setup, "12:31:00").starts_with("REMINDER: "));
    assert!(run_at(&mut setup, "12:59:00").starts_with("RESOLVED: warning any (alert 1) on app"));
    refused(
        &setup,
        ["alerts", "ack", "1"],
        &expect![[r#"
            tripline: error: alert 1 is over; see: tripline alerts show 1
        "#]],
    );
    refused(
        &setup,
        ["alerts", "resolve", "7"],
        &expect![[r#"
            tripline: error: there is no alert 7; see: tripline alerts --all
        "#]],
    );
    let shown = told(&setup, ["alerts", "show", "1"]);
    expect![[r#"
        alert 1: warning any, resolved
        source     app on web1
        started    2026-01-15 11:59:00Z
        ended      2026-01-15 12:59:00Z (after 1h)
        measured   1 in one window (threshold 1)
        entries    1
          2026-01-15 11:59:00Z ERROR the disk is full
            LOGS/app.log at byte 0
            > 2026-01-15 11:59:00 [ERROR] the disk is full
        2026-01-15 12:00:00Z fired
        2026-01-15 12:10:00Z reminder
        2026-01-15 12:15:00Z acked by maria: a new disk comes
        2026-01-15 12:30:00Z unacked by maria
        2026-01-15 12:31:00Z reminder
        2026-01-15 12:59:00Z resolved
        fired to stdout: delivered 2026-01-15 12:00:00Z
        reminder to stdout: delivered 2026-01-15 12:10:00Z
        reminder to stdout: delivered 2026-01-15 12:31:00Z
        resolved to stdout: delivered 2026-01-15 12:59:00Z
    "#]]
    .assert_eq(&shown.replace(&setup.folder.path().display().to_string(), "LOGS"));
}

#[test]
fn a_silence_that_ends_is_noticed() {
    let mut setup = setup("");
    at(&mut setup, "11:58:00");
    let added = told(
        &setup,
        ["silence", "add", "--rule", "any", "--for", "1h", "--reason", "deploy", "--by", "maria"],
    );
    assert_eq!(
        added,
        "silence 1 holds until 2026-01-15 12:58:00Z; end it: tripline silence end 1\n"
    );
    assert_eq!(run_at(&mut setup, "12:00:00"), "");
    told(&setup, ["silence", "end", "1", "--by", "maria"]);
    assert!(run_at(&mut setup, "12:01:00").starts_with("FIRED: warning any (alert 1) on app"));
    assert_eq!(decisions(&setup), ["1 silenced silence 1", "1 silence_over"]);
    expect![[r#"
        no silence (all: --all)
    "#]]
    .assert_eq(&told(&setup, ["silence", "list"]));
    expect![[r#"
        SILENCE  RULE  GROUP  SEVERITY  FROM                  UNTIL                 HOURS  BY     REASON
              1  any   any    any       2026-01-15 11:58:00Z  2026-01-15 12:00:00Z  any    maria  deploy
    "#]].assert_eq(&told(&setup, ["silence", "list", "--all"]));
    refused(
        &setup,
        ["silence", "end", "1"],
        &expect![[r#"
        tripline: error: there is no silence 1 that could be ended; see: tripline silence list --all
    "#]],
    );
}

/// Waits until so many sessions wait for a lock, or this child has ended.
fn until_waiting(connection: &mut PgConnection, sessions: usize, child: &mut Child) {
    let waiting = "select pid::text as value from pg_stat_activity
                   where datname = current_database() and wait_event_type = 'Lock'";
    while rows(connection, waiting).len() < sessions && child.try_wait().unwrap().is_none() {
        thread::yield_now();
    }
}

#[test]
fn a_silence_that_ends_while_a_run_holds_alerts_back_by_it_is_noticed() {
    let mut setup = setup("for = '5m'");
    at(&mut setup, "11:58:00");
    told(&setup, ["silence", "add", "--rule", "any", "--for", "1h", "--reason", "deploy"]);
    assert_eq!(run_at(&mut setup, "12:00:00"), "");
    assert!(decisions(&setup)[0].starts_with("1 pending"));

    // A run that has seen the silence, and is about to write that it holds the alert back.
    let mut writer = setup.database.connect();
    writer.batch_execute("begin; select from alerts for update").unwrap();
    let mut looking = setup.database.connect();
    at(&mut setup, "12:05:00");
    let start = |arguments: &[&str]| {
        let mut command = setup.command(arguments);
        command.stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap()
    };
    let mut run = start(&["run"]);
    until_waiting(&mut looking, 1, &mut run);
    let mut end = start(&["silence", "end", "1"]);
    until_waiting(&mut looking, 2, &mut end);
    writer.batch_execute("rollback").unwrap();
    for child in [run, end] {
        let output = child.wait_with_output().unwrap();
        assert_eq!((output.status.code(), output.stderr.as_slice()), (Some(0), &b""[..]));
    }

    assert!(run_at(&mut setup, "12:06:00").starts_with("FIRED: warning any (alert 1) on app"));
    assert_eq!(decisions(&setup)[1..], ["1 silenced silence 1", "1 silence_over"]);
    assert_eq!(run_at(&mut setup, "12:07:00"), "");
}

#[test]
fn a_silence_that_runs_out_is_noticed() {
    let mut setup = setup("");
    at(&mut setup, "11:58:00");
    told(&setup, ["silence", "add", "--group", "app", "--for", "10m", "--reason", "deploy"]);
    assert_eq!(run_at(&mut setup, "12:00:00"), "");
    assert_eq!(run_at(&mut setup, "12:07:59"), "");
    assert!(run_at(&mut setup, "12:08:00").starts_with("FIRED: "));
    // Another one does not keep those who were told from hearing that it is over.
    told(&setup, ["silence", "add", "--weekly", "thu 12:00-13:00", "--reason", "tests"]);
    assert!(run_at(&mut setup, "12:59:00").starts_with("RESOLVED: "));
}

#[test]
fn a_silence_that_cannot_be_meant_is_refused() {
    let setup = setup("");
    for (arguments, message) in [
        (&["--for", "never"][..], "--for: \"never\" is not a duration"),
        (&["--weekly", "sun"], "--weekly: \"sun\" names no hours"),
        (&[], "say how long: --for LENGTH, --until TIME or --weekly HOURS"),
        (&["--until", "2026-01-01T00:00:00Z"], "it would be over already"),
        (&["--for", "0s"], "it would be over already"),
    ] {
        let ran = setup.run([&["silence", "add", "--reason", "x"], arguments].concat());
        assert_eq!(ran.code, Some(2), "{ran:?}");
        assert!(ran.stderr.contains(message), "{ran:?}");
    }
    let ran = setup.run(["silence", "add", "--rule", "anny", "--for", "1h", "--reason", "x"]);
    assert_eq!(ran.code, Some(0));
    assert_eq!(
        ran.stderr,
        "tripline: warn: there is no rule \"anny\" so far; see: tripline rules list\n"
    );
}

#[test]
fn what_somebody_closes_stays_closed() {
    let mut setup = setup("");
    assert!(run_at(&mut setup, "12:00:00").starts_with("FIRED: "));
    told(&setup, ["alerts", "note", "1", "--note", "known", "--by", "maria"]);
    told(&setup, ["alerts", "resolve", "1", "--by", "maria"]);
    let over = run_at(&mut setup, "12:01:00");
    assert!(over.starts_with("RESOLVED: warning any (alert 1) on app"));
    assert!(over.trim_end().ends_with("resolved after 1m"), "{over}");
    setup.append("app.log", "2026-01-15 12:01:30 [ERROR] the disk is full\n");
    assert_eq!(run_at(&mut setup, "12:02:00"), "");
    assert_eq!(run_at(&mut setup, "14:00:00"), "");
    assert_eq!(decisions(&setup), ["1 fired", "1 note known by maria", "1 closed by maria"]);
}

#[test]
fn outside_its_hours_an_alert_waits() {
    let mut setup = setup("active = '12:30-18:00'");
    assert_eq!(run_at(&mut setup, "12:00:00"), "");
    expect![[r#"
        ALERT  STATE    SEVERITY  RULE  STARTED               LASTED  COUNT  SOURCE
            1  pending  warning   any   2026-01-15 11:59:00Z  -         1/1  app
    "#]]
    .assert_eq(&told(&setup, ["alerts"]));
    assert_eq!(run_at(&mut setup, "12:29:00"), "");
    assert!(run_at(&mut setup, "12:30:00").starts_with("FIRED: "));
}

#[test]
fn what_a_file_excludes_does_not_count() {
    let mut setup = setup("");
    setup.write("known.txt", "# what we know\n\ndisk is full$\n");
    configure(&setup, "exclude_file = 'LOGS/known.txt'");
    assert_eq!(run_at(&mut setup, "12:00:00"), "");
    setup.append("app.log", "2026-01-15 12:00:30 [ERROR] the disk is full of errors\n");
    assert!(run_at(&mut setup, "12:01:00").starts_with("FIRED: "));
    configure(&setup, "exclude_file = 'LOGS/missing.txt'");
    let ran = setup.run(["run"]);
    assert_eq!(ran.code, Some(2), "{ran:?}");
    assert!(ran.stderr.contains("exclude_file cannot be read: No such file"), "{ran:?}");
}

#[test]
fn of_a_storm_most_alerts_are_told_as_a_number() {
    let mut setup = setup("pattern = 'from (.*)'\ngroup_by = ['source', '$1']");
    for host in 1..=33 {
        setup.append("app.log", format!("2026-01-15 11:59:30 [ERROR] from 192.0.2.{host}\n"));
    }
    let printed = run_at(&mut setup, "12:00:00");
    let lines: Vec<&str> = printed.lines().collect();
    assert_eq!(lines.iter().filter(|line| line.starts_with("FIRED: ")).count(), 20);
    assert_eq!(lines.len(), 21, "{printed}");
    assert!(lines[20].starts_with("STORM: warning any: 13 more alerts, the first of them alert "));
    assert!(lines[20].ends_with("see: tripline alerts --all"), "{}", lines[20]);
    let printed = run_at(&mut setup, "13:00:00");
    assert_eq!(printed.lines().filter(|line| line.starts_with("RESOLVED: ")).count(), 20);
    assert_eq!(printed.lines().count(), 20);
}

/// What an alert shows as its entries, one line each.
fn evidence(setup: &Setup, id: &str) -> Vec<String> {
    let shown: serde_json::Value =
        serde_json::from_str(&told(setup, ["alerts", "show", id, "--json"])).unwrap();
    let samples = shown["samples"].as_array().unwrap();
    assert_eq!(shown["entries"], samples.len());
    let text = |value: &serde_json::Value| value.as_str().unwrap().to_owned();
    samples.iter().map(|sample| text(&sample["message"])).collect()
}

#[test]
fn the_evidence_is_what_the_rule_counted_for_the_group() {
    let mut setup = setup("pattern = '(\\w+)$'\nexclude = ['^but']\ngroup_by = ['$1']");
    setup.append(
        "app.log",
        "2026-01-15 11:59:10 [ERROR] db is down\n2026-01-15 11:59:20 [ERROR] but this is down\n\
         2026-01-15 11:59:30 [ERROR] mail is down\n2026-01-15 11:59:30 [INFO] all is down\n",
    );
    run_at(&mut setup, "12:00:00");
    assert_eq!(evidence(&setup, "1"), ["the disk is full"]);
    assert_eq!(evidence(&setup, "2"), ["db is down", "mail is down"]);
}

#[test]
fn the_evidence_stays_when_the_rule_has_left_the_config() {
    let across = "[[rule]]\nname = 'down'\nkind = 'threshold'\ncount = 1\nwithin = '5m'\n\
                  pattern = '(\\w+) is down'\ngroup_by = ['$1']";
    let mut setup = setup(across);
    setup.append("app.log", "2026-01-15 11:59:30 [ERROR] db is down\n");
    run_at(&mut setup, "12:00:00");
    let shown = |setup: &Setup| ["1", "2"].map(|id| evidence(setup, id));
    let before = shown(&setup);
    let mut found = before.concat();
    found.sort();
    assert_eq!(found, ["db is down", "db is down", "the disk is full"]);
    setup.config("host = 'web1'\nrule = []\n[[source]]\nname = 'app'\npaths = ['LOGS/app.log']\n");
    run_at(&mut setup, "12:01:00");
    let rules = "select name as value from alert_rules where retired_at is not null order by name";
    assert_eq!(setup.rows(rules), ["any", "down"]);
    let contents = setup.contents();
    assert_eq!(shown(&setup), before);
    assert_eq!(setup.contents(), contents, "to show an alert changes nothing");
}

#[test]
fn the_evidence_of_a_moment_is_the_entry_at_it() {
    let mut setup = setup("[[rule]]\nname = 'first'\nkind = 'new'\nlookback = '1d'");
    run_at(&mut setup, "12:00:00");
    setup.append(
        "app.log",
        "2026-01-15 12:00:10 [ERROR] mail 1 is down\n2026-01-15 12:00:10 [ERROR] no answer\n\
         2026-01-15 12:00:20 [ERROR] mail 2 is down\n",
    );
    run_at(&mut setup, "12:01:00");
    let alerts = setup.rows(
        "select alerts.id::text as value from alerts join alert_rules rule on rule.id = rule_id
         where rule.name = 'first' order by alerts.id",
    );
    let found: Vec<_> = alerts.iter().flat_map(|id| evidence(&setup, id)).collect();
    assert_eq!(found, ["the disk is full", "mail 1 is down", "no answer"]);
}
