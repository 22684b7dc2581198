//! A backlog that is read and evaluated at once: it must cost by its length, and no memory.

use std::fmt::Write;

use crate::data::{self, Kind};
use crate::measure::{Cost, measure};
use crate::report::Report;
use crate::server::Server;

/// The longer backlog has so many times the lines of the shorter one.
const TIMES: u64 = 4;

pub(crate) fn backlog(server: &Server, lines: u64, report: &mut Report) -> anyhow::Result<()> {
    let short = run(server, lines)?;
    let long = run(server, lines * TIMES)?;
    #[expect(clippy::cast_precision_loss, reason = "a small number")]
    let a_part = long.wall / TIMES as f64;
    let part = Cost { wall: a_part, ..long };
    report.compare(
        &format!("backlog of {} lines, 10 rules, a quarter of it", lines * TIMES),
        &[part],
        (&format!("{lines} lines"), &[short]),
        Some(1.3),
    );
    Ok(())
}

fn run(server: &Server, lines: u64) -> anyhow::Result<Cost> {
    let log = server.path("backlog.log");
    data::write(&log, Kind::Production, lines)?;
    server.empty()?;
    let run = server.tripline(&rules(), &["run", &log.to_string_lossy()])?;
    let cost = measure(&run)?;
    std::fs::remove_file(log)?;
    Ok(cost)
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
