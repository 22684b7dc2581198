//! Which files were never read and are to be?

use super::Decision;
use super::fate::Fate;
use crate::model::{Generation, GenerationState};
use crate::tail::facts::{FileFacts, Role, Substance};
use crate::tail::names::{Rotated, Scheme};
use crate::tail::order::{self, Age};

impl Decision<'_> {
    /// The files that were never read and are to be, the oldest first.
    pub(super) fn unread(&self, fate: &Fate) -> Vec<usize> {
        let proven = match fate {
            Fate::Moved(at) => self.files[*at].age.name.as_ref().map(Rotated::scheme),
            _ => None,
        };
        let unread: Vec<usize> = (0..self.files.len())
            .filter(|at| self.is_unknown(*at, fate, proven))
            .filter(|at| self.is_to_be_read(&self.files[*at], fate))
            .collect();
        let ages: Vec<&Age> = unread.iter().map(|at| &self.files[*at].age).collect();
        order::oldest_first(&ages).into_iter().map(|place| unread[place]).collect()
    }

    /// Whether a file seems to be a rotated one of this log, and none that is known.
    pub(super) fn is_unknown(&self, at: usize, fate: &Fate, proven: Option<Scheme>) -> bool {
        let file = &self.files[at];
        let is_new = match file.substance {
            // A writer may go on in an empty one.
            Substance::Own | Substance::Empty => true,
            Substance::Copy => false,
            // It may become what is awaited.
            Substance::Incomplete => {
                let is_awaited = matches!(fate, Fate::Awaited(_));
                !is_awaited && self.awaited_at(&file.path).is_none()
            }
            Substance::BeginsPresent => !matches!(fate, Fate::Copied(copy) if *copy == at),
        };
        let is_rotated = file.age.name.as_ref().is_some_and(|name| {
            let scheme = name.scheme();
            !scheme.is_ambiguous() || proven == Some(scheme) || self.is_pending(file)
        });
        is_rotated
            && is_new
            && matches!(file.role, Role::Unnamed | Role::Named)
            && !self.own.is_perhaps_one(at)
            && file.holds.iter().all(|number| self.only_begins_like(*number, file, fate))
    }

    /// Whether a file has no more in common with a known one than its beginning: all that is
    /// known of an archive that was not read. Unpacked, it would be as old as it was.
    fn only_begins_like(&self, number: i64, file: &FileFacts, fate: &Fate) -> bool {
        let known = self.before.others.iter().find(|other| other.number == number);
        known.is_some_and(|known| {
            known.state == GenerationState::Skipped
                && known.file_hash.is_some()
                && known.file_hash != file.file_hash
                && !self.is_before(file, fate)
        })
    }

    fn is_to_be_read(&self, file: &FileFacts, fate: &Fate) -> bool {
        match fate {
            // A file that was written to after the log is none that it was rotated to.
            Fate::FirstSeen => {
                let is_younger =
                    self.present.size_bytes > 0 && file.age.modified > self.present.age.modified;
                file.role == Role::Named && self.present.from_beginning && !is_younger
            }
            // The log was not rotated, so this is none of its younger files; unless it was still
            // being written when it was, or is one that waits to be read.
            Fate::Same => {
                self.awaited_at(&file.path).is_some()
                    || self.before.noted && self.may_be_pending(file)
            }
            Fate::Unread => self.before.noted || self.is_pending(file),
            // It may be one of those that were not read, and were compressed meanwhile.
            _ => self.before.noted && (self.may_be_pending(file) || !self.is_before(file, fate)),
        }
    }

    /// Whether a file is surely older than the one that was at the path.
    fn is_before(&self, file: &FileFacts, fate: &Fate) -> bool {
        match fate {
            Fate::Moved(at) => file.age.is_surely_before(&self.files[*at].age),
            Fate::Same => file.age.modified < self.present.age.modified,
            _ => false,
        }
    }

    /// What was known of files of which nothing was read.
    fn pending(&self) -> impl Iterator<Item = &Generation> {
        let present = self.before.present.filter(|_| self.before.is_unread);
        self.before.unread.iter().chain(present)
    }

    /// Whether a file seems to be one of those: all that tells is its inode.
    fn is_pending(&self, file: &FileFacts) -> bool {
        file.file_hash.is_none()
            && self.pending().any(|known| known.place.identity.inode == file.identity.inode)
    }

    /// Whether a file may be one of those: it is, or one of them is on its inode no more.
    fn may_be_pending(&self, file: &FileFacts) -> bool {
        self.is_pending(file) || self.pending().any(|known| !self.is_seen(known))
    }

    /// Whether there is still a file on the inode of one of them that may be it.
    fn is_seen(&self, known: &Generation) -> bool {
        may_be(known, self.present.identity.inode, self.present.size_bytes)
            || self.files.iter().any(|file| may_be(known, file.identity.inode, file.size_bytes))
    }

    /// Those of them that are nowhere. One that is on its inode no more may be any of the files
    /// that are new: it was compressed, or copied and emptied.
    fn missing(&self, unread: &[usize]) -> Vec<Generation> {
        let mut new = unread.iter().filter(|at| {
            let file = &self.files[**at];
            !self.pending().any(|known| may_be(known, file.identity.inode, file.size_bytes))
        });
        self.pending()
            .filter(|known| !self.is_seen(known) && new.next().is_none())
            .cloned()
            .collect()
    }

    /// Numbers the files that are to be read after all of which something was, and returns the
    /// number before that of the file at the path, if that is a new one.
    pub(super) fn number_new(&mut self, unread: &[usize], some_are_unread: bool) -> i64 {
        let missing = self.missing(unread);
        let before = self.before;
        // Perhaps it is one of those that cannot be read just now.
        let is_kept = |known: &Generation| some_are_unread && missing.contains(known);
        let kept = before.unread.iter().filter(|known| is_kept(known));
        let read = before.present.filter(|_| !before.is_unread).into_iter().chain(before.others);
        let last = read.chain(kept).map(|known| known.number).max().unwrap_or(0).max(0);
        let (numbers, last) = self.numbers_before(unread).unwrap_or_else(|| {
            let first_pending = self.pending().map(|known| known.number - 1).min();
            let last = last.max(first_pending.unwrap_or(0));
            let numbers: Vec<i64> = (last + 1..).take(unread.len()).collect();
            let last = numbers.last().copied().unwrap_or(last);
            (numbers, last)
        });
        let forgotten = before.unread.iter().filter(|known| !is_kept(known));
        let forgotten = forgotten.map(|known| known.number);
        self.rotation.forgotten = forgotten.filter(|number| !numbers.contains(number)).collect();
        let files = unread.iter().zip(numbers);
        let files = files.map(|(at, number)| self.files[*at].generation(number));
        let new: Vec<Generation> = files.filter(|file| !before.unread.contains(file)).collect();
        self.rotation.files.extend(new);
        // Of a file that was empty when it was last seen, nothing is known to be lost.
        for known in missing.iter().filter(|known| known.size_bytes > 0 && !is_kept(known)) {
            self.lost(known, Some(known.size_bytes), "a file that was not read is gone".to_owned());
        }
        last
    }

    /// The numbers that the files to be read have already, if all of them have one and they are
    /// in order, and the number before that of the file at the path.
    fn numbers_before(&self, unread: &[usize]) -> Option<(Vec<i64>, i64)> {
        let number = |at: &usize| {
            let inode = self.files[*at].identity.inode;
            let known = self.before.unread.iter().find(|it| it.place.identity.inode == inode)?;
            (!self.is_too_young_for(known.number, &self.files[*at].age)).then_some(known.number)
        };
        let numbers: Vec<i64> = unread.iter().map(number).collect::<Option<_>>()?;
        let others = self.before.others.iter().chain(self.before.unread);
        let last = others.map(|known| known.number).max().unwrap_or(0).max(0);
        let last = last.max(self.before.present.map_or(0, |present| {
            if self.before.is_unread { present.number - 1 } else { present.number }
        }));
        numbers.is_sorted_by(|one, next| one < next).then_some((numbers, last))
    }

    /// Whether a file of this age is younger than one of which something was read and whose
    /// number is higher. Then that number was of a file without a line, whose inode it has now.
    fn is_too_young_for(&self, number: i64, age: &Age) -> bool {
        let begun = self.before.present.filter(|_| !self.before.is_unread);
        let later = begun.into_iter().chain(self.before.others).filter(|it| it.number > number);
        let mut ages = later.filter_map(|known| match self.own.of(known) {
            Some(at) => Some(&self.files[at].age),
            None => self.present.holds.contains(&known.number).then_some(&self.present.age),
        });
        ages.any(|other| other.compare(age).is_lt())
    }
}

/// Whether a file that only grows may be a known one of which nothing was read.
fn may_be(known: &Generation, inode: u64, size_bytes: u64) -> bool {
    known.place.identity.inode == inode && size_bytes >= known.size_bytes
}
