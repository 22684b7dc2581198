//! `tripline entries`: which of the stored entries are found, and how they are shown.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

#[path = "../support/mod.rs"]
mod support;

use diesel::connection::SimpleConnection;
use expect_test::{Expect, expect};
use support::program::{Ran, Setup};

const LOG: &str = "\
2026-01-15 10:00:00 [ERROR] order 17 failed
2026-01-15 10:30:00 [INFO] not stored
2026-01-15 11:00:00 [FATAL] disk full
  at disk.rs:1
2026-01-15 11:30:00 [ERROR] order 18 failed
2026-01-15 11:59:59 [ERROR] \x1b[31mred\u{202e} text
";

/// Two logs of this host, and one of another.
fn setup() -> Setup {
    let setup = Setup::new();
    setup.config(
        "host = 'web1'
         [[source]]
         name = 'app'
         paths = ['LOGS/app.log']
         [[source]]
         name = 'other'
         paths = ['LOGS/other.log']",
    );
    setup.write("app.log", LOG);
    setup.write("other.log", "2026-01-15 11:45:00 [ERROR] order 19 failed\n");
    setup.run(["ingest"]).expect_silence();
    let config = setup.read("tripline.toml");
    setup.config("host = 'web2'\n[[source]]\nname = 'app'\npaths = ['LOGS/app2.log']");
    setup.write("app2.log", "2026-01-15 09:00:00 [ERROR] of web2\n");
    setup.run(["ingest"]).expect_silence();
    setup.write("tripline.toml", config);
    setup
}

fn entries(setup: &Setup, arguments: &str) -> Ran {
    setup.run(["entries"].into_iter().chain(arguments.split_whitespace()))
}

#[track_caller]
fn printed(setup: &Setup, arguments: &str) -> String {
    let ran = entries(setup, arguments);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    ran.stdout.replace(setup.folder.path().to_str().unwrap(), "LOGS")
}

#[track_caller]
fn check(setup: &Setup, arguments: &str, expected: &Expect) {
    expected.assert_eq(&printed(setup, arguments));
}

/// Times and messages of what is found, the newest first.
#[track_caller]
fn found(setup: &Setup, arguments: &str) -> Vec<String> {
    let lines = printed(setup, &format!("--json {arguments}"));
    let entry = |line: &str| {
        let entry: serde_json::Value = serde_json::from_str(line).unwrap();
        let message = entry["message"].as_str().unwrap().lines().next().unwrap().to_owned();
        let logged_at = entry["logged_at"].as_str().unwrap();
        format!("{} {message}", &logged_at[11..16])
    };
    lines.lines().map(entry).collect()
}

#[track_caller]
fn refused(setup: &Setup, arguments: &str, expected: &Expect) {
    expected.assert_eq(entries(setup, arguments).expect_failure(2));
}

/// Gives the only entry with this message other fields.
fn set_fields(setup: &Setup, message: &str, fields: &str) {
    let statement =
        format!("update log_entries set fields = '{fields}' where message like '{message}%'");
    setup.database.connect().batch_execute(&statement).unwrap();
}

#[test]
fn people_see_the_newest_first_and_that_there_are_more() {
    let setup = setup();
    check(
        &setup,
        "",
        &expect![[r#"
            LOGGED AT             LEVEL  SOURCE       MESSAGE
            2026-01-15 11:59:59Z  ERROR  web1: app    red\u{202e} text
            2026-01-15 11:45:00Z  ERROR  web1: other  order 19 failed
            2026-01-15 11:30:00Z  ERROR  web1: app    order 18 failed
            2026-01-15 11:00:00Z  FATAL  web1: app    disk full
            2026-01-15 10:00:00Z  ERROR  web1: app    order 17 failed
            2026-01-15 09:00:00Z  ERROR  web2: app    of web2
        "#]],
    );
    check(
        &setup,
        "--host web1 --limit 2",
        &expect![[r#"
            LOGGED AT             LEVEL  SOURCE  MESSAGE
            2026-01-15 11:59:59Z  ERROR  app     red\u{202e} text
            2026-01-15 11:45:00Z  ERROR  other   order 19 failed

            and more; see --limit
        "#]],
    );
    check(
        &setup,
        "--host web1 --limit 5 --level fatal",
        &expect![[r#"
        LOGGED AT             LEVEL  SOURCE  MESSAGE
        2026-01-15 11:00:00Z  FATAL  app     disk full
    "#]],
    );
    check(
        &setup,
        "--pattern nothing",
        &expect![[r#"
        no such entry is stored
    "#]],
    );
}

#[test]
fn machines_get_an_object_a_line() {
    let setup = setup();
    set_fields(&setup, "order 18", r#"{"user": {"id": 17}}"#);
    check(
        &setup,
        "--json --since 1h --until 15m --host web1",
        &expect![[r#"
        {"source":"app","path":"LOGS/app.log","byte_offset":135,"logged_at":"2026-01-15T11:30:00Z","level":"ERROR","message":"order 18 failed","fields":{"user":{"id":17}},"fingerprint":5737902307912457366}
        {"source":"app","path":"LOGS/app.log","byte_offset":82,"logged_at":"2026-01-15T11:00:00Z","level":"FATAL","message":"disk full\n  at disk.rs:1","fields":{},"fingerprint":-2154561642235532002}
    "#]],
    );
    assert_eq!(printed(&setup, "--json --pattern nothing"), "");
    assert_eq!(printed(&setup, "--json --limit 2").lines().count(), 2);
}

#[test]
fn times_are_moments_or_lengths_back_from_the_tick() {
    let setup = setup();
    let last_hour = ["11:59 red\u{202e} text", "11:45 order 19 failed", "11:30 order 18 failed"];
    assert_eq!(found(&setup, "--since 59m"), last_hour);
    assert_eq!(found(&setup, "--since 2026-01-15T12:30:00+01:00"), last_hour);
    // The beginning belongs to it, the end does not.
    assert_eq!(found(&setup, "--since 2026-01-15T11:00:00Z --until 30m"), ["11:00 disk full"]);
    assert!(found(&setup, "--until 2025-01-01T00:00:00Z").is_empty());
}

#[test]
fn levels_patterns_and_sources_narrow_it() {
    let setup = setup();
    assert_eq!(found(&setup, "--level FATAL"), ["11:00 disk full"]);
    assert_eq!(found(&setup, "--level warning,fatal"), ["11:00 disk full"]);
    assert_eq!(found(&setup, "--level FATAL --level ERROR").len(), 6);
    // Further lines belong to the message.
    assert_eq!(found(&setup, r"--pattern disk\.rs:\d"), ["11:00 disk full"]);
    assert_eq!(found(&setup, "--pattern 1[79]").len(), 2);
    assert_eq!(found(&setup, "--source app").len(), 5);
    assert_eq!(found(&setup, "--source app --host web2"), ["09:00 of web2"]);
    let other = setup.path("other.log");
    let by_path = format!("--source {}", other.display());
    assert_eq!(found(&setup, &by_path), ["11:45 order 19 failed"]);
}

#[test]
fn fields_are_compared_as_text() {
    let setup = setup();
    set_fields(&setup, "order 17", r#"{"user": {"id": 17, "tags": ["a", "b"]}, "status": "500"}"#);
    set_fields(&setup, "order 18", r#"{"user.id": "17", "status": null}"#);
    set_fields(&setup, "disk full", "[1]");
    assert_eq!(found(&setup, "--where user.id=17").len(), 2);
    assert_eq!(found(&setup, "--where user.id=17 --where status=500"), ["10:00 order 17 failed"]);
    assert_eq!(found(&setup, "--where user.tags.1=b"), ["10:00 order 17 failed"]);
    for nothing in ["status=", "user.id=1", "user=", "none=x", "'||pg_sleep(9)=x"] {
        assert!(found(&setup, &format!("--where {nothing}")).is_empty(), "{nothing}");
    }
}

#[test]
fn the_most_frequent_messages_come_first() {
    let setup = setup();
    check(
        &setup,
        "--top --limit 2",
        &expect![[r#"
        COUNT  LEVEL  FIRST                 LAST                  LAST MESSAGE
            3  ERROR  2026-01-15 10:00:00Z  2026-01-15 11:45:00Z  order 19 failed
            1  ERROR  2026-01-15 11:59:59Z  2026-01-15 11:59:59Z  red\u{202e} text

        and more; see --limit
    "#]],
    );
    check(
        &setup,
        "--top --json --limit 1",
        &expect![[r#"
        {"fingerprint":5737902307912457366,"count":3,"level":"ERROR","first_logged_at":"2026-01-15T10:00:00Z","last_logged_at":"2026-01-15T11:45:00Z","message":"order 19 failed"}
    "#]],
    );
    check(
        &setup,
        "--top --source app --host web1 --pattern 17",
        &expect![[r#"
        COUNT  LEVEL  FIRST                 LAST                  LAST MESSAGE
            1  ERROR  2026-01-15 10:00:00Z  2026-01-15 10:00:00Z  order 17 failed
    "#]],
    );
}

#[test]
fn the_file_is_the_one_in_which_an_entry_stands() {
    let setup = setup();
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", "2026-01-15 11:59:59 [ERROR] after the rotation\n");
    setup.run(["ingest"]).expect_silence();
    let lines = printed(&setup, "--json --source app --host web1 --limit 2");
    let files: Vec<_> = lines.lines().map(|line| line.contains("LOGS/app.log.1")).collect();
    assert_eq!(files, [false, true], "{lines}");
}

#[test]
fn wrong_use_is_explained() {
    let setup = setup();
    refused(
        &setup,
        "--pattern (",
        &expect![[r#"
        tripline: error: --pattern "(" is no regular expression of PostgreSQL: invalid regular expression: parentheses () not balanced
    "#]],
    );
    refused(
        &setup,
        "--since yesterday",
        &expect![[r#"
        tripline: error: --since "yesterday" is no time; write it like 2026-01-01T12:00:00Z, or how long ago it was like 90s, 5m, 1h30m or 2d
    "#]],
    );
    refused(
        &setup,
        "--source ap --host web1",
        &expect![[r#"
        tripline: error: there is no source "ap" on web1; did you mean "app"?
    "#]],
    );
    for wrong in ["--level worse", "--where user", "--where =x", "--limit 0"] {
        entries(&setup, wrong).expect_failure(2);
    }
}
