//! The program that writes the log.

use tripline::tail::identity::PROBE_BYTES;

use crate::operation::Length;
use crate::world::{LOG, World};

/// Where it writes.
#[derive(Debug, Default)]
pub(crate) struct Writer {
    /// The name of its file, if it has one open.
    pub(crate) file: Option<String>,
    /// The line that it has begun.
    pub(crate) begun: Option<Begun>,
}

/// A line without an end.
#[derive(Debug)]
pub(crate) struct Begun {
    /// Its number.
    pub(crate) line: usize,
    /// How many of its bytes are written.
    written: usize,
    /// Whether a run may have stored it as it is.
    pub(crate) was_seen: bool,
}

impl World {
    /// Completes the line that was begun, and writes further ones.
    pub(crate) fn append(&mut self, lines: usize, length: Length) {
        if let Some(begun) = self.write_rest() {
            self.lines.0[begun.line].is_complete = true;
        }
        for _ in 0..lines {
            let line = self.lines.add(length, self.clock);
            self.write(&self.lines.0[line].text.clone());
            self.lines.0[line].is_complete = true;
        }
    }

    /// Writes so many bytes of a line.
    pub(crate) fn begin_line(&mut self, bytes: usize) {
        if self.writer.begun.is_none() {
            let line = self.lines.add(Length::Middle, self.clock);
            let text = self.lines.0[line].text.clone();
            // After more equal bytes than are hashed, a file with one byte more is the beginning of
            // any other one; its time tells the line.
            let least = if self.settings.header > PROBE_BYTES { 20 } else { 1 };
            let written = bytes.clamp(least, text.len() - 1);
            self.write(&text[..written]);
            self.writer.begun = Some(Begun { line, written, was_seen: false });
        }
    }

    /// Writes what is left of the line that was begun.
    pub(crate) fn write_rest(&mut self) -> Option<Begun> {
        let begun = self.writer.begun.take()?;
        let rest = self.lines.0[begun.line].text[begun.written..].to_owned();
        self.write(&rest);
        Some(begun)
    }

    fn write(&mut self, text: &str) {
        let name = self.open();
        self.disk.append(&name, text.as_bytes(), self.clock);
        let file = self.files.get_mut(&name).unwrap();
        file.content.extend_from_slice(text.as_bytes());
        file.modified = self.clock;
    }

    /// Opens the log, if nothing is open; returns the name of the open file.
    pub(crate) fn open(&mut self) -> String {
        if let Some(name) = &self.writer.file {
            return name.clone();
        }
        if !self.has_log() {
            self.create_log();
        }
        self.writer.file = Some(LOG.to_owned());
        if self.log().content.is_empty() && self.settings.header > 0 {
            let filling = self.settings.header - "# \n".len();
            self.write(&format!("# {:=<filling$}\n", ""));
        }
        LOG.to_owned()
    }

    /// Closes a renamed file, so that the next line goes to the log.
    pub(crate) fn reopen(&mut self) {
        if self.writer.file.as_deref().is_some_and(|name| name != LOG) {
            self.close();
        }
    }

    /// Closes the file; a line that was begun stays as it is.
    pub(crate) fn close(&mut self) {
        if self.writer.begun.take().is_some() {
            // It is said to be lost, unless it is stored as it is.
            self.may_have_gaps = true;
        }
        self.writer.file = None;
    }

    /// The file at the path is about to be left for another one: a line without an end that is
    /// stored already stays as it is.
    pub(crate) fn before_leaving_log(&mut self) {
        if let Some(begun) = &self.writer.begun
            && begun.was_seen
        {
            self.lines.0[begun.line].may_be_cut = true;
        }
    }
}
