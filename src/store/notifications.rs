//! What people do with notifications by hand.

use chrono::{DateTime, Utc};
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Array, BigInt, Nullable, Text, Timestamptz};

use super::StoreError;
use super::transaction::{Patience, transaction};

/// Which notifications somebody means. What was delivered is never among them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Chosen<'a> {
    /// Those of these numbers.
    Ids(&'a [i64]),
    /// Those for a channel.
    Channel(&'a str),
}

impl<'a> Chosen<'a> {
    /// As parameters: one of the two.
    fn parts(self) -> (Option<&'a [i64]>, Option<&'a str>) {
        match self {
            Self::Ids(ids) => (Some(ids), None),
            Self::Channel(name) => (None, Some(name)),
        }
    }
}

#[derive(QueryableByName)]
struct Changed {
    #[diesel(sql_type = BigInt)]
    id: i64,
}

fn ids(rows: Vec<Changed>) -> Vec<i64> {
    let mut ids: Vec<i64> = rows.into_iter().map(|row| row.id).collect();
    ids.sort_unstable();
    ids
}

/// Lets the next run try these, also those that were given up. Returns their numbers.
pub fn retry(
    connection: &mut PgConnection,
    chosen: Chosen<'_>,
    now: DateTime<Utc>,
) -> Result<Vec<i64>, StoreError> {
    let (numbers, channel) = chosen.parts();
    transaction(connection, Patience::Short, |connection| {
        let changed = diesel::sql_query(
            "update notifications
             set given_up_at = null, given_up_by = null, next_attempt_at = least(next_attempt_at, $3)
             where delivered_at is null
               and case when $1 is null then channel = $2 else id = any ($1) end
             returning id",
        )
        .bind::<Nullable<Array<BigInt>>, _>(numbers)
        .bind::<Nullable<Text>, _>(channel)
        .bind::<Timestamptz, _>(now)
        .load(connection)?;
        Ok(ids(changed))
    })
}

/// Gives these up, but for those that are given up already. Returns their numbers.
pub fn give_up(
    connection: &mut PgConnection,
    chosen: Chosen<'_>,
    author: &str,
    now: DateTime<Utc>,
) -> Result<Vec<i64>, StoreError> {
    let (numbers, channel) = chosen.parts();
    transaction(connection, Patience::Short, |connection| {
        let changed = diesel::sql_query(
            "update notifications
             set given_up_at = $3, given_up_by = $4
             where delivered_at is null and given_up_at is null
               and case when $1 is null then channel = $2 else id = any ($1) end
             returning id",
        )
        .bind::<Nullable<Array<BigInt>>, _>(numbers)
        .bind::<Nullable<Text>, _>(channel)
        .bind::<Timestamptz, _>(now)
        .bind::<Text, _>(author)
        .load(connection)?;
        Ok(ids(changed))
    })
}
