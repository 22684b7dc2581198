//! `tripline channel`: try one, list all.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod support;

use std::fs;
use std::io::{Read, Write};
use std::net::TcpListener;
use std::os::unix::fs::PermissionsExt;
use std::thread;

use expect_test::expect;
use serde_json::Value;
use support::program::{Ran, Setup};

const CONFIG: &str = "host = 'web1'
[[channel]]
name = 'ops'
type = 'command'
command = ['LOGS/take', '--token', 's3cret']
severities = ['critical']
active = 'sun 03:00-03:01'
title = '{{ kind|upper }}: {{ summary }}'
fallback = 'cron'
[[channel]]
name = 'cron'
type = 'stdout'
[[channel]]
name = 'ops-mail'
type = 'email'
from = 'tripline@example.com'
to = ['ops@example.com', 'Ann <ann@example.com>']
sendmail = 'LOGS/missing'
";

fn setup(script: &str) -> Setup {
    let setup = Setup::new();
    setup.config(CONFIG);
    let folder = setup.folder.path().display().to_string();
    setup.write("take", format!("#!/bin/sh\n{}\n", script.replace("LOGS", &folder)));
    fs::set_permissions(setup.path("take"), fs::Permissions::from_mode(0o755)).unwrap();
    setup
}

fn channel(setup: &Setup, arguments: &[&str]) -> Ran {
    let ran = setup.run(["channel"].iter().chain(arguments));
    let folder = setup.folder.path().display().to_string();
    let visible = |text: &str| text.replace(&folder, "LOGS");
    Ran { code: ran.code, stdout: visible(&ran.stdout), stderr: visible(&ran.stderr) }
}

/// The columns are as wide as the name of the folder makes them.
fn without_widths(table: &str) -> String {
    let line = |line: &str| line.split_whitespace().collect::<Vec<_>>().join(" ") + "\n";
    table.lines().map(line).collect()
}

#[test]
fn a_test_message_arrives_whatever_the_channel_takes_and_is_not_recorded() {
    let setup = setup("cat >LOGS/message");
    let ran = channel(&setup, &["test", "ops"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    expect![[r#"
        ops (command) took the test message tripline-test-1768478400000: TEST: this is a test of the channel ops; nothing is wrong
    "#]]
    .assert_eq(&ran.stdout);
    let message: Value = serde_json::from_str(&setup.read("message")).unwrap();
    assert_eq!(message["key"], "tripline-test-1768478400000");
    let notification = &message["notifications"][0];
    assert_eq!((&notification["kind"], &notification["alert_id"]), (&"test".into(), &0.into()));
    assert_eq!(setup.rows("select to_jsonb(n)::text as value from notifications n"), [""; 0]);
    assert_eq!(setup.rows("select to_jsonb(s)::text as value from channel_states s"), [""; 0]);
}

#[test]
fn what_fails_is_said_and_the_exit_code_is_1() {
    let setup = setup("echo 'no route to pager' >&2; exit 3");
    let ran = channel(&setup, &["test", "ops"]);
    assert_eq!(
        ran.expect_failure(1),
        "tripline: error: channel ops does not deliver: LOGS/take ended with 3: no route to pager\n"
    );
    let ran = channel(&setup, &["test", "ops", "--json"]);
    assert_eq!(ran.code, Some(1));
    let mut report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(report["seconds"].take().is_f64());
    expect![[r#"
        {
          "answer": null,
          "channel": "ops",
          "delivered": false,
          "error": "LOGS/take ended with 3: no route to pager",
          "key": "tripline-test-1768478400000",
          "remark": null,
          "seconds": null,
          "title": "TEST: this is a test of the channel ops; nothing is wrong",
          "type": "command"
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&report).unwrap());
}

#[test]
fn what_a_server_answers_is_said() {
    let setup = setup("");
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let port = listener.local_addr().unwrap().port();
    setup.config(&format!(
        "host = 'web1'\n[[channel]]\nname = 'hook'\ntype = 'webhook'\nurl = 'http://127.0.0.1:{port}/s3cret-path'\n"
    ));
    let server = thread::spawn(move || {
        let (mut connection, _) = listener.accept().unwrap();
        let _ = connection.read(&mut [0; 8_192]).unwrap();
        connection.write_all(b"HTTP/1.1 202 Accepted\r\ncontent-length: 0\r\n\r\n").unwrap();
    });
    let ran = channel(&setup, &["test", "hook"]);
    server.join().unwrap();
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    assert!(ran.stdout.ends_with("\nit said: 202 Accepted\n"), "{ran:?}");
    let list = channel(&setup, &["list", "--json"]).stdout;
    assert!(list.contains(&format!("\"to\": \"127.0.0.1:{port}\"")), "{list}");
    assert!(!list.contains("s3cret"), "{list}");
}

#[test]
fn standard_output_is_a_channel_too() {
    let setup = setup("");
    let ran = channel(&setup, &["test", "cron"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    expect![[r#"
        TEST: info channel-test on web1: this is a test of the channel cron; nothing is wrong
        cron (stdout) took the test message tripline-test-1768478400000: TEST info channel-test on web1: this is a test of the channel cron; nothing is wrong
    "#]]
    .assert_eq(&ran.stdout);
    let ran = channel(&setup, &["test", "cron", "--json"]);
    let report: Value = serde_json::from_str(&ran.stdout).unwrap();
    assert!(report["answer"].as_str().unwrap().starts_with("TEST: info channel-test"), "{report}");
}

#[test]
fn a_channel_that_is_not_in_the_config_is_a_wrong_use() {
    let setup = setup("");
    assert_eq!(
        channel(&setup, &["test", "ops-mial"]).expect_failure(2),
        "tripline: error: there is no channel \"ops-mial\" in the config; did you mean \"ops-mail\"?\n"
    );
    assert_eq!(
        channel(&setup, &["test", "pagerduty"]).expect_failure(2),
        "tripline: error: there is no channel \"pagerduty\" in the config; see: tripline channel list\n"
    );
}

#[test]
fn a_list_shows_where_they_lead_and_how_they_do_and_no_secret() {
    let mut setup = setup("exit 3");
    setup.config(&format!(
        "{CONFIG}[[source]]\nname = 'app'\npaths = ['LOGS/app.log']\n\
         [[rule]]\nname = 'any'\nkind = 'threshold'\ncount = 1\nwithin = '1h'\nseverity = 'critical'\n"
    ));
    setup.config(&setup.read("tripline.toml").replace("active = 'sun 03:00-03:01'\n", ""));
    setup.write("app.log", "2026-01-15 11:59:00 [ERROR] the disk is full\n");
    assert_eq!(setup.run(["run"]).code, Some(1));
    setup.now = "2026-01-15T12:05:00Z".to_owned();
    let ran = channel(&setup, &["list"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
    expect![[r#"
        CHANNEL TYPE TO SEVERITIES FALLBACK WAITING FAILING
        ops command LOGS/take critical cron 1 2026-01-15 12:00:00Z
        cron stdout standard output all - 0 -
        ops-mail email ops@example.com, ann@example.com all - 1 2026-01-15 12:00:00Z
    "#]]
    .assert_eq(&without_widths(&ran.stdout));
    let ran = channel(&setup, &["list", "--json"]);
    assert!(!ran.stdout.contains("s3cret"), "{ran:?}");
    let list: Value = serde_json::from_str(&ran.stdout).unwrap();
    expect![[r#"
        {
          "delivered_at": null,
          "failing_since": "2026-01-15T12:00:00Z",
          "fallback": "cron",
          "last_error": "LOGS/take ended with 3",
          "name": "ops",
          "severities": [
            "critical"
          ],
          "to": "LOGS/take",
          "type": "command",
          "waiting": 1
        }"#]]
    .assert_eq(&serde_json::to_string_pretty(&list[0]).unwrap());
}
