//! The last stage of a run: from notifications in the outbox to people.
//!
//! A notification was written in the transaction that changed its alert; here it is delivered,
//! after that transaction, and its row notes it. A crash in between delivers it again: at least
//! once, with its number as the key by which a repeat can be told.
//!
//! `deliver` goes over the channels, `outbox` and `state` keep how it went, `content` and
//! `message` say it in words, `samples` finds the entries that a message shows, `refresh` tells
//! some channels in each run what fires, `http` is for those on the web, `channels` has one file
//! for each way to send.

mod backoff;
mod channels;
mod child;
mod content;
mod deliver;
mod failure;
mod fallback;
mod heartbeat;
mod http;
mod message;
mod outbox;
mod redact;
mod refresh;
mod render;
mod samples;
mod send;
pub mod state;
pub mod templates;
mod tls;
mod trial;

pub use deliver::{ChannelFailure, Connect, Delivery, deliver};
pub use heartbeat::beat;
pub use outbox::{is_any_due, pretend};
pub use render::{Rendered, render};
pub use trial::{Trial, try_channel};
