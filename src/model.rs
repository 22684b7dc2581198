//! The words that all stages share.
//!
//! What stands here has one meaning everywhere: in the config, in the code, in the
//! columns and on the command line. Nothing here reads a file, a clock or a database.

mod format;
mod join;
mod level_rules;
mod multiline;
mod own_format;
mod schedule;
mod silence;

use std::fmt;
use std::str::FromStr;

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Deserialize, Serialize};

pub use self::format::{Format, UnknownFormat};
pub use self::join::{Join, Joins, joined};
pub use self::level_rules::{LevelRules, LevelWords};
pub use self::multiline::{LinePattern, Multiline};
pub use self::own_format::{Grammar, OwnFormat, OwnFormatError, Step};
pub use self::schedule::{InvalidHours, WeeklyHours};
pub use self::silence::{Silence, Subject};

/// The name of the channel that is used where none is configured: standard output.
pub const STDOUT: &str = "stdout";

/// How bad a log entry is, from the least to the worst.
///
/// The same order as the PostgreSQL enum `log_level`, so that `level >= 'ERROR'` means the
/// same in Rust and in SQL. Every format's own levels are mapped onto these six.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "UPPERCASE")]
pub enum Level {
    /// Finer than debugging output.
    Trace,
    /// Debugging output.
    Debug,
    /// Normal operation.
    Info,
    /// Something that may need a look.
    Warning,
    /// Something failed; the program goes on.
    Error,
    /// The program, or a large part of it, cannot go on.
    Fatal,
}

impl Level {
    /// All levels, from the least to the worst.
    pub const ALL: [Self; 6] =
        [Self::Trace, Self::Debug, Self::Info, Self::Warning, Self::Error, Self::Fatal];

    /// The name that config, database and output use: `TRACE` ... `FATAL`.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Trace => "TRACE",
            Self::Debug => "DEBUG",
            Self::Info => "INFO",
            Self::Warning => "WARNING",
            Self::Error => "ERROR",
            Self::Fatal => "FATAL",
        }
    }

    /// The place in [`Level::ALL`], 0 to 5.
    pub const fn index(self) -> usize {
        self as usize
    }
}

impl fmt::Display for Level {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// A name that is no level of tripline's.
#[derive(Debug, thiserror::Error)]
#[error("not a level: {0}")]
pub struct UnknownLevel(String);

impl FromStr for Level {
    type Err = UnknownLevel;

    fn from_str(name: &str) -> Result<Self, UnknownLevel> {
        Self::ALL
            .into_iter()
            .find(|level| level.as_str() == name)
            .ok_or_else(|| UnknownLevel(name.to_owned()))
    }
}

/// A set of levels.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct LevelSet(u8);

impl LevelSet {
    /// Whether the level belongs to the set.
    pub const fn contains(self, level: Level) -> bool {
        self.0 & (1 << level.index()) != 0
    }

    /// All levels.
    pub fn all() -> Self {
        Self::from_iter(Level::ALL)
    }

    /// The levels of the set, from the least to the worst.
    pub fn iter(self) -> impl Iterator<Item = Level> {
        Level::ALL.into_iter().filter(move |&level| self.contains(level))
    }

    /// Whether every level of `other` belongs to this set as well.
    pub const fn contains_all(self, other: Self) -> bool {
        other.0 & !self.0 == 0
    }

    /// Whether no level belongs to the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }
}

impl FromIterator<Level> for LevelSet {
    fn from_iter<I: IntoIterator<Item = Level>>(levels: I) -> Self {
        Self(levels.into_iter().fold(0, |bits, level| bits | (1 << level.index())))
    }
}

/// When something in a log happened: microseconds since 1970-01-01 00:00:00 UTC.
///
/// Microseconds are what PostgreSQL's `timestamptz` holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
pub struct EventTime(pub i64);

impl EventTime {
    /// The start of the minute that holds this moment.
    #[must_use]
    pub const fn minute(self) -> Self {
        Self(self.0 - self.0.rem_euclid(60_000_000))
    }

    /// The same moment as chrono's type.
    pub fn to_utc(self) -> DateTime<Utc> {
        DateTime::from_timestamp_micros(self.0).unwrap_or(DateTime::<Utc>::MAX_UTC)
    }

    /// This moment moved by `delta`, saturating at the ends of the range.
    #[must_use]
    pub fn saturating_add(self, delta: TimeDelta) -> Self {
        Self(self.0.saturating_add(delta.num_microseconds().unwrap_or(i64::MAX)))
    }
}

impl From<DateTime<Utc>> for EventTime {
    fn from(time: DateTime<Utc>) -> Self {
        Self(time.timestamp_micros())
    }
}

/// The moment of one run, read once in `main` (or given by `--now`).
///
/// Everything below `main` takes it as an argument; SQL gets it as a parameter.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Tick(pub DateTime<Utc>);

/// Number of a source in the database.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct SourceId(pub i64);

/// How urgent an alert is.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum Severity {
    /// For the record.
    Info,
    /// Somebody should look, today.
    Warning,
    /// Somebody should look now.
    Critical,
}

impl Severity {
    /// All severities, from the least urgent to the most.
    pub const ALL: [Self; 3] = [Self::Info, Self::Warning, Self::Critical];

    /// The name that config, database and output use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Info => "info",
            Self::Warning => "warning",
            Self::Critical => "critical",
        }
    }
}

impl fmt::Display for Severity {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(self.as_str())
    }
}

/// How much time one partition of the entries spans.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum PartitionInterval {
    /// One day: for more than a few million entries a week.
    Day,
    /// One week.
    #[default]
    Week,
    /// One month: for few entries that are kept for years.
    Month,
}

impl PartitionInterval {
    /// All intervals, from the shortest to the longest.
    pub const ALL: [Self; 3] = [Self::Day, Self::Week, Self::Month];

    /// The name that config and output use.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Day => "day",
            Self::Week => "week",
            Self::Month => "month",
        }
    }
}

/// Device and inode of a file.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub struct FileIdentity {
    /// Device number.
    pub device: u64,
    /// Inode number.
    pub inode: u64,
}

/// How far a file was read, and how to recognise it.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Place {
    /// The file.
    pub identity: FileIdentity,
    /// Bytes read: the end of the last complete line.
    pub byte_offset: u64,
    /// Hash of the first `min(1024, byte_offset)` bytes.
    pub head_hash: u64,
    /// Hash of the last `min(1024, byte_offset)` bytes before the offset.
    pub marker_hash: u64,
    /// Hash of the first `min(64, byte_offset)` bytes.
    pub begin_hash: u64,
}

/// A file of a source, other than the one at its path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Generation {
    /// Its number, in the order of reading; below 0 for a file that was there before.
    pub number: i64,
    /// Where it lay when it was last looked at.
    pub path: String,
    /// How far it was read.
    pub place: Place,
    /// Its size when it was last looked at, in bytes of the disk.
    pub size_bytes: u64,
    /// Hash of the ends of an archive as they lie on the disk; `None` if it is none.
    pub file_hash: Option<u64>,
    /// What became of it.
    pub state: GenerationState,
}

/// What became of a file of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum GenerationState {
    /// More may come: each run looks at it.
    Unfinished,
    /// It was read to its end.
    Finished,
    /// It was there before the log was first seen, and is not read.
    Skipped,
    /// It was gone before all of it was read.
    Lost,
}

impl GenerationState {
    /// All states.
    pub const ALL: [Self; 4] = [Self::Unfinished, Self::Finished, Self::Skipped, Self::Lost];

    /// The name that the database uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unfinished => "unfinished",
            Self::Finished => "finished",
            Self::Skipped => "skipped",
            Self::Lost => "lost",
        }
    }
}

/// Bytes that disappeared before they were read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Gap {
    /// The file that held them.
    pub generation: i64,
    /// Where in it they began.
    pub byte_offset: u64,
    /// Bytes known to be lost; there may be more. `None`: nothing is known.
    pub lost_bytes: Option<u64>,
    /// What was seen.
    pub reason: String,
}

/// What of a log was lost, to be read after the reason.
pub fn loss(lost_bytes: Option<u64>) -> String {
    match lost_bytes {
        Some(0) => "lines written since the last run may be lost".to_owned(),
        Some(bytes) => format!("at least {bytes} bytes were lost"),
        None => "how much is lost is not known".to_owned(),
    }
}

/// One log record as it is stored: its first line and the lines that continue it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Entry<'a> {
    /// When it happened.
    pub logged_at: EventTime,
    /// Number of its first line in the source.
    pub line_no: i64,
    /// Where its first line begins in its file.
    pub byte_offset: u64,
    /// The same for messages that differ only in numbers.
    pub fingerprint: i64,
    /// How bad it is.
    pub level: Level,
    /// Its text, all lines.
    pub message: &'a str,
    /// What its first line says besides.
    pub fields: &'a serde_json::Map<String, serde_json::Value>,
    /// The time as written, where `logged_at` is not that time.
    pub written_at: Option<&'a str>,
    /// Whether bytes of its first line were left out.
    pub cut: bool,
}

/// The last entry that was read, which lines that come later may continue.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct OpenEntry {
    /// Number of its first line in the source.
    pub line_no: i64,
    /// When it happened.
    pub logged_at: EventTime,
    /// Its level.
    pub level: Level,
    /// Lines it has so far.
    pub lines: i32,
    /// Bytes its stored message has so far; 0 when its level is not stored.
    pub bytes: i64,
}

/// What has begun in the lines of an entry, where the next line is known only by its place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Trace {
    /// A Python traceback: the line that ends it may have any name.
    Python,
    /// Goroutines of Go, after which the registers follow.
    Go,
    /// A Rust panic whose message stands on the next line.
    Rust,
    /// A place in a program of Node, whose text stands on the next line.
    Node,
    /// A text in quotes that goes on until they are closed.
    Quoted,
    /// A line that a container wrote to its standard output, the rest of which follows.
    SplitStdout,
    /// The same of its standard error.
    SplitStderr,
}

impl Trace {
    /// All of them.
    pub const ALL: [Self; 7] = [
        Self::Python,
        Self::Go,
        Self::Rust,
        Self::Node,
        Self::Quoted,
        Self::SplitStdout,
        Self::SplitStderr,
    ];

    /// The name that the database uses.
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Python => "python",
            Self::Go => "go",
            Self::Rust => "rust",
            Self::Node => "node",
            Self::Quoted => "quoted",
            Self::SplitStdout => "split_stdout",
            Self::SplitStderr => "split_stderr",
        }
    }
}
