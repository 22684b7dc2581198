//! The command line, as clap reads it.

mod alerts;
mod channel;
mod entries;
mod init;
mod manual;
mod notifications;
mod replay;
mod rules;
mod silence;
mod source;
mod status;

use std::path::PathBuf;

pub use alerts::{Alerts, AlertsCommand, Handling};
pub use channel::{Channel, ChannelCommand};
use chrono::{DateTime, Utc};
use clap::{Args, Parser, Subcommand};
pub use entries::Entries;
pub use init::Init;
pub use manual::{Completions, Manual};
pub use notifications::{ChosenNotifications, Notifications, NotificationsCommand};
pub use replay::{Replay, ReplayFormat};
pub use rules::{Backtest, OneRule, Range, Rules, RulesCommand};
pub use silence::{NewSilence, Silence, SilenceCommand};
pub use source::{Consent, OneSource, Source, SourceCommand};
pub use status::Status;

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
  tripline run /var/log/app.log            read a log, evaluate the built-in rules, print alerts
  * * * * * /usr/local/bin/tripline run    as a cron job, with the logs of tripline.toml
  tripline status                          what was read, and what fires
  tripline alerts --all                    all alerts so far

Exit codes: 0 done; 1 something failed, the rest was done; 2 usage or configuration;
75 another run holds the lock.";

const EVERYWHERE: &str = "Options of every command";

/// Options of every command.
#[derive(Debug, Args)]
pub struct Global {
    /// The config [default: the first of $TRIPLINE_CONFIG, ~/.config/tripline/tripline.toml,
    /// /etc/tripline/tripline.toml]
    #[arg(long, global = true, value_name = "FILE", help_heading = EVERYWHERE)]
    pub config: Option<PathBuf>,
    /// The database [default: the first of $TRIPLINE_DATABASE_URL, $DATABASE_URL, the config;
    /// else a private PostgreSQL]. A password in it is taken out of the process list at once, but
    /// your shell may keep it: one of the others is a better place
    #[arg(long, global = true, value_name = "URL", help_heading = EVERYWHERE)]
    pub database_url: Option<String>,
    /// Say more on standard error: -v one line about each run, -vv details
    #[arg(short, long, global = true, action = clap::ArgAction::Count, help_heading = EVERYWHERE)]
    pub verbose: u8,
    /// Say only what failed, no warnings
    #[arg(short, long, global = true, conflicts_with = "verbose", help_heading = EVERYWHERE)]
    pub quiet: bool,
    /// Take this for the present time, to try things out (RFC 3339: 2026-01-01T12:00:00Z)
    #[arg(long, global = true, value_name = "TIME", value_parser = time, help_heading = EVERYWHERE)]
    pub now: Option<DateTime<Utc>>,
}

/// A moment with its zone; chrono's own message does not say how to write one.
fn time(text: &str) -> Result<DateTime<Utc>, String> {
    text.parse().map_err(|_| "write it like 2026-01-01T12:00:00Z".to_owned())
}

#[derive(Debug, Subcommand)]
pub enum Command {
    /// Read the logs, evaluate the rules, deliver alerts: the cron job
    #[command(after_help = "\
Examples:
  tripline run /var/log/app.log
  tripline -v run
  * * * * * /usr/local/bin/tripline run

Prints what fires and what is over, one line each, once; a run without news prints nothing.
Reads each log from where the last run stopped, and a log seen for the first time as its
source says (start), by default from its beginning. With --max-bytes or --max-seconds, logs with
few new bytes come first.")]
    Run(Logs),
    /// Only read the logs into the database
    #[command(after_help = "\
Examples:
  tripline ingest /var/log/app.log /var/log/worker.log
  tripline -v ingest
  tripline ingest --since 2026-01-01T00:00:00Z /var/log/old.log

What is read waits for the rules: the next alert or run evaluates it.")]
    Ingest(Ingest),
    /// Only evaluate the rules and deliver alerts
    #[command(after_help = "\
Examples:
  tripline alert
  tripline alert --wait 30

Reads no log. With ingest it makes two cron jobs of the one that run is.")]
    Alert(Wait),
    /// Bring the database to this version
    #[command(after_help = "\
Examples:
  tripline migrate
  tripline --database-url postgresql://db.example/logs migrate

The same migrations that `diesel migration run` applies; safe to repeat. The private database
and an empty one need no command: the first run migrates them.")]
    Migrate,
    /// Show what was read from each source, the last run and open alerts
    #[command(after_help = "\
Examples:
  tripline status
  tripline status --json
  tripline status --nagios --stale-after 15m

UNREAD counts bytes, a last line that waits for its end included. What is not as it should be
stands below the table: errors, lines that could not be parsed, bytes that were lost.

With --nagios one line with performance data, as a plugin of Nagios, Icinga and their like prints
it. Exit code 2: a critical alert fires, or no run for too long; 1: another alert fires, or
something does not work; 3: it cannot be told; else 0.")]
    Status(Status),
    /// List alerts, show one, take one on, close one
    #[command(after_help = "\
Examples:
  tripline alerts
  tripline alerts --all --json
  tripline alerts show 7
  tripline alerts ack 7 --note 'looking into it'

Without --all only those that fire, or will if their rule goes on holding (pending). Times are
UTC.")]
    Alerts(Alerts),
    /// Keep people from being told of alerts for a time
    #[command(after_help = "\
Examples:
  tripline silence add --rule error-burst --for 2h --reason 'deploy'
  tripline silence add --weekly 'sun 02:00-04:00 Europe/Berlin' --reason 'backup'
  tripline silence list
  tripline silence end 3

Alerts are recorded all the same, and what still fires when a silence is over is told then.")]
    Silence(Silence),
    /// List what people were told, or not; try again, give up
    #[command(after_help = "\
Examples:
  tripline notifications
  tripline notifications --all --alert 7
  tripline notifications show 12
  tripline notifications retry --channel ops-mail
  tripline notifications give-up 12

A notification is one message about one alert to one channel. Without --all only what is not
delivered: it waits, is tried again and again (failing), or was given up. Times are UTC.")]
    Notifications(Notifications),
    /// Search the stored entries
    #[command(after_help = "\
Examples:
  tripline entries --since 1h --level FATAL
  tripline entries --top --since 1d
  tripline entries --source app --pattern 'time(d )?out' --where user.id=17
  tripline entries --json --since 2026-01-01T00:00:00Z --limit 10000 | jq -r .message

The newest entries first; with --top the most frequent messages first, those that differ only in
numbers taken together. All conditions must hold. With --json one object a line: source, path,
byte_offset, logged_at, level, message, fields (an object, which may be empty), fingerprint; with
--top fingerprint, count, level, first_logged_at, last_logged_at, message. A fingerprint is a
whole number of 64 bits. Times are UTC. What store in the config leaves out is counted, not
stored.")]
    Entries(Entries),
    /// List the rules, check them, explain one, try one on what is stored
    #[command(after_help = "\
Examples:
  tripline rules list
  tripline rules check
  tripline rules explain error-burst
  tripline rules backtest error-burst --from 2026-01-01T00:00:00Z --count 3..20

The rules are those of the config, or the built-in ones. None of these commands changes anything.
To see what rules do with a log that is not stored: tripline replay.")]
    Rules(Rules),
    /// List the channels, try one
    #[command(after_help = "\
Examples:
  tripline channel list
  tripline channel test ops-mail

A channel is where people are told of alerts: [[channel]] in the config.")]
    Channel(Channel),
    /// List the sources, forget one, read one anew, rename one
    #[command(after_help = "\
Examples:
  tripline source list
  tripline source forget /var/log/old.log
  tripline source reset app
  tripline source rename app /srv/log/app.log
  tripline source rename-host web1 web2

A source is one log on one host. It is named by its path, or by its name in the config where
no other source of the host has that name.")]
    Source(Source),
    /// Propose a config: sources and first rules, from what logs hold
    #[command(after_help = init::EXAMPLES)]
    Init(Init),
    /// Say in which format logs are written, and how their lines would be read
    #[command(after_help = "\
Examples:
  tripline detect /var/log/app.log
  tripline detect --json /var/log/*.log | jq '.[] | {path, format}'

Looks at the first 64 KiB of each log, and neither needs a database nor stores anything. For each
format: how many lines it reads as the beginning of an entry. Then the first entries as they
would be stored, in UTC.")]
    Detect(Detect),
    /// Show what the levels of other programs mean
    #[command(after_help = "\
Examples:
  tripline levels
  tripline levels --json

Every format's own levels are mapped onto these six.")]
    Levels(Json),
    /// Run fixture cases through the real pipeline and compare with what they expect
    #[command(after_help = "\
Examples:
  tripline replay cases/timeouts
  tripline replay cases/*
  tripline replay --from app.log --config tripline.toml > cases/app.toml
  tripline replay --update cases/timeouts
  tripline replay --format junit cases/* > junit.xml
  tripline replay --json cases/* | jq '.cases[] | select(.passed | not)'

A case is a folder with case.toml, pieces of logs, and tripline.toml if it has a config; or one
file, NAME.toml, that holds its config. It runs on a simulated clock, in a database of the private
PostgreSQL that is dropped afterwards. Exit code 1 when a case fails.")]
    Replay(Replay),
    /// Manage the private PostgreSQL that is used when no database is configured
    #[command(after_help = "\
Examples:
  tripline db status
  tripline db psql -- -c 'select * from log_entries order by logged_at desc limit 5'
  DATABASE_URL=$(tripline db url) diesel migration run

It lies in /var/lib/tripline for root, for others in ~/.local/state/tripline, and wherever
$TRIPLINE_STATE_DIR says. A database that is configured is never touched by these commands.")]
    Db(Db),
    /// Print what a shell needs to complete command lines
    #[command(after_help = "\
Examples:
  tripline completions bash > ~/.local/share/bash-completion/completions/tripline
  tripline completions zsh > ~/.zfunc/_tripline
  tripline completions fish > ~/.config/fish/completions/tripline.fish

A new shell reads it. For zsh, its folder must be in fpath before compinit.")]
    Completions(Completions),
    /// Print the manual page of a command, or write all of them
    #[command(after_help = "\
Examples:
  tripline man | man -l -
  tripline man alerts show | man -l -
  tripline man --write /usr/local/share/man/man1

The pages say what --help says. Where they are written into a folder of MANPATH, man tripline and
man tripline-alerts-show find them.")]
    Man(Manual),
}

#[derive(Debug, Args)]
pub struct Logs {
    /// Logs to read instead of the sources of the config; one that a source reaches keeps its
    /// settings
    #[arg(value_name = "LOG")]
    pub logs: Vec<PathBuf>,
    /// Commit after that many bytes of log, for tests of what happens between two commits
    #[arg(long, value_name = "BYTES", hide = true)]
    pub chunk_bytes: Option<u64>,
    /// Read only about so many bytes; the next run goes on there
    #[arg(long, value_name = "BYTES", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_bytes: Option<u64>,
    /// Read only for about so many seconds; the next run goes on there
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u64).range(1..))]
    pub max_seconds: Option<u64>,
    #[command(flatten)]
    pub wait: Wait,
}

#[derive(Debug, Args)]
pub struct Ingest {
    #[command(flatten)]
    pub logs: Logs,
    /// Begin with the first entry that is dated at or after TIME: what stands before it is
    /// neither stored nor counted. Only for logs that were not read yet
    #[arg(long, value_name = "TIME", value_parser = time)]
    pub since: Option<DateTime<Utc>>,
}

#[derive(Debug, Args)]
pub struct Detect {
    /// Logs to look at; one that a source of the config reaches is read with its settings
    #[arg(value_name = "LOG", required = true)]
    pub logs: Vec<PathBuf>,
    #[command(flatten)]
    pub output: Json,
}

#[derive(Debug, Args)]
pub struct Wait {
    /// Wait so many seconds for another run to end, before exit code 75
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
pub struct Db {
    #[command(subcommand)]
    pub command: DbCommand,
}

#[derive(Debug, Subcommand)]
pub enum DbCommand {
    /// Set it up if need be, and start it
    #[command(after_help = "\
Examples:
  tripline db start

Seldom needed: whatever uses the private PostgreSQL starts it, and it keeps running.")]
    Start,
    /// Stop it; the next run starts it again
    #[command(after_help = "\
Examples:
  tripline db stop")]
    Stop,
    /// Say whether it runs, and where its files are
    #[command(after_help = "\
Examples:
  tripline db status
  tripline db status --json")]
    Status(Json),
    /// Print its URL, which holds no password
    #[command(after_help = "\
Examples:
  psql \"$(tripline db url)\"
  DATABASE_URL=$(tripline db url) diesel migration run")]
    Url,
    /// Open psql on it; arguments behind -- go to psql
    #[command(after_help = "\
Examples:
  tripline db psql
  tripline db psql -- -c 'select * from sources'")]
    Psql {
        /// Arguments for psql
        #[arg(last = true)]
        arguments: Vec<String>,
    },
}
