//! Alerts as Alertmanager knows them: for itself (its API, version 2), and as it passes them on
//! to webhooks (version 4).
//!
//! An alert is known by its labels, which are the same from its beginning to its end. It is over
//! when `endsAt` has passed; one that fires says how long it is to be believed without being told
//! again.
//!
//! <https://prometheus.io/docs/alerting/latest/configuration/#webhook_config>,
//! <https://prometheus.io/docs/alerting/latest/alerts_api/>

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use serde::Serialize;

use super::shorten;
use crate::notify::content::{Message, Notification};
use crate::visible;

/// Characters of a label.
const LABEL_CHARS: usize = 1000;
/// Characters of an annotation.
const ANNOTATION_CHARS: usize = 20_000;
/// What Go writes for no time.
const NO_TIME: DateTime<Utc> = DateTime::from_timestamp(-62_135_596_800, 0).unwrap();

type Pairs = BTreeMap<&'static str, String>;

/// What the API takes.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct PostableAlert {
    labels: Pairs,
    annotations: Pairs,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
}

/// What a webhook is sent.
#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Webhook<'a> {
    version: &'static str,
    group_key: String,
    truncated_alerts: u32,
    status: &'static str,
    receiver: &'a str,
    group_labels: Pairs,
    common_labels: Pairs,
    common_annotations: Pairs,
    #[serde(rename = "externalURL")]
    external_url: &'static str,
    alerts: Vec<WebhookAlert>,
}

#[derive(Debug, Serialize)]
#[serde(rename_all = "camelCase")]
struct WebhookAlert {
    status: &'static str,
    labels: Pairs,
    annotations: Pairs,
    starts_at: DateTime<Utc>,
    ends_at: DateTime<Utc>,
    #[serde(rename = "generatorURL")]
    generator_url: &'static str,
    fingerprint: String,
}

/// For the API. Whatever fires is to be believed for `expires_after`.
pub(super) fn alerts(message: &Message, expires_after: TimeDelta) -> Vec<PostableAlert> {
    let alert = |one| PostableAlert {
        labels: labels(one),
        annotations: annotations(message, one),
        starts_at: one.started_at,
        // Neither later than now, as it would fire until then, nor before its beginning, which
        // is refused.
        ends_at: ended_at(one, message.sent_at)
            .map_or(message.sent_at + expires_after, |ended_at| ended_at.min(message.sent_at))
            .max(one.started_at),
    };
    message.notifications.iter().map(alert).collect()
}

/// For a webhook. `receiver` is the name of the channel.
pub(super) fn webhook<'a>(message: &Message, receiver: &'a str) -> Webhook<'a> {
    let alerts: Vec<WebhookAlert> = message
        .notifications
        .iter()
        .map(|one| {
            let labels = labels(one);
            WebhookAlert {
                status: one.status,
                fingerprint: fingerprint(&labels),
                labels,
                annotations: annotations(message, one),
                starts_at: one.started_at,
                ends_at: ended_at(one, message.sent_at).unwrap_or(NO_TIME),
                generator_url: "",
            }
        })
        .collect();
    let common_labels = common(alerts.iter().map(|alert| &alert.labels));
    let mut group_labels = common_labels.clone();
    group_labels.retain(|name, _| *name == "alertname");
    let group = group_labels.iter().map(|(name, value)| format!("{name}={value:?}"));
    Webhook {
        version: "4",
        group_key: format!("{{}}:{{{}}}", group.collect::<String>()),
        truncated_alerts: 0,
        status: if alerts.iter().any(|one| one.status == "firing") { "firing" } else { "resolved" },
        receiver,
        group_labels,
        common_labels,
        common_annotations: common(alerts.iter().map(|alert| &alert.annotations)),
        external_url: "",
        alerts,
    }
}

/// When it ended; `None` while it fires. Some that are over have no time of their own.
fn ended_at(one: &Notification, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    (one.status == "resolved").then(|| one.ended_at.unwrap_or(now))
}

fn labels(one: &Notification) -> Pairs {
    let mut labels =
        BTreeMap::from([("alertname", one.rule.as_str()), ("severity", &one.severity)]);
    // What is about several logs is of no single one of them.
    if !one.is_across {
        labels.extend([("source", one.source.as_str()), ("path", &one.path)]);
    }
    if let Some(host) = &one.about_host {
        labels.insert("host", host);
    }
    if !one.group.is_empty() {
        labels.insert("group", &one.group);
    }
    if one.is_storm() {
        labels.insert("kind", "storm");
    }
    // No two of them are to look the same.
    labels.into_iter().map(|(name, value)| (name, visible::line(value, LABEL_CHARS))).collect()
}

fn annotations(message: &Message, one: &Notification) -> Pairs {
    // That of a message about one alert may be of a template.
    let text = match message.notifications.len() {
        1 => message.text.clone(),
        _ => one.text(),
    };
    let mut annotations = BTreeMap::from([
        ("summary", one.what()),
        ("description", shorten::chars(text.trim_end(), ANNOTATION_CHARS)),
        ("alert", one.alert_id.to_string()),
    ]);
    if let Some(url) = one.runbook_url() {
        annotations.insert("runbook_url", url.to_owned());
    }
    annotations
}

/// What all of them have.
fn common<'a>(mut each: impl Iterator<Item = &'a Pairs>) -> Pairs {
    let first = each.next().cloned().unwrap_or_default();
    each.fold(first, |mut common, one| {
        common.retain(|name, value| one.get(name) == Some(value));
        common
    })
}

/// As Alertmanager computes it: FNV-1a (64 bits) over names and values, each ended by the byte
/// 255.
fn fingerprint(labels: &Pairs) -> String {
    let texts = labels.iter().flat_map(|(name, value)| [*name, value.as_str()]);
    let bytes = texts.flat_map(|text| text.bytes().chain([255]));
    let hash = bytes.fold(0xcbf2_9ce4_8422_2325_u64, |hash, byte| {
        (hash ^ u64::from(byte)).wrapping_mul(0x0100_0000_01b3)
    });
    format!("{hash:016x}")
}
