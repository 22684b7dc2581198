//! Whatever happens to runs, the rows are those of one undisturbed run over the same log.

#![allow(
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but not in what they share"
)]

mod growing;
mod instants;
mod overlap;
mod points;
mod scenario;
#[path = "../support/scratch.rs"]
mod scratch;
mod server;
mod snapshot;
#[path = "../support/mod.rs"]
mod support;

use std::process::{Command, Stdio};
use std::thread;

use diesel::pg::PgConnection;
use support::program::{Setup, ran, rows};

const LINES: usize = 3000;

/// A run over the log in chunks of about ten lines.
fn run(setup: &Setup) -> Command {
    let mut command = setup.command(["run", "--chunk-bytes=500"]);
    command.arg(setup.log()).stdout(Stdio::null());
    command
}

/// Everything that a log has led to, but for what depends on the order of the runs.
fn result(connection: &mut PgConnection) -> Vec<String> {
    let mut result = Vec::new();
    for statement in [
        "select 'entry ' || (to_jsonb(t) - 'source_id')::text as value
         from log_entries t order by source_id, line_no",
        "select 'count ' || (to_jsonb(t) - 'source_id')::text as value
         from line_counts t order by source_id, minute",
        "select 'state ' || concat_ws(' ', generation, byte_offset, line_no, parsed_lines,
             unparsed_lines, cut_lines, redated_entries, head_hash, marker_hash, last_logged_at,
             open_line_no, open_logged_at, open_level, open_lines, open_bytes, read_to_end_at,
             dirty) as value
         from ingest_state order by source_id",
        "select 'generation ' || concat_ws(' ', generation, byte_offset, head_hash, marker_hash,
             state) as value
         from generations order by source_id, generation",
        "select 'lines ' || concat_ws(' ', first_line_no, generation) as value
         from generation_lines order by source_id, first_line_no",
        "select 'alert ' || concat_ws(' ', rule.name, started_at, ended_at, measured, threshold,
             fired_at is not null, resolved_at is not null) as value
         from alerts join alert_rules rule on rule.id = rule_id
         where merged_into is null and retracted_at is null
         order by source_id, started_at, rule.name",
        "select 'gap ' || concat_ws(' ', generation, byte_offset, lost_bytes, reason) as value
         from ingest_gaps order by source_id, generation",
    ] {
        result.extend(rows(connection, statement));
    }
    result
}

/// What one undisturbed run makes of a log.
fn undisturbed(log: &str) -> Vec<String> {
    let setup = Setup::new();
    setup.write("app.log", log);
    let run = ran(&mut setup.command(["run".as_ref(), setup.log().as_os_str()]));
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let result = result(&mut setup.database.connect());
    let count = |kind| result.iter().filter(|row| row.starts_with(kind)).count();
    assert!(count("entry") > 100 && count("alert") > 5, "the log is worth the test");
    result
}

/// Waits until no run is connected any more: the server notices a killed client a moment late.
fn wait_for_the_server(connection: &mut PgConnection) {
    let busy = "select pid::text as value from pg_stat_activity
                where datname = current_database() and application_name = 'tripline'";
    while !rows(connection, busy).is_empty() {
        thread::yield_now();
    }
}

/// After whatever happened: one more run, and all is as if nothing had.
#[track_caller]
fn expect_undisturbed(setup: &Setup, log: &str) {
    let connection = &mut setup.database.connect();
    wait_for_the_server(connection);
    let last = ran(&mut run(setup));
    assert_eq!((last.code, last.stderr.as_str()), (Some(0), ""));
    expect_rows(&result(connection), &undisturbed(log));
    let untold = "select count(*)::text as value from alerts
                  where merged_into is null and not exists (
                      select from notifications
                      where alert_id = alerts.id and delivered_at is not null)";
    assert_eq!(setup.value(untold), "0", "alerts that nobody was told of");
}

/// Compares row by row: a difference is one row long then, not a megabyte.
#[track_caller]
fn expect_rows(found: &[String], expected: &[String]) {
    for (found, expected) in found.iter().zip(expected) {
        assert_eq!(found, expected);
    }
    assert_eq!(found.len(), expected.len());
}
