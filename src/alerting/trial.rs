//! Rules that are only tried: written, asked about, and rolled back.
//!
//! The views say something of rules that stand in `alert_rules`. Whoever wants to know what one
//! would do that does not stand there, or not so, writes a copy of it in a transaction that is
//! rolled back whatever happens. Nobody else sees it, no row that was there is touched, and no
//! run has to wait for it.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{BigInt, Integer, Jsonb, Text, Timestamptz};

use super::rules::RuleRow;
use crate::config::RuleConfig;
use crate::model::Tick;
use crate::store::StoreError;
use crate::store::transaction::{Patience, rolled_back};

/// Does `work` in a transaction of which nothing stays.
pub(super) fn trial<T>(
    connection: &mut PgConnection,
    work: impl FnOnce(&mut PgConnection) -> Result<T, StoreError>,
) -> Result<T, StoreError> {
    rolled_back(connection, Patience::Long, work)
}

/// Writes a copy of a rule for a host (`*`: for all), as the `place`th one of a trial, and
/// returns its number.
pub(super) fn copy(
    connection: &mut PgConnection,
    host: &str,
    place: i32,
    rule: &RuleConfig,
    tick: Tick,
) -> Result<i64, StoreError> {
    #[derive(QueryableByName)]
    struct Row {
        #[diesel(sql_type = BigInt)]
        id: i64,
    }
    if rule.is_across_sources() {
        diesel::sql_query(include_str!("stand_for_others_in_trial.sql"))
            .bind::<Text, _>(host)
            .bind::<Timestamptz, _>(tick.0)
            .execute(connection)?;
    }
    let row = diesel::sql_query(include_str!("copy_rule.sql"))
        .bind::<Text, _>(host)
        .bind::<Integer, _>(place)
        .bind::<Jsonb, _>(RuleRow::from(rule).columns())
        .bind::<Timestamptz, _>(tick.0)
        .get_result::<Row>(connection)?;
    Ok(row.id)
}
