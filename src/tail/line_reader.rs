//! Bytes to lines, through one buffer.
//!
//! In: the content of a file, an offset, and how far to read. Out: complete lines, each with the offset
//! where it begins. A last line without an end is not given out: its bytes wait for the next
//! run. Memory is bounded by the longest line that is kept.
//!
//! NUL bytes before a line are skipped: a log that was truncated under a writer that goes on at
//! its old offset begins with gigabytes of them, which lie in a hole of the file.

use std::io;

use encoding_rs::Encoding;

use super::hole;
use super::identity::{self, PROBE_BYTES};
use super::line_end::{self, Units};
use super::{Content, End};
use crate::model::{FileIdentity, Join, Joins, Place};

/// How many bytes are read at once. Small enough for the processor's cache.
const READ_BYTES: usize = 256 * 1024;

/// One complete line, without its LF and without a CR before it, in the encoding of the file.
#[derive(Debug, PartialEq, Eq)]
pub struct RawLine<'a> {
    /// The bytes that are kept.
    pub bytes: &'a [u8],
    /// Where the line begins in the file, behind NUL bytes that were skipped.
    pub byte_offset: u64,
    /// NUL bytes before it that were skipped.
    pub nul_bytes: u64,
    /// Whether bytes beyond `max_line_bytes` were left out.
    pub cut: bool,
    /// How many lines behind the first are joined to it, with their ends.
    pub joined_lines: u32,
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
    /// Where the line that was given out last begins, in the file, with the NUL bytes before it.
    line_offset: u64,
    /// NUL bytes before that line.
    nul_bytes: u64,
    /// The last bytes before `line_offset`, when not all from there on is in the buffer.
    before_line: Option<Vec<u8>>,
    /// Whether that line has no end yet, so that the place is before it.
    waits: bool,
    /// The kept bytes of a line that is longer than `max_line_bytes`.
    long_line: Vec<u8>,
    /// Whether the line that was given out last is that one.
    is_long: bool,
    encoding: &'static Encoding,
    units: Units,
    /// Which lines are one.
    joins: Option<Joins>,
    /// The first bytes of the file, up to [`PROBE_BYTES`].
    head: Vec<u8>,
}

impl LineReader {
    /// A reader that begins at `byte_offset` and stops at `end`.
    ///
    /// `byte_offset` is the beginning of a line: the end of a complete line or 0. A byte order
    /// mark at the beginning of the file says more about its encoding than `encoding` does.
    ///
    /// # Errors
    /// When the bytes before the offset cannot be read (they are needed to recognise the file).
    pub fn new(
        mut content: Content,
        identity: FileIdentity,
        byte_offset: u64,
        end: u64,
        max_line_bytes: usize,
        encoding: &'static Encoding,
    ) -> io::Result<Self> {
        let head = identity::head(&mut content, byte_offset)?;
        let marker = identity::marker(&mut content, byte_offset)?;
        let mut buffer = vec![0; READ_BYTES];
        buffer[..marker.len()].copy_from_slice(&marker);
        let mut reader = Self {
            content,
            identity,
            end,
            max_line_bytes,
            filled: marker.len(),
            buffer_offset: byte_offset - marker.len() as u64,
            next: marker.len(),
            line_offset: byte_offset,
            nul_bytes: 0,
            before_line: None,
            waits: false,
            long_line: Vec::new(),
            is_long: false,
            encoding,
            units: Units::Bytes,
            joins: None,
            head,
            buffer,
        };
        if byte_offset == 0 {
            reader.fill()?;
        }
        reader.encoding = line_end::encoding(&reader.head, encoding);
        reader.units = Units::of(reader.encoding);
        reader.max_line_bytes = reader.units.whole(max_line_bytes);
        Ok(reader)
    }

    /// The reader, which gives some lines out as one: as many of them as are together not longer
    /// than a line may be. One of which the rest may still come waits, as a line without an end
    /// does.
    #[must_use]
    pub fn joining(self, joins: Option<Joins>) -> Self {
        Self { joins, ..self }
    }

    /// Whether the file still holds what it held at a place before, and begins with `head`. An
    /// archive is not looked at: nobody empties it to write on in it.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn still_holds(&mut self, place: &Place, head: &[u8]) -> io::Result<bool> {
        if self.content.is_packed() {
            return Ok(true);
        }
        Ok(identity::holds(&mut self.content, place)?
            && self.content.bytes_at(0, head.len())? == head)
    }

    /// How the file is encoded.
    pub fn encoding(&self) -> &'static Encoding {
        self.encoding
    }

    /// The units of which the file is made.
    pub fn units(&self) -> Units {
        self.units
    }

    /// The next complete line, or `None` at the end.
    ///
    /// # Errors
    /// When the file cannot be read. The lines given out before stay valid.
    pub fn next_line(&mut self) -> io::Result<Option<RawLine<'_>>> {
        self.line_offset = self.buffer_offset + self.next as u64;
        self.nul_bytes = 0;
        self.before_line = None;
        self.waits = false;
        self.is_long = false;
        let mut searched = 0;
        loop {
            if self.buffer[self.next..self.filled].starts_with(b"\0") && self.skip_nuls()? {
                searched = 0;
                continue;
            }
            let bytes = &self.buffer[self.next..self.filled];
            if let Some(length) = self.units.find_line_end(&bytes[searched..]) {
                let start = self.next;
                let mut end = start + searched + length;
                match self.joined() {
                    Join::Alone => {}
                    Join::Lines(bytes) => end = start + bytes - self.units.width(),
                    Join::Unfinished if self.fill()? => continue,
                    Join::Unfinished => return Ok(None),
                }
                self.next = end + self.units.width();
                self.waits = false;
                return Ok(Some(self.raw_line(start, end)));
            }
            // Of the unit that comes next, only a half may be there.
            searched = self.units.whole(bytes.len());
            // One more unit may be the CR of the line end, whose LF is not read yet.
            if searched > self.max_line_bytes + self.units.width() {
                return self.skip_long_line();
            }
            if !self.fill()? {
                return Ok(None);
            }
        }
    }

    /// How much of what is read is one with the line that comes next, whose end is read.
    #[inline]
    fn joined(&self) -> Join {
        match self.joins {
            None => Join::Alone,
            Some(joins) => {
                let bytes = &self.buffer[self.next..self.filled];
                // The same, however much is read already.
                let most = &bytes[..bytes.len().min(self.max_line_bytes)];
                match line_end::join(self.units, most, joins) {
                    Join::Unfinished if bytes.len() > most.len() => {
                        let last = self.units.find_last_line_end(most);
                        last.map_or(Join::Alone, |end| Join::Lines(end + self.units.width()))
                    }
                    join => join,
                }
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
    /// found nothing. `None` if the file ends with a line end, or with NUL bytes after one.
    pub fn last_line(&self) -> Option<RawLine<'_>> {
        let bytes = &self.buffer[self.next..self.filled];
        let bytes = &bytes[..self.units.whole(bytes.len())];
        // Lines that wait for those that may be joined to them end, but with the whole they do not.
        let is_last = |end: &usize| end + self.units.width() == bytes.len();
        let line_end = self.units.find_last_line_end(bytes).filter(is_last);
        let end = self.next + line_end.unwrap_or(bytes.len());
        (self.is_long || !bytes.is_empty()).then(|| self.raw_line(self.next, end))
    }

    /// How many bytes of the file that line has.
    pub fn last_line_bytes(&self) -> u64 {
        self.buffer_offset + self.filled as u64 - self.byte_offset()
    }

    /// Takes back the line given out last: the next call gives it out again.
    pub fn take_back(&mut self) {
        if let Some(before) = self.before_line.take() {
            // Its bytes are gone from the buffer: it is read again from the file.
            self.buffer[..before.len()].copy_from_slice(&before);
            self.filled = before.len();
            self.buffer_offset = self.line_offset - before.len() as u64;
            self.waits = false;
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
        let marker = match &self.before_line {
            Some(before) if self.waits => before.as_slice(),
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
        if self.waits { self.line_offset } else { self.buffer_offset + self.next as u64 }
    }

    /// The line that begins at `line_offset`: `buffer[start..end]`, or the long one.
    fn raw_line(&self, start: usize, end: usize) -> RawLine<'_> {
        let line = self.units.without_cr(&self.buffer[start..end]);
        let kept = line.len().min(self.max_line_bytes);
        RawLine {
            bytes: if self.is_long { &self.long_line } else { &line[..kept] },
            byte_offset: self.line_offset + self.nul_bytes,
            nul_bytes: self.nul_bytes,
            cut: self.is_long || kept < line.len(),
            joined_lines: if self.joins.is_some() { self.units.line_ends(line) } else { 0 },
        }
    }

    /// Keeps what the place before the line is made of, before its bytes leave the buffer.
    fn set_aside(&mut self) {
        if self.before_line.is_none() {
            let length = identity::probe_length(self.line_offset);
            self.before_line = Some(self.buffer[self.next - length..self.next].to_vec());
        }
        self.waits = true;
    }

    /// Skips the NUL units that come next, as far as they are read; `false` if there is no whole
    /// one. Where the buffer holds nothing else, a hole of the file is skipped at once.
    fn skip_nuls(&mut self) -> io::Result<bool> {
        let bytes = &self.buffer[self.next..self.filled];
        let nuls = self.units.whole(hole::leading_nuls(bytes));
        if nuls == 0 {
            return Ok(false);
        }
        self.set_aside();
        self.next += nuls;
        self.nul_bytes += nuls as u64;
        if self.next == self.filled {
            self.skip_hole();
            self.fill()?;
        }
        Ok(true)
    }

    /// Goes on at the end of the hole of the file in which `next` lies, if it lies in one.
    fn skip_hole(&mut self) {
        let offset = self.buffer_offset + self.next as u64;
        let Content::Plain(file) = &self.content else { return };
        let Some(data) = hole::end(file, offset) else { return };
        let data = data.min(self.end);
        let skipped = data.saturating_sub(offset) / 2 * 2;
        // As much of the hole as the place behind it may be made of stays in the buffer.
        if skipped >= PROBE_BYTES as u64 {
            self.buffer[..PROBE_BYTES].fill(0);
            self.next = PROBE_BYTES;
            self.filled = PROBE_BYTES;
            self.buffer_offset = offset + skipped - PROBE_BYTES as u64;
            self.nul_bytes += skipped;
        }
    }

    /// Reads on to the end of a line of which enough is kept, and gives that out.
    fn skip_long_line(&mut self) -> io::Result<Option<RawLine<'_>>> {
        self.set_aside();
        self.is_long = true;
        self.long_line.clear();
        self.long_line.extend_from_slice(&self.buffer[self.next..][..self.max_line_bytes]);
        loop {
            self.next += self.units.whole(self.filled - self.next);
            if !self.fill()? {
                return Ok(None);
            }
            let found = self.units.find_line_end(&self.buffer[self.next..self.filled]);
            if let Some(length) = found {
                self.next += length + self.units.width();
                self.waits = false;
                return Ok(Some(self.raw_line(self.next, self.next)));
            }
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

#[cfg(test)]
mod odd_files;

#[cfg(test)]
mod tests;
