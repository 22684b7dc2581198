//! Records whose head is written over several lines.

/// What the first line of some text is, where a format writes the head of a record over several
/// lines, of which time and level may be in any.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Join {
    /// A line of its own.
    Alone,
    /// One with those behind it, as far as this many bytes, which end with a line end.
    Lines(usize),
    /// One with those behind it, and more must be known of them.
    Unfinished,
}

/// Says what the first line of some text is. It is asked again, from the same line on, when more
/// of the text is there.
pub type Joins = fn(&[u8]) -> Join;

/// The lines of some text, without their ends; several that are one record are one line. So is
/// what is left of an unfinished one.
pub fn joined(text: &[u8], joins: Option<Joins>) -> impl Iterator<Item = &[u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let line = memchr::memchr(b'\n', rest).map_or(rest.len(), |end| end + 1);
        let length = match joins.map_or(Join::Alone, |joins| joins(rest)) {
            Join::Alone => line,
            Join::Lines(bytes) => bytes.max(line),
            Join::Unfinished => rest.len(),
        };
        let (line, behind) = rest.split_at(length);
        rest = behind;
        let line = line.strip_suffix(b"\n").unwrap_or(line);
        Some(line.strip_suffix(b"\r").unwrap_or(line))
    })
}
