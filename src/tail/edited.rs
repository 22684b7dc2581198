//! Where do the lines that were read last stand in a file that was rewritten?
//!
//! An editor, or a job that keeps the last ten thousand lines, writes a log anew. What was read
//! would all come again. The 1024 bytes before the offset are known by their hash, and they
//! end with a line; so it is enough to look at the ends of the lines.

use std::io;

use memchr::memchr_iter;

use super::LogFile;
use super::identity::{self, PROBE_BYTES};
use crate::model::Place;

/// How much is looked at at once.
const READ_BYTES: usize = 256 * 1024;

/// The place after the lines that were read last, if the file has them; the first such place,
/// so that nothing is left out. `None` as well if fewer were read than tell.
///
/// # Errors
/// When the file cannot be read.
pub fn last_lines(log: &mut LogFile, read: &Place) -> io::Result<Option<Place>> {
    if read.byte_offset <= PROBE_BYTES as u64 || log.content.is_packed() {
        return Ok(None);
    }
    // Before the new bytes there are always the last `PROBE_BYTES` of those before them.
    let mut window: Vec<u8> = Vec::new();
    let mut offset = 0;
    loop {
        let bytes = log.content.bytes_at(offset, READ_BYTES)?;
        let known = window.len();
        window.extend_from_slice(&bytes);
        for at in memchr_iter(b'\n', &bytes) {
            let end = known + at + 1;
            if end >= PROBE_BYTES
                && identity::hash(&window[end - PROBE_BYTES..end]) == read.marker_hash
            {
                let byte_offset = offset + at as u64 + 1;
                return identity::place_at(&mut log.content, log.identity, byte_offset).map(Some);
            }
        }
        if bytes.len() < READ_BYTES {
            return Ok(None);
        }
        offset += bytes.len() as u64;
        window.drain(..window.len() - PROBE_BYTES);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fmt::Write;
    use std::fs;

    fn lines(from: usize, to: usize) -> String {
        (from..to).fold(String::new(), |mut text, line| {
            writeln!(text, "2026-01-15 11:00:00 [ERROR] line {line}").unwrap();
            text
        })
    }

    /// Where in `new` the last of the lines before `read` stand.
    fn found(read: usize, new: &str) -> Option<u64> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        fs::write(&path, lines(0, read)).unwrap();
        let place = LogFile::open(&path).unwrap().last_line_end().unwrap();
        fs::write(&path, new).unwrap();
        let found = last_lines(&mut LogFile::open(&path).unwrap(), &place).unwrap();
        found.map(|place| place.byte_offset)
    }

    #[test]
    fn the_last_lines_are_found_wherever_they_stand() {
        for (from, to) in [(50, 120), (19_000, 20_100), (19_970, 20_000)] {
            let read = if to < 200 { 100 } else { 20_000 };
            let new = lines(from, to);
            assert_eq!(found(read, &new), Some(lines(from, read).len() as u64));
            let edited = "edited\n".to_owned() + &new;
            assert_eq!(found(read, &edited), Some(7 + lines(from, read).len() as u64));
        }
    }

    #[test]
    fn lines_that_were_changed_or_were_few_are_not_found() {
        assert_eq!(found(100, &lines(100, 200)), None);
        assert_eq!(found(100, &lines(50, 200).replace("line 95", "line x")), None);
        assert_eq!(found(10, &("x\n".to_owned() + &lines(0, 10))), None);
    }
}
