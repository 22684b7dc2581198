//! The log of the container runtimes of Kubernetes: containerd, CRI-O.
//!
//! ```text
//! record = time " " ("stdout" / "stderr") " " tag [" " text]
//! time   = that of RFC 3339
//! tag    = ("F" / "P") *(":" further)     ; full, or partial: the rest of the line follows
//! ```
//!
//! The text is a line of another format; see [`crate::parse::container`]. A line that is longer
//! than 16 KiB is split.
//!
//! Fields: `stream`.
//!
//! Source: Kubernetes, "CRI: Log management for container stdout/stderr streams".

use memchr::memchr;

use super::elements::before;
use super::{Piece, Stream, Text};
use crate::parse::fields::Fields;
use crate::parse::timestamp::iso;

/// Reads a line of the log.
pub(super) fn piece(line: &[u8]) -> Option<Piece<'_>> {
    let (rest, time) = iso(line).ok()?;
    let written_at = before(line, rest);
    if written_at.get(10) != Some(&b'T') {
        return None;
    }
    let (stream, rest) = word(rest.strip_prefix(b" ")?);
    let (tags, text) = word(rest);
    let (tag, further) = tags.split_first()?;
    if !matches!(tag, b'F' | b'P') || !matches!(further, [] | [b':', ..]) {
        return None;
    }
    let (stream, is_split) = (Stream::named(stream)?, *tag == b'P');
    Some(Piece { time: Some(time), written_at, stream, text: Text::Line(text), is_split })
}

/// The word up to the next blank, and what follows that.
fn word(input: &[u8]) -> (&[u8], &[u8]) {
    let end = memchr(b' ', input).unwrap_or(input.len());
    (&input[..end], input.get(end + 1..).unwrap_or_default())
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], fields: &mut Fields) {
    let Some(piece) = piece(line) else { return };
    fields.push("stream", piece.stream.as_str().as_bytes());
}
