//! One JSON object a line, as most loggers can write it.
//!
//! ```text
//! record    = *blank [container *blank "|" *blank] object [","] *blank
//! container = 1*(letter / digit / "." / "_" / "-")      ; as `docker compose logs` writes it
//! object    = that of RFC 8259; the line may end within it
//! ```
//!
//! Time, level and message are found by their names ([`keys::role`]): those of bunyan, pino, zap,
//! logrus, slog, Serilog, structlog, log4j, Logback, Monolog, the Elastic Common Schema, the
//! journal, Google Cloud, MongoDB, OpenTelemetry, PostgreSQL and others. They may also stand one
//! level deeper, in [`CONTAINERS`], where they count less than those outside: `fields` of Rust's
//! tracing, `log` of Elastic, `record` of CloudNativePG and loguru, `jsonPayload` of Google. A
//! time may be an object itself, as `{"$date": ...}` of MongoDB, and so may be a level. One of
//! the three must be there; where the line is cut, time or level. Where no message is, it is
//! the whole object.
//!
//! Fields: all other keys, as they stand there. `container`.
//!
//! Source: RFC 8259.

use nom::Parser;
use nom::bytes::complete::take_while_m_n;
use nom::character::complete::char;
use nom::combinator::opt;
use nom::sequence::terminated;
use serde_json::{Map, Value};

use super::keys::{self, Role, Scale};
use super::members::{End, Json, Members, skip_space, unescape_into};
use super::{Record, Scratch, Text};
use crate::model::{Level, LevelWords};
use crate::parse::fields::Fields;
use crate::parse::local_time::WrittenTime;
use crate::parse::text::clean_into;
use crate::parse::timestamp::{Parsed, blanks, is_word};

/// Objects in which time, level and message are looked for as well.
const CONTAINERS: [&[u8]; 10] = [
    b"fields",
    b"@fields",
    b"log",
    b"record",
    b"jsonPayload",
    b"body",
    b"message",
    b"msg",
    b"error",
    b"err",
];
/// How much less the members of those count.
const INNER_RANK: u8 = 4;
/// The rank of a message that is an object.
const OBJECT_RANK: u8 = 6;
/// The rank of what CloudNativePG writes where the message is in its `record`.
const PLACEHOLDER_RANK: u8 = 9;

/// What was found, each with its rank and where it stands.
struct Parts<'a> {
    container: &'a [u8],
    object: &'a [u8],
    time: Option<(u8, WrittenTime, &'a [u8])>,
    level: Option<(u8, Level, &'a [u8])>,
    message: Option<(u8, Json<'a>)>,
    /// What the number of the level means if it is one of Nextcloud, which has a `reqId`.
    nextcloud_level: Option<Level>,
    is_nextcloud: bool,
}

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record<'a>(
    line: &'a [u8],
    words: &LevelWords,
    scratch: &mut Scratch,
) -> Option<Record<'a>> {
    let parts = parts(line, words, &mut scratch.text)?;
    let (time, written_at) = match parts.time {
        Some((_, time, written_at)) => (Some(time), written_at),
        None => (None, &b""[..]),
    };
    let level = parts.level.map(|(_, level, _)| level);
    let level = parts.nextcloud_level.filter(|_| parts.is_nextcloud).or(level);
    let message = match parts.message {
        Some((_, message)) => unescaped(message, &mut scratch.text),
        None => Text::Line(parts.object),
    };
    Some(Record { time, written_at, level, message })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], words: &LevelWords, fields: &mut Fields) {
    let Some(parts) = parts(line, words, &mut Vec::new()) else { return };
    fields.push("container", parts.container);
    let used = [
        parts.time.map(|(_, _, text)| text),
        parts.level.map(|(_, _, text)| text),
        parts.message.map(|(_, message)| message.raw()),
    ];
    for (key, value) in Members::of(parts.object).into_iter().flatten() {
        if let Some(value) = field(key, value, &used) {
            fields.push_value(&clean(key), value);
        }
    }
}

fn parts<'a>(line: &'a [u8], words: &LevelWords, room: &mut Vec<u8>) -> Option<Parts<'a>> {
    let line = skip_space(line);
    let (object, container) = match line.first()? {
        b'{' => (line, None),
        _ => opt(container).parse(line).ok()?,
    };
    let mut members = Members::of(object)?;
    let container = container.unwrap_or_default();
    let mut parts = Parts {
        container,
        object,
        time: None,
        level: None,
        message: None,
        nextcloud_level: None,
        is_nextcloud: false,
    };
    parts.find(&mut members, 0, words, room);
    let is_dated = parts.time.is_some() || parts.level.is_some();
    let is_record = match members.end() {
        End::Closed(rest) => {
            let rest = rest.trim_ascii();
            parts.object = parts.object.trim_ascii_end();
            (rest.is_empty() || rest == b",") && (is_dated || parts.message.is_some())
        }
        End::Cut => is_dated,
        End::Malformed => false,
    };
    is_record.then_some(parts)
}

/// `web-1  | `
pub(super) fn container(input: &[u8]) -> Parsed<'_, &[u8]> {
    let name = take_while_m_n(1, 100, |byte| is_word(byte) || b".-".contains(&byte));
    terminated(name, (blanks, char('|'), blanks)).parse(input)
}

impl<'a> Parts<'a> {
    fn find(
        &mut self,
        members: &mut Members<'a>,
        penalty: u8,
        words: &LevelWords,
        room: &mut Vec<u8>,
    ) {
        for (key, value) in members {
            if let Some((role, rank)) = keys::role(key) {
                let rank = if rank == 0 { 0 } else { rank + penalty };
                self.take(role, rank, value, words, room);
            } else if key == b"reqId" {
                self.is_nextcloud = true;
            }
            if penalty == 0
                && let Json::Object(object) = value
                && CONTAINERS.contains(&key)
                && let Some(mut members) = Members::of(object)
            {
                self.find(&mut members, INNER_RANK, words, room);
            }
        }
    }

    /// Takes a value for what it is, unless a better one was found.
    fn take(
        &mut self,
        role: Role,
        rank: u8,
        value: Json<'a>,
        words: &LevelWords,
        room: &mut Vec<u8>,
    ) {
        match role {
            Role::Time if self.time.is_none_or(|(found, ..)| rank < found) => {
                let time = time(value, room);
                self.time = time.map(|(time, text)| (rank, time, text)).or(self.time);
            }
            Role::Level(scale) if self.level.is_none_or(|(found, ..)| rank < found) => {
                let Some(text) = inner(value, &[b"name"]) else { return };
                let Some(level) = keys::level(scale, plain(text, room), words) else { return };
                self.level = Some((rank, level, text));
                let nextcloud =
                    (scale == Scale::Usual).then(|| keys::level(Scale::Five, text, words));
                self.nextcloud_level = nextcloud.flatten();
            }
            Role::Message => {
                let rank = match value {
                    Json::Text(b"") | Json::Bare(b"null") => return,
                    Json::Text(b"record") => PLACEHOLDER_RANK,
                    Json::Object(_) | Json::Array(_) | Json::Bare(_) if rank > 1 => return,
                    Json::Object(_) => OBJECT_RANK,
                    Json::Text(_) | Json::Array(_) | Json::Bare(_) => rank,
                };
                if self.message.is_none_or(|(found, _)| rank < found) {
                    self.message = Some((rank, value));
                }
            }
            Role::Time | Role::Level(_) => {}
        }
    }
}

/// A time, and how it stands there.
fn time<'a>(value: Json<'a>, room: &mut Vec<u8>) -> Option<(WrittenTime, &'a [u8])> {
    // MongoDB; log4j and Google; Monolog; loguru.
    const NAMES: [&[u8]; 5] = [b"$date", b"epochSecond", b"seconds", b"date", b"timestamp"];
    let text = inner(value, &NAMES)?;
    let time = keys::time(plain(text, room))?;
    let Some(nanos) = inner_number(value, &[b"nanoOfSecond", b"nanos"]) else {
        return Some((time, text));
    };
    let seconds = str::from_utf8(text).ok()?.parse().ok()?;
    Some((WrittenTime::of_instant(seconds, nanos / 1000), text))
}

fn inner_number(value: Json<'_>, names: &[&[u8]]) -> Option<u32> {
    let Json::Object(_) = value else { return None };
    let nanos = str::from_utf8(inner(value, names)?).ok()?.parse().ok()?;
    (nanos < 1_000_000_000).then_some(nanos)
}

/// A text or a number; of an object, the first that has one of these names.
fn inner<'a>(value: Json<'a>, names: &[&[u8]]) -> Option<&'a [u8]> {
    let value = match value {
        Json::Object(object) => {
            Members::of(object)?.find(|(key, _)| names.contains(key)).map(|(_, value)| value)?
        }
        value => value,
    };
    match value {
        Json::Text(text) | Json::Bare(text) => Some(text),
        Json::Object(_) | Json::Array(_) => None,
    }
}

/// A word or a time without its escapes, and without a colour around it.
fn plain<'a>(raw: &'a [u8], room: &'a mut Vec<u8>) -> &'a [u8] {
    if !raw.contains(&b'\\') {
        return raw;
    }
    room.clear();
    unescape_into(raw, room);
    let mut plain = room.as_slice();
    while let Some(colour) = plain.strip_prefix(b"\x1b[") {
        let end = colour.iter().position(|byte| *byte == b'm');
        plain = end.map_or(&b""[..], |end| &colour[end + 1..]);
    }
    plain.split(|byte| *byte == 0x1B).next().unwrap_or_default()
}

/// A message without its escapes, and without line ends at its end. The journal writes one that
/// is not UTF-8 as an array of its bytes.
pub(super) fn unescaped<'a>(message: Json<'a>, room: &mut Vec<u8>) -> Text<'a> {
    room.clear();
    match message {
        Json::Text(raw) if raw.contains(&b'\\') => unescape_into(raw, room),
        Json::Array(raw) if bytes_into(raw, room).is_some() => {}
        message => return Text::Line(message.raw()),
    }
    drop_line_ends(room);
    Text::Unescaped
}

/// Drops the line ends at the end of a message.
pub(super) fn drop_line_ends(message: &mut Vec<u8>) {
    while message.pop_if(|byte| matches!(byte, b'\r' | b'\n')).is_some() {}
}

fn bytes_into(array: &[u8], out: &mut Vec<u8>) -> Option<()> {
    let array = array.strip_prefix(b"[")?;
    for number in array.strip_suffix(b"]").unwrap_or(array).split(|byte| *byte == b',') {
        out.push(str::from_utf8(number.trim_ascii()).ok()?.parse().ok()?);
    }
    Some(())
}

/// What is left of a member without what was used of it.
fn field(key: &[u8], value: Json<'_>, used: &[Option<&[u8]>]) -> Option<Value> {
    let is_used = |value: Json<'_>| {
        let place = value.raw().as_ptr_range();
        used.iter().flatten().any(|used| place.contains(&used.as_ptr()))
    };
    if !is_used(value) {
        return owned(value);
    }
    let Json::Object(object) = value else { return None };
    if !CONTAINERS.contains(&key) {
        return None;
    }
    let rest = Members::of(object)?.filter(|(_, value)| !is_used(*value));
    let rest = rest.filter_map(|(key, value)| Some((clean(key), owned(value)?)));
    let rest: Map<String, Value> = rest.collect();
    (!rest.is_empty()).then_some(Value::Object(rest))
}

fn owned(value: Json<'_>) -> Option<Value> {
    match value {
        Json::Text(b"") | Json::Bare(b"null") => None,
        Json::Text(raw) => Some(Value::String(clean(raw))),
        value => serde_json::from_str(&String::from_utf8_lossy(value.raw())).ok(),
    }
}

/// A name or a text without its escapes.
pub(super) fn clean(raw: &[u8]) -> String {
    let (mut text, mut clean) = (Vec::new(), String::new());
    unescape_into(raw, &mut text);
    clean_into(&text, &mut clean);
    clean
}
