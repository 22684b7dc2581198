//! The shapes that nearly all lines of the busiest logs have, each of one length: reading them so
//! takes a fraction of what the general way does. What they do not read, that may.

use super::days;
use crate::parse::local_time::WrittenTime;

/// The bytes of `Jan 31 15:04:05`.
const SYSLOG_BYTES: usize = 15;
/// The bytes of `31/Jan/2026:15:04:05 +0100`.
const ACCESS_BYTES: usize = 26;

/// The time of RFC 3164 with a word in small letters behind it, which is neither a year nor a
/// zone, and what follows the time.
pub(in crate::parse) fn usual_syslog(input: &[u8]) -> Option<(&[u8], WrittenTime)> {
    let (time, rest) = input.split_first_chunk::<SYSLOG_BYTES>()?;
    let [b' ', b'a'..=b'z', ..] = rest else { return None };
    // `01:00:00 pm` is an hour of the afternoon.
    if let [b' ', b'a' | b'p', b'm', ..] = rest {
        return None;
    }
    let [a, b, c, b' ', tens, units, b' ', clock @ ..] = *time else { return None };
    let day = number(if tens == b' ' { b'0' } else { tens }, units)?;
    // In a leap year, as the time has none.
    let days = days(1972, month([a, b, c])?, day)?;
    let (minute, second) = clock_of(clock)?;
    let time = WrittenTime::new(days * 86_400 + minute * 60, second, 0, None);
    Some((rest, time.without_year()))
}

/// The time of the Common Log Format with its bracket behind it, and what follows the time.
pub(in crate::parse) fn usual_access(input: &[u8]) -> Option<(&[u8], WrittenTime)> {
    let (time, rest) = input.split_first_chunk::<ACCESS_BYTES>()?;
    let [d1, d2, b'/', a, b, c, b'/', y1, y2, y3, y4, b':', rest_of_time @ ..] = *time else {
        return None;
    };
    let [h1, h2, b':', m1, m2, b':', s1, s2, b' ', zone @ ..] = rest_of_time else { return None };
    let [sign, z1, z2, z3, z4] = zone;
    if rest.first() != Some(&b']') {
        return None;
    }
    let year = number(y1, y2)? * 100 + number(y3, y4)?;
    let days = days(year, month([a, b, c])?, number(d1, d2)?)?;
    let (minute, second) = clock_of([h1, h2, b':', m1, m2, b':', s1, s2])?;
    let (hours, minutes) = (number(z1, z2)?, number(z3, z4)?);
    if hours > 23 || minutes > 59 {
        return None;
    }
    let seconds = (hours * 3_600 + minutes * 60).cast_signed();
    let seconds_east = match sign {
        b'+' => seconds,
        b'-' => -seconds,
        _ => return None,
    };
    Some((rest, WrittenTime::new(days * 86_400 + minute * 60, second, 0, Some(seconds_east))))
}

/// Of `15:04:05`, the minutes since midnight and the second.
#[inline]
fn clock_of([h1, h2, colon1, m1, m2, colon2, s1, s2]: [u8; 8]) -> Option<(i64, u32)> {
    let (hour, minute, second) = (number(h1, h2)?, number(m1, m2)?, number(s1, s2)?);
    let is_clock = (colon1, colon2) == (b':', b':') && hour < 24 && minute < 60 && second <= 60;
    is_clock.then_some((i64::from(hour * 60 + minute), second))
}

/// The month of a name as it is usually written.
#[inline]
fn month(name: [u8; 3]) -> Option<u32> {
    Some(match &name {
        b"Jan" => 1,
        b"Feb" => 2,
        b"Mar" => 3,
        b"Apr" => 4,
        b"May" => 5,
        b"Jun" => 6,
        b"Jul" => 7,
        b"Aug" => 8,
        b"Sep" => 9,
        b"Oct" => 10,
        b"Nov" => 11,
        b"Dec" => 12,
        _ => return None,
    })
}

/// A number of two digits.
#[inline]
fn number(tens: u8, units: u8) -> Option<u32> {
    let (tens, units) = (tens.wrapping_sub(b'0'), units.wrapping_sub(b'0'));
    (tens < 10 && units < 10).then(|| u32::from(tens * 10 + units))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::parse::timestamp::{day_month_name, month_first};

    proptest! {
        /// The quick way finds out the same, or nothing.
        #[test]
        fn a_usual_time_of_syslog_is_read_as_any_other(
            line in "(Jan|Feb|Apr|Dec|jan|May)[ -][ 0-3][0-9] [0-2][0-9]:[0-6][0-9]:[0-6][0-9] ?[a-zA-Z0-9:]{0,9}"
        ) {
            if let Some(found) = usual_syslog(line.as_bytes()) {
                prop_assert_eq!(found, month_first(line.as_bytes()).unwrap());
            }
        }

        #[test]
        fn a_usual_time_of_an_access_log_is_read_as_any_other(
            line in "[ 0-3][0-9][/-](Jan|Feb|Apr|Dec|jan|May)[/-](19|20)[0-9]{2}[: ][0-2][0-9]:[0-6][0-9]:[0-6][0-9] [-+Z][0-2][0-9][0-6][0-9][] ].{0,3}"
        ) {
            if let Some(found) = usual_access(line.as_bytes()) {
                prop_assert_eq!(found, day_month_name(line.as_bytes()).unwrap());
            }
        }
    }

    #[test]
    fn usual_times_are_usual() {
        assert!(usual_syslog(b"Jan  1 00:00:00 web1 x").is_some());
        for other in ["Jan  1 00:00:00 2026 x", "Jan  1 00:00:00 CET x", "Jan 32 00:00:00 web1"] {
            assert!(usual_syslog(other.as_bytes()).is_none(), "{other}");
        }
        assert!(usual_access(b"31/Jan/2026:15:04:05 +0100] x").is_some());
        assert!(usual_access(b"29/Feb/2024:23:59:60 -0930] x").is_some());
        for other in [
            "31/Jan/2026:15:04:05 ] x",
            "31/Jan/2026:15:04:05 +0100",
            "29/Feb/2026:15:04:05 +0100]",
        ] {
            assert!(usual_access(other.as_bytes()).is_none(), "{other}");
        }
    }
}
