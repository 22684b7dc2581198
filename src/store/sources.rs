//! Sources and where their reading stopped.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::result::Error as DieselError;
use diesel::sql_types::{BigInt, Bool, Integer, Jsonb, Nullable, Text, Timestamptz};

use super::tails::{Flushed, Tail};
use super::transaction::{execute_alone, load_alone};
use super::{StoreError, from_bigint, parse_level, parse_trace, to_bigint};
use crate::model::{
    EventTime, FileIdentity, Format, Generation, GenerationState, OpenEntry, Place, SourceId, Tick,
    Trace,
};

/// How a source is to be read, as the config says.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SourceSettings {
    /// Name from the config, else the path.
    pub name: String,
    /// Name of the format, or `auto`.
    pub format: String,
    /// IANA zone for times without a zone.
    pub timezone: String,
}

/// A source and the state of its reading.
#[derive(Clone, Debug)]
pub struct Source {
    /// Its number.
    pub id: SourceId,
    /// Its path.
    pub path: String,
    /// How it was read the last time.
    pub settings: SourceSettings,
    /// How many files the path has pointed at; 0 before the first is read.
    pub generation: i64,
    /// Where reading stopped; `None` before the first file is read.
    pub place: Option<Place>,
    /// Size of the file when it was last read, in bytes.
    pub size_bytes: u64,
    /// Where the file lies really, if the path is a symlink.
    pub file_path: Option<String>,
    /// Whether the files that lay beside the log are known.
    pub archives_noted: bool,
    /// When it was changed last, if it was empty when the files beside it were looked at.
    pub empty_since: Option<DateTime<Utc>>,
    /// When an earlier file was changed last that is being read as if it were the one at the
    /// path.
    pub earlier_changed_at: Option<DateTime<Utc>>,
    /// Lines read so far.
    pub line_no: i64,
    /// Whether any line was ever read as the beginning of an entry.
    pub parsed_lines: i64,
    /// Written time of the last entry read.
    pub last_logged_at: Option<EventTime>,
    /// The entry that further lines may continue.
    pub open: Option<OpenEntry>,
    /// What has begun in the last lines read.
    pub trace: Option<Trace>,
    /// The format of its lines, as far as it was found out from them.
    pub detected_format: Option<Format>,
    /// Where the last entry read is in the journal of systemd.
    pub cursor: Option<String>,
    /// The last line of a file, where it has no end yet.
    pub tail: Option<Tail>,
    /// The number of that file.
    pub tail_of: i64,
    /// Whether an alert of it is open, whose end depends on how far it was read.
    pub has_open_alerts: bool,
    /// When a rule can be judged that waits until so much is read.
    pub judge_at: Option<DateTime<Utc>>,
    /// Whether it has files besides the one at its path that are not read to their end.
    pub has_unfinished_files: bool,
    /// Why it could not be read at the last try.
    pub last_error: Option<String>,
    /// When that error was last printed.
    pub last_error_shown_at: Option<DateTime<Utc>>,
}

impl Source {
    /// A source of which nothing was read yet.
    pub fn new(id: SourceId, path: String, settings: SourceSettings) -> Self {
        Self {
            id,
            path,
            settings,
            generation: 0,
            place: None,
            size_bytes: 0,
            file_path: None,
            archives_noted: false,
            empty_since: None,
            earlier_changed_at: None,
            line_no: 0,
            parsed_lines: 0,
            last_logged_at: None,
            open: None,
            trace: None,
            detected_format: None,
            cursor: None,
            tail: None,
            tail_of: 0,
            has_open_alerts: false,
            judge_at: None,
            has_unfinished_files: false,
            last_error: None,
            last_error_shown_at: None,
        }
    }

    /// The file at its path, as it was when it was last read.
    pub fn present(&self) -> Option<Generation> {
        let place = self.place?;
        let stored = self.flushed().map_or(0, |flushed| flushed.bytes);
        Some(Generation {
            number: self.generation,
            path: self.file_path.as_ref().unwrap_or(&self.path).clone(),
            place,
            // Less what is stored behind the place: it is not lost with the file.
            size_bytes: self.size_bytes.saturating_sub(stored),
            file_hash: None,
            state: GenerationState::Unfinished,
        })
    }

    /// The source as if an earlier file were the one at its path, to read on in that.
    #[must_use]
    pub fn reading(&self, earlier: &Generation, changed_at: DateTime<Utc>) -> Self {
        Self {
            generation: earlier.number,
            place: Some(earlier.place),
            size_bytes: earlier.size_bytes,
            earlier_changed_at: Some(changed_at),
            ..self.clone()
        }
    }

    /// What the source is after that was read.
    pub fn take_over(&mut self, read: Self) {
        *self = Self {
            generation: self.generation,
            place: self.place,
            size_bytes: self.size_bytes,
            earlier_changed_at: None,
            ..read
        };
    }

    /// The last line of the file that is being read, if it is known to have no end.
    pub fn last_line(&self) -> Option<&Tail> {
        self.tail.as_ref().filter(|_| self.tail_of == self.generation)
    }

    /// How its last line was stored although it has no end.
    pub fn flushed(&self) -> Option<&Flushed> {
        self.last_line()?.flushed.as_ref()
    }

    /// Whether nothing was read of one of its files, not even a last line without an end.
    pub fn is_unread(&self, file: &Generation) -> bool {
        let has_last_line = || {
            self.tail_of == file.number
                && self.tail.as_ref().is_some_and(|tail| tail.flushed.is_some())
        };
        file.state == GenerationState::Unfinished && file.place.byte_offset == 0 && !has_last_line()
    }

    /// Goes back to before its last line was stored.
    pub fn take_back(&mut self, flushed: &Flushed) {
        self.line_no -= flushed.lines;
        self.parsed_lines -= i64::from(flushed.is_parsed());
        self.last_logged_at = flushed.before.last_logged_at;
        self.open = flushed.before.open;
        self.trace = flushed.before.trace;
        self.tail = None;
    }
}

#[derive(QueryableByName)]
struct SourceRow {
    #[diesel(sql_type = BigInt)]
    id: i64,
    #[diesel(sql_type = Text)]
    path: String,
    #[diesel(sql_type = Text)]
    name: String,
    #[diesel(sql_type = Text)]
    format: String,
    #[diesel(sql_type = Text)]
    timezone: String,
    #[diesel(sql_type = BigInt)]
    generation: i64,
    #[diesel(sql_type = Nullable<BigInt>)]
    device: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    inode: Option<i64>,
    #[diesel(sql_type = BigInt)]
    byte_offset: i64,
    #[diesel(sql_type = BigInt)]
    head_hash: i64,
    #[diesel(sql_type = BigInt)]
    marker_hash: i64,
    #[diesel(sql_type = BigInt)]
    begin_hash: i64,
    #[diesel(sql_type = BigInt)]
    size_bytes: i64,
    #[diesel(sql_type = Nullable<Text>)]
    file_path: Option<String>,
    #[diesel(sql_type = Bool)]
    archives_noted: bool,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    empty_since: Option<DateTime<Utc>>,
    #[diesel(sql_type = BigInt)]
    line_no: i64,
    #[diesel(sql_type = BigInt)]
    parsed_lines: i64,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_logged_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<BigInt>)]
    open_line_no: Option<i64>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    open_logged_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Text>)]
    open_level: Option<String>,
    #[diesel(sql_type = Integer)]
    open_lines: i32,
    #[diesel(sql_type = BigInt)]
    open_bytes: i64,
    #[diesel(sql_type = Nullable<Text>)]
    open_trace: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    detected_format: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    journal_cursor: Option<String>,
    #[diesel(sql_type = Nullable<Text>)]
    last_error: Option<String>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    last_error_shown_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Bool)]
    has_open_alerts: bool,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    judge_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Bool)]
    has_unfinished_files: bool,
    #[diesel(sql_type = Nullable<BigInt>)]
    tail_generation: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    tail_bytes: Option<i64>,
    #[diesel(sql_type = Nullable<BigInt>)]
    tail_hash: Option<i64>,
    #[diesel(sql_type = Nullable<Timestamptz>)]
    tail_first_seen_at: Option<DateTime<Utc>>,
    #[diesel(sql_type = Nullable<Jsonb>)]
    tail_flushed: Option<serde_json::Value>,
}

impl SourceRow {
    fn tail(&self) -> Result<Option<Tail>, StoreError> {
        let (Some(bytes), Some(hash), Some(first_seen_at)) =
            (self.tail_bytes, self.tail_hash, self.tail_first_seen_at)
        else {
            return Ok(None);
        };
        let flushed = self.tail_flushed.clone().map(serde_json::from_value).transpose();
        let flushed = flushed.map_err(|error| {
            StoreError::UnknownValue(error.to_string(), "description of a flushed line")
        })?;
        let (bytes, hash) = (from_bigint(bytes), from_bigint(hash));
        Ok(Some(Tail { bytes, hash, first_seen_at, flushed }))
    }
}

impl TryFrom<SourceRow> for Source {
    type Error = StoreError;

    fn try_from(row: SourceRow) -> Result<Self, StoreError> {
        let tail = row.tail()?;
        let identity = row.device.zip(row.inode).map(|(device, inode)| FileIdentity {
            device: from_bigint(device),
            inode: from_bigint(inode),
        });
        let open = match (row.open_line_no, row.open_logged_at, row.open_level) {
            (Some(line_no), Some(logged_at), Some(level)) => Some(OpenEntry {
                line_no,
                logged_at: logged_at.into(),
                level: parse_level(&level)?,
                lines: row.open_lines,
                bytes: row.open_bytes,
            }),
            _ => None,
        };
        Ok(Self {
            tail,
            tail_of: row.tail_generation.unwrap_or(row.generation),
            id: SourceId(row.id),
            path: row.path,
            settings: SourceSettings { name: row.name, format: row.format, timezone: row.timezone },
            generation: row.generation,
            place: identity.map(|identity| Place {
                identity,
                byte_offset: from_bigint(row.byte_offset),
                head_hash: from_bigint(row.head_hash),
                marker_hash: from_bigint(row.marker_hash),
                begin_hash: from_bigint(row.begin_hash),
            }),
            size_bytes: from_bigint(row.size_bytes),
            file_path: row.file_path,
            archives_noted: row.archives_noted,
            empty_since: row.empty_since,
            earlier_changed_at: None,
            line_no: row.line_no,
            parsed_lines: row.parsed_lines,
            last_logged_at: row.last_logged_at.map(EventTime::from),
            open,
            detected_format: row.detected_format.and_then(|name| name.parse().ok()),
            cursor: row.journal_cursor,
            trace: row.open_trace.as_deref().map(parse_trace).transpose()?,
            has_open_alerts: row.has_open_alerts,
            judge_at: row.judge_at,
            has_unfinished_files: row.has_unfinished_files,
            last_error: row.last_error,
            last_error_shown_at: row.last_error_shown_at,
        })
    }
}

/// All sources of a host.
pub fn load(connection: &mut PgConnection, host: &str) -> Result<Vec<Source>, StoreError> {
    let query = diesel::sql_query(include_str!("sources.sql")).bind::<Text, _>(host);
    load_alone::<SourceRow, _>(connection, query)?.into_iter().map(Source::try_from).collect()
}

/// Makes the row of a source that is seen for the first time, or notes changed settings.
///
/// Run twice it changes nothing the second time.
pub fn register(
    connection: &mut PgConnection,
    host: &str,
    path: &str,
    settings: &SourceSettings,
    tick: Tick,
) -> Result<SourceId, StoreError> {
    #[derive(QueryableByName)]
    struct Registered {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let statement = diesel::sql_query(include_str!("register_source.sql"))
        .bind::<Text, _>(host)
        .bind::<Text, _>(path)
        .bind::<Text, _>(&settings.name)
        .bind::<Text, _>(&settings.format)
        .bind::<Text, _>(&settings.timezone)
        .bind::<Timestamptz, _>(tick.0);
    let rows: Vec<Registered> = load_alone(connection, statement)?;
    rows.first().map(|row| SourceId(row.id)).ok_or_else(|| DieselError::NotFound.into())
}

/// Notes where the reading of a source's first file begins.
///
/// # Errors
/// [`StoreError::Overtaken`] when another run has begun it meanwhile.
pub fn begin(
    connection: &mut PgConnection,
    source: SourceId,
    place: &Place,
) -> Result<(), StoreError> {
    let statement = diesel::sql_query(
        "update ingest_state
         set generation = 1, device = $2, inode = $3, byte_offset = $4, head_hash = $5,
             marker_hash = $6, begin_hash = $7, size_bytes = $4
         where source_id = $1 and generation = 0",
    )
    .bind::<BigInt, _>(source.0)
    .bind::<BigInt, _>(to_bigint(place.identity.device))
    .bind::<BigInt, _>(to_bigint(place.identity.inode))
    .bind::<BigInt, _>(to_bigint(place.byte_offset))
    .bind::<BigInt, _>(to_bigint(place.head_hash))
    .bind::<BigInt, _>(to_bigint(place.marker_hash))
    .bind::<BigInt, _>(to_bigint(place.begin_hash));
    let changed = execute_alone(connection, statement)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Overtaken) }
}

/// Notes that the file of a source lies on another inode or device now, with the same content.
pub fn adopt(
    connection: &mut PgConnection,
    source: &Source,
    identity: FileIdentity,
) -> Result<(), StoreError> {
    let statement = diesel::sql_query(
        "update ingest_state set device = $2, inode = $3
         where source_id = $1 and generation = $4",
    )
    .bind::<BigInt, _>(source.id.0)
    .bind::<BigInt, _>(to_bigint(identity.device))
    .bind::<BigInt, _>(to_bigint(identity.inode))
    .bind::<BigInt, _>(source.generation);
    execute_alone(connection, statement)?;
    Ok(())
}
