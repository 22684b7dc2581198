//! The names under which loggers write time, level and message, and what stands under them.
//!
//! Case does not matter, save for the journal's `PRIORITY`. Where several names are there, the
//! lowest rank counts, and of one rank the first.

use crate::model::{Level, LevelWords};
use crate::parse::levels;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::timestamp;

/// What the value of a key is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Role {
    Time,
    Level(Scale),
    Message,
}

/// What numbers mean where a level is a number. Words mean the same in all of them.
///
/// | scale | numbers | used by |
/// | --- | --- | --- |
/// | `Usual` | 0 to 7 as `Priority`; 10 trace, 20 debug, 30 info, 40 warning, 50 error, 60 fatal; 100 debug, 200 and 250 info, 300 warning, 400 error, 500 and above fatal | syslog, GELF; bunyan, pino; Monolog |
/// | `Severity` | the same below 100; 100 debug, 200 and 300 info, 400 warning, 500 error, 600 and above fatal | Google Cloud |
/// | `Priority` | 0, 1, 2 fatal, 3 error, 4 warning, 5, 6 info, 7 debug | journal, syslog (RFC 5424) |
/// | `OpenTelemetry` | 1 to 4 trace, 5 debug, 9 info, 13 warning, 17 error, 21 to 24 fatal | OpenTelemetry |
/// | `Five` | 0 debug, 1 info, 2 warning, 3 error, 4 fatal | Nextcloud, Azure |
/// | `Python` | 10 debug, 20 info, 30 warning, 40 error, 50 fatal | Python's `levelno` |
/// | `Words` | none | MongoDB's `s`, a `priority` of anything |
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Scale {
    Usual,
    Severity,
    Priority,
    OpenTelemetry,
    Five,
    Python,
    Words,
}

/// Keys that are longer have no role.
const MAX_KEY_BYTES: usize = 24;

/// The role that a key has, and its rank.
pub(super) fn role(key: &[u8]) -> Option<(Role, u8)> {
    if key == b"PRIORITY" {
        return Some((Role::Level(Scale::Priority), 1));
    }
    let mut lower = [0; MAX_KEY_BYTES];
    let lower = lower.get_mut(..key.len())?;
    lower.copy_from_slice(key);
    lower.make_ascii_lowercase();
    let found = match &*lower {
        b"time"
        | b"ts"
        | b"timestamp"
        | b"@timestamp"
        | b"@t"
        | b"datetime"
        | b"date_time"
        | b"asctime"
        | b"instant"
        | b"timemillis"
        | b"log_time"
        | b"logtime"
        | b"logged_at"
        | b"log_timestamp"
        | b"eventtime"
        | b"event_time"
        | b"time_iso8601"
        | b"timeunixnano"
        | b"time_unix_nano"
        | b"__realtime_timestamp" => (Role::Time, 1),
        b"t"
        | b"at"
        | b"date"
        | b"created"
        | b"time_local"
        | b"msec"
        | b"start_time"
        | b"starttime"
        | b"started_at"
        | b"startutc"
        | b"edgestarttimestamp"
        | b"observedtimeunixnano"
        | b"observed_timestamp"
        | b"requestreceivedtimestamp"
        | b"receivetimestamp"
        | b"timestamp_ms"
        | b"calendartime"
        | b"unixtime" => (Role::Time, 2),
        // CloudNativePG has another level beside that of PostgreSQL.
        b"error_severity" => (Role::Level(Scale::Words), 0),
        b"level" | b"lvl" | b"loglevel" | b"log_level" | b"log-level" | b"log.level"
        | b"levelname" | b"level_name" | b"@l" | b"@level" => (Role::Level(Scale::Usual), 1),
        b"severity" | b"sev" | b"severitytext" | b"severity_text" => {
            (Role::Level(Scale::Severity), 1)
        }
        b"severitynumber" | b"severity_number" => (Role::Level(Scale::OpenTelemetry), 2),
        b"severitylevel" => (Role::Level(Scale::Five), 2),
        b"levelno" => (Role::Level(Scale::Python), 2),
        b"s" | b"l" | b"priority" => (Role::Level(Scale::Words), 2),
        b"@m" | b"renderedmessage" => (Role::Message, 0),
        b"msg" | b"message" | b"@message" | b"short_message" | b"textpayload" => (Role::Message, 1),
        b"event" | b"body" | b"log" | b"@mt" | b"messagetemplate" | b"full_message"
        | b"full_log" | b"stringvalue" => (Role::Message, 2),
        b"text" => (Role::Message, 7),
        b"error" | b"err" | b"reason" | b"description" | b"request" | b"output" => {
            (Role::Message, 8)
        }
        _ => return None,
    };
    Some(found)
}

/// The time that a value is, if nothing else stands there: in any shape, or a count of seconds,
/// milli-, micro- or nanoseconds since 1970, with a fraction or not.
pub(super) fn time(text: &[u8]) -> Option<WrittenTime> {
    let text = text.trim_ascii();
    // As Apache's `%t` writes it.
    let text = text.strip_prefix(b"[").and_then(|text| text.strip_suffix(b"]")).unwrap_or(text);
    if let Some(time) = epoch(text) {
        return Some(time);
    }
    let (rest, time) = timestamp(text).ok()?;
    rest.is_empty().then_some(time)
}

/// A count since 1970. With 10 digits it is one of seconds, with 13, 16 and 19 one of milli-,
/// micro- and nanoseconds: the first ten digits are seconds always.
fn epoch(text: &[u8]) -> Option<WrittenTime> {
    let digits = |text: &[u8]| text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    let (whole, rest) = text.split_at(digits(text));
    let (fraction, rest) = match rest.strip_prefix(b".") {
        Some(rest) => rest.split_at(digits(rest)),
        None => (&b""[..], rest),
    };
    if matches!(rest, [b'e' | b'E', ..]) {
        return floating(text);
    }
    if !rest.is_empty() || !matches!(whole.len(), 10 | 13 | 16 | 19) || whole[0] == b'0' {
        return None;
    }
    let (seconds, below) = whole.split_at(10);
    let number = |number: i64, digit: &u8| number * 10 + i64::from(digit - b'0');
    let micros = below.iter().chain(fraction).chain(b"000000").take(6);
    let micros = u32::try_from(micros.fold(0, number)).ok()?;
    Some(WrittenTime::of_instant(seconds.iter().fold(0, number), micros))
}

/// `1.767225605123E9`, as Java writes numbers.
fn floating(text: &[u8]) -> Option<WrittenTime> {
    let number: f64 = str::from_utf8(text).ok()?.parse().ok()?;
    let seconds = [1.0, 1e3, 1e6, 1e9].map(|unit| number / unit);
    let seconds = seconds.into_iter().find(|seconds| (1e9..1e10).contains(seconds))?;
    #[expect(clippy::cast_possible_truncation, reason = "it has at most 16 digits")]
    let micros = (seconds * 1e6).round() as i64;
    let (seconds, micros) = (micros.div_euclid(1_000_000), micros.rem_euclid(1_000_000));
    Some(WrittenTime::of_instant(seconds, u32::try_from(micros).ok()?))
}

/// The level that a value is: a word, a letter, or a number of the scale.
pub(super) fn level(scale: Scale, text: &[u8], words: &LevelWords) -> Option<Level> {
    let text = text.trim_ascii();
    if let Some(level) = words.get(text) {
        return Some(level);
    }
    match text {
        [b'0'..=b'9', ..] => of_number(scale, text, words),
        [letter] | [letter, b'1'..=b'9'] => of_letter(*letter),
        _ => levels::level(text, words).or_else(|| {
            // `INFO+2` of Go's slog, `WARN3` of OpenTelemetry.
            let is_end = |byte: &u8| b"+-0123456789".contains(byte);
            let end = text.iter().position(is_end)?;
            text[end..].iter().all(is_end).then(|| levels::level(&text[..end], words))?
        }),
    }
}

fn of_letter(letter: u8) -> Option<Level> {
    Some(match letter.to_ascii_uppercase() {
        b'T' | b'V' => Level::Trace,
        b'D' => Level::Debug,
        b'I' | b'N' => Level::Info,
        b'W' => Level::Warning,
        b'E' => Level::Error,
        b'F' | b'C' => Level::Fatal,
        _ => return None,
    })
}

fn of_number(scale: Scale, digits: &[u8], words: &LevelWords) -> Option<Level> {
    let number: u16 = str::from_utf8(digits).ok()?.parse().ok()?;
    Some(match (scale, number) {
        (Scale::Usual | Scale::Severity | Scale::Priority, 0..=7) => {
            levels::of_severity(number, words)
        }
        (Scale::Five, 0..=4) => {
            let levels = [Level::Debug, Level::Info, Level::Warning, Level::Error, Level::Fatal];
            *levels.get(usize::from(number))?
        }
        (Scale::OpenTelemetry, 1..=24) => *Level::ALL.get(usize::from(number - 1) / 4)?,
        (Scale::Python, 10..=99) => *Level::ALL.get(usize::from(number / 10).min(5))?,
        (Scale::Usual | Scale::Severity, 10..=99) => {
            *Level::ALL.get(usize::from(number / 10 - 1).min(5))?
        }
        (Scale::Usual, 100..) => match number {
            ..200 => Level::Debug,
            200..300 => Level::Info,
            300..400 => Level::Warning,
            400..500 => Level::Error,
            _ => Level::Fatal,
        },
        (Scale::Severity, 100..) => match number {
            ..200 => Level::Debug,
            200..400 => Level::Info,
            400..500 => Level::Warning,
            500..600 => Level::Error,
            _ => Level::Fatal,
        },
        _ => return None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn counts_since_1970() {
        let expected = WrittenTime::of_instant(1_767_225_605, 123_456);
        for text in [
            "1767225605.123456",
            "1767225605123.456",
            "1767225605123456",
            "1767225605123456789",
            "1767225605.1234567",
            "1.767225605123456E9",
            "1.767225605123456e+12",
            " 1767225605.123456 ",
        ] {
            assert_eq!(time(text.as_bytes()), Some(expected), "{text}");
        }
        for text in
            ["", "176722560", "17672256051", "0767225605", "17672256.5", "1767225605x", "1e3"]
        {
            assert_eq!(time(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn times_stand_alone() {
        assert!(time(b"2026-01-01T00:00:05.123Z").is_some());
        assert!(time(b"[01/Jan/2026:00:00:05 +0000]").is_some());
        for text in ["2026-01-01", "2026-01-01T00:00:05Z x", "xxx"] {
            assert_eq!(time(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn numbers_mean_what_their_key_says() {
        use Level::{Debug, Error, Fatal, Info, Trace, Warning};
        for (key, levels) in [
            (
                "level",
                &[("10", Trace), ("30", Info), ("35", Info), ("60", Fatal), ("90", Fatal)][..],
            ),
            ("level", &[("3", Error), ("250", Info), ("300", Warning), ("550", Fatal)]),
            ("severity", &[("3", Error), ("300", Info), ("400", Warning), ("800", Fatal)]),
            ("PRIORITY", &[("0", Fatal), ("4", Warning), ("7", Debug)]),
            ("severityNumber", &[("1", Trace), ("9", Info), ("16", Warning), ("24", Fatal)]),
            ("severityLevel", &[("1", Info), ("4", Fatal)]),
            ("levelno", &[("10", Debug), ("30", Warning), ("50", Fatal)]),
            ("Level", &[("INFO+2", Info), ("DEBUG-4", Debug), ("WARN3", Warning), ("e", Error)]),
            ("s", &[("I", Info), ("D2", Debug), ("F", Fatal)]),
        ] {
            let Some((Role::Level(scale), _)) = role(key.as_bytes()) else { panic!("{key}") };
            for (text, expected) in levels {
                assert_eq!(
                    level(scale, text.as_bytes(), &LevelWords::NONE),
                    Some(*expected),
                    "{key} {text}"
                );
            }
        }
        for (key, text) in [("level", "8"), ("severityNumber", "0"), ("s", "1"), ("level", "x-1")] {
            let Some((Role::Level(scale), _)) = role(key.as_bytes()) else { panic!("{key}") };
            assert_eq!(level(scale, text.as_bytes(), &LevelWords::NONE), None, "{key} {text}");
        }
    }

    #[test]
    fn other_keys_have_no_role() {
        for key in ["", "user", "levels", "a_key_of_more_than_24_bytes"] {
            assert_eq!(role(key.as_bytes()), None, "{key}");
        }
    }
}
