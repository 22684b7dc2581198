//! The syslog protocol of RFC 5424, as rsyslog and syslog-ng write it where they are told to, and
//! as it comes over TCP.
//!
//! ```text
//! record  = [count " "] "<" pri ">" version " " time " " host " " program " " pid " " msgid
//!           [" " data] [" " [BOM] message]
//! count   = 1*digit                                  ; of the octets that follow (RFC 6587)
//! pri     = 1*3digit                                 ; facility * 8 + severity, below 192
//! version = 1*3digit
//! time    = "-" / that of RFC 3339
//! data    = "-" / 1*("[" id *(" " name "=" %x22 value %x22) "]")
//! ```
//!
//! In a value, a backslash stands before quotes, backslashes and closing brackets. Heroku leaves
//! out the data. Data that is not as it should be belongs to the message.
//!
//! The level is that of the severity (RFC 5424, table 2). The message may be a record of another
//! format, whose level wins: see [`inner`].
//!
//! Fields: `host`, `program`, `pid`, `msgid`; `structured_data`, as `{"id":{"name":"value"}}`;
//! those of the record within.
//!
//! Source: RFC 5424, section 6; RFC 6587, section 3.4.1.

use memchr::memchr;
use nom::Parser;
use nom::bytes::complete::{take_till1, take_while, take_while_m_n};
use nom::character::complete::char;
use nom::combinator::{map, opt};
use nom::sequence::{preceded, terminated};
use serde_json::{Map, Value};

use super::elements::{before, number};
use super::members::text;
use super::syslog::pri;
use super::{Record, Scratch, Text, inner};
use crate::model::{Level, LevelWords};
use crate::parse::fields::Fields;
use crate::parse::local_time::WrittenTime;
use crate::parse::text::clean_into;
use crate::parse::timestamp::{Parsed, is_digit, iso};

/// May stand before a message, to say that it is UTF-8.
const BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// A line taken apart.
struct Parts<'a> {
    level: Level,
    time: Option<WrittenTime>,
    written_at: &'a [u8],
    host: &'a [u8],
    program: &'a [u8],
    pid: &'a [u8],
    msgid: &'a [u8],
    data: &'a [u8],
    message: &'a [u8],
}

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record<'a>(
    line: &'a [u8],
    words: &LevelWords,
    scratch: &mut Scratch,
) -> Option<Record<'a>> {
    let (_, Parts { time, written_at, level, message, .. }) = parts(line, words).ok()?;
    if let Some(record) = inner::record(message, words, scratch) {
        return Some(record.within(time, written_at, Some(level)));
    }
    Some(Record { time, written_at, level: Some(level), message: Text::Line(message) })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], words: &LevelWords, fields: &mut Fields) {
    let Ok((_, parts)) = parts(line, words) else { return };
    fields.push("host", parts.host);
    fields.push("program", parts.program);
    fields.push_number("pid", parts.pid);
    fields.push("msgid", parts.msgid);
    let mut data = Map::new();
    let mut rest = parts.data;
    while let Ok((behind, element)) = element(rest) {
        rest = behind;
        let id = clean(element.id);
        let mut params = Map::new();
        let mut in_element = element.params;
        while let Ok((behind, (name, value))) = param(in_element) {
            in_element = behind;
            params.entry(clean(name)).or_insert_with(|| {
                let mut text = Vec::new();
                unescape_value(value, &mut text);
                Value::String(clean(&text))
            });
        }
        data.entry(id).or_insert(Value::Object(params));
    }
    if !data.is_empty() {
        fields.push_value("structured_data", Value::Object(data));
    }
    inner::fields(parts.message, words, fields);
}

fn parts<'a>(line: &'a [u8], words: &LevelWords) -> Parsed<'a, Parts<'a>> {
    let count = terminated(number, char(' '));
    let version = take_while_m_n(1, 3, is_digit);
    let (rest, level) =
        preceded(opt(count), terminated(|input| pri(input, words), version)).parse(line)?;
    let word = || preceded(char(' '), take_till1(|byte| byte == b' '));
    let (rest, (time, written_at)) = preceded(char(' '), time).parse(rest)?;
    let (rest, (host, program, pid, msgid)) = (word(), word(), word(), word()).parse(rest)?;
    let (message, data) =
        map(opt(preceded(char(' '), data)), Option::unwrap_or_default).parse(rest)?;
    let message = message.strip_prefix(b" ").unwrap_or(message);
    let message = message.strip_prefix(BYTE_ORDER_MARK).unwrap_or(message);
    Ok((b"", Parts { level, time, written_at, host, program, pid, msgid, data, message }))
}

/// A time and how it stands there; empty if it is `-`.
fn time(input: &[u8]) -> Parsed<'_, (Option<WrittenTime>, &[u8])> {
    if let Ok((rest, _)) = char::<_, ()>('-').parse(input) {
        return Ok((rest, (None, b"")));
    }
    let (rest, time) = iso(input)?;
    Ok((rest, (Some(time), before(input, rest))))
}

/// The structured data, up to its end or a blank.
fn data(input: &[u8]) -> Parsed<'_, &[u8]> {
    let mut rest = input;
    if let Some(nothing) = input.strip_prefix(b"-") {
        rest = nothing;
    } else {
        while let Ok((behind, _)) = element(rest) {
            rest = behind;
        }
    }
    let ends = rest.first().is_none_or(|byte| *byte == b' ');
    if ends && rest.len() < input.len() {
        Ok((rest, before(input, rest)))
    } else {
        Err(nom::Err::Error(()))
    }
}

/// One element of the structured data.
struct Element<'a> {
    id: &'a [u8],
    params: &'a [u8],
}

fn element(input: &[u8]) -> Parsed<'_, Element<'_>> {
    let (params, id) = preceded(char('['), name).parse(input)?;
    let mut rest = params;
    while let Ok((behind, _)) = param(rest) {
        rest = behind;
    }
    let params = before(params, rest);
    let (rest, _) = preceded(blanks, char(']')).parse(rest)?;
    Ok((rest, Element { id, params }))
}

/// ` name="value"`, the value with its escapes.
fn param(input: &[u8]) -> Parsed<'_, (&[u8], &[u8])> {
    let (quoted, name) = preceded(blanks, terminated(name, (char('='), char('"')))).parse(input)?;
    let (value, rest) = text(quoted);
    // The closing quote is there.
    if value.len() < quoted.len() { Ok((rest, (name, value))) } else { Err(nom::Err::Error(())) }
}

fn name(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_till1(|byte| matches!(byte, b' ' | b'=' | b']' | b'"')).parse(input)
}

/// Some write more blanks than one, or one before the bracket.
fn blanks(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while(|byte| byte == b' ').parse(input)
}

/// Appends a value without the backslashes that escape; others stay.
fn unescape_value(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(at) = memchr(b'\\', rest) {
        let is_escape = rest.get(at + 1).is_some_and(|byte| b"\"\\]".contains(byte));
        out.extend_from_slice(&rest[..at]);
        out.push(if is_escape { rest[at + 1] } else { b'\\' });
        rest = &rest[at + 1 + usize::from(is_escape)..];
    }
    out.extend_from_slice(rest);
}

fn clean(raw: &[u8]) -> String {
    let mut clean = String::new();
    clean_into(raw, &mut clean);
    clean
}
