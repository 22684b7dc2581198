//! The traffic log of HAProxy: HTTP and TCP, and connections that failed.
//!
//! ```text
//! record = [head] client ":" port SP "[" time "]" SP (http / tcp / failed)
//! head   = ["<" pri ">"] time SP [host SP] program ["[" pid "]"] ":" SP       ; of syslog
//! time   = dd "/" Mmm "/" YYYY ":" hh ":" mm ":" ss "." ms
//! http   = frontend SP backend "/" server SP 5timer SP status SP bytes SP cookie SP cookie SP
//!          4flag SP 5count SP 2count SP *("{" captured "}" SP) DQUOTE request DQUOTE
//! tcp    = frontend SP backend "/" server SP 3timer SP bytes SP 2flag SP 5count SP 2count
//! failed = frontend "/" bind ":" SP text
//! ```
//!
//! Timers and counts have slashes between them. A `~` behind the frontend means TLS, a `+` before
//! a number that it was still growing.
//!
//! The time is that of the head, which is when the line was written; without one it is the
//! client's, which is when the connection or the request came. What else HAProxy writes through
//! syslog is read as syslog.
//!
//! The level of HTTP is that of the status: 500 to 599 ERROR, 400 to 499 WARNING, others INFO.
//! Where there is no status, as with TCP, it is WARNING if the first of the flags, which says how
//! the session ended, is not `-`, and INFO if it is; a connection that failed is WARNING. The
//! message is all from the frontend on.
//!
//! Source: <https://docs.haproxy.org/3.0/configuration.html#8.2>.
//!
//! Fields: `host`, `program`, `pid` (of the head), `client`, `frontend`, `backend`, `server`,
//! `status`, `bytes`, `termination` (the flags), `method`, `path`, `protocol`.

use memchr::{memchr, memmem, memrchr};
use nom::Parser;
use nom::branch::alt;
use nom::combinator::opt;

use super::elements::{before, number, skip_blanks};
use super::web::{level_of_status, push_request, split_word, without_port};
use super::{Record, Text, syslog};
use crate::model::{Level, LevelWords};
use crate::parse::fields::Fields;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::{day_month_name, is_digit, iso, month_first};

/// How long host and program of a head may be.
const MAX_HEAD_BYTES: usize = 300;

/// A time, and how it is written.
type Time<'a> = (WrittenTime, &'a [u8]);

/// A line taken apart.
struct Parts<'a> {
    time: Time<'a>,
    /// Host, program and pid, as they stand there.
    head: &'a [u8],
    traffic: Traffic<'a>,
}

/// What a client did.
struct Traffic<'a> {
    client: &'a [u8],
    time: Time<'a>,
    frontend: &'a [u8],
    backend: &'a [u8],
    server: &'a [u8],
    status: &'a [u8],
    bytes: &'a [u8],
    termination: &'a [u8],
    /// What follows the counts.
    rest: &'a [u8],
    message: &'a [u8],
}

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record(line: &[u8]) -> Option<Record<'_>> {
    let Parts { time: (time, written_at), traffic, .. } = parts(line)?;
    let level = level_of_status(traffic.status).unwrap_or_else(|| {
        if traffic.termination.starts_with(b"-") { Level::Info } else { Level::Warning }
    });
    let message = Text::Line(traffic.message);
    Some(Record { time: Some(time), written_at, level: Some(level), message })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], fields: &mut Fields) {
    let Some(Parts { head, traffic, .. }) = parts(line) else { return };
    push_head(head, fields);
    fields.push("client", without_port(traffic.client));
    fields.push("frontend", traffic.frontend.strip_suffix(b"~").unwrap_or(traffic.frontend));
    fields.push("backend", traffic.backend);
    fields.push("server", traffic.server);
    fields.push_number("status", traffic.status);
    fields.push_number("bytes", traffic.bytes.strip_prefix(b"+").unwrap_or(traffic.bytes));
    fields.push("termination", traffic.termination);
    // Captured headers, which stand before the request, may hold quotes.
    if let Some(start) = memmem::rfind(traffic.rest, b" \"") {
        let request = &traffic.rest[start + 2..];
        // A long one is cut.
        push_request(&request[..memchr(b'"', request).unwrap_or(request.len())], fields);
    }
}

fn parts(line: &[u8]) -> Option<Parts<'_>> {
    if let Some(traffic) = traffic(line) {
        return Some(Parts { time: traffic.time, head: b"", traffic });
    }
    let (start, _) = opt(|input| syslog::pri(input, &LevelWords::NONE)).parse(line).ok()?;
    let (rest, time) = alt((month_first, iso)).parse(start).ok()?;
    let written_at = before(start, rest);
    let rest = skip_blanks(rest);
    let end = memmem::find(&rest[..rest.len().min(MAX_HEAD_BYTES)], b": ")?;
    let traffic = traffic(skip_blanks(&rest[end + 1..]))?;
    Some(Parts { time: (time, written_at), head: &rest[..end], traffic })
}

/// `web-1 haproxy[7]`
fn push_head(head: &[u8], fields: &mut Fields) {
    let (host, program) = match memrchr(b' ', head) {
        Some(blank) => (head[..blank].trim_ascii(), &head[blank + 1..]),
        None => (&b""[..], head),
    };
    fields.push("host", host);
    match memchr(b'[', program) {
        Some(at) => {
            fields.push("program", &program[..at]);
            let pid = &program[at + 1..];
            fields.push_number("pid", pid.strip_suffix(b"]").unwrap_or(pid));
        }
        None => fields.push("program", program),
    }
}

fn traffic(input: &[u8]) -> Option<Traffic<'_>> {
    let (client, rest) = split_word(input);
    let port = &client[memrchr(b':', client)? + 1..];
    let bracket = rest.strip_prefix(b"[")?;
    if port.is_empty() || !port.iter().all(|byte| is_digit(*byte)) {
        return None;
    }
    let (rest, time) = day_month_name(bracket).ok()?;
    let time = (time, before(bracket, rest));
    let message = skip_blanks(rest.strip_prefix(b"]")?);
    let (frontend, rest) = split_word(message);
    let failed = Traffic {
        client,
        time,
        frontend,
        backend: b"",
        server: b"",
        status: b"",
        bytes: b"",
        termination: b"",
        rest: b"",
        message,
    };
    if let Some(place) = frontend.strip_suffix(b":") {
        let frontend = &place[..memchr(b'/', place)?];
        return Some(Traffic { frontend, ..failed });
    }
    let (target, rest) = split_word(rest);
    let slash = memchr(b'/', target)?;
    let (backend, server) = (&target[..slash], &target[slash + 1..]);
    let (timers, rest) = split_word(rest);
    let is_http = match numbers(timers)? {
        5 => true,
        3 => false,
        _ => return None,
    };
    let (status, rest) = if is_http { split_word(rest) } else { (&b""[..], rest) };
    let (bytes, rest) = split_word(rest);
    // Captured cookies.
    let rest = if is_http { split_word(split_word(rest).1).1 } else { rest };
    let (termination, rest) = split_word(rest);
    let (counts, rest) = split_word(rest);
    let (queues, _) = split_word(rest);
    let is_right = termination.len() == if is_http { 4 } else { 2 }
        && (!is_http || numbers(status) == Some(1))
        && numbers(bytes) == Some(1)
        && numbers(counts) == Some(5)
        && numbers(queues) == Some(2);
    let rest = &rest[queues.len()..];
    is_right.then_some(Traffic { backend, server, status, bytes, termination, rest, ..failed })
}

/// How many numbers with slashes between them this is; `None` if it is something else.
fn numbers(word: &[u8]) -> Option<usize> {
    word.split(|byte| *byte == b'/').try_fold(0, |count, part| {
        let digits = part.strip_prefix(b"-").or_else(|| part.strip_prefix(b"+")).unwrap_or(part);
        matches!(number(digits), Ok(([], _))).then_some(count + 1)
    })
}
