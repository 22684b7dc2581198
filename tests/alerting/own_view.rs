//! Alerts of a rule of kind `sql` are what its view has returned, tick by tick.

use std::cell::RefCell;
use std::collections::BTreeMap;
use std::fmt::Write as _;

use chrono::TimeDelta;
use diesel::connection::SimpleConnection;
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tripline::alerting;
use tripline::config::{RuleConfig, RuleKind};

use crate::bench::{Alert, Bench, moment, tick};
use crate::oracle::{Episode, FOREVER, Interval, SECOND, episodes_of, most};
use crate::support;

/// Random histories of a few ticks, unless `TRIPLINE_TEST_CASES` says how many.
const CASES: usize = 1_000;

/// What is returned: until when it holds and what was measured, by group and beginning.
type Rows = BTreeMap<(&'static str, i64), (i64, f64)>;

/// What the view returns from so many seconds after the tick before on.
fn steps() -> impl Strategy<Value = Vec<(i64, Rows)>> {
    let key = (prop::sample::select(&["", "a", "b"][..]), (0i64..40).prop_map(|at| at * SECOND));
    let length = prop_oneof![2 => (0i64..15).prop_map(Some), 1 => Just(None)];
    let row = (key, length, 0u8..5).prop_map(|((group, from), length, measured)| {
        let until = length.map_or(FOREVER, |seconds| from + seconds * SECOND);
        ((group, from), (until, f64::from(measured)))
    });
    let rows = prop::collection::vec(row, 0..6).prop_map(Rows::from_iter);
    prop::collection::vec((0i64..15, rows), 1..7)
}

/// What is known of the view's rows after a tick: what it no longer returns and would go on,
/// ends.
fn keep(kept: &mut Rows, returned: &Rows, now: i64) {
    for ((_, from), (until, _)) in kept.iter_mut().filter(|(key, _)| !returned.contains_key(key)) {
        if *until > now {
            *until = now.max(*from);
        }
    }
    kept.extend(returned);
}

fn episodes(kept: &Rows, keep_firing: i64) -> Vec<Episode> {
    let mut groups: BTreeMap<&str, Vec<Interval>> = BTreeMap::new();
    for (&(group, from), &(until, measured)) in kept {
        groups.entry(group).or_default().push(Interval { from, until, measured });
    }
    let of_group = |(group, intervals): (&str, Vec<Interval>)| {
        episodes_of("own", group, &intervals, keep_firing, most)
    };
    groups.into_iter().flat_map(of_group).collect()
}

/// Makes the view return these rows.
fn set(bench: &mut Bench, rows: &Rows) {
    let mut statement = "truncate told;".to_owned();
    for ((group, from), (until, measured)) in rows {
        let from = moment(*from);
        let until = match *until {
            FOREVER => "null".to_owned(),
            until => format!("'{}'", moment(until)),
        };
        write!(statement, "insert into told values ('{group}', '{from}', {until}, {measured});")
            .unwrap();
    }
    bench.connection.batch_execute(&statement).unwrap();
}

#[test]
fn alerts_are_what_a_view_has_returned() {
    let mut bench = Bench::new();
    bench
        .connection
        .batch_execute(
            "create table told (
                 group_key text, started_at timestamptz, ended_at timestamptz, measured float8
             );
             create view own as select * from told",
        )
        .unwrap();
    let bench = RefCell::new((bench, 0));
    let cases = u32::try_from(support::cases(CASES)).unwrap();
    let config = ProptestConfig { cases, failure_persistence: None, ..<_>::default() };
    let histories = (steps(), prop_oneof![2 => Just(0), 1 => 1i64..20]);
    let outcome = TestRunner::new(config).run(&histories, |(steps, keep_firing)| {
        let (bench, number) = &mut *bench.borrow_mut();
        *number += 1;
        check(bench, &format!("host{number}"), &steps, keep_firing)
    });
    outcome.unwrap();
}

fn check(
    bench: &mut Bench,
    host: &str,
    steps: &[(i64, Rows)],
    keep_firing: i64,
) -> Result<(), TestCaseError> {
    let rule = RuleConfig {
        view: Some("own".to_owned()),
        keep_firing: TimeDelta::seconds(keep_firing),
        group_by: Vec::new(),
        ..RuleConfig::new("own", RuleKind::Sql)
    };
    bench.sync(host, &[rule], tick(0)).unwrap();
    let owner = [bench.owner(host).unwrap()];
    let (mut kept, mut now) = (Rows::new(), 0);
    for (seconds, rows) in steps {
        now += seconds * SECOND;
        set(bench, rows);
        keep(&mut kept, rows, now);
        for _ in 0..2 {
            let failures =
                alerting::evaluate_views(&mut bench.connection, host, tick(now)).unwrap();
            prop_assert!(failures.is_empty(), "{:?}", failures);
        }
        let alerts = bench.alerts(&owner);
        let live = alerts.iter().filter(|alert| alert.merged_into.is_none());
        let mut found: Vec<Episode> = live.map(Alert::episode).collect();
        let mut expected = episodes(&kept, keep_firing * SECOND);
        found.sort_by(|a, b| a.partial_cmp(b).unwrap());
        expected.sort_by(|a, b| a.partial_cmp(b).unwrap());
        prop_assert_eq!(found, expected, "at {}: alerts (left) and the definition", now);
    }
    bench.sync(host, &[], tick(now)).unwrap();
    Ok(())
}
