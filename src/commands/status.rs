//! `tripline status`: what was read, and what is open.

use std::io::Write;

use super::session::Session;
use crate::cli::{Global, Json};
use crate::report::{self, status};

pub(super) fn run(global: &Global, output: &Json, stdout: &mut dyn Write) -> anyhow::Result<()> {
    let session = Session::new(global)?;
    let mut connection = session.connect()?;
    let status = status::load(&mut connection, &session.host)?;
    if output.json {
        report::write_json(&status, stdout)?;
    } else {
        status::write_table(&status, stdout)?;
    }
    Ok(())
}
