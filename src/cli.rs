//! The command line, as clap reads it.

use std::path::PathBuf;

use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand};

/// Log alerting for people with cron and PostgreSQL.
#[derive(Debug, Parser)]
#[command(version, about, after_help = EXAMPLES, propagate_version = true)]
pub struct Cli {
    #[command(flatten)]
    pub global: Global,
    #[command(subcommand)]
    pub command: Command,
}

const EXAMPLES: &str = "\
Examples:
  tripline run /var/log/app.log        read a log, evaluate the built-in rules, print alerts
  * * * * * tripline run               as a cron job, with the logs of tripline.toml
  tripline status                      what was read, and what fires
  tripline alerts --all                all alerts so far

Exit codes: 0 done; 1 something failed, the rest was done; 2 usage or configuration;
75 another run holds the lock.";

/// Options of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// The config [default: $TRIPLINE_CONFIG, ~/.config/tripline/tripline.toml,
    /// /etc/tripline/tripline.toml]
    #[arg(long, global = true, value_name = "FILE")]
    pub config: Option<PathBuf>,
    /// The database [default: $TRIPLINE_DATABASE_URL, $DATABASE_URL, the config, else a
    /// private PostgreSQL]
    #[arg(long, global = true, value_name = "URL")]
    pub database_url: Option<String>,
    /// Say more on standard error: -v a summary of each run, -vv details
    #[arg(short, long, global = true, action = clap::ArgAction::Count)]
    pub verbose: u8,
    /// Say only what failed
    #[arg(short, long, global = true, conflicts_with = "verbose")]
    pub quiet: bool,
    /// Take this as the time of the run, for tests (RFC 3339: 2026-01-01T12:00:00Z)
    #[arg(long, global = true, value_name = "TIME")]
    pub now: Option<DateTime<Utc>>,
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read the logs, evaluate the rules, deliver alerts: the cron job
    #[command(after_help = "\
Examples:
  tripline run /var/log/app.log
  * * * * * tripline run

Prints alerts that fire and alerts that are over, once each, and nothing else.")]
    Run(Logs),
    /// Only read the logs into the database
    #[command(after_help = "\
Examples:
  tripline ingest /var/log/app.log /var/log/worker.log
  tripline -v ingest")]
    Ingest(Logs),
    /// Only evaluate the rules and deliver alerts
    #[command(after_help = "\
Examples:
  tripline alert")]
    Alert(Wait),
    /// Bring the database to this version
    #[command(after_help = "\
Examples:
  tripline migrate
  tripline --database-url postgresql://db.example/logs migrate

The same migrations that `diesel migration run` applies.")]
    Migrate,
    /// Show what was read from each source, the last run and open alerts
    #[command(after_help = "\
Examples:
  tripline status
  tripline status --json")]
    Status(Json),
    /// List alerts, or show one
    #[command(after_help = "\
Examples:
  tripline alerts
  tripline alerts --all --json
  tripline alerts show 7")]
    Alerts(Alerts),
    /// Manage the private PostgreSQL that is used when no database is configured
    #[command(after_help = "\
Examples:
  tripline db status
  tripline db psql -- -c 'select * from log_entries order by logged_at desc limit 5'
  DATABASE_URL=$(tripline db url) diesel migration run")]
    Db(Db),
}

#[derive(Debug, Args)]
pub struct Logs {
    /// Logs to read instead of the sources of the config
    #[arg(value_name = "LOG")]
    pub logs: Vec<PathBuf>,
    #[command(flatten)]
    pub wait: Wait,
}

#[derive(Debug, Args)]
pub struct Wait {
    /// Wait that long for another run to end, instead of exit code 75
    #[arg(long = "wait", value_name = "SECONDS", default_value_t = 0, hide_default_value = true)]
    pub seconds: u64,
}

#[derive(Debug, Args)]
pub struct Json {
    /// Print JSON, for machines
    #[arg(long)]
    pub json: bool,
}

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Alerts {
    /// Also those that are over
    #[arg(long)]
    pub all: bool,
    #[command(flatten)]
    pub output: Json,
    #[command(subcommand)]
    pub command: Option<AlertsCommand>,
}

#[derive(Debug, Subcommand)]
pub enum AlertsCommand {
    /// Show one alert with the entries behind it
    Show {
        /// Number of the alert
        id: i64,
        #[command(flatten)]
        output: Json,
    },
}

#[derive(Debug, Args)]
pub struct Db {
    #[command(subcommand)]
    pub command: DbCommand,
}

#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Set it up if need be, and start it
    Start,
    /// Stop it
    Stop,
    /// Say whether it runs, and where its files are
    Status(Json),
    /// Print its URL
    Url,
    /// Open psql on it; arguments behind -- go to psql
    Psql {
        /// Arguments for psql
        #[arg(last = true)]
        arguments: Vec<String>,
    },
}
