//! Decides about the open alerts of a source, and writes what people are to be told into the
//! outbox.

use std::collections::{BTreeMap, HashMap};

use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Bool, Integer, Nullable, Text, Timestamptz};

use super::life::{Alert, Decision, HeldBack, Message, Now, decide};
use crate::model::{SourceId, Tick, WeeklyHours};
use crate::store::transaction::{Patience, transaction};
use crate::store::{StoreError, silences};

/// How many alerts of one rule are told one by one in a run.
pub const STORM_CAP: u32 = 20;

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
    /// The message that says how many others there are.
    message: Option<i64>,
}

/// Decides about the alerts of a source that fire, or are over, or of which people are to be
/// reminded, and writes messages for `channel` into the outbox.
///
/// An alert is over when its episode ended no later than the source was read. One that was
/// never announced as firing is announced once, as both.
pub fn announce(
    connection: &mut PgConnection,
    source: SourceId,
    host: &str,
    channel: &str,
    tick: Tick,
    storms: &mut Storms,
) -> Result<Announced, StoreError> {
    let (announced, after) = transaction(connection, Patience::Long, |connection| {
        diesel::sql_query("select source_id from ingest_state where source_id = $1 for update")
            .bind::<BigInt, _>(source.0)
            .execute(connection)?;
        let mut storms = storms.clone();
        let decisions = decide_all(connection, source, tick, &mut storms)?;
        if !decisions.is_empty() {
            write(connection, source, host, channel, tick, &decisions)?;
            tell_of_storms(connection, source, host, channel, tick, &decisions, &mut storms)?;
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
    alert_id: i64,
    rule_id: i64,
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
        let (alert_id, rule_id, is_new) = (alert.id, alert.rule_id, alert.fired_at.is_none());
        decisions.push(Decided { alert_id, rule_id, is_new, then });
    }
    Ok(decisions)
}

fn write(
    connection: &mut PgConnection,
    source: SourceId,
    host: &str,
    channel: &str,
    tick: Tick,
    decisions: &[Decided],
) -> Result<(), StoreError> {
    fn column<'a, T>(decisions: &'a [Decided], value: impl Fn(&'a Decision) -> T) -> Vec<T> {
        decisions.iter().map(|decision| value(&decision.then)).collect()
    }
    let ids: Vec<i64> = decisions.iter().map(|decision| decision.alert_id).collect();
    let reasons = column(decisions, |then| then.reason.as_deref());
    let messages = column(decisions, |then| then.message.map(Message::as_str));
    let held_back = column(decisions, |then| then.held_back.map(HeldBack::as_str));
    diesel::sql_query(include_str!("write_decisions.sql"))
        .bind::<BigInt, _>(source.0)
        .bind::<Timestamptz, _>(tick.0)
        .bind::<Text, _>(host)
        .bind::<Text, _>(channel)
        .bind::<Array<BigInt>, _>(ids)
        .bind::<Array<Nullable<Text>>, _>(column(decisions, |then| then.name))
        .bind::<Array<Nullable<Text>>, _>(reasons)
        .bind::<Array<Nullable<Text>>, _>(messages)
        .bind::<Array<Nullable<Timestamptz>>, _>(column(decisions, |then| then.fired_at))
        .bind::<Array<Nullable<Timestamptz>>, _>(column(decisions, |then| then.resolved_at))
        .bind::<Array<Nullable<Timestamptz>>, _>(column(decisions, |then| then.told_at))
        .bind::<Array<Nullable<Text>>, _>(held_back)
        .bind::<Array<Nullable<Timestamptz>>, _>(column(decisions, |then| then.look_at))
        .bind::<Array<Integer>, _>(column(decisions, |then| then.reminders))
        .execute(connection)?;
    Ok(())
}

/// One message a rule and run says how many alerts it has besides those that are told one by one.
fn tell_of_storms(
    connection: &mut PgConnection,
    source: SourceId,
    host: &str,
    channel: &str,
    tick: Tick,
    decisions: &[Decided],
    storms: &mut Storms,
) -> Result<(), StoreError> {
    #[derive(QueryableByName)]
    struct Told {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    // Of each rule: the first alert, and how many there are.
    let mut held_back: BTreeMap<i64, (i64, i32)> = BTreeMap::new();
    for decision in decisions.iter().filter(|one| one.then.message == Some(Message::Storm)) {
        held_back.entry(decision.rule_id).or_insert((decision.alert_id, 0)).1 += 1;
    }
    for (rule, (first, further)) in held_back {
        let storm = storms.by_rule.entry(rule).or_default();
        if let Some(message) = storm.message {
            diesel::sql_query("update notifications set further = further + $2 where id = $1")
                .bind::<BigInt, _>(message)
                .bind::<Integer, _>(further)
                .execute(connection)?;
            continue;
        }
        let told = diesel::sql_query(
            "insert into notifications (source_id, alert_id, host, channel, kind, number, created_at,
                                        next_attempt_at, further)
             select source_id, id, $3, $4, $5, number, $6, $6, $7
             from alerts
             where source_id = $1 and id = $2
             on conflict on constraint one_message_per_change do nothing
             returning id",
        )
        .bind::<BigInt, _>(source.0)
        .bind::<BigInt, _>(first)
        .bind::<Text, _>(host)
        .bind::<Text, _>(channel)
        .bind::<Text, _>(Message::Storm.as_str())
        .bind::<Timestamptz, _>(tick.0)
        .bind::<Integer, _>(further)
        .get_result::<Told>(connection)
        .optional()?;
        storm.message = told.map(|told| told.id);
    }
    Ok(())
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
