//! What rules read to be judged: the counts of lines by minute where they suffice.

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text};
use regex::Regex;
use tripline::config::{GroupBy, RuleConfig, RuleKind};

use crate::oracle::{Line, SECOND};
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

#[test]
fn a_bucket_that_cannot_have_enough_different_values_is_not_read() {
    let entries = |count: u32| {
        let within = TimeDelta::hours(1);
        let rule = RuleConfig { count, within, ..rule(RuleKind::Distinct, Some("(full)")) };
        let mut scene = scene(rule);
        let seconds: Vec<i64> = (120..1120).collect();
        scene.run(1120, &seconds);
        scene.store(1130, &(1120..1130).collect::<Vec<_>>(), true);
        entries_of(&mut scene, "distinct_hot")
    };
    // The last moment that was counted, and the new ones.
    assert_eq!(entries(2_000), 1 + 10);
    assert_eq!(entries(1_000), 1 + 10 + 1010);
}

/// How many rows a statement about an alert threw away, whose first and second parameters these are.
fn rows_removed(scene: &mut Scene, statement: &str, first: i64, second: &str) -> u64 {
    let plan: Vec<PlanLine> =
        diesel::sql_query(format!("explain (analyze, timing off) {statement}"))
            .bind::<BigInt, _>(first)
            .bind::<Text, _>(second)
            .load(&mut scene.bench.connection)
            .unwrap();
    let part = Regex::new(r"Rows Removed by .*: (\d+)").unwrap();
    let removed = plan.iter().filter_map(|line| part.captures(&line.text)?[1].parse::<u64>().ok());
    removed.sum()
}

#[test]
fn what_a_message_says_is_looked_for_near_the_alert() {
    let mut scene = scene(RuleConfig { count: 2, ..rule(RuleKind::Threshold, Some("full")) });
    scene.run(20, &[10, 11]);
    let other = |second: i64| Line::error(second * SECOND, "other");
    let others: Vec<Line> = (1000..8000).map(other).collect();
    scene.bench.store(&mut scene.logs[0], None, &others, second(8000), true);
    scene.alert(8000);
    // Or the planner takes the partition for empty.
    diesel::sql_query("analyze log_entries").execute(&mut scene.bench.connection).unwrap();
    let (source, alert) = (scene.logs[0].id.0, scene.bench.alerts(&scene.logs)[0].id);
    let matching = include_str!("../../src/report/matching.sql");
    for (statement, first, second) in [
        (include_str!("../../src/notify/samples.sql"), source, alert.to_string()),
        (include_str!("../../src/notify/samples_of_many.sql"), source, format!("{{{alert}}}")),
        (&format!("{matching} select * from matching"), alert, "1".to_owned()),
    ] {
        let typed = statement
            .replace("any ($2)", "any ($2::bigint[])")
            .replace("= $2", "= $2::text::bigint")
            .replace("$3", "3");
        let removed = rows_removed(&mut scene, &typed, first, &second);
        assert!(removed < 100, "{removed} rows were looked at in vain: {statement}");
    }
}
