//! `tripline rules list`

use diesel::connection::SimpleConnection;
use expect_test::expect;

use crate::support::program::Setup;
use crate::{ALL_KINDS, printed, rules};

/// Three errors a second apart, and one an hour later.
const LOG: &str = "\
2026-01-15 10:00:00 [ERROR] one
2026-01-15 10:00:01 [ERROR] two
2026-01-15 10:00:02 [ERROR] three
2026-01-15 11:00:00 [FATAL] four
";

#[test]
fn every_kind_is_told_in_short_words() {
    let setup = Setup::new();
    setup.config(ALL_KINDS);
    expect![[r#"
        RULE        KIND               LOOKS FOR                                                                                                          GROUP       SEVERITY  OPEN  LAST
        burst       threshold          3 ERROR or FATAL within 5m                                                                                         source      critical     -  -
        logins      threshold          3 ERROR or FATAL matching 'failed for (\S+)' but not 'test' within 20m, until fewer than 2                         $1          warning      -  -
        share       ratio              50% of all are ERROR or FATAL, and 2 or more, in 5m                                                                source      warning      -  -
        jump        spike              2 times as many ERROR or FATAL as in the 5m before, and 3 or more                                                  source      warning      -  -
        unusual     baseline           2 times as many ERROR or FATAL in 1h as usual at that time of the week, and 3 or more                              source      warning      -  -
        silent      absence            no INFO within 10m                                                                                                 source      warning      -  -
        novel       new                a message of ERROR or FATAL that was not there for 1h                                                              source      warning      -  -
        many-users  distinct           2 different $1 of ERROR or FATAL matching 'failed for (\S+)' within 5m                                             source      warning      -  -
        unfinished  missing_follow_up  'job (\d+) begins' without 'job (\d+) ends' within 2m                                                              source, $1  warning      -  -
        steps       sequence           'job (\d+) begins', then 'job (\d+) ends' within 10m                                                               source, $1  warning      -  -
        blind       blind              a log that cannot be read or lost bytes, or is silent for 10m, or has more than 20% lines in 5m that do not parse  source      warning      -  -
        own         sql                what the view public.own_view returns                                                                              -           warning      -  -
    "#]].assert_eq(&printed(&setup, "list"));
}

#[test]
fn what_fires_and_what_fails_is_told() {
    let mut setup = Setup::new();
    setup.write("app.log", LOG);
    let log = setup.log();
    setup.now = "2026-01-15T11:01:00Z".to_owned();
    let ran = setup.run(["run".as_ref(), log.as_os_str()]);
    assert_eq!(ran.code, Some(0), "{ran:?}");
    expect![[r#"
        RULE         KIND       LOOKS FOR                   GROUP   SEVERITY  OPEN  LAST
        fatal        threshold  1 FATAL within 5m           source  critical     1  2026-01-15 11:00:00Z
        error-burst  threshold  5 ERROR or FATAL within 5m  source  warning      0  -
    "#]].assert_eq(&printed(&setup, "list"));
    setup
        .database
        .connect()
        .batch_execute(
            "insert into rule_backlog (source_id, rule_id, dirty, failures, failed_since, last_error)
             select sources.id, alert_rules.id, '{}', 2, '2026-01-15T11:00:00Z', 'too slow'
             from sources, alert_rules where alert_rules.name = 'error-burst'",
        )
        .unwrap();
    expect![[r#"
        RULE         KIND       LOOKS FOR                   GROUP   SEVERITY  OPEN  LAST
        fatal        threshold  1 FATAL within 5m           source  critical     1  2026-01-15 11:00:00Z
        error-burst  threshold  5 ERROR or FATAL within 5m  source  warning      0  -

        error-burst: it fails for 1 of its sources since 2026-01-15 11:00:00Z: too slow
    "#]].assert_eq(&printed(&setup, "list"));
    expect![[r#"
        [
          {
            "name": "fatal",
            "kind": "threshold",
            "looks_for": "1 FATAL within 5m",
            "group_by": [
              "source"
            ],
            "severity": "critical",
            "open_alerts": 1,
            "last_started_at": "2026-01-15T11:00:00Z",
            "failing_sources": 0,
            "failing_since": null,
            "last_error": null
          },
          {
            "name": "error-burst",
            "kind": "threshold",
            "looks_for": "5 ERROR or FATAL within 5m",
            "group_by": [
              "source"
            ],
            "severity": "warning",
            "open_alerts": 0,
            "last_started_at": null,
            "failing_sources": 1,
            "failing_since": "2026-01-15T11:00:00Z",
            "last_error": "too slow"
          }
        ]
    "#]]
    .assert_eq(&printed(&setup, "list --json"));
}

#[test]
fn without_a_database_the_config_is_told_all_the_same() {
    let setup = Setup::new();
    let ran = rules(&setup, "list --database-url postgresql://nobody@127.0.0.1:1/none");
    assert_eq!(ran.code, Some(0));
    assert!(ran.stdout.contains("5 ERROR or FATAL within 5m"), "{ran:?}");
    assert!(ran.stderr.starts_with("tripline: warn: only what the config says: cannot connect"));
    assert_eq!(ran.stderr.lines().count(), 1, "{ran:?}");
    // Nobody has made one so far, and this does not.
    let none = setup.command(["rules", "list"]).env_remove("TRIPLINE_DATABASE_URL").output();
    let none = none.unwrap();
    assert_eq!(none.status.code(), Some(0), "{none:?}");
    assert!(none.stderr.is_empty() && !none.stdout.is_empty(), "{none:?}");
    assert!(!setup.path("state").join("postgres").exists());
}
