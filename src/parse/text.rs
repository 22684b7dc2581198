//! What a log says, made fit to be stored and shown.
//!
//! PostgreSQL's `text` holds valid UTF-8 without NUL, and colours are for terminals. All
//! else stays as it was written: control characters are escaped where text is shown, not
//! where it is stored.

use std::ops::RangeInclusive;

use memchr::{memchr, memchr2};

const NUL: u8 = 0x00;
const BEL: u8 = 0x07;
const ESC: u8 = 0x1B;

/// The picture of NUL, U+2400, which stands in for it.
const SYMBOL_FOR_NULL: char = '\u{2400}';

/// Appends one line of a log to `out`, cleaned.
///
/// - Bytes that are not UTF-8 become U+FFFD, as `String::from_utf8_lossy` does it.
/// - NUL becomes U+2400.
/// - Escape sequences (ECMA-48 and ECMA-35: colours, cursor movements, window titles) are
///   removed; of one that is cut short or malformed, as much as belongs to it. No ESC stays.
///
/// Cleaning clean text changes nothing. Call it with whole lines: sequences and characters
/// do not continue over a line end, so an entry looks the same however its lines arrived.
pub fn clean_into(raw: &[u8], out: &mut String) {
    let mut rest = raw;
    while let Some(position) = memchr2(ESC, NUL, rest) {
        let (text, special) = rest.split_at(position);
        push_lossy(text, out);
        rest = if special.starts_with(&[NUL]) {
            out.push(SYMBOL_FOR_NULL);
            &special[1..]
        } else {
            &special[escape_length(special)..]
        };
    }
    push_lossy(rest, out);
}

/// Whether a line holds an ESC, with which every escape sequence begins.
pub(super) fn has_escape(line: &[u8]) -> bool {
    memchr(ESC, line).is_some()
}

/// Appends one line of a log to `out` without its escape sequences; all else stays.
pub(super) fn remove_escapes(raw: &[u8], out: &mut Vec<u8>) {
    let mut rest = raw;
    while let Some(position) = memchr(ESC, rest) {
        let (text, special) = rest.split_at(position);
        out.extend_from_slice(text);
        rest = &special[escape_length(special)..];
    }
    out.extend_from_slice(rest);
}

fn push_lossy(bytes: &[u8], out: &mut String) {
    if let Ok(text) = str::from_utf8(bytes) {
        return out.push_str(text);
    }
    for chunk in bytes.utf8_chunks() {
        out.push_str(chunk.valid());
        if !chunk.invalid().is_empty() {
            out.push(char::REPLACEMENT_CHARACTER);
        }
    }
}

/// The length of the escape sequence that `bytes` starts with; at least 1, the ESC itself.
fn escape_length(bytes: &[u8]) -> usize {
    match bytes.get(1) {
        // CSI: parameters, intermediate bytes, a final byte.
        Some(b'[') => {
            let parameters = count(&bytes[2..], 0x30..=0x3F);
            let intermediates = count(&bytes[2 + parameters..], 0x20..=0x2F);
            with_final(bytes, 2 + parameters + intermediates, 0x40..=0x7E)
        }
        // OSC, DCS, SOS, PM, APC: a string.
        Some(b']' | b'P' | b'X' | b'^' | b'_') => 2 + string_length(&bytes[2..]),
        // Two bytes, or more with intermediate bytes between them, such as `ESC ( B`.
        Some(_) => {
            let intermediates = count(&bytes[1..], 0x20..=0x2F);
            with_final(bytes, 1 + intermediates, 0x30..=0x7E)
        }
        None => 1,
    }
}

/// How many bytes at the start lie in the range.
fn count(bytes: &[u8], range: RangeInclusive<u8>) -> usize {
    bytes.iter().take_while(|byte| range.contains(byte)).count()
}

/// `length`, and one more if the byte there is in the range that ends the sequence.
fn with_final(bytes: &[u8], length: usize, range: RangeInclusive<u8>) -> usize {
    let is_final = bytes.get(length).is_some_and(|byte| range.contains(byte));
    length + usize::from(is_final)
}

/// The length of a control string with its terminator, BEL or `ESC \`. Zero if it has none:
/// a stray introducer must not swallow the message. Any other ESC breaks the string off, so
/// that no byte is searched twice.
fn string_length(bytes: &[u8]) -> usize {
    match memchr2(BEL, ESC, bytes) {
        Some(end) if bytes[end] == BEL => end + 1,
        Some(end) if bytes.get(end + 1) == Some(&b'\\') => end + 2,
        _ => 0,
    }
}

#[cfg(test)]
mod tests {
    use expect_test::{Expect, expect};
    use proptest::prelude::*;

    use super::*;

    fn clean(raw: &[u8]) -> String {
        let mut out = String::new();
        clean_into(raw, &mut out);
        out
    }

    #[track_caller]
    fn check(raw: &[u8], expected: &Expect) {
        expected.assert_eq(&format!("{:?}", clean(raw)));
    }

    #[test]
    fn text_stays() {
        check(
            "disk full: /dev/sda1 \u{2192} 98 %".as_bytes(),
            &expect![[r#""disk full: /dev/sda1 → 98 %""#]],
        );
        check(
            b"tab\tand bell\x07 and CR\r stay",
            &expect![[r#""tab\tand bell\u{7} and CR\r stay""#]],
        );
    }

    #[test]
    fn what_the_database_refuses_is_replaced() {
        check(b"a\0b", &expect![[r#""a␀b""#]]);
        check(b"caf\xE9 au lait", &expect![[r#""caf� au lait""#]]);
        check(b"cut \xE2\x82", &expect![[r#""cut �""#]]);
    }

    #[test]
    fn escape_sequences_are_removed() {
        check(
            b"\x1B[1;31mred\x1B[0m and \x1B[38;5;196mbright\x1B[K",
            &expect![[r#""red and bright""#]],
        );
        check(
            b"\x1B]0;title\x07a \x1B]8;;http://x/\x1B\\link\x1B]8;;\x1B\\",
            &expect![[r#""a link""#]],
        );
        check(b"\x1B(B\x1B=\x1BMplain", &expect![[r#""plain""#]]);
    }

    #[test]
    fn broken_escape_sequences_do_not_swallow_the_text() {
        check(b"cut \x1B[31", &expect![[r#""cut ""#]]);
        check(b"end \x1B", &expect![[r#""end ""#]]);
        check(b"\x1B[31\xE9 malformed", &expect![[r#""� malformed""#]]);
        check(b"\x1B]0;no end of the title", &expect![[r#""0;no end of the title""#]]);
        check(b"\x1B\x1B[m[31mhidden", &expect![[r#""[31mhidden""#]]);
        check(b"\x1B]a\x1B]b\x1B[0mc", &expect![[r#""abc""#]]);
    }

    proptest! {
        #[test]
        fn cleaning_is_idempotent_and_fit_for_the_database(raw: Vec<u8>) {
            let once = clean(&raw);
            prop_assert!(!once.contains(['\0', '\x1B']));
            prop_assert_eq!(clean(once.as_bytes()), once);
        }

        #[test]
        fn sequences_of_few_bytes_are_idempotent_too(raw in "[\x1B\\[\\]\\\\\x07(m;3\0A]{0,40}") {
            let once = clean(raw.as_bytes());
            prop_assert!(!once.contains(['\0', '\x1B']));
            prop_assert_eq!(clean(once.as_bytes()), once);
        }

        #[test]
        fn removing_escapes_first_changes_nothing(raw in "[\x1B\\[\\]\\\\\x07(m;3\0A]{0,40}") {
            let mut removed = Vec::new();
            remove_escapes(raw.as_bytes(), &mut removed);
            prop_assert!(!has_escape(&removed));
            prop_assert_eq!(clean(&removed), clean(raw.as_bytes()));
        }

        #[test]
        fn text_without_escapes_is_from_utf8_lossy(raw: Vec<u8>) {
            let raw: Vec<u8> = raw.into_iter().filter(|byte| ![ESC, NUL].contains(byte)).collect();
            prop_assert_eq!(clean(&raw), String::from_utf8_lossy(&raw));
        }
    }
}
