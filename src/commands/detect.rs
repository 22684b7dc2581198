//! `tripline detect`: how logs would be read.

use std::env;
use std::io::Write;

use super::SomeFailed;
use super::session::host_zone;
use crate::cli::{Detect, Global};
use crate::config::{self, Config};
use crate::ingest;
use crate::ingest::inspect::{self, Inspection, Sample};
use crate::report;
use crate::report::detect::{Detected, RankedFormat, SampleEntry};
use crate::visible;

/// How many entries of each log are shown.
const SAMPLES: usize = 10;
/// A path alone may have 4096 characters.
const MESSAGE_CHARS: usize = 8192;

pub(super) fn run(
    global: &Global,
    arguments: &Detect,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let environment = config::Environment::from_variables(|name| env::var_os(name));
    let config = Config::load(global.config.as_deref(), &environment)?;
    let mut found = Vec::new();
    let mut failed = 0;
    for target in ingest::expand(&config, &arguments.logs, host_zone()?)? {
        match inspect::inspect(&target, SAMPLES) {
            Ok(inspection) => {
                let path = target.path.to_string_lossy().into_owned();
                found.push(detected(path, target.timezone.name(), inspection));
            }
            Err(error) => {
                failed += 1;
                log::error!("{}", visible::line(&error.to_string(), MESSAGE_CHARS));
            }
        }
    }
    if arguments.output.json {
        report::write_json(&found, stdout)?;
    } else {
        for (index, found) in found.iter().enumerate() {
            if index > 0 {
                writeln!(stdout)?;
            }
            report::detect::write(found, stdout)?;
        }
    }
    if failed > 0 {
        stdout.flush()?;
        return Err(SomeFailed(failed).into());
    }
    Ok(())
}

/// What was found of a log whose times are read in this zone, as it is shown.
fn detected(path: String, timezone: &'static str, found: Inspection) -> Detected {
    let ranking = found.ranking.iter().map(|ranked| RankedFormat {
        format: ranked.format.as_str(),
        entries: ranked.heads,
        with_level: ranked.with_level,
        unparsed: ranked.unparsed,
    });
    Detected {
        path,
        format: found.format,
        timezone,
        ranking: ranking.collect(),
        lines: found.lines,
        entries: found.heads,
        continued: found.continued,
        unparsed: found.unparsed,
        first_entry_at: found.span.map(|(first, _)| first.to_utc()),
        last_entry_at: found.span.map(|(_, last)| last.to_utc()),
        samples: found.samples.into_iter().map(sample).collect(),
    }
}

fn sample(sample: Sample) -> SampleEntry {
    let Sample { logged_at, written_at, level, message, fields } = sample;
    SampleEntry { logged_at: logged_at.to_utc(), written_at, level, message, fields }
}
