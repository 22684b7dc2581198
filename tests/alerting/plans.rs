//! What rules read to be judged: the counts of lines by minute where they suffice.

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use regex::Regex;
use tripline::config::{GroupBy, RuleConfig, RuleKind};

use crate::scene::{HOST, Scene, second};

#[derive(QueryableByName)]
struct PlanLine {
    #[diesel(sql_type = Text)]
    #[diesel(column_name = "QUERY PLAN")]
    text: String,
}

/// A log that one rule judges.
fn scene(rule: RuleConfig) -> Scene {
    let mut scene = Scene::with_rules(HOST, &[]);
    scene.bench.sync(HOST, &[rule], second(0)).unwrap();
    scene
}

/// How one of the views was read for what is new in the log: the lines about entries.
fn reading_of_entries(scene: &mut Scene, view: &str) -> Vec<String> {
    let query = format!(
        "explain (analyze, costs off, timing off) select * from {view} where source_id = $1"
    );
    let plan: Vec<PlanLine> = diesel::sql_query(query)
        .bind::<BigInt, _>(scene.logs[0].id.0)
        .load(&mut scene.bench.connection)
        .unwrap();
    let parts = plan.into_iter().map(|line| line.text);
    let parts: Vec<_> = parts.filter(|part| part.contains("on log_entries_")).collect();
    assert!(!parts.is_empty(), "{view} does not know of entries");
    parts
}

/// Whether entries are read to judge the first rule of a log with news by one of the views.
fn reads_entries(view: &str, rule: RuleConfig) -> bool {
    let mut scene = scene(rule);
    scene.store(600, &[100, 200, 300, 400, 500], true);
    let parts = reading_of_entries(&mut scene, view);
    parts.iter().any(|part| !part.contains("(never executed)"))
}

/// How many entries one of the views reads to judge what is new: ten of a log with one each second.
fn entries_read(view: &str, rule: RuleConfig) -> u64 {
    let mut scene = scene(rule);
    let seconds: Vec<i64> = (0..7200).collect();
    scene.run(7200, &seconds);
    scene.store(7210, &(7200..7210).collect::<Vec<_>>(), true);
    entries_of(&mut scene, view)
}

/// How many entries one of the views reads to judge what is new in a log.
fn entries_of(scene: &mut Scene, view: &str) -> u64 {
    let part = Regex::new(r"actual rows=(\d+)\S* loops=(\d+)").unwrap();
    let parts = reading_of_entries(scene, view);
    let read = parts.iter().filter_map(|text| {
        let counts = part.captures(text)?.extract::<2>().1.map(str::parse::<u64>);
        let [Ok(rows), Ok(loops)] = counts else { panic!("{text}") };
        Some(rows * loops)
    });
    read.sum()
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

#[test]
fn of_a_dense_log_not_the_whole_window_is_read() {
    // A fiftieth of the window before, and from the last line there on.
    let few = 72 + 1 + 10;
    let absence = rule(RuleKind::Absence, Some("full"));
    let absence = RuleConfig { within: TimeDelta::hours(1), ..absence };
    assert_eq!(entries_read("silence_hot", absence.clone()), few);
    // Of how many there are, and in which group, the last line says nothing.
    let many = RuleConfig { count: 2, ..absence.clone() };
    assert!(entries_read("silence_hot", many) > 3600);
    let grouped = RuleConfig { group_by: vec![GroupBy::Source, GroupBy::Level], ..absence };
    assert!(entries_read("silence_hot", grouped) > 3600);
    let steps = vec!["disk".to_owned(), "full".to_owned()];
    let missing = RuleConfig { steps, pattern: None, ..rule(RuleKind::MissingFollowUp, None) };
    let missing = RuleConfig { within: TimeDelta::hours(1), ..missing };
    // The new ones for each step.
    assert_eq!(entries_read("missing_follow_up_hot", missing.clone()), few + 1 + 10);
    let grouped = RuleConfig { group_by: vec![GroupBy::Source, GroupBy::Level], ..missing };
    assert!(entries_read("missing_follow_up_hot", grouped) > 3600);
}

#[test]
fn of_a_bucket_only_what_is_new_is_read() {
    for kind in [RuleKind::Spike, RuleKind::Baseline] {
        let (within, lookback) = (TimeDelta::hours(1), Some(TimeDelta::weeks(5)));
        let rule = RuleConfig { within, lookback, ..rule(kind, Some("full")) };
        let view = if kind == RuleKind::Spike { "spike_hot" } else { "baseline_hot" };
        let mut scene = scene(rule);
        let seconds: Vec<i64> = (120..7000).collect();
        scene.run(7000, &seconds);
        scene.store(7010, &(7000..7010).collect::<Vec<_>>(), true);
        // The last moment that was counted, and the new ones.
        assert_eq!(entries_of(&mut scene, view), 1 + 10, "{view}");
    }
}
