//! What people do to sources by hand: `tripline source`, `tripline ingest --since`; and what
//! several hosts do to one database at once.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod forget;
mod hosts;
mod rename;
mod reset;
mod since;
#[path = "../support/mod.rs"]
mod support;

use support::program::{Ran, Setup};

/// A line of the log, so many seconds after 11:00.
fn line(seconds: usize, level: &str, text: &str) -> String {
    let (minutes, seconds) = (seconds / 60, seconds % 60);
    format!("2026-01-15 11:{minutes:02}:{seconds:02} [{level}] {text}\n")
}

/// What a command said on standard output, having gone well; the folder is `LOGS`.
#[track_caller]
fn printed(setup: &Setup, ran: &Ran) -> String {
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    ran.stdout.replace(setup.folder.path().to_str().unwrap(), "LOGS")
}

/// What a command that failed said on standard error; the folder is `LOGS`.
#[track_caller]
fn said(setup: &Setup, ran: &Ran, code: i32) -> String {
    ran.expect_failure(code).replace(setup.folder.path().to_str().unwrap(), "LOGS")
}

/// All rows but those of one source.
fn contents_without(setup: &Setup, source: &str) -> Vec<String> {
    let is_of_source = |row: &String| {
        let (table, json) = row.split_once(" {").unwrap_or((row, ""));
        let key = if table == "sources" { "\"id\": " } else { "\"source_id\": " };
        let id = json.split_once(key).and_then(|(_, rest)| rest.split([',', '}']).next());
        id == Some(source)
    };
    setup.contents().into_iter().filter(|row| !is_of_source(row)).collect()
}
