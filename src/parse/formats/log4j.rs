//! The lines of log4j, Logback, Spring Boot, Python's logging and all that look like them.
//!
//! ```text
//! record   = [file blank] ["["] time ["]"] *before level *behind message
//! before   = pid / "[" text "]" / name / separator      ; at most four of them
//! behind   = ["[" thread "]"] [pid] ["---" "[" thread "]"] [logger ":"] / separator
//! ```
//!
//! A time at the start, and a level behind it: in capitals, in brackets, or right behind the time.
//! The logger is a name with parts (`org.example.Shop`, `shop::cart`) and a colon or a dash
//! behind it; what has none of these belongs to the message.
//!
//! ```text
//! 2026-01-31 15:04:05,250 INFO  [main] org.example.Shop: message          ; log4j
//! 2026-01-31 15:04:05.250  INFO 1234 --- [main] org.example.Shop : message ; Spring Boot
//! 26/01/31 15:04:05 INFO shop.Cart: message                                ; Spark, HDFS
//! [2026-01-31T15:04:05.250+01:00] shop.ERROR: message {} []                ; Monolog
//! 2026-01-31 15:04:05,250 - shop.cart - INFO - message                     ; Python
//! shop.log 2026-01-31 15:04:05.250 1234 INFO shop.cart [req-1 - -] message ; OpenStack
//! ```
//!
//! Source: the manuals of log4j 2 ("Pattern Layout"), Logback ("Layouts"), Spring Boot
//! ("Logging"), Python ("logging") and oslo.log.
//!
//! Fields: `logger`, `thread`, `pid`.

use nom::Parser;
use nom::bytes::complete::take_while1;

use super::elements::{
    after_word, any_level, before, capital_level, group, is_qualified, name, number, skip_blanks,
};
use super::{Record, Text};
use crate::model::{Level, LevelWords};
use crate::parse::fields::Fields;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::{is_blank, timestamp_or_clock};

/// How many things may stand between the time and the level.
const MAX_BEFORE_LEVEL: usize = 4;
/// How long the name of a file before the time may be.
const MAX_FILE_BYTES: usize = 100;
/// How long the name of a logger may be, with what pads it.
const MAX_LOGGER_BYTES: usize = 200;

/// A line taken apart.
#[derive(Default)]
struct Parts<'a> {
    time: Option<WrittenTime>,
    written_at: &'a [u8],
    level: Option<Level>,
    logger: &'a [u8],
    thread: &'a [u8],
    pid: &'a [u8],
    message: &'a [u8],
}

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record<'a>(line: &'a [u8], words: &LevelWords) -> Option<Record<'a>> {
    let Parts { time, written_at, level, message, .. } = parts(line, words)?;
    Some(Record { time, written_at, level, message: Text::Line(message) })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], words: &LevelWords, fields: &mut Fields) {
    let Some(parts) = parts(line, words) else { return };
    fields.push("logger", parts.logger);
    fields.push("thread", parts.thread);
    fields.push_number("pid", parts.pid);
}

fn parts<'a>(line: &'a [u8], words: &LevelWords) -> Option<Parts<'a>> {
    let mut parts = Parts::default();
    let rest = time(line, &mut parts).or_else(|| {
        let rest = after_word(line, MAX_FILE_BYTES)?;
        let file = before(line, rest);
        let is_file = file.first()?.is_ascii_alphanumeric() && file.contains(&b'.');
        if is_file { time(rest, &mut parts) } else { None }
    })?;
    let rest = level(rest, words, &mut parts)?;
    parts.message = behind_level(rest, &mut parts);
    Some(parts)
}

/// The time, with a bracket or without; returns what follows.
fn time<'a>(line: &'a [u8], parts: &mut Parts<'a>) -> Option<&'a [u8]> {
    let opened = line.strip_prefix(b"[");
    let start = opened.unwrap_or(line);
    let (rest, time) = timestamp_or_clock(start).ok()?;
    parts.time = Some(time);
    parts.written_at = before(start, rest);
    if opened.is_some() { skip_blanks(rest).strip_prefix(b"]") } else { Some(rest) }
}

/// What stands between two things.
fn skip_separators(input: &[u8]) -> &[u8] {
    let is_separator = |byte: &u8| is_blank(*byte) || b"-|:,".contains(byte);
    &input[input.iter().take_while(|byte| is_separator(byte)).count()..]
}

/// The level, and what stands before it; returns what follows.
fn level<'a>(input: &'a [u8], words: &LevelWords, parts: &mut Parts<'a>) -> Option<&'a [u8]> {
    let mut rest = skip_separators(input);
    let mut count = 0;
    // Right behind the time a level may be in any case.
    if let Ok((after, level)) = any_level(rest, words)
        && ends_word(after)
    {
        parts.level = Some(level);
        return Some(after);
    }
    for _ in 0..=MAX_BEFORE_LEVEL {
        if let Ok((after, inner)) = group(rest) {
            match any_level(inner.trim_ascii(), words) {
                Ok(([], level)) => {
                    parts.level = Some(level);
                    return Some(after);
                }
                _ => parts.thread = inner,
            }
            rest = skip_separators(after);
            continue;
        }
        if let Ok((after, level)) = capital_level(rest, words)
            && ends_word(after)
        {
            parts.level = Some(level);
            return Some(after);
        }
        let is_part = |byte: u8| byte.is_ascii_graphic() && !b"|,[]\"'={}".contains(&byte);
        let (after, word) = take_while1::<_, _, ()>(is_part).parse(rest).ok()?;
        if let Some((channel, level)) = channel_and_level(word, words) {
            (parts.logger, parts.level) = (channel, Some(level));
            return Some(after);
        }
        if word.iter().all(u8::is_ascii_digit) {
            parts.pid = word;
        } else {
            parts.logger = word.strip_suffix(b":").unwrap_or(word);
        }
        rest = skip_separators(after);
        // More than one word with nothing but blanks behind it is a sentence.
        let is_marked = word.ends_with(b":") || !skip_blanks(after).starts_with(rest);
        count += usize::from(!is_marked && parts.logger == word);
        if count > 1 {
            return None;
        }
    }
    None
}

/// `channel.ERROR:`, as PHP's Monolog writes it.
fn channel_and_level<'a>(word: &'a [u8], words: &LevelWords) -> Option<(&'a [u8], Level)> {
    let word = word.strip_suffix(b":")?;
    let dot = word.iter().rposition(|byte| *byte == b'.')?;
    match capital_level(&word[dot + 1..], words) {
        Ok(([], level)) => Some((&word[..dot], level)),
        _ => None,
    }
}

/// Whether a word ends here.
fn ends_word(rest: &[u8]) -> bool {
    rest.first().is_none_or(|byte| !byte.is_ascii_alphanumeric() && !b"_./=(".contains(byte))
}

/// Takes what stands between the level and the message, which it returns.
fn behind_level<'a>(input: &'a [u8], parts: &mut Parts<'a>) -> &'a [u8] {
    // `INFO[1638]`, `INFO (4)`: a number of a thread or of the level.
    let mut rest = input;
    if let Ok((after, inner)) = group(rest)
        && inner.iter().all(u8::is_ascii_digit)
    {
        parts.pid = inner;
        rest = after;
    }
    rest = skip_marks(rest);
    if let Ok((after, pid)) = number(rest)
        && let Some(after) = skip_blanks(after).strip_prefix(b"--- ")
    {
        parts.pid = pid;
        rest = skip_blanks(after);
        if let Some(after) = spring(rest, parts) {
            return after;
        }
    }
    if let Some(after) = thread_and_logger(rest, parts) {
        return after;
    }
    logger(rest, parts).unwrap_or(rest)
}

/// `[application] [thread] logger : `; the logger was shortened and padded, and may have brackets.
fn spring<'a>(input: &'a [u8], parts: &mut Parts<'a>) -> Option<&'a [u8]> {
    let mut rest = input;
    while let Ok((after, inner)) = group(rest) {
        parts.thread = inner.trim_ascii();
        rest = skip_blanks(after);
    }
    let limit = rest.len().min(MAX_LOGGER_BYTES);
    let end = memchr::memmem::find(&rest[..limit], b" : ")?;
    parts.logger = rest[..end].trim_ascii_end();
    Some(skip_blanks(&rest[end + 3..]))
}

/// `[thread] logger: ` or `[place] - `.
fn thread_and_logger<'a>(input: &'a [u8], parts: &mut Parts<'a>) -> Option<&'a [u8]> {
    let (after, thread) = group(input).ok()?;
    let after = skip_blanks(after);
    let message = match after.strip_prefix(b"- ") {
        Some(message) => skip_blanks(message),
        None => logger(after, parts)?,
    };
    parts.thread = thread.trim_ascii();
    Some(message)
}

/// `logger: `, `logger - ` or `logger [request] `.
fn logger<'a>(input: &'a [u8], parts: &mut Parts<'a>) -> Option<&'a [u8]> {
    let (after, name) = name(input).ok().filter(|(_, name)| is_qualified(name))?;
    let message = match after {
        [b':'] => &after[1..],
        [b':', b' ' | b'\t', ..] => skip_blanks(&after[1..]),
        _ => {
            let after = skip_blanks(after);
            match after {
                [b':' | b'-' | b'|', b' ', rest @ ..] => skip_blanks(rest),
                [b'[', b'r' | b'-', ..] => {
                    let (rest, request) = group(after).ok()?;
                    if request != b"-" && !request.starts_with(b"req-") {
                        return None;
                    }
                    parts.thread = request;
                    skip_blanks(rest)
                }
                _ => return None,
            }
        }
    };
    parts.logger = name;
    Some(message)
}

/// Blanks and one mark between the level and what follows.
fn skip_marks(input: &[u8]) -> &[u8] {
    let rest = skip_blanks(input);
    let marked = match rest {
        [b':', b':', rest @ ..] | [b':' | b'|', rest @ ..] | [b'-', b' ', rest @ ..] => Some(rest),
        _ => None,
    };
    skip_blanks(marked.unwrap_or(rest))
}
