//! Every format reads its fixture as its fixture says.
//!
//! `fixtures/formats/<format>/input.log` is a log, read in the zone Europe/Berlin;
//! `expected.jsonl` says of each of its lines what it is. `UPDATE_EXPECT=1 cargo test`
//! writes the latter anew.
//!
//! `fixtures/multiline/<name>.log` is what a language or a program writes over several lines;
//! `<name>.expected` is the same with a margin: `>` begins an entry, `|` continues it, `?` is
//! neither.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

use std::fs;
use std::path::{Path, PathBuf};

use chrono::{DateTime, SecondsFormat, Utc};
use expect_test::expect_file;
use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde::Serialize;
use serde_json::{Map, Value};
use tripline::model::{Level, joined};
use tripline::parse::text::clean_into;
use tripline::parse::{Format, Line, Parser};

/// When the logs were changed last, which tells years that they do not show.
const CHANGED_AT: &str = "2026-05-01T00:00:00Z";

#[derive(Serialize)]
struct Expected {
    line: usize,
    #[serde(flatten)]
    is: Is,
}

#[derive(Serialize)]
#[serde(tag = "is", rename_all = "lowercase")]
enum Is {
    Head {
        written_at: String,
        logged_at: String,
        level: Level,
        message: String,
        #[serde(skip_serializing_if = "Map::is_empty")]
        fields: Map<String, Value>,
    },
    Continuation {
        text: String,
    },
    Rest {
        text: String,
    },
    Unparsed {
        text: String,
    },
}

fn clean(raw: &[u8]) -> String {
    let mut text = String::new();
    clean_into(raw, &mut text);
    text
}

fn describe(parser: &mut Parser, line: &[u8]) -> Is {
    let mut is = read(parser, line);
    if let Is::Head { fields, .. } = &mut is {
        fields.clone_from(parser.fields(line).as_map());
    }
    is
}

fn read(parser: &mut Parser, line: &[u8]) -> Is {
    match parser.line(line) {
        Line::Head(head) => Is::Head {
            written_at: clean(head.written_at),
            logged_at: head.logged_at.to_utc().to_rfc3339_opts(SecondsFormat::AutoSi, true),
            level: head.level,
            message: clean(head.message),
            fields: Map::new(),
        },
        Line::Continuation(text) => Is::Continuation { text: clean(text) },
        Line::Rest(text) => Is::Rest { text: clean(text) },
        Line::Unparsed => Is::Unparsed { text: clean(line) },
    }
}

fn fixture(format: Format) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats").join(format.as_str())
}

/// What the lines of a format's fixture are, in one run or in one for each line.
fn read_fixture(format: Format, has_many_runs: bool) -> String {
    let changed_at = CHANGED_AT.parse::<DateTime<Utc>>().unwrap().into();
    let run = |last_logged_at, trace| {
        let parser = Parser::new(format, chrono_tz::Europe::Berlin, last_logged_at);
        parser.within(trace).changed_at(changed_at)
    };
    let log = fs::read(fixture(format).join("input.log")).unwrap();
    let mut parser = run(None, None);
    let mut read = String::new();
    for (index, line) in joined(&log, parser.joins()).enumerate() {
        let expected = Expected { line: index + 1, is: describe(&mut parser, line) };
        read += &serde_json::to_string(&expected).unwrap();
        read.push('\n');
        if has_many_runs {
            parser = run(parser.last_logged_at(), parser.trace());
        }
    }
    read
}

#[test]
fn every_format_reads_its_fixture() {
    for format in Format::ALL {
        let expected = fixture(format).join("expected.jsonl");
        expect_file![expected].assert_eq(&read_fixture(format, false));
    }
}

#[test]
fn a_run_may_end_behind_every_line() {
    for format in Format::ALL {
        assert_eq!(read_fixture(format, true), read_fixture(format, false), "{format}");
    }
}

/// A line of a fixture, some of whose bytes are lost, replaced or followed by another line.
fn spoilt_line() -> impl Strategy<Value = Vec<u8>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/formats");
    let read = |format: Format| {
        fs::read(folder.join(format.as_str()).join("input.log")).unwrap_or_default()
    };
    let log: Vec<_> = Format::ALL.into_iter().map(read).collect();
    let lines: Vec<_> = log.concat().split(|&byte| byte == b'\n').map(<[u8]>::to_vec).collect();
    let byte = prop_oneof![4 => select(&b" \t[]\"\\:/.,;-@=()<>{}'0aA*#+"[..]), 1 => any::<u8>()];
    let line = || select(lines.clone());
    (line(), line(), vec((any::<Index>(), byte), 0..4), any::<[Index; 3]>()).prop_map(
        |(mut line, other, bytes, [start, end, from])| {
            line.push(b' ');
            for (at, byte) in bytes {
                *at.get_mut(&mut line) = byte;
            }
            line.truncate(end.index(line.len() + 1));
            line.extend_from_slice(&other[from.index(other.len() + 1)..]);
            let start = start.index(line.len() + 1) / 2;
            line.split_off(start)
        },
    )
}

proptest! {
    #[test]
    fn no_spoilt_line_makes_a_format_panic(line in spoilt_line()) {
        for format in Format::ALL {
            let mut parser = Parser::new(format, chrono_tz::Europe::Berlin, None);
            if matches!(parser.line(&line), Line::Head(_)) {
                parser.fields(&line);
            }
        }
    }
}

#[test]
fn lines_that_belong_together_are_joined() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/multiline");
    let mut logs: Vec<_> = fs::read_dir(folder).unwrap().map(|file| file.unwrap().path()).collect();
    logs.retain(|path| path.extension().is_some_and(|extension| extension == "log"));
    assert!(logs.len() > 5, "found only {}", logs.len());
    for path in logs {
        let log = fs::read_to_string(&path).unwrap();
        let mut parser = Parser::new(Format::Plain, chrono_tz::UTC, None);
        let read = log.lines().map(|line| {
            let margin = match parser.line(line.as_bytes()) {
                Line::Head(_) => '>',
                Line::Continuation(_) | Line::Rest(_) => '|',
                Line::Unparsed => '?',
            };
            format!("{margin} {line}\n")
        });
        expect_file![path.with_extension("expected")].assert_eq(&read.collect::<String>());
    }
}
