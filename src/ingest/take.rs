//! Lines from the reader through the parser into a chunk.

use std::io;
use std::sync::atomic::Ordering;

use super::Ingest;
use super::builder::Builder;
use super::counts::MAX_MINUTES;
use super::progress::ChunkProgress;
use crate::model::EventTime;
use crate::parse::{Line, Parser};
use crate::store::partitions::Partitions;
use crate::tail::{LineReader, RawLine};

/// Why a chunk ended.
#[derive(Debug)]
pub(super) enum End {
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

/// What takes part in filling a chunk.
pub(super) struct Taking<'a, 'b, 'w> {
    pub(super) reader: &'a mut LineReader,
    pub(super) parser: &'a mut Parser,
    pub(super) builder: &'a mut Builder<'b, 'w>,
    pub(super) partitions: &'a mut Partitions,
}

impl Taking<'_, '_, '_> {
    /// Takes the lines that begin before the offset `until`, and says why the chunk ends.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(super) fn lines(&mut self, until: u64, ingest: &Ingest<'_>) -> io::Result<End> {
        let mut progress = ChunkProgress::new(ingest.progress, self.reader.byte_offset());
        let end = loop {
            if ingest.stop.load(Ordering::Relaxed) {
                break End::Stopped;
            }
            if let Some(end) = self.next_line(until)? {
                break end;
            }
            progress.at(self.reader.byte_offset(), self.builder.lines());
        };
        progress.end(self.reader.byte_offset(), self.builder.lines());
        Ok(end)
    }

    /// Takes the last line, which has no end.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(super) fn last_line(&mut self) -> io::Result<End> {
        let Some(line) = self.reader.last_line() else { return Ok(End::OfFile) };
        let end = take(&line, self.parser, self.builder, self.partitions)?;
        Ok(end.unwrap_or(End::OfFile))
    }

    /// Takes one line into the chunk, or says why the chunk ends before it.
    fn next_line(&mut self, until: u64) -> io::Result<Option<End>> {
        let Self { reader, parser, builder, partitions } = self;
        reader.take_lines(until, |bytes| builder.skim(parser, bytes))?;
        let line = match reader.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(Some(End::OfFile)),
            Err(error) => return Ok(Some(End::Broken(error))),
        };
        let is_full = line.byte_offset >= until || builder.minutes() > MAX_MINUTES;
        let end = if is_full { Some(End::Full) } else { take(&line, parser, builder, partitions)? };
        if end.is_some() {
            reader.take_back();
        }
        Ok(end)
    }
}

/// Takes a line into the chunk, or says why it cannot be taken.
fn take(
    line: &RawLine<'_>,
    parser: &mut Parser,
    builder: &mut Builder<'_, '_>,
    partitions: &mut Partitions,
) -> io::Result<Option<End>> {
    match parser.line(line.bytes) {
        Line::Head(head) => {
            let time = builder.effective_time(&head);
            if builder.stores(&head) && !partitions.cover(time) {
                return Ok(Some(End::NoPartition(time)));
            }
            builder.head(line, &head)?;
        }
        Line::Continuation => builder.continuation(line),
        Line::Unparsed => builder.unparsed(line),
    }
    Ok(None)
}
