//! How much one run reads, and in what order, so that a backlog does not hold up the rest.

use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use super::{CHUNK_BYTES, CHUNK_ENTRY_BYTES, CHUNK_TIME, Target};
use crate::store::sources::Source;

/// After so many bytes the clock is looked at.
const STEP_BYTES: u64 = 1 << 20;

/// How much one run reads. The rest waits for the next run.
#[derive(Clone, Copy, Debug)]
pub struct ReadLimits {
    /// Bytes of log in one transaction: [`CHUNK_BYTES`], or few in tests. A chunk ends with
    /// the line that begins below this number.
    pub chunk_bytes: u64,
    /// Bytes of entries in one transaction: [`CHUNK_ENTRY_BYTES`], or few in tests. A chunk
    /// takes no further line once more than that is written.
    pub chunk_entry_bytes: u64,
    /// How long one transaction reads: [`CHUNK_TIME`]. It is looked at after each MiB.
    pub chunk_time: Duration,
    /// Bytes of log in one run; it ends with the line that begins below this number.
    pub max_bytes: Option<u64>,
    /// After this moment no chunk is begun, but for the first one, and the one that is being
    /// read ends.
    pub deadline: Option<Instant>,
}

impl Default for ReadLimits {
    fn default() -> Self {
        Self {
            chunk_bytes: CHUNK_BYTES,
            chunk_entry_bytes: CHUNK_ENTRY_BYTES,
            chunk_time: CHUNK_TIME,
            max_bytes: None,
            deadline: None,
        }
    }
}

impl ReadLimits {
    /// Whether a run that has read so many bytes must leave the rest.
    ///
    /// A run that reads nothing at all would get nowhere, however often it is repeated.
    pub(super) fn are_reached(&self, read_bytes: u64) -> bool {
        read_bytes > 0
            && (self.max_bytes.is_some_and(|max| read_bytes >= max)
                || self.deadline.is_some_and(|deadline| Instant::now() >= deadline))
    }

    /// Bytes of the next chunk of a run that has read so many bytes.
    pub(super) fn next_chunk(&self, read_bytes: u64) -> u64 {
        let left = self.max_bytes.map_or(u64::MAX, |max| max.saturating_sub(read_bytes));
        self.chunk_bytes.min(left)
    }

    /// The time of a chunk that begins now, at an offset.
    pub(super) fn chunk_clock(&self, byte_offset: u64) -> ChunkClock {
        let ends_at = Instant::now() + self.chunk_time;
        let ends_at = self.deadline.map_or(ends_at, |deadline| deadline.min(ends_at));
        ChunkClock { ends_at, look_at: byte_offset + STEP_BYTES }
    }

    /// About how many bytes a run will read.
    pub(super) fn unread_bytes(&self, targets: &[Target], known: &HashMap<PathBuf, Source>) -> u64 {
        let unread = targets.iter().map(|target| unread_bytes(&target.path, known)).sum();
        self.max_bytes.map_or(unread, |max| max.min(unread))
    }

    /// The logs in the order in which they are read: that of the config, but with a limit those
    /// with the least new bytes first. Otherwise a log that is always behind, or that grows by
    /// more than the limit from run to run, would keep all others from being read.
    pub(super) fn in_order<'t>(
        &self,
        targets: &'t [Target],
        known: &HashMap<PathBuf, Source>,
    ) -> Vec<&'t Target> {
        let mut ordered: Vec<_> = targets.iter().collect();
        if self.max_bytes.is_some() || self.deadline.is_some() {
            ordered.sort_by_cached_key(|target| unread_bytes(&target.path, known));
        }
        ordered
    }
}

/// Tells when a chunk has had its time. It gets so far in any case, or a run that begins late
/// would get nowhere.
#[derive(Debug)]
pub(super) struct ChunkClock {
    ends_at: Instant,
    /// The offset after which the clock is looked at next.
    look_at: u64,
}

impl ChunkClock {
    /// Whether the time is over for a chunk that is read up to an offset.
    #[inline]
    pub(super) fn is_over(&mut self, byte_offset: u64) -> bool {
        if byte_offset < self.look_at {
            return false;
        }
        self.look_at = byte_offset + STEP_BYTES;
        Instant::now() >= self.ends_at
    }
}

/// About how many bytes of a log are new: its size is taken from its path alone.
fn unread_bytes(path: &Path, known: &HashMap<PathBuf, Source>) -> u64 {
    let size = path.metadata().map_or(0, |metadata| metadata.len());
    let read = known.get(path).and_then(|source| source.place).map_or(0, |place| place.byte_offset);
    // What is shorter than what was read of it is another file.
    size.checked_sub(read).unwrap_or(size)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_reads_at_least_one_chunk() {
        let limits = ReadLimits {
            max_bytes: Some(10),
            deadline: Some(Instant::now()),
            ..ReadLimits::default()
        };
        assert!(!limits.are_reached(0));
        assert!(limits.are_reached(1), "the time is over");
        let limits = ReadLimits { deadline: None, ..limits };
        assert!(!limits.are_reached(9));
        assert!(limits.are_reached(10));
        assert!(!ReadLimits::default().are_reached(u64::MAX));
    }

    #[test]
    fn the_last_chunk_is_as_small_as_what_is_left() {
        let limits = ReadLimits { chunk_bytes: 4, max_bytes: Some(10), ..ReadLimits::default() };
        assert_eq!([0, 4, 8, 10, 11].map(|read| limits.next_chunk(read)), [4, 4, 2, 0, 0]);
        assert_eq!(ReadLimits::default().next_chunk(u64::MAX), CHUNK_BYTES);
    }
}
