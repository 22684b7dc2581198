//! A run with nothing to do, which is what most runs are.

use tripline::cluster::DATABASE;

use crate::data::{self, Kind};
use crate::measure::measure;
use crate::report::Report;
use crate::server::Server;

/// A tick is short: more of them say more.
const TICKS_A_ROUND: usize = 10;

pub(crate) fn idle(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    let log = server.path("idle.log");
    data::write(&log, Kind::Production, 1_000)?;
    server.empty()?;
    let run = server.tripline("", &["run", &log.to_string_lossy()])?;
    // The first reads the log, the second tells what is over.
    measure(&run)?;
    measure(&run)?;
    let select = server.psql_command(DATABASE, "select 1")?;
    let (mut own, mut other) = (Vec::new(), Vec::new());
    for _ in 0..report.rounds * TICKS_A_ROUND {
        own.push(measure(&run)?);
        other.push(measure(&select)?);
    }
    report.compare("a tick with nothing new", &own, ("psql -c 'select 1'", &other), Some(1.5));
    Ok(())
}
