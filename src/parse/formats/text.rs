//! Any other line that shows a time near its start.
//!
//! ```text
//! record = [before] time [closing] *separator message
//! before = ... (" " / "[" / "(" / "<" / ">" / quote / ":" / "|" / "=")   ; the time begins within 100 bytes
//! ```
//!
//! This is what is left when no other format reads a line. The message is what stands behind
//! the time; with what stands before it, and the time, if that is more than a bracket and a
//! level. The level is one before the time, or the first among the first words behind it: in
//! capitals, in brackets, or with a colon behind it.
//!
//! Fields: none.

use super::elements::{any_level, capital_level, group, leading_level, skip_blanks};
use super::{Record, Text};
use crate::model::{Level, LevelWords};
use crate::parse::timestamp::{is_blank, is_word, timestamp, timestamp_or_clock};

/// Where the time begins at the latest.
const MAX_OFFSET: usize = 100;
/// How many places are tried.
const MAX_TRIES: usize = 20;
/// Among how many words behind the time a level is looked for.
const LEVEL_WORDS: usize = 4;

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record<'a>(line: &'a [u8], words: &LevelWords) -> Option<Record<'a>> {
    // An indented line continues another one.
    if is_blank(*line.first()?) {
        return None;
    }
    for start in starts(line).take(MAX_TRIES) {
        let (before, from_time) = line.split_at(start);
        let found = if start == 0 { timestamp_or_clock(from_time) } else { timestamp(from_time) };
        let Ok((rest, time)) = found else { continue };
        let written_at = super::elements::before(from_time, rest);
        let rest = behind_time(rest);
        let level_before = level_before(before, words);
        let is_first = start <= 1 || level_before.is_some();
        let level = level_before.or_else(|| level_behind(rest, words));
        let message = Text::Line(if is_first { rest } else { line });
        return Some(Record { time: Some(time), written_at, level, message });
    }
    None
}

/// Where a time may begin.
fn starts(line: &[u8]) -> impl Iterator<Item = usize> {
    let line = &line[..line.len().min(MAX_OFFSET)];
    let is_border = |byte: u8| b" \t[(<>\"':|=".contains(&byte);
    line.iter().enumerate().filter_map(move |(at, byte)| {
        let begins = byte.is_ascii_alphanumeric() || *byte == b'@';
        let is_start = at == 0 || line.get(at - 1).is_some_and(|before| is_border(*before));
        (begins && is_start).then_some(at)
    })
}

/// What follows the bracket that closes a time, and separators.
fn behind_time(rest: &[u8]) -> &[u8] {
    let is_separator = |byte: &u8| is_blank(*byte) || b"])>\"':-|,".contains(byte);
    &rest[rest.iter().take_while(|byte| is_separator(byte)).count()..]
}

/// A level before the time: `MainThread::INFO::`.
fn level_before(before: &[u8], words: &LevelWords) -> Option<Level> {
    before.split(|byte| !is_word(*byte)).find_map(|word| match capital_level(word, words) {
        Ok(([], level)) => Some(level),
        _ => None,
    })
}

/// A level among the first words behind the time.
fn level_behind(rest: &[u8], words: &LevelWords) -> Option<Level> {
    let mut rest = rest;
    for _ in 0..LEVEL_WORDS {
        if let Some(level) = leading_level(rest, words) {
            return Some(level);
        }
        if let Ok((after, inner)) = group(rest) {
            if let Ok(([], level)) = any_level(inner.trim_ascii(), words) {
                return Some(level);
            }
            rest = skip_blanks(after);
            continue;
        }
        if let Ok((after, level)) = capital_level(rest, words)
            && after.first().is_none_or(|byte| b" \t:,|()[]".contains(byte))
        {
            return Some(level);
        }
        let word = rest.iter().take_while(|byte| !is_blank(**byte)).count();
        rest = skip_blanks(&rest[word..]);
    }
    None
}
