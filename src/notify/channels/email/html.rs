//! The page of a mail: small, readable on a phone, in the light and in the dark.
//!
//! The template `mail.html` stands beside this file. minijinja escapes all that it is given.

use minijinja::Environment;
use minijinja::value::Serde;
use serde::Serialize;

use crate::notify::content::{Message, Notification};
use crate::notify::outbox::Sample;
use crate::visible;

const TEMPLATE: &str = include_str!("mail.html");
/// Alerts of a digest that are told in full; of the others the page has a line. Mail programs
/// cut what is longer than about 100 KB.
const IN_FULL: usize = 20;
/// Characters of a line of an entry.
const LINE_CHARS: usize = 300;

#[derive(Serialize)]
struct Page<'a> {
    title: &'a str,
    /// Whether the page shows the headline: the cards say all of the usual ones.
    has_headline: bool,
    /// What a template of the user's has made, instead of the alerts.
    own_text: Option<&'a str>,
    alerts: Vec<Alert>,
    /// Those that are told in a line each.
    further: Vec<Alert>,
    key: &'a str,
    host: String,
}

#[derive(Serialize)]
struct Alert {
    title: String,
    /// `FIRED again, critical`
    head: String,
    what: String,
    /// The colour.
    tone: &'static str,
    facts: Vec<Fact>,
    entries: Vec<Entry>,
}

#[derive(Serialize)]
struct Fact {
    label: &'static str,
    text: String,
    /// Whether it is a command.
    is_code: bool,
    /// Where it leads.
    link: Option<String>,
}

#[derive(Serialize)]
struct Entry {
    at: String,
    level: String,
    message: String,
}

pub(super) fn page(message: &Message) -> Result<String, minijinja::Error> {
    let (first, rest) = message.notifications.split_at(message.notifications.len().min(IN_FULL));
    let host = message.notifications.first().map(|one| visible::line(&one.host, LINE_CHARS));
    let page = Page {
        title: &message.title,
        has_headline: message.is_own_title || message.notifications.len() > 1,
        own_text: message.is_own_text.then_some(&*message.text),
        alerts: first.iter().map(alert).collect(),
        further: rest.iter().map(alert).collect(),
        key: &message.key,
        host: host.unwrap_or_default(),
    };
    let mut environment = Environment::new();
    // The ending of the name is what turns escaping on.
    environment.add_template("mail.html", TEMPLATE)?;
    environment.get_template("mail.html")?.render(Serde(page))
}

fn alert(notification: &Notification) -> Alert {
    Alert {
        title: notification.title(),
        head: head(notification),
        what: notification.what(),
        tone: tone(notification),
        facts: notification.facts().into_iter().map(|one| fact(one, notification)).collect(),
        entries: notification.samples.iter().map(entry).collect(),
    }
}

fn head(notification: &Notification) -> String {
    let again = if notification.is_again { " again" } else { "" };
    let lasted = notification.duration().filter(|_| !notification.is_withdrawn);
    let lasted = lasted.map(|lasted| format!(" after {lasted}")).unwrap_or_default();
    format!("{}{again}{lasted}, {}", notification.kind.to_uppercase(), notification.severity)
}

fn tone(notification: &Notification) -> &'static str {
    match (notification.status, notification.severity.as_str()) {
        ("resolved", _) => "good",
        (_, "critical") => "bad",
        (_, "warning") => "fair",
        _ => "plain",
    }
}

fn fact((label, text): (&'static str, String), notification: &Notification) -> Fact {
    let link = notification.runbook_url().filter(|url| *url == text).map(str::to_owned);
    Fact { label, text, is_code: label == "more", link }
}

fn entry(sample: &Sample) -> Entry {
    let message = visible::line(&sample.first_line(), LINE_CHARS);
    Entry { at: sample.at(), level: sample.level.clone(), message }
}
