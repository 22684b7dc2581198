//! Storms that are over: none of the alerts fires any more that were told as a number.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, Text, Timestamptz};

use super::alerts::Listeners;

/// Writes messages for those who were told of storms that are over by now, once each.
///
/// # Errors
/// When the database fails.
pub fn end(
    connection: &mut PgConnection,
    listeners: &Listeners<'_>,
    now: DateTime<Utc>,
) -> QueryResult<()> {
    if listeners.of_ends_of_storms.is_empty() {
        return Ok(());
    }
    let (channels, times) = listeners.later();
    diesel::sql_query(include_str!("end_storms.sql"))
        .bind::<Array<Text>, _>(&listeners.of_ends_of_storms)
        .bind::<Timestamptz, _>(now)
        .bind::<Array<Text>, _>(channels)
        .bind::<Array<Timestamptz>, _>(times)
        .execute(connection)?;
    Ok(())
}
