//! The error log of nginx.
//!
//! ```text
//! record  = YYYY "/" MM "/" DD SP hh:mm:ss SP "[" level "]" SP pid "#" thread ":" SP
//!           ["*" connection SP] message
//! level   = "debug" / "info" / "notice" / "warn" / "error" / "crit" / "alert" / "emerg"
//! message = text [", client: " address] *(", " name ": " (value / DQUOTE value DQUOTE))
//! name    = "server" / "request" / "subrequest" / "upstream" / "host" / "referrer"
//! ```
//!
//! The message is all that stands behind the number of the connection, with what nginx says of
//! the request at its end.
//!
//! Source: <https://nginx.org/en/docs/ngx_core_module.html#error_log>; nginx, `ngx_log.c`,
//! `ngx_http_log_error_handler`.
//!
//! Fields: `pid`, `thread`, `connection`, `client`, `server`, `method`, `path`, `protocol` (of the
//! request), `subrequest`, `upstream`, `host`, `referer`.

use memchr::{memchr, memmem};

use super::elements::{any_level, before, group, number, skip_blanks};
use super::web::push_request;
use super::{Record, Text};
use crate::model::{Level, LevelWords};
use crate::parse::fields::Fields;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::iso;

/// How many values stand at the end of a message at most.
const MAX_VALUES: usize = 12;

/// A line taken apart.
struct Parts<'a> {
    time: WrittenTime,
    written_at: &'a [u8],
    level: Level,
    pid: &'a [u8],
    thread: &'a [u8],
    connection: &'a [u8],
    message: &'a [u8],
}

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record<'a>(line: &'a [u8], words: &LevelWords) -> Option<Record<'a>> {
    let Parts { time, written_at, level, message, .. } = parts(line, words)?;
    Some(Record { time: Some(time), written_at, level: Some(level), message: Text::Line(message) })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], words: &LevelWords, fields: &mut Fields) {
    let Some(parts) = parts(line, words) else { return };
    fields.push_number("pid", parts.pid);
    fields.push_number("thread", parts.thread);
    fields.push_number("connection", parts.connection);
    let start = memmem::find(parts.message, b", client: ");
    let start = start.or_else(|| memmem::find(parts.message, b", server: "));
    let mut rest = &parts.message[start.unwrap_or(parts.message.len())..];
    for _ in 0..MAX_VALUES {
        let Some((name, value, behind)) = value(rest) else { break };
        match name {
            b"client" => fields.push("client", value),
            b"server" => fields.push("server", value),
            b"request" => push_request(value, fields),
            b"subrequest" => fields.push("subrequest", value),
            b"upstream" => fields.push("upstream", value),
            b"host" => fields.push("host", value),
            b"referrer" => fields.push("referer", value),
            _ => {}
        }
        rest = behind;
    }
}

fn parts<'a>(line: &'a [u8], words: &LevelWords) -> Option<Parts<'a>> {
    let (rest, time) = iso(line).ok()?;
    let written_at = before(line, rest);
    if written_at.get(4) != Some(&b'/') {
        return None;
    }
    let (rest, word) = group(skip_blanks(rest)).ok()?;
    let (b"", level) = any_level(word, words).ok()? else { return None };
    let (rest, pid) = number(skip_blanks(rest)).ok()?;
    let (rest, thread) = number(rest.strip_prefix(b"#")?).ok()?;
    let rest = skip_blanks(rest.strip_prefix(b":")?);
    let (message, connection) = connection(rest).unwrap_or((rest, b""));
    Some(Parts { time, written_at, level, pid, thread, connection, message })
}

/// `*67 `
fn connection(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (rest, connection) = number(input.strip_prefix(b"*")?).ok()?;
    (rest.is_empty() || rest.starts_with(b" ")).then_some((skip_blanks(rest), connection))
}

/// `, host: "shop.example.com"`: name, value and what follows.
fn value(input: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let pair = input.strip_prefix(b", ")?;
    let colon = memchr(b':', pair)?;
    let (name, rest) = (&pair[..colon], pair[colon + 1..].strip_prefix(b" ")?);
    // nginx escapes nothing here, so that what follows tells whether a quote is the last.
    let (text, mark) = match rest.strip_prefix(b"\"") {
        Some(text) => (text, &b"\", "[..]),
        None => (rest, &b", "[..]),
    };
    let next = memmem::find_iter(text, mark).find(|at| is_name(&text[at + mark.len()..]));
    match next {
        Some(end) => Some((name, &text[..end], &text[end + mark.len() - 2..])),
        None => Some((name, text.strip_suffix(b"\"").unwrap_or(text), b"")),
    }
}

/// Whether a name and a colon follow.
fn is_name(input: &[u8]) -> bool {
    let length = input.iter().take_while(|byte| byte.is_ascii_lowercase()).count();
    length > 0 && input[length..].starts_with(b": ")
}
