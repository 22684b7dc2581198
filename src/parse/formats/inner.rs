//! Records of other formats as the message of a line of syslog: what programs would write into a
//! file of their own, they write so, too.
//!
//! ```text
//! message = ["@cee:" *blank] object                                     ; json
//!         / "[" level "]" *blank text
//!         / "[" number "-" number "] " (postgresql / [prefix] severity ":  " text)
//!         / record                                                      ; of one of `formats`
//! ```
//!
//! The first bytes tell which formats may read a message, so that ordinary ones cost next to
//! nothing. A record must name its level, save in JSON.
//!
//! Level and message are those of the record; where it names no level, that of the head stays.
//! The time is that of the head. Where that shows whole seconds, and the record the same second,
//! in whichever zone, the fraction is that of the record. Where the head has no time, the record's
//! is taken.
//!
//! Fields: those of the head, then those of the record; of two with one name, that of the head
//! stays.
//!
//! Source: PostgreSQL, `syslog_sequence_numbers`; Common Event Expression, "CEE Log Syntax".

use memchr::memchr_iter;

use super::elements::{any_level, group, number, skip_blanks};
use super::{Record, Scratch, Text, postgresql};
use crate::model::{Format, Level, LevelWords};
use crate::parse::fields::Fields;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::is_word;

/// Where the time of a request begins at the latest.
const MAX_OFFSET: usize = 200;

/// What a message says.
struct Inner<'a> {
    record: Record<'a>,
    rest: Rest<'a>,
}

/// Where it says what is neither time, level nor message.
enum Rest<'a> {
    None,
    /// In a line of this format.
    Line(Format, &'a [u8]),
    /// In what PostgreSQL puts before a line.
    Prefix(&'a [u8]),
}

/// Reads a message that is a record itself; `None` if it is not.
pub(super) fn record<'a>(
    message: &'a [u8],
    words: &LevelWords,
    scratch: &mut Scratch,
) -> Option<Record<'a>> {
    read(message, words, scratch).map(|inner| inner.record)
}

/// What such a message says besides.
pub(super) fn fields(message: &[u8], words: &LevelWords, fields: &mut Fields) {
    match read(message, words, &mut Scratch::default()).map(|inner| inner.rest) {
        Some(Rest::Line(format, line)) => format.fields(line, words, fields),
        Some(Rest::Prefix(prefix)) => postgresql::prefix_fields(prefix, fields),
        Some(Rest::None) | None => {}
    }
}

impl<'a> Record<'a> {
    /// The record, as the message behind a head that shows this.
    #[must_use]
    pub(super) fn within(
        self,
        time: Option<WrittenTime>,
        written_at: &'a [u8],
        level: Option<Level>,
    ) -> Self {
        let level = self.level.or(level);
        match (time, self.time) {
            (Some(head), inner) => {
                let time = inner.map_or(head, |inner| head.with_fraction_of(inner));
                Self { time: Some(time), written_at, level, ..self }
            }
            (None, _) => Self { level, ..self },
        }
    }
}

fn read<'a>(message: &'a [u8], words: &LevelWords, scratch: &mut Scratch) -> Option<Inner<'a>> {
    match message.first()? {
        b'[' => bracketed(message, words, scratch),
        b'@' => {
            read_as(&[Format::Json], skip_blanks(message.strip_prefix(b"@cee:")?), words, scratch)
        }
        _ => read_as(formats(message), message, words, scratch),
    }
}

fn read_as<'a>(
    formats: &[Format],
    line: &'a [u8],
    words: &LevelWords,
    scratch: &mut Scratch,
) -> Option<Inner<'a>> {
    formats.iter().find_map(|format| {
        let record = format.record(line, words, scratch)?;
        let is_right = record.level.is_some() || *format == Format::Json;
        is_right.then_some(Inner { record, rest: Rest::Line(*format, line) })
    })
}

/// The formats that a message may be a record of, by how it begins.
fn formats(message: &[u8]) -> &'static [Format] {
    use Format::{
        Access, Glog, Haproxy, Json, Log4j, Logfmt, Mysql, NginxError, Plain, Postgresql, Rust,
    };
    match message {
        [b'{', ..] => return &[Json],
        [b'I' | b'W' | b'E' | b'F', b'0'..=b'9', ..] => return &[Glog],
        [b'0'..=b'9', ..] => match (digits(message), message.get(digits(message))) {
            (4, Some(b'-')) => return &[Plain, Postgresql, Mysql, Rust, Log4j],
            (4, Some(b'/')) => return &[NginxError, Log4j],
            (2, Some(b'/')) => return &[Log4j],
            (6, Some(b' ')) => return &[Mysql],
            _ => {}
        },
        _ => {}
    }
    let is_part = |byte: &u8| is_word(*byte) || matches!(byte, b'.' | b':' | b'-' | b',');
    let length = message.iter().take_while(|byte| is_part(byte)).count();
    let (word, behind) = message.split_at(length);
    match behind {
        [b'=', ..] if word.iter().all(u8::is_ascii_lowercase) => &[Logfmt],
        [b' ', ..] if may_send(word, behind) && has_request_time(behind) => &[Access, Haproxy],
        _ => &[],
    }
}

/// How many digits are at the start; of more than nine, nine.
fn digits(input: &[u8]) -> usize {
    input.iter().take(9).take_while(|byte| byte.is_ascii_digit()).count()
}

/// Whether the first word may name who sent a request, or to whom it was sent.
fn may_send(word: &[u8], behind: &[u8]) -> bool {
    let has_parts = word.iter().any(|byte| matches!(byte, b'.' | b':'));
    !word.ends_with(b":") && has_parts || matches!(behind, [b' ', b'-' | b'[', ..])
}

/// Whether there is a time of an access log: `[31/Jan/2026:`.
fn has_request_time(input: &[u8]) -> bool {
    let start = &input[..input.len().min(MAX_OFFSET)];
    memchr_iter(b'[', start).any(|at| {
        let inner = &input[at + 1..];
        digits(inner) == 2 && inner.get(2) == Some(&b'/')
    })
}

/// A message that begins with something in brackets.
fn bracketed<'a>(
    message: &'a [u8],
    words: &LevelWords,
    scratch: &mut Scratch,
) -> Option<Inner<'a>> {
    let opened = &message[1..];
    if digits(opened) == 4 && opened.get(4) == Some(&b'-') {
        return read_as(&[Format::Rust, Format::Log4j], message, words, scratch);
    }
    if let Some(line) = behind_sequence_number(opened) {
        let inner = read_as(&[Format::Postgresql], line, words, scratch);
        return inner.or_else(|| {
            let (prefix, level, message) = postgresql::undated(line, words)?;
            Some(Inner { record: undated(level, message), rest: Rest::Prefix(prefix) })
        });
    }
    if !opened.first()?.is_ascii_alphabetic() {
        return None;
    }
    let (behind, word) = group(message).ok()?;
    let ([], level) = any_level(word.trim_ascii(), words).ok()? else { return None };
    let text = skip_blanks(behind);
    (!text.is_empty()).then_some(Inner { record: undated(level, text), rest: Rest::None })
}

fn undated(level: Level, message: &[u8]) -> Record<'_> {
    Record { time: None, written_at: b"", level: Some(level), message: Text::Line(message) }
}

/// What follows `5-1]`, with which PostgreSQL counts its entries and their lines.
fn behind_sequence_number(input: &[u8]) -> Option<&[u8]> {
    let (rest, _) = number(input).ok()?;
    let (rest, _) = number(rest.strip_prefix(b"-")?).ok()?;
    rest.strip_prefix(b"] ")
}
