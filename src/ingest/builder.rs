//! From the lines of a chunk to its entries, counts and new state.
//!
//! An entry is stored at once, at the latest with the last line of the chunk: a FATAL that is
//! the last line of the log must alert in the same run. Lines that continue it and come later
//! are appended to what is stored, so the result does not depend on where chunks end.

use std::io;

use super::counts::Counts;
use super::samples::Samples;
use crate::model::{Entry, EventTime, Level, LevelSet, LinePattern, OpenEntry, Place};
use crate::parse::fingerprint::Fingerprinter;
use crate::parse::{Fields, Head, Parser, text};
use crate::store::binary_copy::EntryWriter;
use crate::store::chunk::{Appended, CONTINUED, Chunk, UNPARSED};
use crate::store::dirty::DirtyRanges;
use crate::tail::RawLine;

/// What is kept of the entries of a source.
#[derive(Clone, Copy, Debug)]
pub(super) struct Limits<'a> {
    /// Levels that are stored.
    pub(super) store: LevelSet,
    /// Patterns of messages that are stored whatever their level is.
    pub(super) keep: &'a [LinePattern],
    /// Bytes of an entry's message that are kept.
    pub(super) max_bytes: usize,
    /// Bytes of entries in one chunk.
    pub(super) max_chunk_bytes: u64,
    /// Lines of an entry that are kept.
    pub(super) max_lines: u32,
    /// Entries dated later get the time `now`: they would wait in the future for ever.
    pub(super) latest: EventTime,
    /// The tick.
    pub(super) now: EventTime,
}

/// What a line adds to the entry before it.
#[derive(Clone, Copy, Debug)]
pub(super) enum Continuing<'a> {
    /// A line.
    Line(&'a [u8]),
    /// More of its last line.
    Rest(&'a [u8]),
}

impl Continuing<'_> {
    /// Whether it is a line in which nothing stands.
    fn is_blank(self) -> bool {
        matches!(self, Self::Line(text) if text.trim_ascii().is_empty())
    }
}

/// What a chunk starts from.
#[derive(Clone, Copy, Debug)]
pub(super) struct Before {
    /// Lines of the source read before.
    pub(super) line_no: i64,
    /// Written time of the last entry before.
    pub(super) last_logged_at: Option<EventTime>,
    /// The entry that the first lines may continue.
    pub(super) open: Option<OpenEntry>,
}

/// A chunk in the making.
pub(super) struct Builder<'a, 'w> {
    limits: &'a Limits<'a>,
    /// Levels that are only counted.
    counted: LevelSet,
    writer: &'a mut EntryWriter<'w>,
    fingerprinter: Fingerprinter,
    before: Before,
    counts: Counts,
    dirty: DirtyRanges,
    lines: i64,
    parsed_lines: i64,
    unparsed_lines: i64,
    samples: Samples,
    cut_lines: i64,
    nul_bytes: i64,
    redated_entries: i64,
    open: Option<OpenEntry>,
    /// What the open entry needs besides, when it began in this chunk and its level is stored.
    unwritten: Option<Unwritten>,
    /// The text of the unwritten entry, or what is appended to one that was stored before.
    message: String,
    appended: Option<Appended>,
}

/// What an entry needs besides its message and its [`OpenEntry`].
struct Unwritten {
    byte_offset: u64,
    fields: Fields,
    written_at: Option<String>,
    cut: bool,
}

impl<'a, 'w> Builder<'a, 'w> {
    pub(super) fn new(
        limits: &'a Limits<'a>,
        writer: &'a mut EntryWriter<'w>,
        before: Before,
    ) -> Self {
        let time = before.open.map(|open| open.logged_at).or(before.last_logged_at);
        Self {
            limits,
            // Where messages decide what is kept, they have to be read.
            counted: Level::ALL
                .into_iter()
                .filter(|level| limits.keep.is_empty() && !limits.store.contains(*level))
                .collect(),
            writer,
            fingerprinter: Fingerprinter::default(),
            before,
            counts: Counts::new(time.unwrap_or(limits.now)),
            dirty: DirtyRanges::default(),
            lines: 0,
            parsed_lines: 0,
            unparsed_lines: 0,
            samples: Samples::default(),
            cut_lines: 0,
            nul_bytes: 0,
            redated_entries: 0,
            open: before.open,
            unwritten: None,
            message: String::new(),
            appended: None,
        }
    }

    /// The time under which an entry is stored and counted.
    pub(super) fn effective_time(&self, head: &Head<'_>) -> EventTime {
        if head.logged_at > self.limits.latest { self.limits.now } else { head.logged_at }
    }

    /// Whether an entry is stored, not only counted.
    pub(super) fn stores(&self, head: &Head<'_>) -> bool {
        self.limits.store.contains(head.level)
            || self.limits.keep.iter().any(|pattern| pattern.is_in(head.message))
    }

    /// Whether the chunk holds as much as one may, however much of the log is left.
    pub(super) fn is_full(&self) -> bool {
        let limit = self.limits.max_chunk_bytes;
        self.counts.are_many() || self.writer.entries > 0 && self.writer.bytes() >= limit
    }

    /// How many lines the chunk holds so far.
    pub(super) fn lines(&self) -> i64 {
        self.lines
    }

    /// A line that begins an entry.
    ///
    /// # Errors
    /// When the entry before it cannot be written to the connection.
    pub(super) fn head(
        &mut self,
        line: &RawLine<'_>,
        head: &Head<'_>,
        is_stored: bool,
    ) -> io::Result<()> {
        self.close_entry()?;
        self.count(line);
        self.parsed_lines += 1;
        self.cut_lines += i64::from(line.cut);
        let logged_at = self.effective_time(head);
        self.counts.go_to(logged_at);
        self.counts.add(head.level.index());
        let joined = i64::from(line.joined_lines);
        self.counts.add_lines(CONTINUED, joined);
        let redated = logged_at != head.logged_at || !head.is_dated;
        self.redated_entries += i64::from(redated);
        if is_stored {
            text::clean_into(head.message, &mut self.message);
            self.unwritten = Some(Unwritten {
                byte_offset: line.byte_offset,
                fields: Fields::default(),
                written_at: redated.then(|| String::from_utf8_lossy(head.written_at).into_owned()),
                cut: line.cut,
            });
        }
        self.open = Some(OpenEntry {
            line_no: self.before.line_no + self.lines - joined,
            logged_at,
            level: head.level,
            lines: 1,
            bytes: length(&self.message),
        });
        Ok(())
    }

    /// Keeps what the line that began the open entry says besides, if the entry is stored.
    pub(super) fn keep_fields(&mut self, fields: &Fields) {
        if let Some(unwritten) = &mut self.unwritten {
            unwritten.fields.clone_from(fields);
        }
    }

    /// Takes the lines at the start of `bytes` that are quickly seen to begin entries which are
    /// only counted; returns how many bytes these are.
    ///
    /// # Errors
    /// When the entry before them cannot be written to the connection.
    pub(super) fn skim(&mut self, parser: &mut Parser, bytes: &[u8]) -> io::Result<usize> {
        let Limits { latest, max_bytes, .. } = *self.limits;
        let skimmed = parser.skim(bytes, self.counted, latest, max_bytes);
        let Some((level, logged_at)) = skimmed.last else { return Ok(0) };
        self.close_entry()?;
        for time in skimmed.span.into_iter().flat_map(|(first, last)| [first, last]) {
            self.counts.go_to(time);
            self.counts.add_lines(level.index(), 0);
        }
        for (level, &lines) in Level::ALL.into_iter().zip(&skimmed.lines) {
            self.counts.add_lines(level.index(), lines);
            self.lines += lines;
            self.parsed_lines += lines;
        }
        self.counts.go_to(logged_at);
        let line_no = self.before.line_no + self.lines;
        self.open = Some(OpenEntry { line_no, logged_at, level, lines: 1, bytes: 0 });
        Ok(skimmed.bytes)
    }

    /// A line that has the shape of one that continues an entry.
    ///
    /// Without an entry before it, it is an unparsed line. A blank one is counted, but not
    /// kept: it may as well stand between two entries.
    pub(super) fn continuation(&mut self, line: &RawLine<'_>, text: Continuing<'_>) {
        let Some(mut open) = self.open else { return self.unparsed(line) };
        self.count(line);
        self.counts.go_to(open.logged_at);
        self.counts.add_lines(CONTINUED, 1 + i64::from(line.joined_lines));
        open.lines = open.lines.saturating_add(1);
        // What keep stores has a text, whatever its level.
        let is_stored = self.limits.store.contains(open.level) || open.bytes > 0;
        let kept = !is_stored || text.is_blank() || self.keep(text, &mut open);
        self.cut_lines += i64::from(line.cut || !kept);
        self.open = Some(open);
    }

    /// Adds a line to the text of the open entry, unless that is full.
    ///
    /// Once a line did not fit, none that follows does: an entry has no holes.
    fn keep(&mut self, text: Continuing<'_>, open: &mut OpenEntry) -> bool {
        let before = self.message.len();
        let text = match text {
            Continuing::Line(text) => {
                self.message.push('\n');
                text
            }
            Continuing::Rest(text) => text,
        };
        text::clean_into(text, &mut self.message);
        let bytes = open.bytes + length(&self.message[before..]);
        let full = i64::try_from(self.limits.max_bytes).unwrap_or(i64::MAX);
        if bytes > full || i64::from(open.lines) > i64::from(self.limits.max_lines) {
            self.message.truncate(before);
            open.bytes = full;
            return false;
        }
        open.bytes = bytes;
        true
    }

    /// A line that neither begins nor continues an entry.
    pub(super) fn unparsed(&mut self, line: &RawLine<'_>) {
        self.count(line);
        let lines = 1 + i64::from(line.joined_lines);
        self.unparsed_lines += lines;
        self.samples.add(line.bytes);
        self.cut_lines += i64::from(line.cut);
        self.counts.add_lines(UNPARSED, lines);
    }

    fn count(&mut self, line: &RawLine<'_>) {
        self.lines += 1 + i64::from(line.joined_lines);
        self.nul_bytes += i64::try_from(line.nul_bytes).unwrap_or(i64::MAX);
    }

    /// Writes what is left and says what the chunk holds.
    ///
    /// # Errors
    /// When the last entry cannot be written to the connection.
    pub(super) fn finish(
        mut self,
        place: Place,
        size_bytes: u64,
        last_logged_at: Option<EventTime>,
        at_end: bool,
    ) -> io::Result<Chunk> {
        self.close_entry()?;
        Ok(Chunk {
            place,
            size_bytes,
            lines: self.lines,
            parsed_lines: self.parsed_lines,
            unparsed_lines: self.unparsed_lines,
            unparsed_samples: self.samples.into_texts(),
            cut_lines: self.cut_lines,
            nul_bytes: self.nul_bytes,
            redated_entries: self.redated_entries,
            counts: self.counts.finish(),
            last_logged_at,
            open: self.open,
            trace: None,
            detected_format: None,
            appended: self.appended,
            dirty: self.dirty,
            at_end,
            tail: None,
            cursor: None,
            gap: None,
        })
    }

    /// Writes the open entry, or sets aside what is appended to the one stored before.
    fn close_entry(&mut self) -> io::Result<()> {
        let Some(open) = self.open else { return Ok(()) };
        if let Some(unwritten) = self.unwritten.take() {
            self.dirty.add(open.logged_at);
            self.writer.write(&Entry {
                logged_at: open.logged_at,
                line_no: open.line_no,
                byte_offset: unwritten.byte_offset,
                fingerprint: self.fingerprinter.first_line(&self.message),
                level: open.level,
                message: &self.message,
                fields: unwritten.fields.as_map(),
                written_at: unwritten.written_at.as_deref(),
                cut: unwritten.cut,
            })?;
            self.message.clear();
        } else if !self.message.is_empty() {
            self.appended = Some(Appended {
                line_no: open.line_no,
                logged_at: open.logged_at,
                text: std::mem::take(&mut self.message),
            });
        }
        Ok(())
    }
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}
