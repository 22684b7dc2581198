//! A program on the web. What it is sent is in the file of its service.

use std::time::Duration;

use super::{alertmanager, gotify, ntfy, pagerduty, slack, teams, webhook};
use crate::config::{HttpConfig, Service};
use crate::notify::content::Message;
use crate::notify::failure::Failure;
use crate::notify::http::{self, Attempt, Client, Post, TokenAs};
use crate::notify::send::Channel;

pub(super) const JSON: &str = "application/json";

/// A service with where it is.
pub(super) struct Web {
    /// The name of the channel.
    name: String,
    service: Service,
    client: Client,
}

/// What one request says.
pub(super) struct Body {
    pub(super) content_type: String,
    pub(super) bytes: Vec<u8>,
}

impl Web {
    pub(super) fn new(name: &str, config: &HttpConfig) -> Self {
        let HttpConfig { service, endpoint } = config;
        let token_as = match service {
            Service::Gotify => TokenAs::Header("x-gotify-key"),
            _ => TokenAs::Bearer,
        };
        let client = Client::new(endpoint, token_as);
        Self { name: name.to_owned(), service: service.clone(), client }
    }

    /// Where it goes, and what.
    fn request(&self, message: &Message, url: &str) -> Result<(String, Body), Failure> {
        let to = |path| http::join(url, path);
        let json = |value: serde_json::Value| Body::json(&value);
        Ok(match &self.service {
            Service::Webhook { body: None, .. } => (url.to_owned(), Body::json(message)?),
            Service::Webhook { body: Some(template), content_type } => {
                (url.to_owned(), webhook::body(message, template, content_type)?)
            }
            Service::AlertmanagerWebhook => {
                (url.to_owned(), Body::json(&alertmanager::webhook(message, &self.name))?)
            }
            Service::Alertmanager { expires_after } => {
                (to("/api/v2/alerts"), Body::json(&alertmanager::alerts(message, *expires_after))?)
            }
            Service::Slack => (url.to_owned(), json(slack::body(message))?),
            Service::Teams => (url.to_owned(), json(teams::body(message))?),
            Service::Gotify => (to("/message"), json(gotify::body(message))?),
            Service::Ntfy => {
                let (root, topic) = ntfy::topic(url)?;
                (root, json(ntfy::body(message, &topic))?)
            }
            Service::Pagerduty { .. } => {
                return Err(Failure::of_channel("it is sent event by event"));
            }
        })
    }
}

impl Channel for Web {
    fn preview(&self, message: &Message) -> Option<String> {
        if let Service::Pagerduty { .. } = &self.service {
            let events = pagerduty::events(message, "ROUTING-KEY");
            let events: Vec<String> = events
                .iter()
                .filter_map(|event| serde_json::to_string_pretty(&event.json).ok())
                .collect();
            return Some(events.join("\n"));
        }
        let (_, body) = self.request(message, "https://example.com/topic").ok()?;
        let json: Option<serde_json::Value> = serde_json::from_slice(&body.bytes).ok();
        let text = json.and_then(|json| serde_json::to_string_pretty(&json).ok());
        text.or_else(|| String::from_utf8(body.bytes).ok())
    }

    fn send(&self, message: &Message, patience: Duration) -> Result<Option<String>, Failure> {
        let mut attempt = self.client.attempt(patience)?;
        if let Service::Pagerduty { routing_key } = &self.service {
            let routing_key = attempt.read(routing_key)?;
            send_events(message, &attempt, &routing_key)?;
            return Ok(None);
        }
        let (url, body) = self.request(message, &attempt.url)?;
        attempt.post(&post(&url, &message.key, &body))?;
        Ok(None)
    }
}

impl Body {
    pub(super) fn json(value: &impl serde::Serialize) -> Result<Self, Failure> {
        let bytes = serde_json::to_vec(value)
            .map_err(|error| Failure::of_message(&format!("cannot be written as JSON: {error}")))?;
        Ok(Self { content_type: JSON.to_owned(), bytes })
    }
}

/// One event for each notification: one that is sent again changes nothing, so that it does not
/// matter if only some of them arrive.
fn send_events(message: &Message, attempt: &Attempt<'_>, routing_key: &str) -> Result<(), Failure> {
    for event in pagerduty::events(message, routing_key) {
        let body = Body::json(&event.json)?;
        attempt.post(&post(&attempt.url, &event.key, &body))?;
    }
    Ok(())
}

fn post<'a>(url: &'a str, key: &'a str, body: &'a Body) -> Post<'a> {
    Post { url, key, content_type: &body.content_type, body: &body.bytes }
}
