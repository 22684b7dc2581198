//! What became of the file that was at the path?

use super::own::OwnFiles;
use crate::model::Place;
use crate::tail::facts::{Before, FileFacts, Present, Role, Substance};
use crate::tail::identity::PROBE_BYTES;

/// What became of the present file.
pub(super) enum Fate {
    /// The log was never seen.
    FirstSeen,
    /// Nothing was read of it, so nothing tells which file it is.
    Unread,
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
pub(super) fn fate(
    before: &Before<'_>,
    present: &Present,
    files: &[FileFacts],
    own: &OwnFiles,
) -> Fate {
    let Some(known) = before.present else { return Fate::FirstSeen };
    if before.is_unread {
        return Fate::Unread;
    }
    let is_here = present.holds.contains(&known.number);
    let is_perhaps_here = present.begins_like.contains(&known.number);
    let same_inode = present.identity.inode == known.place.identity.inode;
    if is_here && same_inode {
        return Fate::Same;
    }
    if let Some(at) = own.of(known) {
        // A new log may begin with all that was read of a small one. But if it begins with all
        // that there is of it now, that is a backup.
        let is_itself = files[at].identity == known.place.identity;
        let is_backup = files[at].substance == Substance::Copy
            && (known.place.byte_offset > PROBE_BYTES as u64 || !is_itself);
        return if is_here && is_backup {
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
        // It has no entry that is later than the last one that was read.
        let times = file.age.first_entry.zip(before.last_logged_at);
        times.is_none_or(|(first, last)| first <= last)
            && file.substance == Substance::BeginsPresent
            && matches!(file.role, Role::Unnamed | Role::Named)
    });
    let awaited = files.iter().position(is_awaited);
    match (copy, present.last_lines, awaited) {
        (Some(at), ..) if same_inode => Fate::Copied(at),
        (_, Some(place), _) => Fate::Edited(place),
        (.., Some(at)) => Fate::Awaited(at),
        _ => Fate::Gone,
    }
}

/// Whether a file is being written that may become a rotated one of the log.
pub(super) fn is_awaited(file: &FileFacts) -> bool {
    file.substance == Substance::Incomplete
        && file.age.name.as_ref().is_some_and(|name| !name.scheme().is_ambiguous())
        && matches!(file.role, Role::Unnamed | Role::Named)
}
