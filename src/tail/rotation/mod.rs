//! What became of the files of a log, and which are to be read in which order?
//!
//! Pure: in goes what is known and what the files show, out comes what is to be known from now
//! on. It is stored as a whole before anything is read, so that a run that is killed is
//! continued by the next.
//!
//! | the log's present file was found | then |
//! | --- | --- |
//! | at the path, on its inode | nothing was rotated |
//! | at the path on another inode | it was copied there (rsync): it goes on |
//! | elsewhere | its rest is read, then every younger file, then the one at the path |
//! | elsewhere as a copy of its beginning, and the path is emptied | copied before its last lines were read: it is done |
//! | nowhere, but its last lines stand in the file at the path | edited, or its beginning cut off: it goes on after them |
//! | at the path of another log | that one reads on in it |
//! | nowhere, but an archive is just being written | it is waited for |
//! | nowhere | a gap; every new file, then the one at the path |
//! | never read at all, not one line | every new file, then the one at the path |
//!
//! A file that is not known is younger if it is new, that is, was not there when the log was
//! seen last, and has the name of a rotated one. Of a file of which nothing was read nothing is
//! known: it is new again, until something is.

mod fate;
mod own;
mod unread;

use self::fate::{Fate, fate, is_awaited};
use self::own::OwnFiles;
use crate::model::{Gap, Generation, GenerationState, Place};
use crate::tail::facts::{Before, FileFacts, Present, Role, Rotation, Substance};
use crate::tail::identity::{self, PROBE_BYTES};
use crate::tail::names::Rotated;

/// Decides; `why_unread` says why files beside the log could not be read, if there are any.
pub fn decide(
    before: &Before<'_>,
    present: &Present,
    files: &[FileFacts],
    why_unread: Option<&str>,
) -> Rotation {
    let own = OwnFiles::find(before, files);
    let fate = fate(before, present, files, &own);
    let mut decision = Decision { before, present, files, own, rotation: Rotation::default() };
    let unread = decision.unread(&fate);
    decision.close_present(&fate, why_unread);
    decision.follow_others(&fate, why_unread.is_some());
    decision.note(&fate, &unread);
    let number = decision.number_new(&unread, why_unread.is_some());
    decision.rotation.present = Some(match fate {
        Fate::FirstSeen => (number + 1, present.read_elsewhere.unwrap_or(present.start)),
        Fate::Same => {
            let place = before.present.map_or(present.start, |generation| generation.place);
            let number = before.present.map_or(number, |generation| generation.number);
            (number, Place { identity: present.identity, ..place })
        }
        Fate::Edited(place) => (number + 1, place),
        Fate::Unread
        | Fate::Moved(_)
        | Fate::HandedOver(_)
        | Fate::Awaited(_)
        | Fate::Copied(_)
        | Fate::Gone => (number + 1, decision.begin()),
    });
    decision.rotation
}

impl FileFacts {
    /// A file that is to be read from its beginning.
    fn generation(&self, number: i64) -> Generation {
        Generation {
            number,
            path: self.path.clone(),
            place: identity::beginning(self.identity),
            size_bytes: self.size_bytes,
            file_hash: self.file_hash,
            state: GenerationState::Unfinished,
        }
    }

    /// A known file, where it lies now.
    fn at(&self, known: &Generation, state: GenerationState) -> Generation {
        Generation {
            number: known.number,
            path: self.path.clone(),
            place: Place { identity: self.identity, ..known.place },
            size_bytes: self.size_bytes,
            file_hash: self.file_hash,
            state,
        }
    }
}

/// The decision in the making.
struct Decision<'a> {
    before: &'a Before<'a>,
    present: &'a Present,
    files: &'a [FileFacts],
    own: OwnFiles,
    rotation: Rotation,
}

impl Decision<'_> {
    /// What becomes of the file that was at the path.
    fn close_present(&mut self, fate: &Fate, why_unread: Option<&str>) {
        let Some(known) = self.before.present else { return };
        let state =
            |state, path: &str| Generation { state, path: path.to_owned(), ..known.clone() };
        match fate {
            Fate::FirstSeen | Fate::Same | Fate::Unread => {}
            Fate::Moved(at) => {
                self.rotation.files.push(self.files[*at].at(known, GenerationState::Unfinished));
            }
            Fate::Awaited(at) => {
                let path = &self.files[*at].path;
                self.rotation.files.push(state(GenerationState::Unfinished, path));
            }
            // It is known by what is in it from now on: the copy has less than what was read.
            Fate::Copied(at) => {
                let copy = self.files[*at].generation(known.number);
                self.rotation.files.push(Generation {
                    place: self.files[*at].place,
                    state: GenerationState::Finished,
                    ..copy
                });
            }
            Fate::HandedOver(at) => {
                let path = &self.files[*at].path;
                self.rotation.files.push(state(GenerationState::Finished, path));
            }
            Fate::Edited(_) => {
                self.rotation.files.push(state(GenerationState::Finished, &known.path));
            }
            Fate::Gone => {
                self.rotation.files.push(state(GenerationState::Lost, &known.path));
                let mut reason = self.why_gone(known).to_owned();
                if let Some(why) = why_unread {
                    reason = format!("{reason} ({why})");
                }
                self.lost(known, known.size_bytes.checked_sub(known.place.byte_offset), reason);
            }
        }
    }

    fn why_gone(&self, known: &Generation) -> &'static str {
        if self.present.identity != known.place.identity {
            "the file that was read is gone"
        } else if self.present.size_bytes < known.place.byte_offset {
            "the file was truncated"
        } else {
            "the file was rewritten"
        }
    }

    fn lost(&mut self, known: &Generation, lost_bytes: Option<u64>, reason: String) {
        let (generation, byte_offset) = (known.number, known.place.byte_offset);
        let lost_bytes = Some(lost_bytes.unwrap_or(0));
        self.rotation.gaps.push(Gap { generation, byte_offset, lost_bytes, reason });
    }

    /// What became of the other files: where they lie now, whether they have grown, whether
    /// those that were not read to their end are gone.
    ///
    /// One that is not seen is not gone as long as some files cannot be read.
    fn follow_others(&mut self, fate: &Fate, some_are_unread: bool) {
        for known in self.before.others {
            let is_unfinished = known.state == GenerationState::Unfinished;
            match self.own.of(known) {
                Some(at) if is_unfinished && self.files[at].role == Role::OtherLog => {
                    let now = self.files[at].at(known, GenerationState::Finished);
                    self.rotation.files.push(now);
                }
                // All of it was read of the file that it is a copy of.
                Some(at) if matches!(fate, Fate::Copied(copy) if *copy == at) => {}
                Some(at) => self.follow(known, &self.files[at]),
                // Back at the path, or there again under another number.
                None if self.present.holds.contains(&known.number) && is_unfinished => {
                    let state = GenerationState::Finished;
                    self.rotation.files.push(Generation { state, ..known.clone() });
                }
                None if is_unfinished && self.is_awaited_at(known) => {}
                None if is_unfinished && !some_are_unread => {
                    self.unfinished_is_gone(known);
                }
                None => {}
            }
        }
    }

    fn follow(&mut self, known: &Generation, file: &FileFacts) {
        let grown = file.goes_on
            && (known.state != GenerationState::Skipped || self.is_still_part(known, file));
        let state = if grown { GenerationState::Unfinished } else { known.state };
        let now = file.at(known, state);
        if now != *known {
            self.rotation.files.push(now);
        }
    }

    /// Whether a file that was there before the log, and has grown since, is part of it: a
    /// writer may go on in the file that was rotated last. A log of another name does so too.
    fn is_still_part(&self, known: &Generation, file: &FileFacts) -> bool {
        let is_clear = file.age.name.as_ref().is_some_and(|name| !name.scheme().is_ambiguous());
        // Of an archive that was not read, it is not known where it ends.
        is_clear
            && known.file_hash.is_none()
            && matches!(file.role, Role::Unnamed | Role::Named)
            && file.age.modified <= self.present.age.modified
    }

    /// The unfinished file that was expected to appear at a path.
    fn awaited_at(&self, path: &str) -> Option<&Generation> {
        self.before
            .others
            .iter()
            .find(|known| known.state == GenerationState::Unfinished && known.path == path)
    }

    /// Whether a file where a known one is awaited is still being written.
    fn is_awaited_at(&self, known: &Generation) -> bool {
        self.files.iter().any(|file| file.path == known.path && is_awaited(file))
    }

    fn unfinished_is_gone(&mut self, known: &Generation) {
        let read = known.place.byte_offset;
        let (state, lost) = if known.file_hash.is_some() {
            (GenerationState::Lost, Some(None))
        } else if known.size_bytes > read {
            (GenerationState::Lost, Some(Some(known.size_bytes - read)))
        } else {
            (GenerationState::Finished, None)
        };
        self.rotation.files.push(Generation { state, ..known.clone() });
        if let Some(lost_bytes) = lost {
            self.lost(known, lost_bytes, "a rotated file is gone".to_owned());
        }
    }

    /// Remembers the other files, so that they are known when the log is rotated.
    fn note(&mut self, fate: &Fate, unread: &[usize]) {
        let lowest = self.before.others.iter().map(|other| other.number).min();
        let mut number = lowest.unwrap_or(0).min(0);
        for (at, file) in self.files.iter().enumerate() {
            // One that is wanted is a log of its own, unless it becomes part of this one.
            let is_own = file.role == Role::Named
                && (self.before.noted
                    || matches!(fate, Fate::FirstSeen) && self.present.from_beginning);
            // One that may change yet is looked at anew.
            let changes = match file.substance {
                Substance::BeginsPresent => true,
                // An archive of nothing stays one.
                Substance::Empty => file.file_hash.is_none(),
                Substance::Incomplete => !matches!(fate, Fate::FirstSeen),
                Substance::Own | Substance::Copy => false,
            };
            let scheme = file.age.name.as_ref().map(Rotated::scheme);
            if changes || unread.contains(&at) || !self.is_unknown(at, fate, scheme) {
                continue;
            }
            if is_own {
                self.rotation.strangers.push(file.path.clone());
            } else {
                number -= 1;
                self.rotation.files.push(Generation {
                    place: file.place,
                    state: GenerationState::Skipped,
                    ..file.generation(number)
                });
            }
        }
    }

    /// Where to begin in a file that has come to the path: one of the known files may have
    /// come back.
    fn begin(&self) -> Place {
        let back = self.before.others.iter().filter(|known| {
            self.present.holds.contains(&known.number)
                && known.file_hash.is_none()
                && (known.place.byte_offset > PROBE_BYTES as u64
                    || known.place.identity.inode == self.present.identity.inode)
                && self
                    .own
                    .of(known)
                    .is_none_or(|at| self.files[at].identity != known.place.identity)
        });
        let back = back.map(|known| known.place).chain(self.present.read_elsewhere);
        match back.max_by_key(|place| place.byte_offset) {
            Some(place) => Place { identity: self.present.identity, ..place },
            None => identity::beginning(self.present.identity),
        }
    }
}

#[cfg(test)]
mod tests;
