//! Hours of the week: `mon-fri 08:00-18:00 Europe/Berlin`.
//!
//! The grammar, in which everything but the hours may be left out and the order is fixed:
//!
//! ```text
//! hours  = [ "weekly" | "daily" ] [ days ] from "-" until [ zone ]
//! days   = day [ "-" day ] *( "," day [ "-" day ] )       ; mon tue wed thu fri sat sun
//! from   = HH ":" MM                                      ; 00:00 to 23:59
//! until  = HH ":" MM                                      ; 00:00 to 24:00
//! zone   = name of the IANA data base                     ; default: UTC
//! ```
//!
//! Hours that end no later than they begin end on the next day, and belong to the day on
//! which they begin. Where a clock is set forward or back, what it shows decides.

use std::fmt;
use std::str::FromStr;

use chrono::{
    DateTime, Datelike, Days, NaiveDateTime, NaiveTime, TimeDelta, Timelike, Utc, Weekday,
};
use chrono_tz::Tz;

const DAY_MINUTES: u32 = 24 * 60;
const DAYS: [(&str, Weekday); 7] = [
    ("mon", Weekday::Mon),
    ("tue", Weekday::Tue),
    ("wed", Weekday::Wed),
    ("thu", Weekday::Thu),
    ("fri", Weekday::Fri),
    ("sat", Weekday::Sat),
    ("sun", Weekday::Sun),
];

/// How to write hours, for messages.
const NOTATION: &str = "write them like \"mon-fri 08:00-18:00 Europe/Berlin\"";

/// Hours that come again every week.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct WeeklyHours {
    text: String,
    /// From Monday on.
    days: [bool; 7],
    from_minute: u32,
    until_minute: u32,
    zone: Tz,
}

/// A text that does not say hours.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{problem}; {NOTATION}")]
pub struct InvalidHours {
    problem: String,
}

impl WeeklyHours {
    /// Whether a moment lies in them. The first minute belongs to them, the last one not.
    pub fn contains(&self, time: DateTime<Utc>) -> bool {
        let local = time.with_timezone(&self.zone);
        let minute = local.hour() * 60 + local.minute();
        let today = local.weekday().num_days_from_monday() as usize;
        let yesterday = (today + 6) % 7;
        if self.from_minute < self.until_minute {
            return self.days[today] && (self.from_minute..self.until_minute).contains(&minute);
        }
        self.days[today] && minute >= self.from_minute
            || self.days[yesterday] && minute < self.until_minute
    }

    /// The first moment in them that is not before `time`; `None` only beyond what a date can be.
    pub fn next(&self, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        if self.contains(time) {
            return Some(time);
        }
        let begins = NaiveTime::from_num_seconds_from_midnight_opt(self.from_minute * 60, 0)?;
        let today = time.with_timezone(&self.zone).date_naive();
        (0..=8).find_map(|day| {
            let local = today.checked_add_days(Days::new(day))?.and_time(begins);
            let found = local.and_local_timezone(self.zone);
            let moments = [found.earliest(), found.latest(), self.after_gap(local)];
            let moments = moments.into_iter().flatten().map(|moment| moment.to_utc());
            moments.filter(|moment| *moment >= time && self.contains(*moment)).min()
        })
    }

    /// The first full minute after `time` that does not lie in them; `None`: they have no end.
    pub fn end(&self, time: DateTime<Utc>) -> Option<DateTime<Utc>> {
        let minute = time.with_second(0)?.with_nanosecond(0)?;
        // Hours begin and end with a minute, and come again after a week.
        (1..=8 * DAY_MINUTES)
            .map(|minutes| minute + TimeDelta::minutes(i64::from(minutes)))
            .find(|moment| !self.contains(*moment))
    }

    /// The moment at which a clock that is set forward shows more than `local`, if it never shows
    /// that.
    fn after_gap(&self, local: NaiveDateTime) -> Option<DateTime<Tz>> {
        if local.and_local_timezone(self.zone).earliest().is_some() {
            return None;
        }
        // No clock was ever set forward by more than a day.
        (1..=DAY_MINUTES).find_map(|minutes| {
            let later = local.checked_add_signed(TimeDelta::minutes(i64::from(minutes)))?;
            later.and_local_timezone(self.zone).earliest()
        })
    }
}

impl FromStr for WeeklyHours {
    type Err = InvalidHours;

    fn from_str(text: &str) -> Result<Self, InvalidHours> {
        let wrong = |problem: String| InvalidHours { problem };
        let mut words = text.split_whitespace().peekable();
        words.next_if(|word| ["weekly", "daily"].contains(word));
        let days = words.next_if(|word| !word.contains(':')).map(days).transpose();
        let days = days.map_err(|day| wrong(format!("{day:?} is no day of the week")))?;
        let hours = words.next().ok_or_else(|| wrong(format!("{text:?} names no hours")))?;
        let minutes = hours.split_once('-').and_then(|(from, until)| {
            Some((minute_of_day(from)?, minute_of_day(until)?))
                .filter(|(from, _)| *from < DAY_MINUTES)
        });
        let (from_minute, until_minute) =
            minutes.ok_or_else(|| wrong(format!("{hours:?} are no hours")))?;
        let zone = match words.next() {
            None => Tz::UTC,
            Some(zone) => {
                zone.parse().map_err(|_| wrong(format!("{zone:?} is no IANA time zone")))?
            }
        };
        if let Some(word) = words.next() {
            return Err(wrong(format!("{word:?} is too much")));
        }
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        Ok(Self { text, days: days.unwrap_or([true; 7]), from_minute, until_minute, zone })
    }
}

impl fmt::Display for WeeklyHours {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}

/// The days that a text names; what is wrong with it otherwise.
fn days(text: &str) -> Result<[bool; 7], String> {
    let number = |name: &str| {
        let day = DAYS.iter().find(|(known, _)| name.eq_ignore_ascii_case(known));
        day.map(|(_, day)| day.num_days_from_monday() as usize).ok_or_else(|| name.to_owned())
    };
    let mut days = [false; 7];
    for part in text.split(',') {
        let (first, last) = part.split_once('-').unwrap_or((part, part));
        let (first, last) = (number(first)?, number(last)?);
        // From Saturday to Monday goes over the end of the week.
        let length = (last + 7 - first) % 7;
        for day in first..=first + length {
            days[day % 7] = true;
        }
    }
    Ok(days)
}

fn minute_of_day(text: &str) -> Option<u32> {
    let (hour, minute) = text.split_once(':')?;
    let number = |text: &str| {
        let is_number = text.len() == 2 && text.bytes().all(|byte| byte.is_ascii_digit());
        is_number.then(|| text.parse::<u32>().ok()).flatten()
    };
    let (hour, minute) = (number(hour)?, number(minute)?);
    let total = hour * 60 + minute;
    (minute < 60 && total <= DAY_MINUTES).then_some(total)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn holds(hours: &str, time: &str) -> bool {
        hours.parse::<WeeklyHours>().unwrap().contains(time.parse().unwrap())
    }

    #[test]
    fn hours_are_those_of_their_zone() {
        // 2026-01-05 is a Monday; Berlin is an hour ahead of UTC.
        let work = "mon-fri 08:00-18:00 Europe/Berlin";
        assert!(!holds(work, "2026-01-05T06:59:59Z"));
        assert!(holds(work, "2026-01-05T07:00:00Z"));
        assert!(holds(work, "2026-01-05T16:59:59Z"));
        assert!(!holds(work, "2026-01-05T17:00:00Z"));
        assert!(!holds(work, "2026-01-04T12:00:00Z"));
        // In summer it is two hours ahead.
        assert!(holds(work, "2026-07-06T06:00:00Z"));
        assert!(holds("08:00-24:00", "2026-01-04T23:59:59Z"));
    }

    #[test]
    fn hours_over_midnight_belong_to_the_day_on_which_they_begin() {
        let night = "weekly sat 22:00-02:00";
        assert!(holds(night, "2026-01-03T22:00:00Z"));
        assert!(holds(night, "2026-01-04T01:59:00Z"));
        assert!(!holds(night, "2026-01-04T02:00:00Z"));
        assert!(!holds(night, "2026-01-04T22:00:00Z"));
        assert!(!holds(night, "2026-01-03T01:00:00Z"));
        assert!(holds("daily 00:00-00:00", "2026-01-03T00:00:00Z"), "the whole day");
    }

    #[test]
    fn days_may_go_over_the_end_of_the_week() {
        let hours = "sat-mon,wed 00:00-24:00";
        let holds = |day: u32| holds(hours, &format!("2026-01-{day:02}T12:00:00Z"));
        // From Monday the 5th to Sunday the 11th.
        let held: Vec<u32> = (5..12).filter(|day| holds(*day)).collect();
        assert_eq!(held, [5, 7, 10, 11]);
    }

    #[test]
    fn the_next_moment_is_the_first_one() {
        let next = |hours: &str, time: &str| {
            let hours: WeeklyHours = hours.parse().unwrap();
            hours.next(time.parse().unwrap()).unwrap().to_rfc3339()
        };
        let work = "mon-fri 08:00-18:00 Europe/Berlin";
        assert_eq!(next(work, "2026-01-05T07:00:00.5Z"), "2026-01-05T07:00:00.500+00:00");
        assert_eq!(next(work, "2026-01-05T06:00:00Z"), "2026-01-05T07:00:00+00:00");
        assert_eq!(next(work, "2026-01-09T17:00:00Z"), "2026-01-12T07:00:00+00:00");
        assert_eq!(next("mon 00:00-00:01", "2026-01-05T00:01:00Z"), "2026-01-12T00:00:00+00:00");
        // The clock shows 03:00 after 01:59:59, and on another day 02:30 twice.
        let night = "02:30-04:00 Europe/Berlin";
        assert_eq!(next(night, "2026-03-29T00:00:00Z"), "2026-03-29T01:00:00+00:00");
        assert_eq!(next(night, "2026-10-25T00:00:00Z"), "2026-10-25T00:30:00+00:00");
        let brief = "02:30-02:45 Europe/Berlin";
        assert_eq!(next(brief, "2026-10-25T00:50:00Z"), "2026-10-25T01:30:00+00:00");
        assert_eq!(next(brief, "2026-03-29T00:00:00Z"), "2026-03-30T00:30:00+00:00");
    }

    proptest! {
        /// Asked minute by minute.
        #[test]
        fn no_moment_before_the_next_one_lies_in_the_hours(
            from in 0..DAY_MINUTES, until in 0..=DAY_MINUTES, day in 0..7_usize, start in 0..525_600_i64,
            zone in prop::sample::select(vec!["UTC", "Europe/Berlin", "Australia/Lord_Howe"]),
        ) {
            let text = format!(
                "{} {:02}:{:02}-{:02}:{:02} {zone}",
                DAYS[day].0, from / 60, from % 60, until / 60, until % 60
            );
            let hours: WeeklyHours = text.parse().unwrap();
            let start = "2026-01-01T00:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(start);
            let minutes = (0..15 * 24 * 60).map(|minute| start + TimeDelta::minutes(minute));
            prop_assert_eq!(hours.next(start), minutes.into_iter().find(|moment| hours.contains(*moment)));
        }
    }

    #[test]
    fn what_is_wrong_is_named() {
        for (text, problem) in [
            ("", "\"\" names no hours"),
            ("mon", "\"mon\" names no hours"),
            ("mum 08:00-09:00", "\"mum\" is no day of the week"),
            ("mon 8:00-09:00", "\"8:00-09:00\" are no hours"),
            ("mon 08:00", "\"08:00\" are no hours"),
            ("08:00-25:00", "\"08:00-25:00\" are no hours"),
            ("24:00-08:00", "\"24:00-08:00\" are no hours"),
            ("08:61-09:00", "\"08:61-09:00\" are no hours"),
            ("08:00-09:00 Berlin", "\"Berlin\" is no IANA time zone"),
            ("08:00-09:00 UTC please", "\"please\" is too much"),
        ] {
            let error = text.parse::<WeeklyHours>().unwrap_err().to_string();
            assert_eq!(error, format!("{problem}; {NOTATION}"));
        }
    }
}
