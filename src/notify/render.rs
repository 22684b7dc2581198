//! What a message about a rule's alert says on a channel, for who writes templates. Nothing is
//! sent.

use chrono::TimeDelta;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};

use super::channels;
use super::content::{Message, Notification, Templates};
use super::outbox::{self, Due, Sample};
use crate::config::{ChannelConfig, RuleConfig, RuleKind};
use crate::model::{Severity, Tick};
use crate::store::StoreError;

/// Messages in which one about the rule is looked for.
const MESSAGES_LOOKED_AT: i64 = 10_000;
const SAMPLES_MOST: i64 = 5;

/// A message that would be sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Rendered {
    /// The alert that it is about; `None`: it is made up.
    pub alert: Option<i64>,
    /// Its headline.
    pub title: String,
    /// Its text.
    pub text: String,
    /// All of it on one line.
    pub line: String,
    /// What is sent to a program on the web, or is given to a command; `None` for others.
    pub body: Option<String>,
}

/// Renders a message about the last alert of a rule, or a made-up one, with the templates of a
/// channel, if one is given.
///
/// # Errors
/// When the database fails.
pub fn render(
    connection: Option<&mut PgConnection>,
    rule: &RuleConfig,
    channel: Option<&ChannelConfig>,
    host: &str,
    tick: Tick,
) -> Result<Rendered, StoreError> {
    let real = match connection {
        Some(connection) => last(connection, rule)?,
        None => None,
    };
    let alert = real.as_ref().map(|(due, _)| due.alert_id);
    let (due, samples) = real.unwrap_or_else(|| made_up(rule, host, tick));
    // What the config says now, not what it said then.
    let due = Due { summary: rule.summary.clone(), runbook: rule.runbook.clone(), ..due };
    let templates = channel.map_or(Templates::default(), |channel| Templates {
        title: channel.title.as_deref(),
        text: channel.text.as_deref(),
    });
    let message = Message::new(vec![Notification::new(&due, samples)], templates, tick);
    let line = message.notifications.iter().map(|one| one.line.clone()).collect();
    let body = channel.and_then(|channel| channels::open(channel)?.preview(&message));
    let Message { title, text, .. } = message;
    Ok(Rendered { alert, title, text, line, body })
}

/// The newest message that says that an alert of the rule fires.
fn last(
    connection: &mut PgConnection,
    rule: &RuleConfig,
) -> Result<Option<(Due, Vec<Sample>)>, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let row: Option<Row> = diesel::sql_query(
        "select recent.id
         from (select * from notifications order by id desc limit $2) recent
         join alerts alert on alert.source_id = recent.source_id and alert.id = recent.alert_id
         join alert_rules rule on rule.id = alert.rule_id
         where recent.kind = 'fired' and rule.name = $1
         order by recent.id desc
         limit 1",
    )
    .bind::<Text, _>(&rule.name)
    .bind::<BigInt, _>(MESSAGES_LOOKED_AT)
    .get_result(connection)
    .optional()?;
    let Some(row) = row else { return Ok(None) };
    let Some(due) = outbox::due(connection, vec![row.id])?.into_iter().next() else {
        return Ok(None);
    };
    let samples = outbox::samples(connection, &due, SAMPLES_MOST)?;
    Ok(Some((due, samples)))
}

/// An alert as it would be when the rule only just holds.
fn made_up(rule: &RuleConfig, host: &str, tick: Tick) -> (Due, Vec<Sample>) {
    let path = "/var/log/example.log".to_owned();
    let at_least = f64::from(rule.at_least.unwrap_or(1));
    let threshold = match rule.kind {
        RuleKind::Ratio => rule.percent.unwrap_or(1.0),
        RuleKind::Spike | RuleKind::Baseline => at_least,
        _ => f64::from(rule.count),
    };
    let measured = match rule.kind {
        RuleKind::Absence => threshold - 1.0,
        _ => threshold,
    };
    let levels: Vec<&str> = rule.levels.iter().map(crate::model::Level::as_str).collect();
    let message = "an example: the disk is full".to_owned();
    let due = Due {
        id: 0,
        alert_id: 0,
        kind: "fired".to_owned(),
        tells_beginning: true,
        created_at: tick.0,
        attempts: 0,
        rule: rule.name.clone(),
        rule_kind: rule.kind.as_str().to_owned(),
        group: String::new(),
        factor: rule.factor,
        lookback_seconds: rule.lookback.unwrap_or(TimeDelta::zero()).num_seconds(),
        runbook: None,
        is_across: rule.group_by.is_empty(),
        is_withdrawn: false,
        severity: Severity::as_str(rule.severity).to_owned(),
        levels: if levels.len() < 6 { levels.join(",") } else { String::new() },
        within_seconds: rule.within.num_seconds(),
        summary: None,
        source_id: 0,
        source: path.clone(),
        path: path.clone(),
        first_seen_at: tick.0,
        timezone: "UTC".to_owned(),
        host: host.to_owned(),
        about_host: Some(host.to_owned()),
        started_at: tick.0,
        ended_at: None,
        measured,
        threshold,
        number: 1,
        further: 0,
        sample: Some(message.clone()),
    };
    let level = levels.first().copied().unwrap_or("ERROR").to_owned();
    let sample = Sample {
        logged_at: tick.0,
        level,
        message,
        path,
        byte_offset: 0,
        timezone: "UTC".to_owned(),
    };
    (due, vec![sample])
}
