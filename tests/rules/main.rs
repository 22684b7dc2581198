//! `tripline rules`: what the rules of a config are, whether they are right, what they mean, and
//! what they would have done with what is stored.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod backtest;
mod check;
mod explain;
mod list;
mod render;
#[path = "../support/mod.rs"]
mod support;

use support::program::{Ran, Setup};

/// A rule of each kind.
const ALL_KINDS: &str = r#"
host = "web1"
[[source]]
name = "app"
paths = ["LOGS/app.log"]
store = ["INFO", "WARNING", "ERROR", "FATAL"]

[[rule]]
name = "burst"
kind = "threshold"
count = 3
within = "5m"
severity = "critical"

[[rule]]
name = "logins"
kind = "threshold"
pattern = 'failed for (\S+)'
exclude = ["test"]
count = 3
clear_below = 2
within = "20m"
group_by = ["$1"]

[[rule]]
name = "share"
kind = "ratio"
percent = 50
at_least = 2
within = "5m"

[[rule]]
name = "jump"
kind = "spike"
factor = 2
at_least = 3
within = "5m"

[[rule]]
name = "unusual"
kind = "baseline"
factor = 2
at_least = 3
within = "1h"

[[rule]]
name = "silent"
kind = "absence"
levels = ["INFO"]
within = "10m"

[[rule]]
name = "novel"
kind = "new"
lookback = "1h"

[[rule]]
name = "many-users"
kind = "distinct"
pattern = 'failed for (\S+)'
count = 2
within = "5m"

[[rule]]
name = "unfinished"
kind = "missing_follow_up"
pattern = 'job (\d+) begins'
follow_up = 'job (\d+) ends'
within = "2m"
group_by = ["source", "$1"]

[[rule]]
name = "steps"
kind = "sequence"
steps = ['job (\d+) begins', 'job (\d+) ends']
within = "10m"
group_by = ["source", "$1"]

[[rule]]
name = "blind"
kind = "blind"
stale_after = "10m"
percent = 20

[[rule]]
name = "own"
kind = "sql"
view = "public.own_view"
"#;

/// A command on rules.
fn rules(setup: &Setup, arguments: &str) -> Ran {
    setup.run(["rules"].into_iter().chain(arguments.split_whitespace()))
}

/// What a command said on standard output, having gone well; the folder is `LOGS`.
#[track_caller]
fn printed(setup: &Setup, arguments: &str) -> String {
    let ran = rules(setup, arguments);
    assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    ran.stdout.replace(setup.folder.path().to_str().unwrap(), "LOGS")
}
