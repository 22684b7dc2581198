//! What reads the lines of a log, after their colours are taken off.

use std::rc::Rc;

use super::fields::Fields;
use super::formats::{Record, Scratch, Text};
use super::local_time::LocalTime;
use super::multiline::Continuations;
use super::{Head, Line, own};
use crate::model::{Format, LevelRules, Multiline, OwnFormat};

/// What reads the lines, without their colours.
#[derive(Clone, Debug)]
pub(super) struct Reading {
    pub(super) format: Format,
    /// The format, if the config describes it.
    pub(super) own_format: Option<Rc<OwnFormat>>,
    /// Whether other formats are tried where a line is not of `format`.
    pub(super) tries_others: bool,
    /// The format of the line that was read last, if that starts an entry.
    pub(super) read_by: Option<Format>,
    pub(super) local_time: LocalTime,
    pub(super) continuations: Continuations,
    pub(super) levels: LevelRules,
    pub(super) scratch: Scratch,
    pub(super) fields: Fields,
}

impl Reading {
    #[inline]
    pub(super) fn record<'a>(&mut self, line: &'a [u8]) -> Option<Record<'a>> {
        if let Some(format) = &self.own_format {
            return own::record(format, line, &self.levels.words);
        }
        let record = self.format.record(line, &self.levels.words, &mut self.scratch);
        self.read_by = record.as_ref().map(|_| self.format);
        record
    }

    #[inline]
    pub(super) fn head<'a>(&'a mut self, record: Record<'a>) -> Head<'a> {
        let message = match record.message {
            Text::Line(message) => message,
            Text::Unescaped => &self.scratch.text,
        };
        self.continuations.head(message, self.scratch.begun.take());
        Head {
            logged_at: self.local_time.event_time(record.time),
            is_dated: record.time.is_some(),
            level: record.level.unwrap_or_else(|| self.levels.level(message)),
            message,
            written_at: record.written_at,
        }
    }

    /// Whether the line stands in an entry that ends only where another one begins.
    fn is_in_block(&self) -> bool {
        self.format.is_of_blocks()
            && self.own_format.is_none()
            && matches!(self.continuations.multiline, Multiline::Auto)
    }

    /// What a line is that starts no entry of the format.
    pub(super) fn other<'a>(&'a mut self, line: &'a [u8]) -> Line<'a> {
        if self.is_in_block() || self.continuations.continues(line) {
            return Line::Continuation(line);
        }
        if self.tries_others {
            for format in Format::ALL.into_iter().filter(|format| *format != Format::Text) {
                if let Some(record) = format.record(line, &self.levels.words, &mut self.scratch) {
                    self.read_by = Some(format);
                    return Line::Head(self.head(record));
                }
            }
        }
        Line::Unparsed
    }
}
