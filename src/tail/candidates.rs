//! Which files may be earlier ones of a log?
//!
//! Those that are named like rotated files of it, in its folder, in the folder that a symlink
//! leads to or has led to, and in its `olddir`s; and whatever has the inode of a file that is
//! not read to its end.

use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::folders::{Folders, Listed, beginning_with, folder_of};
use super::names::Rotated;

/// Where to look.
#[derive(Clone, Debug)]
pub struct Search<'a> {
    /// The path of the log.
    pub path: &'a Path,
    /// Where the file that is read now lies really, if the path is a symlink.
    pub target: Option<&'a Path>,
    /// Where the file that was read before lay, if that was not the path.
    pub target_before: Option<&'a Path>,
    /// Further folders; relative ones are below that of the log.
    pub olddir: &'a [PathBuf],
    /// Where files lay that are not read to their end.
    pub known_paths: Vec<PathBuf>,
    /// Their inodes.
    pub inodes: Vec<u64>,
}

/// A file to look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Candidate {
    /// Where it lies.
    pub path: PathBuf,
    /// What its name says, if it is named like a rotated file.
    pub name: Option<Rotated>,
}

impl Search<'_> {
    /// The files that are worth a look.
    ///
    /// # Errors
    /// When the folder of the log cannot be listed. The other ones need not exist.
    pub fn likely(&self, folders: &mut Folders) -> io::Result<Vec<Candidate>> {
        self.look(folders, |listed, name| name.is_some() || self.inodes.contains(&listed.inode))
    }

    /// All files whose names begin like that of the log: for one that is nowhere else.
    ///
    /// # Errors
    /// As [`Search::likely`].
    pub fn all(&self, folders: &mut Folders) -> io::Result<Vec<Candidate>> {
        self.look(folders, |_, _| true)
    }

    /// All files that are named like rotated ones, with their inodes.
    ///
    /// # Errors
    /// As [`Search::likely`].
    pub fn rotated(&self, folders: &mut Folders) -> io::Result<Vec<(PathBuf, u64)>> {
        let mut found = Vec::new();
        for (place, listing) in self.listings(folders)? {
            for listed in beginning_with(&listing, place.stem()) {
                if listed.name.to_str().is_some_and(|name| place.read(name).is_some()) {
                    found.push((place.folder.join(&listed.name), listed.inode));
                }
            }
        }
        Ok(found)
    }

    fn look(
        &self,
        folders: &mut Folders,
        is_wanted: impl Fn(&Listed, Option<&Rotated>) -> bool,
    ) -> io::Result<Vec<Candidate>> {
        let mut found: Vec<Candidate> = Vec::new();
        let mut add = |path: PathBuf, name: Option<Rotated>| match found
            .iter_mut()
            .find(|candidate| candidate.path == path)
        {
            Some(known) => known.name = known.name.take().or(name),
            None => found.push(Candidate { path, name }),
        };
        for (place, listing) in self.listings(folders)? {
            for listed in beginning_with(&listing, place.stem()) {
                let name = listed.name.to_str().and_then(|name| place.read(name));
                if is_wanted(listed, name.as_ref()) {
                    add(place.folder.join(&listed.name), name);
                }
            }
            for listed in listing.iter().filter(|listed| self.inodes.contains(&listed.inode)) {
                add(place.folder.join(&listed.name), None);
            }
        }
        for path in &self.known_paths {
            add(path.clone(), None);
        }
        found.retain(|candidate| {
            candidate.path != self.path && Some(candidate.path.as_path()) != self.target
        });
        found.sort_unstable_by(|one, other| one.path.cmp(&other.path));
        Ok(found)
    }

    /// What lies in the places. Only the folder of the log must exist.
    fn listings(&self, folders: &mut Folders) -> io::Result<Vec<(Place<'_>, Rc<[Listed]>)>> {
        let mut listings = Vec::new();
        for place in self.places() {
            match folders.list(&place.folder) {
                Ok(listing) => listings.push((place, listing)),
                Err(error) if place.must_exist => return Err(error),
                Err(_) => {}
            }
        }
        Ok(listings)
    }

    fn places(&self) -> Vec<Place<'_>> {
        let mut places = vec![Place::of(self.path, true, false)];
        for target in [self.target, self.target_before].into_iter().flatten() {
            places.push(Place::of(target, false, true));
        }
        for olddir in self.olddir {
            for log in [Some(self.path), self.target].into_iter().flatten() {
                let folder = folder_of(log).join(olddir);
                places.push(Place { folder, is_olddir: true, ..Place::of(log, false, false) });
            }
        }
        places
    }
}

/// A folder, and the name of the log that rotated files in it are named after.
struct Place<'a> {
    folder: PathBuf,
    log: &'a str,
    must_exist: bool,
    /// Whether the log itself is named by a date.
    is_dated: bool,
    /// Whether a file of the same name is a rotated one.
    is_olddir: bool,
}

impl<'a> Place<'a> {
    fn of(log: &'a Path, must_exist: bool, is_dated: bool) -> Self {
        let name = log.file_name().and_then(|name| name.to_str()).unwrap_or_default();
        let folder = folder_of(log).to_owned();
        Self { folder, log: name, must_exist, is_dated, is_olddir: false }
    }

    /// What all names that are looked at begin with.
    fn stem(&self) -> &'a str {
        let stem = match self.log.rfind('.') {
            Some(at) if at > 0 => &self.log[..at],
            _ => self.log,
        };
        if self.is_dated { stem.trim_end_matches(|c: char| !c.is_alphabetic()) } else { stem }
    }

    fn read(&self, name: &str) -> Option<Rotated> {
        if self.is_olddir && name == self.log {
            return Some(Rotated::only());
        }
        let dated = || self.is_dated.then(|| Rotated::read_dated(self.log, name)).flatten();
        Rotated::read(self.log, name).or_else(dated)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::fs;
    use std::os::unix::fs::MetadataExt;

    #[test]
    fn rotated_files_are_looked_for_in_all_folders() {
        let root = tempfile::tempdir().unwrap();
        let at = |name: &str| root.path().join(name);
        for folder in ["log", "log/old", "elsewhere", "before"] {
            fs::create_dir(at(folder)).unwrap();
        }
        for name in [
            "log/app.log",
            "log/app.log.1",
            "log/app-error.log",
            "log/web.log.1",
            "log/moved",
            "log/old/app.log",
            "log/old/app.log-20260101.gz",
            "log/old/web.log",
            "elsewhere/app-20260103.log",
            "elsewhere/app-20260102.log",
            "before/app-20260101.log",
            "before/else",
        ] {
            fs::write(at(name), "").unwrap();
        }
        let search = Search {
            path: &at("log/app.log"),
            target: Some(&at("elsewhere/app-20260103.log")),
            target_before: Some(&at("before/app-20260101.log")),
            olddir: &["old".into(), "nowhere".into()],
            known_paths: vec![at("before/else")],
            inodes: vec![at("log/moved").metadata().unwrap().ino()],
        };
        let names = |candidates: Vec<Candidate>| -> Vec<String> {
            let relative = |path: &Path| path.strip_prefix(root.path()).unwrap().to_owned();
            candidates.iter().map(|one| relative(&one.path).to_str().unwrap().to_owned()).collect()
        };
        let mut folders = Folders::new(std::time::UNIX_EPOCH);
        let likely = [
            "before/app-20260101.log",
            "before/else",
            "elsewhere/app-20260102.log",
            "log/app.log.1",
            "log/moved",
            "log/old/app.log",
            "log/old/app.log-20260101.gz",
        ];
        let found = search.likely(&mut folders).unwrap();
        assert!(found.iter().filter(|one| one.name.is_none()).count() >= 2);
        assert_eq!(names(found), likely);
        assert!(names(search.all(&mut folders).unwrap()).contains(&"log/app-error.log".to_owned()));
        fs::remove_dir_all(at("log")).unwrap();
        assert!(search.likely(&mut folders).is_err());
    }
}
