//! How urgent a message is, for services that ring more or less loudly.

use crate::notify::content::Message;

/// How urgent a message is; what is over comes first.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Urgency {
    Over,
    Info,
    Warning,
    Critical,
}

/// That of the most urgent notification of a message.
pub(super) fn of(message: &Message) -> Urgency {
    let each = message.notifications.iter().map(|one| match (one.status, &*one.severity) {
        ("resolved", _) => Urgency::Over,
        (_, "critical") => Urgency::Critical,
        (_, "info") => Urgency::Info,
        _ => Urgency::Warning,
    });
    each.max().unwrap_or(Urgency::Info)
}
