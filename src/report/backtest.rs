//! What a rule would have fired.

use std::io::{self, Write};

use chrono::{DateTime, TimeDelta, Utc};
use serde::{Serialize, Serializer};

use super::alerts::quantity;
use super::table::{Column, table, text};
use super::{optional_time, shown, time, wrapped};
use crate::{duration, visible};

/// Characters in a line of words.
const LINE_CHARS: usize = 100;
/// What is about one alert a week.
const ABOUT_ONE: std::ops::RangeInclusive<f64> = 0.5..=2.0;
const SECONDS_A_WEEK: f64 = 604_800.0;

/// A rule that was tried on what is stored.
#[derive(Debug)]
pub struct Backtested {
    /// Its name.
    pub rule: String,
    /// Its kind.
    pub kind: &'static str,
    /// What it looks for, in a few words.
    pub looks_for: String,
    /// The key whose values were tried; `None`: it has none.
    pub key: Option<&'static str>,
    /// What the config says.
    pub configured: Option<f64>,
    /// From when to when was looked; `None`: there is nothing.
    pub looked_at: Option<(DateTime<Utc>, DateTime<Utc>)>,
    /// The first entry that is stored.
    pub first_entry_at: Option<DateTime<Utc>>,
    /// The last one.
    pub last_entry_at: Option<DateTime<Utc>>,
    /// The first line that was counted.
    pub first_line_at: Option<DateTime<Utc>>,
    /// The last one.
    pub last_line_at: Option<DateTime<Utc>>,
    /// Whether it reads the counts of all lines rather than stored entries.
    pub reads_counts: bool,
    /// The levels that are stored.
    pub stored_levels: Vec<&'static str>,
    /// What came of each value.
    pub values: Vec<TriedValue>,
}

/// What a rule would have fired with a value.
#[derive(Debug)]
pub struct TriedValue {
    /// The value; `None`: as configured.
    pub value: Option<f64>,
    /// The alerts, in the order in which they began.
    pub alerts: Vec<TriedAlert>,
}

/// An alert that would have been.
#[derive(Clone, Debug, Serialize)]
pub struct TriedAlert {
    /// Number of the source.
    pub source_id: i64,
    /// What the rule groups by besides the source.
    pub group: String,
    /// When it would have begun.
    pub started_at: DateTime<Utc>,
    /// When it would have ended; absent: it would fire.
    pub ended_at: Option<DateTime<Utc>>,
    /// What was measured at its worst.
    #[serde(serialize_with = "quantity")]
    pub measured: f64,
    /// How long it would have lasted so far.
    pub lasted_seconds: i64,
}

impl Backtested {
    fn weeks(&self) -> f64 {
        let length = self.looked_at.map(|(from, to)| to - from).unwrap_or_default();
        length.as_seconds_f64() / SECONDS_A_WEEK
    }

    /// How many alerts a week a value gives; `None`: no time was looked at.
    fn alerts_a_week(&self, value: &TriedValue) -> Option<f64> {
        let weeks = self.weeks();
        #[expect(clippy::cast_precision_loss, reason = "nobody has so many alerts")]
        let alerts = value.alerts.len() as f64;
        (weeks > 0.0).then(|| alerts / weeks)
    }

    /// Whether with a value something fires more than half of the time: nobody wants that, and it
    /// makes few alerts of many.
    fn fires_mostly(&self, value: &TriedValue) -> bool {
        let length = self.looked_at.map(|(from, to)| to - from).unwrap_or_default();
        let lasted: i64 = value.alerts.iter().map(|alert| alert.lasted_seconds).sum();
        lasted > length.num_seconds() / 2
    }

    /// The values that are of use, with how many alerts a week they give.
    fn rated(&self) -> impl Iterator<Item = (&TriedValue, f64)> {
        let rated = self.values.iter().filter(|value| !self.fires_mostly(value));
        rated.filter_map(|value| Some((value, self.alerts_a_week(value)?)))
    }

    /// Which value is nearest to one alert a week, by factors; the configured one where several
    /// are. `None`: none gives any.
    fn nearest(&self) -> Option<(&TriedValue, f64)> {
        let rated = self.rated().filter(|(_, rate)| *rate > 0.0);
        let far =
            |(value, rate): &(&TriedValue, f64)| (rate.ln().abs(), value.value != self.configured);
        rated.min_by(|a, b| {
            let ((a, a_other), (b, b_other)) = (far(a), far(b));
            a.total_cmp(&b).then(a_other.cmp(&b_other))
        })
    }

    /// Neighbours of which one gives more, and the other less.
    fn around_one(&self) -> Option<(f64, f64)> {
        let rated: Vec<_> =
            self.rated().filter_map(|(one, rate)| Some((one.value?, rate))).collect();
        let is_around = |a: f64, b: f64| a > *ABOUT_ONE.end() && b < *ABOUT_ONE.start();
        let pairs = rated.windows(2).map(|pair| (pair[0], pair[1]));
        let mut around = pairs.filter(|((_, a), (_, b))| is_around(*a, *b) || is_around(*b, *a));
        let ((from, _), (to, _)) = around.next()?;
        // Between neighbouring counts there is none.
        (to - from > 1.0 || self.key != Some("count")).then_some((from, to))
    }

    /// The value that gives about one alert a week.
    fn about_one(&self) -> Option<(&TriedValue, f64)> {
        self.nearest().filter(|(_, rate)| ABOUT_ONE.contains(rate))
    }
}

impl TriedValue {
    fn longest_seconds(&self) -> i64 {
        self.alerts.iter().map(|alert| alert.lasted_seconds).max().unwrap_or_default()
    }
}

/// Writes it for people.
///
/// # Errors
/// When the output takes nothing.
pub fn write(found: &Backtested, out: &mut dyn Write) -> io::Result<()> {
    let rule = shown(&found.rule);
    let Some((from, to)) = found.looked_at else {
        return writeln!(
            out,
            "{rule}: nothing is stored of that time (entries {}, lines {})",
            span(found.first_entry_at, found.last_entry_at),
            span(found.first_line_at, found.last_line_at)
        );
    };
    writeln!(out, "{rule}: {}", shown(&found.looks_for))?;
    writeln!(out, "looked at  {} to {} ({})", time(from), time(to), duration::display(to - from))?;
    writeln!(out, "entries    {}", span(found.first_entry_at, found.last_entry_at))?;
    writeln!(out, "lines      {}\n", span(found.first_line_at, found.last_line_at))?;
    writeln!(out, "{}", text(&values_table(found)))?;
    for words in [hint(found), limits(found)] {
        writeln!(out, "\n{}", wrapped(&visible::line(&words, 2000), LINE_CHARS))?;
    }
    Ok(())
}

fn values_table(found: &Backtested) -> comfy_table::Table {
    let head = found.key.map(str::to_uppercase);
    let mut columns: Vec<(&str, Column)> = Vec::new();
    columns.extend(head.as_deref().map(|head| (head, Column::Number)));
    columns.extend([
        ("ALERTS", Column::Number),
        ("A WEEK", Column::Number),
        ("LONGEST", Column::Word),
        ("", Column::Word),
    ]);
    let mut table = table(&columns);
    let about_one = found.about_one().map(|(value, _)| value.value);
    for value in &found.values {
        let rate = found.alerts_a_week(value);
        let longest = match value.alerts.len() {
            0 => "-".to_owned(),
            _ => duration::display(TimeDelta::seconds(value.longest_seconds())),
        };
        let configured = (value.value == found.configured).then_some("as configured");
        let about_one = (about_one == Some(value.value)).then_some("about 1 a week");
        let notes: Vec<&str> = configured.into_iter().chain(about_one).collect();
        // With one row alone there is nothing to tell apart.
        let notes = if found.key.is_none() { String::new() } else { notes.join(", ") };
        let row = [
            value.alerts.len().to_string(),
            rate.map_or_else(|| "-".to_owned(), rounded),
            longest,
            notes,
        ];
        table.add_row(value.value.map(|value| value.to_string()).into_iter().chain(row));
    }
    table
}

/// Which value to take.
fn hint(found: &Backtested) -> String {
    let is_silent = found.values.iter().all(|value| value.alerts.is_empty());
    let mut hint = match (found.key, found.nearest()) {
        (_, None) if is_silent => "No alert in that time.".to_owned(),
        (_, None) => "It would have fired most of the time.".to_owned(),
        (None, Some((_, rate))) => format!("{} alerts a week.", rounded(rate)),
        (Some(key), Some((TriedValue { value, .. }, rate))) => {
            let value = value.unwrap_or_default();
            let rate_shown = rounded(rate);
            if ABOUT_ONE.contains(&rate) {
                format!("About 1 alert a week ({rate_shown}) comes of {key} = {value}.")
            } else {
                let between = found.around_one().map_or_else(String::new, |(from, to)| {
                    format!(" One between them may: --{key} {from}..{to}.")
                });
                format!(
                    "None of these values gives about 1 alert a week; the nearest is {key} = \
                     {value} with {rate_shown}.{between}"
                )
            }
        }
    };
    if found.weeks() < 1.0 {
        hint.push_str(" Less than a week was looked at, which says little about weeks.");
    }
    hint
}

/// What cannot be seen.
fn limits(found: &Backtested) -> String {
    let seen = if found.reads_counts {
        "The rule reads the counts of all lines, stored or not.".to_owned()
    } else {
        format!(
            "Only stored entries can be seen: sources store {}, and what keep names; what was not \
             stored when it was read is missing.",
            found.stored_levels.join(", ")
        )
    };
    let present = match found.kind {
        "blind" => " When logs could not be read, and what was lost of them, is not looked at.",
        "sql" => " The view was asked for what it returns now.",
        _ => "",
    };
    format!("{seen}{present}")
}

fn rounded(rate: f64) -> String {
    if rate >= 10.0 { format!("{rate:.0}") } else { format!("{rate:.1}") }
}

fn span(first: Option<DateTime<Utc>>, last: Option<DateTime<Utc>>) -> String {
    if first.is_none() {
        "none".to_owned()
    } else {
        format!("{} to {}", optional_time(first), optional_time(last))
    }
}

/// A number without a fraction where it has none.
struct Quantity(f64);

impl Serialize for Quantity {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        quantity(&self.0, serializer)
    }
}

/// Writes it for machines.
///
/// # Errors
/// When the output takes nothing.
pub fn write_json(found: &Backtested, out: &mut dyn Write) -> io::Result<()> {
    #[derive(Serialize)]
    struct Tried<'a> {
        value: Option<Quantity>,
        alerts: usize,
        alerts_a_week: Option<f64>,
        longest_seconds: i64,
        episodes: &'a [TriedAlert],
    }
    #[derive(Serialize)]
    struct Json<'a> {
        rule: &'a str,
        kind: &'a str,
        key: Option<&'a str>,
        configured: Option<Quantity>,
        from: Option<DateTime<Utc>>,
        to: Option<DateTime<Utc>>,
        first_entry_at: Option<DateTime<Utc>>,
        last_entry_at: Option<DateTime<Utc>>,
        first_line_at: Option<DateTime<Utc>>,
        last_line_at: Option<DateTime<Utc>>,
        reads_counts: bool,
        stored_levels: &'a [&'static str],
        values: Vec<Tried<'a>>,
        about_one_a_week: Option<Quantity>,
    }
    let values = found.values.iter().map(|tried| Tried {
        value: tried.value.map(Quantity),
        alerts: tried.alerts.len(),
        alerts_a_week: found.alerts_a_week(tried),
        longest_seconds: tried.longest_seconds(),
        episodes: &tried.alerts,
    });
    let json = Json {
        rule: &found.rule,
        kind: found.kind,
        key: found.key,
        configured: found.configured.map(Quantity),
        from: found.looked_at.map(|(from, _)| from),
        to: found.looked_at.map(|(_, to)| to),
        first_entry_at: found.first_entry_at,
        last_entry_at: found.last_entry_at,
        first_line_at: found.first_line_at,
        last_line_at: found.last_line_at,
        reads_counts: found.reads_counts,
        stored_levels: &found.stored_levels,
        values: values.collect(),
        about_one_a_week: found.about_one().and_then(|(value, _)| value.value).map(Quantity),
    };
    super::write_json(&json, out)
}
