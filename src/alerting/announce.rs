//! Writes what people are to be told of alerts into the outbox.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz};

use crate::model::{SourceId, Tick};
use crate::store::StoreError;
use crate::store::transaction::{Patience, transaction};

/// What was announced.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Announced {
    /// Alerts that fire.
    pub fired: usize,
    /// Alerts that are over.
    pub resolved: usize,
}

/// Announces the alerts of a source that fire, and those that are over, in the outbox.
///
/// An alert is over when its episode ended no later than the source was read. One that was
/// never announced as firing is announced once, as both.
pub fn announce(
    connection: &mut PgConnection,
    source: SourceId,
    host: &str,
    channel: &str,
    tick: Tick,
) -> Result<Announced, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Text)]
        kind: String,
    }
    transaction(connection, Patience::Long, |connection| {
        diesel::sql_query("select source_id from ingest_state where source_id = $1 for update")
            .bind::<BigInt, _>(source.0)
            .execute(connection)?;
        let rows = diesel::sql_query(include_str!("announce.sql"))
            .bind::<BigInt, _>(source.0)
            .bind::<Timestamptz, _>(tick.0)
            .bind::<Text, _>(host)
            .bind::<Text, _>(channel)
            .load::<Row>(connection)?;
        let resolved = rows.iter().filter(|row| row.kind == "resolved").count();
        Ok(Announced { fired: rows.len() - resolved, resolved })
    })
}
