//! The lines that were ever written, and what may have become of them.

use chrono::{DateTime, Utc};

use crate::operation::Length;

/// A line.
#[allow(clippy::struct_excessive_bools, reason = "each of them is found out by itself")]
#[derive(Clone, Debug)]
pub(crate) struct Line {
    /// All of it, with its end.
    pub(crate) text: String,
    /// Whether its end was written.
    pub(crate) is_complete: bool,
    /// Whether it may be stored in part, because more of it came too late.
    pub(crate) may_be_cut: bool,
    /// Whether it may be missing: its file could be taken for another one.
    pub(crate) may_be_missed: bool,
    /// Whether it may be stored twice: of a log that was rewritten, too little is left to be
    /// recognised.
    pub(crate) may_come_twice: bool,
    /// Whether it must be told to be lost, unless it is stored.
    pub(crate) is_told_if_lost: bool,
}

/// All lines, by their numbers.
#[derive(Debug, Default)]
pub(crate) struct Lines(pub(crate) Vec<Line>);

impl Lines {
    /// Thinks of a line; returns its number.
    pub(crate) fn add(&mut self, length: Length, at: DateTime<Utc>) -> usize {
        let number = self.0.len();
        let filling = match length {
            Length::Short => 0,
            Length::Middle => 40,
            Length::Long => 400,
        };
        let time = at.format("%Y-%m-%d %H:%M:%S");
        self.0.push(Line {
            text: format!("{time} [ERROR] {number} {:x<filling$}.\n", ""),
            is_complete: false,
            may_be_cut: false,
            may_be_missed: false,
            may_come_twice: false,
            is_told_if_lost: false,
        });
        number
    }

    /// The numbers of the complete lines in some bytes.
    pub(crate) fn numbers_in(&self, bytes: &[u8]) -> Vec<usize> {
        let text = String::from_utf8_lossy(complete(bytes));
        let number = |line: &str| {
            let number = number_of(line.split_once("[ERROR] ")?.1)?;
            (self.0.get(number)?.text.trim_end() == line).then_some(number)
        };
        text.lines().filter_map(number).collect()
    }

    /// The number of the line that an entry is.
    pub(crate) fn number_of(&self, entry: &str) -> Option<usize> {
        let number = number_of(entry)?;
        (self.0.get(number)?.message() == entry).then_some(number)
    }
}

impl Line {
    /// What is stored of it.
    pub(crate) fn message(&self) -> &str {
        self.text.split_once("[ERROR] ").map_or("", |(_, message)| message.trim_end())
    }
}

fn number_of(message: &str) -> Option<usize> {
    message.split_once(' ')?.0.parse().ok()
}

/// The complete lines of some bytes.
pub(crate) fn complete(bytes: &[u8]) -> &[u8] {
    &bytes[..memchr::memrchr(b'\n', bytes).map_or(0, |at| at + 1)]
}
