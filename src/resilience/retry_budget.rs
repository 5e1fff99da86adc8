//! Retry budget: how many calls to a service may be repeated, as a share of its calls.
//!
//! Retries help against a fault here and there. When everything fails, each caller's retries
//! multiply the load of a service that has too much already; so that they are paid for by the calls
//! that were made (Finagle's `RetryBudget`, taken over by linkerd). Hedged calls are repetitions
//! too, and to be paid for here.

use std::time::Duration;

use super::percent::Percent;
use super::window::SlidingWindow;
use crate::head::UnixMillis;

/// The share of calls that may be repeated where nothing else is said: Finagle's.
pub const DEFAULT_SHARE: Percent = Percent::new(20);

/// How far back calls pay for retries: Finagle's.
pub const WINDOW: Duration = Duration::from_secs(10);

/// The retries of one window that no call has to pay for. Without some, a service with less than
/// five calls in a window would never get one. Finagle has 100; but each isolate of a runtime
/// keeps a budget of its own, and the reserves add up.
pub const RESERVE: u64 = 10;

/// The budget of one service.
#[derive(Clone, Debug)]
pub struct RetryBudget {
    share: Percent,
    window: SlidingWindow<Spending>,
}

#[derive(Clone, Copy, Debug, Default)]
struct Spending {
    calls: u64,
    retries: u64,
}

impl RetryBudget {
    /// A budget of that share of the calls, and the reserve.
    pub fn new(share: Percent) -> Self {
        Self { share, window: SlidingWindow::new(WINDOW) }
    }

    /// Counts a call that is sent for the first time.
    pub fn deposit(&mut self, now: UnixMillis) {
        self.window.bucket(now).calls += 1;
    }

    /// Takes a retry out of the budget. `false` if there is none left: then the call is not repeated.
    pub fn withdraw(&mut self, now: UnixMillis) -> bool {
        let (calls, retries) = self
            .window
            .recent(now)
            .fold((0, 0), |(calls, retries), spending| (calls + spending.calls, retries + spending.retries));
        let granted = retries < self.share.of(calls) + RESERVE;
        if granted {
            self.window.bucket(now).retries += 1;
        }
        granted
    }
}

impl Default for RetryBudget {
    fn default() -> Self {
        Self::new(DEFAULT_SHARE)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    fn at(millis: u64) -> UnixMillis {
        UnixMillis(1_000_000 + millis)
    }

    fn retries(budget: &mut RetryBudget, now: u64) -> usize {
        (0..10_000).take_while(|_| budget.withdraw(at(now))).count()
    }

    #[test]
    fn calls_pay_for_retries_and_both_are_forgotten() {
        let mut budget = RetryBudget::default();
        assert_eq!(retries(&mut budget, 0), 10, "the reserve");
        (0..100).for_each(|_| budget.deposit(at(1_000)));
        assert_eq!(retries(&mut budget, 1_500), 20, "a fifth of 100");
        assert_eq!(retries(&mut budget, 9_999), 0);
        assert_eq!(retries(&mut budget, 10_000), 10, "the reserve is back");
        assert_eq!(retries(&mut budget, 30_000), 10, "100 calls of long ago pay for nothing");
    }

    #[test]
    fn an_outage_gets_a_fifth_more_load_and_not_twice_as_much() {
        let mut budget = RetryBudget::default();
        let mut sent = 0;
        // 100 calls a second for a minute; all fail, and each would be tried up to three times.
        for call in 0..6_000 {
            budget.deposit(at(call * 10));
            sent += 1 + (0..2).filter(|_| budget.withdraw(at(call * 10))).count();
        }
        assert!((7_200..7_300).contains(&sent), "{sent} calls were sent for 6000");
    }

    proptest! {
        #[test]
        fn never_more_than_share_and_reserve(
            steps in proptest::collection::vec((0u64..500, any::<bool>()), 1..400),
            share in 1u32..=100,
        ) {
            let mut budget = RetryBudget::new(Percent::new(share));
            let (mut now, mut calls, mut granted) = (0, Vec::new(), Vec::new());
            for (gap, is_call) in steps {
                now += gap;
                if is_call {
                    budget.deposit(at(now));
                    calls.push(now);
                } else if budget.withdraw(at(now)) {
                    granted.push(now);
                    // What was granted in the time that the window surely covers is paid for by
                    // the calls of the time that it covers at most.
                    let retries = granted.iter().filter(|time| now - **time <= 9_000).count() as u64;
                    let calls = calls.iter().filter(|time| now - **time < 10_000).count() as u64;
                    prop_assert!(retries <= Percent::new(share).of(calls) + RESERVE);
                }
            }
        }
    }
}
