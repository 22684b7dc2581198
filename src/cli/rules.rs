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
    /// Say what a rule would have fired over what is stored, for several values of its threshold
    #[command(after_help = "\
Examples:
  tripline rules backtest error-burst
  tripline rules backtest error-burst --from 30d --count 3..20
  tripline rules backtest error-share --percent 1..10
  tripline rules backtest error-burst --json | jq '.values[] | {value, alerts_a_week}'

The same views are asked as by a run, in a transaction that is rolled back: nothing changes. The
rule is that of the config, whether a run has seen it or not; the values are tried in its place.
Only what was stored, or counted, can be seen. An alert that goes on at --from counts from there,
one that does not last as long as the rule's for says does not count.")]
    Backtest(Backtest),
    /// Show what a message about an alert of a rule says
    #[command(after_help = "\
Examples:
  tripline rules render error-burst
  tripline rules render error-burst --channel ops-mail
  tripline rules render error-burst --channel chat --json | jq -r .body

About the last alert of the rule that people were told of, else about a made-up one. The summary is
that of the config, title and text are those of the channel. Nothing is sent: tripline channel test
does that.")]
    Render {
        #[command(flatten)]
        rule: OneRule,
        /// The channel whose templates are used, and whose request is shown where it makes one
        #[arg(long, value_name = "NAME")]
        channel: Option<String>,
        #[command(flatten)]
        output: Json,
    },
}

#[derive(Debug, Args)]
pub struct Backtest {
    #[command(flatten)]
    pub rule: OneRule,
    /// From when on: 2026-01-01T12:00:00Z, or how long ago: 90s, 5m, 1h30m, 2d [default: from the
    /// first line]
    #[arg(long, value_name = "TIME")]
    pub from: Option<String>,
    /// Until when [default: until the logs were last read]
    #[arg(long, value_name = "TIME")]
    pub to: Option<String>,
    /// Values of count to try, for threshold, distinct and absence
    #[arg(long, value_name = "A..B", value_parser = range, conflicts_with_all = ["percent", "factor"])]
    pub count: Option<Range>,
    /// Values of percent to try, for ratio
    #[arg(long, value_name = "A..B", value_parser = range, conflicts_with = "factor")]
    pub percent: Option<Range>,
    /// Values of factor to try, for spike and baseline
    #[arg(long, value_name = "A..B", value_parser = range)]
    pub factor: Option<Range>,
    #[command(flatten)]
    pub output: Json,
}

/// Values from one to another, both of them included.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Range {
    pub from: f64,
    pub to: f64,
}

fn range(text: &str) -> Result<Range, String> {
    let (from, to) = text.split_once("..").unwrap_or((text, text));
    let number = |text: &str| text.parse().ok().filter(|number: &f64| number.is_finite());
    match number(from).zip(number(to)) {
        Some((from, to)) if from > 0.0 && from <= to => Ok(Range { from, to }),
        _ => Err("write it like 3..20".to_owned()),
    }
}

#[derive(Debug, Args)]
pub struct OneRule {
    /// Name of a rule of the config: tripline rules list
    #[arg(value_name = "RULE")]
    pub name: String,
}
