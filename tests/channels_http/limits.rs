//! What a service would refuse as too long is made shorter.

use serde_json::Value;

use super::server::Server;
use super::{channel, quiet_run_at, setup};

/// A text that is as long as it can be, of what takes more room when it is escaped.
const TEXT: &str = "text = '''{% for n in range(400) %}{{ n }} <&> \"``` ü
{{ notifications[0].samples[0].message }}
{% endfor %}'''";

#[test]
fn a_megabyte_of_log_is_cut_to_what_the_service_takes() {
    let server = Server::new();
    let types = [
        ("webhook", ""),
        ("alertmanager", ""),
        ("slack", ""),
        ("teams", ""),
        ("pagerduty", "routing_key = 'r0uting'"),
        ("ntfy", ""),
        ("gotify", "token = 't0ken'"),
    ];
    let config = types.map(|(kind, keys)| {
        let keys = format!("title = '{{{{ \"<\" * 900 }}}}'\n{TEXT}\n{keys}");
        channel(kind, &server.url(&format!("/{kind}")), &keys)
    });
    let mut setup = setup(&config.concat());
    let line = format!("2026-01-15 11:59:00 [ERROR] {}\n", "<&>`\"".repeat(200_000));
    setup.write("app.log", line);
    quiet_run_at(&mut setup, "12:00:00");
    let requests = server.take();
    assert_eq!(requests.len(), types.len());
    let body = |path: &str| {
        let request = requests.iter().find(|request| request.path == path).unwrap();
        (request.json(), request.body.len())
    };
    let chars = |value: &Value| value.as_str().unwrap().chars().count();

    let (slack, _) = body("/slack");
    let header = &slack["blocks"][0]["text"]["text"];
    assert!((147..=150).contains(&chars(header)) && !header.as_str().unwrap().contains("&lt…"));
    let section = slack["blocks"][1]["text"]["text"].as_str().unwrap();
    assert!((2990..=3000).contains(&section.chars().count()), "{}", section.len());
    assert_eq!(section.matches("```").count(), 2, "the block of code ends where it should");
    assert!(section.ends_with("…\n```"));

    let (_, length) = body("/teams");
    assert!((14_000..28_000).contains(&length), "{length}");
    let (pagerduty, length) = body("/pagerduty");
    assert!(chars(&pagerduty["payload"]["summary"]) <= 1024 && length < 100_000, "{length}");
    let (ntfy, _) = body("/");
    let length = ntfy["message"].as_str().unwrap().len();
    assert!((4_000..=4_096).contains(&length), "{length}");
    assert!(ntfy["title"].as_str().unwrap().len() <= 250);
    let (alertmanager, length) = body("/alertmanager/api/v2/alerts");
    assert!(chars(&alertmanager[0]["annotations"]["description"]) <= 20_000);
    assert!(length < 100_000, "{length}");
    let (gotify, _) = body("/gotify/message");
    assert!(chars(&gotify["message"]) <= 20_000);
    let (_, length) = body("/webhook");
    assert!(length < 200_000, "{length}");
}
