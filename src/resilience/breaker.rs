//! Circuit breaker: whether calls go to one instance, by how the last ones went.
//!
//! ```text
//!            too many failures               its time is over
//!   closed ─────────────────────▶ open ─────────────────────▶ half open: one trial call
//!     ▲                            ▲           it failed           │        │
//!     │                            └───────────────────────────────┘        │
//!     └─────────────────────────────────────────────────────────────────────┘ it went well
//! ```
//!
//! The three states are those of M. Nygard, "Release It!" (2nd ed., chapter 5). That instances are
//! judged one by one, by the share of failures among a least number of calls, are thrown out for
//! failures in a row too, and stay out the longer the more often in a row that happened, is Envoy's
//! outlier detection; Envoy's time grows by its base each time, here it doubles, up to [`LONGEST`]
//! times the base.

use std::time::Duration;

use super::outcomes::{Outcomes, Totals};
use super::percent::Percent;
use crate::head::UnixMillis;

mod settings;

pub use settings::BreakerSettings;

/// How many times the base an instance stays out at most.
pub const LONGEST: u32 = 8;

/// When a breaker opens, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BreakerRule {
    /// The share of failures that opens it.
    pub failures: Percent,
    /// The calls in the window without which nothing is judged, and how many failures in a row open
    /// it, whatever the share: with many good calls in the window, what has died would get half as
    /// many again. At least 1.
    pub of_at_least: u32,
    /// How far back calls count.
    pub window: Duration,
    /// How long it is open the first time, and how long a trial may be out.
    pub open_for: Duration,
}

/// What a breaker is at.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum State {
    /// Calls go through and are counted.
    Closed,
    /// No call goes through before its time is over; then, one.
    Open,
    /// A trial call is out.
    HalfOpen,
}

/// The breaker of one instance.
#[derive(Clone, Debug)]
pub struct Breaker {
    rule: BreakerRule,
    state: State,
    /// Since when it holds calls back; `None` where there is nothing to wait for.
    since: Option<UnixMillis>,
    /// Changes of state so far: by it, a result finds whether it still matters.
    changes: u64,
    /// Times it opened without a trial going well.
    openings: u32,
    outcomes: Outcomes,
    /// Calls that failed since one went well.
    failed_in_a_row: u32,
}

/// A call that was begun, for [`Breaker::end`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Began {
    /// The changes at that time; `None` for a call that was sent in spite of the breaker.
    changes: Option<u64>,
}

impl Breaker {
    /// A closed breaker that knows nothing yet.
    pub fn new(rule: BreakerRule) -> Self {
        let outcomes = Outcomes::new(rule.window);
        Self { rule, state: State::Closed, since: None, changes: 0, openings: 0, outcomes, failed_in_a_row: 0 }
    }

    /// Whether a call may go to the instance at `now`. Changes nothing, so that it can be asked of
    /// instances that are not chosen then.
    pub fn admits(&self, now: UnixMillis) -> bool {
        let Some(since) = self.since else { return true };
        // A clock that was set back must not keep an instance out for longer than its time.
        let passed = Duration::from_millis(now.0.abs_diff(since.0));
        match self.state {
            State::Closed => true,
            State::Open => passed >= self.open_span(),
            State::HalfOpen => passed >= self.rule.open_for,
        }
    }

    /// Says that a call is sent at `now`. If the breaker admits it and is not closed, it is the
    /// trial. One that is not admitted can be sent all the same; its result says nothing here.
    pub fn begin(&mut self, now: UnixMillis) -> Began {
        if !self.admits(now) {
            return Began { changes: None };
        }
        if self.state != State::Closed {
            self.change(State::HalfOpen, Some(now));
        }
        Began { changes: Some(self.changes) }
    }

    /// Says how a call ended at `now`. Results from before the last change of state are too late to
    /// matter: those of calls begun before it opened, and that of a trial that was given up.
    pub fn end(&mut self, now: UnixMillis, ok: bool, began: Began) {
        if began.changes != Some(self.changes) {
            return;
        }
        match (self.state, ok) {
            (State::Closed, _) => {
                self.outcomes.record(now, ok);
                self.failed_in_a_row = if ok { 0 } else { self.failed_in_a_row.saturating_add(1) };
                if !ok && self.has_failed_too_often(now) {
                    self.open(now);
                }
            }
            (State::HalfOpen, true) => {
                self.change(State::Closed, None);
                self.openings = 0;
                self.failed_in_a_row = 0;
                self.outcomes = Outcomes::new(self.rule.window);
            }
            (State::HalfOpen, false) => self.open(now),
            (State::Open, _) => {}
        }
    }

    /// Says that a call was given up for a reason that is not the instance's, such as a client that
    /// went away. A trial can be made again at once.
    pub fn abandon(&mut self, began: Began) {
        if self.state == State::HalfOpen && began.changes == Some(self.changes) {
            self.change(State::Open, None);
        }
    }

    /// What it is at. An open one whose time is over stays open until a trial is sent.
    pub fn state(&self) -> State {
        self.state
    }

    /// How the calls of the window went, while it was closed.
    pub fn totals(&self, now: UnixMillis) -> Totals {
        self.outcomes.totals(now)
    }

    fn has_failed_too_often(&self, now: UnixMillis) -> bool {
        let Totals { calls, failures } = self.outcomes.totals(now);
        let BreakerRule { failures: share, of_at_least, .. } = self.rule;
        calls >= of_at_least && (self.failed_in_a_row >= of_at_least || share.is_reached(failures, calls))
    }

    fn open(&mut self, now: UnixMillis) {
        self.change(State::Open, Some(now));
        self.openings = self.openings.saturating_add(1);
    }

    fn change(&mut self, state: State, since: Option<UnixMillis>) {
        self.state = state;
        self.since = since;
        self.changes += 1;
    }

    fn open_span(&self) -> Duration {
        let doubled = 2_u32.saturating_pow(self.openings.saturating_sub(1));
        self.rule.open_for.saturating_mul(doubled.min(LONGEST))
    }
}

#[cfg(test)]
mod tests;
