//! Rotated files that are compressed need no more memory than others, however large.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::path::Path;
use std::process::Stdio;

use crate::memory::{MOST_KIB, most_memory};
use crate::support::program::Setup;

/// What differs from run to run, in KiB.
const NOISE_KIB: u64 = 2 * 1024;

/// A line that is not stored.
fn line() -> String {
    format!("2026-01-15 11:00:00 [INFO] {}\n", "nothing to see here, ".repeat(46))
}

/// So many lines in the fixtures `window-of-*`: 32 MiB, so that the decoder has to look back as
/// far as it ever does. Made with `zstd -19` and `xz -7`.
const LINES: usize = 33_757;

fn fixture(name: &str) -> Vec<u8> {
    fs::read(format!("{}/fixtures/archives/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
}

/// The memory for a rotated file that `write` writes, and for the lines in it.
#[track_caller]
fn memory_for(lines: usize, write: impl FnOnce(&Path)) -> u64 {
    let setup = Setup::new();
    setup.write("app.log", "");
    setup.ingest_once();
    write(&setup.path("app.log.1"));
    setup.write("new", "2026-01-15 11:00:01 [ERROR] one\n");
    setup.rename("new", "app.log");
    let mut run = setup.command(["ingest".as_ref(), setup.log().as_os_str()]);
    let most = most_memory(run.stdout(Stdio::null()).spawn().unwrap());
    assert_eq!(setup.counts(), format!("info {lines}, error 1"));
    assert_eq!(setup.gaps(), [""; 0]);
    most
}

/// Checks the memory for a file and for one that is `times` as long.
#[track_caller]
fn expect_the_same(times: usize, lines: usize, write: impl Fn(&Path, usize)) {
    let small = memory_for(lines, |path| write(path, 1));
    let large = memory_for(times * lines, |path| write(path, times));
    assert!(large < MOST_KIB, "{large} KiB");
    assert!(large < small + NOISE_KIB, "{large} KiB, and {small} KiB for a shorter one");
}

#[test]
fn gzip() {
    // As much as a quarter of a gibibyte in one piece.
    expect_the_same(8, LINES, |path, times| {
        let file = File::create(path).unwrap();
        let mut archive = flate2::write::GzEncoder::new(file, flate2::Compression::fast());
        let piece = line().repeat(LINES);
        for _ in 0..times {
            archive.write_all(piece.as_bytes()).unwrap();
        }
        archive.finish().unwrap();
    });
}

#[test]
fn zstd_with_the_largest_window() {
    expect_the_same(8, LINES, |path, times| {
        fs::write(path, fixture("window-of-8-mib.zst").repeat(times)).unwrap();
    });
}

#[test]
fn xz_with_the_largest_window() {
    expect_the_same(2, LINES, |path, times| {
        fs::write(path, fixture("window-of-16-mib.xz").repeat(times)).unwrap();
    });
}

#[test]
fn bzip2_with_the_largest_blocks() {
    // It is slow, and looks back no further than a block of 900 kB.
    let lines = 2_000;
    expect_the_same(4, lines, |path, times| {
        let file = BufWriter::new(File::create(path).unwrap());
        let mut archive = bzip2::write::BzEncoder::new(file, bzip2::Compression::best());
        archive.write_all(line().repeat(times * lines).as_bytes()).unwrap();
        archive.finish().unwrap().flush().unwrap();
    });
}

/// All of them are looked at when the log is seen for the first time.
#[test]
fn many_archives_need_no_more_than_one() {
    let memory = |count: usize| {
        let setup = Setup::new();
        for number in 1..=count {
            let head = format!("2026-01-15 10:00:00 [INFO] no {number}\n");
            let mut archive = ruzstd::encoding::compress_to_vec(
                head.as_bytes(),
                ruzstd::encoding::CompressionLevel::Uncompressed,
            );
            archive.extend(fixture("window-of-8-mib.zst"));
            setup.write(&format!("app.log.{number}.zst"), archive);
        }
        setup.write("app.log", "2026-01-15 11:00:01 [ERROR] one\n");
        let mut run = setup.command(["ingest".as_ref(), setup.log().as_os_str()]);
        let most = most_memory(run.stdout(Stdio::null()).spawn().unwrap());
        assert_eq!(setup.counts(), "error 1");
        most
    };
    let (one, many) = (memory(1), memory(10));
    assert!(many < one + NOISE_KIB, "{many} KiB, and {one} KiB for one archive");
}
