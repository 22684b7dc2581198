//! How lines end, and how wide the units are of which a log is made.
//!
//! In every encoding but UTF-16 a line ends with the byte LF, which is no part of any other
//! character. In UTF-16 it is a unit of two bytes, at an even offset in the file: one of the two
//! bytes alone may be half of another character.

use encoding_rs::{Encoding, UTF_16BE, UTF_16LE};
use memchr::{memchr, memrchr};

use crate::model::{Join, Joins};

/// How many bytes a byte order mark has at the most.
pub(super) const MARK_BYTES: usize = 3;

/// How a file is encoded: a byte order mark among its first bytes says more than the config.
pub(super) fn encoding(head: &[u8], configured: &'static Encoding) -> &'static Encoding {
    Encoding::for_bom(head).map_or(configured, |(marked, _)| marked)
}

/// What the first of some lines is, where several may be one; a byte order mark before it does
/// not count.
pub(super) fn join(units: Units, bytes: &[u8], joins: Joins) -> Join {
    let mark = Encoding::for_bom(bytes).filter(|(marked, _)| Units::of(marked) == units);
    let mark = mark.map_or(0, |(_, length)| length);
    let bytes = &bytes[mark..];
    // What tells is ASCII: a unit that is not stands for some other byte.
    let narrowed = |low| {
        let line = units.find_line_end(bytes).map_or(0, |end| end + units.width());
        // Most lines are told by themselves.
        match joins(&narrow(&bytes[..line], low)) {
            Join::Alone => Join::Alone,
            _ => joins(&narrow(bytes, low)),
        }
    };
    let found = match units {
        Units::Bytes => joins(bytes),
        Units::LittleEndian => narrowed(0),
        Units::BigEndian => narrowed(1),
    };
    match found {
        Join::Lines(length) => Join::Lines(mark + length * units.width()),
        found => found,
    }
}

/// A byte for each unit of two, of which the lower half is at `low`.
fn narrow(bytes: &[u8], low: usize) -> Vec<u8> {
    let narrowed =
        |unit: &[u8]| if unit[1 - low] == 0 && unit[low] < 128 { unit[low] } else { 255 };
    bytes.chunks_exact(2).map(narrowed).collect()
}

/// The units of a log.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Units {
    /// Bytes.
    Bytes,
    /// Two bytes each, the lower one first.
    LittleEndian,
    /// Two bytes each, the higher one first.
    BigEndian,
}

impl Units {
    /// Those of an encoding.
    pub fn of(encoding: &Encoding) -> Self {
        if encoding == UTF_16LE {
            Self::LittleEndian
        } else if encoding == UTF_16BE {
            Self::BigEndian
        } else {
            Self::Bytes
        }
    }

    /// How many bytes a unit has.
    pub const fn width(self) -> usize {
        match self {
            Self::Bytes => 1,
            Self::LittleEndian | Self::BigEndian => 2,
        }
    }

    /// Where the first line end begins. `bytes` begin with a unit.
    #[inline]
    pub(super) fn find_line_end(self, bytes: &[u8]) -> Option<usize> {
        match self {
            Self::Bytes => memchr(b'\n', bytes),
            _ => self.find_wide(bytes),
        }
    }

    /// Where the last line end begins. `bytes` begin with a unit.
    pub(super) fn find_last_line_end(self, bytes: &[u8]) -> Option<usize> {
        let mut rest = bytes;
        while let Some(at) = memrchr(b'\n', rest) {
            if let Some(found) = self.unit_at(bytes, at) {
                return Some(found);
            }
            rest = &rest[..at];
        }
        None
    }

    /// A line without the CR that may stand before its end.
    pub(super) fn without_cr(self, line: &[u8]) -> &[u8] {
        let cr: &[u8] = match self {
            Self::Bytes => b"\r",
            Self::LittleEndian => b"\r\0",
            Self::BigEndian => b"\0\r",
        };
        line.strip_suffix(cr).unwrap_or(line)
    }

    /// Where the line end that holds the byte LF at `at` is over.
    pub(super) const fn after_line_end(self, at: usize) -> usize {
        match self {
            Self::Bytes | Self::BigEndian => at + 1,
            Self::LittleEndian => at + 2,
        }
    }

    /// The greatest number of bytes that are whole units, up to `bytes`.
    pub(super) const fn whole(self, bytes: usize) -> usize {
        bytes - bytes % self.width()
    }

    /// How many line ends there are.
    pub(super) fn line_ends(self, bytes: &[u8]) -> u32 {
        let (mut rest, mut ends) = (bytes, 0);
        while let Some(at) = self.find_line_end(rest) {
            rest = &rest[at + self.width()..];
            ends += 1;
        }
        ends
    }

    fn find_wide(self, bytes: &[u8]) -> Option<usize> {
        memchr::memchr_iter(b'\n', bytes).find_map(|at| self.unit_at(bytes, at))
    }

    /// Where the unit LF begins of which the byte at `at`, an LF, is a half; `None` if it is a
    /// half of another unit, or the other half is not there yet.
    fn unit_at(self, bytes: &[u8], at: usize) -> Option<usize> {
        match self {
            Self::Bytes => Some(at),
            Self::LittleEndian => {
                (at.is_multiple_of(2) && bytes.get(at + 1) == Some(&0)).then_some(at)
            }
            Self::BigEndian => (!at.is_multiple_of(2) && bytes[at - 1] == 0).then(|| at - 1),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use Units::{BigEndian, Bytes, LittleEndian};

    #[test]
    fn a_line_end_is_a_whole_unit_at_its_place() {
        // U+0A0A, U+010A and U+0A00 hold the byte, and so do halves of two units together.
        for (units, bytes, first, last) in [
            (Bytes, &b"ab\ncd\ne"[..], Some(2), Some(5)),
            (Bytes, b"ab", None, None),
            (LittleEndian, b"a\0\n\0b\0\n\0", Some(2), Some(6)),
            (LittleEndian, b"\n\n\n\x01\0\n\0\0\n\0c\0", Some(8), Some(8)),
            (LittleEndian, b"a\0\n", None, None),
            (BigEndian, b"\0a\0\n\0b\0\n", Some(2), Some(6)),
            (BigEndian, b"\n\n\x01\n\n\0\0\n\0c", Some(6), Some(6)),
            (BigEndian, b"\0a\0", None, None),
        ] {
            assert_eq!(units.find_line_end(bytes), first, "{units:?} {}", bytes.escape_ascii());
            assert_eq!(units.find_last_line_end(bytes), last, "{units:?} {}", bytes.escape_ascii());
        }
    }

    #[test]
    fn a_cr_before_the_end_is_no_part_of_a_line() {
        assert_eq!(Bytes.without_cr(b"a\r"), b"a");
        assert_eq!(LittleEndian.without_cr(b"a\0\r\0"), b"a\0");
        assert_eq!(LittleEndian.without_cr(b"\0\r"), b"\0\r");
        assert_eq!(BigEndian.without_cr(b"\0a\0\r"), b"\0a");
    }

    #[test]
    fn units_are_those_of_the_encoding() {
        for (label, units) in [
            ("utf-8", Bytes),
            ("utf-16", LittleEndian),
            ("utf-16be", BigEndian),
            ("shift_jis", Bytes),
        ] {
            let encoding = Encoding::for_label(label.as_bytes()).unwrap();
            assert_eq!(Units::of(encoding), units, "{label}");
        }
    }
}
