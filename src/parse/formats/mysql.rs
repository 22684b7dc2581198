//! The error log of MySQL and MariaDB.
//!
//! ```text
//! record  = time blanks thread blanks label *("[" code-or-subsystem "]" blanks) message
//!         / short blanks label message               ; before MySQL 5.6 and MariaDB 10.1
//!         / (time / short) blanks "mysqld_safe" SP message
//! time    = YYYY-MM-DD ("T" / blanks) hh:mm:ss[.micros] ["Z" / offset]   ; h may have one digit
//! short   = YYMMDD blanks hh:mm:ss
//! thread  = 1*digit / 1*hexdigit
//! label   = "[" ("System" / "Note" / "Warning" / "ERROR") "]" blanks / &"InnoDB: "
//! ```
//!
//! ```text
//! 2026-01-31T15:04:05.123456Z 0 [System] [MY-010931] [Server] ready for connections  ; MySQL 8
//! 2026-01-31 15:04:05 140 [ERROR] Aborted connection                                 ; MariaDB
//! 260131 15:04:05 [Warning] Access denied                                            ; MySQL 5.5
//! ```
//!
//! System and Note are information. Lines without a label, which InnoDB and `mysqld_safe` write,
//! have no level.
//!
//! Source: <https://dev.mysql.com/doc/refman/8.4/en/error-log-format.html>,
//! <https://mariadb.com/kb/en/error-log/>.
//!
//! Fields: `thread`, `code` (`MY-010931`), `subsystem`, `program` (`mysqld_safe`).

use super::elements::{before, group, number, skip_blanks};
use super::web::split_word;
use super::{Record, Text};
use crate::model::{Level, LevelWords};
use crate::parse::fields::Fields;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::{Parsed, blanks1, iso, short_year};

/// What starts the server, and writes into its log.
const SAFE: &[u8] = b"mysqld_safe";
/// How long the name of a subsystem may be.
const MAX_SUBSYSTEM_BYTES: usize = 32;
/// How many digits the number of a thread may have: it can be an address.
const MAX_THREAD_BYTES: usize = 20;

/// A line taken apart.
struct Parts<'a> {
    time: WrittenTime,
    written_at: &'a [u8],
    level: Option<Level>,
    thread: &'a [u8],
    code: &'a [u8],
    subsystem: &'a [u8],
    program: &'a [u8],
    message: &'a [u8],
}

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record<'a>(line: &'a [u8], words: &LevelWords) -> Option<Record<'a>> {
    let Parts { time, written_at, level, message, .. } = parts(line, words)?;
    Some(Record { time: Some(time), written_at, level, message: Text::Line(message) })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], words: &LevelWords, fields: &mut Fields) {
    let Some(parts) = parts(line, words) else { return };
    fields.push("program", parts.program);
    fields.push_number("thread", parts.thread);
    fields.push("code", parts.code);
    fields.push("subsystem", parts.subsystem);
}

fn parts<'a>(line: &'a [u8], words: &LevelWords) -> Option<Parts<'a>> {
    let (rest, time) = time(line).ok()?;
    let written_at = before(line, rest);
    let is_short = written_at.get(4) != Some(&b'-');
    let (mut rest, _) = blanks1(rest).ok()?;
    let parts = Parts {
        time,
        written_at,
        level: None,
        thread: b"",
        code: b"",
        subsystem: b"",
        program: b"",
        message: rest,
    };
    if let Some(message) = rest.strip_prefix(SAFE).and_then(|rest| rest.strip_prefix(b" ")) {
        return Some(Parts { program: SAFE, message, ..parts });
    }
    let mut thread = &b""[..];
    if !is_short {
        (thread, rest) = split_word(rest);
        if thread.len() > MAX_THREAD_BYTES || !thread.iter().all(u8::is_ascii_hexdigit) {
            return None;
        }
    }
    let Some((level, rest)) = label(rest, words) else {
        return rest.starts_with(b"InnoDB: ").then_some(Parts { thread, message: rest, ..parts });
    };
    let (rest, code) = bracketed(rest, is_code).unwrap_or((rest, b""));
    let (message, subsystem) = match code {
        b"" => (rest, &b""[..]),
        _ => bracketed(rest, is_subsystem).unwrap_or((rest, b"")),
    };
    Some(Parts { level: Some(level), thread, code, subsystem, message, ..parts })
}

/// A time as the servers write it: no zone but that of RFC 3339.
fn time(input: &[u8]) -> Parsed<'_, WrittenTime> {
    if input.get(4) == Some(&b'-') { iso(input) } else { short_year(input) }
}

/// `[Warning]`
fn label<'a>(input: &'a [u8], words: &LevelWords) -> Option<(Level, &'a [u8])> {
    let (rest, word) = group(input).ok()?;
    let level = match (words.get(word), word) {
        (Some(level), _) => level,
        (None, b"System" | b"Note") => Level::Info,
        (None, b"Warning") => Level::Warning,
        (None, b"ERROR" | b"Error") => Level::Error,
        _ => return None,
    };
    Some((level, skip_blanks(rest)))
}

fn bracketed(input: &[u8], is_right: fn(&[u8]) -> bool) -> Option<(&[u8], &[u8])> {
    let (rest, inner) = group(input).ok()?;
    is_right(inner).then(|| (skip_blanks(rest), inner))
}

/// `MY-010931`
fn is_code(inner: &[u8]) -> bool {
    inner.strip_prefix(b"MY-").is_some_and(|code| matches!(number(code), Ok(([], _))))
}

fn is_subsystem(inner: &[u8]) -> bool {
    !inner.is_empty()
        && inner.len() <= MAX_SUBSYSTEM_BYTES
        && inner.iter().all(|byte| byte.is_ascii_alphanumeric() || b"_-".contains(byte))
}
