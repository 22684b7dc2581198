//! What people and machines are shown: tables that fit a terminal, and JSON.
//!
//! Reads only. Everything that comes from a log or a file name is made visible first.

pub mod alerts;
pub mod backtest;
pub mod cases;
pub mod channels;
pub mod detect;
pub mod entries;
pub mod explain;
pub mod gaps;
pub mod levels;
pub mod metrics;
pub mod nagios;
pub mod notifications;
pub mod rules;
pub mod silences;
pub mod sources;
pub mod status;
mod table;

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use serde::Serialize;

/// Writes a value as JSON, indented, with a line end.
///
/// # Errors
/// When the output takes nothing.
pub fn write_json(value: &impl Serialize, out: &mut dyn Write) -> io::Result<()> {
    serde_json::to_writer_pretty(&mut *out, value)?;
    writeln!(out)
}

/// A time for people: UTC, to the second.
pub fn time(time: DateTime<Utc>) -> String {
    time.format("%Y-%m-%d %H:%M:%SZ").to_string()
}

fn optional_time(when: Option<DateTime<Utc>>) -> String {
    when.map_or_else(|| "-".to_owned(), time)
}

/// Text from elsewhere, on one line.
fn shown(text: &str) -> String {
    crate::visible::line(text, 200)
}

/// Words in lines of at most so many characters, where no word is longer.
fn wrapped(words: &str, most: usize) -> String {
    let mut lines = String::with_capacity(words.len());
    let mut length = 0;
    for word in words.split_whitespace() {
        let chars = word.chars().count();
        if length > 0 && length + 1 + chars > most {
            lines.push('\n');
            length = 0;
        } else if length > 0 {
            lines.push(' ');
            length += 1;
        }
        lines.push_str(word);
        length += chars;
    }
    lines
}

/// A source's name, with its path where the name does not say it.
fn source_name(name: &str, path: &str) -> String {
    if name == path { shown(path) } else { format!("{} ({})", shown(name), shown(path)) }
}
