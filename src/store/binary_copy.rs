//! Rows of `log_entries` in the binary format of PostgreSQL's COPY.
//!
//! The format is defined in the manual of COPY, "Binary Format": a header, then for each row
//! the number of its fields and for each field its length and its bytes in network order, as
//! the type's receive function wants them; then a trailer. Against text it saves escaping here
//! and parsing there.

use std::io::{self, Write};

use crate::model::{Entry, EventTime, SourceId};

/// Signature, flags, and the length of a header extension that is not there.
const HEADER: &[u8] = b"PGCOPY\n\xff\r\n\0\0\0\0\0\0\0\0\0";
/// The number of fields -1.
const TRAILER: &[u8] = &[0xff, 0xff];
/// Columns of a row, in the order of [`EntryWriter::write`].
const COLUMNS: i16 = 8;
/// Microseconds from 1970 to 2000, where PostgreSQL's timestamps begin.
const POSTGRES_EPOCH: i64 = 946_684_800_000_000;
/// jsonb's binary format has a version number before its text.
const JSONB_VERSION: u8 = 1;
/// How much is handed to the connection at once.
const FLUSH_BYTES: usize = 64 * 1024;

/// Writes entries of one source, in the column order of `log_entries`.
pub struct EntryWriter<'a> {
    sink: &'a mut dyn Write,
    source_id: SourceId,
    buffer: Vec<u8>,
    /// Entries written so far.
    pub entries: i64,
}

impl<'a> EntryWriter<'a> {
    /// A writer to a COPY in progress.
    pub fn new(sink: &'a mut dyn Write, source_id: SourceId) -> Self {
        let mut buffer = Vec::with_capacity(2 * FLUSH_BYTES);
        buffer.extend_from_slice(HEADER);
        Self { sink, source_id, buffer, entries: 0 }
    }

    /// Writes one entry.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn write(&mut self, entry: &Entry<'_>) -> io::Result<()> {
        self.entries += 1;
        self.buffer.extend_from_slice(&COLUMNS.to_be_bytes());
        self.bigint(postgres_time(entry.logged_at));
        self.bigint(entry.line_no);
        self.bigint(self.source_id.0);
        self.bigint(entry.byte_offset.cast_signed());
        self.bigint(entry.fingerprint);
        self.bytes(&[], entry.level.as_str().as_bytes())?;
        self.bytes(&[], entry.message.as_bytes())?;
        match fields(entry) {
            None => self.buffer.extend_from_slice(&(-1i32).to_be_bytes()),
            Some(fields) => self.bytes(&[JSONB_VERSION], fields.as_bytes())?,
        }
        if self.buffer.len() >= FLUSH_BYTES { self.flush() } else { Ok(()) }
    }

    /// Writes what is left.
    ///
    /// # Errors
    /// When the connection breaks.
    pub fn finish(mut self) -> io::Result<()> {
        self.buffer.extend_from_slice(TRAILER);
        self.flush()
    }

    fn flush(&mut self) -> io::Result<()> {
        self.sink.write_all(&self.buffer)?;
        self.buffer.clear();
        Ok(())
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
}

/// What the column `fields` says of an entry; most entries need nothing there.
fn fields(entry: &Entry<'_>) -> Option<String> {
    if entry.written_at.is_none() && !entry.cut {
        return None;
    }
    let mut fields = serde_json::Map::new();
    if let Some(written_at) = entry.written_at {
        fields.insert("written_at".to_owned(), written_at.into());
    }
    if entry.cut {
        fields.insert("cut".to_owned(), true.into());
    }
    Some(serde_json::Value::Object(fields).to_string())
}

fn postgres_time(time: EventTime) -> i64 {
    time.0.saturating_sub(POSTGRES_EPOCH)
}
