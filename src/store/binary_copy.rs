//! Rows of `log_entries` and `line_counts` in the binary format of PostgreSQL's COPY.
//!
//! The format is defined in the manual of COPY, "Binary Format": a header, then for each row
//! the number of its fields and for each field its length and its bytes in network order, as
//! the type's receive function wants them; then a trailer. Against text it saves escaping here
//! and parsing there.

use std::io::{self, Write};

use super::chunk::{COUNTERS, MinuteCounts};
use crate::model::{Entry, EventTime, SourceId};

/// Signature, flags, and the length of a header extension that is not there.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The number of fields -1.
const TRAILER: &[u8] = &[0xff, 0xff];
/// Columns of an entry, in the order of [`EntryWriter::write`].
const ENTRY_COLUMNS: i16 = 8;
/// Columns of the counts of a minute: source, minute and counters.
const COUNTS_COLUMNS: i16 = 12;
const _: () = assert!(COUNTERS == 8);
/// Microseconds from 1970 to 2000, where PostgreSQL's timestamps begin.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;
/// jsonb's binary format has a version number before its text.
const JSONB_VERSION: u8 = 1;
/// How much is handed to the connection at once.
const FLUSH_BYTES: usize = 16 * 1024;

/// Writes entries of one source, in the column order of `log_entries`.
pub struct EntryWriter<'a> {
    rows: Rows<'a>,
    source_id: SourceId,
    /// Entries written so far.
    pub entries: i64,
}

impl<'a> EntryWriter<'a> {
    /// A writer to a COPY in progress.
    pub fn new(sink: &'a mut dyn Write, source_id: SourceId) -> Self {
        Self { rows: Rows::new(sink), source_id, entries: 0 }
    }

    /// Writes one entry.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn write(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        self.entries += 1;
        let rows = &mut self.rows;
        rows.begin(ENTRY_COLUMNS);
        rows.timestamptz(entry.logged_at);
        rows.bigint(entry.line_no);
        rows.bigint(self.source_id.0);
        rows.bigint(entry.byte_offset.cast_signed());
        rows.bigint(entry.fingerprint);
        rows.bytes(&[], entry.level.as_str().as_bytes())?;
        rows.bytes(&[], entry.message.as_bytes())?;
        match fields(entry) {
            None => rows.null(),
            Some(fields) => rows.bytes(&[JSONB_VERSION], fields.as_bytes())?,
        }
        rows.flush_if_full()
    }

    /// How many bytes of entries were written so far.
    pub fn bytes(&self) -> u64 {
        self.rows.flushed + self.rows.buffer.len() as u64
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn finish(self) -> io::Result<()> {
        self.rows.finish()
    }
}

/// Writes counts of one source by minute to a COPY, in the column order of `line_counts`.
///
/// # Errors
/// When the connection breaks.
pub(super) fn write_counts(
    sink: &mut dyn Write,
    source_id: SourceId,
    counts: &[(EventTime, MinuteCounts)],
) -> io::Result<()> {
    let mut rows = Rows::new(sink);
    for (minute, counters) in counts {
        rows.begin(COUNTS_COLUMNS);
        rows.bigint(source_id.0);
        rows.timestamptz(*minute);
        for lines in counters.lines {
            rows.bigint(lines);
        }
        rows.timestamptz(counters.first_at);
        rows.timestamptz(counters.last_at);
        rows.flush_if_full()?;
    }
    rows.finish()
}

/// Rows on their way to a COPY in progress.
struct Rows<'a> {
    sink: &'a mut dyn Write,
    buffer: Vec<u8>,
    /// Bytes that are handed over.
    flushed: u64,
}

impl<'a> Rows<'a> {
    fn new(sink: &'a mut dyn Write) -> Self {
        let mut buffer = Vec::with_capacity(2 * FLUSH_BYTES);
        buffer.extend_from_slice(HEADER);
        Self { sink, buffer, flushed: 0 }
    }

    /// Begins a row of so many columns, which are to be written next.
    fn begin(&mut self, columns: i16) {
        self.buffer.extend_from_slice(&columns.to_be_bytes());
    }

    fn timestamptz(&mut self, time: EventTime) {
        self.bigint(time.0.saturating_sub(POSTGRES_EPOCH));
    }

    fn bigint(&mut self, value: i64) {
        self.buffer.extend_from_slice(&8i32.to_be_bytes());
        self.buffer.extend_from_slice(&value.to_be_bytes());
    }

    fn bytes(&mut self, prefix: &[u8], value: &[u8]) -> io::Result<()> {
        let length = i32::try_from(prefix.len() + value.len())
            .map_err(|_| io::Error::other("a value of more than 2 GiB"))?;
        self.buffer.extend_from_slice(&length.to_be_bytes());
        self.buffer.extend_from_slice(prefix);
        self.buffer.extend_from_slice(value);
        Ok(())
    }

    fn null(&mut self) {
        self.buffer.extend_from_slice(&(-1i32).to_be_bytes());
    }

    fn flush_if_full(&mut self) -> io::Result<()> {
        if self.buffer.len() >= FLUSH_BYTES { self.flush() } else { Ok(()) }
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.write_all(&self.buffer)?;
        self.flushed += self.buffer.len() as u64;
        self.buffer.clear();
        Ok(())
    }

    fn finish(mut self) -> io::Result<()> {
        self.buffer.extend_from_slice(TRAILER);
        self.flush()
    }
}

/// What the column `fields` says of an entry; most entries need nothing there.
fn fields(entry: &Entry<'_>) -> Option<String> {
    if entry.written_at.is_none() && !entry.cut {
        let fields = entry.fields;
        return (!fields.is_empty()).then(|| serde_json::to_string(fields).unwrap_or_default());
    }
    let mut fields = entry.fields.clone();
    if let Some(written_at) = entry.written_at {
        fields.insert("written_at".to_owned(), written_at.into());
    }
    if entry.cut {
        fields.insert("cut".to_owned(), true.into());
    }
    Some(serde_json::Value::Object(fields).to_string())
}
