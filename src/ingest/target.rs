//! Which logs a run reads: those of the command line, else those of the config.

use std::collections::HashSet;
use std::io;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use chrono_tz::Tz;

use crate::config::{Config, SourceConfig, SourcePath};
use crate::model::EventTime;

/// A log to be read.
#[derive(Clone, Debug)]
pub struct Target {
    /// Its absolute path; of the journal of systemd, what stands for it.
    pub path: PathBuf,
    /// How to read it. A glob may reach thousands of logs, which have it in common.
    pub config: Rc<SourceConfig>,
    /// The zone of times that are written without one.
    pub timezone: Tz,
    /// Of a log seen for the first time, what is before the first entry at or after this
    /// moment is passed over.
    pub since: Option<EventTime>,
}

/// The logs to read, each once: `logs` of the command line, or those of the config if there
/// are none. A path keeps the settings of the first source that reaches it.
///
/// # Errors
/// When a relative path cannot be made absolute (the current folder is gone).
pub fn expand(config: &Config, logs: &[PathBuf], host_zone: Tz) -> io::Result<Vec<Target>> {
    let mut targets: Vec<Target> = Vec::new();
    let mut known = HashSet::new();
    let mut add = |path: PathBuf, config: &Rc<SourceConfig>| {
        if known.insert(path.clone()) {
            let timezone = config.timezone.unwrap_or(host_zone);
            targets.push(Target { path, config: Rc::clone(config), timezone, since: None });
        }
    };
    for log in logs {
        let path = std::path::absolute(log)?;
        add(path.clone(), &Rc::new(config.source_for(&path)));
    }
    if logs.is_empty() {
        for source in &config.sources {
            let shared = Rc::new(source.clone());
            if let Some(journal) = &source.journal {
                add(journal.path(), &shared);
            }
            for path in source.paths.iter().flat_map(matches) {
                if !source.excludes(&path) {
                    add(path, &shared);
                }
            }
        }
    }
    Ok(targets)
}

/// The paths that a configured path stands for: itself, or the files that a glob matches.
fn matches(path: &SourcePath) -> Vec<PathBuf> {
    match path {
        SourcePath::Literal(path) => vec![path.clone()],
        SourcePath::Glob(pattern) => glob(pattern),
    }
}

/// Folders among the matches are passed over: a glob like `/var/log/*` means the logs.
fn glob(pattern: &glob::Pattern) -> Vec<PathBuf> {
    let Ok(paths) = glob::glob_with(pattern.as_str(), crate::config::GLOB_MATCHING) else {
        return Vec::new();
    };
    paths
        .filter_map(|path| match path {
            Ok(path) => (!is_folder(&path)).then_some(path),
            Err(error) => {
                log::warn!("cannot look for logs in {}: {}", error.path().display(), error.error());
                None
            }
        })
        .collect()
}

fn is_folder(path: &Path) -> bool {
    path.metadata().is_ok_and(|metadata| metadata.is_dir())
}
