//! The cheaper of two instances that were drawn by lot.
//!
//! Two are enough: the longest queue is exponentially shorter than with one (M. Mitzenmacher, "The
//! Power of Two Choices in Randomized Load Balancing", IEEE TPDS 12(10), 2001). And unlike the
//! cheapest of all, whom every isolate would find at the same time, two are not overrun.

use super::random::by_weight;
use super::{Candidates, Choice};

/// The one that costs less for its weight, of two that are drawn by their weights. `cost` is what
/// one more call costs at a place of the list of instances, in any unit: calls in flight with it, or
/// [`crate::resilience::peak_ewma::PeakEwma::cost`], in which failures count. The `units` are of
/// [0, 1). `None` where there is no candidate.
pub fn choose(candidates: &Candidates, cost: impl Fn(usize) -> f64, units: [f64; 2]) -> Option<Choice> {
    let [first_unit, second_unit] = units;
    let first = by_weight(candidates.among.iter(), first_unit)?;
    let others = candidates.among.iter().filter(|other| other.at != first.at);
    // As with weighted least connections: twice the weight may have twice the load.
    let for_its_weight = |at, weight| cost(at) / f64::from(weight);
    let chosen = match by_weight(others, second_unit) {
        Some(second)
            if for_its_weight(second.at, second.instance.weight) < for_its_weight(first.at, first.instance.weight) =>
        {
            second
        }
        _ => first,
    };
    Some(candidates.choice(chosen))
}

#[cfg(test)]
mod tests {
    use super::super::{Instance, random};
    use super::*;
    use crate::resilience::stable_hash::{hash, unit};

    /// Random numbers, the same in every run.
    fn units(seed: &str) -> impl Iterator<Item = f64> {
        (0..).map(move |number: u32| unit(hash(format!("{seed} {number}").as_bytes())))
    }

    fn instances(weights: &[u32]) -> Vec<Instance> {
        weights.iter().map(|weight| Instance::new("any", *weight)).collect()
    }

    #[test]
    fn the_cheaper_of_two_for_its_weight() {
        let table = [
            // weights, costs, units, chosen
            ([1, 1, 1], [5.0, 1.0, 0.0], [0.0, 0.0], 1),
            ([1, 1, 1], [5.0, 1.0, 0.0], [0.0, 0.9], 2),
            ([1, 1, 1], [1.0, 5.0, 9.0], [0.4, 0.9], 1),
            ([1, 1, 1], [2.0, 2.0, 2.0], [0.9, 0.0], 2),
            ([1, 3, 1], [2.0, 5.0, 9.0], [0.0, 0.0], 1),
            ([1, 3, 1], [2.0, 7.0, 9.0], [0.0, 0.0], 0),
            ([1, 1, 1], [f64::NAN, f64::NAN, 1.0], [0.0, 0.0], 0),
        ];
        for (weights, costs, units, chosen) in table {
            let instances = instances(&weights);
            let candidates = Candidates::of(&instances, |_| true, |_| false);
            let choice = choose(&candidates, |at| costs[at], units).unwrap();
            assert_eq!(choice.instance, chosen, "{weights:?}, {costs:?}, {units:?}");
        }
    }

    #[test]
    fn two_choices_make_short_queues() {
        let (count, calls) = (300, 30_000);
        let instances = instances(&vec![1; count]);
        let candidates = Candidates::of(&instances, |_| true, |_| false);
        let mut random_numbers = units("queues");
        let mut draw = || random_numbers.next().unwrap();
        let (mut by_lot, mut by_two) = (vec![0_u32; count], vec![0_u32; count]);
        for _ in 0..calls {
            by_lot[random::choose(&candidates, draw()).unwrap().instance] += 1;
            let chosen = choose(&candidates, |at| f64::from(by_two[at] + 1), [draw(), draw()]).unwrap();
            by_two[chosen.instance] += 1;
        }
        let [longest_by_lot, longest_by_two] = [by_lot, by_two].map(|queues| queues.into_iter().max().unwrap());
        assert!(
            longest_by_two <= 103 && longest_by_lot >= 120,
            "{longest_by_two} and {longest_by_lot}, 100 on average"
        );
    }

    #[test]
    fn under_load_calls_keep_to_the_weights() {
        let instances = instances(&[4, 2, 1, 1]);
        let candidates = Candidates::of(&instances, |_| true, |_| false);
        let mut random_numbers = units("weights");
        let mut draw = || random_numbers.next().unwrap();
        let mut queues = [0_u32; 4];
        for _ in 0..8_000 {
            let chosen = choose(&candidates, |at| f64::from(queues[at] + 1), [draw(), draw()]).unwrap();
            queues[chosen.instance] += 1;
        }
        for (found, expected) in queues.into_iter().zip([4_000, 2_000, 1_000, 1_000]) {
            assert!(found.abs_diff(expected) < 20, "{queues:?}");
        }
    }
}
