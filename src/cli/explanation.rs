//! What the gateway would do with a request: found by its own steps, on a runtime that calls nothing.

mod who_calls;

use std::cell::{Cell, RefCell};
use std::ops::ControlFlow;
use std::sync::Arc;

use futures::executor::block_on;
use serde::Serialize;

use super::colours::Colours;
use super::rehearsal::{Rehearsal, Secrets, Sent};
use super::wording;
use crate::aggregate::plan::{Aggregate, Otherwise};
use crate::allowance::Allowance;
use crate::answer::Answer;
use crate::gateway::{Action, Gateway, Route};
use crate::handle;
use crate::head::{Head, Headers, UnixMillis};
use crate::platform::Platform;
use crate::policy::headers::{Field, HeaderEdits};
use crate::refusal::Refusal;
use crate::router::{Asked, Candidate, Fit, Found, Params};
use crate::template::{InnerValues, Values};
use crate::trace::Trace;
use crate::validate;
use crate::visit::Visit;
use who_calls::who_calls;

/// What stands for a secret: as long as the longest has to be.
const MASK: &str = "****************************************************************";

/// What is to be said of a request.
#[derive(Serialize)]
pub(super) struct Explanation {
    method: String,
    host: String,
    /// In normal form.
    path: Option<String>,
    /// The route that takes it.
    route: Option<Taken>,
    /// Other routes of its host and path, in their precedence.
    others: Vec<Other>,
    /// What applies, in order.
    policies: Vec<String>,
    /// What services would get.
    sent: Vec<SentCall>,
    /// The answer, where the gateway gives it without a service.
    answer: Option<String>,
    /// What went wrong.
    notes: Vec<String>,
}

#[derive(Serialize)]
struct Taken {
    place: String,
    route: String,
    captured: Vec<(String, String)>,
}

#[derive(Serialize)]
struct Other {
    place: String,
    route: String,
    why: String,
}

#[derive(Serialize)]
struct SentCall {
    method: String,
    url: String,
    binding: Option<String>,
    headers: Vec<(String, String)>,
    within_ms: u128,
}

impl Explanation {
    /// What is to be said of a request.
    pub(super) fn of(gateway: &Gateway, mut head: Head, body: Option<String>, now: UnixMillis) -> Self {
        gateway.provenance.believe(&mut head);
        let mut explanation = Self {
            method: head.method.clone(),
            host: head.authority.clone(),
            path: None,
            route: None,
            others: Vec::new(),
            policies: Vec::new(),
            sent: Vec::new(),
            answer: None,
            notes: Vec::new(),
        };
        if let Some(preflight) = handle::preflight(gateway, &head) {
            let fields = preflight.headers.iter().map(|(name, value)| format!("{name}: {value}"));
            explanation.answer = Some(format!("204 to a preflight; {}", fields.collect::<Vec<_>>().join("; ")));
            return explanation;
        }
        match handle::read(gateway, &head) {
            Err(refusal) => explanation.answer = Some(refused(&refusal)),
            Ok((host, path)) => {
                explanation.path = Some(path.to_string());
                explanation.tell_route(gateway, Asked { host: &host, path: &path, head: &head }, body, now);
            }
        }
        explanation
    }

    /// Whether a route takes it.
    pub(super) fn has_route(&self) -> bool {
        self.route.is_some()
    }

    fn tell_route(&mut self, gateway: &Gateway, asked: Asked<'_>, body: Option<String>, now: UnixMillis) {
        let found = gateway.router.find(asked);
        let mut candidates = Vec::new();
        gateway.router.candidates(asked, |candidate| {
            candidates.push(candidate);
            ControlFlow::Continue(())
        });
        let taken = match &found {
            Found::Route(route, _) => candidates.iter().find(|candidate| std::ptr::eq(candidate.route, *route)),
            _ => None,
        };
        let others =
            candidates.iter().filter(|other| taken.is_none_or(|taken| !std::ptr::eq(taken.route, other.route)));
        self.others = others.map(|other| self.other(other, taken)).collect();
        match found {
            Found::Route(route, params) => {
                if let Some(taken) = taken {
                    let captured = params
                        .iter()
                        .filter(|(name, _)| !name.is_empty())
                        .map(|(name, value)| (name.to_owned(), value.to_owned()))
                        .collect();
                    let (place, matcher) = (route.place.to_string(), wording::matcher(taken.matcher()));
                    self.route = Some(Taken { place, route: matcher, captured });
                }
                self.policies = wording::policies(route);
                self.tell_answer(gateway, route, asked, &params, body, now);
            }
            Found::OtherPath(path) => self.answer = Some(format!("308, Location: {path}")),
            Found::OtherMethods(allow) if asked.head.method == "OPTIONS" => {
                self.answer = Some(format!("204, Allow: {allow}"))
            }
            Found::OtherMethods(allow) => {
                self.answer = Some(format!("{}, Allow: {allow}", refused(&Refusal::OtherMethods(String::new()))))
            }
            Found::SamePath(_) | Found::Nothing => self.answer = Some(refused(&Refusal::NoRoute)),
        }
    }

    fn other(&self, other: &Candidate<'_, '_, Route>, taken: Option<&Candidate<'_, '_, Route>>) -> Other {
        let why = match (other.fit, taken) {
            (Fit::Unmet(condition), _) => format!("does not take it: wants that {condition}"),
            (Fit::OtherMethod, _) => "does not take the method".to_owned(),
            (Fit::Taken, Some(taken)) => {
                format!("would take it, but comes after: by {}", taken.goes_before_by(other, &self.method))
            }
            (Fit::Taken, None) => "would be a wider route for a path that ends in a slash".to_owned(),
        };
        Other { place: other.route.place.to_string(), route: wording::matcher(other.matcher()), why }
    }

    fn tell_answer(
        &mut self,
        gateway: &Gateway,
        route: &Route,
        asked: Asked<'_>,
        params: &Params<'_>,
        body: Option<String>,
        now: UnixMillis,
    ) {
        let head = asked.head;
        let has_body = body.is_some();
        // To check a token takes the secrets themselves; to show what is sent does not.
        let (own, masked): (Secrets, Secrets) = (|name| std::env::var(name).ok(), |_| Some(MASK.to_owned()));
        let checking = Rehearsal { now, secrets: own, body: Vec::new(), sent: RefCell::default() };
        let body = body.unwrap_or_default().into_bytes();
        let platform = Rehearsal { now, secrets: masked, body, sent: RefCell::default() };
        let allowance = Allowance::new(gateway.max_calls);
        let visit_on = |platform| Visit {
            gateway,
            head,
            is_within: false,
            hidden_credentials: Vec::new(),
            allowance: &allowance,
            platform,
            read_of_body: Cell::new(None),
            caches_know_caller: false,
            trace: Trace::default(),
            answer_edits: HeaderEdits::default(),
        };
        let mut visit = visit_on(&platform);
        let caller = match block_on(who_calls(route, asked.path, &visit_on(&checking), &mut self.notes)) {
            Some((caller, hidden)) => {
                visit.hidden_credentials = hidden;
                caller
            }
            None => return,
        };
        visit.hide_credentials_of_other_routes(route);
        let caller = caller.as_deref();
        let secret = |name: &str| platform.secret(name);
        let values = Values { head, params, caller, secret: &secret, inner: InnerValues::NONE };
        if let Some(refusal) = route.require.iter().find_map(|requirement| requirement.refuses(caller, &values)) {
            self.answer = Some(refused(&refusal));
            return;
        }
        if let Some(rule) = &route.validation {
            let is_checked_whole = rule.body.is_none() || has_body || matches!(head.method.as_str(), "GET" | "HEAD");
            let fits = match is_checked_whole {
                true => block_on(validate::check(rule, route, &values, &visit)),
                false => validate::check_parameters(rule, route, &values, &visit),
            };
            if !is_checked_whole {
                self.notes.push("its body is checked: give one with --body to see whether it passes".to_owned());
            }
            if let Err(refusal) = fits {
                self.answer = Some(refused(&refusal));
                self.notes.extend(refusal.faults().iter().map(ToString::to_string));
                return;
            }
        }
        if let Some(Err(_)) = route.idempotency.map(|rule| rule.key(head).map(|_| ())) {
            self.answer = Some(refused(&Refusal::NoIdempotencyKey));
            return;
        }
        if let Action::Batch(_) = route.action {
            self.answer = Some("200, with the answers to the requests of its list; each goes its own way".to_owned());
            return;
        }
        if let Action::Aggregate(aggregate) = &route.action
            && aggregate.reads_body
            && !has_body
        {
            self.notes.push("its parts ask for the JSON body: give one with --body to see more".to_owned());
            return;
        }
        let rehearsed = rehearsed(route);
        let answer = block_on(handle::answer(&rehearsed, asked.path, false, &values, &visit));
        self.sent = platform.sent.take().iter().map(|sent| sent_call(sent, head)).collect();
        // Nothing answers here: what becomes of parts then, and of those that wait for them, is not told.
        let is_cut_short = matches!(route.action, Action::Aggregate(_)) && !self.sent.is_empty();
        let notes = visit.trace.notes.take();
        self.notes.extend(notes.into_iter().filter(|note| !is_cut_short || !note.starts_with("part ")));
        self.answer = match answer {
            Ok(Answer::Relayed { .. } | Answer::OnItsWay { .. }) => None,
            Ok(Answer::Own(_)) if !self.sent.is_empty() => None,
            Err(_) if is_cut_short => None,
            Ok(Answer::Own(response)) => {
                let location = response.headers.iter().find(|(name, _)| name == "location");
                Some(format!(
                    "{}{}",
                    response.status,
                    location.map(|(_, value)| format!(", Location: {value}")).unwrap_or_default()
                ))
            }
            Err(refusal) => Some(refused(&refusal)),
        };
        self.notes.extend(waiting_parts(route));
    }

    /// As lines to be read.
    pub(super) fn to_text(&self, colours: Colours) -> String {
        let mut lines = Vec::new();
        let path = self.path.as_deref().unwrap_or("(of no single reading)");
        lines.push(format!("{} {path} of {}", colours.bold(&self.method), self.host));
        match &self.route {
            Some(taken) => {
                lines.push(format!("{} {}  {}", colours.green("takes"), colours.bold(&taken.route), taken.place));
                lines.extend(taken.captured.iter().map(|(name, value)| format!("  {name} = {value}")));
            }
            None => lines.push(colours.red("takes no route")),
        }
        if !self.others.is_empty() {
            lines.push("other routes of this host and path:".to_owned());
            lines.extend(
                self.others.iter().map(|other| format!("  {}  {}\n    {}", other.route, other.place, other.why)),
            );
        }
        if !self.policies.is_empty() {
            lines.push("what applies, in order:".to_owned());
            lines.extend(self.policies.iter().enumerate().map(|(at, policy)| format!("  {}. {policy}", at + 1)));
        }
        for call in &self.sent {
            let binding = call.binding.as_ref().map(|name| format!(" by the binding {name}")).unwrap_or_default();
            lines.push(format!(
                "{} {} {}{binding}, within {} ms",
                colours.green("sends"),
                colours.bold(&call.method),
                colours.bold(&call.url),
                call.within_ms
            ));
            lines.extend(call.headers.iter().map(|(name, value)| format!("  {name}: {value}")));
        }
        lines.extend(self.answer.iter().map(|answer| format!("{} {answer}", colours.green("answers"))));
        lines.extend(self.notes.iter().map(|note| format!("{} {note}", colours.yellow("note:"))));
        lines.join("\n") + "\n"
    }
}

fn refused(refusal: &Refusal) -> String {
    let response = refusal.response("");
    let document: serde_json::Value = serde_json::from_slice(&response.body).unwrap_or_default();
    let title = document.get("title").and_then(serde_json::Value::as_str);
    format!("{}: {}", response.status, title.unwrap_or_default())
}

fn sent_call(sent: &Sent, head: &Head) -> SentCall {
    let pairs =
        |fields: &[Field]| fields.iter().map(|(name, value)| (name.to_string(), value.clone())).collect::<Vec<_>>();
    let mut call = match sent {
        Sent::Onward { url, binding, edits, within } => SentCall {
            method: head.method.clone(),
            url: url.clone(),
            binding: binding.clone(),
            headers: after_edits(&head.headers, edits),
            within_ms: within.as_millis(),
        },
        Sent::Own(call, within) => SentCall {
            method: call.method.to_owned(),
            url: call.url.clone(),
            binding: call.binding.clone(),
            headers: pairs(&call.headers),
            within_ms: within.as_millis(),
        },
    };
    for (_, value) in &mut call.headers {
        *value = value.replace(MASK, "***");
    }
    call
}

/// The same route, none of whose parts keeps others from being asked, whatever a rehearsal answers.
fn rehearsed(route: &Route) -> Route {
    let mut route = route.clone();
    if let Action::Aggregate(aggregate) = &mut route.action {
        let mut forgiving = Aggregate::clone(aggregate);
        for part in &mut forgiving.parts {
            part.otherwise = Otherwise::LeaveOut;
        }
        *aggregate = Arc::new(forgiving);
    }
    route
}

/// The parts of an aggregate that are made once others are there.
fn waiting_parts(route: &Route) -> Vec<String> {
    let Action::Aggregate(aggregate) = &route.action else { return Vec::new() };
    let name = |at: &usize| aggregate.parts.get(*at).map(|part| part.name.as_str());
    let waiting = aggregate.parts.iter().filter(|part| !part.after.is_empty());
    let told = waiting.map(|part| {
        let before: Vec<&str> = part.after.iter().filter_map(name).collect();
        let (method, service) = (part.call.method, &part.call.service.name);
        format!("the part {}, a {method} of {service}, is made once there is: {}", part.name, before.join(", "))
    });
    told.collect()
}

fn after_edits(headers: &Headers, edits: &HeaderEdits) -> Vec<(String, String)> {
    let is_named = |fields: &[Field], name: &str| fields.iter().any(|(other, _)| other == name);
    let kept = headers
        .iter()
        .filter(|(name, _)| !edits.remove.iter().any(|other| other == name) && !is_named(&edits.set, name));
    let new = edits.set.iter().chain(&edits.append).map(|(name, value)| (name.to_string(), value.clone()));
    kept.map(|(name, value)| (name.to_owned(), value.to_owned())).chain(new).collect()
}
