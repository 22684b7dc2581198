//! What is stored is what the definition gives, whatever arrives in whatever order.

use std::cell::RefCell;
use std::collections::HashMap;

use proptest::prelude::*;
use proptest::test_runner::{TestError, TestRunner};
use tripline::alerting;
use tripline::model::Level;

use crate::bench::{Alert, Bench, Log, moment, tick};
use crate::history::{Batch, History, How, histories, short_histories};
use crate::oracle::{self, CAPTURING, Episode, Kind, Line, PATTERNS, Part, Rule, SECOND, Stored};
use crate::support;

/// Random histories of a test, unless `TRIPLINE_TEST_CASES` says how many.
const CASES: usize = 280;

/// The more rules and sources there were, the longer an evaluation takes.
const CASES_OF_A_DATABASE: usize = 50;

/// Short histories, each of which has rules of all kinds.
const SHORT_CASES: usize = 1_000;

#[test]
fn stored_alerts_are_the_episodes_of_the_data() {
    run_cases(CASES, histories(Just(100_000)), check);
}

#[test]
fn stored_alerts_do_not_depend_on_the_slices_of_an_evaluation() {
    run_cases(CASES, histories(1u32..=20), check);
}

#[test]
fn stored_alerts_of_all_kinds_are_the_episodes_of_the_data() {
    run_cases(SHORT_CASES, short_histories(), check_evaluation);
}

/// Found by the tests above: the end of a silence of another group lies within what is foreseen of
/// this one.
#[test]
fn a_silence_that_is_foreseen_waits_until_it_begins() {
    let rule = Rule {
        name: "rule".to_owned(),
        kind: Kind::Absence { lookback_seconds: 62 },
        levels: Level::ALL.to_vec(),
        count: 2,
        key: vec![Part::Message],
        ..Rule::default()
    };
    let batch = |lines: &[(i64, &str)], second: i64| {
        let line = |&(second, message): &(i64, &str)| Line::error(second * SECOND, message);
        Batch {
            lines: lines.iter().map(|one| (0, line(one))).collect(),
            continued: false,
            tick: second * SECOND,
            at_end: true,
            evaluated: Some(How::Alone),
        }
    };
    let batches = vec![batch(&[(11, "a"), (16, "b"), (16, "b")], 0), batch(&[(28, "a")], 47)];
    let history = History { rules: vec![rule], sources: 1, batches, slice_entries: 100_000 };
    check(&mut Bench::new(), "host", &history).unwrap();
}

/// Found by the tests above: at the first run there was nothing to judge.
#[test]
fn an_empty_log_has_nothing_that_was_judged() {
    let rule = Rule {
        name: "rule".to_owned(),
        kind: Kind::Ratio { percent: 5.0, at_least: 1 },
        levels: vec![Level::Error, Level::Fatal],
        ..Rule::default()
    };
    let batch = |lines: Vec<(usize, Line)>, second: i64, at_end: bool| Batch {
        lines,
        continued: false,
        tick: second * SECOND,
        at_end,
        evaluated: Some(How::Alone),
    };
    let line = Line::error(0, "disk full");
    let batches =
        vec![batch(vec![], 60, true), batch(vec![(0, line)], 60, false), batch(vec![], 3660, true)];
    let history = History { rules: vec![rule], sources: 1, batches, slice_entries: 100_000 };
    check(&mut Bench::new(), "host", &history).unwrap();
}

/// Found by the tests above: of two ranges of new lines in a slice the first one knows that the
/// second step came in time, and the other one goes by what was kept.
#[test]
fn a_follow_up_that_came_late_is_known_to_all_ranges() {
    let rule = Rule {
        name: "rule".to_owned(),
        kind: Kind::MissingFollowUp { follow_up: PATTERNS[0] },
        levels: Level::ALL.to_vec(),
        pattern: Some(CAPTURING[0]),
        within_seconds: 1,
        ..Rule::default()
    };
    let batch = |lines: &[(i64, &str)], second: i64, at_end: bool| {
        let line = |&(second, message): &(i64, &str)| Line::error(second * SECOND, message);
        let lines = lines.iter().map(|one| (0, line(one))).collect();
        Batch {
            lines,
            continued: false,
            tick: second * SECOND,
            at_end,
            evaluated: Some(How::Alone),
        }
    };
    let (first, second) = ("Disk was FULL", "disk full");
    let batches = vec![
        batch(&[(0, second), (1, first)], 2, true),
        batch(&[(1, second), (602, second), (602, second)], 602, false),
        batch(&[(602, second)], 4202, true),
    ];
    // A rule that reads counts makes one slice of both ranges.
    let ratio = Rule {
        name: "ratio".to_owned(),
        kind: Kind::Ratio { percent: 100.0, at_least: 4 },
        ..Rule::default()
    };
    let rules = vec![rule, ratio];
    let history = History { rules, sources: 1, batches, slice_entries: 2 };
    check(&mut Bench::new(), "host", &history).unwrap();
}

/// Found by the tests above: nothing was there up to a time, and then there was a line before it.
#[test]
fn a_log_may_be_judged_before_its_first_line() {
    let rule = Rule {
        name: "rule".to_owned(),
        kind: Kind::Absence { lookback_seconds: 12 },
        levels: Level::ALL.to_vec(),
        within_seconds: 10,
        across: true,
        ..Rule::default()
    };
    let batch = |lines: Vec<(usize, Line)>, second: i64, at_end: bool, evaluated: bool| Batch {
        lines,
        continued: false,
        tick: second * SECOND,
        at_end,
        evaluated: evaluated.then_some(How::Alone),
    };
    let line = Line::error(SECOND, "disk full");
    let batches = vec![
        batch(vec![], 3, true, false),
        batch(vec![], 3, false, true),
        batch(vec![(1, line)], 1268, false, true),
        batch(vec![], 4868, true, true),
    ];
    let history = History { rules: vec![rule], sources: 2, batches, slice_entries: 100_000 };
    check(&mut Bench::new(), "host", &history).unwrap();
}

/// Found by the tests above: what was foreseen of a silence goes on beyond the times that a late
/// line changes, and there it is another silence, which nobody can know of yet.
#[test]
fn what_a_late_line_leaves_of_a_silence_waits_until_it_begins() {
    let rule = Rule {
        name: "rule".to_owned(),
        kind: Kind::Absence { lookback_seconds: 62 },
        levels: vec![Level::Info],
        count: 2,
        ..Rule::default()
    };
    let batch = |lines: &[i64], second: i64, at_end: bool| {
        let line = |at: &i64| Line { level: Level::Info, ..Line::error(at * SECOND, "disk full") };
        Batch {
            lines: lines.iter().map(|at| (0, line(at))).collect(),
            continued: false,
            tick: second * SECOND,
            at_end,
            evaluated: Some(How::Alone),
        }
    };
    let batches = vec![batch(&[1], 1, false), batch(&[0], 1, false), batch(&[], 3601, true)];
    let history = History { rules: vec![rule], sources: 1, batches, slice_entries: 1 };
    check(&mut Bench::new(), "host", &history).unwrap();
}

type Check = fn(&mut Bench, &str, &History) -> Result<(), TestCaseError>;

fn run_cases(cases: usize, histories: impl Strategy<Value = History>, check: Check) {
    let cases = u32::try_from(support::cases(cases)).unwrap();
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let mut runner = TestRunner::new(config);
    let bench = RefCell::new((Bench::new(), 0));
    let outcome = runner.run(&histories, |history| {
        let (bench, number) = &mut *bench.borrow_mut();
        // Each case has a host, and so rules and sources, of its own.
        *number += 1;
        if *number % CASES_OF_A_DATABASE == 0 {
            *bench = Bench::new();
        }
        // The history that failed last need not be the one at which the runner stops.
        check(bench, &format!("host{number}"), &history)
            .map_err(|error| TestCaseError::fail(format!("{error}\nwith {history:?}")))
    });
    if let Err(TestError::Fail(reason, _) | TestError::Abort(reason)) = outcome {
        panic!("{reason}");
    }
}

/// Evaluates and announces a history as it arrives, each time twice.
fn check(bench: &mut Bench, host: &str, history: &History) -> Result<(), TestCaseError> {
    let mut arrival = Arrival::new(bench, host, history);
    for batch in &history.batches {
        arrival.read(bench, batch);
        if batch.evaluated.is_none() {
            continue;
        }
        arrival.evaluate(bench, batch);
        let content = bench.content(&arrival.logs);
        arrival.evaluate(bench, batch);
        prop_assert_eq!(
            &content,
            &bench.content(&arrival.logs),
            "evaluating again changed something"
        );
        arrival.compare(bench, batch)?;

        announce(bench, &arrival.logs, batch);
        let content = bench.content(&arrival.logs);
        announce(bench, &arrival.logs, batch);
        arrival.evaluate(bench, batch);
        prop_assert_eq!(
            &content,
            &bench.content(&arrival.logs),
            "announcing again changed something"
        );
        check_announced(bench, &arrival.logs, batch)?;
    }
    // No case sees the rules of another.
    bench.sync(host, &[], tick(0)).unwrap();
    Ok(())
}

/// Only evaluates it.
fn check_evaluation(bench: &mut Bench, host: &str, history: &History) -> Result<(), TestCaseError> {
    let mut arrival = Arrival::new(bench, host, history);
    for batch in &history.batches {
        arrival.read(bench, batch);
        if batch.evaluated.is_some() {
            arrival.evaluate(bench, batch);
            arrival.compare(bench, batch)?;
        }
    }
    bench.sync(host, &[], tick(0)).unwrap();
    Ok(())
}

/// A history on its way into the database.
struct Arrival<'a> {
    history: &'a History,
    logs: Vec<Log>,
    /// What has arrived of each source.
    stored: Vec<Vec<Line>>,
    /// Up to when each source is read now, and at last all of them.
    now_read: Vec<i64>,
    /// Up to when they ever were.
    read_until: Vec<i64>,
}

impl<'a> Arrival<'a> {
    fn new(bench: &mut Bench, host: &str, history: &'a History) -> Self {
        let rules: Vec<_> = history.rules.iter().map(Rule::config).collect();
        bench.sync(host, &rules, tick(0)).unwrap();
        let log = |source: usize| bench.log(host, &source.to_string());
        let mut logs: Vec<Log> = (0..history.sources).map(log).collect();
        logs.extend(bench.owner(host));
        Self {
            history,
            logs,
            stored: vec![Vec::new(); history.sources],
            now_read: Vec::new(),
            read_until: vec![i64::MIN; history.sources + 1],
        }
    }

    fn read(&mut self, bench: &mut Bench, batch: &Batch) {
        store(bench, &mut self.logs, batch, &mut self.stored);
        self.now_read = read(&mut self.read_until, batch, &self.stored);
    }

    fn evaluate(&self, bench: &mut Bench, batch: &Batch) {
        let History { sources, slice_entries, .. } = *self.history;
        evaluate(bench, &self.logs, sources, batch, slice_entries);
    }

    /// Compares the alerts with what the definition gives.
    fn compare(&self, bench: &mut Bench, batch: &Batch) -> Result<(), TestCaseError> {
        let Self { logs, stored, now_read, read_until, .. } = self;
        let mut judged = Vec::new();
        for (source, log) in logs.iter().enumerate() {
            // A run with nothing to judge does not note how far it has read.
            let until = bench.judged_until(log, tick(batch.tick));
            // Where there are no lines, there is nothing that could be.
            let all = || stored.iter().all(Vec::is_empty);
            let is_empty = stored.get(source).map_or_else(all, Vec::is_empty);
            prop_assert!(
                is_empty || until >= now_read[source] && until <= read_until[source],
                "source {source} is judged up to {until}, read up to {} now and {} before",
                now_read[source],
                read_until[source]
            );
            judged.push(until);
        }
        compare(bench, logs, self.history, stored, &judged)
    }
}

/// Up to when each source is read now, and at last all of them; and up to when they ever were:
/// once a time was judged, it stays.
fn read(read_until: &mut [i64], batch: &Batch, stored: &[Vec<Line>]) -> Vec<i64> {
    let until = |lines: &Vec<Line>| match lines.last() {
        _ if batch.at_end => batch.tick,
        Some(line) => line.at.min(batch.tick),
        None => i64::MIN,
    };
    let mut now: Vec<i64> = stored.iter().map(until).collect();
    let all = stored.iter().filter(|lines| !lines.is_empty()).map(until).min();
    now.push(all.unwrap_or(until(&Vec::new())));
    for (before, now) in read_until.iter_mut().zip(&now) {
        *before = (*before).max(*now);
    }
    now
}

fn store(bench: &mut Bench, logs: &mut [Log], batch: &Batch, stored: &mut [Vec<Line>]) {
    for (source, log) in logs.iter_mut().enumerate().take(stored.len()) {
        let of_source = batch.lines.iter().filter(|line| line.0 == source);
        let lines: Vec<Line> = of_source.map(|line| line.1.clone()).collect();
        let continuation = batch.continued.then_some("disk full");
        bench.store(log, continuation, &lines, tick(batch.tick), batch.at_end);
        stored[source].extend(lines);
    }
}

/// As a run does it: first the `sources` that have lines themselves, then what stands for them.
fn evaluate(bench: &mut Bench, logs: &[Log], sources: usize, batch: &Batch, slice_entries: u32) {
    let (connection, now) = (&mut bench.connection, tick(batch.tick));
    let (members, owner) = logs.split_at(sources);
    for logs in [members, owner] {
        let mut ids: Vec<_> = logs.iter().map(|log| log.id).collect();
        if batch.evaluated == Some(How::Together) {
            let left = alerting::evaluate_together(connection, &ids, now).unwrap();
            assert!(left.alone.is_empty(), "none is locked, and no rule has failed: {left:?}");
            ids = left.more;
        }
        for id in ids {
            alerting::evaluate_in_slices(connection, id, now, slice_entries).unwrap();
        }
    }
}

fn announce(bench: &mut Bench, logs: &[Log], batch: &Batch) {
    for log in logs {
        bench.announce(log, tick(batch.tick));
    }
}

/// Compares the alerts with what the definition gives for the entries stored so far.
fn compare(
    bench: &mut Bench,
    logs: &[Log],
    history: &History,
    stored: &[Vec<Line>],
    read_until: &[i64],
) -> Result<(), TestCaseError> {
    let alerts = bench.alerts(logs);
    let of_source = |source: usize| oracle::stored(&stored[source], source);
    let all: Vec<Stored<'_>> = (0..stored.len()).flat_map(of_source).collect();
    for (source, log) in logs.iter().enumerate() {
        let of_log = live(&alerts).filter(|alert| alert.source_id == log.id.0);
        let mut found: Vec<Episode> = of_log.map(Alert::episode).collect();
        let is_owner = source == stored.len();
        let lines: Vec<Stored<'_>> =
            if is_owner { all.clone() } else { of_source(source).collect() };
        let rules = history.rules.iter().filter(|rule| rule.across == is_owner);
        let mut expected: Vec<Episode> =
            rules.flat_map(|rule| rule.episodes(&lines, read_until[source])).collect();
        found.sort_by(|a, b| a.partial_cmp(b).unwrap());
        expected.sort_by(|a, b| a.partial_cmp(b).unwrap());
        prop_assert_eq!(found, expected, "stored alerts (left) and the definition (right) differ");
    }
    for alert in &alerts {
        if let Some(survivor) = alert.merged_into {
            prop_assert!(
                live(&alerts).any(|other| other.id == survivor && other.rule == alert.rule),
                "{:?} was merged into one that is not there",
                alert
            );
        }
    }
    Ok(())
}

fn live(alerts: &[Alert]) -> impl Iterator<Item = &Alert> {
    alerts.iter().filter(|alert| alert.merged_into.is_none())
}

/// Everything that holds is announced as that, everything that is over as that, and nothing
/// twice.
fn check_announced(bench: &mut Bench, logs: &[Log], batch: &Batch) -> Result<(), TestCaseError> {
    let alerts = bench.alerts(logs);
    let now = moment(batch.tick);
    for alert in live(&alerts) {
        prop_assert!(alert.fired_at.is_some(), "not announced: {:?}", alert);
        if alert.ended_at.is_none_or(|ended_at| ended_at > now) {
            prop_assert!(alert.resolved_at.is_none(), "holds, but resolved: {:?}", alert);
        } else if batch.at_end {
            prop_assert!(alert.resolved_at.is_some(), "over, but not resolved: {:?}", alert);
        }
    }
    let notifications = bench.notifications(logs);
    let mut told: HashMap<i64, (i32, &str)> = HashMap::new();
    for one in &notifications {
        let before = told.insert(one.alert_id, (one.number, &one.kind));
        // 'fired' sorts before 'resolved', as it must come. That a number is left out, or has
        // no 'fired', is possible: it was said of an alert that was absorbed.
        prop_assert!(before < Some((one.number, &one.kind)), "{:?} after {:?}", one, before);
        if let Some((_, "fired")) = before {
            prop_assert_eq!(&one.kind, "resolved", "two in a row: {:?}", one);
        }
    }
    for alert in live(&alerts).filter(|alert| alert.resolved_at.is_some()) {
        let absorbed = alerts.iter().filter(|other| other.merged_into == Some(alert.id));
        prop_assert!(
            absorbed.chain([alert]).any(|one| told.get(&one.id).is_some_and(|t| t.1 == "resolved")),
            "resolved, but nobody was told: {:?}",
            alert
        );
    }
    Ok(())
}
