//! Passing over lines that are only counted.
//!
//! Most lines of most logs are of levels that nobody stores: of such a line only its level and
//! its time matter. Where a whole stretch of them is written as programs usually write them,
//! in the minute of the line before, it is read here, at a fraction of what
//! [`Parser::line`](super::Parser::line) costs. Every other line ends the stretch and is left
//! to that: what is found out here is the same, or nothing.

use memchr::{memchr, memrchr};

use super::formats::plain::MINUTE_LENGTH;
use crate::model::{EventTime, Level, LevelSet};

/// A stretch of lines that begin entries of levels which are not stored.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Skimmed {
    /// Bytes of all lines, with their ends.
    pub bytes: usize,
    /// How many lines there are of each level, as [`Level::index`] counts them.
    pub lines: [i64; Level::ALL.len()],
    /// Level and time of the last line; `None` if there is no line.
    pub last: Option<(Level, EventTime)>,
    /// The earliest and the latest time.
    pub span: Option<(EventTime, EventTime)>,
}

/// `:05 [`, between the minute and the level.
const SECOND_LENGTH: usize = 5;
/// Where the level stands.
const LEVEL_OFFSET: usize = MINUTE_LENGTH + SECOND_LENGTH;
/// As much of a line as is looked at: to the end of the longest level.
const HEAD_LENGTH: usize = LEVEL_OFFSET + size_of::<u64>();

/// Skims the lines of plain records at the start of `bytes`, as far as they stand in the minute
/// `written` without a zone or a fraction, their levels are among `levels`, and they are whole
/// and not longer than `max_line_bytes`. `minute` is what `written` means.
pub(super) fn plain(
    bytes: &[u8],
    written: [u8; MINUTE_LENGTH],
    minute: EventTime,
    levels: LevelSet,
    max_line_bytes: usize,
) -> Skimmed {
    let mut skimmed = Skimmed::default();
    let mut last = None;
    let (mut earliest, mut latest) = (u8::MAX, 0);
    while let Some(head) = bytes[skimmed.bytes..].first_chunk::<HEAD_LENGTH>()
        && let Some((second, level)) = usual_head(head, written)
        && levels.contains(level)
        // No line end stands before the level: what stands there was compared.
        && let Some(length) = memchr(b'\n', &bytes[skimmed.bytes + LEVEL_OFFSET..])
        && LEVEL_OFFSET + length <= max_line_bytes
    {
        skimmed.bytes += LEVEL_OFFSET + length + 1;
        skimmed.lines[level.index()] += 1;
        last = Some((level, second));
        (earliest, latest) = (earliest.min(second), latest.max(second));
    }
    let time = |second| EventTime(minute.0 + i64::from(second) * 1_000_000);
    skimmed.last = last.map(|(level, second)| (level, time(second)));
    skimmed.span = last.map(|_| (time(earliest), time(latest)));
    skimmed
}

/// The message of the last of the lines that were skimmed, without the line end.
pub(super) fn last_message(skimmed: &[u8]) -> &[u8] {
    let lines = skimmed.strip_suffix(b"\n").unwrap_or(skimmed);
    let line = lines.strip_suffix(b"\r").unwrap_or(lines);
    let start = memrchr(b'\n', line).map_or(0, |end| end + 1);
    let bracket = memchr(b']', &line[start..]).map_or(0, |bracket| bracket + 1);
    let message = &line[start + bracket..];
    let blanks = message.iter().take_while(|byte| matches!(byte, b' ' | b'\t')).count();
    &message[blanks..]
}

/// The second and the level of a line; `None` for all that is not as usual.
///
/// No branch depends on which of the levels it is: no processor could foretell it.
#[inline]
fn usual_head(head: &[u8; HEAD_LENGTH], written: [u8; MINUTE_LENGTH]) -> Option<(u8, Level)> {
    let (minute, rest) = head.split_first_chunk::<MINUTE_LENGTH>()?;
    let (&[colon, tens, units, blank, bracket], level) = rest.split_first_chunk()?;
    let (tens, units) = (tens.wrapping_sub(b'0'), units.wrapping_sub(b'0'));
    let usual = &USUAL_LEVELS[usual_level_index(level[0], level[4])];
    let level = u64::from_le_bytes(*level.first_chunk()?);
    let is_usual = *minute == written
        && colon == b':'
        && tens < 6
        && units < 10
        && blank == b' '
        && bracket == b'['
        && level & usual.mask == usual.text;
    is_usual.then(|| (tens * 10 + units, usual.level))
}

/// A level as it is usually written, with the bracket behind it, as a number of eight bytes.
#[derive(Clone, Copy)]
struct UsualLevel {
    text: u64,
    /// Of the eight bytes, those that are compared; the others are behind the bracket.
    mask: u64,
    level: Level,
}

/// The usual levels, where [`usual_level_index`] says; all others match nothing.
const USUAL_LEVELS: [UsualLevel; 64] = {
    // No text has a bit outside of its mask.
    let mut levels = [UsualLevel { text: 1, mask: 0, level: Level::Trace }; 64];
    let usual: [(&[u8], Level); 7] = [
        (b"TRACE]", Level::Trace),
        (b"DEBUG]", Level::Debug),
        (b"INFO]", Level::Info),
        (b"WARN]", Level::Warning),
        (b"WARNING]", Level::Warning),
        (b"ERROR]", Level::Error),
        (b"FATAL]", Level::Fatal),
    ];
    let mut next = 0;
    while next < usual.len() {
        let (written, level) = usual[next];
        let mut text = [0; 8];
        let mut mask = [0; 8];
        let mut at = 0;
        while at < written.len() {
            text[at] = written[at];
            mask[at] = 0xff;
            at += 1;
        }
        levels[usual_level_index(written[0], written[4])] =
            UsualLevel { text: u64::from_le_bytes(text), mask: u64::from_le_bytes(mask), level };
        next += 1;
    }
    levels
};

/// A place for each usual level, by its first and its fifth letter: WARN and WARNING begin
/// alike.
const fn usual_level_index(first: u8, fifth: u8) -> usize {
    let is_short = fifth == b']';
    (first & 0x1f) as usize | (is_short as usize) << 5
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::super::{Format, Line, Parser};
    use super::*;

    const MAX_LINE_BYTES: usize = 60;
    const END_OF_TIME: EventTime = EventTime(i64::MAX);

    fn parser() -> Parser {
        Parser::new(Format::Plain, chrono_tz::Europe::Berlin, None)
    }

    fn levels(levels: &[Level]) -> LevelSet {
        levels.iter().copied().collect()
    }

    /// How many lines are skimmed behind a first line that is read as any other.
    #[track_caller]
    fn check(first: &str, rest: &str, expected: i64) {
        let mut parser = parser();
        parser.line(first.as_bytes());
        let counted = levels(&[Level::Debug, Level::Info, Level::Warning]);
        let skimmed = parser.skim(rest.as_bytes(), counted, END_OF_TIME, MAX_LINE_BYTES);
        assert_eq!(skimmed.lines.iter().sum::<i64>(), expected, "{first:?} {rest:?}");
    }

    #[test]
    fn the_usual_lines_are_skimmed_as_far_as_they_are_whole() {
        let first = "2026-01-01 00:00:05 [ERROR] first";
        check(first, "", 0);
        check(first, "2026-01-01 00:00:06 [INFO] one\n", 1);
        check(first, "2026-01-01 00:00:06 [INFO]\n2026-01-01 00:00:59 [WARNING] two\r\n", 2);
        check(first, "2026-01-01 00:00:06 [WARN] one\n2026-01-01 00:00:07 [DEBUG]x\n\n", 2);
        check(first, "2026-01-01 00:00:06 [INFO] one\n2026-01-01 00:00:07 [INFO] no end", 1);
        check("2026-01-01T00:00:05 [INFO]", "2026-01-01T00:00:06 [INFO] one\n", 1);
    }

    #[test]
    fn what_is_not_as_usual_is_left() {
        let first = "2026-01-01 00:00:05 [ERROR] first";
        for line in [
            "2026-01-01 00:00:06 [ERROR] stored",
            "2026-01-01 00:01:06 [INFO] another minute",
            "2026-01-01T00:00:06 [INFO] written otherwise",
            "2026-01-01 00:00:60 [INFO] a leap second",
            "2026-01-01 00:00:6x [INFO] no second",
            "2026-01-01 00:00:06,5 [INFO] a fraction",
            "2026-01-01 00:00:06Z [INFO] a zone",
            "2026-01-01 00:00:06 [Info] another word",
            "2026-01-01 00:00:06 [INFO ] padded",
            "2026-01-01 00:00:06 [INFORMATION] longer",
            "2026-01-01 00:00:06 [NONE] none",
            "2026-01-01 00:00:06 [INFO] longer than all that is kept of a line, by far",
            "\tat somewhere in a place that is long enough",
            "",
        ] {
            check(first, &format!("{line}\n2026-01-01 00:00:07 [INFO] next\n"), 0);
        }
    }

    #[test]
    fn nothing_is_skimmed_where_the_time_depends_on_more() {
        // The hour that is repeated, a zone that only the line before has, and a fresh parser.
        check("2026-10-25 02:30:05 [INFO]", "2026-10-25 02:30:06 [INFO] x\n", 0);
        check("2026-01-01 00:00:05Z [INFO]", "2026-01-01 00:00:06 [INFO] x\n", 0);
        check("", "1970-01-01 00:00:06 [INFO] x\n", 0);
    }

    #[test]
    fn lines_after_the_latest_time_are_left() {
        let mut parser = parser();
        parser.line(b"2026-01-01 00:00:05 [INFO]");
        let minute: EventTime =
            "2025-12-31T23:01:00Z".parse::<chrono::DateTime<_>>().unwrap().into();
        let line = b"2026-01-01 00:00:06 [INFO] x\n";
        let mut lines = |latest| parser.skim(line, levels(&[Level::Info]), latest, 60).lines;
        assert_eq!(lines(EventTime(minute.0 - 1)), [0; 6]);
        assert_eq!(lines(minute), [0, 0, 1, 0, 0, 0]);
    }

    fn line() -> impl Strategy<Value = String> {
        prop_oneof![
            8 => "2026-10-25 0[23]:00:[0-6][0-9] \\[(INFO|WARN|WARNING|DEBUG|TRACE|FATAL|ERROR)\\]( [a-z]{0,40})?\r?",
            1 => "2026-10-25[ T]02:[0-2][0-9]:[0-6][0-9]([.,][0-9]{1,3})? \\[(INFO|error|NO)\\] x",
            1 => "2026-01-1[0-9] {1,2}0[0-4]:00:[0-5]0( ?\\+01)? \\[INFO\\]",
            1 => "[ -~]{0,40}",
            1 => "2026-10-25 03:00:00 \\[(INFO|ERROR)\\] +Traceback \\(most recent call last\\):\r?",
        ]
    }

    proptest! {
        /// Skimmed or not, the lines are the same.
        #[test]
        fn it_finds_out_what_reading_finds_out(
            lines in prop::collection::vec(line(), 1..60),
            counted in prop::collection::vec(prop::sample::select(&Level::ALL[..]), 0..6),
        ) {
            let (mut skimming, mut reading) = (parser(), parser());
            let counted = levels(&counted);
            let text = lines.join("\n") + "\n";
            let mut rest = text.as_str();
            let mut lines = lines.iter();
            while !rest.is_empty() {
                let skimmed = skimming.skim(rest.as_bytes(), counted, END_OF_TIME, MAX_LINE_BYTES);
                rest = &rest[skimmed.bytes..];
                let mut read = Skimmed { bytes: skimmed.bytes, ..Skimmed::default() };
                for _ in 0..skimmed.lines.iter().sum::<i64>() {
                    let line = lines.next().unwrap();
                    prop_assert!(line.trim_end().len() <= MAX_LINE_BYTES);
                    let Line::Head(head) = reading.line(line.as_bytes()) else {
                        panic!("not a head: {line}")
                    };
                    prop_assert!(counted.contains(head.level));
                    read.lines[head.level.index()] += 1;
                    read.last = Some((head.level, head.logged_at));
                    let (first, last) = read.span.unwrap_or((head.logged_at, head.logged_at));
                    read.span = Some((first.min(head.logged_at), last.max(head.logged_at)));
                }
                prop_assert_eq!(skimmed, read);
                prop_assert_eq!(skimming.last_logged_at(), reading.last_logged_at());
                prop_assert_eq!(skimming.trace(), reading.trace());
                if let Some((line, after)) = rest.split_once('\n') {
                    prop_assert_eq!(line, lines.next().unwrap());
                    prop_assert_eq!(skimming.line(line.as_bytes()), reading.line(line.as_bytes()));
                    rest = after;
                }
            }
            prop_assert_eq!(lines.next(), None);
        }
    }
}
