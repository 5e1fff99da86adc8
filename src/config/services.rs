//! The services: where their instances are, how one is chosen, and what is done when it fails.

use std::sync::Mutex;
use std::time::Duration;

use super::balance::BalanceSettings;
use super::document::{InstanceSettings, Instances, ServiceSettings};
use crate::discovery::Discovery;
use crate::gateway::Service;
use crate::policy::field_edits::field_name;
use crate::policy::internal_token::InternalToken;
use crate::pool::{Balance, Pool};
use crate::resilience::breaker::BreakerRule;
use crate::resilience::hedge::HedgeRule;
use crate::resilience::retry::RetryRule;
use crate::service_url::ServiceUrl;
use crate::settings::{FromNode, Named, Node, OrNone, Place, Problems};
use crate::template::{Source, TextTemplate};

const DEFAULT_TIMEOUT: Duration = Duration::from_secs(10);
const DEFAULT_MAX_ANSWER: u32 = 1 << 20;
const DEFAULT_REFRESH: Duration = Duration::from_secs(5);

/// Compiles a service; notes each fault.
pub fn service(name: &str, settings: ServiceSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Service> {
    let headers = headers(settings.headers, &place.at("headers"), problems);
    let (urls, binding, kv) = (settings.url?, settings.binding?, settings.kv?);
    let several = kv.is_some() || urls.as_ref().is_some_and(|urls| urls.0.len() > 1);
    if binding.is_some() && several {
        problems.add(place, "has a \"binding\" and several instances; a binding is one");
    }
    let urls = match (urls, &binding, &kv) {
        (Some(urls), ..) => urls.0.into_iter().map(weighted).collect::<Option<Vec<_>>>(),
        (None, Some(_), _) => {
            let url = ServiceUrl::parse(&format!("http://{}", name.to_ascii_lowercase()));
            if url.is_none() {
                problems.add(place, "lacks \"url\": its name cannot be the host that the service sees");
            }
            Some(vec![(url?, 1)])
        }
        (None, None, Some(_)) => Some(Vec::new()),
        (None, None, None) => {
            problems.add(place, "lacks \"url\", \"binding\" or \"kv\"");
            None
        }
    };
    let urls = urls?;
    if !urls.is_empty() && urls.iter().all(|(_, weight)| *weight == 0) {
        problems.add(&place.at("url"), "has no instance with a weight: none would get a call");
    }
    if let Some(twice) =
        urls.iter().enumerate().find(|(at, (url, _))| urls.iter().take(*at).any(|(other, _)| other == url))
    {
        problems.add(&place.at("url").at(twice.0), "stands in the list twice; give it a weight");
    }
    let refresh = settings.refresh?;
    if kv.is_none() && refresh.is_some() {
        problems.add(&place.at("refresh"), "is of no use without \"kv\"");
    }
    let discovery = kv.map(|key| Discovery { key, refresh: refresh.map_or(DEFAULT_REFRESH, |limit| limit.0) });

    // Where there is somewhere else to go, a call that failed goes there, unless the file says otherwise.
    let retry = match settings.retry? {
        Some(OrNone(Some(retry))) => Some(RetryRule::compile(retry, &place.at("retry"), problems)?),
        Some(OrNone(None)) => None,
        None => several.then(RetryRule::default),
    };
    let breaker = match settings.breaker? {
        Some(OrNone(Some(breaker))) => Some(BreakerRule::compile(breaker, &place.at("breaker"), problems)?),
        Some(OrNone(None)) => None,
        None => several.then(BreakerRule::default),
    };
    let hedge = match settings.hedge? {
        Some(hedge) => Some(HedgeRule::compile(hedge, &place.at("hedge"), problems)?),
        None => None,
    };
    let (balance, key) = match settings.balance? {
        None => (Balance::RoundRobin, None),
        Some(BalanceSettings::Plain(balance)) => (balance, None),
        Some(BalanceSettings::Hash(key)) => {
            if key.asks_for_a_secret() {
                problems.add(&place.at("balance").at("hash"), "asks for a secret, which is the same in every request");
            }
            (Balance::Hash, Some(key))
        }
    };
    let internal_token = match settings.internal_token? {
        Some(token) => Some(InternalToken::compile(name, token, &place.at("internal_token"), problems)?),
        None => None,
    };
    if let Some(token) = internal_token.as_ref().filter(|token| headers.iter().any(|(name, _)| *name == token.header)) {
        let message = format!("is in {:?}, which \"headers\" have too", token.header);
        problems.add(&place.at("internal_token"), message);
    }
    let budget = retry.as_ref().map_or(RetryRule::default().budget, |rule| rule.budget);
    Some(Service {
        name: name.to_owned(),
        binding,
        headers,
        internal_token,
        public_names: settings.public_names?.unwrap_or(false),
        follow_redirects: settings.follow_redirects?.unwrap_or(false),
        timeout: settings.timeout?.map_or(DEFAULT_TIMEOUT, |limit| limit.0),
        max_answer: settings.max_answer?.map_or(DEFAULT_MAX_ANSWER, |size| size.0),
        discovery,
        pool: Mutex::new(Pool::new(urls, breaker, budget)),
        balance,
        key,
        retry,
        breaker,
        hedge,
    })
}

/// Reads a list of instances from elsewhere than the file; the error says what is wrong with it.
pub fn instances(text: &str) -> Result<Vec<(ServiceUrl, u32)>, String> {
    let tree: Node = serde_json::from_str(text).map_err(|error| format!("is not JSON: {error}"))?;
    let mut problems = Problems::default();
    let list = Instances::from_node(&tree, &Place::root(), &mut problems);
    let list = list.and_then(|list| list.0.into_iter().map(weighted).collect::<Option<Vec<_>>>());
    // One that stands there twice has both weights: it is one instance all the same.
    let list = list.map(|list| {
        list.into_iter().fold(Vec::new(), |mut once: Vec<(ServiceUrl, u32)>, (url, weight)| {
            match once.iter_mut().find(|(other, _)| *other == url) {
                Some((_, there)) => *there = there.saturating_add(weight),
                None => once.push((url, weight)),
            }
            once
        })
    });
    match (list, problems.in_order_of(&tree).first()) {
        (Some(list), None) if list.iter().any(|(_, weight)| *weight > 0) => Ok(list),
        (_, Some(problem)) => Err(format!("is no list of instances: {problem}")),
        _ => Err("has no instance with a weight".to_owned()),
    }
}

fn weighted(instance: InstanceSettings) -> Option<(ServiceUrl, u32)> {
    Some((instance.url?, instance.weight?.unwrap_or(1)))
}

fn headers(
    written: Option<Named<TextTemplate>>,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Vec<(String, TextTemplate)> {
    let written = written.into_iter().flat_map(|headers| headers.0);
    let fields = written.filter_map(|(name, value)| {
        let place = place.at(&name);
        let name = field_name(&name, &place, problems)?;
        let value = value?;
        for source in value.sources() {
            if let Source::Param(_) | Source::Claim(_) = source {
                problems.add(&place, "asks for a value of a route; here there are only those of every request");
            }
        }
        Some((name, value))
    });
    fields.collect()
}
