//! What rules read to be judged: the counts of lines by minute where they suffice.

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use tripline::config::{RuleConfig, RuleKind};

use crate::scene::{HOST, Scene, second};

#[derive(QueryableByName)]
struct PlanLine {
    #[diesel(sql_type = Text)]
    #[diesel(column_name = "QUERY PLAN")]
    text: String,
}

/// Whether entries are read to judge the first rule of a log with news by one of the views.
fn reads_entries(view: &str, rule: RuleConfig) -> bool {
    let mut scene = Scene::with_rules(HOST, &[]);
    scene.bench.sync(HOST, &[rule], second(0)).unwrap();
    scene.store(600, &[100, 200, 300, 400, 500], true);
    let query = format!("explain (analyze, costs off) select * from {view} where source_id = $1");
    let plan: Vec<PlanLine> = diesel::sql_query(query)
        .bind::<BigInt, _>(scene.logs[0].id.0)
        .load(&mut scene.bench.connection)
        .unwrap();
    let on_entries = plan.iter().filter(|line| line.text.contains("on log_entries_"));
    let parts: Vec<&str> = on_entries.map(|line| line.text.as_str()).collect();
    assert!(!parts.is_empty(), "{view} does not know of entries");
    parts.iter().any(|part| !part.contains("(never executed)"))
}

fn rule(kind: RuleKind, pattern: Option<&str>) -> RuleConfig {
    let hour = TimeDelta::hours(1);
    let (stale_after, lookback) = (Some(hour), Some(hour));
    let pattern = pattern.map(str::to_owned);
    RuleConfig {
        pattern,
        stale_after,
        lookback,
        factor: Some(2.0),
        ..RuleConfig::new("rule", kind)
    }
}

#[test]
fn entries_are_read_only_where_counts_do_not_suffice() {
    assert!(!reads_entries("silence_hot", rule(RuleKind::Blind, None)));
    assert!(reads_entries("silence_hot", rule(RuleKind::Absence, Some("full"))));
    assert!(!reads_entries("spike_hot", rule(RuleKind::Spike, None)));
    assert!(reads_entries("spike_hot", rule(RuleKind::Spike, Some("full"))));
}
