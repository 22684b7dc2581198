//! Tests with usual lines, and with long ones.

use super::*;
use encoding_rs::UTF_8;
use proptest::prelude::*;
use std::io::Write;
use std::os::unix::fs::FileExt;

fn reader(content: &[u8], from: u64, max_line_bytes: usize) -> LineReader {
    let mut file = tempfile::tempfile().unwrap();
    file.write_all(content).unwrap();
    let identity = identity::of(&file.metadata().unwrap());
    let end = content.len() as u64;
    LineReader::new(Content::Plain(file), identity, from, end, max_line_bytes, UTF_8).unwrap()
}

fn lines(reader: &mut LineReader) -> Vec<(u64, Vec<u8>, bool)> {
    let mut lines = Vec::new();
    while let Some(line) = reader.next_line().unwrap() {
        lines.push((line.byte_offset, line.bytes.to_vec(), line.cut));
    }
    lines
}

/// The place at an offset, made from the file.
fn in_file(reader: &LineReader, byte_offset: u64) -> Place {
    let mut file = Content::Plain(reader.content.file().try_clone().unwrap());
    identity::place_at(&mut file, reader.identity, byte_offset).unwrap()
}

fn line(byte_offset: u64, text: &str) -> (u64, Vec<u8>, bool) {
    (byte_offset, text.as_bytes().to_vec(), false)
}

#[test]
fn an_unterminated_last_line_waits() {
    let mut reader = reader(b"one\ntwo\nthr", 0, 100);
    assert_eq!(lines(&mut reader), [line(0, "one"), line(4, "two")]);
    assert_eq!(reader.byte_offset(), 8);
}

#[test]
fn cr_lf_ends_a_line_and_a_lone_cr_is_data() {
    let mut reader = reader(b"a\r\nb\rc\n\r\n\n", 0, 100);
    assert_eq!(lines(&mut reader), [line(0, "a"), line(3, "b\rc"), line(7, ""), line(9, "")]);
}

#[test]
fn a_line_over_the_limit_is_cut_and_the_next_is_read_normally() {
    let mut text = vec![b'x'; 3_000_000];
    text.extend_from_slice(b"\nnext\n");
    let mut reader = reader(&text, 0, 1000);
    let found = lines(&mut reader);
    assert_eq!(found[0], (0, vec![b'x'; 1000], true));
    assert_eq!(found[1], line(3_000_001, "next"));
    assert!(reader.buffer.len() <= 3 * READ_BYTES, "memory stays bounded");
}

#[test]
fn a_line_end_in_two_reads_is_no_part_of_the_line() {
    let max = READ_BYTES - 1;
    let text = "x".repeat(max) + "\r\nnext\n";
    let mut reader = reader(text.as_bytes(), 0, max);
    assert_eq!(lines(&mut reader), [line(0, &text[..max]), line(max as u64 + 2, "next")]);
}

#[test]
fn a_long_unterminated_line_waits_at_its_beginning() {
    let mut text = b"one\n".to_vec();
    text.extend(std::iter::repeat_n(b'x', 2_000_000));
    let mut reader = reader(&text, 0, 1000);
    assert_eq!(lines(&mut reader), [line(0, "one")]);
    assert_eq!(reader.byte_offset(), 4);
    assert_eq!(reader.place(), in_file(&reader, 4));
}

#[test]
fn a_line_taken_back_comes_again() {
    let mut reader = reader(b"one\ntwo\n", 0, 100);
    assert_eq!(reader.next_line().unwrap().unwrap().bytes, b"one");
    assert_eq!(reader.next_line().unwrap().unwrap().bytes, b"two");
    reader.take_back();
    assert_eq!(reader.byte_offset(), 4);
    assert_eq!(lines(&mut reader), [line(4, "two")]);
}

#[test]
fn a_long_line_taken_back_comes_again() {
    let text = "one\n".to_owned() + &"x".repeat(2_000_000) + "\ntwo\n";
    let mut reader = reader(text.as_bytes(), 0, 1000);
    reader.next_line().unwrap();
    assert!(reader.next_line().unwrap().unwrap().cut);
    reader.take_back();
    assert_eq!(reader.place(), in_file(&reader, 4));
    assert_eq!(lines(&mut reader).len(), 2);
}

#[test]
fn nothing_is_read_beyond_the_size_at_opening() {
    let mut reader = reader(b"one\ntwo\n", 0, 100);
    reader.content.file().write_all_at(b"three\n", 8).unwrap();
    assert_eq!(lines(&mut reader).len(), 2);
}

proptest! {
    #[test]
    fn lines_and_places_are_those_of_the_file(
        pieces in prop::collection::vec(
            prop_oneof![
                8 => "[a-z ]{0,60}\n",
                1 => Just("x".repeat(5000) + "\n"),
                1 => Just("y".repeat(300_000) + "\n"),
                1 => Just("\r\n".to_owned()),
            ], 0..30),
        tail in "[a-z]{0,20}",
        from_line in 0usize..10,
    ) {
        let max = 4000;
        let text = pieces.concat() + &tail;
        let from: usize = pieces.iter().take(from_line).map(String::len).sum();
        let mut reader = reader(text.as_bytes(), from as u64, max);
        let mut offset = from;
        for piece in pieces.iter().skip(from_line) {
            let whole = piece.as_bytes().strip_suffix(b"\n").unwrap();
            let whole = Units::Bytes.without_cr(whole);
            let found = reader.next_line().unwrap().unwrap();
            prop_assert_eq!(found.byte_offset, offset as u64);
            prop_assert_eq!(found.bytes, &whole[..whole.len().min(max)]);
            prop_assert_eq!(found.cut, whole.len() > max);
            offset += piece.len();
            prop_assert_eq!(
                reader.place(),
                in_file(&reader, offset as u64)
            );
        }
        prop_assert!(reader.next_line().unwrap().is_none());
        prop_assert_eq!(
            reader.place(),
            in_file(&reader, offset as u64)
        );
    }
}
