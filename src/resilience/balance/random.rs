//! By lot: each instance as often as its weight says.

use super::{Candidate, Candidates, Choice};

/// The instance that `unit` of [0, 1) falls on; `None` where there is no candidate.
pub fn choose(candidates: &Candidates, unit: f64) -> Option<Choice> {
    by_weight(candidates.among.iter(), unit).map(|chosen| candidates.choice(chosen))
}

/// The candidate on whose part of the whole weight `unit` falls.
pub(super) fn by_weight<'c>(
    candidates: impl Iterator<Item = &'c Candidate> + Clone,
    unit: f64,
) -> Option<&'c Candidate> {
    let weight = |candidate: &Candidate| u64::from(candidate.instance.weight);
    let total: u64 = candidates.clone().map(weight).sum();
    let mut mark = (unit * total as f64) as u64;
    let mut last = None;
    for candidate in candidates {
        if mark < weight(candidate) {
            return Some(candidate);
        }
        mark -= weight(candidate);
        last = Some(candidate);
    }
    last // of a unit that was rounded up to 1
}

#[cfg(test)]
mod tests {
    use super::super::Instance;
    use super::*;

    #[test]
    fn each_has_its_part_of_the_line() {
        let instances = [1, 2, 0, 1].map(|weight| Instance::new("any", weight));
        let candidates = Candidates::of(&instances, |_| true, |_| false);
        for (unit, chosen) in [
            (0.0, 0),
            (0.249, 0),
            (0.25, 1),
            (0.749, 1),
            (0.75, 3),
            (0.999_999, 3),
            (1.0, 3),
            (7.0, 3),
            (-1.0, 0),
            (f64::NAN, 0),
        ] {
            assert_eq!(choose(&candidates, unit).map(|choice| choice.instance), Some(chosen), "at {unit}");
        }
    }
}
