//! The lines of glog and klog, which Kubernetes and much else that comes from Google write.
//!
//! ```text
//! record = severity [YYYY] MM DD blanks hh:mm:ss[.micros] blanks thread SP file ":" line "]" [SP message]
//! severity = "I" / "W" / "E" / "F"
//! ```
//!
//! ```text
//! E0131 15:04:05.123456   12345 server.go:123] message
//! I20260131 15:04:05.123456 12345 shop.cc:17] message          ; glog since 0.5
//! ```
//!
//! The number is that of the thread; klog writes the process there. It is kept as `thread`.
//!
//! Source: <https://github.com/google/glog> (`--log_year_in_prefix`),
//! <https://github.com/kubernetes/klog> (`formatHeader`).
//!
//! Fields: `thread`, `file`, `line`.

use super::elements::{before, number, skip_blanks};
use super::{Record, Text};
use crate::model::{Level, LevelWords};
use crate::parse::fields::Fields;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::{blanks1, month_and_day};

/// How long the path of a source file may be.
const MAX_PATH_BYTES: usize = 300;

/// A line taken apart.
struct Parts<'a> {
    level: Level,
    time: WrittenTime,
    written_at: &'a [u8],
    thread: &'a [u8],
    file: &'a [u8],
    line: &'a [u8],
    message: &'a [u8],
}

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record<'a>(line: &'a [u8], words: &LevelWords) -> Option<Record<'a>> {
    let Parts { level, time, written_at, message, .. } = parts(line, words)?;
    Some(Record { time: Some(time), written_at, level: Some(level), message: Text::Line(message) })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], words: &LevelWords, fields: &mut Fields) {
    let Some(parts) = parts(line, words) else { return };
    fields.push_number("thread", parts.thread);
    fields.push("file", parts.file);
    fields.push_number("line", parts.line);
}

fn parts<'a>(line: &'a [u8], words: &LevelWords) -> Option<Parts<'a>> {
    let (severity, start) = line.split_first()?;
    let level = match (words.get(&[*severity]), severity) {
        (Some(level), _) => level,
        (None, b'I') => Level::Info,
        (None, b'W') => Level::Warning,
        (None, b'E') => Level::Error,
        (None, b'F') => Level::Fatal,
        _ => return None,
    };
    let (rest, time) = month_and_day(start).ok()?;
    let written_at = before(start, rest);
    let (rest, _) = blanks1(rest).ok()?;
    let (rest, thread) = number(rest).ok()?;
    let rest = skip_blanks(rest);
    let end = memchr::memchr(b']', &rest[..rest.len().min(MAX_PATH_BYTES)])?;
    let colon = memchr::memrchr(b':', &rest[..end])?;
    let (file, place) = (&rest[..colon], &rest[colon + 1..end]);
    let (b"", line) = number(place).ok()? else { return None };
    let is_file = !file.is_empty() && !file.contains(&b' ');
    let message = skip_blanks(&rest[end + 1..]);
    is_file.then_some(Parts { level, time, written_at, thread, file, line, message })
}
