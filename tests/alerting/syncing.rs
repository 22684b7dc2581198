//! Rules that change, go and come back, and whose sources they judge.

use std::thread;

use chrono::TimeDelta;
use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tripline::alerting::{self, RuleError};
use tripline::config::{Config, RuleConfig, RuleKind};
use tripline::model::Level;

use crate::bench::tick;
use crate::oracle::{FOREVER, Kind, Line, Rule, SECOND};
use crate::scene::{HOST, Scene, errors_at, pair, second};

fn rows(scene: &mut Scene, statement: &str) -> i64 {
    #[derive(QueryableByName)]
    struct Count {
        #[diesel(sql_type = BigInt)]
        count: i64,
    }
    let count: Count =
        diesel::sql_query(statement).get_result(&mut scene.bench.connection).unwrap();
    count.count
}

#[test]
fn a_changed_rule_does_not_raise_again_what_it_has_raised() {
    let mut scene = Scene::new();
    assert_eq!(scene.run(5, &[1, 2]), "A fired 1");
    scene.sync(HOST, &[Rule { count: 1, levels: vec![Level::Error, Level::Fatal], ..pair() }], 6);
    assert_eq!(scene.run(6, &[]), "");
    assert_eq!(scene.run(7, &[6]), "");
    assert_eq!(scene.alerts(), "A 2-66");
    scene.sync(HOST, &[Rule { within_seconds: 10, ..pair() }], 8);
    assert_eq!(scene.run(9, &[8]), "");
    assert_eq!(scene.run(66, &[]), "A resolved 1");
    assert_eq!(rows(&mut scene, "select count(*) from alert_rules"), 1);
}

#[test]
fn what_has_waited_since_many_lines_is_evaluated_at_once() {
    let stale = Kind::Blind { stale_after_seconds: Some(100), percent: None, at_least: 1 };
    let mut scene = Scene::with_rules(HOST, &[Rule { kind: stale, ..pair() }]);
    // After each line the log may become silent, which is to be looked at when the time has come.
    for at in (0..100).step_by(10) {
        scene.store(at, &[at], true);
        scene.evaluate_only(at);
    }
    let held = "select count(*) from ingest_state, unnest(held)";
    assert_eq!(rows(&mut scene, held), 10);
    scene.store(105, &[105], true);
    let log = scene.logs[0].id;
    let left = alerting::evaluate_together(&mut scene.bench.connection, &[log], second(105));
    assert_eq!(left.unwrap().more, []);
    assert_eq!(rows(&mut scene, held), 1);
    assert_eq!(scene.alerts(), "");
}

#[test]
fn a_blind_rule_may_lose_a_limit() {
    let blind = |stale_after_seconds, percent| Rule {
        kind: Kind::Blind { stale_after_seconds, percent, at_least: 1 },
        ..pair()
    };
    let mut scene = Scene::with_rules(HOST, &[blind(Some(3600), Some(10.0))]);
    let run = |scene: &mut Scene, second: i64, now| {
        let lines = [Line { unparsed: 3, ..Line::error(second * SECOND, "x") }];
        scene.bench.store(&mut scene.logs[0], None, &lines, tick(now * SECOND), true);
        let log = scene.logs[0].id;
        alerting::evaluate(&mut scene.bench.connection, log, tick(now * SECOND)).unwrap()
    };
    assert_eq!(run(&mut scene, 1, 120), []);
    assert_eq!(scene.alerts(), "A 0-60");
    scene.sync(HOST, &[blind(Some(3600), None)], 120);
    // The minute is judged again, and now without a limit.
    assert_eq!(run(&mut scene, 2, 180), []);
    assert_eq!(scene.alerts(), "");
    assert_eq!(run(&mut scene, 3, 8000), []);
    assert_eq!(scene.alerts(), format!("A 3603-{}", FOREVER / SECOND));
    scene.sync(HOST, &[blind(None, Some(90.0))], 8000);
    assert_eq!(run(&mut scene, 8100, 8101), []);
    assert_eq!(scene.alerts(), "A 3603-8101");
}

#[test]
fn a_changed_rule_forgets_what_has_come_by_its_new_words() {
    let followed_by = |word: &str| {
        let steps = vec!["disk".to_owned(), word.to_owned()];
        let within = TimeDelta::seconds(100);
        RuleConfig { steps, within, ..RuleConfig::new("rule", RuleKind::MissingFollowUp) }
    };
    let mut scene = Scene::with_rules(HOST, &[]);
    let mut run = |rule, now, lines: &[(i64, &str)]| {
        scene.bench.sync(HOST, &[rule], second(now)).unwrap();
        let lines: Vec<_> = lines.iter().map(|(at, text)| Line::error(at * SECOND, text)).collect();
        scene.bench.store(&mut scene.logs[0], None, &lines, second(now), true);
        scene.evaluate_only(now);
        scene.alerts()
    };
    let lines = [(10, "disk full"), (95, "net full"), (150, "other")];
    let missing = format!("A 110-{}", FOREVER / SECOND);
    assert_eq!(run(followed_by("lost"), 150, &lines), missing);
    // The line at 95, which follows now, is so near to the late one that those before it are read
    // only because of what is kept.
    assert_eq!(run(followed_by("net"), 151, &[(99, "other")]), "");
}

#[test]
fn a_new_rule_judges_what_is_read_from_then_on() {
    let mut scene = Scene::with_rules(HOST, &[]);
    assert_eq!(scene.run(5, &[1, 2]), "");
    scene.sync(HOST, &[pair()], 6);
    assert_eq!(scene.run(6, &[]), "");
    // With one window of look-back: the entry at 2 counts.
    assert_eq!(scene.run(61, &[61]), "A fired 1");
    assert_eq!(scene.alerts(), "A 61-62");
}

#[test]
fn a_new_rule_does_not_judge_what_lies_between_late_and_new_lines() {
    let long = Rule { name: "long".to_owned(), count: 1000, within_seconds: 3600, ..pair() };
    let mut scene = Scene::with_rules(HOST, std::slice::from_ref(&long));
    assert_eq!(scene.run(1010, &[1000, 1001]), "");
    scene.sync(HOST, &[long, pair()], 1020);
    assert_eq!(scene.run(2001, &[5, 2000]), "");
    assert_eq!(scene.alerts(), "");
}

#[test]
fn the_open_alert_of_a_retired_rule_is_resolved() {
    let mut scene = Scene::new();
    assert_eq!(scene.run(5, &[1, 2]), "A fired 1");
    scene.sync(HOST, &[], 6);
    assert_eq!(scene.run(10, &[3, 4, 9]), "");
    assert_eq!(scene.run(61, &[]), "A resolved 1");
    assert_eq!(scene.alerts(), "A 2-61");
}

#[test]
fn a_rule_that_comes_back_is_the_same_rule() {
    let mut scene = Scene::new();
    assert_eq!(scene.run(5, &[1, 2]), "A fired 1");
    scene.sync(HOST, &[], 6);
    assert_eq!(scene.run(7, &[6]), "");
    scene.sync(HOST, &[pair()], 8);
    assert_eq!(scene.run(9, &[8]), "");
    assert_eq!(scene.alerts(), "A 2-66");
    assert_eq!(scene.run(70, &[]), "A resolved 1");
    assert_eq!(scene.run(210, &[201, 202]), "B fired 1");
    assert_eq!(rows(&mut scene, "select count(*) from alert_rules"), 1);
}

#[test]
fn each_host_judges_its_own_sources_by_its_own_rules() {
    let mut scene = Scene::new();
    scene.sync("other", &[pair()], 0);
    let mut log = scene.bench.log("other", "/log");
    scene.bench.store(&mut log, None, &errors_at(&[1, 2]), second(5), true);
    scene.logs.push(log);
    assert_eq!(scene.run(5, &[1, 2]), "A fired 1, B fired 1");
    let pairs = "select count(distinct (source_id, rule_id)) as count from alerts
                 join sources on sources.id = source_id
                 join alert_rules on alert_rules.id = rule_id and alert_rules.host = sources.host";
    assert_eq!(rows(&mut scene, pairs), 2);
    // The other host's config is not touched by this one's.
    scene.sync(HOST, &[], 6);
    let kept = "select count(*) from alert_rules where host = 'other' and retired_at is null";
    assert_eq!(rows(&mut scene, kept), 1);
}

#[test]
fn rules_for_all_hosts_judge_every_source() {
    let mut scene = Scene::with_rules("*", &[pair()]);
    let mut log = scene.bench.log("other", "/log");
    scene.bench.store(&mut log, None, &errors_at(&[1, 2]), second(5), true);
    scene.logs.push(log);
    assert_eq!(scene.run(5, &[1, 2]), "A fired 1, B fired 1");
    assert_eq!(rows(&mut scene, "select count(distinct source_id) from alerts"), 2);
}

#[test]
fn an_invalid_pattern_changes_nothing() {
    let mut scene = Scene::new();
    let invalid = crate::oracle::Pattern { regex: "disk (full", matches: |_| None };
    let changed = Rule { count: 9, ..pair() };
    let rule = Rule { name: "broken".to_owned(), pattern: Some(invalid), ..pair() };
    let rules = [changed.config(), rule.config()];
    let error = scene.bench.sync(HOST, &rules, second(1)).unwrap_err();
    let RuleError::Pattern { rule, pattern, message } = error else { panic!("{error:?}") };
    assert_eq!((rule.as_str(), pattern.as_str()), ("broken", "disk (full"));
    assert!(message.contains("parentheses () not balanced"), "{message}");
    assert_eq!(rows(&mut scene, "select count(*) from alert_rules where count = 2"), 1);
    assert_eq!(rows(&mut scene, "select count(*) from alert_rules"), 1);
}

#[test]
fn syncing_the_same_rules_again_writes_nothing() {
    let mut scene = Scene::new();
    let version = "select sum(xmin::text::bigint)::bigint as count from alert_rules";
    let before = rows(&mut scene, version);
    scene.sync(HOST, &[pair()], 100);
    assert_eq!(rows(&mut scene, version), before);
}

#[test]
fn only_sources_with_something_to_do_are_evaluated() {
    let mut scene = Scene::new();
    let waiting = |scene: &mut Scene, host: Option<&str>| {
        alerting::sources_to_evaluate(&mut scene.bench.connection, host, second(100)).unwrap().len()
    };
    assert_eq!(waiting(&mut scene, Some(HOST)), 0);
    scene.store(5, &[1, 2], true);
    assert_eq!(waiting(&mut scene, Some(HOST)), 1);
    assert_eq!(waiting(&mut scene, Some("other")), 0);
    assert_eq!(waiting(&mut scene, None), 1);
    scene.evaluate_only(5);
    assert_eq!(waiting(&mut scene, None), 1, "an alert is to be announced");
    scene.alert(5);
    assert_eq!(waiting(&mut scene, None), 0);
    scene.store(61, &[], true);
    assert_eq!(waiting(&mut scene, None), 1, "its end is to be announced");
}

#[test]
fn two_evaluations_at_once_give_one_alert() {
    let mut scene = Scene::new();
    scene.store(100, &[1, 2, 11, 12, 21], false);
    let id = scene.logs[0].id;
    thread::scope(|scope| {
        for _ in 0..4 {
            let mut connection = scene.bench.connect();
            scope.spawn(move || {
                alerting::evaluate(&mut connection, id, second(100)).unwrap();
                alerting::announce(
                    &mut connection,
                    id,
                    HOST,
                    &Config::default(),
                    second(100),
                    &mut alerting::Storms::new(u32::MAX),
                )
                .unwrap();
            });
        }
    });
    assert_eq!(scene.alert(100), "A fired 1");
}

#[test]
fn slices_go_on_where_there_is_no_rule_and_all_happens_at_once() {
    let mut scene = Scene::with_rules(HOST, &[]);
    scene.store(100, &[1, 1, 1, 1, 2, 3], true);
    let id = scene.logs[0].id;
    alerting::evaluate_in_slices(&mut scene.bench.connection, id, second(100), 1).unwrap();
    assert_eq!(scene.run(101, &[]), "");
}
