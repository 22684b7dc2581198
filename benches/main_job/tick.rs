//! A run with nothing to do, which is what most runs are, or with a line of each log.

use std::path::Path;

use chrono::{DateTime, Utc};
use tripline::cluster::DATABASE;

use crate::data::{self, Kind};
use crate::measure::{Cost, measure};
use crate::report::Report;
use crate::server::Server;

/// A tick is short: more of them say more.
const TICKS_A_ROUND: usize = 10;

/// Logs in one folder, of which none has changed.
const LOGS: u64 = if cfg!(debug_assertions) { 300 } else { 10_000 };

/// Logs of which each has a new line.
const BUSY_LOGS: u64 = if cfg!(debug_assertions) { 10 } else { 200 };

/// What a tick over so many logs may cost: it comes once a minute.
const A_SECOND: Cost = Cost { wall: 1.0, processor: 0.0, peak_kib: 0 };

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

/// The same over a folder full of logs.
pub(crate) fn idle_over_many_logs(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    let name = format!("a tick over {LOGS} logs with nothing new");
    over_logs(server, report, LOGS, &name, |_| Ok(()))
}

/// A run over a folder of logs that are written to, as by the programs of a busy host.
pub(crate) fn busy_over_many_logs(server: &Server, report: &mut Report) -> anyhow::Result<()> {
    let name = format!("a tick over {BUSY_LOGS} logs with a new line each");
    over_logs(server, report, BUSY_LOGS, &name, |log| {
        // Behind those that are there.
        let time = crate::NOW.parse::<DateTime<Utc>>()?;
        Ok(data::Writer::new(log, Kind::Plain, time).append(1)?)
    })
}

/// Measures runs over so many logs in one folder, to each of which something is done before.
fn over_logs(
    server: &Server,
    report: &mut Report,
    logs: u64,
    name: &str,
    before: impl Fn(&Path) -> anyhow::Result<()>,
) -> anyhow::Result<()> {
    let folder = server.path("logs");
    std::fs::create_dir(&folder)?;
    let logs: Vec<_> = (0..logs).map(|number| folder.join(format!("{number}.log"))).collect();
    for log in &logs {
        data::write(log, Kind::Production, 10)?;
    }
    server.empty()?;
    let config = format!("[[source]]\npaths = [\"{}/*.log\"]\n", folder.display());
    let run = server.tripline(&config, &["run"])?;
    measure(&run)?;
    measure(&run)?;
    let mut own = Vec::new();
    for _ in 0..report.rounds {
        logs.iter().try_for_each(|log| before(log))?;
        own.push(measure(&run)?);
    }
    let wanted = vec![A_SECOND; own.len()];
    report.compare(name, &own, ("wanted", &wanted), Some(1.0));
    std::fs::remove_dir_all(folder)?;
    Ok(())
}
