//! Handing a request on to one service, and its answer back.

mod at_once;

use std::ops::RangeInclusive;
use std::time::Duration;

use crate::answer::Answer;
use crate::call::{Brought, Wanted, call};
use crate::gateway::{Action, Destination, Fallback, Forward, Mirror, Route, Service};
use crate::head::{Head, Headers};
use crate::path::NormalPath;
use crate::platform::{AnswerOn, CallError, Forwarded, Onward, Platform, WhenClientLeaves};
use crate::policy::by::Who;
use crate::policy::credential::{hide, query_without};
use crate::policy::headers::{self, HeaderEdits};
use crate::policy::public_names::PublicNames;
use crate::policy::request_log::RequestLog;
use crate::refusal::Refusal;
use crate::resilience::canary;
use crate::resilience::retry::{Body, is_idempotent};
use crate::template::Values;
use crate::trace::Trace;
use crate::visit::Visit;

/// The largest body that is passed on where the file says nothing, in bytes: what Cloudflare's smallest
/// plan lets in.
pub(crate) const DEFAULT_MAX_BODY: u64 = 100 << 20;

/// The longest body that is kept to be sent again, in bytes.
const MAX_KEPT: u64 = 64 << 10;

/// The statuses of answers that say that a service gave none.
const STOOD_IN_FOR: RangeInclusive<u16> = 502..=504;

/// The longest time for which something may be kept for a client that nobody knows to have left.
const LONGEST_UNNOTICED: Duration = Duration::from_secs(30);

/// The answer of the service to the request, whose path is `path`. `is_first` says that it is the first
/// of its `Idempotency-Key`.
pub async fn answer<P: Platform>(
    forward: &Forward,
    route: &Route,
    path: &NormalPath,
    is_first: bool,
    values: &Values<'_>,
    visit: &Visit<'_, P>,
) -> Result<AnswerOn<P>, Refusal> {
    let most = route.max_body.unwrap_or(DEFAULT_MAX_BODY);
    // Of a body that is streamed and says no length, the bytes are counted on the way.
    let length = said_length(visit.head);
    if length.max(visit.read_of_body.get()).is_some_and(|length| length > most) {
        return Err(Refusal::BodyTooLarge);
    }
    let mut request = Request { route, path, is_first, body: Body::Streamed, values, visit };
    let to = request.destination(forward);
    request.body = request.body_for(to, forward.fallback.as_deref(), length);
    let given = request.ask(to, forward.timeout).await;
    let answer = match &forward.fallback {
        Some(fallback) if wants_stand_in(&given) => request.stand_in(fallback, forward.timeout, given).await,
        _ => given.map_err(Refusal::from),
    };
    if let Some(mirror) = &forward.mirror {
        request.mirror(mirror, forward.timeout).await;
    }
    answer
}

/// A request on its way to a service.
struct Request<'r, 'v, P> {
    route: &'r Route,
    path: &'r NormalPath,
    /// Whether others of its `Idempotency-Key` want the answer: its body was read, and kept.
    is_first: bool,
    /// What becomes of its body.
    body: Body,
    values: &'r Values<'r>,
    visit: &'r Visit<'v, P>,
}

/// Why there is no answer of a service.
enum Failed {
    /// The service gave none.
    Call(CallError),
    /// It was not asked.
    Refused(Refusal),
}

impl From<Refusal> for Failed {
    fn from(refusal: Refusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<Failed> for Refusal {
    fn from(failed: Failed) -> Self {
        match failed {
            Failed::Call(error) => error.into(),
            Failed::Refused(refusal) => refusal,
        }
    }
}

impl<P: Platform> Request<'_, '_, P> {
    /// Where the request goes: to the service, or for a share of the callers to its canary.
    fn destination<'f>(&self, forward: &'f Forward) -> &'f Destination {
        let Some(canary) = &forward.canary else { return &forward.to };
        let who = Who { caller: self.values.caller, head: self.visit.head, route: &self.route.place };
        let Ok(key) = canary.by.key(who) else { return &forward.to };
        if canary::share(&key, &canary.name) < f64::from(canary.share.hundredths()) / 100.0 {
            self.visit.trace.note("canary");
            return &canary.to;
        }
        &forward.to
    }

    /// The answer of one service, ready for the client.
    async fn ask(&self, to: &Destination, timeout: Option<Duration>) -> Result<AnswerOn<P>, Failed> {
        let (head, service, platform) = (self.visit.head, &to.service, self.visit.platform);
        let (target, edits) = self.target(to)?;
        let key = service.key.as_ref().and_then(|key| key.plain(self.values));
        let body = self.body;
        let wanted = Wanted {
            method: &head.method,
            target: &target,
            body,
            has_idempotency_key: has_idempotency_key(head),
            key: key.as_deref(),
            timeout: timeout.unwrap_or(service.timeout),
            retry: service.retry.as_ref(),
        };
        let make = async |url, within| {
            let when_client_leaves = self.when_client_leaves(service, within);
            let onward =
                Onward { at_once: self.at_once(service), ..self.onward(service, url, &edits, when_client_leaves) };
            platform.forward(&onward, within).await
        };
        let discard = |forwarded| {
            if let Forwarded::Reply(reply) = forwarded {
                platform.discard(reply.reply);
            }
        };
        let called = call(service, wanted, self.visit, make, discard).await;
        let Brought { answer: forwarded, picked, target } = called.map_err(|error| {
            self.visit.trace.note(format!("service {} {error}", service.name));
            Failed::Call(error)
        })?;
        let reply = match forwarded {
            Forwarded::HandedOn { status } => return Ok(Answer::OnItsWay { status }),
            Forwarded::Reply(reply) => reply,
        };
        if !can_be_relayed(reply.status, head) {
            self.visit.trace.note(format!("service {} answered with status {}", service.name, reply.status));
            platform.discard(reply.reply);
            return Err(Refusal::BadGateway.into());
        }
        let mut edits = headers::towards_client(&reply.headers);
        if service.public_names {
            let replaced = to.replaced.as_ref().and_then(|replaced| {
                Some((replaced.inside.render(self.values).ok()?, replaced.outside.render(self.values).ok()?))
            });
            PublicNames::new(&picked.url, head, replaced, &target).apply(&reply.headers, &mut edits);
        }
        let cost = self.route.cost.told_in.as_deref().and_then(|name| {
            edits.remove(name);
            reply.headers.get(name).map(str::to_owned)
        });
        self.edit_reply(&reply.headers, &mut edits);
        Ok(Answer::Relayed { reply: reply.reply, status: reply.status, edits, cost })
    }

    /// Path and query at a destination, and what changes in the header fields on the way there.
    fn target(&self, to: &Destination) -> Result<(String, HeaderEdits), Refusal> {
        let head = self.visit.head;
        let mut target = match &to.path {
            Some(template) => template.render(self.values)?,
            None => self.path.as_str().to_owned(),
        };
        let hidden = &self.visit.hidden_credentials;
        let sent = head.query.as_deref().map(|sent| query_without(sent, hidden));
        if let Some(query) = self.route.request_query.apply(sent.as_deref(), self.values) {
            target.push('?');
            target.push_str(&query);
        }
        let mut edits = headers::towards_service(head, &self.visit.gateway.provenance);
        hide(hidden, &head.headers, &mut edits);
        headers::tell_of_caller(&mut edits, &self.visit.gateway.vouched, self.values.caller);
        add_fields(&mut edits, &head.headers, &to.service, self.route, self.values, &self.visit.trace)?;
        headers::remove_look_alikes(&head.headers, &mut edits);
        Ok((target, edits))
    }

    fn onward<'o>(
        &self,
        service: &'o Service,
        url: String,
        edits: &'o HeaderEdits,
        when_client_leaves: WhenClientLeaves,
    ) -> Onward<'o> {
        let binding = service.binding.as_deref();
        let (keeps_body, max_body) = (self.body == Body::Kept, self.route.max_body);
        Onward { url, binding, edits, keeps_body, when_client_leaves, max_body, at_once: None }
    }

    /// What becomes of a call to a service that has so much time, when the client goes away.
    fn when_client_leaves(&self, service: &Service, within: Duration) -> WhenClientLeaves {
        if self.is_first {
            WhenClientLeaves::GoesOn
        } else if !self.is_the_last(service) {
            WhenClientLeaves::IsBrokenOff
        } else if within > LONGEST_UNNOTICED || self.matters_how_it_ends(service) {
            WhenClientLeaves::EndsWithRequest
        } else {
            WhenClientLeaves::EndsUnnoticed
        }
    }

    /// Whether it matters how a call to a service ends, even if nobody gets its answer: a line of the log, what a
    /// limit has lent, what is known of an instance, whose fault it is that a body does not arrive.
    fn matters_how_it_ends(&self, service: &Service) -> bool {
        self.visit.gateway.log != RequestLog::None
            || !self.route.limits.is_empty()
            || service.breaker.is_some()
            || service.discovery.is_some()
            || service.pool().len() > 1
            || self.body != Body::None
    }

    /// Whether the request is over with a call to a service, whatever comes of it.
    fn is_the_last(&self, service: &Service) -> bool {
        let is_alone = service.retry.is_none() && service.hedge.is_none() && !self.visit.is_within;
        let has_more = |forward: &Forward| forward.fallback.is_some() || forward.mirror.is_some();
        let is_all = matches!(&self.route.action, Action::Forward(forward) if !has_more(forward));
        is_alone && is_all && !self.is_first
    }

    /// What becomes of the body, whose length the client may have said: a small one is kept where it may have to be sent again, or where it counts
    /// who broke off, the client or an instance.
    fn body_for(&self, to: &Destination, fallback: Option<&Fallback>, length: Option<u64>) -> Body {
        let (head, service) = (self.visit.head, &to.service);
        let is_of_use =
            service.retry.is_some() || service.breaker.is_some() || matches!(fallback, Some(Fallback::Service(_)));
        match length {
            _ if self.is_first || self.visit.read_of_body.get().is_some() => Body::Kept,
            Some(0) => Body::None,
            None if head.headers.get("transfer-encoding").is_none() => Body::None,
            // No runtime makes a GET with a body.
            Some(_) if matches!(head.method.as_str(), "GET" | "HEAD") => Body::Streamed,
            Some(length) if length <= MAX_KEPT && is_of_use => Body::Kept,
            _ => Body::Streamed,
        }
    }

    /// Whether two services may be asked for the same.
    fn is_harmless_twice(&self) -> bool {
        is_idempotent(&self.visit.head.method) && self.body != Body::Streamed
    }

    /// What answers in a service's place, which `gave` this.
    async fn stand_in(
        &self,
        fallback: &Fallback,
        timeout: Option<Duration>,
        gave: Result<AnswerOn<P>, Failed>,
    ) -> Result<AnswerOn<P>, Refusal> {
        let was_not_sent = matches!(gave, Err(Failed::Call(CallError::NoInstance | CallError::NotAdmitted)));
        if let Fallback::Service(_) = fallback
            && !was_not_sent
            && !self.is_harmless_twice()
        {
            // It may have been done already.
            return gave.map_err(Refusal::from);
        }
        if let Ok(Answer::Relayed { reply, .. }) = gave {
            self.visit.platform.discard(reply);
        }
        match fallback {
            Fallback::Service(to) => {
                self.visit.trace.note(format!("service {} in its place", to.service.name));
                self.ask(to, timeout).await.map_err(Refusal::from)
            }
            Fallback::Reply(reply) => {
                self.visit.trace.note("fixed answer in its place");
                Ok(Answer::Own(reply.response().edited(&self.route.response_headers, self.values)))
            }
        }
    }

    /// Sends a copy to the mirror, for its share of the requests that can be copied.
    async fn mirror(&self, mirror: &Mirror, timeout: Option<Duration>) {
        let (platform, service) = (self.visit.platform, &mirror.to.service);
        let body = self.body;
        let is_drawn = platform.random() < f64::from(mirror.share.hundredths()) / 100.0;
        if body == Body::None
            && is_drawn
            && let Ok((target, edits)) = self.target(&mirror.to)
        {
            service.discover(self.visit).await;
            let pick = service.pool().pick(&service.balance, None, &[], platform.now(), || platform.random());
            if let Some(picked) = pick
                && self.visit.allowance.take_call().is_ok()
            {
                let url = picked.url.join(&target);
                let onward = self.onward(service, url, &edits, WhenClientLeaves::GoesOn);
                platform.mirror(&onward, timeout.unwrap_or(service.timeout));
            }
        }
    }
}

/// Whether a service gave no answer that counts, so that another can help.
fn wants_stand_in<R>(gave: &Result<Answer<R>, Failed>) -> bool {
    match gave {
        Ok(answer) => STOOD_IN_FOR.contains(&answer.status()),
        Err(Failed::Call(error)) => {
            !matches!(error, CallError::ClientGone | CallError::ClientSlow | CallError::BodyTooLarge)
        }
        Err(Failed::Refused(_)) => false,
    }
}

/// Adds the header fields that the file says of the service and of the route to those of a call.
pub fn add_fields(
    edits: &mut HeaderEdits,
    sent: &Headers,
    service: &Service,
    route: &Route,
    values: &Values<'_>,
    trace: &Trace,
) -> Result<(), Refusal> {
    add_fields_of_service(edits, service, values, trace)?;
    route.request_headers.apply(values, sent, edits);
    Ok(())
}

/// Adds the header fields that the file says of the service alone.
pub fn add_fields_of_service(
    edits: &mut HeaderEdits,
    service: &Service,
    values: &Values<'_>,
    trace: &Trace,
) -> Result<(), Refusal> {
    for (name, value) in &service.headers {
        match value.field_value(values) {
            Some(value) => edits.set(name.clone(), value),
            // Without its secret the call would be another one.
            None if value.asks_for_a_secret() => {
                trace.note(format!("the secret for the service's header field {name} is not there"));
                return Err(Refusal::Internal);
            }
            None => edits.remove(name),
        }
    }
    if let Some(token) = &service.internal_token {
        token.add(edits, values).map_err(|why| {
            trace.note(why);
            Refusal::Internal
        })?;
    }
    Ok(())
}

/// Whether a runtime can make a response of a status.
fn can_be_relayed(status: u16, head: &Head) -> bool {
    (200..=599).contains(&status) || (status == 101 && headers::asks_for_websocket(head))
}

/// Whether the client says that it may send the request again, where that is not plain by its method.
fn has_idempotency_key(head: &Head) -> bool {
    matches!(head.method.as_str(), "POST" | "PATCH") && head.headers.get("idempotency-key").is_some()
}

/// The length of the body, where the client says it.
fn said_length(head: &Head) -> Option<u64> {
    head.headers.get("content-length")?.parse().ok()
}
