//! Why a message was not delivered.

use chrono::TimeDelta;

use crate::visible;

/// Characters of a reason that are kept.
const REASON_CHARS: usize = 400;

/// Why an attempt failed. It is tried again later.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Failure {
    /// For people; one line without secrets.
    pub(super) reason: String,
    /// How long the other side asks to be left alone.
    pub(super) retry_after: Option<TimeDelta>,
    /// Whether it may be about this one message, so that the next one may do better.
    pub(super) is_about_message: bool,
}

impl Failure {
    /// The channel does not work; what the other side said is made fit to be shown.
    pub(super) fn of_channel(reason: &str) -> Self {
        let reason = visible::line(reason, REASON_CHARS);
        Self { reason, retry_after: None, is_about_message: false }
    }

    /// The channel refused this message.
    pub(super) fn of_message(reason: &str) -> Self {
        Self { is_about_message: true, ..Self::of_channel(reason) }
    }
}
