//! In which order were rotated files written?
//!
//! Three witnesses: the number or date in the name, the time of the last change, and the time
//! of the first entry. Each of them errs: names change their meaning with the configuration,
//! a copy may get a new time of change, and clocks are set. So no one decides alone: of two
//! files, most votes say which is older; without a majority the name does, then the first
//! entry. What follows from a wrong order is small: lines are numbered in it.

use std::cmp::Ordering;
use std::time::SystemTime;

use super::names::Rotated;
use crate::model::EventTime;

/// What is known of when a file was written.
#[derive(Clone, Debug)]
pub struct Age {
    /// What its name says.
    pub name: Option<Rotated>,
    /// When it was changed last.
    pub modified: SystemTime,
    /// When the first entry in it happened.
    pub first_entry: Option<EventTime>,
}

impl Age {
    /// Which of two files was written first.
    pub fn compare(&self, other: &Self) -> Ordering {
        let votes = self.votes(other);
        let balance: i32 = votes.into_iter().flatten().map(|vote| vote as i32).sum();
        let majority = balance.cmp(&0);
        majority.then_with(|| {
            votes.into_iter().flatten().find(|vote| vote.is_ne()).unwrap_or(Ordering::Equal)
        })
    }

    /// Whether everything that is known says that this file is the older one.
    pub fn is_surely_before(&self, other: &Self) -> bool {
        let mut votes = self.votes(other).into_iter().flatten();
        let said = votes.clone().count();
        said >= 2 && votes.all(Ordering::is_lt)
    }

    /// What each witness says: name, first entry, last change.
    fn votes(&self, other: &Self) -> [Option<Ordering>; 3] {
        let by_name = self.name.as_ref().zip(other.name.as_ref());
        let by_entry = self.first_entry.zip(other.first_entry);
        [
            by_name.and_then(|(name, other)| name.compare(other)),
            by_entry.map(|(entry, other)| entry.cmp(&other)),
            Some(self.modified.cmp(&other.modified)),
        ]
    }
}

/// The places of files in a list, the oldest first.
///
/// Votes of several witnesses need not be transitive, so files are ordered by how many of the
/// others are older.
pub fn oldest_first(ages: &[&Age]) -> Vec<usize> {
    let older_than = |age: &Age| ages.iter().filter(|other| other.compare(age).is_lt()).count();
    let mut order: Vec<(usize, SystemTime, usize)> = ages
        .iter()
        .enumerate()
        .map(|(place, age)| (older_than(age), age.modified, place))
        .collect();
    order.sort_unstable();
    order.into_iter().map(|(.., place)| place).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::Duration;

    fn age(name: &str, modified: u64, first_entry: Option<i64>) -> Age {
        Age {
            name: Rotated::read("app.log", name),
            modified: SystemTime::UNIX_EPOCH + Duration::from_secs(modified),
            first_entry: first_entry.map(EventTime),
        }
    }

    fn ordered(ages: &[Age]) -> Vec<usize> {
        oldest_first(&ages.iter().collect::<Vec<_>>())
    }

    #[test]
    fn witnesses_that_agree_give_the_order() {
        let numbered =
            [age("app.log.1", 30, None), age("app.log.3", 10, None), age("app.log.2", 20, None)];
        assert_eq!(ordered(&numbered), [1, 2, 0]);
        let dated = [age("app.log-20260102", 20, Some(2)), age("app.log-20260101", 10, Some(1))];
        assert_eq!(ordered(&dated), [1, 0]);
    }

    #[test]
    fn an_equal_time_of_change_says_nothing() {
        assert_eq!(ordered(&[age("app.log.1", 10, None), age("app.log.2", 10, None)]), [1, 0]);
    }

    #[test]
    fn most_votes_decide() {
        // Copied: the times of change are those of the copies.
        let copied = [age("app.log.1", 10, Some(2)), age("app.log.2", 20, Some(1))];
        assert_eq!(ordered(&copied), [1, 0]);
        // Numbered the other way round.
        let upwards = [age("app.log.1", 10, Some(1)), age("app.log.2", 20, Some(2))];
        assert_eq!(ordered(&upwards), [0, 1]);
        // One vote each: the name.
        assert_eq!(ordered(&[age("app.log.1", 10, None), age("app.log.2", 20, None)]), [1, 0]);
        // No common scheme: the time of change and the first entry.
        let schemes = [age("app.log.1", 20, Some(2)), age("app.log-20260101", 10, Some(1))];
        assert_eq!(ordered(&schemes), [1, 0]);
    }

    #[test]
    fn only_what_nobody_doubts_is_surely_older() {
        let one = age("app.log.2", 10, None);
        assert!(one.is_surely_before(&age("app.log.1", 20, None)));
        assert!(!one.is_surely_before(&age("app.log.1", 10, None)), "the times are equal");
        assert!(!one.is_surely_before(&age("app.log.3", 20, None)), "the names differ");
        assert!(!one.is_surely_before(&age("app.log-20260101", 20, None)), "one witness");
        assert!(!one.is_surely_before(&one));
    }
}
