//! What a run notes of sources of which it reads no line.

use diesel::pg::PgConnection;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz};

use super::StoreError;
use super::transaction::execute_alone;
use crate::model::{SourceId, Tick};

/// Notes that the reader stands at the end of these sources in this run, with nothing new.
///
/// Only needed where an alert is open, or a rule waits to be judged: that depends on it.
pub fn read_to_end(
    connection: &mut PgConnection,
    sources: &[SourceId],
    tick: Tick,
) -> Result<(), StoreError> {
    let ids: Vec<i64> = sources.iter().map(|id| id.0).collect();
    let statement = diesel::sql_query(
        "update ingest_state set read_to_end_at = greatest(read_to_end_at, $2)
         where source_id = any ($1)",
    )
    .bind::<Array<BigInt>, _>(ids)
    .bind::<Timestamptz, _>(tick.0);
    execute_alone(connection, statement)?;
    Ok(())
}

/// Notes why a source could not be read (`None`: it could), and that it was printed.
pub fn error(
    connection: &mut PgConnection,
    source: SourceId,
    error: Option<&str>,
    tick: Tick,
) -> Result<(), StoreError> {
    let statement = diesel::sql_query(
        "update ingest_state
         set last_error = $2,
             last_error_since = case
                 when $2 is null then null
                 when last_error = $2 then last_error_since
                 else $3
             end,
             last_error_shown_at = case when $2 is null then null else $3 end,
             -- Rules about blindness are to look at it.
             counted = case
                 when last_error is distinct from $2
                      and exists (select from alert_rules where kind = 'blind' and retired_at is null)
                 then counted + tstzmultirange(tstzrange($3, $3, '[]'))
                 else counted
             end
         where source_id = $1",
    )
    .bind::<BigInt, _>(source.0)
    .bind::<Nullable<Text>, _>(error)
    .bind::<Timestamptz, _>(tick.0);
    execute_alone(connection, statement)?;
    Ok(())
}
