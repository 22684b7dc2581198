//! The plain format: `2026-01-01 00:00:05 [ERROR] message`.
//!
//! ```text
//! record   = minute ":" second [fraction] [zone] *blank "[" *blank level *blank "]" *blank message
//! minute   = YYYY "-" MM "-" DD ("T" / 1*blank) hh ":" mm   ; a day of the years 1970 to 9999
//! second   = 00 ... 60                                      ; 60 is a leap second
//! fraction = ("." / ",") 1*9digit                           ; digits after the sixth are dropped
//! zone     = *blank ("Z" / "UTC" / ("+" / "-") hh [[":"] mm])
//! blank    = space / tab
//! ```
//!
//! The date and the zone are those of RFC 3339, widened by what loggers really write: a
//! comma before the fraction (Python), a zone without colon or minutes, padding inside the
//! brackets. `level` is any word of [`levels::WORDS`]. The message may be empty.

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::take_till1;
use nom::character::complete::{char, space1};
use nom::combinator::{map, map_opt, opt, value, verify};
use nom::sequence::{delimited, preceded, separated_pair};

use super::{Record, Text};
use crate::model::{Level, LevelWords};
use crate::parse::levels;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::{self, Parsed, blanks, digits, fraction, second};

/// The bytes of `YYYY-MM-DD hh:mm`.
pub(in crate::parse) const MINUTE_LENGTH: usize = 16;

/// The minute of the last record: nearly every line repeats the minute of the line before
/// it, and comparing 16 bytes is several times faster than reading a date.
///
/// Invariant: `civil_seconds` is what [`minute`] reads from `written`, wholly consumed.
#[derive(Clone, Debug)]
pub(in crate::parse) struct LastMinute {
    written: [u8; MINUTE_LENGTH],
    civil_seconds: i64,
}

impl Default for LastMinute {
    fn default() -> Self {
        Self { written: *b"1970-01-01 00:00", civil_seconds: 0 }
    }
}

impl LastMinute {
    /// The minute as it was written, and as seconds since 1970-01-01 00:00 on the same clock.
    pub(in crate::parse) fn get(&self) -> ([u8; MINUTE_LENGTH], i64) {
        (self.written, self.civil_seconds)
    }

    /// Reads a minute like [`minute`], from memory if it is the last one.
    fn read<'a>(&mut self, line: &'a [u8]) -> Parsed<'a, i64> {
        if let Some((written, rest)) = line.split_first_chunk()
            && *written == self.written
        {
            return Ok((rest, self.civil_seconds));
        }
        let (rest, civil_seconds) = minute(line)?;
        // More blanks than one make it longer; then it is not worth remembering.
        if let Ok(written) = line[..line.len() - rest.len()].try_into() {
            *self = Self { written, civil_seconds };
        }
        Ok((rest, civil_seconds))
    }
}

/// Reads a line that starts an entry; `None` if it does not.
pub(in crate::parse) fn record<'a>(
    line: &'a [u8],
    words: &LevelWords,
    last_minute: &mut LastMinute,
) -> Option<Record<'a>> {
    let (rest, minute_seconds) = last_minute.read(line).ok()?;
    let (rest, (second, micros, utc_offset_seconds)) =
        (preceded(char(':'), second), fraction, opt(zone)).parse(rest).ok()?;
    let written_at = &line[..line.len() - rest.len()];
    let (message, level) =
        delimited(blanks, |input| level(input, words), blanks).parse(rest).ok()?;
    let time = WrittenTime::new(minute_seconds, second, micros, utc_offset_seconds);
    Some(Record { time: Some(time), written_at, level: Some(level), message: Text::Line(message) })
}

/// `2026-01-01 00:00`, as seconds since 1970-01-01 00:00 on the same clock.
fn minute(input: &[u8]) -> Parsed<'_, i64> {
    let separator = alt((value((), char('T')), value((), space1)));
    let hour = verify(digits(2), |hour| *hour < 24);
    let minute = verify(digits(2), |minute| *minute < 60);
    let clock = separated_pair(hour, char(':'), minute);
    map(separated_pair(date, separator, clock), |(days, (hour, minute))| {
        days * 86_400 + i64::from(hour * 3_600 + minute * 60)
    })
    .parse(input)
}

/// `2026-01-01`, as days since 1970-01-01.
fn date(input: &[u8]) -> Parsed<'_, i64> {
    let month_or_day = || preceded(char('-'), digits(2));
    map_opt((digits(4), month_or_day(), month_or_day()), |(year, month, day)| {
        timestamp::days(year, month, day)
    })
    .parse(input)
}

/// `+02:00`, in seconds east of UTC.
fn zone(input: &[u8]) -> Parsed<'_, i32> {
    preceded(blanks, alt((timestamp::utc, timestamp::offset))).parse(input)
}

/// `[ERROR]`
fn level<'a>(input: &'a [u8], words: &LevelWords) -> Parsed<'a, Level> {
    if words.is_empty()
        && let Ok(usual) = usual_level(input)
    {
        return Ok(usual);
    }
    let word = take_till1(|byte| matches!(byte, b' ' | b'\t' | b']'));
    let bracketed = delimited((char('['), blanks), word, (blanks, char(']')));
    map_opt(bracketed, |word| levels::level(word, words)).parse(input)
}

/// The names that most logs use, each in one comparison: this stands in the way of every
/// line.
fn usual_level(input: &[u8]) -> Parsed<'_, Level> {
    const USUAL: [(&[u8], Level); 7] = [
        (b"[INFO]", Level::Info),
        (b"[ERROR]", Level::Error),
        (b"[WARNING]", Level::Warning),
        (b"[WARN]", Level::Warning),
        (b"[DEBUG]", Level::Debug),
        (b"[TRACE]", Level::Trace),
        (b"[FATAL]", Level::Fatal),
    ];
    let found =
        USUAL.iter().find_map(|(written, level)| Some((input.strip_prefix(*written)?, *level)));
    found.ok_or(nom::Err::Error(()))
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;
    use expect_test::{Expect, expect};

    use crate::parse::{Format, Line, Parser};

    /// One line a line: the instant, the level, the message, the time as written.
    #[track_caller]
    fn check(lines: &[&str], expected: &Expect) {
        let mut parser = Parser::new(Format::Plain, chrono_tz::UTC, None);
        let read = lines.iter().map(|line| match parser.line(line.as_bytes()) {
            Line::Head(head) => {
                let instant = head.logged_at.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true);
                let message = head.message.escape_ascii();
                let written_at = head.written_at.escape_ascii();
                format!("{instant} {} '{message}' ({written_at})\n", head.level)
            }
            Line::Continuation(_) | Line::Rest(_) | Line::Unparsed => format!("no head: {line}\n"),
        });
        expected.assert_eq(&read.collect::<String>());
    }

    #[test]
    fn the_plain_line() {
        check(
            &[
                "2026-01-01 00:00:05 [ERROR] This is a ERROR message",
                "2026-01-01 00:00:05 [ERROR]",
                "2026-01-01 00:00:05 [ERROR] ",
                "2026-01-01T00:00:05 [INFO] [main] in brackets",
                "2026-01-01  00:00:05\t[INFO]\t two  blanks ",
                "2026-01-01 00:00:05[INFO]no blanks",
            ],
            &expect![[r#"
                2026-01-01T00:00:05Z ERROR 'This is a ERROR message' (2026-01-01 00:00:05)
                2026-01-01T00:00:05Z ERROR '' (2026-01-01 00:00:05)
                2026-01-01T00:00:05Z ERROR '' (2026-01-01 00:00:05)
                2026-01-01T00:00:05Z INFO '[main] in brackets' (2026-01-01T00:00:05)
                2026-01-01T00:00:05Z INFO 'two  blanks ' (2026-01-01  00:00:05)
                2026-01-01T00:00:05Z INFO 'no blanks' (2026-01-01 00:00:05)
            "#]],
        );
    }

    #[test]
    fn levels_in_any_case_and_padded() {
        check(
            &[
                "2026-01-01 00:00:05 [warn] x",
                "2026-01-01 00:00:05 [INFO ] x",
                "2026-01-01 00:00:05 [ Info] x",
                "2026-01-01 00:00:05 [\tSEVERE ] x",
            ],
            &expect![[r#"
                2026-01-01T00:00:05Z WARNING 'x' (2026-01-01 00:00:05)
                2026-01-01T00:00:05Z INFO 'x' (2026-01-01 00:00:05)
                2026-01-01T00:00:05Z INFO 'x' (2026-01-01 00:00:05)
                2026-01-01T00:00:05Z ERROR 'x' (2026-01-01 00:00:05)
            "#]],
        );
    }

    #[test]
    fn fractions_are_cut_to_microseconds() {
        check(
            &[
                "2026-01-01 00:00:05.1 [INFO] x",
                "2026-01-01 00:00:05,123 [INFO] x",
                "2026-01-01 00:00:05.123456 [INFO] x",
                "2026-01-01 00:00:05.999999999 [INFO] x",
            ],
            &expect![[r#"
                2026-01-01T00:00:05.100Z INFO 'x' (2026-01-01 00:00:05.1)
                2026-01-01T00:00:05.123Z INFO 'x' (2026-01-01 00:00:05,123)
                2026-01-01T00:00:05.123456Z INFO 'x' (2026-01-01 00:00:05.123456)
                2026-01-01T00:00:05.999999Z INFO 'x' (2026-01-01 00:00:05.999999999)
            "#]],
        );
    }

    #[test]
    fn zones() {
        check(
            &[
                "2026-01-01 02:00:05Z [INFO] x",
                "2026-01-01 02:00:05 UTC [INFO] x",
                "2026-01-01T02:00:05+02:00 [INFO] x",
                "2026-01-01 02:00:05 +0200 [INFO] x",
                "2026-01-01 02:00:05.5-03 [INFO] x",
                "1970-01-01 00:00:00+23:59 [INFO] x",
            ],
            &expect![[r#"
                2026-01-01T02:00:05Z INFO 'x' (2026-01-01 02:00:05Z)
                2026-01-01T02:00:05Z INFO 'x' (2026-01-01 02:00:05 UTC)
                2026-01-01T00:00:05Z INFO 'x' (2026-01-01T02:00:05+02:00)
                2026-01-01T00:00:05Z INFO 'x' (2026-01-01 02:00:05 +0200)
                2026-01-01T05:00:05.500Z INFO 'x' (2026-01-01 02:00:05.5-03)
                1969-12-31T00:01:00Z INFO 'x' (1970-01-01 00:00:00+23:59)
            "#]],
        );
    }

    #[test]
    fn the_ends_of_what_a_clock_shows() {
        check(
            &[
                "1970-01-01 00:00:00 [INFO] x",
                "9999-12-31 23:59:60.999999 [INFO] x",
                "2024-02-29 23:59:60 [INFO] x",
            ],
            &expect![[r#"
                1970-01-01T00:00:00Z INFO 'x' (1970-01-01 00:00:00)
                +10000-01-01T00:00:00.999999Z INFO 'x' (9999-12-31 23:59:60.999999)
                2024-03-01T00:00:00Z INFO 'x' (2024-02-29 23:59:60)
            "#]],
        );
    }

    #[test]
    fn other_lines_are_no_heads() {
        let lines = [
            "",
            "2026-01-01",
            "2026-01-01 00:00:05",
            "2026-01-01 00:00:05 [",
            "2026-01-01 00:00:05 [ERROR",
            "2026-01-01 00:00:05 []",
            "2026-01-01 00:00:05 [main] unknown level",
            "2026-01-01 00:00:05 ERROR no brackets",
            " 2026-01-01 00:00:05 [ERROR] indented",
            "2026-1-1 00:00:05 [ERROR] short",
            "2026-02-30 00:00:05 [ERROR] no such day",
            "2025-02-29 00:00:05 [ERROR] no leap year",
            "2026-13-01 00:00:05 [ERROR] no such month",
            "2026-01-00 00:00:05 [ERROR] no such day",
            "1969-12-31 23:59:59 [ERROR] before the epoch",
            "2026-01-01 24:00:00 [ERROR] no such hour",
            "2026-01-01 00:60:00 [ERROR] no such minute",
            "2026-01-01 00:00:61 [ERROR] no such second",
            "2026-01-01 00:00 [ERROR] no seconds",
            "2026-01-01 00:00:05. [ERROR] no fraction",
            "2026-01-01 00:00:05.1234567890 [ERROR] ten digits",
            "2026-01-01 00:00:05 +24:00 [ERROR] no such offset",
            "2026-01-01 00:00:05 +02:60 [ERROR] no such offset",
            "2026-01-01 00:00:05 +2 [ERROR] short offset",
            "2026-01-01 00:00:05 CET [ERROR] an ambiguous name",
        ];
        let mut parser = Parser::new(Format::Plain, chrono_tz::UTC, None);
        for line in lines {
            assert!(!matches!(parser.line(line.as_bytes()), Line::Head(_)), "{line:?}");
        }
    }
}
