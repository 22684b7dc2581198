//! What `tripline silence` is asked for.

use clap::{Args, Subcommand};

use super::Json;

#[derive(Debug, Args)]
pub struct Silence {
    #[command(subcommand)]
    pub command: SilenceCommand,
}

#[derive(Debug, Subcommand)]
pub enum SilenceCommand {
    /// Begin one
    #[command(after_help = "\
Examples:
  tripline silence add --rule error-burst --for 2h --reason 'deploy'
  tripline silence add --group 192.0.2.7 --until 2026-02-01T06:00:00Z --reason 'scan that we know'
  tripline silence add --weekly 'sun 02:00-04:00 Europe/Berlin' --reason 'backup'

What it names must all be so; without --rule, --group and --severity it is about all alerts. One
that comes again every week needs no end.")]
    Add(NewSilence),
    /// List those that hold, or will
    #[command(after_help = "\
Examples:
  tripline silence list
  tripline silence list --all --json")]
    List {
        /// List also those that are over
        #[arg(long)]
        all: bool,
        #[command(flatten)]
        output: Json,
    },
    /// End one before its time
    #[command(after_help = "\
Examples:
  tripline silence end 3

What it held back and still fires is told by the next run.")]
    End {
        /// Number of the silence, as lists show it
        id: i64,
        /// Who ends it [default: whoever is logged in]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
}

#[derive(Debug, Args)]
pub struct NewSilence {
    /// Only alerts of this rule
    #[arg(long, value_name = "NAME")]
    pub rule: Option<String>,
    /// Only alerts of this group, or of the source with this name or path
    #[arg(long, value_name = "GROUP")]
    pub group: Option<String>,
    /// Only alerts of this severity: info, warning, critical
    #[arg(long, value_name = "SEVERITY", hide_possible_values = true, value_parser = ["info", "warning", "critical"])]
    pub severity: Option<String>,
    /// When it begins: 2026-01-01T12:00:00Z [default: now]
    #[arg(long, value_name = "TIME", value_parser = super::time)]
    pub from: Option<chrono::DateTime<chrono::Utc>>,
    /// When it ends
    #[arg(long, value_name = "TIME", value_parser = super::time, conflicts_with = "length")]
    pub until: Option<chrono::DateTime<chrono::Utc>>,
    /// How long it holds: 90s, 5m, 1h30m, 2d
    #[arg(long = "for", value_name = "LENGTH")]
    pub length: Option<String>,
    /// Hours of the week in which it holds: 'sun 02:00-04:00 Europe/Berlin'
    #[arg(long, value_name = "HOURS")]
    pub weekly: Option<String>,
    /// Why
    #[arg(long, value_name = "TEXT")]
    pub reason: String,
    /// Who wants it [default: whoever is logged in]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
}
