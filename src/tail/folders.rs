//! What lies in the folders of the logs.
//!
//! A thousand logs of one folder that are rotated at once would list it a thousand times. So a
//! listing is used again as long as the folder says that nothing in it was made, renamed or
//! deleted since the run began.

use std::collections::HashMap;
use std::ffi::OsString;
use std::fs;
use std::io;
use std::os::unix::fs::DirEntryExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime};

/// A folder's time of change moves in steps of some milliseconds: what changes within the step
/// in which the run began cannot be told from what changed before.
const STEP: Duration = Duration::from_millis(100);

/// A file in a folder.
#[derive(Debug)]
pub struct Listed {
    /// Its name.
    pub name: OsString,
    /// The inode that the name stands for.
    pub inode: u64,
}

/// The listings so far.
#[derive(Debug)]
pub struct Folders {
    began_at: SystemTime,
    listings: HashMap<PathBuf, Rc<[Listed]>>,
}

impl Folders {
    /// For a run that began at this time.
    pub fn new(began_at: SystemTime) -> Self {
        Self { began_at, listings: HashMap::new() }
    }

    /// The files that are in a folder now, in the order of their names.
    ///
    /// # Errors
    /// When the folder cannot be read.
    pub fn list(&mut self, folder: &Path) -> io::Result<Rc<[Listed]>> {
        let changed_at = fs::metadata(folder)?.modified()?;
        let is_old = self.began_at.duration_since(changed_at).is_ok_and(|since| since > STEP);
        if let Some(listing) = self.listings.get(folder).filter(|_| is_old) {
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
    fn a_listing_is_used_again_until_the_folder_changes() {
        let folder = tempfile::tempdir().unwrap();
        for name in ["app.log.1", "b", "app.log", "apple"] {
            fs::write(folder.path().join(name), "").unwrap();
        }
        let changed_at = folder.path().metadata().unwrap().modified().unwrap();
        let ago = |seconds| changed_at - Duration::from_secs(seconds);
        fs::File::open(folder.path()).unwrap().set_modified(ago(10)).unwrap();
        let mut folders = Folders::new(ago(5));
        let names = |folders: &mut Folders, stem| -> Vec<String> {
            let listing = folders.list(folder.path()).unwrap();
            let found = beginning_with(&listing, stem);
            found.map(|listed| listed.name.to_str().unwrap().to_owned()).collect()
        };
        assert_eq!(names(&mut folders, "app."), ["app.log", "app.log.1"]);
        assert_eq!(names(&mut folders, "x"), [""; 0]);
        let listing = folders.list(folder.path()).unwrap();
        assert!(Rc::ptr_eq(&listing, &folders.list(folder.path()).unwrap()));
        fs::write(folder.path().join("app.log.2"), "").unwrap();
        assert_eq!(names(&mut folders, "app."), ["app.log", "app.log.1", "app.log.2"]);
        fs::write(folder.path().join("app.log.3"), "").unwrap();
        assert_eq!(names(&mut folders, "app.").len(), 4);
        assert!(folders.list(&folder.path().join("nowhere")).is_err());
    }
}
