//! One answer of several calls: they form a graph, in which each is made as soon as those are done that
//! it asks for, and what they bring is put together as the file says.
//!
//! `plan` is what the file says, `graph` the order, `part` one part, `calls` what is asked of
//! services, `compose` the answer in one piece, `stream` the answer as its parts arrive.

mod accept;
mod caching;
mod calls;
mod compose;
mod ended;
mod failure;
mod graph;
mod part;
pub mod plan;
mod reading;
mod spread;
mod stream;
mod value;
pub mod words;

use std::cell::OnceCell;

use crate::answer::{Answer, Response};
use crate::gateway::Route;
use crate::json::{self, Bounds};
use crate::platform::{AnswerOn, Platform};
use crate::query;
use crate::refusal::Refusal;
use crate::shaping::fields::Fields;
use crate::template::{InnerValues, Values};
use crate::trace::Trace;
use crate::visit::Visit;
use calls::Calls;
use compose::{Chosen, Composed};
pub use failure::PartError;
use part::{Done, Making, Stopped};
use plan::{Aggregate, all_hold};
use stream::Stream;
use words::Form;

/// The answer to a request.
pub async fn answer<P: Platform>(
    aggregate: &Aggregate,
    route: &Route,
    values: &Values<'_>,
    visit: &Visit<'_, P>,
) -> Result<AnswerOn<P>, Refusal> {
    let rule = &aggregate.answer;
    // 1. What does the client send, and what does it want?
    let body = match aggregate.reads_body {
        true => Some(visit.json_body(rule.max_body).await?),
        false => None,
    };
    let body = match &body {
        Some(body) => Some(json::value(body, Bounds::default()).map_err(|_| Refusal::BodyNotJson)?),
        None => None,
    };
    let values = Values { inner: InnerValues { body, ..values.inner }, ..*values };
    let chosen = Chosen {
        variant: rule.variants.iter().find(|variant| all_hold(&variant.when, &values)),
        fields: fields(aggregate, &values)?,
    };
    let may_prune = rule.form == Form::Object
        && rule.shaping.is_empty()
        && chosen.variant.is_none_or(|variant| variant.shaping.is_empty());
    let needed = graph::needed(&aggregate.parts, |at| {
        aggregate.parts.get(at).is_some_and(|part| {
            let is_asked_for = chosen
                .fields
                .as_ref()
                .is_none_or(|fields| !may_prune || part.placed != plan::Placed::Named || fields.wants(&part.name));
            part.placed == plan::Placed::Hidden || (chosen.has(at, part) && is_asked_for)
        })
    });

    // Before anything is done for it.
    let made = aggregate.parts.iter().zip(&needed).filter(|(part, is_needed)| **is_needed && part.when.is_empty());
    if let Some((part, refusal)) = made.filter_map(|(part, _)| Some((part, part.lacks_of_client(&values)?))).next() {
        visit.trace.note(format!("part {} cannot be called: its path lacks a value of the client's", part.name));
        return Err(refusal);
    }

    // 2. The parts, each as soon as it can be made.
    let done: Vec<OnceCell<Done>> = aggregate.parts.iter().map(|_| OnceCell::new()).collect();
    let making = Making { parts: &aggregate.parts, done: &done, calls: Calls::new(visit), route, values, visit };
    let stream = match accept::stream_asked_for(visit.head.headers.get("accept"), &rule.stream) {
        Some(form) if visit.head.method != "HEAD" && !visit.is_within => {
            Some(Stream::new(form, aggregate, route, &chosen, &values, visit))
        }
        _ => None,
    };
    let made = graph::run(&aggregate.parts, &needed, &done, async |at| {
        let done = making.make(at).await?;
        if let Some(stream) = &stream {
            stream.part(at, &done)?;
        }
        Ok(done)
    });
    let made = made.await;
    if let Some(stream) = stream {
        return stream.end(made);
    }

    // 3. One answer, which the client may have already.
    // Caches know a request by its URL, whatever body it has.
    let may_be_kept = aggregate.may_be_kept && matches!(visit.head.method.as_str(), "GET" | "HEAD");
    let composed = made.and_then(|()| compose::compose(aggregate, &chosen, &done, may_be_kept, &visit.trace));
    let Composed { response, is_complete } = composed.map_err(|stopped| refusal(stopped, aggregate, &visit.trace))?;
    let mut response = response.edited(&route.response_headers, &values);
    // Whatever the file sets.
    if !is_complete || !may_be_kept {
        response.headers.retain(|(name, _)| name != "cache-control");
        response.headers.push(("cache-control".into(), caching::NO_STORE.into()));
    }
    let known = visit.head.headers.get("if-none-match");
    let etag = response.headers.iter().find(|(name, _)| name == "etag").map(|(_, etag)| etag.as_str());
    if let (Some(known), Some(etag), 200) = (known, etag, response.status)
        && may_be_kept
        && caching::is_known(known, etag)
    {
        response.headers.retain(|(name, _)| name != "content-type");
        response = Response { status: 304, headers: response.headers, body: Vec::new() };
    }
    Ok(Answer::Own(response))
}

/// How a request is turned down whose answer cannot be.
fn refusal(stopped: Stopped, aggregate: &Aggregate, trace: &Trace) -> Refusal {
    match stopped {
        Stopped::Refused(refusal) => refusal,
        Stopped::Failed(at, failure) => {
            let name = aggregate.parts.get(at).map(|part| part.name.as_str()).unwrap_or_default();
            trace.note(format!("part {name} {failure}"));
            let refusal = failure.refusal(&aggregate.answer.status);
            match aggregate.answer.errors {
                Some(_) => refusal.telling(failure.told(name)),
                None => refusal,
            }
        }
    }
}

/// The fields that the client asks for, where it may.
fn fields(aggregate: &Aggregate, values: &Values<'_>) -> Result<Option<Fields>, Refusal> {
    if !aggregate.answer.fields {
        return Ok(None);
    }
    let Some(asked) = values.head.query.as_deref().and_then(|query| query::value(query, "fields")) else {
        return Ok(None);
    };
    Fields::read(&asked).map(Some).map_err(|_| Refusal::UnusableFields)
}
