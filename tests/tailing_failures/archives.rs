//! Compressed files: read once, whole, and only if they are new.

use std::fs;

use crate::support::program::Setup;
use crate::{expect_all, gzip, gzipped, lines, read_log};

/// The states of the files that are known besides the one at the path.
fn states(setup: &Setup) -> Vec<String> {
    setup.rows(
        "select concat_ws(' ', regexp_replace(path, '.*/', ''), state) as value
         from generations order by generation",
    )
}

#[test]
fn fluent_bit_9577_an_archive_that_is_being_written() {
    let setup = read_log(10);
    setup.append("app.log", lines(10, 3000));
    let archive = gzipped(fs::read(setup.log()).unwrap());
    fs::remove_file(setup.log()).unwrap();
    setup.write("app.log", lines(3010, 5));
    // As it comes into being, and the file that it is made of is gone already.
    for length in [0, 5, 2000, archive.len() / 2, archive.len() - 3] {
        setup.write("app.log.1.gz", &archive[..length]);
        setup.run(["ingest".as_ref(), setup.log().as_os_str()]);
    }
    assert_eq!(states(&setup), ["app.log.1.gz unfinished"]);
    setup.write("app.log.1.gz", &archive);
    setup.ingest();
    assert_eq!(states(&setup), ["app.log.1.gz finished"]);
    // All lines are there, each once: those of the new file among those of the archive.
    let mut entries = setup.entries();
    assert_eq!(entries.len(), 3015);
    entries.sort_unstable();
    entries.dedup();
    assert_eq!(entries.len(), 3015);
}

#[test]
fn fluent_bit_9577_an_archive_that_is_being_written_beside_its_file() {
    let setup = read_log(10);
    setup.append("app.log", lines(10, 3000));
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", lines(3010, 5));
    let archive = gzipped(fs::read(setup.path("app.log.1")).unwrap());
    for length in [100, archive.len() / 2, archive.len()] {
        setup.write("app.log.1.gz", &archive[..length]);
        setup.ingest();
        expect_all(&setup, 3015);
    }
    fs::remove_file(setup.path("app.log.1")).unwrap();
    setup.ingest();
    expect_all(&setup, 3015);
}

#[test]
fn vector_7990_a_compressed_copy_of_what_was_read_is_not_read_again() {
    let setup = read_log(10);
    let mut count = 10;
    for rotation in 0..5 {
        // delaycompress: the last but one is compressed, all others move on.
        for number in (2..=rotation).rev() {
            let (from, to) = (format!("app.log.{number}.gz"), format!("app.log.{}.gz", number + 1));
            setup.rename(&from, &to);
        }
        if rotation > 0 {
            setup.rename("app.log.1", "app.log.2");
            gzip(&setup, "app.log.2");
        }
        setup.append("app.log", lines(count, 5));
        setup.rename("app.log", "app.log.1");
        setup.write("app.log", lines(count + 5, 5));
        setup.ingest();
        count += 10;
        expect_all(&setup, count);
    }
}

#[test]
fn vector_13193_other_copies_are_not_read_again_either() {
    let setup = read_log(100);
    setup.append("app.log", lines(100, 5));
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", lines(105, 5));
    setup.ingest();
    // Copied by hand, compressed and kept, compressed with another tool.
    fs::copy(setup.path("app.log.1"), setup.path("app.log.1.bak")).unwrap();
    fs::copy(setup.path("app.log.1"), setup.path("app.log-20260115")).unwrap();
    setup.write("app.log.9.gz", gzipped(fs::read(setup.path("app.log.1")).unwrap()));
    setup.rename("app.log", "app.log.2");
    setup.write("app.log", lines(110, 5));
    setup.ingest();
    expect_all(&setup, 115);
    // Unpacked again.
    setup.rename("app.log-20260115", "app.log.7");
    setup.rename("app.log", "app.log.3");
    setup.write("app.log", lines(115, 5));
    setup.ingest();
    expect_all(&setup, 120);
}

#[test]
fn vector_13193_files_that_were_there_before_are_not_read() {
    let setup = Setup::new();
    setup.write("app.log.1", lines(500, 50));
    setup.write("app.log.2.gz", gzipped(lines(600, 50)));
    setup.write("app.log", lines(0, 5));
    setup.ingest();
    expect_all(&setup, 5);
    setup.rename("app.log.2.gz", "app.log.3.gz");
    setup.rename("app.log.1", "app.log.2");
    gzip(&setup, "app.log.2");
    setup.append("app.log", lines(5, 5));
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", lines(10, 5));
    setup.ingest();
    expect_all(&setup, 15);
}

#[test]
fn lines_that_came_into_the_renamed_file_before_it_was_compressed_are_read() {
    let setup = read_log(10);
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", lines(10, 1));
    setup.ingest();
    // The writer was slow to follow, and then the archive was made.
    setup.append("app.log.1", lines(11, 2));
    gzip(&setup, "app.log.1");
    setup.ingest();
    expect_all(&setup, 13);
}

#[test]
fn archives_of_all_kinds_are_read() {
    let fixture = |name: &str| {
        fs::read(format!("{}/fixtures/archives/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    for name in ["lines.gz", "lines.zst", "lines.xz", "lines.bz2"] {
        let setup = Setup::new();
        setup.write("app.log", &fixture("lines.log")[..0]);
        setup.ingest();
        // The name says nothing of the compression.
        setup.write("app.log.1", fixture(name));
        setup.write("new", lines(0, 1));
        setup.rename("new", "app.log");
        setup.ingest();
        assert_eq!(setup.counts(), "error 401", "{name}");
        assert_eq!(setup.gaps(), [""; 0], "{name}");
    }
}

#[test]
fn what_cannot_be_unpacked_is_a_gap_with_its_reason() {
    let archive = |name: &str| {
        fs::read(format!("{}/fixtures/archives/{name}", env!("CARGO_MANIFEST_DIR"))).unwrap()
    };
    let mut damaged = archive("lines.gz");
    // Its checksum.
    *damaged.last_mut().unwrap() ^= 1;
    for (content, reason, read) in [
        (damaged, "a rotated file is damaged: ", 400),
        (archive("large-window.zst"), "a rotated file needs too much memory to be unpacked: ", 0),
        (
            archive("large-dictionary.xz"),
            "a rotated file needs too much memory to be unpacked: ",
            0,
        ),
    ] {
        let setup = Setup::new();
        setup.write("app.log", "");
        setup.ingest();
        setup.write("app.log.1", content);
        setup.write("new", lines(0, 1));
        setup.rename("new", "app.log");
        let run = setup.run(["ingest".as_ref(), setup.log().as_os_str()]);
        assert_eq!((run.code, run.stdout.as_str()), (Some(0), ""));
        assert!(run.stderr.contains(reason), "{run:?}");
        assert_eq!(setup.entries().last().unwrap(), "ERROR no 0", "the log itself is read");
        // What stands before the damage is read, too.
        assert_eq!(setup.entries().len(), read + 1, "{reason}");
        // Once.
        setup.ingest();
        assert_eq!(setup.gaps().len(), 1);
        assert!(setup.gaps()[0].starts_with(reason), "{:?}", setup.gaps());
    }
}

#[test]
fn an_archive_that_stays_half_written_is_a_gap_after_an_hour() {
    let mut setup = read_log(10);
    setup.append("app.log", lines(10, 3000));
    let archive = gzipped(fs::read(setup.log()).unwrap());
    fs::remove_file(setup.log()).unwrap();
    setup.write("app.log.1.gz", &archive[..archive.len() / 2]);
    setup.write("app.log", lines(3010, 1));
    // The time of its last change is that of the file; the runs are before and after that.
    let modified = setup.path("app.log.1.gz").metadata().unwrap().modified().unwrap();
    let at = |minutes| {
        let time = chrono::DateTime::<chrono::Utc>::from(modified);
        (time + chrono::TimeDelta::minutes(minutes)).to_rfc3339()
    };
    setup.now = at(59);
    setup.ingest();
    assert_eq!(setup.gaps(), [""; 0]);
    setup.now = at(61);
    let run = setup.run(["ingest".as_ref(), setup.log().as_os_str()]);
    assert!(run.stderr.contains("app.log: a rotated file ends early"), "{run:?}");
    setup.ingest();
    assert_eq!(setup.gaps(), ["a rotated file ends early: -"]);
}
