//! Decides about the open alerts of a source, and writes what people are to be told into the
//! outbox.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};

use super::life::{Alert, Decision, HeldBack, Message, Now, decide};
use super::route::{self, Chosen};
use crate::config::Config;
use crate::model::{SourceId, Subject, Tick, WeeklyHours};
use crate::store::transaction::{Patience, load_alone, transaction};
use crate::store::{StoreError, silences, storms};

/// Those of some sources that have alerts about which something may be to be decided.
pub fn with_open_alerts(
    connection: &mut PgConnection,
    sources: &[SourceId],
) -> Result<Vec<SourceId>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        source_id: i64,
    }
    let query = diesel::sql_query(
        "select distinct source_id
         from alerts
         where source_id = any ($1)
           and resolved_at is null
           and merged_into is null
           and (retracted_at is null or fired_at is not null)
         order by source_id",
    )
    .bind::<Array<BigInt>, _>(sources.iter().map(|source| source.0).collect::<Vec<_>>());
    let rows: Vec<Row> = load_alone(connection, query)?;
    Ok(rows.into_iter().map(|row| SourceId(row.source_id)).collect())
}

/// What was announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    /// Alerts that began to fire, and still do.
    pub fired: usize,
    /// Alerts that had fired and are over.
    pub resolved: usize,
}

/// The rules of which too many alerts begin to fire in one run: the others are told as a number.
#[derive(Clone, Debug)]
pub struct Storms {
    cap: u32,
    by_rule: HashMap<i64, Storm>,
}

impl Storms {
    /// For one run, in which up to `cap` alerts of a rule are told one by one.
    pub fn new(cap: u32) -> Self {
        Self { cap, by_rule: HashMap::new() }
    }
}

#[derive(Clone, Debug, Default)]
struct Storm {
    told: u32,
    /// The messages that say how many others there are.
    messages: Vec<i64>,
}

/// Decides about the alerts of a source that fire, or are over, or of which people are to be
/// reminded, and writes messages into the outbox for the channels that the config chooses.
///
/// An alert is over when its episode ended no later than the source was read and evaluated. One
/// that was never announced as firing is announced once, as both.
pub fn announce(
    connection: &mut PgConnection,
    source: SourceId,
    host: &str,
    config: &Config,
    tick: Tick,
    storms: &mut Storms,
) -> Result<Announced, StoreError> {
    let (announced, after) = transaction(connection, Patience::Long, |connection| {
        diesel::sql_query("select source_id from ingest_state where source_id = $1 for update")
            .bind::<BigInt, _>(source.0)
            .execute(connection)?;
        let mut storms = storms.clone();
        let mut decisions = decide_all(connection, source, tick, &mut storms)?;
        if !decisions.is_empty() {
            let messages = messages(connection, source, config, tick, &decisions)?;
            say_who_is_not_told(&mut decisions, &messages);
            write(connection, source, host, tick, &decisions, &messages)?;
            tell_of_storms(connection, source, host, config, tick, &decisions, &mut storms)?;
        }
        let fires = |decision: &Decided| {
            decision.is_new
                && decision.then.fired_at.is_some()
                && decision.then.resolved_at.is_none()
        };
        let is_over =
            |decision: &Decided| decision.then.fired_at.and(decision.then.resolved_at).is_some();
        let count = |is: &dyn Fn(&Decided) -> bool| decisions.iter().filter(|one| is(one)).count();
        Ok((Announced { fired: count(&fires), resolved: count(&is_over) }, storms))
    })?;
    *storms = after;
    Ok(announced)
}

/// A decision about an alert.
struct Decided {
    alert: Alert,
    /// Whether it had not begun to fire before.
    is_new: bool,
    then: Decision,
}

fn decide_all(
    connection: &mut PgConnection,
    source: SourceId,
    tick: Tick,
    storms: &mut Storms,
) -> Result<Vec<Decided>, StoreError> {
    let rows = diesel::sql_query(include_str!("undecided.sql"))
        .bind::<BigInt, _>(source.0)
        .bind::<Timestamptz, _>(tick.0)
        .load::<Row>(connection)?;
    let Some(read_to_end_at) = rows.first().map(|row| row.read_to_end_at) else {
        return Ok(Vec::new());
    };
    let silences = silences::in_force(connection, tick)?;
    let now = Now { tick: tick.0, read_to_end_at, silences: &silences };
    let mut decisions = Vec::new();
    for alert in rows.into_iter().map(Alert::from) {
        let cap = storms.cap;
        let storm = storms.by_rule.entry(alert.rule_id).or_default();
        let Some(then) = decide(&alert, &now, || storm.told >= cap) else { continue };
        if alert.told_at.is_none() && then.told_at.is_some() {
            storm.told += 1;
        }
        let is_new = alert.fired_at.is_none();
        decisions.push(Decided { alert, is_new, then });
    }
    Ok(decisions)
}

/// A message about an alert to one channel.
struct ToSend {
    alert_id: i64,
    kind: &'static str,
    to: Chosen,
}

/// The messages that the decisions ask for, but those about storms.
fn messages(
    connection: &mut PgConnection,
    source: SourceId,
    config: &Config,
    tick: Tick,
    decisions: &[Decided],
) -> Result<Vec<ToSend>, StoreError> {
    let follow =
        |one: &&Decided| matches!(one.then.message, Some(Message::Reminder | Message::Resolved));
    let following: Vec<i64> =
        decisions.iter().filter(follow).map(|decision| decision.alert.id).collect();
    let told = told(connection, source, &following)?;
    let mut messages = Vec::new();
    for Decided { alert, then, .. } in decisions {
        let Some(message) = then.message.filter(|message| *message != Message::Storm) else {
            continue;
        };
        let told: Vec<&str> = told
            .iter()
            .filter(|told| told.alert_id == alert.id)
            .map(|told| told.channel.as_str())
            .collect();
        let channels = route::channels(config, &subject(alert), message, &told, tick.0);
        let kind = message.as_str();
        messages.extend(channels.into_iter().map(|to| ToSend { alert_id: alert.id, kind, to }));
    }
    Ok(messages)
}

/// That nobody is told stands in the history of the alert: no message says so.
fn say_who_is_not_told(decisions: &mut [Decided], messages: &[ToSend]) {
    for Decided { alert, then, .. } in decisions {
        let is_wanted = then.message.is_some_and(|message| message != Message::Storm);
        if is_wanted && messages.iter().all(|message| message.alert_id != alert.id) {
            let nobody = "no channel takes it".to_owned();
            then.reason = Some(match then.reason.take() {
                Some(reason) => format!("{reason}; {nobody}"),
                None => nobody,
            });
        }
    }
}

fn subject(alert: &Alert) -> Subject<'_> {
    Subject {
        rule: &alert.rule,
        group: &alert.group,
        source: &alert.source,
        path: &alert.path,
        severity: &alert.severity,
    }
}

/// A channel that was told that an alert fires.
#[derive(QueryableByName)]
struct Told {
    #[diesel(sql_type = BigInt)]
    alert_id: i64,
    #[diesel(sql_type = Text)]
    channel: String,
}

fn told(
    connection: &mut PgConnection,
    source: SourceId,
    alerts: &[i64],
) -> Result<Vec<Told>, StoreError> {
    if alerts.is_empty() {
        return Ok(Vec::new());
    }
    let told = diesel::sql_query(
        "select distinct told.alert_id, told.channel
         from notifications told
         join alerts alert on alert.source_id = told.source_id and alert.id = told.alert_id
         where told.source_id = $1 and told.alert_id = any ($2)
           and told.kind = 'fired' and told.number = alert.number",
    )
    .bind::<BigInt, _>(source.0)
    .bind::<Array<BigInt>, _>(alerts)
    .load(connection)?;
    Ok(told)
}

fn write(
    connection: &mut PgConnection,
    source: SourceId,
    host: &str,
    tick: Tick,
    decisions: &[Decided],
    messages: &[ToSend],
) -> Result<(), StoreError> {
    fn column<'a, T>(decisions: &'a [Decided], value: impl Fn(&'a Decision) -> T) -> Vec<T> {
        decisions.iter().map(|decision| value(&decision.then)).collect()
    }
    fn of_each<'a, T>(messages: &'a [ToSend], value: impl Fn(&'a ToSend) -> T) -> Vec<T> {
        messages.iter().map(value).collect()
    }
    let ids: Vec<i64> = decisions.iter().map(|decision| decision.alert.id).collect();
    let reasons = column(decisions, |then| then.reason.as_deref());
    let held_back = column(decisions, |then| then.held_back.map(HeldBack::as_str));
    diesel::sql_query(include_str!("write_decisions.sql"))
        .bind::<BigInt, _>(source.0)
        .bind::<Timestamptz, _>(tick.0)
        .bind::<Text, _>(host)
        .bind::<Array<BigInt>, _>(ids)
        .bind::<Array<Nullable<Text>>, _>(column(decisions, |then| then.name))
        .bind::<Array<Nullable<Text>>, _>(reasons)
        .bind::<Array<Nullable<Timestamptz>>, _>(column(decisions, |then| then.fired_at))
        .bind::<Array<Nullable<Timestamptz>>, _>(column(decisions, |then| then.resolved_at))
        .bind::<Array<Nullable<Timestamptz>>, _>(column(decisions, |then| then.told_at))
        .bind::<Array<Nullable<Text>>, _>(held_back)
        .bind::<Array<Nullable<Timestamptz>>, _>(column(decisions, |then| then.look_at))
        .bind::<Array<Integer>, _>(column(decisions, |then| then.reminders))
        .bind::<Array<BigInt>, _>(of_each(messages, |message| message.alert_id))
        .bind::<Array<Text>, _>(of_each(messages, |message| message.kind))
        .bind::<Array<Text>, _>(of_each(messages, |message| message.to.channel.as_str()))
        .bind::<Array<Text>, _>(of_each(messages, |message| message.to.why.as_str()))
        .bind::<Array<Timestamptz>, _>(of_each(messages, |message| message.to.not_before))
        .execute(connection)?;
    Ok(())
}

/// One message a rule and run says to each channel how many alerts it has besides those that are
/// told one by one.
fn tell_of_storms(
    connection: &mut PgConnection,
    source: SourceId,
    host: &str,
    config: &Config,
    tick: Tick,
    decisions: &[Decided],
    storms: &mut Storms,
) -> Result<(), StoreError> {
    #[derive(QueryableByName)]
    struct Written {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    // Of each rule: the first alert, and how many there are.
    let mut held_back: BTreeMap<i64, (&Alert, i32)> = BTreeMap::new();
    for decision in decisions.iter().filter(|one| one.then.message == Some(Message::Storm)) {
        held_back.entry(decision.alert.rule_id).or_insert((&decision.alert, 0)).1 += 1;
    }
    for (rule, (first, further)) in held_back {
        let storm = storms.by_rule.entry(rule).or_default();
        if !storm.messages.is_empty() {
            diesel::sql_query(
                "update notifications set further = further + $2 where id = any ($1)",
            )
            .bind::<Array<BigInt>, _>(&storm.messages)
            .bind::<Integer, _>(further)
            .execute(connection)?;
            continue;
        }
        let channels = route::channels(config, &subject(first), Message::Storm, &[], tick.0);
        let of_each = |value: fn(&Chosen) -> &str| channels.iter().map(value).collect::<Vec<_>>();
        let not_before: Vec<_> = channels.iter().map(|chosen| chosen.not_before).collect();
        let written = diesel::sql_query(
            "insert into notifications (source_id, alert_id, host, kind, number, created_at,
                                        further, channel, why, next_attempt_at)
             select alert.source_id, alert.id, $3, $4, alert.number, $5, $6, told.*
             from alerts alert
             cross join unnest($7, $8, $9) told (channel, why, next_attempt_at)
             where alert.source_id = $1 and alert.id = $2
             on conflict on constraint one_message_per_change do nothing
             returning id",
        )
        .bind::<BigInt, _>(source.0)
        .bind::<BigInt, _>(first.id)
        .bind::<Text, _>(host)
        .bind::<Text, _>(Message::Storm.as_str())
        .bind::<Timestamptz, _>(tick.0)
        .bind::<Integer, _>(further)
        .bind::<Array<Text>, _>(of_each(|chosen| &chosen.channel))
        .bind::<Array<Text>, _>(of_each(|chosen| &chosen.why))
        .bind::<Array<Timestamptz>, _>(not_before)
        .load::<Written>(connection)?;
        storm.messages = written.into_iter().map(|message| message.id).collect();
    }
    Ok(())
}

/// Tells those who show storms of those that are over: none of the alerts fires any more that
/// were told as a number. Only after all sources of a run, as a storm goes over several.
///
/// # Errors
/// When the database fails.
pub fn end_storms(
    connection: &mut PgConnection,
    config: &Config,
    tick: Tick,
) -> Result<(), StoreError> {
    let listeners = route::listeners(config, tick);
    if listeners.of_ends_of_storms.is_empty() {
        return Ok(());
    }
    transaction(connection, Patience::Short, |connection| {
        Ok(storms::end(connection, &listeners, tick.0)?)
    })
}

/// An open alert as its row has it.
#[derive(QueryableByName)]
struct Row {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = BigInt)]
    rule_id: i64,
    #[diesel(sql_type = Text)]
    rule: String,
    #[diesel(sql_type = Text)]
    group: String,
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Text)]
    path: String,
    #[diesel(sql_type = Text)]
    severity: String,
    #[diesel(sql_type = Timestamptz)]
    started_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ended_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Bool)]
    is_retracted: bool,
    #[diesel(sql_type = BigInt)]
    holds_for_seconds: i64,
    /// Hours, one a line.
    #[diesel(sql_type = Nullable<Text>)]
    active: Option<String>,
    #[diesel(sql_type = Nullable<BigInt>)]
    remind_every_seconds: Option<i64>,
    #[diesel(sql_type = Bool)]
    is_rule_retired: bool,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    fired_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    told_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    held_back: Option<String>,
    #[diesel(sql_type = Bool)]
    is_acked: bool,
    #[diesel(sql_type = Integer)]
    reminders: i32,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    read_to_end_at: Option<DateTime<Utc>>,
}

impl From<Row> for Alert {
    fn from(row: Row) -> Self {
        // Hours that nobody can read hold people back from nothing.
        let hours =
            |text: &str| text.lines().filter_map(|line| line.parse::<WeeklyHours>().ok()).collect();
        Self {
            id: row.id,
            rule_id: row.rule_id,
            rule: row.rule,
            group: row.group,
            source: row.source,
            path: row.path,
            severity: row.severity,
            started_at: row.started_at,
            ended_at: row.ended_at,
            is_retracted: row.is_retracted,
            holds_for: TimeDelta::seconds(row.holds_for_seconds),
            active: row.active.as_deref().map(hours).unwrap_or_default(),
            remind_every: row.remind_every_seconds.map(TimeDelta::seconds),
            is_rule_retired: row.is_rule_retired,
            fired_at: row.fired_at,
            told_at: row.told_at,
            held_back: row.held_back.as_deref().and_then(HeldBack::from_name),
            is_acked: row.is_acked,
            reminders: row.reminders,
        }
    }
}
