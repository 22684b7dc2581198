//! Lines from the reader through the parser into a chunk.

use std::io;
use std::sync::atomic::Ordering;

use super::Ingest;
use super::builder::{Builder, Continuing};
use super::counts::MAX_MINUTES;
use super::decoding::Decoding;
use super::progress::ChunkProgress;
use super::target::Target;
use crate::config::{Format, SourceConfig};
use crate::model::EventTime;
use crate::parse::{self, Line, Parser};
use crate::store::partitions::Partitions;
use crate::store::tails::BeforeTail;
use crate::tail::line_end::Units;
use crate::tail::{LineReader, LogFile, RawLine};

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

/// The lines of an open log on their way.
pub(super) struct Lines {
    pub(super) reader: LineReader,
    pub(super) decoding: Decoding,
    pub(super) parser: Parser,
}

impl Lines {
    /// The lines of a log from an offset on, where `before` is known.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) fn open(
        log: LogFile,
        byte_offset: u64,
        target: &Target,
        before: &BeforeTail,
    ) -> io::Result<Self> {
        let (end, identity) = (log.end(), log.identity);
        let SourceConfig { max_line_bytes, encoding, .. } = *target.config;
        let reader =
            LineReader::new(log.content, identity, byte_offset, end, max_line_bytes, encoding)?;
        let parser = Parser::new(format(&target.config), target.timezone, before.last_logged_at)
            .joining(target.config.multiline.clone())
            .within(before.trace);
        let decoding = Decoding::new(reader.encoding(), max_line_bytes);
        Ok(Self { reader, decoding, parser })
    }
}

/// The format in which the lines of a source are read.
pub(super) fn format(config: &SourceConfig) -> parse::Format {
    match config.format {
        Format::Auto | Format::Plain => parse::Format::Plain,
    }
}

/// What takes part in filling a chunk.
pub(super) struct Taking<'a, 'b, 'w> {
    pub(super) lines: &'a mut Lines,
    pub(super) builder: &'a mut Builder<'b, 'w>,
    pub(super) partitions: &'a mut Partitions,
}

impl Taking<'_, '_, '_> {
    /// Takes the lines that begin before the offset `until`, and says why the chunk ends.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(super) fn lines(&mut self, until: u64, ingest: &Ingest<'_>) -> io::Result<End> {
        let mut progress = ChunkProgress::new(ingest.progress, self.lines.reader.byte_offset());
        let end = loop {
            if ingest.stop.load(Ordering::Relaxed) {
                break End::Stopped;
            }
            if let Some(end) = self.next_line(until)? {
                break end;
            }
            progress.at(self.lines.reader.byte_offset(), self.builder.lines());
        };
        progress.end(self.lines.reader.byte_offset(), self.builder.lines());
        Ok(end)
    }

    /// Takes the last line, which has no end.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(super) fn last_line(&mut self) -> io::Result<End> {
        let Self { lines: Lines { reader, decoding, parser }, builder, partitions } = self;
        let Some(line) = reader.last_line() else { return Ok(End::OfFile) };
        let end = take(&decoding.decode(line), parser, builder, partitions)?;
        Ok(end.unwrap_or(End::OfFile))
    }

    /// Takes one line into the chunk, or says why the chunk ends before it.
    fn next_line(&mut self, until: u64) -> io::Result<Option<End>> {
        let Self { lines: Lines { reader, decoding, parser }, builder, partitions } = self;
        // The usual head of a line has the same bytes in every encoding but UTF-16.
        if reader.units() == Units::Bytes {
            reader.take_lines(until, |bytes| builder.skim(parser, bytes))?;
        }
        let line = match reader.next_line() {
            Ok(Some(line)) => line,
            Ok(None) => return Ok(Some(End::OfFile)),
            Err(error) => return Ok(Some(End::Broken(error))),
        };
        let begins_at = line.byte_offset - line.nul_bytes;
        let is_full = begins_at >= until || builder.minutes() > MAX_MINUTES;
        let end = if is_full {
            Some(End::Full)
        } else {
            take(&decoding.decode(line), parser, builder, partitions)?
        };
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
    let (last_logged_at, trace) = (parser.last_logged_at(), parser.trace());
    match parser.line(line.bytes) {
        Line::Head(head) => {
            let time = builder.effective_time(&head);
            if builder.stores(&head) && !partitions.cover(time) {
                // The chunk ends before this line, and is stored with what is known then.
                parser.go_back(last_logged_at, trace);
                return Ok(Some(End::NoPartition(time)));
            }
            let is_stored = builder.stores(&head);
            builder.head(line, &head)?;
            if is_stored {
                builder.keep_fields(parser.fields(line.bytes));
            }
        }
        Line::Continuation(text) => builder.continuation(line, Continuing::Line(text)),
        Line::Rest(text) => builder.continuation(line, Continuing::Rest(text)),
        Line::Unparsed => builder.unparsed(line),
    }
    Ok(None)
}
