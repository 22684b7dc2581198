//! What the words of logs mean.

use std::io::{self, Write};

use serde::Serialize;

use super::table::{Column, table, text};
use crate::model::Level;

/// What means a level.
#[derive(Debug, Serialize)]
pub struct Meaning {
    /// The level.
    pub level: Level,
    /// Words that mean it, in any case.
    pub words: Vec<&'static str>,
    /// Severities of syslog that mean it.
    pub syslog_severities: Vec<u16>,
}

/// Writes the table for people.
///
/// # Errors
/// When the output takes nothing.
pub fn write(meanings: &[Meaning], out: &mut dyn Write) -> io::Result<()> {
    let mut levels = table(&[
        ("LEVEL", Column::Word),
        ("SYSLOG", Column::Word),
        ("WORDS, IN ANY CASE", Column::Name),
    ]);
    for meaning in meanings {
        let severities: Vec<String> =
            meaning.syslog_severities.iter().map(ToString::to_string).collect();
        let words: Vec<&str> = meaning.words.clone();
        levels.add_row([meaning.level.to_string(), severities.join(" "), words.join(" ")]);
    }
    writeln!(out, "{}", text(&levels))
}
