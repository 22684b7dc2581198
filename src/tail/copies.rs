//! Which of the files beside a log are copies, and which only begin alike?
//!
//! Hashes of a few bytes recognise a known file. Where two files could be it, all bytes of both
//! are compared; that is rare.

use std::collections::HashMap;

use super::facts::Substance;
use super::identity::{self, PROBE_BYTES};
use super::names;
use super::sight::{Beside, Known, is_on_inode_of};
use super::{Content, LogFile};

/// How much is compared at once.
const COMPARE_BYTES: usize = 64 * 1024;

/// Of files that hold a known one and differ beyond that, only the one on its inode is it: the
/// others begin in the same way, by more than what is hashed. If it is none of them, each may
/// be it.
pub(super) fn tell_apart(files: &mut [Beside], known: &Known<'_>, present: &mut LogFile) {
    let mut held: HashMap<i64, Vec<usize>> = HashMap::new();
    for (at, file) in files.iter().enumerate() {
        for number in &file.facts.holds {
            held.entry(*number).or_default().push(at);
        }
    }
    for generation in known.generations {
        let Some(holding) = held.get(&generation.number) else { continue };
        let itself = holding.iter().find(|at| is_on_inode_of(generation, &files[**at].log));
        let others: Vec<usize> = holding.iter().copied().filter(|at| Some(at) != itself).collect();
        if others.is_empty() {
            continue;
        }
        let is_in_present = generation.place.byte_offset > 0
            && identity::holds(&mut present.content, &generation.place).unwrap_or(false);
        let is_present = is_in_present && is_on_inode_of(generation, present);
        let compared: &[usize] = match itself {
            _ if is_present => &[],
            Some(itself) => &[*itself],
            None => holding,
        };
        let mut differs = |at: usize| {
            is_in_present && itself.is_none() && files[at].differs_from(present)
                || compared.iter().any(|other| {
                    let pair = pair(files, at, *other);
                    pair.is_some_and(|(file, other)| file.differs_from(&mut other.log))
                })
        };
        let different: Vec<usize> = others.into_iter().filter(|at| differs(*at)).collect();
        for at in different {
            let facts = &mut files[at].facts;
            facts.holds.retain(|number| *number != generation.number);
            if !is_present && itself.is_none() {
                facts.begins_like.push(generation.number);
            }
        }
    }
}

/// Marks the files of which all stands in the log as well, where the log itself seems to lie
/// elsewhere: an editor leaves the old file as a backup and gives the path to a new one.
pub(super) fn mark_backups(files: &mut [Beside], known: &Known<'_>, present: &mut LogFile) {
    let Some(read) = known.present else { return };
    if read.place.identity.inode == present.identity.inode {
        return;
    }
    let head = present.content.bytes_at(0, PROBE_BYTES).unwrap_or_default();
    for file in files {
        let holds = |numbers: &[i64]| numbers.contains(&read.number);
        if (holds(&file.facts.holds) || holds(&file.facts.begins_like))
            && file.is_beginning_of(&head, &mut present.content)
        {
            file.facts.substance = Substance::Copy;
        }
    }
}

/// Marks the unknown files that are copies of others, or of their beginnings: an archive that
/// is being made of a file that is still there, or what somebody has put aside.
pub(super) fn mark_copies(files: &mut [Beside], present: &mut LogFile) {
    let head_of_present = present.content.bytes_at(0, PROBE_BYTES).unwrap_or_default();
    for at in 0..files.len() {
        let file = &mut files[at];
        if !file.facts.holds.is_empty()
            || matches!(file.facts.substance, Substance::Empty | Substance::Copy)
        {
            continue;
        }
        // What nothing can be unpacked of yet is made of the file with that name.
        let is_begun =
            file.facts.substance == Substance::Incomplete && !file.log.content.is_packed();
        if file.head.is_empty() || is_begun {
            let path = file.facts.path.clone();
            let plain = names::without_compression(&path);
            if plain != path && files.iter().any(|other| other.facts.path == plain) {
                files[at].facts.substance = Substance::Copy;
            }
            continue;
        }
        let is_copy = file.is_beginning_of(&head_of_present, &mut present.content)
            || (0..files.len()).any(|other| {
                // Of two equal ones the first stays, and rather the plain one.
                other != at
                    && files[other].facts.substance != Substance::Copy
                    && pair(files, at, other).is_some_and(|(file, other)| {
                        let stays = file.preferred_to(other)
                            && other.is_beginning_of(&file.head, &mut file.log.content);
                        !stays && file.is_beginning_of(&other.head, &mut other.log.content)
                    })
            });
        if is_copy {
            files[at].facts.substance = Substance::Copy;
        }
    }
}

/// Two different elements of a list.
fn pair(files: &mut [Beside], one: usize, other: usize) -> Option<(&mut Beside, &mut Beside)> {
    match files.get_disjoint_mut([one, other]) {
        Ok([one, other]) => Some((one, other)),
        Err(_) => None,
    }
}

impl Beside {
    /// Whether this one is read rather than an equal one.
    fn preferred_to(&self, other: &Self) -> bool {
        let rank = |file: &Self| (!file.facts.holds.is_empty(), !file.log.content.is_packed());
        rank(self).cmp(&rank(other)).then_with(|| other.path.cmp(&self.path)).is_gt()
    }

    /// Whether neither of two files begins with all that is in the other one.
    fn differs_from(&mut self, other: &mut LogFile) -> bool {
        !begins_with(&mut other.content, &mut self.log.content)
            && !begins_with(&mut self.log.content, &mut other.content)
    }

    /// Whether all that is in this file stands at the beginning of another one.
    fn is_beginning_of(&mut self, head: &[u8], other: &mut Content) -> bool {
        head.starts_with(&self.head)
            && (self.head.len() < PROBE_BYTES || begins_with(other, &mut self.log.content))
    }
}

/// Whether `long` begins with all of `short`. What cannot be read is not equal.
fn begins_with(long: &mut Content, short: &mut Content) -> bool {
    let mut offset = 0;
    loop {
        let Ok(bytes) = short.bytes_at(offset, COMPARE_BYTES) else { return false };
        if bytes.is_empty() {
            return true;
        }
        match long.bytes_at(offset, bytes.len()) {
            Ok(other) if other == bytes => offset += bytes.len() as u64,
            _ => return false,
        }
    }
}
