//! The steps of a case, one after the other, in folders and a database of its own.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use anyhow::{Context, ensure};
use chrono::{DateTime, Utc};
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};
use glob::{Pattern, PatternError};

use super::case::{Case, NewSilence, Step, Until};
use super::found::{self, Found};
use super::scratch::ScratchServer;
use crate::config::{Config, SourceConfig, SourcePath};
use crate::ingest::{self, ReadLimits, Target};
use crate::model::Tick;
use crate::pipeline::Pipeline;
use crate::store::alerts::{Handled, Handling, Listeners, handle};
use crate::store::{connection, silences};

/// The name of the simulated host, and of the one who does there what people do.
const HOST: &str = "replay";

/// What the runs of a case found, each with the index of its step.
pub(super) fn play(
    case: &Case,
    server: &ScratchServer,
    with_entries: bool,
) -> anyhow::Result<Vec<(usize, Found)>> {
    let database = server.database()?;
    let mut connection = connection::connect(database.url(), "made for the case")?;
    let root = tempfile::tempdir().context("cannot make a folder for the logs of the case")?;
    let mut runs = Vec::new();
    for (index, step) in case.steps.iter().enumerate() {
        let mut stage = Stage { case, index, connection: &mut connection, root: root.path() };
        let found =
            stage.take(step, with_entries).with_context(|| format!("step {}", index + 1))?;
        runs.extend(found.map(|found| (index, found)));
    }
    Ok(runs)
}

/// Where a step is taken.
struct Stage<'a> {
    case: &'a Case,
    /// Which step it is.
    index: usize,
    connection: &'a mut PgConnection,
    root: &'a Path,
}

impl Stage<'_> {
    /// Takes a step, and returns what a run found.
    fn take(&mut self, step: &Step, with_entries: bool) -> anyhow::Result<Option<Found>> {
        let Self { case, index, root, .. } = *self;
        match step {
            Step::Append { log, bytes } => {
                append(&below(root, log), bytes)?;
                touch(&below(root, log), case.tick_at(index))?;
            }
            Step::Rotate { log, to } => {
                let (from, to) = (below(root, log), below(root, to));
                make_folder_of(&to)?;
                fs::rename(from, to).with_context(|| format!("cannot rename {}", log.display()))?;
            }
            Step::CopyTruncate { log, to } => {
                let (from, to) = (below(root, log), below(root, to));
                make_folder_of(&to)?;
                fs::copy(&from, &to).with_context(|| format!("cannot copy {}", log.display()))?;
                File::options().write(true).truncate(true).open(&from)?;
                touch(&from, case.tick_at(index))?;
                touch(&to, case.tick_at(index))?;
            }
            Step::Silence(wanted) => self.silence(wanted)?,
            Step::EndSilence(reason) => self.end_silence(reason)?,
            Step::Ack { rule, group } => self.ack(rule, group.as_deref())?,
            Step::Sql(sql) => self.connection.batch_execute(sql).context("the SQL failed")?,
            Step::Run { tick, expected } => {
                let last_message = found::last_message(self.connection)?;
                let (errors, told) = self.run_once(Tick(*tick))?;
                let with_entries = with_entries || expected.entries.is_some();
                let found = Found::load(self.connection, last_message, with_entries)?;
                return Ok(Some(Found { errors, told, ..found }));
            }
        }
        Ok(None)
    }

    /// The time at which people do what they do: that of the run before.
    fn clock(&self) -> anyhow::Result<DateTime<Utc>> {
        self.case.tick_before(self.index).context("there is no run")
    }

    fn silence(&mut self, wanted: &NewSilence) -> anyhow::Result<()> {
        let clock = self.clock()?;
        let starts_at = wanted.from.unwrap_or(clock);
        let ends_at = match wanted.until {
            Some(Until::Time(time)) => Some(time),
            Some(Until::After(length)) => {
                Some(starts_at.checked_add_signed(length).context("for is too long")?)
            }
            None => None,
        };
        ensure!(ends_at.is_none_or(|end| starts_at < end), "the silence ends before it begins");
        let silence = silences::NewSilence {
            rule: wanted.rule.as_deref(),
            group: wanted.group.as_deref(),
            severity: wanted.severity.as_deref(),
            starts_at,
            ends_at,
            weekly: wanted.weekly.as_ref().map(ToString::to_string),
            author: HOST,
            reason: &wanted.reason,
        };
        silences::add(self.connection, &silence, clock)?;
        Ok(())
    }

    fn end_silence(&mut self, reason: &str) -> anyhow::Result<()> {
        let silences = diesel::sql_query("select id from silences where reason = $1")
            .bind::<Text, _>(reason)
            .load::<Numbered>(self.connection)?;
        let mut ended = false;
        for silence in silences {
            ended |= silences::end(self.connection, silence.id, HOST, self.clock()?)?;
        }
        ensure!(ended, "there is no silence {reason:?} that could be ended");
        Ok(())
    }

    fn ack(&mut self, rule: &str, group: Option<&str>) -> anyhow::Result<()> {
        let alerts = diesel::sql_query(
            "select alert.id
             from alerts alert
             join alert_rules rule on rule.id = alert.rule_id
             where rule.name = $1 and alert.group_key = coalesce($2, alert.group_key)
             order by alert.id",
        )
        .bind::<Text, _>(rule)
        .bind::<Nullable<Text>, _>(group)
        .load::<Numbered>(self.connection)?;
        let mut done = false;
        for alert in alerts {
            let handled = handle(
                self.connection,
                alert.id,
                Handling::Ack,
                None,
                HOST,
                &Listeners::default(),
                self.clock()?,
            )?;
            done |= handled == Handled::Done;
        }
        ensure!(done, "rule {rule} has no open alert that could be taken on");
        Ok(())
    }

    /// One run of the job. What it prints is in the outbox as well, where it is compared. Returns
    /// how much failed, and what is known of that.
    fn run_once(&mut self, tick: Tick) -> anyhow::Result<(usize, Vec<String>)> {
        let Self { case, index, ref mut connection, root } = *self;
        let pipeline = Pipeline {
            host: HOST,
            config: &case.config,
            tick,
            stop: &AtomicBool::new(false),
            limits: ReadLimits::default(),
            progress: None,
            connect: None,
        };
        let targets = targets(case, index, root)?;
        let rules = pipeline.rules_in_use(connection)?;
        pipeline.sync_rules(connection, &rules)?;
        let known = pipeline.known_sources(connection)?;
        let outcome = pipeline.read_and_evaluate(connection, known, &targets)?;
        let mut figures = outcome.figures;
        pipeline.evaluate_and_deliver(connection, &mut figures, &mut io::sink())?;
        let root = root.to_string_lossy();
        let told = outcome.failures.iter().map(|one| one.message.replace(&*root, "")).collect();
        Ok((figures.errors, told))
    }
}

#[derive(QueryableByName)]
struct Numbered {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

/// The logs to read, below the folder of the case, under the names that they have outside.
fn targets(case: &Case, index: usize, root: &Path) -> anyhow::Result<Vec<Target>> {
    let mut sources = case.config.sources.clone();
    if sources.is_empty() {
        sources = case.logs_before(index).iter().map(|log| SourceConfig::for_path(log)).collect();
    }
    for source in &mut sources {
        source.paths =
            source.paths.iter().map(|path| path_below(root, path)).collect::<Result<_, _>>()?;
        for glob in source.exclude.iter_mut().filter(|glob| glob.as_str().starts_with('/')) {
            *glob = glob_below(root, glob)?;
        }
    }
    let config = Config { sources, ..Config::default() };
    let mut targets = ingest::expand(&config, &[], case.zone)?;
    for target in &mut targets {
        let outside = Path::new("/").join(target.path.strip_prefix(root)?);
        let config = Rc::make_mut(&mut target.config);
        config.name.get_or_insert_with(|| outside.to_string_lossy().into_owned());
    }
    Ok(targets)
}

fn path_below(root: &Path, path: &SourcePath) -> anyhow::Result<SourcePath> {
    Ok(match path {
        SourcePath::Literal(path) => SourcePath::Literal(below(root, path)),
        SourcePath::Glob(pattern) => SourcePath::Glob(glob_below(root, pattern)?),
    })
}

fn glob_below(root: &Path, pattern: &Pattern) -> Result<Pattern, PatternError> {
    let root = Pattern::escape(&root.to_string_lossy());
    Pattern::new(&format!("{root}{pattern}"))
}

/// An absolute path as one below `root`.
fn below(root: &Path, path: &Path) -> PathBuf {
    root.join(path.strip_prefix("/").unwrap_or(path))
}

fn append(log: &Path, bytes: &[u8]) -> io::Result<()> {
    make_folder_of(log)?;
    File::options().create(true).append(true).open(log)?.write_all(bytes)
}

fn make_folder_of(path: &Path) -> io::Result<()> {
    path.parent().map_or(Ok(()), fs::create_dir_all)
}

/// Dates a file by the simulated clock: reading looks at how old a rotated file is.
fn touch(path: &Path, tick: Option<DateTime<Utc>>) -> io::Result<()> {
    match tick {
        Some(tick) => File::options().write(true).open(path)?.set_modified(tick.into()),
        None => Ok(()),
    }
}
