//! What is known and seen of the files of a log, and what is to be known of them.
//!
//! The words between `sight`, which looks, and `rotation`, which decides.

use super::order::Age;
use crate::model::{EventTime, FileIdentity, Gap, Generation, Place};

/// What is known of a log.
#[derive(Clone, Copy, Debug)]
pub struct Before<'a> {
    /// The file that was at the path, if the log was seen before.
    pub present: Option<&'a Generation>,
    /// Whether nothing was read of it.
    pub is_unread: bool,
    /// The other files, as far as something was read of them or they are done with.
    pub others: &'a [Generation],
    /// Those that were to be read, but of which nothing was yet.
    pub unread: &'a [Generation],
    /// Whether the files that lay beside the log are among them.
    pub noted: bool,
    /// When the last entry happened that was read.
    pub last_logged_at: Option<EventTime>,
}

/// What the file at the path shows.
#[derive(Clone, Debug)]
pub struct Present {
    /// Device and inode.
    pub identity: FileIdentity,
    /// Size in bytes.
    pub size_bytes: u64,
    /// How old it seems.
    pub age: Age,
    /// Numbers of the known files that it holds.
    pub holds: Vec<i64>,
    /// Numbers of those that it perhaps holds.
    pub begins_like: Vec<i64>,
    /// Where in it the last lines stand that were read of the present file, if that is to be
    /// found nowhere else.
    pub last_lines: Option<Place>,
    /// Where to begin in a log that is seen for the first time.
    pub start: Place,
    /// How far it was read as another log that lay at another path.
    pub read_elsewhere: Option<Place>,
    /// Whether such a log is read from its beginning.
    pub from_beginning: bool,
}

/// What a file beside the log shows.
#[derive(Clone, Debug)]
pub struct FileFacts {
    /// Where it lies.
    pub path: String,
    /// Device and inode.
    pub identity: FileIdentity,
    /// Size in bytes.
    pub size_bytes: u64,
    /// Hash of its ends, if it is an archive.
    pub file_hash: Option<u64>,
    /// How old it seems.
    pub age: Age,
    /// Numbers of the known files of which everything that was read is in it.
    pub holds: Vec<i64>,
    /// Numbers of those of which so little was read that this may be another file that begins
    /// in the same way.
    pub begins_like: Vec<i64>,
    /// Whether a further line follows what was read of those.
    pub goes_on: bool,
    /// What it is besides.
    pub substance: Substance,
    /// A place by which it can be recognised later, although nothing of it was read.
    pub place: Place,
    /// What the config makes of it.
    pub role: Role,
}

/// What a file is, apart from the known files that it holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Substance {
    /// A file like others.
    Own,
    /// There is nothing in it.
    Empty,
    /// All of it is in another file too.
    Copy,
    /// It is a beginning of what was read of the present file.
    BeginsPresent,
    /// An archive that ends early, and was changed so lately that it may still be written.
    Incomplete,
}

/// What the config makes of a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Role {
    /// Nothing.
    Unnamed,
    /// The paths of the source name it: it is read though it was there before the log was first
    /// seen.
    Named,
    /// It is a log of its own, which is read too.
    OtherLog,
    /// It was a log of its own.
    FormerLog,
}

/// What is to be known from now on.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Rotation {
    /// Files that are new or have changed. Those that are unfinished are read in the order of
    /// their numbers.
    pub files: Vec<Generation>,
    /// Numbers under which a file is known no more.
    pub forgotten: Vec<i64>,
    /// What was lost.
    pub gaps: Vec<Gap>,
    /// Number and place of the file at the path.
    pub present: Option<(i64, Place)>,
    /// Paths of files that are named by the source's paths and are no part of this log.
    pub strangers: Vec<String>,
}
