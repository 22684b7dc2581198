//! Buckets are counted once, and anew where what was counted is no longer what a rule counts.

use chrono::TimeDelta;
use diesel::prelude::*;
use tripline::config::{GroupBy, RuleConfig, RuleKind};
use tripline::store::{housekeeping, schema};

use crate::bench::place;
use crate::oracle::{Line, SECOND};
use crate::scene::{HOST, Scene, second};

/// Holds for a bucket of an hour with so many entries that match. A bucket that seemed to have enough
/// is looked at again when it is over; one that did not is not.
fn spike(pattern: &str, at_least: u32) -> RuleConfig {
    RuleConfig {
        pattern: Some(pattern.to_owned()),
        factor: Some(1.0),
        at_least: Some(at_least),
        within: TimeDelta::hours(1),
        ..RuleConfig::new("spike", RuleKind::Spike)
    }
}

fn scene(rule: RuleConfig) -> Scene {
    let mut scene = Scene::with_rules(HOST, &[]);
    scene.bench.sync(HOST, &[rule], second(0)).unwrap();
    scene
}

/// What was measured for each alert, in their order, once nothing more can come.
fn measured(scene: &mut Scene) -> Vec<f64> {
    scene.run(20_000, &[]);
    let alerts = scene.bench.alerts(&scene.logs);
    alerts.into_iter().map(|alert| alert.measured).collect()
}

#[test]
fn a_rule_that_changes_counts_anew() {
    let mut scene = scene(spike("lost", 4));
    scene.run(200, &[130, 140]);
    scene.bench.sync(HOST, &[spike("full", 4)], second(210)).unwrap();
    scene.run(300, &[220, 230]);
    assert_eq!(measured(&mut scene), [4.0]);
}

#[test]
fn a_rule_that_comes_back_counts_what_it_has_missed() {
    let mut scene = scene(spike("full", 5));
    scene.run(200, &[130, 140]);
    scene.bench.sync(HOST, &[], second(210)).unwrap();
    scene.run(300, &[220, 230]);
    scene.bench.sync(HOST, &[spike("full", 5)], second(310)).unwrap();
    scene.run(400, &[320]);
    assert_eq!(measured(&mut scene), [5.0]);
}

#[test]
fn counting_does_not_begin_with_a_late_line() {
    let mut scene = scene(spike("lost", 3));
    scene.run(200, &[130]);
    scene.run(8000, &[7500, 7600]);
    scene.bench.sync(HOST, &[spike("full", 3)], second(8010)).unwrap();
    // The first line that the rule judges is older than others, which it knows.
    scene.run(8100, &[140]);
    scene.run(8200, &[7700]);
    assert_eq!(measured(&mut scene), [3.0]);
}

#[test]
fn lines_of_the_moment_at_which_counting_stopped_are_counted_once() {
    for (at_least, expected) in [(11, vec![11.0]), (12, vec![])] {
        let mut scene = scene(spike("full", at_least));
        scene.run(200, &[130, 140, 140]);
        scene.run(300, &[140, 140]);
        scene.run(400, &[140, 150]);
        // Nothing matches for a while, and then a line comes late.
        let other = Line::error(410 * SECOND, "other");
        scene.bench.store(&mut scene.logs[0], None, &[other], second(420), true);
        scene.alert(420);
        scene.run(500, &[150, 450]);
        scene.run(600, &[135, 460]);
        assert_eq!(measured(&mut scene), expected);
    }
}

#[test]
fn lines_that_nobody_has_any_more_are_not_counted_across_sources() {
    let mut scene = scene(RuleConfig { group_by: vec![GroupBy::Host], ..spike("full", 3) });
    let owner = scene.bench.owner(HOST).unwrap();
    scene.logs.push(owner);
    scene.run(200, &[130, 140]);
    let (log, connection) = (scene.logs[0].id, &mut scene.bench.connection);
    housekeeping::reset(connection, log, |_| place(0)).unwrap().unwrap();
    scene.logs[0].begin_again();
    scene.run(300, &[130, 140, 150]);
    assert_eq!(measured(&mut scene), [3.0]);
}

#[test]
fn counts_that_nobody_needs_any_more_are_deleted() {
    let mut scene = scene(spike("full", 1));
    scene.run(200, &[130]);
    for hour in 1..6 {
        scene.run(hour * 3600 + 200, &[hour * 3600 + 130]);
    }
    let buckets: i64 =
        schema::bucket_counts::table.count().get_result(&mut scene.bench.connection).unwrap();
    assert!(buckets <= 3, "{buckets} buckets");
}
