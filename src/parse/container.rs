//! Logs of container runtimes, whose lines hold lines of other formats.
//!
//! The time is that of the runtime; where it has none, that of the line within. All else is what
//! the first of [`Format::ALL`] finds that reads the line within. A line within that is of no
//! format continues the entry before it, if it has the shape, or is an entry of its own, with the
//! level that it begins with (`ERROR: ...`, `ERROR ...`, `[error] ...`) if it does.
//!
//! A runtime splits long lines, and then the next piece of the same stream is the rest of the
//! line: that is kept as a [`Trace`]. Where lines of the other stream come between, the rest goes
//! to the last of those: the entry that it belongs to is closed then. The level of a split line
//! is known only if it stands in the first piece.

use super::formats::{Piece, Record, Scratch, Stream, Text};
use super::reading::Reading;
use super::text::{has_escape, remove_escapes};
use super::{Format, Head, Line};
use crate::model::{LevelWords, Trace};

/// What a line is, of which the runtime's part is taken off. `unescaped` holds its text if that
/// was escaped; `uncoloured` is room for it without colours.
pub(super) fn line<'a>(
    reading: &'a mut Reading,
    piece: &Piece<'a>,
    unescaped: &'a [u8],
    uncoloured: &'a mut Vec<u8>,
) -> Line<'a> {
    let text = inner(piece, unescaped, uncoloured);
    let split = match piece.stream {
        Stream::Stdout => Trace::SplitStdout,
        Stream::Stderr => Trace::SplitStderr,
    };
    let before = reading.continuations.trace;
    reading.read_by = None;
    if before == Some(split) {
        reading.continuations.trace = piece.is_split.then_some(split);
        return Line::Rest(text);
    }
    let other = before.filter(|trace| matches!(trace, Trace::SplitStdout | Trace::SplitStderr));
    if other.is_some() {
        reading.continuations.trace = None;
    }
    let waits_for_rest = if piece.is_split { Some(split) } else { other };
    if let Some(record) = record(reading, text) {
        return head(reading, piece, record, waits_for_rest);
    }
    reading.continuations.trace = waits_for_rest.or(reading.continuations.trace);
    Line::Continuation(text)
}

/// The line within, without colours.
pub(super) fn inner<'a>(
    piece: &Piece<'a>,
    unescaped: &'a [u8],
    uncoloured: &'a mut Vec<u8>,
) -> &'a [u8] {
    let text = match piece.text {
        Text::Line(text) => text,
        Text::Unescaped => unescaped,
    };
    if !has_escape(text) {
        return text;
    }
    uncoloured.clear();
    remove_escapes(text, uncoloured);
    uncoloured
}

/// What the line within says; `None` if it continues an entry.
fn record<'a>(reading: &mut Reading, text: &'a [u8]) -> Option<Record<'a>> {
    if reading.continuations.pattern_says(text) == Some(false) {
        return None;
    }
    if let Some((format, record)) = of_format(text, &reading.levels.words, &mut reading.scratch) {
        reading.read_by = Some(format);
        return Some(record);
    }
    if reading.continuations.continues(text) {
        return None;
    }
    if let Some(record) = Format::Text.record(text, &reading.levels.words, &mut reading.scratch) {
        return Some(record);
    }
    let level = super::formats::first_level(text, &reading.levels.words);
    Some(Record { time: None, written_at: b"", level, message: Text::Line(text) })
}

/// The first format that reads the line within, and what it says.
fn of_format<'a>(
    text: &'a [u8],
    words: &LevelWords,
    scratch: &mut Scratch,
) -> Option<(Format, Record<'a>)> {
    let is_inner = |format: &Format| !matches!(format, Format::Docker | Format::Cri | Format::Text);
    Format::ALL
        .into_iter()
        .filter(is_inner)
        .find_map(|format| Some((format, format.record(text, words, scratch)?)))
}

/// Whether the line within names its level, as far as one can tell without those before it.
pub(super) fn names_level(text: &[u8], words: &LevelWords, scratch: &mut Scratch) -> bool {
    let level = match of_format(text, words, scratch) {
        Some((_, record)) => record.level,
        None => super::formats::first_level(text, words),
    };
    level.is_some()
}

/// The entry that begins, as [`Reading::head`] makes it.
fn head<'a>(
    reading: &'a mut Reading,
    piece: &Piece<'a>,
    record: Record<'a>,
    waits_for_rest: Option<Trace>,
) -> Line<'a> {
    let Reading { continuations, local_time, levels, scratch, .. } = reading;
    let message = match record.message {
        Text::Line(message) => message,
        Text::Unescaped => &scratch.text,
    };
    continuations.head(message, scratch.begun.take());
    continuations.trace = waits_for_rest.or(continuations.trace);
    let (time, written_at) = match piece.time {
        Some(time) => (Some(time), piece.written_at),
        None => (record.time, record.written_at),
    };
    Line::Head(Head {
        logged_at: local_time.event_time(time),
        is_dated: time.is_some(),
        level: record.level.unwrap_or_else(|| levels.level(message)),
        message,
        written_at,
    })
}
