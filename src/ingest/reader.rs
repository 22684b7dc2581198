//! Reads one source: decides what its path is now, and stores what is new, chunk by chunk.

use std::io;
use std::path::Path;

use chrono::{DateTime, TimeDelta, Utc};

use super::builder::{Before, Builder, Limits};
use super::last_line::flushed_tail;
use super::take::{End, Taking};
use super::target::Target;
use super::{IngestError, Stage, since};
use crate::config::{Format, SourceConfig, Start};
use crate::model::{EventTime, Place, Tick};
use crate::parse::{self, Parser};
use crate::store::binary_copy::EntryWriter;
use crate::store::chunk::{self, Chunk, ChunkStart};
use crate::store::sources::{self, Gap, Source, Superseded};
use crate::store::tails::{BeforeTail, Flushed, Tail};
use crate::tail::generations::{self, Found};
use crate::tail::resume::{self, Plan, Seen};
use crate::tail::{LineReader, LogFile, identity};

/// Entries dated later than this after the tick have a wrong clock.
const LATEST: TimeDelta = TimeDelta::days(1);

/// How long after its last line a renamed file is watched, as long as the new one is empty.
const WRITER_OPENS: TimeDelta = TimeDelta::hours(1);

/// What of a file goes into a chunk.
pub(super) enum Piece<'t> {
    /// Complete lines, as many as there are and a chunk may hold.
    Lines {
        /// How the first of them was stored before it was complete.
        flushed: Option<Flushed>,
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
    /// Reads what is new in a source, over a rotation too.
    pub(super) fn read_source(
        &mut self,
        target: &Target,
        mut source: Source,
    ) -> Result<(), IngestError> {
        let mut log = LogFile::open(&target.path)?;
        if !self.seen.insert(log.identity) {
            log::info!("{} is another path to a file that was read", target.path.display());
            return Ok(());
        }
        match plan(&target.path, &source, &mut log)? {
            Plan::FirstSeen => self.begin(target, &mut source, &mut log)?,
            Plan::NothingNew => {
                self.adopt(&mut source, &log)?;
                return self.at_end(target, &source);
            }
            Plan::Continue => self.adopt(&mut source, &log)?,
            Plan::Replaced => {
                if !self.finish_replaced(target, &mut source, &log)? {
                    return self.at_end(target, &source);
                }
            }
        }
        self.read_file(target, &mut source, log)?;
        self.at_end(target, &source)
    }

    /// Begins with a log that is seen for the first time.
    fn begin(
        &mut self,
        target: &Target,
        source: &mut Source,
        log: &mut LogFile,
    ) -> Result<(), IngestError> {
        let place = match (target.since, target.config.start) {
            (Some(since), _) => since::place(log, target, since, self.ingest.stop),
            (None, Start::Beginning) => Ok(Some(identity::beginning(log.identity))),
            (None, Start::End) => last_line_end(log).map(Some),
        };
        let place = place.map_err(|source| IngestError::Read {
            path: target.path.clone(),
            byte_offset: log.size,
            source,
        })?;
        let Some(place) = place else {
            self.outcome.stopped = true;
            return Ok(());
        };
        sources::begin(self.connection, source.id, &place)?;
        source.generation = 1;
        source.place = Some(place);
        Ok(())
    }

    /// Notes where a file with known content lies now: another device number after a reboot,
    /// another inode after a copy.
    fn adopt(&mut self, source: &mut Source, log: &LogFile) -> Result<(), IngestError> {
        if let Some(place) = &mut source.place
            && place.identity != log.identity
        {
            place.identity = log.identity;
            sources::adopt(self.connection, source, log.identity)?;
        }
        Ok(())
    }

    /// Finishes the file that was read before, if it is found, and goes to the new one.
    ///
    /// `false` if the new one is not to be read yet.
    fn finish_replaced(
        &mut self,
        target: &Target,
        source: &mut Source,
        log: &LogFile,
    ) -> Result<bool, IngestError> {
        let Some(place) = source.place else { return Ok(false) };
        let superseded = match generations::find(&target.path, &place)? {
            // The same content on another inode: copied there, not rotated.
            Some(found) if found.path == target.path => {
                self.adopt(source, log)?;
                return Ok(true);
            }
            Some(found) => {
                let waits = log.size == 0 && self.may_still_grow(&found, &place);
                let superseded = self.finish_found(target, source, found)?;
                if waits || self.outcome.is_unfinished() {
                    return Ok(false);
                }
                superseded
            }
            None => not_found(&target.path, source, &place, log),
        };
        let byte_offset = source.place.map_or(0, |place| place.byte_offset);
        let begin = identity::beginning(log.identity);
        let tick = self.ingest.tick;
        sources::supersede(self.connection, source, byte_offset, &superseded, &begin, tick)?;
        source.generation += 1;
        source.place = Some(begin);
        source.tail = None;
        if let Some(gap) = superseded.gap {
            self.outcome.gaps.push((target.path.clone(), gap));
        }
        Ok(true)
    }

    /// Whether a file that was renamed may still be written to: a rotation makes the new file
    /// first and tells the writer to open it later, and until then the new file stays empty.
    ///
    /// A copy is written to by nobody.
    fn may_still_grow(&self, found: &Found, place: &Place) -> bool {
        let modified = found.log.content.file().metadata().and_then(|metadata| metadata.modified());
        let since = |modified| self.ingest.tick.0 - DateTime::<Utc>::from(modified);
        found.log.identity == place.identity
            && modified.is_ok_and(|modified| since(modified) < WRITER_OPENS)
    }

    /// Reads the rest of a file that was renamed or copied away.
    fn finish_found(
        &mut self,
        target: &Target,
        source: &mut Source,
        found: Found,
    ) -> Result<Superseded, IngestError> {
        let size = found.log.size;
        self.read_file(target, source, found.log)?;
        let read = source.place.map_or(0, |place| place.byte_offset) + flushed_bytes(source);
        let gap = (size > read).then_some(Gap {
            lost_bytes: Some(size - read),
            reason: "the last line of the rotated file has no end",
        });
        Ok(Superseded {
            path: found.path.to_string_lossy().into_owned(),
            complete: gap.is_none(),
            gap,
        })
    }

    /// Stores all complete lines of an open file from the source's place on.
    fn read_file(
        &mut self,
        target: &Target,
        source: &mut Source,
        log: LogFile,
    ) -> Result<(), IngestError> {
        let Some(place) = source.place else { return Ok(()) };
        let broken = |byte_offset, source| IngestError::Read {
            path: target.path.clone(),
            byte_offset,
            source,
        };
        let max_line_bytes = target.config.max_line_bytes;
        let size = log.size;
        let mut reader =
            LineReader::new(log.content, log.identity, place.byte_offset, size, max_line_bytes)
                .map_err(|source| broken(place.byte_offset, source))?;
        // A last line that is stored without its end is read again from its beginning.
        let mut flushed = source.flushed().cloned();
        let before = flushed.as_ref().map_or_else(|| known(source), |flushed| flushed.before);
        let mut parser =
            Parser::new(format(&target.config), target.timezone, before.last_logged_at)
                .joining(target.config.multiline.clone())
                .within(before.trace);
        loop {
            // Without a complete line there is nothing to store.
            match reader.next_line() {
                Ok(Some(_)) => reader.take_back(),
                Ok(None) => break,
                Err(error) => return Err(broken(reader.byte_offset(), error)),
            }
            if self.ingest.limits.are_reached(self.outcome.figures.bytes) {
                self.outcome.has_more = true;
                return Ok(());
            }
            let piece = Piece::Lines { flushed: flushed.take() };
            match self.store_chunk(target, source, &mut reader, &mut parser, piece)? {
                End::OfFile => break,
                End::Full => {}
                End::NoPartition(time) => self.make_partition(time)?,
                End::Stopped => {
                    self.outcome.stopped = true;
                    return Ok(());
                }
                End::Broken(error) => return Err(broken(reader.byte_offset(), error)),
            }
        }
        self.read_last_line(target, source, &mut reader, &mut parser, flushed)
    }

    /// Stores one chunk and brings the source's state up to date.
    pub(super) fn store_chunk(
        &mut self,
        target: &Target,
        source: &mut Source,
        reader: &mut LineReader,
        parser: &mut Parser,
        piece: Piece<'_>,
    ) -> Result<End, IngestError> {
        let from = reader.byte_offset();
        let (flushed, tail) = match piece {
            Piece::Lines { flushed } => (flushed, None),
            Piece::LastLine { flushed, tail } => (flushed, Some(tail)),
        };
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
        let limits = limits(target, tick);
        let known = known(source);
        let before = Before {
            line_no: source.line_no,
            last_logged_at: known.last_logged_at,
            open: known.open,
        };
        let (size, ingest) = (reader.end(), self.ingest);
        let mut partitions = self.partitions()?;
        let mut end = End::Full;
        let (entries, chunk) =
            chunk::store(self.connection, &start, ingest.tick, |writer: &mut EntryWriter| {
                let mut builder = Builder::new(&limits, writer, before);
                let partitions = &mut partitions;
                let mut taking = Taking { reader, parser, builder: &mut builder, partitions };
                end = match tail {
                    None => taking.lines(until, ingest)?,
                    Some(_) => taking.last_line()?,
                };
                let at_end = matches!(end, End::OfFile);
                let chunk =
                    builder.finish(reader.place(), size, parser.last_logged_at(), at_end)?;
                let tail = tail.map(|tail| flushed_tail(tail, &chunk, known, tick));
                Ok(Chunk { trace: parser.trace(), tail, ..chunk })
            })?;
        self.partitions = Some(partitions);
        self.apply(source, chunk, entries, reader.byte_offset() - from);
        (self.after_chunk)(self.connection, source.id)?;
        Ok(end)
    }

    /// Makes the partition of a time.
    pub(super) fn make_partition(&mut self, time: EventTime) -> Result<(), IngestError> {
        let mut partitions = self.partitions()?;
        partitions.ensure(self.connection, time)?;
        self.partitions = Some(partitions);
        Ok(())
    }

    fn apply(&mut self, source: &mut Source, chunk: Chunk, entries: i64, bytes: u64) {
        source.place = Some(chunk.place);
        source.line_no += chunk.lines;
        source.parsed_lines += chunk.parsed_lines;
        source.last_logged_at = chunk.last_logged_at;
        source.open = chunk.open;
        source.trace = chunk.trace;
        source.tail = chunk.tail;
        let figures = &mut self.outcome.figures;
        figures.bytes += bytes;
        figures.lines += chunk.lines;
        figures.unparsed_lines += chunk.unparsed_lines;
        figures.entries += entries;
    }

    /// After the last complete line of a source.
    ///
    /// A log of which no line was ever understood is an error: the rules are blind to it.
    fn at_end(&mut self, target: &Target, source: &Source) -> Result<(), IngestError> {
        if self.outcome.is_unfinished() {
            return Ok(());
        }
        if source.has_open_alerts {
            self.at_end_with_alerts.push(source.id);
        }
        if source.line_no > 0 && source.parsed_lines == 0 {
            return Err(IngestError::NothingParsed(target.path.clone()));
        }
        Ok(())
    }
}

/// The format in which the lines of a source are read.
pub(super) fn format(config: &SourceConfig) -> parse::Format {
    match config.format {
        Format::Auto | Format::Plain => parse::Format::Plain,
    }
}

/// What is kept of the entries of a source, in a run at `tick`.
fn limits(target: &Target, tick: Tick) -> Limits {
    Limits {
        store: target.config.store,
        max_bytes: target.config.max_line_bytes,
        max_lines: target.config.max_entry_lines,
        latest: (tick.0 + LATEST).into(),
        now: tick.0.into(),
    }
}

/// Bytes behind the place that are stored, as a last line without an end.
fn flushed_bytes(source: &Source) -> u64 {
    source.flushed().map_or(0, |flushed| flushed.bytes)
}

/// What the lines read so far say about the next one.
fn known(source: &Source) -> BeforeTail {
    BeforeTail { last_logged_at: source.last_logged_at, open: source.open, trace: source.trace }
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

/// What is known when the file that was read is nowhere to be found.
fn not_found(path: &Path, source: &Source, place: &Place, log: &LogFile) -> Superseded {
    let reason = if place.identity != log.identity {
        "the file that was read is gone"
    } else if log.size < place.byte_offset {
        "the file was truncated"
    } else {
        "the file was rewritten"
    };
    // Of a file that was empty when it was last seen, nothing is known to be lost.
    let gap = (source.size_bytes > 0).then_some(Gap {
        lost_bytes: Some(
            source.size_bytes.saturating_sub(place.byte_offset + flushed_bytes(source)),
        ),
        reason,
    });
    Superseded { path: path.to_string_lossy().into_owned(), complete: false, gap }
}

/// The place after the last complete line of a file.
fn last_line_end(log: &mut LogFile) -> io::Result<Place> {
    let mut end = log.size;
    let mut buffer = vec![0; 64 * 1024];
    while end > 0 {
        let length = buffer.len().min(usize::try_from(end).unwrap_or(usize::MAX));
        let from = end - length as u64;
        log.content.read_exact_at(&mut buffer[..length], from)?;
        if let Some(at) = memchr::memrchr(b'\n', &buffer[..length]) {
            return identity::place_at(&mut log.content, log.identity, from + at as u64 + 1);
        }
        end = from;
    }
    Ok(identity::beginning(log.identity))
}
