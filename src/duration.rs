//! Lengths of time as people write them: `90s`, `5m`, `1h30m`, `2d`.
//!
//! The config, the command line and the alert lines use the same notation, so that what an
//! alert says can be pasted into a rule. Calendar units (months, years) are left out on
//! purpose: their length depends on where they start.

use chrono::TimeDelta;

/// The units, from the longest to the shortest, each with its length in seconds.
const UNITS: [(char, i64); 4] = [('d', 86_400), ('h', 3_600), ('m', 60), ('s', 1)];

/// How to write a duration, for messages.
pub const NOTATION: &str = "write it like \"90s\", \"5m\", \"1h30m\" or \"2d\"";

/// A text that is no duration, or one too long to count.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is not a duration; {NOTATION}")]
pub struct InvalidDuration(String);

/// Reads a duration: whole numbers, each with its unit (`d`, `h`, `m`, `s`), the longest
/// unit first and no unit twice.
///
/// A number may exceed the next unit (`90s`, `36h`). `0s` is a duration; whether it makes
/// sense is for the caller to say.
///
/// # Errors
/// [`InvalidDuration`] for everything else, a sign and a number without a unit included.
pub fn parse(text: &str) -> Result<TimeDelta, InvalidDuration> {
    seconds(text).and_then(TimeDelta::try_seconds).ok_or_else(|| InvalidDuration(text.to_owned()))
}

/// Writes a duration in the notation that [`parse`] reads: `5m`, `1h30m`, `1d`, `0s`.
///
/// A fraction of a second is left out. A negative duration gets a minus sign before it and is
/// the one thing that [`parse`] does not take back.
pub fn display(duration: TimeDelta) -> String {
    let seconds = duration.num_seconds();
    if seconds == 0 {
        return "0s".to_owned();
    }
    let mut text = String::from(if seconds < 0 { "-" } else { "" });
    let mut rest = seconds.unsigned_abs();
    for (unit, length) in UNITS {
        let count = rest / length.unsigned_abs();
        rest %= length.unsigned_abs();
        if count > 0 {
            text.push_str(&count.to_string());
            text.push(unit);
        }
    }
    text
}

fn seconds(text: &str) -> Option<i64> {
    let mut units = UNITS.iter();
    let mut rest = text;
    let mut total = 0_i64;
    while !rest.is_empty() {
        let digits = rest.find(|c: char| !c.is_ascii_digit())?;
        let (number, unit) = rest.split_at(digits);
        let unit = unit.chars().next()?;
        // The iterator goes on where the last unit was found: a unit cannot come again.
        let (_, length) = units.find(|(name, _)| *name == unit)?;
        total = total.checked_add(number.parse::<i64>().ok()?.checked_mul(*length)?)?;
        rest = &rest[digits + unit.len_utf8()..];
    }
    (!text.is_empty()).then_some(total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn durations_are_read_and_written() {
        for (text, seconds, written) in [
            ("5m", 300, "5m"),
            ("90s", 90, "1m30s"),
            ("1h", 3_600, "1h"),
            ("1h30m", 5_400, "1h30m"),
            ("2d", 172_800, "2d"),
            ("36h", 129_600, "1d12h"),
            ("1d1s", 86_401, "1d1s"),
            ("0s", 0, "0s"),
            ("007m", 420, "7m"),
        ] {
            let duration = parse(text).unwrap();
            assert_eq!((duration.num_seconds(), display(duration).as_str()), (seconds, written));
        }
    }

    #[test]
    fn what_is_no_duration_is_refused() {
        for text in [
            "",
            "5",
            "m",
            "5 m",
            " 5m",
            "5min",
            "-5m",
            "+5m",
            "1.5h",
            "5m5m",
            "30m1h",
            "5M",
            "1w",
            "5m3",
            "٥m",
            "9223372036854775807d",
            "9223372036854775807s",
            "99999999999999999999s",
        ] {
            assert!(parse(text).is_err(), "{text:?}");
        }
    }

    #[test]
    fn a_negative_duration_and_a_fraction_are_shown() {
        assert_eq!(display(TimeDelta::seconds(-90)), "-1m30s");
        assert_eq!(display(TimeDelta::milliseconds(1_999)), "1s");
        assert_eq!(display(TimeDelta::milliseconds(-1)), "0s");
    }

    proptest! {
        #[test]
        fn what_is_written_can_be_read(seconds in 0_i64..=i64::MAX / 1_000) {
            let duration = TimeDelta::seconds(seconds);
            prop_assert_eq!(parse(&display(duration)), Ok(duration));
        }

        #[test]
        fn any_text_is_read_or_refused(text in "\\PC*|[0-9dhms]*") {
            let _ = parse(&text);
        }
    }
}
