//! Which file is this, and is it still the one that was read?
//!
//! Device and inode never suffice: an inode is used again within minutes of a deletion. The
//! content decides: the first bytes of the file (its head) and the last bytes before the offset
//! (the marker). The head alone does not suffice either: many logs begin with equal lines.

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, MetadataExt};

use xxhash_rust::xxh3::xxh3_64;

/// How many bytes head and marker have at the most.
pub const PROBE_BYTES: usize = 1024;

/// Device and inode of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Identity {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
}

impl Identity {
    /// The identity that the system reports.
    pub fn of(metadata: &Metadata) -> Self {
        Self { device: metadata.dev(), inode: metadata.ino() }
    }
}

/// How far a file was read, and how to recognise it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub identity: Identity,
    /// Bytes read: the end of the last complete line.
    pub byte_offset: u64,
    /// Hash of the first `min(1024, byte_offset)` bytes.
    pub head_hash: u64,
    /// Hash of the last `min(1024, byte_offset)` bytes before the offset.
    pub marker_hash: u64,
}

impl Place {
    /// The beginning of a file: nothing read, and everything matches it.
    pub fn beginning(identity: Identity) -> Self {
        Self { identity, byte_offset: 0, head_hash: hash(&[]), marker_hash: hash(&[]) }
    }

    /// The place at `byte_offset`, with the hashes of what the file holds there now.
    ///
    /// # Errors
    /// When the file cannot be read or ends before the offset.
    pub fn at(file: &File, identity: Identity, byte_offset: u64) -> io::Result<Self> {
        Ok(Self {
            identity,
            byte_offset,
            head_hash: hash(&head(file, byte_offset)?),
            marker_hash: hash(&marker(file, byte_offset)?),
        })
    }

    /// Whether the file holds what was read: head and marker are where they were.
    ///
    /// `false` as well for a file that ends before the offset.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn is_in(&self, file: &File) -> io::Result<bool> {
        match Self::at(file, self.identity, self.byte_offset) {
            Ok(found) => Ok(found == *self),
            Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
            Err(error) => Err(error),
        }
    }
}

/// The first `min(1024, byte_offset)` bytes of a file.
///
/// # Errors
/// When the file cannot be read or is shorter.
pub fn head(file: &File, byte_offset: u64) -> io::Result<Vec<u8>> {
    read_exact_at(file, 0, probe_length(byte_offset))
}

/// The last `min(1024, byte_offset)` bytes before the offset.
///
/// # Errors
/// When the file cannot be read or ends before the offset.
pub fn marker(file: &File, byte_offset: u64) -> io::Result<Vec<u8>> {
    let length = probe_length(byte_offset);
    read_exact_at(file, byte_offset - length as u64, length)
}

/// The hash that [`Place`] keeps: XXH3, 64 bits.
pub fn hash(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

/// How many bytes head and marker have at an offset.
pub fn probe_length(byte_offset: u64) -> usize {
    usize::try_from(byte_offset).map_or(PROBE_BYTES, |offset| offset.min(PROBE_BYTES))
}

fn read_exact_at(file: &File, from: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    file.read_exact_at(&mut bytes, from)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;

    fn file(content: &[u8]) -> (File, Identity) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        let identity = Identity::of(&file.metadata().unwrap());
        (file, identity)
    }

    #[test]
    fn a_place_is_recognised_until_the_bytes_before_it_change() {
        let text = b"one\ntwo\nthree\n".repeat(200);
        let (log, identity) = file(&text);
        let place = Place::at(&log, identity, 1400).unwrap();
        assert!(place.is_in(&log).unwrap());

        log.write_all_at(b"X", 1399).unwrap();
        assert!(!place.is_in(&log).unwrap(), "the marker changed");
        log.write_all_at(&text[1399..1400], 1399).unwrap();
        log.write_all_at(b"X", 0).unwrap();
        assert!(!place.is_in(&log).unwrap(), "the head changed");
    }

    #[test]
    fn a_file_that_ends_before_the_offset_is_not_the_one() {
        let (log, identity) = file(b"one\ntwo\n");
        let place = Place::at(&log, identity, 8).unwrap();
        log.set_len(4).unwrap();
        assert!(!place.is_in(&log).unwrap());
    }

    #[test]
    fn the_beginning_is_in_every_file() {
        let (empty, identity) = file(b"");
        assert!(Place::beginning(identity).is_in(&empty).unwrap());
        assert_eq!(Place::at(&empty, identity, 0).unwrap(), Place::beginning(identity));
    }
}
