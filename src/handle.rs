//! The way of a request through the gateway: every step, in its order, in one function.

use std::time::Duration;

use crate::aggregate;
use crate::answer::{Answer, Response};
use crate::gateway::{Action, Forward, Gateway, Part, Reply};
use crate::head::Head;
use crate::path::NormalPath;
use crate::platform::{AnswerOn, Call, LimiterDown, Platform};
use crate::policy::headers;
use crate::policy::jwt::{Caller, JwtRule, Unknown};
use crate::policy::rate_limit::{LIMITER_TIMEOUT, Limit, WhenDown};
use crate::refusal::Refusal;
use crate::router::{Found, Params};
use crate::template::Unfit;
use crate::trace::Trace;

/// Answers one request. Always answers: what goes wrong becomes a problem document.
pub async fn handle<P: Platform>(gateway: &Gateway, head: Head, platform: &P) -> AnswerOn<P> {
    let mut trace = Trace::default();
    let mut limit_headers = Vec::new();
    let mut answer = serve(gateway, &head, platform, &mut limit_headers, &mut trace)
        .await
        .unwrap_or_else(|refusal| Answer::Own(refusal.response(&head.request_id)));

    // 6. Shape: what every answer carries.
    answer.set_headers(limit_headers);
    answer.set_headers([("x-request-id", head.request_id.clone())]);

    let took = platform.now().since(head.arrived);
    platform.log(&trace.line(&head.request_id, &head.method, answer.status(), took));
    answer
}

async fn serve<P: Platform>(
    gateway: &Gateway,
    head: &Head,
    platform: &P,
    limit_headers: &mut Vec<(&'static str, String)>,
    trace: &mut Trace,
) -> Result<AnswerOn<P>, Refusal> {
    // 1. One reading of the path: this is matched, and this is sent on.
    let path = NormalPath::parse(&head.raw_path).map_err(|_| Refusal::AmbiguousPath)?;

    // 2. Which route?
    let (route, params) = match gateway.router.find(&path, &head.method) {
        Found::Route(route, params) => (route, params),
        Found::OtherMethods(allow) => return Err(Refusal::OtherMethods(allow)),
        Found::Nothing => return Err(Refusal::NoRoute),
    };
    trace.route = Some(route.pattern.clone());

    // 3. Who is calling?
    let caller = match &route.auth {
        Some(rule) => Some(identify(rule, head, platform, trace)?),
        None => None,
    };

    // 4. How often may they?
    if let Some(limit) = &route.limit {
        admit(limit, caller.as_ref(), head, platform, limit_headers, trace).await?;
    }

    // 5. Answer.
    let asked = Asked { head, path: &path, params: &params, caller: caller.as_ref() };
    match &route.action {
        Action::Reply(reply) => Ok(Answer::Own(fixed(reply))),
        Action::Forward(forward) => relay(forward, &asked, gateway, platform, trace).await,
        Action::Aggregate(parts) => compose(parts, &asked, gateway, platform, trace).await.map(Answer::Own),
    }
}

/// A request that was admitted, for the step that answers it.
struct Asked<'r> {
    head: &'r Head,
    path: &'r NormalPath,
    params: &'r Params<'r>,
    caller: Option<&'r Caller>,
}

fn identify<P: Platform>(rule: &JwtRule, head: &Head, platform: &P, trace: &mut Trace) -> Result<Caller, Refusal> {
    let authorization = head.headers.get("authorization");
    rule.identify(authorization, head.arrived, |name| platform.secret(name)).map_err(|unknown| match unknown {
        Unknown::NoToken => Refusal::NoToken,
        Unknown::Expired => Refusal::TokenExpired,
        Unknown::NotYet => Refusal::TokenNotYet,
        Unknown::NotAccepted(why) => {
            trace.note(format!("token {why}"));
            Refusal::TokenNotAccepted
        }
        Unknown::Misconfigured(why) => {
            trace.note(why);
            Refusal::Internal
        }
    })
}

async fn admit<P: Platform>(
    limit: &Limit,
    caller: Option<&Caller>,
    head: &Head,
    platform: &P,
    limit_headers: &mut Vec<(&'static str, String)>,
    trace: &mut Trace,
) -> Result<(), Refusal> {
    let charge = limit.charge(caller, head.client).map_err(|claim| Refusal::ClaimMissing(claim.to_owned()))?;
    match platform.spend(&charge, LIMITER_TIMEOUT).await {
        Ok(verdict) => {
            limit_headers.extend(limit.headers(&verdict));
            if verdict.admitted {
                return Ok(());
            }
            let (retry_after, policy) = limit.excess(&verdict);
            Err(Refusal::OverLimit { retry_after, policy: policy.to_owned() })
        }
        Err(LimiterDown) => match limit.when_down {
            WhenDown::Open => {
                trace.note("limiter down, let through");
                Ok(())
            }
            WhenDown::Closed => {
                trace.note("limiter down, refused");
                Err(Refusal::LimiterDown)
            }
        },
    }
}

fn fixed(reply: &Reply) -> Response {
    let body = reply.body.as_deref().unwrap_or_default();
    let headers = if body.is_empty() { Vec::new() } else { vec![("content-type", "application/json".to_owned())] };
    Response { status: reply.status, headers, body: body.as_bytes().to_vec() }
}

async fn relay<P: Platform>(
    forward: &Forward,
    asked: &Asked<'_>,
    gateway: &Gateway,
    platform: &P,
    trace: &mut Trace,
) -> Result<AnswerOn<P>, Refusal> {
    let mut target = match &forward.path {
        Some(template) => template.render(asked.params, asked.caller).map_err(unfit)?,
        None => asked.path.as_str().to_owned(),
    };
    if let Some(query) = &asked.head.query {
        target.push('?');
        target.push_str(query);
    }
    let url = forward.service.url.join(&target);
    let edits = headers::towards_service(asked.head);
    let within = time_left(gateway, asked.head, platform).min(forward.timeout);
    match platform.forward(&url, &edits, within).await {
        Ok(head) => {
            let edits = headers::towards_client(&head.headers);
            Ok(Answer::Relayed { reply: head.reply, status: head.status, edits })
        }
        Err(error) => {
            trace.note(format!("service {error}"));
            Err(error.into())
        }
    }
}

async fn compose<P: Platform>(
    parts: &[Part],
    asked: &Asked<'_>,
    gateway: &Gateway,
    platform: &P,
    trace: &mut Trace,
) -> Result<Response, Refusal> {
    let headers = headers::of_own_call(asked.head);
    let calls = parts
        .iter()
        .map(|part| {
            let target = part.path.render(asked.params, asked.caller).map_err(unfit)?;
            let url = part.service.url.join(&target);
            Ok(Call { url, headers: headers.clone(), max_answer: part.service.max_answer })
        })
        .collect::<Result<Vec<_>, Refusal>>()?;
    let left = time_left(gateway, asked.head, platform);
    let outcomes = aggregate::fetch(parts, calls, |part| left.min(part.timeout), platform, trace).await?;
    Ok(aggregate::merge(parts, &outcomes))
}

fn unfit(unfit: Unfit<'_>) -> Refusal {
    match unfit {
        Unfit::Claim(claim) => Refusal::ClaimMissing(claim.to_owned()),
        Unfit::Path => Refusal::UnusableValue,
    }
}

fn time_left<P: Platform>(gateway: &Gateway, head: &Head, platform: &P) -> Duration {
    gateway.budget.saturating_sub(platform.now().since(head.arrived))
}
