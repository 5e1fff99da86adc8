//! Handing a request on to one service, and its answer back.

use crate::answer::Answer;
use crate::gateway::{Forward, Route, Service};
use crate::head::{Head, Headers};
use crate::path::NormalPath;
use crate::platform::{AnswerOn, Onward, Platform, ReplyHead};
use crate::policy::headers::{self, HeaderEdits};
use crate::policy::public_names::PublicNames;
use crate::refusal::Refusal;
use crate::template::Values;
use crate::trace::Trace;
use crate::visit::Visit;

/// How many redirects to itself a service may answer with.
const MOST_REDIRECTS: usize = 5;

/// The answer of the service to the request, whose path is `path`.
pub async fn answer<P: Platform>(
    forward: &Forward,
    route: &Route,
    path: &NormalPath,
    values: &Values<'_>,
    visit: &mut Visit<'_, P>,
) -> Result<AnswerOn<P>, Refusal> {
    let (head, service) = (visit.head, &forward.service);
    if said_length(head).is_some_and(|length| length > route.max_body) {
        return Err(Refusal::BodyTooLarge);
    }
    let inside = match &forward.path {
        Some(template) => template.render(values)?,
        None => path.as_str().to_owned(),
    };
    let mut url = service.url.join(&inside);
    if let Some(query) = route.request_query.apply(head.query.as_deref(), values) {
        url.push('?');
        url.push_str(&query);
    }
    let mut edits = headers::towards_service(head, &visit.gateway.provenance);
    add_fields(&mut edits, &head.headers, service, route, values, &mut visit.trace)?;

    let onward = Onward { url, binding: service.binding.clone(), edits, max_body: route.max_body };
    let reply = call(onward, forward, visit).await?;

    let mut edits = headers::towards_client(&reply.headers);
    if service.public_names {
        PublicNames::new(&service.url, head, path.as_str(), &inside).apply(&reply.headers, &mut edits);
    }
    route.response_headers.apply(values, &reply.headers, &mut edits);
    Ok(Answer::Relayed { reply: reply.reply, status: reply.status, edits })
}

/// Adds the header fields that the file says of the service and of the route to those of a call.
pub fn add_fields(
    edits: &mut HeaderEdits,
    sent: &Headers,
    service: &Service,
    route: &Route,
    values: &Values<'_>,
    trace: &mut Trace,
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
    route.request_headers.apply(values, sent, edits);
    Ok(())
}

async fn call<P: Platform>(
    mut onward: Onward,
    forward: &Forward,
    visit: &mut Visit<'_, P>,
) -> Result<ReplyHead<P::Reply>, Refusal> {
    let mut redirects = 0;
    loop {
        let within = visit.time_left().min(forward.timeout);
        let reply = visit.platform.forward(&onward, within).await.map_err(|error| {
            visit.trace.note(format!("service {error}"));
            Refusal::from(error)
        })?;
        match elsewhere(&reply, &forward.service, &onward.url, visit.head) {
            Some(url) if redirects < MOST_REDIRECTS => {
                redirects += 1;
                onward.url = url;
            }
            _ if can_be_relayed(reply.status, visit.head) => return Ok(reply),
            _ => {
                visit.trace.note(format!("service answered with status {}", reply.status));
                return Err(Refusal::BadGateway);
            }
        }
    }
}

/// Where else at the service its answer sends, if that is to be followed. It never leads to another
/// host: those come from the file alone.
fn elsewhere<R>(reply: &ReplyHead<R>, service: &Service, asked: &str, head: &Head) -> Option<String> {
    let is_redirect = matches!(reply.status, 301 | 302 | 303 | 307 | 308);
    if !service.follow_redirects || !is_redirect || !matches!(head.method.as_str(), "GET" | "HEAD") {
        return None;
    }
    let location = reply.headers.get("location")?.split('#').next()?;
    let origin = service.url.origin();
    let target = location.strip_prefix(origin).unwrap_or(location);
    let (path, query) = target.split_once('?').map_or((target, None), |(path, query)| (path, Some(query)));
    let path = NormalPath::parse(path).ok()?;
    // Nor out of the base path that the file gives the service.
    let below = path.as_str().strip_prefix(service.url.base_path())?;
    let url = format!("{origin}{path}{}", query.map(|query| format!("?{query}")).unwrap_or_default());
    (below.starts_with('/') && url != asked).then_some(url)
}

/// Whether a runtime can make a response of a status.
fn can_be_relayed(status: u16, head: &Head) -> bool {
    (200..=599).contains(&status) || (status == 101 && headers::asks_for_websocket(head))
}

/// The length of the body, where the client says it.
fn said_length(head: &Head) -> Option<u64> {
    head.headers.get("content-length")?.parse().ok()
}
