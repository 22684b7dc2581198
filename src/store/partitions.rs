//! Partitions of `log_entries`: which times have one, and making those that are missing.
//!
//! Partitions reach from the interval of one year before the tick to the interval after it;
//! older entries lie in the default partition. One is made in a short transaction of its own
//! and attached, never inside of a chunk's transaction: `create table ... partition of` would
//! wait for every ingest that is running and make all readers queue behind it.

use chrono::{DateTime, Datelike, Days, Months, NaiveDate, TimeDelta, Utc};
use diesel::connection::SimpleConnection;
use diesel::pg::PgConnection;
use diesel::prelude::*;
use diesel::result::{DatabaseErrorKind, Error as DieselError};
use diesel::sql_types::Timestamptz;

use super::StoreError;
use super::transaction::{Patience, load_alone, transaction};
use crate::model::{EventTime, PartitionInterval, Tick};

/// How far before the tick partitions are made.
const REACH_BACK: TimeDelta = TimeDelta::days(365);

/// How long to wait for the lock on all entries. Whoever reads them meanwhile waits as well.
const LOCK_TIMEOUT: &str = "5s";
/// The same for a partition that is not needed yet.
const AHEAD_LOCK_TIMEOUT: &str = "200ms";

/// The interval that holds a day: its first day and the day after its last.
fn around(interval: PartitionInterval, day: NaiveDate) -> (NaiveDate, NaiveDate) {
    match interval {
        PartitionInterval::Day => (day, day + Days::new(1)),
        PartitionInterval::Week => {
            let monday = day - Days::new(u64::from(day.weekday().num_days_from_monday()));
            (monday, monday + Days::new(7))
        }
        PartitionInterval::Month => {
            let first = day - Days::new(u64::from(day.day0()));
            (first, first + Months::new(1))
        }
    }
}

/// Which times have a partition.
#[derive(Clone, Debug)]
pub struct Partitions {
    interval: PartitionInterval,
    tick: Tick,
    /// From (inclusive) and to (exclusive), in order.
    bounds: Vec<(EventTime, EventTime)>,
    /// The one that was asked for last: logs are nearly in order.
    last: (EventTime, EventTime),
}

impl Partitions {
    /// Reads which partitions there are.
    pub fn load(
        connection: &mut PgConnection,
        interval: PartitionInterval,
        tick: Tick,
    ) -> Result<Self, StoreError> {
        let nothing = (EventTime(0), EventTime(0));
        let mut partitions = Self { interval, tick, bounds: Vec::new(), last: nothing };
        partitions.reload(connection)?;
        Ok(partitions)
    }

    /// Whether an entry of this time can be stored: its partition is there, or it is so old
    /// that it belongs into the default partition.
    pub fn cover(&mut self, time: EventTime) -> bool {
        if self.last.0 <= time && time < self.last.1 {
            return true;
        }
        if time < self.oldest() {
            return true;
        }
        let after = self.bounds.partition_point(|bounds| bounds.0 <= time);
        match after.checked_sub(1).map(|at| self.bounds[at]) {
            Some(bounds) if time < bounds.1 => {
                self.last = bounds;
                true
            }
            _ => false,
        }
    }

    /// Where the default partition ends: a whole interval, because a partition of which a part
    /// lies in the default one cannot be attached.
    fn oldest(&self) -> EventTime {
        let day = (self.tick.0 - REACH_BACK).date_naive();
        midnight(around(self.interval, day).0)
    }

    /// Makes the partition of the interval after the tick's.
    ///
    /// There is a whole interval's time for that: where somebody keeps a lock on the entries, a
    /// later run makes it. It follows the entries, not the tick alone: a clock that is wrong by
    /// years makes no partition.
    pub fn ensure_ahead(&mut self, connection: &mut PgConnection) -> Result<(), StoreError> {
        if !self.cover(self.tick.0.into()) {
            return Ok(());
        }
        let (_, next) = around(self.interval, self.tick.0.date_naive());
        match self.ensure_within(connection, midnight(next), AHEAD_LOCK_TIMEOUT) {
            Err(error @ StoreError::Locked(_)) => {
                log::info!("cannot make the next partition yet: {error}");
                Ok(())
            }
            made => made,
        }
    }

    /// Makes the partition of a time, if there is none, and the one that will be needed next.
    ///
    /// Where the default partition holds entries of that time (the clock was wrong once), they
    /// and all further ones stay there.
    pub fn ensure(
        &mut self,
        connection: &mut PgConnection,
        time: EventTime,
    ) -> Result<(), StoreError> {
        self.ensure_within(connection, time, LOCK_TIMEOUT)?;
        self.ensure_ahead(connection)
    }

    fn ensure_within(
        &mut self,
        connection: &mut PgConnection,
        time: EventTime,
        lock_timeout: &str,
    ) -> Result<(), StoreError> {
        if self.cover(time) {
            return Ok(());
        }
        let (from, to) = self.free_interval(time);
        match create(connection, from, to, lock_timeout) {
            Ok(()) => self.reload(connection),
            Err(error) if error.is_lost_connection() => Err(error),
            Err(error) => {
                // Another run may have made it meanwhile.
                self.reload(connection)?;
                if self.cover(time) {
                    return Ok(());
                }
                let StoreError::Database(DieselError::DatabaseError(kind, _)) = &error else {
                    return Err(error);
                };
                if !matches!(kind, DatabaseErrorKind::CheckViolation) {
                    return Err(error);
                }
                log::info!("entries from {} on stay in log_entries_default", from.to_utc());
                self.insert((from, to));
                Ok(())
            }
        }
    }

    /// The interval around a time, less what neighbours of another length cover.
    fn free_interval(&self, time: EventTime) -> (EventTime, EventTime) {
        let (from, to) = around(self.interval, time.to_utc().date_naive());
        let after = self.bounds.partition_point(|bounds| bounds.0 <= time);
        let from = match after.checked_sub(1) {
            Some(before) => midnight(from).max(self.bounds[before].1),
            None => midnight(from),
        };
        let to = self.bounds.get(after).map_or(midnight(to), |next| midnight(to).min(next.0));
        (from, to)
    }

    fn insert(&mut self, bounds: (EventTime, EventTime)) {
        let place = self.bounds.partition_point(|other| other.0 < bounds.0);
        self.bounds.insert(place, bounds);
    }

    fn reload(&mut self, connection: &mut PgConnection) -> Result<(), StoreError> {
        #[derive(QueryableByName)]
        struct Bounds {
            #[diesel(sql_type = Timestamptz)]
            begins_at: DateTime<Utc>,
            #[diesel(sql_type = Timestamptz)]
            ends_at: DateTime<Utc>,
        }
        let query = diesel::sql_query(include_str!("partitions.sql"));
        let rows: Vec<Bounds> = load_alone(connection, query)?;
        self.bounds =
            rows.into_iter().map(|row| (row.begins_at.into(), row.ends_at.into())).collect();
        Ok(())
    }
}

/// Makes a partition and attaches it.
fn create(
    connection: &mut PgConnection,
    from: EventTime,
    to: EventTime,
    lock_timeout: &str,
) -> Result<(), StoreError> {
    let (from, to) = (from.to_utc(), to.to_utc());
    let name = format!("log_entries_{}_{}", from.format("%Y%m%d"), to.format("%Y%m%d"));
    transaction(connection, Patience::Short, |connection| {
        // Readers queue behind this while it waits. Nothing here comes from a user: the name and the bounds are made of dates.
        connection.batch_execute(&format!(
            "select set_config('lock_timeout', '{lock_timeout}', true)
                 where current_setting('lock_timeout') = '30s';
             create table {name} (like log_entries including all);
             alter table log_entries attach partition {name}
                 for values from ('{}') to ('{}');",
            from.to_rfc3339(),
            to.to_rfc3339(),
        ))?;
        Ok(())
    })
}

fn midnight(day: NaiveDate) -> EventTime {
    day.and_time(chrono::NaiveTime::MIN).and_utc().into()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn day(text: &str) -> NaiveDate {
        text.parse().unwrap()
    }

    fn partitions(bounds: &[(&str, &str)], tick: &str) -> Partitions {
        Partitions {
            interval: PartitionInterval::Week,
            tick: Tick(tick.parse().unwrap()),
            bounds: bounds
                .iter()
                .map(|(from, to)| (midnight(day(from)), midnight(day(to))))
                .collect(),
            last: (EventTime(0), EventTime(0)),
        }
    }

    #[test]
    fn intervals_are_whole_days_weeks_and_months() {
        let sunday = day("2026-03-01");
        for (interval, from, to) in [
            (PartitionInterval::Day, "2026-03-01", "2026-03-02"),
            (PartitionInterval::Week, "2026-02-23", "2026-03-02"),
            (PartitionInterval::Month, "2026-03-01", "2026-04-01"),
        ] {
            assert_eq!(around(interval, sunday), (day(from), day(to)));
        }
    }

    #[test]
    fn what_is_older_than_a_year_needs_no_partition() {
        let mut partitions = partitions(&[("2026-02-23", "2026-03-02")], "2026-03-01T12:00:00Z");
        assert!(partitions.cover(midnight(day("2026-02-23"))));
        assert!(!partitions.cover(midnight(day("2026-03-02"))));
        // One year before is a Saturday, whose week is made as a whole.
        assert!(!partitions.cover(midnight(day("2025-02-24"))));
        assert!(partitions.cover(EventTime(midnight(day("2025-02-24")).0 - 1)));
    }

    #[test]
    fn a_partition_fits_between_its_neighbours() {
        let partitions = partitions(
            &[("2026-02-01", "2026-03-01"), ("2026-03-05", "2026-03-06")],
            "2026-03-04T12:00:00Z",
        );
        let monday = midnight(day("2026-03-02"));
        assert_eq!(partitions.free_interval(monday), (monday, midnight(day("2026-03-05"))));
        let sunday = midnight(day("2026-03-01"));
        assert_eq!(partitions.free_interval(sunday), (sunday, monday));
    }
}
