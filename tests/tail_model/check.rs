//! What the database holds, against what the model knows.

use crate::lines::Line;
use crate::runner::Runner;
use crate::world::World;

/// Whether what is stored is what can be; after a run that has read all that it found, also
/// whether it is all of that.
pub(crate) fn stored(
    world: &World,
    runner: &Runner,
    host: &str,
    is_all: bool,
) -> Result<(), String> {
    let lines = &world.lines.0;
    let source = source(runner, host);
    let entries = runner.rows(&format!(
        "select split_part(message, E'\\n', 1) as value
         from log_entries where source_id = {source} order by line_no"
    ));
    let mut times = vec![0; lines.len()];
    let mut order = Vec::new();
    for entry in &entries {
        if let Some(line) = world.lines.number_of(entry) {
            times[line] += 1;
            order.push(line);
        } else if let Some(line) = part_of(lines, entry, &times) {
            times[line] += 1;
        } else {
            return Err(format!("stored, and never written: {entry:?}"));
        }
    }
    if let Some(line) = (0..lines.len()).find(|at| times[*at] > 1 && !lines[*at].may_come_twice) {
        return Err(format!("line {line} is stored twice: {order:?}"));
    }
    if !order.is_sorted() && !lines.iter().any(|line| line.may_come_twice) {
        return Err(format!("not in the order of writing: {order:?}"));
    }
    let counted = runner.rows(&format!(
        "select coalesce(sum(error), 0)::text as value
         from line_counts where source_id = {source}"
    ));
    if counted != [entries.len().to_string()] {
        return Err(format!("{} entries are stored, and counted are {counted:?}", entries.len()));
    }
    if is_all { complete(world, runner, &source, &times) } else { Ok(()) }
}

/// Whether everything that can be found is stored, and what cannot is told.
fn complete(world: &World, runner: &Runner, source: &str, times: &[usize]) -> Result<(), String> {
    let lines = &world.lines.0;
    let is_missing =
        |at: &usize| times[*at] == 0 && !lines[*at].may_be_cut && !lines[*at].may_be_missed;
    let missed: Vec<usize> = world.findable().into_iter().filter(is_missing).collect();
    if !missed.is_empty() {
        return Err(format!("lines {missed:?} lie there and are not stored"));
    }
    let gaps = runner.rows(&format!(
        "select reason as value from ingest_gaps where source_id = {source} order by id"
    ));
    let is_lost = |at: &usize| lines[*at].is_complete && lines[*at].is_told_if_lost;
    let lost: Vec<usize> = (0..lines.len()).filter(is_lost).filter(|at| is_missing(at)).collect();
    if gaps.is_empty() && !lost.is_empty() {
        return Err(format!("lines {lost:?} are lost, and nothing says so"));
    }
    if !gaps.is_empty() && !world.may_have_gaps {
        return Err(format!("nothing is lost, but: {gaps:?}"));
    }
    Ok(())
}

/// The number of the only source of a host; of one of which nothing is stored yet, of none.
fn source(runner: &Runner, host: &str) -> String {
    let statement = format!("select id::text as value from sources where host = '{host}'");
    runner.rows(&statement).pop().unwrap_or_else(|| "0".to_owned())
}

/// The line of which an entry is a part: of one that was never completed, or too late.
fn part_of(lines: &[Line], entry: &str, times: &[usize]) -> Option<usize> {
    (0..lines.len()).find(|at| {
        let line = &lines[*at];
        (!line.is_complete || line.may_be_cut)
            && times[*at] == 0
            && line.message().starts_with(entry)
    })
}

/// All rows of a host that a run changes, but for hashes.
pub(crate) fn everything(runner: &Runner, host: &str) -> Vec<String> {
    let source = source(runner, host);
    let of = |(table, order)| {
        runner.rows(&format!(
            "select '{table} ' || (to_jsonb(t) - array['source_id', 'device', 'head_hash',
                 'marker_hash', 'begin_hash'])::text as value
             from {table} t
             where source_id = {source}
             order by {order}"
        ))
    };
    [
        ("ingest_state", "source_id"),
        ("ingest_tails", "source_id"),
        ("generations", "generation"),
        ("generation_lines", "first_line_no"),
        ("ingest_gaps", "id"),
        ("log_entries", "line_no"),
        ("line_counts", "minute"),
    ]
    .into_iter()
    .flat_map(of)
    .collect()
}
