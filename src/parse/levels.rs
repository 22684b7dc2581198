//! The words that logs use for levels, and the level that each of them means.

use crate::model::{Level, LevelWords};

/// Every word, in upper case, with its level; from the least level to the worst.
///
/// Gathered from RFC 5424 (syslog severities), Apache, log4j, `java.util.logging`, PostgreSQL,
/// Python, Go (zap, zerolog, logrus), Rust, Serilog and .NET. PostgreSQL's `LOG` ranks above
/// its errors only for what reaches the server log; what it says is information.
pub const WORDS: &[(&str, Level)] = &[
    ("TRACE", Level::Trace),
    ("TRACE1", Level::Trace),
    ("TRACE2", Level::Trace),
    ("TRACE3", Level::Trace),
    ("TRACE4", Level::Trace),
    ("TRACE5", Level::Trace),
    ("TRACE6", Level::Trace),
    ("TRACE7", Level::Trace),
    ("TRACE8", Level::Trace),
    ("TRC", Level::Trace),
    ("TRCE", Level::Trace),
    ("VERBOSE", Level::Trace),
    ("VRB", Level::Trace),
    ("FINER", Level::Trace),
    ("FINEST", Level::Trace),
    ("DEBUG", Level::Debug),
    ("DBG", Level::Debug),
    ("DBUG", Level::Debug),
    ("FINE", Level::Debug),
    ("DEBUG1", Level::Debug),
    ("DEBUG2", Level::Debug),
    ("DEBUG3", Level::Debug),
    ("DEBUG4", Level::Debug),
    ("DEBUG5", Level::Debug),
    ("INFO", Level::Info),
    ("INF", Level::Info),
    ("INFORMATION", Level::Info),
    ("INFORMATIONAL", Level::Info),
    ("NOTICE", Level::Info),
    ("CONFIG", Level::Info),
    ("LOG", Level::Info),
    ("WARNING", Level::Warning),
    ("WARN", Level::Warning),
    ("WRN", Level::Warning),
    ("ERROR", Level::Error),
    ("ERR", Level::Error),
    ("EROR", Level::Error),
    ("SEVERE", Level::Error),
    ("FAIL", Level::Error),
    ("FAILURE", Level::Error),
    ("FATAL", Level::Fatal),
    ("FTL", Level::Fatal),
    ("CRITICAL", Level::Fatal),
    ("CRIT", Level::Fatal),
    ("ALERT", Level::Fatal),
    ("EMERG", Level::Fatal),
    ("EMERGENCY", Level::Fatal),
    ("PANIC", Level::Fatal),
    ("DPANIC", Level::Fatal),
];

/// The names of the severities of syslog, as they are written and as RFC 5424 has them.
const SEVERITIES: [&[&[u8]]; 8] = [
    &[b"EMERG", b"EMERGENCY"],
    &[b"ALERT"],
    &[b"CRIT", b"CRITICAL"],
    &[b"ERR", b"ERROR"],
    &[b"WARNING", b"WARN"],
    &[b"NOTICE"],
    &[b"INFO", b"INFORMATIONAL"],
    &[b"DEBUG"],
];

/// The level of a severity of syslog (RFC 5424, table 2), 0 (emergency) to 7 (debug).
///
/// A source's own words reach it by its name: `ERR` or `ERROR` for 3.
pub fn of_severity(severity: u16, words: &LevelWords) -> Level {
    let own = || SEVERITIES.get(usize::from(severity))?.iter().find_map(|name| words.get(name));
    if !words.is_empty()
        && let Some(level) = own()
    {
        return level;
    }
    match severity {
        0..=2 => Level::Fatal,
        3 => Level::Error,
        4 => Level::Warning,
        5 | 6 => Level::Info,
        _ => Level::Debug,
    }
}

/// The level of a severity as the journal of systemd writes it; that of what has none.
pub fn of_priority(priority: &[u8], words: &LevelWords) -> Level {
    match priority {
        [digit @ b'0'..=b'7'] => of_severity(u16::from(*digit - b'0'), words),
        _ => Level::Info,
    }
}

/// The level that a word means, in any case: first by a source's own words, then by [`WORDS`].
pub fn level(word: &[u8], words: &LevelWords) -> Option<Level> {
    if let Some(level) = words.get(word) {
        return Some(level);
    }
    // The names that most logs use come first: this stands in the way of every line.
    match word {
        b"INFO" | b"info" => Some(Level::Info),
        b"ERROR" | b"error" => Some(Level::Error),
        b"WARNING" | b"WARN" | b"warning" | b"warn" => Some(Level::Warning),
        b"DEBUG" | b"debug" => Some(Level::Debug),
        b"TRACE" | b"trace" => Some(Level::Trace),
        b"FATAL" | b"fatal" => Some(Level::Fatal),
        // None begins otherwise, and numbers are what is asked for most besides.
        [first, ..] if !first.is_ascii_alphabetic() => None,
        _ => WORDS
            .iter()
            .find(|(known, _)| word.eq_ignore_ascii_case(known.as_bytes()))
            .map(|&(_, level)| level),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::model::LevelRules;
    use crate::parse::{Format, Line, Parser};

    #[test]
    fn every_word_is_known_in_any_case() {
        for (word, expected) in WORDS {
            assert_eq!(level(word.as_bytes(), &LevelWords::NONE), Some(*expected), "{word}");
            assert_eq!(
                level(word.to_lowercase().as_bytes(), &LevelWords::NONE),
                Some(*expected),
                "{word}"
            );
        }
    }

    #[test]
    fn the_words_are_upper_case_sorted_by_level_and_unique() {
        assert!(WORDS.is_sorted_by_key(|(_, level)| *level));
        for (index, (word, _)) in WORDS.iter().enumerate() {
            assert_eq!(*word, word.to_uppercase());
            assert!(WORDS[..index].iter().all(|(earlier, _)| earlier != word), "{word}");
        }
    }

    #[test]
    fn every_level_is_known_by_its_own_name() {
        for expected in Level::ALL {
            assert_eq!(level(expected.as_str().as_bytes(), &LevelWords::NONE), Some(expected));
        }
    }

    #[test]
    fn priorities_are_those_of_syslog() {
        let names = ["EMERG", "ALERT", "CRIT", "ERR", "WARNING", "NOTICE", "INFO", "DEBUG"];
        for (priority, name) in names.iter().enumerate() {
            let expected = level(name.as_bytes(), &LevelWords::NONE).unwrap();
            assert_eq!(
                of_priority(priority.to_string().as_bytes(), &LevelWords::NONE),
                expected,
                "{name}"
            );
        }
        assert_eq!(of_priority(b"", &LevelWords::NONE), Level::Info);
    }

    #[test]
    fn other_words_are_no_level() {
        for word in ["", "E", "ERRORS", "INFO ", "MAIN", "\u{df}", "NONE"] {
            assert_eq!(level(word.as_bytes(), &LevelWords::NONE), None, "{word:?}");
        }
    }

    /// The level of a line with these words.
    #[track_caller]
    fn check(words: &[(&str, Level)], format: Format, line: &str, expected: Option<Level>) {
        let rules = LevelRules {
            words: LevelWords::new(words.iter().copied()),
            default: Level::Trace,
            ..LevelRules::default()
        };
        let mut parser = Parser::new(format, chrono_tz::UTC, None).judging(rules);
        let found = match parser.line(line.as_bytes()) {
            Line::Head(head) => Some(head.level),
            Line::Continuation(_) | Line::Rest(_) | Line::Unparsed => None,
        };
        assert_eq!(found, expected, "{line}");
    }

    #[test]
    fn words_of_a_source_decide_first_in_every_format() {
        let any = Some(Level::Warning);
        for (word, format, line) in [
            ("INFO", Format::Plain, "2026-01-01 00:00:05 [INFO] x"),
            ("kritisch", Format::Plain, "2026-01-01 00:00:05 [KRITISCH] x"),
            ("oops", Format::Json, r#"{"time":"2026-01-01T00:00:05Z","level":"oops","msg":"x"}"#),
            ("35", Format::Json, r#"{"time":"2026-01-01T00:00:05Z","level":35,"msg":"x"}"#),
            ("ERR", Format::Json, r#"{"PRIORITY":"3","MESSAGE":"x"}"#),
            ("oops", Format::Logfmt, "time=2026-01-01T00:00:05Z level=oops msg=x"),
            ("notice", Format::Rfc5424, "<13>1 2026-01-01T00:00:05Z web1 app - - - x"),
            ("notice", Format::Syslog, "<13>Jan  1 00:00:05 web1 app: x"),
            ("error", Format::Syslog, "Jan  1 00:00:05 web1 app: error: x"),
            ("notice", Format::ApacheError, "[Thu Jan 01 00:00:05 2026] [core:notice] [pid 7] x"),
            ("notice", Format::NginxError, "2026/01/01 00:00:05 [notice] 7#7: x"),
            ("LOG", Format::Postgresql, "2026-01-01 00:00:05 UTC [7] LOG:  x"),
            ("Note", Format::Mysql, "2026-01-01T00:00:05.000000Z 0 [Note] x"),
            ("#", Format::Redis, "7:M 01 Jan 2026 00:00:05.000 # x"),
            ("W", Format::Glog, "W0101 00:00:05.000000       7 a.go:1] x"),
            ("AUDIT", Format::Rust, "2026-01-01T00:00:05Z AUDIT app: x"),
            ("AUDIT", Format::Log4j, "2026-01-01 00:00:05,000 AUDIT [main] a.B - x"),
            ("CRITICAL", Format::Python, "CRITICAL:root:x"),
            ("AUDIT", Format::Java, "AUDIT: x"),
            ("error", Format::Go, "2026/01/01 00:00:05 error: x"),
            (
                "Audit Failure",
                Format::Windows,
                "Audit Failure\t1/1/2026 3:04:05 PM\tSec\t7\tNone\tx",
            ),
            (
                "AUDIT",
                Format::WindowsText,
                "Event[0]:\n  Date: 2026-01-01T00:00:05\n  Level: AUDIT\n  Description: x",
            ),
            ("4", Format::WindowsText, "Level : 4\nTimeCreated : 1/1/2026 3:04:05 PM\nMessage : x"),
        ] {
            check(&[(word, Level::Warning)], format, line, any);
        }
    }

    #[test]
    fn words_of_a_source_reach_lines_within_lines() {
        let docker = |log: &str| {
            format!(r#"{{"log":"{log}\\n","stream":"stderr","time":"2026-01-01T00:00:05.1Z"}}"#)
        };
        let cri = |log: &str| format!("2026-01-01T00:00:05.123456789Z stderr F {log}");
        let syslog = |message: &str| format!("Jan  1 00:00:05 web1 app[7]: {message}");
        let rfc5424 =
            |message: &str| format!("<13>1 2026-01-01T00:00:05Z web1 app 7 - - {message}");
        let csv = "2026-01-01 00:00:05.123 UTC,\"alice\",\"shop\",7,\"192.0.2.7:5\",6957.3,1,\
                   \"\",2026-01-01 00:00:05 UTC,3/7,0,LOG,00000,\"x\",,,,,,,,,\"\"";
        for (word, format, line) in [
            ("audit", Format::Docker, docker("2026-01-01 00:00:05 [AUDIT] x")),
            ("log", Format::Docker, docker("2026-01-01 00:00:05 UTC [7] LOG:  x")),
            ("audit", Format::Docker, docker("[AUDIT] x")),
            ("audit", Format::Cri, cri("2026-01-01 00:00:05 [AUDIT] x")),
            ("oops", Format::Cri, cri(r#"{"level":"oops","msg":"x"}"#)),
            ("log", Format::PostgresqlCsv, csv.to_owned()),
            ("audit", Format::Syslog, syslog("[AUDIT] x")),
            ("audit", Format::Syslog, syslog("2026-01-01 00:00:05 [AUDIT] x")),
            ("oops", Format::Syslog, syslog(r#"@cee: {"level":"oops","msg":"x"}"#)),
            ("oops", Format::Syslog, syslog("time=2026-01-01T00:00:05Z level=oops msg=x")),
            ("log", Format::Syslog, syslog("[5-1] LOG:  x")),
            ("w", Format::Syslog, syslog("W0101 00:00:05.000000       7 a.go:1] x")),
            ("audit", Format::Rfc5424, rfc5424("[AUDIT] x")),
            ("oops", Format::Rfc5424, rfc5424(r#"{"level":"oops","msg":"x"}"#)),
        ] {
            check(&[(word, Level::Fatal)], format, &line, Some(Level::Fatal));
        }
    }

    #[test]
    fn words_of_a_source_reach_a_format_of_its_own() {
        for pattern in ["{timestamp} {level}: {message}", r"^(?<level>\S+) (?<message>.*)$"] {
            let words = LevelWords::new([("kritisch", Level::Fatal), ("INFO", Level::Debug)]);
            let rules = LevelRules { words, ..LevelRules::default() };
            let mut parser = Parser::new(Format::Plain, chrono_tz::UTC, None)
                .judging(rules)
                .of_own_format(pattern.parse().unwrap());
            let begin = if pattern.starts_with('{') { "2026-01-01 00:00:05 " } else { "" };
            let end = if pattern.starts_with('{') { ": x" } else { " x" };
            for (word, expected) in [
                ("KRITISCH", Some(Level::Fatal)),
                ("info", Some(Level::Debug)),
                ("warn", Some(Level::Warning)),
                ("AUDIT", None),
            ] {
                let line = format!("{begin}{word}{end}");
                let level = match parser.line(line.as_bytes()) {
                    Line::Head(head) => Some(head.level),
                    Line::Continuation(_) | Line::Rest(_) | Line::Unparsed => None,
                };
                assert_eq!(level, expected, "{line}");
            }
        }
    }

    #[test]
    fn a_word_of_a_source_reaches_no_status() {
        let line = r#"192.0.2.1 - - [01/Jan/2026:00:00:05 +0000] "GET / HTTP/1.1" 500 7"#;
        check(&[("500", Level::Info)], Format::Access, line, Some(Level::Error));
    }
}
