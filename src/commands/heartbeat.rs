//! The sign of life after a run.

use diesel::pg::PgConnection;

use super::session::Session;
use super::{SomeFailed, exit_code, is_broken_pipe, is_busy};
use crate::model::Tick;
use crate::notify;
use crate::store::StoreError;
use crate::store::transaction::{Patience, transaction};

/// As what its failures are known; no channel can have this name.
const NAME: &str = "[heartbeat]";

/// Tells how a run has ended, where the config says to whom. Passes the end on; one that was good
/// is no longer where nobody could be told.
///
/// A run that found another one at work has nothing to say.
pub(super) fn after(session: &Session, tick: Tick, done: anyhow::Result<()>) -> anyhow::Result<()> {
    let Some(config) = &session.config.heartbeat else { return done };
    let code = match &done {
        Ok(()) => 0,
        Err(error) if is_busy(error) => return done,
        Err(error) if is_broken_pipe(error) => 0,
        Err(error) => exit_code(error),
    };
    let sent = notify::beat(config, code);
    match (tells(session, tick, sent.as_ref().err()), &sent) {
        (true, Err(reason)) => log::error!("heartbeat: {reason}"),
        (false, Err(reason)) => log::info!("heartbeat: {reason}"),
        (_, Ok(())) => {}
    }
    match sent {
        Err(_) if done.is_ok() => Err(SomeFailed(1).into()),
        _ => done,
    }
}

/// Notes how it went. Returns whether people are to be told: when it begins to fail, then hourly,
/// and where the database does not know.
fn tells(session: &Session, tick: Tick, failure: Option<&String>) -> bool {
    let note = |connection: &mut PgConnection| -> Result<bool, StoreError> {
        let host = &session.host;
        transaction(connection, Patience::Short, |connection| {
            if let Some(reason) = failure {
                return Ok(notify::state::note_failure(
                    connection, host, NAME, reason, None, tick,
                )?);
            }
            notify::state::note_success(connection, host, NAME, tick)?;
            Ok(false)
        })
    };
    session.connect_to_any_schema().ok().and_then(|mut one| note(&mut one).ok()).unwrap_or(true)
}
