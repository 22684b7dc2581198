//! Where do the lines that were read last stand in a file that was rewritten?
//!
//! An editor, or a job that keeps the last ten thousand lines, writes a log anew. What was read
//! would all come again. The 1024 bytes before the offset are known by their hash, and they
//! end with a line; so it is enough to look at the ends of the lines.

use std::io;

use encoding_rs::Encoding;
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
pub fn last_lines(
    log: &mut LogFile,
    read: &Place,
    encoding: &'static Encoding,
) -> io::Result<Option<Place>> {
    if read.byte_offset <= PROBE_BYTES as u64 || log.content.is_packed() {
        return Ok(None);
    }
    let units = log.units(encoding)?;
    // Before the new bytes there are always the last `PROBE_BYTES` of those before them.
    let mut window: Vec<u8> = Vec::new();
    let mut offset = 0;
    loop {
        let bytes = log.content.bytes_at(offset, READ_BYTES)?;
        let known = window.len();
        window.extend_from_slice(&bytes);
        for at in memchr_iter(b'\n', &bytes) {
            let end = known + units.after_line_end(at);
            if (PROBE_BYTES..=window.len()).contains(&end)
                && identity::hash(&window[end - PROBE_BYTES..end]) == read.marker_hash
            {
                let byte_offset = offset + units.after_line_end(at) as u64;
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
    use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE};
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
        let place = LogFile::open(&path).unwrap().last_line_end(UTF_8).unwrap();
        fs::write(&path, new).unwrap();
        let found = last_lines(&mut LogFile::open(&path).unwrap(), &place, UTF_8).unwrap();
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
    fn in_utf16_a_line_ends_with_a_whole_unit() {
        for encoding in [UTF_16LE, UTF_16BE] {
            let utf16 = |text: &str| -> Vec<u8> {
                let bytes = |unit: u16| {
                    if encoding == UTF_16LE { unit.to_le_bytes() } else { unit.to_be_bytes() }
                };
                text.encode_utf16().flat_map(bytes).collect()
            };
            let folder = tempfile::tempdir().unwrap();
            let path = folder.path().join("app.log");
            fs::write(&path, utf16(&lines(0, 100))).unwrap();
            let place = LogFile::open(&path).unwrap().last_line_end(encoding).unwrap();
            assert_eq!(place.byte_offset, utf16(&lines(0, 100)).len() as u64);
            fs::write(&path, utf16(&lines(50, 120))).unwrap();
            let mut log = LogFile::open(&path).unwrap();
            let found = last_lines(&mut log, &place, encoding).unwrap().unwrap();
            assert_eq!(found.byte_offset, utf16(&lines(50, 100)).len() as u64);
        }
    }

    #[test]
    fn lines_that_were_changed_or_were_few_are_not_found() {
        assert_eq!(found(100, &lines(100, 200)), None);
        assert_eq!(found(100, &lines(50, 200).replace("line 95", "line x")), None);
        assert_eq!(found(10, &("x\n".to_owned() + &lines(0, 10))), None);
    }
}
