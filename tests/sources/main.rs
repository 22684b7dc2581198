//! What people do to sources by hand.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod since;
#[path = "../support/mod.rs"]
mod support;

use support::program::{Ran, Setup};

/// A line of the log, so many seconds after 11:00.
fn line(seconds: usize, level: &str, text: &str) -> String {
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    format!("2026-01-15 11:{minutes:02}:{seconds:02} [{level}] {text}\n")
}

/// What a command that failed said on standard error; the folder is `LOGS`.
#[track_caller]
fn said(setup: &Setup, ran: &Ran, code: i32) -> String {
    ran.expect_failure(code).replace(setup.folder.path().to_str().unwrap(), "LOGS")
}
