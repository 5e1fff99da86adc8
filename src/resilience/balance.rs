//! Which instance of a service gets a call.
//!
//! | file | how | source |
//! | --- | --- | --- |
//! | [`round_robin`] | in turn, smoothly | nginx |
//! | [`random`] | by lot | |
//! | [`two_choices`] | the cheaper of two drawn by lot | Mitzenmacher |
//! | [`rendezvous`] | by a key, the same each time | Thaler and Ravishankar |
//!
//! All choose among [`Candidates`], each as often as its weight says.

use super::stable_hash;

pub mod random;
pub mod rendezvous;
pub mod round_robin;
pub mod two_choices;

/// An instance of a service.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Instance {
    /// Its part of the calls, in proportion to the others' weights. One of weight 0 gets none.
    pub weight: u32,
    /// The hash of its name: what [`rendezvous`] knows it by wherever it stands in the list.
    pub id: u64,
}

impl Instance {
    /// An instance by a name that is its own and stays, such as its URL.
    pub fn new(name: &str, weight: u32) -> Self {
        Self { weight, id: stable_hash::hash(name.as_bytes()) }
    }
}

/// The instances that one call can go to.
#[derive(Clone, Debug)]
pub struct Candidates {
    among: Vec<Candidate>,
    admitted: bool,
}

#[derive(Clone, Copy, Debug)]
struct Candidate {
    /// The place in the list of instances.
    at: usize,
    instance: Instance,
}

/// The instance that was chosen.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Choice {
    /// Its place in the list of instances.
    pub instance: usize,
    /// Whether it is admitted. One that is not was chosen because no other was left; whether that
    /// is better than to refuse the call is for the caller to say.
    pub admitted: bool,
}

impl Candidates {
    /// Those of `instances` that were not `tried` and are `admitted`, each by its place in the list.
    /// Where none of the untried is admitted, all of them: when everything seems to be down, it may
    /// be the view that is at fault (Envoy's panic mode).
    ///
    /// To try an instance twice, say of none that it was tried.
    pub fn of(instances: &[Instance], admitted: impl Fn(usize) -> bool, tried: impl Fn(usize) -> bool) -> Self {
        let all = instances.iter().enumerate().map(|(at, instance)| Candidate { at, instance: *instance });
        let untried: Vec<_> = all.filter(|candidate| candidate.instance.weight > 0 && !tried(candidate.at)).collect();
        let among: Vec<_> = untried.iter().filter(|candidate| admitted(candidate.at)).copied().collect();
        match among.is_empty() {
            true => Self { among: untried, admitted: false },
            false => Self { among, admitted: true },
        }
    }

    fn choice(&self, chosen: &Candidate) -> Choice {
        Choice { instance: chosen.at, admitted: self.admitted }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    /// What each way of choosing says.
    fn choices(candidates: &Candidates, unit: f64) -> [Option<Choice>; 4] {
        [
            round_robin::RoundRobin::default().choose(candidates),
            random::choose(candidates, unit),
            two_choices::choose(candidates, |_| 1.0, [unit, 1.0 - unit]),
            rendezvous::choose(candidates, &unit.to_string()),
        ]
    }

    #[test]
    fn what_was_not_tried_comes_before_what_is_admitted() {
        let instances = [1, 1, 0].map(|weight| Instance::new("any", weight));
        let table: [([bool; 3], [bool; 3], Option<Choice>); 6] = [
            // admitted, tried, chosen
            ([true, false, true], [false; 3], Some(Choice { instance: 0, admitted: true })),
            ([false, true, true], [false; 3], Some(Choice { instance: 1, admitted: true })),
            ([true, false, true], [true, false, false], Some(Choice { instance: 1, admitted: false })),
            ([false; 3], [false, true, false], Some(Choice { instance: 0, admitted: false })),
            ([true; 3], [false, true, false], Some(Choice { instance: 0, admitted: true })),
            // What has no weight gets nothing, even when nothing else is left.
            ([true; 3], [true, true, false], None),
        ];
        for (admitted, tried, chosen) in table {
            let candidates = Candidates::of(&instances, |at| admitted[at], |at| tried[at]);
            assert_eq!(choices(&candidates, 0.3), [chosen; 4], "admitted: {admitted:?}, tried: {tried:?}");
        }
        assert_eq!(choices(&Candidates::of(&[], |_| true, |_| false), 0.3), [None; 4]);
    }

    proptest! {
        #[test]
        fn an_instance_is_found_as_long_as_one_is_left(
            states in proptest::collection::vec((1u32..100, any::<bool>(), any::<bool>()), 0..12),
            unit in 0.0f64..1.0,
        ) {
            let instances: Vec<_> =
                states.iter().enumerate().map(|(at, state)| Instance::new(&at.to_string(), state.0)).collect();
            let candidates = Candidates::of(&instances, |at| states[at].1, |at| states[at].2);
            let untried = states.iter().any(|(_, _, tried)| !tried);
            let untried_and_admitted = states.iter().any(|(_, admitted, tried)| *admitted && !tried);
            for choice in choices(&candidates, unit) {
                prop_assert_eq!(choice.is_some(), untried);
                if let Some(Choice { instance, admitted }) = choice {
                    prop_assert!(!states[instance].2);
                    prop_assert_eq!((admitted, states[instance].1), (untried_and_admitted, untried_and_admitted));
                }
            }
        }
    }
}
