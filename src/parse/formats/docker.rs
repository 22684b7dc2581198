//! The json-file log of Docker: a line of a container's output in a JSON object.
//!
//! ```text
//! record = an object with "log", and perhaps "stream", "time", "attrs", and nothing else
//! log    = text [[CR] LF]      ; without the line end, the rest of the line follows
//! ```
//!
//! The text is a line of another format; see [`crate::parse::container`]. A line that is longer
//! than 16 KiB is split.
//!
//! Fields: `stream`; `attrs`, which are labels and environment of the container.
//!
//! Source: <https://docs.docker.com/engine/logging/drivers/json-file/>.

use serde_json::Value;

use super::members::{End, Json, Members, unescape_into};
use super::{Piece, Stream, Text, keys};
use crate::parse::fields::Fields;

/// Reads a line of the log; a text with escapes goes into `room`.
pub(super) fn piece<'a>(line: &'a [u8], room: &mut Vec<u8>) -> Option<Piece<'a>> {
    let mut members = Members::of(line)?;
    let (mut log, mut time, mut written_at) = (None, None, &b""[..]);
    let mut stream = Stream::Stdout;
    for (key, value) in members.by_ref() {
        match (key, value) {
            (b"log", Json::Text(text)) => log = Some(text),
            (b"stream", Json::Text(text)) => stream = Stream::named(text)?,
            (b"time", Json::Text(text)) => {
                time = keys::time(text);
                written_at = if time.is_some() { text } else { b"" };
            }
            (b"attrs", Json::Object(_)) => {}
            _ => return None,
        }
    }
    let is_cut = match members.end() {
        End::Closed(rest) if rest.trim_ascii().is_empty() => false,
        End::Cut => true,
        End::Closed(_) | End::Malformed => return None,
    };
    let (text, is_ended) = line_of(log?, room);
    Some(Piece { time, written_at, stream, text, is_split: !is_ended && !is_cut })
}

/// The text without its line end, and whether it has one.
fn line_of<'a>(raw: &'a [u8], room: &mut Vec<u8>) -> (Text<'a>, bool) {
    match memchr::memchr(b'\\', raw) {
        None => return (Text::Line(raw), false),
        Some(at) if &raw[at..] == b"\\n" => return (Text::Line(&raw[..at]), true),
        Some(_) => {}
    }
    room.clear();
    unescape_into(raw, room);
    let is_ended = room.pop_if(|byte| *byte == b'\n').is_some();
    if is_ended {
        room.pop_if(|byte| *byte == b'\r');
    }
    (Text::Unescaped, is_ended)
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], fields: &mut Fields) {
    for (key, value) in Members::of(line).into_iter().flatten() {
        match (key, value) {
            (b"stream", value) => fields.push("stream", value.raw()),
            (b"attrs", value) => {
                let attrs: Result<Value, _> = serde_json::from_slice(value.raw());
                if let Ok(attrs) = attrs {
                    fields.push_value("attrs", attrs);
                }
            }
            _ => {}
        }
    }
}
