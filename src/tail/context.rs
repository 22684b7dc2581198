//! The lines around one that was read before, from its file if that is still there.
//!
//! By now it may have been renamed, compressed or moved to an `olddir`; it is known by what it
//! holds, as always.

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use encoding_rs::Encoding;

use super::candidates::Search;
use super::folders::Folders;
use super::line_end::{self, Units};
use super::{LogFile, identity};
use crate::model::Place;

/// Lines before and from the one asked for.
const LINES_BEFORE: usize = 2;
const LINES_FROM: usize = 5;
/// How far they may reach. Even numbers, for units of two bytes.
const BYTES_BEFORE: u64 = 8 << 10;
const BYTES_FROM: usize = 16 << 10;

/// Where to look for a file.
#[derive(Clone, Copy, Debug)]
pub struct Sought<'a> {
    /// The path of its log.
    pub log: &'a Path,
    /// Where it lay last.
    pub last_path: &'a Path,
    /// Further folders with rotated files.
    pub olddir: &'a [PathBuf],
    /// What it held when it was read last.
    pub place: &'a Place,
}

/// A line with those around it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Context {
    /// Those before it, the oldest first.
    pub before: Vec<String>,
    /// The line, and those that follow.
    pub from: Vec<String>,
}

/// A file that was found again.
#[derive(Debug)]
pub struct Found {
    /// Where it lies now.
    pub path: PathBuf,
    /// The file.
    pub file: LogFile,
}

/// Looks for a file; `None` if it is nowhere.
pub fn find(sought: &Sought<'_>) -> Option<Found> {
    let holds = |path: &Path| {
        let mut file = LogFile::open(path).ok()?;
        let is_same = identity::holds(&mut file.content, sought.place).ok()?;
        is_same.then(|| Found { path: path.to_owned(), file })
    };
    // Most often nothing has changed.
    for path in [sought.last_path, sought.log] {
        if let Some(found) = holds(path) {
            return Some(found);
        }
    }
    let search = Search {
        path: sought.log,
        target: None,
        target_before: None,
        olddir: sought.olddir,
        known_paths: Vec::new(),
        inodes: vec![sought.place.identity.inode],
    };
    let candidates = search.all(&mut Folders::new(SystemTime::UNIX_EPOCH)).ok()?;
    candidates.iter().find_map(|one| holds(&one.path))
}

/// The line at `byte_offset` of a file with those around it; `None` if there is none. The file
/// itself may say that it is encoded in another way.
pub fn around(
    file: &mut LogFile,
    byte_offset: u64,
    encoding: &'static Encoding,
) -> Option<Context> {
    let head = file.content.readable_at(0, line_end::MARK_BYTES);
    let encoding = line_end::encoding(&head, encoding);
    let units = Units::of(encoding);
    let begin = byte_offset.saturating_sub(BYTES_BEFORE);
    let length = usize::try_from(byte_offset - begin).ok()?;
    let bytes = file.content.readable_at(begin, length + BYTES_FROM);
    let (before, from) = bytes.split_at_checked(length)?;
    let mut before = lines(before, units, encoding);
    // The first one may have begun before.
    let first = before.len().saturating_sub(LINES_BEFORE).max(usize::from(begin > 0));
    let before = before.split_off(first.min(before.len()));
    let mut from = lines(from, units, encoding);
    from.truncate(LINES_FROM);
    (!from.is_empty()).then_some(Context { before, from })
}

fn lines(mut bytes: &[u8], units: Units, encoding: &'static Encoding) -> Vec<String> {
    let mut lines = Vec::new();
    while !bytes.is_empty() {
        let end = units.find_line_end(bytes);
        let line = &bytes[..end.unwrap_or(bytes.len())];
        let (text, _) = encoding.decode_with_bom_removal(line);
        lines.push(text.trim_end_matches('\r').to_owned());
        bytes = &bytes[end.map_or(bytes.len(), |end| end + units.width())..];
    }
    lines
}
