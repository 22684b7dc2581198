//! Which messages say the same thing.

use xxhash_rust::xxh3::xxh3_64;

/// Computes fingerprints of messages; holds the buffer that they share.
#[derive(Clone, Debug, Default)]
pub struct Fingerprinter {
    normalised: Vec<u8>,
}

impl Fingerprinter {
    /// The fingerprint of the first line of a message (up to its first LF).
    ///
    /// What differs from one such message to the next counts as `#`:
    ///
    /// - a word that holds a digit, with all such words that follow behind one of `. , : - / +`:
    ///   numbers, times, versions, addresses of IPv4, most identifiers. A word is the longest run
    ///   of `A-Z a-z 0-9 _`;
    /// - a word of eight or more hexadecimal digits, a UUID, an address of IPv6;
    /// - what stands in `'...'`, `"..."` or `` `...` ``, where no letter stands before the first
    ///   and behind the last quote;
    /// - a path: what follows a `/` that stands behind a blank or punctuation, up to the next
    ///   blank, quote, bracket, comma or semicolon.
    ///
    /// The result is XXH3-64 (seed 0) of the line so normalised, its bits read as an `i64`, which
    /// is what PostgreSQL has.
    ///
    /// Fingerprints are stored and compared over years: the result for a text must never
    /// change.
    pub fn first_line(&mut self, message: &str) -> i64 {
        let bytes = message.as_bytes();
        let end = memchr::memchr(b'\n', bytes).unwrap_or(bytes.len());
        self.normalise(&bytes[..end]);
        xxh3_64(&self.normalised).cast_signed()
    }

    fn normalise(&mut self, line: &[u8]) {
        let normalised = &mut self.normalised;
        normalised.clear();
        let mut rest = line;
        let mut before = b' ';
        while let Some((&byte, behind)) = rest.split_first() {
            let replaced = match byte {
                _ if is_word_byte(before) => 0,
                b'0'..=b'9' | b'a'..=b'z' | b'A'..=b'Z' | b'_' | b':' => variable(rest),
                b'\'' | b'"' | b'`' => quoted(rest),
                b'/' if before != b'/' => path(rest),
                _ => 0,
            };
            if replaced > 0 {
                normalised.push(b'#');
                before = rest[replaced - 1];
                rest = &rest[replaced..];
                continue;
            }
            // A word goes over as a whole.
            let length = if is_word_byte(byte) { word(rest).len() } else { 1 };
            normalised.extend_from_slice(&rest[..length]);
            before = rest[length - 1];
            rest = if length == 1 { behind } else { &rest[length..] };
        }
    }
}

/// How long the text in quotes may be that counts as one.
const MAX_QUOTED_BYTES: usize = 256;

/// The length of a number, an identifier or an address at the start of a word; 0 for others.
fn variable(bytes: &[u8]) -> usize {
    let colons_and_digits = bytes
        .iter()
        .take_while(|byte| byte.is_ascii_hexdigit() || **byte == b':' || **byte == b'.');
    let length = colons_and_digits.count();
    let colons = memchr::memchr_iter(b':', &bytes[..length]).count();
    let ends = bytes.get(length).is_none_or(|byte| !is_word_byte(*byte));
    let has_digit = bytes[..length].iter().any(u8::is_ascii_digit);
    if ends && has_digit && colons >= 2 {
        // An address of IPv6, or a time; a colon at its end belongs to the sentence.
        let end = bytes[..length].iter().rposition(|byte| *byte != b':' && *byte != b'.');
        return end.map_or(0, |end| end + 1);
    }
    let first = word(bytes);
    let is_number = first.iter().any(u8::is_ascii_digit) || is_long_hexadecimal(first);
    if first.is_empty() || !is_number && !is_uuid(bytes) {
        return 0;
    }
    let mut length = first.len();
    // What a number, a time, an address or a UUID goes on with.
    while let Some((separator, rest)) = bytes[length..].split_first()
        && b".,:-/+".contains(separator)
    {
        let next = word(rest);
        if !next.iter().any(u8::is_ascii_digit) && !is_hexadecimal_group(next) {
            break;
        }
        length += 1 + next.len();
    }
    length
}

/// The length of a text in quotes with its quotes; 0 if it is none.
fn quoted(bytes: &[u8]) -> usize {
    let within = &bytes[1..bytes.len().min(MAX_QUOTED_BYTES)];
    let Some(end) = memchr::memchr(bytes[0], within) else { return 0 };
    let length = end + 2;
    if bytes.get(length).is_some_and(|byte| is_word_byte(*byte)) { 0 } else { length }
}

/// The length of a path; 0 if nothing but the slash is there.
fn path(bytes: &[u8]) -> usize {
    let ends = |byte: &u8| byte.is_ascii_whitespace() || b"'\"`()[]<>{},;".contains(byte);
    let length = bytes.iter().position(ends).unwrap_or(bytes.len());
    // Punctuation at the end belongs to the sentence.
    let end = bytes[..length].iter().rposition(|byte| !b".:!?".contains(byte));
    end.filter(|end| *end > 0).map_or(0, |end| end + 1)
}

fn word(bytes: &[u8]) -> &[u8] {
    let length = bytes.iter().position(|byte| !is_word_byte(*byte)).unwrap_or(bytes.len());
    &bytes[..length]
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}

fn is_long_hexadecimal(word: &[u8]) -> bool {
    word.len() >= 8 && word.iter().all(u8::is_ascii_hexdigit)
}

/// A part of a UUID in which no digit happens to be.
fn is_hexadecimal_group(word: &[u8]) -> bool {
    matches!(word.len(), 4 | 12) && word.iter().all(u8::is_ascii_hexdigit)
}

/// Whether a UUID stands at the start.
fn is_uuid(bytes: &[u8]) -> bool {
    let groups = [8, 4, 4, 4, 12];
    let mut rest = bytes;
    for (index, length) in groups.into_iter().enumerate() {
        let group = word(rest);
        if group.len() != length || !group.iter().all(u8::is_ascii_hexdigit) {
            return false;
        }
        rest = &rest[length..];
        if index + 1 < groups.len() {
            let Some(behind) = rest.strip_prefix(b"-") else { return false };
            rest = behind;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};

    use super::*;

    #[track_caller]
    fn check_normalised(message: &str, expected: &Expect) {
        let mut fingerprinter = Fingerprinter::default();
        fingerprinter.first_line(message);
        expected.assert_eq(str::from_utf8(&fingerprinter.normalised).unwrap());
    }

    fn fingerprint(message: &str) -> i64 {
        Fingerprinter::default().first_line(message)
    }

    #[test]
    fn numbers_and_identifiers_are_normalised() {
        check_normalised("", &expect![[""]]);
        check_normalised("timeout after 30ms (try 2/5)", &expect!["timeout after # (try #)"]);
        check_normalised("order a1b2 of user_7 failed: 0x7f", &expect!["order # of # failed: #"]);
        check_normalised("no digits, \u{e9}t\u{e9}", &expect!["no digits, été"]);
        check_normalised("first 1\nsecond 2", &expect!["first #"]);
        check_normalised(
            "at 2026-01-31T15:04:05.250+01:00, 1,234.5 of 7 %",
            &expect!["at #, # of # %"],
        );
        check_normalised("commit deadbeef, decade, facade", &expect!["commit #, decade, facade"]);
        check_normalised("id 550e8400-e29b-41d4-a716-446655440000.", &expect!["id #."]);
        check_normalised("id abcdefab-abcd-abcd-abcd-abcdefabcdef.", &expect!["id #."]);
    }

    #[test]
    fn addresses_are_normalised() {
        check_normalised("from 10.0.0.7:5432: refused", &expect!["from #: refused"]);
        check_normalised("from 2001:db8::1: refused", &expect!["from #: refused"]);
        check_normalised("from fe80::a, ::1", &expect!["from #, #"]);
        check_normalised("std::fmt::Error: a::b", &expect!["std::fmt::Error: a::b"]);
    }

    #[test]
    fn quoted_texts_are_normalised() {
        check_normalised("user 'alice' and \"b c\" and `d`", &expect!["user # and # and #"]);
        check_normalised("don't: can't", &expect!["don't: can't"]);
        check_normalised("open \"quote", &expect![[r#"open "quote"#]]);
    }

    #[test]
    fn paths_are_normalised() {
        check_normalised(
            "cannot open /var/log/app.log.1: no such file",
            &expect!["cannot open #: no such file"],
        );
        check_normalised(
            "GET http://example.com/a/b?c=1 failed (/x)",
            &expect!["GET http:# failed (#)"],
        );
        check_normalised("and/or n/a a / b //", &expect!["and/or n/a a / b #"]);
    }

    #[test]
    fn numbers_do_not_matter_and_words_do() {
        assert_eq!(fingerprint("took 12 ms"), fingerprint("took 7 ms\nat x"));
        assert_ne!(fingerprint("took 12 ms"), fingerprint("take 12 ms"));
    }

    /// These values stand in databases. If this test fails, the code is wrong.
    #[test]
    fn stored_values_never_change() {
        let values = [
            "",
            "This is a ERROR message",
            "connection to 10.0.0.7:5432 timed out after 30 s",
            "caf\u{e9} user_17 \u{2192} /var/log/app.log.1",
        ]
        .map(|message| format!("{message:?} = {}\n", fingerprint(message)));
        expect![[r#"
            "" = 3244421341483603138
            "This is a ERROR message" = 8512334175718371157
            "connection to 10.0.0.7:5432 timed out after 30 s" = 4322470379132413262
            "café user_17 → /var/log/app.log.1" = 3017844650063023500
        "#]]
        .assert_eq(&values.concat());
    }

    #[test]
    fn one_fingerprinter_serves_many_messages() {
        let mut shared = Fingerprinter::default();
        for message in ["a long message with 1 number", "short", ""] {
            assert_eq!(shared.first_line(message), fingerprint(message));
        }
    }
}
