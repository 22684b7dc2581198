//! The outbox in the hands of people: what was told, what was not and why, try again, give up.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;

use diesel::pg::PgConnection;
use diesel::prelude::*;
use expect_test::{Expect, expect};
use serde_json::Value;
use support::program::{Ran, Setup};

/// A channel that works while there is a file called `works`, and one that takes nothing but
/// critical alerts.
const CONFIG: &str = "host = 'web1'
[[source]]
name = 'app'
paths = ['LOGS/app.log']
[[rule]]
name = 'any'
kind = 'threshold'
count = 1
within = '5m'
[[channel]]
name = 'ops'
type = 'command'
command = ['LOGS/take']
give_up_after = '1h'
[[channel]]
name = 'pager'
type = 'command'
command = ['LOGS/take']
severities = ['critical']
";

fn setup() -> Setup {
    let setup = Setup::new();
    setup.config(CONFIG);
    setup.write("app.log", "2026-01-15 11:59:00 [ERROR] the disk is full\n");
    let works = setup.path("works").display().to_string();
    setup.write(
        "take",
        format!(
            "#!/bin/sh\ncat >/dev/null\n[ -e '{works}' ] || {{ echo 'out of | order'; exit 7; }}\n"
        ),
    );
    fs::set_permissions(setup.path("take"), fs::Permissions::from_mode(0o755)).unwrap();
    setup
}

fn run_at(setup: &mut Setup, time: &str) -> Ran {
    setup.now = format!("2026-01-15T{time}Z");
    setup.run(["run"])
}

/// What a command prints and says, with its exit code where it is not 0.
fn check<const N: usize>(setup: &Setup, arguments: [&str; N], expected: &Expect) {
    let ran = setup.run(arguments);
    let code = ran.code.filter(|code| *code != 0).map(|code| format!("exit code {code}\n"));
    let said = format!("{}{}{}", ran.stdout, ran.stderr, code.unwrap_or_default());
    expected.assert_eq(&said.replace(&setup.folder.path().display().to_string(), "LOGS"));
}

/// What status says of alerts and their delivery.
fn check_status(setup: &Setup, expected: &Expect) {
    let said = setup.run(["status"]).stdout;
    let said = said.replace(&setup.folder.path().display().to_string(), "LOGS");
    expected.assert_eq(said.find("open alerts").map(|at| &said[at..]).unwrap());
}

#[test]
fn what_is_not_delivered_is_listed_with_the_reason() {
    let mut setup = setup();
    check(
        &setup,
        ["notifications"],
        &expect![[r#"
        everything is delivered (all: tripline notifications --all)
    "#]],
    );
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(1));
    check(
        &setup,
        ["notifications"],
        &expect![[r#"
        ID  STATE    KIND   ALERT  RULE  CHANNEL  WRITTEN               TRIED  LAST ERROR
         1  failing  fired      1  any   ops      2026-01-15 12:00:00Z      1  LOGS/take ended with 7: out of | order
    "#]],
    );
    check(
        &setup,
        ["notifications", "show", "1"],
        &expect![[r#"
        notification 1: fired, failing
        alert      1: warning any
        channel    ops, because there are no routes
        from       web1
        written    2026-01-15 12:00:00Z
        tried      once
        next try   2026-01-15 12:00:54Z or later
        last error LOGS/take ended with 7: out of | order
    "#]],
    );
    check(
        &setup,
        ["notifications", "show", "2"],
        &expect![[r#"
        tripline: error: there is no notification 2; see: tripline notifications --all
        exit code 1
    "#]],
    );
    // Given up after an hour, and seen all the same.
    run_at(&mut setup, "13:00:30");
    check(
        &setup,
        ["notifications", "--channel", "ops"],
        &expect![[r#"
        ID  STATE     KIND      ALERT  RULE  CHANNEL  WRITTEN               TRIED  LAST ERROR
         2  failing   resolved      1  any   ops      2026-01-15 13:00:30Z      1  LOGS/take ended with 7: out of | order
         1  given up  fired         1  any   ops      2026-01-15 12:00:00Z      2  LOGS/take ended with 7: out of | order
    "#]],
    );
    check(
        &setup,
        ["notifications", "--channel", "pager"],
        &expect![[r#"
        everything is delivered (all: tripline notifications --all)
    "#]],
    );
    check_status(
        &setup,
        &expect![[r#"
        open alerts    0
        undelivered    1
        given up       1 within a week; see: tripline notifications
        channel        ops has failed since 2026-01-15 12:00:00Z: LOGS/take ended with 7: out of | order
    "#]],
    );
}

#[test]
fn what_was_given_up_can_be_tried_again() {
    let mut setup = setup();
    run_at(&mut setup, "12:00:00");
    run_at(&mut setup, "13:00:30");
    setup.write("works", "");
    check(
        &setup,
        ["notifications", "retry", "1", "9"],
        &expect![[r#"
        tripline: error: notification 9 was delivered, or is not there; the others are done; see: tripline notifications --all
        exit code 2
    "#]],
    );
    assert_eq!(run_at(&mut setup, "13:02:00").code, Some(0));
    check(
        &setup,
        ["notifications"],
        &expect![[r#"
        everything is delivered (all: tripline notifications --all)
    "#]],
    );
    check(
        &setup,
        ["notifications", "--all"],
        &expect![[r#"
        ID  STATE      KIND      ALERT  RULE  CHANNEL  WRITTEN               TRIED  LAST ERROR
         2  delivered  resolved      1  any   ops      2026-01-15 13:00:30Z      2  -
         1  delivered  fired         1  any   ops      2026-01-15 12:00:00Z      3  -
    "#]],
    );
    check(
        &setup,
        ["notifications", "--all", "--limit", "1"],
        &expect![[r#"
        ID  STATE      KIND      ALERT  RULE  CHANNEL  WRITTEN               TRIED  LAST ERROR
         2  delivered  resolved      1  any   ops      2026-01-15 13:00:30Z      2  -
        the newest 1; more: --limit
    "#]],
    );
    check(
        &setup,
        ["notifications", "retry", "--channel", "ops"],
        &expect![[r#"
        0 notifications are for the next run
    "#]],
    );
    check(
        &setup,
        ["notifications", "retry", "1"],
        &expect![[r#"
        tripline: error: notification 1 was delivered, or is not there; see: tripline notifications --all
        exit code 2
    "#]],
    );
    check(
        &setup,
        ["notifications", "show", "1"],
        &expect![[r#"
        notification 1: fired, delivered
        alert      1: warning any
        channel    ops, because there are no routes
        from       web1
        written    2026-01-15 12:00:00Z
        tried      3 times
        delivered  2026-01-15 13:02:00Z
    "#]],
    );
}

#[test]
fn what_somebody_gives_up_is_not_tried_again_and_tells_no_one() {
    let mut setup = setup();
    run_at(&mut setup, "12:00:00");
    check(
        &setup,
        ["notifications", "give-up", "1", "--by", "maria\u{1b}[2J"],
        &expect![[r#"
        1 notification is given up
    "#]],
    );
    check(
        &setup,
        ["notifications", "give-up", "1"],
        &expect![[r#"
        tripline: error: notification 1 was delivered or given up, or is not there; see: tripline notifications --all
        exit code 2
    "#]],
    );
    check(
        &setup,
        ["notifications", "give-up"],
        &expect![[r#"
        error: the following required arguments were not provided:
          <ID>...

        Usage: tripline notifications give-up <ID>...

        For more information, try '--help'.
        exit code 2
    "#]],
    );
    assert_eq!(run_at(&mut setup, "12:02:00").code, Some(0));
    let ran = setup.run(["notifications", "--json", "--alert", "1"]);
    let list: Vec<Value> = serde_json::from_str(&ran.stdout).unwrap();
    let shown: Vec<_> =
        list.iter().map(|one| (&one["state"], &one["given_up_by"], &one["attempts"])).collect();
    assert_eq!(
        shown,
        [(&Value::from("given up"), &Value::from("maria\u{1b}[2J"), &Value::from(1))]
    );
    // The program has given up none.
    check_status(
        &setup,
        &expect![[r#"
        open alerts    1
        undelivered    0
        channel        ops has failed since 2026-01-15 12:00:00Z: LOGS/take ended with 7: out of | order
    "#]],
    );
}

#[test]
fn that_no_channel_takes_an_alert_stands_in_its_history() {
    let mut setup = setup();
    let channels = CONFIG.split_once("[[channel]]\nname = 'pager'").unwrap();
    setup.config(&format!(
        "{}[[channel]]\nname = 'pager'{}",
        channels.0.split("[[channel]]").next().unwrap(),
        channels.1
    ));
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(0));
    check(
        &setup,
        ["alerts", "show", "1"],
        &expect![[r#"
            alert 1: warning any, firing
            source     app on web1
            started    2026-01-15 11:59:00Z
            measured   1 in one window (threshold 1)
            entries    1
              2026-01-15 11:59:00Z ERROR the disk is full
                LOGS/app.log at byte 0
                > 2026-01-15 11:59:00 [ERROR] the disk is full
            2026-01-15 12:00:00Z fired: no channel takes it
        "#]],
    );
}

/// How PostgreSQL finds what `tripline notifications` lists, for these parameters.
fn plan(connection: &mut PgConnection, parameters: &str) -> String {
    let statement = include_str!("../src/report/notifications.sql");
    let run = |connection: &mut PgConnection, text: &str| {
        diesel::sql_query(text).execute(connection).unwrap()
    };
    run(
        connection,
        &format!("prepare list (boolean, text, bigint, bigint, bigint) as {statement}"),
    );
    let plan: Vec<Plan> =
        diesel::sql_query(format!("explain (costs off) execute list ({parameters})"))
            .load(connection)
            .unwrap();
    run(connection, "deallocate list");
    plan.into_iter().map(|row| row.line + "\n").collect()
}

#[derive(QueryableByName)]
struct Plan {
    #[diesel(sql_type = diesel::sql_types::Text, column_name = "QUERY PLAN")]
    line: String,
}

#[test]
fn what_is_not_delivered_is_found_without_looking_at_the_rest() {
    let mut setup = setup();
    setup.write("works", "");
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(0));
    let mut connection = setup.database.connect();
    // A year of messages that were delivered, and a few of which some wait and some were given up.
    for statement in [
        "insert into notifications (source_id, alert_id, host, channel, kind, number, created_at,
                                    next_attempt_at, delivered_at, given_up_at)
         select source_id, alert_id, host, channel, 'reminder', number, created_at, created_at,
                case when number % 1000 > 1 then created_at end,
                case when number % 1000 = 1 then created_at end
         from (select source_id, alert_id, host, channel, generated as number, created_at
               from notifications cross join generate_series(1, 50000) generated) many",
        "analyze",
    ] {
        diesel::sql_query(statement).execute(&mut connection).unwrap();
    }
    for parameters in [
        "false, null, null, null, 100",
        "false, 'ops', null, null, 100",
        "false, null, 1, null, 100",
    ] {
        let plan = plan(&mut connection, parameters);
        for index in ["notifications_undelivered", "notifications_given_up"] {
            assert!(plan.contains(index), "no {index} for {parameters}:\n{plan}");
        }
        assert!(!plan.contains("Seq Scan on notifications"), "{parameters}:\n{plan}");
    }
    // Who wants all of them gets them by another way, so that this can be told at all.
    let all = plan(&mut connection, "true, null, null, null, 100");
    assert!(!all.contains("notifications_undelivered"), "{all}");
}
