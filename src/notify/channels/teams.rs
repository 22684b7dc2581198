//! A workflow of Microsoft Teams that takes adaptive cards.
//!
//! The text stands in runs of text, which know no Markdown, one block for each line.
//!
//! Limit: 28 KB for the message.
//! <https://learn.microsoft.com/en-us/microsoftteams/platform/webhooks-and-connectors/how-to/connectors-using>,
//! <https://adaptivecards.io/explorer/TextRun.html>

use serde_json::{Value, json};

use super::shorten;
use super::urgency::{self, Urgency};
use crate::notify::content::Message;

/// Of the whole message, with some room for what Teams adds.
const MESSAGE_BYTES: usize = 24 * 1024;

pub(super) fn body(message: &Message) -> Value {
    // A line costs more than its text: fewer characters until it fits.
    let mut most = MESSAGE_BYTES;
    loop {
        let card = card(message, most);
        if most < 100 || card.to_string().len() <= MESSAGE_BYTES {
            return card;
        }
        most = most * 3 / 4;
    }
}

fn card(message: &Message, most: usize) -> Value {
    let color = match urgency::of(message) {
        Urgency::Critical => "attention",
        Urgency::Warning => "warning",
        Urgency::Info => "accent",
        Urgency::Over => "good",
    };
    let title = json!({
        "type": "RichTextBlock",
        "inlines": [{
            "type": "TextRun", "text": message.title, "weight": "bolder", "size": "medium",
            "color": color,
        }],
    });
    let text = shorten::chars(&message.text, most);
    let lines = text.lines().filter(|line| !line.is_empty()).map(|line| {
        json!({
            "type": "RichTextBlock",
            "spacing": "none",
            "inlines": [{ "type": "TextRun", "text": line, "fontType": "monospace" }],
        })
    });
    let body: Vec<Value> = [title].into_iter().chain(lines).collect();
    json!({
        "type": "message",
        "attachments": [{
            "contentType": "application/vnd.microsoft.card.adaptive",
            "contentUrl": null,
            "content": {
                "$schema": "http://adaptivecards.io/schemas/adaptive-card.json",
                "type": "AdaptiveCard",
                "version": "1.4",
                "fallbackText": message.title,
                "msteams": { "width": "full" },
                "body": body,
            },
        }],
    })
}
