//! Times as logs write them.
//!
//! | shape | where it is used |
//! | --- | --- |
//! | `2026-01-31 15:04:05.250 +0100`, with `T`, `/`, `.`, `_` or a comma as well | RFC 3339, ISO 8601, nginx, Go |
//! | `20260131-15:04:05`, `20260131T150405Z` | ISO 8601 basic |
//! | `260131 15:04:05`, `260131 150405`, `26/01/31 15:04:05` | MySQL, HDFS, log4j |
//! | `0131 15:04:05`, only where a format asks for it | glog |
//! | `Jan 31 15:04:05`, `Jan 31 2026 15:04:05`, `Jan 31, 2026 3:04:05 PM` | RFC 3164, Cisco, Java |
//! | `Sat Jan 31 15:04:05.250 2026`, `Sat, 31 Jan 2026 15:04:05 +0100` | asctime (ISO C), RFC 5322 |
//! | `31/Jan/2026:15:04:05 +0100`, `31-Jan-2026 15:04:05 Europe/Berlin`, `31 Jan 2026 15:04:05.250` | Common Log Format, PHP, Redis |
//! | `31.01.2026 15:04:05`, `31-01-2026 ...`, `1/31/2026 3:04:05 PM` | Windows, by hand |
//! | `1769871845`, `1769871845.25`, of milli-, micro- and nanoseconds too | Unix |
//! | `15:04:05.250`, only at the start of a line | Logback |
//! | `@4000000043322583` and eight digits of nanoseconds | TAI64N (D. J. Bernstein) |
//!
//! Three numbers of two digits are year, month and day. With slashes and the year last the month
//! comes first, with dots or dashes the day, unless only the other way is a date. Where the year
//! is missing, [`super::local_time`] finds it.

mod parts;
#[cfg(test)]
mod tests;
mod usual;

use nom::Parser;
use nom::branch::alt;
use nom::bytes::complete::{tag, take_while_m_n};
use nom::character::complete::{char, one_of};
use nom::combinator::{map, map_opt, not, opt, peek, value};
use nom::sequence::{preceded, terminated};

use self::parts::{
    Clock, Day, Zone, clock, compact_clock, micros, minute_seconds, month, padded, two_digit_year,
    weekday, zone,
};
pub(super) use self::parts::{
    Parsed, blanks, blanks1, days, digits, fraction, is_blank, is_digit, is_word, offset, second,
    utc,
};
pub(super) use self::usual::{usual_access, usual_syslog};
use super::local_time::WrittenTime;

/// Seconds since 1970 of the years 1970 to 9999.
const YEARS: std::ops::Range<i64> = 0..253_402_300_800;

/// A time in any of the shapes, at the start of `input`.
pub(super) fn timestamp(input: &[u8]) -> Parsed<'_, WrittenTime> {
    match input.first() {
        Some(b'0'..=b'9') => {
            alt((iso, day_month_name, year_last, compact, short_year, epoch)).parse(input)
        }
        Some(b'@') => tai64n(input),
        Some(byte) if byte.is_ascii_alphabetic() => alt((month_first, weekday_first)).parse(input),
        _ => Err(nom::Err::Error(())),
    }
}

/// The same, or a clock alone: `15:04:05.250`. For the start of a line; elsewhere that could be
/// anything.
pub(super) fn timestamp_or_clock(input: &[u8]) -> Parsed<'_, WrittenTime> {
    alt((timestamp, clock_alone)).parse(input)
}

fn clock_alone(input: &[u8]) -> Parsed<'_, WrittenTime> {
    let end = not(peek(take_while_m_n(1, 1, |byte| is_word(byte) || byte == b':')));
    let day = Day { days: 0, has_year: true };
    map_opt(terminated(clock, end), |clock| Some(written(day, clock, None)?.without_day()))
        .parse(input)
}

/// `2026-01-31T15:04:05.250+01:00`: a date with the year first and any separator, and a clock.
pub(super) fn iso(input: &[u8]) -> Parsed<'_, WrittenTime> {
    let (rest, year) = digits(4).parse(input)?;
    let (rest, separator) = one_of("-/.:").parse(rest)?;
    let (rest, (month, _, day)) = (digits(2), char(separator), digits(2)).parse(rest)?;
    let day = Day::new(year, month, day).ok_or(nom::Err::Error(()))?;
    let border = alt((value((), one_of("Tt_-:")), value((), blanks1)));
    with_clock(day, preceded(border, clock)).parse(rest)
}

/// `Jan 31 15:04:05`, the time of RFC 3164, with or without a year before or behind the clock,
/// and `Jan-31-26 15:04:05`.
pub(super) fn month_first(input: &[u8]) -> Parsed<'_, WrittenTime> {
    let (rest, month) = month(input)?;
    if let Ok((rest, (_, day, _, year))) =
        (char('-'), digits(2), char::<_, ()>('-'), two_digit_year).parse(rest)
    {
        let day = Day::new(year, month, day).ok_or(nom::Err::Error(()))?;
        return with_clock(day, preceded(blanks1, clock)).parse(rest);
    }
    let (rest, day) = preceded(blanks1, padded).parse(rest)?;
    let year_before = terminated(
        preceded((opt(char(',')), blanks1), digits(4)),
        peek(alt((value((), one_of(",:")), value((), blanks1)))),
    );
    let (rest, year_before) = opt(year_before).parse(rest)?;
    let (rest, clock) =
        preceded((opt(one_of(",:")), blanks1, opt((tag("at"), blanks1))), clock).parse(rest)?;
    let (rest, year) = match year_before {
        Some(year) => (rest, Some(year)),
        None => opt(year_behind).parse(rest)?,
    };
    let day = match year {
        Some(year) => Day::new(year, month, day),
        None => Day::of_some_year(month, day),
    };
    let (rest, zone) = opt(zone).parse(rest)?;
    let time = day.and_then(|day| written(day, clock, zone));
    time.map(|time| (rest, time)).ok_or(nom::Err::Error(()))
}

/// ` 2026` behind a clock.
fn year_behind(input: &[u8]) -> Parsed<'_, u32> {
    let year = (blanks1, peek(alt((tag("19"), tag("20")))), digits(4));
    let end = not(peek(take_while_m_n(1, 1, |byte| !is_blank(byte) && byte != b']')));
    map(terminated(year, end), |(_, _, year)| year).parse(input)
}

/// `Sat Jan 31 15:04:05 2026`, `Sat Jan 31 15:04:05 UTC 2026`, `Sat, 31 Jan 2026 15:04:05 +0100`.
pub(super) fn weekday_first(input: &[u8]) -> Parsed<'_, WrittenTime> {
    let (rest, ()) = weekday(input)?;
    alt((zone_before_year, month_first, day_month_name)).parse(rest)
}

/// `Jan 31 15:04:05 UTC 2026`, as date(1) writes it.
fn zone_before_year(input: &[u8]) -> Parsed<'_, WrittenTime> {
    let parts = (month, preceded(blanks1, padded), preceded(blanks1, clock), zone, year_behind);
    map_opt(parts, |(month, day, clock, zone, year)| {
        written(Day::new(year, month, day)?, clock, Some(zone))
    })
    .parse(input)
}

/// `31/Jan/2026:15:04:05 +0100`; the year may be missing behind `31 Jan`.
pub(super) fn day_month_name(input: &[u8]) -> Parsed<'_, WrittenTime> {
    let (rest, day) = map_opt(take_while_m_n(1, 2, is_digit), number).parse(input)?;
    let (rest, separator) = one_of("/- ").parse(rest)?;
    let (rest, month) = month(rest)?;
    let year = terminated(preceded(char(separator), digits(4)), peek(one_of(": ,")));
    let (rest, year) =
        if separator == ' ' { opt(year).parse(rest)? } else { map(year, Some).parse(rest)? };
    let day = match year {
        Some(year) => Day::new(year, month, day),
        None => Day::of_some_year(month, day),
    };
    let day = day.ok_or(nom::Err::Error(()))?;
    let border = alt((value((), char(':')), value((), (opt(char(',')), blanks1))));
    with_clock(day, preceded(border, clock)).parse(rest)
}

/// `31.01.2026 15:04:05`, `01/31/2026 - 15:04:05`, `1/31/2026 3:04:05 PM`.
fn year_last(input: &[u8]) -> Parsed<'_, WrittenTime> {
    let one_or_two_digits = || map_opt(take_while_m_n(1, 2, is_digit), number);
    let (rest, first) = one_or_two_digits().parse(input)?;
    let (rest, separator) = one_of("-/.").parse(rest)?;
    let (rest, (second, _, year)) =
        (one_or_two_digits(), char(separator), digits(4)).parse(rest)?;
    let (usual, other) = match separator {
        '/' => ((first, second), (second, first)),
        _ => ((second, first), (first, second)),
    };
    let day = Day::new(year, usual.0, usual.1).or_else(|| Day::new(year, other.0, other.1));
    let day = day.ok_or(nom::Err::Error(()))?;
    let dash = value((), (blanks1, char('-'), blanks1));
    let border = alt((dash, value((), (opt(char(',')), blanks1)), value((), one_of("T:-"))));
    with_clock(day, preceded(border, clock)).parse(rest)
}

/// `20260131T150405Z`.
fn compact(input: &[u8]) -> Parsed<'_, WrittenTime> {
    let (rest, (year, month, day)) = (digits(4), digits(2), digits(2)).parse(input)?;
    let day = Day::new(year, month, day).ok_or(nom::Err::Error(()))?;
    let border = alt((value((), one_of("Tt_-:")), value((), blanks1)));
    with_clock(day, preceded(border, alt((compact_clock, clock)))).parse(rest)
}

/// `0131 15:04:05.123456` and `20260131 15:04:05.123456`, as glog writes them.
pub(super) fn month_and_day(input: &[u8]) -> Parsed<'_, WrittenTime> {
    let year = terminated(digits(4), peek(digits(4)));
    let (rest, (year, month, day)) = (opt(year), digits(2), digits(2)).parse(input)?;
    let day = match year {
        Some(year) => Day::new(year, month, day),
        None => Day::of_some_year(month, day),
    };
    with_clock(day.ok_or(nom::Err::Error(()))?, preceded(blanks1, clock)).parse(rest)
}

/// `260131 15:04:05`, `260131 150405`, `26/01/31 15:04:05`.
pub(super) fn short_year(input: &[u8]) -> Parsed<'_, WrittenTime> {
    let (rest, year) = two_digit_year(input)?;
    let (rest, separator) = opt(char('/')).parse(rest)?;
    let (rest, month) = digits(2).parse(rest)?;
    let rest = if separator.is_some() { char('/').parse(rest)?.0 } else { rest };
    let (rest, day) = digits(2).parse(rest)?;
    let day = Day::new(year, month, day).ok_or(nom::Err::Error(()))?;
    with_clock(day, preceded(blanks1, alt((compact_clock, clock)))).parse(rest)
}

/// Seconds since 1970 with a fraction or without, milli-, micro- or nanoseconds.
pub(super) fn epoch(input: &[u8]) -> Parsed<'_, WrittenTime> {
    let (rest, digits) = take_while_m_n(10, 19, is_digit).parse(input)?;
    let seconds = epoch_seconds(digits);
    let (rest, seconds) = match (digits.len(), seconds) {
        (10, Some((seconds, _))) => {
            let (rest, micros) = fraction(rest)?;
            (rest, Some((seconds, micros)))
        }
        (_, seconds) => (rest, seconds),
    };
    let (rest, ()) = not(peek(take_while_m_n(1, 1, is_word))).parse(rest)?;
    let time = seconds.map(|(seconds, micros)| WrittenTime::of_instant(seconds, micros));
    time.map(|time| (rest, time)).ok_or(nom::Err::Error(()))
}

/// Seconds and microseconds since 1970 that 10, 13, 16 or 19 digits mean.
pub(super) fn epoch_seconds(digits: &[u8]) -> Option<(i64, u32)> {
    if !matches!(digits.len(), 10 | 13 | 16 | 19) || digits[0] == b'0' {
        return None;
    }
    let (seconds, rest) = digits.split_at(10);
    let seconds = seconds.iter().fold(0, |number, digit| number * 10 + i64::from(digit - b'0'));
    Some((seconds, micros(rest)))
}

/// A label of TAI64 or TAI64N. What writes them (daemontools, runit) counts ten seconds more than
/// the clock shows, and no leap seconds, so that nothing but these ten is taken off again.
///
/// Source: <https://cr.yp.to/libtai/tai64.html>; libtai's `tai_unix` and `tai_now`.
fn tai64n(input: &[u8]) -> Parsed<'_, WrittenTime> {
    let hexadecimal = |byte: u8| byte.is_ascii_hexdigit();
    let label = (char('@'), take_while_m_n(16, 16, hexadecimal));
    let nanos = opt(take_while_m_n(8, 8, hexadecimal));
    map_opt((label, nanos), |((_, label), nanos)| {
        let label = u64::from_str_radix(str::from_utf8(label).ok()?, 16).ok()?;
        let atomic = i64::try_from(label.checked_sub(1 << 62)?).ok()?;
        let nanos = match nanos {
            Some(nanos) => u32::from_str_radix(str::from_utf8(nanos).ok()?, 16).ok()?,
            None => 0,
        };
        let micros = (nanos < 1_000_000_000).then_some(nanos / 1000)?;
        let seconds = atomic.checked_sub(10).filter(|seconds| YEARS.contains(seconds))?;
        Some(WrittenTime::of_instant(seconds, micros))
    })
    .parse(input)
}

/// A clock behind a day, and a zone if there is one.
fn with_clock<'a>(
    day: Day,
    clock: impl Parser<&'a [u8], Output = Clock, Error = ()>,
) -> impl Parser<&'a [u8], Output = WrittenTime, Error = ()> {
    map_opt((clock, opt(zone)), move |(clock, zone)| written(day, clock, zone))
}

fn written(day: Day, clock: Clock, zone: Option<Zone>) -> Option<WrittenTime> {
    let minute = minute_seconds(day, clock);
    let seconds_east = match zone {
        Some(zone) => Some(zone.seconds_east(minute + i64::from(clock.second))?),
        None => None,
    };
    let time = WrittenTime::new(minute, clock.second, clock.micros, seconds_east);
    Some(if day.has_year { time } else { time.without_year() })
}

fn number(digits: &[u8]) -> Option<u32> {
    str::from_utf8(digits).ok()?.parse().ok()
}
