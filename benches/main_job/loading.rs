//! From a log to rows, and the reading of lines that are only counted.

use std::process::Command;

use tripline::cluster::DATABASE;

use crate::data::{Kind, Logs};
use crate::measure::{Cost, measure};
use crate::report::Report;
use crate::server::Server;

/// From a log to committed rows, against COPY of the same rows out of files that are ready.
pub(crate) fn loading(server: &Server, logs: &Logs, report: &mut Report) -> anyhow::Result<()> {
    for kind in Kind::ALL {
        let log = logs.path(kind)?;
        let ingest = server.tripline("", &["ingest", &log.to_string_lossy()])?;
        // The first time makes the partitions, and the rows that are copied then.
        server.empty()?;
        measure(&ingest)?;
        let formats = [("text", "(format text)"), ("binary", "(format binary)")];
        let mut copies = Vec::new();
        for (name, format) in formats {
            let file = server.path(&format!("rows.{name}"));
            let file = file.to_string_lossy();
            let order = "select * from log_entries order by source_id, line_no";
            let out = format!("\\copy ({order}) to '{file}' {format}");
            measure(&server.psql_command(DATABASE, &out)?)?;
            let copy = format!("\\copy log_entries from '{file}' {format}");
            copies.push(server.psql_command(DATABASE, &copy)?);
        }
        let commands = [&ingest, &copies[0], &copies[1]];
        let [own, text, binary] = in_turns(server, report.rounds, commands)?;
        let name = format!("{}: log to committed rows", kind.name());
        report.compare(&name, &own, ("\\copy text", &text), Some(1.0));
        report.compare(&name, &own, ("\\copy binary", &binary), Some(1.15));
    }
    Ok(())
}

/// Reading and parsing alone: a log of which nothing is stored, against ripgrep's count.
pub(crate) fn counting(server: &Server, logs: &Logs, report: &mut Report) -> anyhow::Result<()> {
    let mut ripgrep = Command::new("rg");
    ripgrep.args(["--count", r"\[(ERROR|FATAL)\]"]);
    for kind in Kind::ALL {
        let log = logs.path(kind)?;
        let config = format!(
            "[[source]]\npaths = [\"{}\"]\nstore = [\"TRACE\"]\n\
             [[rule]]\nname = \"none\"\nkind = \"threshold\"\nlevels = [\"TRACE\"]\n\
             count = 1\nwithin = \"5m\"\n",
            log.display()
        );
        let ingest = server.tripline(&config, &["ingest"])?;
        server.empty()?;
        measure(&ingest)?;
        let mut count = Command::new("rg");
        count.args(ripgrep.get_args()).arg(&log);
        let [own, other] = in_turns(server, report.rounds, [&ingest, &count])?;
        let name = format!("{}: lines that are only counted", kind.name());
        report.rate(&name, logs.lines, &own, 15.0);
        report.compare(&name, &own, ("rg --count", &other), Some(1.0));
    }
    Ok(())
}

/// Measures programs in turns, each on empty tables.
fn in_turns<const N: usize>(
    server: &Server,
    rounds: usize,
    commands: [&Command; N],
) -> anyhow::Result<[Vec<Cost>; N]> {
    let mut costs = [const { Vec::new() }; N];
    for _ in 0..rounds {
        for (command, costs) in commands.iter().zip(&mut costs) {
            server.empty()?;
            costs.push(measure(command)?);
        }
    }
    Ok(costs)
}
