//! The access logs of Apache and nginx: Common Log Format, Combined Log Format, and what is
//! usually put before, between and behind their parts.
//!
//! ```text
//! record   = [host blanks] client [blanks ident [blanks user]] blanks "[" time *blank "]" blanks
//!            [host blanks] request blanks status [blanks size] [blanks referer blanks agent]
//!            [blanks further]
//! client   = address / name / "-"                     ; a list, where proxies are named too
//! time     = dd "/" Mmm "/" YYYY ":" hh ":" mm ":" ss [blank zone]
//! request  = DQUOTE method SP path SP protocol DQUOTE ; empty, or anything that was sent
//! status   = 3digit / "-"
//! size     = 1*digit / "-"
//! referer  = DQUOTE text DQUOTE                       ; agent is the same
//! ```
//!
//! A host, which is the virtual host, stands before the client if the second word is an address,
//! or if there are four and the second may be the name of a computer. The user may hold blanks.
//!
//! The level is that of the status: 500 to 599 ERROR, 400 to 499 WARNING, all others INFO;
//! without a status there is no level. The message is one piece of the line: the request with its
//! quotes, the status and the size.
//!
//! Source: <https://httpd.apache.org/docs/2.4/logs.html#accesslog>,
//! <https://nginx.org/en/docs/http/ngx_http_log_module.html>.
//!
//! Fields: `client`, `user`, `method`, `path`, `protocol`, `status`, `bytes`, `referer`, `agent`,
//! `host`, all as they stand there: `\"` and `\x22` stay.

use std::net::IpAddr;

use memchr::memchr_iter;

use super::elements::{before, skip_blanks};
use super::web::{level_of_status, push_request, quoted, split_word, without_port};
use super::{Record, Text};
use crate::parse::fields::Fields;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::{day_month_name, is_blank, timestamp, usual_access};

/// Where the time begins at the latest.
const MAX_OFFSET: usize = 400;
/// How many words may stand before the time, most of them of the user's name.
const MAX_WORDS: usize = 7;

/// A line taken apart.
struct Parts<'a> {
    /// What stands before the time.
    from: &'a [u8],
    time: WrittenTime,
    written_at: &'a [u8],
    /// What stands between the time and the request.
    host: &'a [u8],
    answer: Answer<'a>,
}

/// The request and what became of it.
struct Answer<'a> {
    request: &'a [u8],
    status: &'a [u8],
    size: &'a [u8],
    /// All three, as they stand there.
    message: &'a [u8],
    /// What follows.
    rest: &'a [u8],
}

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record(line: &[u8]) -> Option<Record<'_>> {
    let Parts { time, written_at, answer, .. } = parts(line)?;
    let level = level_of_status(answer.status);
    Some(Record { time: Some(time), written_at, level, message: Text::Line(answer.message) })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], fields: &mut Fields) {
    let Some(Parts { from, host, answer, .. }) = parts(line) else { return };
    let sender = sender(from);
    fields.push("client", sender.client);
    fields.push("user", sender.user);
    push_request(answer.request, fields);
    fields.push_number("status", answer.status);
    fields.push_number("bytes", answer.size);
    if let Some((referer, rest)) = quoted(answer.rest) {
        fields.push("referer", referer);
        if let Some((agent, _)) = quoted(skip_blanks(rest)) {
            fields.push("agent", agent);
        }
    }
    fields.push("host", sender.host);
    fields.push("host", host);
}

fn parts(line: &[u8]) -> Option<Parts<'_>> {
    let (from, bracket) = sender_and_time(line)?;
    // Nearly all write this one.
    let (rest, time) = match usual_access(bracket) {
        Some(found) => found,
        None => day_month_name(bracket).or_else(|_| timestamp(bracket)).ok()?,
    };
    let written_at = before(bracket, rest);
    let rest = skip_blanks(skip_blanks(rest).strip_prefix(b"]")?);
    let (host, rest) = if rest.starts_with(b"\"") { (&b""[..], rest) } else { split_word(rest) };
    if let Some(answer) = answer(rest) {
        return Some(Parts { from, time, written_at, host, answer });
    }
    // The host may be in quotes.
    let (host, rest) = quoted(rest)?;
    let answer = answer(skip_blanks(rest))?;
    Some(Parts { from, time, written_at, host, answer })
}

/// What stands before the time, and what stands behind the bracket that opens it.
fn sender_and_time(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let start = &line[..line.len().min(MAX_OFFSET)];
    let is_time = |at: &usize| line.get(at + 1).is_some_and(u8::is_ascii_digit);
    let at = memchr_iter(b'[', start).find(is_time)?;
    is_sender(&line[..at]).then_some((&line[..at], &line[at + 1..]))
}

/// Whether this can be who sent a request. Names with a colon at their end belong to syslog.
fn is_sender(from: &[u8]) -> bool {
    let (first, rest) = split_word(from);
    let is_right = |word: &[u8]| word.last() != Some(&b':') || address(word).is_some();
    let mut others = rest.split(|byte| is_blank(*byte)).filter(|word| !word.is_empty());
    from.last().is_some_and(|byte| is_blank(*byte))
        && is_host(first)
        && is_right(first)
        && others.by_ref().take(MAX_WORDS - 1).all(is_right)
        && others.next().is_none()
}

/// The request in quotes, the status and the size.
fn answer(input: &[u8]) -> Option<Answer<'_>> {
    let (request, rest) = quoted(input)?;
    let (status, rest) = split_word(skip_blanks(rest));
    if status != b"-" && level_of_status(status).is_none() {
        return None;
    }
    let is_size = |word: &[u8]| word == b"-" || word.first().is_some_and(u8::is_ascii_digit);
    let (size, behind_size) = split_word(rest);
    let (size, rest) = if is_size(size) { (size, behind_size) } else { (&b""[..], rest) };
    let message = before(input, rest).trim_ascii_end();
    Some(Answer { request, status, size, message, rest })
}

/// Who sent a request, and to whom.
struct Sender<'a> {
    host: &'a [u8],
    client: &'a [u8],
    user: &'a [u8],
}

fn sender(from: &[u8]) -> Sender<'_> {
    let (host, rest) = split_word(from);
    let (second, _) = split_word(rest);
    let may_be_name = second.contains(&b'.') || second.contains(&b':');
    let has_host =
        !host.ends_with(b",") && (address(second).is_some() || may_be_name && words(rest) > 2);
    let (host, mut rest) = if has_host { (host, rest) } else { (&b""[..], from) };
    let clients = rest;
    loop {
        let (client, behind) = split_word(rest);
        rest = behind;
        if !client.ends_with(b",") {
            break;
        }
    }
    let client = before(clients, rest).trim_ascii_end();
    let (_ident, user) = split_word(rest);
    let mut user = user.trim_ascii_end();
    // One more thing that is not known.
    while let Some(shorter) = user.strip_suffix(b" -") {
        user = shorter;
    }
    Sender { host, client, user }
}

/// Whether a word is an address or the name of a host, with a port or without.
fn is_host(word: &[u8]) -> bool {
    let word = word.strip_suffix(b",").unwrap_or(word);
    let is_name = |byte: &u8| byte.is_ascii_alphanumeric() || b"._-".contains(byte);
    let name = without_port(word);
    !name.is_empty() && name.iter().all(is_name) || address(word).is_some()
}

fn words(input: &[u8]) -> usize {
    input.split(|byte| is_blank(*byte)).filter(|word| !word.is_empty()).count()
}

fn address(word: &[u8]) -> Option<IpAddr> {
    str::from_utf8(word).ok()?.parse().ok()
}
