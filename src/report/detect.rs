//! What would be read of a log.

use std::collections::BTreeMap;
use std::io::{self, Write};

use chrono::{DateTime, Utc};
use serde::Serialize;

use super::table::{Column, table, text};
use super::{shown, time};
use crate::model::Level;

/// What was found in the first lines of one log.
#[derive(Debug, Serialize)]
pub struct Detected {
    /// The log.
    pub path: String,
    /// The format that would be used.
    pub format: Option<&'static str>,
    /// The zone in which times without a zone would be read.
    pub timezone: &'static str,
    /// How well each format reads the lines, the best first.
    pub ranking: Vec<RankedFormat>,
    /// How many lines were looked at.
    pub lines: usize,
    /// Lines that begin an entry.
    pub entries: usize,
    /// Lines that continue one.
    pub continued: usize,
    /// Lines that do neither.
    pub unparsed: usize,
    /// Time of the first entry, with the year that would be assumed where none is written.
    pub first_entry_at: Option<DateTime<Utc>>,
    /// Time of the last entry of these lines.
    pub last_entry_at: Option<DateTime<Utc>>,
    /// The first entries as they would be stored.
    pub samples: Vec<SampleEntry>,
}

/// How well a format reads the lines.
#[derive(Debug, Serialize)]
pub struct RankedFormat {
    /// The format.
    pub format: &'static str,
    /// Lines that it reads as the beginning of an entry.
    pub entries: usize,
    /// How many of these name a level.
    pub with_level: usize,
    /// Lines that neither begin nor continue an entry of it.
    pub unparsed: usize,
}

/// An entry as it would be stored.
#[derive(Debug, Serialize)]
pub struct SampleEntry {
    /// When it happened.
    pub logged_at: DateTime<Utc>,
    /// The time as the log shows it.
    pub written_at: String,
    /// Its level.
    pub level: Level,
    /// Its message.
    pub message: String,
    /// What it says besides.
    pub fields: BTreeMap<String, serde_json::Value>,
}

/// Writes what was found in a log, for people.
///
/// # Errors
/// When the output takes nothing.
pub fn write(found: &Detected, out: &mut dyn Write) -> io::Result<()> {
    let path = shown(&found.path);
    if found.lines == 0 {
        return writeln!(out, "{path}: there is no line in it yet");
    }
    let parsed = found.entries + found.continued;
    #[expect(clippy::cast_precision_loss, reason = "a share for people, of some thousand lines")]
    let share = 100.0 * parsed as f64 / found.lines as f64;
    let format = found.format.unwrap_or("no format");
    writeln!(
        out,
        "{path}: {format}; {share:.1} % of the first {} lines parsed ({} begin an entry, {} \
         continue one, {} do neither); times without a zone in {}",
        found.lines, found.entries, found.continued, found.unparsed, found.timezone,
    )?;
    if let (Some(first), Some(last)) = (found.first_entry_at, found.last_entry_at) {
        writeln!(out, "entries from {} to {}", time(first), time(last))?;
    }
    if !found.ranking.is_empty() {
        let mut ranking = table(&[
            ("FORMAT", Column::Word),
            ("ENTRIES", Column::Number),
            ("WITH LEVEL", Column::Number),
            ("UNPARSED", Column::Number),
        ]);
        for ranked in &found.ranking {
            let numbers = [ranked.entries, ranked.with_level, ranked.unparsed];
            let mut row = vec![ranked.format.to_owned()];
            row.extend(numbers.map(|number| number.to_string()));
            ranking.add_row(row);
        }
        writeln!(out, "\n{}", text(&ranking))?;
    }
    if !found.samples.is_empty() {
        let mut samples = table(&[
            ("LOGGED AT", Column::Word),
            ("LEVEL", Column::Word),
            ("MESSAGE", Column::Name),
            ("FIELDS", Column::Name),
        ]);
        for sample in &found.samples {
            let fields: Vec<String> =
                sample.fields.iter().map(|(name, value)| format!("{name}={value}")).collect();
            samples.add_row([
                time(sample.logged_at),
                sample.level.to_string(),
                shown(&sample.message),
                shown(&fields.join(" ")),
            ]);
        }
        writeln!(out, "\n{}", text(&samples))?;
    }
    Ok(())
}
