//! Canary: a caller stays with the version that it was given.
//!
//! A caller's share decides, as a random number would, and is the same each time:
//! `random::choose(candidates, canary::share(key, name))` of [`super::balance`]. With the canary as
//! the first instance, raising its weight brings new callers to it and takes none away.

use super::stable_hash::{hash, joined, unit};

/// A number of [0, 1) for a caller's key, spread evenly over callers. `name` is the split's: two
/// splits of different names do not send the same callers to their canaries.
pub fn share(key: &str, name: &str) -> f64 {
    unit(joined(hash(name.as_bytes()), hash(key.as_bytes())))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resilience::balance::{Candidates, Instance, random};

    const CALLERS: usize = 20_000;

    /// The version of each caller: 0 is the canary.
    fn versions(name: &str, weights: [u32; 2]) -> Vec<usize> {
        let instances = weights.map(|weight| Instance::new("any", weight));
        let candidates = Candidates::of(&instances, |_| true, |_| false);
        let version = |caller| random::choose(&candidates, share(&format!("user-{caller}"), name)).unwrap().instance;
        (0..CALLERS).map(version).collect()
    }

    #[test]
    fn shares_are_near_the_weights_and_stay() {
        for canary in [1, 5, 20, 50, 99] {
            let versions = versions("checkout", [canary, 100 - canary]);
            let share = versions.iter().filter(|version| **version == 0).count() as f64 / CALLERS as f64;
            assert!((share - f64::from(canary) / 100.0).abs() < 0.01, "{share} of {canary}%");
            assert_eq!(versions, self::versions("checkout", [canary, 100 - canary]));
        }
    }

    #[test]
    fn a_growing_canary_keeps_its_callers() {
        let [small, large] = [[5, 95], [20, 80]].map(|weights| versions("checkout", weights));
        assert!(small.iter().zip(&large).all(|(before, after)| after <= before));
    }

    #[test]
    fn splits_of_different_names_are_independent() {
        let [one, other] = ["checkout", "search"].map(|name| versions(name, [10, 90]));
        let both = one.iter().zip(&other).filter(|(one, other)| **one == 0 && **other == 0).count();
        assert!((150..250).contains(&both), "{both} of {CALLERS} callers, where 1% is chance");
    }
}
