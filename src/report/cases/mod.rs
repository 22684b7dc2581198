//! What came of replayed cases, for people, for machines, and for what runs tests.

pub mod junit;
pub mod tap;

use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::Duration;

use serde::Serialize;

use crate::visible;

/// Characters of a line that are shown.
const LINE_CHARS: usize = 500;

/// What came of a case.
#[derive(Debug, Serialize)]
pub struct CaseResult {
    /// Its name.
    pub name: String,
    /// Whether everything was as expected.
    pub passed: bool,
    /// What was not, one text a difference.
    pub differences: Vec<String>,
    /// Whether what was not is expected from now on.
    #[serde(skip_serializing_if = "std::ops::Not::not")]
    pub updated: bool,
    /// Where it stands.
    #[serde(skip)]
    pub path: String,
    /// How long it took.
    #[serde(skip)]
    pub took: Duration,
    /// What was not as expected.
    #[serde(skip)]
    pub details: Details,
}

/// What was not as expected, or why nobody knows.
#[derive(Debug)]
pub enum Details {
    /// The differences of each run in which there were some.
    Runs(Vec<RunDetails>),
    /// The case could not be read or run.
    Error(String),
}

/// What was not as expected of a run.
#[derive(Debug)]
pub struct RunDetails {
    /// Which run it is, and where it stands.
    pub place: String,
    /// Of each key the lines: with `-` what was expected, with `+` what happened.
    pub keys: Vec<(&'static str, Vec<(char, String)>)>,
}

/// Writes what came of a case: a line, and below it what was not as expected.
///
/// # Errors
/// When the output takes nothing.
pub fn write_text(case: &CaseResult, out: &mut dyn Write) -> io::Result<()> {
    let result = match (case.updated, case.passed) {
        (true, _) => "update",
        (_, true) => "ok    ",
        (_, false) => "FAILED",
    };
    writeln!(out, "{result} {}", visible::line(&case.name, LINE_CHARS))?;
    for line in details(&case.details) {
        writeln!(out, "       {line}")?;
    }
    out.flush()
}

/// How many passed.
///
/// # Errors
/// When the output takes nothing.
pub fn write_summary(cases: &[CaseResult], out: &mut dyn Write) -> io::Result<()> {
    let updated = cases.iter().filter(|case| case.updated).count();
    let passed = cases.iter().filter(|case| case.passed && !case.updated).count();
    let failed = cases.iter().filter(|case| !case.passed).count();
    let updated = if updated > 0 { format!(", {updated} updated") } else { String::new() };
    let has_diff = cases.iter().any(|case| match &case.details {
        Details::Runs(runs) => !runs.is_empty(),
        Details::Error(_) => false,
    });
    let legend = if has_diff { " (- expected, + happened)" } else { "" };
    let passed = format!("{passed} of {} cases passed{updated}", cases.len());
    writeln!(out, "{passed}{}", if failed > 0 || !updated.is_empty() { legend } else { "" })
}

/// What was not as expected, in lines.
fn details(details: &Details) -> Vec<String> {
    let mut lines = Vec::new();
    match details {
        // What is wrong with a TOML file is told in several lines.
        Details::Error(error) => lines.extend(error.lines().map(shown)),
        Details::Runs(runs) => {
            for run in runs {
                lines.push(shown(&run.place));
                for (key, of_key) in &run.keys {
                    lines.push(format!("  {key}"));
                    lines.extend(
                        of_key.iter().map(|(sign, text)| format!("  {sign} {}", shown(text))),
                    );
                }
            }
        }
    }
    lines
}

fn shown(line: &str) -> String {
    visible::line(line, LINE_CHARS)
}

/// How many differences there are, in words.
fn summary(case: &CaseResult) -> String {
    match &case.details {
        Details::Error(error) => shown(error.lines().next().unwrap_or_default()),
        Details::Runs(runs) => {
            let keys: usize = runs.iter().map(|run| run.keys.len()).sum();
            let mut text = format!("{keys} not as expected:");
            for key in runs.iter().flat_map(|run| &run.keys).map(|(key, _)| key) {
                // Writing to a string cannot fail.
                let _ = write!(text, " {key}");
            }
            text
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// One that passed, one that failed, one that could not be read, with hostile names.
    pub(super) fn three() -> Vec<CaseResult> {
        let case = |name: &str, passed, details| CaseResult {
            name: name.to_owned(),
            passed,
            differences: Vec::new(),
            updated: false,
            path: format!("cases/{name}"),
            took: Duration::from_millis(1234),
            details,
        };
        let lines = vec![
            ('-', "fatal, measured 3".to_owned()),
            ('+', "fatal, measured 1 (on <a&b>\u{1b}[2J)".to_owned()),
        ];
        let place = "step 2, run at 2026-01-01T00:01:00Z (cases/x/case.toml:9)".to_owned();
        let failed = Details::Runs(vec![RunDetails { place, keys: vec![("fired", lines)] }]);
        vec![
            case("passes", true, Details::Runs(Vec::new())),
            case("a \"b\" #1 <\\>", false, failed),
            case("none", false, Details::Error("is wrong: line 1\n  |\n1 | x".to_owned())),
        ]
    }
}
