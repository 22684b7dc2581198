//! Two evaluations of the same at the same time give one alert each, and one message.

use std::sync::Barrier;
use std::thread;

use diesel::pg::PgConnection;
use diesel::prelude::*;
use tripline::alerting::{self, Storms};
use tripline::model::SourceId;

use crate::oracle::Rule;
use crate::scene::{HOST, Scene, errors_at, pair, second};
use crate::support::cases;

/// So far apart that bursts are alerts of their own.
const SECONDS_BETWEEN_BURSTS: i64 = 100;

#[test]
fn two_that_evaluate_the_same_at_the_same_time_give_each_alert_once() {
    let across = Rule { name: "across".to_owned(), across: true, ..pair() };
    let mut scene = Scene::with_rules(HOST, &[pair(), across]);
    scene.logs.extend(scene.bench.owner(HOST));
    let sources: Vec<SourceId> = scene.logs.iter().map(|log| log.id).collect();
    assert_eq!(sources.len(), 2, "the log, and what stands for all logs");
    let mut connections = [scene.bench.connect(), scene.bench.connect()];
    // In each of them a burst of entries is new, and all that was there is evaluated again.
    let rounds = i64::try_from(cases(100)).unwrap();
    for round in 0..rounds {
        let now = round * SECONDS_BETWEEN_BURSTS;
        let lines = errors_at(&[now + 1, now + 2]);
        scene.bench.store(&mut scene.logs[0], None, &lines, second(now + 3), true);
        diesel::sql_query(
            "update ingest_state
             set dirty = coalesce((
                 select tstzmultirange(tstzrange(min(logged_at), max(logged_at), '[]'))
                 from log_entries
             ), '{}')",
        )
        .execute(&mut scene.bench.connection)
        .unwrap();
        let barrier = Barrier::new(connections.len());
        thread::scope(|scope| {
            for (connection, together) in connections.iter_mut().zip([round % 2 == 0, true]) {
                let (barrier, sources) = (&barrier, &sources);
                scope.spawn(move || {
                    barrier.wait();
                    alert(connection, sources, now + 3, together);
                });
            }
        });
    }
    let alerts = scene.bench.alerts(&scene.logs);
    assert_eq!(alerts.len(), 2 * usize::try_from(rounds).unwrap(), "one for each burst and rule");
    assert!(alerts.iter().all(|alert| alert.merged_into.is_none()));
    // Each fires as soon as it holds, and is over when the next one does.
    let mut told = scene.bench.notifications(&scene.logs);
    assert_eq!(told.len(), 2 * alerts.len() - 2);
    told.sort_by(|a, b| (a.alert_id, &a.kind).cmp(&(b.alert_id, &b.kind)));
    told.dedup();
    assert_eq!(told.len(), 2 * alerts.len() - 2, "something was told twice");
    let content = scene.bench.content(&scene.logs);
    alert(&mut connections[0], &sources, rounds * SECONDS_BETWEEN_BURSTS - 97, true);
    assert_eq!(scene.bench.content(&scene.logs), content);
}

/// What a run does with what is stored: sources with little that is new are evaluated together.
fn alert(connection: &mut PgConnection, sources: &[SourceId], now: i64, together: bool) {
    let (mut storms, now) = (Storms::new(u32::MAX), second(now));
    for source in sources {
        let mut left = vec![*source];
        if together {
            let others = alerting::evaluate_together(connection, &left, now).unwrap();
            left = [others.more, others.alone].concat();
        }
        for source in left {
            alerting::evaluate(connection, source, now).unwrap();
        }
        let config = tripline::config::Config::default();
        alerting::announce(connection, *source, HOST, &config, now, &mut storms).unwrap();
    }
}
