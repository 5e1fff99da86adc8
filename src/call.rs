//! Calling a service: which instance, how often, and what is learned of it.
//!
//! A call goes to an instance whose breaker lets it through. If it gives no answer, or one that says
//! "not now", and may be repeated, the next instance is tried, as long as there is time, a try left and
//! retry budget. Where the file says so, a second call starts when the first takes longer than most, and
//! the first answer counts; and where the service sends to itself, it is called there.

mod redirect;

use std::cell::Cell;
use std::pin::pin;
use std::sync::MutexGuard;
use std::time::Duration;

use futures::future::{Either, select};

use crate::gateway::Service;
use crate::head::UnixMillis;
use crate::locked::locked;
use crate::platform::{CallError, Fetched, Forwarded, Platform};
use crate::pool::{Ended, Picked, Pool, UnderWay};
use crate::resilience::backoff::retry_after;
use crate::resilience::retry::{Body, RetryRule};
use crate::service_url::ServiceUrl;
use crate::visit::Visit;

/// How many redirects to itself a service may answer with.
const MOST_REDIRECTS: usize = 5;

/// What a call is, as far as it matters how it is made.
#[derive(Clone, Copy, Debug)]
pub struct Wanted<'c> {
    /// The method.
    pub method: &'c str,
    /// Path and query, below the service's own.
    pub target: &'c str,
    /// The body.
    pub body: Body,
    /// Whether the client sent an `Idempotency-Key`.
    pub has_idempotency_key: bool,
    /// The value by which an instance is found, where that is how.
    pub key: Option<&'c str>,
    /// The time that one try has.
    pub timeout: Duration,
    /// Whether and how it is tried again.
    pub retry: Option<&'c RetryRule>,
}

/// An answer that a call can bring.
pub trait Answered {
    /// Its status.
    fn status(&self) -> u16;
    /// The value of a header field of it, by its name in lower case.
    fn header(&self, name: &str) -> Option<&str>;
}

impl<R> Answered for Forwarded<R> {
    fn status(&self) -> u16 {
        match self {
            Self::Reply(reply) => reply.status,
            Self::HandedOn { status } => *status,
        }
    }

    fn header(&self, name: &str) -> Option<&str> {
        match self {
            Self::Reply(reply) => reply.headers.get(name),
            // The call's own maker said which it looks at.
            Self::HandedOn { .. } => None,
        }
    }
}

impl Answered for Fetched {
    fn status(&self) -> u16 {
        self.status
    }

    fn header(&self, name: &str) -> Option<&str> {
        self.headers.get(name)
    }
}

/// What a call brought.
pub struct Brought<T> {
    /// The answer.
    pub answer: T,
    /// The instance that it is of.
    pub picked: Picked,
    /// Path and query that it is of, after redirects.
    pub target: String,
}

/// Calls a service. `make` sends one call to a URL, which has at most the given time; `discard` lets go of
/// an answer that does not count. Without any time left no call is made.
pub async fn call<P: Platform, T: Answered>(
    service: &Service,
    wanted: Wanted<'_>,
    visit: &Visit<'_, P>,
    make: impl AsyncFn(String, Duration) -> Result<T, CallError>,
    discard: impl Fn(T),
) -> Result<Brought<T>, CallError> {
    let mut target = wanted.target.to_owned();
    let mut left = wanted.timeout;
    let mut redirects = 0;
    loop {
        let wanted = Wanted { target: &target, timeout: left, ..wanted };
        let sent = Cell::new(visit.platform.now());
        let make = async |url: &ServiceUrl, within| {
            sent.set(visit.platform.now());
            make(url.join(&target), within).await
        };
        let (answer, picked) = tried(service, wanted, visit, make, &discard).await?;
        match redirect::elsewhere(&answer, service, &picked.url, wanted).filter(|_| redirects < MOST_REDIRECTS) {
            Some(other) => {
                redirects += 1;
                target = other;
                discard(answer);
                // Of the time of the try that answered, however often the service sends elsewhere.
                left = left.saturating_sub(visit.platform.now().since(sent.get()));
                if left.is_zero() {
                    return Err(CallError::TimedOut);
                }
            }
            None => return Ok(Brought { answer, picked, target }),
        }
    }
}

/// Calls a service, again where that helps. Gives the answer and the instance that it is of.
async fn tried<P: Platform, T: Answered>(
    service: &Service,
    wanted: Wanted<'_>,
    visit: &Visit<'_, P>,
    make: impl AsyncFn(&ServiceUrl, Duration) -> Result<T, CallError>,
    discard: impl Fn(T),
) -> Result<(T, Picked), CallError> {
    let platform = visit.platform;
    service.discover(visit).await;
    if wanted.retry.is_some() || service.hedge.is_some() {
        service.pool().budget.deposit(platform.now());
    }

    let mut tried: Vec<u64> = Vec::new();
    let mut tries = 0;
    loop {
        let (result, picked) = one_or_hedged(service, wanted, visit, &mut tried, &make, &discard).await?;
        tries += 1;
        let verdict = result.as_ref().map(Answered::status).map_err(|error| *error);
        let is_of_use = |rule: &&RetryRule| {
            rule.may_repeat(wanted.method, wanted.body, wanted.has_idempotency_key) && rule.is_worth_repeating(verdict)
        };
        let Some(rule) = wanted.retry.filter(is_of_use) else { return result.map(|answer| (answer, picked)) };
        let now = platform.now();
        // An instance speaks for itself alone.
        let speaks = service.pool().len() == 1;
        let asked_for = result.as_ref().ok().filter(|_| speaks).and_then(|answer| answer.header("retry-after"));
        let asked_for = asked_for.and_then(|value| retry_after(value, now));
        let pause = rule.pause(tries, platform.random(), asked_for, visit.time_left());
        let Some(pause) = pause.filter(|_| service.pool().budget.withdraw(now)) else {
            return result.map(|answer| (answer, picked));
        };
        match result {
            Ok(answer) => {
                visit.trace.note(format!(
                    "service {} answered with status {}, tried again",
                    service.name,
                    answer.status()
                ));
                discard(answer);
            }
            Err(error) => visit.trace.note(format!("service {} {error}, tried again", service.name)),
        }
        platform.sleep(pause).await;
    }
}

type Tried<T> = (Result<T, CallError>, Picked);

/// One try, and where the file says so a second one beside it; `Err` if no instance takes calls.
async fn one_or_hedged<P: Platform, T: Answered>(
    service: &Service,
    wanted: Wanted<'_>,
    visit: &Visit<'_, P>,
    tried: &mut Vec<u64>,
    make: &impl AsyncFn(&ServiceUrl, Duration) -> Result<T, CallError>,
    discard: &impl Fn(T),
) -> Result<Tried<T>, CallError> {
    let platform = visit.platform;
    let mut pick = || {
        let picked = service.pool().pick(&service.balance, wanted.key, tried, platform.now(), || platform.random())?;
        tried.push(picked.id);
        Some(picked)
    };
    let _connection = visit.allowance.connection().await;
    // The request may be over by the time that its turn comes; the service could still do what is asked.
    if visit.time_left().is_zero() {
        return Err(CallError::TimedOut);
    }
    let first = pick().ok_or(CallError::NoInstance)?;
    if !first.is_admitted && service.breaker.is_some() {
        return Err(CallError::NotAdmitted);
    }
    let never = Cell::new(false);
    let wait = service.hedge.filter(|rule| rule.may_hedge(wanted.method, wanted.body));
    let Some(wait) = wait.and_then(|rule| rule.wait(&service.pool().latencies)) else {
        return Ok(one(service, wanted, visit, first, &never, make).await);
    };

    let (first_id, is_overtaken) = (first.id, Cell::new(false));
    let running = pin!(one(service, wanted, visit, first, &is_overtaken, make));
    let running = match select(running, pin!(platform.sleep(wait))).await {
        Either::Left((tried, _)) => return Ok(tried),
        Either::Right(((), running)) => running,
    };
    // It takes no connection that others wait for.
    let Some(_beside) = visit.allowance.free_connection() else { return Ok(running.await) };
    let second = pick().filter(|picked| picked.is_admitted && picked.id != first_id);
    let Some(second) = second.filter(|_| service.pool().budget.withdraw(platform.now())) else {
        return Ok(running.await);
    };
    visit.trace.note(format!("service {} took long, called twice", service.name));
    let beside = pin!(one(service, wanted, visit, second, &never, make));
    let is_good = |tried: &Tried<T>| tried.0.as_ref().is_ok_and(|answer| answer.status() < 500);
    // The first good answer; where there is none, the last.
    let (first_back, other) = match select(running, beside).await {
        Either::Left((tried, other)) => (tried, Either::Left(other)),
        Either::Right((tried, other)) => {
            is_overtaken.set(is_good(&tried));
            (tried, Either::Right(other))
        }
    };
    if is_good(&first_back) {
        return Ok(first_back);
    }
    if let Ok(answer) = first_back.0 {
        discard(answer);
    }
    Ok(match other {
        Either::Left(other) => other.await,
        Either::Right(other) => other.await,
    })
}

/// One call to one instance. Dropped while `is_overtaken`, it counts as one that went badly.
async fn one<P: Platform, T: Answered>(
    service: &Service,
    wanted: Wanted<'_>,
    visit: &Visit<'_, P>,
    picked: Picked,
    is_overtaken: &Cell<bool>,
    make: &impl AsyncFn(&ServiceUrl, Duration) -> Result<T, CallError>,
) -> Tried<T> {
    let now = || visit.platform.now();
    let under_way = Some(service.pool().begin(picked.id, now()));
    let call = Running { service, under_way, now: &now, is_overtaken };
    let result = match visit.allowance.take_call() {
        Ok(()) => make(&picked.url, visit.time_left().min(wanted.timeout)).await,
        Err(too_many) => Err(too_many),
    };
    let ended = match &result {
        // These say that the instance cannot, not that the request is at fault.
        Ok(answer) if matches!(answer.status(), 502..=504) => Ended::Badly,
        Ok(_) | Err(CallError::TooLarge) => Ended::Well,
        // The client's upload may be what was slow or broke off, which must not close a service to others.
        Err(CallError::TimedOut | CallError::Unreachable) if wanted.body == Body::Streamed => Ended::Abandoned,
        Err(CallError::TimedOut | CallError::Unreachable) => Ended::Badly,
        Err(_) => Ended::Abandoned,
    };
    call.end(ended);
    (result, picked)
}

/// A call under way. One that is dropped because the client went away says nothing of the instance; one
/// that a later call to another instance overtook, that it is slow.
struct Running<'s> {
    service: &'s Service,
    under_way: Option<UnderWay>,
    now: &'s dyn Fn() -> UnixMillis,
    is_overtaken: &'s Cell<bool>,
}

impl Running<'_> {
    fn end(mut self, ended: Ended) {
        self.report(ended);
    }

    fn report(&mut self, ended: Ended) {
        if let Some(call) = self.under_way.take() {
            self.service.pool().end(call, ended, (self.now)());
        }
    }
}

impl Drop for Running<'_> {
    fn drop(&mut self) {
        self.report(if self.is_overtaken.get() { Ended::Badly } else { Ended::Abandoned });
    }
}

impl Service {
    /// What is known of its instances. Never held over an await.
    pub(crate) fn pool(&self) -> MutexGuard<'_, Pool> {
        locked(&self.pool)
    }
}
