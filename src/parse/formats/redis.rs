//! The log of Redis and Valkey.
//!
//! ```text
//! record = (pid ":" role / "[" pid "]") SP time SP mark SP message
//! role   = "X" / "C" / "S" / "M"                     ; Sentinel, child, replica, master
//! time   = dd Mmm [YYYY] hh:mm:ss[.ms]               ; the year is missing before Redis 5
//! mark   = "." / "-" / "*" / "#"
//! ```
//!
//! The mark is the level: `.` debug, `-` verbose, `*` notice, `#` warning. What is verbose is
//! rarely useful and is DEBUG as well, a notice is INFO.
//!
//! Source: <https://redis.io/docs/latest/operate/oss_and_stack/management/config-file/>
//! (`loglevel`); Redis, `serverLogRaw`.
//!
//! Fields: `pid`, `role` (the letter).

use super::elements::{before, number, skip_blanks};
use super::{Record, Text};
use crate::model::{Level, LevelWords};
use crate::parse::fields::Fields;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::day_month_name;

/// A line taken apart.
struct Parts<'a> {
    pid: &'a [u8],
    role: &'a [u8],
    time: WrittenTime,
    written_at: &'a [u8],
    level: Level,
    message: &'a [u8],
}

/// Reads a line that starts an entry; `None` if it does not.
pub(super) fn record<'a>(line: &'a [u8], words: &LevelWords) -> Option<Record<'a>> {
    let Parts { time, written_at, level, message, .. } = parts(line, words)?;
    Some(Record { time: Some(time), written_at, level: Some(level), message: Text::Line(message) })
}

/// What the line says besides.
pub(super) fn fields(line: &[u8], words: &LevelWords, fields: &mut Fields) {
    let Some(parts) = parts(line, words) else { return };
    fields.push_number("pid", parts.pid);
    fields.push("role", parts.role);
}

fn parts<'a>(line: &'a [u8], words: &LevelWords) -> Option<Parts<'a>> {
    let (pid, role, rest) = process(line)?;
    let start = skip_blanks(rest.strip_prefix(b" ")?);
    let (rest, time) = day_month_name(start).ok()?;
    let written_at = before(start, rest);
    let [b' ', mark, rest @ ..] = rest else { return None };
    let level = match (words.get(&[*mark]), mark) {
        (Some(level), _) => level,
        (None, b'.' | b'-') => Level::Debug,
        (None, b'*') => Level::Info,
        (None, b'#') => Level::Warning,
        _ => return None,
    };
    let ends = rest.is_empty() || rest.starts_with(b" ");
    ends.then(|| Parts { pid, role, time, written_at, level, message: skip_blanks(rest) })
}

/// `1234:M` or `[1234]`: pid, role and what follows.
fn process(line: &[u8]) -> Option<(&[u8], &[u8], &[u8])> {
    if let Some(bracket) = line.strip_prefix(b"[") {
        let (rest, pid) = number(bracket).ok()?;
        return Some((pid, b"", rest.strip_prefix(b"]")?));
    }
    let (rest, pid) = number(line).ok()?;
    let (role, rest) = rest.strip_prefix(b":")?.split_at_checked(1)?;
    b"XCSM".contains(role.first()?).then_some((pid, role, rest))
}
