//! The last line of a log, where it has no end yet.
//!
//! It waits: the next run may find the rest of it. A line that stays as it is for `idle_flush`
//! is stored all the same, because some programs never end their last line. The place stays
//! before it, and when more of it comes, what was stored is taken back in the transaction that
//! stores the whole line.
//!
//! That can only be taken back as long as nothing else was stored. So the last line of a file
//! that was left for another one is stored for good: what still comes is a line of its own.

use super::reader::Piece;
use super::take::{End, Lines};
use super::target::Target;
use super::{IngestError, Stage};
use crate::model::Tick;
use crate::store::chunk::{COUNTER_NAMES, Chunk};
use crate::store::generations;
use crate::store::sources::Source;
use crate::store::tails::{self, BeforeTail, Flushed, Tail};
use crate::tail::{self as content, identity};

impl Stage<'_> {
    /// Notes the last line, or stores it if nothing was added to it for long enough.
    ///
    /// `flushed` says how it is stored already, if it is.
    pub(super) fn read_last_line(
        &mut self,
        target: &Target,
        source: &mut Source,
        lines: &mut Lines,
        flushed: Option<Flushed>,
    ) -> Result<(), IngestError> {
        let reader = &lines.reader;
        let Some(idle_flush) = target.config.idle_flush else { return Ok(()) };
        let Some(hash) = reader.last_line().map(|line| identity::hash(line.bytes)) else {
            return Ok(());
        };
        let bytes = reader.last_line_bytes();
        let tick = self.ingest.tick;
        if let Some(changed_at) = source.earlier_changed_at {
            if flushed.as_ref().is_some_and(|flushed| flushed.is(bytes, hash)) {
                // It is stored already: what may still come is another line.
                let place = reader.place_at_end();
                generations::move_to(self.connection, source, &place)?;
                source.place = Some(place);
                source.tail = None;
                return Ok(());
            }
            let may_go_on = match reader.ending() {
                Some(content::End::Whole) => false,
                Some(content::End::Early) => true,
                None => flushed.is_none() && (tick.0 - changed_at).abs() < idle_flush,
            };
            if may_go_on {
                return Ok(());
            }
            let tail = Tail { bytes, hash, first_seen_at: changed_at, flushed };
            return self.flush(target, source, lines, tail);
        }
        let known = source.last_line().filter(|known| (known.bytes, known.hash) == (bytes, hash));
        let first_seen_at = known.map_or(tick.0, |known| known.first_seen_at);
        let is_stored = flushed.as_ref().is_some_and(|flushed| flushed.is(bytes, hash));
        let is_known = known.is_some();
        let tail = Tail { bytes, hash, first_seen_at, flushed };
        if is_known && is_stored {
            return Ok(());
        }
        // In either direction: the clock may have been set back since.
        if (tick.0 - first_seen_at).abs() < idle_flush {
            if !is_known {
                let place = reader.byte_offset();
                tails::note(self.connection, source.id, source.generation, place, &tail)?;
                source.tail = Some(tail);
                source.tail_of = source.generation;
            }
            return Ok(());
        }
        self.flush(target, source, lines, tail)
    }

    /// Stores the last line as it is.
    fn flush(
        &mut self,
        target: &Target,
        source: &mut Source,
        lines: &mut Lines,
        mut tail: Tail,
    ) -> Result<(), IngestError> {
        loop {
            let piece = Piece::LastLine { flushed: tail.flushed.take(), tail: &tail };
            match self.store_chunk(target, source, lines, piece)? {
                End::NoPartition(time) => self.make_partition(time)?,
                End::OfFile | End::Full | End::Stopped | End::Broken(_) => return Ok(()),
            }
        }
    }
}

/// A last line, with how it was stored in a chunk that holds nothing else. It is not stored if
/// the chunk is empty. `tick` is the one whose time it got if its own is wrong.
pub(super) fn flushed_tail(tail: &Tail, chunk: &Chunk, before: BeforeTail, tick: Tick) -> Tail {
    let counted = chunk.counts.first().and_then(|(minute, counts)| {
        Some((*minute, COUNTER_NAMES[counts.lines.iter().position(|&lines| lines > 0)?]))
    });
    let flushed = counted.map(|(minute, counter)| Flushed {
        bytes: tail.bytes,
        hash: Some(tail.hash),
        flushed_at: tick.0,
        minute,
        lines: chunk.lines,
        counter: counter.to_owned(),
        counted_before: None,
        cut: chunk.cut_lines > 0,
        nul_bytes: chunk.nul_bytes,
        redated: chunk.redated_entries > 0,
        entry_at: chunk.dirty.as_slice().first().map(|range| range.0),
        added_chars: chunk.appended.as_ref().map_or(0, |added| added.text.chars().count()),
        before,
    });
    Tail { flushed, ..tail.clone() }
}
