//! Which file is it? Inodes and first lines that come again.

use std::fs;
use std::io::Read;
use std::os::unix::fs::MetadataExt;

use tripline::tail::LogFile;

use crate::support::program::Setup;
use crate::{expect_all, lines, read_log};

/// Gives a log other content in its own inode, as if a new file had got the inode of a deleted
/// one.
fn recreate(setup: &Setup, content: &str) {
    let inode = || setup.log().metadata().unwrap().ino();
    let before = inode();
    setup.write("app.log", content);
    assert_eq!(inode(), before);
}

#[test]
fn fluent_bit_1875_a_new_file_has_the_inode_of_a_deleted_one() {
    for count in [5, 10, 30] {
        let setup = read_log(10);
        recreate(&setup, &lines(10, count));
        setup.run(["ingest".as_ref(), setup.log().as_os_str()]);
        setup.ingest();
        let expected: Vec<String> = (0..10 + count).map(|i| format!("ERROR no {i}")).collect();
        assert_eq!(setup.entries(), expected);
        assert_eq!(setup.gaps().len(), 1, "lines may be lost with the deleted file");
    }
}

#[test]
fn rsyslog_4648_so_has_one_after_a_rotation() {
    let setup = read_log(10);
    setup.append("app.log", lines(10, 5));
    fs::copy(setup.log(), setup.path("app.log.1")).unwrap();
    recreate(&setup, &lines(15, 40));
    setup.ingest();
    expect_all(&setup, 55);
}

#[test]
fn fluent_bit_2110_the_inode_of_the_first_file_is_that_of_the_third() {
    let setup = read_log(10);
    // The second.
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", lines(10, 10));
    setup.ingest();
    // The first is deleted; the third gets its inode, as long and longer.
    for (first, count) in [(20, 10), (30, 20)] {
        let file = setup.path("app.log.1");
        fs::write(&file, lines(first, count)).unwrap();
        fs::rename(setup.log(), setup.path("app.log.2")).unwrap();
        fs::rename(&file, setup.log()).unwrap();
        setup.ingest();
        fs::rename(setup.path("app.log.2"), setup.path("app.log.1")).unwrap();
    }
    expect_all(&setup, 50);
}

#[test]
fn vector_25079_two_logs_begin_with_equal_lines() {
    let header = "# a header\n".repeat(200);
    let setup = Setup::new();
    let log = |first: usize, count: usize| header.clone() + &lines(first, count);
    setup.write("app.log", log(0, 5));
    setup.ingest();
    setup.append("app.log", lines(5, 5));
    setup.rename("app.log", "app.log.2");
    setup.write("app.log.1", log(10, 5));
    setup.write("app.log", log(15, 5));
    setup.ingest();
    let expected: Vec<String> = (0..20).map(|i| format!("ERROR no {i}")).collect();
    assert_eq!(setup.entries(), expected);
    assert_eq!(setup.counts(), "error 20, unparsed 600");
}

#[test]
fn opentelemetry_19765_two_rotated_files_begin_with_the_only_line_that_was_read() {
    let setup = Setup::new();
    setup.write("app.log", "# a header\n");
    setup.run(["ingest".as_ref(), setup.log().as_os_str()]);
    setup.append("app.log", lines(0, 5));
    setup.rename("app.log", "app.log.2");
    setup.write("app.log.1", "# a header\n".to_owned() + &lines(5, 5));
    setup.write("app.log", "# a header\n".to_owned() + &lines(10, 5));
    for name in ["app.log.2", "app.log.1"] {
        crate::gzip(&setup, name);
    }
    setup.ingest();
    let expected: Vec<String> = (0..15).map(|i| format!("ERROR no {i}")).collect();
    assert_eq!(setup.entries(), expected);
    assert_eq!(setup.counts(), "error 15, unparsed 3");
}

#[test]
fn vector_2701_a_file_of_a_few_bytes_is_read_and_known() {
    let setup = Setup::new();
    setup.write("app.log", "\n");
    setup.run(["ingest".as_ref(), setup.log().as_os_str()]);
    assert_eq!(setup.state("line_no"), "1");
    setup.append("app.log", "2026-01-15 11:00:00 [ERROR] no 0\n");
    setup.ingest();
    assert_eq!(setup.state("line_no"), "2");
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", "2026-01-15 11:00:01 [ERROR] no 1\n");
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR no 0", "ERROR no 1"]);
    assert_eq!((setup.state("line_no").as_str(), setup.gaps().len()), ("3", 0));
}

#[test]
fn check_logfiles_65_the_device_has_another_number_after_a_reboot() {
    let setup = read_log(10);
    let device = setup.state("device");
    setup.append("app.log", lines(10, 5));
    // The file cannot change its device, so what is known of it does.
    setup.rows("update ingest_state set device = device + 1 returning '' as value");
    setup.ingest();
    expect_all(&setup, 15);
    assert_eq!(setup.state("device"), device);
    assert_eq!(setup.state("generation"), "1");
}

#[test]
fn logstash_input_file_63_rsync_makes_a_new_inode_at_every_sync() {
    let setup = read_log(10);
    for round in 1..=4 {
        let old = fs::read_to_string(setup.log()).unwrap();
        setup.write(".app.log.Xy12Zz", old + &lines(10 * round, 10));
        setup.rename(".app.log.Xy12Zz", "app.log");
        setup.ingest();
        expect_all(&setup, 10 * (round + 1));
    }
    assert_eq!(setup.state("generation"), "1");
}

#[test]
fn rsyslog_6292_only_the_open_file_counts() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("app.log");
    fs::write(&path, "one\ntwo\n").unwrap();
    let mut log = LogFile::open(&path).unwrap();
    let identity = log.identity;
    // Renamed, replaced and deleted between opening and reading.
    fs::rename(&path, folder.path().join("app.log.1")).unwrap();
    fs::write(&path, "eins\nzwei\ndrei\n").unwrap();
    fs::remove_file(folder.path().join("app.log.1")).unwrap();
    let place = log.last_line_end(encoding_rs::UTF_8).unwrap();
    assert_eq!((place.identity, place.byte_offset), (identity, 8));
    let mut text = String::new();
    log.content.file().read_to_string(&mut text).unwrap();
    assert_eq!(text, "one\ntwo\n");
}
