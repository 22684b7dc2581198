//! A case as its folder says it: `case.toml`, `tripline.toml` if there is one, pieces of logs.

use std::fs;
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use chrono::{DateTime, Utc};
use chrono_tz::Tz;
use serde::Deserialize;

use crate::config::Config;
use crate::duration;

/// A case, read and checked.
pub(super) struct Case {
    /// The name of its folder.
    pub(super) name: String,
    /// Its config; the built-in rules where it has none.
    pub(super) config: Config,
    /// The zone of the simulated host.
    pub(super) zone: Tz,
    pub(super) steps: Vec<Step>,
}

/// What happens, in order.
pub(super) enum Step {
    /// Bytes are appended to a log.
    Append { log: PathBuf, bytes: Vec<u8> },
    /// The log is renamed and a new one will be created by the next append.
    Rotate { log: PathBuf, to: PathBuf },
    /// The job runs, and what it does is compared.
    Run { tick: DateTime<Utc>, expected: Box<Expected> },
}

/// What a run is expected to do. What is not given is not compared; an empty list asserts
/// that there is nothing.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub(super) struct Expected {
    /// Alerts announced as firing by this run.
    pub(super) fired: Option<Vec<ExpectedAlert>>,
    /// Alerts announced as over by this run.
    pub(super) resolved: Option<Vec<ExpectedAlert>>,
    /// All entries stored so far: `TIME LEVEL MESSAGE`, in order of time.
    pub(super) entries: Option<Vec<String>>,
    /// How many entries are stored so far.
    pub(super) entry_count: Option<i64>,
    /// How many lines were neither the beginning nor the continuation of an entry so far.
    pub(super) unparsed_lines: Option<i64>,
}

/// An alert in a list. What is not given is not compared.
#[derive(Clone, Debug, PartialEq, Eq, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct ExpectedAlert {
    pub(super) rule: String,
    pub(super) source: Option<String>,
    pub(super) started_at: Option<DateTime<Utc>>,
    pub(super) ended_at: Option<DateTime<Utc>>,
    pub(super) measured: Option<i64>,
}

/// `case.toml`, word for word.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct CaseFile {
    /// What the case shows, for people.
    #[expect(dead_code, reason = "for people who read the case")]
    description: String,
    #[serde(default = "utc")]
    timezone: Tz,
    step: Vec<StepFile>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct StepFile {
    append: Option<PathBuf>,
    text: Option<String>,
    file: Option<PathBuf>,
    rotate: Option<PathBuf>,
    to: Option<PathBuf>,
    run: Option<String>,
    fired: Option<Vec<ExpectedAlert>>,
    resolved: Option<Vec<ExpectedAlert>>,
    entries: Option<Vec<String>>,
    entry_count: Option<i64>,
    unparsed_lines: Option<i64>,
}

impl Case {
    /// Reads the case in a folder.
    pub(super) fn read(folder: &Path) -> anyhow::Result<Self> {
        let path = folder.join("case.toml");
        let text = read_text(&path)?;
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
            .map(|(index, step)| {
                step.check(folder, &mut clock)
                    .with_context(|| format!("{}: step {}", path.display(), index + 1))
            })
            .collect::<anyhow::Result<Vec<_>>>()?;
        if !steps.iter().any(|step| matches!(step, Step::Run { .. })) {
            bail!(
                "{} has no step that runs anything: run = \"2026-01-01T00:01:00Z\"",
                path.display()
            );
        }
        let name = folder.file_name().unwrap_or(folder.as_os_str()).to_string_lossy().into_owned();
        Ok(Self { name, config, zone: file.timezone, steps })
    }

    /// The logs that the steps write, each once.
    pub(super) fn logs(&self) -> Vec<PathBuf> {
        let mut logs: Vec<PathBuf> = Vec::new();
        for step in &self.steps {
            if let Step::Append { log, .. } = step
                && !logs.contains(log)
            {
                logs.push(log.clone());
            }
        }
        logs
    }
}

impl StepFile {
    /// What the step does; `clock` is the time of the last run, to which `+1m` is added.
    fn check(self, folder: &Path, clock: &mut Option<DateTime<Utc>>) -> anyhow::Result<Step> {
        match (self.append, self.rotate, self.run) {
            (Some(log), None, None) => {
                let bytes = match (self.text, self.file) {
                    (Some(text), None) => text.into_bytes(),
                    (None, Some(file)) => {
                        let path = folder.join(file);
                        fs::read(&path)
                            .with_context(|| format!("cannot read {}", path.display()))?
                    }
                    _ => bail!("append needs either text or file"),
                };
                Ok(Step::Append { log: absolute(log)?, bytes })
            }
            (None, Some(log), None) => match self.to {
                Some(to) => Ok(Step::Rotate { log: absolute(log)?, to: absolute(to)? }),
                None => bail!("rotate needs to = \"/path/of/the/renamed.log\""),
            },
            (None, None, Some(time)) => {
                let tick = next_tick(&time, *clock)?;
                *clock = Some(tick);
                Ok(Step::Run {
                    tick,
                    expected: Box::new(Expected {
                        fired: self.fired,
                        resolved: self.resolved,
                        entries: self.entries,
                        entry_count: self.entry_count,
                        unparsed_lines: self.unparsed_lines,
                    }),
                })
            }
            _ => bail!("a step is one of append, rotate and run"),
        }
    }
}

/// The time of a run: RFC 3339, or `+1m` after the one before.
fn next_tick(text: &str, clock: Option<DateTime<Utc>>) -> anyhow::Result<DateTime<Utc>> {
    let Some(step) = text.strip_prefix('+') else {
        return text.parse().with_context(|| {
            format!("run = {text:?} is neither a time (2026-01-01T00:01:00Z) nor a step (+1m)")
        });
    };
    let clock = clock.context("the first run needs a time: run = \"2026-01-01T00:01:00Z\"")?;
    Ok(clock + duration::parse(step)?)
}

fn absolute(log: PathBuf) -> anyhow::Result<PathBuf> {
    if log.is_absolute() { Ok(log) } else { bail!("paths must be absolute: {}", log.display()) }
}

fn read_text(path: &Path) -> anyhow::Result<String> {
    fs::read_to_string(path).with_context(|| format!("cannot read {}", path.display()))
}

fn utc() -> Tz {
    Tz::UTC
}
