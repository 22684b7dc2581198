//! Only rules are judged for which there may be something new.

use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text};
use tripline::config::{RuleConfig, RuleKind};
use tripline::store::sources::{self, SourceSettings};

use crate::bench::tick;
use crate::scene::{HOST, Scene, errors_at, second};

/// A spike of what matches a pattern.
fn spike(pattern: &str) -> RuleConfig {
    let pattern = Some(pattern.to_owned());
    RuleConfig { pattern, factor: Some(2.0), ..RuleConfig::new("spike", RuleKind::Spike) }
}

/// A log with a line at second 100, which is evaluated by such a spike.
fn scene(pattern: &str) -> Scene {
    let mut scene = Scene::with_rules(HOST, &[]);
    scene.bench.sync(HOST, &[spike(pattern)], second(0)).unwrap();
    scene.run(100, &[100]);
    scene
}

/// The rules that the next evaluation judges.
fn concerned(scene: &mut Scene) -> Vec<String> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        name: String,
    }
    let statement = include_str!("../../src/alerting/concerned.sql");
    let query = format!(
        "with concerned as ({statement})
         select rule.name
         from concerned
         join alert_rules rule on rule.id = concerned.rule_id
         order by rule.name"
    );
    let rows: Vec<Row> = diesel::sql_query(query)
        .bind::<Array<BigInt>, _>(vec![scene.logs[0].id.0])
        .bind::<Nullable<Array<BigInt>>, _>(None::<Vec<i64>>)
        .bind::<Array<BigInt>, _>(Vec::<i64>::new())
        .load(&mut scene.bench.connection)
        .unwrap();
    rows.into_iter().map(|row| row.name).collect()
}

#[test]
fn rules_are_judged_where_a_new_entry_matches() {
    let named = |name: &str, rule: RuleConfig| RuleConfig { name: name.to_owned(), ..rule };
    let of = |name: &str, kind, pattern: &str| RuleConfig {
        pattern: Some(pattern.to_owned()),
        percent: Some(5.0),
        ..RuleConfig::new(name, kind)
    };
    let steps = |name: &str, steps: [&str; 2]| RuleConfig {
        steps: steps.map(str::to_owned).to_vec(),
        ..RuleConfig::new(name, RuleKind::Sequence)
    };
    let mut scene = Scene::with_rules(HOST, &[]);
    let rules = [
        named("spike", spike("disk .*full")),
        named("no spike", spike("disk .*lost")),
        of("threshold", RuleKind::Threshold, "full"),
        of("no threshold", RuleKind::Threshold, "lost"),
        steps("sequence", ["lost", "full"]),
        steps("no sequence", ["lost", "found"]),
        // A line that does not match changes the share.
        of("ratio", RuleKind::Ratio, "lost"),
    ];
    scene.bench.sync(HOST, &rules, second(0)).unwrap();
    assert_eq!(concerned(&mut scene), [""; 0], "rules are new, but there is no line");
    scene.run(100, &[100]);
    assert_eq!(concerned(&mut scene), [""; 0]);
    scene.store(110, &[110], true);
    assert_eq!(concerned(&mut scene), ["ratio", "sequence", "spike", "threshold"]);
    scene.alert(110);
    assert_eq!(concerned(&mut scene), [""; 0]);
}

#[test]
fn rules_are_judged_where_a_stored_entry_has_changed() {
    let mut scene = scene("lost");
    scene.store(110, &[110], true);
    assert_eq!(concerned(&mut scene), [""; 0]);
    scene.alert(110);
    scene.bench.store(&mut scene.logs[0], Some("at main"), &[], second(120), true);
    assert_eq!(concerned(&mut scene), ["spike"]);
    scene.alert(120);
    scene.store(130, &[130], true);
    assert_eq!(concerned(&mut scene), [""; 0], "that was once");
}

#[test]
fn rules_are_judged_where_they_have_changed() {
    let mut scene = scene("lost");
    let rule = RuleConfig { factor: Some(3.0), ..spike("lost") };
    scene.bench.sync(HOST, &[rule], second(105)).unwrap();
    scene.store(110, &[110], true);
    assert_eq!(concerned(&mut scene), ["spike"]);
}

#[test]
fn rules_are_judged_where_the_source_has_another_name() {
    let mut scene = scene("lost");
    let mut register = |name: &str| {
        let settings = SourceSettings {
            name: name.to_owned(),
            format: "auto".to_owned(),
            timezone: "UTC".to_owned(),
        };
        let connection = &mut scene.bench.connection;
        sources::register(connection, HOST, "/log", &settings, tick(0)).unwrap();
        let lines = errors_at(&[110]);
        scene.bench.store(&mut scene.logs[0], None, &lines, second(110), true);
        concerned(&mut scene)
    };
    assert_eq!(register("/log"), [""; 0]);
    assert_eq!(register("other"), ["spike"]);
}

#[test]
fn late_lines_concern_the_baselines_of_later_weeks() {
    let week = 7 * 86_400;
    let mut scene = Scene::with_rules(HOST, &[]);
    let rule = RuleConfig { kind: RuleKind::Baseline, ..spike("lost") };
    scene.bench.sync(HOST, &[rule], second(0)).unwrap();
    scene.run(week + 100, &[week + 100]);
    scene.store(week + 110, &[week + 110], true);
    assert_eq!(concerned(&mut scene), [""; 0]);
    scene.alert(week + 110);
    scene.store(week + 120, &[120], true);
    assert_eq!(concerned(&mut scene), ["spike"], "there was a line in the week before");
}
