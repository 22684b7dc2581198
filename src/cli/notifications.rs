//! What `tripline notifications` is asked for.

use clap::{Args, Subcommand};

use super::Json;

#[derive(Debug, Args)]
#[command(args_conflicts_with_subcommands = true)]
pub struct Notifications {
    /// List also what was delivered
    #[arg(long)]
    pub all: bool,
    /// Only those for this channel
    #[arg(long, value_name = "NAME")]
    pub channel: Option<String>,
    /// Only those about this alert
    #[arg(long, value_name = "ID")]
    pub alert: Option<i64>,
    /// The newest so many
    #[arg(long, value_name = "NUMBER", default_value_t = 100, value_parser = clap::value_parser!(u32).range(1..))]
    pub limit: u32,
    #[command(flatten)]
    pub output: Json,
    #[command(subcommand)]
    pub command: Option<NotificationsCommand>,
}

#[derive(Debug, Subcommand)]
pub enum NotificationsCommand {
    /// Show one notification: why it goes where it goes, and how that went
    #[command(after_help = "\
Examples:
  tripline notifications show 12
  tripline notifications show 12 --json")]
    Show {
        /// Number of the notification
        id: i64,
        #[command(flatten)]
        output: Json,
    },
    /// Let the next run try again now, also what was given up
    #[command(after_help = "\
Examples:
  tripline notifications retry 12 13
  tripline notifications retry --channel ops-mail

What is older than give_up_after of its channel has one more attempt.")]
    Retry(ChosenNotifications),
    /// Give up what was not delivered: nobody is told any more
    #[command(after_help = "\
Examples:
  tripline notifications give-up 12
  tripline notifications give-up --channel old-chat --by maria")]
    GiveUp {
        #[command(flatten)]
        chosen: ChosenNotifications,
        /// Who does so [default: whoever is logged in]
        #[arg(long, value_name = "NAME")]
        by: Option<String>,
    },
}

/// Numbers, or a channel.
#[derive(Debug, Args)]
pub struct ChosenNotifications {
    /// Numbers of notifications
    #[arg(value_name = "ID", required_unless_present = "channel")]
    pub ids: Vec<i64>,
    /// All that is not delivered for this channel
    #[arg(long, value_name = "NAME", conflicts_with = "ids")]
    pub channel: Option<String>,
}
