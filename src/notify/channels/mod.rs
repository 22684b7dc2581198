//! One file for each way to send a message.

mod command;

use std::sync::Arc;

use super::send::Channel;
use crate::config::{ChannelConfig, Transport};

/// A channel, ready to send; `None` for standard output, which only one can write to.
pub(super) fn open(channel: &ChannelConfig) -> Option<Arc<dyn Channel>> {
    match &channel.transport {
        Transport::Stdout => None,
        Transport::Http(_) => None,
        Transport::Command(words) => Some(Arc::new(command::Command::new(words))),
    }
}
