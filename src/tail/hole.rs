//! Runs of NUL bytes, and the holes of a file in which they lie.

use std::fs::File;
use std::os::fd::AsFd;

use rustix::fs::{SeekFrom, seek};

/// How many NUL bytes stand at the beginning.
pub(super) fn leading_nuls(bytes: &[u8]) -> usize {
    // Whole words first: there may be gigabytes.
    let words = bytes.chunks_exact(size_of::<u64>());
    let zero = words.take_while(|word| *word == [0; size_of::<u64>()]).count() * size_of::<u64>();
    zero + bytes[zero..].iter().take_while(|byte| **byte == 0).count()
}

/// Where the hole ends in which `offset` lies: at data, or at the end of the file. `None` where
/// the file system does not tell; `offset` itself where it lies in no hole.
pub(super) fn end(file: &File, offset: u64) -> Option<u64> {
    // Reading is done at given offsets, so that nobody misses the position of the file.
    match seek(file.as_fd(), SeekFrom::Data(offset)) {
        Ok(data) => Some(data),
        // No data follows.
        Err(rustix::io::Errno::NXIO) => file.metadata().ok().map(|metadata| metadata.len()),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::os::unix::fs::FileExt;

    #[test]
    fn nuls_are_counted_up_to_the_first_other_byte() {
        for length in 0..40 {
            let mut bytes = vec![0; length];
            assert_eq!(leading_nuls(&bytes), length);
            bytes.extend_from_slice(b"x\0");
            assert_eq!(leading_nuls(&bytes), length);
        }
    }

    #[test]
    fn a_hole_ends_before_the_data_behind_it() {
        let file = tempfile::tempfile().unwrap();
        file.write_all_at(b"x", 10 << 20).unwrap();
        // A file system without holes says that all is data.
        let found = end(&file, 0).unwrap();
        assert!(found <= 10 << 20);
        file.set_len(20 << 20).unwrap();
        let found = end(&file, (10 << 20) + 5000).unwrap();
        assert!(found == (10 << 20) + 5000 || found == 20 << 20, "{found}");
    }
}
