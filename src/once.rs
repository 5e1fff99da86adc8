//! Answering a request with an `Idempotency-Key`: the first time by the service, then by what it said.

use std::time::Duration;

use crate::answer::Answer;
use crate::head::Head;
use crate::path::NormalPath;
use crate::platform::{AnswerOn, FirstRequest, Known, Platform, StoreDown};
use crate::policy::headers::HeaderEdits;
use crate::policy::idempotency::{Idempotency, MOST, NoKey, REPLAYED};
use crate::policy::jwt::Caller;
use crate::policy::rate_limit::By;
use crate::refusal::Refusal;
use crate::visit::Visit;

/// How long the place that keeps answers may take.
const STORE_TIMEOUT: Duration = Duration::from_secs(2);

/// How much longer than a request can take its claim to be the first lasts.
const MARGIN: Duration = Duration::from_secs(5);

/// The claim of a request to be the first of its client and key; `None` if it has no key. `Err` has the
/// answer if it is not the first.
pub async fn claim<P: Platform>(
    rule: &Idempotency,
    path: &NormalPath,
    caller: Option<&Caller>,
    visit: &Visit<'_, P>,
) -> Result<Option<FirstRequest>, Result<AnswerOn<P>, Refusal>> {
    let (head, platform) = (visit.head, visit.platform);
    let Some(key) = rule.key(head).map_err(|NoKey| Err(Refusal::NoIdempotencyKey))? else { return Ok(None) };
    // It names no claim, so there is always a key.
    let whose = By::Caller.key(caller, head.client).unwrap_or_default();
    let fingerprint = platform.fingerprint(&asked(path, head), MOST).await.map_err(|error| Err(error.into()))?;
    let lease = visit.gateway.budget + MARGIN;
    let request = FirstRequest { name: format!("{whose}\n{key}"), fingerprint };
    let within = visit.time_left().min(STORE_TIMEOUT);
    match platform.begin(&request, lease, within).await {
        Ok(Known::Nothing) => Ok(Some(request)),
        Ok(Known::Running) => Err(Err(Refusal::StillRunning)),
        Ok(Known::OtherPayload) => Err(Err(Refusal::OtherPayload)),
        Ok(Known::Answer(reply)) => {
            visit.trace.note("replayed");
            let mut edits = HeaderEdits::default();
            edits.set(REPLAYED, "true");
            Err(Ok(Answer::Relayed { reply: reply.reply, status: reply.status, edits }))
        }
        Err(StoreDown) => {
            visit.trace.note("what was answered before cannot be looked up");
            Err(Err(Refusal::StoreDown))
        }
    }
}

/// Keeps the answer of the first request for those that come after, if it is a service's.
pub async fn keep<P: Platform>(
    rule: &Idempotency,
    request: &FirstRequest,
    answer: Result<AnswerOn<P>, Refusal>,
    visit: &Visit<'_, P>,
) -> Result<AnswerOn<P>, Refusal> {
    match answer {
        Ok(Answer::Relayed { reply, status, edits }) => {
            let (reply, was_kept) = visit.platform.keep(request, reply, &edits, rule.keep, MOST).await;
            if !was_kept {
                visit.trace.note("answer not kept: it is too large, or there was nowhere to keep it");
            }
            Ok(Answer::Relayed { reply, status, edits: HeaderEdits::default() })
        }
        other => {
            visit.platform.forget(request).await;
            other
        }
    }
}

/// What is asked for, but for the body.
fn asked(path: &NormalPath, head: &Head) -> String {
    let query = head.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
    format!("{} {}{path}{query}\n", head.method, head.authority)
}
