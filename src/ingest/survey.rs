//! What a log holds, without storing any of it: how many entries of which level, and when.

use std::path::PathBuf;

use super::IngestError;
use super::take::{Earlier, Lines};
use super::target::Target;
use crate::model::{EventTime, Level};
use crate::parse::{Line, text};
use crate::store::tails::BeforeTail;
use crate::tail::LogFile;

/// Bytes at the end of a log that are looked at: enough for days of most logs, read in about a
/// second.
pub const SURVEY_BYTES: u64 = 16 << 20;

/// What was found in the last part of a log.
#[derive(Clone, Debug, Default)]
pub struct Survey {
    /// The log.
    pub path: PathBuf,
    /// The format that the lines show.
    pub format: Option<&'static str>,
    /// Bytes of the log, and how many of them were looked at.
    pub size: u64,
    /// At its end.
    pub looked_at: u64,
    /// Lines that were looked at.
    pub lines: u64,
    /// Lines that begin an entry.
    pub entries: u64,
    /// Lines that neither begin nor continue one.
    pub unparsed: u64,
    /// How many entries there are of each level, in the order of [`Level::ALL`].
    pub by_level: [u64; 6],
    /// When the first entry happened, and the last one.
    pub span: Option<(EventTime, EventTime)>,
    /// The longest time without an entry, in microseconds.
    pub longest_silence: i64,
    /// When the entries of level ERROR and FATAL happened, in the order of the log.
    pub errors: Vec<EventTime>,
    /// When those of level FATAL did.
    pub fatals: Vec<EventTime>,
    /// A time as the log writes it.
    pub written_at: String,
}

/// Looks at the last [`SURVEY_BYTES`] of a log.
///
/// Memory is bounded: a time is kept of each error in them.
///
/// # Errors
/// When the log cannot be read.
pub fn survey(target: &Target) -> Result<Survey, IngestError> {
    let log = LogFile::open(&target.path)?;
    let size = log.size;
    // An archive can only be read from its beginning. Even, for UTF-16.
    let from = if log.content.is_packed() { 0 } else { size.saturating_sub(SURVEY_BYTES) & !1 };
    let before = BeforeTail::default();
    let earlier = Earlier { before: &before, detected: None, parsed_lines: 0 };
    let unreadable =
        |source| IngestError::Read { path: target.path.clone(), byte_offset: from, source };
    let Lines { mut reader, mut decoding, mut parser, detected } =
        Lines::open(log, from, target, &earlier).map_err(unreadable)?;
    let mut survey = Survey {
        path: target.path.clone(),
        format: detected.map(crate::model::Format::as_str),
        size,
        looked_at: size - from,
        ..Survey::default()
    };
    // The line in the middle of which it begins.
    let mut is_whole = from == 0;
    while reader.byte_offset() < from.saturating_add(SURVEY_BYTES) {
        let Some(line) = reader.next_line().map_err(unreadable)? else { break };
        if !std::mem::replace(&mut is_whole, true) {
            continue;
        }
        survey.lines += 1 + u64::from(line.joined_lines);
        match parser.line(decoding.decode(line).bytes) {
            Line::Head(head) => {
                if survey.written_at.is_empty() {
                    text::clean_into(head.written_at, &mut survey.written_at);
                }
                survey.add(head.logged_at, head.level);
            }
            Line::Unparsed => survey.unparsed += 1,
            Line::Continuation(_) | Line::Rest(_) => {
                survey.unparsed += u64::from(survey.entries == 0);
            }
        }
    }
    Ok(survey)
}

impl Survey {
    fn add(&mut self, logged_at: EventTime, level: Level) {
        self.entries += 1;
        self.by_level[level.index()] += 1;
        let (first, last) = self.span.unwrap_or((logged_at, logged_at));
        self.longest_silence = self.longest_silence.max(logged_at.0.saturating_sub(last.0));
        self.span = Some((first.min(logged_at), last.max(logged_at)));
        if level >= Level::Error {
            self.errors.push(logged_at);
        }
        if level == Level::Fatal {
            self.fatals.push(logged_at);
        }
    }
}
