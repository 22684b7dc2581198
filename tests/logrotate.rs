//! The real logrotate rotates a log under a writer that never stops, while runs read it.
//!
//! Every line has a number. However often and in whatever way the log is rotated, each line
//! that ever was in a file is read exactly once, and they come in order.
//!
//! `TRIPLINE_TEST_CASES` says how often each way is rotated: 400, thousands in all, take two
//! minutes.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::print_stdout,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod support;

use std::collections::BTreeSet;
use std::fs::{self, File};
use std::io::Write;
use std::path::Path;
use std::process::Command;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering::SeqCst};
use std::thread;
use std::time::Duration;

use support::program::{Ran, Setup};

/// How many rotated files logrotate keeps.
const KEPT: usize = 8;

/// What is known of the files at the end, to tell why a test failed.
const GENERATIONS: &str = "select concat_ws(' ', generation, path, inode, byte_offset, size_bytes,
    state) as value from generations order by generation";

/// A way to rotate: what stands in the config of logrotate, and in ours.
struct Way {
    options: &'static str,
    source: &'static str,
    /// Rotated under a new name once a second only.
    is_slow: bool,
}

impl Way {
    fn copies(&self) -> bool {
        self.options.contains("copytruncate")
    }
}

/// What all that take part know of each other.
#[derive(Default)]
struct Progress {
    /// Lines written so far.
    lines: AtomicUsize,
    /// Rotations since the last run has begun.
    since_run: AtomicUsize,
    is_done: AtomicBool,
}

/// Lets all end when it goes out of scope.
struct Done<'a>(&'a Progress);

impl Drop for Done<'_> {
    fn drop(&mut self) {
        self.0.is_done.store(true, SeqCst);
    }
}

/// Writes lines as fast as programs do, and opens the log anew when it is asked to.
fn write_lines(folder: &Path, progress: &Progress) {
    let open = || File::options().append(true).create(true).open(folder.join("app.log")).unwrap();
    let mut log = open();
    let asked = folder.join("reopen");
    while !progress.is_done.load(SeqCst) {
        for _ in 0..20 {
            let line = progress.lines.load(SeqCst);
            let text = format!("2026-01-15 11:00:00 [ERROR] no {line} {}\n", "x".repeat(line % 90));
            log.write_all(text.as_bytes()).unwrap();
            progress.lines.store(line + 1, SeqCst);
        }
        if asked.exists() {
            log = open();
            fs::remove_file(&asked).unwrap();
        }
        // At times it has nothing to say for so long that an empty log is rotated.
        let is_quiet = progress.lines.load(SeqCst).is_multiple_of(1000);
        thread::sleep(Duration::from_millis(if is_quiet { 100 } else { 2 }));
    }
}

/// Rotates so many times, and never so often that a file is deleted before a run could see it.
fn rotate(folder: &Path, way: &Way, rotations: usize, progress: &Progress) {
    let config = folder.join("logrotate.conf");
    let path = folder.display();
    // What logrotate itself must not lose: lines of a writer that has not opened the new file
    // when the old one is compressed. And what a copy holds is kept for the comparison.
    let after = if way.copies() {
        format!("cp {path}/app.log.1 {path}/saved/$(ls {path}/saved | wc -l)")
    } else {
        format!("touch {path}/reopen; while [ -e {path}/reopen ]; do sleep 0.005; done")
    };
    let text = format!(
        "{path}/app.log {{\nrotate {KEPT}\n{}\npostrotate\n{after}\nendscript\n}}\n",
        way.options
    );
    fs::write(&config, text).unwrap();
    for _ in 0..rotations {
        while progress.since_run.load(SeqCst) > KEPT - 3 {
            if progress.is_done.load(SeqCst) {
                return;
            }
            thread::yield_now();
        }
        let mut logrotate = Command::new("logrotate");
        // As for cron, it is not on everybody's path.
        logrotate.env("PATH", "/usr/sbin:/usr/bin:/sbin:/bin");
        logrotate.args(["--force", "--state"]).arg(folder.join("state-of-logrotate")).arg(&config);
        let output = logrotate.output().expect("logrotate: run scripts/setup logrotate");
        // Two dates may be the same.
        let is_same = String::from_utf8_lossy(&output.stderr).contains("already exists");
        assert!(output.status.success() || is_same, "{output:?}");
        progress.since_run.fetch_add(1, SeqCst);
        thread::sleep(Duration::from_millis(if way.is_slow { 1001 } else { 1 }));
    }
}

/// Reads until the writer stops.
fn read(setup: &Setup, way: &Way, progress: &Progress) {
    while !progress.is_done.load(SeqCst) {
        let before = progress.since_run.load(SeqCst);
        let run = setup.run(["ingest"]);
        progress.since_run.fetch_sub(before, SeqCst);
        expect_well(way, &run);
    }
}

#[track_caller]
fn expect_well(way: &Way, run: &Ran) {
    // Between renaming and creating there is no log; that is told once an hour.
    let is_told = run.stderr.is_empty() || run.stderr.contains("does not exist");
    let is_missing = run.code == Some(1) && is_told;
    let is_well = run.code == Some(0) && (run.stderr.is_empty() || way.copies());
    assert!(is_missing || is_well, "{}: {run:?}", way.options);
}

/// The number of a line, if it is whole: a copy made while it was written ends within it.
fn number(line: &str) -> Option<usize> {
    let (number, rest) = line.split_once(" no ")?.1.split_once(' ')?;
    let number: usize = number.parse().ok()?;
    (rest.len() == number % 90).then_some(number)
}

/// Numbers as stretches that rise by one, in the order in which they were read.
fn stretches(numbers: &[usize]) -> String {
    let stretches = numbers.chunk_by(|one, next| one + 1 == *next);
    let ends = |stretch: &[usize]| format!("{}-{}", stretch[0], stretch[stretch.len() - 1]);
    stretches.map(ends).collect::<Vec<_>>().join(", ")
}

/// The numbers of the lines that are on the disk for sure.
fn saved(folder: &Path) -> BTreeSet<usize> {
    let mut files: Vec<_> =
        fs::read_dir(folder.join("saved")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.push(folder.join("app.log"));
    let lines = files.iter().map(|path| fs::read_to_string(path).unwrap()).collect::<String>();
    lines.lines().filter_map(number).collect()
}

fn expect_every_line(options: &'static str, source: &'static str) {
    let way = Way { options, source, is_slow: options.contains("dateext") };
    let rotations = support::cases(100);
    let rotations = if way.is_slow { rotations.div_ceil(16) } else { rotations };
    let setup = Setup::new();
    let folder = setup.folder.path();
    for name in ["saved", "old"] {
        fs::create_dir(folder.join(name)).unwrap();
    }
    // The runs have a time that is far from that of the files: no line seems to wait for long.
    setup.config(&format!(
        "[[source]]\npaths = [\"LOGS/app.log\"]\nidle_flush = \"never\"\n{}",
        way.source
    ));
    setup.write("app.log", "");
    // What was rotated before the log is first seen is not read.
    setup.twice(["ingest"]);
    let progress = Progress::default();
    thread::scope(|scope| {
        scope.spawn(|| write_lines(folder, &progress));
        let rotating = scope.spawn(|| {
            rotate(folder, &way, rotations, &progress);
        });
        scope.spawn(|| {
            // A run that fails ends the others too.
            let _done = Done(&progress);
            read(&setup, &way, &progress);
        });
        let rotated = rotating.join();
        progress.is_done.store(true, SeqCst);
        rotated.unwrap();
    });
    expect_well(&way, &setup.run(["ingest"]));
    setup.twice(["ingest"]);

    let entries = setup.entries();
    let found: Vec<usize> = entries.iter().filter_map(|entry| number(entry)).collect();
    assert!(way.copies() || found.len() == entries.len(), "{options}: lines are cut");
    assert!(
        found.is_sorted_by(|one, next| one < next),
        "{options}: doubled or out of order: {}\n{}",
        stretches(&found),
        setup.rows(GENERATIONS).join("\n")
    );
    let found: BTreeSet<usize> = found.into_iter().collect();
    let written: BTreeSet<usize> = (0..progress.lines.load(SeqCst)).collect();
    if way.copies() {
        // What is written between copying and truncating is lost, and nobody can know.
        assert_eq!(saved(folder).difference(&found).next(), None, "{options}");
    } else {
        assert_eq!(written.difference(&found).next(), None, "{options}");
        assert_eq!(setup.gaps(), [""; 0], "{options}");
    }
    println!("{options}: {rotations} rotations, {} lines", written.len());
}

#[test]
fn create() {
    expect_every_line("create", "");
}

#[test]
fn create_and_compress() {
    expect_every_line("create\ncompress", "");
}

#[test]
fn create_and_compress_later() {
    expect_every_line("create\ncompress\ndelaycompress", "");
}

#[test]
fn copy_and_truncate() {
    expect_every_line("copytruncate", "");
}

#[test]
fn copy_truncate_and_compress() {
    expect_every_line("copytruncate\ncompress", "");
}

#[test]
fn dates_in_the_names() {
    expect_every_line("create\ndateext\ndateformat -%Y%m%d-%s\ncompress", "");
}

#[test]
fn dates_before_the_extension() {
    expect_every_line(
        "create\ndateext\ndateformat -%Y%m%d-%s\nextension .log\ndelaycompress\ncompress",
        "",
    );
}

#[test]
fn another_folder() {
    expect_every_line("create\nolddir old\ncompress\ndelaycompress", "olddir = [\"old\"]");
}
