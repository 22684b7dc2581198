//! Fixture cases: logs that grow step by step, the real pipeline on a simulated clock, and
//! what is expected of each run.
//!
//! In: the folder of a case. Out: the differences between what was expected and what came of
//! it; none if the case passes. Everything below the clock is the real thing: the same stages,
//! the same SQL, a database that is made for the case and dropped after it.

mod case;
mod compare;
mod scratch;

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::sync::atomic::AtomicBool;

use anyhow::Context;
use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use glob::{Pattern, PatternError};
use serde::Serialize;

pub use self::scratch::ScratchServer;

use self::case::{Case, Step};
use crate::config::{Config, SourceConfig, SourcePath};
use crate::ingest::{self, ReadLimits, Target};
use crate::model::Tick;
use crate::pipeline::Pipeline;
use crate::store::connection;

/// The name of the simulated host.
const HOST: &str = "replay";

/// What came of a case.
#[derive(Debug, Serialize)]
pub struct Outcome {
    /// The name of its folder.
    pub name: String,
    /// Whether everything was as expected.
    pub passed: bool,
    /// What was not, one text a difference.
    pub differences: Vec<String>,
}

/// Runs a case in a database of its own on `server`.
///
/// One that cannot be read or run has failed, and why is its only difference.
pub fn run(folder: &Path, server: &mut ScratchServer) -> Outcome {
    let differences =
        find_differences(folder, server).unwrap_or_else(|error| vec![format!("{error:#}")]);
    let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
    Outcome { name, passed: differences.is_empty(), differences }
}

fn find_differences(folder: &Path, server: &mut ScratchServer) -> anyhow::Result<Vec<String>> {
    let case = Case::read(folder)?;
    let database = server.database()?;
    let mut connection = connection::connect(database.url(), "made for the case")?;
    let root = tempfile::tempdir().context("cannot make a folder for the logs of the case")?;
    let mut differences = Vec::new();
    for (index, step) in case.steps.iter().enumerate() {
        let found = take(step, &case, index, &mut connection, root.path())
            .with_context(|| format!("step {}", index + 1))?;
        differences.extend(found.into_iter().map(|text| format!("step {}: {text}", index + 1)));
    }
    Ok(differences)
}

/// Does one step, and returns what is not as expected.
fn take(
    step: &Step,
    case: &Case,
    index: usize,
    connection: &mut PgConnection,
    root: &Path,
) -> anyhow::Result<Vec<String>> {
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
        Step::Run { tick, expected } => {
            let last_message = compare::last_message(connection)?;
            let errors = run_once(case, index, connection, root, Tick(*tick))?;
            let mut differences = compare::differences(connection, last_message, expected)?;
            if errors.count != expected.errors {
                let found = format!("errors: expected {}, found {}", expected.errors, errors.count);
                differences.push([vec![found], errors.told].concat().join("; "));
            }
            return Ok(differences);
        }
    }
    Ok(Vec::new())
}

/// What failed in a run.
struct Errors {
    count: usize,
    /// What is known of them; the others were logged.
    told: Vec<String>,
}

/// One run of the job. What it prints is in the outbox as well, where it is compared.
fn run_once(
    case: &Case,
    index: usize,
    connection: &mut PgConnection,
    root: &Path,
    tick: Tick,
) -> anyhow::Result<Errors> {
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
    Ok(Errors { count: figures.errors, told })
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
