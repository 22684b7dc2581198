//! The log formats: one file each, which knows the shape of a record and nothing else.
//!
//! A format is a grammar from one line to a [`Record`]. Which instant the written time
//! means is decided by [`super::local_time`], the same for all formats.

pub(super) mod plain;

use std::fmt;
use std::str::FromStr;

use super::local_time::WrittenTime;
use crate::model::Level;

/// How the lines of a source are written.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Format {
    /// `2026-01-01 00:00:05 [ERROR] message`, with an optional fraction and zone.
    Plain,
}

impl Format {
    /// All formats.
    pub const ALL: [Self; 1] = [Self::Plain];

    /// The name that config and output use; also that of the format's fixture folder.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Record<'a> {
    pub(super) time: WrittenTime,
    pub(super) written_at: &'a [u8],
    pub(super) level: Level,
    pub(super) message: &'a [u8],
}
