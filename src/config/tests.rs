//! What `tripline.toml` may say, and what is said about it when it is wrong.
#![allow(clippy::needless_raw_string_hashes, reason = "expect-test writes them")]

use chrono::TimeDelta;
use expect_test::{Expect, expect};
use proptest::prelude::*;

use super::*;
use crate::model::{Level, LevelRules, LevelSet, Multiline, PartitionInterval, Severity};

const FILE: &str = "tripline.toml";

fn parse(text: &str) -> Result<Config, ConfigError> {
    Config::parse(Path::new(FILE), text.as_bytes())
}

/// Shows all problems of a wrong config.
fn check(text: &str, expected: &Expect) {
    expected.assert_eq(&format!("{}\n", parse(text).unwrap_err()));
}

/// A `[[rule]]` in which everything required is there, and a few lines more.
fn rule(lines: &str) -> String {
    format!("[[rule]]\nname='r'\nkind='threshold'\ncount=5\nwithin='5m'\n{lines}\n")
}

fn source(lines: &str) -> String {
    format!("[[source]]\npaths=['/var/log/app.log']\n{lines}\n")
}

#[test]
fn an_empty_file_gives_the_defaults() {
    let config = parse("").unwrap();
    assert_eq!(config, Config { path: Some(PathBuf::from(FILE)), ..Config::default() });
}

const EXAMPLE: &str = r#"
host = "web1"
lock_file = "/run/tripline.lock"
metrics = { textfile = "/run/tripline.prom" }
heartbeat = { url_env = "BEAT", method = "get" }

[database]
url = "postgresql://ann:secret@db/logs"
partition = "day"

[evaluate]
all_hosts = true

[[source]]
name = "app"                       # default: the path
paths = ["/var/log/app.log", "/srv/*/log/*.log"]
exclude = ["*.gz"]
format = "auto"                    # or a name from the format list, or a pattern
timezone = "Europe/Berlin"         # default: the host's
store = ["ERROR", "fatal"]         # levels kept as entries; all levels are always counted
start = "beginning"                # or "end": for a log seen for the first time
max_line_bytes = "64k"
max_entry_lines = 100
olddir = ["/var/log/old", "archive"]

[[rule]]
name = "error-burst"
kind = "threshold"                 # see the rule table
levels = ["ERROR", "FATAL"]
pattern = "timeout"                # optional regular expression on the message
count = 5                          # fires when at least 5 entries ...
within = "5m"                      # ... lie in (t - 5m, t]
group_by = ["source"]              # one alert per source; [] is one over all
severity = "critical"
summary = "{{count}} errors from {{group}} in {{within}}"
"#;

#[test]
fn the_documented_example_is_read() {
    let expected = Config {
        path: Some(PathBuf::from(FILE)),
        host: Some("web1".to_owned()),
        lock_file: Some(PathBuf::from("/run/tripline.lock")),
        heartbeat: Some(HeartbeatConfig {
            endpoint: Endpoint {
                url: Secret::Env("BEAT".to_owned()),
                headers: Vec::new(),
                token: None,
                tls: Tls::default(),
            },
            method: HeartbeatMethod::Get,
            timeout: std::time::Duration::from_secs(10),
        }),
        metrics: MetricsConfig { textfile: Some(PathBuf::from("/run/tripline.prom")) },
        database: DatabaseConfig {
            url: Some(DatabaseUrl::new("postgresql://ann:secret@db/logs")),
            url_file: None,
            partition: PartitionInterval::Day,
        },
        evaluate: EvaluateConfig { all_hosts: true },
        channels: Vec::new(),
        routes: Vec::new(),
        delivery: DeliveryConfig::default(),
        sources: vec![SourceConfig {
            name: Some("app".to_owned()),
            paths: vec![
                SourcePath::Literal(PathBuf::from("/var/log/app.log")),
                SourcePath::Glob(glob::Pattern::new("/srv/*/log/*.log").unwrap()),
            ],
            exclude: vec![glob::Pattern::new("*.gz").unwrap()],
            format: LogFormat::Auto,
            timezone: Some(chrono_tz::Europe::Berlin),
            store: LevelSet::from_iter([Level::Error, Level::Fatal]),
            keep: Vec::new(),
            start: Start::Beginning,
            max_line_bytes: 65_536,
            max_entry_lines: 100,
            encoding: encoding_rs::UTF_8,
            level_rules: LevelRules::default(),
            multiline: Multiline::Auto,
            idle_flush: Some(TimeDelta::seconds(60)),
            journal: None,
            olddir: vec!["/var/log/old".into(), "archive".into()],
        }],
        rules: vec![RuleConfig {
            levels: LevelSet::from_iter([Level::Error, Level::Fatal]),
            pattern: Some("timeout".to_owned()),
            count: 5,
            within: TimeDelta::minutes(5),
            group_by: vec![GroupBy::Source],
            severity: Severity::Critical,
            summary: Some("{{count}} errors from {{group}} in {{within}}".to_owned()),
            ..RuleConfig::new("error-burst", RuleKind::Threshold)
        }],
        warnings: vec![],
    };
    assert_eq!(parse(EXAMPLE).unwrap(), expected);
}

#[test]
fn all_mistakes_are_reported_at_once_with_their_places() {
    check(
        r#"# ten mistakes
hots = "web1"

[database]
url_file = "db-url"

[[source]]
paths = ["/var/log/app.log", "app.log"]
timezone = "Europe/Berln"
store = ["ERROR", "EROR"]

[[rule]]
name = "ratio"
kind = "ratio"
percent = 5

[[rule]]
name = "burst"
kind = "threshold"
count = "five"
witihn = "5m"
severity = "urgent"
"#,
        &expect![[r#"
            tripline.toml:2:1: unknown key "hots" at the top level; did you mean "host"?
            tripline.toml:5:12: url_file must be absolute: "db-url"
            tripline.toml:8:30: paths must be absolute: "app.log"
            tripline.toml:9:12: timezone "Europe/Berln" is no IANA time zone; did you mean "Europe/Berlin"?
            tripline.toml:10:19: store "EROR" is not known; did you mean "ERROR"?
            tripline.toml:12:1: missing key "at_least" in [[rule]]
            tripline.toml:12:1: missing key "within" in [[rule]]
            tripline.toml:20:9: count must be an integer from 1 to 2147483647, found a string
            tripline.toml:21:1: unknown key "witihn" in [[rule]]; did you mean "within"?
            tripline.toml:22:12: severity "urgent" is not known; this version knows: info, warning, critical
        "#]],
    );
}

#[test]
fn a_syntax_error_does_not_hide_the_other_mistakes() {
    check(
        "host = 5x\n[database]\npartition = 'weeks'\n[[source]]\npaths = [\"/var/log/app.log]\n\
         [[rule]]\nname = 'r'\nname = 's'\nkind =\n",
        &expect![[r#"
            tripline.toml:1:8: string values must be quoted, expected literal string
            tripline.toml:3:13: partition "weeks" is not known; did you mean "week"?
            tripline.toml:5:28: invalid basic string, expected `"`
            tripline.toml:6:1: missing comma between array elements, expected `,`
        "#]],
    );
}

#[test]
fn an_array_that_is_left_open_is_reported_even_where_it_is_all_there_is() {
    check(
        "host = [1 lock_file = 'x'",
        &expect![[r#"
        tripline.toml:1:9: string values must be quoted, expected literal string
    "#]],
    );
}

#[test]
fn below_a_broken_header_nothing_is_blamed_on_the_table_above() {
    check(
        "lock_file = 'x'\n[database\nurl = 'x'\n[[rule]\nname = 'r'\n",
        &expect![[r#"
            tripline.toml:1:13: lock_file must be absolute: "x"
            tripline.toml:2:10: unclosed table, expected `]`
            tripline.toml:4:8: unclosed array table, expected `]`
        "#]],
    );
}

#[test]
fn what_is_not_built_yet_is_not_called_unknown() {
    check(
        &[
            "[database]\nretention='90d'\n",
            &source("stale_after='1h'\nformat='json'"),
            &source("format='%t %l %m'"),
        ]
        .concat(),
        &expect![[r#"
            tripline.toml:2:1: key "retention" in [database] is not supported yet
            tripline.toml:5:1: key "stale_after" in [[source]] is not supported yet
            tripline.toml:9:8: format column 1: neither {timestamp} nor {level} stands in it
        "#]],
    );
}

#[test]
fn values_of_the_wrong_type_are_named() {
    check(
        &[
            "host=5\nevaluate={all_hosts='yes'}\ndatabase=true\n",
            "[rule]\nname='r'\n",
            "[[source]]\npaths='/var/log/app.log'\nexclude=[1]\nmax_line_bytes=1.5\n",
            "max_entry_lines='many'\ntimezone=2026-01-01\n",
        ]
        .concat(),
        &expect![[r#"
            tripline.toml:1:6: host must be a string, found an integer
            tripline.toml:2:21: all_hosts must be true or false, found a string
            tripline.toml:3:10: database must be a table, written [database], found a boolean
            tripline.toml:4:1: rule must be a list of tables, each written [[rule]], found a table
            tripline.toml:7:7: paths must be an array of strings, found a string
            tripline.toml:8:10: exclude must hold only strings, found an integer
            tripline.toml:9:16: max_line_bytes must be a size like 65536, "64 KiB" or "1 MiB", found a float
            tripline.toml:10:17: max_entry_lines must be an integer from 1 to 100000, found a string
            tripline.toml:11:10: timezone must be a string, found a datetime
        "#]],
    );
    check(
        "source=['/var/log/app.log']\nrule=[{name=1}, []]\n",
        &expect![[r#"
        tripline.toml:1:9: source must be a list of tables, each written [[source]], found a string
        tripline.toml:2:7: missing key "kind" in [[rule]]
        tripline.toml:2:13: name must be a string, found an integer
        tripline.toml:2:17: rule must be a list of tables, each written [[rule]], found an array
    "#]],
    );
}

#[test]
fn values_out_of_range_are_named() {
    check(
        &[
            &source("name=' app'\nmax_line_bytes='1 GiB'\nmax_entry_lines=0"),
            &source("name='app'\nmax_line_bytes=1023\nstart='middle'"),
            "[[source]]\npaths=[]\nexclude=['log/*.gz', '[', '']\n[[source]]\npaths=['/srv/[', '']\n",
            "[[source]]\nname='app'\n",
            &rule("levels=[]\npattern=''\nsummary=\"a\\u0000\""),
            &rule("").replace("=5\n", "=0\n").replace("5m", "-5m"),
            &rule("").replace("=5\n", "=3_000_000_000\n").replace("5m", "367d").replace("'r'", "''"),
        ]
        .concat(),
        &expect![[r#"
            tripline.toml:3:6: name " app" must consist of visible characters
            tripline.toml:4:16: max_line_bytes must be a size from 1024 to 67108864 bytes, found "1 GiB"
            tripline.toml:5:17: max_entry_lines must be an integer from 1 to 100000, found 0
            tripline.toml:9:16: max_line_bytes must be a size from 1024 to 67108864 bytes, found 1023
            tripline.toml:10:7: start "middle" is not known; this version knows: beginning, end
            tripline.toml:12:7: paths must name at least one log
            tripline.toml:13:10: exclude must be a glob of file names or of absolute paths: "log/*.gz"
            tripline.toml:13:22: exclude "[" is no glob: invalid range pattern at character 1
            tripline.toml:13:27: exclude must be a glob of file names or of absolute paths: ""
            tripline.toml:15:8: paths "/srv/[" is no glob: invalid range pattern at character 6
            tripline.toml:15:18: paths must be absolute: ""
            tripline.toml:16:1: missing key "paths" in [[source]]
            tripline.toml:17:6: name "app" is used twice
            tripline.toml:23:8: levels must name at least one level
            tripline.toml:24:9: pattern must not be empty
            tripline.toml:25:9: summary must not hold a NUL character
            tripline.toml:27:6: name "r" is used twice
            tripline.toml:29:7: count must be an integer from 1 to 2147483647, found 0
            tripline.toml:30:8: within "-5m" is not a duration; write it like "90s", "5m", "1h30m" or "2d"
            tripline.toml:33:6: name "" must consist of visible characters
            tripline.toml:35:7: count must be an integer from 1 to 2147483647, found 3000000000
            tripline.toml:36:8: within must be longer than 0s and at most 366d, found "367d"
        "#]],
    );
}

#[test]
fn a_database_is_named_once_and_a_misplaced_url_is_not_shown() {
    check(
        "lock_file='postgresql://ann:secret@db'\nsource=[{paths=['host=db password=secret']}]\n\
         [database]\nurl='postgresql://ann:secret@db'\nurl_file='postgresql://ann:secret@db'\n",
        &expect![[r#"
            tripline.toml:1:11: lock_file must be absolute: "***"
            tripline.toml:2:17: paths must be absolute: "***"
            tripline.toml:5:10: url_file cannot stand beside url; keep one of them
            tripline.toml:5:10: url_file must be absolute: "***"
        "#]],
    );
    check(
        "[database]\nurl=5\npartition='postgresql://ann:secret@db'\n",
        &expect![[r#"
        tripline.toml:2:5: url must be a string, found an integer
        tripline.toml:3:11: partition "***" is not known; this version knows: day, week, month
    "#]],
    );
    check(
        "[database]\nurl=''\n",
        &expect![[r#"
        tripline.toml:2:5: url is empty
    "#]],
    );
}

#[test]
fn a_rule_whose_levels_nobody_stores_is_refused() {
    let rule = rule("levels=['INFO','WARNING','ERROR']");
    check(
        &[&source("store=['ERROR','INFO']"), rule.as_str()].concat(),
        &expect![[r#"
            tripline.toml:9:8: levels needs entries of level WARNING, which no source stores: add the level to "store" of a source, or the lines to "keep"
        "#]],
    );
    // What a wrong source stores is not known; it is reported alone.
    check(
        &[&source("store=['ERORR']"), rule.as_str()].concat(),
        &expect![[r#"
        tripline.toml:3:8: store "ERORR" is not known; did you mean "ERROR"?
    "#]],
    );
    // Other logs may be named on the command line: without sources nobody knows.
    assert!(parse(&rule).is_ok());
    // Two sources together may store what is needed.
    assert!(parse(&[&source("store=['INFO','WARNING']"), &source(""), &*rule].concat()).is_ok());
}

#[test]
fn a_built_in_rule_whose_levels_nobody_stores_is_a_warning() {
    let config = parse(&source("store=['WARNING', 'ERROR']")).unwrap();
    assert_eq!(config.warnings.len(), 2);
    expect![[r#"the built-in rule "fatal" misses FATAL, which no source stores"#]]
        .assert_eq(&config.warnings[0]);
}

#[test]
fn bytes_that_are_no_text_have_a_place() {
    let error = Config::parse(Path::new(FILE), b"host='a'\nname='\xff'\n").unwrap_err();
    expect!["tripline.toml:2:7: is not UTF-8"].assert_eq(&error.to_string());
}

#[test]
fn a_log_from_the_command_line_keeps_the_settings_of_its_source() {
    let config = parse(&source("name='app'\nstart='end'")).unwrap();
    let configured = config.source_for(Path::new("/var/log/app.log"));
    assert_eq!((configured.name.as_deref(), configured.start), (Some("app"), Start::End));
    let other = Path::new("/var/log/other.log");
    assert_eq!(config.source_for(other), SourceConfig::for_path(other));
}

/// What configs are made of, with some that break them.
const PIECES: &str = "[[rule]] [[source]] [database] [ ] = \n ' \" \"\"\" { } , . name kind paths within \
     levels count 5 '5m' 'threshold' '/a/*' ['ERROR'] url # \\ \u{feff} ü \r\n";

/// Text that often is almost a config.
fn almost_a_config() -> impl Strategy<Value = String> {
    let piece = prop_oneof![
        prop::sample::select(PIECES.split(' ').collect::<Vec<_>>()).prop_map(str::to_owned),
        "\\PC{0,3}",
    ];
    prop::collection::vec(piece, 0..40).prop_map(|pieces| pieces.concat())
}

proptest! {
    #[test]
    fn any_bytes_give_a_config_or_problems(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Config::parse(Path::new(FILE), &bytes);
    }

    #[test]
    fn every_problem_of_almost_a_config_has_a_place_in_it(text in almost_a_config()) {
        let result = parse(&text);
        prop_assert!(result.is_err() || text.parse::<toml::Table>().is_ok());
        if let Err(ConfigError::Invalid { problems, .. }) = result {
            prop_assert!(!problems.is_empty());
            prop_assert!(problems.is_sorted_by_key(|problem| (problem.line, problem.column)));
            for problem in problems {
                prop_assert!(problem.line <= text.matches('\n').count() + 1);
                prop_assert!(!problem.message.contains('\n'));
            }
        }
    }
}

#[test]
fn levels_are_given_to_lines_that_name_none() {
    let config = super::validate::config(&source(
        "default_level='DEBUG'\nlevel_patterns={ERROR='(?i)failed', FATAL='^panic'}",
    ))
    .unwrap();
    let rules = &config.sources[0].level_rules;
    for (message, level) in
        [("panic: it failed", Level::Fatal), ("it FAILED", Level::Error), ("nothing", Level::Debug)]
    {
        assert_eq!(rules.level(message.as_bytes()), level, "{message}");
    }
    check(
        &source("default_level='error'\nlevel_patterns={ERROR='(', BAD='x'}"),
        &expect![[r#"
        tripline.toml:4:23: ERROR is no regular expression: unclosed group
        tripline.toml:4:28: unknown key "BAD" in level_patterns; this version knows: TRACE, DEBUG, INFO, WARNING, ERROR, FATAL
    "#]],
    );
}
