//! Bytes that are no usual text: other encodings, runs of NUL bytes, lines without measure.

use std::fs::{self, File};
use std::io::{BufWriter, Write};
use std::os::unix::fs::FileExt;
use std::process::Stdio;

use encoding_rs::{SHIFT_JIS, UTF_16BE, UTF_16LE, WINDOWS_1252};

use crate::memory::{MOST_KIB, most_memory};
use crate::support::program::Setup;

const LOG: &str = "2026-01-15 11:00:00 [ERROR] Zähler 1\r\n\tat Größe\r\n2026-01-15 11:00:01 [INFO] é\n\
                   2026-01-15 11:00:02 [ERROR] ok\n";
const ENTRIES: [&str; 2] = ["ERROR Zähler 1\n\tat Größe", "ERROR ok"];

/// A log in UTF-16 with a byte order mark.
fn utf16(little_endian: bool, text: &str) -> Vec<u8> {
    let bytes = |unit: u16| if little_endian { unit.to_le_bytes() } else { unit.to_be_bytes() };
    text.encode_utf16().flat_map(bytes).collect()
}

fn config(setup: &Setup, lines: &str) {
    setup.config(&format!("[[source]]\npaths = ['LOGS/app.log']\n{lines}\n"));
}

#[test]
fn a_log_in_utf16_is_known_by_its_mark() {
    for little_endian in [true, false] {
        let setup = Setup::new();
        let log = utf16(little_endian, &format!("\u{feff}{LOG}"));
        // The runs end in the middle of a line, of a line end, and of a unit.
        let (mut from, end) = (0, log.len());
        for to in [3, 80, end - 4, end - 1, end] {
            setup.append("app.log", &log[from..to]);
            setup.ingest();
            from = to;
        }
        assert_eq!(setup.entries(), ENTRIES);
        assert_eq!(setup.counts(), "info 1, error 2, continued 1");
        assert_eq!(setup.state("byte_offset"), end.to_string());
        assert_eq!(
            setup.rows("select byte_offset::text as value from log_entries order by line_no"),
            ["0", &(end - 62).to_string()],
            "offsets are those of the file"
        );
    }
}

#[test]
fn the_config_says_the_encoding_where_there_is_no_mark() {
    for (label, bytes) in [
        ("utf-16", utf16(true, LOG)),
        ("utf-16be", utf16(false, LOG)),
        ("latin1", WINDOWS_1252.encode(LOG).0.into_owned()),
        ("utf-8", LOG.as_bytes().to_vec()),
    ] {
        let setup = Setup::new();
        config(&setup, &format!("encoding = '{label}'"));
        setup.write("app.log", bytes);
        setup.ingest();
        assert_eq!(setup.entries(), ENTRIES, "{label}");
        assert_eq!(setup.counts(), "info 1, error 2, continued 1", "{label}");
    }
}

#[test]
fn a_character_whose_second_byte_means_something_in_ascii_is_read_whole() {
    // The second byte of the first one is a backslash, that of the last one a bracket.
    let text = "2026-01-15 11:00:00 [ERROR] \u{8868}\u{30bd}\u{30be}\n";
    let (bytes, _, _) = SHIFT_JIS.encode(text);
    assert!(bytes.contains(&b'\\') && bytes.contains(&b']'));
    let setup = Setup::new();
    config(&setup, "encoding = 'sjis'");
    setup.write("app.log", bytes);
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR \u{8868}\u{30bd}\u{30be}"]);
}

#[test]
fn half_a_character_is_a_mark_and_takes_nothing_of_the_next_line() {
    let setup = Setup::new();
    config(&setup, "encoding = 'shift_jis'");
    setup.write("app.log", b"2026-01-15 11:00:00 [ERROR] a\x83\n2026-01-15 11:00:01 [ERROR] b\n");
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR a\u{fffd}", "ERROR b"]);
}

#[test]
fn reading_from_the_end_of_a_log_in_utf16_begins_at_a_line() {
    for (encoding, little_endian) in [(UTF_16LE, true), (UTF_16BE, false)] {
        let setup = Setup::new();
        config(&setup, "start = 'end'");
        // The last character holds the byte of a line end.
        setup.write("app.log", utf16(little_endian, &format!("\u{feff}{LOG}x\u{a0a}")));
        setup.ingest();
        assert_eq!(setup.entries(), [""; 0], "{encoding:?}");
        setup.append("app.log", utf16(little_endian, "y\n2026-01-15 11:00:03 [ERROR] new\n"));
        setup.ingest();
        assert_eq!(setup.entries(), ["ERROR new"]);
        assert_eq!(setup.counts(), "error 1, unparsed 1");
    }
}

#[test]
fn a_log_in_utf16_is_read_over_a_rotation() {
    let setup = Setup::new();
    let line = |i: usize| utf16(true, &format!("2026-01-15 11:00:{i:02} [ERROR] Zähler {i}\n"));
    let mark = || utf16(true, "\u{feff}");
    setup.write("app.log", [mark(), line(0), line(1)].concat());
    setup.ingest();
    setup.append("app.log", line(2));
    setup.rename("app.log", "app.log.1");
    setup.write("app.log", [mark(), line(3)].concat());
    setup.ingest();
    assert_eq!(setup.entries().len(), 4);
    assert_eq!((setup.counts().as_str(), setup.gaps().len()), ("error 4", 0));
}

#[test]
fn a_last_line_in_utf16_may_be_stored_before_its_end() {
    let setup = Setup::new();
    config(&setup, "idle_flush = '0s'");
    let log = utf16(true, "\u{feff}2026-01-15 11:00:00 [ERROR] Zähler\n");
    setup.write("app.log", &log[..log.len() - 3]);
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR Zähle"]);
    setup.append("app.log", &log[log.len() - 3..]);
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR Zähler"]);
}

#[test]
fn a_writer_that_goes_on_at_its_old_offset_after_copytruncate_loses_no_line() {
    let setup = Setup::new();
    let line = |i: usize| format!("2026-01-15 11:00:{i:02} [ERROR] no {i}\n");
    // Opened without O_APPEND, as a shell does with `>`.
    let mut writer = File::create(setup.log()).unwrap();
    let mut expected = Vec::new();
    let mut write = |writer: &mut File, i: usize| {
        writer.write_all(line(i).as_bytes()).unwrap();
        expected.push(format!("ERROR no {i}"));
    };
    for i in 0..20 {
        write(&mut writer, i);
    }
    setup.ingest();
    write(&mut writer, 20);
    fs::copy(setup.log(), setup.path("app.log.1")).unwrap();
    File::options().write(true).open(setup.log()).unwrap().set_len(0).unwrap();
    write(&mut writer, 21);
    setup.ingest();
    write(&mut writer, 22);
    setup.ingest();
    assert_eq!(setup.entries(), expected);
    assert_eq!((setup.counts().as_str(), setup.gaps().len()), ("error 23", 0));
    let nuls: u64 = (0..21).map(|i| line(i).len() as u64).sum();
    assert_eq!(setup.state("nul_bytes"), nuls.to_string());
    let status = setup.run(["status"]).stdout;
    assert!(status.contains(&format!("NUL bytes before a line, which were skipped: {nuls}")));
    let at = setup.rows("select byte_offset::text as value from log_entries where line_no = 22");
    assert_eq!(at, [nuls.to_string()], "where the text begins");
}

#[test]
fn a_hole_of_gigabytes_before_a_line_costs_no_time_and_no_memory() {
    let setup = Setup::new();
    let file = File::create(setup.log()).unwrap();
    let hole = 1_u64 << 30;
    file.write_all_at(b"2026-01-15 11:00:00 [ERROR] one\n", hole).unwrap();
    // Also where a chunk is smaller than the hole.
    let mut run =
        setup.command(["ingest".as_ref(), "--chunk-bytes=1000".as_ref(), setup.log().as_os_str()]);
    let child = run.stdout(Stdio::null()).spawn().unwrap();
    assert!(most_memory(child) < MOST_KIB);
    assert_eq!(setup.entries(), ["ERROR one"]);
    assert_eq!(setup.state("nul_bytes"), hole.to_string());
    setup.append("app.log", "2026-01-15 11:00:01 [ERROR] two\n");
    setup.ingest();
    assert_eq!(setup.entries(), ["ERROR one", "ERROR two"]);
}

#[test]
fn a_line_of_100_megabytes_needs_no_more_memory_than_others() {
    let setup = Setup::new();
    let mut log = BufWriter::new(File::create(setup.log()).unwrap());
    log.write_all(b"2026-01-15 11:00:00 [ERROR] one ").unwrap();
    let piece = "x".repeat(1 << 16);
    for _ in 0..100_000_000 / piece.len() {
        log.write_all(piece.as_bytes()).unwrap();
    }
    log.write_all(b"\n2026-01-15 11:00:01 [ERROR] two\n").unwrap();
    log.into_inner().unwrap();
    let mut run = setup.command(["ingest".as_ref(), setup.log().as_os_str()]);
    let most = most_memory(run.stdout(Stdio::null()).spawn().unwrap());
    assert!(most < MOST_KIB, "{most} KiB");
    let lengths =
        setup.rows("select length(message)::text as value from log_entries order by line_no");
    // 28 bytes of the first mebibyte are the time and the level.
    assert_eq!(lengths, [((1 << 20) - 28).to_string(), "3".to_owned()]);
    assert_eq!(setup.state("cut_lines"), "1");
}
