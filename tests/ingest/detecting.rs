//! Logs whose format is found out from their lines, and those of which the config says it.

use crate::support::program::Setup;

/// The format that was found out of the only log.
fn detected(setup: &Setup) -> String {
    setup.value("select coalesce(detected_format, '-') as value from ingest_state")
}

const SYSLOG: &str = "Jan 15 11:00:00 web1 shop[7]: error: no stock\n";
const JSON: &str =
    "{\"time\":\"2026-01-15T11:00:01Z\",\"level\":\"error\",\"msg\":\"no \\\"stock\\\"\"}\n";
const PLAIN: &str = "2026-01-15 11:00:02 [ERROR] plain\n";

#[test]
fn the_format_is_found_out_and_kept() {
    let setup = Setup::new();
    setup.write("app.log", JSON.repeat(150));
    setup.ingest();
    assert_eq!((detected(&setup).as_str(), setup.entries().len()), ("json", 150));
    assert_eq!(setup.entries()[0], "ERROR no \"stock\"");
    // What follows is read as before, and what another program wrote in between, too.
    setup.append("app.log", [PLAIN.repeat(200), JSON.to_owned()].concat());
    setup.ingest();
    assert_eq!((detected(&setup).as_str(), setup.entries().len()), ("json", 351));
}

#[test]
fn a_line_of_a_proxy_in_a_syslog_says_more() {
    let setup = Setup::new();
    let request = "Jan 15 11:00:00 web1 haproxy[1]: 192.0.2.1:58444 [15/Jan/2026:11:00:00.439] \
                   shop shop/a 0/0/0/1/1 503 512 - - ---- 1/1/0/0/0 0/0 \"GET / HTTP/1.1\"\n";
    setup.write("app.log", [SYSLOG, SYSLOG, request].concat());
    setup.ingest();
    assert_eq!((detected(&setup).as_str(), setup.counts().as_str()), ("syslog", "error 3"));
    let status =
        "select fields ->> 'status' as value from log_entries order by line_no desc limit 1";
    assert_eq!(setup.value(status), "503");
}

#[test]
fn the_first_lines_of_a_log_need_not_be_like_the_others() {
    let setup = Setup::new();
    setup.write("app.log", "2026-01-15 10:59:59 starting\n");
    setup.ingest();
    assert_eq!(detected(&setup), "text");
    setup.append("app.log", PLAIN.repeat(2));
    setup.ingest();
    assert_eq!(detected(&setup), "plain");
}

#[test]
fn a_new_file_is_looked_at_anew() {
    let setup = Setup::new();
    setup.write("app.log", PLAIN.repeat(150));
    setup.ingest();
    assert_eq!(detected(&setup), "plain");
    std::fs::rename(setup.log(), setup.path("app.log.1")).unwrap();
    setup.write("app.log", SYSLOG);
    setup.ingest();
    assert_eq!((detected(&setup).as_str(), setup.entries().len()), ("syslog", 151));
}

#[test]
fn a_format_of_the_config_is_the_only_one() {
    let setup = Setup::new();
    setup.config("[[source]]\npaths = ['LOGS/app.log']\nformat = 'plain'\n");
    setup.write("app.log", [PLAIN, JSON, SYSLOG].concat());
    setup.ingest();
    assert_eq!((detected(&setup).as_str(), setup.counts().as_str()), ("-", "error 1, unparsed 2"));
}

#[test]
fn a_format_of_ones_own_is_described_in_the_config() {
    let setup = Setup::new();
    setup.config(
        "[[source]]\npaths = ['LOGS/app.log']\ntimezone = 'UTC'\n\
         format = '{level}|{timestamp:%d.%m.%y %H:%M:%S}|{shop}|{message}'\n",
    );
    setup.write("app.log", "error|15.01.26 11:00:00|7|no stock\n  further\nanother line\n");
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR no stock\n  further"]);
    assert_eq!(setup.counts(), "error 1, continued 1, unparsed 1");
    let stored =
        "select logged_at at time zone 'UTC' || ' ' || fields::text as value from log_entries";
    assert_eq!(setup.value(stored), "2026-01-15 11:00:00 {\"shop\": 7}");
}

#[test]
fn lines_without_a_level_get_one_by_the_config() {
    let setup = Setup::new();
    setup.config(
        "[[source]]\npaths = ['LOGS/app.log']\ndefault_level = 'WARNING'\n\
         level_patterns = { FATAL = 'out of memory', ERROR = '(?i)failed' }\n",
    );
    let line = |message: &str| format!("Jan 15 11:00:00 web1 kernel: {message}\n");
    setup.write("app.log", ["OOM: out of memory, failed", "it FAILED", "fine"].map(line).concat());
    setup.ingest();
    assert_eq!(setup.counts(), "warning 1, error 1, fatal 1");
}

#[test]
fn words_for_levels_can_be_given_by_the_config() {
    let setup = Setup::new();
    setup.config(
        "[[source]]\npaths = ['LOGS/app.log']\n\
         levels = { kritisch = 'FATAL', INFO = 'DEBUG', warning = 'error' }\n",
    );
    let line = |level: &str| format!("2026-01-15 11:00:00 [{level}] x\n");
    let levels = ["INFO", "info", "KRITISCH", "WARNING", "WARN", "NONE"];
    setup.write("app.log", levels.map(line).concat());
    setup.ingest();
    assert_eq!(setup.entries(), ["FATAL x", "ERROR x"]);
    assert_eq!(setup.counts(), "debug 2, warning 1, error 1, fatal 1, unparsed 1");
}

#[test]
fn what_a_line_says_besides_is_stored() {
    let setup = Setup::new();
    setup.write("app.log", SYSLOG);
    setup.ingest();
    let fields = "select fields::text as value from log_entries";
    assert_eq!(setup.value(fields), r#"{"pid": 7, "host": "web1", "program": "shop"}"#);
}
