//! `tripline replay`: run fixture cases and compare with what they expect.

use std::io::{self, Write};

use super::SomeFailed;
use super::session::private_cluster;
use crate::cli::Replay;
use crate::replay::{self, Outcome, ScratchServer};
use crate::{report, visible};

/// Characters of a difference that are shown.
const DIFFERENCE_CHARS: usize = 500;

pub(super) fn run(arguments: &Replay, stdout: &mut dyn Write) -> anyhow::Result<()> {
    let mut server = ScratchServer::new(private_cluster()?)?;
    let mut outcomes = Vec::new();
    for folder in &arguments.cases {
        let outcome = replay::run(folder, &mut server);
        if !arguments.output.json {
            write_outcome(&outcome, stdout)?;
        }
        outcomes.push(outcome);
    }
    if arguments.output.json {
        report::write_json(&serde_json::json!({ "cases": outcomes }), stdout)?;
    } else {
        let passed = outcomes.iter().filter(|outcome| outcome.passed).count();
        writeln!(stdout, "{passed} of {} cases passed", outcomes.len())?;
    }
    match outcomes.iter().filter(|outcome| !outcome.passed).count() {
        0 => Ok(()),
        failed => {
            stdout.flush()?;
            Err(SomeFailed(failed).into())
        }
    }
}

fn write_outcome(outcome: &Outcome, stdout: &mut dyn Write) -> io::Result<()> {
    let result = if outcome.passed { "ok    " } else { "FAILED" };
    writeln!(stdout, "{result} {}", outcome.name)?;
    for difference in &outcome.differences {
        // What is wrong with a TOML file is told in several lines.
        for line in difference.lines() {
            writeln!(stdout, "       {}", visible::line(line, DIFFERENCE_CHARS))?;
        }
    }
    stdout.flush()
}
