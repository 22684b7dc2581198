//! An incoming webhook of Slack: blocks, and a text for those who understand only that
//! (notifications, Mattermost, Rocket.Chat).
//!
//! Everything stands in code, where nothing is a link, a mention or a format; `&`, `<` and `>`
//! are written as Slack wants it, since `<!channel>` wakes up everybody.
//!
//! Limits: 150 characters of a header, 3000 of a section.
//! <https://docs.slack.dev/reference/block-kit/blocks/header-block/>,
//! <https://docs.slack.dev/messaging/formatting-message-text/#escaping>

use serde_json::{Value, json};

use super::shorten;
use crate::notify::content::Message;

const HEADER_CHARS: usize = 150;
const SECTION_CHARS: usize = 3000;

pub(super) fn body(message: &Message) -> Value {
    let title = match message.title.as_str() {
        "" => "tripline",
        title => title,
    };
    let code = code(&message.text);
    let header = shorten::escaped(title, HEADER_CHARS, escape);
    let headline = shorten::escaped(&title.replace('`', "'"), SECTION_CHARS, escape);
    json!({
        "text": format!("`{headline}`\n{code}"),
        "blocks": [
            {
                "type": "header",
                "text": { "type": "plain_text", "text": header, "emoji": false },
            },
            {
                "type": "section",
                "text": { "type": "mrkdwn", "text": code, "verbatim": true },
            },
        ],
        "unfurl_links": false,
        "unfurl_media": false,
    })
}

/// The text as a block of code, which nothing in it can end.
fn code(text: &str) -> String {
    const FENCE: &str = "```";
    let text = text.trim_end().replace(FENCE, "'''");
    let room = SECTION_CHARS - 2 * (FENCE.len() + 1);
    format!("{FENCE}\n{}\n{FENCE}", shorten::escaped(&text, room, escape))
}

fn escape(character: char) -> String {
    match character {
        '&' => "&amp;".to_owned(),
        '<' => "&lt;".to_owned(),
        '>' => "&gt;".to_owned(),
        other => other.to_string(),
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn message(title: &str, text: &str) -> Message {
        Message {
            key: String::new(),
            title: title.to_owned(),
            text: text.to_owned(),
            notifications: Vec::new(),
            sent_at: chrono::DateTime::UNIX_EPOCH,
            is_own_title: false,
            is_own_text: false,
        }
    }

    proptest! {
        #[test]
        fn no_text_gets_out_of_its_block(
            title in "[`<>&a@! ]{0,200}",
            text in "[`<>&a@! \n]{0,4000}",
        ) {
            let body = body(&message(&title, &text));
            let code = body["blocks"][1]["text"]["text"].as_str().unwrap();
            prop_assert!(code.chars().count() <= SECTION_CHARS);
            let inner = code.strip_prefix("```\n").unwrap().strip_suffix("\n```").unwrap();
            prop_assert!(!inner.contains("```") && !inner.contains(['<', '>']));
            let header = body["blocks"][0]["text"]["text"].as_str().unwrap();
            prop_assert!((1..=HEADER_CHARS).contains(&header.chars().count()));
            let text = body["text"].as_str().unwrap();
            let headline = text.split('\n').next().unwrap();
            prop_assert_eq!(headline.matches('`').count(), 2);
            // Every & begins one of the three.
            for text in [header, code, headline] {
                let ends = text.split('&').skip(1);
                for end in ends {
                    prop_assert!(["amp;", "lt;", "gt;"].iter().any(|name| end.starts_with(name)));
                }
            }
        }
    }
}
