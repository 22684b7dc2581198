//! What can be wrong with a config, and where.

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

impl Problem {
    /// A problem at a byte offset of `text`, or at the end of a shorter text.
    pub(super) fn at(text: &str, byte_offset: usize, message: String) -> Self {
        let before = text.get(..byte_offset).unwrap_or(text);
        let line = &before[line_start(text, byte_offset)..];
        Self {
            line: before.matches('\n').count() + 1,
            column: line.trim_start_matches('\u{feff}').chars().count() + 1,
            message,
        }
    }
}

fn one_a_line(path: &Path, problems: &[Problem]) -> String {
    let line = |problem: &Problem| {
        let Problem { line, column, message } = problem;
        format!("{}:{line}:{column}: {message}", path.display())
    };
    problems.iter().map(line).collect::<Vec<_>>().join("\n")
}

/// Collects the problems of one file.
pub(super) struct Problems<'t> {
    text: &'t str,
    found: Vec<(usize, String)>,
    /// Where the text is no TOML, as byte offsets.
    syntax_errors: Vec<usize>,
}

impl<'t> Problems<'t> {
    /// Starts with what the TOML parser had to say about `text`, the first error of each line.
    pub(super) fn new(text: &'t str, errors: &[toml::de::Error]) -> Self {
        let mut errors: Vec<_> = errors.iter().map(|error| (start_of(error), error)).collect();
        errors.sort_by_key(|(byte_offset, _)| *byte_offset);
        let syntax_errors = errors.iter().map(|(byte_offset, _)| *byte_offset).collect();
        // A `key =` inside an array: the array was left open above, and from here on the parser
        // complains about lines that are right.
        let left_open = errors.iter().find(|(_, error)| error.message().contains("`=` in array"));
        let end = left_open.map_or(usize::MAX, |(byte_offset, _)| line_start(text, *byte_offset));
        errors.retain(|(byte_offset, _)| *byte_offset < end);
        errors.dedup_by_key(|(byte_offset, _)| line_start(text, *byte_offset));
        let found = errors
            .into_iter()
            .map(|(byte_offset, error)| (byte_offset, error.message().replace('\n', " ")));
        let found = found.collect();
        Self { text, found, syntax_errors }
    }

    /// Adds a problem at a byte offset, unless a syntax error already explains it.
    pub(super) fn report(&mut self, byte_offset: usize, message: String) {
        if !self.syntax_errors.iter().any(|&error| self.explains(error, byte_offset)) {
            self.found.push((byte_offset, message));
        }
    }

    /// How many problems there are so far.
    pub(super) fn count(&self) -> usize {
        self.found.len()
    }

    /// Whether the text is TOML: if not, what seems to be missing may just be unreadable.
    pub(super) fn is_complete(&self) -> bool {
        self.syntax_errors.is_empty()
    }

    /// All problems in the order of the file.
    pub(super) fn into_sorted(mut self) -> Vec<Problem> {
        // A stable sort: what was found first at one place is the better explanation.
        self.found.sort_by_key(|(byte_offset, _)| *byte_offset);
        let text = self.text;
        self.found.into_iter().map(|(offset, message)| Problem::at(text, offset, message)).collect()
    }

    /// The parser makes the best of a broken line, so what stands on it is not what was meant;
    /// below a broken table header everything seems to belong to the table above.
    fn explains(&self, syntax_error: usize, byte_offset: usize) -> bool {
        let error_line = line_start(self.text, syntax_error);
        let is_header = self.text[error_line..].trim_start().starts_with('[');
        error_line == line_start(self.text, byte_offset)
            || (is_header && syntax_error <= byte_offset)
    }
}

fn start_of(error: &toml::de::Error) -> usize {
    error.span().map_or(0, |span| span.start)
}

fn line_start(text: &str, byte_offset: usize) -> usize {
    text.get(..byte_offset).unwrap_or(text).rfind('\n').map_or(0, |newline| newline + 1)
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
            ("short", 99, (1, 6)),
        ] {
            let problem = Problem::at(text, byte_offset, String::new());
            assert_eq!((problem.line, problem.column), place, "{text:?} at {byte_offset}");
        }
    }
}
