//! Finds out what became of the files of a source, and stores it.
//!
//! It is stored as a whole before any of them is read, so that a run that is killed is continued
//! by the next.

use std::collections::HashMap;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use chrono::{DateTime, SubsecRound, Utc};

use super::earlier::{Earlier, Found, may_grow};
use super::standing::Beginning;
use super::take::parser;
use super::target::Target;
use super::{IngestError, Stage, since};
use crate::config::Start;
use crate::model::{EventTime, FileIdentity, Format, Generation, GenerationState, Place, joined};
use crate::parse::Line;
use crate::store::generations::{self, Change};
use crate::store::sources::Source;
use crate::tail::candidates::Search;
use crate::tail::facts::{Before, FileFacts, Present, Rotation};
use crate::tail::folders::folder_of;
use crate::tail::order::Age;
use crate::tail::rotation;
use crate::tail::sight::{self, Beside, Known, Sight};
use crate::tail::{LogFile, TailError, edited, identity};

/// How often the files are looked at again because they were renamed meanwhile.
pub(super) const TRIES: usize = 5;

impl Stage<'_> {
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
            self.store_rotation(target, source, &rotation, empty_since(log))?;
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
        let (unread, begun): (Vec<Generation>, Vec<Generation>) =
            all.iter().cloned().partition(|file| source.is_unread(file));
        let known = Known::new(&begun, number);
        let format = source.detected_format;
        let first_entry = |lines: &[u8], changed_at| first_entry(target, format, lines, changed_at);
        let unreadable = |source| TailError::Unreadable { path: target.path.clone(), source };
        let unlisted = |source| {
            let path = folder_of(&target.path).to_owned();
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
        // A file that is renamed while its folder is listed may not be in the listing.
        let is_still_so = sight.is_still_so(&target.path, log.identity)
            && beginning.is_so(target, &mut self.folders).map_err(unlisted)?;
        if !is_still_so {
            return Ok(None);
        }
        let Some(start) = self.start(target, present.is_none(), log).map_err(unreadable)? else {
            self.outcome.stopped = true;
            return Ok(None);
        };
        let now = Present {
            identity: log.identity,
            size_bytes: log.size,
            age: Age {
                name: None,
                modified: log.modified,
                first_entry: first_entry(&head, log.modified),
            },
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
            others: &begun.iter().filter(is_other).cloned().collect::<Vec<_>>(),
            unread: &unread.iter().filter(is_other).cloned().collect::<Vec<_>>(),
            noted,
            last_logged_at: source.last_logged_at,
        };
        let facts: Vec<FileFacts> = sight.files.iter().map(|file| file.facts.clone()).collect();
        let why_unread = sight.unreadable.first().map(ToString::to_string);
        let rotation = rotation::decide(&before, &now, &facts, why_unread.as_deref());
        Ok(Some((sight, rotation, beginning.with_head(head))))
    }

    /// Where to begin in a log that is seen for the first time; `None` when the run is to stop.
    fn start(
        &self,
        target: &Target,
        is_first: bool,
        log: &mut LogFile,
    ) -> io::Result<Option<Place>> {
        match (target.since, target.config.start) {
            (Some(since), _) if is_first => since::place(log, target, since, self.ingest.stop),
            (None, Start::End) if is_first => log.last_line_end(target.config.encoding).map(Some),
            _ => Ok(Some(identity::beginning(log.identity))),
        }
    }

    /// Stores what was decided, if it changes anything, and goes to the file at the path.
    fn store_rotation(
        &mut self,
        target: &Target,
        source: &mut Source,
        rotation: &Rotation,
        empty_since: Option<DateTime<Utc>>,
    ) -> Result<(), IngestError> {
        self.strangers.extend(rotation.strangers.iter().map(PathBuf::from));
        self.looked_at.insert(target.path.clone());
        let Some((number, place)) = rotation.present else { return Ok(()) };
        let is_same = source.generation == number
            && source.place == Some(place)
            && source.empty_since == empty_since;
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
            empty_since,
        };
        generations::change(self.connection, source, &change, self.ingest.tick)?;
        if source.generation != number {
            source.size_bytes = place.byte_offset;
        }
        source.generation = number;
        source.place = Some(place);
        source.file_path = file_path;
        source.archives_noted = true;
        source.empty_since = empty_since;
        let gaps = rotation.gaps.iter().map(|gap| (target.path.clone(), gap.clone()));
        self.outcome.gaps.extend(gaps);
        Ok(())
    }
}

/// When an empty log was changed last, as exactly as the database keeps it.
pub(super) fn empty_since(log: &LogFile) -> Option<DateTime<Utc>> {
    (log.size == 0).then(|| DateTime::<Utc>::from(log.modified).trunc_subsecs(6))
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
fn first_entry(
    target: &Target,
    detected: Option<Format>,
    lines: &[u8],
    changed_at: SystemTime,
) -> Option<EventTime> {
    let mut parser = parser(target, detected, None, changed_at);
    // A byte order mark says more than the config here too.
    let (text, _, _) = target.config.encoding.decode(lines);
    let complete = &text[..text.rfind('\n').map_or(0, |end| end + 1)];
    joined(complete.as_bytes(), parser.joins()).find_map(|line| match parser.line(line) {
        Line::Head(head) => Some(head.logged_at),
        _ => None,
    })
}
