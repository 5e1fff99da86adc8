//! What a route says of the requests that it takes and of what holds for them, over what its groups say.

use std::sync::Arc;

use super::compile::{Known, PUBLIC, named};
use super::document::RouteSettings;
use super::prefix::Prefix;
use crate::head::is_token;
use crate::policy::addresses::Addresses;
use crate::policy::auth::AuthRule;
use crate::policy::cors::Cors;
use crate::policy::cost::Cost;
use crate::policy::field_edits::{FieldEdits, FieldEditsSettings};
use crate::policy::idempotency::Idempotency;
use crate::policy::query_edits::QueryEdits;
use crate::policy::rate_limit::Limit;
use crate::policy::requirement::Requirement;
use crate::policy::validation::Validation;
use crate::router::{Condition, HostPattern, Kind, SlashAtEnd, ValueTest};
use crate::settings::{Named, OneOrMany, OrNone, Place, Problems};

/// What is said so far, from the outermost group on.
#[derive(Clone, Default)]
pub struct Said {
    pub gateway: Option<Arc<str>>,
    /// `None` is every host.
    pub hosts: Option<Vec<HostPattern>>,
    pub prefix: Prefix,
    pub methods: Option<Vec<String>>,
    pub conditions: Vec<Condition>,
    pub slash: SlashAtEnd,
    pub auth: Auth,
    pub addresses: Vec<Arc<Addresses>>,
    pub require: Vec<Arc<Requirement>>,
    pub limits: Vec<Arc<Limit>>,
    pub cost: Cost,
    pub max_body: Option<u64>,
    pub validation: Option<Arc<Validation>>,
    pub idempotency: Option<Idempotency>,
    pub cors: Option<Arc<Cors>>,
    pub request_headers: Arc<FieldEdits>,
    pub request_query: Arc<QueryEdits>,
    pub response_headers: Arc<FieldEdits>,
    /// Whether a fault leaves open which requests are meant: nothing is said of conflicts then.
    pub is_unplaced: bool,
}

/// Who may call.
#[derive(Clone, Default)]
pub enum Auth {
    /// Nothing says so yet.
    #[default]
    Unsaid,
    /// What says so is at fault; nothing is said of what hangs on it.
    Unknown,
    /// Everyone.
    Public,
    /// Whom one of these rules lets in.
    Rules(Vec<AuthRule>),
}

impl Said {
    /// What a route or a group of these settings says, over this.
    pub fn with(
        &self,
        settings: &mut RouteSettings,
        known: &Known,
        place: &Place<'_>,
        problems: &mut Problems,
    ) -> Self {
        let mut said = self.clone();
        said.take_requests(settings, place, problems);
        if let Some(Some(name)) = settings.gateway.take() {
            said.gateway = Some(name.into());
        }
        match settings.auth.take() {
            Some(None) => {}
            None => said.auth = Auth::Unknown,
            Some(Some(OneOrMany(names))) if names == [PUBLIC] => said.auth = Auth::Public,
            Some(Some(OneOrMany(names))) => {
                let place = place.at("auth");
                if names.iter().any(|name| name == PUBLIC) {
                    problems.add(&place, "has \"public\" beside others, which would let everyone in");
                }
                let named = names.iter().filter(|name| *name != PUBLIC);
                let rules: Vec<_> =
                    named.map(|name| self::named(&known.auth, "auth rule", name, &place, problems)).collect();
                let rules =
                    rules.into_iter().map(|rule: Option<Arc<AuthRule>>| rule.map(|rule| AuthRule::clone(&rule)));
                said.auth = rules.collect::<Option<_>>().map_or(Auth::Unknown, Auth::Rules);
            }
        }
        if let Some(Some(addresses)) = settings.addresses.take() {
            said.addresses.extend(Addresses::compile(addresses, &place.at("addresses"), problems).map(Arc::new));
        }
        if let Some(Some(require)) = settings.require.take() {
            said.require.extend(Requirement::compile(require, &place.at("require"), problems).map(Arc::new));
        }
        if let Some(Some(limit)) = settings.limit.take() {
            let names = limit.0.map(|names| names.0).unwrap_or_default();
            let place = place.at("limit");
            for (at, name) in
                names.iter().enumerate().filter(|(at, name)| names.iter().take(*at).any(|one| one == *name))
            {
                problems
                    .add(&place.at(at), format!("is {name:?}, which stands twice: each call would be counted twice"));
            }
            said.limits =
                names.iter().filter_map(|name| named(&known.limits, "limit", name, &place, problems)).collect();
        }
        if let Some(Some(cost)) = settings.cost.take() {
            said.cost = Cost::compile(cost, &place.at("cost"), problems).unwrap_or_default();
        }
        if let Some(Some(rule)) = settings.validate.take() {
            let compile = |rule| Validation::compile(rule, &known.schemas, &place.at("validate"), problems);
            said.validation = rule.0.and_then(compile).map(Arc::new);
        }
        if let Some(Some(rule)) = settings.idempotency.take() {
            said.idempotency = rule.0.and_then(Idempotency::compile);
        }
        if let Some(Some(cors)) = settings.cors.take() {
            said.cors = cors.0.and_then(|cors| Cors::compile(cors, &place.at("cors"), problems)).map(Arc::new);
        }
        if let Some(Some(size)) = settings.max_body.take() {
            said.max_body = Some(size.0);
        }
        if let Some(Some(query)) = settings.request_query.take() {
            let own = QueryEdits::compile(query, &place.at("request_query"), problems);
            said.request_query = Arc::new(own.over(&said.request_query));
        }
        let mut over = |key, own: Option<Option<FieldEditsSettings>>, said: &mut Arc<FieldEdits>| {
            if let Some(Some(own)) = own {
                *said = Arc::new(FieldEdits::compile(own, &place.at(key), problems).over(said));
            }
        };
        over("request_headers", settings.request_headers.take(), &mut said.request_headers);
        over("response_headers", settings.response_headers.take(), &mut said.response_headers);
        said
    }

    /// Takes over what is said of the requests that are meant.
    fn take_requests(&mut self, settings: &mut RouteSettings, place: &Place<'_>, problems: &mut Problems) {
        match settings.host.take() {
            Some(Some(OrNone(hosts))) => self.hosts = hosts.map(|hosts| hosts.0),
            Some(None) => {}
            None => self.is_unplaced = true,
        }
        match settings.prefix.take() {
            Some(Some(prefix)) => self.prefix.extend(&prefix, &place.at("prefix"), problems),
            Some(None) => {}
            None => self.prefix.is_faulty = true,
        }
        self.is_unplaced |= self.prefix.is_faulty;
        if let Some(Some(replacement)) = settings.replace_prefix.take() {
            self.prefix.replace(&replacement, &place.at("replace_prefix"), problems);
        }
        match settings.method.take() {
            Some(Some(OrNone(methods))) => {
                self.methods = methods.map(|methods| methods.0.into_iter().map(|method| method.0).collect());
            }
            Some(None) => {}
            None => self.is_unplaced = true,
        }
        for (of, key, tests) in [
            (Kind::Header, "header", settings.header.take()),
            (Kind::Query, "query", settings.query.take()),
            (Kind::Cookie, "cookie", settings.cookie.take()),
        ] {
            self.is_unplaced |= !merge_conditions(&mut self.conditions, of, tests, &place.at(key), problems);
        }
        if let Some(Some(slash)) = settings.trailing_slash.take() {
            self.slash = slash;
        }
    }

    /// The whole path patterns of a route.
    pub fn patterns(
        &self,
        path: Option<Option<OneOrMany<String>>>,
        place: &Place<'_>,
        problems: &mut Problems,
    ) -> Vec<String> {
        match path {
            _ if self.prefix.is_faulty => Vec::new(),
            None => Vec::new(),
            Some(Some(OneOrMany(paths))) => paths.iter().map(|path| self.prefix.before(path)).collect(),
            Some(None) if self.prefix.is_written => self.prefix.itself_and_below(),
            Some(None) => {
                problems.add(place, "lacks \"path\" or \"prefix\"");
                Vec::new()
            }
        }
    }

    /// The names that every host captures.
    pub fn host_names(&self) -> Vec<String> {
        let hosts = self.hosts.as_deref().unwrap_or_default();
        let is_of_all = |name: &&str| hosts.iter().all(|host| host.captures().any(|other| other == *name));
        let names = hosts.iter().flat_map(HostPattern::captures).filter(|name| !name.is_empty());
        names.filter(is_of_all).map(str::to_owned).collect()
    }
}

/// Puts the conditions of one kind over those that are there; whether all of them are known then.
fn merge_conditions(
    conditions: &mut Vec<Condition>,
    of: Kind,
    tests: Option<Named<OrNone<ValueTest>>>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> bool {
    let Some(Named(tests)) = tests else { return false };
    let mut all_known = true;
    let mut seen: Vec<String> = Vec::new();
    for (written, test) in tests {
        if of != Kind::Query && !is_token(&written) {
            problems.add(&place.at(&written), "has a name that no such field can have");
        }
        let name = if of == Kind::Header { written.to_ascii_lowercase() } else { written.clone() };
        conditions.retain(|condition| condition.of != of || condition.name != name);
        if seen.contains(&name) {
            problems.add(&place.at(&written), "stands twice: upper and lower case do not differ here");
        }
        seen.push(name.clone());
        match test {
            Some(OrNone(Some(test))) => conditions.push(Condition { of, name, test }),
            Some(OrNone(None)) => {}
            None => all_known = false,
        }
    }
    all_known
}
