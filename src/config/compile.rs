//! From what is written to a [`Gateway`]: names resolved, defaults filled in, rules that reach over
//! several keys checked. Goes on after a fault, so that one look shows them all.

use std::sync::Arc;
use std::time::Duration;

use super::document::{Document, ForwardSettings, PartSettings, ReplySettings, RouteSettings, ServiceSettings};
use super::problem::{Place, Problems};
use super::settings::Named;
use super::value::Target;
use crate::gateway::{Action, Forward, Gateway, Part, Reply, Route, Service};
use crate::policy::jwt::JwtRule;
use crate::policy::rate_limit::Limit;
use crate::router::{self, Conflict, Methods, Router};
use crate::template::{Source, Template};

const DEFAULT_BUDGET: Duration = Duration::from_secs(30);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_MAX_ANSWER: u32 = 1 << 20;

/// The value of a route's `auth` that lets everyone in.
const PUBLIC: &str = "public";

/// Compiles the file; notes every fault. `None` if a fault leaves nothing to build.
pub fn gateway(document: Document, problems: &mut Problems) -> Option<Gateway> {
    let root = Place::root();
    let Document { timeout, services, auth, limits, routes, schema: _ } = document;
    let services = compiled(services, |settings, _, _| Some(service(settings)), &root.at("services"), problems);
    let auth = compiled(
        auth,
        |settings, place, problems| JwtRule::compile(settings.jwt, &place.at("jwt"), problems),
        &root.at("auth"),
        problems,
    );
    if auth.iter().any(|(name, _)| name == PUBLIC) {
        problems.add(&root.at("auth").at(PUBLIC), "has the name that routes open to everyone use");
    }
    let limits = limits
        .0
        .into_iter()
        .map(|(name, settings)| {
            let place = root.at("limits").at(&name);
            let limit = Limit::compile(&name, settings, &place, problems).map(Arc::new);
            (name, limit)
        })
        .collect();
    let known = Known { services, auth, limits };

    let place = root.at("routes");
    if routes.is_empty() {
        problems.add(&place, "is empty");
    }
    let mut router = Router::default();
    for (at, settings) in routes.into_iter().enumerate() {
        route(settings, &known, &mut router, &place.at(at), problems);
    }
    Some(Gateway { router, budget: timeout.map_or(DEFAULT_BUDGET, |span| span.0) })
}

/// What routes can name. A name whose own settings are at fault stands for `None`, so that it is
/// not called unknown as well.
struct Known {
    services: Vec<(String, Option<Arc<Service>>)>,
    auth: Vec<(String, Option<Arc<JwtRule>>)>,
    limits: Vec<(String, Option<Arc<Limit>>)>,
}

fn compiled<S, T>(
    named: Named<S>,
    mut compile: impl FnMut(S, &Place, &mut Problems) -> Option<T>,
    place: &Place,
    problems: &mut Problems,
) -> Vec<(String, Option<Arc<T>>)> {
    let entries = named.0.into_iter();
    entries
        .map(|(name, settings)| {
            let value = compile(settings, &place.at(&name), problems).map(Arc::new);
            (name, value)
        })
        .collect()
}

/// What a name stands for; notes a name that stands for nothing.
fn named<T>(
    known: &[(String, Option<Arc<T>>)],
    what: &str,
    name: &str,
    place: &Place,
    problems: &mut Problems,
) -> Option<Arc<T>> {
    match known.iter().find(|(candidate, _)| candidate == name) {
        Some((_, value)) => value.clone(),
        None => {
            let names = known.iter().map(|(name, _)| name.as_str());
            problems.add_unknown(place, format!("names the {what} {name:?}, which does not exist"), name, names);
            None
        }
    }
}

fn service(settings: ServiceSettings) -> Service {
    Service {
        url: settings.url,
        timeout: settings.timeout.map_or(DEFAULT_TIMEOUT, |span| span.0),
        max_answer: settings.max_answer.map_or(DEFAULT_MAX_ANSWER, |size| size.0),
    }
}

fn route(
    settings: RouteSettings,
    known: &Known,
    router: &mut Router<Route>,
    place: &Place,
    problems: &mut Problems,
) {
    let is_public = settings.auth == PUBLIC;
    let auth = if is_public {
        None
    } else {
        named(&known.auth, "auth rule", &settings.auth, &place.at("auth"), problems)
    };
    let limit = settings.limit.and_then(|name| {
        let place = place.at("limit");
        let limit = named(&known.limits, "limit", &name, &place, problems)?;
        if is_public && limit.needs_caller() {
            problems.add(&place, format!("names the limit {name:?}, which counts by a claim; the route is public"));
        }
        Some(limit)
    });

    let patterns = settings.path.0;
    let scope = Scope { patterns: &patterns, is_public, known };
    let default_methods = if settings.forward.is_some() { Methods::Any } else { Methods::Only(vec!["GET".to_owned()]) };
    let methods = settings.method.map_or(default_methods, |methods| {
        Methods::Only(methods.0.into_iter().map(|method| method.0).collect())
    });
    let action = match (settings.reply, settings.forward, settings.aggregate) {
        (Some(settings), None, None) => reply(settings, &place.at("reply"), problems),
        (None, Some(settings), None) => forward(settings.0, &scope, &place.at("forward"), problems),
        (None, None, Some(parts)) => aggregate(parts, &scope, &place.at("aggregate"), problems),
        _ => {
            problems.add(place, "must have exactly one of \"reply\", \"forward\" and \"aggregate\"");
            None
        }
    };

    // A route at fault still takes its place in the router, to find the conflicts of the others.
    let action = action.unwrap_or(Action::Reply(Reply { status: 500, body: None }));
    for pattern in &patterns {
        let route = Route { pattern: pattern.clone(), auth: auth.clone(), limit: limit.clone(), action: action.clone() };
        if let Err(conflict) = router.insert(pattern, methods.clone(), route) {
            let message = match conflict {
                Conflict::Malformed(why) => format!("is {pattern:?}, which {why}"),
                Conflict::Pattern(other) => format!("is {pattern:?}, which cannot be told apart from {other:?}"),
                Conflict::Method(method) => format!("is {pattern:?}, which has a route for {method} already"),
            };
            problems.add(&place.at("path"), message);
        }
    }
}

/// What the texts of a route may refer to.
struct Scope<'r> {
    patterns: &'r [String],
    is_public: bool,
    known: &'r Known,
}

impl Scope<'_> {
    fn check(&self, template: &Template, place: &Place, problems: &mut Problems) {
        for source in template.sources() {
            match source {
                Source::Claim(claim) if self.is_public => {
                    problems.add(place, format!("asks for {{jwt.{claim}}}; the route is public, so there is no token"));
                }
                Source::Claim(_) => {}
                Source::Param(name) => {
                    for pattern in self.patterns {
                        if !router::captures(pattern).any(|captured| captured == name) {
                            problems.add(place, format!("asks for {{{name}}}, which {pattern:?} does not capture"));
                        }
                    }
                }
            }
        }
    }

    fn service(&self, target: &Target, place: &Place, problems: &mut Problems) -> Option<Arc<Service>> {
        named(&self.known.services, "service", &target.service, place, problems)
    }
}

fn reply(settings: ReplySettings, place: &Place, problems: &mut Problems) -> Option<Action> {
    let status = settings.status.unwrap_or(200);
    let status = match u16::try_from(status) {
        Ok(status @ 200..=599) => status,
        _ => {
            problems.add(&place.at("status"), format!("is {status}, must be from 200 to 599"));
            return None;
        }
    };
    if matches!(status, 204 | 205 | 304) && settings.body.is_some() {
        problems.add(&place.at("body"), format!("cannot go with status {status}, which has no body"));
    }
    let body = settings.body.map(|body| body.to_json().into());
    Some(Action::Reply(Reply { status, body }))
}

fn forward(settings: ForwardSettings, scope: &Scope<'_>, place: &Place, problems: &mut Problems) -> Option<Action> {
    let to = place.at("to");
    let service = scope.service(&settings.to, &to, problems);
    if let Some(template) = &settings.to.template {
        scope.check(template, &to, problems);
        if template.has_query() {
            problems.add(&to, "has a query; a forwarded call keeps the client's");
        }
    }
    let service = service?;
    let timeout = settings.timeout.map_or(service.timeout, |span| span.0);
    Some(Action::Forward(Forward { service, path: settings.to.template, timeout }))
}

fn aggregate(
    parts: Named<PartSettings>,
    scope: &Scope<'_>,
    place: &Place,
    problems: &mut Problems,
) -> Option<Action> {
    if parts.0.is_empty() {
        problems.add(place, "is empty");
    }
    let compiled: Vec<Option<Part>> = parts
        .0
        .into_iter()
        .map(|(name, settings)| part(&name, settings, scope, &place.at(&name), problems))
        .collect();
    Some(Action::Aggregate(compiled.into_iter().collect::<Option<Vec<_>>>()?.into()))
}

fn part(
    name: &str,
    settings: PartSettings,
    scope: &Scope<'_>,
    place: &Place,
    problems: &mut Problems,
) -> Option<Part> {
    let get = place.at("get");
    let service = scope.service(&settings.get, &get, problems);
    let Some(path) = settings.get.template else {
        problems.add(&get, "lacks a path; write \"service:/path\"");
        return None;
    };
    scope.check(&path, &get, problems);
    let service = service?;
    Some(Part {
        name: name.to_owned(),
        timeout: settings.timeout.map_or(service.timeout, |span| span.0),
        service,
        path,
        stand_in: settings.stand_in.map(|value| value.to_json()),
    })
}
