//! How a channel does, over runs: a dead one is told of when that begins and then hourly.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Nullable, Text, Timestamptz};

use crate::model::Tick;

/// Notes that a channel failed, and until when it is to be left alone. Returns whether people are
/// to be told.
pub fn note_failure(
    connection: &mut PgConnection,
    host: &str,
    channel: &str,
    reason: &str,
    leave_alone_until: Option<DateTime<Utc>>,
    tick: Tick,
) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        tell: bool,
    }
    let row: Row = diesel::sql_query(
        "insert into channel_states as state (host, channel, failing_since, told_at, last_error,
                                              leave_alone_until)
         values ($1, $2, $3, $3, $4, $5)
         on conflict on constraint channel_states_pkey do update
         set failing_since = coalesce(state.failing_since, $3),
             last_error = $4,
             leave_alone_until = $5,
             told_at = case
                 when state.failing_since is null or state.told_at is null
                     -- The clock may have been set back since.
                     or state.told_at <= $3 - interval '1 hour' or state.told_at > $3
                 then $3 else state.told_at end
         returning told_at = $3 as tell",
    )
    .bind::<Text, _>(host)
    .bind::<Text, _>(channel)
    .bind::<Timestamptz, _>(tick.0)
    .bind::<Text, _>(reason)
    .bind::<Nullable<Timestamptz>, _>(leave_alone_until)
    .get_result(connection)?;
    Ok(row.tell)
}

/// Notes that a channel delivered. Returns whether it had failed before.
pub fn note_success(
    connection: &mut PgConnection,
    host: &str,
    channel: &str,
    tick: Tick,
) -> QueryResult<bool> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = Bool)]
        had_failed: bool,
    }
    let row: Row = diesel::sql_query(
        "with before as (
             select failing_since from channel_states where host = $1 and channel = $2
         ), changed as (
             insert into channel_states (host, channel, delivered_at)
             values ($1, $2, $3)
             on conflict on constraint channel_states_pkey do update
             set delivered_at = $3, failing_since = null, told_at = null, last_error = null,
                 leave_alone_until = null
         )
         select exists (select from before where failing_since is not null) as had_failed",
    )
    .bind::<Text, _>(host)
    .bind::<Text, _>(channel)
    .bind::<Timestamptz, _>(tick.0)
    .get_result(connection)?;
    Ok(row.had_failed)
}

/// Lets what waits for a channel be tried at once: it works again.
pub(super) fn hurry(
    connection: &mut PgConnection,
    host: &str,
    channel: &str,
    tick: Tick,
) -> QueryResult<usize> {
    diesel::sql_query(
        "update notifications set next_attempt_at = $3
         where host = $1 and channel = $2 and attempts > 0 and next_attempt_at > $3
           and delivered_at is null and given_up_at is null",
    )
    .bind::<Text, _>(host)
    .bind::<Text, _>(channel)
    .bind::<Timestamptz, _>(tick.0)
    .execute(connection)
}
