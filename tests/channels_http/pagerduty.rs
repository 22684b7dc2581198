//! Incidents of `PagerDuty`: taken on there when they are here, and none of a storm that stays open.

use std::fs;

use expect_test::expect_file;
use serde_json::Value;

use super::bodies::text;
use super::server::{Server, status};
use super::{channel, configure, quiet_run_at, run_at, setup};
use crate::support::program::Setup;

const KEY: &str = "routing_key = 'r0uting'";

/// What was asked for of which incident, in the order in which it came; incidents are numbered.
fn events(server: &Server, known: &mut Vec<String>) -> Vec<String> {
    let mut event = |json: Value| {
        let key = json["dedup_key"].as_str().unwrap().to_owned();
        let number = known.iter().position(|one| *one == key).unwrap_or_else(|| {
            known.push(key.clone());
            known.len() - 1
        });
        let storm = if key.ends_with("-storm") { " (storm)" } else { "" };
        format!("{} {}{storm}", json["event_action"].as_str().unwrap(), number + 1)
    };
    server.take().iter().map(|request| event(request.json())).collect()
}

fn ack_at(setup: &mut Setup, time: &str) {
    setup.now = format!("2026-01-15T{time}Z");
    setup.run(["alerts", "ack", "1", "--by", "maria"]).expect_silence();
}

#[test]
fn who_takes_an_alert_on_takes_the_incident_on() {
    let (server, other) = (Server::new(), Server::new());
    let mut setup = setup(
        &[
            channel("pagerduty", &server.url("/v2/enqueue"), KEY),
            channel("webhook", &other.url("/"), ""),
        ]
        .concat(),
    );
    quiet_run_at(&mut setup, "12:00:00");
    ack_at(&mut setup, "12:00:30");
    quiet_run_at(&mut setup, "12:01:00");
    // Once: PagerDuty cannot be told that nobody is on it any more.
    setup.run(["alerts", "unack", "1"]).expect_silence();
    ack_at(&mut setup, "12:01:30");
    quiet_run_at(&mut setup, "12:02:00");
    quiet_run_at(&mut setup, "13:00:00");
    let requests: String = server.take().iter().map(|request| text(&setup, request)).collect();
    expect_file!["../../fixtures/channels/pagerduty_acknowledged.http"].assert_eq(&requests);
    let kinds: Vec<Value> =
        other.take().iter().map(|one| one.json()["notifications"][0]["kind"].clone()).collect();
    assert_eq!(kinds, ["fired", "resolved"]);
    assert_eq!(
        setup.rows(
            "select concat_ws(' ', kind, channel, why) as value from notifications
             where kind = 'acknowledged'"
        ),
        ["acknowledged pagerduty it was told when the alert fired"]
    );
}

#[test]
fn nobody_takes_on_what_pagerduty_has_not_heard_of() {
    let server = Server::new();
    let mut known = Vec::new();
    let keys = format!("{KEY}\nseverities = ['info']");
    let mut setup = setup("");
    configure(&setup, &channel("pagerduty", &server.url("/"), &keys));
    quiet_run_at(&mut setup, "12:00:00");
    ack_at(&mut setup, "12:00:30");
    quiet_run_at(&mut setup, "12:01:00");
    assert_eq!(events(&server, &mut known), [""; 0]);

    // Where the trigger has not arrived yet, the rest comes after it.
    configure(&setup, &channel("pagerduty", &server.url("/"), KEY));
    server.answers(status(503, ""));
    setup.append("app.log", "2026-01-15 13:30:00 [ERROR] again\n");
    assert_eq!(run_at(&mut setup, "13:31:00").code, Some(1));
    setup.now = "2026-01-15T13:31:10Z".to_owned();
    setup.run(["alerts", "ack", "2"]).expect_silence();
    server.answers(status(202, ""));
    events(&server, &mut known);
    quiet_run_at(&mut setup, "13:40:00");
    // The end of the first alert, of which it has not heard, is nothing to it.
    assert_eq!(events(&server, &mut known), ["resolve 1", "trigger 2", "acknowledge 2"]);
}

#[test]
fn a_fallback_of_another_kind_hears_nothing_of_it() {
    let server = Server::new();
    let keys = format!("{KEY}\nfallback = 'log'\nfallback_after = '1m'");
    let other = "[[channel]]\nname = 'log'\ntype = 'stdout'\n[[route]]\nchannels = ['pagerduty']\n";
    let mut setup = setup(&(channel("pagerduty", &server.url("/"), &keys) + other));
    quiet_run_at(&mut setup, "12:00:00");
    ack_at(&mut setup, "12:00:30");
    server.answers(status(503, ""));
    for time in ["12:01:00", "12:03:00", "12:06:00"] {
        assert_eq!(run_at(&mut setup, time).code, Some(1), "{time}");
    }
    let kinds = "select concat_ws(' ', kind, channel) as value from notifications order by id";
    assert_eq!(setup.rows(kinds), ["fired pagerduty", "acknowledged pagerduty"]);
}

/// A config of which one alert of a rule is told by itself, and a log with four.
fn storm(server: &Server, keys: &str) -> Setup {
    let setup = setup("");
    let keys = format!("{KEY}\n{keys}");
    configure(&setup, &channel("pagerduty", &server.url("/"), &keys));
    let config = fs::read_to_string(setup.path("tripline.toml")).unwrap();
    let grouped = "within = '1h'\ngroup_by = ['source', 'message']";
    setup.write(
        "tripline.toml",
        config.replace("within = '1h'", grouped) + "[delivery]\nstorm_cap = 1\n",
    );
    let line = |number| format!("2026-01-15 11:59:0{number} [ERROR] disk {number} is full\n");
    setup.write("app.log", (1..=4).map(line).collect::<String>());
    setup
}

#[test]
fn a_storm_is_over_when_all_of_its_alerts_are() {
    let server = Server::new();
    let mut known = Vec::new();
    let mut setup = storm(&server, "");
    quiet_run_at(&mut setup, "12:00:00");
    assert_eq!(events(&server, &mut known), ["trigger 1", "trigger 2 (storm)"]);
    // One of them goes on, which is none of those that were told by themselves.
    setup.append("app.log", "2026-01-15 12:30:00 [ERROR] disk 4 is full\n");
    quiet_run_at(&mut setup, "12:31:00");
    quiet_run_at(&mut setup, "13:00:00");
    assert_eq!(events(&server, &mut known), ["resolve 1"]);
    quiet_run_at(&mut setup, "13:29:00");
    assert_eq!(events(&server, &mut known), [""; 0]);
    quiet_run_at(&mut setup, "13:31:00");
    assert_eq!(events(&server, &mut known), ["resolve 2 (storm)"]);
    quiet_run_at(&mut setup, "13:32:00");
    assert_eq!(events(&server, &mut known), [""; 0], "once");
    // The next one is another incident.
    let line = |number| format!("2026-01-15 15:00:0{number} [ERROR] disk {number} is full\n");
    setup.append("app.log", (1..=4).map(line).collect::<String>());
    quiet_run_at(&mut setup, "15:01:00");
    assert_eq!(events(&server, &mut known), ["trigger 3", "trigger 4 (storm)"]);
    quiet_run_at(&mut setup, "16:01:00");
    assert_eq!(events(&server, &mut known), ["resolve 3", "resolve 4 (storm)"]);
}

#[test]
fn a_storm_whose_alerts_are_closed_by_hand_is_over() {
    let server = Server::new();
    let mut known = Vec::new();
    let mut setup = storm(&server, "");
    quiet_run_at(&mut setup, "12:00:00");
    for alert in ["2", "3", "4"] {
        setup.now = "2026-01-15T12:01:00Z".to_owned();
        setup.run(["alerts", "resolve", alert]).expect_silence();
    }
    quiet_run_at(&mut setup, "12:02:00");
    assert_eq!(
        events(&server, &mut known),
        ["trigger 1", "trigger 2 (storm)", "resolve 2 (storm)"]
    );
}

#[test]
fn who_does_not_want_to_hear_of_ends_hears_of_none() {
    let server = Server::new();
    let mut known = Vec::new();
    let mut setup = storm(&server, "resolved = false");
    quiet_run_at(&mut setup, "12:00:00");
    quiet_run_at(&mut setup, "13:30:00");
    assert_eq!(events(&server, &mut known), ["trigger 1", "trigger 2 (storm)"]);
}
