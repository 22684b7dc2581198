//! From the lines of a log to what they are.
//!
//! In comes one line, without its line end; out goes a [`Head`] that starts an entry, the
//! word that the line continues the entry before it, or the word that it is neither.
//! Parsing is total: a malformed line is data, not an error, and is counted by the caller.
//!
//! Not done here: finding line ends (`tail`), joining continuations to their entry and
//! storing both (`store`). Whether an entry is open at all is the caller's knowledge: a
//! [`Line::Continuation`] before the first head of a source belongs to nothing and counts
//! as unparsed.

pub mod detect;
pub mod fingerprint;
pub mod levels;
pub mod text;

mod container;
mod fields;
mod formats;
mod local_time;
mod multiline;
mod own;
mod reading;
mod skim;
mod timestamp;

use std::rc::Rc;

use chrono::TimeDelta;
use chrono_tz::Tz;

use crate::model::{EventTime, Joins, Level, LevelRules, LevelSet, Multiline, OwnFormat, Trace};

pub use self::fields::Fields;
use self::formats::Scratch;
use self::local_time::LocalTime;
use self::multiline::Continuations;
use self::reading::Reading;
pub use self::skim::Skimmed;
pub use crate::model::Format;

/// Some editors and Windows programs start a file, and so its first line, with this mark.
const UTF8_BYTE_ORDER_MARK: &[u8] = b"\xEF\xBB\xBF";

/// What one line of a log is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Line<'a> {
    /// The first line of an entry.
    Head(Head<'a>),
    /// By its shape, a further line of the entry before it, with this text.
    Continuation(&'a [u8]),
    /// The rest, or more of it, of a line that was split where it was too long.
    Rest(&'a [u8]),
    /// Neither; counted and sampled, never an error.
    Unparsed,
}

/// The first line of an entry, taken apart.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Head<'a> {
    /// When the entry was written, resolved to an instant.
    pub logged_at: EventTime,
    /// Whether the line shows that time; if not, it is that of the entry before it.
    pub is_dated: bool,
    /// How bad it is.
    pub level: Level,
    /// The rest of the line, as it stands: [`text::clean_into`] makes it fit to be stored.
    /// May be empty.
    pub message: &'a [u8],
    /// The time as the log shows it, with its zone if it has one.
    pub written_at: &'a [u8],
}

/// Reads the lines of one source, in the order of the file.
///
/// It remembers the time of the last head, because only the order tells the two passes of
/// the hour that is repeated when daylight saving ends, and what has begun in the lines since;
/// see [`Parser::last_logged_at`] and [`Parser::trace`].
#[derive(Clone, Debug)]
pub struct Parser {
    reading: Reading,
    /// Room for a line without its escape sequences.
    uncoloured: Vec<u8>,
    /// Room for the text of a line that a container's runtime escaped.
    unescaped: Vec<u8>,
}

impl Parser {
    /// A parser for one source.
    ///
    /// `zone` holds for times that are written without one. `last_logged_at` is the time of
    /// the last head that an earlier run read from the source, `None` if there was none.
    pub fn new(format: Format, zone: Tz, last_logged_at: Option<EventTime>) -> Self {
        let reading = Reading {
            format,
            own_format: None,
            tries_others: false,
            read_by: None,
            local_time: LocalTime::new(zone, last_logged_at),
            continuations: Continuations::default(),
            levels: LevelRules::default(),
            scratch: Scratch::default(),
            fields: Fields::default(),
        };
        Self { reading, uncoloured: Vec::new(), unescaped: Vec::new() }
    }

    /// The parser, which goes on in the middle of what an earlier run read.
    #[must_use]
    pub fn within(mut self, trace: Option<Trace>) -> Self {
        self.reading.continuations.trace = trace;
        self
    }

    /// The parser, for a source that says itself which lines belong together.
    #[must_use]
    pub fn joining(mut self, multiline: Multiline) -> Self {
        self.reading.continuations.multiline = multiline;
        self
    }

    /// The parser, for a source that says which level lines have that name none.
    #[must_use]
    pub fn judging(mut self, levels: LevelRules) -> Self {
        self.reading.levels = levels;
        self
    }

    /// The parser, for lines of a format that the config describes.
    #[must_use]
    pub fn of_own_format(mut self, format: OwnFormat) -> Self {
        self.reading.own_format = Some(Rc::new(format));
        self
    }

    /// The parser, which tries all other formats for a line that is neither of its format nor
    /// continues an entry: a log may be written by several programs.
    #[must_use]
    pub fn trying_others(mut self) -> Self {
        self.reading.tries_others = true;
        self
    }

    /// The parser, for a file that was changed last at this moment, which tells years that are
    /// not written.
    #[must_use]
    pub fn changed_at(mut self, changed_at: EventTime) -> Self {
        self.reading.local_time.set_changed_at(changed_at);
        self
    }

    /// What the next line of the file is. The line comes without its LF or CR LF.
    ///
    /// A UTF-8 byte order mark at its start is skipped, and escape sequences (colours) are
    /// nothing. Nothing is allocated but, once, room for the longest line that has to be
    /// rewritten.
    pub fn line<'a>(&'a mut self, line: &'a [u8]) -> Line<'a> {
        let Self { reading, uncoloured, unescaped } = self;
        let line = line.strip_prefix(UTF8_BYTE_ORDER_MARK).unwrap_or(line);
        if let Some(piece) = reading.format.piece(line, unescaped) {
            return container::line(reading, &piece, unescaped, uncoloured);
        }
        // Most lines are heads without a colour before their message, and no pattern decides.
        if !reading.continuations.have_pattern() {
            if let Some(record) = reading.record(line) {
                return Line::Head(reading.head(record));
            }
            if !text::has_escape(line) {
                return reading.other(line);
            }
        }
        uncoloured.clear();
        text::remove_escapes(line, uncoloured);
        let line = uncoloured.as_slice();
        if reading.continuations.pattern_says(line) == Some(false) {
            return Line::Continuation(line);
        }
        match reading.record(line) {
            Some(record) => Line::Head(reading.head(record)),
            None => reading.other(line),
        }
    }

    /// What the line that was read last says besides time, level and message, if it starts an
    /// entry.
    pub fn fields(&mut self, line: &[u8]) -> &Fields {
        let Self { reading, uncoloured, unescaped } = self;
        let line = line.strip_prefix(UTF8_BYTE_ORDER_MARK).unwrap_or(line);
        reading.fields.clear();
        if let Some(format) = &reading.own_format {
            uncoloured.clear();
            text::remove_escapes(line, uncoloured);
            own::fields(format, uncoloured, &reading.levels.words, &mut reading.fields);
            return &reading.fields;
        }
        if let Some(piece) = reading.format.piece(line, unescaped) {
            if let Some(format) = reading.read_by {
                let text = container::inner(&piece, unescaped, uncoloured);
                format.fields(text, &reading.levels.words, &mut reading.fields);
            }
            reading.format.fields(line, &reading.levels.words, &mut reading.fields);
            return &reading.fields;
        }
        let Some(format) = reading.read_by else { return &reading.fields };
        if text::has_escape(line) {
            uncoloured.clear();
            text::remove_escapes(line, uncoloured);
            format.fields(uncoloured, &reading.levels.words, &mut reading.fields);
        } else {
            format.fields(line, &reading.levels.words, &mut reading.fields);
        }
        &reading.fields
    }

    /// Passes over the lines at the start of `bytes` that begin entries of some levels, as far
    /// as it is quick to tell; the lines from there on are to be read with [`Parser::line`].
    ///
    /// The result is what that would have found out of these lines. Lines that are dated after
    /// `latest`, or are longer than `max_line_bytes`, are not among them.
    pub fn skim(
        &mut self,
        bytes: &[u8],
        levels: LevelSet,
        latest: EventTime,
        max_line_bytes: usize,
    ) -> Skimmed {
        let reading = &mut self.reading;
        // The usual words are compared there as they stand; a source may give them other levels.
        let is_plain = reading.format == Format::Plain
            && reading.own_format.is_none()
            && reading.levels.words.is_empty();
        if !is_plain || reading.continuations.have_pattern() {
            return Skimmed::default();
        }
        let (written, civil_seconds) = reading.scratch.last_minute.get();
        let Some(minute) = reading.local_time.whole_minute(civil_seconds) else {
            return Skimmed::default();
        };
        if minute.saturating_add(TimeDelta::minutes(1)) > latest {
            return Skimmed::default();
        }
        let skimmed = skim::plain(bytes, written, minute, levels, max_line_bytes);
        if let Some((_, time)) = skimmed.last {
            reading.local_time.note(time);
            reading.continuations.head(skim::last_message(&bytes[..skimmed.bytes]), None);
        }
        skimmed
    }

    /// Which lines of the log are to be given as one, with their line ends, if any are.
    pub fn joins(&self) -> Option<Joins> {
        self.reading.own_format.is_none().then(|| self.reading.format.joins()).flatten()
    }

    /// The time of the last head, to be given to [`Parser::new`] by the next run.
    pub fn last_logged_at(&self) -> Option<EventTime> {
        self.reading.local_time.last()
    }

    /// Forgets the line that was read last, before which these were the time of the last head
    /// and what had begun: it will be read again.
    pub fn go_back(&mut self, last_logged_at: Option<EventTime>, trace: Option<Trace>) {
        self.reading.local_time.go_back(last_logged_at);
        self.reading.continuations.trace = trace;
    }

    /// What has begun in the lines of the last entry, to be given to [`Parser::within`] by the
    /// next run.
    pub fn trace(&self) -> Option<Trace> {
        self.reading.continuations.trace
    }
}

#[cfg(test)]
mod tests {
    use chrono::{DateTime, Datelike, MappedLocalTime, Offset, TimeZone};
    use proptest::prelude::*;
    use proptest::sample::select;

    use super::*;

    fn parser(last_logged_at: Option<EventTime>) -> Parser {
        Parser::new(Format::Plain, chrono_tz::Europe::Berlin, last_logged_at)
    }

    #[test]
    fn a_line_is_a_head_a_continuation_or_unparsed() {
        let mut parser = parser(None);
        let head = parser.line(b"2026-01-01 00:00:05 [ERROR] failed");
        assert!(matches!(head, Line::Head(head) if head.message == b"failed"));
        assert_eq!(parser.line(b"  at somewhere"), Line::Continuation(b"  at somewhere"));
        assert_eq!(parser.line(b""), Line::Continuation(b""));
        assert_eq!(parser.line(b"garbage line here"), Line::Unparsed);
    }

    #[test]
    fn colours_are_nothing() {
        let mut parser = parser(None);
        for line in [
            "\x1b[32m2026-01-01 00:00:05 [ERROR] failed",
            "\x1b[2m2026-01-01 00:00:05\x1b[0m [\x1b[1;31mERROR\x1b[0m] failed",
            "2026-01-01 \x1b[m00:00:05 [ERROR]\x1b[K failed",
        ] {
            let Line::Head(head) = parser.line(line.as_bytes()) else { panic!("{line:?}") };
            assert_eq!((head.level, head.message.ends_with(b"failed")), (Level::Error, true));
        }
        let caused = parser.line(b"\x1b[31mCaused by: x\x1b[0m");
        assert_eq!(caused, Line::Continuation(b"Caused by: x"));
        assert_eq!(parser.line(b"\x1b[31m\x1b[0m"), Line::Continuation(b""));
        assert_eq!(parser.line(b"\x1b[31mneither\x1b[0m"), Line::Unparsed);
        let mut parser = parser.joining(Multiline::Start("^2026".parse().unwrap()));
        assert!(matches!(
            parser.line(b"\x1b[32m2026-01-01 00:00:05 [ERROR] failed"),
            Line::Head(_)
        ));
    }

    /// One letter a line: a head, a continuation, unparsed.
    fn shown(multiline: Multiline, lines: &str) -> String {
        let mut parser = parser(None).joining(multiline);
        let line = |line: &str| match parser.line(line.as_bytes()) {
            Line::Head(_) => 'h',
            Line::Continuation(_) | Line::Rest(_) => 'c',
            Line::Unparsed => 'u',
        };
        lines.lines().map(line).collect()
    }

    #[test]
    fn a_pattern_of_the_config_decides_alone_what_continues() {
        let lines = "\
2026-01-01 00:00:05 [ERROR] cannot send
> 2026-01-01 00:00:04 [ERROR] what was to be sent
2026-01-01 00:00:04 [INFO] what was to be sent, not quoted
  indented
neither
> 2026-01-01 00:00:06 [ERROR] quoted";
        let pattern = |pattern: &str| pattern.parse().unwrap();
        assert_eq!(shown(Multiline::Auto, lines), "huhcuu");
        assert_eq!(shown(Multiline::Continue(pattern("^>|INFO")), lines), "hccuuc");
        assert_eq!(shown(Multiline::Start(pattern(r"^\S+ \S+ \[ERROR|^neither")), lines), "hcccuc");
    }

    #[test]
    fn a_byte_order_mark_is_skipped() {
        let line = b"\xEF\xBB\xBF2026-01-01 00:00:05 [ERROR] failed";
        assert_eq!(parser(None).line(line), parser(None).line(&line[3..]));
    }

    #[test]
    fn the_last_time_is_that_of_the_last_head() {
        let mut parser = parser(Some(EventTime(7)));
        parser.line(b"2026-01-01 00:00:05 [MAIN] no head");
        assert_eq!(parser.last_logged_at(), Some(EventTime(7)));
        parser.line(b"1970-01-01 01:00:01 [INFO] a head");
        parser.line(b"\tat somewhere");
        assert_eq!(parser.last_logged_at(), Some(EventTime(1_000_000)));
    }

    /// Lines that are heads, nearly heads and others, often in the same minute.
    fn line() -> impl Strategy<Value = String> {
        prop_oneof![
            "2026-10-25[ T]02:[0-2][0-9]:[0-6][0-9]([.,][0-9]{1,3})? \\[(INFO|error|NO)\\] x",
            "(thread 'main' panicked at x:1:2|Traceback \\(most recent call last\\)|/a/b:[0-9]):?",
            "(goroutine 1|rax  0x1f|  File 1|[a-z]{1,3}(: x)?)",
            "[12][09][267]0-[01][0-9]-[0-3][0-9] {1,2}0[0-4]:00:[0-5]0( ?\\+01)? \\[INFO\\]",
            "[ -~]{0,40}",
        ]
    }

    const SECOND: i64 = 1_000_000;
    const YEAR: i64 = 365 * 86_400 * SECOND;

    proptest! {
        #[test]
        fn no_bytes_make_it_panic(lines: Vec<Vec<u8>>) {
            let mut parser = parser(None);
            for line in &lines {
                parser.line(line);
            }
        }

        #[test]
        fn what_is_remembered_changes_nothing(lines in prop::collection::vec(line(), 1..40)) {
            let mut warm = parser(None);
            for line in &lines {
                let mut fresh = parser(warm.last_logged_at()).within(warm.trace());
                prop_assert_eq!(fresh.line(line.as_bytes()), warm.line(line.as_bytes()));
                prop_assert_eq!(fresh.last_logged_at(), warm.last_logged_at());
                prop_assert_eq!(fresh.trace(), warm.trace());
            }
        }

        #[test]
        fn a_written_time_comes_back_in_any_zone(
            zone in select(&chrono_tz::TZ_VARIANTS[..]),
            micros in prop_oneof![SECOND..130 * YEAR, SECOND..8_029 * YEAR],
            format in select(&["%F %T%.6f", "%FT%T,%6f", "%F %T%.9f%:z", "%F %T%.6f %z"][..]),
        ) {
            let instant = DateTime::from_timestamp_micros(micros).unwrap();
            let local = instant.with_timezone(&zone);
            let shown_once = zone.from_local_datetime(&local.naive_local());
            prop_assume!(matches!(shown_once, MappedLocalTime::Single(_)) || format.contains('z'));
            prop_assume!((1970..=9999).contains(&local.year()));
            // The formats have no seconds in an offset, such as Monrovia's until 1972.
            prop_assume!(local.offset().fix().local_minus_utc() % 60 == 0);

            let line = format!("{} [INFO] x", local.format(format));
            let mut parser = Parser::new(Format::Plain, zone, None);
            let Line::Head(head) = parser.line(line.as_bytes()) else {
                panic!("not a head: {line}")
            };
            prop_assert_eq!(head.logged_at, EventTime(micros), "{}", line);
        }
    }
}
