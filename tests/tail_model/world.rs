//! What there is: a log with its rotated files, a writer, a clock, and what runs have seen.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use chrono::{DateTime, TimeDelta, Utc};
use proptest::prelude::*;

use crate::archive::Kind;
use crate::disk::Disk;
use crate::lines::{Lines, complete};
use crate::operation::{Length, Operation};
use crate::writer::Writer;

/// The name of the log.
pub(crate) const LOG: &str = "app.log";

/// When the clock begins.
const BEGIN: &str = "2026-01-15T11:00:00Z";

/// What every operation takes.
const STEP: TimeDelta = TimeDelta::seconds(7);

/// After this a last line without an end is stored as it is.
const IDLE_FLUSH: TimeDelta = TimeDelta::seconds(60);

/// What is always so in a sequence.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Settings {
    /// How many bytes of equal text each file begins with.
    pub(crate) header: usize,
    /// How many lines the log has when it is read for the first time.
    pub(crate) first_lines: usize,
    /// Whether a new file gets the inode of the one that was deleted last.
    pub(crate) inodes_come_again: bool,
}

impl Settings {
    pub(crate) fn any() -> impl Strategy<Value = Self> {
        // None, less than what tells that two files begin alike, more, and more than what is
        // hashed of a file.
        let header = prop_oneof![3 => Just(0), 1 => Just(8), 1 => Just(90), 1 => Just(1500)];
        let first_lines = prop_oneof![1 => Just(0), 4 => 1..4usize];
        (header, first_lines, any::<bool>()).prop_map(|(header, first_lines, inodes_come_again)| {
            Self { header, first_lines, inodes_come_again }
        })
    }
}

/// A file.
#[derive(Clone, Debug)]
pub(crate) struct LogFile {
    /// What is in it, unpacked.
    pub(crate) content: Vec<u8>,
    /// Whether it is an archive.
    pub(crate) is_packed: bool,
    /// When it was changed last.
    pub(crate) modified: DateTime<Utc>,
    /// How many of its bytes a run has read, at the least.
    pub(crate) read: usize,
    /// Whether a run has seen it beside the log.
    pub(crate) is_settled: bool,
    /// Whether nothing but the header was read of it before it was rewritten in place: renamed
    /// as well, it is not told from a new file with that header.
    pub(crate) is_confusable: bool,
    /// The lines that were left when it was rewritten: they are recognised at the path only.
    pub(crate) kept: Vec<usize>,
}

/// All of it.
pub(crate) struct World {
    pub(crate) settings: Settings,
    pub(crate) disk: Disk,
    pub(crate) clock: DateTime<Utc>,
    /// The files by their names.
    pub(crate) files: BTreeMap<String, LogFile>,
    pub(crate) lines: Lines,
    pub(crate) writer: Writer,
    /// The file of which an archive is being made.
    pub(crate) packing: Option<(String, Kind)>,
    /// Whether bytes may be said to be lost.
    pub(crate) may_have_gaps: bool,
    /// Whether the last run has read all that it could.
    pub(crate) is_all_read: bool,
}

impl World {
    /// A log in a folder that nobody has read yet.
    pub(crate) fn new(settings: &Settings, folder: &Path) -> Self {
        let mut world = Self {
            settings: settings.clone(),
            disk: Disk::new(folder, settings.inodes_come_again),
            clock: BEGIN.parse().unwrap(),
            files: BTreeMap::new(),
            lines: Lines::default(),
            writer: Writer::default(),
            packing: None,
            may_have_gaps: false,
            is_all_read: true,
        };
        world.create_log();
        if settings.first_lines > 0 {
            world.append(settings.first_lines, Length::Short);
        }
        world
    }

    /// The path of the log.
    pub(crate) fn path(&self) -> PathBuf {
        self.disk.path(LOG)
    }

    pub(crate) fn has_log(&self) -> bool {
        self.files.contains_key(LOG)
    }

    /// The file at the path.
    pub(crate) fn log(&mut self) -> &mut LogFile {
        self.files.get_mut(LOG).unwrap()
    }

    /// Does what has to do with files and with time.
    pub(crate) fn act(&mut self, operation: &Operation) {
        use Operation as O;
        self.clock += STEP;
        match operation {
            O::Append(lines, length) => self.append(*lines, *length),
            O::Partial(bytes) => self.begin_line(*bytes),
            O::Rotate => self.rotate(false, false),
            O::RotateAndCreate => self.rotate(false, true),
            O::RotateSlowly => self.rotate(true, true),
            O::Reopen => self.reopen(),
            O::CopyTruncate => self.copy_and_truncate(),
            O::Compress(which, kind) => {
                self.begin_to_compress(*which, *kind);
                self.finish_packing();
            }
            O::BeginToCompress(which, kind) => self.begin_to_compress(*which, *kind),
            O::Delete(which) => self.delete_rotated(*which),
            O::DeleteOldest => self.delete_rotated(usize::MAX),
            O::DeleteLog => self.delete_log(),
            O::KeepLast(lines, in_place) => self.keep_last(*lines, *in_place),
            O::Replace => self.replace(),
            O::Pause => self.clock += TimeDelta::minutes(3),
            O::Wait => {
                // Neither a writer nor a compressor takes so long.
                self.finish_packing();
                self.reopen();
                self.clock += TimeDelta::hours(2);
            }
            O::Run
            | O::RunInChunks(_)
            | O::RunAtMost(_)
            | O::Kill(_)
            | O::Cut(_)
            | O::Meanwhile(..) => {}
        }
    }

    /// Leaves nothing halfway, and makes that there is a log.
    pub(crate) fn settle(&mut self) {
        self.clock += STEP;
        self.finish_packing();
        self.reopen();
        self.open();
    }

    /// Numbers of the lines that a run can find.
    pub(crate) fn findable(&self) -> Vec<usize> {
        self.files.values().flat_map(|file| self.lines.numbers_in(&file.content)).collect()
    }

    /// A run is about to look.
    pub(crate) fn before_run(&mut self) {
        let Some(begun) = &mut self.writer.begun else { return };
        begun.was_seen = true;
        let Some(name) = &self.writer.file else { return };
        if name != LOG && self.clock - self.files[name].modified >= IDLE_FLUSH {
            self.lines.0[begun.line].may_be_cut = true;
        }
    }

    /// A run has ended.
    pub(crate) fn after_run(&mut self, is_all_read: bool) {
        self.is_all_read = is_all_read;
        if is_all_read {
            for (name, file) in &mut self.files {
                file.read = complete(&file.content).len();
                file.is_settled = name != LOG;
                if file.is_settled && file.is_confusable {
                    for line in self.lines.numbers_in(&file.content) {
                        self.lines.0[line].may_be_missed = true;
                    }
                }
                file.is_confusable = false;
                file.kept.clear();
            }
        }
    }

    /// The files, for people.
    pub(crate) fn listing(&self) -> String {
        let line = |(name, file): (&String, &LogFile)| {
            let lines = self.lines.numbers_in(&file.content);
            let (bytes, at) = (file.content.len(), file.modified.format("%H:%M:%S"));
            let inode = self.disk.inode(name);
            format!("  {name}: inode {inode}, {bytes} bytes, of {at}, lines {lines:?}\n")
        };
        self.files.iter().map(line).collect()
    }
}
