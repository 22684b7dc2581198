//! What each service is sent for the beginning and the end of an alert, of which the log says what
//! could do harm if anybody took it for more than text. `UPDATE_EXPECT=1` writes it anew.

use std::fmt::Write;

use expect_test::expect_file;
use serde_json::Value;

use super::server::{Request, Server, status};
use super::{channel, quiet_run_at, setup, shown};
use crate::support::program::Setup;

const HOSTILE: &str = "<!channel> @here [free](http://evil.example.com) ``` *bold* :tada: {{ 7*7 }} \
    <script>alert(1)</script> \u{1b}[31m & &amp; \"quoted\" C:\\new \u{202e}txt.exe";

/// Sends the beginning and the end, and returns the requests as a text.
fn requests(kind: &str, path: &str, keys: &str) -> String {
    let server = Server::new();
    let mut setup = setup(&channel(kind, &server.url(path), keys));
    setup.write("app.log", format!("2026-01-15 11:59:00 [ERROR] {HOSTILE}\n"));
    quiet_run_at(&mut setup, "12:00:00");
    quiet_run_at(&mut setup, "13:00:00");
    let requests = server.take();
    assert_eq!(requests.len(), 2, "{requests:?}");
    requests.iter().map(|request| text(&setup, request)).collect()
}

/// A request as text.
pub(super) fn text(setup: &Setup, request: &Request) -> String {
    let mut text = format!("{} {}\n", request.method, request.path);
    for name in ["authorization", "content-type", "idempotency-key", "x-gotify-key", "x-team"] {
        if let Some(value) = request.header(name) {
            writeln!(text, "{name}: {value}").unwrap();
        }
    }
    assert_eq!(request.header("user-agent"), Some(concat!("tripline/", env!("CARGO_PKG_VERSION"))));
    let body = match serde_json::from_slice::<Value>(&request.body) {
        Ok(json) => serde_json::to_string_pretty(&without_chance(json)).unwrap(),
        Err(_) => String::from_utf8(request.body.clone()).unwrap(),
    };
    writeln!(text, "\n{}\n", shown(setup, &body)).unwrap();
    text
}

/// Without what follows from the name of the folder.
fn without_chance(json: Value) -> Value {
    match json {
        Value::Object(fields) => {
            let fields = fields.into_iter().map(|(name, value)| match (name.as_str(), &value) {
                ("dedup_key", Value::String(key)) => {
                    let parts: Vec<&str> = key.split('-').collect();
                    assert!(parts.len() == 3 && parts[1].len() == 16, "{key}");
                    (name, format!("{}-ORIGIN-{}", parts[0], parts[2]).into())
                }
                ("fingerprint", Value::String(hash)) if hash.len() == 16 => {
                    (name, "FINGERPRINT".into())
                }
                _ => (name, without_chance(value)),
            });
            Value::Object(fields.collect())
        }
        Value::Array(values) => values.into_iter().map(without_chance).collect(),
        other => other,
    }
}

#[test]
fn webhook_json() {
    expect_file!["../../fixtures/channels/webhook_json.http"].assert_eq(&requests(
        "webhook",
        "/hook?a=b",
        "headers = { X-Team = 'ops' }\ntoken = 't0ken'",
    ));
}

#[test]
fn webhook_template() {
    let body = r#"body = '''
{
    "text": "{{ title }}", "ended": {{ ended_at|tojson }}, "measured": {{ measured }},
    "further": {{ further }}, "runbook": "{{ runbook }}",
    "entries": [{% for one in notifications[0].samples %}"{{ one.message }}", {{ one|tojson }}{% endfor %}]
}'''"#;
    expect_file!["../../fixtures/channels/webhook_template.http"]
        .assert_eq(&requests("webhook", "/hook", body));
}

#[test]
fn webhook_text() {
    let keys = "body = '{{ title }} <{{ alert_id }}>'\ncontent_type = 'text/plain; charset=utf-8'";
    expect_file!["../../fixtures/channels/webhook_text.http"]
        .assert_eq(&requests("webhook", "/hook", keys));
}

#[test]
fn webhook_as_of_alertmanager() {
    expect_file!["../../fixtures/channels/webhook_alertmanager.http"].assert_eq(&requests(
        "webhook",
        "/hook",
        "format = 'alertmanager'",
    ));
}

#[test]
fn alertmanager() {
    expect_file!["../../fixtures/channels/alertmanager.http"].assert_eq(&requests(
        "alertmanager",
        "/prefix/",
        "expires_after = '30m'",
    ));
}

#[test]
fn slack() {
    expect_file!["../../fixtures/channels/slack.http"].assert_eq(&requests(
        "slack",
        "/services/T0/B0/x",
        "",
    ));
}

#[test]
fn teams() {
    expect_file!["../../fixtures/channels/teams.http"].assert_eq(&requests(
        "teams",
        "/workflows/x?sig=y",
        "",
    ));
}

#[test]
fn pagerduty() {
    expect_file!["../../fixtures/channels/pagerduty.http"].assert_eq(&requests(
        "pagerduty",
        "/v2/enqueue",
        "routing_key = 'r0uting'",
    ));
}

#[test]
fn ntfy() {
    expect_file!["../../fixtures/channels/ntfy.http"].assert_eq(&requests(
        "ntfy",
        "/my-topic",
        "token = 't0ken'",
    ));
}

#[test]
fn gotify() {
    expect_file!["../../fixtures/channels/gotify.http"].assert_eq(&requests(
        "gotify",
        "/",
        "token = 't0ken'",
    ));
}

#[test]
fn a_template_that_makes_no_json_gives_way_to_the_default() {
    let server = Server::new();
    let keys = "body = '{\"text\": {{ title }}}'";
    let mut setup = setup(&channel("webhook", &server.url("/"), keys));
    let ran = super::run_at(&mut setup, "12:00:00");
    assert_eq!(ran.code, Some(0));
    assert_eq!(
        ran.stderr,
        "tripline: warn: the body of a webhook is no JSON, so the default is sent\n"
    );
    assert_eq!(server.take()[0].json()["notifications"][0]["kind"], "fired");
}

#[test]
fn a_digest_is_one_message() {
    let (chat, alertmanager) = (Server::new(), Server::new());
    let mut setup = setup(
        &[
            channel("slack", &chat.url("/"), "every = '1h'"),
            channel("alertmanager", &alertmanager.url("/"), "every = '1h'"),
        ]
        .concat(),
    );
    quiet_run_at(&mut setup, "12:00:30");
    setup.append("app.log", "2026-01-15 12:30:00 [INFO] all is well\n");
    quiet_run_at(&mut setup, "12:59:30");
    quiet_run_at(&mut setup, "13:00:00");
    let request = chat.take_one();
    assert_eq!(request.header("idempotency-key"), Some("tripline-1-3"));
    let header = &request.json()["blocks"][0]["text"]["text"];
    assert_eq!(header, "2 notifications: 1 firing, 1 resolved");
    let alerts = alertmanager.take_one().json();
    assert_eq!(alerts.as_array().unwrap().len(), 2);
    assert_eq!(alerts[0]["labels"], alerts[1]["labels"]);
}

#[test]
fn a_test_says_what_came_back() {
    let server = Server::new();
    let setup = setup(&channel("slack", &server.url("/services/s3cret"), ""));
    server.answers(status(202, ""));
    let ran = setup.run(["channel", "test", "slack"]);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    assert!(ran.stdout.contains("202 Accepted"), "{ran:?}");
    assert!(server.take_one().json()["text"].as_str().unwrap().contains("test"));
    server.answers(status(404, "no service s3cret"));
    let ran = setup.run(["channel", "test", "slack"]);
    let said = format!("{}{}", ran.stdout, ran.stderr);
    assert!(said.contains("answers 404 Not Found: no service ***"), "{ran:?}");
    assert!(ran.code != Some(0) && !said.contains("s3cret"), "{ran:?}");
}
