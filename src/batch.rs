//! Many requests in one: a list of requests to the gateway's own routes, each of which goes the whole way
//! of a request by itself, and one answer with the answers to all.
//!
//! A client can so fold a screen that nobody foresaw into one round trip. Nothing is open to an entry of
//! the list that would not be open to a request: it is read, routed, checked and counted as one.

mod answers;
mod list;

use std::convert::Infallible;

use crate::allowance::CONNECTIONS;
use crate::answer::{Answer, Response};
use crate::gateway::Batch;
use crate::handle;
use crate::head::{Head, Headers};
use crate::platform::{AnswerOn, CallError, Platform};
use crate::policy::headers::is_of_the_whole_batch;
use crate::refusal::Refusal;
use crate::running::at_most;
use crate::trace::Trace;
use crate::visit::Visit;
use answers::{Answers, Read};
use list::Entry;

/// The answer to a list of requests.
pub async fn answer<P: Platform>(batch: &Batch, visit: &Visit<'_, P>) -> Result<Response, Refusal> {
    if visit.is_within {
        return Err(Refusal::BatchInBatch);
    }
    let body = visit.json_body(batch.max_body).await?;
    let entries = list::read(&body, batch.most).map_err(Refusal::FaultyList)?;
    visit.trace.note(format!("{} requests", entries.len()));

    let each = entries.iter().enumerate().map(|(at, entry)| async move {
        let head = head_of(entry, visit.head, at + 1);
        // On the heap: a request that may be a list of requests has no size otherwise.
        let read = Box::pin(one(entry, &head, batch.max_answer, visit)).await;
        (at, entry.id, read, head.request_id)
    });
    let mut answers = Answers::new(entries.len(), batch.max_answer);
    // As they come, so that what does not fit is let go of at once.
    let taken = at_most(CONNECTIONS, each, |(at, id, read, request_id)| {
        answers.put(at, id, read, &request_id);
        Ok::<(), Infallible>(())
    });
    let Ok(()) = taken.await;
    let body = answers.into_body();
    let headers = vec![("content-type".into(), "application/json".into()), ("cache-control".into(), "no-store".into())];
    Ok(Response { status: 200, headers, body })
}

/// The head of an entry's request: what the outer request says of its client, and the entry of itself.
fn head_of(entry: &Entry<'_>, outer: &Head, number: usize) -> Head {
    let mut lines = String::with_capacity(outer.headers.size());
    let mut push = |name: &str, value: &str| {
        for piece in [name, ":", value, "\n"] {
            lines.push_str(piece);
        }
    };
    let is_own = |name: &str| entry.headers.iter().any(|(own, _)| own == name);
    outer
        .headers
        .iter()
        .filter(|(name, _)| !is_of_the_whole_batch(name, &outer.headers) && !is_own(name))
        .for_each(|(name, value)| push(name, value));
    entry.headers.iter().for_each(|(name, value)| push(name, value));
    if let Some(body) = &entry.body {
        push("content-length", &body.len().to_string());
    }
    let (path, query) =
        entry.target.split_once('?').map_or((&*entry.target, None), |(path, query)| (path, Some(query)));
    Head {
        method: entry.method.to_owned(),
        scheme: outer.scheme.clone(),
        authority: outer.authority.clone(),
        raw_path: path.to_owned(),
        query: query.map(str::to_owned),
        headers: Headers::from_text(lines),
        client: outer.client.clone(),
        request_id: format!("{}.{number}", outer.request_id),
        arrived: outer.arrived,
    }
}

/// The answer to one entry, read whole.
async fn one<P: Platform>(entry: &Entry<'_>, head: &Head, most: u32, visit: &Visit<'_, P>) -> Read {
    let refused = |refusal: Refusal| Read::refused(&refusal, &head.request_id);
    if visit.time_left().is_zero() {
        let took = visit.platform.now().since(head.arrived);
        visit.platform.log(&Trace::default().line(&head.request_id, &head.method, 504, took));
        return refused(Refusal::GatewayTimeout);
    }
    let platform = visit.platform.within(head, entry.body.as_deref().map(<[u8]>::to_vec));
    let answer = handle::handle_believed(visit.gateway, head, visit.allowance, &platform, true).await;
    let status = answer.status();
    let has_body = head.method != "HEAD" && !matches!(status, 204 | 205 | 304);
    match read(answer, has_body.then_some(most), &platform, visit).await {
        Ok((headers, body)) => Read { status, headers, body },
        Err(error) => {
            visit.trace.note(format!("request {} answered with {status}, its body {error}", head.request_id));
            match error {
                CallError::TooLarge => Read::too_large(&head.request_id),
                other => refused(other.into()),
            }
        }
    }
}

/// Header fields and body of an answer; no body without `most`.
async fn read<P: Platform>(
    answer: AnswerOn<P>,
    most: Option<u32>,
    platform: &P,
    visit: &Visit<'_, P>,
) -> Result<(Headers, Vec<u8>), CallError> {
    match answer {
        Answer::Relayed { reply, edits, .. } => platform.read(reply, &edits, most, visit.time_left()).await,
        // An entry's answer is in one piece.
        Answer::OnItsWay { .. } => Ok((Headers::default(), Vec::new())),
        Answer::Own(response) => {
            let Response { headers, body, .. } = response;
            Ok((answers::lines(&headers), if most.is_some() { body } else { Vec::new() }))
        }
    }
}
