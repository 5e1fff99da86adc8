//! Routes and groups of routes: what a route says itself, what it has of its groups, and the router
//! that comes of it.

use std::sync::Arc;

use super::action::{self, Scope};
use super::compile::{Known, PUBLIC, named};
use super::document::RouteSettings;
use super::prefix::Prefix;
use crate::gateway::{Action, Reply, Route};
use crate::policy::jwt::JwtRule;
use crate::policy::rate_limit::Limit;
use crate::router::{
    Condition, Conditions, HostPattern, Kind, Matcher, Methods, Overlap, Router, SlashAtEnd, ValueTest,
};
use crate::settings::{Named, OneOrMany, OwnedPlace, Place, Problems};

/// The router of the file's routes; notes every fault, and every route that another one hides.
pub fn router(
    routes: Vec<Option<RouteSettings>>,
    known: &Known,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Router<Route> {
    let mut compiled = Compiled { known, router: Router::default(), inserted: Vec::new() };
    compiled.add_all(routes, &Said::default(), place, problems);
    compiled.report_overlaps(problems);
    compiled.router
}

/// What groups say for the routes in them.
#[derive(Clone, Default)]
struct Said {
    gateway: Option<Arc<str>>,
    /// `None` is every host.
    hosts: Option<Vec<HostPattern>>,
    prefix: Prefix,
    methods: Option<Vec<String>>,
    conditions: Vec<Condition>,
    slash: SlashAtEnd,
    auth: Auth,
    limit: Option<Arc<Limit>>,
    /// Whether a fault leaves open which requests are meant: nothing is said of conflicts then.
    is_unplaced: bool,
}

/// Who may call.
#[derive(Clone, Default)]
enum Auth {
    /// Nothing says so yet.
    #[default]
    Unsaid,
    /// What says so is at fault; nothing is said of what hangs on it.
    Unknown,
    Public,
    Rule(Arc<JwtRule>),
}

struct Compiled<'k> {
    known: &'k Known,
    router: Router<Route>,
    /// For each number of the router, the place of the route in the file, and its pattern.
    inserted: Vec<(OwnedPlace, String)>,
}

impl Compiled<'_> {
    fn add_all(&mut self, routes: Vec<Option<RouteSettings>>, said: &Said, place: &Place<'_>, problems: &mut Problems) {
        for (at, settings) in routes.into_iter().enumerate() {
            if let Some(settings) = settings {
                self.add(settings, said, &place.at(at), problems);
            }
        }
    }

    /// Adds a route, or the routes of a group.
    fn add(&mut self, mut settings: RouteSettings, above: &Said, place: &Place<'_>, problems: &mut Problems) {
        let said = self.said(&mut settings, above, place, problems);
        match settings.routes.take() {
            // At fault.
            None => {}
            Some(None) => self.add_route(settings, &said, place, problems),
            Some(Some(routes)) => {
                let is_written = [
                    ("path", !matches!(settings.path, Some(None))),
                    ("reply", !matches!(settings.reply, Some(None))),
                    ("forward", !matches!(settings.forward, Some(None))),
                    ("aggregate", !matches!(settings.aggregate, Some(None))),
                ];
                for (key, _) in is_written.into_iter().filter(|(_, is_written)| *is_written) {
                    problems.add(&place.at(key), "stands in a group; it belongs into one of its routes");
                }
                let place = place.at("routes");
                if routes.0.is_empty() {
                    problems.add(&place, "is empty");
                }
                self.add_all(routes.0, &said, &place, problems);
            }
        }
    }

    /// What a route or group says, over what the groups above it say.
    fn said(&self, settings: &mut RouteSettings, above: &Said, place: &Place<'_>, problems: &mut Problems) -> Said {
        let mut said = above.clone();
        if let Some(Some(name)) = settings.gateway.take() {
            said.gateway = Some(name.into());
        }
        match settings.host.take() {
            Some(Some(OneOrMany(hosts))) => said.hosts = Some(hosts),
            Some(None) => {}
            None => said.is_unplaced = true,
        }
        match settings.prefix.take() {
            Some(Some(prefix)) => said.is_unplaced |= !said.prefix.extend(&prefix, &place.at("prefix"), problems),
            Some(None) => {}
            None => said.is_unplaced = true,
        }
        if let Some(Some(replacement)) = settings.replace_prefix.take() {
            said.prefix.replace(&replacement, &place.at("replace_prefix"), problems);
        }
        if let Some(Some(OneOrMany(methods))) = settings.method.take() {
            said.methods = Some(methods.into_iter().map(|method| method.0).collect());
        }
        for (of, key, tests) in [
            (Kind::Header, "header", settings.header.take()),
            (Kind::Query, "query", settings.query.take()),
            (Kind::Cookie, "cookie", settings.cookie.take()),
        ] {
            said.is_unplaced |= !merge_conditions(&mut said.conditions, of, tests, &place.at(key), problems);
        }
        if let Some(Some(slash)) = settings.trailing_slash.take() {
            said.slash = slash;
        }
        match settings.auth.take() {
            Some(None) => {}
            None => said.auth = Auth::Unknown,
            Some(Some(name)) if name == PUBLIC => said.auth = Auth::Public,
            Some(Some(name)) => {
                let rule = named(&self.known.auth, "auth rule", &name, &place.at("auth"), problems);
                said.auth = rule.map_or(Auth::Unknown, Auth::Rule);
            }
        }
        if let Some(Some(limit)) = settings.limit.take() {
            said.limit =
                limit.0.and_then(|name| named(&self.known.limits, "limit", &name, &place.at("limit"), problems));
        }
        said
    }

    fn add_route(&mut self, settings: RouteSettings, said: &Said, place: &Place<'_>, problems: &mut Problems) {
        if matches!(said.auth, Auth::Unsaid) {
            problems.add(place, "lacks \"auth\"");
        }
        let is_public = matches!(said.auth, Auth::Public);
        if let Some(limit) = said.limit.as_ref().filter(|limit| is_public && limit.needs_caller()) {
            let name = limit.name();
            problems.add(place, format!("has the limit {name:?}, which counts by a claim; the route is public"));
        }
        let patterns = self.patterns(&settings, said, place, problems);
        let hosts = said.hosts.as_deref().unwrap_or_default();
        let mut host_names: Vec<String> = hosts.iter().flat_map(HostPattern::captures).map(str::to_owned).collect();
        host_names
            .retain(|name| !name.is_empty() && hosts.iter().all(|host| host.captures().any(|other| other == name)));

        let scope = Scope { patterns: &patterns, host_names: &host_names, is_public, known: self.known };
        if let Some(replacement) = &said.prefix.replaced {
            scope.check(&replacement.by, &place.at("replace_prefix"), problems);
        }
        let default_methods = match settings.forward {
            // Not written; what is written and at fault is taken for a forward.
            Some(None) => Methods::Only(vec!["GET".to_owned()]),
            _ => Methods::Any,
        };
        let methods = said.methods.clone().map_or(default_methods, Methods::Only);
        let action = match (settings.reply, settings.forward, settings.aggregate) {
            (Some(Some(settings)), Some(None), Some(None)) => action::reply(settings, &place.at("reply"), problems),
            (Some(None), Some(Some(settings)), Some(None)) => {
                action::forward(settings, &scope, &place.at("forward"), problems)
            }
            (Some(None), Some(None), Some(Some(parts))) => {
                action::aggregate(parts, &scope, &place.at("aggregate"), problems)
            }
            (Some(_), Some(_), Some(_)) => {
                problems.add(place, "must have exactly one of \"reply\", \"forward\" and \"aggregate\"");
                None
            }
            _ => None,
        };

        // A route at fault still takes its place in the router, to find the conflicts of the others.
        let action = action.unwrap_or(Action::Reply(Reply { status: 500, body: None }));
        let auth = match &said.auth {
            Auth::Rule(rule) => Some(Arc::clone(rule)),
            _ => None,
        };
        let hosts: Vec<_> = said.hosts.iter().flatten().cloned().map(Some).collect();
        for pattern in &patterns {
            let route = Route {
                pattern: pattern.clone(),
                gateway: said.gateway.clone(),
                auth: auth.clone(),
                limit: said.limit.clone(),
                action: said.prefix.replaced_in(action.clone(), pattern),
            };
            for host in if hosts.is_empty() { &[None][..] } else { &hosts } {
                let matcher = Matcher {
                    host: host.clone(),
                    pattern: pattern.clone(),
                    methods: methods.clone(),
                    conditions: Conditions::all_of(said.conditions.clone()),
                    slash: said.slash,
                };
                match self.router.insert(matcher, route.clone()) {
                    Ok(_) => self.inserted.push((place.to_owned(), pattern.clone())),
                    Err(why) => {
                        problems.add(&place.at("path"), format!("is {pattern:?}, which {why}"));
                        break;
                    }
                }
            }
        }
    }

    /// The path patterns of a route, whole.
    fn patterns(
        &self,
        settings: &RouteSettings,
        said: &Said,
        place: &Place<'_>,
        problems: &mut Problems,
    ) -> Vec<String> {
        let prefix = &said.prefix;
        match &settings.path {
            _ if said.is_unplaced => Vec::new(),
            None => Vec::new(),
            Some(Some(OneOrMany(paths))) => paths.iter().map(|path| prefix.before(path)).collect(),
            Some(None) if !prefix.is_written => {
                problems.add(place, "lacks \"path\" or \"prefix\"");
                Vec::new()
            }
            Some(None) => {
                let all_below = format!("{}/{{*rest}}", prefix.text);
                let itself = Some(prefix.text.clone()).filter(|text| !text.is_empty());
                itself.into_iter().chain([all_below]).collect()
            }
        }
    }
}

impl Compiled<'_> {
    /// Notes the routes that cannot be told apart, and those that get nothing.
    fn report_overlaps(&self, problems: &mut Problems) {
        let mut said: Vec<(&OwnedPlace, &OwnedPlace)> = Vec::new();
        for Overlap { later, earlier, method, is_same } in self.router.overlaps() {
            let (Some((place, pattern)), Some((other_place, other))) =
                (self.inserted.get(later), self.inserted.get(earlier))
            else {
                continue;
            };
            // Once for two routes, however many paths, hosts and methods they share.
            if said.contains(&(place, other_place)) {
                continue;
            }
            said.push((place, other_place));
            let method = method.as_deref().unwrap_or("every method");
            if is_same {
                let message =
                    format!("is {pattern:?}, which cannot be told apart from {other:?} of {other_place} for {method}");
                problems.add(&place.as_place().at("path"), message);
            } else {
                let message = format!(
                    "gets no {method} for {pattern:?}: {other_place} goes before it and takes all that it would"
                );
                problems.warn(&place.as_place(), message);
            }
        }
    }
}

/// Puts the conditions of one kind over those that are there; whether all of them are known then.
fn merge_conditions(
    conditions: &mut Vec<Condition>,
    of: Kind,
    tests: Option<Named<ValueTest>>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> bool {
    let Some(Named(tests)) = tests else { return false };
    let mut all_known = true;
    for (name, test) in tests {
        let is_token = |byte: u8| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte);
        if of != Kind::Query && !name.bytes().all(is_token) {
            problems.add(&place.at(&name), "has a name that no such field can have");
        }
        let name = if of == Kind::Header { name.to_ascii_lowercase() } else { name };
        conditions.retain(|condition| condition.of != of || condition.name != name);
        match test {
            Some(test) => conditions.push(Condition { of, name, test }),
            None => all_known = false,
        }
    }
    all_known
}
