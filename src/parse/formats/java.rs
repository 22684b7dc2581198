//! The lines of `java.util.logging`, which come in pairs.
//!
//! ```text
//! record = time blanks class blanks method     ; Jan 31, 2026 3:04:05 PM org.example.Shop start
//!        / level ":" blank message             ; SEVERE: cannot open the shop
//! ```
//!
//! The first line of a pair shows the time, the second one level and message. A line knows
//! nothing of the next one, so each is an entry: the first without a level, the second at the
//! time of the one before it.
//!
//! Source: the documentation of Java's `java.util.logging.SimpleFormatter`.
//!
//! Fields: `logger` (the class).

use memchr::memchr;

use super::elements::{before, name, skip_blanks};
use super::{Record, Text};
use crate::model::{Level, LevelWords};
use crate::parse::fields::Fields;
use crate::parse::levels;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::month_first;

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record<'a>(line: &'a [u8], words: &LevelWords) -> Option<Record<'a>> {
    if let Some((time, written_at, place)) = first(line) {
        return Some(Record {
            time: Some(time),
            written_at,
            level: None,
            message: Text::Line(place),
        });
    }
    let (level, message) = second(line, words)?;
    let message = Text::Line(message);
    Some(Record { time: None, written_at: b"", level: Some(level), message })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], fields: &mut Fields) {
    let Some((_, _, place)) = first(line) else { return };
    let class = memchr(b' ', place).map_or(place, |end| &place[..end]);
    fields.push("logger", class);
}

/// The time, as written, and the class and the method.
fn first(line: &[u8]) -> Option<(WrittenTime, &[u8], &[u8])> {
    let (rest, time) = month_first(line).ok()?;
    let written_at = before(line, rest);
    // Others write no comma behind the day.
    memchr(b',', written_at)?;
    let place = skip_blanks(rest);
    let (method, _class) = name(place).ok()?;
    let is_method = |byte: &u8| byte.is_ascii_alphanumeric() || b"_$<> ".contains(byte);
    method.iter().all(is_method).then_some((time, written_at, place))
}

/// `SEVERE: message`, with the names of the levels of `java.util.logging`.
fn second<'a>(line: &'a [u8], words: &LevelWords) -> Option<(Level, &'a [u8])> {
    const NAMES: [&[u8]; 7] =
        [b"SEVERE", b"WARNING", b"INFO", b"CONFIG", b"FINE", b"FINER", b"FINEST"];
    if let Some((rest, level)) = words.at_start(line, b":")
        && (rest.is_empty() || rest.starts_with(b" "))
    {
        return Some((level, skip_blanks(rest)));
    }
    let name = NAMES.iter().find(|name| {
        line.strip_prefix(**name).is_some_and(|rest| rest.starts_with(b": ") || rest == b":")
    })?;
    Some((levels::level(name, words)?, skip_blanks(&line[name.len() + 1..])))
}
