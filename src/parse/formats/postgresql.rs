//! The server log of PostgreSQL, as it is written to stderr.
//!
//! ```text
//! record   = ["<" / "["] *blank time prefix severity ":" 1*2SP message
//! time     = YYYY-MM-DD SP hh:mm:ss[.ms] [SP zone] / 10digit "." ms
//! prefix   = what log_line_prefix says, at most 400 bytes
//! severity = "LOG" / "ERROR" / "FATAL" / "PANIC" / "WARNING" / "NOTICE" / "INFO" / "DEBUG"
//! ```
//!
//! ```text
//! 2026-01-31 15:04:05.250 CET [123] shop@orders LOG:  message
//! 2026-01-31 15:04:05 UTC [123]: [1-1] user=shop,db=orders,app=psql,client=192.0.2.1 LOG:  message
//! 2026-01-31 15:04:05 UTC:192.0.2.1(4711):shop@orders:[123]:LOG:  message
//! < 2026-01-31 15:04:05.250 -03 >LOG:  message
//! ```
//!
//! The prefix can be nearly anything, so what can be told from it decides, and PostgreSQL writes
//! two blanks. With them, LOG, ERROR, FATAL and PANIC need nothing or a few words before them; the
//! others need a process in brackets, `name=value` or `user@database`. Where a blank was lost, the
//! time must have a zone as well, as PostgreSQL's always has, and the words that other programs use
//! need more than a process.
//!
//! DETAIL, HINT, QUERY, CONTEXT, STATEMENT, LOCATION and BACKTRACE with such a prefix are further
//! lines of the entry before them, see [`continues`].
//!
//! Source: <https://www.postgresql.org/docs/current/runtime-config-logging.html>.
//!
//! Fields: `pid`, `user`, `database`, `client`, `application`, `session`, `session_line`,
//! `query_id`, and further `name=value` of the prefix under their own names.

mod prefix;

use memchr::memchr_iter;
use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::take_while_m_n;
use nom::combinator::{not, peek};

use super::elements::{before, capital_level, skip_blanks};
use super::{Record, Text};
use crate::model::{Level, LevelWords};
use crate::parse::fields::Fields;
use crate::parse::levels;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::{epoch, is_blank, is_word, iso, offset};

/// How long the prefix may be.
const MAX_PREFIX_BYTES: usize = 400;
/// How many words may stand between the time and the severity where nothing else tells.
const MAX_PLAIN_WORDS: usize = 3;

/// Severities that start an entry and are hardly written so by other programs.
const OWN: [&[u8]; 4] = [b"LOG", b"ERROR", b"FATAL", b"PANIC"];
/// Severities that start an entry.
const OTHER: [&[u8]; 9] = [
    b"WARNING", b"NOTICE", b"INFO", b"DEBUG", b"DEBUG1", b"DEBUG2", b"DEBUG3", b"DEBUG4", b"DEBUG5",
];
/// What goes on with an entry.
const FURTHER: [&[u8]; 7] =
    [b"DETAIL", b"HINT", b"QUERY", b"CONTEXT", b"STATEMENT", b"LOCATION", b"BACKTRACE"];

/// A line taken apart.
struct Parts<'a> {
    time: WrittenTime,
    written_at: &'a [u8],
    prefix: &'a [u8],
    word: &'a [u8],
    message: &'a [u8],
}

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record<'a>(line: &'a [u8], words: &LevelWords) -> Option<Record<'a>> {
    let Parts { time, written_at, word, message, .. } = parts(line)?;
    let level = levels::level(word, words)?;
    Some(Record { time: Some(time), written_at, level: Some(level), message: Text::Line(message) })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], fields: &mut Fields) {
    if let Some(parts) = parts(line) {
        prefix::push(parts.prefix, fields);
    }
}

/// Reads a line without a time, as it is written to syslog: its prefix, level and message; `None`
/// if it starts no entry.
pub(super) fn undated<'a>(
    line: &'a [u8],
    words: &LevelWords,
) -> Option<(&'a [u8], Level, &'a [u8])> {
    let start = line.iter().take_while(|byte| byte.is_ascii_uppercase() || byte.is_ascii_digit());
    let end = start.count();
    let (prefix, word, message) = match line.get(end..)?.strip_prefix(b":") {
        Some(message) => (&b""[..], &line[..end], message),
        None => severity(line)?,
    };
    let is_entry = OWN.contains(&word) || OTHER.contains(&word);
    let level = levels::level(word, words).filter(|_| is_entry)?;
    Some((prefix, level, message.strip_prefix(b"  ")?))
}

/// What a prefix says.
pub(super) fn prefix_fields(prefix: &[u8], fields: &mut Fields) {
    prefix::push(prefix, fields);
}

/// Whether a line has all that a line of PostgreSQL has, but goes on with the entry before it.
pub(in crate::parse) fn continues(line: &[u8]) -> bool {
    parts(line).is_some_and(|parts| FURTHER.contains(&parts.word))
}

fn parts(line: &[u8]) -> Option<Parts<'_>> {
    let start = match line.first()? {
        b'<' | b'[' => skip_blanks(&line[1..]),
        _ => line,
    };
    let (rest, time) = alt((iso, epoch)).parse(start).ok()?;
    let is_iso = start.get(4) == Some(&b'-');
    if is_iso && start.get(10) != Some(&b' ') {
        return None;
    }
    let (rest, time) = further_zone(rest, time);
    let written_at = before(start, rest);
    let has_zone = !is_iso || memchr_iter(b' ', written_at).count() > 1;
    let (prefix, word, message) = severity(rest)?;
    let blanks = message.iter().take(2).take_while(|byte| **byte == b' ').count();
    let is_right = match (blanks, FURTHER.contains(&word) || OWN.contains(&word)) {
        (2, true) => prefix::is_sure(prefix) || prefix::words(prefix) <= MAX_PLAIN_WORDS,
        (2, false) => prefix::is_sure(prefix),
        (_, true) => has_zone && prefix::is_sure(prefix),
        (_, false) => has_zone && prefix::is_very_sure(prefix),
    };
    (is_right && !prefix::is_of_others(prefix)).then(|| Parts {
        time,
        written_at,
        prefix,
        word,
        message: &message[blanks..],
    })
}

/// A zone that is not known elsewhere: hours alone, as PostgreSQL writes zones without a name, or
/// an abbreviation that means several things and is taken for none.
fn further_zone(rest: &[u8], time: WrittenTime) -> (&[u8], WrittenTime) {
    let none = (rest, time);
    let Some(zone) = rest.strip_prefix(b" ") else { return none };
    let end = || not(peek(take_while_m_n(1, 1, is_word)));
    if let Ok((rest, (seconds_east, ()))) = (offset, end()).parse(zone) {
        return (rest, time.east_of_utc(seconds_east));
    }
    let letters = zone.iter().take_while(|byte| byte.is_ascii_uppercase()).count();
    let (name, rest) = zone.split_at(letters);
    let ends = rest.first().is_some_and(|byte| is_blank(*byte) || b":]>".contains(byte));
    let is_name = (2..=5).contains(&letters) && capital_level(name, &LevelWords::NONE).is_err();
    let is_further = rest.starts_with(b":") && is_severity(name);
    if ends && is_name && !is_further { (rest, time) } else { none }
}

/// The first severity with its colon and a blank: the prefix, the word, and what follows.
fn severity(rest: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let start = &rest[..rest.len().min(MAX_PREFIX_BYTES)];
    memchr_iter(b':', start).find_map(|colon| {
        let behind = &rest[colon + 1..];
        let is_part = |byte: &&u8| byte.is_ascii_uppercase() || byte.is_ascii_digit();
        let length = rest[..colon].iter().rev().take(10).take_while(is_part).count();
        let (prefix, word) = rest[..colon].split_at(colon - length);
        let is_border = prefix.last().is_some_and(|byte| b" \t:]>),".contains(byte));
        let ends = behind.first().is_none_or(|byte| *byte == b' ');
        (is_border && ends && is_severity(word)).then_some((prefix, word, behind))
    })
}

fn is_severity(word: &[u8]) -> bool {
    OWN.contains(&word) || OTHER.contains(&word) || FURTHER.contains(&word)
}
