//! What the main job costs, as ratios against other programs in the same run: `scripts/bench`.
//!
//! A timing alone says something about a machine. So each figure is measured in turns with a
//! reference that does the like on the same data: PostgreSQL's own COPY for reading a log into
//! rows, ripgrep for looking at every line, `psql` for a tick with nothing to do, and tripline
//! itself on a smaller history or backlog. Only a tick over a folder full of logs has no other
//! reference than a second. What is compared is the median of the rounds.
//!
//! The logs are made here, always the same. The server is a private PostgreSQL in a temporary
//! folder, without fsync: the disk would be most of the noise and is the same for all.

#![expect(clippy::print_stdout, reason = "printing is what a benchmark is for")]

mod backlog;
mod data;
mod evaluation;
mod loading;
mod measure;
mod report;
mod server;
mod tick;

use std::path::PathBuf;

use clap::Parser;

use crate::data::Logs;
use crate::report::Report;
use crate::server::Server;

/// The time of all runs: after the last line of every log.
pub(crate) const NOW: &str = "2027-01-01T00:00:00Z";

#[derive(Debug, Parser)]
#[command(name = "scripts/bench", about = "Measures what the main job costs against references")]
struct Options {
    /// Lines in each log
    #[arg(long, default_value_t = if cfg!(debug_assertions) { 5_000 } else { 5_000_000 })]
    lines: u64,
    /// Stored entries in the larger of two histories
    #[arg(long, default_value_t = if cfg!(debug_assertions) { 20_000 } else { 10_000_000 })]
    history: u64,
    /// Measurements of each figure
    #[arg(long, default_value_t = if cfg!(debug_assertions) { 1 } else { 5 })]
    rounds: usize,
    /// Measure only this: loading, counting, tick, files, evaluation or backlog
    #[arg(long, value_name = "NAME")]
    only: Option<String>,
    /// Write the figures into this file, as JSON
    #[arg(long, value_name = "FILE")]
    json: Option<PathBuf>,
    /// Exit with 1 where a ratio is worse than its target
    #[arg(long)]
    check: bool,
    /// Given by cargo
    #[arg(long, hide = true)]
    bench: bool,
}

fn main() -> anyhow::Result<std::process::ExitCode> {
    // For each program that is measured, this one is started again, to start and watch it.
    if let Some(measured) = measure::as_watcher() {
        return measured;
    }
    let options = Options::parse();
    let wants = |name: &str| options.only.as_deref().is_none_or(|only| only == name);
    let mut report = Report::new(options.rounds);
    let server = Server::start()?;
    let logs = Logs::new(server.folder(), options.lines);
    if wants("counting") {
        loading::counting(&server, &logs, &mut report)?;
    }
    if wants("loading") {
        loading::loading(&server, &logs, &mut report)?;
    }
    if wants("tick") {
        tick::idle(&server, &mut report)?;
    }
    if wants("files") {
        tick::idle_over_many_logs(&server, &mut report)?;
        tick::busy_over_many_logs(&server, &mut report)?;
    }
    if wants("backlog") {
        backlog::backlog(&server, options.lines, &mut report)?;
    }
    if wants("evaluation") {
        evaluation::evaluation(&server, options.history, &mut report)?;
    }
    println!("{}", report.table());
    if let Some(path) = &options.json {
        std::fs::write(path, serde_json::to_string_pretty(&report)? + "\n")?;
        println!("as JSON: {}", path.display());
    }
    let is_bad = options.check && !report.targets_are_met();
    Ok(if is_bad { std::process::ExitCode::FAILURE } else { std::process::ExitCode::SUCCESS })
}
