//! `tripline alerts`: list alerts, show one, take one on, close one.

use std::io::Write;
use std::path::Path;

use anyhow::Context;

use super::author::author;
use super::session::{Session, UsageError};
use crate::alerting;
use crate::cli::{Alerts, AlertsCommand, Global, Handling};
use crate::model::{FileIdentity, Place, Tick};
use crate::report::alerts::{Context as LinesAround, Sample};
use crate::report::{self, alerts};
use crate::store::alerts::{self as handling, Handled};
use crate::store::transaction::{Patience, transaction};
use crate::tail::context::{self, Found, Sought};

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
            let mut evidence = alerts::show(&mut connection, *id)?
                .with_context(|| format!("there is no alert {id}; see: tripline alerts --all"))?;
            read_contexts(&session, &mut evidence.samples);
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

/// Reads the lines around entries from the logs of this host, as far as they are still there.
fn read_contexts(session: &Session, samples: &mut [Sample]) {
    // Several entries of one file are read from it one after the other.
    let mut last: Option<(Vec<i64>, Option<Found>)> = None;
    for sample in samples.iter_mut().filter(|sample| sample.entry.host == session.host) {
        let entry = &sample.entry;
        let Some(place) = place(&entry.place) else { continue };
        let log = Path::new(&entry.log);
        let config = session.config.source_for(log);
        if last.as_ref().is_none_or(|(known, _)| *known != entry.place) {
            let sought = Sought {
                log,
                last_path: Path::new(&entry.path),
                olddir: &config.olddir,
                place: &place,
            };
            last = Some((entry.place.clone(), context::find(&sought)));
        }
        let Some((_, Some(Found { path, file }))) = &mut last else { continue };
        let offset = entry.byte_offset.cast_unsigned();
        sample.context = context::around(file, offset, config.encoding).map(|found| LinesAround {
            path: path.display().to_string(),
            before: found.before,
            from: found.from,
        });
    }
}

/// By what a file is known.
fn place(columns: &[i64]) -> Option<Place> {
    let &[device, inode, byte_offset, head_hash, marker_hash] = columns else { return None };
    Some(Place {
        identity: FileIdentity { device: device.cast_unsigned(), inode: inode.cast_unsigned() },
        byte_offset: byte_offset.cast_unsigned(),
        head_hash: head_hash.cast_unsigned(),
        marker_hash: marker_hash.cast_unsigned(),
        begin_hash: 0,
    })
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
    let listeners = alerting::listeners(&session.config, tick);
    let author = author(arguments.by.as_deref());
    let id = arguments.id;
    let problem =
        match handling::handle(&mut connection, id, what, note, &author, &listeners, tick.0)? {
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
