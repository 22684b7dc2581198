//! Is a log still what it was when it was decided from where to read it?
//!
//! A log that is copied and emptied stays at its path and on its inode. If that happens after
//! it was decided to read on in it, and the writer is quick, the bytes behind the offset are of
//! another file. So when the lines of a chunk are read, and before they are stored, what was
//! known of the file must still be true. At its beginning nothing is known but what was seen
//! there, and that may be nothing: then a copy of it would lie beside it now.

use std::io;
use std::path::{Path, PathBuf};

use super::target::Target;
use crate::tail::candidates::Search;
use crate::tail::folders::Folders;

/// What was seen of a log that is read from its beginning.
#[derive(Clone, Debug)]
pub(super) struct Beginning {
    /// Its first bytes.
    head: Vec<u8>,
    /// Where it lay really, and where the file before it did.
    targets: [Option<PathBuf>; 2],
    /// The rotated files beside it.
    rotated: Vec<(PathBuf, u64)>,
}

impl Beginning {
    /// Notes what lies beside a log; to be called before the log itself is looked at.
    ///
    /// # Errors
    /// When its folder cannot be listed.
    pub(super) fn new(
        log: &Target,
        target: Option<&Path>,
        target_before: Option<&Path>,
        folders: &mut Folders,
    ) -> io::Result<Self> {
        let targets = [target, target_before].map(|path| path.map(Path::to_owned));
        let mut seen = Self { head: Vec::new(), targets, rotated: Vec::new() };
        seen.rotated = seen.search(log).rotated(folders)?;
        Ok(seen)
    }

    /// Notes its first bytes.
    pub(super) fn with_head(self, head: Vec<u8>) -> Self {
        Self { head, ..self }
    }

    /// The first bytes that it had.
    pub(super) fn head(&self) -> &[u8] {
        &self.head
    }

    /// Whether the same rotated files lie beside it.
    ///
    /// # Errors
    /// When its folder cannot be listed.
    pub(super) fn is_so(&self, log: &Target, folders: &mut Folders) -> io::Result<bool> {
        Ok(self.search(log).rotated(folders)? == self.rotated)
    }

    fn search<'a>(&'a self, log: &'a Target) -> Search<'a> {
        let [target, target_before] = &self.targets;
        Search {
            path: &log.path,
            target: target.as_deref(),
            target_before: target_before.as_deref(),
            olddir: &log.config.olddir,
            known_paths: Vec::new(),
            inodes: Vec::new(),
        }
    }
}
