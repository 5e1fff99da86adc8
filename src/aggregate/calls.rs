//! The calls that are made for one aggregate: equal ones once.

use std::cell::RefCell;
use std::rc::Rc;

use futures::future::{FutureExt, LocalBoxFuture, Shared};

use super::plan::PartCall;
use crate::call::{Wanted, call};
use crate::head::Headers;
use crate::platform::{Call, CallError, Fetched, Platform};
use crate::policy::headers::Field;
use crate::resilience::retry::Body;
use crate::visit::Visit;

/// What is asked of a service.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Asked {
    /// Path and query.
    pub target: String,
    /// Header fields.
    pub headers: Rc<Vec<Field>>,
    /// The body.
    pub body: Option<String>,
    /// The value that finds an instance, where that is how.
    pub key: Option<String>,
}

/// An answer that was read whole.
#[derive(Debug)]
pub struct Answered {
    /// Its status.
    pub status: u16,
    /// Those of the wanted header fields that there are.
    pub headers: Headers,
    /// Its body; `Err` is with `U+FFFD` for what is not UTF-8.
    pub body: std::result::Result<String, String>,
}

impl Answered {
    /// Its body as text.
    pub fn text(&self) -> &str {
        match &self.body {
            Ok(text) | Err(text) => text,
        }
    }
}

impl From<Fetched> for Answered {
    fn from(Fetched { status, headers, body }: Fetched) -> Self {
        let body = String::from_utf8(body).map_err(|error| String::from_utf8_lossy(error.as_bytes()).into_owned());
        Self { status, headers, body }
    }
}

type Result<T> = std::result::Result<T, CallError>;

/// A call that others may want too.
type InCommon<'v> = Shared<LocalBoxFuture<'v, Result<Rc<Answered>>>>;

/// A call, and its answer.
struct Made<'v> {
    plan: &'v PartCall,
    asked: Rc<Asked>,
    answer: InCommon<'v>,
}

impl Made<'_> {
    /// Whether a call would bring the same.
    fn is_of(&self, plan: &PartCall, asked: &Asked) -> bool {
        let (mine, is_equal) = (self.plan, *self.asked == *asked);
        let is_read_alike = mine.max_answer == plan.max_answer && mine.reads == plan.reads && mine.wants == plan.wants;
        is_equal && is_read_alike && mine.timeout == plan.timeout && mine.service.name == plan.service.name
    }
}

/// The calls of one request. With it, those are dropped that are still under way.
pub struct Calls<'v, P> {
    visit: &'v Visit<'v, P>,
    /// Those that others may want too.
    shared: RefCell<Vec<Made<'v>>>,
}

impl<'v, P: Platform> Calls<'v, P> {
    /// None yet.
    pub fn new(visit: &'v Visit<'v, P>) -> Self {
        Self { visit, shared: RefCell::default() }
    }

    /// The answer to a call; that of an equal one, where there is one.
    pub async fn answer(&self, plan: &'v PartCall, asked: Asked) -> Result<Rc<Answered>> {
        let asked = Rc::new(asked);
        if !plan.may_have_equal {
            return make(self.visit, plan, asked).await;
        }
        let made = self.shared.borrow().iter().find(|made| made.is_of(plan, &asked)).map(|made| made.answer.clone());
        let answer = made.unwrap_or_else(|| {
            let answer = make(self.visit, plan, Rc::clone(&asked)).boxed_local().shared();
            self.shared.borrow_mut().push(Made { plan, asked, answer: answer.clone() });
            answer
        });
        answer.await
    }
}

/// Makes a call.
async fn make<P: Platform>(visit: &Visit<'_, P>, plan: &PartCall, asked: Rc<Asked>) -> Result<Rc<Answered>> {
    let wanted = Wanted {
        method: plan.method,
        target: &asked.target,
        body: if asked.body.is_some() { Body::Kept } else { Body::None },
        has_idempotency_key: false,
        key: asked.key.as_deref(),
        timeout: plan.timeout,
        retry: plan.retry.as_ref(),
    };
    let make = async |url, within| {
        let call = Call {
            method: plan.method,
            url,
            binding: plan.service.binding.clone(),
            headers: Rc::clone(&asked.headers),
            body: asked.body.clone(),
            reads: plan.reads.clone(),
            wants: plan.wants.clone(),
            max_answer: plan.max_answer,
            outlives_client: false,
        };
        visit.platform.fetch(&call, within).await
    };
    let brought = call(&plan.service, wanted, visit, make, drop).await?;
    Ok(Rc::new(brought.answer.into()))
}
