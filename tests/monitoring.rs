//! What other monitoring is told: a plugin of Nagios, and metrics in a file.

#![allow(
    clippy::panic,
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod support;

use std::collections::BTreeMap;
use std::fs;
use std::io::Write;
use std::os::unix::fs::PermissionsExt;
use std::process::{Command, Stdio};

use expect_test::{Expect, expect};
use support::program::{Ran, Setup, ran};
use support::programs;

const CONFIG: &str = "host = 'web1'
[[source]]
name = 'app'
paths = ['LOGS/app.log']
[[rule]]
name = 'any|thing'
kind = 'threshold'
count = 1
within = '5m'
severity = 'SEVERITY'
";

fn setup(severity: &str) -> Setup {
    let setup = Setup::new();
    configure(&setup, severity, "");
    setup.write("app.log", "2026-01-15 11:59:00 [ERROR] the disk is full\n");
    setup
}

fn configure(setup: &Setup, severity: &str, more: &str) {
    setup.config(&[&CONFIG.replace("SEVERITY", severity), more].concat());
}

fn run_at(setup: &mut Setup, time: &str) -> Ran {
    setup.now = format!("2026-01-15T{time}Z");
    setup.run(["run"])
}

/// What a monitor makes of a plugin, by the guideline: the state from the exit code, the text
/// before the bar, the performance data behind it, and further lines.
struct Answer {
    code: i32,
    text: String,
    data: BTreeMap<String, Data>,
    further: String,
}

/// One value: `'label'=value[UOM];[warn];[crit];[min];[max]`.
#[derive(Debug, PartialEq)]
struct Data {
    value: f64,
    unit: String,
    warning: Option<f64>,
    critical: Option<f64>,
    least: Option<f64>,
}

fn plugin<const N: usize>(setup: &Setup, arguments: [&str; N]) -> Answer {
    let ran = setup.run(["status", "--nagios"].into_iter().chain(arguments));
    assert_eq!(ran.stderr, "", "a monitor reads standard output only: {ran:?}");
    let (first, further) = ran.stdout.split_once('\n').unwrap();
    assert!(!further.contains('|'), "read as performance data: {further}");
    let (text, data) = first.split_once('|').unwrap_or((first, ""));
    let folder = setup.folder.path().display().to_string();
    Answer {
        code: ran.code.unwrap(),
        text: text.trim_end().replace(&folder, "LOGS"),
        data: data.split_whitespace().map(parse_data).collect(),
        further: further.to_owned(),
    }
}

fn parse_data(text: &str) -> (String, Data) {
    let (label, rest) = text.split_once('=').unwrap();
    let label = label.strip_prefix('\'').and_then(|rest| rest.strip_suffix('\'')).unwrap();
    assert!(!label.contains(['\'', '=']) && label.len() <= 19, "{label}");
    let parts: Vec<&str> = rest.split(';').collect();
    assert!(parts.len() <= 5, "{text}");
    let end = parts[0].find(|c: char| !"0123456789.-".contains(c)).unwrap_or(parts[0].len());
    let (value, unit) = parts[0].split_at(end);
    assert!(["", "s", "us", "ms", "%", "B", "KB", "MB", "TB", "c"].contains(&unit), "{text}");
    let number = |place: usize| {
        parts.get(place).filter(|part| !part.is_empty()).map(|part| part.parse().unwrap())
    };
    let data = Data {
        value: value.parse().unwrap(),
        unit: unit.to_owned(),
        warning: number(1),
        critical: number(2),
        least: number(3),
    };
    (label.to_owned(), data)
}

fn check(answer: &Answer, code: i32, expected: &Expect) {
    assert_eq!(answer.code, code, "{}", answer.text);
    expected.assert_eq(&answer.text);
}

#[test]
fn a_plugin_says_what_fires_and_what_does_not_work() {
    let mut setup = setup("warning");
    check(&plugin(&setup, []), 3, &expect!["TRIPLINE UNKNOWN - no run of host web1 so far"]);
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(0));
    let answer = plugin(&setup, []);
    check(&answer, 1, &expect!["TRIPLINE WARNING - 1 warning alert fires (any¦thing on app)"]);
    expect![[r#"
        alert 1: warning any¦thing on app since 2026-01-15 11:59:00Z
    "#]]
    .assert_eq(&answer.further);
    let firing = Data {
        value: 1.0,
        unit: String::new(),
        warning: Some(0.0),
        critical: None,
        least: Some(0.0),
    };
    assert_eq!(answer.data["alerts_warning"], firing);
    let labels: Vec<&str> = answer.data.keys().map(String::as_str).collect();
    expect!["alerts_critical alerts_info alerts_warning given_up last_run_age last_run_duration last_run_errors sources_failing undelivered unparsed_lines unread_bytes"].assert_eq(&labels.join(" "));
    assert_eq!(answer.data["unread_bytes"].unit, "B");

    // It is over, and then nobody runs any more.
    assert_eq!(run_at(&mut setup, "12:10:00").code, Some(0));
    check(&plugin(&setup, []), 0, &expect!["TRIPLINE OK - nothing fires"]);
    setup.now = "2026-01-15T12:21:00Z".to_owned();
    let answer = plugin(&setup, []);
    check(
        &answer,
        2,
        &expect!["TRIPLINE CRITICAL - the last run was 11m ago; does cron start it?"],
    );
    assert_eq!(
        (answer.data["last_run_age"].value, answer.data["last_run_age"].critical),
        (660.0, Some(600.0))
    );
    check(&plugin(&setup, ["--stale-after", "1h"]), 0, &expect!["TRIPLINE OK - nothing fires"]);

    fs::remove_file(setup.log()).unwrap();
    assert_eq!(run_at(&mut setup, "12:22:00").code, Some(1));
    check(
        &plugin(&setup, []),
        1,
        &expect![
            "TRIPLINE WARNING - errors in the last run: 1; source app: LOGS/app.log does not exist; create it, correct the path, or use a glob if it may be missing"
        ],
    );
}

#[test]
fn a_critical_alert_is_critical_unless_it_is_silenced() {
    let mut setup = setup("critical");
    run_at(&mut setup, "12:00:00");
    check(
        &plugin(&setup, []),
        2,
        &expect!["TRIPLINE CRITICAL - 1 critical alert fires (any¦thing on app)"],
    );

    let mut silenced = self::setup("critical");
    silenced.run(["silence", "add", "--for", "1h", "--reason", "deploy"]);
    run_at(&mut silenced, "12:00:00");
    let answer = plugin(&silenced, []);
    check(&answer, 0, &expect!["TRIPLINE OK - nothing fires"]);
    assert_eq!(answer.further, "");
}

#[test]
fn what_cannot_be_told_is_unknown() {
    let setup = setup("warning");
    setup.config("nonsense = 1\n");
    check(
        &plugin(&setup, []),
        3,
        &expect![[
            r#"TRIPLINE UNKNOWN - LOGS/tripline.toml:1:1: unknown key "nonsense" at the top level; this version knows: host, lock_file, database, evaluate, source, rule, channel, route, delivery, metrics, heartbeat"#
        ]],
    );
    configure(&setup, "warning", "");
    let url = "postgresql://127.0.0.1:1/x";
    let answer = plugin(&setup, ["--database-url", url]);
    assert_eq!(answer.code, 3);
    assert!(
        answer.text.starts_with("TRIPLINE UNKNOWN - ") && answer.text.contains("127.0.0.1"),
        "{}",
        answer.text
    );
}

#[test]
fn a_run_writes_its_metrics_anew() {
    let mut setup = setup("critical");
    configure(&setup, "critical", "[metrics]\ntextfile = 'LOGS/out/tripline.prom'\n");
    setup.write("a.log", "");
    fs::create_dir(setup.path("out")).unwrap();
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(0));
    let file = setup.path("out/tripline.prom");
    let text = fs::read_to_string(&file).unwrap();
    let shown: Vec<String> = text
        .replace(&setup.folder.path().display().to_string(), "LOGS")
        .lines()
        .map(|line| match line.split_once(' ') {
            // How long it took differs.
            Some(("tripline_last_run_duration_seconds", _)) => {
                "tripline_last_run_duration_seconds N".to_owned()
            }
            _ => line.to_owned(),
        })
        .collect();
    expect![[r##"
        # HELP tripline_build_info The version that ran.
        # TYPE tripline_build_info gauge
        tripline_build_info{version="0.1.0"} 1
        # HELP tripline_last_run_timestamp_seconds When the last run began.
        # TYPE tripline_last_run_timestamp_seconds gauge
        tripline_last_run_timestamp_seconds 1768478400
        # HELP tripline_last_success_timestamp_seconds When the last run without a failure began.
        # TYPE tripline_last_success_timestamp_seconds gauge
        tripline_last_success_timestamp_seconds 1768478400
        # HELP tripline_last_run_duration_seconds How long the last run took.
        # TYPE tripline_last_run_duration_seconds gauge
        tripline_last_run_duration_seconds N
        # HELP tripline_last_run_failures How many things failed in the last run.
        # TYPE tripline_last_run_failures gauge
        tripline_last_run_failures 0
        # HELP tripline_last_run_lines Lines that the last run read.
        # TYPE tripline_last_run_lines gauge
        tripline_last_run_lines 1
        # HELP tripline_last_run_entries Entries that the last run stored.
        # TYPE tripline_last_run_entries gauge
        tripline_last_run_entries 1
        # HELP tripline_alerts_firing Alerts that fire, in the whole database.
        # TYPE tripline_alerts_firing gauge
        tripline_alerts_firing{severity="critical"} 1
        tripline_alerts_firing{severity="warning"} 0
        tripline_alerts_firing{severity="info"} 0
        # HELP tripline_notifications_undelivered Messages that wait, in the whole database.
        # TYPE tripline_notifications_undelivered gauge
        tripline_notifications_undelivered 0
        # HELP tripline_notifications_given_up Messages that were given up within a week.
        # TYPE tripline_notifications_given_up gauge
        tripline_notifications_given_up 0
        # HELP tripline_source_failing Whether a log could not be read.
        # TYPE tripline_source_failing gauge
        tripline_source_failing{source="app",path="LOGS/app.log"} 0
        # HELP tripline_source_offset_bytes Bytes of the present file that were read.
        # TYPE tripline_source_offset_bytes gauge
        tripline_source_offset_bytes{source="app",path="LOGS/app.log"} 45
        # HELP tripline_source_unread_bytes Bytes of the present file that were not.
        # TYPE tripline_source_unread_bytes gauge
        tripline_source_unread_bytes{source="app",path="LOGS/app.log"} 0
        # HELP tripline_source_last_entry_timestamp_seconds Time of the last entry.
        # TYPE tripline_source_last_entry_timestamp_seconds gauge
        tripline_source_last_entry_timestamp_seconds{source="app",path="LOGS/app.log"} 1768478340
        # HELP tripline_source_lines_total Lines read so far.
        # TYPE tripline_source_lines_total counter
        tripline_source_lines_total{source="app",path="LOGS/app.log"} 1
        # HELP tripline_source_unparsed_lines_total Lines that could not be parsed.
        # TYPE tripline_source_unparsed_lines_total counter
        tripline_source_unparsed_lines_total{source="app",path="LOGS/app.log"} 0
        # HELP tripline_source_cut_lines_total Lines that were not kept whole.
        # TYPE tripline_source_cut_lines_total counter
        tripline_source_cut_lines_total{source="app",path="LOGS/app.log"} 0
        # HELP tripline_source_gaps_total How many times bytes were lost unread.
        # TYPE tripline_source_gaps_total counter
        tripline_source_gaps_total{source="app",path="LOGS/app.log"} 0
    "##]]
    .assert_eq(&(shown.join("\n") + "\n"));
    assert_eq!(fs::metadata(&file).unwrap().permissions().mode() & 0o777, 0o644);
    let files: Vec<_> = fs::read_dir(setup.path("out")).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");

    setup.append("app.log", "2026-01-15 12:00:30 [INFO] x\nwhat is this\n");
    assert_eq!(run_at(&mut setup, "12:10:00").code, Some(0));
    let text = fs::read_to_string(&file).unwrap();
    assert!(text.contains("tripline_alerts_firing{severity=\"critical\"} 0\n"), "{text}");
}

#[test]
fn metrics_that_cannot_be_written_are_told_and_the_old_ones_stay() {
    let mut setup = setup("warning");
    configure(&setup, "warning", "[metrics]\ntextfile = 'LOGS/gone/tripline.prom'\n");
    let ran = run_at(&mut setup, "12:00:00");
    assert_eq!(ran.code, Some(1));
    let said = ran.stderr.replace(&setup.folder.path().display().to_string(), "LOGS");
    // The name of the file beside it is another one each time.
    let said = said.split(" at path").next().unwrap();
    expect!["tripline: error: cannot write the metrics to LOGS/gone/tripline.prom: No such file or directory (os error 2)"].assert_eq(said);
    // What the run is for was done all the same.
    assert!(ran.stdout.starts_with("FIRED: warning any|thing"), "{ran:?}");
}

#[test]
fn a_full_disk_leaves_the_old_metrics_whole() {
    let mut setup = setup("warning");
    configure(&setup, "warning", "[metrics]\ntextfile = 'LOGS/out/tripline.prom'\n");
    fs::create_dir(setup.path("out")).unwrap();
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(0));
    let before = setup.read("out/tripline.prom");
    assert!(before.len() > 1024, "{before}");

    // No file may be longer than one block of 512 bytes, and who tries is told.
    setup.now = "2026-01-15T12:01:00Z".to_owned();
    let run = setup.command(["run"]);
    let mut limited = Command::new("/bin/sh");
    limited.args(["-c", "trap '' XFSZ; ulimit -f 1 && exec \"$@\"", "sh"]);
    limited.arg(run.get_program()).args(run.get_args());
    for (name, value) in run.get_envs() {
        limited.env(name, value.unwrap());
    }
    let ran = ran(&mut limited);
    assert_eq!(ran.code, Some(1), "{ran:?}");
    assert!(
        ran.stderr.contains("cannot write the metrics") && ran.stderr.contains("File too large")
    );
    assert_eq!(setup.read("out/tripline.prom"), before);
    let files: Vec<_> = fs::read_dir(setup.path("out")).unwrap().collect();
    assert_eq!(files.len(), 1, "{files:?}");
}

#[test]
fn names_that_would_break_a_line_are_escaped() {
    let mut setup = setup("warning");
    let name = "a\"b\\c\nd.log";
    setup.write(name, "2026-01-15 11:59:00 [ERROR] x\n");
    setup.config(
        "host = 'web1'\n[[source]]\npaths = ['LOGS/a*.log']\n[metrics]\ntextfile = 'LOGS/m.prom'\n",
    );
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(0));
    let text = setup.read("m.prom");
    let folder = setup.folder.path().display().to_string();
    let value = format!("{folder}/a\\\"b\\\\c\\nd.log");
    let line = format!("tripline_source_lines_total{{source=\"{value}\",path=\"{value}\"}} 1");
    assert!(text.lines().any(|one| one == line), "{text}");
}

#[test]
fn promtool_has_nothing_against_the_metrics() {
    let promtool = programs::find("promtool", "TRIPLINE_PROMTOOL");
    let check = |text: &str| {
        let mut child = Command::new(&promtool)
            .args(["check", "metrics"])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        child.stdin.take().unwrap().write_all(text.as_bytes()).unwrap();
        let output = child.wait_with_output().unwrap();
        let said = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
        (output.status.code(), said)
    };
    let mut setup = setup("critical");
    // One of everything: a channel that fails, names that have to be escaped, a log that is gone.
    let channel = "[[channel]]\nname = 'a\"b'\ntype = 'command'\ncommand = ['/no/such/program']\n";
    configure(
        &setup,
        "critical",
        &format!(
            "[[source]]\npaths = ['LOGS/a*.log']\n[metrics]\ntextfile = 'LOGS/m.prom'\n{channel}"
        ),
    );
    setup.write("a\"b\\c\nd.log", "2026-01-15 11:59:00 [ERROR] x\nno entry\n");
    assert_eq!(run_at(&mut setup, "12:00:00").code, Some(1));
    let text = setup.read("m.prom");
    assert!(text.contains("tripline_channel_failing{channel=\"a\\\"b\"} 1\n"), "{text}");
    assert_eq!(check(&text), (Some(0), String::new()));
    // It does find fault.
    let (code, said) = check(&text.replace("_lines_total", "_lines"));
    assert_eq!(code, Some(3), "{said}");
    assert!(said.contains("counter metrics should have \"_total\" suffix"), "{said}");
}
