//! Telling somebody who waits how far the reading is.

use std::fmt;

/// Who is told how far the reading of all logs is.
pub trait Progress: fmt::Debug {
    /// About so many bytes are new.
    fn begin(&self, unread_bytes: u64);
    /// So many bytes and lines more are read; not all of them are committed yet.
    fn advance(&self, bytes: u64, lines: u64);
    /// The stage is over.
    fn end(&self);
}

/// After how many bytes somebody is told.
const STEP_BYTES: u64 = 1 << 20;

/// How far one chunk is, so that not every line is told.
pub(super) struct ChunkProgress<'a> {
    told: Option<&'a dyn Progress>,
    byte_offset: u64,
    lines: i64,
}

impl<'a> ChunkProgress<'a> {
    /// At the beginning of a chunk.
    pub(super) fn new(told: Option<&'a dyn Progress>, byte_offset: u64) -> Self {
        Self { told, byte_offset, lines: 0 }
    }

    /// The chunk is read up to an offset, and has so many lines so far.
    #[inline]
    pub(super) fn at(&mut self, byte_offset: u64, lines: i64) {
        if byte_offset - self.byte_offset >= STEP_BYTES {
            self.tell(byte_offset, lines);
        }
    }

    /// The chunk is stored.
    pub(super) fn end(mut self, byte_offset: u64, lines: i64) {
        self.tell(byte_offset, lines);
    }

    fn tell(&mut self, byte_offset: u64, lines: i64) {
        if let Some(told) = self.told {
            told.advance(byte_offset - self.byte_offset, (lines - self.lines).unsigned_abs());
        }
        self.byte_offset = byte_offset;
        self.lines = lines;
    }
}
