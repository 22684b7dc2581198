//! `tripline alerts`: list alerts, show one, take one on, close one.

use std::io::Write;

use anyhow::Context;

use super::author::author;
use super::session::{Session, UsageError};
use crate::cli::{Alerts, AlertsCommand, Global, Handling};
use crate::model::Tick;
use crate::report::{self, alerts};
use crate::store::alerts::{self as handling, Handled};
use crate::store::transaction::{Patience, transaction};

pub(super) fn run(
    global: &Global,
    arguments: &Alerts,
    tick: Tick,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let handle = |arguments: &Handling, what| handle(global, arguments, what, tick);
    match &arguments.command {
        Some(AlertsCommand::Ack(arguments)) => return handle(arguments, handling::Handling::Ack),
        Some(AlertsCommand::Unack(arguments)) => {
            return handle(arguments, handling::Handling::Unack);
        }
        Some(AlertsCommand::Note(arguments)) => return handle(arguments, handling::Handling::Note),
        Some(AlertsCommand::Resolve(arguments)) => {
            return handle(arguments, handling::Handling::Resolve);
        }
        None | Some(AlertsCommand::Show { .. }) => {}
    }
    let session = Session::new(global)?;
    let mut connection = session.connect()?;
    match &arguments.command {
        None => {
            let list = transaction(&mut connection, Patience::Long, |connection| {
                alerts::list(connection, arguments.all)
            })?;
            if arguments.output.json {
                report::write_json(&list, stdout)?;
            } else {
                alerts::write_table(&list, arguments.all, stdout)?;
            }
        }
        Some(AlertsCommand::Show { id, output }) => {
            let evidence = transaction(&mut connection, Patience::Long, |connection| {
                alerts::show(connection, *id)
            })?;
            let evidence = evidence
                .with_context(|| format!("there is no alert {id}; see: tripline alerts --all"))?;
            if output.json {
                report::write_json(&evidence, stdout)?;
            } else {
                alerts::write_evidence(&evidence, stdout)?;
            }
        }
        Some(_) => {}
    }
    Ok(())
}

/// Does something with an alert. What is done prints nothing.
fn handle(
    global: &Global,
    arguments: &Handling,
    what: handling::Handling,
    tick: Tick,
) -> anyhow::Result<()> {
    let note = arguments.note.as_deref();
    if what == handling::Handling::Note && note.is_none() {
        return Err(UsageError("say what to write down: --note TEXT".to_owned()).into());
    }
    let session = Session::new(global)?;
    let mut connection = session.connect()?;
    let not_of_ends = session.config.channels.iter().filter(|channel| !channel.resolved);
    let not_of_ends: Vec<&str> = not_of_ends.map(|channel| channel.name.as_str()).collect();
    let author = author(arguments.by.as_deref());
    let id = arguments.id;
    let problem =
        match handling::handle(&mut connection, id, what, note, &author, &not_of_ends, tick.0)? {
            Handled::Done => return Ok(()),
            Handled::Unknown => format!("there is no alert {id}; see: tripline alerts --all"),
            Handled::Over => format!("alert {id} is over; see: tripline alerts show {id}"),
            Handled::Already if what == handling::Handling::Ack => {
                format!("somebody has taken alert {id} on already; see: tripline alerts show {id}")
            }
            Handled::Already => format!("nobody has taken alert {id} on"),
        };
    Err(UsageError(problem).into())
}
