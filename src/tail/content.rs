//! The content of a file: its bytes, uncompressed.
//!
//! Offsets count these bytes, so a place in a log is the same place in a compressed copy of it.
//! A plain file is read where it is asked for; an archive is decompressed from its beginning
//! up to there, once, as long as one reads on.

use std::cell::Cell;
use std::fmt;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use super::decoders::{Compression, MAGIC_BYTES};

/// How much is decompressed at once to be passed over.
const SKIP_BYTES: usize = 64 * 1024;

/// How many bytes before the position an archive still has: what is looked at before an offset
/// overlaps what was looked at before another one.
const RECENT_BYTES: usize = 4 * 1024;

/// How an archive ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum End {
    /// As it should.
    Whole,
    /// In the middle: it is still being written, or whoever wrote it was stopped.
    Early,
}

/// How an archive ends, told to whoever has given it away to be read.
#[derive(Clone, Debug, Default)]
pub struct Ending(Rc<Cell<Option<End>>>);

impl Ending {
    /// `None` as long as nobody has read to the end.
    pub fn get(&self) -> Option<End> {
        self.0.get()
    }
}

/// An open file that gives its uncompressed bytes.
#[derive(Debug)]
pub enum Content {
    /// A file that is not compressed.
    Plain(File),
    /// An archive.
    Packed(Box<Packed>),
}

impl Content {
    /// The content of an open file.
    ///
    /// # Errors
    /// When its first bytes cannot be read.
    pub fn new(file: File) -> io::Result<Self> {
        let mut magic = [0; MAGIC_BYTES];
        let mut length = 0;
        while length < magic.len() {
            match read_at(&file, &mut magic[length..], length as u64)? {
                0 => break,
                read => length += read,
            }
        }
        Ok(match Compression::of(&magic[..length]) {
            Some(compression) => Self::Packed(Box::new(Packed::new(file, compression))),
            None => Self::Plain(file),
        })
    }

    /// The file itself.
    pub fn file(&self) -> &File {
        match self {
            Self::Plain(file) => file,
            Self::Packed(packed) => &packed.file,
        }
    }

    /// Whether the file is an archive.
    pub fn is_packed(&self) -> bool {
        matches!(self, Self::Packed(_))
    }

    /// How the archive ends, once it was read to there; a plain file just ends.
    pub fn ending(&self) -> Ending {
        match self {
            Self::Plain(_) => Ending::default(),
            Self::Packed(packed) => packed.ending.clone(),
        }
    }

    /// Reads some bytes from `offset` on; 0 at the end, an early one too.
    ///
    /// # Errors
    /// When the file cannot be read. `InvalidData`: the archive is damaged. `OutOfMemory`: it
    /// needs more memory than we take.
    pub fn read_at(&mut self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        match self {
            Self::Plain(file) => read_at(file, into, offset),
            Self::Packed(packed) => packed.read_at(into, offset),
        }
    }

    /// The bytes from `offset` on, at most so many; fewer only at the end.
    ///
    /// # Errors
    /// As [`Content::read_at`].
    pub fn bytes_at(&mut self, offset: u64, most: usize) -> io::Result<Vec<u8>> {
        let mut bytes = vec![0; most];
        let mut length = 0;
        while length < most {
            match self.read_at(&mut bytes[length..], offset + length as u64)? {
                0 => break,
                read => length += read,
            }
        }
        bytes.truncate(length);
        Ok(bytes)
    }

    /// The same for a look at them: as many as can be read, if not all can be.
    pub fn readable_at(&mut self, offset: u64, most: usize) -> Vec<u8> {
        let mut bytes = vec![0; most];
        let mut length = 0;
        while length < most
            && let Ok(read @ 1..) = self.read_at(&mut bytes[length..], offset + length as u64)
        {
            length += read;
        }
        bytes.truncate(length);
        bytes
    }

    /// Fills `into` from `offset` on.
    ///
    /// # Errors
    /// As [`Content::read_at`]; `UnexpectedEof` when the content ends before.
    pub fn read_exact_at(&mut self, into: &mut [u8], offset: u64) -> io::Result<()> {
        let mut length = 0;
        while length < into.len() {
            match self.read_at(&mut into[length..], offset + length as u64)? {
                0 => return Err(io::ErrorKind::UnexpectedEof.into()),
                read => length += read,
            }
        }
        Ok(())
    }
}

/// An archive that is being decompressed.
///
/// Many may be open at once, and a decoder keeps many megabytes. So there is none where only the
/// beginning was looked at, and none at the end.
pub struct Packed {
    file: Rc<File>,
    compression: Compression,
    decoder: Option<Box<dyn Read>>,
    /// What became of the last reading of the file itself.
    raw: Rc<Cell<Raw>>,
    /// How many bytes the decoder has given out.
    position: u64,
    /// The last of them.
    recent: Vec<u8>,
    ending: Ending,
}

impl Packed {
    fn new(file: File, compression: Compression) -> Self {
        let file = Rc::new(file);
        let raw = Rc::new(Cell::new(Raw::Bytes));
        let (recent, ending) = (Vec::new(), Ending::default());
        Self { file, compression, decoder: None, raw, position: 0, recent, ending }
    }

    fn read_at(&mut self, into: &mut [u8], offset: u64) -> io::Result<usize> {
        let back = usize::try_from(self.position.saturating_sub(offset)).unwrap_or(usize::MAX);
        if (1..=self.recent.len()).contains(&back) {
            let again = &self.recent[self.recent.len() - back..];
            let length = again.len().min(into.len());
            into[..length].copy_from_slice(&again[..length]);
            return Ok(length);
        }
        let is_at_end = self.ending.get().is_some();
        if offset < self.position || (self.decoder.is_none() && !is_at_end) {
            self.raw.set(Raw::Bytes);
            self.recent.clear();
            let archive = RawReader::new(&self.file, &self.raw);
            self.decoder = Some(self.compression.decoder(archive));
            self.position = 0;
            self.ending.0.set(None);
        }
        if self.position < offset {
            let mut skipped = vec![0; SKIP_BYTES];
            while self.position < offset {
                let left = usize::try_from(offset - self.position).unwrap_or(SKIP_BYTES);
                if self.read(&mut skipped[..left.min(SKIP_BYTES)])? == 0 {
                    return Ok(0);
                }
            }
        }
        let result = self.read(into);
        if self.position <= RECENT_BYTES as u64 {
            // To begin anew costs nothing.
            self.decoder = None;
        }
        result
    }

    /// Reads on where the decoder stands. At the end and after an error it is of no more use.
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let Some(decoder) = self.decoder.as_mut().filter(|_| !into.is_empty()) else {
            return Ok(0);
        };
        let result = decoder.read(into);
        if !matches!(result, Ok(1..)) {
            self.decoder = None;
        }
        match result {
            Ok(0) => {
                self.ending.0.set(Some(End::Whole));
                Ok(0)
            }
            Ok(read) => {
                self.position += read as u64;
                self.recent.extend_from_slice(&into[read.saturating_sub(RECENT_BYTES)..read]);
                self.recent.drain(..self.recent.len().saturating_sub(RECENT_BYTES));
                Ok(read)
            }
            Err(error) => match self.raw.get() {
                Raw::Failed => Err(error),
                // It asked for more than there is: what there is, is all right so far.
                Raw::End => {
                    self.ending.0.set(Some(End::Early));
                    Ok(0)
                }
                Raw::Bytes => {
                    let is_large = error.kind() == io::ErrorKind::OutOfMemory;
                    Err(if is_large {
                        error
                    } else {
                        io::Error::new(io::ErrorKind::InvalidData, error)
                    })
                }
            },
        }
    }
}

impl fmt::Debug for Packed {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Packed")
            .field("compression", &self.compression)
            .field("position", &self.position)
            .field("ending", &self.ending)
            .finish_non_exhaustive()
    }
}

/// What became of reading an archive's own bytes.
#[derive(Clone, Copy, Debug)]
enum Raw {
    Bytes,
    End,
    Failed,
}

/// Reads an archive's own bytes, and notes for [`Packed`] how that went: the decoders report
/// the end of their input in words of their own.
struct RawReader {
    file: Rc<File>,
    raw: Rc<Cell<Raw>>,
    offset: u64,
}

impl RawReader {
    fn new(file: &Rc<File>, raw: &Rc<Cell<Raw>>) -> Self {
        Self { file: Rc::clone(file), raw: Rc::clone(raw), offset: 0 }
    }
}

impl Read for RawReader {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let result = read_at(&self.file, into, self.offset);
        self.raw.set(match result {
            Ok(0) => Raw::End,
            Ok(_) => Raw::Bytes,
            Err(_) => Raw::Failed,
        });
        self.offset += *result.as_ref().unwrap_or(&0) as u64;
        result
    }
}

/// Reads again after a signal.
fn read_at(file: &File, into: &mut [u8], offset: u64) -> io::Result<usize> {
    loop {
        match file.read_at(into, offset) {
            Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
            result => return result,
        }
    }
}

#[cfg(test)]
mod tests {
    use std::io::Write;

    use proptest::prelude::*;

    use super::*;

    /// Archives of one text, each of two parts, made by gzip, zstd, xz and bzip2.
    const ARCHIVES: [&str; 4] = ["lines.gz", "lines.zst", "lines.xz", "lines.bz2"];

    fn fixture(name: &str) -> Vec<u8> {
        let folder = concat!(env!("CARGO_MANIFEST_DIR"), "/fixtures/archives");
        std::fs::read(format!("{folder}/{name}")).unwrap()
    }

    fn content(bytes: &[u8]) -> Content {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(bytes).unwrap();
        Content::new(file).unwrap()
    }

    /// All that can be read, and what ended it.
    fn all(content: &mut Content) -> (Vec<u8>, io::Result<Option<End>>) {
        let mut text = Vec::new();
        let mut buffer = [0; 1000];
        loop {
            match content.read_at(&mut buffer, text.len() as u64) {
                Ok(0) => return (text, Ok(content.ending().get())),
                Ok(read) => text.extend_from_slice(&buffer[..read]),
                Err(error) => return (text, Err(error)),
            }
        }
    }

    #[test]
    fn archives_are_told_by_their_first_bytes_and_hold_the_text() {
        let text = fixture("lines.log");
        let (read, end) = all(&mut content(&text));
        assert_eq!((read, end.unwrap()), (text.clone(), None));
        for name in ARCHIVES {
            let mut archive = content(&fixture(name));
            assert!(archive.is_packed());
            let (read, end) = all(&mut archive);
            assert_eq!(end.unwrap(), Some(End::Whole), "{name}");
            assert!(read == text, "{name}");
        }
    }

    #[test]
    fn bytes_are_found_at_their_offsets_in_any_order() {
        let text = fixture("lines.log");
        for name in ARCHIVES {
            let mut archive = content(&fixture(name));
            let mut bytes = [0; 100];
            for offset in [0, 50, 20_000, 20_050, 18_000, 20_100, 3, 9_000] {
                archive.read_exact_at(&mut bytes, offset as u64).unwrap();
                assert_eq!(bytes, text[offset..offset + 100], "{name} at {offset}");
            }
            let beyond = archive.read_exact_at(&mut bytes, text.len() as u64 - 99);
            assert_eq!(beyond.unwrap_err().kind(), io::ErrorKind::UnexpectedEof, "{name}");
        }
    }

    #[test]
    fn an_archive_that_is_being_written_holds_a_beginning_of_the_text() {
        let text = fixture("lines.log");
        for name in ARCHIVES {
            let archive = fixture(name);
            let mut longest = 0;
            for length in (MAGIC_BYTES..archive.len()).step_by(7) {
                let (read, end) = all(&mut content(&archive[..length]));
                assert!(text.starts_with(&read), "{name} of {length} bytes");
                // Between its two parts it looks complete.
                let complete = read == text[..read.len()] && read.ends_with(b"\n");
                let end = end.unwrap();
                assert!(end == Some(End::Early) || complete, "{name} of {length} bytes: {end:?}");
                longest = longest.max(read.len());
            }
            assert!(longest > text.len() / 3, "{name}: only {longest} bytes were read");
        }
    }

    #[test]
    fn an_archive_without_its_last_bytes_ends_early() {
        for name in ARCHIVES {
            let archive = fixture(name);
            for missing in 1..12 {
                let (_, end) = all(&mut content(&archive[..archive.len() - missing]));
                assert_eq!(end.unwrap(), Some(End::Early), "{name} without {missing} bytes");
            }
        }
    }

    #[test]
    fn an_archive_that_needs_much_memory_is_refused() {
        for name in ["large-window.zst", "large-dictionary.xz"] {
            let mut content = content(&fixture(name));
            // However often it is tried.
            for _ in 0..2 {
                let (read, end) = all(&mut content);
                assert_eq!(end.unwrap_err().kind(), io::ErrorKind::OutOfMemory, "{name}");
                assert!(read.is_empty());
            }
        }
    }

    #[test]
    fn a_text_that_begins_like_an_archive_is_a_text() {
        for text in ["", "\u{1f}", "BZh", "BZh9 is the name of a host\n", "7zXZ"] {
            assert!(!content(text.as_bytes()).is_packed(), "{text:?}");
        }
    }

    proptest! {
        #[test]
        fn a_damaged_archive_comes_to_an_end(
            name in prop::sample::select(&ARCHIVES[..]),
            at in any::<prop::sample::Index>(),
            value in any::<u8>(),
            rest in prop::collection::vec(any::<u8>(), 0..20),
        ) {
            let mut archive = fixture(name);
            let at = at.index(archive.len());
            archive[at] = value;
            let end = (at + rest.len()).min(archive.len());
            archive[at..end].copy_from_slice(&rest[..end - at]);
            let mut content = content(&archive);
            // Other bytes come out of it, and often many more.
            for offset in [0, 10_000, 1_000_000] {
                let _ = content.read_at(&mut [0; 1000], offset);
            }
        }
    }
}
