//! The syslog of BSD (RFC 3164), as syslogd, rsyslog and syslog-ng write it to files.
//!
//! ```text
//! record   = [pri] time blanks ["<" facility "." severity ">" blanks] [host blanks] [tag] message
//! pri      = "<" 1*3digit ">"                     ; facility * 8 + severity
//! time     = Mmm d hh:mm:ss                       ; with a fraction or a year, or that of RFC 3339
//! tag      = program [blanks] ["[" pid "]"] ":" blanks
//! ```
//!
//! The time of RFC 3339 is rsyslog's `RSYSLOG_FileFormat`; other formats use it too, so that a
//! line with it must have host and tag. `<4.3>` and `<auth.info>` are written by BSD's syslogd -v.
//! Where no priority is written, as is usual, the level is the one that the message begins with
//! (`error: ...`), if it does. The message may be a record of another format: see [`inner`].
//!
//! Source: RFC 3164, section 4; rsyslog, "Templates".
//!
//! Fields: `host`, `program`, `pid`, those of the record within.

use memchr::memchr;
use nom::Parser;
use nom::character::complete::char;
use nom::combinator::{map_opt, opt};
use nom::sequence::delimited;

use super::elements::{before, leading_level, skip_blanks};
use super::{Record, Scratch, Text, elements, inner};
use crate::model::{Level, LevelWords};
use crate::parse::fields::Fields;
use crate::parse::levels;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::{Parsed, blanks1, iso, month_first, usual_syslog};

/// A line taken apart.
struct Parts<'a> {
    time: WrittenTime,
    written_at: &'a [u8],
    level: Option<Level>,
    host: Option<&'a [u8]>,
    program: &'a [u8],
    pid: &'a [u8],
    message: &'a [u8],
}

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record<'a>(
    line: &'a [u8],
    words: &LevelWords,
    scratch: &mut Scratch,
) -> Option<Record<'a>> {
    let Parts { time, written_at, level, message, .. } = parts(line, words)?;
    if let Some(record) = inner::record(message, words, scratch) {
        return Some(record.within(Some(time), written_at, level));
    }
    let level = level.or_else(|| leading_level(message, words));
    Some(Record { time: Some(time), written_at, level, message: Text::Line(message) })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], words: &LevelWords, fields: &mut Fields) {
    let Some(parts) = parts(line, words) else { return };
    fields.push("host", parts.host.unwrap_or_default());
    fields.push("program", parts.program);
    fields.push_number("pid", parts.pid);
    inner::fields(parts.message, words, fields);
}

fn parts<'a>(line: &'a [u8], words: &LevelWords) -> Option<Parts<'a>> {
    let (rest, pri) = opt(|input| pri(input, words)).parse(line).ok()?;
    let starts_with_digit = rest.first()?.is_ascii_digit();
    let (rest, (time, written_at)) = time(rest).ok()?;
    let rest = skip_blanks(rest);
    let (rest, severity) = opt(|input| severity(input, words)).parse(rest).ok()?;
    let (host, tagged) = host(skip_blanks(rest));
    let (program, pid, message) = match tag(tagged) {
        Some(tag) => tag,
        // Others write the time of RFC 3339, too.
        None if starts_with_digit => return None,
        None => (&b""[..], &b""[..], tagged),
    };
    if starts_with_digit && host.is_none_or(|host| levels::level(host, words).is_some()) {
        return None;
    }
    Some(Parts { time, written_at, level: pri.or(severity), host, program, pid, message })
}

/// `<34>`: the level of its severity.
pub(super) fn pri<'a>(input: &'a [u8], words: &LevelWords) -> Parsed<'a, Level> {
    map_opt(delimited(char('<'), elements::number, char('>')), |number: &[u8]| {
        let number: u16 = str::from_utf8(number).ok()?.parse().ok()?;
        (number < 192).then(|| levels::of_severity(number % 8, words))
    })
    .parse(input)
}

/// `<4.3>` or `<auth.info>`.
fn severity<'a>(input: &'a [u8], words: &LevelWords) -> Parsed<'a, Level> {
    let facility = (elements::word, char('.'));
    let severity = map_opt(elements::word, |word: &[u8]| match word {
        [digit @ b'0'..=b'7'] => Some(levels::of_severity(u16::from(digit - b'0'), words)),
        word => levels::level(word, words),
    });
    delimited((char('<'), facility), severity, char('>')).parse(input)
}

fn time(input: &[u8]) -> Parsed<'_, (WrittenTime, &[u8])> {
    if let Some((rest, time)) = usual_syslog(input) {
        return Ok((rest, (time, before(input, rest))));
    }
    let is_iso = input.first().is_some_and(u8::is_ascii_digit);
    let (rest, time) = if is_iso { iso(input)? } else { month_first(input)? };
    let written_at = before(input, rest);
    let is_right = if is_iso {
        written_at.get(10) == Some(&b'T')
    } else {
        // Java writes `Jan 31, 2026 3:04:05 PM`.
        memchr(b',', written_at).is_none()
    };
    let (end, _) = blanks1(rest)?;
    if is_right && !end.is_empty() {
        Ok((rest, (time, written_at)))
    } else {
        Err(nom::Err::Error(()))
    }
}

/// The host, where there is one, and what follows it: a tag may come at once.
fn host(input: &[u8]) -> (Option<&[u8]>, &[u8]) {
    let is_host = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(byte, b'.' | b'_' | b':' | b'-' | b'@' | b'%' | b'/' | b'+')
    };
    let end = memchr(b' ', input).unwrap_or(input.len());
    let (host, rest) = input.split_at(end);
    let rest = skip_blanks(rest);
    let is_tag = host.ends_with(b":") || host.contains(&b'[') || rest.starts_with(b"[");
    if host.is_empty() || rest.is_empty() || is_tag || !host.iter().all(is_host) {
        return (None, input);
    }
    (Some(host), rest)
}

/// `program[pid]: `, `program: `, `program 1.4.1: `: program, pid and message.
fn tag(input: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    // login(1) leaves its own name out before that of the user.
    let input = input.strip_prefix(b"-- ").unwrap_or(input);
    let is_part = |byte: &u8| {
        byte.is_ascii_alphanumeric()
            || matches!(
                byte,
                b'.' | b'_'
                    | b'/'
                    | b'('
                    | b')'
                    | b'-'
                    | b'+'
                    | b'@'
                    | b':'
                    | b'*'
                    | b'\\'
                    | b'#'
                    | b'%'
            )
    };
    let length = input.iter().take_while(|byte| is_part(byte)).count();
    // A colon ends the tag if a blank follows it.
    let (mut program, mut rest) = input.split_at(length);
    if let Some(colon) = (0..program.len()).find(|&at| {
        program[at] == b':' && input.get(at + 1).is_none_or(|byte| matches!(byte, b' ' | b'\t'))
    }) {
        (program, rest) = input.split_at(colon);
    }
    if program.is_empty() {
        return None;
    }
    if let Some(message) = rest.strip_prefix(b":") {
        return Some((program, b"", skip_blanks(message)));
    }
    let bracket = skip_blanks(rest);
    if let Ok((rest, pid)) = elements::group(bracket) {
        let pid_is_right = !pid.is_empty() && pid.iter().all(u8::is_ascii_alphanumeric);
        return match rest.strip_prefix(b":") {
            Some(message) if pid_is_right => Some((program, pid, skip_blanks(message))),
            _ => None,
        };
    }
    // syslogd itself writes its version.
    let version = bracket.iter().take_while(|byte| byte.is_ascii_digit() || **byte == b'.').count();
    let message = bracket[version..].strip_prefix(b":")?;
    (version > 0).then(|| (before(input, &bracket[version..]), &b""[..], skip_blanks(message)))
}
