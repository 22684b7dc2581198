//! Which file is each known one now?
//!
//! A file is never taken for two known ones: their lines would be read twice.

use std::collections::{HashMap, HashSet};

use crate::model::{Generation, GenerationState};
use crate::tail::facts::{Before, FileFacts, Role, Substance};
use crate::tail::order::{self, Age};

/// The files that the known ones are now.
pub(super) struct OwnFiles {
    by_number: HashMap<i64, usize>,
    /// Files that only perhaps are what they were taken for.
    perhaps: HashSet<usize>,
}

impl OwnFiles {
    /// Finds them: the file on the inode of a known one, else a copy of it, rather a plain one.
    pub(super) fn find(before: &Before<'_>, files: &[FileFacts]) -> Self {
        let present = before.present.filter(|_| !before.is_unread);
        let known: Vec<&Generation> = present.into_iter().chain(before.others).collect();
        let offsets = known.iter().map(|known| (known.number, known.place.byte_offset)).collect();
        let (own, taken) = (HashMap::new(), HashSet::new());
        let mut finding = Finding { known: &known, files, offsets, own, taken };
        finding.itself();
        finding.copies();
        let surely = finding.taken.clone();
        finding.perhaps();
        let perhaps = finding.taken.difference(&surely).copied().collect();
        Self { by_number: finding.own, perhaps }
    }

    /// Where the file is that a known one is now.
    pub(super) fn of(&self, known: &Generation) -> Option<usize> {
        self.by_number.get(&known.number).copied()
    }

    /// Whether a file was taken for a known one that it only perhaps holds.
    pub(super) fn is_perhaps_one(&self, at: usize) -> bool {
        self.perhaps.contains(&at)
    }
}

struct Finding<'a> {
    known: &'a [&'a Generation],
    files: &'a [FileFacts],
    /// How far the known ones were read, by their numbers.
    offsets: HashMap<i64, u64>,
    own: HashMap<i64, usize>,
    taken: HashSet<usize>,
}

impl Finding<'_> {
    /// The files on the inodes that they had.
    fn itself(&mut self) {
        for known in self.known {
            let is_it = |file: &FileFacts| {
                file.identity == known.place.identity
                    && file.file_hash.is_some() == known.file_hash.is_some()
            };
            let files = self.files;
            let holding = files.iter().position(|file| is_it(file) && self.is_its(file, known));
            if let Some(at) = holding {
                self.take(known, at);
            }
        }
    }

    /// Those that hold all that was read of them.
    fn copies(&mut self) {
        for known in self.known {
            if self.own.contains_key(&known.number) {
                continue;
            }
            let holding = (0..self.files.len())
                .filter(|at| !self.taken.contains(at) && self.is_its(&self.files[*at], known));
            let best = holding.min_by_key(|at| self.files[*at].file_hash.is_some());
            if let Some(at) = best {
                self.take(known, at);
            }
        }
    }

    /// Those that perhaps hold them, for those that are not read to their end: of several files
    /// the oldest, because the younger ones begin in the same way.
    fn perhaps(&mut self) {
        for known in self.known {
            let is_unfinished = known.state == GenerationState::Unfinished;
            if !is_unfinished || self.own.contains_key(&known.number) {
                continue;
            }
            let may_be_it = |file: &FileFacts| {
                file.begins_like.contains(&known.number)
                    && matches!(file.role, Role::Unnamed | Role::Named)
                    && file.substance != Substance::Copy
                    && file.holds.iter().all(|number| self.offset(*number) == 0)
            };
            let perhaps: Vec<usize> = (0..self.files.len())
                .filter(|at| !self.taken.contains(at) && may_be_it(&self.files[*at]))
                .collect();
            let ages: Vec<&Age> = perhaps.iter().map(|at| &self.files[*at].age).collect();
            if let Some(place) = order::oldest_first(&ages).first() {
                self.take(known, perhaps[*place]);
            }
        }
    }

    /// Whether a file holds all that was read of a known one, and of no other one more: it may
    /// begin with all that was read of another one that is short.
    fn is_its(&self, file: &FileFacts, known: &Generation) -> bool {
        let most = file.holds.iter().map(|number| self.offset(*number)).max();
        file.holds.contains(&known.number) && most == Some(known.place.byte_offset)
    }

    fn offset(&self, number: i64) -> u64 {
        self.offsets.get(&number).copied().unwrap_or(0)
    }

    fn take(&mut self, known: &Generation, at: usize) {
        if self.taken.insert(at) {
            self.own.insert(known.number, at);
        }
    }
}
