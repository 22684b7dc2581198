//! One file for each way to send a message.

mod alertmanager;
mod command;
mod gotify;
mod ntfy;
mod pagerduty;
mod shorten;
mod slack;
mod teams;
mod urgency;
mod web;
mod webhook;
mod email;
mod syslog;

use std::sync::Arc;

use super::send::Channel;
use crate::config::{ChannelConfig, Transport};

/// A channel, ready to send; `None` for standard output, which only one can write to.
pub(super) fn open(channel: &ChannelConfig) -> Option<Arc<dyn Channel>> {
    match &channel.transport {
        Transport::Stdout => None,
        Transport::Command(words) => {
            Some(Arc::new(command::Command::new(words, &channel.withheld)))
        }
        Transport::Http(http) => Some(Arc::new(web::Web::new(&channel.name, http))),
        Transport::Email(config) => Some(Arc::new(email::Email::new(config, &channel.withheld))),
        Transport::Syslog(config) => Some(Arc::new(syslog::Syslog::new(config))),
    }
}
