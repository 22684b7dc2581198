//! What `tripline rules` is asked for.

use clap::{Args, Subcommand};

use super::Json;

#[derive(Debug, Args)]
pub struct Rules {
    #[command(subcommand)]
    pub command: RulesCommand,
}

#[derive(Debug, Subcommand)]
pub enum RulesCommand {
    /// List the rules of this host
    #[command(after_help = "\
Examples:
  tripline rules list
  tripline rules list --json | jq -r '.[] | select(.open_alerts > 0) | .name'

OPEN counts the alerts that fire, and LAST is when the last one so far began, in UTC. Both are -
for a rule that no run has seen yet, and where there is no database.")]
    List(Json),
    /// Check the config, and ask PostgreSQL about the patterns and views of its rules
    #[command(after_help = "\
Examples:
  tripline rules check
  tripline --config new.toml rules check && cp new.toml /etc/tripline/tripline.toml
  tripline rules check --json | jq '.rules[] | select(.passed | not)'

Finds all that is wrong at once, and changes nothing. Patterns are read by the server that will
run them. Exit code 1 when a rule cannot be used, 2 when the config cannot be read.")]
    Check(Json),
}
