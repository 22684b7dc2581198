//! What a program costs: wall time, processor time, memory.
//!
//! The system tells what the children of a process have used, the peak of their memory among
//! it, but never takes a child back out of that. So a process of its own starts each program
//! and reports: this benchmark, started again.

use std::env;
use std::process::{Command, ExitCode, Stdio};
use std::time::Instant;

use anyhow::{Context, bail};
use nix::sys::resource::{UsageWho, getrusage};
use serde::{Deserialize, Serialize};

const WATCHER: &str = "TRIPLINE_BENCH_WATCHER";

/// What one start of a program has cost.
#[derive(Clone, Copy, Debug, Deserialize, Serialize)]
pub(crate) struct Cost {
    /// Wall time in seconds.
    pub(crate) wall: f64,
    /// Processor time in seconds.
    pub(crate) processor: f64,
    /// Most memory that was resident at once, in KiB.
    pub(crate) peak_kib: i64,
}

/// Runs a program to its end, which must be a good one.
pub(crate) fn measure(command: &Command) -> anyhow::Result<Cost> {
    let mut watcher = Command::new(env::current_exe()?);
    watcher.arg(command.get_program()).args(command.get_args()).env(WATCHER, "1");
    for (name, value) in command.get_envs() {
        match value {
            Some(value) => watcher.env(name, value),
            None => watcher.env_remove(name),
        };
    }
    let output = watcher.stdin(Stdio::null()).output()?;
    if !output.status.success() {
        bail!("{command:?} failed: {}", String::from_utf8_lossy(&output.stderr));
    }
    serde_json::from_slice(&output.stdout).context("the watcher reports in JSON")
}

/// Starts the program that the arguments name and reports its cost, if that is what this
/// process was started for.
pub(crate) fn as_watcher() -> Option<anyhow::Result<ExitCode>> {
    env::var_os(WATCHER).map(|_| watch())
}

fn watch() -> anyhow::Result<ExitCode> {
    let mut arguments = env::args_os().skip(1);
    let program = arguments.next().context("no program")?;
    let begun = Instant::now();
    let status = Command::new(&program)
        .args(arguments)
        .env_remove(WATCHER)
        .stdout(Stdio::null())
        .status()
        .with_context(|| format!("cannot start {}", program.display()))?;
    let wall = begun.elapsed().as_secs_f64();
    if !status.success() {
        bail!("it ended with {status}");
    }
    let usage = getrusage(UsageWho::RUSAGE_CHILDREN)?;
    let times = [usage.user_time(), usage.system_time()];
    let microseconds: i64 = times.iter().map(|t| t.tv_sec() * 1_000_000 + t.tv_usec()).sum();
    #[expect(clippy::cast_precision_loss, reason = "years of microseconds fit")]
    let processor = microseconds as f64 / 1e6;
    println!("{}", serde_json::to_string(&Cost { wall, processor, peak_kib: usage.max_rss() })?);
    Ok(ExitCode::SUCCESS)
}

/// The median; 0 of nothing.
pub(crate) fn median(values: impl IntoIterator<Item = f64>) -> f64 {
    let mut values: Vec<f64> = values.into_iter().collect();
    values.sort_by(f64::total_cmp);
    match values.len() {
        0 => 0.0,
        n if n.is_multiple_of(2) => f64::midpoint(values[n / 2 - 1], values[n / 2]),
        n => values[n / 2],
    }
}
