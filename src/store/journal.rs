//! Sources that are the systemd journal, which has a cursor in place of an offset.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Nullable, Text};

use super::StoreError;
use crate::model::SourceId;

/// Notes behind which entry the reading of a journal begins; `None`: at its first one.
///
/// # Errors
/// [`StoreError::Overtaken`] when another run has begun it meanwhile.
pub fn begin(
    connection: &mut PgConnection,
    source: SourceId,
    cursor: Option<&str>,
) -> Result<(), StoreError> {
    let changed = diesel::sql_query(
        "update ingest_state
         set generation = 1, device = 0, inode = 0, archives_noted = true, journal_cursor = $2
         where source_id = $1 and generation = 0",
    )
    .bind::<BigInt, _>(source.0)
    .bind::<Nullable<Text>, _>(cursor)
    .execute(connection)?;
    if changed == 1 { Ok(()) } else { Err(StoreError::Overtaken) }
}
