//! One message to one channel, to see whether it arrives. Nothing of it is recorded.

use std::io::Write;
use std::time::{Duration, Instant};

use chrono::{DateTime, SubsecRound, Utc};

use super::channels;
use super::content::{Message, Notification, Templates};
use super::failure::Failure;
use super::outbox::Sample;
use super::send::send_within;
use crate::config::ChannelConfig;
use crate::model::Tick;
use crate::visible;

/// The rule that the message names; none of the user's rules.
const RULE: &str = "channel-test";
/// Characters of a name that are shown.
const NAME_CHARS: usize = 100;

/// What came back.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Trial {
    /// The message's key, by which it can be found again.
    pub key: String,
    /// Its headline.
    pub title: String,
    /// Why it was not delivered; `None`: it was.
    pub failure: Option<String>,
    /// What the other side said when it took the message.
    pub answer: Option<String>,
    /// Who has not got it, where others have.
    pub remark: Option<String>,
    /// How long it took.
    pub took: Duration,
}

/// Sends a message to a channel that says of itself that it is a test.
pub fn try_channel(
    channel: &ChannelConfig,
    host: &str,
    tick: Tick,
    stdout: &mut dyn Write,
) -> Trial {
    let message = message(channel, host, tick);
    let (key, title) = (message.key.clone(), message.title.clone());
    let begun = Instant::now();
    let (sent, answer) = match channels::open(channel) {
        Some(sender) => {
            let sent = send_within(&sender, message, channel.timeout);
            let answer = sent.as_ref().ok().and_then(|_| sender.answer());
            (sent, answer)
        }
        None => (print(&message, stdout), None),
    };
    let took = begun.elapsed();
    let (failure, remark) = match sent {
        Ok(remark) => (None, remark),
        Err(failure) => (Some(failure.reason), None),
    };
    Trial { key, title, failure, answer, remark, took }
}

fn print(message: &Message, stdout: &mut dyn Write) -> Result<Option<String>, Failure> {
    let lines: String = message.notifications.iter().map(|one| one.line.clone() + "\n").collect();
    stdout.write_all(lines.as_bytes()).and_then(|()| stdout.flush()).map_err(|error| {
        Failure::of_channel(&format!("cannot write to standard output: {error}"))
    })?;
    Ok(None)
}

fn message(channel: &ChannelConfig, host: &str, tick: Tick) -> Message {
    let templates = Templates { title: channel.title.as_deref(), text: channel.text.as_deref() };
    let mut message = Message::new(vec![notification(&channel.name, host, tick)], templates, tick);
    // Another one each time: who has seen it already must not drop the next.
    message.key = format!("tripline-test-{}", tick.0.timestamp_millis());
    message
}

fn notification(channel: &str, host: &str, tick: Tick) -> Notification {
    let now = tick.0.trunc_subsecs(0);
    let place = visible::line(host, NAME_CHARS);
    let channel = visible::line(channel, NAME_CHARS);
    let summary = format!("this is a test of the channel {channel}; nothing is wrong");
    Notification {
        id: 0,
        kind: "test".to_owned(),
        status: "firing",
        alert_id: 0,
        rule: RULE.to_owned(),
        rule_kind: "test".to_owned(),
        severity: "info".to_owned(),
        group: String::new(),
        source: host.to_owned(),
        path: String::new(),
        host: host.to_owned(),
        about_host: Some(host.to_owned()),
        is_across: false,
        started_at: now,
        ended_at: None,
        duration_seconds: None,
        measured: 0.0,
        threshold: 0.0,
        within_seconds: 0,
        line: format!("TEST: info {RULE} on {place}: {summary}"),
        summary,
        runbook: None,
        further: 0,
        samples: vec![sample(now)],
        show: "tripline channel list".to_owned(),
        since: super::message::local(now, "UTC"),
        place,
        is_again: false,
        is_withdrawn: false,
        number: 1,
        origin: "test".to_owned(),
    }
}

fn sample(now: DateTime<Utc>) -> Sample {
    Sample {
        logged_at: now,
        level: "INFO".to_owned(),
        message: "here stand the newest entries that an alert is about".to_owned(),
        path: String::new(),
        byte_offset: 0,
        timezone: "UTC".to_owned(),
    }
}
