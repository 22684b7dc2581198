//! Which format a log is written in.
//!
//! Each format reads the first lines; the one that reads most of them is that of the log. Of
//! several that read nearly as many, the first in the order of [`Format::ALL`] is: it says more
//! about a line. A log may be written by several programs: what [`Format::Text`] reads of it
//! besides counts half.

use super::container;
use super::formats::Scratch;
use super::multiline::Continuations;
use super::text;
use crate::model::{Format, LevelWords, joined};

/// As much of a log is looked at.
pub const SAMPLE_BYTES: usize = 64 * 1024;
/// Hundredths of what the best format reads that a better one has to read.
const ENOUGH: usize = 90;

/// How well a format reads some lines.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ranked {
    /// The format.
    pub format: Format,
    /// Lines that it reads as the beginning of an entry.
    pub heads: usize,
    /// How many of these name a level.
    pub with_level: usize,
    /// Lines that neither begin nor, by their shape, continue an entry of it.
    pub unparsed: usize,
}

/// The formats that read any of the lines, of a source with these words for levels, the best
/// first; all of them are UTF-8, or nearly.
pub fn rank<'a>(
    lines: &(impl Iterator<Item = &'a [u8]> + Clone),
    words: &LevelWords,
) -> Vec<Ranked> {
    let ranked = Format::ALL.into_iter().map(|format| read(format, lines.clone(), words));
    let mut ranked: Vec<_> = ranked.filter(|ranked| ranked.heads > 0).collect();
    let most = ranked.iter().map(weight).max().unwrap_or_default();
    // The order of the formats stays among equals.
    ranked.sort_by_key(|ranked| {
        let weight = weight(ranked);
        if weight * 100 >= most * ENOUGH { 0 } else { usize::MAX - weight }
    });
    ranked
}

/// What the lines count that a format reads: half, where it is made for those that no other
/// format reads.
fn weight(ranked: &Ranked) -> usize {
    if ranked.format == Format::Text { ranked.heads } else { ranked.heads * 2 }
}

/// The format of these lines, if any reads one of them.
pub fn detect<'a>(
    lines: &(impl Iterator<Item = &'a [u8]> + Clone),
    words: &LevelWords,
) -> Option<Format> {
    rank(lines, words).first().map(|ranked| ranked.format)
}

fn read<'a>(format: Format, lines: impl Iterator<Item = &'a [u8]>, words: &LevelWords) -> Ranked {
    let Some(joins) = format.joins() else { return read_lines(format, lines, words) };
    let text = lines.flat_map(|line| [line, b"\n"]).collect::<Vec<_>>().concat();
    read_lines(format, joined(&text, Some(joins)), words)
}

fn read_lines<'a>(
    format: Format,
    lines: impl Iterator<Item = &'a [u8]>,
    words: &LevelWords,
) -> Ranked {
    let mut ranked = Ranked { format, heads: 0, with_level: 0, unparsed: 0 };
    let mut scratch = Scratch::default();
    let mut continuations = Continuations::default();
    let (mut uncoloured, mut unescaped, mut inner) = (Vec::new(), Vec::new(), Vec::new());
    for line in lines {
        uncoloured.clear();
        text::remove_escapes(line, &mut uncoloured);
        if let Some(piece) = format.piece(&uncoloured, &mut unescaped) {
            let text = container::inner(&piece, &unescaped, &mut inner);
            ranked.heads += 1;
            ranked.with_level += usize::from(container::names_level(text, words, &mut scratch));
            continue;
        }
        match format.record(&uncoloured, words, &mut scratch) {
            Some(record) => {
                ranked.heads += 1;
                ranked.with_level += usize::from(record.level.is_some());
            }
            None if format.is_of_blocks() && ranked.heads > 0 => {}
            None if continuations.continues(&uncoloured) => {}
            None => ranked.unparsed += 1,
        }
    }
    ranked
}

#[cfg(test)]
mod tests {
    use super::*;

    fn detected(log: &str) -> Option<Format> {
        detect(&log.lines().map(str::as_bytes), &LevelWords::NONE)
    }

    #[test]
    fn the_format_that_reads_most_lines_is_detected() {
        assert_eq!(detected(""), None);
        assert_eq!(detected("neither\nnor\n"), None);
        let plain = "2026-01-01 00:00:05 [ERROR] x\n";
        let syslog = "Jan 31 15:04:05 web1 app[3]: x\n";
        assert_eq!(detected(plain), Some(Format::Plain));
        assert_eq!(detected(&format!("{plain}{syslog}{syslog}")), Some(Format::Syslog));
        assert_eq!(detected(&format!("{plain}\tat x\nneither\n")), Some(Format::Plain));
    }

    #[test]
    fn lines_within_lines_name_their_level() {
        let docker = [
            r#"{"log":"level=warn msg=x\n","stream":"stdout","time":"2026-01-01T00:00:05Z"}"#,
            r#"{"log":"\u001b[31mERROR\u001b[0m x\n","stream":"stdout","time":"2026-01-01T00:00:05Z"}"#,
            r#"{"log":"no level\n","stream":"stdout","time":"2026-01-01T00:00:05Z"}"#,
        ];
        let cri = "2026-01-01T00:00:05.000000001Z stderr F {\"level\":\"error\",\"msg\":\"x\"}";
        for (lines, format, with_level) in
            [(docker.join("\n"), Format::Docker, 2), (cri.to_owned(), Format::Cri, 1)]
        {
            let best = rank(&lines.lines().map(str::as_bytes), &LevelWords::NONE)[0];
            assert_eq!((best.format, best.with_level), (format, with_level));
        }
    }

    #[test]
    fn a_format_that_says_more_wins_among_equals() {
        let lines = "2026-01-01 00:00:05 [ERROR] x\n".repeat(10);
        let ranked = rank(&lines.lines().map(str::as_bytes), &LevelWords::NONE);
        assert_eq!(ranked[0].format, Format::Plain);
        assert!(ranked.iter().any(|ranked| ranked.format == Format::Text && ranked.heads == 10));
        let nearly = lines + "2026-01-01 00:00:05 x\n";
        assert_eq!(detected(&nearly), Some(Format::Plain));
    }
}
