//! The first stage of a run: from log files to stored entries.
//!
//! Puts `tail`, `parse` and `store` together, one source after the other. One source that
//! fails does not stop the others; what failed is collected and told at the end.

mod archives;
mod builder;
mod counts;
mod decoding;
mod earlier;
mod files;
pub mod inspect;
mod journal;
mod journalctl;
mod last_line;
mod limits;
mod progress;
mod reader;
mod samples;
mod since;
mod standing;
pub mod survey;
mod take;
mod target;

use std::collections::{HashMap, HashSet};
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Duration;

use chrono::TimeDelta;
use diesel::pg::PgConnection;

pub use limits::ReadLimits;
pub use progress::Progress;
pub use target::{Target, expand};

use crate::model::{FileIdentity, Gap, Generation, PartitionInterval, SourceId, Tick};
use crate::store::StoreError;
use crate::store::generations;
use crate::store::notes;
use crate::store::partitions::Partitions;
use crate::store::runs::Figures;
use crate::store::sources::{self, Source, SourceSettings};
use crate::tail::TailError;
use crate::tail::folders::Folders;
use archives::Archives;

/// Bytes of log in one transaction. Large enough that the transaction costs nothing, small
/// enough that little is read again after a crash.
pub const CHUNK_BYTES: u64 = 1 << 30;
/// Bytes of entries in one transaction: they may have to pass a slow network.
pub const CHUNK_ENTRY_BYTES: u64 = 64 << 20;
/// How long one transaction reads: on a slow disk that many bytes would take minutes.
pub const CHUNK_TIME: Duration = Duration::from_secs(10);

/// A standing error is told when it begins and then this often.
const TELL_EVERY: TimeDelta = TimeDelta::hours(1);

/// What the stage needs to know besides its logs.
#[derive(Clone, Copy, Debug)]
pub struct Ingest<'a> {
    /// The name of this host.
    pub host: &'a str,
    /// The moment of the run.
    pub tick: Tick,
    /// Length of the partitions that are made.
    pub partition_interval: PartitionInterval,
    /// How much is read.
    pub limits: ReadLimits,
    /// Who is told how far the reading is.
    pub progress: Option<&'a dyn Progress>,
    /// Set by SIGTERM and SIGINT: stop at the next safe point.
    pub stop: &'a AtomicBool,
}

/// What came of the stage.
#[derive(Debug, Default)]
pub struct Outcome {
    /// The figures so far.
    pub figures: Figures,
    /// What failed, by source.
    pub failures: Vec<Failure>,
    /// Bytes that were lost, by source.
    pub gaps: Vec<(PathBuf, Gap)>,
    /// What is not as it should be, and harmless.
    pub warnings: Vec<String>,
    /// Whether the stage was asked to stop before it was done.
    pub stopped: bool,
    /// Whether it ended at a limit of what a run reads, with more to read.
    pub has_more: bool,
}

impl Outcome {
    /// Whether there is more to read that this run leaves.
    fn is_unfinished(&self) -> bool {
        self.stopped || self.has_more
    }
}

/// A source that could not be read, and whether to tell it now.
#[derive(Debug)]
pub struct Failure {
    /// What failed.
    pub message: String,
    /// `false` for a standing error that was told less than an hour ago.
    pub tell: bool,
}

/// Why a source, or the whole stage, could not go on.
#[derive(Debug, thiserror::Error)]
pub enum IngestError {
    /// The log cannot be read.
    #[error(transparent)]
    Tail(#[from] TailError),
    /// The log broke off while it was read; what was read before is stored.
    #[error("cannot read on in {path} at byte {byte_offset}: {source}")]
    Read {
        /// The log.
        path: PathBuf,
        /// Where.
        byte_offset: u64,
        /// What the system said.
        source: std::io::Error,
    },
    /// The log was emptied or replaced while it was read: nothing of what was read is stored.
    #[error("{0} is being rotated; the next run reads it")]
    Rotating(PathBuf),
    /// Another path to the same file is read.
    #[error(
        "{path} is the same file as {other}, which is read; take one of the two out of the \
         paths, or exclude it"
    )]
    SameFile {
        /// The path that is not read.
        path: PathBuf,
        /// The one that is.
        other: PathBuf,
    },
    /// The journal of systemd cannot be read, or not on; what was read before is stored.
    #[error("cannot read the journal: {0}")]
    Journal(String),
    /// No line of the log could be parsed.
    #[error("no line of {0} could be parsed; tripline detect shows how it is read")]
    NothingParsed(PathBuf),
    /// The path cannot be a source.
    #[error("{0:?} is not valid UTF-8, which the path of a source must be; rename the log")]
    PathNotUtf8(PathBuf),
    /// The database failed: no other source will fare better.
    #[error(transparent)]
    Store(#[from] StoreError),
}

/// Called after each stored chunk of a source, of so many lines.
pub type AfterChunk<'a> =
    dyn FnMut(&mut PgConnection, SourceId, i64) -> Result<(), StoreError> + 'a;

/// Reads what is new in all targets; `known` are the sources of this host, as loaded under the
/// lock of the run.
///
/// # Errors
/// Only for what stops the whole stage: the database failed, or another run reads the same
/// sources ([`StoreError::Overtaken`]).
pub fn run(
    connection: &mut PgConnection,
    ingest: &Ingest<'_>,
    known: Vec<Source>,
    targets: &[Target],
    after_chunk: &mut AfterChunk<'_>,
) -> Result<Outcome, StoreError> {
    let unfinished = generations::unfinished(connection, &known)?;
    let known: HashMap<PathBuf, Source> =
        known.into_iter().map(|source| (PathBuf::from(&source.path), source)).collect();
    let archives = Archives::among(targets, &known);
    let by_identity = known
        .values()
        .filter_map(|source| Some((source.place?.identity, PathBuf::from(&source.path))))
        .collect();
    let mut stage = Stage {
        connection,
        ingest,
        after_chunk,
        known: &known,
        by_identity,
        archives: &archives,
        registered_as: HashMap::new(),
        unfinished,
        partitions: None,
        folders: Folders::new(ingest.tick.0.into()),
        outcome: Outcome::default(),
        seen: HashMap::new(),
        looked_at: HashSet::new(),
        strangers: HashSet::new(),
        at_end_with_alerts: Vec::new(),
    };
    if let Some(progress) = ingest.progress {
        progress.begin(ingest.limits.unread_bytes(targets, &known));
    }
    let is_log = |target: &&Target| {
        target.config.journal.is_some() || archives.log_of(&target.path).is_none()
    };
    for target in ingest.limits.in_order(targets, &known).into_iter().filter(is_log) {
        stage.read(target)?;
        if stage.outcome.is_unfinished() {
            break;
        }
    }
    // They come last: most of them are read, or known, as parts of their logs.
    if !stage.outcome.is_unfinished() {
        stage.read_archives(targets)?;
    }
    if let Some(progress) = ingest.progress {
        progress.end();
    }
    if !stage.at_end_with_alerts.is_empty() {
        notes::read_to_end(stage.connection, &stage.at_end_with_alerts, ingest.tick)?;
    }
    Ok(stage.outcome)
}

/// The stage at work.
struct Stage<'a> {
    connection: &'a mut PgConnection,
    ingest: &'a Ingest<'a>,
    after_chunk: &'a mut AfterChunk<'a>,
    /// The sources of this host, by their paths.
    known: &'a HashMap<PathBuf, Source>,
    /// Their paths by the files that they were when they were read last.
    by_identity: HashMap<FileIdentity, PathBuf>,
    /// The numbers of the sources that were read in this run.
    registered_as: HashMap<PathBuf, SourceId>,
    /// Which of the targets are rotated files of others.
    archives: &'a Archives,
    /// Files that are not read to their end, besides those at the paths.
    unfinished: HashMap<SourceId, Vec<Generation>>,
    /// Read when the first chunk needs them: a run with nothing new does not.
    partitions: Option<Partitions>,
    outcome: Outcome,
    /// Folders that were searched for rotated files.
    folders: Folders,
    /// Files read in this run, and by which path: two paths may reach one file.
    seen: HashMap<FileIdentity, PathBuf>,
    /// Logs whose rotated files were looked for in this run.
    looked_at: HashSet<PathBuf>,
    /// Files that are named like rotated files of a log, and are logs of their own.
    strangers: HashSet<PathBuf>,
    /// Sources read to their end that have an open alert, whose end depends on having looked.
    at_end_with_alerts: Vec<SourceId>,
}

impl Stage<'_> {
    /// Reads one source, and keeps what failed with it.
    fn read(&mut self, target: &Target) -> Result<(), StoreError> {
        self.outcome.figures.sources += 1;
        let source = match self.registered(target, self.known.get(&target.path)) {
            Ok(source) => source,
            Err(IngestError::Store(error)) => return Err(error),
            Err(error) => {
                self.fail(error.to_string(), true);
                return Ok(());
            }
        };
        let (id, tick) = (source.id, self.ingest.tick);
        self.registered_as.insert(target.path.clone(), id);
        let last_error = source.last_error.clone();
        let told_at = source.last_error_shown_at;
        match self.read_source(target, source) {
            Ok(()) if last_error.is_some() => notes::error(self.connection, id, None, tick),
            Ok(()) => Ok(()),
            Err(IngestError::Store(error)) => Err(error),
            Err(error) => {
                let message = error.to_string();
                let is_new = last_error.is_none_or(|last_error| last_error != message);
                if let IngestError::SameFile { .. } = error {
                    // Nothing is lost by it, so it is told once, and is no failure.
                    if is_new {
                        notes::error(self.connection, id, Some(&message), tick)?;
                        self.outcome.warnings.push(message);
                    }
                    return Ok(());
                }
                let tell =
                    is_new || told_at.is_none_or(|told_at| (tick.0 - told_at).abs() >= TELL_EVERY);
                if tell {
                    notes::error(self.connection, id, Some(&message), tick)?;
                }
                self.fail(message, tell);
                Ok(())
            }
        }
    }

    fn fail(&mut self, message: String, tell: bool) {
        self.outcome.figures.errors += 1;
        self.outcome.failures.push(Failure { message, tell });
    }

    /// The source of a target, with its row in the database made or brought up to date.
    fn registered(
        &mut self,
        target: &Target,
        known: Option<&Source>,
    ) -> Result<Source, IngestError> {
        let path =
            target.path.to_str().ok_or_else(|| IngestError::PathNotUtf8(target.path.clone()))?;
        let settings = SourceSettings {
            name: target.config.name.clone().unwrap_or_else(|| path.to_owned()),
            format: target.config.format_name().to_owned(),
            timezone: target.timezone.name().to_owned(),
        };
        if let Some(known) = known
            && known.settings == settings
        {
            return Ok(known.clone());
        }
        let (host, tick) = (self.ingest.host, self.ingest.tick);
        let id = sources::register(self.connection, host, path, &settings, tick)?;
        Ok(match known {
            Some(known) => Source { settings, ..known.clone() },
            None => Source::new(id, path.to_owned(), settings),
        })
    }

    /// The partitions, read and made ahead when they are needed for the first time.
    fn partitions(&mut self) -> Result<Partitions, StoreError> {
        if let Some(partitions) = self.partitions.take() {
            return Ok(partitions);
        }
        let interval = self.ingest.partition_interval;
        let mut partitions = Partitions::load(self.connection, interval, self.ingest.tick)?;
        partitions.ensure_ahead(self.connection)?;
        Ok(partitions)
    }
}
