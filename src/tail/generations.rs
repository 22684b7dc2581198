//! Where is the file that a path pointed at before?
//!
//! Looked for among the files beside the path: by device and inode first (a rename), then by
//! content (a copy, made by copytruncate or rsync). What is compressed or lies in another
//! folder is not looked for yet.

use std::fs;
use std::io;
use std::path::{Path, PathBuf};

use super::{LogFile, TailError, identity};
use crate::model::Place;

/// The file that holds a saved place, and where it lies now.
#[derive(Debug)]
pub struct Found {
    /// Where it lies.
    pub path: PathBuf,
    /// The open file.
    pub log: LogFile,
}

/// Finds the file in which `place` lies, beside `path` or at `path` itself.
///
/// A file with the same device and inode wins over a copy. Of a file of which nothing was
/// read, every file would be a copy, so only device and inode count then.
///
/// # Errors
/// When the folder cannot be listed. A single file that cannot be read is passed over.
pub fn find(path: &Path, place: &Place) -> Result<Option<Found>, TailError> {
    let unlisted = |source| TailError::Unreadable { path: folder(path).to_owned(), source };
    let mut copies = Vec::new();
    for candidate in siblings(path).map_err(unlisted)? {
        let Ok(mut log) = LogFile::open(&candidate) else { continue };
        if log.size < place.byte_offset || !place_is_in(place, &mut log) {
            continue;
        }
        if log.identity == place.identity {
            return Ok(Some(Found { path: candidate, log }));
        }
        copies.push(Found { path: candidate, log });
    }
    if place.byte_offset == 0 {
        return Ok(None);
    }
    // The file at the path itself is the likeliest copy: it was replaced by a grown one.
    copies.sort_by_key(|copy| (copy.path != path, copy.path.clone()));
    Ok(copies.into_iter().next())
}

fn place_is_in(place: &Place, log: &mut LogFile) -> bool {
    let here = Place { identity: log.identity, ..*place };
    identity::holds(&mut log.content, &here).unwrap_or(false)
}

/// The path and the files beside it whose names begin with its name (`app.log.1`) or with
/// its stem (`app-2026-11-22.log`).
fn siblings(path: &Path) -> io::Result<Vec<PathBuf>> {
    let stem = path.file_stem().unwrap_or_default().as_encoded_bytes();
    let mut found = Vec::new();
    for entry in fs::read_dir(folder(path))? {
        let entry = entry?;
        if entry.file_name().as_encoded_bytes().starts_with(stem) {
            found.push(entry.path());
        }
    }
    Ok(found)
}

fn folder(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::FileIdentity;

    struct Case {
        folder: tempfile::TempDir,
        place: Place,
    }

    /// A log of two lines, of which the first is read.
    fn case() -> Case {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("app.log");
        fs::write(&path, "one\ntwo\n").unwrap();
        let mut log = LogFile::open(&path).unwrap();
        let place = identity::place_at(&mut log.content, log.identity, 4).unwrap();
        Case { folder, place }
    }

    impl Case {
        fn at(&self, name: &str) -> PathBuf {
            self.folder.path().join(name)
        }

        fn found(&self) -> Option<String> {
            let found = find(&self.at("app.log"), &self.place).unwrap()?;
            Some(found.path.file_name().unwrap().to_str().unwrap().to_owned())
        }
    }

    #[test]
    fn a_renamed_file_is_found_by_its_inode() {
        let case = case();
        fs::rename(case.at("app.log"), case.at("app.log.1")).unwrap();
        fs::write(case.at("app.log"), "three\n").unwrap();
        assert_eq!(case.found().as_deref(), Some("app.log.1"));
    }

    #[test]
    fn a_copy_is_found_by_its_content() {
        let case = case();
        fs::copy(case.at("app.log"), case.at("app-20261122.log")).unwrap();
        fs::write(case.at("app.log"), "").unwrap();
        assert_eq!(case.found().as_deref(), Some("app-20261122.log"));
    }

    #[test]
    fn the_renamed_file_wins_over_its_copy() {
        let case = case();
        fs::rename(case.at("app.log"), case.at("app.log.2")).unwrap();
        fs::copy(case.at("app.log.2"), case.at("app.log.1")).unwrap();
        fs::copy(case.at("app.log.2"), case.at("app.log")).unwrap();
        assert_eq!(case.found().as_deref(), Some("app.log.2"));
    }

    #[test]
    fn a_file_with_other_content_is_not_taken() {
        let case = case();
        fs::write(case.at("app.log"), "").unwrap();
        fs::write(case.at("app.log.1"), "eins\nzwei\n").unwrap();
        assert_eq!(case.found(), None);
    }

    #[test]
    fn a_file_of_which_nothing_was_read_is_found_by_its_inode_only() {
        let mut case = case();
        case.place = identity::beginning(case.place.identity);
        fs::rename(case.at("app.log"), case.at("app.log.1")).unwrap();
        assert_eq!(case.found().as_deref(), Some("app.log.1"));
        case.place.identity = FileIdentity { inode: 1, ..case.place.identity };
        assert_eq!(case.found(), None);
    }
}
