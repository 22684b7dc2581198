//! The last lines that could not be parsed, for a look at them.

use crate::parse::text;

/// How many are kept.
const KEPT: usize = 3;
/// How long they are, in characters.
const CHARS: usize = 200;
/// As many bytes hold so many characters.
const BYTES: usize = 4 * CHARS;

/// The last lines that were added. They are copied as they are, and made readable at the end:
/// there may be millions of them.
#[derive(Debug, Default)]
pub(super) struct Samples {
    lines: [Vec<u8>; KEPT],
    added: usize,
}

impl Samples {
    pub(super) fn add(&mut self, line: &[u8]) {
        let place = &mut self.lines[self.added % KEPT];
        place.clear();
        place.extend_from_slice(&line[..line.len().min(BYTES)]);
        self.added += 1;
    }

    /// The lines, cut, the last one at the end.
    pub(super) fn into_texts(self) -> Vec<String> {
        let first = self.added.saturating_sub(KEPT);
        let text = |index: usize| {
            let mut cleaned = String::new();
            text::clean_into(&self.lines[index % KEPT], &mut cleaned);
            match cleaned.char_indices().nth(CHARS) {
                Some((end, _)) => cleaned[..end].to_owned(),
                None => cleaned,
            }
        };
        (first..self.added).map(text).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_last_lines_are_kept_and_cut() {
        let mut samples = Samples::default();
        assert!(Samples::default().into_texts().is_empty());
        for line in ["1", "2", "3"] {
            samples.add(line.as_bytes());
        }
        samples.add(&vec![b'x'; 5000]);
        samples.add(&[b"\xc3\xa9".repeat(500), b"\0".to_vec()].concat());
        assert_eq!(samples.into_texts(), ["3", &"x".repeat(200), &"\u{e9}".repeat(200)]);
    }
}
