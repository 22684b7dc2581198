//! What was lost before it was read.

use std::io::{self, Write};

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text, Timestamptz};
use serde::Serialize;

use super::{shown, source_name, time};
use crate::model::loss;
use crate::store::StoreError;

/// How many of a source are listed for people.
const LISTED: usize = 5;

/// Bytes of a log that disappeared before they were read.
#[derive(Debug, Serialize, QueryableByName)]
pub struct GapStatus {
    /// Name of the source.
    #[diesel(sql_type = Text)]
    pub source: String,
    /// The host that reads it.
    #[diesel(sql_type = Text)]
    pub host: String,
    /// Where the source is on that host.
    #[diesel(sql_type = Text)]
    pub path: String,
    /// The run that noticed.
    #[diesel(sql_type = Timestamptz)]
    pub detected_at: DateTime<Utc>,
    /// Where in its file the gap begins.
    #[diesel(sql_type = BigInt)]
    pub byte_offset: i64,
    /// Bytes known to be lost; there may be more. Absent: nothing is known.
    #[diesel(sql_type = Nullable<BigInt>)]
    pub lost_bytes: Option<i64>,
    /// What was seen.
    #[diesel(sql_type = Text)]
    pub reason: String,
}

/// All gaps of all hosts, those of a source together and the latest first.
pub(super) fn load(connection: &mut PgConnection) -> Result<Vec<GapStatus>, StoreError> {
    Ok(diesel::sql_query(include_str!("gaps.sql")).load(connection)?)
}

/// Writes the latest gaps of each source.
pub(super) fn write(gaps: &[GapStatus], out: &mut dyn Write) -> io::Result<()> {
    for of_source in
        gaps.chunk_by(|one, other| (&one.host, &one.path) == (&other.host, &other.path))
    {
        let name = source_name(&of_source[0].source, &of_source[0].path);
        writeln!(out, "\n{name}: what was not read, or may not have been: {}", of_source.len())?;
        for gap in of_source.iter().take(LISTED) {
            let lost = loss(gap.lost_bytes.map(i64::cast_unsigned));
            writeln!(out, "  {}  {}; {lost}", time(gap.detected_at), shown(&gap.reason))?;
        }
        if of_source.len() > LISTED {
            writeln!(out, "  and {} before (--json has all)", of_source.len() - LISTED)?;
        }
    }
    Ok(())
}
