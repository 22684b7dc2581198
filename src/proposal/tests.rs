use std::path::PathBuf;

use expect_test::expect;

use super::*;

fn log(name: Option<&str>, path: &str, errors: &[i64], minutes: i64) -> Log {
    let second = |second: i64| EventTime(1_767_225_600_000_000 + second * 1_000_000);
    let survey = Survey {
        path: PathBuf::from(path),
        format: Some("plain"),
        size: 1 << 30,
        looked_at: 16 << 20,
        lines: 1000,
        entries: 1000,
        unparsed: 3,
        by_level: [0, 0, 900, 0, 100, 0],
        span: Some((second(0), second(minutes * 60))),
        longest_silence: 240 * 1_000_000,
        errors: errors.iter().map(|one| second(*one)).collect(),
        fatals: Vec::new(),
        written_at: String::new(),
    };
    Log { name: name.map(str::to_owned), survey, zone: Some("Europe/Berlin") }
}

#[test]
fn each_log_gets_thresholds_that_would_have_fired_seldom() {
    let busy: Vec<i64> =
        (0..48).flat_map(|hour| (0..7).map(move |one| hour * 3600 + one)).collect();
    let logs = [
        log(Some("app"), "/var/log/app.log", &[], 2880),
        log(None, "/srv/a \"b\"/app.log", &busy, 2880),
    ];
    let now = "2026-01-03T00:01:00Z".parse().unwrap();
    expect![[r##"
        # Proposed by `tripline init` on 2026-01-03 from what the logs held. Change what you like:
        #   tripline rules check          can all rules be used?
        #   tripline rules backtest RULE  how often would other values have fired?

        # Format plain. Looked at the last 16 MiB of 1024 MiB: 1000 lines,
        # 2026-01-01 00:00:00Z to 2026-01-03 00:00:00Z;
        # 900 INFO, 100 ERROR; 3 lines could not be parsed.
        [[source]]
        name = "app"
        paths = ["/var/log/app.log"]
        timezone = "Europe/Berlin"   # its times show none
        # start = "end"   # leaves out what it holds already

        # Format plain. Looked at the last 16 MiB of 1024 MiB: 1000 lines,
        # 2026-01-01 00:00:00Z to 2026-01-03 00:00:00Z;
        # 900 INFO, 100 ERROR; 3 lines could not be parsed.
        [[source]]
        paths = ['/srv/a "b"/app.log']
        timezone = "Europe/Berlin"   # its times show none
        # start = "end"   # leaves out what it holds already

        # 1 FATAL within 5m: 0 alerts in 2 days of log.
        [[rule]]
        name = "fatal"
        kind = "threshold"
        levels = ["FATAL"]
        count = 1
        within = "5m"
        severity = "critical"

        # 3 ERROR or FATAL within 5m: 0 alerts in 2 days of log.
        [[rule]]
        name = "error-burst-3"
        kind = "threshold"
        levels = ["ERROR", "FATAL"]
        count = 3
        within = "5m"
        severity = "warning"
        sources = ["app"]

        # 10 ERROR or FATAL within 5m: 0 alerts in 2 days of log; 5 would have given 48.
        [[rule]]
        name = "error-burst-10"
        kind = "threshold"
        levels = ["ERROR", "FATAL"]
        count = 10
        within = "5m"
        severity = "warning"
        sources = ['/srv/a "b"/app.log']

        # No entry of any level for 15m; the longest time without one was 4 minutes.
        [[rule]]
        name = "silent"
        kind = "absence"
        within = "15m"

        # Logs that cannot be read, or of which most lines cannot be parsed.
        [[rule]]
        name = "blind"
        kind = "blind"
        percent = 50
        at_least = 20
        within = "5m"

        # Errors of which there was none like it for a week; numbers in them do not matter. Take the
        # comment signs away once the logs were read for some days.
        # [[rule]]
        # name = "new-error"
        # kind = "new"
        # lookback = "7d"
        # severity = "info"

        # Left out:
        #   /var/log/x: no format reads it
    "##]]
    .assert_eq(&write(&logs, &["/var/log/x: no format reads it".to_owned()], now));
}

#[test]
fn a_log_that_is_silent_already_is_not_said_to_be() {
    let silence =
        |now: &str, minutes| super::silence(&log(None, "/a", &[], minutes), now.parse().unwrap());
    assert_eq!(silence("2026-01-02T00:05:00Z", 1440), Some(TimeDelta::minutes(15)));
    assert_eq!(silence("2026-01-02T00:15:00Z", 1440), None);
    // It was not looked at for long enough.
    assert_eq!(silence("2026-01-01T00:14:30Z", 14), None);
}

#[test]
fn a_path_that_looks_like_a_pattern_is_the_path() {
    let now = "2026-01-03T00:01:00Z".parse().unwrap();
    let text = write(&[log(None, "/srv/[a]*.log", &[], 60)], &[], now);
    assert!(text.contains("\npaths = [\"/srv/[[]a[]][*].log\"]\n"), "{text}");
}
