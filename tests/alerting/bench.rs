//! A database with sources, into which tests put entries and out of which they read alerts.
//!
//! Entries go in through the program's own `store::chunk`, which also notes what is dirty.
//! Times are microseconds since [`BASE`], so that what a failing test prints can be read.

use std::collections::BTreeMap;

use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Integer, Text, Timestamptz};
use serde_json::Map;
use tripline::alerting::{self, Announced, RuleError};
use tripline::config::{Config, RuleConfig};
use tripline::model::{Entry, EventTime, FileIdentity, PartitionInterval, Place, SourceId, Tick};
use tripline::store::chunk::{self, Appended, Chunk, ChunkStart, MinuteCounts, UNPARSED};
use tripline::store::connection;
use tripline::store::dirty::DirtyRanges;
use tripline::store::partitions::Partitions;
use tripline::store::sources::{self, SourceSettings};

use crate::oracle::{Episode, FOREVER, Line};
use crate::support::TestDatabase;

/// Two minutes before a Monday: entries lie on both sides of the border of two partitions.
const BASE: &str = "2026-03-01T23:58:00Z";

/// A moment, from microseconds since [`BASE`].
pub(crate) fn moment(microseconds: i64) -> DateTime<Utc> {
    BASE.parse::<DateTime<Utc>>().unwrap() + TimeDelta::microseconds(microseconds)
}

fn since_base(moment: DateTime<Utc>) -> i64 {
    (moment - BASE.parse::<DateTime<Utc>>().unwrap()).num_microseconds().unwrap()
}

/// A tick, from microseconds since [`BASE`].
pub(crate) fn tick(microseconds: i64) -> Tick {
    Tick(moment(microseconds))
}

/// A database of its own.
pub(crate) struct Bench {
    pub(crate) connection: PgConnection,
    /// Dropped after the connection.
    database: TestDatabase,
}

/// A source and how much of it was stored.
pub(crate) struct Log {
    pub(crate) id: SourceId,
    line_no: i64,
    last: Option<(i64, EventTime)>,
    last_logged_at: Option<EventTime>,
}

impl Log {
    /// Nothing of it is stored any more.
    pub(crate) fn begin_again(&mut self) {
        *self = Self { id: self.id, line_no: 0, last: None, last_logged_at: None };
    }
}

/// A stored alert, as a test looks at it.
#[derive(Clone, Debug, PartialEq, QueryableByName)]
pub(crate) struct Alert {
    #[diesel(sql_type = BigInt)]
    pub(crate) id: i64,
    #[diesel(sql_type = BigInt)]
    pub(crate) source_id: i64,
    #[diesel(sql_type = Text)]
    pub(crate) rule: String,
    #[diesel(sql_type = Timestamptz)]
    pub(crate) started_at: DateTime<Utc>,
    #[diesel(sql_type = diesel::sql_types::Nullable<Timestamptz>)]
    pub(crate) ended_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Text)]
    pub(crate) group: String,
    #[diesel(sql_type = diesel::sql_types::Double)]
    pub(crate) measured: f64,
    #[diesel(sql_type = diesel::sql_types::Nullable<Timestamptz>)]
    pub(crate) fired_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = diesel::sql_types::Nullable<Timestamptz>)]
    pub(crate) resolved_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = diesel::sql_types::Nullable<BigInt>)]
    pub(crate) merged_into: Option<i64>,
}

impl Alert {
    pub(crate) fn episode(&self) -> Episode {
        Episode {
            rule: self.rule.clone(),
            started_at: since_base(self.started_at),
            ended_at: self.ended_at.map_or(FOREVER, since_base),
            group: self.group.clone(),
            measured: self.measured,
        }
    }
}

/// A message in the outbox, as a test looks at it.
#[derive(Clone, Debug, PartialEq, Eq, QueryableByName)]
pub(crate) struct Notification {
    #[diesel(sql_type = BigInt)]
    pub(crate) alert_id: i64,
    #[diesel(sql_type = Text)]
    pub(crate) kind: String,
    #[diesel(sql_type = Integer)]
    pub(crate) number: i32,
}

#[derive(QueryableByName)]
struct Content {
    #[diesel(sql_type = Text)]
    content: String,
}

impl Bench {
    pub(crate) fn new() -> Self {
        let database = TestDatabase::new();
        let mut connection = connection::connect(database.url(), "the test's").unwrap();
        let tick = tick(3 * 86_400_000_000);
        Partitions::load(&mut connection, PartitionInterval::Week, tick)
            .unwrap()
            .ensure(&mut connection, tick.0.into())
            .unwrap();
        Self { connection, database }
    }

    /// A further connection to the same database.
    pub(crate) fn connect(&self) -> PgConnection {
        self.database.connect()
    }

    /// Brings the rules of a host to these.
    pub(crate) fn sync(
        &mut self,
        host: &str,
        rules: &[RuleConfig],
        tick: Tick,
    ) -> Result<(), RuleError> {
        let in_use = alerting::in_use(&mut self.connection, host)?;
        alerting::sync(&mut self.connection, &in_use, rules, tick)
    }

    /// A source of which nothing is read yet.
    pub(crate) fn log(&mut self, host: &str, path: &str) -> Log {
        let settings = SourceSettings {
            name: path.to_owned(),
            format: "auto".to_owned(),
            timezone: "UTC".to_owned(),
        };
        let connection = &mut self.connection;
        let id = sources::register(connection, host, path, &settings, tick(0)).unwrap();
        sources::begin(connection, id, &place(0)).unwrap();
        Log { id, line_no: 0, last: None, last_logged_at: None }
    }

    /// The source that stands for all of a host, if a rule looks at them together.
    pub(crate) fn owner(&mut self, host: &str) -> Option<Log> {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = BigInt)]
            id: i64,
        }
        let row = diesel::sql_query("select id from sources where host = '*' and path = $1")
            .bind::<Text, _>(host)
            .get_result::<Row>(&mut self.connection)
            .optional()
            .unwrap();
        let id = SourceId(row?.id);
        Some(Log { id, line_no: 0, last: None, last_logged_at: None })
    }

    /// Up to when a source is judged at a tick; the least number if nothing is.
    pub(crate) fn judged_until(&mut self, log: &Log, now: Tick) -> i64 {
        #[derive(QueryableByName)]
        struct Row {
            #[diesel(sql_type = diesel::sql_types::Nullable<Timestamptz>)]
            until: Option<DateTime<Utc>>,
        }
        let row = diesel::sql_query(
            "select greatest(least(position.read_until, $2), state.judged_until) as until
             from ingest_state state
             join reader_positions position on position.source_id = state.source_id
             where state.source_id = $1",
        )
        .bind::<BigInt, _>(log.id.0)
        .bind::<Timestamptz, _>(now.0)
        .get_result::<Row>(&mut self.connection)
        .unwrap();
        row.until.map_or(i64::MIN, since_base)
    }

    /// Stores lines as one chunk that was read at a tick, to the end of the file or not. It may
    /// begin with lines that continue the entry stored last.
    pub(crate) fn store(
        &mut self,
        log: &mut Log,
        continuation: Option<&str>,
        lines: &[Line],
        now: Tick,
        at_end: bool,
    ) {
        let mut dirty = DirtyRanges::default();
        let mut last = log.last;
        let mut last_logged_at = log.last_logged_at;
        let mut counts = BTreeMap::new();
        let start = ChunkStart {
            source: log.id,
            generation: 1,
            byte_offset: u64::try_from(log.line_no).unwrap(),
            line_no: log.line_no,
            flushed: None,
        };
        let parsed = i64::try_from(lines.len()).unwrap();
        let unparsed: i64 = lines.iter().map(|line| i64::try_from(line.unparsed).unwrap()).sum();
        let added = parsed + unparsed;
        chunk::store(&mut self.connection, &start, now, |writer| {
            let appended = continuation.zip(last).map(|(text, (line_no, logged_at))| Appended {
                line_no,
                logged_at,
                text: format!("\n{text}"),
            });
            for (line, line_no) in numbered(lines, log.line_no) {
                let logged_at = EventTime::from(moment(line.at));
                dirty.add(logged_at);
                writer.write(&Entry {
                    logged_at,
                    line_no,
                    byte_offset: 0,
                    fingerprint: line.fingerprint(),
                    level: line.level,
                    message: &line.message,
                    fields: &Map::new(),
                    written_at: None,
                    cut: false,
                })?;
                last = Some((line_no, logged_at));
                last_logged_at = Some(logged_at);
                let minute = counts.entry(logged_at.minute()).or_insert_with(MinuteCounts::default);
                minute.lines[line.level.index()] += 1;
                minute.lines[UNPARSED] += i64::try_from(line.unparsed).unwrap();
                minute.first_at = minute.first_at.min(logged_at);
                minute.last_at = minute.last_at.max(logged_at);
            }
            Ok(Chunk {
                place: place(start.byte_offset + u64::try_from(added).unwrap()),
                size_bytes: 0,
                lines: added,
                parsed_lines: parsed,
                unparsed_lines: unparsed,
                unparsed_samples: Vec::new(),
                cut_lines: 0,
                redated_entries: 0,
                counts: std::mem::take(&mut counts).into_iter().collect(),
                last_logged_at,
                open: None,
                trace: None,
                detected_format: None,
                nul_bytes: 0,
                appended,
                dirty,
                at_end,
                tail: None,
                cursor: None,
                gap: None,
            })
        })
        .unwrap();
        log.line_no += added;
        log.last = last;
        log.last_logged_at = last_logged_at;
    }

    /// Announces what is to be announced of a source.
    pub(crate) fn announce(&mut self, log: &Log, now: Tick) -> Announced {
        alerting::announce(
            &mut self.connection,
            log.id,
            "h",
            &Config::default(),
            now,
            &mut alerting::Storms::new(u32::MAX),
        )
        .unwrap()
    }

    /// All alerts of some sources, in the order of their numbers.
    pub(crate) fn alerts(&mut self, logs: &[Log]) -> Vec<Alert> {
        diesel::sql_query(
            "select alerts.id, source_id, name as rule, group_key as \"group\", started_at,
                    nullif(ended_at, 'infinity') as ended_at, measured,
                    fired_at, resolved_at, merged_into
             from alerts
             join alert_rules on alert_rules.id = rule_id
             where source_id = any ($1) and retracted_at is null
             order by alerts.id",
        )
        .bind::<Array<BigInt>, _>(ids(logs))
        .load(&mut self.connection)
        .unwrap()
    }

    /// All messages about some sources, in the order in which they were written.
    pub(crate) fn notifications(&mut self, logs: &[Log]) -> Vec<Notification> {
        diesel::sql_query(
            "select alert_id, kind, number from notifications
             where source_id = any ($1) order by id",
        )
        .bind::<Array<BigInt>, _>(ids(logs))
        .load(&mut self.connection)
        .unwrap()
    }

    /// Every column of every row about some sources that an evaluation may change.
    pub(crate) fn content(&mut self, logs: &[Log]) -> String {
        let content: Content = diesel::sql_query(
            "select concat_ws(e'\n',
                 (select string_agg(alerts::text, e'\n' order by source_id, id)
                  from alerts where source_id = any ($1)),
                 (select string_agg(notifications::text, e'\n' order by id)
                  from notifications where source_id = any ($1)),
                 (select string_agg(ingest_state::text, e'\n' order by source_id)
                  from ingest_state where source_id = any ($1))
             ) as content",
        )
        .bind::<Array<BigInt>, _>(ids(logs))
        .get_result(&mut self.connection)
        .unwrap();
        content.content
    }
}

/// Lines with their numbers, where so many stand before them.
pub(crate) fn numbered(lines: &[Line], before: i64) -> impl Iterator<Item = (&Line, i64)> {
    lines.iter().scan(before, |read, line| {
        let line_no = *read + 1;
        *read = line_no + i64::try_from(line.unparsed).unwrap();
        Some((line, line_no))
    })
}

fn ids(logs: &[Log]) -> Vec<i64> {
    logs.iter().map(|log| log.id.0).collect()
}

/// Where reading stands.
pub(crate) fn place(byte_offset: u64) -> Place {
    let identity = FileIdentity { device: 1, inode: 1 };
    Place { identity, byte_offset, head_hash: 0, marker_hash: 0, begin_hash: 0 }
}
