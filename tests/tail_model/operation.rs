//! What may happen to a log and to the program that reads it.
//!
//! Every operation can be done at any time: one that makes no sense does nothing, so that a
//! sequence stays one when parts of it are left out.

use proptest::prelude::*;

use crate::archive::Kind;

/// How long lines are.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Length {
    /// One or two of them are less than what tells that two files begin alike.
    Short,
    Middle,
    /// Three of them are more than what is hashed of a file.
    Long,
}

/// One step of a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Operation {
    /// The writer appends complete lines; first it completes the one that it has begun.
    Append(usize, Length),
    /// The writer appends so many bytes of a line, if it has not begun one.
    Partial(usize),
    /// The rotated files move on by one, and the log becomes the first of them. The writer
    /// opens the new one with its next line.
    Rotate,
    /// The same, and the new file is made at once.
    RotateAndCreate,
    /// The same, but the writer goes on in the renamed file until `Reopen`.
    RotateSlowly,
    /// The writer opens the file at the path.
    Reopen,
    /// The log is copied to the first of the rotated files and emptied.
    CopyTruncate,
    /// One of the rotated plain files is compressed.
    Compress(usize, Kind),
    /// The archive is begun, and ends early. The next operation on the files completes it.
    BeginToCompress(usize, Kind),
    /// One of the rotated files is deleted.
    Delete(usize),
    /// The oldest of the rotated files is deleted.
    DeleteOldest,
    /// The log itself is deleted; the writer makes a new one with its next line.
    DeleteLog,
    /// All but the last lines of the log are removed, in place or by a new file.
    KeepLast(usize, InPlace),
    /// The log is replaced by an equal file.
    Replace,
    /// Longer than a last line without an end waits.
    Pause,
    /// Longer than a rotated file may still get lines.
    Wait,
    /// A run that reads everything.
    Run,
    /// The same in transactions of so many bytes.
    RunInChunks(u64),
    /// A run that reads so many bytes and leaves the rest.
    RunAtMost(u64),
    /// A run that ends at once, before or after the so-manieth statement.
    Kill(usize),
    /// A run whose database is gone then. With 0 it was never there.
    Cut(usize),
    /// A run during which, at that moment, something else happens.
    Meanwhile(usize, Box<Operation>),
}

/// How an editor writes a file.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum InPlace {
    Yes,
    No,
}

/// What happens between runs.
fn to_files() -> BoxedStrategy<Operation> {
    use Operation as O;
    let length = prop::sample::select(&[Length::Short, Length::Middle, Length::Long][..]);
    let kind = prop::sample::select(&Kind::ALL[..]);
    let in_place = prop::sample::select(&[InPlace::Yes, InPlace::No][..]);
    prop_oneof![
        12 => (1..5usize, length).prop_map(|(lines, length)| O::Append(lines, length)),
        2 => (1..60usize).prop_map(O::Partial),
        5 => Just(O::Rotate),
        3 => Just(O::RotateAndCreate),
        2 => Just(O::RotateSlowly),
        1 => Just(O::Reopen),
        4 => Just(O::CopyTruncate),
        3 => (0..4usize, kind.clone()).prop_map(|(which, kind)| O::Compress(which, kind)),
        1 => (0..4usize, kind).prop_map(|(which, kind)| O::BeginToCompress(which, kind)),
        1 => (0..4usize).prop_map(O::Delete),
        1 => Just(O::DeleteOldest),
        1 => Just(O::DeleteLog),
        1 => (0..6usize, in_place).prop_map(|(lines, in_place)| O::KeepLast(lines, in_place)),
        1 => Just(O::Replace),
        1 => Just(O::Pause),
        1 => Just(O::Wait),
    ]
    .boxed()
}

/// Operations among which runs are left alone.
pub(crate) fn quiet() -> impl Strategy<Value = Operation> {
    use Operation as O;
    prop_oneof![
        38 => to_files(),
        12 => Just(O::Run),
        1 => (1..400u64).prop_map(O::RunInChunks),
    ]
}

/// Operations among which runs are disturbed.
pub(crate) fn disturbed() -> impl Strategy<Value = Operation> {
    use Operation as O;
    prop_oneof![
        38 => to_files(),
        4 => Just(O::Run),
        2 => (1..400u64).prop_map(O::RunInChunks),
        2 => (1..400u64).prop_map(O::RunAtMost),
        4 => (0..60usize).prop_map(O::Kill),
        2 => (0..60usize).prop_map(O::Cut),
        4 => (0..60usize, to_files()).prop_map(|(at, other)| O::Meanwhile(at, Box::new(other))),
    ]
}
