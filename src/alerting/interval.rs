//! What is kept of when rules hold, and what becomes of it.
//!
//! In: the intervals that are kept near new lines, and what the views say of these. Out: what
//! is to be kept from now on, and the episodes that it gives. Nothing here knows a database.
//! All intervals are closed: two that touch are one, and a moment is an interval.

use std::collections::BTreeMap;

use crate::model::EventTime;

/// What only new lines can end, ends then.
pub(super) const FOREVER: EventTime = EventTime(i64::MAX);

/// A rule and one of its groups.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Key {
    pub(super) rule_id: i64,
    pub(super) group: String,
}

/// How what was measured in the intervals of an episode is put together.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Measure {
    Most,
    Fewest,
    Sum,
}

/// What of a rule decides how its intervals become episodes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Nature {
    /// Whether an episode is the moment at which an interval begins.
    pub(super) is_one_shot: bool,
    /// Whether an interval that is known without an alert makes all that it joins known so.
    pub(super) quiet_wins: bool,
    pub(super) measure: Measure,
    /// Microseconds.
    pub(super) keep_firing: i64,
}

/// A time in which a rule holds.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Hot {
    pub(super) from: EventTime,
    pub(super) until: EventTime,
    /// From when there is an alert; `None`: there is none.
    pub(super) full_from: Option<EventTime>,
    pub(super) measured: f64,
}

/// How a change changes what is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Replaces {
    /// It is joined with what it touches.
    Join,
    /// It takes the place of the interval that begins at the same time.
    Key,
    /// Changes that are not hot say in which times the others replace everything.
    Range,
}

/// What new lines say.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Change {
    pub(super) hot: Hot,
    pub(super) is_hot: bool,
    pub(super) replaces: Replaces,
}

/// A time in which a rule holds, as a whole.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Episode {
    pub(super) key: Key,
    pub(super) started_at: EventTime,
    pub(super) ended_at: EventTime,
    pub(super) measured: f64,
    /// Stored alerts that begin in this time are this episode's.
    pub(super) reach: (EventTime, EventTime),
}

/// The intervals of a group after changes, in order.
///
/// `kept` must hold all that overlap a change.
pub(super) fn changed(kept: &[Hot], changes: &[Change], nature: Nature) -> Vec<Hot> {
    let mut hots = cut(kept, changes);
    let mut by_start: BTreeMap<EventTime, Hot> = BTreeMap::new();
    // Whether those hold that new lines say something of: where two ranges of these differ, one of
    // them goes by what was kept.
    let mut replaced: BTreeMap<EventTime, bool> = BTreeMap::new();
    for change in changes.iter().filter(|change| change.replaces == Replaces::Key) {
        *replaced.entry(change.hot.from).or_insert(true) &= change.is_hot;
    }
    hots.retain(|hot| !replaced.contains_key(&hot.from));
    let old = hots.into_iter().map(|hot| (hot, Replaces::Range));
    let new = changes.iter().filter(|change| match change.replaces {
        Replaces::Join => false,
        Replaces::Key => replaced[&change.hot.from],
        Replaces::Range => change.is_hot,
    });
    for (hot, replaces) in old.chain(new.map(|change| (change.hot.clone(), change.replaces))) {
        by_start
            .entry(hot.from)
            // What two ranges of new lines say of one interval: what ends it is in one of them;
            // where it is cut at the end of a range, the other one knows more.
            .and_modify(|other| {
                other.until = match replaces {
                    Replaces::Key => other.until.min(hot.until),
                    Replaces::Range | Replaces::Join => other.until.max(hot.until),
                }
            })
            .or_insert(hot);
    }
    let joined = changes.iter().filter(|change| change.replaces == Replaces::Join);
    let joined: Vec<&Hot> = joined.map(|change| &change.hot).collect();
    if joined.is_empty() {
        return by_start.into_values().collect();
    }
    let mut all: Vec<Hot> = by_start.into_values().chain(joined.into_iter().cloned()).collect();
    all.sort_by_key(|hot| hot.from);
    join(all, nature)
}

/// What is left of the kept intervals outside of the ranges that are replaced.
fn cut(kept: &[Hot], changes: &[Change]) -> Vec<Hot> {
    let mut hots = kept.to_vec();
    let ranges = changes.iter().filter(|one| one.replaces == Replaces::Range && !one.is_hot);
    for range in ranges.clone() {
        let (from, until) = (range.hot.from, range.hot.until);
        // What holds beyond the range goes on from its end, if it holds there.
        let holds_at_end = changes.iter().any(|other| {
            other.replaces == Replaces::Range
                && other.is_hot
                && (other.hot.from..=other.hot.until).contains(&until)
        });
        // One that goes on beyond the range says how long, unless it is cut at the end of another.
        let goes_on = changes.iter().any(|other| {
            other.is_hot
                && other.hot.from <= until
                && until < other.hot.until
                && ranges.clone().all(|one| one.hot.until != other.hot.until)
        });
        hots = hots
            .into_iter()
            .flat_map(|hot| {
                if hot.until < from || hot.from > until {
                    return [Some(hot), None];
                }
                let left =
                    (hot.from < from).then(|| Hot { until: hot.until.min(from), ..hot.clone() });
                let right = (hot.until > until && holds_at_end && !goes_on).then(|| Hot {
                    from: until,
                    full_from: Some(until),
                    ..hot.clone()
                });
                [left, right]
            })
            .flatten()
            .collect();
    }
    hots
}

/// Joins intervals that touch; they come in order.
fn join(hots: Vec<Hot>, nature: Nature) -> Vec<Hot> {
    let mut joined: Vec<Hot> = Vec::new();
    for hot in hots {
        match joined.last_mut() {
            Some(last) if hot.from <= last.until => {
                last.until = last.until.max(hot.until);
                last.measured = last.measured.max(hot.measured);
                last.full_from = match (last.full_from, hot.full_from) {
                    (Some(a), Some(b)) => Some(a.min(b)),
                    (_, _) if nature.quiet_wins => None,
                    (a, b) => a.or(b),
                };
            }
            _ => joined.push(hot),
        }
    }
    joined
}

/// The episodes of a group, from its intervals in order of their beginning.
pub(super) fn episodes(key: &Key, hots: &[Hot], nature: Nature) -> Vec<Episode> {
    let mut episodes: Vec<Episode> = Vec::new();
    let mut full: Vec<(EventTime, &Hot)> =
        hots.iter().filter_map(|hot| Some((hot.full_from?, hot))).collect();
    full.sort_by_key(|(from, _)| *from);
    for (started_at, hot) in full {
        if nature.is_one_shot {
            episodes.push(Episode {
                key: key.clone(),
                started_at,
                ended_at: started_at,
                measured: hot.measured,
                reach: (hot.from, hot.until),
            });
            continue;
        }
        let ended_at = EventTime(hot.until.0.saturating_add(nature.keep_firing));
        match episodes.last_mut() {
            Some(last) if started_at <= last.ended_at => {
                last.ended_at = last.ended_at.max(ended_at);
                last.measured = match nature.measure {
                    Measure::Most => last.measured.max(hot.measured),
                    Measure::Fewest => last.measured.min(hot.measured),
                    Measure::Sum => last.measured + hot.measured,
                };
                last.reach.1 = last.ended_at;
            }
            _ => episodes.push(Episode {
                key: key.clone(),
                started_at,
                ended_at,
                measured: hot.measured,
                reach: (started_at, ended_at),
            }),
        }
    }
    episodes
}

/// A stored alert near changes.
#[derive(Clone, Debug, PartialEq)]
pub(super) struct Stored {
    pub(super) id: i64,
    pub(super) key: Key,
    pub(super) started_at: EventTime,
    pub(super) ended_at: EventTime,
}

/// What is to be done with stored alerts before they can grow to their episodes.
#[derive(Clone, Debug, Default, PartialEq)]
pub(super) struct Cuts {
    /// Those that no episode overlaps any more.
    pub(super) retracted: Vec<i64>,
    /// Those that reach beyond the episode that they are of now, with what is within it.
    pub(super) shortened: Vec<(i64, EventTime, EventTime)>,
}

/// Fits stored alerts into episodes: each into the first one that overlaps it.
///
/// After that none overlaps two episodes, and none that of another alert.
pub(super) fn cuts(stored: &[Stored], episodes: &[Episode]) -> Cuts {
    let mut cuts = Cuts::default();
    for alert in stored {
        let overlapping = episodes.iter().filter(|episode| {
            episode.key == alert.key
                && episode.reach.0 <= alert.ended_at
                && alert.started_at <= episode.reach.1
        });
        match overlapping.min_by_key(|episode| episode.reach.0) {
            None => cuts.retracted.push(alert.id),
            Some(episode) => {
                let started_at = alert.started_at.max(episode.reach.0);
                let ended_at = alert.ended_at.min(episode.reach.1);
                if (started_at, ended_at) != (alert.started_at, alert.ended_at) {
                    cuts.shortened.push((alert.id, started_at, ended_at));
                }
            }
        }
    }
    cuts
}

#[cfg(test)]
mod tests {
    use super::*;

    const NATURE: Nature =
        Nature { is_one_shot: false, quiet_wins: false, measure: Measure::Most, keep_firing: 0 };

    fn hot(from: i64, until: i64) -> Hot {
        Hot {
            from: EventTime(from),
            until: EventTime(until),
            full_from: Some(EventTime(from)),
            measured: 1.0,
        }
    }

    fn change(from: i64, until: i64, is_hot: bool, replaces: Replaces) -> Change {
        Change { hot: hot(from, until), is_hot, replaces }
    }

    fn shown(hots: &[Hot]) -> Vec<(i64, i64)> {
        hots.iter().map(|hot| (hot.from.0, hot.until.0)).collect()
    }

    #[test]
    fn a_range_is_replaced_and_what_lies_around_it_stays() {
        let kept = [hot(0, 10), hot(20, 30), hot(40, 50)];
        let mut changes =
            vec![change(5, 45, false, Replaces::Range), change(22, 24, true, Replaces::Range)];
        // What holds at the end of the range is not known yet, nor what goes on from there.
        assert_eq!(shown(&changed(&kept, &changes, NATURE)), [(0, 5), (22, 24)]);
        changes.push(change(42, 45, true, Replaces::Range));
        let after = [(0, 5), (22, 24), (42, 45), (45, 50)];
        assert_eq!(shown(&changed(&kept, &changes, NATURE)), after);
        let overlapping = [
            change(0, 10, false, Replaces::Range),
            change(0, 10, true, Replaces::Range),
            change(0, 15, false, Replaces::Range),
            change(0, 15, true, Replaces::Range),
        ];
        assert_eq!(shown(&changed(&[hot(5, 20)], &overlapping, NATURE)), [(0, 15), (15, 20)]);
        let all = [change(0, 50, false, Replaces::Range)];
        assert_eq!(shown(&changed(&kept, &all, NATURE)), []);
    }

    #[test]
    fn an_interval_is_replaced_by_the_one_that_begins_with_it() {
        let kept = [hot(0, 10), hot(20, 30)];
        let changes = [
            change(0, 15, true, Replaces::Key),
            change(0, 12, true, Replaces::Key),
            change(20, 30, false, Replaces::Key),
            change(5, 6, false, Replaces::Key),
        ];
        assert_eq!(shown(&changed(&kept, &changes, NATURE)), [(0, 12)]);
        let changes = [change(0, 8, true, Replaces::Key), change(0, 12, false, Replaces::Key)];
        assert_eq!(shown(&changed(&kept, &changes, NATURE)), [(20, 30)]);
    }

    #[test]
    fn what_touches_is_joined() {
        let kept = [hot(0, 10), hot(12, 20)];
        let changes = [change(10, 12, true, Replaces::Join), change(30, 31, true, Replaces::Join)];
        assert_eq!(shown(&changed(&kept, &changes, NATURE)), [(0, 20), (30, 31)]);
        let quiet = Hot { full_from: None, ..hot(0, 10) };
        let changes = [change(5, 12, true, Replaces::Join)];
        let known =
            changed(std::slice::from_ref(&quiet), &changes, Nature { quiet_wins: true, ..NATURE });
        assert_eq!(known[0].full_from, None);
        let full = changed(&[quiet], &changes, NATURE);
        assert_eq!(full[0].full_from, Some(EventTime(5)));
    }

    #[test]
    fn intervals_make_episodes() {
        let key = Key { rule_id: 1, group: String::new() };
        let shown = |hots: &[Hot], nature| -> Vec<(i64, i64, f64)> {
            let episodes = episodes(&key, hots, nature);
            let shown = |one: &Episode| (one.started_at.0, one.ended_at.0, one.measured);
            episodes.iter().map(shown).collect()
        };
        let low = Hot { full_from: None, ..hot(25, 40) };
        let hots = [hot(0, 10), hot(10, 20), low, hot(42, 44)];
        assert_eq!(shown(&hots, NATURE), [(0, 20, 1.0), (42, 44, 1.0)]);
        let sum = Nature { measure: Measure::Sum, keep_firing: 22, ..NATURE };
        assert_eq!(shown(&hots, sum), [(0, 66, 3.0)]);
        let moments = Nature { is_one_shot: true, ..NATURE };
        assert_eq!(shown(&hots, moments), [(0, 0, 1.0), (10, 10, 1.0), (42, 42, 1.0)]);
        assert_eq!(shown(&[Hot { until: FOREVER, ..hot(5, 5) }], sum), [(5, i64::MAX, 1.0)]);
    }

    #[test]
    fn stored_alerts_are_fitted_into_episodes() {
        let key = Key { rule_id: 1, group: String::new() };
        let stored = |id, from, until| Stored {
            id,
            key: key.clone(),
            started_at: EventTime(from),
            ended_at: EventTime(until),
        };
        let episodes = episodes(&key, &[hot(5, 12), hot(18, 30)], NATURE);
        let cuts = cuts(&[stored(1, 0, 20), stored(2, 25, 26), stored(3, 31, 40)], &episodes);
        assert_eq!(cuts.retracted, [3]);
        assert_eq!(cuts.shortened, [(1, EventTime(5), EventTime(12))]);
    }
}
