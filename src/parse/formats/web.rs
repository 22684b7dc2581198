//! What the logs of web servers have in common: request lines, statuses, texts in quotes.

use memchr::memchr2;

use super::elements::skip_blanks;
use crate::model::Level;
use crate::parse::fields::Fields;
use crate::parse::timestamp::is_blank;

/// The level that a status of HTTP means: ERROR from 500 on, WARNING from 400 on, else INFO;
/// `None` if it is not three digits.
pub(super) fn level_of_status(status: &[u8]) -> Option<Level> {
    if status.len() != 3 || !status.iter().all(u8::is_ascii_digit) {
        return None;
    }
    match status.first()? {
        b'5' => Some(Level::Error),
        b'4' => Some(Level::Warning),
        _ => Some(Level::Info),
    }
}

/// Adds `method`, `path` and `protocol` of a request line: `GET /index.html HTTP/1.1`.
///
/// Anything may be sent to a server: what does not begin with a method has none of the three.
pub(super) fn push_request(request: &[u8], fields: &mut Fields) {
    let (method, rest) = split_word(request);
    let is_method = |byte: &u8| byte.is_ascii_uppercase() || b"-_".contains(byte);
    if method.is_empty() || rest.is_empty() || !method.iter().all(is_method) {
        return;
    }
    let (path, protocol) = match memchr::memrchr(b' ', rest) {
        Some(at) if rest[at + 1..].starts_with(b"HTTP/") => (&rest[..at], &rest[at + 1..]),
        _ => (rest, &b""[..]),
    };
    fields.push("method", method);
    fields.push("path", path.trim_ascii_end());
    fields.push("protocol", protocol);
}

/// An address without the port that follows it: `192.0.2.1:80`, `2001:db8::1:80`.
pub(super) fn without_port(address: &[u8]) -> &[u8] {
    match memchr::memrchr(b':', address) {
        Some(at) if address[at + 1..].iter().all(u8::is_ascii_digit) => &address[..at],
        _ => address,
    }
}

/// The first word, and what follows it and blanks.
pub(super) fn split_word(input: &[u8]) -> (&[u8], &[u8]) {
    let end = input.iter().position(|byte| is_blank(*byte)).unwrap_or(input.len());
    let (word, rest) = input.split_at(end);
    (word, skip_blanks(rest))
}

/// The text in quotes at the start, and what follows the closing quote. Quotes behind a backslash
/// belong to the text and, as some servers escape nothing, those that no blank follows.
pub(super) fn quoted(input: &[u8]) -> Option<(&[u8], &[u8])> {
    let text = input.strip_prefix(b"\"")?;
    let mut at = 0;
    while let Some(found) = memchr2(b'"', b'\\', text.get(at..)?) {
        at += found;
        if text.get(at) == Some(&b'\\') {
            at += 2;
        } else if text.get(at + 1).is_none_or(|byte| is_blank(*byte)) {
            return Some((&text[..at], &text[at + 1..]));
        } else {
            at += 1;
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_status_has_three_digits() {
        for (status, expected) in [
            ("200", Some(Level::Info)),
            ("000", Some(Level::Info)),
            ("404", Some(Level::Warning)),
            ("503", Some(Level::Error)),
            ("-", None),
            ("-1", None),
            ("2000", None),
        ] {
            assert_eq!(level_of_status(status.as_bytes()), expected, "{status}");
        }
    }

    #[test]
    fn a_quote_ends_before_a_blank_and_not_behind_a_backslash() {
        let quoted = |text: &'static str| quoted(text.as_bytes());
        assert_eq!(quoted(r#""a" b"#), Some((&b"a"[..], &b" b"[..])));
        assert_eq!(quoted(r#""a\" b\\" c"#), Some((&br#"a\" b\\"#[..], &b" c"[..])));
        assert_eq!(quoted(r#""a"b" c"#), Some((&br#"a"b"#[..], &b" c"[..])));
        assert_eq!(quoted(r#""""#), Some((&b""[..], &b""[..])));
        for none in [r"", r#"""#, r#""a"#, r#""a\"#, r#""a\""#, r#"a""#] {
            assert_eq!(quoted(none), None, "{none}");
        }
    }

    #[test]
    fn requests_are_taken_apart_if_they_are_some() {
        for (request, expected) in [
            ("GET / HTTP/1.1", "GET|/|HTTP/1.1"),
            ("GET /a b HTTP/1.1", "GET|/a b|HTTP/1.1"),
            ("GET /old", "GET|/old|"),
            ("M-SEARCH * HTTP/1.1", "M-SEARCH|*|HTTP/1.1"),
            ("HELP", "||"),
            (r"\x16\x03 a HTTP/1.1", "||"),
            ("", "||"),
        ] {
            let mut fields = Fields::default();
            push_request(request.as_bytes(), &mut fields);
            let text = |name: &str| fields.as_map().get(name).and_then(|text| text.as_str());
            let found = ["method", "path", "protocol"].map(|name| text(name).unwrap_or_default());
            assert_eq!(found.join("|"), expected, "{request}");
        }
    }
}
