use std::fmt::Write;

use expect_test::{Expect, expect};

use super::*;

/// Minutes after noon of a Thursday.
fn at(minutes: i64) -> DateTime<Utc> {
    "2026-01-15T12:00:00Z".parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes)
}

/// It holds from minute 1 to minute 6.
fn alert() -> Alert {
    Alert {
        id: 7,
        rule_id: 1,
        rule: "burst".to_owned(),
        group: String::new(),
        source: "app".to_owned(),
        path: "/var/log/app.log".to_owned(),
        severity: "warning".to_owned(),
        started_at: at(1),
        ended_at: Some(at(6)),
        is_retracted: false,
        holds_for: TimeDelta::zero(),
        active: Vec::new(),
        remind_every: None,
        is_rule_retired: false,
        fired_at: None,
        told_at: None,
        held_back: None,
        is_acked: false,
        reminders: 0,
    }
}

fn silence(from: i64, until: i64) -> Silence {
    Silence {
        id: 3,
        rule: None,
        group: None,
        severity: None,
        starts_at: at(from),
        ends_at: Some(at(until)),
        weekly: None,
    }
}

/// The decisions of ticks at these minutes, each by what the ones before made of the alert.
fn life(mut alert: Alert, silences: &[Silence], ticks: &[i64], expected: &Expect) {
    let mut told = String::new();
    for minute in ticks {
        let now = Now { tick: at(*minute), read_to_end_at: Some(at(*minute)), silences };
        let Some(decision) = decide(&alert, &now, || false) else { continue };
        if let Some(name) = decision.name {
            let message = decision.message.map_or("nobody is told", Message::as_str);
            let reason = decision.reason.as_deref().unwrap_or("-");
            writeln!(told, "{minute}: {name}, {message}, {reason}").unwrap();
        }
        if decision.resolved_at.is_some() {
            break;
        }
        alert = Alert {
            fired_at: decision.fired_at,
            told_at: decision.told_at,
            held_back: decision.held_back,
            reminders: decision.reminders,
            ..alert
        };
    }
    expected.assert_eq(&told);
}

#[test]
fn it_fires_once_and_is_over_once() {
    life(
        alert(),
        &[],
        &[1, 2, 5, 6, 7],
        &expect![[r#"
            1: fired, fired, -
            6: resolved, resolved, -
        "#]],
    );
}

#[test]
fn one_that_is_over_is_told_as_both() {
    life(
        alert(),
        &[],
        &[60],
        &expect![[r#"
        60: fired, resolved, -
    "#]],
    );
}

#[test]
fn it_waits_until_it_has_held_for_long_enough() {
    let alert = Alert { holds_for: TimeDelta::minutes(3), ..alert() };
    let fires = expect![[r#"
        1: pending, nobody is told, fires if it holds until 2026-01-15 12:04:00 UTC
        4: fired, fired, -
        6: resolved, resolved, -
    "#]];
    life(alert.clone(), &[], &[1, 2, 3, 4, 5, 6], &fires);
    // Exactly as long as it must, and a moment less.
    let exactly = Alert { ended_at: Some(at(4)), ..alert.clone() };
    life(
        exactly,
        &[],
        &[60],
        &expect![[r#"
        60: fired, resolved, -
    "#]],
    );
    let less = Alert { ended_at: Some(at(4) - TimeDelta::microseconds(1)), ..alert };
    life(
        less,
        &[],
        &[1, 60],
        &expect![[r#"
        1: pending, nobody is told, fires if it holds until 2026-01-15 12:04:00 UTC
        60: too_short, nobody is told, -
    "#]],
    );
}

#[test]
fn outside_its_hours_it_waits_for_them() {
    let hours = |text: &str| vec![text.parse().unwrap()];
    let alert = Alert { active: hours("12:03-13:00"), ..alert() };
    life(
        alert.clone(),
        &[],
        &[1, 2, 3, 6],
        &expect![[r#"
        1: pending, nobody is told, its active hours begin at 2026-01-15 12:03:00 UTC
        3: fired, fired, -
        6: resolved, resolved, -
    "#]],
    );
    // Read in one go after an outage, it is told all the same.
    life(
        alert.clone(),
        &[],
        &[600],
        &expect![[r#"
        600: fired, resolved, -
    "#]],
    );
    let over = Alert { active: hours("12:07-13:00"), ..alert };
    life(
        over,
        &[],
        &[1, 6],
        &expect![[r#"
        1: pending, nobody is told, its active hours begin at 2026-01-15 12:07:00 UTC
        6: outside_hours, nobody is told, -
    "#]],
    );
}

#[test]
fn what_still_fires_when_a_silence_is_over_is_told() {
    life(
        alert(),
        &[silence(0, 4)],
        &[1, 2, 3, 4, 5, 6],
        &expect![[r#"
        1: silenced, nobody is told, silence 3
        4: silence_over, fired, -
        6: resolved, resolved, -
    "#]],
    );
    life(
        alert(),
        &[silence(0, 7)],
        &[1, 6],
        &expect![[r#"
        1: silenced, nobody is told, silence 3
        6: resolved, nobody is told, -
    "#]],
    );
    life(
        alert(),
        &[silence(0, 90)],
        &[60],
        &expect![[r#"
        60: silenced, nobody is told, silence 3
    "#]],
    );
    let acked = Alert { is_acked: true, ..alert() };
    life(
        acked,
        &[silence(0, 4)],
        &[1, 4, 5, 6],
        &expect![[r#"
        1: silenced, nobody is told, silence 3
        4: not_told, nobody is told, the silence is over, and somebody has taken it on
        6: resolved, nobody is told, -
    "#]],
    );
    // It is told that it is over, to those who know that it fires.
    life(
        alert(),
        &[silence(2, 90)],
        &[1, 2, 6],
        &expect![[r#"
        1: fired, fired, -
        6: resolved, resolved, -
    "#]],
    );
}

#[test]
fn people_are_reminded_until_somebody_takes_it_on() {
    let alert = Alert { ended_at: None, remind_every: Some(TimeDelta::minutes(10)), ..alert() };
    life(
        alert.clone(),
        &[],
        &[1, 5, 10, 11, 12, 21, 35, 44, 45],
        &expect![[r#"
        1: fired, fired, -
        11: reminder, reminder, -
        21: reminder, reminder, -
        35: reminder, reminder, -
        45: reminder, reminder, -
    "#]],
    );
    life(
        alert.clone(),
        &[silence(5, 15)],
        &[1, 11, 15],
        &expect![[r#"
        1: fired, fired, -
        11: silenced, nobody is told, no reminder: silence 3
        15: reminder, reminder, -
    "#]],
    );
    let active = Alert { active: vec!["12:00-12:10".parse().unwrap()], ..alert.clone() };
    life(
        active,
        &[],
        &[1, 11, 12, 24 * 60],
        &expect![[r#"
        1: fired, fired, -
        1440: reminder, reminder, -
    "#]],
    );
    let acked = Alert { is_acked: true, ..alert };
    life(
        acked,
        &[],
        &[1, 11, 21],
        &expect![[r#"
        1: fired, fired, -
    "#]],
    );
}

#[test]
fn one_that_the_complete_data_do_not_give_is_withdrawn() {
    let fired =
        Alert { fired_at: Some(at(1)), told_at: Some(at(1)), is_retracted: true, ..alert() };
    life(
        fired.clone(),
        &[],
        &[2],
        &expect![[r#"
        2: withdrawn, resolved, -
    "#]],
    );
    life(
        Alert { told_at: None, ..fired },
        &[],
        &[2],
        &expect![[r#"
        2: withdrawn, nobody is told, -
    "#]],
    );
}

#[test]
fn one_whose_rule_is_gone_is_over() {
    let fired = Alert {
        fired_at: Some(at(1)),
        told_at: Some(at(1)),
        ended_at: None,
        is_rule_retired: true,
        ..alert()
    };
    life(
        fired,
        &[],
        &[2],
        &expect![[r#"
        2: retired, resolved, -
    "#]],
    );
    let pending = Alert {
        holds_for: TimeDelta::minutes(9),
        ended_at: None,
        is_rule_retired: true,
        ..alert()
    };
    life(
        pending,
        &[],
        &[2],
        &expect![[r#"
        2: retired, nobody is told, -
    "#]],
    );
}

#[test]
fn one_that_nobody_has_taken_on_any_more_is_told_after_the_silence() {
    let alert = Alert { fired_at: Some(at(1)), ..alert() };
    life(
        alert,
        &[silence(0, 3)],
        &[2, 3, 4, 6],
        &expect![[r#"
            3: silence_over, fired, -
            6: resolved, resolved, -
        "#]],
    );
}

#[test]
fn nothing_is_over_while_the_reader_is_behind() {
    let fired = Alert { fired_at: Some(at(1)), told_at: Some(at(1)), ..alert() };
    let now = Now { tick: at(60), read_to_end_at: None, silences: &[] };
    let decision = decide(&fired, &now, || false).unwrap();
    // Nothing but that it was looked at, which is not due again.
    assert_eq!((decision.name, decision.message, decision.resolved_at), (None, None, None));
    assert_eq!((decision.look_at, decision.told_at), (None, Some(at(1))));
}

#[test]
fn one_of_too_many_is_held_back() {
    let now = Now { tick: at(1), read_to_end_at: Some(at(1)), silences: &[] };
    let decision = decide(&alert(), &now, || true).unwrap();
    assert_eq!((decision.name, decision.message), (Some("storm"), Some(Message::Storm)));
    assert_eq!((decision.told_at, decision.fired_at), (None, Some(at(1))));
    let held_back = Alert { fired_at: decision.fired_at, held_back: decision.held_back, ..alert() };
    let later = Now { tick: at(2), read_to_end_at: Some(at(2)), silences: &[] };
    let later = decide(&held_back, &later, || false).unwrap();
    assert_eq!((later.name, later.message, later.look_at), (None, None, None));
    let over = Now { tick: at(9), read_to_end_at: Some(at(9)), silences: &[] };
    assert_eq!(decide(&held_back, &over, || false).unwrap().message, None);
}
