//! Lines of any encoding as UTF-8.

use encoding_rs::{Encoding, UTF_8};

use crate::tail::RawLine;

/// Decodes the lines of one file; holds the text that they share.
pub(super) struct Decoding {
    encoding: &'static Encoding,
    /// What is kept of a line.
    max_bytes: usize,
    text: String,
}

impl Decoding {
    pub(super) fn new(encoding: &'static Encoding, max_bytes: usize) -> Self {
        Self { encoding, max_bytes, text: String::new() }
    }

    /// The line as UTF-8, cut again if it is longer so.
    ///
    /// A line of UTF-8 stays as it is; what is wrong in it is replaced where it is stored. In
    /// another encoding, what is wrong becomes U+FFFD.
    pub(super) fn decode<'a>(&'a mut self, line: RawLine<'a>) -> RawLine<'a> {
        if self.encoding == UTF_8 {
            return line;
        }
        // Each line begins anew, so that it is the same wherever a run begins.
        let mut decoder = self.encoding.new_decoder_without_bom_handling();
        let most = decoder.max_utf8_buffer_length(line.bytes.len()).unwrap_or_default();
        self.text.clear();
        self.text.reserve(most);
        let _ = decoder.decode_to_string(line.bytes, &mut self.text, true);
        let mut end = self.text.len().min(self.max_bytes);
        while !self.text.is_char_boundary(end) {
            end -= 1;
        }
        let cut = line.cut || end < self.text.len();
        RawLine { bytes: &self.text.as_bytes()[..end], cut, ..line }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn check(label: &str, bytes: &[u8], expected: &str) {
        let encoding = Encoding::for_label(label.as_bytes()).unwrap();
        let mut decoding = Decoding::new(encoding, 16);
        let line = RawLine { bytes, byte_offset: 7, nul_bytes: 1, cut: false, joined_lines: 0 };
        let line = decoding.decode(line);
        assert_eq!(String::from_utf8_lossy(line.bytes), expected, "{label}");
        assert_eq!((line.byte_offset, line.nul_bytes), (7, 1));
    }

    #[test]
    fn lines_are_decoded_one_by_one() {
        check("latin1", b"caf\xe9 \x80", "café €");
        check("shift_jis", b"\x83\x47\x83\x89", "エラ");
        check("euc-jp", b"\xa5\xa8", "エ");
        check("gbk", b"\xb4\xed", "错");
        check("utf-16", b"\xe9\0\x3d\xd8\0\xde", "é😀");
        check("utf-16be", b"\0\xe9\0a", "éa");
    }

    #[test]
    fn what_is_wrong_becomes_a_mark() {
        check("utf-16", b"a\0\0\xde", "a\u{fffd}");
        check("utf-16", b"a\0b", "a\u{fffd}");
        check("shift_jis", b"a\x83", "a\u{fffd}");
        // In UTF-8 where the text is stored.
        let mut decoding = Decoding::new(UTF_8, 8);
        let line =
            RawLine { bytes: b"a\xff", byte_offset: 0, nul_bytes: 0, cut: false, joined_lines: 0 };
        assert_eq!(decoding.decode(line).bytes, b"a\xff");
    }

    #[test]
    fn a_text_that_is_longer_than_its_bytes_is_cut_at_a_character() {
        let mut decoding = Decoding::new(encoding_rs::WINDOWS_1252, 5);
        let line =
            |bytes| RawLine { bytes, byte_offset: 0, nul_bytes: 0, cut: false, joined_lines: 0 };
        assert_eq!(decoding.decode(line(b"\xe4\xe4\xe4")).bytes, "ää".as_bytes());
        assert!(decoding.decode(line(b"\xe4\xe4\xe4")).cut);
        assert!(!decoding.decode(line(b"\xe4\xe4")).cut);
    }
}
