//! What a call to one instance costs, by how long its calls took of late.
//!
//! A moving average with exponential weights (EWMA) that rises to a peak at once and comes down
//! slowly: an instance that stalls is seen after its first slow answer. The cost of a call there is
//! the average times the calls that would be in flight with it. As in Finagle's `peakEwma` balancer,
//! taken over by linkerd; that failures cost as well is our own.

use std::time::Duration;

use crate::head::UnixMillis;

/// In which time a peak is half forgotten. Finagle forgets to 1/e in 10 s, which is as fast.
pub const HALF_LIFE: Duration = Duration::from_secs(7);

/// What a failure costs, in milliseconds. Without that, an instance that fails at once would be the
/// cheapest, and draw all calls.
pub const FAILURE: f64 = 1_000.0;

/// The latency of one instance.
#[derive(Clone, Copy, Debug)]
pub struct PeakEwma {
    half_life: Duration,
    /// The average in milliseconds, and of when it is; `None` before the first answer.
    last: Option<(f64, UnixMillis)>,
}

impl PeakEwma {
    /// Nothing is known yet; half of it will be forgotten in `half_life`.
    pub fn new(half_life: Duration) -> Self {
        Self { half_life: half_life.max(Duration::from_millis(1)), last: None }
    }

    /// Notes an answer that came at `now` and took that long.
    pub fn observe(&mut self, now: UnixMillis, took: Duration) {
        let took = took.as_micros() as f64 / 1_000.0;
        let average = self.last.map_or(took, |(average, at)| {
            let kept = self.kept(at, now);
            average * kept + took * (1.0 - kept)
        });
        self.last = Some((took.max(average), now));
    }

    /// The estimate at `now`, in milliseconds; `None` before the first answer. Sinks while nothing
    /// is heard, so that an instance that was avoided is tried again.
    pub fn estimate(&self, now: UnixMillis) -> Option<f64> {
        self.last.map(|(average, at)| average * self.kept(at, now))
    }

    /// What one more call costs, in milliseconds: the estimate (at least one), and that share of a
    /// failure's cost, times the calls in flight with it.
    ///
    /// An instance that nothing is known of costs nothing as long as no call is in flight there:
    /// one call finds out, and not the whole crowd.
    pub fn cost(&self, now: UnixMillis, in_flight: u32, failure_share: f64) -> f64 {
        let in_flight = f64::from(in_flight);
        match self.estimate(now) {
            Some(estimate) => (estimate.max(1.0) + failure_share * FAILURE) * (in_flight + 1.0),
            None => (1.0 + failure_share) * FAILURE * in_flight,
        }
    }

    /// Which part of a value of the time `at` remains at `now`.
    fn kept(&self, at: UnixMillis, now: UnixMillis) -> f64 {
        0.5_f64.powf(now.since(at).as_secs_f64() / self.half_life.as_secs_f64())
    }
}

impl Default for PeakEwma {
    fn default() -> Self {
        Self::new(HALF_LIFE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: u64) -> UnixMillis {
        UnixMillis(1_000_000 + millis)
    }

    #[test]
    fn it_rises_at_once_and_comes_down_by_half_lives() {
        let mut latency = PeakEwma::new(Duration::from_secs(1));
        assert_eq!(latency.estimate(at(0)), None);
        let table = [
            // now, took, estimate
            (0, 40, 40.0),
            (0, 20, 40.0),
            (1_000, 20, 30.0),
            (2_000, 20, 25.0),
            (2_001, 500, 500.0),
            (3_001, 20, 260.0),
            // The clock went back: nothing is forgotten.
            (2_500, 20, 260.0),
        ];
        for (now, took, estimate) in table {
            latency.observe(at(now), Duration::from_millis(took));
            assert_eq!(latency.estimate(at(now)), Some(estimate), "at {now}");
        }
        assert_eq!(latency.estimate(at(4_500)), Some(65.0), "unheard of for two half-lives");
    }

    #[test]
    fn calls_in_flight_and_failures_cost() {
        let (unknown, mut known) = (PeakEwma::default(), PeakEwma::default());
        known.observe(at(0), Duration::from_millis(50));
        let table = [
            // calls in flight, share of failures; cost of the unknown, of the known
            (0, 0.0, 0.0, 50.0),
            (1, 0.0, 1_000.0, 100.0),
            (3, 0.0, 3_000.0, 200.0),
            (0, 0.01, 0.0, 60.0),
            (1, 1.0, 2_000.0, 2_100.0),
        ];
        for (in_flight, failures, of_unknown, of_known) in table {
            let costs = [unknown, known].map(|latency| latency.cost(at(0), in_flight, failures));
            assert_eq!(costs, [of_unknown, of_known], "{in_flight} in flight, {failures} failed");
        }
        let mut failing = PeakEwma::default();
        failing.observe(at(0), Duration::ZERO);
        assert!(failing.cost(at(0), 0, 1.0) > known.cost(at(0), 9, 0.0), "failing fast is not being fast");
        assert_eq!(known.cost(at(3_600_000), 4, 0.0), 5.0, "an idle one is taken for fast, and fills up");
    }

    proptest! {
        #[test]
        fn an_estimate_is_among_what_was_observed(
            observations in proptest::collection::vec((0u64..20_000, 0u64..5_000), 1..100),
        ) {
            let mut latency = PeakEwma::default();
            let mut most = 0;
            for (now, took) in observations {
                latency.observe(at(now), Duration::from_millis(took));
                most = most.max(took);
                let estimate = latency.estimate(at(now)).unwrap();
                prop_assert!((took as f64..=most as f64).contains(&estimate));
            }
        }
    }
}
