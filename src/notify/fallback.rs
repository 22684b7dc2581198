//! Other channels for what one could not deliver for a while.

use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::sql_types::{Bool, Text, Timestamptz};

use super::deliver::Delivery;
use crate::config::ChannelConfig;
use crate::duration;
use crate::store::StoreError;
use crate::store::transaction::{Patience, transaction};

/// Writes messages for the fallback of each channel that has one, about what it could not
/// deliver for as long as the config says. The channel itself goes on trying.
pub(super) fn hand_over(
    connection: &mut PgConnection,
    delivery: &Delivery<'_>,
) -> Result<(), StoreError> {
    for channel in delivery.channels {
        let Some(fallback) = &channel.fallback else { continue };
        let mut others = delivery.channels.iter().filter(|one| one.name == fallback.channel);
        let knows_incidents = others.next().is_some_and(ChannelConfig::knows_incidents);
        let name = &channel.name;
        let why = format!("{name} has failed for {}", duration::display(fallback.after));
        let handed_over = transaction(connection, Patience::Short, |connection| {
            let done = diesel::sql_query(
                "insert into notifications (source_id, alert_id, host, channel, kind, number,
                                            created_at, next_attempt_at, further, why)
                 select source_id, alert_id, host, $3, kind, number, $4, $4, further, $6
                 from notifications
                 where host = $1 and channel = $2 and attempts > 0 and created_at <= $5
                   and delivered_at is null and given_up_at is null
                   and ($7 or kind not in ('acknowledged', 'storm_over'))
                 order by id
                 on conflict on constraint one_message_per_change do nothing",
            )
            .bind::<Text, _>(delivery.host)
            .bind::<Text, _>(name)
            .bind::<Text, _>(&fallback.channel)
            .bind::<Timestamptz, _>(delivery.tick.0)
            .bind::<Timestamptz, _>(delivery.tick.0 - fallback.after)
            .bind::<Text, _>(why)
            .bind::<Bool, _>(knows_incidents)
            .execute(connection)?;
            Ok(done)
        })?;
        if handed_over > 0 {
            log::info!("channel {name}: {handed_over} messages go to {} as well", fallback.channel);
        }
    }
    Ok(())
}
