//! What must be true of any bytes that somebody calls a log. The fuzzer (`fuzz_targets/bytes.rs`)
//! looks for bytes of which it is not; `tests/fuzz_corpus.rs` asks it of those that are kept.
//!
//! - Nothing panics.
//! - Every byte is accounted for: lines and the NUL bytes before them follow each other without a
//!   gap, there are as many lines as line ends, and each is what stands between two of them.
//! - Wherever a run ends the lines are the same, and in every format each of them means the same.
//! - A line that is given back and read again means the same.
//! - Lines that a format joins are the same wherever a run ends.
//! - Lines that are skimmed are counted as if they were read.

use std::fs::File;
use std::io::Write as _;

use chrono_tz::Europe::Berlin;
use encoding_rs::UTF_8;
use tripline::model::{EventTime, FileIdentity, Joins, Level, LevelRules, LevelSet, LevelWords};
use tripline::parse::text::clean_into;
use tripline::parse::{Format, Head, Line, Parser, detect};
use tripline::tail::line_end::Units;
use tripline::tail::{Content, LineReader};

/// Short, so that the fuzzer finds lines that are cut.
const MAX_LINE_BYTES: usize = 300;
/// What `src/parse/fields.rs` promises.
const MAX_FIELDS: usize = 50;

/// A line as the reader gives it out.
#[derive(Debug, PartialEq, Eq)]
struct Given {
    bytes: Vec<u8>,
    byte_offset: u64,
    nul_bytes: u64,
    cut: bool,
}

/// What a line means.
#[derive(Debug, PartialEq, Eq)]
enum Meaning {
    Head { logged_at: EventTime, is_dated: bool, level: Level, message: String, written: String },
    Continuation(String),
    Rest(String),
    Unparsed,
}

/// Fails if what must be true is not true of these bytes.
pub(crate) fn check(bytes: &[u8]) {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(bytes).unwrap();
    let mut random = Random::of(bytes);
    let mut log = Log { file: &file, units: Units::Bytes, joins: None };
    let lines = log.lines(&[bytes.len()]);
    accounted_for(bytes, log.units, &lines);
    let mut ends: Vec<usize> = (0..4).map(|_| random.below(bytes.len() + 1)).collect();
    ends.push(bytes.len());
    ends.sort_unstable();
    assert_eq!(log.lines(&ends), lines, "runs that end at {ends:?} read other lines");

    let words = match random.below(4) {
        0 => {
            LevelWords::new([("INFO", Level::Debug), ("audit", Level::Fatal), ("3", Level::Error)])
        }
        _ => LevelWords::NONE,
    };
    let lines: Vec<&[u8]> = lines.iter().map(|line| line.bytes.as_slice()).collect();
    detected(&lines, &words, &mut random);
    let rules = LevelRules { words, ..LevelRules::default() };
    for format in Format::ALL {
        let new = |last| Parser::new(format, Berlin, last).judging(rules.clone());
        same_in_every_run(&lines, format, &mut random, new);
    }
    let new =
        |last| Parser::new(Format::Plain, Berlin, last).judging(rules.clone()).trying_others();
    same_in_every_run(&lines, Format::Plain, &mut random, new);
    joined(&mut log, &ends, bytes.len());
    if log.units == Units::Bytes {
        skimmed(&log, bytes.len(), &rules);
    }
}

/// A log, which is read through one handle.
struct Log<'a> {
    file: &'a File,
    units: Units,
    joins: Option<Joins>,
}

impl Log<'_> {
    fn reader(&self, from: u64, to: usize) -> LineReader {
        let content = Content::Plain(self.file.try_clone().unwrap());
        let identity = FileIdentity { device: 1, inode: 2 };
        let reader =
            LineReader::new(content, identity, from, to as u64, MAX_LINE_BYTES, UTF_8).unwrap();
        reader.joining(self.joins)
    }

    /// The lines, read by runs that end at these offsets; the last is the end of the file. What
    /// is left then is given out as the last line.
    fn lines(&mut self, ends: &[usize]) -> Vec<Given> {
        let mut lines = Vec::new();
        let mut from = 0;
        for (run, &end) in ends.iter().enumerate() {
            let mut reader = self.reader(from, end);
            while let Some(line) = reader.next_line().unwrap() {
                lines.push(Given {
                    bytes: line.bytes.to_vec(),
                    byte_offset: line.byte_offset,
                    nul_bytes: line.nul_bytes,
                    cut: line.cut,
                });
                // A line that is given back comes again.
                if lines.len() % 5 == run {
                    reader.take_back();
                    assert_eq!(reader.byte_offset(), before(lines.last().unwrap()));
                    let again = reader.next_line().unwrap().unwrap();
                    assert_eq!(again.bytes, lines.last().unwrap().bytes);
                }
            }
            let place = reader.place();
            assert_eq!(place.byte_offset, reader.byte_offset());
            assert!(place.byte_offset >= from && place.byte_offset <= end as u64);
            assert!(reader.still_holds(&place, b"").unwrap());
            from = place.byte_offset;
            self.units = reader.units();
            if run + 1 == ends.len()
                && let Some(line) = reader.last_line()
            {
                assert!(line.byte_offset + line.bytes.len() as u64 <= end as u64);
            }
        }
        lines
    }
}

/// Where a line begins, with the NUL bytes before it.
fn before(line: &Given) -> u64 {
    line.byte_offset - line.nul_bytes
}

/// Lines follow each other without a gap, and are what stands between two line ends.
fn accounted_for(bytes: &[u8], units: Units, lines: &[Given]) {
    let mut end = 0;
    for (index, line) in lines.iter().enumerate() {
        assert_eq!(before(line), end as u64, "line {index} begins where the one before it ends");
        let start = usize::try_from(line.byte_offset).unwrap();
        assert!(bytes[end..start].iter().all(|&byte| byte == 0));
        let kept = start + line.bytes.len();
        assert_eq!(line.bytes, &bytes[start..kept]);
        assert!(line.bytes.len() <= MAX_LINE_BYTES);
        assert!(
            line.cut || lines.get(index + 1).is_none_or(|next| before(next) <= kept as u64 + 4)
        );
        end = match lines.get(index + 1) {
            Some(next) => usize::try_from(before(next)).unwrap(),
            None => kept,
        };
    }
    if units == Units::Bytes {
        let line_ends = bytes.split(|&byte| byte == b'\n').count() - 1;
        assert_eq!(lines.len(), line_ends, "as many lines as line ends");
        let first = |text: &[u8]| text.iter().take_while(|&&byte| byte == 0).count();
        let expected = bytes.split_inclusive(|&byte| byte == b'\n').map(|line| {
            let line = &line[first(line)..];
            let line = line.strip_suffix(b"\n").unwrap_or(line);
            line.strip_suffix(b"\r").unwrap_or(line)
        });
        for (line, expected) in lines.iter().zip(expected) {
            assert_eq!(line.bytes, &expected[..expected.len().min(MAX_LINE_BYTES)]);
            assert_eq!(line.cut, expected.len() > MAX_LINE_BYTES);
        }
    }
}

/// Lines that are joined are the same wherever a run ends, and nothing is between them.
fn joined(log: &mut Log<'_>, ends: &[usize], length: usize) {
    for format in Format::ALL.into_iter().filter(|format| format.joins().is_some()) {
        log.joins = format.joins();
        let lines = log.lines(&[length]);
        assert_eq!(log.lines(ends), lines, "{format}: runs that end at {ends:?} join other lines");
        for (line, next) in lines.iter().zip(lines.iter().skip(1)) {
            let end = line.byte_offset + line.bytes.len() as u64;
            assert!(line.cut || end <= before(next) && before(next) <= end + 4);
        }
        if log.units == Units::Bytes {
            let bytes: Vec<&[u8]> = lines.iter().map(|line| line.bytes.as_slice()).collect();
            let new = |last| Parser::new(format, Berlin, last);
            same_in_every_run(&bytes, format, &mut Random::of(&[]), new);
        }
    }
    log.joins = None;
}

/// What is said of the formats can be.
fn detected(lines: &[&[u8]], words: &LevelWords, random: &mut Random) {
    let ranking = detect::rank(&lines.iter().copied(), words);
    // As dear as the ranking itself.
    if random.below(8) == 0 {
        let detected = detect::detect(&lines.iter().copied(), words);
        assert_eq!(detected, ranking.first().map(|ranked| ranked.format));
    }
    for (index, ranked) in ranking.iter().enumerate() {
        assert!(ranked.heads > 0 && ranked.with_level <= ranked.heads);
        assert!(ranked.heads + ranked.unparsed <= lines.len());
        assert!(ranking[..index].iter().all(|better| better.format != ranked.format));
    }
}

/// Reads the lines in one run; of each, either that it means the same in a run of its own, or that
/// it does if it is given back and read again. Which of them depends on the bytes, and differs
/// between formats: of all that the fuzzer tries, both are asked of every line, at half the cost.
fn same_in_every_run(
    lines: &[&[u8]],
    format: Format,
    random: &mut Random,
    new: impl Fn(Option<EventTime>) -> Parser,
) {
    let mut warm = new(None);
    for &line in lines {
        let (last, trace) = (warm.last_logged_at(), warm.trace());
        let meaning = meaning(warm.line(line));
        let after = (warm.last_logged_at(), warm.trace());
        assert!(warm.fields(line).as_map().len() <= MAX_FIELDS);
        if random.below(2) == 0 {
            let mut fresh = new(last).within(trace);
            assert_eq!(self::meaning(fresh.line(line)), meaning, "{format}, in a run of its own");
            assert_eq!(fresh.fields(line), warm.fields(line), "{format}, fields");
            let remembered = (fresh.last_logged_at(), fresh.trace());
            assert_eq!(remembered, after, "{format}, what is remembered");
        } else {
            warm.go_back(last, trace);
            assert_eq!(
                (warm.last_logged_at(), warm.trace()),
                (last, trace),
                "{format}, given back"
            );
            assert_eq!(self::meaning(warm.line(line)), meaning, "{format}, read again");
            assert_eq!((warm.last_logged_at(), warm.trace()), after, "{format}, read again");
        }
    }
}

fn meaning(line: Line<'_>) -> Meaning {
    match line {
        Line::Head(Head { logged_at, is_dated, level, message, written_at }) => Meaning::Head {
            logged_at,
            is_dated,
            level,
            message: clean(message),
            written: clean(written_at),
        },
        Line::Continuation(text) => Meaning::Continuation(clean(text)),
        Line::Rest(text) => Meaning::Rest(clean(text)),
        Line::Unparsed => Meaning::Unparsed,
    }
}

/// The text as it is stored: PostgreSQL takes no NUL.
fn clean(raw: &[u8]) -> String {
    let mut text = String::new();
    clean_into(raw, &mut text);
    assert!(!text.contains('\0'));
    text
}

/// What is counted of a log.
#[derive(Debug, Default, PartialEq, Eq)]
struct Counts {
    heads: [i64; Level::ALL.len()],
    continued: i64,
    unparsed: i64,
}

/// Lines that are only counted are counted the same, whether they are skimmed or read.
fn skimmed(log: &Log<'_>, length: usize, rules: &LevelRules) {
    let none = LevelSet::from_iter([]);
    let [read, skimmed] = [none, LevelSet::all()].map(|levels| {
        let mut parser = Parser::new(Format::Plain, Berlin, None).judging(rules.clone());
        let mut reader = log.reader(0, length);
        let mut counts = Counts::default();
        loop {
            let take = |bytes: &[u8]| {
                let skimmed = parser.skim(bytes, levels, EventTime(i64::MAX), MAX_LINE_BYTES);
                for (sum, lines) in counts.heads.iter_mut().zip(skimmed.lines) {
                    *sum += lines;
                }
                Ok(skimmed.bytes)
            };
            reader.take_lines(length as u64, take).unwrap();
            let Some(line) = reader.next_line().unwrap() else { break };
            match parser.line(line.bytes) {
                Line::Head(head) => counts.heads[head.level.index()] += 1,
                Line::Continuation(_) | Line::Rest(_) => counts.continued += 1,
                Line::Unparsed => counts.unparsed += 1,
            }
        }
        (counts, reader.byte_offset(), parser.last_logged_at(), parser.trace())
    });
    assert_eq!(skimmed, read, "skimmed and read");
}

/// Numbers that depend on the bytes alone, so that what fails once fails always.
struct Random(u64);

impl Random {
    fn of(bytes: &[u8]) -> Self {
        let fnv = |hash: u64, byte: &u8| (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        Self(bytes.iter().fold(0xcbf2_9ce4_8422_2325, fnv))
    }

    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1);
        usize::try_from(self.0 >> 33).unwrap() % limit
    }
}
