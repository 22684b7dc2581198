//! `tripline migrate`: bring the database to this version.

use std::io::Write;

use anyhow::bail;

use super::session::Session;
use crate::cli::Global;
use crate::store::migrations::{self, Schema};

pub(super) fn run(global: &Global, stdout: &mut dyn Write) -> anyhow::Result<()> {
    let session = Session::new(global)?;
    let mut connection = session.connect_to_any_schema()?;
    if let Schema::Newer(version) = migrations::schema(&mut connection)? {
        bail!(
            "the database is at version {version}, which is newer than this tripline \
             ({}): install the newer one",
            env!("CARGO_PKG_VERSION")
        );
    }
    let applied = migrations::run(&mut connection)?;
    for version in &applied {
        writeln!(stdout, "applied {version}")?;
    }
    if applied.is_empty() {
        writeln!(stdout, "the database is up to date")?;
    }
    Ok(())
}
