//! `tripline replay --update`: what happened becomes what is expected.

use std::fs;

use expect_test::expect;

use super::Scratch;

/// A case of which nearly everything is wrong, written by somebody with habits.
const WRONG: &str = r#"# A case.
description = "x"

[[step]]
append = "/var/log/app.log"   # the log
text = """
2026-01-01 00:00:05 [FATAL] disk full
2026-01-01 00:00:06 [ERROR] connection lost
"""

# The first minute.
[[step]]
run = "2026-01-01T00:01:00Z"
fired = [
    # It fires at once.
    { rule = "fatal", measured = 7, started_at = "2026-01-01T00:00:05Z" }, # indeed
    # Nothing of the sort happens.
    { rule = "error-burst" },
    # The end.
]
resolved = [{ rule = "fatal" }]
entry_count = 9   # how many
entries = ["2026-01-01T00:00:06Z ERROR connection lost", "2026-01-01T00:00:07Z ERROR never"]
errors = 1 # none

[[step]]
run = "+5m"
resolved = []
alerts = [{ rule = "fatal", state = "firing", number = 1 }]
"#;

#[test]
fn what_happened_is_expected_from_now_on_and_the_rest_stays() {
    let scratch = Scratch::new();
    let case = scratch.case("wrong", WRONG);
    let file = case.join("case.toml");
    scratch.replay(&["--update"], std::slice::from_ref(&case)).expect(0, &expect![[r#"
        update wrong
               step 2, run at 2026-01-01T00:01:00Z (CASES/wrong/case.toml:12)
                 fired
                 - fatal, started 2026-01-01T00:00:05Z, measured 7
                 + fatal, started 2026-01-01T00:00:05Z, measured 1 (on /var/log/app.log, ended 2026-01-01T00:05:05Z, number 1, firing)
                 - error-burst
                 resolved
                 - fatal
                 entries
                 - "2026-01-01T00:00:07Z ERROR never"
                 + "2026-01-01T00:00:05Z FATAL disk full"
                 entry_count
                 - 9
                 + 2
                 errors
                 - 1
                 + 0
               step 3, run at 2026-01-01T00:06:00Z (CASES/wrong/case.toml:26)
                 resolved
                 + fatal on /var/log/app.log, started 2026-01-01T00:00:05Z, ended 2026-01-01T00:05:05Z, measured 1, number 1, resolved
                 alerts
                 - fatal, number 1, firing
                 + fatal, number 1, resolved (on /var/log/app.log, started 2026-01-01T00:00:05Z, ended 2026-01-01T00:05:05Z, measured 1)
        0 of 1 cases passed, 1 updated (- expected, + happened)
    "#]]);
    let updated = fs::read_to_string(&file).unwrap();
    expect![[r##"
        # A case.
        description = "x"

        [[step]]
        append = "/var/log/app.log"   # the log
        text = """
        2026-01-01 00:00:05 [FATAL] disk full
        2026-01-01 00:00:06 [ERROR] connection lost
        """

        # The first minute.
        [[step]]
        run = "2026-01-01T00:01:00Z"
        fired = [
            # It fires at once.
            { rule = "fatal", measured = 1, started_at = "2026-01-01T00:00:05Z" }, # indeed
            # Nothing of the sort happens.
            # The end.
        ]
        resolved = []
        entry_count = 2   # how many
        entries = ["2026-01-01T00:00:06Z ERROR connection lost", "2026-01-01T00:00:05Z FATAL disk full"]
        errors = 0 # none

        [[step]]
        run = "+5m"
        resolved = [{ rule = "fatal", source = "/var/log/app.log", started_at = "2026-01-01T00:00:05Z", ended_at = "2026-01-01T00:05:05Z", measured = 1, state = "resolved" }]
        alerts = [{ rule = "fatal", state = "resolved", number = 1 }]
    "##]].assert_eq(&updated);
    // It passes now, and is left alone.
    let again = scratch.replay(&["--update", "--json"], std::slice::from_ref(&case));
    assert_eq!(again.code, Some(0));
    assert!(!again.stdout.contains("updated"), "{}", again.stdout);
    assert_eq!(fs::read_to_string(&file).unwrap(), updated);
}

#[test]
fn a_case_that_expects_nothing_gets_what_matters() {
    let scratch = Scratch::new();
    let steps = WRONG.split("fired = [").next().unwrap();
    let case = scratch.case("new", &format!("{steps}\n[[step]]\nrun = \"+5m\"\n"));
    let file = case.join("case.toml");
    let updated = scratch.replay(&["--update", "--json"], std::slice::from_ref(&case));
    assert!(updated.stdout.contains("\"updated\": true"), "{}", updated.stdout);
    expect![[r##"
        # A case.
        description = "x"

        [[step]]
        append = "/var/log/app.log"   # the log
        text = """
        2026-01-01 00:00:05 [FATAL] disk full
        2026-01-01 00:00:06 [ERROR] connection lost
        """

        # The first minute.
        [[step]]
        run = "2026-01-01T00:01:00Z"
        fired = [{ rule = "fatal", source = "/var/log/app.log", started_at = "2026-01-01T00:00:05Z", ended_at = "2026-01-01T00:05:05Z", measured = 1, state = "firing" }]
        resolved = []

        [[step]]
        run = "+5m"
        fired = []
        resolved = [{ rule = "fatal", source = "/var/log/app.log", started_at = "2026-01-01T00:00:05Z", ended_at = "2026-01-01T00:05:05Z", measured = 1, state = "resolved" }]
        alerts = [{ rule = "fatal", source = "/var/log/app.log", started_at = "2026-01-01T00:00:05Z", ended_at = "2026-01-01T00:05:05Z", measured = 1, state = "resolved" }]
        entries = ["2026-01-01T00:00:05Z FATAL disk full", "2026-01-01T00:00:06Z ERROR connection lost"]
        unparsed_lines = 0
    "##]].assert_eq(&fs::read_to_string(&file).unwrap());
    let again = scratch.replay(&[], &[case]);
    assert_eq!(again.code, Some(0), "{}", again.stdout);
}

#[test]
fn steps_and_lists_may_be_written_in_other_ways() {
    let scratch = Scratch::new();
    let inline = scratch.case(
        "inline",
        r#"description = "x"
step = [
    { append = "/var/log/app.log", text = "2026-01-01 00:00:05 [FATAL] a\n" },
    { run = "2026-01-01T00:01:00Z", fired = [], entry_count = 2 },
]
"#,
    );
    let tables = scratch.case(
        "tables",
        r#"description = "x"

[[step]]
append = "/var/log/app.log"
text = "2026-01-01 00:00:05 [FATAL] a\n"

[[step]]
run = "2026-01-01T00:01:00Z"

[[step.fired]]
rule = "fatal"
measured = 3

[[step.fired]]
rule = "other"
"#,
    );
    let cases = [inline, tables];
    assert_eq!(scratch.replay(&["--update"], &cases).code, Some(0));
    let texts = cases.each_ref().map(|case| fs::read_to_string(case.join("case.toml")).unwrap());
    expect![[r#"
        description = "x"
        step = [
            { append = "/var/log/app.log", text = "2026-01-01 00:00:05 [FATAL] a\n" },
            { run = "2026-01-01T00:01:00Z", fired = [{ rule = "fatal", source = "/var/log/app.log", started_at = "2026-01-01T00:00:05Z", ended_at = "2026-01-01T00:05:05Z", measured = 1, state = "firing" }], entry_count = 1 },
        ]
        ---
        description = "x"

        [[step]]
        append = "/var/log/app.log"
        text = "2026-01-01 00:00:05 [FATAL] a\n"

        [[step]]
        run = "2026-01-01T00:01:00Z"
        fired = [{ rule = "fatal", measured = 1 }]
    "#]].assert_eq(&texts.join("---\n"));
    assert_eq!(scratch.replay(&[], &cases).code, Some(0));
}

#[test]
fn a_case_that_cannot_run_is_not_touched() {
    let scratch = Scratch::new();
    let text = "description = 'x'\n[[step]]\nrotate = '/a.log'\nto = '/b'\n[[step]]\nrun = '2026-01-01T00:01:00Z'\n";
    let case = scratch.case("broken", text);
    assert_eq!(scratch.replay(&["--update"], std::slice::from_ref(&case)).code, Some(1));
    assert_eq!(fs::read_to_string(case.join("case.toml")).unwrap(), text);
}
