//! The csvlog of PostgreSQL.
//!
//! ```text
//! record = column *("," column)              ; 14 columns at least
//! column = *(any but "," and quotes) / %x22 *(any but quotes / %x22 %x22) %x22
//! ```
//!
//! The columns are those of [`COLUMNS`]; later versions have more of them. A quoted column may
//! go on in the next lines, which continue the entry then: the message is as much of it as stands
//! in the first.
//!
//! Fields: the columns that have a name there, where they stand in the first line.
//!
//! Source: PostgreSQL, "Using CSV-Format Log Output".

use memchr::{memchr, memchr_iter};

use super::{Record, Scratch, Text};
use crate::model::{LevelWords, Trace};
use crate::parse::fields::Fields;
use crate::parse::levels;
use crate::parse::timestamp::iso;

/// The columns from the first on, each with the name of its field; of those without one, either
/// nothing is kept, or they are time, level and message.
const COLUMNS: [&str; 26] = [
    "",
    "user",
    "database",
    "pid",
    "client",
    "session",
    "",
    "command",
    "",
    "",
    "transaction",
    "",
    "sqlstate",
    "",
    "detail",
    "hint",
    "internal_query",
    "",
    "context",
    "query",
    "",
    "location",
    "application",
    "backend",
    "leader_pid",
    "query_id",
];
const PID: usize = 3;
const SESSION: usize = 5;
const SEVERITY: usize = 11;
const STATE: usize = 12;
const MESSAGE: usize = 13;

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record<'a>(
    line: &'a [u8],
    words: &LevelWords,
    scratch: &mut Scratch,
) -> Option<Record<'a>> {
    let mut columns = Columns { rest: Some(line) };
    let written_at = columns.next()?;
    let (end, time) = iso(written_at).ok()?;
    if !end.is_empty() {
        return None;
    }
    let (mut level, mut message) = (None, None);
    for (column, value) in (1..=MESSAGE).zip(&mut columns) {
        match column {
            PID if value.is_empty() || !value.iter().all(u8::is_ascii_digit) => return None,
            SESSION => {
                let dot = memchr(b'.', value)?;
                let is_hexadecimal = |part: &[u8]| part.iter().all(u8::is_ascii_hexdigit);
                if !is_hexadecimal(&value[..dot]) || !is_hexadecimal(&value[dot + 1..]) {
                    return None;
                }
            }
            SEVERITY => level = Some(levels::level(value, words)?),
            STATE if value.len() != 5 => return None,
            MESSAGE => message = Some(value),
            _ => {}
        }
    }
    let message = message?;
    let message = if memchr(b'"', message).is_some() {
        scratch.text.clear();
        unquote_into(message, &mut scratch.text);
        Text::Unescaped
    } else {
        Text::Line(message)
    };
    let is_open = memchr_iter(b'"', line).count() % 2 == 1;
    scratch.begun = is_open.then_some(Trace::Quoted);
    Some(Record { time: Some(time), written_at, level, message })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], fields: &mut Fields) {
    let mut text = Vec::new();
    for ((column, name), value) in COLUMNS.iter().enumerate().zip(Columns { rest: Some(line) }) {
        match column {
            _ if name.is_empty() || value == b"0" => {}
            PID => fields.push_number(name, value),
            _ => {
                text.clear();
                unquote_into(value, &mut text);
                fields.push(name, &text);
            }
        }
    }
}

/// The columns of a line, without the quotes around them. Quotes that are in them are doubled
/// still.
struct Columns<'a> {
    /// What follows the last comma.
    rest: Option<&'a [u8]>,
}

impl<'a> Iterator for Columns<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let line = self.rest.take()?;
        let Some(quoted) = line.strip_prefix(b"\"") else {
            let end = memchr(b',', line).unwrap_or(line.len());
            self.rest = line.get(end + 1..);
            return Some(&line[..end]);
        };
        let mut ends = memchr_iter(b'"', quoted);
        while let Some(end) = ends.next() {
            match quoted.get(end + 1) {
                Some(b'"') => ends.next(),
                Some(b',') => {
                    self.rest = quoted.get(end + 2..);
                    return Some(&quoted[..end]);
                }
                _ => return Some(&quoted[..end]),
            };
        }
        Some(quoted)
    }
}

/// Appends a column with its quotes single.
fn unquote_into(column: &[u8], out: &mut Vec<u8>) {
    let mut rest = column;
    while let Some(quote) = memchr(b'"', rest) {
        out.extend_from_slice(&rest[..=quote]);
        rest = rest[quote + 1..].strip_prefix(b"\"").unwrap_or(&rest[quote + 1..]);
    }
    out.extend_from_slice(rest);
}
