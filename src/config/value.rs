//! Values of the file from the text that stands there.
//!
//! An error is what follows the key's name in the message: `must be absolute: "app.log"`.

use std::ops::RangeInclusive;
use std::path::PathBuf;

use chrono::TimeDelta;
use chrono_tz::{TZ_VARIANTS, Tz};
use glob::Pattern;
use toml::de::DeValue;

use super::section::{expected, whole_number};
use super::source::SourcePath;
use super::words::{self, quoted};
use crate::duration;
use crate::model::{InvalidHours, WeeklyHours};

const LONGEST_NAME: usize = 100;
const LONGEST_WINDOW: TimeDelta = TimeDelta::days(366);

/// A name that can be shown in a listing and typed on the command line.
pub(super) fn name(text: &str) -> Result<String, String> {
    let length = text.chars().count();
    if text.trim() != text || text.chars().any(is_invisible) || length == 0 {
        return Err(format!("{} must consist of visible characters", quoted(text)));
    }
    if length > LONGEST_NAME {
        return Err(format!("must have at most {LONGEST_NAME} characters, found {length}"));
    }
    Ok(text.to_owned())
}

/// The host's name; `*` stands for all hosts in the database.
///
/// # Errors
/// What is wrong with it, to be read after what it is for.
pub fn host(text: &str) -> Result<String, String> {
    if text == "*" { Err("must be the name of one host".to_owned()) } else { name(text) }
}

/// Text that is not empty.
pub(super) fn text(text: &str) -> Result<String, String> {
    if text.is_empty() { Err("must not be empty".to_owned()) } else { Ok(text.to_owned()) }
}

/// The path of one file.
pub(super) fn absolute_path(text: &str) -> Result<PathBuf, String> {
    let path = PathBuf::from(text);
    if path.is_absolute() { Ok(path) } else { Err(format!("must be absolute: {}", quoted(text))) }
}

/// The path of a folder, which may be relative.
pub(super) fn folder(folder: &str) -> Result<PathBuf, String> {
    text(folder).map(PathBuf::from)
}

/// The path of a log, or a glob.
pub(super) fn source_path(text: &str) -> Result<SourcePath, String> {
    if !text.starts_with('/') {
        return Err(format!("must be absolute: {}", quoted(text)));
    }
    SourcePath::from_config(text).map_err(|error| glob_error(text, &error))
}

/// A glob for paths to leave out: of a file name, or of a whole path.
pub(super) fn exclude(text: &str) -> Result<Pattern, String> {
    if text.is_empty() || (text.contains('/') && !text.starts_with('/')) {
        return Err(format!("must be a glob of file names or of absolute paths: {}", quoted(text)));
    }
    Pattern::new(text).map_err(|error| glob_error(text, &error))
}

/// A time zone by its IANA name.
pub(super) fn zone(text: &str) -> Result<Tz, String> {
    text.parse().map_err(|_| {
        let names = || TZ_VARIANTS.iter().map(|zone| zone.name());
        // Many people write only the city.
        let city = |name: &&str| name.rsplit('/').next().is_some_and(|city| city == text);
        match names().find(city).or_else(|| words::nearest(text, names())) {
            Some(near) => format!("{} is no IANA time zone; did you mean {near:?}?", quoted(text)),
            None => format!("{} is no IANA time zone, such as \"Europe/Berlin\"", quoted(text)),
        }
    })
}

/// The length of a rule's window.
pub(super) fn window(text: &str) -> Result<TimeDelta, String> {
    let window = duration::parse(text)
        .map_err(|_| format!("{} is not a duration; {}", quoted(text), duration::NOTATION))?;
    if window > TimeDelta::zero() && window <= LONGEST_WINDOW {
        Ok(window)
    } else {
        let longest = duration::display(LONGEST_WINDOW);
        Err(format!("must be longer than 0s and at most {longest}, found {}", quoted(text)))
    }
}

/// A length of time that may be nothing.
pub(super) fn length(text: &str) -> Result<TimeDelta, String> {
    if text == "0s" { Ok(TimeDelta::zero()) } else { window(text) }
}

/// Hours of the week.
pub(super) fn hours(text: &str) -> Result<WeeklyHours, String> {
    text.parse().map_err(|error: InvalidHours| error.to_string())
}

/// A moment of the day, as the minute that begins with it: `mon-fri 08:00 Europe/Berlin`.
pub(super) fn moment(text: &str) -> Result<WeeklyHours, String> {
    let wrong =
        || format!("{} is no moment; write it like \"mon-fri 08:00 Europe/Berlin\"", quoted(text));
    let time = text.split(' ').find(|word| word.contains(':')).ok_or_else(wrong)?;
    let (hour, minute) = time.split_once(':').ok_or_else(wrong)?;
    let minutes = hour.parse::<u32>().ok().zip(minute.parse::<u32>().ok()).ok_or_else(wrong)?;
    let next = minutes.0 * 60 + minutes.1 + 1;
    let hours = format!("{time}-{:02}:{:02}", next / 60, next % 60);
    text.replacen(time, &hours, 1).parse().map_err(|_: InvalidHours| wrong())
}

/// A regular expression of PostgreSQL, which only PostgreSQL can check.
pub(super) fn pattern(text: &str) -> Result<String, String> {
    self::text(text)
}

/// A number above `above` and up to `most`, with or without a fraction.
pub(super) fn number(value: &DeValue<'_>, above: f64, most: f64) -> Result<f64, String> {
    let wanted = || format!("a number above {above} and up to {most}");
    let (written, number) = match value {
        DeValue::Integer(number) => (number.to_string(), number.to_string().parse().ok()),
        DeValue::Float(number) => (number.to_string(), number.to_string().parse::<f64>().ok()),
        other => return Err(expected(&wanted(), other)),
    };
    number
        .filter(|number| *number > above && *number <= most)
        .ok_or_else(|| format!("must be {}, found {written}", wanted()))
}

/// One of a fixed set of values, by its name in any case.
///
/// `later` are the names that this version has not built yet.
pub(super) fn choice<T: Copy>(
    text: &str,
    values: &[T],
    name: fn(T) -> &'static str,
    later: &[&str],
) -> Result<T, String> {
    let found = values.iter().copied().find(|&value| name(value).eq_ignore_ascii_case(text));
    found.ok_or_else(|| {
        let known: Vec<_> = values.iter().copied().map(name).collect();
        words::refusal(text, &known, later)
    })
}

/// A number of bytes: an integer, or a text with a binary unit (`"64k"`, `"1 MiB"`).
pub(super) fn size(value: &DeValue<'_>, bounds: RangeInclusive<usize>) -> Result<usize, String> {
    let (written, size) = match value {
        DeValue::Integer(number) => (number.to_string(), whole_number(number)),
        DeValue::String(text) => (quoted(text), parse_size(text)),
        other => return Err(expected("a size like 65536, \"64 KiB\" or \"1 MiB\"", other)),
    };
    let size = size.and_then(|size| usize::try_from(size).ok());
    size.filter(|size| bounds.contains(size)).ok_or_else(|| {
        let (least, most) = (bounds.start(), bounds.end());
        format!("must be a size from {least} to {most} bytes, found {written}")
    })
}

fn parse_size(text: &str) -> Option<i64> {
    let digits = text.find(|c: char| !c.is_ascii_digit()).unwrap_or(text.len());
    let (number, unit) = text.split_at(digits);
    let factor = match unit.trim_start().to_ascii_lowercase().as_str() {
        "" | "b" => 1,
        "k" | "kib" => 1 << 10,
        "m" | "mib" => 1 << 20,
        _ => return None,
    };
    number.parse::<i64>().ok()?.checked_mul(factor)
}

fn glob_error(text: &str, error: &glob::PatternError) -> String {
    format!("{} is no glob: {} at character {}", quoted(text), error.msg, error.pos + 1)
}

/// Control characters, and those that only change how the characters around them look.
fn is_invisible(c: char) -> bool {
    c.is_control()
        || matches!(c,
            '\u{ad}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
            | '\u{2060}'..='\u{206f}' | '\u{feff}')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sizes_have_binary_units() {
        for (text, size) in [
            ("65536", Some(65_536)),
            ("64k", Some(65_536)),
            ("64 KiB", Some(65_536)),
            ("1MiB", Some(1_048_576)),
            ("2m", Some(2_097_152)),
            ("12 b", Some(12)),
            ("64kB", None),
            ("k", None),
            ("-1", None),
            ("1 k k", None),
            ("9223372036854775807k", None),
        ] {
            assert_eq!(parse_size(text), size, "{text:?}");
        }
    }

    #[test]
    fn a_zone_is_found_by_its_city() {
        assert_eq!(zone("Asia/Kolkata"), Ok(Tz::Asia__Kolkata));
        for (text, near) in
            [("Berlin", "Europe/Berlin"), ("europe/paris", "Europe/Paris"), ("Utc", "UTC")]
        {
            assert!(
                zone(text).unwrap_err().ends_with(&format!("did you mean {near:?}?")),
                "{text}"
            );
        }
        assert!(zone("nowhere at all").unwrap_err().ends_with("such as \"Europe/Berlin\""));
    }

    #[test]
    fn a_moment_is_the_minute_that_begins_with_it() {
        let next = |text: &str| {
            let at = "2026-01-05T07:00:30Z".parse().unwrap();
            moment(text).unwrap().next(at).unwrap().to_rfc3339()
        };
        assert_eq!(next("08:00 Europe/Berlin"), "2026-01-05T07:00:30+00:00");
        assert_eq!(next("mon-fri 07:59 Europe/Berlin"), "2026-01-06T06:59:00+00:00");
        assert_eq!(next("23:59"), "2026-01-05T23:59:00+00:00");
        for wrong in ["", "8:00", "24:00", "12:60", "08:00-09:00", "mum 08:00", "08:00 Berlin"] {
            assert!(moment(wrong).is_err(), "{wrong}");
        }
    }

    #[test]
    fn names_can_be_seen() {
        assert!(name("größe der queue").is_ok());
        assert!(name(&"x".repeat(100)).is_ok());
        for bad in ["", " a", "a\n", "a\u{202e}b", "\u{200b}", &"x".repeat(101)] {
            assert!(name(bad).is_err(), "{bad:?}");
        }
        assert!(host("*").is_err());
    }
}
