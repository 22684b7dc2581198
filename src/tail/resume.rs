//! What to do with a path, decided from what was saved and what is there now.
//!
//! Pure: no file is touched here, so every row of the table can be tested.

use crate::model::{FileIdentity, Place};

/// What an open file shows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Seen {
    /// Device and inode.
    pub identity: FileIdentity,
    /// Size in bytes.
    pub size: u64,
    /// Whether head and marker of the saved place are in it.
    pub holds_place: bool,
}

/// What to do.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Plan {
    /// The path was never read: begin at the configured end of it.
    FirstSeen,
    /// Nothing was appended: nothing is written to the database.
    NothingNew,
    /// The same file, grown: go on at the offset.
    Continue,
    /// The file that was read is no longer at the path, or was truncated or rewritten: finish
    /// it wherever it is, then read what is here now from its beginning.
    Replaced,
}

/// Decides what a path is now.
///
/// A changed device number alone (a reboot, a remount) is no new file: where inode numbers
/// differ as well, or the content does, the file was replaced.
pub fn decide(saved: Option<&Place>, seen: &Seen) -> Plan {
    let Some(saved) = saved else { return Plan::FirstSeen };
    let same_file = saved.identity.inode == seen.identity.inode;
    if !same_file || !seen.holds_place {
        // A file of which nothing was read yet is any file: there is nothing to finish.
        Plan::Replaced
    } else if seen.size > saved.byte_offset {
        Plan::Continue
    } else {
        Plan::NothingNew
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tail::identity;

    const FILE: FileIdentity = FileIdentity { device: 1, inode: 7 };

    fn saved(byte_offset: u64) -> Place {
        Place { byte_offset, ..identity::beginning(FILE) }
    }

    fn seen(identity: FileIdentity, size: u64, holds_place: bool) -> Seen {
        Seen { identity, size, holds_place }
    }

    #[test]
    fn the_table_of_decisions() {
        let other_inode = FileIdentity { inode: 8, ..FILE };
        let other_device = FileIdentity { device: 2, ..FILE };
        let rows: [(&str, Option<Place>, Seen, Plan); 8] = [
            ("never seen", None, seen(FILE, 10, true), Plan::FirstSeen),
            ("grown", Some(saved(10)), seen(FILE, 20, true), Plan::Continue),
            ("as it was", Some(saved(10)), seen(FILE, 10, true), Plan::NothingNew),
            ("still empty", Some(saved(0)), seen(FILE, 0, true), Plan::NothingNew),
            ("renamed and created", Some(saved(10)), seen(other_inode, 5, false), Plan::Replaced),
            ("truncated", Some(saved(10)), seen(FILE, 0, false), Plan::Replaced),
            ("rewritten", Some(saved(10)), seen(FILE, 20, false), Plan::Replaced),
            ("remounted", Some(saved(10)), seen(other_device, 20, true), Plan::Continue),
        ];
        for (name, saved, seen, plan) in rows {
            assert_eq!(decide(saved.as_ref(), &seen), plan, "{name}");
        }
    }

    #[test]
    fn a_copy_under_the_path_is_a_new_file() {
        let copy = FileIdentity { inode: 8, ..FILE };
        assert_eq!(decide(Some(&saved(10)), &seen(copy, 20, true)), Plan::Replaced);
    }
}
