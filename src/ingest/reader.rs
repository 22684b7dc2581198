//! Reads one source: decides what its path is now, and stores what is new, chunk by chunk.

use std::io::{self, ErrorKind};
use std::path::Path;

use chrono::TimeDelta;

use super::builder::{Before, Builder, Limits};
use super::earlier::Found;
use super::files::{TRIES, empty_since};
use super::last_line::flushed_tail;
use super::standing::Beginning;
use super::take::{Earlier, End, Lines, Taking};
use super::target::Target;
use super::{IngestError, ReadLimits, Stage};
use crate::model::{EventTime, Generation, Tick};
use crate::store::binary_copy::EntryWriter;
use crate::store::chunk::{self, Chunk, ChunkStart};
use crate::store::sources::{self, Source};
use crate::store::tails::{BeforeTail, Flushed, Tail};
use crate::tail::folders::Folders;
use crate::tail::resume::{self, Plan, Seen};
use crate::tail::{LineReader, LogFile, identity};

/// Entries dated later than this after the tick have a wrong clock.
const LATEST: TimeDelta = TimeDelta::days(1);

/// Of so few lines, how many fail says nothing.
const FAILING_LINES: i64 = 20;

/// What of a file goes into a chunk.
pub(super) enum Piece<'t> {
    /// Complete lines, as many as there are and a chunk may hold.
    Lines {
        /// How the first of them was stored before it was complete.
        flushed: Option<Flushed>,
        /// What was seen of the file, if it is read from its beginning.
        beginning: Option<&'t Beginning>,
    },
    /// The last line, which has no end.
    LastLine {
        /// How it, or less of it, was stored before.
        flushed: Option<Flushed>,
        /// What is known of it.
        tail: &'t Tail,
    },
}

impl Stage<'_> {
    /// Reads what is new in a source, over rotations too.
    pub(super) fn read_source(
        &mut self,
        target: &Target,
        mut source: Source,
    ) -> Result<(), IngestError> {
        if let Some(journal) = &target.config.journal {
            return self.read_journal(target, source, journal);
        }
        let mut unfinished = Some(self.unfinished.remove(&source.id).unwrap_or_default());
        for _ in 0..TRIES {
            match self.read_files(target, &mut source, unfinished.take().as_deref()) {
                Err(IngestError::Rotating(_)) => {}
                result => return result,
            }
        }
        log::info!("{}", IngestError::Rotating(target.path.clone()));
        Ok(())
    }

    /// Reads what is new in the files of a source; the unfinished ones among them are to be
    /// looked for if they are not given.
    ///
    /// # Errors
    /// [`IngestError::Rotating`] when a file was emptied meanwhile; all of it is to be looked at
    /// again then.
    fn read_files(
        &mut self,
        target: &Target,
        source: &mut Source,
        unfinished: Option<&[Generation]>,
    ) -> Result<(), IngestError> {
        let mut log = LogFile::open(&target.path)?;
        if let Some(path) = self.other_path_of(target, source, &mut log)? {
            return Err(IngestError::SameFile { path: target.path.clone(), other: path });
        }
        let plan = plan(&target.path, source, &mut log)?;
        let is_known = matches!(plan, Plan::Continue | Plan::NothingNew)
            && source.archives_noted
            && !may_be_new(source, &log);
        let unfinished = unfinished.and_then(|unfinished| Self::still_there(source, unfinished));
        let found = match unfinished {
            Some(earlier) if is_known => {
                self.adopt(source, &log)?;
                Found { files: earlier, unread: None, beginning: None }
            }
            _ => match self.find_files(target, source, &mut log)? {
                Some(found) => found,
                None => return Ok(()),
            },
        };
        self.seen.insert(log.identity, target.path.clone());
        let failed = self.read_earlier(target, source, found.files, log.size)?;
        let failed = failed.or(found.unread.map(IngestError::Tail));
        if source.place.is_some_and(|place| place.byte_offset < log.end())
            && !self.outcome.is_unfinished()
        {
            self.read_file(target, source, log, found.beginning.as_ref())?;
        }
        failed.map_or(Ok(()), Err)?;
        self.at_end(target, source)
    }

    /// Notes where a file with known content lies now: another device number after a reboot.
    fn adopt(&mut self, source: &mut Source, log: &LogFile) -> Result<(), IngestError> {
        if let Some(place) = &mut source.place
            && place.identity != log.identity
        {
            place.identity = log.identity;
            sources::adopt(self.connection, source, log.identity)?;
        }
        Ok(())
    }

    /// Stores all complete lines of an open file from the source's place on.
    ///
    /// `beginning` is what was seen of it, if it is the one at the path and read from there.
    pub(super) fn read_file(
        &mut self,
        target: &Target,
        source: &mut Source,
        log: LogFile,
        beginning: Option<&Beginning>,
    ) -> Result<(), IngestError> {
        let Some(place) = source.place else { return Ok(()) };
        let broken = |byte_offset, source| IngestError::Read {
            path: target.path.clone(),
            byte_offset,
            source,
        };
        source.size_bytes = log.size;
        // A last line that is stored without its end is read again from its beginning.
        let mut flushed = source.flushed().cloned();
        let before = flushed.as_ref().map_or_else(|| known(source), |flushed| flushed.before);
        let earlier = Earlier {
            before: &before,
            detected: source.detected_format,
            parsed_lines: source.parsed_lines,
        };
        let is_archive = log.content.is_packed();
        let mut lines =
            Lines::open(log, place.byte_offset, target, &earlier).map_err(|source| match source
                .kind()
            {
                ErrorKind::UnexpectedEof if !is_archive => {
                    IngestError::Rotating(target.path.clone())
                }
                _ => broken(place.byte_offset, source),
            })?;
        loop {
            // Without a complete line there is nothing to store.
            match lines.reader.next_line() {
                Ok(Some(_)) => lines.reader.take_back(),
                Ok(None) => break,
                Err(error) => return Err(broken(lines.reader.byte_offset(), error)),
            }
            if self.ingest.limits.are_reached(self.outcome.figures.bytes) {
                self.outcome.has_more = true;
                return Ok(());
            }
            let piece = Piece::Lines { flushed: flushed.take(), beginning };
            match self.store_chunk(target, source, &mut lines, piece)? {
                End::OfFile => break,
                End::Full => {}
                End::NoPartition(time) => self.make_partition(time)?,
                End::Stopped => {
                    self.outcome.stopped = true;
                    return Ok(());
                }
                End::Broken(error) => return Err(broken(lines.reader.byte_offset(), error)),
            }
        }
        self.read_last_line(target, source, &mut lines, flushed)
    }

    /// Stores one chunk and brings the source's state up to date.
    pub(super) fn store_chunk(
        &mut self,
        target: &Target,
        source: &mut Source,
        lines: &mut Lines,
        piece: Piece<'_>,
    ) -> Result<End, IngestError> {
        let from = lines.reader.byte_offset();
        let (flushed, tail, beginning) = match piece {
            Piece::Lines { flushed, beginning } => (flushed, None, beginning),
            Piece::LastLine { flushed, tail } => (flushed, Some(tail), None),
        };
        let beginning = beginning.filter(|_| from == 0);
        let unchanged = source.clone();
        let start = ChunkStart {
            source: source.id,
            generation: source.generation,
            byte_offset: from,
            line_no: source.line_no,
            flushed,
        };
        let mut until = self.ingest.limits.next_chunk(self.outcome.figures.bytes);
        let mut tick = self.ingest.tick;
        if let Some(flushed) = &start.flushed {
            source.take_back(flushed);
            if flushed.redated {
                // With the time that it had, or its alert would be raised again.
                (tick, until) = (Tick(flushed.flushed_at), 1);
            }
        }
        until = until.saturating_add(from);
        let limits = limits(target, &self.ingest.limits, tick);
        let known = known(source);
        let before = Before {
            line_no: source.line_no,
            last_logged_at: known.last_logged_at,
            open: known.open,
        };
        let (size, ingest) = (source.size_bytes, self.ingest);
        let is_earlier = source.earlier_changed_at.is_some();
        let mut partitions = self.partitions()?;
        let folders = &mut self.folders;
        let mut end = End::Full;
        let mut standing = Ok(true);
        let stored =
            chunk::store(self.connection, &start, ingest.tick, |writer: &mut EntryWriter| {
                let mut builder = Builder::new(&limits, writer, before);
                let partitions = &mut partitions;
                let mut taking = Taking { lines, builder: &mut builder, partitions };
                end = match tail {
                    None => taking.lines(until, ingest)?,
                    Some(_) => taking.last_line()?,
                };
                standing = is_standing(&mut lines.reader, &unchanged, target, beginning, folders);
                if !matches!(standing, Ok(true)) {
                    return Err(ErrorKind::Other.into());
                }
                let at_end = matches!(end, End::OfFile);
                let Lines { reader, parser, detected, .. } = &*lines;
                // The last line of a file that was left is what it is.
                let is_left = tail.is_some() && is_earlier;
                let place = if is_left { reader.place_at_end() } else { reader.place() };
                let chunk = builder.finish(place, size, parser.last_logged_at(), at_end)?;
                // What has no end yet may be another line later: it is no sample.
                let unparsed_samples =
                    if tail.is_some() { Vec::new() } else { chunk.unparsed_samples.clone() };
                let tail = tail.filter(|_| !is_earlier);
                let tail = tail.map(|tail| flushed_tail(tail, &chunk, known, tick));
                Ok(Chunk {
                    trace: parser.trace(),
                    detected_format: *detected,
                    unparsed_samples,
                    tail,
                    ..chunk
                })
            });
        self.partitions = Some(partitions);
        let path = || target.path.clone();
        match standing {
            Ok(true) => {}
            Ok(false) => {
                *source = unchanged;
                return Err(IngestError::Rotating(path()));
            }
            Err(source) => {
                return Err(IngestError::Read { path: path(), byte_offset: from, source });
            }
        }
        let (entries, chunk) = stored?;
        let lines_stored = chunk.lines;
        self.apply(source, chunk, entries, lines.reader.byte_offset() - from);
        (self.after_chunk)(self.connection, source.id, lines_stored)?;
        Ok(end)
    }

    /// Makes the partition of a time.
    pub(super) fn make_partition(&mut self, time: EventTime) -> Result<(), IngestError> {
        let mut partitions = self.partitions()?;
        partitions.ensure(self.connection, time)?;
        self.partitions = Some(partitions);
        Ok(())
    }

    pub(super) fn apply(&mut self, source: &mut Source, chunk: Chunk, entries: i64, bytes: u64) {
        source.place = Some(chunk.place);
        source.line_no += chunk.lines;
        source.parsed_lines += chunk.parsed_lines;
        source.last_logged_at = chunk.last_logged_at;
        source.open = chunk.open;
        source.trace = chunk.trace;
        // Where most lines fail, those that follow are looked at anew.
        let fails = chunk.lines >= FAILING_LINES && chunk.unparsed_lines * 2 > chunk.lines;
        source.detected_format = chunk.detected_format.filter(|_| !fails);
        source.tail = chunk.tail;
        source.tail_of = source.generation;
        let figures = &mut self.outcome.figures;
        figures.bytes += bytes;
        figures.lines += chunk.lines;
        figures.unparsed_lines += chunk.unparsed_lines;
        figures.entries += entries;
    }

    /// After the last complete line of a source.
    ///
    /// A log of which no line was ever understood is an error: the rules are blind to it.
    pub(super) fn at_end(&mut self, target: &Target, source: &Source) -> Result<(), IngestError> {
        if self.outcome.is_unfinished() {
            return Ok(());
        }
        let is_due = source.judge_at.is_some_and(|judge_at| judge_at <= self.ingest.tick.0);
        if source.has_open_alerts || is_due {
            self.at_end_with_alerts.push(source.id);
        }
        if source.line_no > 0 && source.parsed_lines == 0 {
            return Err(IngestError::NothingParsed(target.path.clone()));
        }
        Ok(())
    }
}

/// What is kept of the entries of a source, in a run at `tick`.
pub(super) fn limits<'t>(target: &'t Target, read: &ReadLimits, tick: Tick) -> Limits<'t> {
    Limits {
        store: target.config.store,
        keep: &target.config.keep,
        max_bytes: target.config.max_line_bytes,
        max_chunk_bytes: read.chunk_entry_bytes,
        max_lines: target.config.max_entry_lines,
        latest: (tick.0 + LATEST).into(),
        now: tick.0.into(),
    }
}

/// What the lines read so far say about the next one.
fn known(source: &Source) -> BeforeTail {
    BeforeTail { last_logged_at: source.last_logged_at, open: source.open, trace: source.trace }
}

/// Whether a file on the inode of the last one may be another one all the same: of that nothing
/// was read, so it may have been filled, copied and emptied.
fn may_be_new(source: &Source, log: &LogFile) -> bool {
    let is_unread = source.present().is_some_and(|present| source.is_unread(&present));
    is_unread && (log.size > 0 || source.empty_since != empty_since(log))
}

/// Whether a file whose lines were read still is what it was before.
fn is_standing(
    reader: &mut LineReader,
    before: &Source,
    target: &Target,
    beginning: Option<&Beginning>,
    folders: &mut Folders,
) -> io::Result<bool> {
    let Some(place) = before.place else { return Ok(true) };
    let Some(beginning) = beginning else { return reader.still_holds(&place, &[]) };
    Ok(reader.still_holds(&place, beginning.head())? && beginning.is_so(target, folders)?)
}

/// What the path is now.
fn plan(path: &Path, source: &Source, log: &mut LogFile) -> Result<Plan, IngestError> {
    let holds_place = match &source.place {
        None => false,
        Some(place) => identity::holds(&mut log.content, place).map_err(|source| {
            IngestError::Read { path: path.to_owned(), byte_offset: 0, source }
        })?,
    };
    let seen = Seen { identity: log.identity, size: log.size, holds_place };
    Ok(resume::decide(source.place.as_ref(), &seen))
}
