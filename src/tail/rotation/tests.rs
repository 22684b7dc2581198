//! Every row of the table, and the cases in which files look alike.

use std::time::{Duration, SystemTime};

use super::*;
use crate::model::{EventTime, FileIdentity};
use crate::tail::facts::Substance;
use crate::tail::order::Age;

fn identity(inode: u64) -> FileIdentity {
    FileIdentity { device: 1, inode }
}

/// A place so far in the file on an inode that it is known by its content.
fn place(inode: u64) -> Place {
    Place { byte_offset: 5000, ..identity::beginning(identity(inode)) }
}

fn generation(number: i64, inode: u64) -> Generation {
    Generation {
        number,
        path: "app.log".to_owned(),
        place: place(inode),
        size_bytes: 5000,
        file_hash: None,
        state: GenerationState::Unfinished,
    }
}

fn age(name: &str, modified: u64) -> Age {
    let modified = SystemTime::UNIX_EPOCH + Duration::from_secs(modified);
    Age { name: Rotated::read("app.log", name), modified, first_entry: None }
}

/// A file beside the log that is not known.
fn file(name: &str, inode: u64, modified: u64) -> FileFacts {
    FileFacts {
        path: name.to_owned(),
        identity: identity(inode),
        size_bytes: 9000,
        file_hash: name.contains(".gz").then_some(inode),
        age: age(name, modified),
        holds: Vec::new(),
        begins_like: Vec::new(),
        goes_on: false,
        substance: Substance::Own,
        place: place(inode),
        role: Role::Unnamed,
    }
}

/// One that holds a known file.
fn holding(name: &str, inode: u64, modified: u64, known: i64) -> FileFacts {
    FileFacts { holds: vec![known], ..file(name, inode, modified) }
}

/// A log at the path, on an inode, that holds these.
fn log(inode: u64, holds: &[i64]) -> Present {
    Present {
        identity: identity(inode),
        size_bytes: 100,
        age: age("", 1000),
        holds: holds.to_vec(),
        begins_like: Vec::new(),
        last_lines: None,
        start: identity::beginning(identity(inode)),
        read_elsewhere: None,
        from_beginning: true,
    }
}

/// Nothing is known.
fn seen() -> Before<'static> {
    Before {
        present: None,
        is_unread: false,
        others: &[],
        unread: &[],
        noted: true,
        last_logged_at: None,
    }
}

/// What is decided of a log whose first file lay on inode 1.
fn decided(others: &[Generation], now: &Present, files: &[FileFacts]) -> Rotation {
    let present = generation(1, 1);
    let before = Before { present: Some(&present), others, ..seen() };
    decide(&before, now, files, None)
}

/// Number, path and state of the files, in the order of their numbers.
fn files(rotation: &Rotation) -> Vec<(i64, &str, GenerationState)> {
    let mut files: Vec<_> =
        rotation.files.iter().map(|file| (file.number, file.path.as_str(), file.state)).collect();
    files.sort_unstable_by_key(|file| file.0);
    files
}

/// Number, inode and offset of the file at the path.
fn present(rotation: &Rotation) -> (i64, u64, u64) {
    let (number, place) = rotation.present.unwrap();
    (number, place.identity.inode, place.byte_offset)
}

use GenerationState::{Finished, Lost, Skipped, Unfinished};

#[test]
fn a_log_on_its_inode_was_not_rotated() {
    let rotation = decided(&[], &log(1, &[1]), &[]);
    assert_eq!(present(&rotation), (1, 1, 5000));
    assert_eq!(rotation.files, []);
}

#[test]
fn a_log_on_another_inode_with_all_that_was_read_goes_on() {
    let rotation = decided(&[], &log(2, &[1]), &[]);
    assert_eq!((present(&rotation), rotation.files), ((1, 2, 5000), vec![]));
    // A backup on the old inode changes nothing.
    let other = holding("app.log~", 1, 10, 1);
    let backup = FileFacts { substance: Substance::Copy, ..other.clone() };
    assert_eq!(present(&decided(&[], &log(2, &[1]), &[backup])), (1, 2, 5000));
    // What is not in the log as well is a rotated file of a log that begins alike.
    assert_eq!(present(&decided(&[], &log(2, &[1]), &[other])), (2, 2, 0));
}

#[test]
fn a_renamed_file_is_read_and_then_all_that_are_younger() {
    let found = [
        holding("app.log.3", 1, 10, 1),
        file("app.log.1", 3, 30),
        file("app.log.2.gz", 2, 20),
        file("app-error.log", 9, 30),
    ];
    let rotation = decided(&[], &log(4, &[]), &found);
    let expected = [
        (1, "app.log.3", Unfinished),
        (2, "app.log.2.gz", Unfinished),
        (3, "app.log.1", Unfinished),
    ];
    assert_eq!(files(&rotation), expected);
    assert_eq!(present(&rotation), (4, 4, 0));
    assert_eq!(rotation.gaps, []);
}

#[test]
fn a_file_that_comes_from_before_the_old_one_is_not_read() {
    // Somebody has put back an archive of last year.
    let found = [holding("app.log.1", 1, 100, 1), file("app.log.9.gz", 3, 10)];
    let rotation = decided(&[], &log(2, &[]), &found);
    assert_eq!(files(&rotation)[0], (-1, "app.log.9.gz", Skipped));
    assert_eq!(files(&rotation).len(), 2);
    // If the witnesses differ, it is read.
    let found = [holding("app.log.1", 1, 100, 1), file("app.log.9.gz", 3, 200)];
    assert_eq!(files(&decided(&[], &log(2, &[]), &found))[1], (2, "app.log.9.gz", Unfinished));
}

#[test]
fn the_inode_decides_between_a_file_and_its_copies() {
    let found = [
        holding("app.log.2.gz", 5, 10, 1),
        holding("app.log.1", 1, 10, 1),
        holding("app.log.bak", 6, 10, 1),
    ];
    let rotation = decided(&[], &log(2, &[]), &found);
    assert_eq!(files(&rotation), [(1, "app.log.1", Unfinished)]);
    // Without it, the plain copy.
    assert_eq!(files(&decided(&[], &log(2, &[]), &found[..1]))[0].1, "app.log.2.gz");
    let copies = [found[0].clone(), found[2].clone()];
    assert_eq!(files(&decided(&[], &log(2, &[]), &copies))[0].1, "app.log.bak");
}

#[test]
fn a_copy_made_before_the_last_lines_were_read_is_not_read_again() {
    let copy = FileFacts { substance: Substance::BeginsPresent, ..file("app.log.1", 2, 10) };
    let truncated = Present { size_bytes: 0, ..log(1, &[]) };
    let rotation = decided(&[], &truncated, std::slice::from_ref(&copy));
    assert_eq!(files(&rotation), [(1, "app.log.1", Finished)]);
    assert_eq!((rotation.files[0].place, rotation.gaps.as_slice()), (copy.place, &[][..]));
    // A copy has no later entry than what was read.
    let later = FileFacts {
        age: Age { first_entry: Some(EventTime(8)), ..copy.age.clone() },
        ..copy.clone()
    };
    let known = generation(1, 1);
    let before = Before { present: Some(&known), last_logged_at: Some(EventTime(7)), ..seen() };
    let rotation = decide(&before, &truncated, &[later], None);
    assert_eq!(files(&rotation), [(1, "app.log", Lost), (2, "app.log.1", Unfinished)]);
    // On another inode it was no copytruncate, and the file may begin like that only.
    let rotation = decided(&[], &log(2, &[]), &[FileFacts { identity: identity(3), ..copy }]);
    assert_eq!(files(&rotation), [(1, "app.log", Lost), (2, "app.log.1", Unfinished)]);
}

#[test]
fn an_edited_file_goes_on_after_the_lines_that_were_read_last() {
    let place = Place { byte_offset: 4000, ..place(1) };
    let rotation = decided(&[], &Present { last_lines: Some(place), ..log(1, &[]) }, &[]);
    assert_eq!(files(&rotation), [(1, "app.log", Finished)]);
    assert_eq!((present(&rotation), rotation.gaps.len()), ((2, 1, 4000), 0));
}

#[test]
fn what_is_nowhere_is_a_gap_and_all_that_is_new_is_read() {
    let found = [file("app.log.2", 2, 10), file("app.log.1", 3, 20)];
    let before = Generation { size_bytes: 5100, ..generation(1, 1) };
    let before = Before { present: Some(&before), others: &[], ..seen() };
    let rotation = decide(&before, &log(4, &[]), &found, Some("cannot read app.log.3"));
    let expected =
        [(1, "app.log", Lost), (2, "app.log.2", Unfinished), (3, "app.log.1", Unfinished)];
    assert_eq!(files(&rotation), expected);
    let gap = Gap {
        generation: 1,
        byte_offset: 5000,
        lost_bytes: Some(100),
        reason: "the file that was read is gone (cannot read app.log.3)".to_owned(),
    };
    assert_eq!(rotation.gaps, [gap]);
    for (now, reason) in [
        (Present { size_bytes: 0, ..log(1, &[]) }, "the file was truncated"),
        (Present { size_bytes: 6000, ..log(1, &[]) }, "the file was rewritten"),
    ] {
        assert_eq!(decided(&[], &now, &[]).gaps[0].reason, reason);
    }
}

/// A file of which nothing was read.
fn untouched(number: i64, inode: u64, size_bytes: u64) -> Generation {
    let place = identity::beginning(identity(inode));
    Generation { place, size_bytes, ..generation(number, inode) }
}

/// What is decided of a log of whose first file, on inode 1, nothing was read.
fn decided_unread(size_bytes: u64, now: &Present, files: &[FileFacts]) -> Rotation {
    let empty = untouched(1, 1, size_bytes);
    decide(&Before { present: Some(&empty), is_unread: true, ..seen() }, now, files, None)
}

#[test]
fn a_log_that_was_empty_may_have_been_copied_and_emptied() {
    let rotation = decided_unread(0, &log(1, &[]), &[]);
    assert_eq!((present(&rotation), rotation.files), ((1, 1, 0), vec![]));
    let found = [file("app.log.1", 3, 30), file("app.log.2.gz", 2, 20), file("other", 4, 20)];
    let rotation = decided_unread(0, &log(1, &[]), &found);
    let expected = [(1, "app.log.2.gz", Unfinished), (2, "app.log.1", Unfinished)];
    assert_eq!((files(&rotation).as_slice(), present(&rotation)), (&expected[..], (3, 1, 0)));
}

#[test]
fn a_file_on_the_inode_of_an_empty_one_is_read_in_its_turn() {
    let found = [file("app.log.1", 1, 30), file("app.log.2.gz", 2, 20)];
    let rotation = decided_unread(0, &log(4, &[]), &found);
    let expected = [(1, "app.log.2.gz", Unfinished), (2, "app.log.1", Unfinished)];
    assert_eq!(files(&rotation), expected);
    // A writer may go on in one that is empty still.
    let empty = FileFacts { substance: Substance::Empty, size_bytes: 0, ..file("app.log.1", 1, 3) };
    let rotation = decided_unread(0, &log(4, &[]), &[empty]);
    assert_eq!(files(&rotation), [(1, "app.log.1", Unfinished)]);
}

#[test]
fn a_file_that_was_not_read_and_is_gone_is_a_gap_unless_it_was_empty() {
    let lost = |size_bytes, now: &Present, files: &[FileFacts]| {
        decided_unread(size_bytes, now, files).gaps.first().map(|gap| gap.lost_bytes)
    };
    assert_eq!(lost(0, &log(2, &[]), &[]), None);
    assert_eq!(lost(10, &log(2, &[]), &[]), Some(Some(10)));
    assert_eq!(lost(10, &log(1, &[]), &[]), None);
    assert_eq!(lost(10, &Present { size_bytes: 9, ..log(1, &[]) }, &[]), Some(Some(10)));
    assert_eq!(lost(10, &log(2, &[]), &[file("app.log.1", 1, 9)]), None);
    assert_eq!(lost(10, &log(2, &[]), &[file("app.log.1.gz", 3, 9)]), None, "compressed");
}

#[test]
fn files_that_were_not_read_are_numbered_anew() {
    let present = generation(4, 1);
    let unread = [untouched(5, 5, 10), untouched(6, 6, 10), untouched(7, 7, 10)];
    let before = Before { present: Some(&present), unread: &unread, ..seen() };
    // As they were, nothing changes.
    let found: Vec<FileFacts> = [5, 6, 7]
        .map(|inode| FileFacts {
            path: "app.log".to_owned(),
            size_bytes: 10,
            ..file("app.log.1", inode, 50 + inode)
        })
        .to_vec();
    let rotation = decide(&before, &log(1, &[4]), &found, None);
    assert_eq!((rotation.files, rotation.forgotten), (vec![], vec![]));
    // The first two are one archive now, and the last is gone.
    let found = [file("app.log.1.gz", 9, 10)];
    let rotation = decide(&before, &log(1, &[4]), &found, None);
    assert_eq!(files(&rotation), [(5, "app.log.1.gz", Unfinished)]);
    assert_eq!((rotation.forgotten, rotation.gaps.len()), (vec![6, 7], 2));
    // Perhaps they only cannot be read now.
    let rotation = decide(&before, &log(1, &[4]), &found, Some("cannot read"));
    assert_eq!(files(&rotation), [(8, "app.log.1.gz", Unfinished)]);
    assert_eq!((rotation.forgotten, rotation.gaps.len()), (vec![5], 0));
}

#[test]
fn a_file_on_the_inode_of_an_empty_one_that_is_gone_is_not_read_before_older_ones() {
    // Number 3 was rotated without a line, compressed, and its inode used for a younger log.
    let present = generation(4, 1);
    let unread = [untouched(3, 3, 0)];
    let before = Before { present: Some(&present), unread: &unread, ..seen() };
    let found = [holding("app.log.2.gz", 8, 20, 4), file("app.log.1", 3, 30)];
    let rotation = decide(&before, &log(9, &[]), &found, None);
    let expected = [(4, "app.log.2.gz", Unfinished), (5, "app.log.1", Unfinished)];
    assert_eq!((files(&rotation).as_slice(), self::present(&rotation)), (&expected[..], (6, 9, 0)));
    assert_eq!(rotation.forgotten, [3]);
}

#[test]
fn at_first_sight_the_files_beside_a_log_are_noted() {
    let named = FileFacts { role: Role::Named, ..file("app.log.1", 2, 20) };
    let found = [named, file("app.log.2", 3, 10), file("app-1.log", 4, 10)];
    let before = Before { present: None, others: &[], noted: false, ..seen() };
    let rotation = decide(&before, &log(1, &[]), &found, None);
    let expected =
        [(-2, "app-1.log", Skipped), (-1, "app.log.2", Skipped), (1, "app.log.1", Unfinished)];
    assert_eq!(files(&rotation), expected, "only the one that the paths name is read");
    assert_eq!(present(&rotation), (2, 1, 0));
    // One that is written to after the log is none of its rotated files.
    let stranger = FileFacts { role: Role::Named, ..file("app-20260101.log", 2, 2000) };
    let rotation = decide(&before, &log(1, &[]), &[stranger], None);
    assert_eq!((rotation.files.len(), rotation.strangers.len()), (0, 1));
    // Nor is anything read that was there before, where reading starts at the end.
    let at_end = Present { from_beginning: false, ..log(1, &[]) };
    assert!(decide(&before, &at_end, &found, None).files.iter().all(|file| file.number < 0));
}

#[test]
fn a_number_before_the_extension_counts_where_the_old_file_has_one_too() {
    let new = file("app-1.log", 3, 20);
    let found = [holding("app.log.1", 1, 10, 1), new.clone()];
    assert_eq!(files(&decided(&[], &log(2, &[]), &found))[0], (-1, "app-1.log", Skipped));
    let found = [holding("app-2.log", 1, 10, 1), new];
    assert_eq!(files(&decided(&[], &log(2, &[]), &found))[1], (2, "app-1.log", Unfinished));
}

#[test]
fn a_finished_file_that_has_grown_is_read_on() {
    let finished = Generation { state: Finished, ..generation(0, 7) };
    let grown = FileFacts { goes_on: true, ..holding("app.log.2", 7, 10, 0) };
    let found = [holding("app.log.1", 1, 20, 1), grown.clone()];
    let rotation = decided(std::slice::from_ref(&finished), &log(2, &[]), &found);
    assert_eq!(files(&rotation)[0], (0, "app.log.2", Unfinished));
    // As it was, only its new path is noted.
    let found = [found[0].clone(), FileFacts { goes_on: false, ..grown }];
    let rotation = decided(&[finished], &log(2, &[]), &found);
    assert_eq!(files(&rotation)[0], (0, "app.log.2", Finished));
}

#[test]
fn a_file_that_was_there_before_and_is_another_log_is_not_read_on() {
    let skipped = Generation { state: Skipped, ..generation(-1, 7) };
    let grown = |name, modified| FileFacts { goes_on: true, ..holding(name, 7, modified, -1) };
    let state = |file: FileFacts| {
        let found = [holding("app.log.2", 1, 20, 1), file];
        let rotation = decided(std::slice::from_ref(&skipped), &log(2, &[]), &found);
        files(&rotation)[0].2
    };
    assert_eq!(state(grown("app.log.3", 10)), Unfinished);
    assert_eq!(state(grown("app-1.log", 10)), Skipped);
    assert_eq!(state(grown("app-20260101.log", 2000)), Skipped);
}

#[test]
fn an_unfinished_file_is_followed_until_it_is_gone() {
    let other = |size_bytes| Generation { size_bytes, ..generation(0, 7) };
    let found = [holding("app.log.2", 7, 10, 0)];
    let rotation = decided(&[other(5000)], &log(1, &[1]), &found);
    assert_eq!(files(&rotation), [(0, "app.log.2", Unfinished)]);
    let rotation = decided(&[other(5000)], &log(1, &[1]), &[]);
    assert_eq!((files(&rotation)[0].2, rotation.gaps.len()), (Finished, 0));
    let rotation = decided(&[other(5001)], &log(1, &[1]), &[]);
    assert_eq!((files(&rotation)[0].2, rotation.gaps[0].lost_bytes), (Lost, Some(1)));
    // Perhaps it is one that cannot be read just now.
    let present = generation(1, 1);
    let others = [other(5001)];
    let before = Before { present: Some(&present), others: &others, ..seen() };
    assert_eq!(decide(&before, &log(1, &[1]), &[], Some("cannot read")).files, []);
}

#[test]
fn a_file_that_comes_back_to_the_path_goes_on_where_it_was() {
    let back = Generation { state: Finished, ..generation(0, 7) };
    let rotation = decided(&[back], &log(7, &[0]), &[holding("app.log.1", 1, 10, 1)]);
    assert_eq!(present(&rotation), (2, 7, 5000));
}

#[test]
fn files_that_only_begin_alike_are_not_taken_for_each_other() {
    // So little was read of the old one that the younger ones perhaps hold it too.
    let little = Generation {
        place: Place { byte_offset: 30, ..place(1) },
        size_bytes: 30,
        ..generation(1, 1)
    };
    let before = Before { present: Some(&little), others: &[], ..seen() };
    let perhaps =
        |name, inode, modified| FileFacts { begins_like: vec![1], ..file(name, inode, modified) };
    let found = [perhaps("app.log.1.gz", 2, 20), perhaps("app.log.2.gz", 3, 10)];
    let now = Present { begins_like: vec![1], ..log(4, &[]) };
    let rotation = decide(&before, &now, &found, None);
    let expected = [(1, "app.log.2.gz", Unfinished), (2, "app.log.1.gz", Unfinished)];
    assert_eq!((files(&rotation).as_slice(), present(&rotation)), (&expected[..], (3, 4, 0)));
    // Nowhere else, it was copied to the path.
    assert_eq!(present(&decide(&before, &now, &[], None)), (1, 4, 30));
}

#[test]
fn an_archive_like_one_that_was_there_before_is_read_if_it_is_newer() {
    let skipped = Generation { state: Skipped, file_hash: Some(70), ..generation(-1, 7) };
    let alike = |name, modified| holding(name, 3, modified, -1);
    let read = |file: FileFacts| {
        let found = [holding("app.log.2", 1, 20, 1), file];
        decided(std::slice::from_ref(&skipped), &log(2, &[]), &found).present.unwrap().0 == 3
    };
    assert!(read(alike("app.log.1", 30)), "two logs begin alike");
    assert!(!read(alike("app.log.5", 10)), "somebody has unpacked it");
}

#[test]
fn logs_of_their_own_are_left_alone() {
    let other = |file| FileFacts { role: Role::OtherLog, ..file };
    let found = [other(file("app-20260101.log", 3, 20)), holding("app.log.1", 1, 10, 1)];
    let rotation = decided(&[], &log(2, &[]), &found);
    assert_eq!(files(&rotation), [(1, "app.log.1", Unfinished)]);
}
