//! The event log of Windows, as its own programs print it: an event is a block of lines.
//!
//! ```text
//! record   = "Event[" 1*digit "]" [":"] end 1*(2blank header end) description  ; wevtutil /f:text
//!          / 1*(header end) description                      ; Event Viewer, "Copy details as text"
//!          / 1*(name 1*blank ":" [blank value] end)          ; Get-WinEvent, Get-EventLog | Format-List
//! header   = name ":" *blank value
//! description = "Description:" *(*blank end) text
//! ```
//!
//! The lines up to the first one of the description, or up to the blank line behind a list, come
//! as one: time and level may stand in any of them. All that follows, up to the next event,
//! continues the entry, whatever it looks like. An event that names no level is as bad as the
//! source says; one with `Audit Failure` among its keywords is at least a WARNING, as in
//! [`super::windows`].
//!
//! Names are the English ones. In a list a line of a message that is not the first is indented,
//! which PowerShell does to line it up, and the indentation is taken off.
//!
//! Source: <https://learn.microsoft.com/windows-server/administration/windows-commands/wevtutil>,
//! <https://learn.microsoft.com/powershell/module/microsoft.powershell.diagnostics/get-winevent>.
//!
//! Fields: `program` (the source), `event_id`, `category`, `log`, `host`, `user`.

use memchr::{memchr, memchr_iter};

use super::elements::skip_blanks;
use super::windows::level;
use super::{Record, Text};
use crate::model::{Join, Level, LevelWords};
use crate::parse::fields::Fields;
use crate::parse::local_time::WrittenTime;
use crate::parse::timestamp::{is_blank, timestamp};

/// How many lines there may be before the description has begun.
const MAX_HEAD_LINES: usize = 64;

/// The names with which a list begins: all that come first, in the order in which PowerShell
/// prints them or people usually choose them.
const LIST_STARTS: [&[u8]; 17] = [
    b"TimeCreated",
    b"TimeGenerated",
    b"TimeWritten",
    b"Message",
    b"Id",
    b"EventID",
    b"InstanceId",
    b"Index",
    b"EntryType",
    b"Level",
    b"LevelDisplayName",
    b"LogName",
    b"ProviderName",
    b"Source",
    b"MachineName",
    b"RecordId",
    b"Version",
];

/// Which of the programs has printed a block.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Layout {
    /// `Event[0]:`, and indented headers.
    Numbered,
    /// Headers.
    Headers,
    /// Properties, with a blank before the colon.
    List,
}

/// What a line is to the block before it.
enum Step {
    /// A part of it, and more may follow.
    More,
    /// The last of it.
    Last,
    /// Behind it.
    Behind,
}

/// How much of a text is one block, if it begins with one.
pub(super) fn join(text: &[u8]) -> Join {
    let mut ends = memchr_iter(b'\n', text).map(|end| end + 1);
    let Some(first) = ends.next() else {
        // Most lines that begin no block are told by their first bytes.
        return if may_begin(text) { Join::Unfinished } else { Join::Alone };
    };
    let Some(layout) = layout(without_end(&text[..first])) else { return Join::Alone };
    let (mut block, mut is_described) = (first, false);
    for (lines, end) in ends.enumerate() {
        match step(layout, without_end(&text[block..end]), &mut is_described) {
            Step::More => block = end,
            Step::Last => return Join::Lines(end),
            Step::Behind => return Join::Lines(block),
        }
        if layout != Layout::List && lines > MAX_HEAD_LINES {
            return Join::Lines(block);
        }
    }
    Join::Unfinished
}

fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    line.strip_suffix(b"\r").unwrap_or(line)
}

/// Whether a line whose end is not known yet may begin a block.
fn may_begin(line: &[u8]) -> bool {
    line.first().is_some_and(u8::is_ascii_uppercase)
}

/// Which kind of block a line begins.
fn layout(line: &[u8]) -> Option<Layout> {
    if let Some(number) = line.strip_prefix(b"Event[") {
        let number = number.trim_ascii_end();
        let number = number.strip_suffix(b":").unwrap_or(number).strip_suffix(b"]")?;
        let is_number = !number.is_empty() && number.iter().all(u8::is_ascii_digit);
        return is_number.then_some(Layout::Numbered);
    }
    if line.starts_with(b"Log Name: ") {
        return Some(Layout::Headers);
    }
    let (name, _) = property(line)?;
    LIST_STARTS.contains(&name).then_some(Layout::List)
}

fn step(layout: Layout, line: &[u8], is_described: &mut bool) -> Step {
    match layout {
        Layout::List if line.is_empty() => Step::Behind,
        Layout::List if is_blank(line[0]) || property(line).is_some() => Step::More,
        Layout::List => Step::Behind,
        _ if *is_described && self::layout(line).is_some() => Step::Behind,
        _ if *is_described && line.trim_ascii().is_empty() => Step::More,
        _ if *is_described => Step::Last,
        _ => match header(layout, line) {
            Some((b"Description", [])) => {
                *is_described = true;
                Step::More
            }
            Some((b"Description", _)) => Step::Last,
            Some(_) => Step::More,
            None => Step::Behind,
        },
    }
}

/// `  Event ID: 7000`
fn header(layout: Layout, line: &[u8]) -> Option<(&[u8], &[u8])> {
    let line = if layout == Layout::Numbered { line.strip_prefix(b"  ")? } else { line };
    let (name, value) = line.split_at(memchr(b':', line)?);
    let is_name = name.first().is_some_and(u8::is_ascii_uppercase)
        && name.iter().all(|byte| byte.is_ascii_alphabetic() || *byte == b' ');
    is_name.then(|| (name, value[1..].trim_ascii()))
}

/// `ProviderName : Service Control Manager`
fn property(line: &[u8]) -> Option<(&[u8], &[u8])> {
    let length = line.iter().take_while(|byte| byte.is_ascii_alphanumeric()).count();
    let (name, rest) = line.split_at(length);
    let value = skip_blanks(rest);
    let is_property = !name.is_empty() && value.len() < rest.len();
    let value = value.strip_prefix(b":").filter(|_| is_property)?;
    (value.is_empty() || is_blank(value[0])).then(|| (name, value.trim_ascii()))
}

/// A block taken apart.
#[derive(Default)]
struct Parts<'a> {
    time: Option<(WrittenTime, &'a [u8])>,
    level: Option<Level>,
    source: &'a [u8],
    event_id: &'a [u8],
    category: &'a [u8],
    log: &'a [u8],
    host: &'a [u8],
    user: &'a [u8],
    /// All lines of it.
    message: &'a [u8],
}

/// Reads a block that starts an entry; `None` if it does not. A message of several lines goes
/// into `unescaped`.
pub(super) fn record<'a>(
    block: &'a [u8],
    words: &LevelWords,
    unescaped: &mut Vec<u8>,
) -> Option<Record<'a>> {
    let Parts { time, level, source, message, .. } = parts(block, words)?;
    let message = if message.is_empty() { source } else { message };
    let message = if message.contains(&b'\n') {
        unescaped.clear();
        for line in message.split(|&byte| byte == b'\n') {
            unescaped.extend_from_slice(line.trim_ascii());
            unescaped.push(b'\n');
        }
        unescaped.pop();
        Text::Unescaped
    } else {
        Text::Line(message)
    };
    let (time, written_at) = time.map_or((None, &b""[..]), |(time, text)| (Some(time), text));
    Some(Record { time, written_at, level, message })
}

/// What the block says besides.
pub(super) fn fields(block: &[u8], words: &LevelWords, fields: &mut Fields) {
    let Some(parts) = parts(block, words) else { return };
    fields.push_number("event_id", parts.event_id);
    for (name, value) in [
        ("program", parts.source),
        ("category", parts.category),
        ("log", parts.log),
        ("host", parts.host),
        ("user", parts.user),
    ] {
        if !matches!(value, b"" | b"N/A" | b"None" | b"0") {
            fields.push(name, value);
        }
    }
}

fn parts<'a>(block: &'a [u8], words: &LevelWords) -> Option<Parts<'a>> {
    let first = memchr(b'\n', block)?;
    let layout = layout(without_end(&block[..first]))?;
    // Of a block that waits for more, the last line may be the beginning of one behind it.
    let second = &block[first + 1..];
    let second = without_end(&second[..memchr(b'\n', second).unwrap_or(second.len())]);
    if layout == Layout::List && !matches!(step(layout, second, &mut false), Step::More) {
        return None;
    }
    let mut parts = Parts::default();
    let (mut named_level, mut is_failure) = (None, false);
    let mut start = if layout == Layout::Numbered { first + 1 } else { 0 };
    while start < block.len() {
        let end = memchr(b'\n', &block[start..]).map_or(block.len(), |end| start + end + 1);
        let line = without_end(&block[start..end]);
        let named = if layout == Layout::List { property(line) } else { header(layout, line) };
        let Some((name, value)) = named else {
            start = end;
            continue;
        };
        let mut behind = end;
        match name {
            b"Description" => {
                let text = start + memchr(b':', line).map_or(0, |colon| colon + 1);
                parts.message = block[text..].trim_ascii();
                break;
            }
            b"Message" => {
                behind = end_of_value(block, end);
                let text = start + memchr(b':', line).map_or(0, |colon| colon + 1);
                parts.message = block[text..behind].trim_ascii();
            }
            b"Date" | b"TimeCreated" | b"TimeGenerated" | b"TimeWritten" => {
                let time = timestamp(value).ok().filter(|(behind, _)| behind.is_empty());
                parts.time = parts.time.or(time.map(|(_, time)| (time, value)));
            }
            b"LevelDisplayName" | b"EntryType" => named_level = level_of(value, words),
            b"Level" => parts.level = level_of(value, words),
            b"Keyword" | b"Keywords" | b"KeywordsDisplayNames" => {
                is_failure = memchr::memmem::find(value, b"Audit Failure").is_some();
            }
            b"Source" | b"ProviderName" => parts.source = value,
            b"Event ID" | b"Id" | b"EventID" => parts.event_id = value,
            b"Task" | b"Task Category" | b"TaskDisplayName" | b"Category" => {
                parts.category = value;
            }
            b"Log Name" | b"LogName" => parts.log = value,
            b"Computer" | b"MachineName" => parts.host = value,
            b"User Name" | b"UserName" | b"UserId" => parts.user = value,
            b"User" if parts.user.is_empty() => parts.user = value,
            _ => {}
        }
        start = behind;
    }
    parts.level = named_level.or(parts.level).max(is_failure.then_some(Level::Warning));
    // Of a list only its time tells that it is of an event.
    (layout != Layout::List || parts.time.is_some()).then_some(parts)
}

/// Where a value ends whose first line ends at `end`: its other lines are indented.
fn end_of_value(block: &[u8], end: usize) -> usize {
    let mut behind = end;
    while block.get(behind).is_some_and(|byte| is_blank(*byte)) {
        behind = memchr(b'\n', &block[behind..]).map_or(block.len(), |end| behind + end + 1);
    }
    behind
}

/// The level of a word, or of a number as Windows counts them.
fn level_of(value: &[u8], words: &LevelWords) -> Option<Level> {
    level(value, words).or(match value {
        b"1" => Some(Level::Fatal),
        b"2" => Some(Level::Error),
        b"3" | b"FailureAudit" => Some(Level::Warning),
        b"4" | b"SuccessAudit" => Some(Level::Info),
        b"5" => Some(Level::Trace),
        _ => None,
    })
}
