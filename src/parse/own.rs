//! Lines of a format that the config describes ([`OwnFormat`]).

use chrono::format::{Item, Parsed, parse_and_remainder};
use memchr::memmem;

use super::fields::Fields;
use super::formats::{Record, Text};
use super::levels;
use super::local_time::WrittenTime;
use super::timestamp::{is_blank, timestamp};
use crate::model::{Grammar, Level, LevelWords, OwnFormat, Step};

/// As much of a line is looked at for a time.
const MAX_TIME_BYTES: usize = 100;

/// A line taken apart.
#[derive(Default)]
struct Parts<'a> {
    time: Option<WrittenTime>,
    written_at: &'a [u8],
    level: Option<Level>,
    message: Option<&'a [u8]>,
}

/// Reads a line that starts an entry; `None` if it does not. Without a place for the message the
/// whole line is one.
pub(super) fn record<'a>(
    format: &OwnFormat,
    line: &'a [u8],
    words: &LevelWords,
) -> Option<Record<'a>> {
    let Parts { time, written_at, level, message } = parts(format, line, words, &mut |_, _| {})?;
    Some(Record { time, written_at, level, message: Text::Line(message.unwrap_or(line)) })
}

/// What the line says besides.
pub(super) fn fields(format: &OwnFormat, line: &[u8], words: &LevelWords, fields: &mut Fields) {
    parts(format, line, words, &mut |name, value| fields.push_number(name, value));
}

fn parts<'a>(
    format: &OwnFormat,
    line: &'a [u8],
    words: &LevelWords,
    field: &mut dyn FnMut(&str, &'a [u8]),
) -> Option<Parts<'a>> {
    let mut parts = Parts::default();
    match &format.grammar {
        Grammar::Steps(steps) => by_steps(steps, line, words, &mut parts, field)?,
        Grammar::Regex(regex) => {
            let groups = regex.captures(line)?;
            for name in regex.capture_names().flatten() {
                let Some(found) = groups.name(name) else { continue };
                let found = &line[found.range()];
                match name {
                    "timestamp" => {
                        parts.time = timestamp(found).ok().map(|(_, time)| time);
                        parts.written_at = found;
                    }
                    "level" => parts.level = Some(levels::level(found, words)?),
                    "message" => parts.message = Some(found),
                    name => field(name, found),
                }
            }
        }
    }
    Some(parts)
}

/// Takes the steps one after the other; each stands for as little as it can.
fn by_steps<'a>(
    steps: &[Step],
    line: &'a [u8],
    words: &LevelWords,
    parts: &mut Parts<'a>,
    field: &mut dyn FnMut(&str, &'a [u8]),
) -> Option<()> {
    let mut rest = line;
    for (index, step) in steps.iter().enumerate() {
        let (taken, behind) = match step {
            Step::Text(text) => (&rest[..0], rest.strip_prefix(text.as_bytes())?),
            Step::Blanks => {
                let blanks = rest.iter().take_while(|byte| is_blank(**byte)).count();
                // At its end a line may lack them.
                if blanks == 0 && !rest.is_empty() {
                    return None;
                }
                (&rest[..0], &rest[blanks..])
            }
            Step::Timestamp(shape) => {
                let (time, length) = time(shape.as_deref(), rest)?;
                parts.time = Some(time);
                parts.written_at = &rest[..length];
                rest.split_at(length)
            }
            Step::Level => {
                let is_word = |byte: &u8| byte.is_ascii_alphanumeric() || *byte == b'_';
                rest.split_at(rest.iter().take_while(|byte| is_word(byte)).count())
            }
            Step::Message | Step::Field(_) => rest.split_at(end_of(steps.get(index + 1), rest)?),
        };
        match step {
            Step::Level => parts.level = Some(levels::level(taken, words)?),
            Step::Message => parts.message = Some(taken),
            Step::Field(name) => field(name, taken.trim_ascii()),
            Step::Text(_) | Step::Blanks | Step::Timestamp(_) => {}
        }
        rest = behind;
    }
    rest.trim_ascii().is_empty().then_some(())
}

/// Where what stands before a step ends; `None` if that is not there.
fn end_of(next: Option<&Step>, rest: &[u8]) -> Option<usize> {
    match next {
        None => Some(rest.len()),
        Some(Step::Text(text)) => memmem::find(rest, text.as_bytes()),
        Some(Step::Blanks) => {
            Some(rest.iter().position(|byte| is_blank(*byte)).unwrap_or(rest.len()))
        }
        // A format in which they stand together is refused.
        Some(Step::Timestamp(_) | Step::Level | Step::Message | Step::Field(_)) => None,
    }
}

/// The time at the start, of a shape or of any usual one, and its length.
fn time(shape: Option<&[Item<'static>]>, rest: &[u8]) -> Option<(WrittenTime, usize)> {
    let Some(shape) = shape else {
        let (behind, time) = timestamp(rest).ok()?;
        return Some((time, rest.len() - behind.len()));
    };
    let start = &rest[..rest.len().min(MAX_TIME_BYTES)];
    let text = start.utf8_chunks().next()?.valid();
    let mut parsed = Parsed::new();
    let behind = parse_and_remainder(&mut parsed, text, shape.iter()).ok()?;
    Some((written(parsed)?, text.len() - behind.len()))
}

/// The time that was read; a year that is not there is found later.
fn written(mut parsed: Parsed) -> Option<WrittenTime> {
    if let Some(seconds) = parsed.timestamp() {
        return Some(WrittenTime::of_instant(seconds, parsed.nanosecond().unwrap_or(0) / 1000));
    }
    let has_year = parsed.year().is_some() || parsed.year_mod_100().is_some();
    if !has_year {
        parsed.set_year(1972).ok()?;
    }
    let local = parsed.to_naive_date().ok()?.and_time(parsed.to_naive_time().ok()?).and_utc();
    let minute = local.timestamp().div_euclid(60) * 60;
    let second = u32::try_from(local.timestamp() - minute).ok()?;
    // A leap second is the second billion of the second before it.
    let micros = local.timestamp_subsec_nanos() / 1000;
    let is_plausible = (0..=253_402_300_799).contains(&local.timestamp());
    let time = WrittenTime::new(minute, second, micros, parsed.offset());
    is_plausible.then(|| if has_year { time } else { time.without_year() })
}

#[cfg(test)]
mod tests {
    use chrono::SecondsFormat;
    use expect_test::{Expect, expect};

    use crate::model::{EventTime, Format};
    use crate::parse::{Line, Parser};

    /// Reads lines, in Berlin and in a file of May 2026.
    #[track_caller]
    fn check(format: &str, lines: &[&str], expected: &Expect) {
        let changed_at = "2026-05-01T00:00:00Z".parse::<chrono::DateTime<chrono::Utc>>().unwrap();
        let mut parser = Parser::new(Format::Plain, chrono_tz::Europe::Berlin, None)
            .changed_at(EventTime::from(changed_at))
            .of_own_format(format.parse().unwrap());
        let mut read = Vec::new();
        for line in lines {
            let line_is = match parser.line(line.as_bytes()) {
                Line::Head(head) => {
                    let time = head.logged_at.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true);
                    let message = head.message.escape_ascii();
                    format!("{time} {} '{message}'", head.level)
                }
                other => format!("{other:?}"),
            };
            let fields = serde_json::to_string(parser.fields(line.as_bytes()).as_map()).unwrap();
            read.push(format!("{line_is} {fields}\n"));
        }
        expected.assert_eq(&read.concat());
    }

    #[test]
    fn a_format_with_placeholders() {
        check(
            "{timestamp:%d.%m.%Y %H:%M:%S%.3f} {level} [{thread}] {logger}: {message}",
            &[
                "31.01.2026 15:04:05.250 ERROR [main] org.example.Shop: cannot save: x",
                "31.01.2026 15:04:05.250   warn  [ a b ] org.example.Shop:no blank",
                "31.01.2026 15:04:05.250 ERROR [main] org.example.Shop:",
                "31.02.2026 15:04:05.250 ERROR [main] org.example.Shop: no such day",
                "31.01.2026 15:04:05.250 LOUD [main] org.example.Shop: no level",
                "31.01.2026 15:04:05.250 ERROR main org.example.Shop: no bracket",
                "  at org.example.Shop.main(Shop.java:7)",
            ],
            &expect![[r#"
                2026-01-31T14:04:05.250Z ERROR 'cannot save: x' {"logger":"org.example.Shop","thread":"main"}
                Unparsed {"logger":"org.example.Shop","thread":"a b"}
                2026-01-31T14:04:05.250Z ERROR '' {"logger":"org.example.Shop","thread":"main"}
                Unparsed {}
                Unparsed {}
                Unparsed {}
                Continuation([32, 32, 97, 116, 32, 111, 114, 103, 46, 101, 120, 97, 109, 112, 108, 101, 46, 83, 104, 111, 112, 46, 109, 97, 105, 110, 40, 83, 104, 111, 112, 46, 106, 97, 118, 97, 58, 55, 41]) {}
            "#]],
        );
    }

    #[test]
    fn times_of_any_shape_and_without_a_year() {
        check(
            "{{{level}}} {timestamp} {message}",
            &["{ERROR} Jan 31 15:04:05 failed", "{INFO} 1769871845 done", "{INFO} never done"],
            &expect![[r#"
                2026-01-31T14:04:05Z ERROR 'failed' {}
                2026-01-31T15:04:05Z INFO 'done' {}
                Unparsed {}
            "#]],
        );
        check(
            "{timestamp:%d/%m %H:%M} {message}",
            &["01/05 10:00 today", "02/06 10:00 last year"],
            &expect![[r#"
                2026-05-01T08:00:00Z INFO 'today' {}
                2025-06-02T08:00:00Z INFO 'last year' {}
            "#]],
        );
        check(
            "{timestamp:%Y-%m-%d %H:%M:%S %z}|{level}",
            &["2026-01-31 15:04:05 -0800|FATAL", "2026-01-31 15:04:05 -0800|FATAL more"],
            &expect![[r#"
                2026-01-31T23:04:05Z FATAL '2026-01-31 15:04:05 -0800|FATAL' {}
                Unparsed {}
            "#]],
        );
    }

    #[test]
    fn a_regular_expression() {
        check(
            r"^(?<level>\w+)/(?<tag>\w+)\((?<pid>\d+)\) @(?<timestamp>\S+): (?<message>.*)$",
            &["E/shop(12) @2026-01-31T15:04:05Z: failed", "error/shop(12) @x: failed", "x"],
            &expect![[r#"
                Unparsed {}
                2026-05-01T00:00:00Z ERROR 'failed' {"pid":12,"tag":"shop"}
                Unparsed {}
            "#]],
        );
    }
}
