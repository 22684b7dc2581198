//! A case as its folder says it: `case.toml`, `tripline.toml` if there is one, pieces of logs.
//!
//! ```toml
//! description = "What the case shows, in one sentence."   # required
//! timezone = "Europe/Berlin"       # zone of the simulated host; default: UTC
//!
//! [[step]]                         # writes to a log; folders are made
//! append = "/var/log/app.log"
//! text = "2026-01-01 00:00:05 [ERROR] message\n"
//!                                  # or file = "piece.log", below the folder of the case
//! lines = [1, 12]                  # only these lines of it, from 1, the last one included
//!
//! [[step]]                         # renames; the next append makes a new log
//! rotate = "/var/log/app.log"
//! to = "/var/log/app.log.1"
//!
//! [[step]]                         # copies, then empties
//! copytruncate = "/var/log/app.log"
//! to = "/var/log/app.log.1"
//!
//! [[step]]                         # the job runs, and what is given here is compared
//! run = "2026-01-01T00:01:00Z"     # or "+1m" after the run before
//! fired = []                       # messages of this run: these alerts fire ...
//! resolved = []                    # ... and these are over
//! alerts = []                      # all alerts so far but those that another one absorbed
//! entries = ["2026-01-01T00:00:05Z ERROR message"]   # all that are stored so far
//! entry_count = 1                  # how many these are
//! unparsed_lines = 0               # so far
//! gaps = 0                         # so far: rotated files that could not be read to the end
//! errors = 0                       # of this run; the only one that is compared in any case
//! ```
//!
//! An alert is a table of `rule`, `source`, `group`, `started_at`, `ended_at`, `measured`, `number` and
//! `state` (`pending`, `firing` or `resolved`), of which only `rule` is required. Lists are compared
//! without regard to their order. What an alert or a step does not name is not compared.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, bail, ensure};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Deserialize;

use crate::config::Config;
use crate::duration;

/// A case, read and checked.
pub(super) struct Case {
    /// Its config; the built-in rules where it has none.
    pub(super) config: Config,
    /// The zone of the simulated host.
    pub(super) zone: Tz,
    /// The last one is a run.
    pub(super) steps: Vec<Step>,
}

/// What happens, in order.
#[derive(Debug)]
pub(super) enum Step {
    /// Bytes are appended to a log.
    Append { log: PathBuf, bytes: Vec<u8> },
    /// The log is renamed and a new one will be created by the next append.
    Rotate { log: PathBuf, to: PathBuf },
    /// The log is copied and then emptied.
    CopyTruncate { log: PathBuf, to: PathBuf },
    /// The job runs, and what it does is compared.
    Run { tick: DateTime<Utc>, expected: Box<Expected> },
}

/// What a run is expected to do. What is not given is not compared, but for errors; an empty
/// list asserts that there is nothing.
#[derive(Clone, Debug, Default, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Expected {
    /// Alerts announced as firing by this run.
    pub(super) fired: Option<Vec<ExpectedAlert>>,
    /// Alerts announced as over by this run.
    pub(super) resolved: Option<Vec<ExpectedAlert>>,
    /// All alerts so far, without those that another one absorbed.
    pub(super) alerts: Option<Vec<ExpectedAlert>>,
    /// All entries stored so far: `TIME LEVEL MESSAGE`.
    pub(super) entries: Option<Vec<String>>,
    /// How many entries are stored so far.
    pub(super) entry_count: Option<i64>,
    /// How many lines were neither the beginning nor the continuation of an entry so far.
    pub(super) unparsed_lines: Option<i64>,
    /// How many files could not be read to their end so far.
    pub(super) gaps: Option<i64>,
    /// How much failed in this run.
    #[serde(default)]
    pub(super) errors: usize,
}

/// An alert in a list. What is not given is not compared.
#[derive(Clone, Debug, PartialEq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedAlert {
    pub(super) rule: String,
    pub(super) source: Option<String>,
    /// What the rule groups by besides the source.
    pub(super) group: Option<String>,
    pub(super) started_at: Option<DateTime<Utc>>,
    pub(super) ended_at: Option<DateTime<Utc>>,
    pub(super) measured: Option<f64>,
    /// How often it began to fire: 2 is "FIRED again".
    pub(super) number: Option<i64>,
    pub(super) state: Option<State>,
}

/// What became of an alert so far.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
#[serde(rename_all = "lowercase")]
pub(super) enum State {
    /// It does not fire yet.
    Pending,
    Firing,
    Resolved,
}

/// `case.toml`, word for word. Which keys a step may have depends on what it does.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    /// What the case shows, for people.
    #[expect(dead_code, reason = "for people who read the case")]
    description: String,
    #[serde(default = "utc")]
    timezone: Tz,
    #[serde(default)]
    step: Vec<toml::Table>,
}

/// What `append` needs besides the log.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Piece {
    text: Option<String>,
    file: Option<PathBuf>,
    lines: Option<(usize, usize)>,
}

/// What `rotate` and `copytruncate` need besides the log.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Move {
    to: PathBuf,
}

/// The keys that say what a step does.
const KINDS: [&str; 4] = ["append", "rotate", "copytruncate", "run"];

impl Case {
    /// Reads the case in a folder.
    pub(super) fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("case.toml");
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let file: CaseFile =
            toml::from_str(&text).with_context(|| format!("{} is wrong", path.display()))?;
        let config_path = folder.join("tripline.toml");
        let config =
            if config_path.exists() { Config::read(&config_path)? } else { Config::default() };
        let mut clock = None;
        let steps = file
            .step
            .into_iter()
            .enumerate()
            .map(|(index, table)| {
                step(table, folder, &mut clock)
                    .with_context(|| format!("{}: step {}", path.display(), index + 1))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        ensure!(
            matches!(steps.last(), Some(Step::Run { .. })),
            "{}: the last step must run the job, else nobody sees what it does: \
             run = \"2026-01-01T00:01:00Z\"",
            path.display()
        );
        Ok(Self { config, zone: file.timezone, steps })
    }

    /// The logs that the steps before one write, each once, without what a rotation has made.
    pub(super) fn logs_before(&self, index: usize) -> Vec<PathBuf> {
        let mut logs: Vec<PathBuf> = Vec::new();
        let mut rotated: Vec<&PathBuf> = Vec::new();
        for step in &self.steps[..index] {
            match step {
                Step::Rotate { to, .. } | Step::CopyTruncate { to, .. } => rotated.push(to),
                Step::Append { log, .. } if !logs.contains(log) && !rotated.contains(&log) => {
                    logs.push(log.clone());
                }
                Step::Append { .. } | Step::Run { .. } => {}
            }
        }
        logs
    }

    /// The time of the first run from a step on: what the clock shows while the step is done.
    pub(super) fn tick_at(&self, index: usize) -> Option<DateTime<Utc>> {
        self.steps[index..].iter().find_map(|step| match step {
            Step::Run { tick, .. } => Some(*tick),
            _ => None,
        })
    }
}

/// What a step does; `clock` is the time of the last run, to which `+1m` is added.
fn step(
    mut table: toml::Table,
    folder: &Path,
    clock: &mut Option<DateTime<Utc>>,
) -> anyhow::Result<Step> {
    let kinds: Vec<&str> = KINDS.into_iter().filter(|kind| table.contains_key(*kind)).collect();
    let &[kind] = kinds.as_slice() else {
        bail!("a step is one of {}, and only one of them", KINDS.join(", "));
    };
    let Some(toml::Value::String(value)) = table.remove(kind) else {
        bail!("{kind} must be a text");
    };
    Ok(match kind {
        "append" => {
            let bytes = piece(table.try_into()?, folder)?;
            Step::Append { log: absolute(value.into())?, bytes }
        }
        "rotate" | "copytruncate" => {
            let Move { to } = table.try_into()?;
            let (log, to) = (absolute(value.into())?, absolute(to)?);
            if kind == "rotate" { Step::Rotate { log, to } } else { Step::CopyTruncate { log, to } }
        }
        _ => {
            let tick = next_tick(&value, *clock)?;
            *clock = Some(tick);
            Step::Run { tick, expected: Box::new(table.try_into()?) }
        }
    })
}

/// What is appended.
fn piece(piece: Piece, folder: &Path) -> anyhow::Result<Vec<u8>> {
    let bytes = match (piece.text, piece.file) {
        (Some(text), None) => text.into_bytes(),
        (None, Some(file)) => {
            let path = folder.join(file);
            fs::read(&path).with_context(|| format!("cannot read {}", path.display()))?
        }
        (Some(_), Some(_)) => bail!("append has both text and file"),
        (None, None) => bail!("append needs text or file"),
    };
    let Some((first, last)) = piece.lines else { return Ok(bytes) };
    let lines: Vec<&[u8]> = bytes.split_inclusive(|byte| *byte == b'\n').collect();
    ensure!(
        1 <= first && first <= last && last <= lines.len(),
        "lines = [{first}, {last}]: the piece has the lines 1 to {}",
        lines.len()
    );
    Ok(lines[first - 1..last].concat())
}

/// The time of a run: RFC 3339, or `+1m` after the one before.
fn next_tick(text: &str, clock: Option<DateTime<Utc>>) -> anyhow::Result<DateTime<Utc>> {
    let Some(step) = text.strip_prefix('+') else {
        return text.parse().with_context(|| {
            format!("run = {text:?} is neither a time (2026-01-01T00:01:00Z) nor a step (+1m)")
        });
    };
    let clock = clock.context("the first run needs a time: run = \"2026-01-01T00:01:00Z\"")?;
    let step = duration::parse(step)?;
    clock.checked_add_signed(step).with_context(|| format!("run = {text:?} is too far away"))
}

/// A path that stays below the folder of the logs when that is put before it.
fn absolute(log: PathBuf) -> anyhow::Result<PathBuf> {
    ensure!(log.is_absolute(), "paths must be absolute: {}", log.display());
    let inside = log.components().all(|part| part != Component::ParentDir);
    ensure!(inside, "paths must not go up by ..: {}", log.display());
    Ok(log)
}

fn utc() -> Tz {
    Tz::UTC
}
