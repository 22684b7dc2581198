//! `tripline status`: what was read, and what is open.

use std::io::Write;

use super::Verdict;
use super::session::{Session, UsageError};
use crate::cli::{Global, Status};
use crate::duration;
use crate::model::Tick;
use crate::report::{self, alerts, nagios, status};
use crate::store::transaction::{Patience, transaction};

pub(super) fn run(
    global: &Global,
    arguments: &Status,
    tick: Tick,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    if arguments.nagios {
        // A monitor reads standard output, and takes other exit codes for a verdict.
        return match as_plugin(global, arguments, tick, stdout) {
            Ok(nagios::Verdict::Ok) => Ok(()),
            Ok(verdict) => Err(Verdict(verdict as u8).into()),
            Err(error) => {
                nagios::write_unknown(&super::message(&error), stdout)?;
                Err(Verdict(nagios::Verdict::Unknown as u8).into())
            }
        };
    }
    let session = Session::new(global)?;
    let mut connection = session.connect()?;
    let status = transaction(&mut connection, Patience::Long, |connection| {
        status::load(connection, &session.host, tick)
    })?;
    if arguments.output.json {
        report::write_json(&status, stdout)?;
    } else {
        status::write_table(&status, stdout)?;
    }
    Ok(())
}

fn as_plugin(
    global: &Global,
    arguments: &Status,
    tick: Tick,
    stdout: &mut dyn Write,
) -> anyhow::Result<nagios::Verdict> {
    let stale_after = duration::parse(&arguments.stale_after)
        .map_err(|error| UsageError(format!("--stale-after: {error}")))?;
    let session = Session::new(global)?;
    let mut connection = session.connect()?;
    let (status, alerts) = transaction(&mut connection, Patience::Short, |connection| {
        let status = status::load(connection, &session.host, tick)?;
        Ok((status, alerts::list(connection, false)?))
    })?;
    let host = &session.host;
    Ok(nagios::write(&status, &alerts, host, tick.0, stale_after, stdout)?)
}
