//! A service as it is written.

use crate::config::balance::BalanceSettings;
use crate::policy::internal_token::InternalTokenSettings;
use crate::resilience::breaker::BreakerSettings;
use crate::resilience::hedge::HedgeSettings;
use crate::resilience::retry::RetrySettings;
use crate::service_url::ServiceUrl;
#[cfg(not(target_arch = "wasm32"))]
use crate::settings::schema::Described;
use crate::settings::{FromNode, Named, Node, OneOrMany, OrNone, Place, Problems, Size, TimeLimit, shape, wrong_kind};
use crate::template::TextTemplate;

shape! {
    /// A service behind the gateway.
    pub struct ServiceSettings {
        /// Where the service is: http or https, a host in lower case, maybe a port and a base path, and
        /// nothing else; or a list of such instances, some maybe with a weight. With a `binding`, what the
        /// service sees of it: the host and the base path.
        "url" => url: Option<Instances> = ["https://orders-1.internal", { "url": "https://orders-2.internal", "weight": 3 }],
        /// A key in the KV namespace of the binding KV, under which the list of instances is, in the form of
        /// `url`. What `url` says counts until it was read.
        "kv" => kv: Option<String> = "services/orders",
        /// How old the list of `kv` may be before it is read again. Default "5s".
        "refresh" => refresh: Option<TimeLimit> = "10s",
        /// How an instance is chosen: "round-robin" (the default), "random", "least-loaded" (the better of
        /// two by lot, by latency, calls in flight and failures), or { "hash": … } by a value of the request.
        "balance" => balance: Option<BalanceSettings> = { "hash": "{jwt.sub}" },
        /// Whether and how a call that failed is tried again, if that does no harm. Default: once, where
        /// there are several instances; null is never.
        "retry" => retry: Option<OrNone<RetrySettings>> = { "attempts": 3 },
        /// When an instance gets no calls for a while. Default: by the defaults, where there are several
        /// instances; null is never.
        "breaker" => breaker: Option<OrNone<BreakerSettings>> = { "failures": "50%", "open_for": "10s" },
        /// When a second call is made beside a first one that takes long. Default: never.
        "hedge" => hedge: Option<HedgeSettings> = { "after": "p95" },
        /// The name of the service binding by which the runtime reaches the service, in the place of the
        /// network.
        "binding" => binding: Option<String> = "ORDERS",
        /// Header fields of every call to the service; the only place where {env.NAME} puts a secret.
        "headers" => headers: Named<TextTemplate> = { "authorization": "Bearer {env.ORDERS_TOKEN}" },
        /// A token, signed by the gateway, in which the service is told of the caller.
        "internal_token" => internal_token: Option<InternalTokenSettings> = { "secret": "{env.ORDERS_KEY}", "issuer": "https://api.example.com" },
        /// Whether `Location`, and domain and path of cookies, that name the service by its own names get
        /// those that clients use. Default false.
        "public_names" => public_names: Option<bool> = true,
        /// Whether a redirect to the service itself is followed for GET and HEAD, at most 5 times, and not
        /// passed on. Default false.
        "follow_redirects" => follow_redirects: Option<bool> = true,
        /// How long the service may take. For a forward: until the answer begins, the client's upload
        /// included. For an aggregate: until the whole answer is read. Default "10s", at most 24 days.
        "timeout" => timeout: Option<TimeLimit> = "500ms",
        /// The largest answer that is read for an aggregate. From "1B" to "32MiB", default "1MiB".
        "max_answer" => max_answer: Option<Size> = "64KiB",
    }
}

/// One instance or several.
pub type Instances = OneOrMany<InstanceSettings>;

shape! {
    /// An instance of a service with a weight.
    pub struct WeightedInstance {
        /// Where it is, as a service's `url`.
        "url" => url: ServiceUrl = "https://orders-2.internal",
        /// Its part of the calls, in proportion to the others'; from 0 to 1000, default 1.
        "weight" => weight: Option<u32> = 3,
    }
}

/// An instance of a service: its URL, or that and a weight. A field is `None` where it is at fault.
#[derive(Clone, Debug)]
pub struct InstanceSettings {
    pub url: Option<ServiceUrl>,
    pub weight: Option<Option<u32>>,
}

impl FromNode for InstanceSettings {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        if let Node::Object(_) = node {
            let WeightedInstance { url, weight } = WeightedInstance::from_node(node, place, problems)?;
            if weight.flatten().is_some_and(|weight| weight > 1000) {
                problems.add(&place.at("weight"), "must be from 0 to 1000");
            }
            return Some(Self { url, weight });
        }
        Some(Self { url: ServiceUrl::from_node(node, place, problems), weight: Some(None) })
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Described for InstanceSettings {
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [ServiceUrl::schema(generator), WeightedInstance::schema(generator)] })
    }
}

/// What differs of a service: any of its keys, or `null` for one that it does without. They are read once
/// they are in their place.
#[derive(Clone, Debug)]
pub struct ServiceChanges;

impl FromNode for ServiceChanges {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::Object(_) => Some(Self),
            other => wrong_kind(other, "an object", place, problems),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Described for ServiceChanges {
    fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "type": "object", "description": "Keys of a service, or null." })
    }
}
