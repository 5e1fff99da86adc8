//! How the calls to one instance went of late.

use std::time::Duration;

use super::window::SlidingWindow;
use crate::head::UnixMillis;

/// How far back outcomes are remembered where nothing else is said.
pub const DEFAULT_WINDOW: Duration = Duration::from_secs(10);

/// Outcomes of calls over a sliding window.
#[derive(Clone, Debug)]
pub struct Outcomes(SlidingWindow<Totals>);

/// What a window of calls came to.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Totals {
    /// Calls that ended, either way.
    pub calls: u32,
    /// Those of them that failed.
    pub failures: u32,
}

impl Outcomes {
    /// No outcomes yet; each will be remembered for the time of `window`.
    pub fn new(window: Duration) -> Self {
        Self(SlidingWindow::new(window))
    }

    /// Notes a call that ended at `now`.
    pub fn record(&mut self, now: UnixMillis, ok: bool) {
        let bucket = self.0.bucket(now);
        bucket.calls = bucket.calls.saturating_add(1);
        bucket.failures = bucket.failures.saturating_add(u32::from(!ok));
    }

    /// The calls that ended in the window before `now`.
    pub fn totals(&self, now: UnixMillis) -> Totals {
        self.0.recent(now).fold(Totals::default(), |sum, bucket| Totals {
            calls: sum.calls.saturating_add(bucket.calls),
            failures: sum.failures.saturating_add(bucket.failures),
        })
    }
}

impl Default for Outcomes {
    fn default() -> Self {
        Self::new(DEFAULT_WINDOW)
    }
}

impl Totals {
    /// The share of the calls that failed, from 0 to 1; 0 where there were none.
    pub fn failure_share(self) -> f64 {
        f64::from(self.failures) / f64::from(self.calls.max(1))
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn ten_seconds_are_remembered() {
        let mut outcomes = Outcomes::default();
        let table = [
            // now, ok, calls, failures
            (1_000, true, 1, 0),
            (2_000, false, 2, 1),
            (10_999, false, 3, 2),
            (11_000, true, 3, 2),
            (12_000, true, 3, 1),
            (60_000, true, 1, 0),
            // The clock went back a little: what was recorded stands.
            (58_000, false, 2, 1),
            // It was set back for good: the outcomes of a time to come are no outcomes.
            (1_000, false, 1, 1),
        ];
        for (now, ok, calls, failures) in table {
            outcomes.record(UnixMillis(now), ok);
            assert_eq!(outcomes.totals(UnixMillis(now)), Totals { calls, failures }, "at {now}");
        }
    }

    proptest! {
        #[test]
        fn a_share_is_a_share(calls in proptest::collection::vec((0u64..30_000, any::<bool>()), 0..200)) {
            let mut outcomes = Outcomes::default();
            let recorded = calls.len();
            for (now, ok) in calls {
                outcomes.record(UnixMillis(now), ok);
                let totals = outcomes.totals(UnixMillis(now));
                prop_assert!(totals.failures <= totals.calls && totals.calls as usize <= recorded);
                prop_assert!((0.0..=1.0).contains(&totals.failure_share()));
            }
        }
    }
}
