//! The lines of Go's standard `log` package.
//!
//! ```text
//! record = [prefix] YYYY "/" MM "/" DD blank hh:mm:ss[.micros] blank [file ":" line ": "] message
//! ```
//!
//! There is no level but one that the message begins with (`ERROR: ...`). A prefix such as
//! `[GIN] ` may stand before the time, and is no part of the message.
//!
//! Source: the documentation of Go's package `log` (`LstdFlags`, `Lmicroseconds`, `Llongfile`).
//!
//! Fields: `file`, `line`.

use super::elements::{before, group, leading_level, number, skip_blanks};
use super::{Record, Text};
use crate::model::LevelWords;
use crate::parse::fields::Fields;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::{blanks1, iso};

/// How long the path of a source file may be.
const MAX_PATH_BYTES: usize = 300;

/// A line taken apart.
struct Parts<'a> {
    time: WrittenTime,
    written_at: &'a [u8],
    file: &'a [u8],
    line: &'a [u8],
    message: &'a [u8],
}

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record<'a>(line: &'a [u8], words: &LevelWords) -> Option<Record<'a>> {
    let Parts { time, written_at, message, .. } = parts(line)?;
    let level = leading_level(message, words);
    Some(Record { time: Some(time), written_at, level, message: Text::Line(message) })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], fields: &mut Fields) {
    let Some(parts) = parts(line) else { return };
    fields.push("file", parts.file);
    fields.push_number("line", parts.line);
}

fn parts(line: &[u8]) -> Option<Parts<'_>> {
    let start = match group(line) {
        Ok((rest, _)) => skip_blanks(rest),
        Err(_) => line,
    };
    let (rest, time) = iso(start).ok()?;
    let written_at = before(start, rest);
    if written_at.get(4) != Some(&b'/') || written_at.get(10) != Some(&b' ') {
        return None;
    }
    let (rest, _) = blanks1(rest).ok()?;
    let (file, line, message) = place(rest).unwrap_or((b"", b"", rest));
    Some(Parts { time, written_at, file, line, message })
}

/// `path/file.go:23: `.
fn place(input: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let end = memchr::memmem::find(&input[..input.len().min(MAX_PATH_BYTES)], b".go:")? + 3;
    let file = &input[..end];
    let (rest, line) = number(&input[end + 1..]).ok()?;
    let message = rest.strip_prefix(b": ")?;
    (!file.contains(&b' ')).then_some((file, line, message))
}
