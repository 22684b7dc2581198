//! The metrics of a run, in a file that a collector reads.

use std::fs::{self, Permissions};
use std::io::{self, Write};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use anyhow::Context;
use diesel::pg::PgConnection;
use tempfile::NamedTempFile;

use super::session::Session;
use crate::model::Tick;
use crate::report::{metrics, status};
use crate::store::transaction::{Patience, transaction};

/// Writes them, where the config says so.
pub(super) fn write(
    session: &Session,
    connection: &mut PgConnection,
    tick: Tick,
) -> anyhow::Result<()> {
    let Some(path) = &session.config.metrics.textfile else { return Ok(()) };
    let host = &session.host;
    let status = transaction(connection, Patience::Short, |connection| {
        status::load(connection, host, tick)
    })?;
    replace(path, &metrics::text(&status, host, tick))
        .with_context(|| format!("cannot write the metrics to {}", super::display(path)))
}

/// Writes beside the file and renames: who reads it sees the old or the new one, whole.
fn replace(path: &Path, text: &str) -> io::Result<()> {
    let folder = path.parent().unwrap_or(Path::new("/"));
    // One that is left behind by a crash has no name that a collector reads.
    let mut file = NamedTempFile::with_prefix_in(".tripline-", folder)?;
    file.write_all(text.as_bytes())?;
    // The collector is another user.
    fs::set_permissions(file.path(), Permissions::from_mode(0o644))?;
    file.persist(path)?;
    Ok(())
}
