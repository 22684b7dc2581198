//! The mail itself: RFC 5322, with a text for every reader and HTML for most (RFC 2046).
//!
//! Nothing of a log or of a template gets into a header but in the subject, which is one line
//! without control characters by then; beyond ASCII it is encoded (RFC 2047).

use std::time::{Duration, SystemTime};

use lettre::Message as Mail;
use lettre::message::header::{ContentTransferEncoding, ContentType, HeaderName, HeaderValue};
use lettre::message::{Mailbox, MessageBuilder, MultiPart, SinglePart};

use super::html;
use crate::notify::content::{Message, Notification};
use crate::notify::failure::Failure;
use crate::visible;

/// Characters of a header of ours.
const HEADER_CHARS: usize = 200;
/// The last moment that a date of a mail can say.
const LAST_SECOND: u64 = 253_402_300_799;

/// The mail as it is sent, with CR LF; printable ASCII throughout.
pub(super) fn mail(from: &Mailbox, to: &[Mailbox], message: &Message) -> Result<Vec<u8>, Failure> {
    let wrong = |why: &dyn std::fmt::Display| {
        Failure::of_message(&format!("the mail cannot be written: {why}"))
    };
    let domain = from.email.domain();
    let mut mail = Mail::builder().date(date(message)).from(from.clone());
    for one in to {
        mail = mail.to(one.clone());
    }
    mail = mail.subject(unencoded(&message.title)).message_id(Some(id(message, domain)));
    if let [only] = &message.notifications[..] {
        let thread = thread(only, domain);
        mail = mail.in_reply_to(thread.clone()).references(thread);
    }
    mail = headers(mail, message);
    let html = html::page(message).map_err(|error| wrong(&error))?;
    // `=_` cannot stand in what is quoted-printable (RFC 2045, section 6.7).
    let parts = MultiPart::alternative()
        .boundary(format!("=_{}", message.key))
        .singlepart(part(ContentType::TEXT_PLAIN, message.text.clone()))
        .singlepart(part(ContentType::TEXT_HTML, html));
    Ok(mail.multipart(parts).map_err(|error| wrong(&error))?.formatted())
}

fn part(kind: ContentType, text: String) -> SinglePart {
    // Always, so that no line gets too long and none of the text can look like a boundary.
    SinglePart::builder().header(kind).header(ContentTransferEncoding::QuotedPrintable).body(text)
}

/// The headers by which programs tell such mails from others.
fn headers(mail: MessageBuilder, message: &Message) -> MessageBuilder {
    let header = |mail: MessageBuilder, name: &'static str, value: &str| {
        let value = unencoded(&visible::line(value, HEADER_CHARS));
        mail.raw_header(HeaderValue::new(HeaderName::new_from_ascii_str(name), value))
    };
    // RFC 3834: no out-of-office notes in return; the second is how Exchange is told.
    let mut mail = header(mail, "Auto-Submitted", "auto-generated");
    mail = header(mail, "X-Auto-Response-Suppress", "All");
    if message.notifications.iter().any(is_urgent) {
        // RFC 4021 and what most mail programs look at.
        mail = header(mail, "Importance", "high");
        mail = header(mail, "X-Priority", "1");
    }
    mail = header(mail, "X-Tripline-Key", &message.key);
    if let [only] = &message.notifications[..] {
        mail = header(mail, "X-Tripline-Rule", &only.rule);
        mail = header(mail, "X-Tripline-Severity", &only.severity);
        mail = header(mail, "X-Tripline-Status", only.status);
    }
    mail
}

/// The text without what a mail program would take for encoded: it would show something else.
fn unencoded(text: &str) -> String {
    text.replace("=?", "= ?")
}

fn is_urgent(notification: &Notification) -> bool {
    notification.severity == "critical" && notification.status == "firing"
}

/// The same for each attempt, so that a repeat can be told, and another one than those of other
/// databases, of which servers and mail programs would drop the second.
fn id(message: &Message, domain: &str) -> String {
    let origin = message.notifications.first().map_or("", |first| &first.origin);
    format!("<{}.{origin}@{domain}>", message.key)
}

/// What all mails about one alert answer to. No mail has this number: mail programs show those
/// that answer to the same one as one thread all the same, whichever of them they have.
fn thread(notification: &Notification, domain: &str) -> String {
    format!("<tripline-alert-{}.{}@{domain}>", notification.alert_id, notification.origin)
}

fn date(message: &Message) -> SystemTime {
    let seconds = u64::try_from(message.sent_at.timestamp()).unwrap_or_default();
    SystemTime::UNIX_EPOCH + Duration::from_secs(seconds.min(LAST_SECOND))
}
