//! Channels that take for over what they do not hear of: Alertmanager.
//!
//! Beginning and end of an alert go through the outbox, as everywhere. Besides, each run tells
//! again what fires, and for five minutes what is over, in case that the other side was started
//! anew. That is no message of its own and has no row: if it fails, the next run does it.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Text, Timestamptz};

use super::deliver::Delivery;
use super::outbox::{self, Due};
use crate::config::ChannelConfig;
use crate::model::Tick;
use crate::store::StoreError;
use crate::store::transaction::{Patience, transaction};

/// The channels that have something to hear again.
pub(super) fn channels(
    connection: &mut PgConnection,
    delivery: &Delivery<'_>,
) -> Result<Vec<String>, StoreError> {
    let mut channels = Vec::new();
    for ChannelConfig { name, .. } in delivery.channels.iter().filter(|one| one.is_refreshed()) {
        let ids = transaction(connection, Patience::Short, |connection| {
            ids(connection, delivery.host, name, delivery.tick).map_err(Into::into)
        })?;
        if !ids.is_empty() {
            channels.push(name.clone());
        }
    }
    Ok(channels)
}

/// The notifications that say what a channel is told again.
pub(super) fn due(
    connection: &mut PgConnection,
    host: &str,
    channel: &str,
    tick: Tick,
) -> QueryResult<Vec<Due>> {
    let ids = ids(connection, host, channel, tick)?;
    outbox::due(connection, ids)
}

fn ids(
    connection: &mut PgConnection,
    host: &str,
    channel: &str,
    tick: Tick,
) -> QueryResult<Vec<i64>> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    let rows: Vec<Row> = diesel::sql_query(include_str!("refresh.sql"))
        .bind::<Text, _>(host)
        .bind::<Text, _>(channel)
        .bind::<Timestamptz, _>(tick.0)
        .load(connection)?;
    Ok(rows.into_iter().map(|row| row.id).collect())
}
