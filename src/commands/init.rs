//! `tripline init`: a first config, from what logs hold.

use std::collections::HashMap;
use std::env;
use std::fs::{self, File};
use std::io::{self, Write};
use std::path::{Path, PathBuf};

use anyhow::{Context, bail};
use chrono::{DateTime, TimeDelta, Utc};

use super::session::{UsageError, host_zone};
use super::{display, shell_word};
use crate::cli::{Global, Init};
use crate::config::{Config, Environment};
use crate::ingest;
use crate::ingest::survey::{Survey, survey};
use crate::model::Tick;
use crate::proposal::{self, Log};

/// Logs that are found by looking for them.
const MOST_LOGS: usize = 30;
/// Folders below the one that is looked in.
const DEPTH: usize = 3;
/// A log to which nobody has written for so long is none to watch.
const FRESH_DAYS: i64 = 14;

pub(super) fn run(
    global: &Global,
    arguments: &Init,
    tick: Tick,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let environment = Environment::from_variables(|name| env::var_os(name));
    let output = match &arguments.output {
        Some(path) => path.clone(),
        None => environment
            .new_file(global.config.as_deref())
            .ok_or_else(|| UsageError("say where to write it: --output PATH".to_owned()))?,
    };
    let to_stdout = output.as_os_str() == "-";
    if !to_stdout && output.symlink_metadata().is_ok() {
        return Err(exists(&output).into());
    }
    let mut left_out = Vec::new();
    let paths = if arguments.logs.is_empty() {
        found(&arguments.look_in, tick.0, &mut left_out)
    } else {
        arguments.logs.clone()
    };
    let mut logs = surveyed(&paths, !arguments.logs.is_empty(), &mut left_out)?;
    if logs.is_empty() {
        for line in &left_out {
            log::warn!("{line}");
        }
        bail!("there is no log to be watched; name some: tripline init LOG...");
    }
    name(&mut logs);
    let text = proposal::write(&logs, &left_out, tick.0);
    // What the program itself could not read must not be written.
    Config::parse(&output, text.as_bytes()).context("the proposal is wrong, which is a bug")?;
    if to_stdout {
        stdout.write_all(text.as_bytes())?;
        return Ok(());
    }
    write_new(&output, &text)?;
    tell(&output, &environment, &logs, left_out.len(), stdout)
}

fn exists(path: &Path) -> UsageError {
    let path = display(path);
    UsageError(format!(
        "{path} is there already and stays as it is; print a proposal instead: \
         tripline init --output -"
    ))
}

/// Never over a file that is there, even if it came this moment.
fn write_new(path: &Path, text: &str) -> anyhow::Result<()> {
    let cannot_write = || format!("cannot write {}", display(path));
    if let Some(folder) = path.parent().filter(|folder| !folder.as_os_str().is_empty()) {
        fs::create_dir_all(folder).with_context(cannot_write)?;
    }
    match File::create_new(path) {
        Ok(mut file) => file.write_all(text.as_bytes()).with_context(cannot_write),
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Err(exists(path).into()),
        Err(error) => Err(error).with_context(cannot_write),
    }
}

/// What is to be done next.
fn tell(
    output: &Path,
    environment: &Environment,
    logs: &[Log],
    left_out: usize,
    stdout: &mut dyn Write,
) -> anyhow::Result<()> {
    let output = std::path::absolute(output)?;
    writeln!(stdout, "wrote {}, which watches:", display(&output))?;
    for log in logs {
        let Survey { path, format, entries, errors, .. } = &log.survey;
        let format = format.unwrap_or_default();
        let figures = format!("{format}, {entries} entries looked at, {} errors", errors.len());
        writeln!(stdout, "  {} ({figures})", display(path))?;
    }
    if left_out > 0 {
        writeln!(stdout, "left out: {left_out}, listed at its end")?;
    }
    let is_usual = environment.is_usual(&output);
    let config = shell_word(&output.to_string_lossy());
    let option = if is_usual { String::new() } else { format!(" --config {config}") };
    let program = env::current_exe().unwrap_or_else(|_| PathBuf::from("tripline"));
    let program = shell_word(&program.to_string_lossy());
    // A percent sign means a line feed in a crontab.
    let cron = format!("* * * * * {program}{option} run").replace('%', r"\%");
    writeln!(stdout, "\nLook at it, then:")?;
    writeln!(stdout, "  tripline{option} rules check   # can PostgreSQL use the rules?")?;
    writeln!(stdout, "  tripline{option} run           # reads the logs; prints what fires")?;
    writeln!(stdout, "and let cron do it each minute (crontab -e):")?;
    writeln!(stdout, "  {cron}")?;
    Ok(())
}

/// What the logs hold that can be read; one that was named must be.
fn surveyed(
    paths: &[PathBuf],
    are_named: bool,
    left_out: &mut Vec<String>,
) -> anyhow::Result<Vec<Log>> {
    let zone = host_zone()?;
    let mut logs = Vec::new();
    for target in ingest::expand(&Config::default(), paths, zone)? {
        let survey = match survey(&target) {
            Ok(survey) => survey,
            Err(error) if are_named => return Err(error.into()),
            Err(error) => {
                left_out.push(error.to_string());
                continue;
            }
        };
        // The journal of a program that is no log has lines that look like one by chance.
        if survey.entries == 0 || survey.unparsed > survey.lines / 2 {
            let Survey { lines, unparsed, .. } = survey;
            let path = display(&target.path);
            left_out.push(format!("{path}: {unparsed} of {lines} lines could not be parsed"));
            continue;
        }
        let zone = (!shows_zone(&survey.written_at)).then(|| target.timezone.name());
        logs.push(Log { name: None, survey, zone });
    }
    Ok(logs)
}

/// Whether a time, as a log writes it, says in which zone it is; seconds since 1970 do.
fn shows_zone(written_at: &str) -> bool {
    let end = written_at.trim_end_matches([']', ')', '"']);
    let offset = end.rsplit_once(['+', '-']).map(|(_, offset)| offset.replace(':', ""));
    let is_offset = |text: &String| text.len() == 4 && text.bytes().all(|b| b.is_ascii_digit());
    // What follows the last dash of a date alone is its day.
    end.ends_with(|last: char| last.is_ascii_alphabetic())
        || (end.contains(':') && offset.as_ref().is_some_and(is_offset))
        || end.bytes().all(|byte| byte.is_ascii_digit() || byte == b'.')
}

/// Logs are named after their files, where that tells them apart.
fn name(logs: &mut [Log]) {
    let stem = |log: &Log| {
        let stem = log.survey.path.file_stem()?.to_str()?;
        let is_plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
        (stem.len() <= 40 && stem.chars().all(is_plain)).then(|| stem.to_owned())
    };
    let mut counts = HashMap::new();
    for log in logs.iter() {
        *counts.entry(stem(log)).or_insert(0) += 1;
    }
    for log in logs {
        log.name = stem(log).filter(|stem| counts.get(&Some(stem.clone())) == Some(&1));
    }
}

/// What looks like a log below a folder, those first that were written to last.
fn found(folder: &Path, now: DateTime<Utc>, left_out: &mut Vec<String>) -> Vec<PathBuf> {
    let mut logs = Vec::new();
    look_in(folder, DEPTH, now, &mut logs, left_out);
    logs.sort_by(|(one, a), (other, b)| other.cmp(one).then_with(|| a.cmp(b)));
    let more = logs.split_off(logs.len().min(MOST_LOGS));
    left_out.extend(more.iter().map(|(_, path)| format!("{}: too many logs", display(path))));
    let mut logs: Vec<PathBuf> = logs.into_iter().map(|(_, path)| path).collect();
    logs.sort();
    logs
}

fn look_in(
    folder: &Path,
    depth: usize,
    now: DateTime<Utc>,
    logs: &mut Vec<(DateTime<Utc>, PathBuf)>,
    left_out: &mut Vec<String>,
) {
    let entries = match fs::read_dir(folder) {
        Ok(entries) => entries,
        Err(error) => {
            left_out.push(format!("{}: {error}", display(folder)));
            return;
        }
    };
    for entry in entries.flatten() {
        let (path, Ok(metadata)) = (entry.path(), entry.metadata()) else { continue };
        // Links are not followed: what they lead to is found where it lies, or lies elsewhere.
        if metadata.is_dir() && depth > 0 {
            look_in(&path, depth - 1, now, logs, left_out);
        } else if metadata.is_file() && metadata.len() > 0 && is_like_a_log(&path) {
            let Ok(written) = metadata.modified().map(DateTime::<Utc>::from) else { continue };
            if now - written <= TimeDelta::days(FRESH_DAYS) {
                logs.push((written, path));
            }
        }
    }
}

/// By its name: no archive, no rotated part of another log, none of the binary ones.
fn is_like_a_log(path: &Path) -> bool {
    let name = path.file_name().unwrap_or_default().to_string_lossy();
    let end = name.rsplit(['.', '-']).next().unwrap_or_default();
    let packed = ["gz", "xz", "bz2", "zst", "lz4", "zip", "old", "journal", "db", "sa"];
    let is_number = !end.is_empty() && end.bytes().all(|byte| byte.is_ascii_digit());
    let binary = ["wtmp", "btmp", "lastlog", "faillog", "tallylog"];
    !(name.starts_with('.') || packed.contains(&end) || is_number || binary.contains(&&*name))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_time_shows_its_zone_or_not() {
        for (written_at, expected) in [
            ("2026-01-01 12:00:00", false),
            ("Jan  1 12:00:00", false),
            ("2026-01-01T12:00:00.123", false),
            ("2026-01-01T12:00:00Z", true),
            ("2026-01-01T12:00:00+01:00", true),
            ("01/Jan/2026:12:00:00 -0500", true),
            ("2026-01-01 12:00:00 UTC", true),
            ("1767268800.123", true),
        ] {
            assert_eq!(shows_zone(written_at), expected, "{written_at}");
        }
    }

    #[test]
    fn rotated_and_binary_files_are_no_logs() {
        for (name, expected) in [
            ("syslog", true),
            ("app.log", true),
            ("error_log", true),
            ("app.log.1", false),
            ("app.log-20260101", false),
            ("app.log.2.gz", false),
            ("wtmp", false),
            (".hidden", false),
            ("dpkg.log.old", false),
        ] {
            assert_eq!(is_like_a_log(Path::new(name)), expected, "{name}");
        }
    }
}
