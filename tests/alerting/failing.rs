//! A rule that fails is passed over, and catches up once it works again.

use diesel::prelude::*;
use tripline::alerting;
use tripline::config::{RuleConfig, RuleKind};

use crate::oracle::Rule;
use crate::scene::{HOST, Scene, pair, second};

fn other() -> Rule {
    Rule { name: "other".to_owned(), count: 1, ..Rule::default() }
}

/// No regular expression: the config would be refused, so somebody else must have written it.
fn exclude(scene: &mut Scene, pattern: &str) {
    diesel::sql_query(format!(
        "update alert_rules set exclude = '{{{pattern}}}' where name = 'pair'"
    ))
    .execute(&mut scene.bench.connection)
    .unwrap();
}

/// The rules that fail in a run, and whether people are told.
fn failures(scene: &mut Scene, now: i64) -> Vec<(String, bool)> {
    let source = scene.logs[0].id;
    let failures = alerting::evaluate(&mut scene.bench.connection, source, second(now)).unwrap();
    failures.into_iter().map(|failure| (failure.rule, failure.tell)).collect()
}

#[test]
fn the_other_rules_go_on_and_the_failing_one_catches_up() {
    let mut scene = Scene::with_rules(HOST, &[pair(), other()]);
    exclude(&mut scene, "(");
    scene.store(5, &[1, 2], true);
    assert_eq!(failures(&mut scene, 5), [("pair".to_owned(), true)]);
    assert_eq!(scene.alert(5), "A fired 1");
    assert_eq!(scene.alerts(), "A 1-62", "of the other rule");

    // It is not tried again at once, and told once an hour.
    scene.store(20, &[20], true);
    assert_eq!(failures(&mut scene, 20), []);
    scene.store(70, &[70], true);
    assert_eq!(failures(&mut scene, 70), [("pair".to_owned(), false)]);
    scene.store(4000, &[3999], true);
    assert_eq!(failures(&mut scene, 4000), [("pair".to_owned(), true)]);

    exclude(&mut scene, "");
    scene.store(9000, &[8999], true);
    assert_eq!(failures(&mut scene, 9000), []);
    // C and D are what it had missed.
    assert_eq!(scene.alerts(), "A 1-130, B 3999-4059, C 2-62, D 70-80, E 8999-9059");
}

#[test]
fn a_failing_rule_is_tried_again_without_new_lines() {
    let mut scene = Scene::with_rules(HOST, &[pair()]);
    exclude(&mut scene, "(");
    scene.store(5, &[1, 2], true);
    assert_eq!(failures(&mut scene, 5), [("pair".to_owned(), true)]);
    exclude(&mut scene, "");
    scene.store(66, &[], true);
    assert_eq!(scene.alert(66), "A resolved 1");
    assert_eq!(scene.alerts(), "A 2-61");
}

#[test]
fn a_blind_rule_tells_of_one_that_fails_again_and_again_and_when_it_works_again() {
    let mut scene = Scene::with_rules(HOST, &[]);
    let blind = RuleConfig::new("blind", RuleKind::Blind);
    scene.bench.sync(HOST, &[pair().config(), blind], second(0)).unwrap();
    exclude(&mut scene, "(");
    let run = |scene: &mut Scene, now: i64, entries: &[i64]| {
        scene.store(now, entries, true);
        failures(scene, now);
        scene.alert(now)
    };
    assert_eq!([5, 70].map(|now| run(&mut scene, now, &[now - 1])), ["", ""]);
    assert_eq!([200, 500].map(|now| run(&mut scene, now, &[now - 1])), ["A fired 1", ""]);

    // It is tried again though no line comes.
    exclude(&mut scene, "");
    assert_eq!([1500, 1560].map(|now| run(&mut scene, now, &[])), ["A resolved 1", ""]);
    assert_eq!(scene.alerts(), "A 5-1500");
}
