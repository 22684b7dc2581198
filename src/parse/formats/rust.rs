//! The lines of Rust's `env_logger` and `tracing`.
//!
//! ```text
//! record = "[" time blanks level blanks [target] "]" blanks message    ; env_logger
//!        / time blanks level blanks *(span ":") [target ":"] message   ; tracing
//! span   = name ["{" fields "}"]
//! ```
//!
//! The time is that of RFC 3339; the level is in capitals.
//!
//! Source: the documentation of `env_logger` (`fmt`) and of `tracing-subscriber` (`fmt::format`).
//!
//! Fields: `logger` (the target), `spans`.

use super::elements::{before, capital_level, is_qualified, name, skip_blanks};
use super::{Record, Text};
use crate::model::{Level, LevelWords};
use crate::parse::fields::Fields;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::{blanks1, iso};

/// How long the fields of a span may be.
const MAX_SPAN_BYTES: usize = 1024;

/// A line taken apart.
struct Parts<'a> {
    time: WrittenTime,
    written_at: &'a [u8],
    level: Level,
    target: &'a [u8],
    spans: &'a [u8],
    message: &'a [u8],
}

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record<'a>(line: &'a [u8], words: &LevelWords) -> Option<Record<'a>> {
    let Parts { time, written_at, level, message, .. } = parts(line, words)?;
    let (time, level) = (Some(time), Some(level));
    Some(Record { time, written_at, level, message: Text::Line(message) })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], words: &LevelWords, fields: &mut Fields) {
    let Some(parts) = parts(line, words) else { return };
    fields.push("logger", parts.target);
    fields.push("spans", parts.spans);
}

fn parts<'a>(line: &'a [u8], words: &LevelWords) -> Option<Parts<'a>> {
    let opened = line.strip_prefix(b"[");
    let start = opened.unwrap_or(line);
    let (rest, time) = iso(start).ok()?;
    let written_at = before(start, rest);
    // Both write the time of RFC 3339; others do with a blank in it.
    if written_at.get(10) != Some(&b'T') {
        return None;
    }
    let (rest, level) = blanks1(rest).and_then(|(rest, _)| capital_level(rest, words)).ok()?;
    let mut parts = Parts { time, written_at, level, target: b"", spans: b"", message: b"" };
    let rest = if opened.is_some() {
        let rest = skip_blanks(rest);
        let (rest, target) = name(rest).unwrap_or((rest, b""));
        parts.target = target;
        rest.strip_prefix(b"]")?
    } else {
        spans_and_target(skip_blanks(rest), &mut parts)?
    };
    parts.message = skip_blanks(rest);
    Some(parts)
}

/// `span{a=1}:inner: app::db: `; a target alone is known by the parts of its name.
fn spans_and_target<'a>(input: &'a [u8], parts: &mut Parts<'a>) -> Option<&'a [u8]> {
    let mut rest = input;
    while let Some(after) = span(rest) {
        rest = after;
    }
    parts.spans = before(input, rest);
    let rest = skip_blanks(rest);
    let (after, target) = name(rest).ok()?;
    let message = after.strip_prefix(b":")?;
    let is_target = !parts.spans.is_empty() || is_qualified(target) || is_crate(target);
    if !is_target || message.first().is_some_and(|byte| *byte != b' ') {
        return None;
    }
    parts.target = target;
    Some(message)
}

/// A span with fields, and the colon behind it.
fn span(input: &[u8]) -> Option<&[u8]> {
    let word =
        input.iter().take_while(|byte| byte.is_ascii_alphanumeric() || **byte == b'_').count();
    let braced = input.get(word..)?.strip_prefix(b"{").filter(|_| word > 0)?;
    let end = memchr::memmem::find(&braced[..braced.len().min(MAX_SPAN_BYTES)], b"}:")?;
    Some(&braced[end + 2..])
}

/// Whether a name may be that of a crate.
fn is_crate(name: &[u8]) -> bool {
    name.iter().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || *byte == b'_')
}
