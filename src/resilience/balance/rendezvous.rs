//! By a key: calls of one key go to one instance, in every isolate alike.
//!
//! Highest random weight (D. Thaler and C. Ravishankar, "Using Name-Based Mappings to Increase Hit
//! Rates", IEEE/ACM ToN 6(1), 1998): each instance has a score for the key, the highest one has the
//! call. An instance that goes takes nothing but its own keys with it, and these are spread over all
//! the others. The score -weight / ln(hash), hash of (0, 1), gives each its share by weight
//! (C. Schindelhauer and G. Schomaker, "Weighted Distributed Hash Tables", SPAA 2005).

use super::{Candidates, Choice, Instance};
use crate::resilience::stable_hash::{hash, joined, unit};

/// The instance of a key; `None` where there is no candidate. Where the first one of a key is not
/// admitted or was tried, its next.
pub fn choose(candidates: &Candidates, key: &str) -> Option<Choice> {
    let key = hash(key.as_bytes());
    let highest = candidates.among.iter().max_by(|one, other| {
        let [one, other] = [one, other].map(|candidate| score(candidate.instance, key));
        one.total_cmp(&other)
    });
    highest.map(|chosen| candidates.choice(chosen))
}

fn score(instance: Instance, key: u64) -> f64 {
    -f64::from(instance.weight) / unit(joined(instance.id, key)).ln()
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const KEYS: usize = 20_000;

    fn named(weights: &[(&str, u32)]) -> Vec<Instance> {
        weights.iter().map(|(name, weight)| Instance::new(name, *weight)).collect()
    }

    fn numbered(first: u32, weights: &[u32]) -> Vec<Instance> {
        (first..).zip(weights).map(|(name, weight)| Instance::new(&format!("i{name}"), *weight)).collect()
    }

    fn place(instances: &[Instance], down: Option<usize>, key: usize) -> usize {
        let candidates = Candidates::of(instances, |at| Some(at) != down, |_| false);
        choose(&candidates, &format!("user-{key}")).unwrap().instance
    }

    #[test]
    fn the_places_of_keys_are_pinned() {
        // Isolates of two builds serve side by side: they have to agree.
        let instances = named(&[("https://a.example", 1), ("https://b.example", 2), ("https://c.example", 1)]);
        let places: Vec<_> = (0..12).map(|key| place(&instances, None, key)).collect();
        assert_eq!(places, [0, 2, 1, 1, 0, 0, 1, 1, 2, 1, 2, 1]);
    }

    #[test]
    fn shares_are_near_the_weights() {
        let instances = named(&[("a", 1), ("b", 2), ("c", 5), ("d", 0)]);
        let mut counts = [0_usize; 4];
        (0..KEYS).for_each(|key| counts[place(&instances, None, key)] += 1);
        for (count, eighths) in counts.into_iter().zip([1, 2, 5, 0]) {
            assert!(count.abs_diff(KEYS * eighths / 8) < KEYS / 100, "{counts:?}");
        }
    }

    #[test]
    fn the_keys_of_one_that_is_down_are_spread_over_the_others() {
        let instances = named(&[("a", 1), ("b", 1), ("c", 1), ("d", 1)]);
        let mut moved = [0_usize; 4];
        for key in (0..KEYS).filter(|key| place(&instances, None, *key) == 2) {
            moved[place(&instances, Some(2), key)] += 1;
        }
        let whole: usize = moved.iter().sum();
        assert_eq!(moved[2], 0);
        for to in [0, 1, 3] {
            assert!(moved[to].abs_diff(whole / 3) < whole / 20, "{moved:?}");
        }
    }

    proptest! {
        #[test]
        fn who_goes_takes_only_its_own_keys(
            weights in proptest::collection::vec(1u32..50, 2..10),
            gone in 0usize..10,
            names in 0u32..1_000,
        ) {
            let gone = gone % weights.len();
            let all = numbered(names, &weights);
            let mut rest = all.clone();
            rest.remove(gone);
            for key in 0..200 {
                let (before, after) = (place(&all, None, key), place(&rest, None, key));
                // What remains is known by its name, wherever it stands now.
                prop_assert!(before == gone || all[before] == rest[after]);
                prop_assert_eq!(all[place(&all, Some(gone), key)], rest[after], "down and gone are one");
            }
        }

        #[test]
        fn who_gets_more_weight_takes_keys_from_others_and_gives_none(
            weights in proptest::collection::vec(1u32..50, 2..10),
            raised in 0usize..10,
            by in 1u32..50,
        ) {
            let raised = raised % weights.len();
            let before = numbered(0, &weights);
            let mut after = before.clone();
            after[raised].weight += by;
            for key in 0..200 {
                let (was, is) = (place(&before, None, key), place(&after, None, key));
                prop_assert!(was == is || is == raised);
            }
        }
    }
}
