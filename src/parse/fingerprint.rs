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
    /// Every word that holds a digit counts as `#`, so that messages which differ only in
    /// numbers, times or identifiers have one fingerprint; a word is the longest run of
    /// `A-Z a-z 0-9 _`. The result is XXH3-64 (seed 0) of the line so normalised, its bits
    /// read as an `i64`, which is what PostgreSQL has.
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
        let mut word_start = 0;
        let mut word_is_replaced = false;
        for &byte in line {
            if !is_word_byte(byte) {
                normalised.push(byte);
                word_start = normalised.len();
                word_is_replaced = false;
            } else if byte.is_ascii_digit() && !word_is_replaced {
                normalised.truncate(word_start);
                normalised.push(b'#');
                word_is_replaced = true;
            } else if !word_is_replaced {
                normalised.push(byte);
            }
        }
    }
}

fn is_word_byte(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
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
    fn words_with_digits_are_normalised() {
        check_normalised("", &expect![""]);
        check_normalised("timeout after 30ms (try 2/5)", &expect!["timeout after # (try #/#)"]);
        check_normalised("order a1b2 of user_7 failed: 0x7f", &expect!["order # of # failed: #"]);
        check_normalised("no digits, \u{e9}t\u{e9}", &expect!["no digits, été"]);
        check_normalised("first 1\nsecond 2", &expect!["first #"]);
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
            "connection to 10.0.0.7:5432 timed out after 30 s" = -1444184570196007778
            "café user_17 → /var/log/app.log.1" = -9072689441490211227
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
