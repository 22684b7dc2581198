//! The last stage of a run: from notifications in the outbox to people.
//!
//! A notification was written in the transaction that changed its alert; here it is delivered,
//! after that transaction, and its row notes it. A crash in between delivers it again: at least
//! once, with its number as the key by which a repeat can be told.
//!
//! One channel so far: standard output, which cron mails.

mod message;
mod outbox;

pub use outbox::{NotifyError, deliver_to_stdout, is_any_due};

/// The name of the channel that writes to standard output.
pub const STDOUT: &str = "stdout";
