//! Runs that are killed, or lose their connection, between any two statements.
//!
//! A proxy stops a run after one statement after the other, when the server has done it and the
//! run does not know yet, or does. One more run must make it as if nothing had happened.

use std::collections::BTreeSet;
use std::process::Output;
use std::sync::Mutex;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use expect_test::expect;

use crate::scenario::{Scenario, Stand};
use crate::support::cases;
use crate::support::program::{ran, rows};
use crate::support::proxy::{Moment, Proxy, Stop};
use crate::{result, wait_for_the_server};

/// How many runs are disturbed at once.
const THREADS: usize = 2;

/// What happens to a run when the server has done what a point asks for.
#[derive(Clone, Copy, Debug)]
enum Fault {
    /// `kill -9`.
    Kill,
    /// It loses its connection before it hears of that.
    CutUnanswered,
    /// It loses its connection when it asks for the next.
    CutAnswered,
}

/// What a run leads to.
struct Outcome {
    rows: Vec<String>,
    /// What was printed, each line once.
    told: BTreeSet<String>,
}

/// What the runs said that lost their connection, each text once.
type Said = BTreeSet<String>;

/// Disturbs the run of a scenario after every point, or after every so many.
///
/// The server cannot tell one fault from the other, so each point has one of them, in turn.
/// `TRIPLINE_TEST_CASES=3` makes it all of them; more make up for what was left out.
fn disturb_everywhere(scenario: &Scenario, every: usize) -> String {
    let (points, expected) = undisturbed(scenario);
    let mut faults = Vec::new();
    for case in 0..cases(1) {
        for point in (case / 3 % every..points).step_by(every) {
            let all = [Fault::Kill, Fault::CutUnanswered, Fault::CutAnswered];
            let fault = all[(case + point / every) % 3];
            // After the last there is no next.
            let is_last = point + 1 == points;
            faults.push((point, if is_last { Fault::Kill } else { fault }));
        }
    }
    disturb(scenario, &faults, &expected).into_iter().collect()
}

/// The number of points of a run, and what it leads to when nothing happens.
fn undisturbed(scenario: &Scenario) -> (usize, Outcome) {
    let mut stand = scenario.stand();
    let proxy = Proxy::new(stand.url());
    let run = ran(&mut stand.command(&proxy.url(stand.url())));
    assert_eq!((run.code, run.stderr.as_str()), (Some(0), ""));
    let told = told(&run.stdout);
    assert_eq!(told.len(), run.stdout.lines().count(), "nothing is told twice");
    assert!(!told.is_empty(), "there is something to tell");
    (proxy.points().len(), Outcome { rows: all_rows(&mut stand), told })
}

fn disturb(scenario: &Scenario, faults: &[(usize, Fault)], expected: &Outcome) -> Said {
    let (next, said) = (AtomicUsize::new(0), Mutex::new(Said::new()));
    let work = || {
        let mut stand = scenario.stand();
        while let Some(&(point, fault)) = faults.get(next.fetch_add(1, Ordering::SeqCst)) {
            stand.reset();
            let (name, run) = disturbed(&stand, point, fault);
            let at = format!("{fault:?} after point {point}: {name}");
            if !matches!(fault, Fault::Kill) {
                assert_eq!(run.status.code(), Some(1), "{at}");
                said.lock().unwrap().insert(String::from_utf8(run.stderr).unwrap());
            }
            let printed = String::from_utf8(run.stdout).unwrap();
            expect_as_if_undisturbed(&mut stand, &printed, expected, &at);
        }
    };
    thread::scope(|scope| {
        for _ in 0..THREADS {
            scope.spawn(work);
        }
    });
    said.into_inner().unwrap()
}

/// A run that something happens to: the name of the point, and what came of it.
fn disturbed(stand: &Stand<'_>, point: usize, fault: Fault) -> (String, Output) {
    let stop = match fault {
        Fault::Kill | Fault::CutUnanswered => Stop { point, moment: Moment::Unanswered },
        Fault::CutAnswered => Stop { point: point + 1, moment: Moment::Unsent },
    };
    let proxy = Proxy::stopping_at(stand.url(), stop);
    let mut child = stand.command(&proxy.url(stand.url())).spawn().unwrap();
    proxy.wait_until_stopped();
    if let Fault::Kill = fault {
        child.kill().unwrap();
    }
    let name = proxy.points()[point].clone();
    drop(proxy);
    (name, child.wait_with_output().unwrap())
}

/// After whatever happened: one more run, and all is as if nothing had.
#[track_caller]
fn expect_as_if_undisturbed(stand: &mut Stand<'_>, printed: &str, expected: &Outcome, at: &str) {
    wait_for_the_server(&mut stand.connection);
    let next = ran(&mut stand.command(stand.url()));
    assert_eq!((next.code, next.stderr.as_str()), (Some(0), ""), "{at}");
    let rows = all_rows(stand);
    for (found, expected) in rows.iter().zip(&expected.rows) {
        assert_eq!(found, expected, "{at}");
    }
    assert_eq!(rows.len(), expected.rows.len(), "{at}");
    let (first, next) = (told(printed), told(&next.stdout));
    assert_eq!(first.union(&next).cloned().collect::<BTreeSet<_>>(), expected.told, "{at}");
    // A second time only when the first was not noted, though it was printed.
    let delivering = [
        "Numbers of up to $4 notifications",
        "What the messages of the notifications",
        "update notifications",
        "COMMIT",
    ];
    let is_noted = !delivering.iter().any(|name| at.contains(name));
    assert!(!is_noted || first.is_disjoint(&next), "{at}: told twice");
}

/// All that a run leads to in the database.
fn all_rows(stand: &mut Stand<'_>) -> Vec<String> {
    let mut all = result(&mut stand.connection);
    all.extend(rows(
        &mut stand.connection,
        "select concat_ws(' ', 'message', rule.name, started_at, message.kind, message.number,
                message.created_at, delivered_at, attempts) as value
         from notifications message
         join alerts on alerts.id = alert_id
         join alert_rules rule on rule.id = rule_id
         order by value",
    ));
    all
}

/// The lines that were printed, without the numbers of alerts: those that were rolled back are
/// not given again.
fn told(stdout: &str) -> BTreeSet<String> {
    let without_number = |line: &str| {
        let (before, rest) = line.split_once("(alert ").unwrap();
        format!("{before}{}", rest.split_once(") ").unwrap().1)
    };
    stdout.lines().map(without_number).collect()
}

#[test]
fn a_first_run() {
    expect![[r#"
        tripline: error: cannot connect to the database (given by TRIPLINE_DATABASE_URL): server closed the connection unexpectedly
        tripline: hint: is the server up, and may this user connect? The place in each log is kept; the next run goes on there
        tripline: error: lost the connection to the database: server closed the connection unexpectedly
        tripline: hint: what was read before is stored; the next run goes on there
    "#]].assert_eq(&disturb_everywhere(&Scenario::first_run(), 1));
}

#[test]
fn a_later_run() {
    expect![[r#"
        tripline: error: cannot connect to the database (given by TRIPLINE_DATABASE_URL): server closed the connection unexpectedly
        tripline: hint: is the server up, and may this user connect? The place in each log is kept; the next run goes on there
        tripline: error: lost the connection to the database: server closed the connection unexpectedly
        tripline: hint: what was read before is stored; the next run goes on there
    "#]].assert_eq(&disturb_everywhere(&Scenario::later_run(), 1));
}

// What follows is mostly what the runs above do too.

#[test]
fn a_run_that_makes_the_tables() {
    expect![[r#"
        tripline: error: lost the connection to the database: no connection to the server
        tripline: hint: what was read before is stored; the next run goes on there
        tripline: error: lost the connection to the database: server closed the connection unexpectedly
        tripline: hint: what was read before is stored; the next run goes on there
    "#]].assert_eq(&disturb_everywhere(&Scenario::in_an_empty_database(), 7));
}

#[test]
fn an_evaluation() {
    expect![[r#"
        tripline: error: lost the connection to the database: server closed the connection unexpectedly
        tripline: hint: what was read before is stored; the next run goes on there
    "#]].assert_eq(&disturb_everywhere(&Scenario::alert(), 4));
}
