//! `tripline status`: what was read, and what is open.

use std::io::Write;

use super::session::Session;
use crate::cli::{Global, Json};
use crate::report::{self, status};
use crate::store::transaction::{Patience, transaction};

pub(super) fn run(global: &Global, output: &Json, stdout: &mut dyn Write) -> anyhow::Result<()> {
    let session = Session::new(global)?;
    let mut connection = session.connect()?;
    let status = transaction(&mut connection, Patience::Long, |connection| {
        status::load(connection, &session.host)
    })?;
    if output.json {
        report::write_json(&status, stdout)?;
    } else {
        status::write_table(&status, stdout)?;
    }
    Ok(())
}
