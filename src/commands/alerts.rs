//! `tripline alerts`: list alerts, or show one.

use std::io::Write;

use anyhow::Context;

use super::session::Session;
use crate::cli::{Alerts, AlertsCommand, Global};
use crate::report::{self, alerts};
use crate::store::transaction::{Patience, transaction};

pub(super) fn run(
    global: &Global,
    arguments: &Alerts,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
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
    }
    Ok(())
}
