//! What can be wrong with a config, and where.

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};

/// Why there is no config to work with.
///
/// No message holds a database URL or any part of one.
#[derive(Debug, thiserror::Error)]
pub enum ConfigError {
    /// The config file could not be opened or read.
    #[error("cannot read config {}", path.display())]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The config file was read and is wrong. The message has one line for each problem.
    #[error("{}", one_a_line(path, problems))]
    Invalid {
        /// The file.
        path: PathBuf,
        /// All problems, in the order of the file.
        problems: Vec<Problem>,
    },
    /// The file that `database.url_file` names could not be opened or read.
    #[error("cannot read database.url_file {}", path.display())]
    ReadUrlFile {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file that `database.url_file` names holds no database URL.
    #[error("database.url_file {} {reason}", path.display())]
    InvalidUrlFile {
        /// The file.
        path: PathBuf,
        /// What is wrong with it.
        reason: &'static str,
    },
}

impl ConfigError {
    /// Whether the config file simply does not exist, as opposed to being unreadable.
    pub(super) fn is_missing_file(&self) -> bool {
        use io::ErrorKind::{NotADirectory, NotFound};
        matches!(self, Self::Read { source, .. } if matches!(source.kind(), NotFound | NotADirectory))
    }
}

/// One thing that is wrong with a config file.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Problem {
    /// The line, from 1.
    pub line: usize,
    /// The column in characters, from 1.
    pub column: usize,
    /// What is wrong, on one line.
    pub message: String,
}

fn one_a_line(path: &Path, problems: &[Problem]) -> String {
    let line = |problem: &Problem| {
        let Problem { line, column, message } = problem;
        format!("{}:{line}:{column}: {message}", path.display())
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// The lines of a text, to say where a byte is.
pub(super) struct Lines<'t> {
    text: &'t str,
    /// The byte offset of each line's start; the first is 0.
    starts: Vec<usize>,
}

impl<'t> Lines<'t> {
    /// Finds the lines of a text.
    pub(super) fn new(text: &'t str) -> Self {
        let after_newlines = text.match_indices('\n').map(|(newline, _)| newline + 1);
        Self { text, starts: std::iter::once(0).chain(after_newlines).collect() }
    }

    /// A problem at the byte offset of a character, or at the end of the text.
    pub(super) fn problem(&self, byte_offset: usize, message: String) -> Problem {
        let line = self.number(byte_offset);
        let before = self.text.get(self.starts[line - 1]..byte_offset).unwrap_or_default();
        // Editors do not show the byte order mark.
        let column = before.trim_start_matches('\u{feff}').chars().count() + 1;
        Problem { line, column, message }
    }

    /// The number of the line, from 1, that holds a byte offset.
    fn number(&self, byte_offset: usize) -> usize {
        self.starts.partition_point(|&start| start <= byte_offset)
    }

    /// Whether the line looks like the header of a table.
    fn is_header(&self, number: usize) -> bool {
        self.text[self.starts[number - 1]..].trim_start().starts_with('[')
    }
}

/// Collects the problems of one file.
pub(super) struct Problems<'t> {
    lines: Lines<'t>,
    /// Byte offsets and messages.
    found: Vec<(usize, String)>,
    /// The numbers of the lines that are no TOML.
    broken_lines: BTreeSet<usize>,
    /// The number of the first of them that looks like the header of a table.
    broken_header: Option<usize>,
}

impl<'t> Problems<'t> {
    /// Starts with what the TOML parser has to say about `text`.
    pub(super) fn new(text: &'t str, errors: &[toml::de::Error]) -> Self {
        let lines = Lines::new(text);
        let offset = |error: &toml::de::Error| error.span().map_or(0, |span| span.start);
        let broken_lines: BTreeSet<_> =
            errors.iter().map(|error| lines.number(offset(error))).collect();
        let broken_header = broken_lines.iter().copied().find(|&line| lines.is_header(line));
        let messages = errors.iter().map(|error| (offset(error), error.message().to_owned()));
        let found = without_echoes(messages.collect(), &lines);
        Self { lines, found, broken_lines, broken_header }
    }

    /// Adds a problem at a byte offset, unless a syntax error already explains it.
    ///
    /// The parser makes the best of a broken line, so what it finds there is not what was meant;
    /// below a broken header everything seems to belong to the table above.
    pub(super) fn report(&mut self, byte_offset: usize, message: String) {
        let line = self.lines.number(byte_offset);
        let is_misplaced = self.broken_header.is_some_and(|header| header <= line);
        if !is_misplaced && !self.broken_lines.contains(&line) {
            self.found.push((byte_offset, message));
        }
    }

    /// Whether the text is TOML: if not, what seems to be missing may just be unreadable.
    pub(super) fn is_complete(&self) -> bool {
        self.broken_lines.is_empty()
    }

    /// All problems in the order of the file.
    pub(super) fn into_sorted(mut self) -> Vec<Problem> {
        // A stable sort: what was found first at one place is the better explanation.
        self.found.sort_by_key(|(byte_offset, _)| *byte_offset);
        let lines = self.lines;
        self.found.into_iter().map(|(offset, message)| lines.problem(offset, message)).collect()
    }
}

/// The syntax errors that say something: the first of each line, up to a line with `key =`
/// inside an array. There the array was left open above, and the parser goes on to complain
/// about lines that are right.
fn without_echoes(mut errors: Vec<(usize, String)>, lines: &Lines<'_>) -> Vec<(usize, String)> {
    errors.sort_by_key(|(byte_offset, _)| *byte_offset);
    let is_left_open = |(_, message): &&(usize, String)| message.contains("`=` in array");
    let left_open = errors.iter().find(is_left_open).map(|(offset, _)| lines.number(*offset));
    errors.dedup_by_key(|(byte_offset, _)| lines.number(*byte_offset));
    let echo = errors.iter().position(|(offset, _)| Some(lines.number(*offset)) == left_open);
    // One error always stays: a text that is no TOML must not pass.
    errors.truncate(echo.map_or(usize::MAX, |echo| echo.max(1)));
    errors
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_count_characters_and_lines_count_newlines() {
        for (text, byte_offset, place) in [
            ("", 0, (1, 1)),
            ("a\nb", 1, (1, 2)),
            ("a\nb", 2, (2, 1)),
            ("ä = ü", 5, (1, 5)),
            ("a\r\n\r\n", 5, (3, 1)),
            ("\u{feff}a", 3, (1, 1)),
            ("a\n", 2, (2, 1)),
        ] {
            let problem = Lines::new(text).problem(byte_offset, String::new());
            assert_eq!((problem.line, problem.column), place, "{text:?} at {byte_offset}");
        }
    }
}
