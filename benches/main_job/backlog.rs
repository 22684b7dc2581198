//! A backlog that is read and evaluated at once: it must cost by its length, and no memory.

use std::fmt::Write;
use std::fs::File;
use std::path::{Path, PathBuf};

use crate::data::{self, Kind};
use crate::measure::{Cost, measure};
use crate::report::Report;
use crate::server::Server;

/// The longer backlog has so many times the lines of the shorter one.
const TIMES: u64 = 4;

/// One measurement takes half a minute: so many of them say enough.
const MOST_ROUNDS: usize = 3;

pub(crate) fn backlog(server: &Server, lines: u64, report: &mut Report) -> anyhow::Result<()> {
    let short = write(server, "short.log", lines)?;
    let long = write(server, "long.log", lines * TIMES)?;
    let (mut parts, mut wholes) = (Vec::new(), Vec::new());
    for _ in 0..report.rounds.min(MOST_ROUNDS) {
        wholes.push(run(server, &short)?);
        let long = run(server, &long)?;
        #[expect(clippy::cast_precision_loss, reason = "a small number")]
        let wall = long.wall / TIMES as f64;
        parts.push(Cost { wall, ..long });
    }
    report.compare(
        &format!("backlog of {} lines, 10 rules, a quarter of it", lines * TIMES),
        &parts,
        (&format!("{lines} lines"), &wholes),
        Some(1.3),
    );
    std::fs::remove_file(short)?;
    Ok(std::fs::remove_file(long)?)
}

/// Writes a log, out to the disk: else that goes on while it is read.
fn write(server: &Server, name: &str, lines: u64) -> anyhow::Result<PathBuf> {
    let log = server.path(name);
    data::write(&log, Kind::Production, lines)?;
    File::open(&log)?.sync_all()?;
    Ok(log)
}

fn run(server: &Server, log: &Path) -> anyhow::Result<Cost> {
    server.empty()?;
    measure(&server.tripline(&rules(), &["run", &log.to_string_lossy()])?)
}

/// Ten rules with patterns, of which some fire now and then.
pub(crate) fn rules() -> String {
    let patterns = ["orders", "cart", "health", "search", "static", "took 1..9 ms"];
    let mut rules = String::new();
    for number in 0..10 {
        let pattern = patterns[number % patterns.len()];
        let count = 10 + number * 10;
        let _ = writeln!(
            rules,
            "[[rule]]\nname = \"rule-{number}\"\nkind = \"threshold\"\npattern = {pattern:?}\n\
             count = {count}\nwithin = \"5m\""
        );
    }
    rules
}
