//! The arguments of `tripline replay`.

use std::path::PathBuf;

use clap::{Args, ValueEnum};

#[derive(Debug, Args)]
pub struct Replay {
    /// Folders of cases, or files that are one
    #[arg(value_name = "CASE", required_unless_present = "from")]
    pub cases: Vec<PathBuf>,
    /// Print a case made of this log and of the config, that expects what the rules say about it
    #[arg(long, value_name = "LOG", conflicts_with_all = ["cases", "update", "jobs", "format", "json"])]
    pub from: Option<PathBuf>,
    /// Write what happened into the cases, as what is expected of them from now on; their steps
    /// and comments stay. A case that expects nothing gets all that matters in most
    #[arg(long)]
    pub update: bool,
    /// How many cases run at a time [default: as many as there are processors]
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u8).range(1..=32))]
    pub jobs: Option<u8>,
    /// How to print what came of them
    #[arg(long, value_enum, default_value_t = ReplayFormat::Text, conflicts_with = "json")]
    pub format: ReplayFormat,
    /// The same as --format json
    #[arg(long)]
    pub json: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum ReplayFormat {
    /// For people
    Text,
    /// {"cases": [{"name", "passed", "differences"}]}
    Json,
    /// JUnit's XML, for Jenkins, GitLab and others
    Junit,
    /// The Test Anything Protocol
    Tap,
}
