//! The folder of a log, in which it is certain which inode a new file gets.

use std::fs::{self, File};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, SystemTime};

use chrono::{DateTime, Utc};

use crate::support::program::append;

/// The files.
pub(crate) struct Disk {
    folder: PathBuf,
    /// Whether a new file gets the inode of the one that was deleted last; else it gets one
    /// that no file of this folder ever had.
    inodes_come_again: bool,
    /// Deleted files, which keep their inodes from being used by others.
    buried: Vec<PathBuf>,
    burials: usize,
}

impl Disk {
    /// With nothing on it.
    pub(crate) fn new(folder: &Path, inodes_come_again: bool) -> Self {
        fs::create_dir_all(folder.join("logs")).unwrap();
        fs::create_dir_all(folder.join("buried")).unwrap();
        Self { folder: folder.to_owned(), inodes_come_again, buried: Vec::new(), burials: 0 }
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.join("logs").join(name)
    }

    pub(crate) fn inode(&self, name: &str) -> u64 {
        self.path(name).metadata().map_or(0, |metadata| metadata.ino())
    }

    /// Makes a file.
    pub(crate) fn create(&mut self, name: &str, bytes: &[u8], at: DateTime<Utc>) {
        let path = self.path(name);
        assert!(!path.exists(), "{name} is there already");
        if self.inodes_come_again
            && let Some(buried) = self.buried.pop()
        {
            fs::rename(buried, path).unwrap();
        }
        self.overwrite(name, bytes, at);
    }

    /// Gives a file other content, on its inode.
    pub(crate) fn overwrite(&self, name: &str, bytes: &[u8], at: DateTime<Utc>) {
        fs::write(self.path(name), bytes).unwrap();
        self.set_modified(name, at);
    }

    pub(crate) fn append(&self, name: &str, bytes: &[u8], at: DateTime<Utc>) {
        append(&self.path(name), bytes);
        self.set_modified(name, at);
    }

    pub(crate) fn rename(&self, from: &str, to: &str) {
        fs::rename(self.path(from), self.path(to)).unwrap();
    }

    pub(crate) fn delete(&mut self, name: &str) {
        self.burials += 1;
        let buried = self.folder.join("buried").join(self.burials.to_string());
        fs::rename(self.path(name), &buried).unwrap();
        self.buried.push(buried);
    }

    fn set_modified(&self, name: &str, at: DateTime<Utc>) {
        let seconds = Duration::from_secs(u64::try_from(at.timestamp()).unwrap());
        let file = File::options().append(true).open(self.path(name)).unwrap();
        file.set_modified(SystemTime::UNIX_EPOCH + seconds).unwrap();
    }
}
