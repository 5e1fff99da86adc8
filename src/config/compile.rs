//! From what is written to a [`Gateway`]: names resolved, defaults filled in, rules that reach over
//! several keys checked. Goes on after a fault, so that one look shows them all.

use std::sync::Arc;
use std::time::Duration;

use super::document::{
    AuthSettings, Document, Forwarding, PartSettings, ReplySettings, RouteSettings, ServiceSettings,
};
use super::target::Target;
use crate::gateway::{Action, Forward, Gateway, Part, Reply, Route, Service};
use crate::policy::jwt::JwtRule;
use crate::policy::rate_limit::Limit;
use crate::router::{self, Methods, Router, Unroutable};
use crate::settings::{Named, Place, Problems};
use crate::template::{Source, Template};

const DEFAULT_BUDGET: Duration = Duration::from_secs(30);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_MAX_ANSWER: u32 = 1 << 20;

/// The value of a route's `auth` that lets everyone in.
const PUBLIC: &str = "public";

/// Compiles the file and notes every fault. If there is any, the gateway is not to be used.
pub fn gateway(document: Document, problems: &mut Problems) -> Gateway {
    let root = Place::root();
    let services = compiled(document.services, |_, settings| service(settings));

    let place_of_auth = root.at("auth");
    let auth = compiled(document.auth, |name, settings: AuthSettings| {
        if name == PUBLIC {
            problems.add(&place_of_auth.at(name), "has the name by which routes are open to everyone");
        }
        JwtRule::compile(settings.jwt?, &place_of_auth.at(name).at("jwt"), problems)
    });

    let place_of_limits = root.at("limits");
    let limits =
        compiled(document.limits, |name, settings| Limit::compile(name, settings, &place_of_limits.at(name), problems));
    let known = Known { services, auth, limits };

    let place = root.at("routes");
    let routes = document.routes.map(|routes| routes.0);
    if routes.as_ref().is_some_and(Vec::is_empty) {
        problems.add(&place, "is empty");
    }
    let mut router = Router::default();
    for (at, settings) in routes.unwrap_or_default().into_iter().enumerate() {
        if let Some(settings) = settings {
            route(settings, &known, &mut router, &place.at(at), problems);
        }
    }
    let budget = document.timeout.flatten().map_or(DEFAULT_BUDGET, |limit| limit.0);
    Gateway { router, budget }
}

/// What routes can name. A name whose own settings are at fault stands for `None`, so that it is
/// not called unknown as well.
struct Known {
    services: Vec<(String, Option<Arc<Service>>)>,
    auth: Vec<(String, Option<Arc<JwtRule>>)>,
    limits: Vec<(String, Option<Arc<Limit>>)>,
}

fn compiled<S, T>(
    named: Option<Named<S>>,
    mut compile: impl FnMut(&str, S) -> Option<T>,
) -> Vec<(String, Option<Arc<T>>)> {
    let entries = named.map(|named| named.0).unwrap_or_default().into_iter();
    entries
        .map(|(name, settings)| {
            let value = settings.and_then(|settings| compile(&name, settings)).map(Arc::new);
            (name, value)
        })
        .collect()
}

/// What a name stands for; notes a name that stands for nothing.
fn named<T>(
    known: &[(String, Option<Arc<T>>)],
    what: &str,
    name: &str,
    place: &Place<'_>,
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

fn service(settings: ServiceSettings) -> Option<Service> {
    Some(Service {
        url: settings.url?,
        timeout: settings.timeout?.map_or(DEFAULT_TIMEOUT, |limit| limit.0),
        max_answer: settings.max_answer?.map_or(DEFAULT_MAX_ANSWER, |size| size.0),
    })
}

fn route(
    settings: RouteSettings,
    known: &Known,
    router: &mut Router<Route>,
    place: &Place<'_>,
    problems: &mut Problems,
) {
    // Where `auth` is at fault, nothing is said of what hangs on it.
    let is_public = settings.auth.as_deref() == Some(PUBLIC);
    let auth = settings.auth.filter(|_| !is_public);
    let auth = auth.and_then(|name| named(&known.auth, "auth rule", &name, &place.at("auth"), problems));

    let limit = settings.limit.flatten().and_then(|name| {
        let place = place.at("limit");
        let limit = named(&known.limits, "limit", &name, &place, problems)?;
        if is_public && limit.needs_caller() {
            problems.add(&place, format!("names the limit {name:?}, which counts by a claim; the route is public"));
        }
        Some(limit)
    });

    let patterns = settings.path.map(|path| path.0).unwrap_or_default();
    let scope = Scope { patterns: &patterns, is_public, known };
    let default_methods = match settings.forward {
        // Not written; what is written and at fault is taken for a forward.
        Some(None) => Methods::Only(vec!["GET".to_owned()]),
        _ => Methods::Any,
    };
    let methods = settings
        .method
        .flatten()
        .map_or(default_methods, |methods| Methods::Only(methods.0.into_iter().map(|method| method.0).collect()));
    let action = match (settings.reply, settings.forward, settings.aggregate) {
        (Some(Some(settings)), Some(None), Some(None)) => reply(settings, &place.at("reply"), problems),
        (Some(None), Some(Some(settings)), Some(None)) => forward(settings, &scope, &place.at("forward"), problems),
        (Some(None), Some(None), Some(Some(parts))) => aggregate(parts, &scope, &place.at("aggregate"), problems),
        (Some(_), Some(_), Some(_)) => {
            problems.add(place, "must have exactly one of \"reply\", \"forward\" and \"aggregate\"");
            None
        }
        _ => None,
    };

    // A route at fault still takes its place in the router, to find the conflicts of the others.
    let action = action.unwrap_or(Action::Reply(Reply { status: 500, body: None }));
    for pattern in &patterns {
        let route =
            Route { pattern: pattern.clone(), auth: auth.clone(), limit: limit.clone(), action: action.clone() };
        if let Err(unroutable) = router.insert(pattern, methods.clone(), route) {
            let message = match unroutable {
                Unroutable::Malformed(why) => format!("is {pattern:?}, which {why}"),
                Unroutable::Pattern(other) => format!("is {pattern:?}, which cannot be told apart from {other:?}"),
                Unroutable::Method(method) => format!("is {pattern:?}, which has a route for {method} already"),
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
    /// The service that a target names; notes what its path asks for and cannot have.
    fn resolve(&self, target: &Target, place: &Place<'_>, problems: &mut Problems) -> Option<Arc<Service>> {
        for source in target.template.iter().flat_map(Template::sources) {
            match source {
                Source::Claim(claim) if self.is_public => {
                    problems.add(place, format!("asks for {{jwt.{claim}}}; the route is public, so there is no token"));
                }
                Source::Claim(_) => {}
                Source::Param(name) => {
                    for pattern in self.patterns {
                        if !router::captures(pattern).any(|captured| captured == name) {
                            let message = format!("asks for {{{name}}}, which {pattern:?} does not capture");
                            match self.patterns.len() {
                                1 => problems.add(place, message),
                                _ => problems.add_with_help(place, message, "give that path a route of its own"),
                            }
                        }
                    }
                }
            }
        }
        named(&self.known.services, "service", &target.service, place, problems)
    }
}

fn reply(settings: ReplySettings, place: &Place<'_>, problems: &mut Problems) -> Option<Action> {
    let (status, body) = (settings.status?.unwrap_or(200), settings.body?);
    let status = match u16::try_from(status) {
        Ok(status @ 200..=599) => status,
        _ => {
            problems.add(&place.at("status"), format!("is {status}, must be from 200 to 599"));
            return None;
        }
    };
    if matches!(status, 204 | 205 | 304) && body.is_some() {
        problems.add(&place.at("body"), format!("cannot go with status {status}, which has no body"));
    }
    Some(Action::Reply(Reply { status, body: body.map(|body| body.to_json().into()) }))
}

fn forward(settings: Forwarding, scope: &Scope<'_>, place: &Place<'_>, problems: &mut Problems) -> Option<Action> {
    let (target, place, timeout) = match settings {
        Forwarding::Brief(target) => (target, *place, None),
        Forwarding::Full(settings) => (settings.to?, place.at("to"), settings.timeout?),
    };
    let service = scope.resolve(&target, &place, problems);
    if target.template.as_ref().is_some_and(Template::has_query) {
        problems.add(&place, "has a query; a forwarded call keeps the client's");
    }
    let service = service?;
    let timeout = timeout.map_or(service.timeout, |limit| limit.0);
    Some(Action::Forward(Forward { service, path: target.template, timeout }))
}

fn aggregate(
    parts: Named<PartSettings>,
    scope: &Scope<'_>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<Action> {
    if parts.0.is_empty() {
        problems.add(place, "is empty");
    }
    let parts = parts.0.into_iter();
    let parts: Vec<Option<Part>> = parts
        .map(|(name, settings)| {
            let place = place.at(&name);
            part(&name, settings?, scope, &place, problems)
        })
        .collect();
    Some(Action::Aggregate(parts.into_iter().collect::<Option<Vec<_>>>()?.into()))
}

fn part(
    name: &str,
    settings: PartSettings,
    scope: &Scope<'_>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<Part> {
    let target = settings.get?;
    let place = place.at("get");
    let service = scope.resolve(&target, &place, problems);
    if target.template.is_none() {
        problems.add(&place, "lacks a path; write \"service:/path\"");
    }
    let service = service?;
    Some(Part {
        name: name.to_owned(),
        path: target.template?,
        timeout: settings.timeout?.map_or(service.timeout, |limit| limit.0),
        service,
        stand_in: settings.stand_in?.map(|value| value.to_json()),
    })
}
