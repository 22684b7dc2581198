//! The arguments of `tripline init`.

use std::path::PathBuf;

use clap::Args;

pub(super) const EXAMPLES: &str = "\
Examples:
  tripline init /var/log/app.log
  tripline init                             looks for logs in /var/log
  tripline init --output - app.log          prints the config

Looks at the last 16 MiB of each log, finds out its format, and how often rules would have fired:
the thresholds it proposes are those that would have been reached about once a day at most. It
neither needs a database nor stores anything, and never changes a config that is there.";

#[derive(Debug, Args)]
pub struct Init {
    /// Logs to be watched [default: those found in --look-in]
    #[arg(value_name = "LOG")]
    pub logs: Vec<PathBuf>,
    /// The file to write; - is standard output [default: the config of every command, usually
    /// ~/.config/tripline/tripline.toml]
    #[arg(long, value_name = "PATH")]
    pub output: Option<PathBuf>,
    /// Where to look for logs that were written to within the last two weeks
    #[arg(long, value_name = "FOLDER", default_value = "/var/log", conflicts_with = "logs")]
    pub look_in: PathBuf,
}
