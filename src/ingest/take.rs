//! Lines from the reader through the parser into a chunk.

use std::io;
use std::sync::atomic::Ordering;
use std::time::SystemTime;

use chrono::{DateTime, Utc};

use super::Ingest;
use super::builder::{Builder, Continuing};
use super::decoding::Decoding;
use super::progress::ChunkProgress;
use super::target::Target;
use crate::config::{LogFormat, SourceConfig};
use crate::model::{EventTime, Format};
use crate::parse::{Line, Parser, detect};
use crate::store::partitions::Partitions;
use crate::store::tails::BeforeTail;
use crate::tail::line_end::Units;
use crate::tail::{LineReader, LogFile, RawLine};

/// From so many entries on, the format that was found out stays.
const SETTLED_LINES: i64 = 100;

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
    /// The format that was found out from the lines, if it was left to them.
    pub(super) detected: Option<Format>,
}

/// What the lines read so far say of those that follow.
pub(super) struct Earlier<'a> {
    pub(super) before: &'a BeforeTail,
    /// The format that was found out from them.
    pub(super) detected: Option<Format>,
    /// How many of them begin an entry.
    pub(super) parsed_lines: i64,
}

impl Lines {
    /// The lines of a log from an offset on.
    ///
    /// # Errors
    /// When the log cannot be read.
    pub(super) fn open(
        mut log: LogFile,
        byte_offset: u64,
        target: &Target,
        earlier: &Earlier<'_>,
    ) -> io::Result<Self> {
        let detected = match target.config.format {
            LogFormat::Auto => format_at(&mut log, byte_offset, target, earlier),
            LogFormat::Named(_) | LogFormat::Own(_) => None,
        };
        let (end, identity, modified) = (log.end(), log.identity, log.modified);
        let SourceConfig { max_line_bytes, encoding, .. } = *target.config;
        let reader =
            LineReader::new(log.content, identity, byte_offset, end, max_line_bytes, encoding)?;
        let before = earlier.before;
        let parser = parser(target, detected, before.last_logged_at, modified)
            .joining(target.config.multiline.clone())
            .within(before.trace);
        let reader = reader.joining(parser.joins());
        let decoding = Decoding::new(reader.encoding(), max_line_bytes);
        Ok(Self { reader, decoding, parser, detected })
    }
}

/// The format of the lines from an offset on: the one that is known, or the one that the first
/// lines show.
///
/// Each file is looked at anew, because a program may write otherwise since it was restarted;
/// and as long as few lines are known, which may be those of its start.
fn format_at(
    log: &mut LogFile,
    byte_offset: u64,
    target: &Target,
    earlier: &Earlier<'_>,
) -> Option<Format> {
    if byte_offset > 0 && earlier.detected.is_some() && earlier.parsed_lines >= SETTLED_LINES {
        return earlier.detected;
    }
    let from = if earlier.detected.is_none() { byte_offset } else { 0 };
    let lines = first_lines(log, from, target);
    detect::detect(&lines.lines().map(str::as_bytes), &target.config.level_rules.words)
        .or(earlier.detected)
}

/// The first lines of a log from an offset on, for a look at them. Of a damaged archive, those
/// before the damage.
pub(super) fn first_lines(log: &mut LogFile, from: u64, target: &Target) -> String {
    let bytes = log.content.readable_at(from, detect::SAMPLE_BYTES);
    // A byte order mark says more than the config.
    let (text, _, _) = target.config.encoding.decode(&bytes);
    let whole = if bytes.len() < detect::SAMPLE_BYTES { text.len() } else { 0 };
    let whole = text.rfind('\n').map_or(text.len(), |end| whole.max(end + 1));
    text[..whole].replace('\0', "")
}

/// What reads the lines of a source, in a file that was changed last at this moment.
pub(super) fn parser(
    target: &Target,
    detected: Option<Format>,
    last_logged_at: Option<EventTime>,
    changed_at: SystemTime,
) -> Parser {
    let zone = target.timezone;
    let of = |format| Parser::new(format, zone, last_logged_at);
    let parser = match &target.config.format {
        LogFormat::Auto => of(detected.unwrap_or(Format::Plain)).trying_others(),
        LogFormat::Named(format) => of(*format),
        LogFormat::Own(format) => of(Format::Plain).of_own_format(format.clone()),
    };
    let parser = parser.judging(target.config.level_rules.clone());
    parser.changed_at(DateTime::<Utc>::from(changed_at).into())
}

/// What takes part in filling a chunk.
pub(super) struct Taking<'a, 'b, 'w> {
    pub(super) lines: &'a mut Lines,
    pub(super) builder: &'a mut Builder<'b, 'w>,
    pub(super) partitions: &'a mut Partitions,
}

impl Taking<'_, '_, '_> {
    /// Takes the lines that begin before the offset `until`, as long as a chunk may take, and
    /// says why the chunk ends.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(super) fn lines(&mut self, mut until: u64, ingest: &Ingest<'_>) -> io::Result<End> {
        let mut clock = ingest.limits.chunk_clock(self.lines.reader.byte_offset());
        let mut progress = ChunkProgress::new(ingest.progress, self.lines.reader.byte_offset());
        let end = loop {
            if ingest.stop.load(Ordering::Relaxed) {
                break End::Stopped;
            }
            if let Some(end) = self.next_line(until)? {
                break end;
            }
            let byte_offset = self.lines.reader.byte_offset();
            progress.at(byte_offset, self.builder.lines());
            if clock.is_over(byte_offset) {
                until = byte_offset;
            }
        };
        progress.end(self.lines.reader.byte_offset(), self.builder.lines());
        Ok(end)
    }

    /// Takes the last line, which has no end.
    ///
    /// # Errors
    /// When the connection breaks.
    pub(super) fn last_line(&mut self) -> io::Result<End> {
        let Self { lines: Lines { reader, decoding, parser, .. }, builder, partitions } = self;
        let Some(line) = reader.last_line() else { return Ok(End::OfFile) };
        let end = take(&decoding.decode(line), parser, builder, partitions)?;
        Ok(end.unwrap_or(End::OfFile))
    }

    /// Takes one line into the chunk, or says why the chunk ends before it.
    fn next_line(&mut self, until: u64) -> io::Result<Option<End>> {
        let Self { lines: Lines { reader, decoding, parser, .. }, builder, partitions } = self;
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
        let end = if begins_at >= until || builder.is_full() {
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
            let is_stored = builder.stores(&head);
            if is_stored && !partitions.cover(time) {
                // The chunk ends before this line, and is stored with what is known then.
                parser.go_back(last_logged_at, trace);
                return Ok(Some(End::NoPartition(time)));
            }
            builder.head(line, &head, is_stored)?;
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
