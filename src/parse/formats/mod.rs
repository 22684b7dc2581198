//! The log formats: one file each, which knows the shape of a record and nothing else.
//!
//! A format is a grammar from one line to a [`Record`]. Which instant the written time
//! means is decided by [`super::local_time`], the same for all formats; what a line says
//! besides time, level and message goes into [`Fields`], for the few entries that are stored.

mod access;
mod apache_error;
mod cri;
mod docker;
mod elements;
mod glog;
mod go;
mod haproxy;
mod inner;
mod java;
mod json;
mod keys;
mod logfmt;
mod log4j;
mod members;
mod mysql;
mod nginx_error;
mod otlp;
pub(super) mod plain;
pub(super) mod postgresql;
mod postgresql_csv;
mod python;
mod redis;
mod rfc5424;
mod rust;
mod syslog;
mod text;
mod web;
mod windows;
mod windows_text;

use super::fields::Fields;
use super::local_time::WrittenTime;
use crate::model::{Format, Joins, Level, LevelWords, Trace};

/// A line that starts an entry, as its grammar reads it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
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
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Text<'a> {
    /// It stands in the line as it is.
    Line(&'a [u8]),
    /// It was escaped in the line, and is in [`Scratch::text`] now.
    Unescaped,
}

/// The level that a text begins with, where it is of no format: `ERROR: ...`, `[error] ...`,
/// `ERROR ...`.
pub(super) fn first_level(text: &[u8], words: &LevelWords) -> Option<Level> {
    elements::leading_level(text, words).or_else(|| match elements::capital_level(text, words) {
        Ok((rest, level)) => rest.first().is_none_or(u8::is_ascii_whitespace).then_some(level),
        Err(_) => None,
    })
}

/// What reading a line needs room for.
#[derive(Clone, Debug, Default)]
pub(super) struct Scratch {
    pub(super) last_minute: plain::LastMinute,
    /// A message that was escaped in its line.
    pub(super) text: Vec<u8>,
    /// What the line that was read last has begun, where its format knows.
    pub(super) begun: Option<Trace>,
}

/// A line of a container's output, or as much of it as its runtime wrote at once.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Piece<'a> {
    /// When the runtime got it.
    pub(super) time: Option<WrittenTime>,
    pub(super) written_at: &'a [u8],
    pub(super) stream: Stream,
    pub(super) text: Text<'a>,
    /// Whether the rest of the line follows.
    pub(super) is_split: bool,
}

/// Where a program in a container wrote to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Stream {
    Stdout,
    Stderr,
}

impl Stream {
    fn named(name: &[u8]) -> Option<Self> {
        [Self::Stdout, Self::Stderr].into_iter().find(|stream| stream.as_str().as_bytes() == name)
    }

    fn as_str(self) -> &'static str {
        match self {
            Self::Stdout => "stdout",
            Self::Stderr => "stderr",
        }
    }
}

impl Format {
    /// Reads a line; `None` if it starts no entry of this format.
    #[inline]
    pub(super) fn record<'a>(
        self,
        line: &'a [u8],
        words: &LevelWords,
        scratch: &mut Scratch,
    ) -> Option<Record<'a>> {
        match self {
            Self::Plain => plain::record(line, words, &mut scratch.last_minute),
            Self::Docker | Self::Cri => {
                let Piece { time, written_at, text, .. } = self.piece(line, &mut scratch.text)?;
                Some(Record { time, written_at, level: None, message: text })
            }
            Self::Otlp => otlp::record(line, words, scratch),
            Self::Json => json::record(line, words, scratch),
            Self::Logfmt => logfmt::record(line, words, scratch),
            Self::PostgresqlCsv => postgresql_csv::record(line, words, scratch),
            Self::Rfc5424 => rfc5424::record(line, words, scratch),
            Self::Access => access::record(line),
            Self::ApacheError => apache_error::record(line, words),
            Self::NginxError => nginx_error::record(line, words),
            Self::Postgresql => postgresql::record(line, words),
            Self::Mysql => mysql::record(line, words),
            Self::Redis => redis::record(line, words),
            Self::Haproxy => haproxy::record(line),
            Self::Windows => windows::record(line, words, &mut scratch.text),
            Self::WindowsText => windows_text::record(line, words, &mut scratch.text),
            Self::Glog => glog::record(line, words),
            Self::Syslog => syslog::record(line, words, scratch),
            Self::Rust => rust::record(line, words),
            Self::Log4j => log4j::record(line, words),
            Self::Python => python::record(line, words),
            Self::Java => java::record(line, words),
            Self::Go => go::record(line, words),
            Self::Text => text::record(line, words),
        }
    }

    /// Which lines are one, in a format whose heads are written over several.
    pub fn joins(self) -> Option<Joins> {
        match self {
            Self::WindowsText => Some(windows_text::join),
            _ => None,
        }
    }

    /// Whether every line that starts no entry continues the one before it, whatever its shape.
    pub(super) fn is_of_blocks(self) -> bool {
        self == Self::WindowsText
    }

    /// Takes a line of a container's log apart; `None` for other lines and in other formats. A
    /// text that was escaped goes into `room`.
    #[inline]
    pub(super) fn piece<'a>(self, line: &'a [u8], room: &mut Vec<u8>) -> Option<Piece<'a>> {
        match self {
            Self::Docker => docker::piece(line, room),
            Self::Cri => cri::piece(line),
            _ => None,
        }
    }

    /// What a line that starts an entry says besides time, level and message.
    pub(super) fn fields(self, line: &[u8], words: &LevelWords, fields: &mut Fields) {
        match self {
            Self::Plain | Self::Text => {}
            Self::Docker => docker::fields(line, fields),
            Self::Cri => cri::fields(line, fields),
            Self::Otlp => otlp::fields(line, words, fields),
            Self::Json => json::fields(line, words, fields),
            Self::Logfmt => logfmt::fields(line, words, fields),
            Self::PostgresqlCsv => postgresql_csv::fields(line, fields),
            Self::Rfc5424 => rfc5424::fields(line, words, fields),
            Self::Access => access::fields(line, fields),
            Self::ApacheError => apache_error::fields(line, words, fields),
            Self::NginxError => nginx_error::fields(line, words, fields),
            Self::Postgresql => postgresql::fields(line, fields),
            Self::Mysql => mysql::fields(line, words, fields),
            Self::Redis => redis::fields(line, words, fields),
            Self::Haproxy => haproxy::fields(line, fields),
            Self::Windows => windows::fields(line, words, fields),
            Self::WindowsText => windows_text::fields(line, words, fields),
            Self::Glog => glog::fields(line, words, fields),
            Self::Syslog => syslog::fields(line, words, fields),
            Self::Rust => rust::fields(line, words, fields),
            Self::Log4j => log4j::fields(line, words, fields),
            Self::Python => python::fields(line, words, fields),
            Self::Java => java::fields(line, fields),
            Self::Go => go::fields(line, fields),
        }
    }
}
