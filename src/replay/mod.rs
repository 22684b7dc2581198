//! Fixture cases: logs that grow step by step, the real pipeline on a simulated clock, and
//! what is expected of each run.
//!
//! In: the folder or file of a case. Out: the differences between what was expected and what
//! came of it; none if the case passes. Everything below the clock is the real thing: the same
//! stages, the same SQL, a database that is made for the case and dropped after it.

mod case;
mod compare;
mod expected;
mod found;
mod matching;
mod parallel;
mod play;
mod record;
mod scratch;
mod update;

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use anyhow::Context;

pub use self::compare::{Difference, Side};
pub use self::parallel::run_all;
pub use self::record::record;
pub use self::scratch::ScratchServer;

use self::case::{Case, Step};
use self::found::Found;

/// What came of a case.
#[derive(Debug)]
pub struct Outcome {
    /// The name of its folder, or of its file without the end.
    pub name: String,
    /// Whether everything was as expected.
    pub passed: bool,
    /// What was not, one text a difference.
    pub differences: Vec<String>,
    /// Whether what was not is expected from now on.
    pub updated: bool,
    /// The folder or the file.
    pub path: PathBuf,
    /// The file that says what happens.
    pub file: PathBuf,
    /// How long it took.
    pub took: Duration,
    /// The differences; or why the case could not be read or run.
    pub details: Result<Vec<Difference>, String>,
}

/// Runs a case in a database of its own on `server`; with `update` what happened is written
/// into the case.
///
/// One that cannot be read or run has failed, and why is its only difference.
pub fn run(path: &Path, server: &ScratchServer, update: bool) -> Outcome {
    let begin = Instant::now();
    let (details, updated) = match played(path, server, update) {
        Ok((differences, updated)) => (Ok(differences), updated),
        Err(error) => (Err(format!("{error:#}")), false),
    };
    let differences = match &details {
        Ok(differences) => differences.iter().flat_map(Difference::texts).collect(),
        Err(error) => vec![error.clone()],
    };
    let name = if path.is_dir() { path.file_name() } else { path.file_stem() };
    Outcome {
        name: name.unwrap_or(path.as_os_str()).to_string_lossy().into_owned(),
        passed: updated || differences.is_empty(),
        differences,
        updated,
        path: path.to_owned(),
        file: case::file_of(path),
        took: begin.elapsed(),
        details,
    }
}

fn played(
    path: &Path,
    server: &ScratchServer,
    update: bool,
) -> anyhow::Result<(Vec<Difference>, bool)> {
    let case = Case::read(path)?;
    let fills = update && case.expects_nothing();
    let runs = play::play(&case, server, fills)?;
    let differences = differences(&case, &runs);
    if !update || (differences.is_empty() && !fills) {
        return Ok((differences, false));
    }
    let text = update::updated(&case, &runs)?;
    if text == case.text {
        return Ok((differences, false));
    }
    replace(&case.path, &text)?;
    Ok((differences, true))
}

fn differences(case: &Case, runs: &[(usize, Found)]) -> Vec<Difference> {
    let mut differences = Vec::new();
    for (index, found) in runs {
        let Step::Run { tick, expected } = &case.steps[*index] else { continue };
        let (step, line, run_at) = (index + 1, case.lines[*index], *tick);
        let new = compare::compare(expected, found);
        let difference = |(what, lines)| Difference { step, line, run_at, what, lines };
        differences.extend(new.into_iter().map(difference));
    }
    differences
}

/// Writes a file anew, as a whole or not at all.
fn replace(path: &Path, text: &str) -> anyhow::Result<()> {
    let write = || {
        // A case may be a link to a file elsewhere.
        let path = fs::canonicalize(path)?;
        let mut file = tempfile::NamedTempFile::new_in(path.parent().unwrap_or(&path))?;
        file.write_all(text.as_bytes())?;
        file.as_file().set_permissions(fs::metadata(&path)?.permissions())?;
        file.persist(path)?;
        Ok::<(), std::io::Error>(())
    };
    write().with_context(|| format!("cannot write {}", path.display()))
}
