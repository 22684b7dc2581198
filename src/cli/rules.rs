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
    /// Say when a rule holds, what it looks at, and by which SQL
    #[command(after_help = "\
Examples:
  tripline rules explain error-burst
  tripline rules explain error-burst --at 2026-01-01T12:03:05Z
  tripline rules explain error-burst --json | jq -r '.views[].definition'

MATCHING counts stored entries, or lines where the rule reads the counts of all lines. The views
look only at times that are not evaluated yet; matching_entries looks at any.")]
    Explain {
        #[command(flatten)]
        rule: OneRule,
        /// The time whose window is shown: 2026-01-01T12:00:00Z, or how long ago: 90s, 5m, 1h30m,
        /// 2d [default: now]
        #[arg(long, value_name = "TIME")]
        at: Option<String>,
        #[command(flatten)]
        output: Json,
    },
}

#[derive(Debug, Args)]
pub struct OneRule {
    /// Name of a rule of the config: tripline rules list
    #[arg(value_name = "RULE")]
    pub name: String,
}
