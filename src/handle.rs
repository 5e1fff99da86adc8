//! The way of a request through the gateway: every step, in its order, in one function.

use std::time::Duration;

use crate::aggregate;
use crate::answer::{Answer, Response};
use crate::gateway::{Action, Forward, Gateway, Part, Reply};
use crate::head::Head;
use crate::path::NormalPath;
use crate::platform::{AnswerOn, Call, LimiterDown, Platform};
use crate::policy::headers;
use crate::policy::jwt::{Caller, JwtRule, NotIdentified};
use crate::policy::rate_limit::{LIMITER_TIMEOUT, Limit, WhenDown};
use crate::refusal::Refusal;
use crate::router::{Asked, Found, HostPath, Params};
use crate::template::Unfit;
use crate::trace::Trace;

/// Answers one request. Always answers: what goes wrong becomes a problem document.
pub async fn handle<P: Platform>(gateway: &Gateway, head: Head, platform: &P) -> AnswerOn<P> {
    let mut visit = Visit { gateway, head: &head, platform, trace: Trace::default(), answer_headers: Vec::new() };
    let mut answer = serve(&mut visit).await.unwrap_or_else(|refusal| Answer::Own(refusal.response(&head.request_id)));

    // 6. What every answer carries.
    answer.set_headers(visit.answer_headers);
    answer.set_headers([("x-request-id", head.request_id.clone())]);

    let took = platform.now().since(head.arrived);
    platform.log(&visit.trace.line(&head.request_id, &head.method, answer.status(), took));
    answer
}

/// One request on its way.
struct Visit<'v, P> {
    gateway: &'v Gateway,
    head: &'v Head,
    platform: &'v P,
    trace: Trace,
    /// What the answer must carry, whatever it turns out to be.
    answer_headers: Vec<(&'static str, String)>,
}

async fn serve<P: Platform>(visit: &mut Visit<'_, P>) -> Result<AnswerOn<P>, Refusal> {
    let (gateway, head) = (visit.gateway, visit.head);

    // 1. One reading of the request: this is matched, and this is sent on.
    if !head.has_one_host() {
        return Err(Refusal::AmbiguousHost);
    }
    let host = HostPath::of(&head.authority);
    let mut path = &NormalPath::parse(&head.raw_path).map_err(|_| Refusal::AmbiguousPath)?;

    // 2. Which route?
    let find = |path| gateway.router.find(Asked { host: &host, path, head });
    let mut found = find(path);
    let same;
    if let Found::SamePath(other) = found {
        same = other;
        path = &same;
        found = find(path);
    }
    let (route, params) = match found {
        Found::Route(route, params) => (route, params),
        Found::OtherPath(other) => return Ok(Answer::Own(redirect_to(&other, head))),
        Found::OtherMethods(allow) if head.method == "OPTIONS" => return Ok(Answer::Own(options(allow))),
        Found::OtherMethods(allow) => return Err(Refusal::OtherMethods(allow)),
        Found::SamePath(_) | Found::Nothing => return Err(Refusal::NoRoute),
    };
    visit.trace.route = Some(route.pattern.clone());
    visit.trace.gateway = route.gateway.clone();

    // 3. Who is calling?
    let caller = match &route.auth {
        Some(rule) => Some(identify(rule, visit)?),
        None => None,
    };

    // 4. How often may they?
    if let Some(limit) = &route.limit {
        admit(limit, caller.as_ref(), visit).await?;
    }

    // 5. Answer.
    let asked = Admitted { path, params: &params, caller: caller.as_ref() };
    match &route.action {
        Action::Reply(reply) => Ok(Answer::Own(fixed_reply(reply))),
        Action::Forward(forward) => forward_call(forward, &asked, visit).await,
        Action::Aggregate(parts) => aggregate_parts(parts, &asked, visit).await.map(Answer::Own),
    }
}

/// What an admitted request asks for.
struct Admitted<'r> {
    path: &'r NormalPath,
    params: &'r Params<'r>,
    caller: Option<&'r Caller>,
}

impl<P: Platform> Visit<'_, P> {
    /// What is left of the time that the request has in all.
    fn time_left(&self) -> Duration {
        self.gateway.budget.saturating_sub(self.platform.now().since(self.head.arrived))
    }
}

/// Sends the client to the path that it should have asked for.
fn redirect_to(path: &NormalPath, head: &Head) -> Response {
    let query = head.query.as_deref().map(|query| format!("?{query}")).unwrap_or_default();
    // 308 keeps method and body (RFC 9110, section 15.4.9).
    Response { status: 308, headers: vec![("location", format!("{path}{query}"))], body: Vec::new() }
}

/// The answer to OPTIONS for a path whose routes do not answer it themselves (RFC 9110, section 9.3.7).
fn options(allow: String) -> Response {
    Response { status: 204, headers: vec![("allow", allow)], body: Vec::new() }
}

fn identify<P: Platform>(rule: &JwtRule, visit: &mut Visit<'_, P>) -> Result<Caller, Refusal> {
    let authorization = visit.head.headers.get("authorization");
    let secret = |name: &str| visit.platform.secret(name);
    rule.identify(authorization, visit.head.arrived, secret).map_err(|unknown| match unknown {
        NotIdentified::NoToken => Refusal::NoToken,
        NotIdentified::Expired => Refusal::TokenExpired,
        NotIdentified::NotYet => Refusal::TokenNotYet,
        NotIdentified::NotAccepted(why) => {
            visit.trace.note(format!("token {why}"));
            Refusal::TokenNotAccepted
        }
        NotIdentified::Misconfigured(why) => {
            visit.trace.note(why);
            Refusal::Internal
        }
    })
}

async fn admit<P: Platform>(limit: &Limit, caller: Option<&Caller>, visit: &mut Visit<'_, P>) -> Result<(), Refusal> {
    let charge = limit.charge(caller, visit.head.client).map_err(|claim| Refusal::ClaimMissing(claim.to_owned()))?;
    let within = visit.time_left().min(LIMITER_TIMEOUT);
    match visit.platform.spend(&charge, within).await {
        Ok(verdict) => {
            visit.answer_headers.extend(limit.headers(&verdict));
            if verdict.admitted {
                return Ok(());
            }
            Err(Refusal::OverLimit { retry_after: limit.retry_after(&verdict), limit: limit.name().to_owned() })
        }
        Err(LimiterDown) => match limit.when_down {
            WhenDown::Open => {
                visit.trace.note("limiter down, let through");
                Ok(())
            }
            WhenDown::Closed => {
                visit.trace.note("limiter down, refused");
                Err(Refusal::LimiterDown)
            }
        },
    }
}

fn fixed_reply(reply: &Reply) -> Response {
    let body = reply.body.as_deref().unwrap_or_default();
    let headers = if body.is_empty() { Vec::new() } else { vec![("content-type", "application/json".to_owned())] };
    Response { status: reply.status, headers, body: body.as_bytes().to_vec() }
}

async fn forward_call<P: Platform>(
    forward: &Forward,
    asked: &Admitted<'_>,
    visit: &mut Visit<'_, P>,
) -> Result<AnswerOn<P>, Refusal> {
    let mut target = match &forward.path {
        Some(template) => template.render(asked.params, asked.caller).map_err(unfit)?,
        None => asked.path.as_str().to_owned(),
    };
    if let Some(query) = &visit.head.query {
        target.push('?');
        target.push_str(query);
    }
    let url = forward.service.url.join(&target);
    let edits = headers::towards_service(visit.head);
    let within = visit.time_left().min(forward.timeout);
    match visit.platform.forward(&url, &edits, within).await {
        // A runtime can make no response of another status.
        Ok(head) if !(200..=599).contains(&head.status) => {
            visit.trace.note(format!("service answered with status {}", head.status));
            Err(Refusal::BadGateway)
        }
        Ok(head) => {
            let edits = headers::towards_client(&head.headers);
            Ok(Answer::Relayed { reply: head.reply, status: head.status, edits })
        }
        Err(error) => {
            visit.trace.note(format!("service {error}"));
            Err(error.into())
        }
    }
}

async fn aggregate_parts<P: Platform>(
    parts: &[Part],
    asked: &Admitted<'_>,
    visit: &mut Visit<'_, P>,
) -> Result<Response, Refusal> {
    let headers = headers::of_own_call(visit.head);
    let calls = parts
        .iter()
        .map(|part| {
            let target = part.path.render(asked.params, asked.caller).map_err(unfit)?;
            let url = part.service.url.join(&target);
            Ok(Call { url, headers: headers.clone(), max_answer: part.service.max_answer })
        })
        .collect::<Result<Vec<_>, Refusal>>()?;
    let left = visit.time_left();
    let within = |part: &Part| left.min(part.timeout);
    let outcomes = aggregate::fetch(parts, calls, within, visit.platform, &mut visit.trace).await?;
    Ok(aggregate::merge(parts, &outcomes))
}

fn unfit(unfit: Unfit<'_>) -> Refusal {
    match unfit {
        Unfit::Claim(claim) => Refusal::ClaimMissing(claim.to_owned()),
        Unfit::Path => Refusal::UnusableValue,
    }
}
