//! What would be read of a log, without storing any of it.

use std::collections::BTreeMap;

use super::IngestError;
use super::take::{first_lines, parser};
use super::target::Target;
use crate::config::LogFormat;
use crate::model::{EventTime, Format, Level, joined};
use crate::parse::detect::{self, Ranked};
use crate::parse::{Line, Parser, text};
use crate::tail::LogFile;

/// What was found in the first lines of a log.
#[derive(Debug)]
pub struct Inspection {
    /// The name of the format that would be used: that of the config, or the one that reads
    /// most lines.
    pub format: Option<&'static str>,
    /// How well all formats read the lines, the best first; those that read none are left out.
    pub ranking: Vec<Ranked>,
    /// How many lines were looked at.
    pub lines: usize,
    /// Lines that begin an entry.
    pub heads: usize,
    /// Lines that continue one.
    pub continued: usize,
    /// Lines that do neither.
    pub unparsed: usize,
    /// Time of the first entry and of the last one.
    pub span: Option<(EventTime, EventTime)>,
    /// The first entries.
    pub samples: Vec<Sample>,
}

/// An entry as it would be stored.
#[derive(Debug)]
pub struct Sample {
    /// When it happened.
    pub logged_at: EventTime,
    /// The time as the log shows it, with its zone; empty if it shows none.
    pub written_at: String,
    /// Its level.
    pub level: Level,
    /// Its message, all lines.
    pub message: String,
    /// What it says besides.
    pub fields: BTreeMap<String, serde_json::Value>,
}

/// Looks at the beginning of a log, and reads up to `most_samples` entries of it.
///
/// # Errors
/// When the log cannot be read.
pub fn inspect(target: &Target, most_samples: usize) -> Result<Inspection, IngestError> {
    let mut log = LogFile::open(&target.path)?;
    let sample = first_lines(&mut log, 0, target);
    let lines = sample.lines().map(str::as_bytes);
    let ranking = detect::rank(&lines, &target.config.level_rules.words);
    let detected = ranking.first().map(|ranked| ranked.format);
    let format = match &target.config.format {
        LogFormat::Auto => detected.map(Format::as_str),
        LogFormat::Named(_) | LogFormat::Own(_) => Some(target.config.format_name()),
    };
    let mut parser =
        parser(target, detected, None, log.modified).joining(target.config.multiline.clone());
    let mut inspection = Inspection {
        format,
        ranking,
        lines: lines.count(),
        heads: 0,
        continued: 0,
        unparsed: 0,
        span: None,
        samples: Vec::new(),
    };
    for line in joined(sample.as_bytes(), parser.joins()) {
        inspection.add(&mut parser, line, most_samples);
    }
    Ok(inspection)
}

impl Inspection {
    fn add(&mut self, parser: &mut Parser, line: &[u8], most_samples: usize) {
        let joined_lines = memchr::memchr_iter(b'\n', line).count();
        let (continuation, before) = match parser.line(line) {
            Line::Head(head) => {
                self.heads += 1;
                self.continued += joined_lines;
                let first = self.span.map_or(head.logged_at, |(first, _)| first);
                self.span = Some((first, head.logged_at));
                if self.heads > most_samples {
                    return;
                }
                let mut sample = Sample {
                    logged_at: head.logged_at,
                    written_at: String::new(),
                    level: head.level,
                    message: String::new(),
                    fields: BTreeMap::new(),
                };
                text::clean_into(head.written_at, &mut sample.written_at);
                text::clean_into(head.message, &mut sample.message);
                let fields = parser.fields(line).as_map().clone();
                sample.fields = fields.into_iter().collect();
                self.samples.push(sample);
                return;
            }
            Line::Continuation(text) if self.heads > 0 => (text, "\n"),
            Line::Rest(text) if self.heads > 0 => (text, ""),
            Line::Continuation(_) | Line::Rest(_) | Line::Unparsed => {
                self.unparsed += 1 + joined_lines;
                return;
            }
        };
        self.continued += 1 + joined_lines;
        if let Some(sample) = self.samples.last_mut().filter(|_| self.heads <= most_samples)
            && !continuation.trim_ascii().is_empty()
        {
            sample.message.push_str(before);
            text::clean_into(continuation, &mut sample.message);
        }
    }
}
