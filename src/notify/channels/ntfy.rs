//! A topic of ntfy. The message goes to the server as JSON, which unlike headers can hold any
//! text; it is no Markdown unless one asks for that.
//!
//! Limit: 4096 bytes of the message, beyond which it becomes an attachment.
//! <https://docs.ntfy.sh/publish/#publish-as-json>

use serde_json::{Map, Value, json};

use super::shorten;
use super::urgency::{self, Urgency};
use crate::notify::content::Message;
use crate::notify::failure::Failure;

const TITLE_BYTES: usize = 250;
const MESSAGE_BYTES: usize = 4096;

/// The URL of a topic as the URL of the server and the name of the topic.
pub(super) fn topic(url: &str) -> Result<(String, String), Failure> {
    let (address, query) = url.split_once('?').map_or((url, None), |(a, query)| (a, Some(query)));
    let found = address.trim_end_matches('/').rsplit_once('/').filter(|(root, topic)| {
        // What is before is no longer than https:/ where there is only a host.
        !topic.is_empty() && !root.ends_with('/')
    });
    let (root, topic) = found.ok_or_else(|| {
        Failure::of_channel("the URL names no topic, such as https://ntfy.example.com/my-topic")
    })?;
    let query = query.map(|query| format!("?{query}")).unwrap_or_default();
    Ok((format!("{root}/{query}"), topic.to_owned()))
}

pub(super) fn body(message: &Message, topic: &str) -> Value {
    let (priority, tag) = match urgency::of(message) {
        Urgency::Critical => (5, "rotating_light"),
        Urgency::Warning => (4, "warning"),
        Urgency::Info => (3, "information_source"),
        Urgency::Over => (3, "white_check_mark"),
    };
    let mut body = Map::new();
    body.insert("topic".to_owned(), json!(topic));
    body.insert("title".to_owned(), json!(shorten::bytes(&message.title, TITLE_BYTES)));
    body.insert(
        "message".to_owned(),
        json!(shorten::bytes(message.text.trim_end(), MESSAGE_BYTES)),
    );
    body.insert("priority".to_owned(), json!(priority));
    body.insert("tags".to_owned(), json!([tag]));
    if let [only] = &message.notifications[..]
        && let Some(url) = only.runbook_url()
    {
        body.insert("click".to_owned(), json!(url));
    }
    body.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_topic_is_the_last_part_of_its_url() {
        let of = |url| topic(url).map_err(|failure| failure.reason);
        let pair = |root: &str, topic: &str| Ok((root.to_owned(), topic.to_owned()));
        assert_eq!(of("https://ntfy.sh/ops"), pair("https://ntfy.sh/", "ops"));
        assert_eq!(of("http://h:80/sub/ops/"), pair("http://h:80/sub/", "ops"));
        assert_eq!(of("http://h/ops?auth=x"), pair("http://h/?auth=x", "ops"));
        for wrong in ["https://ntfy.sh", "https://ntfy.sh/", "https://ntfy.sh?x=/ops"] {
            assert!(of(wrong).unwrap_err().starts_with("the URL names no topic"), "{wrong}");
        }
    }
}
