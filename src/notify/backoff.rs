//! When a message that could not be delivered is tried again.
//!
//! After 1, 2, 4, ... up to 60 minutes, each up to a tenth shorter, so that many messages do not
//! come back at the same moment, and that the next run a minute later is not just too early.
//! Pure: the jitter follows from the message and the attempt.

use chrono::{DateTime, TimeDelta, Utc};
use xxhash_rust::xxh3::xxh3_64;

use super::failure::Failure;

const LONGEST_MINUTES: i64 = 60;
/// What a server may ask for at most.
const LONGEST_WAIT: TimeDelta = TimeDelta::hours(24);
/// The jitter is at most this part of the wait.
const JITTER: i64 = 10;

/// When message `id` is tried again, of which attempt number `attempt` (from 1 on) failed at
/// `now`; not before what the server asked for.
pub(super) fn next_attempt(
    id: i64,
    attempt: i32,
    now: DateTime<Utc>,
    retry_after: Option<TimeDelta>,
) -> DateTime<Utc> {
    let doublings = u32::try_from(attempt.saturating_sub(1)).unwrap_or_default().min(6);
    let minutes = (1_i64 << doublings).min(LONGEST_MINUTES);
    let milliseconds = minutes * 60_000;
    let seed = [id.to_le_bytes(), i64::from(attempt).to_le_bytes()].concat();
    let most = u64::try_from(milliseconds / JITTER).unwrap_or(1);
    let jitter = i64::try_from(xxh3_64(&seed) % most).unwrap_or_default();
    let wait = TimeDelta::milliseconds(milliseconds - jitter);
    now + wait.max(asked(retry_after).unwrap_or_default())
}

/// Until when the other side asks to be left alone.
pub(super) fn leave_alone_until(failure: &Failure, now: DateTime<Utc>) -> Option<DateTime<Utc>> {
    asked(failure.retry_after).map(|wait| now + wait)
}

fn asked(retry_after: Option<TimeDelta>) -> Option<TimeDelta> {
    retry_after.map(|wait| wait.clamp(TimeDelta::zero(), LONGEST_WAIT))
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn wait(id: i64, attempt: i32, retry_after: Option<TimeDelta>) -> TimeDelta {
        let now = "2026-01-01T00:00:00Z".parse().unwrap();
        next_attempt(id, attempt, now, retry_after) - now
    }

    #[test]
    fn waits_double_up_to_an_hour() {
        let minutes =
            [(1, 1), (2, 2), (3, 4), (4, 8), (5, 16), (6, 32), (7, 60), (8, 60), (1000, 60)];
        for (attempt, longest) in minutes {
            let longest = TimeDelta::minutes(longest);
            let waited = wait(7, attempt, None);
            assert!(waited > longest * 9 / 10 && waited <= longest, "{attempt}: {waited}");
        }
    }

    #[test]
    fn a_server_that_asks_for_time_is_given_it() {
        assert_eq!(wait(7, 1, Some(TimeDelta::minutes(20))), TimeDelta::minutes(20));
        assert_eq!(wait(7, 1, Some(TimeDelta::days(400))), TimeDelta::hours(24));
        assert!(wait(7, 1, Some(TimeDelta::seconds(-5))) > TimeDelta::seconds(53));
    }

    proptest! {
        #[test]
        fn messages_do_not_all_come_back_at_once(first in 0_i64..1_000_000, attempt in 1..20) {
            let waits: std::collections::BTreeSet<_> =
                (first..first + 100).map(|id| wait(id, attempt, None)).collect();
            prop_assert!(waits.len() > 80, "{} of 100", waits.len());
        }
    }
}
