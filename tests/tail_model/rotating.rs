//! What programs and people do to the files of a log.

use chrono::{DateTime, Utc};
use tripline::tail::identity::PROBE_BYTES;

use crate::archive::Kind;
use crate::lines::complete;
use crate::operation::InPlace;
use crate::world::{LOG, LogFile, World};

impl World {
    pub(crate) fn create_log(&mut self) {
        self.create(LOG, Vec::new());
    }

    fn create(&mut self, name: &str, content: Vec<u8>) {
        self.disk.create(name, &content, self.clock);
        self.files.insert(name.to_owned(), new_file(content, self.clock));
    }

    fn rename(&mut self, from: &str, to: &str) {
        self.disk.rename(from, to);
        let file = self.files.remove(from).unwrap();
        self.files.insert(to.to_owned(), file);
        if self.writer.file.as_deref() == Some(from) {
            self.writer.file = Some(to.to_owned());
        }
    }

    fn is_writer_at(&self, name: &str) -> bool {
        self.writer.file.as_deref() == Some(name)
    }

    /// The names of the rotated files, the youngest first.
    fn rotated(&self) -> Vec<String> {
        let mut names: Vec<String> =
            self.files.keys().filter(|name| *name != LOG).cloned().collect();
        names.sort_by_key(|name| number_of(name));
        names
    }

    /// Moves the rotated files on by one.
    fn shift(&mut self) {
        for name in self.rotated().into_iter().rev() {
            let number = number_of(&name);
            let ending = name.strip_prefix(&rotated_name(number)).unwrap();
            self.rename(&name, &(rotated_name(number + 1) + ending));
        }
    }

    pub(crate) fn rotate(&mut self, writer_stays: bool, is_created: bool) {
        self.finish_packing();
        if !self.has_log() {
            return;
        }
        self.before_leaving_log();
        self.log_leaves_path();
        self.shift();
        let writer_was_here = self.is_writer_at(LOG);
        self.rename(LOG, &rotated_name(1));
        if is_created {
            self.create_log();
        }
        if writer_was_here && !writer_stays {
            self.close();
        }
    }

    pub(crate) fn copy_and_truncate(&mut self) {
        self.finish_packing();
        if !self.has_log() {
            return;
        }
        self.before_leaving_log();
        self.log_leaves_path();
        self.shift();
        let LogFile { content, read, is_confusable, .. } = self.log().clone();
        self.create(&rotated_name(1), content);
        let copy = self.files.get_mut(&rotated_name(1)).unwrap();
        (copy.read, copy.is_confusable) = (read, is_confusable);
        self.overwrite_log(Vec::new());
        if self.is_writer_at(LOG) && self.write_rest().is_some() {
            // The line has become two, neither of which is one.
            self.may_have_gaps = true;
        }
    }

    fn log_leaves_path(&mut self) {
        for line in std::mem::take(&mut self.log().kept) {
            self.lines.0[line].may_come_twice = true;
        }
    }

    fn overwrite_log(&mut self, content: Vec<u8>) {
        self.disk.overwrite(LOG, &content, self.clock);
        let header = self.settings.header;
        let LogFile { read, is_confusable, .. } = self.log();
        let is_confusable = *is_confusable || (1..=header).contains(read);
        *self.log() = LogFile { is_confusable, ..new_file(content, self.clock) };
    }

    /// Makes the first half of an archive.
    pub(crate) fn begin_to_compress(&mut self, which: usize, kind: Kind) {
        self.finish_packing();
        let mut plain = self.rotated();
        plain.retain(|name| !self.files[name].is_packed && !self.is_writer_at(name));
        if plain.is_empty() {
            return;
        }
        let name = plain[which % plain.len()].clone();
        let archive = kind.pack(&self.files[&name].content);
        let half = &archive[..archive.len() / 2];
        self.disk.create(&format!("{name}{}", kind.ending()), half, self.clock);
        self.packing = Some((name, kind));
    }

    /// Makes the rest of the archive, and removes the file of which it is made.
    pub(crate) fn finish_packing(&mut self) {
        let Some((name, kind)) = self.packing.take() else { return };
        let file = self.files.remove(&name).unwrap();
        let archive = format!("{name}{}", kind.ending());
        // The usual tools give it the time of the file.
        self.disk.overwrite(&archive, &kind.pack(&file.content), file.modified);
        self.disk.delete(&name);
        self.files.insert(archive, LogFile { is_packed: true, ..file });
    }

    /// Deletes one of the rotated files; of a number that is too high, the oldest one.
    pub(crate) fn delete_rotated(&mut self, which: usize) {
        self.finish_packing();
        let mut rotated = self.rotated();
        rotated.retain(|name| !self.is_writer_at(name));
        let Some(last) = rotated.len().checked_sub(1) else { return };
        let which = if which == usize::MAX { last } else { which % rotated.len() };
        let name = &rotated[which];
        self.disk.delete(name);
        let file = self.files.remove(name).unwrap();
        self.is_destroyed(&file, &[]);
        if !file.is_settled || file.read < file.content.len() || !self.is_all_read {
            self.may_have_gaps = true;
        }
    }

    pub(crate) fn delete_log(&mut self) {
        self.finish_packing();
        if !self.has_log() {
            return;
        }
        self.disk.delete(LOG);
        let file = self.files.remove(LOG).unwrap();
        self.is_destroyed(&file, &[]);
        // Nobody knows whether there was more in it.
        self.may_have_gaps = true;
        if self.is_writer_at(LOG) {
            self.close();
        }
    }

    /// Notes that what was in a file is nowhere any more, but for what is left of it.
    fn is_destroyed(&mut self, file: &LogFile, left: &[u8]) {
        // What came into a rotated file after the last look is not known to be lost, nor is a
        // file of which nothing was read but what every file begins with.
        if file.read > self.settings.header && !file.is_settled && self.is_all_read {
            let left = self.lines.numbers_in(left);
            for line in self.lines.numbers_in(&file.content[file.read..]) {
                if !left.contains(&line) {
                    self.lines.0[line].is_told_if_lost = true;
                }
            }
        }
    }

    /// Keeps the last lines of the log, as an editor or a job does.
    pub(crate) fn keep_last(&mut self, count: usize, in_place: InPlace) {
        self.finish_packing();
        if !self.has_log() {
            return;
        }
        self.before_leaving_log();
        let file = self.log().clone();
        let from = begin_of_last(complete(&file.content), count);
        let left = complete(&file.content)[from..].to_vec();
        let mut kept = file.kept.clone();
        if from > 0 {
            self.may_have_gaps = true;
            let is_recognised =
                self.is_all_read && file.read > PROBE_BYTES && from + PROBE_BYTES <= file.read;
            let was_read = from < file.read || !self.is_all_read;
            if is_recognised {
                kept = self.lines.numbers_in(&left);
            }
            if was_read && !is_recognised {
                for line in self.lines.numbers_in(&left) {
                    self.lines.0[line].may_come_twice = true;
                }
            }
        }
        self.is_destroyed(&file, &left);
        if self.is_writer_at(LOG) {
            self.close();
        }
        self.write_log_anew(left, in_place);
        self.log().read = file.read.saturating_sub(from).min(self.log().content.len());
        self.log().kept = kept;
    }

    /// Replaces the log by an equal file, as rsync does.
    pub(crate) fn replace(&mut self) {
        self.finish_packing();
        if self.has_log() {
            let LogFile { content, read, kept, .. } = self.log().clone();
            self.write_log_anew(content, InPlace::No);
            self.log().read = read;
            self.log().kept = kept;
        }
    }

    fn write_log_anew(&mut self, content: Vec<u8>, in_place: InPlace) {
        match in_place {
            InPlace::Yes => self.overwrite_log(content),
            InPlace::No => {
                // Both exist for a moment, so that they have not the same inode.
                self.disk.create(".app.log.new", &content, self.clock);
                self.disk.delete(LOG);
                self.disk.rename(".app.log.new", LOG);
                *self.log() = new_file(content, self.clock);
            }
        }
    }
}

fn new_file(content: Vec<u8>, modified: DateTime<Utc>) -> LogFile {
    LogFile {
        content,
        is_packed: false,
        modified,
        read: 0,
        is_settled: false,
        is_confusable: false,
        kept: Vec::new(),
    }
}

/// The name that the log gets by so many rotations.
fn rotated_name(number: usize) -> String {
    format!("{LOG}.{number}")
}

/// How many rotations a name says.
fn number_of(name: &str) -> usize {
    let rest = name.strip_prefix(LOG).unwrap().trim_start_matches('.');
    rest.split('.').next().unwrap().parse().unwrap()
}

/// Where the last so many lines begin.
fn begin_of_last(lines: &[u8], count: usize) -> usize {
    let mut begins: Vec<usize> = memchr::memchr_iter(b'\n', lines).map(|at| at + 1).collect();
    begins.insert(0, 0);
    // The last of them is the end.
    begins[begins.len().saturating_sub(count + 1)]
}
