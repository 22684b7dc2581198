//! The files of a source besides the one at its path: finds them, and reads them first.
//!
//! What is found is stored as a whole before any of it is read. From then on each unfinished
//! file has an offset of its own, and every run reads on in them, the oldest first.

use std::collections::HashMap;
use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, TimeDelta, Utc};

use super::standing::Beginning;
use super::take::format;
use super::target::Target;
use super::{IngestError, Stage, since};
use crate::config::Start;
use crate::model::{EventTime, FileIdentity, Gap, Generation, GenerationState, Tick};
use crate::parse::{Line, Parser};
use crate::store::generations::{self, Change};
use crate::store::sources::Source;
use crate::tail::candidates::Search;
use crate::tail::facts::{Before, FileFacts, Present, Rotation};
use crate::tail::order::Age;
use crate::tail::rotation;
use crate::tail::sight::{self, Beside, Known, Sight};
use crate::tail::{End, LogFile, TailError, edited, identity};

/// How long after its last change a file may still get lines: a rotation renames the file first
/// and tells the writer to open the new one later; an archive is written for a while.
const MAY_GROW: TimeDelta = TimeDelta::hours(1);

/// How often the files are looked at again because they were renamed meanwhile.
pub(super) const TRIES: usize = 5;

/// An unfinished file, open.
pub(super) struct Earlier {
    known: Generation,
    log: LogFile,
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

    /// Finds out what became of the files of a source and stores it; returns the unfinished
    /// ones, and why some cannot be read. `None` if they do not stand still: the next run will
    /// find them.
    pub(super) fn find_files(
        &mut self,
        target: &Target,
        source: &mut Source,
        log: &mut LogFile,
    ) -> Result<Option<Found>, IngestError> {
        let others = match source.generation {
            0 => Vec::new(),
            _ => generations::of_source(self.connection, source.id)?,
        };
        for attempt in 0..TRIES {
            if self.outcome.stopped {
                return Ok(None);
            }
            if attempt > 0 {
                *log = LogFile::open(&target.path)?;
            }
            let looked = self.look(target, source, &others, log, attempt > 0)?;
            let Some((sight, rotation, beginning)) = looked else { continue };
            self.store_rotation(target, source, &rotation)?;
            let (files, unread) = unfinished(others, rotation, sight);
            return Ok(Some(Found { files, unread, beginning: Some(beginning) }));
        }
        log::info!("{} is being rotated; the next run reads it", target.path.display());
        Ok(None)
    }

    /// Looks at the files beside a log and decides what they are; `None` if what was seen may
    /// be out of date.
    fn look(
        &mut self,
        target: &Target,
        source: &Source,
        others: &[Generation],
        log: &mut LogFile,
        is_last_resort: bool,
    ) -> Result<Option<(Sight, Rotation, Beginning)>, IngestError> {
        let present = source.present();
        let is_unread = present.as_ref().is_some_and(|present| source.is_unread(present));
        let number = present.as_ref().filter(|_| !is_unread).map(|present| present.number);
        let all: Vec<Generation> = others.iter().chain(&present).cloned().collect();
        let (unread, read): (Vec<Generation>, Vec<Generation>) =
            all.iter().cloned().partition(|file| source.is_unread(file));
        let known = Known::new(&read, number);
        let first_entry = |lines: &[u8]| first_entry(target, lines);
        let unreadable = |source| TailError::Unreadable { path: target.path.clone(), source };
        let unlisted = |source| {
            let path = crate::tail::folders::folder_of(&target.path).to_owned();
            TailError::Unreadable { path, source }
        };
        let real = target.path.canonicalize().ok().filter(|real| *real != target.path);
        let target_before = source.file_path.as_deref().map(Path::new);
        let beginning = Beginning::new(target, real.as_deref(), target_before, &mut self.folders)
            .map_err(unlisted)?;
        let head = log.content.bytes_at(0, identity::PROBE_BYTES).map_err(unreadable)?;
        let found = known.held_by(log, &head).map_err(unreadable)?;
        let numbers = |held: &[&Generation]| held.iter().map(|held| held.number).collect();
        let (holds, begins_like): (Vec<i64>, Vec<i64>) =
            (numbers(&found.surely), numbers(&found.perhaps));

        let search = search(target, source, &all, real.as_deref());
        let tick = self.ingest.tick;
        let may_grow = |modified| may_grow(tick, modified);
        let candidates = search.likely(&mut self.folders).map_err(unlisted)?;
        let mut sight = sight::look(candidates, &known, log, &first_entry, &may_grow);
        let is_found = number.is_none_or(|number| {
            let is_in = |facts: &FileFacts| {
                facts.holds.contains(&number) || facts.begins_like.contains(&number)
            };
            holds.contains(&number) || sight.files.iter().any(|file| is_in(&file.facts))
        });
        let mut last_lines = None;
        if !is_found {
            if !is_last_resort {
                return Ok(None);
            }
            let candidates = search.all(&mut self.folders).map_err(unlisted)?;
            sight = sight::look(candidates, &known, log, &first_entry, &may_grow);
            if let Some(present) = &present {
                last_lines = {
                    let encoding = target.config.encoding;
                    edited::last_lines(log, &present.place, encoding).map_err(unreadable)?
                };
            }
        }
        for file in &mut sight.files {
            file.facts.role = self.role(target, &file.path);
        }
        if !sight.is_still_so(&target.path, log.identity) {
            return Ok(None);
        }
        let start = match (&present, target.since, target.config.start) {
            (None, Some(since), _) => {
                let found =
                    since::place(log, target, since, self.ingest.stop).map_err(unreadable)?;
                let Some(start) = found else {
                    self.outcome.stopped = true;
                    return Ok(None);
                };
                start
            }
            (None, None, Start::End) => {
                log.last_line_end(target.config.encoding).map_err(unreadable)?
            }
            _ => identity::beginning(log.identity),
        };
        let now = Present {
            identity: log.identity,
            size_bytes: log.size,
            age: Age { name: None, modified: log.modified, first_entry: first_entry(&head) },
            holds,
            begins_like,
            last_lines,
            start,
            read_elsewhere: self.read_elsewhere(source, log).map_err(unreadable)?,
            from_beginning: target.config.start == Start::Beginning && target.since.is_none(),
        };
        let noted = source.archives_noted;
        let is_other = |file: &&Generation| Some(file.number) != present.as_ref().map(|p| p.number);
        let before = Before {
            present: present.as_ref(),
            is_unread,
            others: &read.iter().filter(is_other).cloned().collect::<Vec<_>>(),
            unread: &unread.iter().filter(is_other).cloned().collect::<Vec<_>>(),
            noted,
            last_logged_at: source.last_logged_at,
        };
        let facts: Vec<FileFacts> = sight.files.iter().map(|file| file.facts.clone()).collect();
        let why_unread = sight.unreadable.first().map(ToString::to_string);
        let rotation = rotation::decide(&before, &now, &facts, why_unread.as_deref());
        Ok(Some((sight, rotation, beginning.with_head(head))))
    }

    /// Stores what was decided, if it changes anything, and goes to the file at the path.
    fn store_rotation(
        &mut self,
        target: &Target,
        source: &mut Source,
        rotation: &Rotation,
    ) -> Result<(), IngestError> {
        self.strangers.extend(rotation.strangers.iter().map(PathBuf::from));
        self.looked_at.insert(target.path.clone());
        let Some((number, place)) = rotation.present else { return Ok(()) };
        let is_same = source.generation == number && source.place == Some(place);
        let is_same = is_same && rotation.files.is_empty() && rotation.forgotten.is_empty();
        if is_same && source.archives_noted {
            return Ok(());
        }
        let real = target.path.canonicalize().ok().filter(|real| *real != target.path);
        let file_path = real.and_then(|real| real.to_str().map(str::to_owned));
        let change = Change {
            files: &rotation.files,
            forgotten: &rotation.forgotten,
            gaps: &rotation.gaps,
            present: (number, place),
            file_path: file_path.as_deref(),
        };
        generations::change(self.connection, source, &change, self.ingest.tick)?;
        if source.generation != number {
            source.size_bytes = place.byte_offset;
        }
        source.generation = number;
        source.place = Some(place);
        source.file_path = file_path;
        source.archives_noted = true;
        let gaps = rotation.gaps.iter().map(|gap| (target.path.clone(), gap.clone()));
        self.outcome.gaps.extend(gaps);
        Ok(())
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
fn may_grow(tick: Tick, modified: SystemTime) -> bool {
    tick.0 - DateTime::<Utc>::from(modified) < MAY_GROW
}

/// Where to look for the files of a source.
fn search<'a>(
    target: &'a Target,
    source: &'a Source,
    known: &[Generation],
    real: Option<&'a Path>,
) -> Search<'a> {
    let unfinished = || known.iter().filter(|file| file.state == GenerationState::Unfinished);
    Search {
        path: &target.path,
        target: real,
        target_before: source.file_path.as_deref().map(Path::new),
        olddir: &target.config.olddir,
        known_paths: unfinished().map(|file| PathBuf::from(&file.path)).collect(),
        inodes: unfinished().map(|file| file.place.identity.inode).collect(),
    }
}

/// The files that are to be read on in, in the order of reading, and why some cannot be.
fn unfinished(
    others: Vec<Generation>,
    rotation: Rotation,
    sight: Sight,
) -> (Vec<Earlier>, Option<TailError>) {
    let mut known = rotation.files;
    for other in others {
        let is_changed = known.iter().any(|file| file.number == other.number);
        if !is_changed && !rotation.forgotten.contains(&other.number) {
            known.push(other);
        }
    }
    known.retain(|file| file.state == GenerationState::Unfinished);
    known.sort_unstable_by_key(|file| file.number);
    let mut beside: HashMap<FileIdentity, Beside> =
        sight.files.into_iter().map(|file| (file.log.identity, file)).collect();
    let mut unread = None;
    let mut files = Vec::new();
    for known in known {
        // Where one is awaited, there may be another file on its inode.
        let is_it = |file: &Beside| {
            known.place.byte_offset == 0
                || file.facts.holds.contains(&known.number)
                || file.facts.begins_like.contains(&known.number)
        };
        let identity = known.place.identity;
        match beside.get(&identity).is_some_and(is_it).then(|| beside.remove(&identity)).flatten() {
            Some(file) => files.push(Earlier { known, log: file.log }),
            None => unread = Some(()),
        }
    }
    let unread = unread.and_then(|()| sight.unreadable.into_iter().next());
    (files, unread)
}

/// When the first entry of the first lines of a file happened.
fn first_entry(target: &Target, lines: &[u8]) -> Option<EventTime> {
    let mut parser = Parser::new(format(&target.config), target.timezone, None);
    // A byte order mark says more than the config here too.
    let (text, _, _) = target.config.encoding.decode(lines);
    let mut complete = text.split_inclusive('\n');
    complete.find_map(|line| match parser.line(line.strip_suffix('\n')?.as_bytes()) {
        Line::Head(head) => Some(head.logged_at),
        _ => None,
    })
}
