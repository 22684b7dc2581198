//! Events of `PagerDuty`, version 2. By the alert the service knows which incident an event is
//! about.
//!
//! Limits: 1024 characters of the summary, 255 of the key, 512 KB in all.
//! <https://developer.pagerduty.com/docs/send-alert-event>

use serde_json::{Map, Value, json};

use super::shorten;
use crate::notify::content::{Message, Notification};
use crate::notify::failure::Failure;

const SUMMARY_CHARS: usize = 1024;
const DETAIL_CHARS: usize = 20_000;

/// # Errors
/// When the message is about nothing: the config allows no digests here.
pub(super) fn body(message: &Message, routing_key: &str) -> Result<Value, Failure> {
    let one = message
        .notifications
        .first()
        .ok_or_else(|| Failure::of_message("there is no alert of which it could be an event"))?;
    Ok(event(one, routing_key, &message.title, &message.text))
}

fn event(one: &Notification, routing_key: &str, title: &str, text: &str) -> Value {
    let mut event = Map::new();
    event.insert("routing_key".to_owned(), json!(routing_key));
    event.insert("dedup_key".to_owned(), json!(dedup_key(one)));
    let follow_up = match (one.status, one.kind.as_str()) {
        ("resolved", _) => Some("resolve"),
        (_, "acknowledged") => Some("acknowledge"),
        _ => None,
    };
    if let Some(action) = follow_up {
        event.insert("event_action".to_owned(), json!(action));
        return event.into();
    }
    event.insert("event_action".to_owned(), json!("trigger"));
    event.insert("client".to_owned(), json!("tripline"));
    event.insert("payload".to_owned(), payload(one, title, text));
    if let Some(url) = one.runbook_url() {
        event.insert("links".to_owned(), json!([{ "href": url, "text": "What to do" }]));
    }
    event.into()
}

/// The same from the beginning of an alert to its end, and of no other alert, not even one of
/// another database.
fn dedup_key(one: &Notification) -> String {
    let storm = if one.is_storm() { "-storm" } else { "" };
    format!("tripline-{}-{}{storm}", one.origin, one.alert_id)
}

fn payload(one: &Notification, title: &str, text: &str) -> Value {
    let title = if title.is_empty() { &one.rule } else { title };
    json!({
        "summary": shorten::chars(title, SUMMARY_CHARS),
        "source": one.about_host.as_ref().unwrap_or(&one.host),
        "severity": one.severity,
        "timestamp": one.started_at,
        "component": one.source,
        "group": one.group,
        "class": one.rule,
        "custom_details": {
            "text": shorten::chars(text, DETAIL_CHARS),
            "alert": one.alert_id,
            "path": one.path,
            "measured": one.measured,
            "threshold": one.threshold,
            "within_seconds": one.within_seconds,
            "show": one.show,
        },
    })
}
