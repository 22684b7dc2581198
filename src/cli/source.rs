//! What `tripline source` is asked for.

use std::path::PathBuf;

use clap::{Args, Subcommand};

use super::{Json, Wait};

#[derive(Debug, Args)]
pub struct Source {
    #[command(subcommand)]
    pub command: SourceCommand,
}

#[derive(Debug, Subcommand)]
pub enum SourceCommand {
    /// List the sources of every host
    #[command(after_help = "\
Examples:
  tripline source list
  tripline source list --json

NAME is - where the path is the name. Times are UTC. How far each is read: tripline status.")]
    List(Json),
    /// Delete a source with all its entries, counts and alerts
    #[command(after_help = "\
Examples:
  tripline source forget /var/log/old.log
  tripline source forget app --host web2 --yes

For a log that is no longer read: one that still is will be a new source at the next run. The
log itself stays as it is.")]
    Forget {
        #[command(flatten)]
        source: OneSource,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        wait: Wait,
    },
    /// Delete what was read from a source, so that the next run reads its file from byte 0
    #[command(after_help = "\
Examples:
  tripline source reset /var/log/app.log
  tripline source reset app --yes && tripline run

After a change of what is stored, or of the timezone. Entries, counts and gaps go, also those of
earlier files, which are not read again. Alerts stay: one that the same entries give again is
not told again.")]
    Reset {
        #[command(flatten)]
        source: OneSource,
        #[command(flatten)]
        consent: Consent,
        #[command(flatten)]
        wait: Wait,
    },
    /// Note that the log of a source has another path now
    #[command(after_help = "\
Examples:
  tripline source rename /var/log/app.log /srv/log/app.log
  tripline source rename app /srv/log/app.log --host web2

The next run goes on in the file at the new path where it stood. Change the path in the config
or in the cron line as well. Names come from the config, and are changed there.")]
    Rename {
        #[command(flatten)]
        source: OneSource,
        /// Where the log is now
        #[arg(value_name = "PATH")]
        path: PathBuf,
        #[command(flatten)]
        wait: Wait,
    },
    /// Move everything of a host to its new name
    #[command(after_help = "\
Examples:
  tripline source rename-host web1 web2

For a machine that has a new name, or a new host in its config: sources, rules, alerts and
runs go on under the new name.")]
    RenameHost {
        /// The name in the database: tripline source list
        #[arg(value_name = "OLD")]
        old: String,
        /// The name from now on
        #[arg(value_name = "NEW")]
        new: String,
        #[command(flatten)]
        wait: Wait,
    },
}

#[derive(Debug, Args)]
pub struct OneSource {
    /// Path of the source, or its name
    #[arg(value_name = "NAME")]
    pub name: String,
    /// The host that reads it [default: this one]
    #[arg(long, value_name = "HOST")]
    pub host: Option<String>,
}

#[derive(Debug, Args)]
pub struct Consent {
    /// Do not ask whether to go on
    #[arg(long)]
    pub yes: bool,
}
