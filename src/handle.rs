//! The way of a request through the gateway: every step, in its order, in one function.
//!
//! What not every request needs is boxed: it stays a function of its own then, which the runtime compiles once a request
//! asks for it, not before the first answer.

use std::borrow::Cow;
use std::cell::Cell;
use std::ops::ControlFlow;

use futures::FutureExt;

use crate::aggregate;
use crate::allowance::Allowance;
use crate::answer::{Answer, Response};
use crate::batch;
use crate::forward;
use crate::gateway::{Action, Gateway, Redirect, Route};
use crate::head::Head;
use crate::identify::{self, Identified};
use crate::limits;
use crate::once;
use crate::path::NormalPath;
use crate::platform::{AnswerOn, Platform};
use crate::policy::cors;
use crate::policy::credential::{Carrier, query_without};
use crate::policy::headers::HeaderEdits;
use crate::refusal::Refusal;
use crate::router::{Asked, Fit, Found, HostPath, Kind};
use crate::template::{InnerValues, Values};
use crate::trace::Trace;
use crate::validate;
use crate::visit::Visit;

/// Answers one request. Always answers: what goes wrong becomes a problem document. An answer that is
/// written piece by piece is there before this ends.
pub async fn handle<P: Platform>(gateway: &Gateway, mut head: Head, platform: &P) -> AnswerOn<P> {
    gateway.provenance.believe(&mut head);
    handle_believed(gateway, &head, &Allowance::new(gateway.max_calls), platform, false).await
}

/// Answers one request, of whose client nothing more is to be learned; `is_within` says that it is one of
/// a batch.
pub(crate) async fn handle_believed<P: Platform>(
    gateway: &Gateway,
    head: &Head,
    allowance: &Allowance,
    platform: &P,
    is_within: bool,
) -> AnswerOn<P> {
    let (trace, mut answer_edits) = (Trace::default(), HeaderEdits::default());
    answer_edits.set("x-request-id", head.request_id.clone());
    answer_edits.add.clone_from(&gateway.security_headers);
    let mut visit = Visit {
        gateway,
        head,
        is_within,
        hidden_credentials: Vec::new(),
        allowance,
        platform,
        read_of_body: Cell::new(None),
        caches_know_caller: false,
        trace,
        answer_edits,
    };
    let mut answer = serve(&mut visit).await.unwrap_or_else(|refusal| Answer::Own(refusal.response(&head.request_id)));

    // 8. What every answer carries.
    answer.edit(visit.answer_edits);

    if gateway.log.has(&visit.trace, answer.status()) {
        let took = platform.now().since(head.arrived);
        platform.log(&visit.trace.line(&head.request_id, &head.method, answer.status(), took));
    }
    answer
}

async fn serve<'v, P: Platform>(visit: &mut Visit<'v, P>) -> Result<AnswerOn<P>, Refusal> {
    let (gateway, head, platform) = (visit.gateway, visit.head, visit.platform);

    // 1. Within bounds, and of one reading.
    let (host, sent) = parse(gateway, head)?;

    // 2. Which route? A browser that asks beforehand is answered by what the route says of origins.
    if let Some(preflight) = preflight(gateway, head) {
        return Ok(Answer::Own(preflight));
    }
    // What is matched is what is sent on.
    let same;
    let mut path = &sent;
    let mut asked = Asked { host: &host, path, head };
    let mut found = gateway.router.find(asked);
    if let Found::SamePath(other) = found {
        same = other;
        path = &same;
        asked = Asked { path, ..asked };
        found = gateway.router.find(asked);
    }
    let (route, params) = match found {
        Found::Route(route, params) => (route, params),
        Found::OtherPath(other) => {
            visit.answer_edits.then(edits_for_origins(gateway, Asked { path: &other, ..asked }));
            return Ok(Answer::Own(redirect_to(&other, head)));
        }
        Found::OtherMethods(allow) => {
            visit.answer_edits.then(edits_for_origins(gateway, asked));
            return if head.method == "OPTIONS" {
                Ok(Answer::Own(options(allow)))
            } else {
                Err(Refusal::OtherMethods(allow))
            };
        }
        Found::SamePath(_) | Found::Nothing => return Err(Refusal::NoRoute),
    };
    visit.trace.route = Some(route.pattern.clone());
    visit.trace.place = Some(route.place.clone());
    visit.trace.gateway = route.gateway.clone();
    let decided = gateway.router.fields_that_decided(asked);
    if !decided.is_empty() {
        visit.answer_edits.append.push(("vary".into(), decided.join(", ")));
    }
    if let Some(cors) = &route.cors {
        visit.answer_edits.then(cors.edits(head));
    }

    // 3. Who is calling, and may they?
    if !route.addresses.iter().all(|addresses| addresses.admit(head.client.get())) {
        return Err(Refusal::AddressNotAllowed);
    }
    let caller = match route.auth.as_slice() {
        [] => None,
        _ => {
            let identified = identify::identify(route, path, visit).boxed_local().await;
            let Identified { caller, hidden, is_by_authorization } =
                identified.map_err(|why| identify::refusal(why, visit))?;
            visit.hidden_credentials = hidden;
            visit.caches_know_caller = is_by_authorization;
            Some(caller)
        }
    };
    visit.hide_credentials_of_other_routes(route);
    let caller = caller.as_deref();
    let secret = |name: &str| platform.secret(name);
    let values = Values { head, params: &params, caller, secret: &secret, inner: InnerValues::NONE };
    if let Some(refusal) = route.require.iter().find_map(|requirement| requirement.refuses(caller, &values)) {
        return Err(refusal);
    }

    // 4. How often may they?
    let admitted = match route.limits.as_slice() {
        [] => None,
        _ => Some(limits::admit(route, caller, visit).boxed_local().await?),
    };

    // 5. Is it of the form that it must have?
    if let Some(rule) = &route.validation {
        validate::check(rule, route, &values, visit).boxed_local().await?;
    }

    // 6. Was it done already?
    let claimed = match &route.idempotency {
        Some(rule) if matches!(route.action, Action::Forward(_)) => {
            match once::claim(rule, route, path, caller, visit).boxed_local().await {
                Ok(request) => request.map(|request| (rule, request)),
                Err(answered) => return answered,
            }
        }
        _ => None,
    };

    // 7. Answer.
    let answer = answer(route, path, claimed.is_some(), &values, visit).await;
    if let Some(admitted) = admitted {
        admitted.settle(answer.as_ref().ok().and_then(Answer::cost), visit);
    }
    match &claimed {
        Some((rule, request)) => once::keep(rule, request, answer, visit).boxed_local().await,
        None => answer,
    }
}

/// The host and the path of a request that is within bounds, in the one reading of them.
fn parse(gateway: &Gateway, head: &Head) -> Result<(HostPath, NormalPath), Refusal> {
    if head.url_length() > gateway.max_url {
        return Err(Refusal::UrlTooLong);
    }
    if head.headers.size() > gateway.max_headers {
        return Err(Refusal::HeadersTooLarge);
    }
    if !head.has_one_host() {
        return Err(Refusal::AmbiguousHost);
    }
    let host = if gateway.router.names_hosts() { HostPath::of(&head.authority) } else { HostPath::default() };
    let path = NormalPath::parse(&head.raw_path).map_err(|_| Refusal::AmbiguousPath)?;
    Ok((host, path))
}

/// The same, but the path is the one that is matched and sent.
pub(crate) fn read(gateway: &Gateway, head: &Head) -> Result<(HostPath, NormalPath), Refusal> {
    let (host, path) = parse(gateway, head)?;
    if !gateway.router.is_strict()
        && let Found::SamePath(other) = gateway.router.find(Asked { host: &host, path: &path, head })
    {
        return Ok((host, other));
    }
    Ok((host, path))
}

/// The answer of a route to a request that it takes and that may be made. `is_first` says that others
/// of its `Idempotency-Key` will want it.
pub(crate) async fn answer<P: Platform>(
    route: &Route,
    path: &NormalPath,
    is_first: bool,
    values: &Values<'_>,
    visit: &Visit<'_, P>,
) -> Result<AnswerOn<P>, Refusal> {
    let own = match &route.action {
        Action::Forward(forward) => {
            return forward::answer(forward, route, path, is_first, values, visit).boxed_local().await;
        }
        Action::Reply(reply) => reply.response(),
        Action::Redirect(redirect) => redirect_elsewhere(redirect, values, &visit.hidden_credentials)?,
        Action::Aggregate(aggregate) => {
            return aggregate::answer(aggregate, route, values, visit).boxed_local().await;
        }
        Action::Batch(batch) => batch::answer(batch, visit).boxed_local().await?,
    };
    Ok(Answer::Own(own.edited(&route.response_headers, values)))
}

/// The answer to a preflight, if the request is one and the route that it asks about lets pages of
/// other origins call. Header fields and cookies of that request are not there yet.
pub(crate) fn preflight(gateway: &Gateway, head: &Head) -> Option<Response> {
    let method = cors::asked_method(&head.method, &head.headers)?;
    let asked = Head { method: method.to_owned(), ..head.clone() };
    let (host, path) = read(gateway, &asked).ok()?;
    let asked = Asked { host: &host, path: &path, head: &asked };
    let mut taking = None;
    gateway.router.candidates(asked, |candidate| {
        let takes = match candidate.fit {
            Fit::Taken => true,
            Fit::Unmet(condition) => condition.of != Kind::Query && candidate.has_method(method),
            Fit::OtherMethod => false,
        };
        taking = takes.then_some(candidate.route);
        if takes { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    let cors = taking?.cors.as_ref()?;
    let allow = gateway.router.methods(asked, |_| true)?;
    Some(Response::empty(204, cors.preflight(head, &allow)))
}

/// What is said of origins where a path has no route for the method: what the first of its routes says.
fn edits_for_origins(gateway: &Gateway, asked: Asked<'_>) -> HeaderEdits {
    let mut cors = None;
    gateway.router.candidates(asked, |candidate| {
        cors = candidate.route.cors.as_ref();
        if cors.is_some() { ControlFlow::Break(()) } else { ControlFlow::Continue(()) }
    });
    cors.map(|cors| cors.edits(asked.head)).unwrap_or_default()
}

/// Sends the client to the path that it should have asked for.
fn redirect_to(path: &NormalPath, head: &Head) -> Response {
    let query = head.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
    // 308 keeps method and body (RFC 9110, section 15.4.9).
    Response::empty(308, vec![("location".into(), format!("{path}{query}"))])
}

/// The answer to OPTIONS for a path whose routes do not answer it themselves (RFC 9110, section 9.3.7).
fn options(allow: String) -> Response {
    Response::empty(204, vec![("allow".into(), allow)])
}

fn redirect_elsewhere(redirect: &Redirect, values: &Values<'_>, hidden: &[&Carrier]) -> Result<Response, Refusal> {
    let mut location = redirect.origin.clone().unwrap_or_default();
    location.push_str(&redirect.path.render(values)?);
    let sent = values.head.query.as_deref().filter(|_| !redirect.path.has_query());
    // Here it is asked for again; what is elsewhere must not learn it.
    let query = match redirect.origin {
        Some(_) => sent.map(|sent| query_without(sent, hidden)).filter(|others| !others.is_empty()),
        None => sent.map(Cow::Borrowed),
    };
    if let Some(query) = query {
        location.push('?');
        location.push_str(&query);
    }
    Ok(Response::empty(redirect.status, vec![("location".into(), location)]))
}
