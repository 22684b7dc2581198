//! The error log of Apache httpd, 2.2 and 2.4.
//!
//! ```text
//! record  = "[" time "]" blanks "[" [module ":"] level "]" [blanks ids] [blanks place]
//!           *(blanks client) [blanks message]
//! time    = Www Mmm dd hh:mm:ss[.micros] YYYY
//! level   = "emerg" / "alert" / ... / "debug" / "trace1" ... "trace8"
//! ids     = "[pid " pid [":tid " thread] "]"
//! place   = file ".c(" line "):"                     ; where LogLevel is debug or trace
//! client  = "[" ("client " / "remote ") address [":" port] "]"
//! message = [error ": " client " "] [code ":"] text [", referer: " referer]
//! error   = "(" number ")" text                      ; of the operating system
//! ```
//!
//! ```text
//! [Sat Jan 31 15:04:05 2026] [error] [client 192.0.2.1] File does not exist: /srv/www/x
//! [Sat Jan 31 15:04:05.250125 2026] [core:info] [pid 7:tid 8] [client 192.0.2.1:80] AH00128: text
//! ```
//!
//! The message is all that follows the place, with the client and the referer in it: an error of
//! the operating system may stand before the client.
//!
//! Source: <https://httpd.apache.org/docs/2.4/mod/core.html#errorlogformat>.
//!
//! Fields: `logger` (the module), `pid`, `thread`, `client` (without its port), `code` (`AH00128`), `referer`,
//! `file`, `line`.

use memchr::memmem;

use super::elements::{any_level, before, group, number, skip_blanks};
use super::web::without_port;
use super::{Record, Text};
use crate::model::{Level, LevelWords};
use crate::parse::fields::Fields;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::{is_word, weekday_first};

/// How long the name of a source file may be.
const MAX_FILE_BYTES: usize = 100;
/// What stands before the referer.
const REFERER: &[u8] = b", referer: ";
/// Where a client behind an error of the operating system is looked for.
const MAX_ERROR_BYTES: usize = 200;

/// A line taken apart.
struct Parts<'a> {
    time: WrittenTime,
    written_at: &'a [u8],
    module: &'a [u8],
    level: Level,
    pid: &'a [u8],
    thread: &'a [u8],
    file: &'a [u8],
    line: &'a [u8],
    client: &'a [u8],
    message: &'a [u8],
    /// The message behind the client.
    text: &'a [u8],
}

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record<'a>(line: &'a [u8], words: &LevelWords) -> Option<Record<'a>> {
    let Parts { time, written_at, level, message, .. } = parts(line, words)?;
    Some(Record { time: Some(time), written_at, level: Some(level), message: Text::Line(message) })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], words: &LevelWords, fields: &mut Fields) {
    let Some(parts) = parts(line, words) else { return };
    fields.push("logger", parts.module);
    fields.push_number("pid", parts.pid);
    fields.push_number("thread", parts.thread);
    fields.push("file", parts.file);
    fields.push_number("line", parts.line);
    let (client, message) = if parts.client.is_empty() {
        client_behind_error(parts.text)
    } else {
        (parts.client, parts.text)
    };
    // IPv6 has no brackets here, and 2.2 wrote no port.
    let has_port = !parts.pid.is_empty() || client.contains(&b'.');
    fields.push("client", if has_port { without_port(client) } else { client });
    fields.push("code", code(message));
    if let Some(at) = memmem::rfind(message, REFERER) {
        fields.push("referer", &message[at + REFERER.len()..]);
    }
}

fn parts<'a>(line: &'a [u8], words: &LevelWords) -> Option<Parts<'a>> {
    let start = line.strip_prefix(b"[")?;
    let (rest, time) = weekday_first(start).ok()?;
    let written_at = before(start, rest);
    let rest = skip_blanks(rest.strip_prefix(b"]")?);
    let (rest, severity) = group(rest).ok()?;
    let (module, word) = match memchr::memchr(b':', severity) {
        Some(colon) => (&severity[..colon], &severity[colon + 1..]),
        None => (&b""[..], severity),
    };
    if !module.iter().all(|byte| is_word(*byte)) {
        return None;
    }
    let (b"", level) = any_level(word, words).ok()? else { return None };
    let rest = skip_blanks(rest);
    let (rest, pid, thread) = ids(rest).unwrap_or((rest, b"", b""));
    let (mut rest, file, line) = place(rest).unwrap_or((rest, b"", b""));
    let message = rest;
    let mut client = &b""[..];
    // ModSecurity writes the client once more.
    while let Some((behind, address)) = self::client(rest) {
        client = if client.is_empty() { address } else { client };
        rest = behind;
    }
    let text = rest;
    Some(Parts { time, written_at, module, level, pid, thread, file, line, client, message, text })
}

/// `[pid 7:tid 8]`
fn ids(input: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let (rest, ids) = group(input).ok()?;
    let (thread, pid) = number(ids.strip_prefix(b"pid ")?).ok()?;
    Some((skip_blanks(rest), pid, thread.strip_prefix(b":tid ").unwrap_or_default()))
}

/// `mod_ssl.c(1234):`
fn place(input: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    let end = memmem::find(&input[..input.len().min(MAX_FILE_BYTES)], b"(")?;
    let file = &input[..end];
    let (rest, line) = number(&input[end + 1..]).ok()?;
    let is_file =
        !file.is_empty() && file.iter().all(|byte| is_word(*byte) || b"./-".contains(byte));
    is_file.then_some((skip_blanks(rest.strip_prefix(b"):")?), file, line))
}

/// `[client 192.0.2.1:80]`
fn client(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let (rest, inner) = group(input).ok()?;
    let address = inner.strip_prefix(b"client ").or_else(|| inner.strip_prefix(b"remote "))?;
    Some((skip_blanks(rest), address))
}

/// The client in `(13)Permission denied: [client 192.0.2.1:80] AH00035: ...`, and what follows.
fn client_behind_error(message: &[u8]) -> (&[u8], &[u8]) {
    let none = (&b""[..], message);
    if !message.starts_with(b"(") {
        return none;
    }
    let start = &message[..message.len().min(MAX_ERROR_BYTES)];
    let Some(colon) = memmem::find(start, b": ") else { return none };
    let behind = &message[colon + 2..];
    client(behind).map_or((b"", behind), |(rest, address)| (address, rest))
}

/// `AH00128`, or none.
fn code(message: &[u8]) -> &[u8] {
    let Some(digits) = message.strip_prefix(b"AH") else { return b"" };
    match number(digits) {
        Ok((rest, _)) if rest.starts_with(b":") => before(message, rest),
        _ => b"",
    }
}
