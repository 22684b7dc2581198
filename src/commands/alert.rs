//! `tripline alert`: evaluate the rules, record and deliver alerts.

use std::io::Write;
use std::sync::atomic::AtomicBool;
use std::time::Instant;

use diesel::pg::PgConnection;

use super::ingest::{finish, result};
use super::session::{Session, Stage};
use crate::alerting;
use crate::cli::{Global, Wait};
use crate::model::Tick;
use crate::notify::{self, NotifyError};
use crate::store::StoreError;
use crate::store::runs::Figures;

pub(super) fn run(
    global: &Global,
    arguments: &Wait,
    tick: Tick,
    stop: &AtomicBool,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let begun = Instant::now();
    let session = Session::new(global)?;
    let _lock = session.lock(Stage::Alert, arguments.seconds, stop)?;
    let mut connection = session.connect()?;
    sync_rules(&session, &mut connection, tick)?;
    let mut figures = Figures::default();
    evaluate_and_deliver(&session, &mut connection, tick, &mut figures, stdout)?;
    finish(&session, &mut connection, "alert", tick, begun, &figures)?;
    result(&figures, false)
}

/// Brings the rules in the database to what the config says.
pub(super) fn sync_rules(
    session: &Session,
    connection: &mut PgConnection,
    tick: Tick,
) -> anyhow::Result<()> {
    let host = if session.config.evaluate.all_hosts { "*" } else { &session.host };
    Ok(alerting::sync(connection, host, &session.config.rules, tick)?)
}

/// The second and the third stage: from entries to alerts, from alerts to people.
///
/// A source that cannot be evaluated does not stop the others.
pub(super) fn evaluate_and_deliver(
    session: &Session,
    connection: &mut PgConnection,
    tick: Tick,
    figures: &mut Figures,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let host = (!session.config.evaluate.all_hosts).then_some(session.host.as_str());
    for source in alerting::sources_to_evaluate(connection, host)? {
        let announced = alerting::evaluate(connection, source, tick).and_then(|()| {
            alerting::announce(connection, source, &session.host, notify::STDOUT, tick)
        });
        match announced {
            Ok(announced) => {
                figures.alerts_fired += announced.fired;
                figures.alerts_resolved += announced.resolved;
            }
            Err(error) => tell(error, figures)?,
        }
    }
    match notify::deliver_to_stdout(connection, &session.host, tick, stdout) {
        Ok(_) => {}
        Err(NotifyError::Store(error)) if error.is_lost_connection() => return Err(error.into()),
        Err(error) => {
            log::error!("{error}");
            figures.errors += 1;
        }
    }
    Ok(())
}

/// Tells that an evaluation failed; what it did not do is done by the next run.
pub(super) fn tell(error: StoreError, figures: &mut Figures) -> Result<(), StoreError> {
    if error.is_lost_connection() {
        return Err(error);
    }
    log::error!("cannot evaluate the rules: {error}; the next run tries again");
    figures.errors += 1;
    Ok(())
}
