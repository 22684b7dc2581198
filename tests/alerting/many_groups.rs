//! Alerts of many groups grow in one statement.

use diesel::prelude::*;
use diesel::sql_types::BigInt;
use tripline::alerting;

use crate::oracle::{Line, Part, Rule, SECOND};
use crate::scene::{HOST, Scene, second};

#[derive(QueryableByName)]
struct Counted {
    #[diesel(sql_type = BigInt)]
    alerts: i64,
    #[diesel(sql_type = BigInt)]
    groups: i64,
}

/// Found by the random histories: PostgreSQL lost alerts out of the index of the exclusion
/// constraint (see the migration `live_alerts`) where its only page was split while they grew.
#[test]
fn an_alert_of_each_group_grows_and_none_is_doubled() {
    // With so many, one of the rounds splits the page.
    for more_groups in [15, 17, 36] {
        grow_with(more_groups);
    }
}

/// Every group has an entry in each of eight rounds, and each round has more groups.
fn grow_with(more_groups: i64) {
    let rule = Rule { count: 1, within_seconds: 60, key: vec![Part::Message], ..Rule::default() };
    let mut scene = Scene::with_rules(HOST, &[rule]);
    for round in 0..8 {
        let groups = more_groups * (round + 1);
        let line = |group| Line::error(round * 30 * SECOND + group, &format!("group {group}"));
        let lines: Vec<Line> = (0..groups).map(line).collect();
        let now = second(round * 30 + 1);
        scene.bench.store(&mut scene.logs[0], None, &lines, now, true);
        alerting::evaluate(&mut scene.bench.connection, scene.logs[0].id, now).unwrap();
        scene.bench.announce(&scene.logs[0], now);
        let counted: Counted = diesel::sql_query(
            "select count(*) as alerts, count(distinct group_key) as groups from alerts
             where merged_into is null and retracted_at is null",
        )
        .get_result(&mut scene.bench.connection)
        .unwrap();
        assert_eq!((counted.alerts, counted.groups), (groups, groups), "in round {round}");
    }
}
