//! The routes of the file, in groups or not, and the router that comes of them.

use std::collections::HashSet;
use std::sync::Arc;

use super::action::{Actions, Scope};
use super::compile::Known;
use super::document::RouteSettings;
use super::said::{Auth, Said};
use crate::gateway::{Action, Reply, Route};
use crate::policy::cost::{Cost, CostSettings};
use crate::router::{Conditions, Kind, Matcher, Methods, Overlap, Rank, Router, check_pattern};
use crate::settings::{OwnedPlace, Place, Problems};
use crate::template::Source;
use crate::validate::MOST_BODY;

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

/// Which keys that hang on what a route does it has itself, not from its group.
struct Own {
    replace_prefix: bool,
    request_headers: bool,
    request_query: bool,
    max_body: bool,
    validate: bool,
    idempotency: bool,
    told_cost: bool,
}

impl Own {
    fn of(settings: &RouteSettings) -> Self {
        Self {
            replace_prefix: matches!(settings.replace_prefix, Some(Some(_))),
            request_headers: matches!(settings.request_headers, Some(Some(_))),
            request_query: matches!(settings.request_query, Some(Some(_))),
            max_body: matches!(settings.max_body, Some(Some(_))),
            validate: matches!(settings.validate, Some(Some(_))),
            idempotency: matches!(settings.idempotency, Some(Some(_))),
            told_cost: matches!(settings.cost, Some(Some(CostSettings::Told(_)))),
        }
    }

    /// Notes what changes nothing for what the route does.
    fn note_no_effect(&self, settings: &RouteSettings, said: &Said, place: &Place<'_>, problems: &mut Problems) {
        let forwards = !matches!(settings.forward, Some(None));
        let checks_body = said.validation.as_ref().is_some_and(|rule| rule.body.is_some());
        let calls = forwards || !matches!(settings.aggregate, Some(None));
        if self.told_cost && !forwards {
            problems.add(&place.at("cost"), "is told by the answer of a service, which only a forward hands on");
        }
        for (key, is_written, has_effect, of) in [
            ("replace_prefix", self.replace_prefix, forwards, "a forward"),
            ("request_query", self.request_query, forwards, "a forward"),
            ("max_body", self.max_body, forwards || checks_body, "a forward, or a body to \"validate\""),
            ("idempotency", self.idempotency, forwards, "a forward"),
            ("request_headers", self.request_headers, calls, "a forward or an aggregate"),
        ] {
            if is_written && !has_effect {
                problems.warn(&place.at(key), format!("changes nothing here: it is for {of}"));
            }
        }
    }
}

struct Compiled<'k> {
    known: &'k Known,
    router: Router<Route>,
    /// For each number of the router, the place of the route in the file, and its pattern.
    /// The first place is that of the path.
    inserted: Vec<(OwnedPlace, OwnedPlace, String)>,
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
        let own = Own::of(&settings);
        let said = above.with(&mut settings, self.known, place, problems);
        match settings.routes.take() {
            // At fault.
            None => {}
            Some(None) => self.add_route(settings, &own, &said, place, problems),
            Some(Some(routes)) => {
                let is_written = [
                    ("path", !matches!(settings.path, Some(None))),
                    ("reply", !matches!(settings.reply, Some(None))),
                    ("redirect", !matches!(settings.redirect, Some(None))),
                    ("forward", !matches!(settings.forward, Some(None))),
                    ("aggregate", !matches!(settings.aggregate, Some(None))),
                    ("answer", !matches!(settings.answer, Some(None))),
                    ("batch", !matches!(settings.batch, Some(None))),
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

    fn add_route(
        &mut self,
        settings: RouteSettings,
        own: &Own,
        said: &Said,
        place: &Place<'_>,
        problems: &mut Problems,
    ) {
        if matches!(said.auth, Auth::Unsaid) {
            problems.add(place, "lacks \"auth\"");
        }
        let is_public = matches!(said.auth, Auth::Public);
        if is_public && !said.require.is_empty() {
            problems.add(place, "has something to \"require\" of a caller; the route is public");
        }
        let cost = said.cost.before;
        if let Auth::Rules(rules) = &said.auth
            && rules.len() > 1
            && said.require.iter().any(|requirement| requirement.has_matches())
        {
            let message = "compares claims of callers that several rules know, of whom two may have the same; let one rule alone know them";
            problems.warn(place, message);
        }
        for limit in said.limits.iter().filter(|limit| limit.least() < cost) {
            let (name, least) = (limit.name(), limit.least());
            problems
                .add(place, format!("costs {cost} units of the limit {name:?}, of which some callers have {least}"));
        }
        if let Some(limit) = said.limits.iter().find(|limit| said.cost != Cost::default() && limit.counts_calls()) {
            let name = limit.name();
            problems.add(place, format!("has a \"cost\", and the limit {name:?}, whose \"binding\" counts calls"));
        }
        if said.cost != Cost::default() && !said.limits.is_empty() && said.limits.iter().all(|limit| limit.is_at_once())
        {
            problems.warn(place, "has a \"cost\", and limits of calls at once alone, for which each call is one");
        }
        if let Some(limit) = said.limits.iter().find(|limit| is_public && limit.needs_caller()) {
            let name = limit.name();
            problems.add(place, format!("has the limit {name:?}, which counts by a claim; the route is public"));
        }
        if matches!((&settings.answer, &settings.aggregate), (Some(Some(_)), Some(None))) {
            problems.add(&place.at("answer"), "is for an \"aggregate\", and there is none");
        }
        own.note_no_effect(&settings, said, place, problems);
        let (place_of_path, is_prefix) = match settings.path {
            Some(None) => (*place, said.prefix.is_written),
            _ => (place.at("path"), false),
        };
        let patterns = said.patterns(settings.path, place, problems);
        let host_names = said.host_names();
        let scope = Scope {
            patterns: &patterns,
            is_prefix,
            names_hosts: said.hosts.is_some(),
            host_names: &host_names,
            is_public,
            known: self.known,
            request_headers: &said.request_headers,
            inner: None,
        };
        check_texts(said, &scope, place, problems);
        check_validation(said, &scope, place, problems);

        let is_batch = !matches!(settings.batch, Some(None));
        let default_methods = match (&settings.redirect, &settings.forward) {
            // Not written; what is written and at fault is taken for one of these.
            (Some(None), Some(None)) => Methods::Only(vec![if is_batch { "POST" } else { "GET" }.to_owned()]),
            _ => Methods::Any,
        };
        if let Some(methods) = said.methods.as_ref().filter(|methods| is_batch && **methods != ["POST"]) {
            let message = format!("takes POST alone; the route is for {}", methods.join(", "));
            problems.add(&place.at("batch"), message);
        }
        let methods = said.methods.clone().map_or(default_methods, Methods::Only);
        let has_no_body =
            matches!(&methods, Methods::Only(methods) if methods.iter().all(|method| has_no_body(method)));
        if own.validate && has_no_body && said.validation.as_ref().is_some_and(|rule| rule.body.is_some()) {
            let message = "is never looked at: the route has no method whose requests have a body; say \"method\"";
            problems.warn(&place.at("validate").at("body"), message);
        }
        let actions = Actions {
            reply: settings.reply,
            redirect: settings.redirect,
            forward: settings.forward,
            aggregate: settings.aggregate,
            answer: settings.answer,
            batch: settings.batch,
        };
        let action = actions.the_one(&scope, place, problems);
        if let Some(Action::Aggregate(aggregate)) = &action
            && methods.rank("GET") != Rank::Other
            && let Some(part) = aggregate.parts.iter().find(|part| !part.only_reads())
        {
            let message = format!(
                "answers GET, for which nothing should change, and its part {:?} writes; say \"method\"",
                part.name
            );
            problems.warn(place, message);
        } else if let Some(Action::Aggregate(aggregate)) = &action
            && aggregate.reads_body
            && methods.rank("GET") != Rank::Other
        {
            let message = "answers GET, whose requests have no body, and its parts ask for {body}; say \"method\"";
            problems.warn(place, message);
        }

        if said.is_unplaced {
            let faults = patterns.iter().filter_map(|pattern| Some((pattern, check_pattern(pattern).err()?)));
            faults.for_each(|(pattern, why)| problems.add(&place_of_path, format!("is {pattern:?}, which {why}")));
            return;
        }
        // A route at fault still takes its place in the router, to find the conflicts of the others.
        let action = action.unwrap_or(Action::Reply(Reply { status: 500, body: None }));
        for pattern in &patterns {
            let action = said.prefix.replaced_in(action.clone(), pattern);
            let action = if is_prefix && !pattern.ends_with("/{*rest}") { action.without_rest() } else { action };
            let route = route(said, pattern, action, place);
            let matcher = Matcher {
                host: None,
                pattern: pattern.clone(),
                is_prefix,
                methods: methods.clone(),
                conditions: Conditions::all_of(said.conditions.clone()),
                slash: said.slash,
            };
            if let Err(why) = self.insert(said, &matcher, &route, (&place_of_path, place)) {
                problems.add(&place_of_path, format!("is {pattern:?}, which {why}"));
            }
        }
    }

    /// Puts a route into the router, once for each of its hosts. The first place is that of its path.
    fn insert(
        &mut self,
        said: &Said,
        matcher: &Matcher,
        route: &Route,
        (place_of_path, place): (&Place<'_>, &Place<'_>),
    ) -> Result<(), String> {
        let hosts = match &said.hosts {
            Some(hosts) => hosts.iter().cloned().map(Some).collect(),
            None => vec![None],
        };
        for host in hosts {
            self.router.insert(Matcher { host, ..matcher.clone() }, route.clone())?;
            self.inserted.push((place_of_path.to_owned(), place.to_owned(), matcher.pattern.clone()));
        }
        Ok(())
    }

    /// Notes the routes that cannot be told apart, and those that get nothing.
    fn report_overlaps(&self, problems: &mut Problems) {
        let mut said: HashSet<(String, String)> = HashSet::new();
        for Overlap { later, earlier, method, is_same } in self.router.overlaps() {
            let (Some((place_of_path, place, pattern)), Some((_, other_place, other))) =
                (self.inserted.get(later), self.inserted.get(earlier))
            else {
                continue;
            };
            // Once for two routes, however many paths, hosts and methods they share.
            if !said.insert((place.to_string(), other_place.to_string())) {
                continue;
            }
            let method = method.as_deref().unwrap_or("every method");
            if is_same {
                let message =
                    format!("is {pattern:?}, which cannot be told apart from {other:?} of {other_place} for {method}");
                problems.add(&place_of_path.as_place(), message);
            } else {
                let message = format!(
                    "gets no requests of {method} for {pattern:?}: {other_place} goes before it and takes all that it would"
                );
                problems.warn(&place.as_place(), message);
            }
        }
    }
}

/// Notes what the texts that hold for a route, its own or its groups', ask for and cannot have.
fn check_texts(said: &Said, scope: &Scope<'_>, place: &Place<'_>, problems: &mut Problems) {
    if let Some(replacement) = &said.prefix.replaced {
        scope.check(replacement.by.sources(), "", &place.at("replace_prefix"), problems);
    }
    for requirement in &said.require {
        scope.check(requirement.sources(), "requires what ", place, problems);
    }
    for (key, additions) in [
        ("request_headers", said.request_headers.additions()),
        ("request_query", said.request_query.additions()),
        ("response_headers", said.response_headers.additions()),
    ] {
        // Secrets have been told of where they stand.
        for (name, value) in additions.iter().filter(|(_, value)| !value.asks_for_a_secret()) {
            scope.check(value.sources(), &format!("has {name:?} in {key}, which "), place, problems);
        }
    }
}

/// Whether requests of a method never have a body.
fn has_no_body(method: &str) -> bool {
    matches!(method, "GET" | "HEAD")
}

/// Notes what the rule for requests, the route's own or its group's, is about and is not there.
fn check_validation(said: &Said, scope: &Scope<'_>, place: &Place<'_>, problems: &mut Problems) {
    let Some(rule) = &said.validation else { return };
    let sources: Vec<_> = rule.captured().map(|name| Source::Param(name.to_owned())).collect();
    scope.check(sources.iter(), "has a rule in \"validate\" that ", place, problems);
    if rule.body.is_some() && said.max_body.is_some_and(|most| most > MOST_BODY) {
        let message = "reads bodies into memory to \"validate\" them, for which \"max_body\" is at most \"32MiB\"";
        problems.add(place, message);
    }
}

/// The names in the query that the conditions of a route ask for.
fn query_names(said: &Said) -> Vec<String> {
    let of_query = said.conditions.iter().filter(|condition| condition.of == Kind::Query);
    of_query.map(|condition| condition.name.clone()).collect()
}

/// The compiled route of a pattern.
fn route(said: &Said, pattern: &str, action: Action, place: &Place<'_>) -> Route {
    Route {
        place: place.to_owned().to_string().into(),
        pattern: pattern.into(),
        gateway: said.gateway.clone(),
        auth: match &said.auth {
            Auth::Rules(rules) => rules.clone(),
            _ => Vec::new(),
        },
        addresses: said.addresses.clone(),
        require: said.require.clone(),
        limits: said.limits.clone(),
        cost: said.cost.clone(),
        max_body: said.max_body,
        validation: said.validation.clone(),
        query_names: query_names(said),
        idempotency: said.idempotency,
        cors: said.cors.clone(),
        request_headers: Arc::clone(&said.request_headers),
        request_query: Arc::clone(&said.request_query),
        response_headers: Arc::clone(&said.response_headers),
        action,
    }
}
