//! What a run of a case is expected to do, as `case.toml` says it.

use std::fmt::{self, Display};

use chrono::{DateTime, SecondsFormat, Utc};
use serde::Deserialize;

/// What a run is expected to do. What is not given is not compared, but for errors; an empty
/// list asserts that there is nothing.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// Alerts announced as firing by this run.
    pub(super) fired: Option<Vec<ExpectedAlert>>,
    /// Alerts announced as over by this run.
    pub(super) resolved: Option<Vec<ExpectedAlert>>,
    /// All alerts so far, without those that another one absorbed.
    pub(super) alerts: Option<Vec<ExpectedAlert>>,
    /// All messages so far, delivered or not.
    pub(super) notifications: Option<Vec<ExpectedNotification>>,
    /// All entries stored so far: `TIME LEVEL MESSAGE`.
    pub(super) entries: Option<Vec<String>>,
    /// How many entries are stored so far.
    pub(super) entry_count: Option<i64>,
    /// How many lines were neither the beginning nor the continuation of an entry so far.
    pub(super) unparsed_lines: Option<i64>,
    /// How many files could not be read to their end so far.
    pub(super) gaps: Option<i64>,
    /// How much failed in this run.
    #[serde(default)]
    pub(super) errors: usize,
}

/// An alert in a list. What is not given is not compared.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedAlert {
    pub(super) rule: String,
    pub(super) source: Option<String>,
    /// What the rule groups by besides the source.
    pub(super) group: Option<String>,
    pub(super) started_at: Option<DateTime<Utc>>,
    pub(super) ended_at: Option<DateTime<Utc>>,
    pub(super) measured: Option<f64>,
    /// How often it began to fire: 2 is "FIRED again".
    pub(super) number: Option<i64>,
    pub(super) state: Option<State>,
    /// Whether the complete data no longer give it.
    pub(super) withdrawn: Option<bool>,
}

/// What became of an alert so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// It does not fire yet.
    Pending,
    Firing,
    Resolved,
}

impl State {
    pub(super) const fn as_str(self) -> &'static str {
        match self {
            Self::Pending => "pending",
            Self::Firing => "firing",
            Self::Resolved => "resolved",
        }
    }
}

/// A message in the outbox. What is not given is not compared.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedNotification {
    pub(super) rule: String,
    pub(super) source: Option<String>,
    /// What the rule groups by besides the source.
    pub(super) group: Option<String>,
    /// `fired`, `reminder`, `resolved`, or `storm`.
    pub(super) kind: String,
    /// Of a reminder: which one it is; else how often the alert began to fire.
    pub(super) number: Option<i64>,
    /// The time of the run that wrote it.
    pub(super) at: Option<DateTime<Utc>>,
}

/// One line of what a run is expected to do, or did.
impl Display for ExpectedAlert {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}{}", self.rule, details(self.details()))
    }
}

impl ExpectedAlert {
    /// What is known of it besides the rule.
    pub(super) fn details(&self) -> Vec<String> {
        let group = self.group.as_ref().filter(|group| !group.is_empty());
        let withdrawn = self.withdrawn.filter(|is| *is).map(|_| "withdrawn".to_owned());
        [
            self.source.as_ref().map(|source| format!("on {source}")),
            group.map(|group| format!("for {group}")),
            self.started_at.map(|time| format!("started {}", rfc3339(time))),
            self.ended_at.map(|time| format!("ended {}", rfc3339(time))),
            self.measured.map(|measured| format!("measured {measured}")),
            self.number.map(|number| format!("number {number}")),
            self.state.map(|state| state.as_str().to_owned()),
            withdrawn,
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

impl Display for ExpectedNotification {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{} {}{}", self.rule, self.kind, details(self.details()))
    }
}

impl ExpectedNotification {
    /// What is known of it besides the rule and the kind.
    pub(super) fn details(&self) -> Vec<String> {
        let group = self.group.as_ref().filter(|group| !group.is_empty());
        [
            self.source.as_ref().map(|source| format!("on {source}")),
            group.map(|group| format!("for {group}")),
            self.number.map(|number| format!("number {number}")),
            self.at.map(|time| format!("at {}", rfc3339(time))),
        ]
        .into_iter()
        .flatten()
        .collect()
    }
}

/// The details of a line; what belongs to the words before it needs no comma.
fn details(details: Vec<String>) -> String {
    details.into_iter().fold(String::new(), |line, detail| {
        let is_place = detail.starts_with("on ") || detail.starts_with("for ");
        line + if is_place { " " } else { ", " } + &detail
    })
}

/// With the fraction of a second where there is one.
pub(super) fn rfc3339(time: DateTime<Utc>) -> String {
    time.to_rfc3339_opts(SecondsFormat::AutoSi, true)
}
