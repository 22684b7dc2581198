//! `tripline alerts`: list alerts, or show one.

use std::io::Write;

use anyhow::Context;

use super::session::Session;
use crate::cli::{Alerts, AlertsCommand, Global};
use crate::report::{self, alerts};

pub(super) fn run(
    global: &Global,
    arguments: &Alerts,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let session = Session::new(global)?;
    let mut connection = session.connect()?;
    match &arguments.command {
        None => {
            let list = alerts::list(&mut connection, arguments.all)?;
            if arguments.output.json {
                report::write_json(&list, stdout)?;
            } else {
                alerts::write_table(&list, arguments.all, stdout)?;
            }
        }
        Some(AlertsCommand::Show { id, output }) => {
            let evidence = alerts::show(&mut connection, *id)?
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
