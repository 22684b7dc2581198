//! Sequences that were found to fail once, as short as they can be.

use crate::archive::Kind::{Bz2, Gz, Zst};
use crate::operation::InPlace::No;
use crate::operation::Length::{Long, Short};
use crate::operation::Operation::{self, *};
use crate::sequence::Bench;
use crate::world::Settings;

#[track_caller]
fn check(settings: &Settings, operations: &[Operation]) {
    if let Err(error) = Bench::new().check(settings, operations) {
        panic!("{error}");
    }
}

/// Files of which no two begin alike, and no inode comes again.
const PLAIN: Settings = Settings { header: 0, first_lines: 1, inodes_come_again: false };

/// A log that is empty when it is read for the first time.
const EMPTY: Settings = Settings { first_lines: 0, ..PLAIN };

/// Files that begin with the same line: a short one, one that is more than what tells that two
/// files begin alike, and one that is more than what is hashed of a file.
const ALIKE: Settings = Settings { header: 8, ..PLAIN };
const ALIKE_FOR_LONG: Settings = Settings { header: 90, ..PLAIN };
const ALIKE_FOR_LONGER: Settings = Settings { header: 1500, ..PLAIN };

#[test]
fn an_empty_log_is_filled_and_copied_and_emptied() {
    check(&EMPTY, &[Append(1, Short), CopyTruncate, Append(1, Short)]);
    check(&PLAIN, &[CopyTruncate, CopyTruncate, Run, Append(1, Short), CopyTruncate]);
}

#[test]
fn an_empty_log_is_filled_and_rotated_and_compressed() {
    check(&EMPTY, &[Append(1, Short), Rotate, Compress(0, Gz), Append(1, Short)]);
}

#[test]
fn the_writer_goes_on_in_a_renamed_file_that_is_empty() {
    check(&PLAIN, &[CopyTruncate, RotateSlowly, Run, Append(1, Short)]);
}

#[test]
fn a_run_that_is_killed_before_it_reads_a_new_log() {
    check(&PLAIN, &[RotateAndCreate, Delete(0), Kill(29), Append(1, Short), CopyTruncate]);
}

#[test]
fn a_log_is_emptied_while_it_is_read_for_the_first_time() {
    let during = Meanwhile(16, Box::new(CopyTruncate));
    check(&PLAIN, &[Rotate, Append(1, Short), during, RotateSlowly, Append(1, Short)]);
}

#[test]
fn half_an_archive_of_nothing() {
    check(&EMPTY, &[RotateAndCreate, BeginToCompress(0, Bz2), Append(1, Short), Run]);
}

#[test]
fn half_an_archive_of_which_nothing_can_be_unpacked() {
    check(&PLAIN, &[RotateAndCreate, BeginToCompress(0, Zst), Run, Append(1, Short)]);
    check(&PLAIN, &[CopyTruncate, BeginToCompress(0, Zst), Append(1, Short), Run]);
    let during = Meanwhile(0, Box::new(BeginToCompress(0, Zst)));
    check(&ALIKE, &[Rotate, Append(1, Short), during, Append(1, Short)]);
    let operations = [Append(1, Short), Partial(49), RotateAndCreate, BeginToCompress(0, Gz), Run];
    check(&EMPTY, &operations);
}

#[test]
fn a_whole_archive_of_nothing_is_not_waited_for() {
    let operations = [
        Append(1, Short),
        DeleteLog,
        Append(1, Short),
        RotateSlowly,
        Append(1, Short),
        Rotate,
        Compress(0, Gz),
    ];
    check(&PLAIN, &operations);
}

#[test]
fn a_file_that_is_waited_for_is_not_another_one_on_its_inode() {
    let settings = Settings { inodes_come_again: true, ..PLAIN };
    check(&settings, &[KeepLast(0, No), Rotate, Compress(0, Zst), DeleteLog]);
    let operations =
        [CopyTruncate, Append(1, Short), Run, DeleteLog, Append(1, Short), Compress(0, Gz), Rotate];
    check(&Settings { first_lines: 0, ..settings }, &operations);
}

#[test]
fn a_file_is_not_taken_for_two_that_begin_like_it() {
    let operations = [Rotate, Partial(1), Run, DeleteLog, Append(1, Short), Run, Append(1, Short)];
    check(&ALIKE, &operations);
    check(&ALIKE, &[Rotate, Partial(1), Run, CopyTruncate]);
    let operations =
        [DeleteLog, Partial(1), Rotate, Append(1, Short), Run, Compress(0, Gz), Rotate];
    check(&ALIKE_FOR_LONGER, &operations);
}

#[test]
fn of_a_log_only_what_all_files_begin_with_was_read() {
    let operations = [Rotate, Partial(1), Run, Append(1, Short), Rotate, Compress(2, Gz)];
    check(&ALIKE, &operations);
    let operations = [DeleteLog, Partial(1), Run, CopyTruncate, RotateSlowly, Append(1, Short)];
    check(&ALIKE, &operations);
    for settings in [ALIKE, ALIKE_FOR_LONG, ALIKE_FOR_LONGER] {
        let operations = [RunAtMost(1), Rotate, Append(1, Short), Rotate, Compress(1, Gz)];
        check(&settings, &[&[DeleteLog, Append(1, Short)][..], &operations].concat());
        check(&settings, &[DeleteLog, Partial(1), Run, Append(1, Short), Rotate]);
        check(&settings, &[Rotate, Append(1, Short), RunAtMost(1), Rotate]);
        let operations = [Partial(1), Run, Rotate, Append(1, Short), Append(1, Short), Rotate];
        check(&Settings { first_lines: 0, ..settings }, &operations);
    }
}

#[test]
fn a_shorter_file_that_begins_alike_is_not_an_early_copy() {
    let settings = Settings { inodes_come_again: true, ..ALIKE_FOR_LONG };
    let operations = [Append(1, Long), Run, Rotate, Append(1, Short), Delete(0), Rotate];
    check(&settings, &operations);
    let settings = Settings { first_lines: 2, ..settings };
    check(&settings, &[DeleteLog, Append(1, Short), Rotate, Compress(0, Gz)]);
    let settings = Settings { header: 1500, ..settings };
    check(&settings, &[DeleteLog, Append(1, Short), Rotate, Compress(0, Gz)]);
}

#[test]
fn half_an_archive_that_is_gone_is_not_missed_where_its_file_was_read() {
    let operations = [Append(1, Short), RotateAndCreate, BeginToCompress(0, Zst), Run, Delete(0)];
    check(&EMPTY, &operations);
    check(&EMPTY, &[RotateAndCreate, BeginToCompress(0, Gz), Run, Delete(0)]);
    check(&EMPTY, &[Rotate, Append(1, Short), BeginToCompress(0, Bz2), Run, Delete(0)]);
}

#[test]
fn a_compressed_file_is_not_taken_for_one_that_begins_like_it() {
    let operations = [Append(1, Short), Rotate, Partial(1), Run, Compress(0, Gz), CopyTruncate];
    check(&Settings { first_lines: 0, ..ALIKE }, &operations);
}

#[test]
fn files_of_which_nothing_was_read_keep_their_numbers() {
    check(&PLAIN, &[CopyTruncate, Run, Rotate, Append(1, Short), Rotate]);
    check(&EMPTY, &[Append(1, Short), Rotate, Partial(18), Rotate, Append(1, Short)]);
    check(&EMPTY, &[Partial(1), CopyTruncate, Append(1, Short)]);
    check(&EMPTY, &[Rotate, Append(1, Short), Append(1, Short), Rotate]);
    check(&EMPTY, &[CopyTruncate, Append(1, Short), Run, Rotate]);
    check(&EMPTY, &[Rotate, Append(1, Short), Run, CopyTruncate]);
    let during = Meanwhile(0, Box::new(Append(1, Short)));
    check(&EMPTY, &[Rotate, during, Rotate, Partial(1)]);
    check(&EMPTY, &[Rotate, Append(1, Short), Run, Compress(0, Gz), Rotate]);
    check(&EMPTY, &[Rotate, Wait, Append(1, Short), Run, Compress(0, Gz), Rotate]);
    check(&EMPTY, &[Rotate, Partial(1), CopyTruncate, Run, Compress(1, Gz), Rotate]);
    let operations =
        [Rotate, Append(1, Short), Run, Rotate, Append(1, Short), Rotate, BeginToCompress(2, Gz)];
    check(&EMPTY, &operations);
}

#[test]
fn an_archive_is_not_left_out_because_two_files_begin_like_a_third() {
    let settings = Settings { first_lines: 0, ..ALIKE_FOR_LONGER };
    let operations = [Append(1, Short), RunAtMost(1), Rotate, Append(1, Short), Rotate];
    check(&settings, &[&operations[..], &[Compress(1, Gz)]].concat());
}

#[test]
fn an_empty_log_is_filled_and_emptied_while_nothing_runs_for_hours() {
    check(&EMPTY, &[Append(1, Short), CopyTruncate, Wait, Run]);
}
