//! Reads a source that is the systemd journal.
//!
//! Each of its entries is an entry, with the time at which the journal got it and the priority
//! as its level. The cursor of the last one is stored in the transaction that stores them.

use std::io;
use std::sync::atomic::Ordering;

use super::builder::{Before, Builder, Continuing};
use super::journalctl::{Journalctl, Wanted};
use super::reader::limits;
use super::take::End;
use super::target::Target;
use super::{IngestError, Stage};
use crate::config::{JournalConfig, Start};
use crate::model::{EventTime, Gap, LevelWords, Place};
use crate::parse::{Head, levels};
use crate::store::binary_copy::EntryWriter;
use crate::store::chunk::{self, Chunk, ChunkStart};
use crate::store::journal;
use crate::store::partitions::Partitions;
use crate::store::sources::Source;
use crate::tail::RawLine;
use crate::tail::journal::JournalEntry;

impl Stage<'_> {
    /// Reads what is new in a journal.
    pub(super) fn read_journal(
        &mut self,
        target: &Target,
        mut source: Source,
        config: &JournalConfig,
    ) -> Result<(), IngestError> {
        if source.place.is_none() {
            self.begin_journal(target, &mut source, config)?;
        }
        let cursor = source.cursor.clone();
        let wanted = match (&cursor, target.since) {
            (Some(cursor), _) => Wanted::From(cursor),
            (None, Some(since)) => Wanted::Since(since),
            (None, None) => Wanted::All,
        };
        let mut journal = Journalctl::start(config, wanted, target.config.max_line_bytes)
            .map_err(IngestError::Journal)?;
        let mut gap = lost(&mut journal, cursor.as_deref()).map_err(IngestError::Journal)?;
        loop {
            // Without an entry there is nothing to store.
            if journal.next_entry().map_err(IngestError::Journal)?.is_none() {
                return self.at_end(target, &source);
            }
            journal.take_back();
            if self.ingest.limits.are_reached(self.outcome.figures.bytes) {
                self.outcome.has_more = true;
                return Ok(());
            }
            match self.store_entries(target, &mut source, &mut journal, &mut gap)? {
                Taken { failed: Some(error), .. } => return Err(IngestError::Journal(error)),
                Taken { end: End::OfFile, .. } => return self.at_end(target, &source),
                Taken { end: End::NoPartition(time), .. } => self.make_partition(time)?,
                Taken { end: End::Stopped, .. } => {
                    self.outcome.stopped = true;
                    return Ok(());
                }
                Taken { .. } => {}
            }
        }
    }

    /// Begins with a journal that is seen for the first time.
    fn begin_journal(
        &mut self,
        target: &Target,
        source: &mut Source,
        config: &JournalConfig,
    ) -> Result<(), IngestError> {
        let mut cursor = None;
        if target.since.is_none() && target.config.start == Start::End {
            let mut last =
                Journalctl::start(config, Wanted::Last, 0).map_err(IngestError::Journal)?;
            while let Some(entry) = last.next_entry().map_err(IngestError::Journal)? {
                cursor = Some(text(&entry.cursor));
            }
        }
        journal::begin(self.connection, source.id, cursor.as_deref())?;
        source.generation = 1;
        source.place = Some(Place::default());
        source.cursor = cursor;
        Ok(())
    }

    /// Stores one chunk of entries.
    fn store_entries(
        &mut self,
        target: &Target,
        source: &mut Source,
        journal: &mut Journalctl,
        gap: &mut Option<Gap>,
    ) -> Result<Taken, IngestError> {
        let from = source.place.map_or(0, |place| place.byte_offset);
        let start = ChunkStart {
            source: source.id,
            generation: source.generation,
            byte_offset: from,
            line_no: source.line_no,
            flushed: None,
        };
        let tick = self.ingest.tick;
        let limits = limits(target, &self.ingest.limits, tick);
        let before = Before {
            line_no: source.line_no,
            last_logged_at: source.last_logged_at,
            open: source.open,
        };
        let mut until = from + self.ingest.limits.next_chunk(self.outcome.figures.bytes);
        let mut clock = self.ingest.limits.chunk_clock(from);
        let mut partitions = self.partitions()?;
        let mut taken = Taken {
            end: End::Full,
            failed: None,
            byte_offset: from,
            cursor: None,
            last_logged_at: source.last_logged_at,
        };
        let stop = self.ingest.stop;
        let (entries, chunk) =
            chunk::store(self.connection, &start, tick, |writer: &mut EntryWriter| {
                let mut builder = Builder::new(&limits, writer, before);
                while taken.next(journal, until, &mut builder, &mut partitions)? {
                    if stop.load(Ordering::Relaxed) {
                        taken.end = End::Stopped;
                        break;
                    }
                    if clock.is_over(taken.byte_offset) {
                        until = taken.byte_offset;
                    }
                }
                let place = Place { byte_offset: taken.byte_offset, ..Place::default() };
                let at_end = matches!(taken.end, End::OfFile);
                let chunk = builder.finish(place, 0, taken.last_logged_at, at_end)?;
                // What was lost is told with the first entry behind it.
                let lost = if chunk.lines > 0 { gap.take() } else { None };
                Ok(Chunk { cursor: taken.cursor.clone(), gap: lost, ..chunk })
            })?;
        self.partitions = Some(partitions);
        if let Some(gap) = chunk.gap.clone() {
            self.outcome.gaps.push((target.path.clone(), gap));
        }
        source.cursor = taken.cursor.clone().or(source.cursor.take());
        let lines = chunk.lines;
        self.apply(source, chunk, entries, taken.byte_offset - from);
        (self.after_chunk)(self.connection, source.id, lines)?;
        Ok(taken)
    }
}

/// How far a chunk has come.
struct Taken {
    end: End,
    /// Why the journal cannot be read on.
    failed: Option<String>,
    byte_offset: u64,
    cursor: Option<String>,
    last_logged_at: Option<EventTime>,
}

impl Taken {
    /// Takes one entry into the chunk, which ends at the offset `until`; `false` if it ends before
    /// that entry.
    fn next(
        &mut self,
        journal: &mut Journalctl,
        until: u64,
        builder: &mut Builder<'_, '_>,
        partitions: &mut Partitions,
    ) -> io::Result<bool> {
        let entry = match journal.next_entry() {
            Ok(Some(entry)) => entry,
            Ok(None) => {
                self.end = End::OfFile;
                return Ok(false);
            }
            Err(error) => {
                self.failed = Some(error);
                return Ok(false);
            }
        };
        if self.byte_offset >= until || builder.is_full() {
            journal.take_back();
            return Ok(false);
        }
        let mut lines = entry.message.split(|byte| *byte == b'\n').peekable();
        let head = Head {
            logged_at: logged_at(entry).or(self.last_logged_at).unwrap_or(EventTime(0)),
            is_dated: logged_at(entry).is_some(),
            level: levels::of_priority(&entry.priority, &LevelWords::NONE),
            message: lines.next().unwrap_or_default(),
            written_at: &entry.realtime,
        };
        let time = builder.effective_time(&head);
        let is_stored = builder.stores(&head);
        if is_stored && !partitions.cover(time) {
            journal.take_back();
            self.end = End::NoPartition(time);
            return Ok(false);
        }
        // Of a message that was cut, the end of its last line is missing.
        let raw = |bytes, is_last: bool| RawLine {
            bytes,
            byte_offset: self.byte_offset,
            nul_bytes: 0,
            cut: entry.cut && is_last,
            joined_lines: 0,
        };
        builder.head(&raw(head.message, lines.peek().is_none()), &head, is_stored)?;
        while let Some(line) = lines.next() {
            let text = Continuing::Line(line);
            builder.continuation(&raw(line, lines.peek().is_none()), text);
        }
        self.byte_offset += entry.bytes;
        self.cursor = Some(text(&entry.cursor));
        self.last_logged_at = Some(head.logged_at);
        Ok(true)
    }
}

/// Passes over the entry that was read last, with which the journal begins; if it begins with
/// another, it does not have that entry any more.
fn lost(journal: &mut Journalctl, cursor: Option<&str>) -> Result<Option<Gap>, String> {
    let Some(cursor) = cursor else { return Ok(None) };
    match journal.next_entry()? {
        Some(entry) if entry.cursor != cursor.as_bytes() => {}
        _ => return Ok(None),
    }
    journal.take_back();
    Ok(Some(Gap {
        generation: 1,
        byte_offset: 0,
        lost_bytes: None,
        reason: "the journal no longer has the entry that was read last".to_owned(),
    }))
}

fn logged_at(entry: &JournalEntry) -> Option<EventTime> {
    str::from_utf8(&entry.realtime).ok()?.parse().ok().map(EventTime)
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}
