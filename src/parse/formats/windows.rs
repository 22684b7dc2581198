//! The event log of Windows, as Event Viewer exports it: one event a line, with tabs or commas.
//!
//! ```text
//! record    = level separator time separator source separator event-id
//!             [separator category [separator message]]
//! separator = tab / "," / ";"
//! level     = "Critical" / "Error" / "Warning" / "Information" / "Verbose"
//!           / "Audit Success" / "Audit Failure"       ; of the log Security
//! time      = as the language of the system writes it: 1/31/2026 3:04:05 PM, 31.01.2026 15:04:05
//! ```
//!
//! A column may stand in quotes; a quote in it is doubled. The last column is the message and may
//! hold separators. A message of several lines has only its first here, without a closing quote.
//! Where there is no message, it is the line from the source on.
//!
//! Audit Success is INFO, Audit Failure WARNING.
//!
//! Source: <https://learn.microsoft.com/windows/win32/wes/eventmanifestschema-leveltype-complextype>;
//! the columns are those of Event Viewer's "Save All Events As".
//!
//! Fields: `program` (the source), `event_id`, `category`.

use super::elements::number;
use super::{Record, Text};
use crate::model::{Level, LevelWords};
use crate::parse::fields::Fields;
use crate::parse::levels;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::timestamp;

/// A line taken apart.
struct Parts<'a> {
    level: Level,
    time: WrittenTime,
    written_at: &'a [u8],
    source: &'a [u8],
    event_id: &'a [u8],
    category: &'a [u8],
    message: &'a [u8],
    /// Whether quotes in the message are doubled.
    is_quoted: bool,
}

/// Reads a line that starts an entry; `None` if it does not. A message with doubled quotes goes
/// into `unescaped`.
pub(super) fn record<'a>(
    line: &'a [u8],
    words: &LevelWords,
    unescaped: &mut Vec<u8>,
) -> Option<Record<'a>> {
    let Parts { level, time, written_at, message, is_quoted, .. } = parts(line, words)?;
    let message = if is_quoted && memchr::memmem::find(message, b"\"\"").is_some() {
        undouble(message, unescaped);
        Text::Unescaped
    } else {
        Text::Line(message)
    };
    Some(Record { time: Some(time), written_at, level: Some(level), message })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], words: &LevelWords, fields: &mut Fields) {
    let Some(parts) = parts(line, words) else { return };
    fields.push("program", parts.source);
    fields.push_number("event_id", parts.event_id);
    if parts.category != b"None" {
        fields.push("category", parts.category);
    }
}

fn parts<'a>(line: &'a [u8], words: &LevelWords) -> Option<Parts<'a>> {
    let start = line.strip_prefix(b"\"").unwrap_or(line);
    let length = start.iter().take_while(|b| b.is_ascii_alphabetic() || **b == b' ').count();
    let (word, rest) = start.split_at(length);
    let level = level(word, words)?;
    let rest = if start.len() < line.len() { rest.strip_prefix(b"\"")? } else { rest };
    let (&separator, rest) = rest.split_first()?;
    if !b"\t,;".contains(&separator) {
        return None;
    }
    let (date, rest) = column(rest, separator);
    let (behind, time) = timestamp(date).ok()?;
    let from_source = rest?;
    let (source, rest) = column(from_source, separator);
    let (event_id, rest) = column(rest?, separator);
    let (b"", _) = number(event_id).ok()? else { return None };
    if !behind.is_empty() || source.is_empty() {
        return None;
    }
    let (category, rest) = rest.map_or((&b""[..], None), |rest| column(rest, separator));
    let text = rest.map(<[u8]>::trim_ascii_end).filter(|text| !text.is_empty());
    let quoted = text.and_then(|text| text.strip_prefix(b"\""));
    let message = match quoted {
        Some(text) => text.strip_suffix(b"\"").unwrap_or(text),
        None => text.unwrap_or(from_source),
    };
    let (written_at, is_quoted) = (date, quoted.is_some());
    Some(Parts { level, time, written_at, source, event_id, category, message, is_quoted })
}

/// The level that a word names.
pub(super) fn level(word: &[u8], words: &LevelWords) -> Option<Level> {
    if let Some(level) = words.get(word) {
        return Some(level);
    }
    match word {
        b"Critical" | b"Error" | b"Warning" | b"Information" | b"Verbose" => {
            levels::level(word, words)
        }
        b"Audit Success" => Some(Level::Info),
        b"Audit Failure" => Some(Level::Warning),
        _ => None,
    }
}

/// The column at the start, and what follows its separator.
fn column(input: &[u8], separator: u8) -> (&[u8], Option<&[u8]>) {
    if let Some(text) = input.strip_prefix(b"\"") {
        let mut at = 0;
        while let Some(found) = memchr::memchr(b'"', &text[at..]) {
            at += found;
            match text.get(at + 1) {
                Some(b'"') => at += 2,
                Some(byte) if *byte == separator => return (&text[..at], Some(&text[at + 2..])),
                Some(_) => break,
                None => return (&text[..at], None),
            }
        }
    }
    match memchr::memchr(separator, input) {
        Some(end) => (&input[..end], Some(&input[end + 1..])),
        None => (input, None),
    }
}

/// Puts a text into `out`, with one quote for two.
fn undouble(text: &[u8], out: &mut Vec<u8>) {
    out.clear();
    let mut rest = text;
    while let Some(at) = memchr::memmem::find(rest, b"\"\"") {
        out.extend_from_slice(&rest[..=at]);
        rest = &rest[at + 2..];
    }
    out.extend_from_slice(rest);
}
