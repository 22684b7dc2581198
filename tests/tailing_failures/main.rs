//! What the established tools got wrong when logs were rotated, truncated, copied or replaced,
//! each as a test: its name begins with the tool and the number of the issue.
//!
//! Every run of the program is made twice, and the second one must change no row at all.

#![allow(
    clippy::unwrap_used,
    reason = "clippy.toml allows it in tests, but not in what they share"
)]

mod archives;
mod identity;
mod positions;
mod rotations;
mod several_logs;
#[path = "../support/mod.rs"]
mod support;

use std::fs;
use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use support::program::Setup;

/// `count` lines from number `first` on, all errors.
fn lines(first: usize, count: usize) -> String {
    let line =
        |i: usize| format!("2026-01-15 11:{:02}:{:02} [ERROR] no {i}\n", i / 60 % 60, i % 60);
    (first..first + count).map(line).collect::<Vec<_>>().concat()
}

/// Checks that the errors from 0 to `count` are stored, each once and in order, and that
/// nothing is said to be lost.
#[track_caller]
fn expect_all(setup: &Setup, count: usize) {
    let found = setup.entries();
    let wrong = (0..).zip(&found).find(|(i, entry)| **entry != format!("ERROR no {i}"));
    assert_eq!((wrong, found.len()), (None, count));
    assert_eq!(setup.counts(), format!("error {count}"));
    assert_eq!(setup.gaps(), [""; 0]);
}

/// A log of so many lines that was read.
fn read_log(count: usize) -> Setup {
    let setup = Setup::new();
    setup.write("app.log", lines(0, count));
    setup.ingest();
    setup
}

/// The bytes of a gzip archive.
fn gzipped(content: impl AsRef<[u8]>) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(content.as_ref()).unwrap();
    encoder.finish().unwrap()
}

/// Does what gzip does: a new file with the time of change of the old one, which is removed.
fn gzip(setup: &Setup, name: &str) {
    let modified = setup.path(name).metadata().unwrap().modified().unwrap();
    let archive = format!("{name}.gz");
    setup.write(&archive, gzipped(fs::read(setup.path(name)).unwrap()));
    let file = fs::File::options().append(true).open(setup.path(&archive)).unwrap();
    file.set_modified(modified).unwrap();
    fs::remove_file(setup.path(name)).unwrap();
}
