//! Reads one source: decides what its path is now, and stores what is new, chunk by chunk.

use std::io;
use std::path::Path;
use std::sync::atomic::Ordering;

use chrono::{DateTime, TimeDelta, Utc};

use super::builder::{Before, Builder, Limits};
use super::counts::MAX_MINUTES;
use super::progress::ChunkProgress;
use super::target::Target;
use super::{IngestError, Stage, since};
use crate::config::{Format, SourceConfig, Start};
use crate::model::{EventTime, Place};
use crate::parse::{self, Line, Parser};
use crate::store::binary_copy::EntryWriter;
use crate::store::chunk::{self, Chunk, ChunkStart};
use crate::store::partitions::Partitions;
use crate::store::sources::{self, Gap, Source, Superseded};
use crate::tail::generations::{self, Found};
use crate::tail::resume::{self, Plan, Seen};
use crate::tail::{LineReader, LogFile, identity};

/// Entries dated later than this after the tick have a wrong clock.
const LATEST: TimeDelta = TimeDelta::days(1);

/// How long after its last line a renamed file is watched, as long as the new one is empty.
const WRITER_OPENS: TimeDelta = TimeDelta::hours(1);

/// Why a chunk ended.
#[derive(Debug)]
enum End {
    /// All complete lines of the file are read.
    OfFile,
    /// It is large enough; more follows.
    Full,
    /// The next line is of a time whose partition must be made first.
    NoPartition(EventTime),
    /// The run is to stop.
    Stopped,
    /// The file could not be read on.
    Broken(io::Error),
}

impl Stage<'_> {
    /// Reads what is new in a source, over a rotation too.
    pub(super) fn read_source(
        &mut self,
        target: &Target,
        mut source: Source,
    ) -> Result<(), IngestError> {
        let log = LogFile::open(&target.path)?;
        if !self.seen.insert(log.identity) {
            log::info!("{} is another path to a file that was read", target.path.display());
            return Ok(());
        }
        match plan(&target.path, &source, &log)? {
            Plan::FirstSeen => self.begin(target, &mut source, &log)?,
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
        log: &LogFile,
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
        let modified = found.log.file.metadata().and_then(|metadata| metadata.modified());
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
        let read = source.place.map_or(0, |place| place.byte_offset);
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
            LineReader::new(log.file, log.identity, place.byte_offset, size, max_line_bytes)
                .map_err(|source| broken(place.byte_offset, source))?;
        let mut parser =
            Parser::new(format(&target.config), target.timezone, source.last_logged_at)
                .joining(target.config.multiline.clone())
                .within(source.trace);
        loop {
            // Without a complete line there is nothing to store.
            match reader.next_line() {
                Ok(Some(_)) => reader.take_back(),
                Ok(None) => return Ok(()),
                Err(error) => return Err(broken(reader.byte_offset(), error)),
            }
            if self.ingest.limits.are_reached(self.outcome.figures.bytes) {
                self.outcome.has_more = true;
                return Ok(());
            }
            match self.store_chunk(target, source, &mut reader, &mut parser, size)? {
                End::OfFile => return Ok(()),
                End::Full => {}
                End::NoPartition(time) => {
                    let mut partitions = self.partitions()?;
                    partitions.ensure(self.connection, time)?;
                    self.partitions = Some(partitions);
                }
                End::Stopped => {
                    self.outcome.stopped = true;
                    return Ok(());
                }
                End::Broken(error) => return Err(broken(reader.byte_offset(), error)),
            }
        }
    }

    /// Stores one chunk and brings the source's state up to date.
    fn store_chunk(
        &mut self,
        target: &Target,
        source: &mut Source,
        reader: &mut LineReader,
        parser: &mut Parser,
        size: u64,
    ) -> Result<End, IngestError> {
        let limits = self.limits(target);
        let from = reader.byte_offset();
        let start =
            ChunkStart { source: source.id, generation: source.generation, byte_offset: from };
        let before = Before {
            line_no: source.line_no,
            last_logged_at: source.last_logged_at,
            open: source.open,
        };
        let mut partitions = self.partitions()?;
        let mut end = End::Full;
        let stop = self.ingest.stop;
        let chunk_bytes = self.ingest.limits.next_chunk(self.outcome.figures.bytes);
        let until = from.saturating_add(chunk_bytes);
        let (entries, chunk) =
            chunk::store(self.connection, &start, self.ingest.tick, |writer: &mut EntryWriter| {
                let mut builder = Builder::new(&limits, writer, before);
                let mut progress = ChunkProgress::new(self.ingest.progress, from);
                end = loop {
                    if stop.load(Ordering::Relaxed) {
                        break End::Stopped;
                    }
                    if let Some(end) =
                        take_line(reader, parser, &mut builder, &mut partitions, until)?
                    {
                        break end;
                    }
                    progress.at(reader.byte_offset(), builder.lines());
                };
                progress.end(reader.byte_offset(), builder.lines());
                let at_end = matches!(end, End::OfFile);
                let place = reader.place();
                let chunk = builder.finish(place, size, parser.last_logged_at(), at_end)?;
                Ok(Chunk { trace: parser.trace(), ..chunk })
            })?;
        self.partitions = Some(partitions);
        self.apply(source, &chunk, entries, reader.byte_offset() - from);
        (self.after_chunk)(self.connection, source.id)?;
        Ok(end)
    }

    fn limits(&self, target: &Target) -> Limits {
        Limits {
            store: target.config.store,
            max_bytes: target.config.max_line_bytes,
            max_lines: target.config.max_entry_lines,
            latest: (self.ingest.tick.0 + LATEST).into(),
            now: self.ingest.tick.0.into(),
        }
    }

    fn apply(&mut self, source: &mut Source, chunk: &Chunk, entries: i64, bytes: u64) {
        source.place = Some(chunk.place);
        source.line_no += chunk.lines;
        source.parsed_lines += chunk.parsed_lines;
        source.last_logged_at = chunk.last_logged_at;
        source.open = chunk.open;
        source.trace = chunk.trace;
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

/// What the path is now.
fn plan(path: &Path, source: &Source, log: &LogFile) -> Result<Plan, IngestError> {
    let holds_place =
        match &source.place {
            None => false,
            Some(place) => identity::holds(&log.file, place).map_err(|source| {
                IngestError::Read { path: path.to_owned(), byte_offset: 0, source }
            })?,
        };
    let seen = Seen { identity: log.identity, size: log.size, holds_place };
    Ok(resume::decide(source.place.as_ref(), &seen))
}

/// Takes one line into the chunk, or says why the chunk ends before it.
fn take_line(
    reader: &mut LineReader,
    parser: &mut Parser,
    builder: &mut Builder<'_, '_>,
    partitions: &mut Partitions,
    until: u64,
) -> io::Result<Option<End>> {
    reader.take_lines(until, |bytes| builder.skim(parser, bytes))?;
    let line = match reader.next_line() {
        Ok(Some(line)) => line,
        Ok(None) => return Ok(Some(End::OfFile)),
        Err(error) => return Ok(Some(End::Broken(error))),
    };
    if line.byte_offset >= until || builder.minutes() > MAX_MINUTES {
        reader.take_back();
        return Ok(Some(End::Full));
    }
    match parser.line(line.bytes) {
        Line::Head(head) => {
            let time = builder.effective_time(&head);
            if builder.stores(&head) && !partitions.cover(time) {
                reader.take_back();
                return Ok(Some(End::NoPartition(time)));
            }
            builder.head(&line, &head)?;
        }
        Line::Continuation => builder.continuation(&line),
        Line::Unparsed => builder.unparsed(&line),
    }
    Ok(None)
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
        lost_bytes: Some(source.size_bytes.saturating_sub(place.byte_offset)),
        reason,
    });
    Superseded { path: path.to_string_lossy().into_owned(), complete: false, gap }
}

/// The place after the last complete line of a file.
fn last_line_end(log: &LogFile) -> io::Result<Place> {
    use std::os::unix::fs::FileExt;

    let mut end = log.size;
    let mut buffer = vec![0; 64 * 1024];
    while end > 0 {
        let length = buffer.len().min(usize::try_from(end).unwrap_or(usize::MAX));
        let from = end - length as u64;
        log.file.read_exact_at(&mut buffer[..length], from)?;
        if let Some(at) = memchr::memrchr(b'\n', &buffer[..length]) {
            return identity::place_at(&log.file, log.identity, from + at as u64 + 1);
        }
        end = from;
    }
    Ok(identity::beginning(log.identity))
}
