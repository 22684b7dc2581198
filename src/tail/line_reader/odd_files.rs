//! Tests with UTF-16, with runs of NUL bytes, and with last lines that have no end.

use std::fs::File;
use std::io::Write;
use std::os::unix::fs::FileExt;

use encoding_rs::{UTF_8, UTF_16BE, UTF_16LE};
use proptest::prelude::*;

use super::*;

fn reader_of(file: File, end: u64, max: usize, encoding: &'static Encoding) -> LineReader {
    let identity = identity::of(&file.metadata().unwrap());
    LineReader::new(Content::Plain(file), identity, 0, end, max, encoding).unwrap()
}

fn reader(content: &[u8], max: usize, encoding: &'static Encoding) -> LineReader {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    reader_of(file, content.len() as u64, max, encoding)
}

fn utf16(encoding: &'static Encoding, text: &str) -> Vec<u8> {
    let bytes = |unit| {
        if encoding == UTF_16LE { u16::to_le_bytes(unit) } else { u16::to_be_bytes(unit) }
    };
    text.encode_utf16().flat_map(bytes).collect()
}

/// Offset, bytes and skipped NUL bytes of each line. Every line is taken back once, and every
/// place is the one that the file itself gives.
fn lines(reader: &mut LineReader) -> Vec<(u64, Vec<u8>, u64)> {
    let mut lines = Vec::new();
    loop {
        let before = reader.byte_offset();
        let line = reader
            .next_line()
            .unwrap()
            .map(|line| (line.byte_offset, line.bytes.to_vec(), line.nul_bytes));
        if line.is_some() {
            check_place(reader);
            reader.take_back();
            assert_eq!(reader.byte_offset(), before);
            check_place(reader);
            let again = reader.next_line().unwrap().unwrap();
            let again = (again.byte_offset, again.bytes.to_vec(), again.nul_bytes);
            assert_eq!(Some(&again), line.as_ref());
        }
        check_place(reader);
        match line {
            Some(line) => lines.push(line),
            None => return lines,
        }
    }
}

#[track_caller]
fn check_place(reader: &LineReader) {
    let offset = reader.byte_offset();
    let mut file = Content::Plain(reader.content.file().try_clone().unwrap());
    let expected = identity::place_at(&mut file, reader.identity, offset).unwrap();
    assert_eq!(reader.place(), expected);
}

#[test]
fn a_byte_order_mark_tells_the_encoding() {
    for (encoding, mark) in [(UTF_16LE, "\u{feff}"), (UTF_16BE, "\u{feff}")] {
        let content = utf16(encoding, &format!("{mark}one\r\ntwo\n"));
        let mut reader = reader(&content, 100, UTF_8);
        assert_eq!(reader.encoding(), encoding);
        let expected = [(0, utf16(encoding, "\u{feff}one"), 0), (12, utf16(encoding, "two"), 0)];
        assert_eq!(lines(&mut reader), expected);
    }
    assert_eq!(reader(b"\xef\xbb\xbfone\n", 100, UTF_16LE).encoding(), UTF_8);
    assert_eq!(reader(b"one\n", 100, UTF_16LE).encoding(), UTF_16LE);
    assert_eq!(reader(b"", 100, UTF_16LE).encoding(), UTF_16LE);
}

#[test]
fn the_mark_is_seen_from_the_middle_of_the_file_too() {
    let content = utf16(UTF_16BE, "\u{feff}one\ntwo\n");
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&content).unwrap();
    let identity = identity::of(&file.metadata().unwrap());
    let end = content.len() as u64;
    let mut reader = LineReader::new(Content::Plain(file), identity, 10, end, 100, UTF_8).unwrap();
    assert_eq!(lines(&mut reader), [(10, utf16(UTF_16BE, "two"), 0)]);
}

#[test]
fn half_a_line_end_is_none() {
    for encoding in [UTF_16LE, UTF_16BE] {
        let content = utf16(encoding, "\u{feff}one\ntwo\n");
        let mut reader = reader(&content[..content.len() - 1], 100, encoding);
        assert_eq!(lines(&mut reader).len(), 1);
        assert_eq!(reader.byte_offset(), 10);
        assert_eq!(reader.last_line().unwrap().bytes, utf16(encoding, "two"));
        assert_eq!(reader.last_line_bytes(), 7);
    }
}

#[test]
fn nuls_before_a_line_are_skipped_and_counted() {
    for nuls in [1, 7, 8, 1023, 1024, READ_BYTES - 1, READ_BYTES, 3 * READ_BYTES + 5] {
        let content = [vec![0; nuls], b"one\n\0\0two\n\0\n".to_vec(), vec![0; nuls]].concat();
        let mut reader = reader(&content, 100, UTF_8);
        let at = nuls as u64;
        assert_eq!(
            lines(&mut reader),
            [(at, b"one".to_vec(), at), (at + 6, b"two".to_vec(), 2), (at + 11, b"".to_vec(), 1),],
        );
        assert_eq!(reader.byte_offset(), at + 12, "what follows waits");
        assert_eq!(reader.last_line(), None, "and is no line");
        assert!(reader.buffer.len() <= 2 * READ_BYTES, "memory stays bounded");
    }
}

#[test]
fn nuls_before_a_line_without_an_end_wait_with_it() {
    let mut reader = reader(&[b"one\n", &[0; 3000][..], b"two"].concat(), 100, UTF_8);
    assert_eq!(lines(&mut reader).len(), 1);
    assert_eq!((reader.byte_offset(), reader.last_line_bytes()), (4, 3003));
    let last = reader.last_line().unwrap();
    assert_eq!((last.byte_offset, last.bytes, last.nul_bytes), (3004, &b"two"[..], 3000));
}

#[test]
fn a_long_line_behind_nuls_is_cut() {
    let long = "x".repeat(2 * READ_BYTES);
    let content = [&[0; 3000][..], long.as_bytes(), b"\ntwo\n"].concat();
    let mut reader = reader(&content, 100, UTF_8);
    let first = (3000, vec![b'x'; 100], 3000);
    assert_eq!(lines(&mut reader), [first, (3001 + 2 * READ_BYTES as u64, b"two".to_vec(), 0)]);
}

#[test]
fn in_utf16_only_whole_units_are_nul() {
    for encoding in [UTF_16LE, UTF_16BE] {
        let content = [vec![0; 3000], utf16(encoding, "one\n\u{100}two\n")].concat();
        let mut reader = reader(&content, 100, encoding);
        let expected =
            [(3000, utf16(encoding, "one"), 3000), (3008, utf16(encoding, "\u{100}two"), 0)];
        assert_eq!(lines(&mut reader), expected);
    }
}

/// Read byte by byte it would take seconds here, and minutes in a larger one.
#[test]
fn a_hole_of_a_gigabyte_is_skipped() {
    let file = tempfile::tempfile().unwrap();
    let at = (1 << 30) + 1234;
    file.write_all_at(b"one\ntwo\n", at).unwrap();
    let mut reader = reader_of(file, at + 8, 100, UTF_8);
    assert_eq!(lines(&mut reader), [(at, b"one".to_vec(), at), (at + 4, b"two".to_vec(), 0)]);
    assert!(reader.buffer.len() <= 2 * READ_BYTES);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(32))]

    #[test]
    fn lines_of_utf16_are_those_of_the_text(
        lines_of_text in prop::collection::vec(
            prop_oneof![
                8 => "[a\u{a0a}\u{10a}\u{a00}\u{1f600}\r]{0,40}",
                1 => Just("x".repeat(1900)),
                1 => Just("y".repeat(140_000)),
            ], 0..12),
        last in "[a\u{a0a}]{0,5}",
        encoding in prop::sample::select(vec![UTF_16LE, UTF_16BE]),
        max in 4000usize..4004,
    ) {
        let text = lines_of_text.join("\n") + if lines_of_text.is_empty() { "" } else { "\n" };
        let mut reader = reader(&utf16(encoding, &(text + &last)), max, encoding);
        let found = lines(&mut reader);
        prop_assert_eq!(found.len(), lines_of_text.len());
        for ((_, bytes, _), line) in found.iter().zip(&lines_of_text) {
            let whole = utf16(encoding, line.strip_suffix('\r').unwrap_or(line));
            prop_assert_eq!(bytes, &whole[..whole.len().min(max / 2 * 2)]);
        }
    }
}
