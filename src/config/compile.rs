//! From what is written to a [`Gateway`]: names resolved, defaults filled in, rules that reach over
//! several keys checked. Goes on after a fault, so that one look shows them all.

use std::sync::Arc;
use std::time::Duration;

use super::document::Document;
use super::{auth, routes, services};
use crate::gateway::{Gateway, Service};
use crate::json_schema::Library;
use crate::policy::auth::AuthRule;
use crate::policy::provenance::Provenance;
use crate::policy::rate_limit::Limit;
use crate::policy::security_headers;
use crate::settings::{List, Named, Place, Problems, Size};

const DEFAULT_BUDGET: Duration = Duration::from_secs(30);
const DEFAULT_MAX_URL: u32 = 8 << 10;
const DEFAULT_MAX_HEADERS: u32 = 32 << 10;

/// What Cloudflare's smallest plan allows.
const DEFAULT_MAX_CALLS: u32 = 50;

/// The value of a route's `auth` that lets everyone in.
pub const PUBLIC: &str = "public";

/// Compiles the file and notes every fault. If there is any, the gateway is not to be used.
pub fn gateway(document: Document, problems: &mut Problems) -> Gateway {
    let root = Place::root();
    let place_of_services = root.at("services");
    let services = compiled(document.services, |name, settings| {
        services::service(name, settings, &place_of_services.at(name), problems)
    });

    let place_of_auth = root.at("auth");
    let auth = compiled(document.auth, |name, settings| {
        auth::rule(name, settings, &services, &place_of_auth.at(name), problems)
    });
    let vouched = auth.iter().filter_map(|(_, rule)| rule.as_deref()).flat_map(AuthRule::told_to_services);
    let vouched = vouched.cloned().collect();
    let hidden = auth.iter().filter_map(|(_, rule)| rule.as_deref()).flat_map(AuthRule::hidden);
    // A service may look at that by itself, where the gateway does not.
    let hidden_credentials = hidden.filter(|carrier| !carrier.is_in_authorization()).cloned().collect();

    let place_of_limits = root.at("limits");
    let limits =
        compiled(document.limits, |name, settings| Limit::compile(name, settings, &place_of_limits.at(name), problems));
    let max_calls = document.max_calls.flatten().unwrap_or(DEFAULT_MAX_CALLS);
    if !(1..=10_000).contains(&max_calls) {
        problems.add(&root.at("max_calls"), format!("is {max_calls}, must be from 1 to 10000"));
    }
    let schemas = document.schemas.map(|schemas| Library::compile(schemas, &root.at("schemas"), problems));
    let known = Known { services, auth, limits, schemas: schemas.unwrap_or_default(), max_calls };

    let place = root.at("routes");
    let routes = document.routes.map(|routes| routes.0);
    if routes.as_ref().is_some_and(Vec::is_empty) {
        problems.add(&place, "is empty");
    }
    let router = routes::router(routes.unwrap_or_default(), &known, &place, problems);
    let budget = document.timeout.flatten().map_or(DEFAULT_BUDGET, |limit| limit.0);
    let bytes = |size: Option<Option<Size>>, default: u32| size.flatten().map_or(default, |size| size.0) as usize;
    let default = Provenance::default();
    Gateway {
        router,
        budget,
        max_calls,
        vouched,
        hidden_credentials,
        security_headers: security_headers::compile(
            document.security_headers.flatten(),
            &root.at("security_headers"),
            problems,
        ),
        log: document.log.flatten().unwrap_or_default(),
        max_url: bytes(document.max_url, DEFAULT_MAX_URL),
        max_headers: bytes(document.max_headers, DEFAULT_MAX_HEADERS),
        provenance: Provenance {
            trusted: document.trusted_proxies.flatten().map_or(default.trusted, List::without_faults),
            told: document.tell_services.flatten().map_or(default.told, List::without_faults),
        },
    }
}

/// What the file has by name.
pub type Compiled<T> = Vec<(String, Option<Arc<T>>)>;

/// What routes can name. A name whose own settings are at fault stands for `None`, so that it is
/// not called unknown as well.
pub struct Known {
    pub services: Compiled<Service>,
    pub auth: Compiled<AuthRule>,
    pub limits: Compiled<Limit>,
    pub schemas: Library,
    /// The most calls to services for one request.
    pub max_calls: u32,
}

fn compiled<S, T>(named: Option<Named<S>>, mut compile: impl FnMut(&str, S) -> Option<T>) -> Compiled<T> {
    let entries = named.map(|named| named.0).unwrap_or_default().into_iter();
    entries
        .map(|(name, settings)| {
            let value = settings.and_then(|settings| compile(&name, settings)).map(Arc::new);
            (name, value)
        })
        .collect()
}

/// What a name stands for; notes a name that stands for nothing.
pub fn named<T>(
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
