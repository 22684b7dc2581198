//! Which bytes of a log are new?
//!
//! In: a path and the [`Place`] where reading stopped. Out: an open file and the offset from
//! which to go on, or what happened to the file in between. Nothing here knows what a line
//! means, and nothing here touches the database.
//!
//! A program that runs for a second a minute is down most of the time, so a log that was
//! rotated while nothing ran is the normal case: a file is recognised by its content, never by
//! its name alone.

pub mod candidates;
mod content;
pub mod context;
mod copies;
mod decoders;
pub mod edited;
pub mod facts;
pub mod folders;
mod hole;
pub mod identity;
pub mod journal;
pub mod line_end;
pub mod line_reader;
pub mod names;
pub mod order;
pub mod resume;
pub mod rotation;
pub mod sight;

pub use content::{Content, End, Ending};
pub use line_reader::{LineReader, RawLine};

use std::fs::{File, Metadata};
use std::io;
use std::os::unix::fs::{FileExt, FileTypeExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use encoding_rs::Encoding;

use self::line_end::Units;
use crate::model::{FileIdentity, Place};

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
    /// Its size in bytes when it was opened, compressed if it is: this run reads no further.
    pub size: u64,
    /// When it was changed last.
    pub modified: SystemTime,
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
        let modified = metadata.modified().map_err(unreadable)?;
        let content = Content::new(file).map_err(unreadable)?;
        Ok(Self { content, identity: identity::of(&metadata), size: metadata.len(), modified })
    }

    /// Up to where its content is read in this run: an archive says itself where it ends.
    pub fn end(&self) -> u64 {
        if self.content.is_packed() { u64::MAX } else { self.size }
    }

    /// Hash of the first and the last bytes of an archive, as they lie on the disk; `None` if
    /// it is none. With the size it tells whether an archive was only renamed.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn file_hash(&self) -> io::Result<Option<u64>> {
        if !self.content.is_packed() {
            return Ok(None);
        }
        let length = identity::probe_length(self.size);
        let mut ends = vec![0; 2 * length];
        self.content.file().read_exact_at(&mut ends[..length], 0)?;
        self.content.file().read_exact_at(&mut ends[length..], self.size - length as u64)?;
        Ok(Some(identity::hash(&ends)))
    }

    /// The place after the last complete line of a plain file.
    ///
    /// # Errors
    /// When the file cannot be read.
    pub fn last_line_end(&mut self, encoding: &'static Encoding) -> io::Result<Place> {
        let units = self.units(encoding)?;
        let mut end = self.size - self.size % units.width() as u64;
        // A whole number of units.
        let mut buffer = vec![0; 64 * 1024];
        while end > 0 {
            let length = buffer.len().min(usize::try_from(end).unwrap_or(usize::MAX));
            let from = end - length as u64;
            self.content.read_exact_at(&mut buffer[..length], from)?;
            if let Some(at) = units.find_last_line_end(&buffer[..length]) {
                let line_end = from + (at + units.width()) as u64;
                return identity::place_at(&mut self.content, self.identity, line_end);
            }
            end = from;
        }
        Ok(identity::beginning(self.identity))
    }
}

impl LogFile {
    /// The units of its content.
    ///
    /// # Errors
    /// When its first bytes cannot be read.
    pub fn units(&mut self, encoding: &'static Encoding) -> io::Result<Units> {
        let head = self.content.bytes_at(0, line_end::MARK_BYTES)?;
        Ok(Units::of(line_end::encoding(&head, encoding)))
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
