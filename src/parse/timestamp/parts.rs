//! The parts of which times are made: numbers, names of months, clocks, zones.

use chrono::{Datelike, NaiveDate, Offset, TimeZone};
use chrono_tz::Tz;
use nom::branch::alt;
use nom::bytes::complete::{tag, tag_no_case, take, take_while, take_while_m_n, take_while1};
use nom::character::complete::char;
use nom::combinator::{map, map_opt, not, opt, peek, recognize, value, verify};
use nom::sequence::{pair, preceded, terminated};
use nom::{IResult, Parser};

/// Why a line does not match is of no use to anybody, so errors carry nothing.
pub(in crate::parse) type Parsed<'a, T> = IResult<&'a [u8], T, ()>;

const SECONDS_PER_DAY: i64 = 86_400;
/// Of the years since 1.
const DAYS_BEFORE_1970: i32 = 719_163;

/// A day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Day {
    /// Since 1970-01-01; where the year is missing, in 1972.
    pub(super) days: i64,
    pub(super) has_year: bool,
}

impl Day {
    /// A day of the years 1970 to 9999.
    pub(super) fn new(year: u32, month: u32, day: u32) -> Option<Self> {
        Some(Self { days: days(year, month, day)?, has_year: true })
    }

    /// A day without its year, which may be February 29.
    pub(super) fn of_some_year(month: u32, day: u32) -> Option<Self> {
        Some(Self { days: days(1972, month, day)?, has_year: false })
    }
}

/// Days since 1970-01-01.
#[inline]
pub(in crate::parse) fn days(year: u32, month: u32, day: u32) -> Option<i64> {
    let date = NaiveDate::from_ymd_opt(year.try_into().ok()?, month, day)?;
    let days = i64::from(date.num_days_from_ce() - DAYS_BEFORE_1970);
    (days >= 0).then_some(days)
}

/// A time of the day.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Clock {
    /// Since midnight, in whole minutes.
    pub(super) minute: u32,
    pub(super) second: u32,
    pub(super) micros: u32,
}

/// A number of exactly `count` decimal digits.
pub(in crate::parse) fn digits<'a>(
    count: usize,
) -> impl Parser<&'a [u8], Output = u32, Error = ()> {
    map_opt(take(count), decimal)
}

/// A number of one or two digits, which blanks may pad.
pub(super) fn padded(input: &[u8]) -> Parsed<'_, u32> {
    map_opt(preceded(blanks, take_while_m_n(1, 2, is_digit)), decimal).parse(input)
}

fn decimal(digits: &[u8]) -> Option<u32> {
    digits.iter().try_fold(0_u32, |number, &digit| {
        is_digit(digit).then(|| number * 10 + u32::from(digit - b'0'))
    })
}

/// `2026`, of two digits those of 1970 to 2069.
pub(super) fn two_digit_year(input: &[u8]) -> Parsed<'_, u32> {
    map(digits(2), |year| if year < 70 { 2000 + year } else { 1900 + year }).parse(input)
}

/// `Jan` or `January`, in any case, as 1 to 12.
pub(super) fn month(input: &[u8]) -> Parsed<'_, u32> {
    let start = input.first_chunk::<3>().map(|start| start.map(|byte| byte.to_ascii_lowercase()));
    let (number, rest_of_name): (u32, &[u8]) = match start.as_ref().map(<[u8; 3]>::as_slice) {
        Some(b"jan") => (1, b"uary"),
        Some(b"feb") => (2, b"ruary"),
        Some(b"mar") => (3, b"ch"),
        Some(b"apr") => (4, b"il"),
        Some(b"may") => (5, b""),
        Some(b"jun") => (6, b"e"),
        Some(b"jul") => (7, b"y"),
        Some(b"aug") => (8, b"ust"),
        Some(b"sep") => (9, b"tember"),
        Some(b"oct") => (10, b"ober"),
        Some(b"nov") => (11, b"ember"),
        Some(b"dec") => (12, b"ember"),
        _ => return Err(nom::Err::Error(())),
    };
    let short = &input[3..];
    let long =
        short.get(..rest_of_name.len()).filter(|name| name.eq_ignore_ascii_case(rest_of_name));
    let rest = if long.is_some() { &short[rest_of_name.len()..] } else { short };
    if rest.first().is_some_and(u8::is_ascii_alphabetic) {
        return Err(nom::Err::Error(()));
    }
    Ok((rest, number))
}

/// `Mon` or `Monday`, with a comma or without.
pub(super) fn weekday(input: &[u8]) -> Parsed<'_, ()> {
    let name = alt((
        tag_no_case("Mon"),
        tag_no_case("Tue"),
        tag_no_case("Wed"),
        tag_no_case("Thu"),
        tag_no_case("Fri"),
        tag_no_case("Sat"),
        tag_no_case("Sun"),
    ));
    let rest = take_while(|byte: u8| byte.is_ascii_alphabetic());
    value((), (name, rest, opt(char(',')), blanks1)).parse(input)
}

/// `15:04:05.250`, `3:04:05 PM`. The hour may have one digit.
pub(super) fn clock(input: &[u8]) -> Parsed<'_, Clock> {
    let hour = map_opt(take_while_m_n(1, 2, is_digit), decimal);
    let minute = verify(digits(2), |minute| *minute < 60);
    let parts = (hour, char(':'), minute, char(':'), second, fraction, opt(half_of_day));
    map_opt(parts, |(hour, _, minute, _, second, micros, is_afternoon)| {
        let hour = match is_afternoon {
            None if hour < 24 => hour,
            Some(is_afternoon) if (1..=12).contains(&hour) => {
                hour % 12 + if is_afternoon { 12 } else { 0 }
            }
            _ => return None,
        };
        Some(Clock { minute: hour * 60 + minute, second, micros })
    })
    .parse(input)
}

/// `150405`, with a fraction or without.
pub(super) fn compact_clock(input: &[u8]) -> Parsed<'_, Clock> {
    let hour = verify(digits(2), |hour| *hour < 24);
    let minute = verify(digits(2), |minute| *minute < 60);
    let parts = terminated((hour, minute, second, fraction), not(peek(digits(1))));
    map(parts, |(hour, minute, second, micros)| Clock {
        minute: hour * 60 + minute,
        second,
        micros,
    })
    .parse(input)
}

/// Whether a clock of twelve hours shows the afternoon.
fn half_of_day(input: &[u8]) -> Parsed<'_, bool> {
    if !matches!(input.first(), Some(b' ' | b'\t' | b'a' | b'A' | b'p' | b'P')) {
        return Err(nom::Err::Error(()));
    }
    let afternoon = alt((value(false, tag_no_case("AM")), value(true, tag_no_case("PM"))));
    terminated(preceded(blanks, afternoon), not(peek(take_while1(is_word)))).parse(input)
}

pub(in crate::parse) fn second(input: &[u8]) -> Parsed<'_, u32> {
    verify(digits(2), |second| *second <= 60).parse(input)
}

/// `.250`, or nothing, in microseconds.
pub(in crate::parse) fn fraction(input: &[u8]) -> Parsed<'_, u32> {
    let mark = alt((char('.'), char(',')));
    let fraction = preceded(mark, map(take_while_m_n(1, 9, is_digit), micros));
    map(opt(fraction), Option::unwrap_or_default).parse(input)
}

/// The first six digits of a fraction, which may have fewer.
pub(super) fn micros(fraction: &[u8]) -> u32 {
    let padded = fraction.iter().chain(b"00000").take(6);
    padded.fold(0, |micros, digit| micros * 10 + u32::from(digit - b'0'))
}

/// `+02:00`, `-0700` or `+02`, in seconds east of UTC.
pub(in crate::parse) fn offset(input: &[u8]) -> Parsed<'_, i32> {
    let minutes = opt(preceded(opt(char(':')), verify(digits(2), |minutes| *minutes < 60)));
    map((sign, hours, minutes), |(sign, hours, minutes)| {
        sign * (hours * 3_600 + minutes.unwrap_or(0).cast_signed() * 60)
    })
    .parse(input)
}

/// The same behind a blank, where a number could stand as well: minutes are needed.
fn detached_offset(input: &[u8]) -> Parsed<'_, i32> {
    let minutes = preceded(opt(char(':')), verify(digits(2), |minutes| *minutes < 60));
    let offset = terminated((sign, hours, minutes), not(peek(take_while1(is_word))));
    map(offset, |(sign, hours, minutes)| sign * (hours * 3_600 + minutes.cast_signed() * 60))
        .parse(input)
}

fn sign(input: &[u8]) -> Parsed<'_, i32> {
    alt((value(1, char('+')), value(-1, char('-')))).parse(input)
}

fn hours(input: &[u8]) -> Parsed<'_, i32> {
    map(verify(digits(2), |hours| *hours < 24), u32::cast_signed).parse(input)
}

/// What a zone says of a time.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Zone {
    /// Seconds east of UTC.
    Offset(i32),
    /// The place whose clock was read.
    Named(Tz),
}

impl Zone {
    /// Seconds east of UTC when a clock of the zone showed this (seconds since 1970-01-01 on
    /// that clock); in a repeated hour, in its first pass.
    pub(super) fn seconds_east(self, civil_seconds: i64) -> Option<i32> {
        let zone = match self {
            Self::Offset(seconds) => return Some(seconds),
            Self::Named(zone) => zone,
        };
        let local = chrono::DateTime::from_timestamp(civil_seconds, 0)?.naive_utc();
        let offset = zone.offset_from_local_datetime(&local).earliest();
        let offset = offset.unwrap_or_else(|| zone.offset_from_utc_datetime(&local));
        Some(offset.fix().local_minus_utc())
    }
}

/// A zone right behind a time, or behind blanks: `Z`, `+02:00`, ` +0200`, ` UTC`, ` CEST`,
/// ` Europe/Berlin`.
pub(super) fn zone(input: &[u8]) -> Parsed<'_, Zone> {
    match input.first() {
        Some(b'Z' | b'z') => {
            map(terminated(take(1_usize), not(peek(take_while1(is_word)))), |_| Zone::Offset(0))
                .parse(input)
        }
        Some(b'+' | b'-') => map(offset, Zone::Offset).parse(input),
        Some(b' ' | b'\t') => {
            let (rest, _) = blanks(input)?;
            match rest.first() {
                Some(b'+' | b'-') => map(detached_offset, Zone::Offset).parse(rest),
                Some(b'A'..=b'Z') => alt((map(abbreviation, Zone::Offset), named)).parse(rest),
                _ => Err(nom::Err::Error(())),
            }
        }
        _ => Err(nom::Err::Error(())),
    }
}

/// The abbreviations that PostgreSQL reads by default, as far as they are common, and without
/// those that mean several things. Others are taken for words.
///
/// Source: PostgreSQL, `src/timezone/tznames/Default`.
fn abbreviation(input: &[u8]) -> Parsed<'_, i32> {
    let (rest, word) = take_while1(is_word).parse(input)?;
    let quarters = match word {
        b"UTC" | b"GMT" | b"Z" | b"WET" => 0,
        b"WEST" | b"BST" | b"CET" | b"MET" => 4,
        b"CEST" | b"MEST" | b"EET" | b"SAST" => 8,
        b"EEST" | b"MSK" => 12,
        b"MSD" => 16,
        b"PKT" => 20,
        b"IST" => 22,
        b"SGT" | b"HKT" | b"AWST" => 32,
        b"JST" | b"KST" => 36,
        b"ACST" => 38,
        b"AEST" => 40,
        b"AEDT" => 44,
        b"NZST" => 48,
        b"NZDT" => 52,
        b"BRT" => -12,
        b"EDT" => -16,
        b"EST" | b"CDT" => -20,
        b"CST" | b"MDT" => -24,
        b"MST" | b"PDT" => -28,
        b"PST" | b"AKDT" => -32,
        b"AKST" => -36,
        b"HST" => -40,
        _ => return Err(nom::Err::Error(())),
    };
    Ok((rest, quarters * 900))
}

/// A name of the IANA database with a slash in it.
fn named(input: &[u8]) -> Parsed<'_, Zone> {
    let length = input.iter().position(|byte| is_blank(*byte)).unwrap_or(input.len());
    if !input[..length].contains(&b'/') {
        return Err(nom::Err::Error(()));
    }
    let part = || take_while1(|byte: u8| byte.is_ascii_alphanumeric() || b"_+-".contains(&byte));
    let name = recognize(
        pair(part(), take_while_m_n(1, 1, |byte| byte == b'/'))
            .and(take_while1(|byte: u8| byte.is_ascii_alphanumeric() || b"_+-/".contains(&byte))),
    );
    map_opt(name, |name: &[u8]| Some(Zone::Named(str::from_utf8(name).ok()?.parse().ok()?)))
        .parse(input)
}

/// Seconds from 1970-01-01 00:00 to the minute of a clock, both read off the same clock.
pub(super) fn minute_seconds(day: Day, clock: Clock) -> i64 {
    day.days * SECONDS_PER_DAY + i64::from(clock.minute) * 60
}

/// `UTC` is read where a grammar names it.
pub(in crate::parse) fn utc(input: &[u8]) -> Parsed<'_, i32> {
    value(0, alt((tag("Z"), tag("UTC")))).parse(input)
}

pub(in crate::parse) fn blanks(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while(is_blank).parse(input)
}

pub(in crate::parse) fn blanks1(input: &[u8]) -> Parsed<'_, &[u8]> {
    take_while1(is_blank).parse(input)
}

pub(in crate::parse) fn is_blank(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t')
}

pub(in crate::parse) fn is_digit(byte: u8) -> bool {
    byte.is_ascii_digit()
}

/// Part of a word: no border of a number or a name lies before it.
pub(in crate::parse) fn is_word(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || byte == b'_'
}
