//! What became of the file that was at the path?

use crate::model::{Generation, GenerationState, Place};
use crate::tail::facts::{Before, FileFacts, Present, Role, Substance};
use crate::tail::identity::PROBE_BYTES;
use crate::tail::order::{self, Age};

/// What became of the present file.
pub(super) enum Fate {
    /// The log was never seen.
    FirstSeen,
    /// It is at the path.
    Same,
    /// It lies elsewhere.
    Moved(usize),
    /// It is another log now, which reads on in it.
    HandedOver(usize),
    /// It is nowhere, but a file beside the log is only being written: it may become a copy.
    Awaited(usize),
    /// A copy of its beginning is left.
    Copied(usize),
    /// Its last lines stand in the file at the path.
    Edited(Place),
    /// It is nowhere.
    Gone,
}

/// Where the present file is now.
pub(super) fn fate(before: &Before<'_>, present: &Present, files: &[FileFacts]) -> Fate {
    let Some(known) = before.present else { return Fate::FirstSeen };
    let is_here = present.holds.contains(&known.number);
    let is_perhaps_here = present.begins_like.contains(&known.number);
    let same_inode = present.identity.inode == known.place.identity.inode;
    let elsewhere = own_file(known, files);
    if is_here && same_inode {
        return Fate::Same;
    }
    if let Some(at) = elsewhere {
        // Two files may begin alike; with more than that in common they are one log, of
        // which somebody keeps a backup.
        let is_backup = is_here && known.place.byte_offset > PROBE_BYTES as u64;
        let is_itself = files[at].identity == known.place.identity;
        return if is_backup || (is_here && !is_itself) {
            Fate::Same
        } else if files[at].role == Role::OtherLog {
            Fate::HandedOver(at)
        } else {
            Fate::Moved(at)
        };
    }
    if is_here || is_perhaps_here {
        return Fate::Same;
    }
    let copy = files.iter().position(|file| {
        file.substance == Substance::BeginsPresent
            && matches!(file.role, Role::Unnamed | Role::Named)
    });
    let awaited = files.iter().position(is_awaited);
    match (copy, present.last_lines, awaited) {
        (Some(at), ..) if same_inode => Fate::Copied(at),
        (_, Some(place), _) => Fate::Edited(place),
        (.., Some(at)) if known.place.byte_offset > 0 => Fate::Awaited(at),
        _ => Fate::Gone,
    }
}

/// Whether a file is being written that may become a rotated one of the log.
pub(super) fn is_awaited(file: &FileFacts) -> bool {
    file.substance == Substance::Incomplete
        && file.age.name.as_ref().is_some_and(|name| !name.scheme().is_ambiguous())
        && matches!(file.role, Role::Unnamed | Role::Named)
}

/// The file that a known one is now: the one on its inode, else a copy, rather a plain one.
///
/// A file that perhaps holds it is taken only for one that is not read to its end, and of
/// several the oldest: the younger ones begin in the same way.
pub(super) fn own_file(known: &Generation, files: &[FileFacts]) -> Option<usize> {
    let holds = |file: &&FileFacts| file.holds.contains(&known.number);
    let rank = |file: &FileFacts| {
        let is_itself = file.identity == known.place.identity
            && file.file_hash.is_some() == known.file_hash.is_some();
        (is_itself, file.file_hash.is_none())
    };
    if let Some(best) = files.iter().filter(holds).map(rank).max() {
        return files.iter().position(|file| holds(&file) && rank(file) == best);
    }
    if known.state != GenerationState::Unfinished {
        return None;
    }
    let perhaps: Vec<usize> = (0..files.len())
        .filter(|at| files[*at].begins_like.contains(&known.number))
        .filter(|at| {
            let file = &files[*at];
            matches!(file.role, Role::Unnamed | Role::Named) && file.substance != Substance::Copy
        })
        .collect();
    let ages: Vec<&Age> = perhaps.iter().map(|at| &files[*at].age).collect();
    order::oldest_first(&ages).first().map(|place| perhaps[*place])
}
