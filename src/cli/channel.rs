//! What `tripline channel` is asked for.

use clap::{Args, Subcommand};

use super::Json;

#[derive(Debug, Args)]
pub struct Channel {
    #[command(subcommand)]
    pub command: ChannelCommand,
}

#[derive(Debug, Subcommand)]
pub enum ChannelCommand {
    /// List the channels of the config
    #[command(after_help = "\
Examples:
  tripline channel list
  tripline channel list --json | jq -r '.[] | select(.failing_since) | .name'

WAITING counts the messages that are not delivered yet, and FAILING is since when the channel
has not delivered, in UTC. Both are - where there is no database.")]
    List(Json),
    /// Send a test message to one channel and say what came back
    #[command(after_help = "\
Examples:
  tripline channel test ops-mail
  tripline channel test ops-mail --json | jq -r .error

The message says of itself that it is a test, in the title and text that the config gives to the
channel's messages. It goes out at once, whatever severities and hours the channel has, and is not
recorded. Needs no database. What takes alerts rather than messages (PagerDuty, Alertmanager) has
one named channel-test then, to be closed there. Exit code 1 when it was not delivered, or not to
all.")]
    Test {
        /// Name of a channel of the config
        name: String,
        #[command(flatten)]
        output: Json,
    },
}
