//! Where to begin in an old log of which only the newer part is wanted.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::take::{Earlier, Lines};
use super::target::Target;
use crate::model::{EventTime, Place};
use crate::parse::Line;
use crate::store::tails::BeforeTail;
use crate::tail::{Content, LogFile};

/// The place before the first line that begins an entry dated at or after `since`; the end of
/// the last complete line if there is none. `None` when it was stopped while it looked.
///
/// All lines before are looked at, one after the other: nothing says that they are in order.
pub(super) fn place(
    log: &LogFile,
    target: &Target,
    since: EventTime,
    stop: &AtomicBool,
) -> io::Result<Option<Place>> {
    let content = Content::new(log.content.file().try_clone()?)?;
    let log = LogFile { content, ..*log };
    let before = BeforeTail::default();
    let earlier = Earlier { before: &before, detected: None, parsed_lines: 0 };
    let Lines { mut reader, mut decoding, mut parser, .. } = Lines::open(log, 0, target, &earlier)?;
    while !stop.load(Ordering::Relaxed) {
        let Some(line) = reader.next_line()? else { return Ok(Some(reader.place())) };
        if let Line::Head(head) = parser.line(decoding.decode(line).bytes)
            && head.logged_at >= since
        {
            reader.take_back();
            return Ok(Some(reader.place()));
        }
    }
    Ok(None)
}
