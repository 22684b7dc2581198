//! What came of a run, as the database of the case says.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Bool, Double, Nullable, Text, Timestamptz};

use super::expected::{ExpectedAlert, ExpectedNotification, State, rfc3339};
use crate::store::StoreError;

/// What is there after a run, with all that can be said of it.
#[derive(Debug)]
pub(super) struct Found {
    pub(super) fired: Vec<ExpectedAlert>,
    pub(super) resolved: Vec<ExpectedAlert>,
    pub(super) alerts: Vec<ExpectedAlert>,
    pub(super) notifications: Vec<ExpectedNotification>,
    /// `TIME LEVEL MESSAGE`; none if nobody asks for them.
    pub(super) entries: Vec<String>,
    pub(super) entry_count: i64,
    pub(super) unparsed_lines: i64,
    pub(super) gaps: i64,
    /// The time of the last entry of all levels.
    pub(super) last_entry_at: Option<DateTime<Utc>>,
    /// How much failed in the run.
    pub(super) errors: usize,
    /// What is known of that; the rest was logged.
    pub(super) told: Vec<String>,
}

/// The number of the last message that was written, so that those of a run can be told.
pub(super) fn last_message(connection: &mut PgConnection) -> Result<i64, StoreError> {
    count(connection, "select coalesce(max(id), 0) as count from notifications")
}

impl Found {
    /// What the database says after a run before which message `last_message` was the last one.
    pub(super) fn load(
        connection: &mut PgConnection,
        last_message: i64,
        with_entries: bool,
    ) -> Result<Self, StoreError> {
        let announced = diesel::sql_query(include_str!("announced.sql"))
            .bind::<BigInt, _>(last_message)
            .load::<Alert>(connection)?;
        let of_kind = |kind: &str| {
            announced.iter().filter(|alert| alert.kind == kind).map(Alert::all_of_it).collect()
        };
        let (fired, resolved) = (of_kind("fired"), of_kind("resolved"));
        let alerts = diesel::sql_query(include_str!("live.sql")).load::<Alert>(connection)?;
        let messages =
            diesel::sql_query(include_str!("all_messages.sql")).load::<Message>(connection)?;
        let entries = if with_entries {
            diesel::sql_query(
                "select logged_at, level::text as level, message
                 from log_entries
                 order by logged_at, source_id, line_no",
            )
            .load::<Entry>(connection)?
        } else {
            Vec::new()
        };
        Ok(Self {
            fired,
            resolved,
            alerts: alerts.iter().map(Alert::all_of_it).collect(),
            notifications: messages.into_iter().map(Message::all_of_it).collect(),
            entries: entries.iter().map(Entry::line).collect(),
            entry_count: count(connection, "select count(*) from log_entries")?,
            unparsed_lines: count(
                connection,
                "select coalesce(sum(unparsed_lines), 0)::bigint as count from ingest_state",
            )?,
            gaps: count(connection, "select count(*) from ingest_gaps")?,
            last_entry_at: last_entry(connection)?,
            errors: 0,
            told: Vec::new(),
        })
    }
}

/// An alert, and what was said about it.
#[derive(QueryableByName)]
struct Alert {
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = Text)]
    rule: String,
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Text)]
    group: String,
    #[diesel(sql_type = Timestamptz)]
    started_at: DateTime<Utc>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    ended_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Double)]
    measured: f64,
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Bool)]
    is_over: bool,
    #[diesel(sql_type = Bool)]
    is_announced: bool,
    #[diesel(sql_type = Bool)]
    is_withdrawn: bool,
}

impl Alert {
    fn all_of_it(&self) -> ExpectedAlert {
        ExpectedAlert {
            rule: self.rule.clone(),
            source: Some(self.source.clone()),
            group: Some(self.group.clone()),
            started_at: Some(self.started_at),
            ended_at: self.ended_at,
            measured: Some(self.measured),
            number: Some(self.number),
            state: Some(match (self.is_over, self.is_announced) {
                (true, _) => State::Resolved,
                (false, true) => State::Firing,
                (false, false) => State::Pending,
            }),
            withdrawn: Some(self.is_withdrawn),
        }
    }
}

#[derive(QueryableByName)]
struct Message {
    #[diesel(sql_type = Text)]
    rule: String,
    #[diesel(sql_type = Text)]
    source: String,
    #[diesel(sql_type = Text)]
    group: String,
    #[diesel(sql_type = Text)]
    kind: String,
    #[diesel(sql_type = BigInt)]
    number: i64,
    #[diesel(sql_type = Timestamptz)]
    at: DateTime<Utc>,
}

impl Message {
    fn all_of_it(self) -> ExpectedNotification {
        ExpectedNotification {
            rule: self.rule,
            source: Some(self.source),
            group: Some(self.group),
            kind: self.kind,
            number: Some(self.number),
            at: Some(self.at),
        }
    }
}

#[derive(QueryableByName)]
struct Entry {
    #[diesel(sql_type = Timestamptz)]
    logged_at: DateTime<Utc>,
    #[diesel(sql_type = Text)]
    level: String,
    #[diesel(sql_type = Text)]
    message: String,
}

impl Entry {
    fn line(&self) -> String {
        format!("{} {} {}", rfc3339(self.logged_at), self.level, self.message)
    }
}

fn count(connection: &mut PgConnection, query: &str) -> Result<i64, StoreError> {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    Ok(diesel::sql_query(query).get_result::<Count>(connection)?.count)
}

fn last_entry(connection: &mut PgConnection) -> Result<Option<DateTime<Utc>>, StoreError> {
    #[derive(QueryableByName)]
    struct Last {
        #[diesel(sql_type = Nullable<Timestamptz>)]
        at: Option<DateTime<Utc>>,
    }
    let query = diesel::sql_query("select max(last_logged_at) as at from ingest_state");
    Ok(query.get_result::<Last>(connection)?.at)
}
