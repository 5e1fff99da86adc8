//! In turn, each instance as often as its weight says, and never many times in a row for it.
//!
//! nginx's smooth weighted round robin (M. Dounin's commit "Upstream: smooth weighted round-robin
//! balancing", 2012): each candidate gains its weight, the richest is chosen and pays what all
//! gained together. Weights 5, 1, 1 come as `a a b a c a a`.

use super::{Candidates, Choice, Instance};

/// The turns of one service's instances.
#[derive(Clone, Debug, Default)]
pub struct RoundRobin {
    /// What each instance has gained and not paid, by its place in the list.
    gained: Vec<i64>,
}

impl RoundRobin {
    /// Turns that begin somewhere, as `unit_random` of [0, 1) says. The turns are of one isolate, of
    /// which there are many and short-lived ones: if each began at the beginning, the first
    /// instance would get too much.
    pub fn begun(instances: &[Instance], unit_random: f64) -> Self {
        let total: u64 = instances.iter().map(|instance| u64::from(instance.weight)).sum();
        let mut turns = Self::default();
        let all = Candidates::of(instances, |_| true, |_| false);
        // A thousand turns come near any point of the cycle, however large the weights.
        for _ in 0..(unit_random * total.min(1_000) as f64) as u64 {
            turns.choose(&all);
        }
        turns
    }

    /// The instance whose turn it is; `None` where there is no candidate.
    pub fn choose(&mut self, candidates: &Candidates) -> Option<Choice> {
        let places = candidates.among.iter().map(|candidate| candidate.at + 1).max()?;
        if self.gained.len() < places {
            self.gained.resize(places, 0);
        }
        let (mut total, mut richest) = (0, None);
        for candidate in &candidates.among {
            let gained = self.gained.get_mut(candidate.at)?;
            *gained += i64::from(candidate.instance.weight);
            total += i64::from(candidate.instance.weight);
            if richest.is_none_or(|(_, most)| *gained > most) {
                richest = Some((candidate, *gained));
            }
        }
        let (chosen, _) = richest?;
        *self.gained.get_mut(chosen.at)? -= total;
        Some(candidates.choice(chosen))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn instances(weights: &[u32]) -> Vec<Instance> {
        weights.iter().map(|weight| Instance::new("any", *weight)).collect()
    }

    fn turns(turns: &mut RoundRobin, instances: &[Instance], down: &[usize], count: usize) -> String {
        let candidates = Candidates::of(instances, |at| !down.contains(&at), |_| false);
        (0..count).map(|_| char::from(b'a' + turns.choose(&candidates).unwrap().instance as u8)).collect()
    }

    #[test]
    fn turns_come_smoothly() {
        for (weights, expected) in [
            (&[5, 1, 1][..], "aabacaa aabacaa"),
            (&[1, 1, 1], "abc abc"),
            (&[3, 2], "ababa ababa"),
            (&[7], "aaa"),
            (&[4, 0, 1], "aacaa aacaa"),
        ] {
            let expected = expected.replace(' ', "");
            let found = turns(&mut RoundRobin::default(), &instances(weights), &[], expected.len());
            assert_eq!(found, expected, "of {weights:?}");
        }
    }

    #[test]
    fn an_instance_that_was_down_does_not_catch_up() {
        let (mut state, instances) = (RoundRobin::default(), instances(&[1, 1, 1]));
        assert_eq!(turns(&mut state, &instances, &[], 3), "abc");
        assert_eq!(turns(&mut state, &instances, &[1], 6), "acacac");
        assert_eq!(turns(&mut state, &instances, &[], 6).matches('b').count(), 2);
    }

    #[test]
    fn many_isolates_together_keep_to_the_weights() {
        let instances = instances(&[6, 3, 1]);
        let mut first = [0; 3];
        for isolate in 0..1_000 {
            let mut state = RoundRobin::begun(&instances, f64::from(isolate) / 1_000.0);
            let all = Candidates::of(&instances, |_| true, |_| false);
            first[state.choose(&all).unwrap().instance] += 1;
        }
        assert_eq!(first, [600, 300, 100], "of the first calls of a thousand isolates");
    }

    proptest! {
        #[test]
        fn a_cycle_has_each_as_often_as_its_weight(
            weights in proptest::collection::vec(1u32..30, 1..8),
            begin in 0.0f64..1.0,
        ) {
            let instances = instances(&weights);
            let mut state = RoundRobin::begun(&instances, begin);
            let cycle = turns(&mut state, &instances, &[], weights.iter().sum::<u32>() as usize);
            for (letter, weight) in ('a'..).zip(&weights) {
                prop_assert_eq!(cycle.matches(letter).count(), *weight as usize);
            }
        }
    }
}
