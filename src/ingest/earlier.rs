//! The files of a source besides the one at its path: reads them first.
//!
//! Each unfinished file has an offset of its own, and every run reads on in them, the oldest
//! first.

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};

use super::standing::Beginning;
use super::target::Target;
use super::{IngestError, Stage};
use crate::model::{Gap, Generation, GenerationState, Tick};
use crate::store::generations;
use crate::store::sources::Source;
use crate::tail::sight;
use crate::tail::{End, LogFile, TailError, identity};

/// How long after its last change a file may still get lines: a rotation renames the file first
/// and tells the writer to open the new one later; an archive is written for a while.
const MAY_GROW: TimeDelta = TimeDelta::hours(1);

/// An unfinished file, open.
pub(super) struct Earlier {
    pub(super) known: Generation,
    pub(super) log: LogFile,
}

/// The unfinished files of a source.
pub(super) struct Found {
    /// Those that can be read on in.
    pub(super) files: Vec<Earlier>,
    /// Why others cannot.
    pub(super) unread: Option<TailError>,
    /// What was seen of the file at the path, if it was looked at.
    pub(super) beginning: Option<Beginning>,
}

impl Stage<'_> {
    /// The unfinished files, if all of them are where they were.
    pub(super) fn still_there(source: &Source, unfinished: &[Generation]) -> Option<Vec<Earlier>> {
        let open = |known: &Generation| {
            let mut log = LogFile::open(Path::new(&known.path)).ok()?;
            let is_it = log.identity.inode == known.place.identity.inode
                && (log.size == 0 || !source.is_unread(known))
                && identity::holds(&mut log.content, &known.place).ok()?;
            is_it.then(|| Earlier { known: known.clone(), log })
        };
        unfinished.iter().map(open).collect()
    }

    /// Reads on in the unfinished files. One that cannot be read does not stop the others: its
    /// error is returned for later.
    pub(super) fn read_earlier(
        &mut self,
        target: &Target,
        source: &mut Source,
        files: Vec<Earlier>,
        present_size: u64,
    ) -> Result<Option<IngestError>, IngestError> {
        let mut failed = None;
        for file in files {
            self.seen.insert(file.log.identity, target.path.clone());
            if self.outcome.is_unfinished() {
                break;
            }
            match self.read_one(target, source, file, present_size) {
                Ok(()) => {}
                Err(error @ (IngestError::Store(_) | IngestError::Rotating(_))) => {
                    return Err(error);
                }
                Err(error) => {
                    failed.get_or_insert(error);
                }
            }
        }
        Ok(failed)
    }

    fn read_one(
        &mut self,
        target: &Target,
        source: &mut Source,
        file: Earlier,
        present_size: u64,
    ) -> Result<(), IngestError> {
        let Earlier { mut known, log } = file;
        let ending = log.content.ending();
        let is_archive = log.content.is_packed();
        let (size, modified) = (log.size, log.modified);
        let mut result = Ok(());
        if is_archive || size > known.place.byte_offset {
            let lines = source.line_no;
            let mut reading = source.reading(&known, modified.into());
            let path = PathBuf::from(&known.path);
            result = self.read_file(&Target { path, ..target.clone() }, &mut reading, log, None);
            known.place = reading.place.unwrap_or(known.place);
            source.take_over(reading);
            // Where the file at the path ends is to be noted, though nothing is read there.
            source.has_open_alerts |= source.line_no > lines;
        }
        if self.outcome.is_unfinished() {
            return result;
        }
        let may_grow = may_grow(self.ingest.tick, modified);
        let damage = match result {
            Err(IngestError::Read { source: error, .. }) if sight::is_damage(&error) => {
                let what = match error.kind() {
                    ErrorKind::OutOfMemory => "needs too much memory to be unpacked",
                    _ => "is damaged",
                };
                Some(format!("a rotated file {what}: {error}"))
            }
            result => {
                result?;
                None
            }
        };
        let outcome = match (is_archive, ending.get(), damage) {
            (_, _, Some(reason)) => Outcome::Lost(None, reason),
            (true, Some(End::Whole), _) => Outcome::Finished,
            (true, _, _) if may_grow => Outcome::Open,
            (true, _, _) => Outcome::Lost(None, "a rotated file ends early".to_owned()),
            (false, _, _) if may_grow || present_size == 0 => Outcome::Open,
            (false, _, _) if size > known.place.byte_offset => Outcome::Lost(
                Some(size - known.place.byte_offset),
                "the last line of the rotated file has no end".to_owned(),
            ),
            (false, _, _) => Outcome::Finished,
        };
        known.size_bytes = size;
        self.close(target, source, known, outcome)
    }

    /// Notes that a file is finished, unless it is not.
    fn close(
        &mut self,
        target: &Target,
        source: &Source,
        known: Generation,
        outcome: Outcome,
    ) -> Result<(), IngestError> {
        let (state, gap) = match outcome {
            Outcome::Open => return Ok(()),
            Outcome::Finished => (GenerationState::Finished, None),
            Outcome::Lost(lost_bytes, reason) => {
                let (generation, byte_offset) = (known.number, known.place.byte_offset);
                let gap = Gap { generation, byte_offset, lost_bytes, reason };
                (GenerationState::Lost, Some(gap))
            }
        };
        let known = Generation { state, ..known };
        let tick = self.ingest.tick;
        generations::close(self.connection, source, &known, gap.as_ref(), tick)?;
        self.outcome.gaps.extend(gap.map(|gap| (target.path.clone(), gap)));
        Ok(())
    }
}

/// What reading on in an unfinished file has led to.
enum Outcome {
    /// More may come.
    Open,
    /// All of it is read.
    Finished,
    /// No more of it can be read.
    Lost(Option<u64>, String),
}

/// Whether a file was changed so lately that it may be changed again.
pub(super) fn may_grow(tick: Tick, modified: SystemTime) -> bool {
    tick.0 - DateTime::<Utc>::from(modified) < MAY_GROW
}
