//! Which of what was found is what was expected.

use super::expected::{ExpectedAlert, ExpectedNotification};

/// Something in a list of expectations; what was found of it is the same with everything said.
pub(super) trait Item {
    /// Whether `found` is all that this says.
    fn fits(&self, found: &Self) -> bool;

    /// Whether both may be about the same thing, and how much of what this says is true of
    /// `found`.
    fn likeness(&self, found: &Self) -> Option<usize>;
}

/// What became of two lists.
#[derive(Debug)]
pub(super) struct Matching {
    /// For each that was expected, the one that is it.
    pub(super) fitting: Vec<Option<usize>>,
    /// For each that was expected and is not there, the one that may have come instead.
    pub(super) instead: Vec<Option<usize>>,
    /// What nobody expected, and came instead of nothing.
    pub(super) new: Vec<usize>,
}

impl Matching {
    /// Gives as many of `wanted` as possible one of `found` each.
    pub(super) fn of<T: Item>(wanted: &[T], found: &[T]) -> Self {
        let taken_by = taken_by(wanted, found);
        let holder_of = |one: usize| taken_by.iter().position(|by| *by == Some(one));
        let fitting: Vec<Option<usize>> = (0..wanted.len()).map(holder_of).collect();
        let mut left: Vec<usize> =
            (0..found.len()).filter(|&one| taken_by[one].is_none()).collect();
        let mut instead = vec![None; wanted.len()];
        for (one, instead) in instead.iter_mut().enumerate() {
            if fitting[one].is_some() {
                continue;
            }
            let likest = left
                .iter()
                .enumerate()
                .filter_map(|(at, &other)| Some((at, wanted[one].likeness(&found[other])?)))
                // The first of those that are equally like it.
                .reduce(|best, next| if next.1 > best.1 { next } else { best });
            if let Some((at, _)) = likest {
                *instead = Some(left.remove(at));
            }
        }
        Self { fitting, instead, new: left }
    }

    /// Whether everything is as expected.
    pub(super) fn is_perfect(&self) -> bool {
        self.new.is_empty() && self.fitting.iter().all(Option::is_some)
    }
}

/// For each of `found`, the one of `wanted` that gets it.
///
/// One that says little fits many: taking the first for it could leave nothing for one that
/// says more. So one that finds its own taken has the other look for another (augmenting
/// paths).
fn taken_by<T: Item>(wanted: &[T], found: &[T]) -> Vec<Option<usize>> {
    fn place<T: Item>(
        wanted: &[T],
        found: &[T],
        one: usize,
        tried: &mut [bool],
        taken_by: &mut [Option<usize>],
    ) -> bool {
        for other in 0..found.len() {
            if tried[other] || !wanted[one].fits(&found[other]) {
                continue;
            }
            tried[other] = true;
            if taken_by[other].is_none_or(|holder| place(wanted, found, holder, tried, taken_by)) {
                taken_by[other] = Some(one);
                return true;
            }
        }
        false
    }
    let mut taken_by = vec![None; found.len()];
    for one in 0..wanted.len() {
        place(wanted, found, one, &mut vec![false; found.len()], &mut taken_by);
    }
    taken_by
}

fn says<T: PartialEq>(wanted: Option<&T>, found: Option<&T>) -> Option<bool> {
    wanted.map(|wanted| found == Some(wanted))
}

impl ExpectedAlert {
    /// Of everything that it says, whether it is true of `found`.
    fn sayings(&self, found: &Self) -> [Option<bool>; 8] {
        let near = |wanted: f64| found.measured.is_some_and(|found| (wanted - found).abs() < 0.001);
        [
            says(self.source.as_ref(), found.source.as_ref()),
            says(self.group.as_ref(), found.group.as_ref()),
            says(self.started_at.as_ref(), found.started_at.as_ref()),
            says(self.ended_at.as_ref(), found.ended_at.as_ref()),
            self.measured.map(near),
            says(self.number.as_ref(), found.number.as_ref()),
            says(self.state.as_ref(), found.state.as_ref()),
            says(self.withdrawn.as_ref(), found.withdrawn.as_ref()),
        ]
    }
}

impl ExpectedNotification {
    fn sayings(&self, found: &Self) -> [Option<bool>; 4] {
        [
            says(self.source.as_ref(), found.source.as_ref()),
            says(self.group.as_ref(), found.group.as_ref()),
            says(self.number.as_ref(), found.number.as_ref()),
            says(self.at.as_ref(), found.at.as_ref()),
        ]
    }
}

fn are_true(sayings: &[Option<bool>]) -> bool {
    sayings.iter().all(|saying| *saying != Some(false))
}

fn how_many(sayings: &[Option<bool>]) -> usize {
    sayings.iter().filter(|saying| **saying == Some(true)).count()
}

impl Item for ExpectedAlert {
    fn fits(&self, found: &Self) -> bool {
        self.rule == found.rule && are_true(&self.sayings(found))
    }

    fn likeness(&self, found: &Self) -> Option<usize> {
        (self.rule == found.rule).then(|| how_many(&self.sayings(found)))
    }
}

impl Item for ExpectedNotification {
    fn fits(&self, found: &Self) -> bool {
        self.rule == found.rule && self.kind == found.kind && are_true(&self.sayings(found))
    }

    fn likeness(&self, found: &Self) -> Option<usize> {
        let is_like = self.rule == found.rule && self.kind == found.kind;
        is_like.then(|| how_many(&self.sayings(found)))
    }
}

/// An entry is the same or another one.
impl Item for String {
    fn fits(&self, found: &Self) -> bool {
        self == found
    }

    fn likeness(&self, _: &Self) -> Option<usize> {
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn alert(rule: &str, number: Option<i64>, measured: Option<f64>) -> ExpectedAlert {
        ExpectedAlert { rule: rule.to_owned(), number, measured, ..ExpectedAlert::default() }
    }

    #[test]
    fn an_empty_list_asserts_silence() {
        let found = [alert("fatal", Some(1), Some(1.0))];
        assert!(Matching::of::<ExpectedAlert>(&[], &[]).is_perfect());
        assert!(!Matching::of(&[], &found).is_perfect());
    }

    #[test]
    fn an_alert_that_says_little_leaves_the_others_to_those_that_say_more() {
        let wanted = [alert("fatal", None, None), alert("fatal", None, Some(1.0))];
        let (one, two) = (alert("fatal", Some(1), Some(1.0)), alert("fatal", Some(1), Some(2.0)));
        for found in [[one.clone(), two.clone()], [two, one]] {
            assert!(Matching::of(&wanted, &found).is_perfect());
        }
    }

    #[test]
    fn what_came_instead_is_of_the_same_rule_and_as_like_as_can_be() {
        let wanted = [alert("burst", Some(2), Some(5.0)), alert("fatal", None, Some(3.0))];
        let found = [
            alert("burst", Some(1), Some(4.0)),
            alert("burst", Some(2), Some(4.0)),
            alert("other", None, None),
        ];
        let matching = Matching::of(&wanted, &found);
        assert_eq!(matching.fitting, [None, None]);
        assert_eq!(matching.instead, [Some(1), None]);
        assert_eq!(matching.new, [0, 2]);
    }
}
