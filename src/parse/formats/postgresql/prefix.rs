//! What `log_line_prefix` puts before a line of PostgreSQL.

use std::net::IpAddr;

use memchr::{memchr, memchr_iter};

use crate::model::LevelWords;
use crate::parse::fields::Fields;
use crate::parse::formats::elements::{capital_level, number};
use crate::parse::timestamp::{is_blank, is_digit, is_word};

/// Whether a prefix shows a process in brackets, `name=value` or `user@database`.
pub(super) fn is_sure(prefix: &[u8]) -> bool {
    is_very_sure(prefix) || groups(prefix).any(|group| group.iter().all(|byte| is_digit(*byte)))
}

/// Whether it shows more than a process.
pub(super) fn is_very_sure(prefix: &[u8]) -> bool {
    prefix.contains(&b'@')
        || groups(prefix).any(|group| pair(group).is_some() || is_session(group))
        || memchr_iter(b'=', prefix).any(|at| key(name_before(prefix, at)).is_some())
}

/// Whether it holds what other programs put there: a level, or `program[7]:` of syslog.
pub(super) fn is_of_others(prefix: &[u8]) -> bool {
    prefix.split(|byte| is_blank(*byte)).any(|word| {
        let inner = word.strip_prefix(b"[").and_then(|word| word.strip_suffix(b"]"));
        let is_level = capital_level(inner.unwrap_or(word), &LevelWords::NONE)
            .is_ok_and(|(rest, _)| rest.is_empty());
        let name = word.iter().take_while(|byte| is_word(**byte) || b"-./".contains(byte)).count();
        is_level || name > 0 && word[name..].starts_with(b"[") && word.ends_with(b"]:")
    })
}

/// How many words it has.
pub(super) fn words(prefix: &[u8]) -> usize {
    prefix.split(|byte| is_blank(*byte)).filter(|word| !word.is_empty()).count()
}

/// Adds what a prefix says.
pub(super) fn push(prefix: &[u8], fields: &mut Fields) {
    for at in memchr_iter(b'=', prefix) {
        push_pair(name_before(prefix, at), value(&prefix[at + 1..]), fields);
    }
    let is_number = |text: &[u8]| !text.is_empty() && text.iter().all(|byte| is_digit(*byte));
    let process = groups(prefix).find(|group| is_number(group));
    fields.push_number("pid", process.unwrap_or_default());
    for group in groups(prefix) {
        if let Some((first, second)) = pair(group) {
            // `[%p-%l]`, or `[%l-1]` where the process stands elsewhere.
            let line = if fields.as_map().contains_key("pid") { first } else { second };
            fields.push_number("pid", first);
            fields.push_number("session_line", line);
        } else if is_session(group) {
            fields.push("session", group);
        }
    }
    let mut words = prefix.split(|byte| is_blank(*byte));
    fields.push_number("pid", words.find(|word| is_number(word)).unwrap_or_default());
    push_user_and_database(prefix, fields);
    push_client(prefix, fields);
}

/// What stands in brackets.
fn groups(prefix: &[u8]) -> impl Iterator<Item = &[u8]> {
    memchr_iter(b'[', prefix).filter_map(|at| {
        let group = &prefix[at + 1..];
        Some(&group[..memchr(b']', group)?])
    })
}

/// `121-1`
fn pair(group: &[u8]) -> Option<(&[u8], &[u8])> {
    let (rest, first) = number(group).ok()?;
    let (rest, second) = number(rest.strip_prefix(b"-")?).ok()?;
    rest.is_empty().then_some((first, second))
}

/// `6383b33a.258`
fn is_session(group: &[u8]) -> bool {
    let mut parts = group.split(|byte| *byte == b'.');
    let mut is_hexadecimal = || {
        parts.next().is_some_and(|part| !part.is_empty() && part.iter().all(u8::is_ascii_hexdigit))
    };
    is_hexadecimal() && is_hexadecimal() && parts.next().is_none()
}

/// The name before the equals sign that stands there.
fn name_before(prefix: &[u8], at: usize) -> &[u8] {
    let name = &prefix[..at];
    let length = name.iter().rev().take_while(|byte| is_word(**byte)).count();
    &name[name.len() - length..]
}

/// The value at the start: to a comma, a bracket, or a blank behind which something else begins,
/// as names of applications may hold blanks.
fn value(input: &[u8]) -> &[u8] {
    if input.starts_with(b"[") {
        return memchr(b']', input).map_or(b"", |end| &input[..=end]);
    }
    let begins = |rest: &[u8]| {
        let name = rest.iter().take_while(|byte| is_word(**byte)).count();
        rest.is_empty() || rest.starts_with(b"[") || name > 0 && rest[name..].starts_with(b"=")
    };
    let end = input.iter().enumerate().position(|(at, byte)| match byte {
        b',' | b']' => true,
        b' ' => begins(&input[at + 1..]),
        _ => false,
    });
    let value = &input[..end.unwrap_or(input.len())];
    value.strip_suffix(b":").unwrap_or(value)
}

/// The field that a name in a prefix means.
fn key(name: &[u8]) -> Option<&'static str> {
    Some(match name {
        b"user" | b"usr" | b"u" => "user",
        b"db" | b"database" | b"d" => "database",
        b"app" | b"application" | b"application_name" | b"a" => "application",
        b"client" | b"host" | b"remote" | b"h" | b"r" => "client",
        b"pid" | b"p" => "pid",
        b"line" | b"l" => "session_line",
        b"session" | b"s" => "session",
        b"queryid" | b"query_id" => "query_id",
        _ => return None,
    })
}

fn push_pair(name: &[u8], value: &[u8], fields: &mut Fields) {
    if value == b"[unknown]" {
        return;
    }
    match key(name) {
        Some("client") => fields.push("client", without_port(value)),
        Some(name @ ("pid" | "session_line" | "query_id")) => fields.push_number(name, value),
        Some(name) => fields.push(name, value),
        None => fields.push(str::from_utf8(name).unwrap_or_default(), value),
    }
}

/// `192.0.2.1` of `192.0.2.1(4711)`.
fn without_port(client: &[u8]) -> &[u8] {
    &client[..memchr(b'(', client).unwrap_or(client.len())]
}

/// `user@database`, which no colon or bracket can belong to.
fn push_user_and_database(prefix: &[u8], fields: &mut Fields) {
    let Some(at) = memchr(b'@', prefix) else { return };
    let is_part = |byte: &&u8| !b" \t:,[]=<>".contains(*byte);
    let (before, behind) = (&prefix[..at], &prefix[at + 1..]);
    let user = before.iter().rev().take_while(is_part).count();
    let database = behind.iter().take_while(is_part).count();
    let user = &before[before.len() - user..];
    fields.push("user", user);
    fields.push("database", &behind[..database]);
}

/// `192.0.2.1(4711)` or `[local]`.
fn push_client(prefix: &[u8], fields: &mut Fields) {
    for at in memchr_iter(b'(', prefix) {
        let is_port = number(&prefix[at + 1..]).is_ok_and(|(rest, _)| rest.starts_with(b")"));
        let is_of_host = |byte: &&u8| is_word(**byte) || b".:-".contains(*byte);
        let length = prefix[..at].iter().rev().take_while(is_of_host).count();
        let host = &prefix[at - length..at];
        let is_address = str::from_utf8(host).is_ok_and(|host| host.parse::<IpAddr>().is_ok());
        let host = if is_address { host } else { host.strip_prefix(b":").unwrap_or(host) };
        if is_port {
            fields.push("client", host);
        }
    }
    if groups(prefix).any(|group| group == b"local") {
        fields.push("client", b"[local]");
    }
}
