//! One request on its way through the gateway.

use std::cell::Cell;
use std::time::Duration;

use crate::gateway::Gateway;
use crate::head::Head;
use crate::platform::{CallError, Platform};
use crate::policy::headers::HeaderEdits;
use crate::trace::Trace;

/// One request on its way.
pub struct Visit<'v, P> {
    /// The gateway.
    pub gateway: &'v Gateway,
    /// The request.
    pub head: &'v Head,
    /// Whether it is one of a batch.
    pub is_within: bool,
    /// How many calls to services may still be made for it.
    pub calls_left: &'v CallsLeft,
    /// The runtime.
    pub platform: &'v P,
    /// What is noted for the log.
    pub trace: Trace,
    /// What the answer must carry, whatever it turns out to be.
    pub answer_edits: HeaderEdits,
}

impl<P: Platform> Visit<'_, P> {
    /// What is left of the time that the request has in all.
    pub fn time_left(&self) -> Duration {
        self.gateway.budget.saturating_sub(self.platform.now().since(self.head.arrived))
    }
}

/// How many calls to services may still be made for a request; those of a batch have them in common, as the
/// platform counts them.
#[derive(Debug)]
pub struct CallsLeft(Cell<u32>);

impl CallsLeft {
    /// So many.
    pub fn new(most: u32) -> Self {
        Self(Cell::new(most))
    }

    /// Takes one.
    pub fn take(&self) -> Result<(), CallError> {
        self.0.set(self.0.get().checked_sub(1).ok_or(CallError::TooManyCalls)?);
        Ok(())
    }
}
