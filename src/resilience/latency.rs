//! How long the answers of one service take: percentiles of its last calls.
//!
//! A histogram whose buckets grow by a fixed factor: a percentile is right to that factor wherever
//! it lies, and memory does not grow (the idea of HdrHistogram, G. Tene). What is old fades: all
//! counts are halved whenever they reach [`FULL`], so that the last few hundred calls decide.

use std::time::Duration;

use super::percent::Percent;

/// Buckets for each doubling of the time: a percentile is at most 19% too long, never too short.
const PER_DOUBLING: f64 = 4.0;

/// One bucket for what takes less than a millisecond, and 16 doublings: up to 65 s.
const BUCKETS: usize = 65;

/// Calls without which no percentile is given.
pub const ENOUGH: f64 = 20.0;

/// The weight of all calls at which it is halved.
pub const FULL: f64 = 1_000.0;

/// The latencies of one service.
#[derive(Clone, Debug)]
pub struct Latencies {
    /// The weight of the calls in each bucket. Not whole numbers: halved ones would be rounded, and
    /// the rare slow calls lost first.
    weights: [f64; BUCKETS],
    total: f64,
}

impl Latencies {
    /// Notes an answer that took that long. Calls that gave none are not to be noted: how long
    /// their answers would have taken is not known.
    pub fn observe(&mut self, took: Duration) {
        let last = BUCKETS - 1;
        if let Some(weight) = self.weights.get_mut(bucket(took).min(last)) {
            *weight += 1.0;
            self.total += 1.0;
        }
        if self.total >= FULL {
            self.weights.iter_mut().for_each(|weight| *weight /= 2.0);
            self.total /= 2.0;
        }
    }

    /// The time within which that share of the answers came; at most 65 s. `None` before enough
    /// calls were seen.
    pub fn percentile(&self, share: Percent) -> Option<Duration> {
        if self.total < ENOUGH {
            return None;
        }
        // A thousandth of a call is allowed for the rounding of sums.
        let rank = self.total * f64::from(share.hundredths()) / 100.0 - 0.001;
        let mut below = 0.0;
        let reached = self.weights.iter().position(|weight| {
            below += weight;
            below >= rank
        });
        Some(end_of(reached.unwrap_or(BUCKETS - 1)))
    }
}

impl Default for Latencies {
    fn default() -> Self {
        Self { weights: [0.0; BUCKETS], total: 0.0 }
    }
}

/// The bucket of a time; beyond the last one for the longest.
fn bucket(took: Duration) -> usize {
    let millis = took.as_micros() as f64 / 1_000.0;
    if millis < 1.0 { 0 } else { (millis.log2() * PER_DOUBLING) as usize + 1 }
}

/// The time that no call of a bucket took.
fn end_of(bucket: usize) -> Duration {
    Duration::from_secs_f64((bucket as f64 / PER_DOUBLING).exp2() / 1_000.0)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    fn p(hundredths: u32) -> Percent {
        Percent::new(hundredths)
    }

    #[test]
    fn nothing_is_said_before_enough_calls() {
        let mut latencies = Latencies::default();
        for _ in 0..19 {
            latencies.observe(ms(10));
        }
        assert_eq!(latencies.percentile(p(50)), None);
        latencies.observe(ms(10));
        assert!(latencies.percentile(p(50)).is_some());
    }

    #[test]
    fn times_of_every_size_have_a_bucket() {
        let table =
            [(0, 1.0), (1, 1.19), (2, 2.38), (16, 19.03), (1_000, 1_024.0), (60_000, 65_536.0), (u64::MAX, 65_536.0)];
        for (took, end) in table {
            let mut latencies = Latencies::default();
            (0..20).for_each(|_| latencies.observe(ms(took)));
            let found = latencies.percentile(p(95)).unwrap().as_secs_f64() * 1_000.0;
            assert!((found - end).abs() < 0.01, "of {took} ms: {found} ms");
        }
    }

    #[test]
    fn what_was_long_ago_fades() {
        let mut latencies = Latencies::default();
        (0..5_000).for_each(|_| latencies.observe(ms(10)));
        assert!(latencies.percentile(p(95)).unwrap() < ms(12));
        (0..60).for_each(|_| latencies.observe(ms(900)));
        assert!(latencies.percentile(p(95)).unwrap() > ms(900), "60 slow calls of the last thousand");
        (0..2_000).for_each(|_| latencies.observe(ms(10)));
        assert!(latencies.percentile(p(99)).unwrap() < ms(12));
    }

    proptest! {
        #[test]
        fn a_percentile_is_right_to_a_fifth(
            mut times in proptest::collection::vec(1u64..60_000, 20..900),
            share in 1u32..=100,
        ) {
            let mut latencies = Latencies::default();
            times.iter().for_each(|took| latencies.observe(ms(*took)));
            times.sort_unstable();
            // Nearest rank: the least time that the share reaches.
            let rank = (times.len() * share as usize).div_ceil(100);
            let exact = ms(times[rank - 1]).as_secs_f64();
            let found = latencies.percentile(p(share)).unwrap().as_secs_f64();
            prop_assert!((exact..=exact * 1.1893).contains(&found), "{found} for {exact}");
        }
    }
}
