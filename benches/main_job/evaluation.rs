//! Evaluating what is new must not cost more with more history.

use std::fmt::Write as _;
use std::path::PathBuf;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use anyhow::{Context, ensure};
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

use crate::data::{Kind, Writer};
use crate::measure::median;
use crate::report::Report;
use crate::server::Server;

/// Entries in the smaller of two histories, which has the same density; a tenth of the larger one
/// where that is less.
const SMALL_HISTORY: u64 = 1_000_000;
/// Rules of all kinds.
const RULES: usize = 50;
/// More than anybody has; how long they may take, in seconds.
const MANY_RULES: usize = 1_000;
const MANY_RULES_SECONDS: f64 = 1.0;
/// New lines in a round, stored all: what a busy minute brings.
const NEW_LINES: u64 = 1_000;
/// As those of the log, all lines of which are stored.
const MILLISECONDS_BETWEEN_ENTRIES: i64 = 50;
/// What the entries of a history say but for their number.
const MESSAGE: &str = "request of user 4711 to /api/v1/orders took 87 ms, status 500";

/// What rules look for.
#[derive(Clone, Copy)]
enum Patterns {
    /// A few patterns, each of which about a fifth of the lines match: each line concerns hundreds
    /// of a thousand rules.
    Shared,
    /// One of its own: each line concerns one of a thousand rules, and a thousand lines two thirds
    /// of them.
    Own,
}

/// A database with a history, and a log that goes on where the history ends.
struct History {
    connection: PgConnection,
    config: Config,
    log: PathBuf,
    writer: Writer,
}

pub(crate) fn evaluation(server: &Server, entries: u64, report: &mut Report) -> anyhow::Result<()> {
    let few = SMALL_HISTORY.min(entries / 10);
    let mut small = History::new(server, "small", few, RULES, Patterns::Shared)?;
    let mut large = History::new(server, "large", entries, RULES, Patterns::Shared)?;
    let mut seconds = [Vec::new(), Vec::new()];
    for _ in 0..report.rounds.max(3) * 3 {
        seconds[0].push(small.evaluate_new_lines()?);
        seconds[1].push(large.evaluate_new_lines()?);
    }
    let [small, large] = seconds.map(median);
    report.compare_seconds(
        &format!("evaluation after {NEW_LINES} new rows, {RULES} rules, {entries} rows of history"),
        large,
        (&format!("{few} rows"), small),
        1.3,
    );
    for (name, patterns, what) in [
        ("many", Patterns::Shared, "each matching a fifth of them"),
        ("own", Patterns::Own, "a pattern each"),
    ] {
        let mut many = History::new(server, name, few, MANY_RULES, patterns)?;
        let seconds: Result<Vec<f64>, _> =
            (0..report.rounds.max(3)).map(|_| many.evaluate_new_lines()).collect();
        report.compare_seconds(
            &format!("evaluation after {NEW_LINES} new rows, {MANY_RULES} rules, {what}"),
            median(seconds?),
            ("a second", MANY_RULES_SECONDS),
            1.0,
        );
    }
    Ok(())
}

impl History {
    fn new(
        server: &Server,
        name: &str,
        entries: u64,
        rules: usize,
        patterns: Patterns,
    ) -> anyhow::Result<Self> {
        server.psql(DATABASE, &format!("create database {name}"))?;
        let mut connection = server.connect(name)?;
        migrations::run(&mut connection)?;
        let log = server.path(&format!("{name}.log"));
        let end = crate::NOW.parse::<DateTime<Utc>>()? - TimeDelta::days(2);
        let config = Config::load(
            Some(&config(server, rules, patterns)?),
            &Environment::from_variables(|_| None),
        )?;
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
                     '{MESSAGE}, number ' || i
                 from generate_series(1, {entries}) as i;
                 insert into line_counts (source_id, minute, error, first_at, last_at)
                 select (select id from sources where host = 'bench'), minute,
                     60000 / {MILLISECONDS_BETWEEN_ENTRIES}, minute, minute + interval '59 s'
                 from generate_series(
                     date_trunc('minute', timestamptz '{end}' - interval '{length} ms'),
                     timestamptz '{end}' - interval '1 minute', interval '1 minute'
                 ) as minute;
                 vacuum log_entries; checkpoint"
            ),
        )?;
        history.evaluate_new_lines()?;
        // What evaluations of the history would have left: it was inserted behind their back.
        server.psql(
            name,
            &format!(
                "with rule as (
                     update counted_spans span
                     set counted_from = date_bin(
                         rule.within, timestamptz '{end}' - interval '{length} ms' + rule.within, 'epoch'
                     )
                     from alert_rules rule
                     where rule.id = span.rule_id
                     returning span.*, rule.within, rule.pattern
                 )
                 insert into bucket_counts (source_id, rule_id, bucket, group_key, matching)
                 select rule.source_id, rule.rule_id, bucket, '',
                     extract(epoch from rule.within) * 1000 / {MILLISECONDS_BETWEEN_ENTRIES}
                 from rule
                 cross join generate_series(
                     rule.counted_from, timestamptz '{end}' - rule.within, rule.within
                 ) as bucket
                 where '{MESSAGE}' ~ rule.pattern
                 on conflict do nothing;
                 -- As autovacuum does it where it is on.
                 analyze"
            ),
        )?;
        // The first evaluations of a connection fill its caches, and the windows of most rules
        // have no entry of the history in them any more, which all match the same patterns.
        for _ in 0..6 {
            history.evaluate_new_lines()?;
        }
        Ok(history)
    }

    /// Stores new lines, and returns how long their evaluation takes, in seconds.
    fn evaluate_new_lines(&mut self) -> anyhow::Result<f64> {
        self.writer.append(NEW_LINES)?;
        let tick = self.read()?;
        let sources = alerting::sources_to_evaluate(&mut self.connection, None, tick)?;
        sources.first().context("there is something to evaluate")?;
        let begun = Instant::now();
        for source in sources {
            let failures = alerting::evaluate(&mut self.connection, source.source, tick)?;
            ensure!(failures.is_empty(), "{failures:?}");
        }
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
        pipeline.read(&mut self.connection, known, &[target], &mut |_, _, _| Ok(()))?;
        Ok(tick)
    }
}

/// A config by which every line of a log is stored and judged by so many rules.
fn config(server: &Server, rules: usize, patterns: Patterns) -> anyhow::Result<PathBuf> {
    let levels = r#"["TRACE", "DEBUG", "INFO", "WARNING", "ERROR", "FATAL"]"#;
    let mut config = format!("[[source]]\npaths = [\"/*.log\"]\nstore = {levels}\n");
    for number in 0..rules {
        writeln!(config, "[[rule]]\nname = \"rule-{number}\"\n{}", rule(number, levels, patterns))?;
    }
    let path = server.path("evaluation.toml");
    std::fs::write(&path, config)?;
    Ok(path)
}

/// A rule of one kind after the other.
fn rule(number: usize, levels: &str, patterns: Patterns) -> String {
    const SHARED: [&str; 6] = ["orders", "cart", "health", "search", "static", "took 1..9 ms"];
    let pattern = match patterns {
        Patterns::Shared => SHARED[number / 10 % SHARED.len()].to_owned(),
        Patterns::Own => format!("user {number:03}"),
    };
    let count = 10 + number % 100 * 10;
    let counted = format!("levels = {levels}\npattern = {pattern:?}");
    match number % 10 {
        0 => format!("kind = \"threshold\"\n{counted}\ncount = {count}\nwithin = \"5m\""),
        1 => format!(
            "kind = \"ratio\"\npercent = {}\nat_least = 10\nwithin = \"5m\"",
            1 + number % 99
        ),
        2 => {
            format!("kind = \"spike\"\n{counted}\nfactor = 3\nat_least = {count}\nwithin = \"5m\"")
        }
        3 => format!(
            "kind = \"baseline\"\n{counted}\nfactor = 3\nat_least = {count}\nwithin = \"1h\""
        ),
        4 => format!(
            "kind = \"absence\"\npattern = {pattern:?}\nwithin = \"10m\"\nlookback = \"1d\""
        ),
        5 => format!("kind = \"new\"\n{counted}\nlookback = \"7d\""),
        6 => format!(
            "kind = \"distinct\"\nlevels = {levels}\npattern = '{pattern}.*?([0-9]+)'\n\
             count = {count}\nwithin = \"5m\""
        ),
        7 => format!(
            "kind = \"missing_follow_up\"\npattern = {pattern:?}\nfollow_up = \"status\"\n\
             within = \"5m\""
        ),
        8 => format!(
            "kind = \"sequence\"\nsteps = [{pattern:?}, \"status 5\", \"orders\"]\nwithin = \"1m\""
        ),
        _ => format!("kind = \"blind\"\nstale_after = \"{}h\"", 1 + number % 100),
    }
}
