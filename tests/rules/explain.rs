//! `tripline rules explain`

use expect_test::{Expect, expect};
use serde_json::Value;

use crate::support::program::Setup;
use crate::{ALL_KINDS, printed, rules};

const LOG: &str = "\
2026-01-15 10:00:00 [ERROR] job 1 begins
2026-01-15 10:01:00 [ERROR] failed for ann
2026-01-15 10:02:00 [INFO] all is well
2026-01-15 10:05:00 [FATAL] failed for bob
2026-01-15 10:05:00.5 [ERROR] job 1 ends
no entry
";

/// A log that was read by all rules but the one with a view.
fn setup() -> Setup {
    let setup = Setup::new();
    setup.config(ALL_KINDS.split("\n[[rule]]\nname = \"own\"").next().unwrap());
    setup.write("app.log", LOG);
    setup.run(["run"]);
    setup
}

/// What matches of each source at a time, with its windows.
#[track_caller]
fn check(setup: &Setup, rule: &str, at: &str, expected: &Expect) {
    let json = printed(setup, &format!("explain {rule} --json --at {at}"));
    let json: Value = serde_json::from_str(&json).unwrap();
    let text = |value: &Value| value.as_str().unwrap()[11..].to_owned();
    let mut shown = Vec::new();
    for window in json["windows"].as_array().unwrap() {
        let bounds = if window["holds_beginning"] == true { "[)" } else { "(]" };
        let found = window["sources"].as_array().unwrap().iter().map(|found| {
            let of = found["of"].as_i64().map(|of| format!(" of {of}")).unwrap_or_default();
            let (source, step) = (found["source"].as_str().unwrap(), &found["step"]);
            format!("{source} {step}: {}{of}", found["matching"])
        });
        let found: Vec<String> = found.collect();
        let (open, close) = bounds.split_at(1);
        let (from, to) = (text(&window["from"]), text(&window["to"]));
        let name = window["name"].as_str().unwrap();
        shown.push(format!("{name} {open}{from}, {to}{close} {}\n", found.join(", ")));
    }
    let views = json["views"].as_array().unwrap().iter();
    assert!(views.clone().all(|view| view["definition"].as_str().unwrap().contains("SELECT")));
    let views: Vec<_> = views.map(|view| view["name"].as_str().unwrap()).collect();
    shown.push(views.join(", "));
    expected.assert_eq(&shown.concat());
}

#[test]
fn a_window_holds_its_end_and_not_its_beginning() {
    let setup = setup();
    check(
        &setup,
        "burst",
        "2026-01-15T10:05:00Z",
        &expect![[r#"
        window (10:00:00Z, 10:05:00Z] app 1: 2
        threshold_hot"#]],
    );
    check(
        &setup,
        "burst",
        "2026-01-15T10:04:59.999999Z",
        &expect![[r#"
        window (09:59:59.999999Z, 10:04:59.999999Z] app 1: 2
        threshold_hot"#]],
    );
    check(
        &setup,
        "logins",
        "2026-01-15T10:05:00Z",
        &expect![[r#"
            window (09:45:00Z, 10:05:00Z] app 1: 2
            hysteresis_hot"#]],
    );
}

#[test]
fn a_bucket_holds_its_beginning_and_not_its_end() {
    let setup = setup();
    check(
        &setup,
        "share",
        "2026-01-15T10:05:00Z",
        &expect![[r#"
        bucket [10:05:00Z, 10:10:00Z) app 1: 2 of 2
        ratio_hot"#]],
    );
    check(
        &setup,
        "jump",
        "2026-01-15T10:09:59Z",
        &expect![[r#"
        bucket [10:05:00Z, 10:10:00Z) app 1: 2
        before [10:00:00Z, 10:05:00Z) app 1: 2
        spike_hot"#]],
    );
    check(
        &setup,
        "many-users",
        "2026-01-15T10:04:00Z",
        &expect![[r#"
        bucket [10:00:00Z, 10:05:00Z) app 1: 1
        distinct_hot"#]],
    );
    check(
        &setup,
        "unusual",
        "2026-01-15T10:04:00Z",
        &expect![[r#"
            bucket [10:00:00Z, 11:00:00Z) app 1: 4
            week -1 [10:00:00Z, 11:00:00Z) app 1: 0
            week -2 [10:00:00Z, 11:00:00Z) app 1: 0
            week -3 [10:00:00Z, 11:00:00Z) app 1: 0
            week -4 [10:00:00Z, 11:00:00Z) app 1: 0
            baseline_hot"#]],
    );
}

#[test]
fn each_kind_counts_what_it_judges() {
    let setup = setup();
    check(
        &setup,
        "silent",
        "2026-01-15T10:12:00Z",
        &expect![[r#"
        window (10:02:00Z, 10:12:00Z] app 1: 0
        lookback (10:12:00Z, 10:12:00Z] app 1: 1
        silence_hot"#]],
    );
    check(
        &setup,
        "novel",
        "2026-01-15T10:12:00Z",
        &expect![[r#"
        lookback (09:12:00Z, 10:12:00Z] app 1: 4
        new_hot"#]],
    );
    check(
        &setup,
        "unfinished",
        "2026-01-15T10:01:30Z",
        &expect![[r#"
        window (09:59:30Z, 10:01:30Z] app 1: 1, app 2: 0
        missing_follow_up_hot"#]],
    );
    check(
        &setup,
        "steps",
        "2026-01-15T10:06:00Z",
        &expect![[r#"
        window (09:56:00Z, 10:06:00Z] app 1: 1, app 2: 1
        sequence_hot"#]],
    );
    check(
        &setup,
        "blind",
        "2026-01-15T10:06:00Z",
        &expect![[r#"
            window (09:56:00Z, 10:06:00Z] app 1: 6
            bucket [10:05:00Z, 10:10:00Z) app 1: 1 of 3
            silence_hot, unparsed_hot, unreadable_hot"#]],
    );
}

#[test]
fn people_are_told_what_it_means() {
    let setup = setup();
    let text = printed(&setup, "explain steps --at 2026-01-15T10:06:00Z");
    let (text, by_hand) = text.split_once("\nBy hand").unwrap();
    let (text, view) = text.split_once("\nview ").unwrap();
    // How wide it is depends on where temporary folders lie.
    let (text, table) = text.split_once("\nWINDOW").unwrap();
    let words: Vec<&str> = table.split_whitespace().collect();
    assert_eq!(words[..3], ["SOURCE", "PATTERN", "MATCHING"]);
    assert_eq!(words[3..8], ["window", "web1:", "app", "(LOGS/app.log)", "1"]);
    expect![[r#"
        steps: 'job (\d+) begins', then 'job (\d+) ends' within 10m

        Holds at the moment of an entry that completes the patterns, one after the
        other by different entries of one group, the last less than 10m after the
        first. While it goes on being completed it is one alert. It is over at once.

        kind        sequence
        levels      TRACE, DEBUG, INFO, WARNING, ERROR, FATAL
        steps       job (\d+) begins
        steps       job (\d+) ends
        within      10m
        group_by    source, $1

        at 2026-01-15 10:06:00Z:
        window      (2026-01-15 09:56:00Z, 2026-01-15 10:06:00Z]
    "#]]
    .assert_eq(text);
    assert!(view.starts_with("sequence_hot:\n SELECT judged.source_id"), "{view}");
    expect![[r#"
        , what is not evaluated yet, and what matches at any time:
          select * from sequence_hot where rule_id = 9;
          select * from matching_entries where source_id = 2 and rule_id = 9
            and logged_at > '2026-01-15 09:56:00Z' and logged_at <= '2026-01-15 10:06:00Z';
    "#]]
    .assert_eq(by_hand);
    for kind in ["burst", "logins", "share", "jump", "unusual", "silent", "novel", "many-users"] {
        let ran = rules(&setup, &format!("explain {kind}"));
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""));
        assert!(ran.stdout.lines().all(|line| !line.ends_with(' ')), "{}", ran.stdout);
    }
}

#[test]
fn what_is_typed_by_hand_works() {
    let setup = setup();
    let text = printed(&setup, "explain burst --at 2026-01-15T10:05:00Z");
    let (_, by_hand) = text.split_once("at any time:\n").unwrap();
    let statements: Vec<&str> = by_hand.split_terminator(";\n").collect();
    assert_eq!(statements.len(), 2, "{by_hand}");
    let rows = |statement: &str| {
        setup.value(&format!("select count(*)::text as value from ({statement}) as found"))
    };
    assert_eq!(rows(statements[0]), "0");
    assert_eq!(rows(statements[1]), "2");
}

#[test]
fn nothing_of_it_stays() {
    let setup = setup();
    let sequence = "select (select last_value from alert_rules_id_seq)
        || ' ' || (select last_value from sources_id_seq) as value";
    let before = (setup.contents(), setup.value(sequence));
    printed(&setup, "explain burst");
    // One that no run has seen, across sources that no rule was across before.
    setup.config(
        "host = 'web1'
         [[rule]]
         name = 'new'
         kind = 'threshold'
         count = 1
         within = '1h'
         group_by = []",
    );
    check(
        &setup,
        "new",
        "2026-01-15T10:30:00Z",
        &expect![[r#"
            window (09:30:00Z, 10:30:00Z] app 1: 4
            threshold_hot"#]],
    );
    assert_eq!((setup.contents(), setup.value(sequence)), before);
}

#[test]
fn what_cannot_be_explained_is_told() {
    let setup = setup();
    expect![[r#"
        tripline: error: there is no rule "brust" in the config; did you mean "burst"?
    "#]]
    .assert_eq(rules(&setup, "explain brust").expect_failure(2));
    expect![[r#"
        tripline: error: --at "noon" is no time; write it like 2026-01-01T12:00:00Z, or how long ago it was like 90s, 5m, 1h30m or 2d
    "#]].assert_eq(rules(&setup, "explain burst --at noon").expect_failure(2));
    let away = "explain burst --database-url postgresql://nobody@127.0.0.1:1/none";
    let ran = rules(&setup, away);
    assert_eq!(ran.code, Some(0));
    assert!(ran.stdout.contains("Holds from the matching entry"), "{ran:?}");
    assert!(ran.stderr.starts_with("tripline: warn: only what the config says: cannot connect"));
    setup.config(
        "[[rule]]\nname = 'x'\nkind = 'threshold'\ncount = 1\nwithin = '1h'\npattern = '('",
    );
    expect![[r#"
        tripline: error: rule "x": pattern "(" is no regular expression of PostgreSQL: invalid regular expression: parentheses () not balanced
    "#]].assert_eq(rules(&setup, "explain x").expect_failure(2));
}
