//! A program on the web. What it is sent is in the file of its service.

use std::sync::Mutex;
use std::time::Duration;

use super::{alertmanager, gotify, ntfy, pagerduty, slack, teams, webhook};
use crate::config::{HttpConfig, Service};
use crate::notify::content::Message;
use crate::notify::failure::Failure;
use crate::notify::http::{self, Client, Post, TokenAs};
use crate::notify::send::Channel;

pub(super) const JSON: &str = "application/json";

/// A service with where it is.
pub(super) struct Web {
    /// The name of the channel.
    name: String,
    service: Service,
    client: Client,
    /// The last answer.
    answer: Mutex<Option<String>>,
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
        Self { name: name.to_owned(), service: service.clone(), client, answer: Mutex::default() }
    }

    /// Where it goes, and what. `routing_key` is only looked at for who has one.
    fn request(
        &self,
        message: &Message,
        url: &str,
        routing_key: &str,
    ) -> Result<(String, Body), Failure> {
        let body = match &self.service {
            Service::Webhook { body: None, .. } => Body::json(message)?,
            Service::Webhook { body: Some(template), content_type } => {
                webhook::body(message, template, content_type)?
            }
            Service::AlertmanagerWebhook => {
                Body::json(&alertmanager::webhook(message, &self.name))?
            }
            Service::Alertmanager { expires_after } => {
                let alerts = alertmanager::alerts(message, *expires_after);
                return Ok((http::join(url, "/api/v2/alerts"), Body::json(&alerts)?));
            }
            Service::Slack => Body::json(&slack::body(message))?,
            Service::Teams => Body::json(&teams::body(message))?,
            Service::Pagerduty { .. } => Body::json(&pagerduty::body(message, routing_key)?)?,
            Service::Ntfy => {
                let (root, topic) = ntfy::topic(url)?;
                return Ok((root, Body::json(&ntfy::body(message, &topic))?));
            }
            Service::Gotify => {
                return Ok((http::join(url, "/message"), Body::json(&gotify::body(message))?));
            }
        };
        Ok((url.to_owned(), body))
    }
}

impl Channel for Web {
    fn preview(&self, message: &Message) -> Option<String> {
        let (_, body) = self.request(message, "https://example.com/topic", "ROUTING-KEY").ok()?;
        let json: Option<serde_json::Value> = serde_json::from_slice(&body.bytes).ok();
        let text = json.and_then(|json| serde_json::to_string_pretty(&json).ok());
        text.or_else(|| String::from_utf8(body.bytes).ok())
    }

    fn send(&self, message: &Message, patience: Duration) -> Result<Option<String>, Failure> {
        let mut attempt = self.client.attempt(patience)?;
        let routing_key = match &self.service {
            Service::Pagerduty { routing_key } => attempt.read(routing_key)?,
            _ => String::new(),
        };
        let (url, body) = self.request(message, &attempt.url, &routing_key)?;
        let Body { content_type, bytes } = &body;
        let status =
            attempt.post(&Post { url: &url, key: &message.key, content_type, body: bytes })?;
        if let Ok(mut answer) = self.answer.lock() {
            *answer = Some(status);
        }
        Ok(None)
    }

    fn answer(&self) -> Option<String> {
        self.answer.lock().ok()?.clone()
    }
}

impl Body {
    pub(super) fn json(value: &impl serde::Serialize) -> Result<Self, Failure> {
        let bytes = serde_json::to_vec(value)
            .map_err(|error| Failure::of_message(&format!("cannot be written as JSON: {error}")))?;
        Ok(Self { content_type: JSON.to_owned(), bytes })
    }
}
