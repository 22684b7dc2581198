//! The second stage of a run: from rules and entries to alerts and notifications.
//!
//! The rules of the config become rows of `alert_rules`; views say when they hold; recording
//! brings the table `alerts` to what the views say; announcing writes what people are to be
//! told into the outbox. Everything can be done twice: an episode is one row by constraint,
//! a message about it is one row by constraint. Nothing is delivered here.

mod announce;
mod backtest;
mod check;
mod evaluate;
mod explain;
mod failing;
mod interval;
mod judge;
mod kept;
mod life;
mod literal;
mod own_view;
mod route;
mod rules;
mod slice;
mod trial;

pub use announce::{Announced, Storms, announce, end_storms, with_open_alerts};
pub use backtest::{Backtest, Seen, Span, WouldBe, backtest};
pub use check::{RuleProblem, check};
pub use evaluate::{
    Left, Pending, evaluate, evaluate_in_slices, evaluate_together, sources_to_evaluate,
};
pub use explain::{Explanation, Found, View, explain};
pub use failing::RuleFailure;
pub use own_view::{ViewError, evaluate_views};
pub use route::listeners;
pub use rules::{RuleError, RulesInUse, check_patterns_of, in_use, sync};
