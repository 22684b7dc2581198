//! Whether a file is read in one run, line by line or in tiny chunks leaves no trace.

use std::cell::RefCell;
use std::fs;
use std::path::Path;
use std::sync::atomic::AtomicBool;

use chrono::TimeDelta;
use diesel::pg::PgConnection;
use encoding_rs::{Encoding, SHIFT_JIS, UTF_8, UTF_16LE, WINDOWS_1252};
use proptest::prelude::*;
use proptest::test_runner::TestRunner;
use tempfile::TempDir;
use tripline::config::{Config, LogFormat, SourceConfig};
use tripline::ingest::{self, Ingest, ReadLimits, Target};
use tripline::model::{Format, Multiline, PartitionInterval, Tick};
use tripline::store::sources;

use crate::support::program::{NOW, append, rows};
use crate::support::{self, TestDatabase};

const MAX_LINE_BYTES: usize = 60;
const MAX_ENTRY_LINES: u32 = 4;

/// A piece of a log, with what it adds to the counts: a line of every kind that there is.
fn line() -> impl Strategy<Value = Vec<u8>> {
    let ending = prop_oneof![4 => Just(b"\n".to_vec()), 1 => Just(b"\r\n".to_vec())];
    let line = prop_oneof![
        6 => head(),
        // Lines of one minute, which are skimmed where they are only counted.
        6 => ("2026-01-10 10:00:[0-5][0-9] ", level(), "[ -~]{0,50}")
            .prop_map(|(time, level, text)| format!("{time}[{level}] {text}").into_bytes()),
        // Times that are redated, that lie in the default partition, or in an hour that is
        // repeated.
        1 => "(2027|2019|9999)-10-27 0[1-3]:[0-5][0-9]:00 \\[ERROR\\] x".prop_map(String::into_bytes),
        4 => "(  |\t|\tat |Caused by: )[ -~]{0,30}".prop_map(String::into_bytes),
        // What begins, and what is known only by what has begun.
        4 => prop::sample::select(TRACES).prop_map(|line| line.as_bytes().to_vec()),
        1 => "[ \t]{0,3}".prop_map(String::into_bytes),
        2 => "[ -~]{0,30}".prop_map(String::into_bytes),
        1 => prop::collection::vec(any::<u8>(), 0..20),
        1 => (head(), prop::collection::vec(any::<u8>(), 0..12)).prop_map(|(a, b)| [a, b].concat()),
        1 => ("\t[a-z]{58}", "[a-z\r]{0,3}").prop_map(|(a, b)| (a + &b).into_bytes()),
        // NUL bytes before a line, more than a chunk may have.
        1 => (1..300usize, head()).prop_map(|(nuls, line)| [vec![0; nuls], line].concat()),
        1 => "(\t|2026-01-15 11:00:00 \\[FATAL\\] )\u{e4}{0,60}\0?".prop_map(String::into_bytes),
    ];
    (line, ending).prop_map(|(line, ending)| [line, ending].concat())
}

fn head() -> impl Strategy<Value = Vec<u8>> {
    ("2026-01-1[0-5] 1[0-2]:[0-5][0-9]:[0-5][0-9]( ?[+]01)? ", level(), "[ -~]{0,20}")
        .prop_map(|(time, level, text)| format!("{time}[{level}] {text}").into_bytes())
}

fn level() -> impl Strategy<Value = &'static str> {
    prop::sample::select(&["TRACE", "DEBUG", "INFO", "WARN", "ERROR", "FATAL", "NONE"][..])
}

/// Nothing, a part of a line, or a whole one that only lacks its end.
const LAST_LINE: &str =
    "([ -~]{0,10}|2026-01-15 12:00:00 \\[FATAL\\] [a-z]{0,9}|  at x|queue.Full)\r?";

/// Lines of stack traces, some of which mean nothing where they stand alone.
const TRACES: &[&str] = &[
    "Traceback (most recent call last):",
    "2026-01-15 11:00:00 [ERROR] Traceback (most recent call last):",
    "  File \"app.py\", line 3, in <module>",
    "queue.Empty",
    "shop.Sold: out",
    "goroutine 1 [running]:",
    "main.main()",
    "rax    0x0",
    "thread 'main' panicked at src/main.rs:2:5:",
    "2026-01-15 11:00:00 [FATAL] thread 'main' panicked at src/main.rs:2:5:",
    "disk full",
    "/srv/app/index.js:3",
    "throw error;",
];

/// What the config says of the file.
#[derive(Clone, Debug)]
struct Settings {
    format: Format,
    max_line_bytes: usize,
    multiline: Multiline,
    encoding: &'static Encoding,
    /// Zero: a last line without an end is stored at once.
    idle_flush: Option<TimeDelta>,
}

/// How to read one file.
#[derive(Clone, Debug)]
struct Reading {
    /// Where runs end, as parts of the file.
    splits: Vec<prop::sample::Index>,
    limits: ReadLimits,
}

fn settings() -> impl Strategy<Value = Settings> {
    let pattern = |pattern: &str| pattern.parse().unwrap();
    let multiline = prop_oneof![
        4 => Just(Multiline::Auto),
        1 => Just(Multiline::None),
        1 => Just(Multiline::Indent),
        1 => Just(Multiline::Start(pattern("^20|^[a-m]|ERROR"))),
        1 => Just(Multiline::Continue(pattern("^[^2]|DEBUG"))),
    ];
    let idle_flush = prop_oneof![Just(None), Just(Some(TimeDelta::zero()))];
    let encoding = prop::sample::select(vec![UTF_8, UTF_8, WINDOWS_1252, SHIFT_JIS]);
    (multiline, encoding, idle_flush).prop_map(|(multiline, encoding, idle_flush)| Settings {
        format: Format::Plain,
        max_line_bytes: MAX_LINE_BYTES,
        multiline,
        encoding,
        idle_flush,
    })
}

fn reading() -> impl Strategy<Value = Reading> {
    let splits = prop::collection::vec(any::<prop::sample::Index>(), 0..8);
    let chunk_bytes = prop_oneof![Just(1u64), 2..200u64, Just(ingest::CHUNK_BYTES)];
    let chunk_entry_bytes = prop_oneof![1 => 1..1000u64, 3 => Just(ingest::CHUNK_ENTRY_BYTES)];
    (splits, chunk_bytes, chunk_entry_bytes).prop_map(|(splits, chunk_bytes, chunk_entry_bytes)| {
        let limits = ReadLimits { chunk_bytes, chunk_entry_bytes, ..ReadLimits::default() };
        Reading { splits, limits }
    })
}

/// One database for all cases: each reads logs of its own.
struct Bench {
    _database: TestDatabase,
    connection: PgConnection,
    folder: TempDir,
    logs: usize,
}

impl Bench {
    fn new() -> Self {
        let database = TestDatabase::new();
        let connection = database.connect();
        let folder = tempfile::tempdir().unwrap();
        Self { _database: database, connection, folder, logs: 0 }
    }

    /// Reads a new log with this content, and returns everything that is stored of it.
    fn read(&mut self, content: &[u8], settings: &Settings, reading: &Reading) -> Vec<String> {
        let mut ends: Vec<usize> =
            reading.splits.iter().map(|split| split.index(content.len() + 1)).collect();
        ends.push(content.len());
        ends.sort_unstable();
        self.read_to(content, settings, &ends, reading.limits)
    }

    /// The same, in runs that each find it as long as that.
    fn read_to(
        &mut self,
        content: &[u8],
        settings: &Settings,
        ends: &[usize],
        limits: ReadLimits,
    ) -> Vec<String> {
        self.logs += 1;
        // It stays: a further log with its inode and its content would be taken for it.
        let folder = self.folder.path().join(self.logs.to_string());
        fs::create_dir(&folder).unwrap();
        let path = folder.join("app.log");
        let mut from = 0;
        for &end in ends {
            append(&path, &content[from..end]);
            from = end;
            self.run(&path, settings, limits);
        }
        self.stored(path.to_str().unwrap())
    }

    fn run(&mut self, path: &Path, settings: &Settings, limits: ReadLimits) {
        // What is found out from the lines depends on how many there are at the first reading.
        let config = SourceConfig {
            format: LogFormat::Named(settings.format),
            max_line_bytes: settings.max_line_bytes,
            max_entry_lines: MAX_ENTRY_LINES,
            multiline: settings.multiline.clone(),
            encoding: settings.encoding,
            idle_flush: settings.idle_flush,
            ..Config::default().source_for(path)
        };
        let timezone = chrono_tz::Europe::Berlin;
        let target = Target { path: path.to_owned(), config: config.into(), timezone, since: None };
        let stage = Ingest {
            host: "host",
            tick: Tick(NOW.parse().unwrap()),
            partition_interval: PartitionInterval::Month,
            limits,
            progress: None,
            stop: &AtomicBool::new(false),
        };
        let known = sources::load(&mut self.connection, stage.host).unwrap();
        ingest::run(&mut self.connection, &stage, known, &[target], &mut |_, _, _| Ok(())).unwrap();
    }

    fn stored(&mut self, path: &str) -> Vec<String> {
        let mut stored = Vec::new();
        for (table, order) in [
            ("log_entries", "line_no"),
            ("line_counts", "minute"),
            ("ingest_state", "source_id"),
            ("ingest_tails", "source_id"),
        ] {
            // What depends on the file's place on the disk, and on how it was read.
            let statement = format!(
                "select '{table} ' || (to_jsonb(t) - array['source_id', 'device', 'inode',
                     'size_bytes', 'dirty', 'dirty_from', 'dirty_to', 'judge_again'])::text as value
                 from {table} t
                 where source_id = (select id from sources where path = '{path}')
                 order by {order}"
            );
            let rows = rows(&mut self.connection, &statement);
            stored.extend(rows.iter().map(|row| row.replace(path, "LOG")));
        }
        stored
    }
}

/// What can be said of a log without reading it: how many lines are counted.
fn counted(stored: &[String]) -> i64 {
    stored
        .iter()
        .filter_map(|row| row.strip_prefix("line_counts "))
        .flat_map(|row| serde_json::from_str::<serde_json::Map<_, _>>(row).unwrap())
        .filter_map(|(_, value): (String, serde_json::Value)| value.as_i64())
        .sum()
}

#[test]
fn any_reading_of_a_file_gives_the_same() {
    let bench = RefCell::new(Bench::new());
    let cases = u32::try_from(support::cases(50)).unwrap();
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let content = (prop::collection::vec(line(), 0..25), LAST_LINE)
        .prop_map(|(lines, tail)| [lines.concat(), tail.into_bytes()].concat());
    let cases = (content, settings(), reading());
    let result = TestRunner::new(config).run(&cases, |(content, settings, reading)| {
        // A mark of UTF-16 would make other lines of it.
        prop_assume!(Encoding::for_bom(&content).is_none_or(|(encoding, _)| encoding == UTF_8));
        let mut bench = bench.borrow_mut();
        let whole = Reading { splits: Vec::new(), limits: ReadLimits::default() };
        let at_once = bench.read(&content, &settings, &whole);
        let newlines = content.split(|byte| *byte == b'\n').count() - 1;
        let has_last_line = !content.is_empty() && !content.ends_with(b"\n");
        let lines = newlines + usize::from(has_last_line && settings.idle_flush.is_some());
        prop_assert_eq!(counted(&at_once), i64::try_from(lines).unwrap());
        prop_assert_eq!(&bench.read(&content, &settings, &reading), &at_once);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// Lines of the text exports of Windows, which are whole blocks only now and then.
fn event_line() -> impl Strategy<Value = String> {
    prop_oneof![
        6 => "Event\\[[0-9]\\]:?",
        2 => "Log Name: {1,5}(System|Security)",
        2 => "  (Log Name|Source|Event ID|Keyword): [ -~]{0,9}",
        4 => "  Date: (2026-01-1[0-5]T1[0-2]:00:0[0-9](\\.5|Z)?|yesterday)",
        4 => "  Level: (Error|Information|Critical|Verbose)",
        6 => "  Description: ?( x)?",
        4 => "TimeCreated +: 1/1[0-5]/2026 3:04:0[0-9] PM",
        2 => "(LevelDisplayName|Message|Id) +: (Error|x|7)",
        4 => " {0,9}",
        4 => "[ -~]{0,30}",
    ]
}

#[test]
fn any_reading_of_events_over_several_lines_gives_the_same() {
    let bench = RefCell::new(Bench::new());
    let cases = u32::try_from(support::cases(50)).unwrap();
    let config = ProptestConfig { cases, failure_persistence: None, ..ProptestConfig::default() };
    let whole_event = "Event[1]:\n  Date: 2026-01-15T12:00:00\n  Description: the last\n";
    let lines = (event_line(), prop::sample::select(&["\n", "\n", "\r\n"][..]));
    let lines = lines.prop_map(|(line, end)| line + end);
    let content = (prop::collection::vec(lines, 0..40), any::<bool>());
    let max_line_bytes = prop::sample::select(&[60, 120, 1_000][..]);
    let utf16 = any::<bool>();
    let cases = (content, settings(), max_line_bytes, utf16, reading());
    let result = TestRunner::new(config).run(&cases, |case| {
        let ((lines, is_whole), settings, max_line_bytes, utf16, reading) = case;
        let content = lines.concat() + if is_whole { whole_event } else { "" };
        let newlines = content.matches('\n').count();
        let content = if utf16 {
            content.encode_utf16().flat_map(u16::to_le_bytes).collect()
        } else {
            content.into_bytes()
        };
        let encoding = if utf16 { UTF_16LE } else { settings.encoding };
        let format = Format::WindowsText;
        let settings = Settings { format, max_line_bytes, encoding, ..settings };
        let mut bench = bench.borrow_mut();
        let whole = Reading { splits: Vec::new(), limits: ReadLimits::default() };
        let at_once = bench.read(&content, &settings, &whole);
        if max_line_bytes == 1_000 && (is_whole || settings.idle_flush.is_some()) {
            prop_assert_eq!(counted(&at_once), i64::try_from(newlines).unwrap());
        }
        prop_assert_eq!(&bench.read(&content, &settings, &reading), &at_once);
        Ok(())
    });
    if let Err(error) = result {
        panic!("{error}");
    }
}

/// Found by the test above: with the line end, a line that waited for others was an event.
#[test]
fn a_line_that_waits_for_others_is_read_as_if_none_came() {
    let first = "TimeCreated : 1/12/2026 3:04:01 PM\nLevel : Information\n\n";
    let second = "TimeCreated : 1/12/2026 3:04:00 PM\n";
    let content = format!("{first}{second}Event[4]:\nx\n");
    let settings = Settings {
        format: Format::WindowsText,
        max_line_bytes: 1_000,
        multiline: Multiline::Auto,
        encoding: UTF_8,
        idle_flush: Some(TimeDelta::zero()),
    };
    let limits = ReadLimits { chunk_bytes: 1_000, ..ReadLimits::default() };
    let mut bench = Bench::new();
    let mut read = |ends: &[usize]| bench.read_to(content.as_bytes(), &settings, ends, limits);
    let at_once = read(&[content.len()]);
    for begun in ["", "Eve"] {
        assert_eq!(read(&[first.len() + second.len() + begun.len(), content.len()]), at_once);
    }
}
