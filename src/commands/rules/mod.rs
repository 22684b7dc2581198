//! `tripline rules`: list the rules, check them, explain one, try one on what is stored.
//!
//! Nothing here changes anything. What has to be written so that the views can be asked about a
//! rule is written in a transaction that is rolled back.

mod backtest;
mod check;
mod explain;
mod list;
mod render;
mod values;

use std::io::Write;

use super::entries::moment;
use super::session::{Session, UsageError};
use crate::cli::{Global, OneRule, RulesCommand};
use crate::config::{RuleConfig, nearest};
use crate::model::Tick;

pub(super) fn run(
    global: &Global,
    command: &RulesCommand,
    tick: Tick,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let session = Session::new(global)?;
    match command {
        RulesCommand::List(output) => list::run(&session, output, stdout),
        RulesCommand::Check(output) => check::run(&session, output, stdout),
        RulesCommand::Explain { rule, at, output } => {
            let at = moment("--at", at.as_deref(), tick)?.unwrap_or(tick.0);
            explain::run(&session, find(&session, rule)?, at, tick, output, stdout)
        }
        RulesCommand::Render { rule, channel, output } => {
            let rule = find(&session, rule)?;
            render::run(&session, rule, channel.as_deref(), tick, output, stdout)
        }
        RulesCommand::Backtest(arguments) => {
            let rule = find(&session, &arguments.rule)?;
            backtest::run(&session, rule, arguments, tick, stdout)
        }
    }
}

/// The rule of the config that the command line names.
fn find<'a>(session: &'a Session, named: &OneRule) -> anyhow::Result<&'a RuleConfig> {
    let rules = &session.config.rules;
    if let Some(rule) = rules.iter().find(|rule| rule.name == named.name) {
        return Ok(rule);
    }
    let typed = &named.name;
    let there_is_none = format!("there is no rule {typed:?} in the config");
    let near = nearest(typed, rules.iter().map(|rule| rule.name.as_str()));
    Err(UsageError(match near {
        Some(near) => format!("{there_is_none}; did you mean {near:?}?"),
        None => format!("{there_is_none}; see: tripline rules list"),
    })
    .into())
}
