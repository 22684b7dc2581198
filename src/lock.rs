//! One run at a time: an exclusive lock on a file of our own, held until it is dropped.
//!
//! The lock saves two runs from doing the same work; it does not keep them correct. That is
//! done by the database, since the lock of one host says nothing to another.

use std::fs::{DirBuilder, File};
use std::io;
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use crate::state_folder::create_parents;

/// How often a held lock is tried again while waiting for it.
const RETRY: Duration = Duration::from_millis(20);

/// Why there is no lock.
#[derive(Debug, thiserror::Error)]
pub enum LockError {
    /// Another run holds it.
    #[error("another run holds the lock {0}")]
    Held(PathBuf),
    /// The process was asked to end while it waited.
    #[error("stopped by a signal while waiting for the lock {0}")]
    Stopped(PathBuf),
    /// The file cannot be made or locked.
    #[error(
        "cannot lock {path}: {source}; make its folder writable, or set lock_file in the config"
    )]
    Failed {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// A lock that is held. The file stays; only the lock on it is given back.
#[derive(Debug)]
pub struct RunLock {
    _file: File,
}

impl RunLock {
    /// Takes the lock, waiting for it up to `wait`.
    ///
    /// # Errors
    /// [`LockError::Held`] when another run holds it all that time.
    pub fn take(path: &Path, wait: Duration) -> Result<Self, LockError> {
        Self::take_unless(&AtomicBool::new(false), path, wait)
    }

    /// The same, unless `stop` is set while it waits.
    ///
    /// # Errors
    /// [`LockError::Held`] and [`LockError::Stopped`].
    pub fn take_unless(stop: &AtomicBool, path: &Path, wait: Duration) -> Result<Self, LockError> {
        let failed = |source| LockError::Failed { path: path.to_owned(), source };
        let file = open(path).map_err(failed)?;
        let begun = Instant::now();
        loop {
            // std has methods of the same names since 1.89: these are fs2's.
            match fs2::FileExt::try_lock_exclusive(&file) {
                Ok(()) => return Ok(Self { _file: file }),
                Err(error) if is_held(&error) && stop.load(Ordering::Relaxed) => {
                    return Err(LockError::Stopped(path.to_owned()));
                }
                Err(error) if is_held(&error) && begun.elapsed() < wait => {
                    std::thread::sleep(RETRY.min(wait));
                }
                Err(error) if is_held(&error) => return Err(LockError::Held(path.to_owned())),
                Err(error) => return Err(failed(error)),
            }
        }
    }
}

/// Opens the file of a lock, or makes it.
///
/// Root's state folder belongs to the user that runs the private PostgreSQL, so a symlink
/// there is not followed: it could make root write elsewhere.
fn open(path: &Path) -> io::Result<File> {
    let no_follow = i32::try_from(rustix::fs::OFlags::NOFOLLOW.bits()).unwrap_or(0);
    if let Some(folder) = path.parent() {
        create_parents(folder)?;
        match DirBuilder::new().recursive(true).mode(0o700).create(folder) {
            // What exists there is no folder.
            Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
                return Err(io::ErrorKind::NotADirectory.into());
            }
            made => made?,
        }
    }
    File::options().create(true).append(true).mode(0o600).custom_flags(no_follow).open(path)
}

fn is_held(error: &io::Error) -> bool {
    error.raw_os_error() == fs2::lock_contended_error().raw_os_error()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_lock_is_held_until_it_is_dropped() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("state/ingest.lock");
        let lock = RunLock::take(&path, Duration::ZERO).unwrap();
        assert!(matches!(RunLock::take(&path, Duration::ZERO), Err(LockError::Held(_))));
        drop(lock);
        RunLock::take(&path, Duration::ZERO).unwrap();
    }

    #[test]
    fn waiting_gets_a_lock_that_is_given_back_meanwhile() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ingest.lock");
        let lock = RunLock::take(&path, Duration::ZERO).unwrap();
        std::thread::scope(|scope| {
            let waiting = scope.spawn(|| RunLock::take(&path, Duration::from_secs(60)));
            drop(lock);
            waiting.join().unwrap().unwrap();
        });
    }

    #[test]
    fn a_symlink_is_not_followed() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("ingest.lock");
        std::os::unix::fs::symlink(folder.path().join("elsewhere"), &path).unwrap();
        assert!(matches!(RunLock::take(&path, Duration::ZERO), Err(LockError::Failed { .. })));
        assert!(!folder.path().join("elsewhere").exists());
    }

    #[test]
    fn a_folder_that_cannot_be_made_is_named() {
        let error = RunLock::take(Path::new("/dev/null/x.lock"), Duration::ZERO).unwrap_err();
        assert!(error.to_string().contains("/dev/null/x.lock"), "{error}");
    }
}
