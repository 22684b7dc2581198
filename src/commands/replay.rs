//! `tripline replay`: run fixture cases and compare with what they expect.

use std::env;
use std::io::Write;
use std::num::NonZero;
use std::path::Path;
use std::thread;

use chrono::SecondsFormat;

use super::SomeFailed;
use super::session::{host_zone, private_cluster};
use crate::cli::{Global, Replay, ReplayFormat};
use crate::config::{self, Config};
use crate::model::Tick;
use crate::replay::{self, Difference, Outcome, ScratchServer, Side};
use crate::report;
use crate::report::cases::{self, CaseResult, Details, RunDetails, junit, tap};

/// More would need more connections than PostgreSQL allows by default.
const MOST_JOBS: usize = 32;

pub(super) fn run(
    global: &Global,
    arguments: &Replay,
    tick: Tick,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    if let Some(log) = &arguments.from {
        let environment = config::Environment::from_variables(|name| env::var_os(name));
        let config = Config::load(global.config.as_deref(), &environment)?;
        let (log, zone) = (std::path::absolute(log)?, host_zone()?);
        let server = ScratchServer::new(private_cluster()?)?;
        write!(stdout, "{}", replay::record(&log, &config, zone, tick, &server)?)?;
        return Ok(());
    }
    let server = ScratchServer::new(private_cluster()?)?;
    let format = if arguments.json { ReplayFormat::Json } else { arguments.format };
    let mut results = Vec::new();
    if format == ReplayFormat::Tap {
        tap::write_head(arguments.cases.len(), stdout)?;
    }
    replay::run_all(
        &arguments.cases,
        &server,
        jobs(arguments),
        arguments.update,
        &mut |outcome| {
            let result = result(outcome);
            match format {
                ReplayFormat::Text => cases::write_text(&result, stdout)?,
                ReplayFormat::Tap => tap::write_case(results.len() + 1, &result, stdout)?,
                ReplayFormat::Json | ReplayFormat::Junit => {}
            }
            results.push(result);
            Ok(())
        },
    )?;
    match format {
        ReplayFormat::Text => cases::write_summary(&results, stdout)?,
        ReplayFormat::Json => {
            report::write_json(&serde_json::json!({ "cases": results }), stdout)?;
        }
        ReplayFormat::Junit => junit::write(&results, stdout)?,
        ReplayFormat::Tap => {}
    }
    match results.iter().filter(|result| !result.passed).count() {
        0 => Ok(()),
        failed => {
            stdout.flush()?;
            Err(SomeFailed(failed).into())
        }
    }
}

fn jobs(arguments: &Replay) -> NonZero<usize> {
    let wanted = arguments.jobs.and_then(|jobs| NonZero::new(usize::from(jobs)));
    let most = NonZero::new(MOST_JOBS).unwrap_or(NonZero::<usize>::MIN);
    wanted.unwrap_or_else(|| thread::available_parallelism().map_or(most, |cores| cores.min(most)))
}

/// What came of a case, as it is shown.
fn result(outcome: Outcome) -> CaseResult {
    let details = match outcome.details {
        Ok(differences) => Details::Runs(by_run(&outcome.file, &differences)),
        Err(error) => Details::Error(error),
    };
    CaseResult {
        name: outcome.name,
        passed: outcome.passed,
        differences: outcome.differences,
        updated: outcome.updated,
        path: outcome.path.to_string_lossy().into_owned(),
        took: outcome.took,
        details,
    }
}

fn by_run(file: &Path, differences: &[Difference]) -> Vec<RunDetails> {
    let mut runs: Vec<(usize, RunDetails)> = Vec::new();
    for difference in differences {
        let Difference { step, line, run_at, what, lines } = difference;
        let sign = |side| match side {
            Side::Expected => '-',
            Side::Found => '+',
            Side::Told => ' ',
        };
        let lines = lines.iter().map(|(side, text)| (sign(*side), text.clone())).collect();
        if let Some((_, run)) = runs.last_mut().filter(|(last, _)| last == step) {
            run.keys.push((what, lines));
            continue;
        }
        let time = run_at.to_rfc3339_opts(SecondsFormat::AutoSi, true);
        let place = format!("step {step}, run at {time} ({}:{line})", file.display());
        runs.push((*step, RunDetails { place, keys: vec![(what, lines)] }));
    }
    runs.into_iter().map(|(_, run)| run).collect()
}
