//! Bytes to lines, through one buffer.
//!
//! In: the content of a file, an offset, and how far to read. Out: complete lines, each with the offset
//! where it begins. A last line without an end is not given out: its bytes wait for the next
//! run. Memory is bounded by the longest line that is kept.

use std::io;

use memchr::memchr;

use super::identity::{self, PROBE_BYTES};
use super::{Content, End};
use crate::model::{FileIdentity, Place};

/// How many bytes are read at once. Small enough for the processor's cache.
const READ_BYTES: usize = 256 * 1024;

/// One complete line, without its LF and without a CR before it.
#[derive(Debug, PartialEq, Eq)]
pub struct RawLine<'a> {
    /// The bytes that are kept.
    pub bytes: &'a [u8],
    /// Where the line begins in the file.
    pub byte_offset: u64,
    /// Whether bytes beyond `max_line_bytes` were left out.
    pub cut: bool,
}

/// Reads complete lines of a file from an offset on.
#[derive(Debug)]
pub struct LineReader {
    content: Content,
    identity: FileIdentity,
    /// Nothing is read beyond this offset, so that a run ends even while the log grows.
    end: u64,
    max_line_bytes: usize,
    buffer: Vec<u8>,
    /// `buffer[..filled]` holds bytes of the file.
    filled: usize,
    /// Offset in the file of `buffer[0]`.
    buffer_offset: u64,
    /// `buffer[next..]` was not given out yet.
    next: usize,
    /// Where the line that was given out last begins, in the file.
    line_offset: u64,
    /// The last bytes before `line_offset`, when its line had to be skipped through.
    before_long_line: Option<Vec<u8>>,
    /// Whether that long line has no end yet, so that the place is before it.
    long_line_waits: bool,
    /// The kept bytes of a line that is longer than `max_line_bytes`.
    long_line: Vec<u8>,
    /// The first bytes of the file, up to [`PROBE_BYTES`].
    head: Vec<u8>,
}

impl LineReader {
    /// A reader that begins at `byte_offset` and stops at `end`.
    ///
    /// `byte_offset` is the beginning of a line: the end of a complete line or 0.
    ///
    /// # Errors
    /// When the bytes before the offset cannot be read (they are needed to recognise the file).
    pub fn new(
        mut content: Content,
        identity: FileIdentity,
        byte_offset: u64,
        end: u64,
        max_line_bytes: usize,
    ) -> io::Result<Self> {
        let head = identity::head(&mut content, byte_offset)?;
        let marker = identity::marker(&mut content, byte_offset)?;
        let mut buffer = vec![0; READ_BYTES];
        buffer[..marker.len()].copy_from_slice(&marker);
        Ok(Self {
            content,
            identity,
            end,
            max_line_bytes,
            filled: marker.len(),
            buffer_offset: byte_offset - marker.len() as u64,
            next: marker.len(),
            line_offset: byte_offset,
            before_long_line: None,
            long_line_waits: false,
            long_line: Vec::new(),
            head,
            buffer,
        })
    }

    /// The next complete line, or `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read. The lines given out before stay valid.
    pub fn next_line(&mut self) -> io::Result<Option<RawLine<'_>>> {
        self.line_offset = self.buffer_offset + self.next as u64;
        self.before_long_line = None;
        let mut searched = 0;
        loop {
            if let Some(length) = memchr(b'\n', &self.buffer[self.next + searched..self.filled]) {
                let start = self.next;
                let end = start + searched + length;
                self.next = end + 1;
                let line = without_cr(&self.buffer[start..end]);
                let kept = line.len().min(self.max_line_bytes);
                return Ok(Some(RawLine {
                    bytes: &line[..kept],
                    byte_offset: self.line_offset,
                    cut: kept < line.len(),
                }));
            }
            searched = self.filled - self.next;
            // One more byte may be the CR of the line end, whose LF is not read yet.
            if searched > self.max_line_bytes + 1 {
                return self.skip_long_line();
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// Lets `take` look at the bytes that come next, as far as they are read already and stand
    /// before the offset `until`. They begin with a line; `take` returns how many of them, whole
    /// lines with their ends, it has taken: these are given out.
    ///
    /// # Errors
    /// Those of `take`; nothing is given out then.
    pub fn take_lines(
        &mut self,
        until: u64,
        take: impl FnOnce(&[u8]) -> io::Result<usize>,
    ) -> io::Result<()> {
        let left = usize::try_from(until.saturating_sub(self.byte_offset())).unwrap_or(usize::MAX);
        let bytes = &self.buffer[self.next..self.filled];
        self.next += take(&bytes[..bytes.len().min(left)])?;
        Ok(())
    }

    /// What there is of the last line, where it has no end: after [`LineReader::next_line`] has
    /// found nothing. `None` if the file ends with a line end.
    pub fn last_line(&self) -> Option<RawLine<'_>> {
        if self.long_line_waits {
            let (bytes, byte_offset) = (self.long_line.as_slice(), self.line_offset);
            return Some(RawLine { bytes, byte_offset, cut: true });
        }
        if self.next == self.filled {
            return None;
        }
        let line = without_cr(&self.buffer[self.next..self.filled]);
        let kept = line.len().min(self.max_line_bytes);
        Some(RawLine {
            bytes: &line[..kept],
            byte_offset: self.line_offset,
            cut: kept < line.len(),
        })
    }

    /// How many bytes of the file that line has.
    pub fn last_line_bytes(&self) -> u64 {
        self.buffer_offset + self.filled as u64 - self.byte_offset()
    }

    /// Takes back the line given out last: the next call gives it out again.
    pub fn take_back(&mut self) {
        if let Some(before) = self.before_long_line.take() {
            // Its bytes are gone from the buffer: it is read again from the file.
            self.buffer[..before.len()].copy_from_slice(&before);
            self.filled = before.len();
            self.buffer_offset = self.line_offset - before.len() as u64;
            self.long_line_waits = false;
        }
        // The line stands in the buffer, so the difference is an index of it.
        self.next = usize::try_from(self.line_offset - self.buffer_offset).unwrap_or(self.next);
    }

    /// The place after the last line given out.
    ///
    /// Made from the bytes that were read, not from the file: it may have been truncated since.
    pub fn place(&self) -> Place {
        let byte_offset = self.byte_offset();
        let length = identity::probe_length(byte_offset);
        let marker = match &self.before_long_line {
            Some(before) if self.long_line_waits => before.as_slice(),
            _ => &self.buffer[self.next - length..self.next],
        };
        identity::made_of(self.identity, byte_offset, &self.head[..length], marker)
    }

    /// How an archive ends, if it was read to there.
    pub fn ending(&self) -> Option<End> {
        self.content.ending().get()
    }

    /// The offset beyond which nothing is read.
    pub fn end(&self) -> u64 {
        self.end
    }

    /// The place after the last line, which has no end.
    pub fn place_at_end(&self) -> Place {
        let byte_offset = self.buffer_offset + self.filled as u64;
        let length = identity::probe_length(byte_offset);
        let marker = &self.buffer[self.filled - length..self.filled];
        identity::made_of(self.identity, byte_offset, &self.head[..length], marker)
    }

    /// The offset after the last line given out.
    pub fn byte_offset(&self) -> u64 {
        if self.long_line_waits { self.line_offset } else { self.buffer_offset + self.next as u64 }
    }

    /// Reads on to the end of a line of which enough is kept, and gives that out.
    fn skip_long_line(&mut self) -> io::Result<Option<RawLine<'_>>> {
        let length = identity::probe_length(self.line_offset);
        let before = self.buffer[self.next - length..self.next].to_vec();
        self.long_line.clear();
        self.long_line.extend_from_slice(&self.buffer[self.next..][..self.max_line_bytes]);
        self.next = self.filled;
        self.before_long_line = Some(before);
        self.long_line_waits = true;
        loop {
            if !self.fill()? {
                return Ok(None);
            }
            if let Some(length) = memchr(b'\n', &self.buffer[self.next..self.filled]) {
                self.next += length + 1;
                self.long_line_waits = false;
                return Ok(Some(RawLine {
                    bytes: &self.long_line,
                    byte_offset: self.line_offset,
                    cut: true,
                }));
            }
            self.next = self.filled;
        }
    }

    /// Reads more bytes behind those that are there; `false` at the end.
    ///
    /// Keeps the unread bytes and, before them, enough for [`LineReader::place`].
    fn fill(&mut self) -> io::Result<bool> {
        let read_offset = self.buffer_offset + self.filled as u64;
        let wanted = usize::try_from(self.end.saturating_sub(read_offset)).unwrap_or(usize::MAX);
        if wanted == 0 {
            return Ok(false);
        }
        self.make_room();
        let room = self.buffer.len() - self.filled;
        let into = &mut self.buffer[self.filled..][..room.min(wanted)];
        let read = self.content.read_at(into, read_offset)?;
        if self.head.len() < PROBE_BYTES && read_offset == self.head.len() as u64 {
            let missing = PROBE_BYTES - self.head.len();
            self.head.extend_from_slice(&self.buffer[self.filled..][..read.min(missing)]);
        }
        self.filled += read;
        Ok(read > 0)
    }

    /// Moves the bytes that are still needed to the front; a longer line gets a larger buffer.
    fn make_room(&mut self) {
        let keep_from = self.next.saturating_sub(PROBE_BYTES);
        self.buffer.copy_within(keep_from..self.filled, 0);
        self.filled -= keep_from;
        self.next -= keep_from;
        self.buffer_offset += keep_from as u64;
        if self.buffer.len() - self.filled < READ_BYTES / 2 {
            self.buffer.resize(self.buffer.len() + READ_BYTES, 0);
        }
    }
}

fn without_cr(line: &[u8]) -> &[u8] {
    line.strip_suffix(b"\r").unwrap_or(line)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use std::io::Write;
    use std::os::unix::fs::FileExt;

    fn reader(content: &[u8], from: u64, max_line_bytes: usize) -> LineReader {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        let identity = identity::of(&file.metadata().unwrap());
        let (end, content) = (content.len() as u64, Content::Plain(file));
        LineReader::new(content, identity, from, end, max_line_bytes).unwrap()
    }

    fn lines(reader: &mut LineReader) -> Vec<(u64, Vec<u8>, bool)> {
        let mut lines = Vec::new();
        while let Some(line) = reader.next_line().unwrap() {
            lines.push((line.byte_offset, line.bytes.to_vec(), line.cut));
        }
        lines
    }

    /// The place at an offset, made from the file.
    fn in_file(reader: &LineReader, byte_offset: u64) -> Place {
        let mut file = Content::Plain(reader.content.file().try_clone().unwrap());
        identity::place_at(&mut file, reader.identity, byte_offset).unwrap()
    }

    fn line(byte_offset: u64, text: &str) -> (u64, Vec<u8>, bool) {
        (byte_offset, text.as_bytes().to_vec(), false)
    }

    #[test]
    fn an_unterminated_last_line_waits() {
        let mut reader = reader(b"one\ntwo\nthr", 0, 100);
        assert_eq!(lines(&mut reader), [line(0, "one"), line(4, "two")]);
        assert_eq!(reader.byte_offset(), 8);
    }

    #[test]
    fn cr_lf_ends_a_line_and_a_lone_cr_is_data() {
        let mut reader = reader(b"a\r\nb\rc\n\r\n\n", 0, 100);
        assert_eq!(lines(&mut reader), [line(0, "a"), line(3, "b\rc"), line(7, ""), line(9, "")]);
    }

    #[test]
    fn a_line_over_the_limit_is_cut_and_the_next_is_read_normally() {
        let mut text = vec![b'x'; 3_000_000];
        text.extend_from_slice(b"\nnext\n");
        let mut reader = reader(&text, 0, 1000);
        let found = lines(&mut reader);
        assert_eq!(found[0], (0, vec![b'x'; 1000], true));
        assert_eq!(found[1], line(3_000_001, "next"));
        assert!(reader.buffer.len() <= 3 * READ_BYTES, "memory stays bounded");
    }

    #[test]
    fn a_line_end_in_two_reads_is_no_part_of_the_line() {
        let max = READ_BYTES - 1;
        let text = "x".repeat(max) + "\r\nnext\n";
        let mut reader = reader(text.as_bytes(), 0, max);
        assert_eq!(lines(&mut reader), [line(0, &text[..max]), line(max as u64 + 2, "next")]);
    }

    #[test]
    fn a_long_unterminated_line_waits_at_its_beginning() {
        let mut text = b"one\n".to_vec();
        text.extend(std::iter::repeat_n(b'x', 2_000_000));
        let mut reader = reader(&text, 0, 1000);
        assert_eq!(lines(&mut reader), [line(0, "one")]);
        assert_eq!(reader.byte_offset(), 4);
        assert_eq!(reader.place(), in_file(&reader, 4));
    }

    #[test]
    fn a_line_taken_back_comes_again() {
        let mut reader = reader(b"one\ntwo\n", 0, 100);
        assert_eq!(reader.next_line().unwrap().unwrap().bytes, b"one");
        assert_eq!(reader.next_line().unwrap().unwrap().bytes, b"two");
        reader.take_back();
        assert_eq!(reader.byte_offset(), 4);
        assert_eq!(lines(&mut reader), [line(4, "two")]);
    }

    #[test]
    fn a_long_line_taken_back_comes_again() {
        let text = "one\n".to_owned() + &"x".repeat(2_000_000) + "\ntwo\n";
        let mut reader = reader(text.as_bytes(), 0, 1000);
        reader.next_line().unwrap();
        assert!(reader.next_line().unwrap().unwrap().cut);
        reader.take_back();
        assert_eq!(reader.place(), in_file(&reader, 4));
        assert_eq!(lines(&mut reader).len(), 2);
    }

    #[test]
    fn nothing_is_read_beyond_the_size_at_opening() {
        let mut reader = reader(b"one\ntwo\n", 0, 100);
        reader.content.file().write_all_at(b"three\n", 8).unwrap();
        assert_eq!(lines(&mut reader).len(), 2);
    }

    proptest! {
        #[test]
        fn lines_and_places_are_those_of_the_file(
            pieces in prop::collection::vec(
                prop_oneof![
                    8 => "[a-z ]{0,60}\n",
                    1 => Just("x".repeat(5000) + "\n"),
                    1 => Just("y".repeat(300_000) + "\n"),
                    1 => Just("\r\n".to_owned()),
                ], 0..30),
            tail in "[a-z]{0,20}",
            from_line in 0usize..10,
        ) {
            let max = 4000;
            let text = pieces.concat() + &tail;
            let from: usize = pieces.iter().take(from_line).map(String::len).sum();
            let mut reader = reader(text.as_bytes(), from as u64, max);
            let mut offset = from;
            for piece in pieces.iter().skip(from_line) {
                let whole = without_cr(piece.as_bytes().strip_suffix(b"\n").unwrap());
                let found = reader.next_line().unwrap().unwrap();
                prop_assert_eq!(found.byte_offset, offset as u64);
                prop_assert_eq!(found.bytes, &whole[..whole.len().min(max)]);
                prop_assert_eq!(found.cut, whole.len() > max);
                offset += piece.len();
                prop_assert_eq!(reader.place(), in_file(&reader, offset as u64));
            }
            prop_assert!(reader.next_line().unwrap().is_none());
            prop_assert_eq!(reader.place(), in_file(&reader, offset as u64));
        }
    }
}
