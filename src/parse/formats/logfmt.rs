//! logfmt: pairs of keys and values, as Go's slog, logrus, log15, Prometheus, Grafana and Heroku
//! write them.
//!
//! ```text
//! record = [container *blank "|" *blank] pair *(1*blank (pair / word)) *blank
//! pair   = word "=" [quoted / bare]
//! word   = 1*(any character but blanks, "=" and quotes)
//! bare   = any character but blanks and quotes, then any but blanks
//! quoted = %x22 *(any character but quotes and backslashes / "\" any character) %x22
//! ```
//!
//! Time, level and message are those of the keys that JSON logs use, too ([`keys::role`]). Time
//! or level must be there, and two pairs; both if there are words without a value, so that a
//! sentence with an equals sign in it is no record. Such words belong to a message before them
//! that should have been quoted. A quote that is not closed ends with the line. Where no message
//! is, it is the whole line.
//!
//! Fields: all other pairs. `container`.
//!
//! Source: <https://brandur.org/logfmt>, <https://pkg.go.dev/github.com/kr/logfmt>.

use nom::Parser;
use nom::combinator::opt;
use serde_json::Value;

use super::elements::{before, skip_blanks};
use super::json::{container, drop_line_ends};
use super::keys::{self, Role};
use super::members::{text, unescape_into};
use super::{Record, Scratch, Text};
use crate::model::{Level, LevelWords};
use crate::parse::fields::Fields;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::is_blank;

/// A word, and its value if it has one.
struct Pair<'a> {
    key: &'a [u8],
    value: Option<&'a [u8]>,
    is_quoted: bool,
    /// The line from the value on.
    from_value: &'a [u8],
}

/// What was found, each with its rank and where it stands.
struct Parts<'a> {
    container: &'a [u8],
    pairs: &'a [u8],
    time: Option<(u8, WrittenTime, &'a [u8])>,
    level: Option<(u8, Level, &'a [u8])>,
    message: Option<(u8, &'a [u8])>,
}

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record<'a>(
    line: &'a [u8],
    words: &LevelWords,
    scratch: &mut Scratch,
) -> Option<Record<'a>> {
    let parts = parts(line, words)?;
    let (time, written_at) = match parts.time {
        Some((_, time, written_at)) => (Some(time), written_at),
        None => (None, &b""[..]),
    };
    let level = parts.level.map(|(_, level, _)| level);
    let message = parts.message.map_or(parts.pairs.trim_ascii_end(), |(_, message)| message);
    let message = if parts.message.is_some() && message.contains(&b'\\') {
        scratch.text.clear();
        unescape_into(message, &mut scratch.text);
        drop_line_ends(&mut scratch.text);
        Text::Unescaped
    } else {
        Text::Line(message)
    };
    Some(Record { time, written_at, level, message })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], words: &LevelWords, fields: &mut Fields) {
    let Some(parts) = parts(line, words) else { return };
    fields.push("container", parts.container);
    let used = [
        parts.time.map(|(_, _, text)| text),
        parts.level.map(|(_, _, text)| text),
        parts.message.map(|(_, text)| text),
    ];
    let mut rest = parts.pairs;
    while let Some((pair, behind)) = pair(rest) {
        rest = behind;
        let name = String::from_utf8_lossy(pair.key);
        let is_used = |place: &[u8]| {
            used.iter().flatten().any(|used| used.as_ptr_range().contains(&place.as_ptr()))
        };
        match pair.value {
            _ if is_used(pair.value.unwrap_or(pair.key)) => {}
            Some(value) if pair.is_quoted => {
                let mut text = Vec::new();
                unescape_into(value, &mut text);
                fields.push(&name, &text);
            }
            Some(value) if is_whole_number(value) => fields.push_number(&name, value),
            Some(value) => fields.push(&name, value),
            None => fields.push_value(&name, Value::Bool(true)),
        }
    }
}

/// Whether it looks the same as the number that it is.
fn is_whole_number(value: &[u8]) -> bool {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    let is_short = (1..=18).contains(&digits.len()) && digits.iter().all(u8::is_ascii_digit);
    is_short && (digits[0] != b'0' || value == b"0")
}

fn parts<'a>(line: &'a [u8], words: &LevelWords) -> Option<Parts<'a>> {
    let (pairs, container) = opt(container).parse(skip_blanks(line)).ok()?;
    let container = container.unwrap_or_default();
    let mut parts = Parts { container, pairs, time: None, level: None, message: None };
    let (mut count, mut has_words, mut open_message) = (0, false, None);
    let mut rest = parts.pairs;
    while !skip_blanks(rest).is_empty() {
        let (pair, behind) = pair(rest)?;
        match pair.value {
            Some(value) => {
                let is_message = parts.find(pair.key, value, words);
                open_message = (is_message && !pair.is_quoted).then_some(pair.from_value);
                count += 1;
            }
            None if count == 0 => return None,
            None => {
                has_words = true;
                if let (Some(from_message), Some((_, message))) = (open_message, &mut parts.message)
                {
                    *message = before(from_message, behind);
                }
            }
        }
        rest = behind;
    }
    let is_record = match (&parts.time, &parts.level) {
        (Some(_), Some(_)) => true,
        (None, None) => false,
        _ => !has_words,
    };
    (count > 1 && is_record).then_some(parts)
}

impl<'a> Parts<'a> {
    /// Takes a value for what it is, unless a better one was found; says if it is the message.
    fn find(&mut self, key: &[u8], value: &'a [u8], words: &LevelWords) -> bool {
        match keys::role(key) {
            Some((Role::Time, rank)) if self.time.is_none_or(|(found, ..)| rank < found) => {
                self.time = keys::time(value).map(|time| (rank, time, value)).or(self.time);
            }
            Some((Role::Level(scale), rank))
                if self.level.is_none_or(|(found, ..)| rank < found) =>
            {
                let level = keys::level(scale, value, words);
                self.level = level.map(|level| (rank, level, value)).or(self.level);
            }
            Some((Role::Message, rank))
                if !value.is_empty() && self.message.is_none_or(|(found, _)| rank < found) =>
            {
                self.message = Some((rank, value));
                return true;
            }
            _ => {}
        }
        false
    }
}

/// The pair or the word at the start, behind blanks, and what follows it; `None` if there is none.
fn pair(input: &[u8]) -> Option<(Pair<'_>, &[u8])> {
    let input = skip_blanks(input);
    let is_part = |byte: &u8| *byte > b' ' && *byte != b'=' && *byte != b'"';
    let (key, rest) = input.split_at(input.iter().take_while(|byte| is_part(byte)).count());
    if key.is_empty() {
        return None;
    }
    let ends = |rest: &[u8]| rest.first().is_none_or(|byte| is_blank(*byte));
    let Some(from_value) = rest.strip_prefix(b"=") else {
        let word = Pair { key, value: None, is_quoted: false, from_value: rest };
        return ends(rest).then_some((word, rest));
    };
    let (value, rest, is_quoted) = if let Some(quoted) = from_value.strip_prefix(b"\"") {
        let (value, rest) = text(quoted);
        (value, rest, true)
    } else {
        let length = from_value.iter().take_while(|byte| !is_blank(**byte)).count();
        (&from_value[..length], &from_value[length..], false)
    };
    ends(rest).then_some((Pair { key, value: Some(value), is_quoted, from_value }, rest))
}
