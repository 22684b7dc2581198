//! `tripline replay`: every case of `fixtures/replay` passes, and what is wrong is said.
//!
//! The program runs as its users run it, on a private PostgreSQL that ends with each test.

#![allow(
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    reason = "clippy.toml allows them in tests, but not in what tests share"
)]

#[path = "../support/scratch.rs"]
mod scratch;
mod record;
mod update;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use expect_test::{Expect, expect};
use serde_json::Value;
use tripline::cluster::Durability;
use tripline::config::RuleKind;

use scratch::Scratch;

/// A number that no process has: the kernel's end at 4194304.
const NO_PROCESS: u32 = 999_999_999;

/// What a replay printed, with `CASES` for the folder of the cases.
struct Replayed {
    code: Option<i32>,
    stdout: String,
    stderr: String,
}

impl Scratch {
    fn new() -> Self {
        let scratch = Self::below("state", Durability::ThrowAway);
        scratch.cluster.ensure_running().unwrap();
        scratch
    }

    fn cases(&self) -> PathBuf {
        self.folder.path().join("cases")
    }

    /// Writes a case and returns its folder.
    fn case(&self, name: &str, text: &str) -> PathBuf {
        let folder = self.cases().join(name);
        fs::create_dir_all(&folder).unwrap();
        fs::write(folder.join("case.toml"), text).unwrap();
        folder
    }

    fn replay(&self, options: &[&str], cases: &[PathBuf]) -> Replayed {
        let mut command = Command::new(env!("CARGO_BIN_EXE_tripline"));
        command
            .env_clear()
            .env("HOME", self.folder.path())
            .env("TZ", "UTC")
            .env("TRIPLINE_STATE_DIR", self.cluster.base())
            // A replay never looks at what is configured.
            .env("TRIPLINE_DATABASE_URL", "postgresql:///nobody_reads_this?host=/nonexistent")
            .arg("replay")
            .args(options)
            .args(cases)
            .stdin(Stdio::null());
        for variable in ["TRIPLINE_PG_BIN", "LD_LIBRARY_PATH"] {
            if let Some(value) = std::env::var_os(variable) {
                command.env(variable, value);
            }
        }
        let output = command.output().unwrap();
        let text = |bytes: Vec<u8>| {
            String::from_utf8(bytes).unwrap().replace(self.cases().to_str().unwrap(), "CASES")
        };
        Replayed {
            code: output.status.code(),
            stdout: text(output.stdout),
            stderr: text(output.stderr),
        }
    }

    fn databases_of_cases(&self) -> String {
        self.query("select datname from pg_database where datname ~ '^tripline_replay' order by 1")
    }
}

impl Replayed {
    #[track_caller]
    fn expect(&self, code: i32, stdout: &Expect) {
        assert_eq!((self.code, self.stderr.as_str()), (Some(code), ""), "{}", self.stdout);
        stdout.assert_eq(&self.stdout);
    }
}

fn fixtures() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/replay")
}

/// The folders of all cases, by name.
fn all_cases() -> Vec<PathBuf> {
    let mut folders: Vec<_> =
        fs::read_dir(fixtures()).unwrap().map(|entry| entry.unwrap().path()).collect();
    folders.sort();
    folders
}

fn case_file(name: &str) -> toml::Table {
    fs::read_to_string(fixtures().join(name).join("case.toml")).unwrap().parse().unwrap()
}

#[test]
fn all_cases_pass_and_leave_nothing_behind() {
    let scratch = Scratch::new();
    let cases = all_cases();
    assert!(cases.len() > 20, "found only {} cases", cases.len());
    let replayed = scratch.replay(&["--json"], &cases);
    let report: Value = serde_json::from_str(&replayed.stdout).unwrap();
    let outcomes = report["cases"].as_array().unwrap();
    let names: Vec<_> = cases.iter().map(|case| case.file_name().unwrap().to_str()).collect();
    let reported: Vec<_> = outcomes.iter().map(|outcome| outcome["name"].as_str()).collect();
    assert_eq!(reported, names);
    for outcome in outcomes {
        assert_eq!(outcome["passed"], true, "{outcome:#}");
        assert_eq!(outcome["differences"], serde_json::json!([]));
    }
    assert_eq!(replayed.code, Some(0), "{}", replayed.stderr);
    assert_eq!(scratch.databases_of_cases(), "");
    // Nor was anything written where the user's own entries lie.
    assert_eq!(scratch.query("select to_regclass('log_entries') is null"), "t");
}

#[test]
fn a_case_asserts_something_and_says_what_it_shows() {
    for folder in all_cases() {
        let case = case_file(folder.file_name().unwrap().to_str().unwrap());
        let description = case["description"].as_str().unwrap();
        assert!(description.ends_with('.'), "{}: {description}", folder.display());
        let steps = case["step"].as_array().unwrap();
        let asserts =
            |step: &toml::Value| step.get("run").is_some() && step.as_table().unwrap().len() > 1;
        assert!(steps.iter().any(asserts), "{} asserts nothing", folder.display());
    }
}

#[test]
fn every_kind_of_rule_has_cases() {
    let mut cases_of = std::collections::BTreeMap::<String, usize>::new();
    for folder in all_cases() {
        let Ok(text) = fs::read_to_string(folder.join("tripline.toml")) else { continue };
        let config: toml::Table = text.parse().unwrap();
        let rules = config.get("rule").and_then(toml::Value::as_array).into_iter().flatten();
        for rule in rules {
            *cases_of.entry(rule["kind"].as_str().unwrap().to_owned()).or_default() += 1;
        }
    }
    for kind in RuleKind::ALL {
        let cases = cases_of.get(kind.as_str()).copied().unwrap_or_default();
        assert!(cases >= 2, "rules of kind {} have {cases} cases", kind.as_str());
    }
}

#[test]
fn a_backlog_and_its_ticks_are_expected_to_give_the_same() {
    let last_alerts = |name| {
        let case = case_file(name);
        case["step"].as_array().unwrap().last().unwrap()["alerts"].clone()
    };
    let alerts = last_alerts("catch_up_in_one_run");
    assert_eq!(alerts.as_array().unwrap().len(), 6);
    assert_eq!(alerts, last_alerts("catch_up_in_sixty_ticks"));
}

#[test]
fn the_log_of_the_exercise_is_what_the_script_writes() {
    let folder = tempfile::tempdir().unwrap();
    let log = folder.path().join("app.log");
    let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("scripts/generate_logs.sh");
    let status = Command::new(script)
        .env("TZ", "UTC")
        .args(["--seed", "1", "--lines", "120", "--interval", "5"])
        .args(["--start", "2026-03-01 12:00:00", "--file"])
        .arg(&log)
        .status()
        .unwrap();
    assert!(status.success());
    let kept = fs::read_to_string(fixtures().join("exercise_log/app.log")).unwrap();
    assert_eq!(fs::read_to_string(&log).unwrap(), kept);
}

const LOG: &str = r#"
    [[step]]
    append = "/var/log/app.log"
    text = """
    2026-01-01 00:00:05 [FATAL] disk full
    2026-01-01 00:00:06 [ERROR] connection lost
    """
"#;

#[test]
fn a_difference_is_told_and_does_not_stop_the_others() {
    let scratch = Scratch::new();
    let log = LOG.replace("    ", "");
    let passes = scratch.case(
        "b passes",
        &format!("description = 'x'\n{log}[[step]]\nrun = '2026-01-01T00:01:00Z'\nentry_count = 2"),
    );
    let fails = scratch.case(
        "a fails",
        &format!(
            "description = 'x'\n{log}
            [[step]]
            run = '2026-01-01T00:01:00Z'
            fired = [{{ rule = 'error-burst', source = '/var/log/app.log', measured = 5 }}]
            resolved = [{{ rule = 'fatal', started_at = '2026-01-01T00:00:05Z' }}]
            alerts = [{{ rule = 'fatal', state = 'resolved', number = 2 }}]
            entries = ['2026-01-01T00:00:05Z FATAL disk full', '2026-01-01T00:00:06Z ERROR other']
            entry_count = 3
            unparsed_lines = 1
            gaps = 1
            errors = 2

            [[step]]
            run = '+1m'
            fired = []
            resolved = []

            [[step]]
            run = '+4m'
            fired = [{{ rule = 'fatal', ended_at = '2026-01-01T00:05:05Z' }}]"
        ),
    );
    let cases = [fails, passes];
    scratch.replay(&[], &cases).expect(1, &expect![[r#"
        FAILED a fails
               step 2, run at 2026-01-01T00:01:00Z (CASES/a fails/case.toml:10)
                 fired
                 - error-burst on /var/log/app.log, measured 5
                 + fatal on /var/log/app.log, started 2026-01-01T00:00:05Z, ended 2026-01-01T00:05:05Z, measured 1, number 1, firing
                 resolved
                 - fatal, started 2026-01-01T00:00:05Z
                 alerts
                 - fatal, number 2, resolved
                 + fatal, number 1, firing (on /var/log/app.log, started 2026-01-01T00:00:05Z, ended 2026-01-01T00:05:05Z, measured 1)
                 entries
                 - "2026-01-01T00:00:06Z ERROR other"
                 + "2026-01-01T00:00:06Z ERROR connection lost"
                 entry_count
                 - 3
                 + 2
                 unparsed_lines
                 - 1
                 + 0
                 gaps
                 - 1
                 + 0
                 errors
                 - 2
                 + 0
               step 4, run at 2026-01-01T00:06:00Z (CASES/a fails/case.toml:26)
                 fired
                 - fatal, ended 2026-01-01T00:05:05Z
        ok     b passes
        1 of 2 cases passed (- expected, + happened)
    "#]]);
    // It is told in the order of the cases, however many run at a time.
    let one = scratch.replay(&["--jobs", "1"], &cases);
    assert_eq!(one.stdout, scratch.replay(&["--jobs", "8"], &cases).stdout);
    // An error that is not expected is one, whatever else is compared.
    let missing = "[[step]]\nrotate = '/var/log/app.log'\nto = '/var/log/app.log.1'\n";
    let run = "[[step]]\nrun = '2026-01-01T00:01:00Z'\n";
    let missing = scratch.case("c errs", &format!("description = 'x'\n{log}{missing}{run}"));
    let json = scratch.replay(&["--json"], &[cases[1].clone(), missing]);
    assert_eq!(json.code, Some(1));
    let report: Value = serde_json::from_str(&json.stdout).unwrap();
    let reason = "/var/log/app.log does not exist; create it, correct the path, or use a glob if \
                  it may be missing";
    assert_eq!(
        report,
        serde_json::json!({ "cases": [
            { "name": "b passes", "passed": true, "differences": [] },
            { "name": "c errs", "passed": false, "differences": [
                format!("step 3: errors: expected 0, found 1; {reason}")
            ] },
        ] })
    );
    assert_eq!(scratch.databases_of_cases(), "");
}

/// The output of a replay without the time that it took, which is no other time.
fn without_durations(text: &str) -> String {
    let mut parts = text.split(" time=\"");
    let first = parts.next().unwrap().to_owned();
    parts.fold(first, |text, part| text + " time=\"TIME\"" + part.split_once('"').unwrap().1)
}

#[test]
fn what_runs_tests_can_read_what_came_of_them() {
    let scratch = Scratch::new();
    let log = LOG.replace("    ", "");
    let run = "[[step]]\nrun = '2026-01-01T00:01:00Z'\n";
    let passes = scratch.case("passes", &format!("description = 'x'\n{log}{run}entry_count = 2"));
    let fails = scratch.case("fails", &format!("description = 'x'\n{log}{run}entry_count = 3"));
    let wrong = scratch.case("wrong", &format!("description = 'x'\n{run}fird = []"));
    let cases = [passes, fails, wrong];
    scratch.replay(&["--format", "tap"], &cases).expect(1, &expect![[r#"
        TAP version 14
        1..3
        ok 1 - passes
        not ok 2 - fails
          ---
          at: "CASES/fails"
          differences: |2
            step 2, run at 2026-01-01T00:01:00Z (CASES/fails/case.toml:9)
              entry_count
              - 3
              + 2
          ...
        not ok 3 - wrong
          ---
          at: "CASES/wrong"
          differences: |2
            CASES/wrong/case.toml: step 1: unknown field `fird`, expected one of `fired`, `resolved`, `alerts`, `notifications`, `entries`, `entry_count`, `unparsed_lines`, `gaps`, `errors`
          ...
    "#]]);
    let junit = scratch.replay(&["--format", "junit"], &cases);
    assert_eq!(junit.code, Some(1));
    expect![[r#"
        <?xml version="1.0" encoding="UTF-8"?>
        <testsuites name="tripline" tests="3" failures="1" errors="1" time="TIME">
          <testsuite name="replay" tests="3" failures="1" errors="1" time="TIME" skipped="0">
            <testcase classname="replay" name="passes" file="CASES/passes" time="TIME"/>
            <testcase classname="replay" name="fails" file="CASES/fails" time="TIME">
              <failure message="1 not as expected: entry_count">step 2, run at 2026-01-01T00:01:00Z (CASES/fails/case.toml:9)
          entry_count
          - 3
          + 2</failure>
            </testcase>
            <testcase classname="replay" name="wrong" file="CASES/wrong" time="TIME">
              <error message="CASES/wrong/case.toml: step 1: unknown field `fird`, expected one of `fired`, `resolved`, `alerts`, `notifications`, `entries`, `entry_count`, `unparsed_lines`, `gaps`, `errors`">CASES/wrong/case.toml: step 1: unknown field `fird`, expected one of `fired`, `resolved`, `alerts`, `notifications`, `entries`, `entry_count`, `unparsed_lines`, `gaps`, `errors`</error>
            </testcase>
          </testsuite>
        </testsuites>
    "#]].assert_eq(&without_durations(&junit.stdout));
    let json = scratch.replay(&["--format", "json"], &cases).stdout;
    assert_eq!(json, scratch.replay(&["--json"], &cases).stdout);
}

#[test]
fn people_can_be_part_of_a_case() {
    let scratch = Scratch::new();
    let log = LOG.replace("    ", "");
    let run = "[[step]]\nrun = '+1m'\n";
    let wrong = |name: &str, step: &str| {
        let first = "[[step]]\nrun = '2026-01-01T00:01:00Z'\n";
        scratch.case(name, &format!("description = 'x'\n{log}{first}[[step]]\n{step}\n{run}"))
    };
    let cases = [
        wrong("silence without an end", "silence = 'x'"),
        wrong("silence with two ends", "silence = 'x'\nfor = '1h'\nuntil = 2026-01-01T01:00:00Z"),
        wrong("no hours", "silence = 'x'\nweekly = 'sun'"),
        wrong("no such silence", "end_silence = 'x'"),
        wrong("no such alert", "ack = 'none'"),
        wrong("end before the beginning", "silence = 'x'\nuntil = '2026-01-01T00:01:00Z'"),
    ];
    scratch.replay(&[], &cases).expect(1, &expect![[r#"
        FAILED silence without an end
               CASES/silence without an end/case.toml: step 3: silence needs for, until or weekly
        FAILED silence with two ends
               CASES/silence with two ends/case.toml: step 3: silence has both until and for
        FAILED no hours
               CASES/no hours/case.toml: step 3: weekly: "sun" names no hours; write them like "mon-fri 08:00-18:00 Europe/Berlin"
        FAILED no such silence
               step 3: there is no silence "x" that could be ended
        FAILED no such alert
               step 3: rule none has no open alert that could be taken on
        FAILED end before the beginning
               step 3: the silence ends before it begins
        0 of 6 cases passed
    "#]]);
}

#[test]
fn the_clock_of_a_case_is_its_own() {
    let scratch = Scratch::new();
    let log = LOG.replace("    ", "");
    let twice = scratch.case(
        "two runs at one time",
        &format!(
            "description = 'x'\n{log}
            [[step]]
            run = '2026-01-01T00:01:00Z'
            fired = [{{ rule = 'fatal' }}]
            [[step]]
            run = '+0s'
            fired = []
            [[step]]
            run = '2026-01-01T00:00:59Z'
            fired = []
            resolved = []"
        ),
    );
    // For an hour a rotated log is watched, and for as long as the new one is empty.
    let rotated = scratch.case(
        "an old log",
        &format!(
            "description = 'x'\n{log}
            [[step]]
            run = '2026-01-01T00:01:00Z'
            [[step]]
            rotate = '/var/log/app.log'
            to = '/var/log/app.log.1'
            [[step]]
            append = '/var/log/app.log'
            text = \"2026-01-01 00:01:05 [ERROR] in the new one\\n\"
            [[step]]
            run = '2026-01-01T01:01:00Z'
            entry_count = 3
            gaps = 0
            [[step]]
            append = '/var/log/app.log.1'
            text = \"2026-01-01 01:01:05 [ERROR] nobody looks here\\n\"
            [[step]]
            run = '+1m'
            entry_count = 3"
        ),
    );
    scratch.replay(&[], &[twice, rotated]).expect(
        0,
        &expect![[r"
            ok     two runs at one time
            ok     an old log
            2 of 2 cases passed
        "]],
    );
}

/// Cases with one mistake each, which their names tell.
fn wrong_cases() -> Vec<(&'static str, String)> {
    let run = "[[step]]\nrun = '2026-01-01T00:01:00Z'\n";
    let append = "[[step]]\nappend = '/a.log'\n";
    vec![
        ("unknown key", format!("descripton = 'x'\n{run}")),
        ("unknown key of a step", format!("description = 'x'\n{run}fird = []")),
        ("unknown key of an alert", format!("description = 'x'\n{run}fired = [{{ rul = 'a' }}]")),
        (
            "key of another step",
            format!("description = 'x'\n{append}text = 'a'\nfired = []\n{run}"),
        ),
        ("no toml", "description = \n".to_owned()),
        ("no description", run.to_owned()),
        ("no step", "description = 'x'".to_owned()),
        ("no run", format!("description = 'x'\n{append}text = 'a'")),
        ("nothing after the last step", format!("description = 'x'\n{run}{append}text = 'a'")),
        ("no kind of step", format!("description = 'x'\n[[step]]\ntext = 'a'\n{run}")),
        ("two kinds of step", format!("description = 'x'\n{append}run = '+1m'\n")),
        (
            "relative path",
            format!("description = 'x'\n[[step]]\nappend = 'a.log'\ntext = ''\n{run}"),
        ),
        (
            "path that goes up",
            format!("description = 'x'\n[[step]]\nappend = '/../a'\ntext = ''\n{run}"),
        ),
        ("first run without a time", "description = 'x'\n[[step]]\nrun = '+1m'".to_owned()),
        ("no time", "description = 'x'\n[[step]]\nrun = 'noon'".to_owned()),
        ("no duration", format!("description = 'x'\n{run}[[step]]\nrun = '+1 minute'")),
        ("text and file", format!("description = 'x'\n{append}text = 'a'\nfile = 'b'\n{run}")),
        ("neither text nor file", format!("description = 'x'\n{append}{run}")),
        ("no such file", format!("description = 'x'\n{append}file = 'b.log'\n{run}")),
        ("no such lines", format!("description = 'x'\n{append}text = 'a'\nlines = [1, 2]\n{run}")),
        ("rotate to nowhere", format!("description = 'x'\n[[step]]\nrotate = '/a.log'\n{run}")),
        (
            "nothing to rotate",
            format!("description = 'x'\n[[step]]\nrotate = '/a.log'\nto = '/b'\n{run}"),
        ),
        ("no such zone", format!("description = 'x'\ntimezone = 'Berlin'\n{run}")),
        ("wrong config", format!("description = 'x'\n{run}")),
    ]
}

#[test]
fn what_is_wrong_with_a_case_is_told() {
    let scratch = Scratch::new();
    let cases: Vec<PathBuf> = wrong_cases()
        .into_iter()
        .map(|(name, text)| scratch.case(name, &text))
        .chain([scratch.cases().join("no folder")])
        .collect();
    fs::write(scratch.cases().join("wrong config/tripline.toml"), "[[rule]]\nname = 'a'\n")
        .unwrap();
    scratch.replay(&[], &cases).expect(1, &expect![[r#"
        FAILED unknown key
               CASES/unknown key/case.toml is wrong: TOML parse error at line 1, column 1
                 |
               1 | descripton = 'x'
                 | ^^^^^^^^^^
               unknown field `descripton`, expected one of `description`, `timezone`, `config`, `step`
        FAILED unknown key of a step
               CASES/unknown key of a step/case.toml: step 1: unknown field `fird`, expected one of `fired`, `resolved`, `alerts`, `notifications`, `entries`, `entry_count`, `unparsed_lines`, `gaps`, `errors`
        FAILED unknown key of an alert
               CASES/unknown key of an alert/case.toml: step 1: unknown field `rul`, expected one of `rule`, `source`, `group`, `started_at`, `ended_at`, `measured`, `number`, `state`, `withdrawn`
               in `fired`
        FAILED key of another step
               CASES/key of another step/case.toml: step 1: unknown field `fired`, expected one of `text`, `file`, `lines`
        FAILED no toml
               CASES/no toml/case.toml is wrong: TOML parse error at line 1, column 15
                 |
               1 | description = 
                 |               ^
               string values must be quoted, expected literal string
        FAILED no description
               CASES/no description/case.toml is wrong: TOML parse error at line 1, column 1
                 |
               1 | [[step]]
                 | ^
               missing field `description`
        FAILED no step
               CASES/no step/case.toml: the last step must run the job, else nobody sees what it does: run = "2026-01-01T00:01:00Z"
        FAILED no run
               CASES/no run/case.toml: the last step must run the job, else nobody sees what it does: run = "2026-01-01T00:01:00Z"
        FAILED nothing after the last step
               CASES/nothing after the last step/case.toml: the last step must run the job, else nobody sees what it does: run = "2026-01-01T00:01:00Z"
        FAILED no kind of step
               CASES/no kind of step/case.toml: step 1: a step is one of append, rotate, copytruncate, silence, end_silence, ack, sql, run, and only one of them
        FAILED two kinds of step
               CASES/two kinds of step/case.toml: step 1: a step is one of append, rotate, copytruncate, silence, end_silence, ack, sql, run, and only one of them
        FAILED relative path
               CASES/relative path/case.toml: step 1: paths must be absolute: a.log
        FAILED path that goes up
               CASES/path that goes up/case.toml: step 1: paths must not go up by ..: /../a
        FAILED first run without a time
               CASES/first run without a time/case.toml: step 1: the first run needs a time: run = "2026-01-01T00:01:00Z"
        FAILED no time
               CASES/no time/case.toml: step 1: run = "noon" is neither a time (2026-01-01T00:01:00Z) nor a step (+1m): input contains invalid characters
        FAILED no duration
               CASES/no duration/case.toml: step 2: "1 minute" is not a duration; write it like "90s", "5m", "1h30m" or "2d"
        FAILED text and file
               CASES/text and file/case.toml: step 1: append has both text and file
        FAILED neither text nor file
               CASES/neither text nor file/case.toml: step 1: append needs text or file
        FAILED no such file
               CASES/no such file/case.toml: step 1: cannot read CASES/no such file/b.log: No such file or directory (os error 2)
        FAILED no such lines
               CASES/no such lines/case.toml: step 1: lines = [1, 2]: the piece has the lines 1 to 1
        FAILED rotate to nowhere
               CASES/rotate to nowhere/case.toml: step 1: missing field `to`
        FAILED nothing to rotate
               step 1: cannot rename /a.log: No such file or directory (os error 2)
        FAILED no such zone
               CASES/no such zone/case.toml is wrong: TOML parse error at line 2, column 12
                 |
               2 | timezone = 'Berlin'
                 |            ^^^^^^^^
               failed to parse timezone: 'Berlin'
        FAILED wrong config
               CASES/wrong config/tripline.toml:1:1: missing key "kind" in [[rule]]
        FAILED no folder
               cannot read CASES/no folder/case.toml: No such file or directory (os error 2)
        0 of 25 cases passed
    "#]]);
    assert_eq!(scratch.databases_of_cases(), "");
}

#[test]
fn what_a_process_that_is_gone_has_left_is_dropped() {
    let scratch = Scratch::new();
    let living = format!("tripline_replay_{}_1", std::process::id());
    let others = ["tripline_replay_mine", living.as_str()];
    for name in [format!("{NO_PROCESS}_1"), format!("{NO_PROCESS}_template")] {
        scratch.query(&format!("create database tripline_replay_{name}"));
    }
    for name in others {
        scratch.query(&format!("create database {name}"));
    }
    let replayed = scratch.replay(&[], &[fixtures().join("silence")]);
    replayed.expect(
        0,
        &expect![[r"
            ok     silence
            1 of 1 cases passed
        "]],
    );
    let mut left: Vec<_> = others.to_vec();
    left.sort_unstable();
    assert_eq!(scratch.databases_of_cases(), left.join("\n"));
}
