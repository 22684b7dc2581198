//! `tripline rules`: list the rules, check them, explain one, try one on what is stored.
//!
//! Nothing here changes anything. What has to be written so that the views can be asked about a
//! rule is written in a transaction that is rolled back.

mod check;
mod list;

use std::io::Write;

use super::session::Session;
use crate::cli::{Global, RulesCommand};
use crate::model::Tick;

pub(super) fn run(
    global: &Global,
    command: &RulesCommand,
    _tick: Tick,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let session = Session::new(global)?;
    match command {
        RulesCommand::List(output) => list::run(&session, output, stdout),
        RulesCommand::Check(output) => check::run(&session, output, stdout),
    }
}
