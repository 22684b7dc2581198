//! Entries of the systemd journal, as `journalctl --output=export` gives them.
//!
//! The format is systemd's Journal Export Format: an entry is a list of fields and ends with an
//! empty line. A field is `NAME=text` on one line; or, where its value is no text of one line,
//! `NAME` on one line, the length of the value in eight bytes, the value, and a line feed.
//!
//! Only a few fields are kept, and of the message no more than is wanted: there are values of
//! hundreds of megabytes, such as the memory of a program that crashed.

use std::io::{self, BufRead};

use memchr::{memchr, memchr2};

/// Names of fields have at most 64 bytes, cursors a few hundred.
const MAX_SHORT_BYTES: usize = 4096;

/// One entry.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct JournalEntry {
    /// Where it is in the journal.
    pub cursor: Vec<u8>,
    /// When the journal got it: microseconds since 1970, as they are written.
    pub realtime: Vec<u8>,
    /// How bad it is, from `0` to `7` as in syslog; empty if it does not say so.
    pub priority: Vec<u8>,
    /// What it says, over several lines perhaps.
    pub message: Vec<u8>,
    /// Whether more of the message was left out.
    pub cut: bool,
    /// How many bytes it had in the stream.
    pub bytes: u64,
}

/// Reads entries from a stream.
#[derive(Debug)]
pub struct JournalReader<R> {
    input: R,
    max_message_bytes: usize,
    entry: JournalEntry,
    /// Whether the entry is to be given out again.
    is_taken_back: bool,
    /// The name of the field that is being read.
    name: Vec<u8>,
    /// How many bytes of the stream were read.
    position: u64,
}

impl<R: BufRead> JournalReader<R> {
    /// A reader that keeps so much of each message.
    pub fn new(input: R, max_message_bytes: usize) -> Self {
        Self {
            input,
            max_message_bytes,
            entry: JournalEntry::default(),
            is_taken_back: false,
            name: Vec::new(),
            position: 0,
        }
    }

    /// The next entry, or `None` at the end of the stream.
    ///
    /// # Errors
    /// `UnexpectedEof` where the stream ends within an entry; `InvalidData` where it is not what
    /// it should be. The entries given out before stay valid.
    pub fn next_entry(&mut self) -> io::Result<Option<&JournalEntry>> {
        if self.is_taken_back {
            self.is_taken_back = false;
            return Ok(Some(&self.entry));
        }
        for value in [
            &mut self.entry.cursor,
            &mut self.entry.realtime,
            &mut self.entry.priority,
            &mut self.entry.message,
        ] {
            value.clear();
        }
        self.entry.cut = false;
        let from = self.position;
        loop {
            self.name.clear();
            let mut name = Kept::new(&mut self.name, MAX_SHORT_BYTES);
            let end = take_until(&mut self.input, *b"=\n", &mut name, &mut self.position)?;
            let is_empty = self.name.is_empty();
            match end {
                Some(b'=') => self.text()?,
                Some(_) if !is_empty => self.binary()?,
                // Between two entries there may be more than one empty line.
                Some(_) if self.entry.cursor.is_empty() => {}
                Some(_) => {
                    self.entry.bytes = self.position - from;
                    return Ok(Some(&self.entry));
                }
                None if is_empty && self.entry.cursor.is_empty() => return Ok(None),
                None => return Err(io::ErrorKind::UnexpectedEof.into()),
            }
        }
    }

    /// The entry given out last.
    pub fn entry(&self) -> &JournalEntry {
        &self.entry
    }

    /// Takes back the entry given out last: the next call gives it out again.
    pub fn take_back(&mut self) {
        self.is_taken_back = true;
    }

    /// The value of a field up to the end of its line.
    fn text(&mut self) -> io::Result<()> {
        let mut value = value_of(&self.name, &mut self.entry, self.max_message_bytes);
        let end = take_until(&mut self.input, *b"\n\n", &mut value, &mut self.position)?;
        let is_cut = value.is_cut;
        self.note_cut(is_cut)?;
        end.map(|_| ()).ok_or_else(|| io::ErrorKind::UnexpectedEof.into())
    }

    /// The value of a field whose length is given.
    fn binary(&mut self) -> io::Result<()> {
        let mut length = [0; 8];
        self.input.read_exact(&mut length)?;
        self.position += 8;
        let mut left = u64::from_le_bytes(length);
        let mut value = value_of(&self.name, &mut self.entry, self.max_message_bytes);
        while left > 0 {
            let bytes = self.input.fill_buf()?;
            let taken = bytes.len().min(usize::try_from(left).unwrap_or(usize::MAX));
            if taken == 0 {
                return Err(io::ErrorKind::UnexpectedEof.into());
            }
            value.push(&bytes[..taken]);
            self.input.consume(taken);
            left -= taken as u64;
            self.position += taken as u64;
        }
        let is_cut = value.is_cut;
        self.note_cut(is_cut)?;
        let mut end = [0];
        self.input.read_exact(&mut end)?;
        self.position += 1;
        if end == *b"\n" { Ok(()) } else { Err(malformed("a value is longer than it says")) }
    }

    /// Only of a message something may be left out.
    fn note_cut(&mut self, is_cut: bool) -> io::Result<()> {
        match (is_cut, self.name.as_slice()) {
            (true, b"MESSAGE") => self.entry.cut = true,
            (true, b"__CURSOR" | b"__REALTIME_TIMESTAMP" | b"PRIORITY") => {
                return Err(malformed("a field is longer than it can be"));
            }
            _ => {}
        }
        Ok(())
    }
}

fn malformed(what: &'static str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, what)
}

/// Where the value of a field is kept; a field may come twice, and the first one counts.
fn value_of<'e>(name: &[u8], entry: &'e mut JournalEntry, max_message_bytes: usize) -> Kept<'e> {
    let (value, limit) = match name {
        b"__CURSOR" => (&mut entry.cursor, MAX_SHORT_BYTES),
        b"__REALTIME_TIMESTAMP" => (&mut entry.realtime, MAX_SHORT_BYTES),
        b"PRIORITY" => (&mut entry.priority, MAX_SHORT_BYTES),
        b"MESSAGE" => (&mut entry.message, max_message_bytes),
        _ => return Kept { value: None, limit: 0, is_cut: false },
    };
    if value.is_empty() {
        Kept::new(value, limit)
    } else {
        Kept { value: None, limit, is_cut: false }
    }
}

/// As much of a value as is wanted.
struct Kept<'v> {
    /// `None` if nothing is.
    value: Option<&'v mut Vec<u8>>,
    limit: usize,
    /// Whether there was more.
    is_cut: bool,
}

impl<'v> Kept<'v> {
    fn new(value: &'v mut Vec<u8>, limit: usize) -> Self {
        Self { value: Some(value), limit, is_cut: false }
    }

    fn push(&mut self, bytes: &[u8]) {
        let Some(value) = &mut self.value else { return };
        let room = self.limit.saturating_sub(value.len());
        value.extend_from_slice(&bytes[..bytes.len().min(room)]);
        self.is_cut |= bytes.len() > room;
    }
}

/// Reads up to one of two bytes, which is returned and not kept; `None` at the end of the input.
fn take_until(
    input: &mut impl BufRead,
    ends: [u8; 2],
    kept: &mut Kept<'_>,
    position: &mut u64,
) -> io::Result<Option<u8>> {
    loop {
        let bytes = input.fill_buf()?;
        if bytes.is_empty() {
            return Ok(None);
        }
        let found = if ends[0] == ends[1] {
            memchr(ends[0], bytes)
        } else {
            memchr2(ends[0], ends[1], bytes)
        };
        kept.push(&bytes[..found.unwrap_or(bytes.len())]);
        let taken = found.map_or(bytes.len(), |at| at + 1);
        let end = found.map(|at| bytes[at]);
        input.consume(taken);
        *position += taken as u64;
        if end.is_some() {
            return Ok(end);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use expect_test::{Expect, expect};
    use std::io::BufReader;

    /// Reads a stream through a buffer so small that every value is in pieces.
    fn read(stream: &[u8]) -> (Vec<JournalEntry>, Option<io::ErrorKind>) {
        let mut reader = JournalReader::new(BufReader::with_capacity(3, stream), 20);
        let mut entries = Vec::new();
        loop {
            match reader.next_entry() {
                Ok(Some(entry)) => entries.push(entry.clone()),
                Ok(None) => return (entries, None),
                Err(error) => return (entries, Some(error.kind())),
            }
        }
    }

    fn check(stream: &[u8], expected: &Expect) {
        let (entries, error) = read(stream);
        let shown = |value: &[u8]| value.escape_ascii().to_string();
        let lines = entries.iter().map(|entry| {
            let JournalEntry { cursor, realtime, priority, message, cut, bytes } = entry;
            let cut = if *cut { " cut" } else { "" };
            format!(
                "{} {} p{} '{}'{cut}, {bytes} bytes\n",
                shown(cursor),
                shown(realtime),
                shown(priority),
                shown(message),
            )
        });
        let error = error.map_or(String::new(), |error| format!("{error:?}\n"));
        expected.assert_eq(&(lines.collect::<String>() + &error));
    }

    #[test]
    fn entries_are_read_field_by_field() {
        check(b"", &expect![""]);
        check(
            b"__CURSOR=c1\n__REALTIME_TIMESTAMP=17\nPRIORITY=3\nMESSAGE=a = b\n_X=y\n\n\
              __CURSOR=c2\nMESSAGE\n\x05\0\0\0\0\0\0\0a\n\0\nb\n_BIG\n\x02\0\0\0\0\0\0\0\n\n\n\n",
            &expect![[r#"
                c1 17 p3 'a = b', 67 bytes
                c2  p 'a\n\x00\nb', 51 bytes
            "#]],
        );
    }

    #[test]
    fn of_a_long_message_the_beginning_is_kept() {
        check(
            b"__CURSOR=c\nMESSAGE=123456789012345678901\nMESSAGE=another\n\n\
              __CURSOR=d\nMESSAGE\n\x15\0\0\0\0\0\0\x00123456789012345678901\n\n",
            &expect![[r"
                c  p '12345678901234567890' cut, 58 bytes
                d  p '12345678901234567890' cut, 50 bytes
            "]],
        );
    }

    #[test]
    fn a_stream_that_breaks_off_gives_its_whole_entries() {
        let stream = b"__CURSOR=c\nMESSAGE=x\n\n__CURSOR=d\nMESSAGE\n\x01\0\0\0\0\0\0\0y\n\n";
        for length in 0..stream.len() {
            let (entries, error) = read(&stream[..length]);
            assert_eq!(entries.len(), usize::from(length >= 22), "{length}");
            let is_between = length == 0 || length == 22;
            let expected = (!is_between).then_some(io::ErrorKind::UnexpectedEof);
            assert_eq!(error, expected, "{length}");
        }
        assert_eq!(read(stream).0.len(), 2);
    }

    #[test]
    fn what_is_no_stream_of_entries_is_refused() {
        check(b"__CURSOR=c\nMESSAGE\n\x01\0\0\0\0\0\0\0xyz\n\n", &expect!["InvalidData\n"]);
        let long = b"__CURSOR=".iter().copied().chain([b'x'; 5000]).chain(*b"\n\n");
        check(&long.collect::<Vec<u8>>(), &expect!["InvalidData\n"]);
    }

    #[test]
    fn an_entry_taken_back_comes_again() {
        let mut reader = JournalReader::new(&b"__CURSOR=c\n\n__CURSOR=d\n\n"[..], 20);
        assert_eq!(reader.next_entry().unwrap().unwrap().cursor, b"c");
        reader.take_back();
        assert_eq!(reader.next_entry().unwrap().unwrap().cursor, b"c");
        assert_eq!(reader.next_entry().unwrap().unwrap().cursor, b"d");
        assert_eq!(reader.next_entry().unwrap(), None);
    }
}
