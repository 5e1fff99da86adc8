//! Answering a request with an `Idempotency-Key`: the first time by the service, then by what it said.

use std::time::Duration;

use crate::answer::Answer;
use crate::gateway::Route;
use crate::head::Head;
use crate::path::NormalPath;
use crate::platform::{AnswerOn, FirstRequest, Known, Platform, StoreDown};
use crate::policy::auth::AuthRule;
use crate::policy::by::{By, Who};
use crate::policy::caller::Caller;
use crate::policy::headers::HeaderEdits;
use crate::policy::idempotency::{Idempotency, MOST, NoKey, REPLAYED, WhenUnknown, was_not_done};
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
    route: &Route,
    path: &NormalPath,
    caller: Option<&Caller>,
    visit: &Visit<'_, P>,
) -> Result<Option<FirstRequest>, Result<AnswerOn<P>, Refusal>> {
    let (head, platform) = (visit.head, visit.platform);
    let Some(key) = rule.key(head).map_err(|NoKey| Err(Refusal::NoIdempotencyKey))? else { return Ok(None) };
    // It names no claim, so there is always a key.
    let whose = By::Caller.key(Who { caller, head, route: &route.place }).unwrap_or_default();
    let most = route.max_body.map_or(MOST, |most| u32::try_from(most).map_or(MOST, |most| most.min(MOST)));
    let asked = asked(route, path, caller, head);
    let within = visit.time_left();
    let fingerprint = platform.fingerprint(&asked, most, within).await.map_err(|error| Err(error.into()))?;
    // Its answer is read whole within the same time once more.
    let lease = visit.gateway.budget * 2 + MARGIN;
    let request = FirstRequest { name: format!("{whose}\n{key}"), fingerprint };
    let within = visit.time_left().min(STORE_TIMEOUT);
    match platform.begin(&request, lease, within).await {
        Ok(Known::Nothing) => Ok(Some(request)),
        Ok(Known::Running) => Err(Err(Refusal::StillRunning)),
        Ok(Known::Lost) => Err(Err(Refusal::AnswerLost)),
        Ok(Known::OtherPayload) => Err(Err(Refusal::OtherPayload)),
        Ok(Known::Answer(reply)) => {
            visit.trace.note("replayed");
            let mut edits = HeaderEdits::default();
            edits.set(REPLAYED, "true");
            Err(Ok(Answer::Relayed { reply: reply.reply, status: reply.status, edits, cost: None }))
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
    let platform = visit.platform;
    match answer {
        Ok(Answer::Relayed { reply, status, edits, cost }) if !was_not_done(status) => {
            let (reply, was_kept) = platform.keep(request, reply, &edits, rule.keep, visit.gateway.budget).await;
            if !was_kept {
                visit.trace.note("answer not kept: it is too large, too slow, or there was nowhere to keep it");
            }
            Ok(Answer::Relayed { reply, status, edits: HeaderEdits::default(), cost })
        }
        // Whether it was done, nobody knows.
        Err(refusal @ (Refusal::GatewayTimeout | Refusal::BadGateway)) if rule.when_unknown == WhenUnknown::Refuse => {
            platform.lose(request, rule.keep).await;
            Err(refusal)
        }
        other => {
            platform.forget(request).await;
            other
        }
    }
}

/// What is asked for, but for the body. Where nothing tells callers apart by a subject, what else may tell them
/// apart is part of it, also what a service was asked by that named nobody: nobody gets an answer that was another's.
fn asked(route: &Route, path: &NormalPath, caller: Option<&Caller>, head: &Head) -> String {
    let query = head.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
    let field = |name: &str| head.headers.get(name).unwrap_or_default();
    let credentials = match caller {
        Some(caller) if caller.claim("sub").is_some() => String::new(),
        Some(caller) => {
            let judged_by = route.auth.iter().flat_map(AuthRule::judges_by);
            let sent: String = judged_by.map(|name| format!("{}\n", field(name))).collect();
            format!("{}\n{sent}", caller.claims_json())
        }
        None => format!("{}\n{}\n", field("authorization"), field("cookie")),
    };
    let kind = field("content-type");
    format!("{}\n{} {}{path}{query}\n{kind}\n{credentials}", route.place, head.method, head.authority)
}
