//! A message to an application of Gotify, as plain text.
//!
//! <https://gotify.net/docs/pushmsg>, <https://gotify.net/docs/msgextras>

use serde_json::{Value, json};

use super::shorten;
use super::urgency::{self, Urgency};
use crate::notify::content::Message;

/// Gotify has no limit; a telephone has.
const MESSAGE_CHARS: usize = 20_000;

pub(super) fn body(message: &Message) -> Value {
    let priority = match urgency::of(message) {
        Urgency::Critical => 8,
        Urgency::Warning => 5,
        Urgency::Info | Urgency::Over => 2,
    };
    json!({
        "title": message.title,
        // An empty one is refused.
        "message": match message.text.trim_end() {
            "" => message.title.clone(),
            text => shorten::chars(text, MESSAGE_CHARS),
        },
        "priority": priority,
        "extras": { "client::display": { "contentType": "text/plain" } },
    })
}
