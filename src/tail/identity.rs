//! Which file is this, and is it still the one that was read?
//!
//! Device and inode never suffice: an inode is used again within minutes of a deletion. The
//! content decides: the first bytes of the file (its head) and the last bytes before the offset
//! (the marker). The head alone does not suffice either: many logs begin with equal lines.

use std::fs::Metadata;
use std::io;
use std::os::unix::fs::MetadataExt;

use xxhash_rust::xxh3::xxh3_64;

use super::Content;
use crate::model::{FileIdentity, Place};

/// How many bytes head and marker have at the most.
pub const PROBE_BYTES: usize = 1024;

/// How many bytes tell that two files begin alike.
pub const BEGIN_BYTES: usize = 64;

/// The identity that the system reports.
pub fn of(metadata: &Metadata) -> FileIdentity {
    FileIdentity { device: metadata.dev(), inode: metadata.ino() }
}

/// The beginning of a file: nothing read, and every file holds it.
pub fn beginning(identity: FileIdentity) -> Place {
    made_of(identity, 0, &[], &[])
}

/// The place at `byte_offset`, with the hashes of what the file holds there now.
///
/// # Errors
/// When the file cannot be read or ends before the offset.
pub fn place_at(
    content: &mut Content,
    identity: FileIdentity,
    byte_offset: u64,
) -> io::Result<Place> {
    let head = head(content, byte_offset)?;
    Ok(made_of(identity, byte_offset, &head, &marker(content, byte_offset)?))
}

/// The place at `byte_offset` of a file with this head and this marker.
pub fn made_of(identity: FileIdentity, byte_offset: u64, head: &[u8], marker: &[u8]) -> Place {
    Place {
        identity,
        byte_offset,
        head_hash: hash(head),
        marker_hash: hash(marker),
        begin_hash: hash(&head[..head.len().min(BEGIN_BYTES)]),
    }
}

/// Whether the file holds what was read: head and marker are where they were.
///
/// `false` as well for a file that ends before the offset.
///
/// # Errors
/// When the file cannot be read.
pub fn holds(content: &mut Content, place: &Place) -> io::Result<bool> {
    match place_at(content, place.identity, place.byte_offset) {
        Ok(found) => {
            let hashes = |place: &Place| (place.head_hash, place.marker_hash);
            Ok(hashes(&found) == hashes(place))
        }
        Err(error) if error.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        Err(error) => Err(error),
    }
}

/// The first `min(1024, byte_offset)` bytes of a file.
///
/// # Errors
/// When the file cannot be read or is shorter.
pub fn head(content: &mut Content, byte_offset: u64) -> io::Result<Vec<u8>> {
    read_exact_at(content, 0, probe_length(byte_offset))
}

/// The last `min(1024, byte_offset)` bytes before the offset.
///
/// # Errors
/// When the file cannot be read or ends before the offset.
pub fn marker(content: &mut Content, byte_offset: u64) -> io::Result<Vec<u8>> {
    let length = probe_length(byte_offset);
    read_exact_at(content, byte_offset - length as u64, length)
}

/// The hash that [`Place`] keeps of head and marker: XXH3, 64 bits.
pub fn hash(bytes: &[u8]) -> u64 {
    xxh3_64(bytes)
}

/// How many bytes head and marker have at an offset.
pub fn probe_length(byte_offset: u64) -> usize {
    usize::try_from(byte_offset).map_or(PROBE_BYTES, |offset| offset.min(PROBE_BYTES))
}

fn read_exact_at(content: &mut Content, from: u64, length: usize) -> io::Result<Vec<u8>> {
    let mut bytes = vec![0; length];
    content.read_exact_at(&mut bytes, from)?;
    Ok(bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::io::Write;
    use std::os::unix::fs::FileExt;

    fn file(content: &[u8]) -> (Content, FileIdentity) {
        let mut file = tempfile::tempfile().unwrap();
        file.write_all(content).unwrap();
        let identity = of(&file.metadata().unwrap());
        (Content::Plain(file), identity)
    }

    #[test]
    fn a_place_is_recognised_until_the_bytes_before_it_change() {
        let text = b"one\ntwo\nthree\n".repeat(200);
        let (mut log, identity) = file(&text);
        let place = place_at(&mut log, identity, 1400).unwrap();
        assert!(holds(&mut log, &place).unwrap());

        log.file().write_all_at(b"X", 1399).unwrap();
        assert!(!holds(&mut log, &place).unwrap(), "the marker changed");
        log.file().write_all_at(&text[1399..1400], 1399).unwrap();
        log.file().write_all_at(b"X", 0).unwrap();
        assert!(!holds(&mut log, &place).unwrap(), "the head changed");
    }

    #[test]
    fn a_file_that_ends_before_the_offset_is_not_the_one() {
        let (mut log, identity) = file(b"one\ntwo\n");
        let place = place_at(&mut log, identity, 8).unwrap();
        log.file().set_len(4).unwrap();
        assert!(!holds(&mut log, &place).unwrap());
    }

    #[test]
    fn the_beginning_is_in_every_file() {
        let (mut empty, identity) = file(b"");
        assert!(holds(&mut empty, &beginning(identity)).unwrap());
        assert_eq!(place_at(&mut empty, identity, 0).unwrap(), beginning(identity));
    }
}
