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
        let mut at = 0;
        while let Some(&byte) = line.get(at) {
            let rest = &line[at..];
            let (length, is_replaced) = match byte {
                _ if is_word_byte(byte) => match variable(rest) {
                    Ok(length) => (length, true),
                    Err(word_length) => (word_length, false),
                },
                b':' | b'\'' | b'"' | b'`' | b'/' => {
                    let before = at.checked_sub(1).and_then(|before| line.get(before));
                    let is_inside = before.is_some_and(|before| is_word_byte(*before));
                    let length = match byte {
                        _ if is_inside => 0,
                        b':' => address(rest, 0),
                        b'/' => path(rest),
                        _ => quoted(rest),
                    };
                    (length.max(1), length > 0)
                }
                _ => (1, false),
            };
            if is_replaced {
                normalised.push(b'#');
            } else {
                normalised.extend_from_slice(&rest[..length]);
            }
            at += length;
        }
    }
}

/// How long the text in quotes may be that counts as one.
const MAX_QUOTED_BYTES: usize = 256;

/// The length of a number, an identifier or an address that begins with a word; else that of the
/// word.
fn variable(bytes: &[u8]) -> Result<usize, usize> {
    let first = word(bytes);
    let behind = bytes.get(first.length);
    if first.is_hexadecimal && behind == Some(&b':') {
        let length = address(bytes, first.length);
        if length > 0 {
            return Ok(length);
        }
    }
    let is_long = first.is_hexadecimal && first.length >= 8;
    if !first.has_digit && !is_long {
        return Err(first.length);
    }
    let mut length = first.length;
    // What a number, a time, an address or a UUID goes on with.
    while let Some((b'.' | b',' | b':' | b'-' | b'/' | b'+', rest)) =
        bytes.get(length..).and_then(<[u8]>::split_first)
    {
        let next = word(rest);
        // A part of a UUID may happen to have no digit.
        let is_group = next.is_hexadecimal && matches!(next.length, 4 | 12);
        if !next.has_digit && !is_group {
            break;
        }
        length += 1 + next.length;
    }
    Ok(length)
}

/// The length of an address of IPv6, or of a time, with at least two colons; 0 if it is none.
/// `known` bytes at the start are hexadecimal digits.
fn address(bytes: &[u8], known: usize) -> usize {
    let is_part = |byte: &u8| byte.is_ascii_hexdigit() || matches!(byte, b':' | b'.');
    let length = known + bytes[known..].iter().take_while(|byte| is_part(byte)).count();
    let found = &bytes[..length];
    let is_whole = bytes.get(length).is_none_or(|byte| !is_word_byte(*byte));
    let is_address = is_whole
        && found.iter().any(u8::is_ascii_digit)
        && memchr::memchr_iter(b':', found).nth(1).is_some();
    // A colon at its end belongs to the sentence.
    let end = found.iter().rposition(|byte| !matches!(byte, b':' | b'.'));
    end.filter(|_| is_address).map_or(0, |end| end + 1)
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

/// A word at the start of some bytes.
struct Word {
    length: usize,
    has_digit: bool,
    is_hexadecimal: bool,
}

fn word(bytes: &[u8]) -> Word {
    let (mut length, mut any, mut all) = (0, 0, HEXADECIMAL);
    while let Some(byte) = bytes.get(length) {
        let class = CLASSES[usize::from(*byte)];
        if class == 0 {
            break;
        }
        any |= class;
        all &= class;
        length += 1;
    }
    Word { length, has_digit: any & DIGIT != 0, is_hexadecimal: length > 0 && all != 0 }
}

fn is_word_byte(byte: u8) -> bool {
    CLASSES[usize::from(byte)] != 0
}

/// Bits of [`CLASSES`].
const WORD: u8 = 1;
const DIGIT: u8 = 2;
const HEXADECIMAL: u8 = 4;

/// What each byte is; 0 for what is no part of a word.
const CLASSES: [u8; 256] = {
    let mut classes = [0; 256];
    let mut byte = 0_u8;
    while byte < 128 {
        if byte.is_ascii_alphanumeric() || byte == b'_' {
            classes[byte as usize] |= WORD;
        }
        if byte.is_ascii_digit() {
            classes[byte as usize] |= DIGIT;
        }
        if byte.is_ascii_hexdigit() {
            classes[byte as usize] |= HEXADECIMAL;
        }
        byte += 1;
    }
    classes
};

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
