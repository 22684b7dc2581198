//! `tripline.toml`: what the user wants.
//!
//! In comes the file's path or the places to look in; out comes a [`Config`] in which every
//! value is right, or a [`ConfigError`] that lists everything that is wrong with line and
//! column. `file` has the words of the file, `section` and `value` read them, `validate` makes
//! the config of it.
//!
//! Nothing here opens a log, expands a glob or connects to a database, and nothing reads the
//! environment: `main` hands it in as an [`Environment`].

mod channel;
mod channels;
mod database;
mod endpoint;
mod email;
mod file;
mod heartbeat;
mod in_clear;
mod lines;
mod locate;
mod meaning;
mod problem;
mod rule;
mod rules;
mod secret;
mod section;
mod source;
mod syslog;
mod tls;
mod validate;
mod value;
mod words;

use std::path::{Path, PathBuf};

pub use channel::{ChannelConfig, DeliveryConfig, Digest, Fallback, RouteConfig, Transport};
pub use database::{DatabaseConfig, DatabaseUrl};
pub use email::{EmailConfig, Encryption, Relay, SmtpConfig};
pub use endpoint::{Endpoint, HttpConfig, Service};
pub use heartbeat::{HeartbeatConfig, HeartbeatMethod};
pub use locate::Environment;
pub use meaning::Window;
use problem::Lines;
pub use problem::{ConfigError, Problem};
pub use rule::{GroupBy, RuleConfig, RuleKind};
pub use secret::{Secret, SecretError};
pub use source::{GLOB_MATCHING, JournalConfig, LogFormat, SourceConfig, SourcePath, Start};
pub use syslog::SyslogConfig;
pub use tls::Tls;
pub use value::host;
pub use words::nearest;

/// Everything that the user has configured, with the defaults filled in.
#[derive(Clone, Debug, PartialEq)]
pub struct Config {
    /// The file; `None` if there is none.
    pub path: Option<PathBuf>,
    /// The name of this host in the database; the system's host name if absent.
    pub host: Option<String>,
    /// The file to lock during a run; derived from the database if absent.
    pub lock_file: Option<PathBuf>,
    /// `[database]`
    pub database: DatabaseConfig,
    /// `[evaluate]`
    pub evaluate: EvaluateConfig,
    /// `[[source]]`, in the order of the file.
    pub sources: Vec<SourceConfig>,
    /// `[[rule]]`, in the order of the file; the built-in ones if there is none.
    pub rules: Vec<RuleConfig>,
    /// `[[channel]]`, in the order of the file.
    pub channels: Vec<ChannelConfig>,
    /// `[[route]]`, in the order of the file.
    pub routes: Vec<RouteConfig>,
    /// `[delivery]`
    pub delivery: DeliveryConfig,
    /// `[metrics]`
    pub metrics: MetricsConfig,
    /// `[heartbeat]`; `None` if there is none.
    pub heartbeat: Option<HeartbeatConfig>,
    /// What is not wrong but should be changed, one sentence each.
    pub warnings: Vec<String>,
}

/// `[evaluate]`
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct EvaluateConfig {
    /// Whether the rules apply to the sources of every host rather than to this host's.
    pub all_hosts: bool,
}

/// `[metrics]`
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct MetricsConfig {
    /// A file for the textfile collector of the node exporter, written anew by each run.
    pub textfile: Option<PathBuf>,
}

impl Default for Config {
    /// The config of someone who has none: no sources, and the built-in rules.
    fn default() -> Self {
        Self {
            path: None,
            host: None,
            lock_file: None,
            database: DatabaseConfig::default(),
            evaluate: EvaluateConfig::default(),
            sources: Vec::new(),
            rules: RuleConfig::built_in(),
            channels: Vec::new(),
            routes: Vec::new(),
            delivery: DeliveryConfig::default(),
            metrics: MetricsConfig::default(),
            heartbeat: None,
            warnings: Vec::new(),
        }
    }
}

impl Config {
    /// Reads a config from the contents of the file at `path`, which is not opened.
    ///
    /// # Errors
    /// [`ConfigError::Invalid`] with all problems of the file.
    pub fn parse(path: &Path, contents: &[u8]) -> Result<Self, ConfigError> {
        let config = match std::str::from_utf8(contents) {
            Ok(text) => validate::config(text),
            Err(error) => {
                let text = String::from_utf8_lossy(contents);
                let message = "is not UTF-8".to_owned();
                Err(vec![Lines::new(&text).problem(error.valid_up_to(), message)])
            }
        };
        let path = path.to_owned();
        match config {
            Ok(config) => Ok(Self { path: Some(path), ..config }),
            Err(problems) => Err(ConfigError::Invalid { path, problems }),
        }
    }

    /// How to read a log that was named on the command line by its absolute path: with the
    /// settings of the first source that reaches it, else with the defaults.
    pub fn source_for(&self, path: &Path) -> SourceConfig {
        let default = SourceConfig::for_path(path);
        match self.sources.iter().find(|source| source.reaches(path)) {
            Some(source) => SourceConfig { paths: default.paths, ..source.clone() },
            None => default,
        }
    }
}

#[cfg(test)]
mod tests;
