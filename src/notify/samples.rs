//! The entries that messages show.
//!
//! To find those of one alert, all are looked at that its rule counted in its window. Where many
//! alerts begin at once that would be done for each of them, so those that are told next are looked
//! up together. Not with the first message of a run, which may be the only one that is sent.

use std::collections::{BTreeMap, BTreeSet, HashMap};

use diesel::pg::PgConnection;

use super::deliver::Delivery;
use super::outbox::{self, Due, Sample};
use crate::store::StoreError;

/// Entries that a message shows.
const SAMPLES_MOST: i64 = 5;
/// Alerts that are looked up together.
const AT_ONCE: i64 = 200;

/// Those that were looked up last, by source and alert.
#[derive(Debug, Default)]
pub(super) struct Samples {
    found: HashMap<(i64, i64), Vec<Sample>>,
    /// Whether a message was looked up before.
    goes_on: bool,
}

impl Samples {
    /// Looks up what a message about `due` shows, and perhaps what the next ones of the channel
    /// show, unless it is known.
    pub(super) fn look_up(
        &mut self,
        connection: &mut PgConnection,
        delivery: &Delivery<'_>,
        channel: &str,
        due: &[Due],
    ) -> Result<(), StoreError> {
        let telling = due.iter().filter(|one| one.tells_beginning);
        if telling.clone().all(|one| self.found.contains_key(&key(one))) {
            return Ok(());
        }
        self.found.clear();
        let mut keys: BTreeSet<(i64, i64)> = telling.map(key).collect();
        if self.goes_on && due.len() == 1 {
            keys.extend(outbox::told_next(connection, delivery, channel, AT_ONCE)?);
        }
        let mut wanted: BTreeMap<i64, Vec<i64>> = BTreeMap::new();
        for (source, alert) in keys {
            wanted.entry(source).or_default().push(alert);
        }
        for (source, alerts) in wanted {
            let mut found = match (&alerts[..], due) {
                (&[alert], [one]) => {
                    HashMap::from([(alert, outbox::samples(connection, one, SAMPLES_MOST)?)])
                }
                _ => outbox::samples_of_many(connection, source, &alerts, SAMPLES_MOST)?,
            };
            // Also that there are none is known then.
            let known = alerts
                .into_iter()
                .map(|alert| ((source, alert), found.remove(&alert).unwrap_or_default()));
            self.found.extend(known);
        }
        self.goes_on = true;
        Ok(())
    }

    /// What a message shows of a notification.
    pub(super) fn of(&self, one: &Due) -> Vec<Sample> {
        let found = self.found.get(&key(one)).filter(|_| one.tells_beginning);
        found.cloned().unwrap_or_default()
    }
}

fn key(one: &Due) -> (i64, i64) {
    (one.source_id, one.alert_id)
}
