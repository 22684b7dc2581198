//! Evaluating what is new must not cost more with more history.

use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::Context;
use chrono::{DateTime, TimeDelta, Utc};
use diesel::pg::PgConnection;
use tripline::alerting;
use tripline::cluster::DATABASE;
use tripline::config::{Config, Environment};
use tripline::ingest;
use tripline::model::{PartitionInterval, Tick};
use tripline::pipeline::Pipeline;
use tripline::store::migrations;
use tripline::store::partitions::Partitions;

use crate::backlog;
use crate::data::{Kind, Writer};
use crate::measure::median;
use crate::report::Report;
use crate::server::Server;

/// The larger history has so many times the entries of the smaller one, at the same density.
const TIMES: u64 = 20;
/// New lines in a round, stored all: what a busy minute brings.
const NEW_LINES: u64 = 1_000;
/// As those of the log, all lines of which are stored.
const MILLISECONDS_BETWEEN_ENTRIES: i64 = 50;

/// A database with a history, and a log that goes on where the history ends.
struct History {
    connection: PgConnection,
    config: Config,
    log: PathBuf,
    writer: Writer,
}

pub(crate) fn evaluation(server: &Server, entries: u64, report: &mut Report) -> anyhow::Result<()> {
    let mut small = History::new(server, "small", entries / TIMES)?;
    let mut large = History::new(server, "large", entries)?;
    // The first evaluation of a connection fills its caches.
    small.evaluate_new_lines()?;
    large.evaluate_new_lines()?;
    let mut seconds = [Vec::new(), Vec::new()];
    for _ in 0..report.rounds.max(3) * 3 {
        seconds[0].push(small.evaluate_new_lines()?);
        seconds[1].push(large.evaluate_new_lines()?);
    }
    let [small, large] = seconds.map(median);
    report.compare_seconds(
        &format!("evaluation after {NEW_LINES} new rows, 10 rules, {entries} rows of history"),
        large,
        (&format!("{} rows", entries / TIMES), small),
        1.3,
    );
    Ok(())
}

impl History {
    fn new(server: &Server, name: &str, entries: u64) -> anyhow::Result<Self> {
        server.psql(DATABASE, &format!("create database {name}"))?;
        let mut connection = server.connect(name)?;
        migrations::run(&mut connection)?;
        let log = server.path(&format!("{name}.log"));
        let end = crate::NOW.parse::<DateTime<Utc>>()? - TimeDelta::days(2);
        let config = Config::load(Some(&config(server)?), &Environment::from_variables(|_| None))?;
        let writer = Writer::new(&log, Kind::Production, end);
        let mut history = Self { connection, config, log, writer };
        history.writer.append(0)?;
        let tick = history.read()?;
        let connection = &mut history.connection;
        let mut partitions = Partitions::load(connection, PartitionInterval::Week, tick)?;
        let length = MILLISECONDS_BETWEEN_ENTRIES * i64::try_from(entries)?;
        for day in 0..=TimeDelta::milliseconds(length).num_days() + 1 {
            partitions.ensure(connection, (end - TimeDelta::days(day)).into())?;
        }
        server.psql(
            name,
            &format!(
                "insert into log_entries
                     (logged_at, line_no, source_id, byte_offset, fingerprint, level, message)
                 select timestamptz '{end}' - i * interval '{MILLISECONDS_BETWEEN_ENTRIES} ms',
                     -i, (select id from sources where host = 'bench'), 0, i % 97, 'ERROR',
                     'request ' || i || ' of user 4711 to /api/v1/orders took 87 ms, status 500'
                 from generate_series(1, {entries}) as i;
                 vacuum analyze log_entries; checkpoint"
            ),
        )?;
        Ok(history)
    }

    /// Stores new lines, and returns how long their evaluation takes, in seconds.
    fn evaluate_new_lines(&mut self) -> anyhow::Result<f64> {
        self.writer.append(NEW_LINES)?;
        let tick = self.read()?;
        let sources = alerting::sources_to_evaluate(&mut self.connection, None, tick)?;
        let source = *sources.first().context("there is something to evaluate")?;
        let begun = Instant::now();
        alerting::evaluate(&mut self.connection, source.source, tick)?;
        Ok(begun.elapsed().as_secs_f64())
    }

    fn read(&mut self) -> anyhow::Result<Tick> {
        let tick = Tick(crate::NOW.parse()?);
        let pipeline = Pipeline {
            host: "bench",
            config: &self.config,
            tick,
            stop: &AtomicBool::new(false),
            limits: ingest::ReadLimits::default(),
            progress: None,
            connect: None,
        };
        let rules = pipeline.rules_in_use(&mut self.connection)?;
        pipeline.sync_rules(&mut self.connection, &rules)?;
        let known = pipeline.known_sources(&mut self.connection)?;
        let mut source = self.config.sources[0].clone();
        source.paths.clear();
        let target = ingest::Target {
            path: self.log.clone(),
            config: source.into(),
            timezone: chrono_tz::UTC,
            since: None,
        };
        pipeline.read(&mut self.connection, known, &[target], &mut |_, _| Ok(()))?;
        Ok(tick)
    }
}

/// A config by which every line of a log is stored and judged by ten rules.
fn config(server: &Server) -> anyhow::Result<PathBuf> {
    let levels = r#"["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "FATAL"]"#;
    let rules = backlog::rules().replace("count", &format!("levels = {levels}\ncount"));
    let path = server.path("evaluation.toml");
    let source = format!("[[source]]\npaths = [\"/*.log\"]\nstore = {levels}\n");
    std::fs::write(&path, source + &rules)?;
    Ok(path)
}
