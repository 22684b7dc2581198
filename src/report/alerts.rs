//! Lists of alerts, and one alert with the entries behind it.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Double, Nullable, Text, Timestamptz};
use serde::{Serialize, Serializer};

use super::table::{Column, table, text};
use super::{shown, time};
use crate::duration;
use crate::store::StoreError;
use crate::store::transaction::{Patience, rolled_back};

/// An alert in a list.
#[derive(Clone, Debug, Serialize, QueryableByName)]
pub struct Alert {
    /// Its number.
    #[diesel(sql_type = BigInt)]
    pub id: i64,
    /// Name of the rule.
    #[diesel(sql_type = Text)]
    pub rule: String,
    /// What the rule groups by besides the source; else the name of the source, or nothing where
    /// it is about all of them.
    #[diesel(sql_type = Text)]
    pub group: String,
    /// Name of the source.
    #[diesel(sql_type = Text)]
    pub source: String,
    /// The host that reads the source.
    #[diesel(sql_type = Text)]
    pub host: String,
    /// info, warning or critical.
    #[diesel(sql_type = Text)]
    pub severity: String,
    /// pending, firing or resolved.
    #[diesel(sql_type = Text)]
    pub state: String,
    /// Event time of its beginning.
    #[diesel(sql_type = Timestamptz)]
    pub started_at: DateTime<Utc>,
    /// Event time of its end; absent while it fires.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub ended_at: Option<DateTime<Utc>>,
    /// What was measured at its worst.
    #[diesel(sql_type = Double)]
    #[serde(serialize_with = "quantity")]
    pub measured: f64,
    /// What the rule compares it with.
    #[diesel(sql_type = Double)]
    #[serde(serialize_with = "quantity")]
    pub threshold: f64,
    /// The alert that absorbed this one.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub merged_into: Option<i64>,
    /// Who has taken it on.
    #[diesel(sql_type = Nullable<Text>)]
    pub acked_by: Option<String>,
    /// Why people are not told of it: for, hours, silenced, storm.
    #[diesel(sql_type = Nullable<Text>)]
    pub held_back: Option<String>,
}

/// An alert with what is behind it.
#[derive(Debug, Serialize)]
pub struct Evidence {
    /// The alert.
    #[serde(flatten)]
    pub alert: Alert,
    /// How many entries match within it, one window before its start included.
    pub entries: i64,
    /// When the first of them was logged; absent where there are none.
    pub first_at: Option<DateTime<Utc>>,
    /// When the last one was.
    pub last_at: Option<DateTime<Utc>>,
    /// What they say, the most frequent first; those that differ only in numbers are one.
    pub top: Vec<Top>,
    /// The first of them.
    pub samples: Vec<Sample>,
    /// What people were told.
    pub notifications: Vec<Told>,
    /// What was decided about it, by the program or by people.
    pub events: Vec<Event>,
}

/// A decision about an alert.
#[derive(Debug, Serialize, QueryableByName)]
pub struct Event {
    /// The tick, or when somebody said so.
    #[diesel(sql_type = Timestamptz)]
    pub at: DateTime<Utc>,
    /// Its name.
    #[diesel(sql_type = Text)]
    pub decision: String,
    /// What it is about, or what somebody wrote.
    #[diesel(sql_type = Nullable<Text>)]
    pub reason: Option<String>,
    /// Who decided; absent: the program.
    #[diesel(sql_type = Nullable<Text>)]
    pub author: Option<String>,
}

/// What several entries behind an alert say.
#[derive(Debug, Serialize, QueryableByName)]
pub struct Top {
    /// How many.
    #[diesel(sql_type = BigInt)]
    pub count: i64,
    /// The text of the last one.
    #[diesel(sql_type = Text)]
    pub message: String,
}

/// An entry behind an alert.
#[derive(Debug, Serialize)]
pub struct Sample {
    /// The entry.
    #[serde(flatten)]
    pub entry: SampleEntry,
    /// The lines around it; absent where its file is no longer there, or on another host.
    pub context: Option<Context>,
}

/// An entry, and the file it stands in.
#[derive(Debug, Serialize, QueryableByName)]
pub struct SampleEntry {
    /// When it happened.
    #[diesel(sql_type = Timestamptz)]
    pub logged_at: DateTime<Utc>,
    /// Its level.
    #[diesel(sql_type = Text)]
    pub level: String,
    /// Its text.
    #[diesel(sql_type = Text)]
    pub message: String,
    /// The file it stands in.
    #[diesel(sql_type = Text)]
    pub path: String,
    /// Where in that file it begins.
    #[diesel(sql_type = BigInt)]
    pub byte_offset: i64,
    /// The host that reads its log.
    #[diesel(sql_type = Text)]
    pub host: String,
    /// The path of its log.
    #[diesel(sql_type = Text)]
    #[serde(skip)]
    pub log: String,
    /// By what its file is known: device, inode, offset, hashes of head and marker.
    #[diesel(sql_type = Array<BigInt>)]
    #[serde(skip)]
    pub place: Vec<i64>,
}

/// The lines around an entry.
#[derive(Debug, Serialize)]
pub struct Context {
    /// Where its file lies now.
    pub path: String,
    /// The lines before it.
    pub before: Vec<String>,
    /// Its own first line, and those that follow.
    pub from: Vec<String>,
}

/// A notification about an alert.
#[derive(Debug, Serialize, QueryableByName)]
pub struct Told {
    /// Where it went.
    #[diesel(sql_type = Text)]
    pub channel: String,
    /// fired or resolved.
    #[diesel(sql_type = Text)]
    pub kind: String,
    /// When it was written.
    #[diesel(sql_type = Timestamptz)]
    pub created_at: DateTime<Utc>,
    /// When it was delivered.
    #[diesel(sql_type = Nullable<Timestamptz>)]
    pub delivered_at: Option<DateTime<Utc>>,
}

impl Alert {
    /// Whether it fires, and nobody has said that people are not to be told of it now.
    pub(super) fn is_to_be_known(&self) -> bool {
        let is_held = matches!(self.held_back.as_deref(), Some("for" | "hours" | "silenced"));
        self.state == "firing" && !is_held
    }

    /// The source, and the group where that is another one.
    pub(super) fn place(&self) -> String {
        let source = if self.source == "*" { "all sources" } else { self.source.as_str() };
        if self.group.is_empty() || self.group == self.source {
            return source.to_owned();
        }
        format!("{source} for {}", self.group)
    }
}

/// Alerts that fire or will, or all of them, oldest first.
pub fn list(connection: &mut PgConnection, all: bool) -> Result<Vec<Alert>, StoreError> {
    Ok(diesel::sql_query(include_str!("alerts.sql"))
        .bind::<Bool, _>(all)
        .bind::<Nullable<BigInt>, _>(None::<i64>)
        .load(connection)?)
}

/// One alert with its evidence; `None` if there is no such alert.
///
/// The views know only rules in use. Of one that has left the config a copy is asked, in a
/// transaction of which nothing stays: nobody sees it, and no run has to wait.
pub fn show(connection: &mut PgConnection, id: i64) -> Result<Option<Evidence>, StoreError> {
    rolled_back(connection, Patience::Long, |connection| show_in_transaction(connection, id))
}

fn show_in_transaction(
    connection: &mut PgConnection,
    id: i64,
) -> Result<Option<Evidence>, StoreError> {
    #[derive(QueryableByName)]
    struct Extent {
        #[diesel(sql_type = BigInt)]
        count: i64,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        first_at: Option<DateTime<Utc>>,
        #[diesel(sql_type = Nullable<Timestamptz>)]
        last_at: Option<DateTime<Utc>>,
    }
    let alert = diesel::sql_query(include_str!("alerts.sql"))
        .bind::<Bool, _>(true)
        .bind::<Nullable<BigInt>, _>(Some(id))
        .get_result::<Alert>(connection)
        .optional()?;
    let Some(alert) = alert else { return Ok(None) };
    let rule = rule_to_ask(connection, id)?;
    let matching = include_str!("matching.sql");
    let extent =
        "select count(*), min(logged_at) as first_at, max(logged_at) as last_at from matching";
    let extent = diesel::sql_query(format!("{matching} {extent}"))
        .bind::<BigInt, _>(id)
        .bind::<BigInt, _>(rule)
        .get_result::<Extent>(connection)?;
    let top = diesel::sql_query(format!("{matching} {}", include_str!("top.sql")))
        .bind::<BigInt, _>(id)
        .bind::<BigInt, _>(rule)
        .load(connection)?;
    let samples = diesel::sql_query(format!("{matching} {}", include_str!("samples.sql")))
        .bind::<BigInt, _>(id)
        .bind::<BigInt, _>(rule)
        .load::<SampleEntry>(connection)?;
    let samples = samples.into_iter().map(|entry| Sample { entry, context: None }).collect();
    let notifications = diesel::sql_query(
        "select channel, kind, created_at, delivered_at
         from notifications
         where alert_id = $1
         order by id",
    )
    .bind::<BigInt, _>(id)
    .load(connection)?;
    let events = diesel::sql_query(
        "select at, decision, reason, author from alert_events where alert_id = $1 order by id",
    )
    .bind::<BigInt, _>(id)
    .load(connection)?;
    let Extent { count: entries, first_at, last_at } = extent;
    Ok(Some(Evidence { alert, entries, first_at, last_at, top, samples, notifications, events }))
}

/// The rule of an alert; where that has left the config, a copy of it.
fn rule_to_ask(connection: &mut PgConnection, alert: i64) -> Result<i64, StoreError> {
    #[derive(QueryableByName)]
    struct Id {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    #[derive(QueryableByName)]
    struct Rule {
        #[diesel(sql_type = BigInt)]
        id: i64,
        #[diesel(sql_type = Bool)]
        is_retired: bool,
    }
    let rule = diesel::sql_query(
        "select rule.id, rule.retired_at is not null as is_retired
         from alerts
         join alert_rules rule on rule.id = alerts.rule_id
         where alerts.id = $1",
    )
    .bind::<BigInt, _>(alert)
    .get_result::<Rule>(connection)?;
    if !rule.is_retired {
        return Ok(rule.id);
    }
    let copy = diesel::sql_query(include_str!("copy_retired_rule.sql"))
        .bind::<BigInt, _>(alert)
        .get_result::<Id>(connection)?;
    Ok(copy.id)
}

/// Writes a list as a table.
///
/// # Errors
/// When the output takes nothing.
pub fn write_table(alerts: &[Alert], all: bool, out: &mut dyn Write) -> io::Result<()> {
    if alerts.is_empty() {
        let hint =
            if all { "no alert so far" } else { "no open alert (all: tripline alerts --all)" };
        return writeln!(out, "{hint}");
    }
    let mut table = table(&[
        ("ALERT", Column::Number),
        ("STATE", Column::Word),
        ("SEVERITY", Column::Word),
        ("RULE", Column::Name),
        ("STARTED", Column::Word),
        ("LASTED", Column::Word),
        ("COUNT", Column::Number),
        ("SOURCE", Column::Name),
    ]);
    for alert in alerts {
        let state = match alert.merged_into {
            Some(id) => format!("in {id}"),
            None if alert.acked_by.is_some() && alert.ended_at.is_none() => "acked".to_owned(),
            None => alert.state.clone(),
        };
        let lasted = alert.ended_at.map(|ended_at| duration::display(ended_at - alert.started_at));
        table.add_row([
            alert.id.to_string(),
            state,
            alert.severity.clone(),
            shown(&alert.rule),
            time(alert.started_at),
            lasted.unwrap_or_else(|| "-".to_owned()),
            format!("{}/{}", alert.measured, alert.threshold),
            shown(&alert.place()),
        ]);
    }
    writeln!(out, "{}", text(&table))
}

/// Writes the entries behind an alert.
fn write_entries(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    let when = match (evidence.first_at, evidence.last_at) {
        (Some(first), Some(last)) if first < last => {
            format!(" from {} to {}", time(first), time(last))
        }
        _ => String::new(),
    };
    writeln!(out, "entries    {}{when}", evidence.entries)?;
    let first_line = |message: &str| shown(message.lines().next().unwrap_or_default());
    // One that is alone is the first sample as well.
    if evidence.top.len() > 1 {
        for top in &evidence.top {
            writeln!(out, "  {:>6} × {}", top.count, first_line(&top.message))?;
        }
    }
    for Sample { entry, context } in &evidence.samples {
        let message = first_line(&entry.message);
        writeln!(out, "  {} {} {message}", time(entry.logged_at), entry.level)?;
        let path = context.as_ref().map_or(&entry.path, |context| &context.path);
        writeln!(out, "    {} at byte {}", shown(path), entry.byte_offset)?;
        let Some(context) = context else { continue };
        let before = context.before.iter().map(|line| (' ', line));
        let from = context.from.iter().enumerate();
        let from = from.map(|(place, line)| (if place == 0 { '>' } else { ' ' }, line));
        for (mark, line) in before.chain(from) {
            writeln!(out, "{}", format!("    {mark} {}", shown(line)).trim_end())?;
        }
    }
    Ok(())
}

/// Writes one alert for people.
///
/// # Errors
/// When the output takes nothing.
pub fn write_evidence(evidence: &Evidence, out: &mut dyn Write) -> io::Result<()> {
    let alert = &evidence.alert;
    let rule = shown(&alert.rule);
    writeln!(out, "alert {}: {} {rule}, {}", alert.id, alert.severity, alert.state)?;
    writeln!(out, "source     {} on {}", shown(&alert.place()), shown(&alert.host))?;
    if let Some(name) = &alert.acked_by {
        writeln!(out, "taken on   by {}", shown(name))?;
    }
    writeln!(out, "started    {}", time(alert.started_at))?;
    if let Some(ended_at) = alert.ended_at {
        let lasted = duration::display(ended_at - alert.started_at);
        writeln!(out, "ended      {} (after {lasted})", time(ended_at))?;
    }
    if let Some(id) = alert.merged_into {
        writeln!(out, "merged     into alert {id}")?;
    }
    writeln!(out, "measured   {} in one window (threshold {})", alert.measured, alert.threshold)?;
    write_entries(evidence, out)?;
    for event in &evidence.events {
        let author = event.author.as_deref().map(|name| format!(" by {}", shown(name)));
        let reason = event.reason.as_deref().map(|reason| format!(": {}", shown(reason)));
        let (author, reason) = (author.unwrap_or_default(), reason.unwrap_or_default());
        let decision = event.decision.replace('_', " ");
        writeln!(out, "{} {decision}{author}{reason}", time(event.at))?;
    }
    for told in &evidence.notifications {
        let delivered = match told.delivered_at {
            Some(at) => format!("delivered {}", time(at)),
            None => "not delivered yet".to_owned(),
        };
        writeln!(out, "{} to {}: {delivered}", told.kind, told.channel)?;
    }
    Ok(())
}

/// A number without a fraction where it has none.
#[expect(clippy::trivially_copy_pass_by_ref, reason = "serde hands over references")]
pub(super) fn quantity<S: Serializer>(number: &f64, serializer: S) -> Result<S::Ok, S::Error> {
    #[expect(clippy::cast_possible_truncation, reason = "it is compared with what it was")]
    let whole = *number as i64;
    #[expect(clippy::cast_precision_loss, clippy::float_cmp, reason = "exactly the same, or not")]
    let is_whole = whole as f64 == *number;
    if is_whole { serializer.serialize_i64(whole) } else { serializer.serialize_f64(*number) }
}
