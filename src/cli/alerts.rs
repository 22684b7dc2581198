//! What `tripline alerts` is asked for.

use clap::{Args, Subcommand};

use super::Json;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Alerts {
    /// List also those that are over
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub output: Json,
    #[command(subcommand)]
    pub command: Option<AlertsCommand>,
}

#[derive(Debug, Subcommand)]
pub enum AlertsCommand {
    /// Show one alert with the entries behind it, and what was decided about it
    #[command(after_help = "\
Examples:
  tripline alerts show 7
  tripline alerts show 7 --json")]
    Show {
        /// Number of the alert, as lists and messages show it
        id: i64,
        #[command(flatten)]
        output: Json,
    },
    /// Take an alert on: no reminders until it is over
    #[command(after_help = "\
Examples:
  tripline alerts ack 7
  tripline alerts ack 7 --note 'the disk of db2, replacing it' --by maria")]
    Ack(Handling),
    /// Take back that somebody has taken it on
    #[command(after_help = "\
Examples:
  tripline alerts unack 7")]
    Unack(Handling),
    /// Write something down about an alert
    #[command(after_help = "\
Examples:
  tripline alerts note 7 --note 'the same as last week'")]
    Note(Handling),
    /// Close an alert by hand: it is over, whatever its rule says
    #[command(after_help = "\
Examples:
  tripline alerts resolve 7 --note 'the job was removed'

Whoever was told that it fires is told by the next run. For an alert that does not end by itself;
the others are over when their rule no longer holds.")]
    Resolve(Handling),
}

#[derive(Debug, Args)]
pub struct Handling {
    /// Number of the alert, as lists and messages show it
    pub id: i64,
    /// What to write down
    #[arg(long, value_name = "TEXT")]
    pub note: Option<String>,
    /// Who does so [default: whoever is logged in]
    #[arg(long, value_name = "NAME")]
    pub by: Option<String>,
}
