//! Where to begin in an old log of which only the newer part is wanted.

use std::io;
use std::sync::atomic::{AtomicBool, Ordering};

use super::reader::format;
use super::target::Target;
use crate::model::{EventTime, Place};
use crate::parse::{Line, Parser};
use crate::tail::{Content, LineReader, LogFile};

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
    let mut reader =
        LineReader::new(content, log.identity, 0, log.end(), target.config.max_line_bytes)?;
    let mut parser = Parser::new(format(&target.config), target.timezone, None);
    while !stop.load(Ordering::Relaxed) {
        let Some(line) = reader.next_line()? else { return Ok(Some(reader.place())) };
        if let Line::Head(head) = parser.line(line.bytes)
            && head.logged_at >= since
        {
            reader.take_back();
            return Ok(Some(reader.place()));
        }
    }
    Ok(None)
}
