//! A case as its folder says it: `case.toml`, `tripline.toml` if there is one, pieces of logs. A
//! case may also be one file, that holds its config.
//!
//! ```toml
//! description = "What the case shows, in one sentence."   # required
//! timezone = "Europe/Berlin"       # zone of the simulated host; default: UTC
//! config = '''...'''               # what else stands in tripline.toml
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
//! [[step]]                         # somebody does not want to be told
//! silence = "deploy"               # the reason
//! rule = "r"                       # or group, severity; all that is given must fit
//! for = "2h"                       # or until = TIME; from the run before on, or from = TIME
//! weekly = "sun 02:00-04:00"       # only in these hours
//!
//! [[step]]
//! end_silence = "deploy"           # before its time
//!
//! [[step]]
//! ack = "r"                        # somebody takes on the open alerts of a rule
//! group = "a"                      # or only that of a group
//!
//! [[step]]                         # a view of one's own for a rule of kind sql
//! sql = "create view ..."
//!
//! [[step]]                         # the job runs, and what is given here is compared
//! run = "2026-01-01T00:01:00Z"     # or "+1m" after the run before
//! fired = []                       # messages of this run: these alerts fire ...
//! resolved = []                    # ... and these are over
//! alerts = []                      # all alerts so far but those that another one absorbed
//! notifications = []               # all messages so far, delivered or not
//! entries = ["2026-01-01T00:00:05Z ERROR message"]   # all that are stored so far
//! entry_count = 1                  # how many these are
//! unparsed_lines = 0               # so far
//! gaps = 0                         # so far: rotated files that could not be read to the end
//! errors = 0                       # of this run; the only one that is compared in any case
//! ```
//!
//! An alert is a table of `rule`, `source`, `group`, `started_at`, `ended_at`, `measured`, `number`,
//! `state` (`pending`, `firing` or `resolved`) and `withdrawn`, of which only `rule` is required; a
//! notification is one of `rule`, `source`, `group`, `kind` (`fired`, `reminder`, `resolved` or
//! `storm`), `number` and `at`, with `rule` and `kind` required. Lists are compared without regard to
//! their order. What an alert, a notification or a step does not name is not compared.

use std::fs;
use std::path::{Component, Path, PathBuf};

use anyhow::{Context, anyhow, bail, ensure};
use chrono::{DateTime, TimeDelta, Utc};
use chrono_tz::Tz;
use serde::Deserialize;
use toml::Spanned;

use super::expected::Expected;
use crate::config::Config;
use crate::duration;
use crate::model::WeeklyHours;

/// A case, read and checked.
pub(super) struct Case {
    /// The file that says what happens.
    pub(super) path: PathBuf,
    /// What stands in it.
    pub(super) text: String,
    /// Its config; the built-in rules where it has none.
    pub(super) config: Config,
    /// The zone of the simulated host.
    pub(super) zone: Tz,
    /// The last one is a run.
    pub(super) steps: Vec<Step>,
    /// The line in which each step begins.
    pub(super) lines: Vec<usize>,
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
    /// Somebody does not want to be told.
    Silence(Box<NewSilence>),
    /// Somebody wants to be told again: the reason of the silence.
    EndSilence(String),
    /// Somebody takes on the open alerts of a rule, or that of a group.
    Ack { rule: String, group: Option<String> },
    /// Somebody changes the database, as for a rule that reads a view.
    Sql(String),
    /// The job runs, and what it does is compared.
    Run { tick: DateTime<Utc>, expected: Box<Expected> },
}

/// A silence of some length.
#[derive(Debug)]
pub(super) struct NewSilence {
    pub(super) reason: String,
    pub(super) rule: Option<String>,
    pub(super) group: Option<String>,
    pub(super) severity: Option<String>,
    /// `None`: from the run before on.
    pub(super) from: Option<DateTime<Utc>>,
    pub(super) until: Option<Until>,
    pub(super) weekly: Option<WeeklyHours>,
}

/// When a silence ends.
#[derive(Clone, Copy, Debug)]
pub(super) enum Until {
    Time(DateTime<Utc>),
    After(TimeDelta),
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
    config: Option<String>,
    #[serde(default)]
    step: Vec<Spanned<toml::Table>>,
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

/// What `silence` needs besides the reason.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct SilenceWords {
    rule: Option<String>,
    group: Option<String>,
    severity: Option<String>,
    from: Option<DateTime<Utc>>,
    until: Option<DateTime<Utc>>,
    r#for: Option<String>,
    weekly: Option<String>,
}

/// What `end_silence` and `sql` need besides.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Nothing {}

/// What `ack` needs besides the rule.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Group {
    group: Option<String>,
}

/// The keys that say what a step does.
const KINDS: [&str; 8] =
    ["append", "rotate", "copytruncate", "silence", "end_silence", "ack", "sql", "run"];

impl Case {
    /// Reads the case in a folder, or in a file.
    pub(super) fn read(place: &Path) -> anyhow::Result<Self> {
        let path = file_of(place);
        let text =
            fs::read_to_string(&path).with_context(|| format!("cannot read {}", path.display()))?;
        let is_folder = path != place;
        let beside = place.join("tripline.toml");
        let beside = Some(beside).filter(|path| is_folder && path.exists());
        Self::parse(&path, text, beside.as_deref())
    }

    /// The case in `text`, which stands at `path`, with the config that lies beside it.
    pub(super) fn parse(path: &Path, text: String, beside: Option<&Path>) -> anyhow::Result<Self> {
        let folder = path.parent().unwrap_or(path);
        let file: CaseFile =
            toml::from_str(&text).with_context(|| format!("{} is wrong", path.display()))?;
        let config = match (&file.config, beside) {
            (Some(_), Some(beside)) => {
                bail!("{} has a config, and {} lies beside it", path.display(), beside.display())
            }
            (Some(text), None) => {
                Config::parse(Path::new(&format!("{}, config", path.display())), text.as_bytes())?
            }
            (None, Some(beside)) => Config::read(beside)?,
            (None, None) => Config::default(),
        };
        let mut clock = None;
        let mut steps = Vec::new();
        let mut lines = Vec::new();
        for (index, table) in file.step.into_iter().enumerate() {
            lines.push(line_of(&text, table.span().start));
            let step = step(table.into_inner(), folder, &mut clock)
                .with_context(|| format!("{}: step {}", path.display(), index + 1))?;
            steps.push(step);
        }
        ensure!(
            matches!(steps.last(), Some(Step::Run { .. })),
            "{}: the last step must run the job, else nobody sees what it does: \
             run = \"2026-01-01T00:01:00Z\"",
            path.display()
        );
        Ok(Self { path: path.to_owned(), text, config, zone: file.timezone, steps, lines })
    }

    /// Whether no run says what is expected of it.
    pub(super) fn expects_nothing(&self) -> bool {
        self.steps.iter().all(|step| match step {
            Step::Run { expected, .. } => **expected == Expected::default(),
            _ => true,
        })
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
                _ => {}
            }
        }
        logs
    }

    /// The time of the last run before a step, else of the first one after it: when people do
    /// what the step says.
    pub(super) fn tick_before(&self, index: usize) -> Option<DateTime<Utc>> {
        let before = self.steps[..index].iter().rev().find_map(Step::tick);
        before.or_else(|| self.tick_at(index))
    }

    /// The time of the first run from a step on: what the clock shows while the step is done.
    pub(super) fn tick_at(&self, index: usize) -> Option<DateTime<Utc>> {
        self.steps[index..].iter().find_map(Step::tick)
    }
}

impl Step {
    fn tick(&self) -> Option<DateTime<Utc>> {
        match self {
            Self::Run { tick, .. } => Some(*tick),
            _ => None,
        }
    }
}

/// The file of a case: itself, or `case.toml` in its folder.
pub(super) fn file_of(place: &Path) -> PathBuf {
    let is_file = place.extension().is_some_and(|end| end == "toml") && !place.is_dir();
    if is_file { place.to_owned() } else { place.join("case.toml") }
}

/// The number of the line with this byte, from 1.
fn line_of(text: &str, byte: usize) -> usize {
    1 + text.bytes().take(byte).filter(|byte| *byte == b'\n').count()
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
        "silence" => Step::Silence(Box::new(silence(value, table.try_into()?)?)),
        "end_silence" => {
            let Nothing {} = table.try_into()?;
            Step::EndSilence(value)
        }
        "sql" => {
            let Nothing {} = table.try_into()?;
            Step::Sql(value)
        }
        "ack" => {
            let Group { group } = table.try_into()?;
            Step::Ack { rule: value, group }
        }
        _ => {
            let tick = next_tick(&value, *clock)?;
            *clock = Some(tick);
            Step::Run { tick, expected: Box::new(table.try_into()?) }
        }
    })
}

fn silence(reason: String, words: SilenceWords) -> anyhow::Result<NewSilence> {
    let until = match (words.until, words.r#for) {
        (Some(until), None) => Some(Until::Time(until)),
        (None, Some(length)) => Some(Until::After(duration::parse(&length)?)),
        (None, None) => None,
        (Some(_), Some(_)) => bail!("silence has both until and for"),
    };
    let weekly = words.weekly.as_deref().map(str::parse::<WeeklyHours>).transpose();
    let weekly = weekly.map_err(|error| anyhow!("weekly: {error}"))?;
    ensure!(until.is_some() || weekly.is_some(), "silence needs for, until or weekly");
    let SilenceWords { rule, group, severity, from, .. } = words;
    Ok(NewSilence { reason, rule, group, severity, from, until, weekly })
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
