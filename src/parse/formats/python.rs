//! Python's logging as `logging.basicConfig` sets it up: no time, three parts.
//!
//! ```text
//! record = level ":" logger ":" message      ; ERROR:root:message
//! ```
//!
//! Such a line takes the time of the entry before it. Formats with a time are read by
//! [`super::log4j`].
//!
//! Source: the documentation of Python's `logging` (`BASIC_FORMAT`).
//!
//! Fields: `logger`.

use super::elements::name;
use super::{Record, Text};
use crate::model::{Level, LevelWords};
use crate::parse::fields::Fields;

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record<'a>(line: &'a [u8], words: &LevelWords) -> Option<Record<'a>> {
    let (level, _, message) = parts(line, words)?;
    let message = Text::Line(message);
    Some(Record { time: None, written_at: b"", level: Some(level), message })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], words: &LevelWords, fields: &mut Fields) {
    let Some((_, logger, _)) = parts(line, words) else { return };
    fields.push("logger", logger);
}

fn parts<'a>(line: &'a [u8], words: &LevelWords) -> Option<(Level, &'a [u8], &'a [u8])> {
    // The names of Python's own levels.
    const LEVELS: [(&[u8], Level); 5] = [
        (b"DEBUG:", Level::Debug),
        (b"INFO:", Level::Info),
        (b"WARNING:", Level::Warning),
        (b"ERROR:", Level::Error),
        (b"CRITICAL:", Level::Fatal),
    ];
    let (rest, level) = words.at_start(line, b":").or_else(|| {
        LEVELS.iter().find_map(|(word, level)| Some((line.strip_prefix(*word)?, *level)))
    })?;
    let end = memchr::memchr(b':', rest)?;
    let (logger, message) = (&rest[..end], &rest[end + 1..]);
    let (left, _) = name(logger).ok()?;
    left.is_empty().then_some((level, logger, message))
}
