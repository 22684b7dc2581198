//! Which bytes of a log are new?
//!
//! In: a path and the [`Place`](crate::model::Place) where reading stopped. Out: an open file and the offset from
//! which to go on, or what happened to the file in between. Nothing here knows what a line
//! means, and nothing here touches the database.
//!
//! A program that runs for a second a minute is down most of the time, so a log that was
//! rotated while nothing ran is the normal case: a file is recognised by its content, never by
//! its name alone.

mod content;
mod decoders;
pub mod generations;
pub mod identity;
pub mod line_reader;
pub mod resume;

pub use content::{Content, End};
pub use line_reader::{LineReader, RawLine};

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use crate::model::FileIdentity;

/// Why a log cannot be read.
#[derive(Debug, thiserror::Error)]
pub enum TailError {
    /// Nothing lies at the path.
    #[error("{0} does not exist; create it, correct the path, or use a glob if it may be missing")]
    Missing(PathBuf),
    /// The path is a symlink that leads nowhere.
    #[error("{path} leads to {target}, which does not exist; correct the symlink or the path")]
    Dangling {
        /// The symlink.
        path: PathBuf,
        /// What is written in it.
        target: PathBuf,
    },
    /// The path is a folder, a pipe or a device.
    #[error("{path} is {what}, not a regular file; name a log file")]
    NotAFile {
        /// The path.
        path: PathBuf,
        /// What it is instead.
        what: &'static str,
    },
    /// The system refused.
    #[error("cannot read {path}: {source}")]
    Unreadable {
        /// The path.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// An open log, and what was known of it when it was opened.
///
/// The file may be renamed, replaced or grown at any moment; only the open handle counts.
#[derive(Debug)]
pub struct LogFile {
    /// What is in it, through the open handle.
    pub content: Content,
    /// Which file it is.
    pub identity: FileIdentity,
    /// Its size in bytes when it was opened: this run reads no further.
    pub size: u64,
}

impl LogFile {
    /// Opens a regular file for reading; symlinks are followed.
    ///
    /// # Errors
    /// [`TailError`] for a path that is missing, unreadable or no regular file.
    pub fn open(path: &Path) -> Result<Self, TailError> {
        let unreadable = |source: io::Error| match source.kind() {
            io::ErrorKind::NotFound => match path.read_link() {
                Ok(target) => TailError::Dangling { path: path.to_owned(), target },
                Err(_) => TailError::Missing(path.to_owned()),
            },
            // A socket cannot even be opened.
            _ => match path.metadata() {
                Ok(metadata) if !metadata.is_file() && !metadata.is_dir() => {
                    TailError::not_a_file(path, &metadata)
                }
                _ => TailError::Unreadable { path: path.to_owned(), source },
            },
        };
        // Without O_NONBLOCK, opening a pipe would wait for a writer, perhaps for ever.
        let nonblocking = i32::try_from(rustix::fs::OFlags::NONBLOCK.bits()).unwrap_or(0);
        let file =
            File::options().read(true).custom_flags(nonblocking).open(path).map_err(unreadable)?;
        let metadata = file.metadata().map_err(unreadable)?;
        if !metadata.is_file() {
            return Err(TailError::not_a_file(path, &metadata));
        }
        let content = Content::new(file).map_err(unreadable)?;
        Ok(Self { content, identity: identity::of(&metadata), size: metadata.len() })
    }
}

impl TailError {
    fn not_a_file(path: &Path, metadata: &Metadata) -> Self {
        Self::NotAFile { path: path.to_owned(), what: kind(metadata.file_type()) }
    }
}

fn kind(file_type: std::fs::FileType) -> &'static str {
    match file_type {
        t if t.is_dir() => "a folder",
        t if t.is_fifo() => "a pipe",
        t if t.is_socket() => "a socket",
        _ => "a device",
    }
}
