//! `[heartbeat]`: who is told after each run that there was one.

use std::time::Duration;

use super::endpoint::{self, Endpoint};
use super::section::Section;
use super::{channels, value};

/// `[heartbeat]`
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HeartbeatConfig {
    /// Where it goes.
    pub endpoint: Endpoint,
    /// How.
    pub method: HeartbeatMethod,
    /// How long it may take in all.
    pub timeout: Duration,
}

/// How a sign of life is sent.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HeartbeatMethod {
    /// As a POST, with the exit code as text.
    Post,
    /// As a GET, for who knows nothing else.
    Get,
}

impl HeartbeatMethod {
    const ALL: [Self; 2] = [Self::Post, Self::Get];

    const fn as_str(self) -> &'static str {
        match self {
            Self::Post => "post",
            Self::Get => "get",
        }
    }
}

/// `None` if anything about it is wrong, which has been reported then.
pub(super) fn heartbeat(mut section: Section<'_, '_>) -> Option<HeartbeatConfig> {
    let endpoint = endpoint::of_heartbeat(&mut section);
    let method = section.string("method", |text| {
        value::choice(text, &HeartbeatMethod::ALL, HeartbeatMethod::as_str, &[])
    });
    let timeout = section.string("timeout", channels::timeout);
    Some(HeartbeatConfig {
        endpoint: endpoint?,
        method: method.unwrap_or(HeartbeatMethod::Post),
        timeout: timeout.unwrap_or(Duration::from_secs(10)),
    })
}
