//! What lies in the folders of the logs, listed once in a run.
//!
//! A thousand logs of one folder that are rotated at once would list it a thousand times. A
//! listing may be out of date when it is used, so whoever does not find what must be there
//! asks for a new one.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

/// A file in a folder.
#[derive(Debug)]
pub struct Listed {
    /// Its name.
    pub name: OsString,
    /// The inode that the name stands for.
    pub inode: u64,
}

/// The listings so far.
#[derive(Debug, Default)]
pub struct Folders {
    listings: HashMap<PathBuf, Rc<[Listed]>>,
}

impl Folders {
    /// The files in a folder, in the order of their names.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&mut self, folder: &Path) -> io::Result<Rc<[Listed]>> {
        if let Some(listing) = self.listings.get(folder) {
            return Ok(Rc::clone(listing));
        }
        let listed = |entry: fs::DirEntry| Listed { name: entry.file_name(), inode: entry.ino() };
        let mut listing: Vec<Listed> =
            fs::read_dir(folder)?.map(|entry| entry.map(listed)).collect::<io::Result<_>>()?;
        listing.sort_unstable_by(|one, other| one.name.cmp(&other.name));
        let listing: Rc<[Listed]> = listing.into();
        self.listings.insert(folder.to_owned(), Rc::clone(&listing));
        Ok(listing)
    }

    /// Forgets what was listed: it is out of date.
    pub fn forget(&mut self) {
        self.listings.clear();
    }
}

/// The files whose names begin with `stem`.
pub fn beginning_with<'a>(
    listing: &'a [Listed],
    stem: &'a str,
) -> impl Iterator<Item = &'a Listed> {
    let begins =
        move |listed: &&Listed| listed.name.as_encoded_bytes().starts_with(stem.as_bytes());
    let first = listing.partition_point(|listed| listed.name.as_encoded_bytes() < stem.as_bytes());
    listing[first..].iter().take_while(begins)
}

/// The folder of a file.
pub fn folder_of(path: &Path) -> &Path {
    match path.parent() {
        Some(folder) if !folder.as_os_str().is_empty() => folder,
        _ => Path::new("."),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_listing_stays_as_it_was_until_it_is_forgotten() {
        let folder = tempfile::tempdir().unwrap();
        let mut folders = Folders::default();
        for name in ["app.log.1", "b", "app.log", "apple"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let names = |folders: &mut Folders, stem| -> Vec<String> {
            let listing = folders.list(folder.path()).unwrap();
            let found = beginning_with(&listing, stem);
            found.map(|listed| listed.name.to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&mut folders, "app."), ["app.log", "app.log.1"]);
        fs::write(folder.path().join("app.log.2"), "").unwrap();
        assert_eq!(names(&mut folders, "app."), ["app.log", "app.log.1"]);
        folders.forget();
        assert_eq!(names(&mut folders, "app."), ["app.log", "app.log.1", "app.log.2"]);
        assert_eq!(names(&mut folders, "x"), [""; 0]);
    }
}
