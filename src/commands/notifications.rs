//! `tripline notifications`: the outbox, and what people do with it by hand.

use std::io::Write;

use anyhow::Context;

use super::author::author;
use super::session::{Session, UsageError};
use crate::cli::{ChosenNotifications, Global, Notifications, NotificationsCommand};
use crate::model::Tick;
use crate::report::{self, notifications as listed};
use crate::store::notifications::{self, Chosen};
use crate::store::transaction::{Patience, transaction};

pub(super) fn run(
    global: &Global,
    arguments: &Notifications,
    tick: Tick,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let mut connection = Session::new(global)?.connect()?;
    match &arguments.command {
        None => {
            let wanted = listed::Wanted {
                all: arguments.all,
                channel: arguments.channel.as_deref(),
                alert: arguments.alert,
                limit: arguments.limit,
            };
            let list = transaction(&mut connection, Patience::Long, |connection| {
                listed::list(connection, &wanted)
            })?;
            if arguments.output.json {
                report::write_json(&list, stdout)?;
            } else {
                listed::write_table(&list, &wanted, stdout)?;
            }
        }
        Some(NotificationsCommand::Show { id, output }) => {
            let one = transaction(&mut connection, Patience::Long, |connection| {
                listed::show(connection, *id)
            })?;
            let one = one.with_context(|| {
                format!("there is no notification {id}; see: tripline notifications --all")
            })?;
            if output.json {
                report::write_json(&one, stdout)?;
            } else {
                listed::write_one(&one, stdout)?;
            }
        }
        Some(NotificationsCommand::Retry(chosen)) => {
            let changed = notifications::retry(&mut connection, wanted(chosen), tick.0)?;
            refuse_others(chosen, &changed, "was delivered, or is not there")?;
            writeln!(stdout, "{} for the next run", counted(changed.len()))?;
        }
        Some(NotificationsCommand::GiveUp { chosen, by }) => {
            let author = author(by.as_deref());
            let changed = notifications::give_up(&mut connection, wanted(chosen), &author, tick.0)?;
            refuse_others(chosen, &changed, "was delivered or given up, or is not there")?;
            writeln!(stdout, "{} given up", counted(changed.len()))?;
        }
    }
    Ok(())
}

fn wanted(chosen: &ChosenNotifications) -> Chosen<'_> {
    chosen.channel.as_deref().map_or(Chosen::Ids(&chosen.ids), Chosen::Channel)
}

/// Says which of the numbers could not be meant; the others are done all the same.
fn refuse_others(
    chosen: &ChosenNotifications,
    changed: &[i64],
    problem: &str,
) -> Result<(), UsageError> {
    let others: Vec<String> = chosen
        .ids
        .iter()
        .filter(|id| !changed.contains(id))
        .map(|id| format!("notification {id} {problem}"))
        .collect();
    if others.is_empty() {
        return Ok(());
    }
    let done = if changed.is_empty() { "" } else { "; the others are done" };
    Err(UsageError(format!("{}{done}; see: tripline notifications --all", others.join(", "))))
}

fn counted(number: usize) -> String {
    if number == 1 { "1 notification is".to_owned() } else { format!("{number} notifications are") }
}
