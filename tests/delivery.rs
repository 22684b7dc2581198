//! Alerts on their way to people: channels that work, fail, hang and come back.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::time::{Duration, Instant};

use expect_test::expect;
use serde_json::Value;
use support::program::{Ran, Setup, ran};

const RULE: &str = "host = 'web1'
[[source]]
name = 'app'
paths = ['LOGS/app.log']
[[rule]]
name = 'any'
kind = 'threshold'
count = 1
within = '1h'
";

/// A log with one ERROR at noon, and a config with more of it.
fn setup(config: &str) -> Setup {
    let setup = Setup::new();
    configure(&setup, config);
    setup.write("app.log", "2026-01-15 11:59:00 [ERROR] the disk is full\n");
    // What takes a message: it goes to a file, unless there is one named after it with .broken.
    program(
        &setup,
        "take",
        "input=$(cat)
         [ ! -e \"$1.broken\" ] || { echo \"$1 is out of order\"; exit 7; }
         printf '%s\\n' \"$input\" >>\"$1\"
         echo \"$TRIPLINE_KIND $TRIPLINE_SEVERITY $TRIPLINE_RULE $TRIPLINE_ALERT $TRIPLINE_STATUS\" >>\"$1.variables\"",
    );
    setup
}

fn configure(setup: &Setup, config: &str) {
    setup.config(&[RULE, config].concat());
}

fn program(setup: &Setup, name: &str, script: &str) {
    setup.write(name, format!("#!/bin/sh\n{script}\n"));
    fs::set_permissions(setup.path(name), fs::Permissions::from_mode(0o755)).unwrap();
}

/// A channel whose messages go to the file of its name.
fn channel(name: &str, keys: &str) -> String {
    format!(
        "[[channel]]\nname = '{name}'\ntype = 'command'\n\
         command = ['LOGS/take', 'LOGS/{name}']\n{keys}\n"
    )
}

fn run_at(setup: &mut Setup, time: &str) -> Ran {
    setup.now = format!("2026-01-15T{time}Z");
    let ran = setup.run(["run"]);
    let folder = setup.folder.path().display().to_string();
    let visible = |text: &str| text.replace(&folder, "LOGS");
    Ran { code: ran.code, stdout: visible(&ran.stdout), stderr: visible(&ran.stderr) }
}

/// A run that has nothing to say.
fn quiet_run_at(setup: &mut Setup, time: &str) {
    let ran = run_at(setup, time);
    assert_eq!((ran.code, ran.stdout.as_str(), ran.stderr.as_str()), (Some(0), "", ""));
}

/// The messages that a channel has got.
fn got(setup: &Setup, channel: &str) -> Vec<Value> {
    let text = fs::read_to_string(setup.path(channel)).unwrap_or_default();
    text.lines().map(|line| serde_json::from_str(line).unwrap()).collect()
}

/// What their notifications are, in the order in which they came.
fn kinds(setup: &Setup, channel: &str) -> Vec<String> {
    let messages = got(setup, channel);
    let notifications = messages.iter().flat_map(|one| one["notifications"].as_array().unwrap());
    notifications.map(|one| one["kind"].as_str().unwrap().to_owned()).collect()
}

/// The rows of the outbox.
fn outbox(setup: &Setup) -> Vec<String> {
    setup.rows(
        "select concat_ws(' ', channel, kind, attempts, to_char(delivered_at at time zone 'UTC', 'HH24:MI'),
                'given up ' || to_char(given_up_at at time zone 'UTC', 'DD HH24:MI'), '(' || why || ')') as value
         from notifications order by id",
    )
}

#[test]
fn a_program_gets_the_alert_as_json_and_in_variables() {
    let mut setup = setup(&channel("ops", "title = '{{ severity|upper }}: {{ summary }}'"));
    quiet_run_at(&mut setup, "12:00:00");
    let messages = got(&setup, "ops");
    assert_eq!(messages.len(), 1);
    let message = serde_json::to_string_pretty(&messages[0]).unwrap();
    let folder = setup.folder.path().display().to_string();
    expect![[r#"
        {
          "key": "tripline-1",
          "notifications": [
            {
              "alert_id": 1,
              "duration_seconds": null,
              "ended_at": null,
              "further": 0,
              "group": "",
              "host": "web1",
              "id": 1,
              "kind": "fired",
              "line": "FIRED: warning any (alert 1) on app (LOGS/app.log): 1 ERROR or FATAL within 1h (threshold 1), since 2026-01-15 11:59:00 +00:00: the disk is full",
              "measured": 1.0,
              "path": "LOGS/app.log",
              "rule": "any",
              "rule_kind": "threshold",
              "runbook": null,
              "samples": [
                {
                  "byte_offset": 0,
                  "level": "ERROR",
                  "logged_at": "2026-01-15T11:59:00Z",
                  "message": "the disk is full",
                  "path": "LOGS/app.log"
                }
              ],
              "severity": "warning",
              "show": "tripline alerts show 1",
              "source": "app",
              "started_at": "2026-01-15T11:59:00Z",
              "status": "firing",
              "summary": "1 ERROR or FATAL within 1h (threshold 1)",
              "threshold": 1.0,
              "within_seconds": 3600
            }
          ],
          "text": "1 ERROR or FATAL within 1h (threshold 1)\nrule: any (threshold)\nwhere: app (LOGS/app.log), read on web1\nsince: 2026-01-15 11:59:00 +00:00\nmore: tripline alerts show 1\n\nThe newest entries:\n2026-01-15 11:59:00 +00:00 ERROR the disk is full\n",
          "title": "WARNING: 1 ERROR or FATAL within 1h (threshold 1)"
        }"#]]
    .assert_eq(&message.replace(&folder, "LOGS"));
    assert_eq!(setup.read("ops.variables"), "fired warning any 1 firing\n");
    quiet_run_at(&mut setup, "12:01:00");
    assert_eq!(got(&setup, "ops").len(), 1, "once");
    quiet_run_at(&mut setup, "13:00:00");
    assert_eq!(kinds(&setup, "ops"), ["fired", "resolved"]);
}

#[test]
fn a_broken_channel_is_told_of_once_and_tried_again_and_the_others_go_on() {
    let mut setup = setup(&[channel("ops", ""), channel("mail", "")].concat());
    setup.write("ops.broken", "");
    let ran = run_at(&mut setup, "12:00:00");
    assert_eq!(ran.code, Some(1));
    expect![[r#"
        tripline: error: channel ops does not deliver: LOGS/take ended with 7: LOGS/ops is out of order; the messages wait and are tried again by later runs
    "#]]
    .assert_eq(&ran.stderr);
    assert_eq!(kinds(&setup, "mail"), ["fired"]);
    // It is not time yet; then it fails again, which is known.
    quiet_run_at(&mut setup, "12:00:30");
    let ran = run_at(&mut setup, "12:01:00");
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(1), ""));
    // An hour later it is told again, and the end does not come before the beginning.
    let ran = run_at(&mut setup, "13:00:30");
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("channel ops does not deliver"), "{ran:?}");
    assert_eq!(kinds(&setup, "mail"), ["fired", "resolved"]);
    fs::remove_file(setup.path("ops.broken")).unwrap();
    quiet_run_at(&mut setup, "13:30:00");
    assert_eq!(kinds(&setup, "ops"), ["fired", "resolved"]);
    expect![[r#"
        ops fired 4 13:30 (there are no routes)
        mail fired 1 12:00 (there are no routes)
        ops resolved 1 13:30 (it was told when the alert fired)
        mail resolved 1 13:00 (it was told when the alert fired)
    "#]]
    .assert_eq(&(outbox(&setup).join("\n") + "\n"));
}

#[test]
fn what_is_too_old_is_given_up_and_a_fallback_has_got_it_by_then() {
    let keys = "fallback = 'mail'\nfallback_after = '5m'\ngive_up_after = '30m'";
    let route = "[[route]]\nchannels = ['ops']\n";
    let mut setup = setup(&[&channel("ops", keys), &channel("mail", ""), route].concat());
    setup.write("ops.broken", "");
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(1));
    assert_eq!(run_at(&mut setup, "12:01:00").code, Some(1));
    assert_eq!(run_at(&mut setup, "12:03:00").code, Some(1));
    assert_eq!(kinds(&setup, "mail"), [""; 0]);
    // Between two attempts of the first channel.
    quiet_run_at(&mut setup, "12:05:00");
    assert_eq!(kinds(&setup, "mail"), ["fired"]);
    let ran = run_at(&mut setup, "12:30:00");
    assert_eq!(ran.code, Some(1));
    assert!(ran.stderr.contains("channel ops: gave up 1 message for good"), "{ran:?}");
    quiet_run_at(&mut setup, "12:40:00");
    assert_eq!(
        outbox(&setup),
        [
            "ops fired 4 given up 15 12:30 (route 1 names it)",
            "mail fired 1 12:05 (ops has failed for 5m)",
        ]
    );
}

#[test]
fn a_program_that_never_ends_costs_its_time_and_no_more() {
    let hangs = "[[channel]]\nname = 'hangs'\ntype = 'command'\n\
                 command = ['LOGS/hangs']\ntimeout = '2s'\n";
    let mut setup = setup(&[hangs, &channel("mail", "")].concat());
    program(&setup, "hangs", "while :; do echo still here; sleep 0.01; done");
    let begun = Instant::now();
    let ran = run_at(&mut setup, "12:00:00");
    assert!(begun.elapsed() < Duration::from_secs(60));
    assert_eq!(ran.code, Some(1));
    assert!(
        ran.stderr.contains(
            "channel hangs does not deliver: LOGS/hangs: no answer within 2s: still here"
        ),
        "{ran:?}"
    );
    assert_eq!(kinds(&setup, "mail"), ["fired"]);
}

#[test]
fn a_digest_gathers_and_hours_wait() {
    let mut setup = setup(
        &[channel("digest", "every = '1h'"), channel("night", "active = '22:00-23:00'")].concat(),
    );
    quiet_run_at(&mut setup, "12:00:30");
    setup.append("app.log", "2026-01-15 12:30:00 [INFO] all is well\n");
    quiet_run_at(&mut setup, "12:59:30");
    assert_eq!(kinds(&setup, "digest"), [""; 0]);
    quiet_run_at(&mut setup, "13:00:00");
    let messages = got(&setup, "digest");
    assert_eq!(messages.len(), 1, "{messages:?}");
    assert_eq!(messages[0]["title"], "2 notifications: 1 firing, 1 resolved");
    assert_eq!(kinds(&setup, "digest"), ["fired", "resolved"]);
    assert_eq!(kinds(&setup, "night"), [""; 0]);
    quiet_run_at(&mut setup, "22:00:00");
    assert_eq!(kinds(&setup, "night"), ["fired", "resolved"]);
}

#[test]
fn an_alert_that_is_over_when_it_is_first_told_shows_its_entries() {
    let mut setup = setup(&channel("ops", ""));
    setup.append("app.log", "2026-01-15 13:30:00 [INFO] all is well\n");
    quiet_run_at(&mut setup, "13:31:00");
    let messages = got(&setup, "ops");
    assert_eq!(kinds(&setup, "ops"), ["resolved"]);
    assert_eq!(messages[0]["notifications"][0]["samples"][0]["message"], "the disk is full");
    let folder = setup.folder.path().display().to_string();
    expect![[r#"
        1 ERROR or FATAL within 1h (threshold 1)
        rule: any (threshold)
        where: app (LOGS/app.log), read on web1
        since: 2026-01-15 11:59:00 +00:00
        lasted: 1h
        more: tripline alerts show 1

        The newest entries:
        2026-01-15 11:59:00 +00:00 ERROR the disk is full
    "#]]
    .assert_eq(&messages[0]["text"].as_str().unwrap().replace(&folder, "LOGS"));
    assert!(
        messages[0]["notifications"][0]["line"].as_str().unwrap().ends_with(": the disk is full")
    );
    // Who was told of the beginning has seen them.
    setup.append("app.log", "2026-01-15 13:32:00 [ERROR] again\n");
    quiet_run_at(&mut setup, "13:32:30");
    setup.append("app.log", "2026-01-15 15:00:00 [INFO] all is well\n");
    quiet_run_at(&mut setup, "15:00:30");
    assert_eq!(kinds(&setup, "ops"), ["resolved", "fired", "resolved"]);
    let last = &got(&setup, "ops")[2];
    assert_eq!(last["notifications"][0]["samples"], serde_json::json!([]));
}

#[test]
fn what_is_closed_by_hand_waits_for_hours_and_digests_too() {
    let mut setup = setup(
        &[
            channel("now", ""),
            channel("digest", "every = '1h'"),
            channel("night", "active = '22:00-23:00'"),
            channel("none", "resolved = false"),
        ]
        .concat(),
    );
    quiet_run_at(&mut setup, "12:00:00");
    setup.now = "2026-01-15T12:10:00Z".to_owned();
    setup.run(["alerts", "resolve", "1"]).expect_silence();
    let mut told_at = |time: &str| {
        quiet_run_at(&mut setup, time);
        ["now", "digest", "night", "none"].map(|name| kinds(&setup, name).join(" "))
    };
    assert_eq!(told_at("12:11:00"), ["fired resolved", "fired", "", "fired"]);
    assert_eq!(told_at("12:59:59"), ["fired resolved", "fired", "", "fired"]);
    assert_eq!(told_at("13:00:00"), ["fired resolved", "fired resolved", "", "fired"]);
    assert_eq!(
        told_at("22:00:00"),
        ["fired resolved", "fired resolved", "fired resolved", "fired"]
    );
}

#[test]
fn entries_of_many_alerts_are_found_as_those_of_one() {
    let mut setup = setup("");
    let kinds = [
        "kind = 'threshold'\ncount = 1\nwithin = '5m'\ngroup_by = ['source', 'message']",
        "kind = 'threshold'\ncount = 2\nwithin = '2m'",
        "kind = 'threshold'\ncount = 3\nwithin = '10m'\ngroup_by = ['$1']\npattern = 'disk (\\d)'",
        "kind = 'new'\nlookback = '1d'",
        "kind = 'distinct'\nvalue = '$1'\npattern = 'disk (\\d)'\ncount = 2\nwithin = '5m'",
        "kind = 'ratio'\npercent = 1\nwithin = '5m'\nat_least = 1",
    ];
    let rule = |(number, kind): (usize, &&str)| format!("[[rule]]\nname = 'r{number}'\n{kind}\n");
    configure(&setup, &kinds.iter().enumerate().map(rule).collect::<String>());
    let line = |number: u32| {
        // With times at which nothing happens.
        let minute = number / 7 + number / 40 * 11;
        format!("2026-01-15 12:{minute:02}:0{} [ERROR] disk {} {number}\n", number % 7, number % 5)
    };
    setup.append("app.log", (0..90).map(line).collect::<String>());
    assert_eq!(run_at(&mut setup, "13:00:00").code, Some(0));

    let shown = |id: &str, statement: &str, each: &str, alerts: &str| {
        let statement =
            statement.replace("$1", "one.source_id").replace("$2", alerts).replace("$3", "5");
        let mut rows = setup.rows(&format!(
            "select concat_ws(' ', {id}, logged_at, level, message, byte_offset) as value
             from {each} one cross join lateral ({statement}) found"
        ));
        rows.sort();
        rows
    };
    let one = shown("one.id", include_str!("../src/notify/samples.sql"), "alerts", "one.id");
    let many = shown(
        "found.alert_id",
        include_str!("../src/notify/samples_of_many.sql"),
        "(select distinct source_id from alerts)",
        "(select array_agg(id) from alerts own where own.source_id = one.source_id)::bigint[]",
    );
    assert_eq!(one, many);
    let rules = setup.value(
        "select count(distinct rule_id)::text as value from alerts
         having count(*) > 100 and count(*) < 200",
    );
    assert_eq!(rules, "7", "and that of the set-up");
    assert!(one.len() > 150, "{} entries", one.len());
}

#[test]
fn each_line_ends_with_an_entry_of_its_own_group() {
    let mut setup = setup("");
    configure(
        &setup,
        "group_by = ['source', '$1']\npattern = 'disk (\\d)'\n[[rule]]\nname = 'new'\nkind = 'new'\nlookback = '1d'\n",
    );
    // At one moment, so that there is more than one entry with which a rule began to hold.
    let kinds = ["is full", "does not answer", "is hot"];
    let line = |(number, kind): (usize, &&str)| {
        format!("2026-01-15 11:59:30 [ERROR] disk {number} {kind}\n")
    };
    setup.write("app.log", kinds.iter().enumerate().map(line).collect::<String>());
    let printed = run_at(&mut setup, "12:00:00").stdout;
    let mut ends: Vec<&str> =
        printed.lines().map(|line| line.rsplit_once(": ").unwrap().1).collect();
    ends.sort_unstable();
    assert_eq!(
        ends,
        [
            "disk 0 is full",
            "disk 0 is full",
            "disk 1 does not answer",
            "disk 1 does not answer",
            "disk 2 is hot",
            "disk 2 is hot"
        ],
        "{printed}"
    );
}

#[test]
fn a_command_does_not_get_the_secrets_of_other_channels() {
    let config = "
[[channel]]
name = 'slack'
type = 'slack'
url_env = 'SLACK_URL'
[[channel]]
name = 'pager'
type = 'pagerduty'
routing_key_env = 'ROUTING_KEY'
[[channel]]
name = 'phone'
type = 'gotify'
url = 'https://gotify.example.com'
token_env = 'GOTIFY_TOKEN'
[[channel]]
name = 'mail'
type = 'email'
from = 'a@example.com'
to = 'b@example.com'
smtp_host = 'mail.example.com'
username = 'ann'
password_env = 'MAIL_PASSWORD'
[heartbeat]
url_env = 'BEAT_URL'
token_env = 'BEAT_TOKEN'
[[route]]
channels = ['curious']
[[channel]]
name = 'curious'
type = 'command'
command = ['LOGS/curious']
";
    let setup = setup(config);
    program(&setup, "curious", "env | tee \"${0}.got\"; exit 1");
    let mut command = setup.command(["run"]);
    let secrets = [
        "SLACK_URL",
        "ROUTING_KEY",
        "GOTIFY_TOKEN",
        "MAIL_PASSWORD",
        "BEAT_URL",
        "BEAT_TOKEN",
        "PGPASSWORD",
        "DATABASE_URL",
    ];
    command.envs(secrets.map(|name| (name, "s3cret"))).env("OTHER", "stays");
    let ran = ran(&mut command);
    assert_eq!(ran.code, Some(1));
    let got = setup.read("curious.got");
    assert!(got.contains("OTHER=stays") && got.contains("TRIPLINE_KIND=fired"), "{got}");
    let said = format!("{got}{ran:?}{:?}", setup.run(["notifications", "show", "1"]));
    for name in secrets {
        assert!(!got.contains(name), "{name} in {got}");
    }
    assert!(!said.contains("s3cret"), "{said}");
}

#[test]
fn a_hostile_message_stays_text() {
    let mut setup = setup(&channel("ops", "text = '{{ notifications[0].samples[0].message }}'"));
    let hostile = "\u{1b}[2J{{ 7 * 7 }}\u{202e}$(touch LOGS/owned) <script>\r";
    setup
        .write("app.log", format!("2026-01-15 11:59:00 [ERROR] {hostile}{}\n", "x".repeat(50_000)));
    quiet_run_at(&mut setup, "12:00:00");
    let message = &got(&setup, "ops")[0];
    let text = message["text"].as_str().unwrap();
    assert!(text.starts_with("{{ 7 * 7 }}\\u{202e}$(touch LOGS/owned) <script>"), "{text}");
    assert!(text.len() < 1_000);
    assert!(!message["title"].as_str().unwrap().contains(char::is_control));
}

#[test]
fn what_waits_for_a_channel_that_is_gone_is_told_of() {
    let mut setup = setup(&channel("ops", ""));
    setup.write("ops.broken", "");
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(1));
    configure(&setup, &channel("mail", ""));
    let ran = run_at(&mut setup, "12:02:00");
    assert_eq!(ran.code, Some(1));
    setup.now = "2026-01-15T12:02:30Z".to_owned();
    let status = setup.run(["status"]);
    assert_eq!(status.code, Some(0));
    assert_eq!(
        setup.rows("select last_error as value from notifications"),
        ["the config has no channel of that name"]
    );
    // Whoever had not been told is told the end by who is there.
    quiet_run_at(&mut setup, "12:02:45");
    run_at(&mut setup, "13:00:00");
    assert_eq!(kinds(&setup, "mail"), ["resolved"]);
}

#[test]
fn two_runs_at_once_tell_everything_once() {
    let mut setup = setup(&channel("ops", ""));
    let line = |number| format!("2026-01-15 11:59:00 [ERROR] user {number} is lost\n");
    setup.write("app.log", (0..30).map(line).collect::<Vec<_>>().concat());
    setup.config(
        &[
            &RULE.replace(
                "within = '1h'",
                "within = '1h'\npattern = 'user (\\d+)'\ngroup_by = ['$1']",
            ),
            channel("ops", "").as_str(),
            "[delivery]\nstorm_cap = 1000\n",
        ]
        .concat(),
    );
    setup.write("ops.broken", "");
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(1));
    fs::remove_file(setup.path("ops.broken")).unwrap();
    setup.now = "2026-01-15T13:30:00Z".to_owned();
    // Each with a lock of its own, as on two hosts of one name.
    let begin = |lock: &str| {
        let text = setup.read("tripline.toml");
        setup.write(
            &format!("{lock}.toml"),
            format!("lock_file = '{}'\n{text}", setup.path(lock).display()),
        );
        let config = setup.path(&format!("{lock}.toml"));
        let mut command = setup.command(["--config", config.to_str().unwrap(), "run"]);
        command.spawn().unwrap()
    };
    for mut run in [begin("a"), begin("b")] {
        run.wait().unwrap();
    }
    let mut alerts: Vec<(u64, String)> = got(&setup, "ops")
        .iter()
        .map(|message| &message["notifications"][0])
        .map(|one| (one["alert_id"].as_u64().unwrap(), one["kind"].to_string()))
        .collect();
    assert_eq!(alerts.len(), 60, "30 begin and end");
    alerts.sort();
    alerts.dedup();
    assert_eq!(alerts.len(), 60, "each once");
}
