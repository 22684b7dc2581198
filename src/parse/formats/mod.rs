//! The log formats: one file each, which knows the shape of a record and nothing else.
//!
//! A format is a grammar from one line to a [`Record`]. Which instant the written time
//! means is decided by [`super::local_time`], the same for all formats; what a line says
//! besides time, level and message goes into [`Fields`], for the few entries that are stored.

mod elements;
mod go;
mod log4j;
pub(super) mod plain;
mod python;
mod rust;
mod syslog;
mod text;

use std::fmt;
use std::str::FromStr;

use super::fields::Fields;
use super::local_time::WrittenTime;
use crate::model::Level;

/// How the lines of a source are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `2026-01-01 00:00:05 [ERROR] message`, with an optional fraction and zone.
    Plain,
    /// The syslog of BSD, RFC 3164.
    Syslog,
    /// Rust's `env_logger` and `tracing`.
    Rust,
    /// log4j, Logback, Spring Boot, Python's logging with a time.
    Log4j,
    /// Python's logging as it is set up by default.
    Python,
    /// Go's standard logger.
    Go,
    /// Any other line with a time near its start.
    Text,
}

impl Format {
    /// All formats, in the order in which they are tried: a line that two of them read is
    /// better read by the first.
    pub const ALL: [Self; 7] =
        [Self::Plain, Self::Syslog, Self::Rust, Self::Log4j, Self::Python, Self::Go, Self::Text];

    /// The name that config and output use; also that of the format's fixture folder.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Syslog => "syslog",
            Self::Rust => "rust",
            Self::Log4j => "log4j",
            Self::Python => "python",
            Self::Go => "go",
            Self::Text => "text",
        }
    }
}

impl fmt::Display for Format {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name that is no format of tripline's.
#[derive(Debug, thiserror::Error)]
#[error("not a log format: {0}")]
pub struct UnknownFormat(String);

impl FromStr for Format {
    type Err = UnknownFormat;

    fn from_str(name: &str) -> Result<Self, UnknownFormat> {
        Self::ALL
            .into_iter()
            .find(|format| format.as_str() == name)
            .ok_or_else(|| UnknownFormat(name.to_owned()))
    }
}

/// A line that starts an entry, as its grammar reads it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    /// `None` if the line shows none that can be read.
    pub(super) time: Option<WrittenTime>,
    /// The time as it stands there, with its zone; empty if there is none.
    pub(super) written_at: &'a [u8],
    /// `None` if the line names none.
    pub(super) level: Option<Level>,
    pub(super) message: Text<'a>,
}

/// Where a text is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Text<'a> {
    /// It stands in the line as it is.
    Line(&'a [u8]),
    /// It was escaped in the line, and is in [`Scratch::text`] now.
    Unescaped,
}

/// What reading a line needs room for.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    pub(super) last_minute: plain::LastMinute,
    /// A message that was escaped in its line.
    pub(super) text: Vec<u8>,
}

impl Format {
    /// Reads a line; `None` if it starts no entry of this format.
    #[inline]
    pub(super) fn record<'a>(self, line: &'a [u8], scratch: &mut Scratch) -> Option<Record<'a>> {
        match self {
            Self::Plain => plain::record(line, &mut scratch.last_minute),
            Self::Syslog => syslog::record(line),
            Self::Rust => rust::record(line),
            Self::Log4j => log4j::record(line),
            Self::Python => python::record(line),
            Self::Go => go::record(line),
            Self::Text => text::record(line),
        }
    }

    /// What a line that starts an entry says besides time, level and message.
    pub(super) fn fields(self, line: &[u8], fields: &mut Fields) {
        match self {
            Self::Plain | Self::Text => {}
            Self::Syslog => syslog::fields(line, fields),
            Self::Rust => rust::fields(line, fields),
            Self::Log4j => log4j::fields(line, fields),
            Self::Python => python::fields(line, fields),
            Self::Go => go::fields(line, fields),
        }
    }
}
