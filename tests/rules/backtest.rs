//! `tripline rules backtest`

use chrono::{DateTime, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use expect_test::expect;
use serde_json::Value;

use crate::support::program::Setup;
use crate::support::random::Random;
use crate::{ALL_KINDS, printed, rules};

/// The view of the rule `own`.
const OWN_VIEW: &str = "create view public.own_view as
    select message as group_key, logged_at as started_at,
        case when message <> 'all is lost' then logged_at + interval '1 minute' end as ended_at,
        1 as measured
    from log_entries
    where level = 'FATAL'";

const BEGIN: &str = "2026-01-01T10:00:00Z";

fn at(minutes: i64) -> DateTime<Utc> {
    BEGIN.parse::<DateTime<Utc>>().unwrap() + TimeDelta::minutes(minutes)
}

fn line(time: DateTime<Utc>, level: &str, message: &str) -> String {
    format!("{} [{level}] {message}\n", time.format("%Y-%m-%d %H:%M:%S"))
}

/// A log of five weeks, in pieces of one run each: the same hour of each week, and in the last
/// one a stormy day.
fn pieces() -> Vec<(DateTime<Utc>, String)> {
    const WEEK: i64 = 7 * 24 * 60;
    let mut random = Random::new(7);
    let mut pieces = Vec::new();
    for week in 0..4 {
        let mut piece = String::new();
        for minute in [0, 10, 20] {
            piece += &line(at(week * WEEK + minute), "ERROR", "as every week");
            piece += &line(at(week * WEEK + minute + 1), "INFO", "all is well");
        }
        pieces.push((at(week * WEEK + 60), piece));
    }
    let mut piece = String::new();
    for minute in 0..400 {
        let now = at(4 * WEEK + minute);
        // Now and then nobody writes anything for a while.
        if minute % 90 < 25 {
            let lines = random.below(4);
            for _ in 0..lines {
                let job = random.below(3);
                let (level, message) = match random.below(12) {
                    0 => ("FATAL", "disk full".to_owned()),
                    1 | 2 => ("ERROR", format!("failed for user{job}")),
                    3 => ("WARNING", "failed for test".to_owned()),
                    4 | 5 => ("INFO", format!("job {job} begins")),
                    6 | 7 => ("INFO", format!("job {job} ends")),
                    8 => ("ERROR", format!("no such file {}", "abcdefgh".split_at(job + 1).0)),
                    _ => ("INFO", "all is well".to_owned()),
                };
                piece += &line(now, level, &message);
            }
            if random.below(3) == 0 {
                piece.push_str("what is this\n");
            }
        }
        if minute % 13 == 12 || minute == 399 {
            pieces.push((now + TimeDelta::seconds(61), std::mem::take(&mut piece)));
        }
    }
    let last = line(at(4 * WEEK + 420), "FATAL", "all is lost");
    pieces.push((at(4 * WEEK + 440), last));
    pieces
}

/// A database in which rules of every kind have judged that log, run by run.
fn setup() -> Setup {
    let mut setup = Setup::new();
    let config = format!(
        "{ALL_KINDS}
         [[rule]]
         name = 'across'
         kind = 'threshold'
         count = 2
         within = '3m'
         keep_firing = '5m'
         group_by = ['level']"
    );
    setup.config(&config);
    setup.database.connect().batch_execute(OWN_VIEW).unwrap();
    for (now, piece) in pieces() {
        setup.append("app.log", piece);
        setup.now = now.to_rfc3339();
        let ran = setup.run(["run"]);
        assert_eq!((ran.code, ran.stderr.as_str()), (Some(0), ""), "{ran:?}");
    }
    setup
}

fn json(setup: &Setup, arguments: &str) -> Value {
    serde_json::from_str(&printed(setup, &format!("backtest --json {arguments}"))).unwrap()
}

/// The alerts of the one value, or of the configured one.
fn episodes(found: &Value) -> Vec<String> {
    let values = found["values"].as_array().unwrap();
    let value = values.iter().find(|value| value["value"] == found["configured"]).unwrap();
    let time = |value: &Value| value.as_str().unwrap_or("-").to_owned();
    let shown = |one: &Value| {
        let (started_at, ended_at) = (time(&one["started_at"]), time(&one["ended_at"]));
        let group = one["group"].as_str().unwrap();
        format!("{} {group}: {started_at} {ended_at} {}", one["source_id"], one["measured"])
    };
    value["episodes"].as_array().unwrap().iter().map(shown).collect()
}

/// What runs have recorded of a rule.
fn recorded(setup: &Setup, rule: &str) -> Vec<String> {
    let time = |column: &str| {
        format!(
            "to_char({column} at time zone 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS') ||
             rtrim(rtrim(to_char({column}, '.US'), '0'), '.') || 'Z'"
        )
    };
    setup.rows(&format!(
        "select alerts.source_id || ' ' || group_key || ': ' || {} || ' ' ||
            case when ended_at = 'infinity' then '-' else {} end || ' ' ||
            to_json(measured)::text as value
         from alerts
         join alert_rules on alert_rules.id = rule_id
         where name = '{rule}' and merged_into is null and retracted_at is null
         order by started_at, alerts.source_id, group_key collate \"C\"",
        time("started_at"),
        time("ended_at"),
    ))
}

/// Beginning and end of an alert as these functions show it.
fn times(shown: &str) -> (&str, &str) {
    let mut words = shown.rsplit(' ').skip(1);
    let ended_at = words.next().unwrap();
    (words.next().unwrap(), ended_at)
}

#[test]
fn it_gives_what_runs_have_recorded() {
    let setup = setup();
    let mut with_alerts = 0;
    for rule in setup.rows("select name as value from alert_rules order by id") {
        let found = episodes(&json(&setup, &rule));
        assert_eq!(found, recorded(&setup, &rule), "{rule}");
        with_alerts += usize::from(!found.is_empty());
    }
    assert!(with_alerts > 8, "only {with_alerts} rules had anything to tell");
    // Those that go on then or begin later, whatever there was before.
    let mut cut = 0;
    for from in ["2026-01-29T11:42:01Z", "2026-01-29T11:46:01Z", "2026-01-29T13:12:01Z"] {
        for rule in ["burst", "across", "logins", "novel", "silent", "jump", "share"] {
            let found = episodes(&json(&setup, &format!("{rule} --from {from}")));
            let since = recorded(&setup, rule).into_iter().filter_map(|alert| {
                let (started_at, ended_at) = times(&alert);
                if started_at >= from {
                    return Some(alert);
                }
                let goes_on = ended_at > from || ended_at == "-";
                cut += usize::from(goes_on);
                goes_on.then(|| alert.replacen(started_at, from, 1))
            });
            let since: Vec<String> = since.collect();
            // What was measured at the worst may have been before.
            let times = |alerts: &[String]| -> Vec<String> {
                let times = alerts.iter().map(|alert| alert.rsplit_once(' ').unwrap().0.to_owned());
                let mut times: Vec<_> = times.collect();
                times.sort();
                times
            };
            assert_eq!(times(&found), times(&since), "{rule} from {from}");
        }
    }
    assert!(cut > 0, "no alert went on");
}

/// Ten errors: five within a minute, three, and two, each half an hour after the other.
fn small() -> Setup {
    let mut setup = Setup::new();
    let rules = "host = 'web1'
        [[source]]
        name = 'app'
        paths = ['LOGS/app.log']
        [[rule]]
        name = 'burst'
        kind = 'threshold'
        count = 3
        within = '5m'
        [[rule]]
        name = 'share'
        kind = 'ratio'
        percent = 50
        at_least = 1
        within = '5m'";
    setup.config(rules);
    let mut log = String::new();
    for (burst, errors) in [(0, 5), (30, 3), (60, 2)] {
        for second in 0..errors {
            log += &line(at(burst) + TimeDelta::seconds(second), "ERROR", "disk full");
        }
    }
    log += &line(at(90), "INFO", "all is well");
    setup.write("app.log", log);
    setup.now = at(14 * 24 * 60).to_rfc3339();
    setup.run(["ingest"]).expect_silence();
    setup
}

#[test]
fn people_see_each_value_and_which_gives_about_one_alert_a_week() {
    let setup = small();
    expect![[r#"
        burst: 3 ERROR or FATAL within 5m
        looked at  2026-01-01 10:00:00Z to 2026-01-15 10:00:00Z (14d)
        entries    2026-01-01 10:00:00Z to 2026-01-01 11:00:01Z
        lines      2026-01-01 10:00:00Z to 2026-01-01 11:30:00Z

        COUNT  ALERTS  A WEEK  LONGEST
            1       3     1.5  5m4s
            2       3     1.5  5m2s
            3       2     1.0  5m       as configured, about 1 a week
            4       1     0.5  4m58s
            5       1     0.5  4m56s
            6       0     0.0  -

        About 1 alert a week (1.0) comes of count = 3.

        Only stored entries can be seen: sources store ERROR, FATAL, and what keep names; what was not
        stored when it was read is missing.
    "#]].assert_eq(&printed(&setup, "backtest burst --count 1..6"));
    expect![[r#"
        share: 50% of all are ERROR or FATAL, and 1 or more, in 5m
        looked at  2026-01-01 10:20:00Z to 2026-01-01 11:00:00Z (40m)
        entries    2026-01-01 10:00:00Z to 2026-01-01 11:00:01Z
        lines      2026-01-01 10:00:00Z to 2026-01-01 11:30:00Z

        PERCENT  ALERTS  A WEEK  LONGEST
           12.5       2     504  5m
             25       2     504  5m
           37.5       2     504  5m
             50       2     504  5m       as configured
             75       2     504  5m
            100       2     504  5m

        None of these values gives about 1 alert a week; the nearest is percent = 50 with 504. Less than a
        week was looked at, which says little about weeks.

        The rule reads the counts of all lines, stored or not.
    "#]].assert_eq(&printed(
        &setup,
        "backtest share --from 2026-01-01T10:20:00Z --to 2026-01-01T11:00:00Z",
    ));
    expect![[r#"
        burst: 3 ERROR or FATAL within 5m
        looked at  2026-01-14 10:00:00Z to 2026-01-15 10:00:00Z (1d)
        entries    2026-01-01 10:00:00Z to 2026-01-01 11:00:01Z
        lines      2026-01-01 10:00:00Z to 2026-01-01 11:30:00Z

        COUNT  ALERTS  A WEEK  LONGEST
            1       0     0.0  -
            2       0     0.0  -
            3       0     0.0  -        as configured
            5       0     0.0  -
            6       0     0.0  -
            9       0     0.0  -
           12       0     0.0  -
           18       0     0.0  -

        No alert in that time. Less than a week was looked at, which says little about weeks.

        Only stored entries can be seen: sources store ERROR, FATAL, and what keep names; what was not
        stored when it was read is missing.
    "#]].assert_eq(&printed(&setup, "backtest burst --from 1d"));
    expect![[r#"
        burst: nothing is stored of that time (entries 2026-01-01 10:00:00Z to 2026-01-01 11:00:01Z, lines 2026-01-01 10:00:00Z to 2026-01-01 11:30:00Z)
    "#]].assert_eq(&printed(&setup, "backtest burst --to 2025-01-01T00:00:00Z"));
}

#[test]
fn a_value_with_which_it_always_fires_is_no_advice() {
    let mut setup = small();
    let minutes = (100..14 * 24 * 60).step_by(4);
    let errors: Vec<_> = minutes.map(|minute| line(at(minute), "ERROR", "as ever")).collect();
    setup.append("app.log", errors.concat());
    setup.now = at(14 * 24 * 60).to_rfc3339();
    setup.run(["ingest"]).expect_silence();
    expect![[r#"
        burst: 3 ERROR or FATAL within 5m
        looked at  2026-01-01 10:00:00Z to 2026-01-15 10:00:00Z (14d)
        entries    2026-01-01 10:00:00Z to 2026-01-15 09:56:00Z
        lines      2026-01-01 10:00:00Z to 2026-01-15 09:56:00Z

        COUNT  ALERTS  A WEEK  LONGEST
            1       4     2.0  13d22h20m
            2    5017    2508  5m2s
            3       2     1.0  5m         as configured, about 1 a week

        About 1 alert a week (1.0) comes of count = 3.

        Only stored entries can be seen: sources store ERROR, FATAL, and what keep names; what was not
        stored when it was read is missing.
    "#]].assert_eq(&printed(&setup, "backtest burst --count 1..3"));
    expect![[r#"
        burst: 3 ERROR or FATAL within 5m
        looked at  2026-01-13 10:00:00Z to 2026-01-15 10:00:00Z (2d)
        entries    2026-01-01 10:00:00Z to 2026-01-15 09:56:00Z
        lines      2026-01-01 10:00:00Z to 2026-01-15 09:56:00Z

        COUNT  ALERTS  A WEEK  LONGEST
            1       1     3.5  2d
            2     720    2520  1m

        None of these values gives about 1 alert a week; the nearest is count = 2 with 2520. Less than a
        week was looked at, which says little about weeks.

        Only stored entries can be seen: sources store ERROR, FATAL, and what keep names; what was not
        stored when it was read is missing.
    "#]].assert_eq(&printed(&setup, "backtest burst --count 1..2 --from 2d"));
}

#[test]
fn machines_get_the_alerts_as_well() {
    let setup = small();
    expect![[r#"
        {
          "rule": "burst",
          "kind": "threshold",
          "key": "count",
          "configured": 3,
          "from": "2026-01-01T10:00:00Z",
          "to": "2026-01-15T10:00:00Z",
          "first_entry_at": "2026-01-01T10:00:00Z",
          "last_entry_at": "2026-01-01T11:00:01Z",
          "first_line_at": "2026-01-01T10:00:00Z",
          "last_line_at": "2026-01-01T11:30:00Z",
          "reads_counts": false,
          "stored_levels": [
            "ERROR",
            "FATAL"
          ],
          "values": [
            {
              "value": 5,
              "alerts": 1,
              "alerts_a_week": 0.5,
              "longest_seconds": 296,
              "episodes": [
                {
                  "source_id": 1,
                  "group": "",
                  "started_at": "2026-01-01T10:00:04Z",
                  "ended_at": "2026-01-01T10:05:00Z",
                  "measured": 5,
                  "lasted_seconds": 296
                }
              ]
            }
          ],
          "about_one_a_week": 5
        }
    "#]]
    .assert_eq(&printed(&setup, "backtest burst --count 5 --json"));
}

#[test]
fn an_alert_must_last_as_long_as_the_rule_wants() {
    let setup = small();
    let config = setup.read("tripline.toml");
    // From the third error on: five minutes after the first one at most, 4m58s, 5m and so on.
    setup.write(
        "tripline.toml",
        config.replace("within = '5m'\n        [[rule]]", "within = '5m'\nfor = '4m59s'\n[[rule]]"),
    );
    let found = json(&setup, "burst --count 3");
    assert_eq!(found["values"][0]["alerts"], 1, "{found}");
}

#[test]
fn nothing_of_it_stays_and_nobody_waits_for_anybody() {
    let setup = small();
    // Across sources, for which nothing stands yet.
    let config = setup.read("tripline.toml");
    setup.write("tripline.toml", format!("{config}\ngroup_by = []"));
    let everything = || {
        let tables = ["rule_backlog", "hot_intervals"]
            .map(|table| setup.value(&format!("select count(*)::text as value from {table}")));
        let sequences = setup.rows(
            "select sequencename || ' ' || coalesce(last_value::text, '-') as value
             from pg_sequences order by sequencename",
        );
        (setup.contents(), tables, sequences)
    };
    let before = everything();
    // As a run holds it.
    let mut run = setup.database.connect();
    run.batch_execute(
        "begin; select from ingest_state for update; update ingest_state set counted = '{}'",
    )
    .unwrap();
    for rule in ["burst", "share"] {
        assert!(printed(&setup, &format!("backtest {rule}")).contains("as configured"));
    }
    run.batch_execute("rollback").unwrap();
    assert_eq!(everything(), before);
}

#[test]
fn wrong_use_is_explained() {
    let setup = small();
    let refused = |arguments: &str| {
        rules(&setup, &format!("backtest {arguments}")).expect_failure(2).to_owned()
    };
    let first_line = |text: String| text.lines().next().unwrap().to_owned() + "\n";
    let said = [
        refused("bursd"),
        refused("burst --percent 1..2"),
        refused("share --percent 1..200"),
        refused("burst --count 1.5..2"),
        refused("burst --from 1h --to 2h"),
        refused("burst --from noon"),
        first_line(refused("burst --count 5..1")),
    ];
    expect![[r#"
        tripline: error: there is no rule "bursd" in the config; did you mean "burst"?
        tripline: error: --percent means nothing for a rule of kind threshold; give --count
        tripline: error: --percent must not be above 100
        tripline: error: --count takes whole numbers
        tripline: error: --from must not be later than --to
        tripline: error: --from "noon" is no time; write it like 2026-01-01T12:00:00Z, or how long ago it was like 90s, 5m, 1h30m or 2d
        error: invalid value '5..1' for '--count <A..B>': write it like 3..20
    "#]].assert_eq(&said.concat());
    setup.config("[[rule]]\nname = 'x'\nkind = 'sequence'\nsteps = ['a', '(']\nwithin = '1h'");
    expect![[r#"
        tripline: error: --count means nothing for a rule of kind sequence, which has no such threshold
    "#]].assert_eq(&refused("x --count 1..2"));
    expect![[r#"
        tripline: error: rule "x": steps '(': invalid regular expression: parentheses () not balanced
    "#]].assert_eq(rules(&setup, "backtest x").expect_failure(1));
}

#[test]
fn without_anything_stored_there_is_nothing_to_look_at() {
    let setup = Setup::new();
    expect![[r#"
        fatal: nothing is stored of that time (entries none, lines none)
    "#]]
    .assert_eq(&printed(&setup, "backtest fatal"));
    let none =
        setup.command(["rules", "backtest", "fatal"]).env_remove("TRIPLINE_DATABASE_URL").output();
    assert_eq!(none.unwrap().status.code(), Some(0));
}
