//! One request on its way through the gateway.

use std::cell::Cell;
use std::time::Duration;

use crate::allowance::Allowance;
use crate::gateway::{Gateway, Route};
use crate::head::Head;
use crate::platform::{CallError, Platform};
use crate::policy::credential::Carrier;
use crate::policy::headers::HeaderEdits;
use crate::refusal::Refusal;
use crate::trace::Trace;

/// One request on its way.
pub struct Visit<'v, P> {
    /// The gateway.
    pub gateway: &'v Gateway,
    /// The request.
    pub head: &'v Head,
    /// Whether it is one of a batch.
    pub is_within: bool,
    /// Where credentials are that services are not to have.
    pub hidden_credentials: Vec<&'v Carrier>,
    /// What the platform still allows for it.
    pub allowance: &'v Allowance,
    /// The runtime.
    pub platform: &'v P,
    /// How many bytes of the body were read, if it was, so that it is not there to be streamed on.
    pub read_of_body: Cell<Option<u64>>,
    /// Whether caches know by `Authorization` that what is answered is for one caller.
    pub caches_know_caller: bool,
    /// What is noted for the log.
    pub trace: Trace,
    /// What the answer must carry, whatever it turns out to be.
    pub answer_edits: HeaderEdits,
}

impl<P: Platform> Visit<'_, P> {
    /// The client's body, of at most so many bytes, if it is said to be JSON. A page of another origin can send any
    /// other type without asking first, cookies and all.
    pub async fn json_body(&self, most: u32) -> Result<Vec<u8>, Refusal> {
        if !self.head.headers.say_json() {
            return Err(Refusal::OtherContentType);
        }
        Ok(self.whole_body(most).await?)
    }

    /// The client's body, of at most so many bytes; it is kept to be sent on.
    pub async fn whole_body(&self, most: u32) -> Result<Vec<u8>, CallError> {
        self.read_of_body.set(Some(0));
        let body = self.platform.body(most, self.time_left()).await?;
        self.read_of_body.set(u64::try_from(body.len()).ok());
        Ok(body)
    }

    /// Keeps from services what rules keep from them that are not the route's: its clients may send it all the same.
    pub fn hide_credentials_of_other_routes(&mut self, route: &Route) {
        let is_of_other = |carrier: &&Carrier| !route.auth.iter().any(|rule| rule.looks_at(carrier));
        self.hidden_credentials.extend(self.gateway.hidden_credentials.iter().filter(is_of_other));
    }

    /// What is left of the time that the request has in all.
    pub fn time_left(&self) -> Duration {
        self.gateway.budget.saturating_sub(self.platform.now().since(self.head.arrived))
    }
}
