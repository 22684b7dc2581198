//! Which lines of a log belong to one entry.

use std::fmt;
use std::str::FromStr;

use regex::bytes::Regex;

/// Which lines continue the entry before them.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum Multiline {
    /// Those that begin no entry and have the shape of a stack trace, of a detail, or are
    /// indented.
    #[default]
    Auto,
    /// None: every line stands alone.
    None,
    /// Those that begin no entry and are indented or blank.
    Indent,
    /// All that do not match.
    Start(LinePattern),
    /// All that match.
    Continue(LinePattern),
}

/// A regular expression that is looked for in a line, which need not be UTF-8.
#[derive(Clone)]
pub struct LinePattern(Regex);

impl LinePattern {
    /// Whether the pattern is found in the line.
    pub fn is_in(&self, line: &[u8]) -> bool {
        self.0.is_match(line)
    }
}

impl FromStr for LinePattern {
    type Err = String;

    /// # Errors
    /// What is wrong with the pattern, on one line.
    fn from_str(pattern: &str) -> Result<Self, String> {
        Regex::new(pattern).map(Self).map_err(|error| {
            // The library shows the pattern over several lines, then says what is wrong.
            let text = error.to_string();
            let last = text.lines().last().unwrap_or_default();
            last.strip_prefix("error: ").unwrap_or(last).to_owned()
        })
    }
}

/// The same pattern does the same.
impl PartialEq for LinePattern {
    fn eq(&self, other: &Self) -> bool {
        self.0.as_str() == other.0.as_str()
    }
}

impl Eq for LinePattern {}

impl fmt::Debug for LinePattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.as_str().fmt(f)
    }
}
