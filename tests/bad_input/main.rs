//! What a user is told when something is wrong: what happened, to what, and what to do.
//!
//! The messages stand here in full, to be read. `LOGS` stands for the folder of the test.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod clock;
mod command_line;
mod database;
mod disk;
mod locks;
mod logs;
mod output;
#[path = "../support/scratch.rs"]
mod scratch;
mod stopping;
#[path = "../support/mod.rs"]
mod support;

use support::program::{Ran, Setup};

/// What a run that ended with `code` said on standard error, having said nothing on standard
/// output. The folder and the database of the test have fixed names in it.
#[track_caller]
fn said(setup: &Setup, ran: &Ran, code: i32) -> String {
    let folder = setup.folder.path().to_str().unwrap();
    ran.expect_failure(code).replace(folder, "LOGS").replace(&setup.database.name, "DATABASE")
}
