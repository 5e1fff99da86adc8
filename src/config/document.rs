//! The file as it is written. Defaults are filled in, names resolved and rules across keys checked
//! in [`super::compile`].

use super::balance::BalanceSettings;
use super::target::{RedirectTarget, Target};
use crate::policy::cors::CorsSettings;
use crate::policy::field_edits::FieldEditsSettings;
use crate::policy::idempotency::IdempotencySettings;
use crate::policy::jwt::JwtSettings;
use crate::policy::provenance::{Network, Told};
use crate::policy::query_edits::QueryEditsSettings;
use crate::policy::rate_limit::{By, LimitSettings};
use crate::resilience::breaker::BreakerSettings;
use crate::resilience::hedge::HedgeSettings;
use crate::resilience::percent::Percent;
use crate::resilience::retry::RetrySettings;
use crate::router::{HostPattern, SlashAtEnd, ValueTest};
use crate::service_url::ServiceUrl;
#[cfg(not(target_arch = "wasm32"))]
use crate::settings::schema::Described;
use crate::settings::{
    BodySize, FromNode, List, Method, Named, Node, OneOrMany, OrNone, Place, Problems, Size, TimeLimit, shape,
    wrong_kind,
};
use crate::template::TextTemplate;

shape! {
    /// All that a gateway does: its routes, and the services, auth rules and limits that they name.
    pub struct Document {
        /// The JSON Schema of this file, for editors. The gateway does not read it.
        #[allow(dead_code)]
        "$schema" => schema: Option<String> = "./routes.schema.json",
        /// The time that one request has in all, until its answer begins. Default "30s", at most 24 days.
        "timeout" => timeout: Option<TimeLimit> = "15s",
        /// The longest path with its query; a longer one is refused with 414. Default "8KiB".
        "max_url" => max_url: Option<Size> = "4KiB",
        /// The most that all header fields of a request come to; more is refused with 431. Default "32KiB".
        "max_headers" => max_headers: Option<Size> = "16KiB",
        /// Addresses of proxies in front of the gateway that are believed what they say in X-Forwarded-For,
        /// X-Forwarded-Proto and X-Request-Id. Default: none.
        "trusted_proxies" => trusted_proxies: Option<List<Network>> = ["10.0.0.0/8", "2001:db8::/32"],
        /// What services are told of where a request came from: "x-forwarded" (X-Forwarded-For, -Host and
        /// -Proto), "forwarded" (RFC 7239), "via", "request-id". Default: the first and the last.
        "tell_services" => tell_services: Option<List<Told>> = ["x-forwarded", "request-id", "via"],
        /// The services behind the gateway, each by the name that routes call it.
        "services" => services: Named<ServiceSettings> = { "order-svc": { "url": "https://orders.internal:8080" } },
        /// What differs in an environment: each by the name that the variable POSTERN_ENVIRONMENT of the
        /// runtime has there.
        #[allow(dead_code)]
        "environments" => environments: Named<EnvironmentSettings> = {
            "staging": { "services": { "order-svc": { "url": "https://orders.staging.internal" } } }
        },
        /// How callers prove who they are: rules, each by the name that routes call it. No rule can have
        /// the name "public", by which a route is open to everyone.
        "auth" => auth: Named<AuthSettings> = { "customer": { "jwt": {
            "issuer": "https://id.example.com/",
            "audience": "shop",
            "keys": [{ "alg": "HS256", "secret": "{env.JWT_SECRET}" }]
        } } },
        /// How often callers may call: limits, each by the name that routes call it. A name is of letters,
        /// digits, -, _ and ., and clients see it.
        "limits" => limits: Named<LimitSettings> = { "per-user": { "rate": "60/min", "burst": 20 } },
        /// What clients can call; at least one route. Which of several that take a request goes first is
        /// in the table of the README; their order counts last.
        "routes" => routes: List<RouteSettings> = [{ "path": "/orders", "auth": "customer", "forward": "order-svc" }],
    }
}

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

shape! {
    /// What differs in an environment.
    pub struct EnvironmentSettings {
        /// Services of the file, with the keys that are put in the place of theirs.
        #[allow(dead_code)]
        "services" => services: Named<ServiceSettings> = { "order-svc": { "url": "https://orders.staging.internal" } },
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

shape! {
    /// How a caller proves who it is.
    pub struct AuthSettings {
        /// By a bearer token that is a signed JWT, in the Authorization header.
        "jwt" => jwt: JwtSettings = {
            "issuer": "https://id.example.com/",
            "audience": "shop",
            "keys": [{ "alg": "HS256", "secret": "{env.JWT_SECRET}" }]
        },
    }
}

// As everywhere, the outer `None` of a field is one at fault; of an optional one, the inner `None`
// is one that is not written.
shape! {
    /// A route: what clients can call, who of them, how often, and what happens then: exactly one of
    /// `reply`, `redirect`, `forward` and `aggregate`. Or a group: `routes` that have what else it says, unless they
    /// say otherwise themselves.
    pub struct RouteSettings {
        /// A name for the group of clients that this is for, such as "web" or "partner". The log has it.
        "gateway" => gateway: Option<String> = "mobile",
        /// One host or several: "api.example.com", "*.example.com" (any below), "{tenant}.example.com" (one
        /// label, captured). Ports do not count. Default, and null where the group has one: every host.
        "host" => host: Option<OrNone<OneOrMany<HostPattern>>> = ["api.example.com", "{tenant}.example.com"],
        /// What comes before the paths of this route or of the group's routes; it is put before theirs.
        /// Without a `path`, a route has the prefix itself and all below it.
        "prefix" => prefix: Option<String> = "/v1",
        /// One path or several. `/a/{name}` captures one segment, `/a/{*rest}` all below `/a/`. The latter
        /// does not match `/a`: list both, or use `prefix`.
        "path" => path: Option<OneOrMany<String>> = ["/orders", "/orders/{id}"],
        /// What a service gets in the place of the prefix; "/" takes it off. Default: the prefix as it is.
        /// Of no effect where the target has a path of its own.
        "replace_prefix" => replace_prefix: Option<String> = "/v2/orders",
        /// One method or several, in upper case. GET answers HEAD too, OPTIONS is answered for every path.
        /// Default, and null where the group has some: every method for a forward, GET otherwise.
        "method" => method: Option<OrNone<OneOrMany<Method>>> = ["GET", "POST"],
        /// What must hold for header fields, by name: a text or several (it is one of these), true (it is
        /// there), false (it is not), {"prefix": …}, {"regex": …} or {"media": …}; null does without
        /// the group's.
        "header" => header: Named<OrNone<ValueTest>> = { "x-version": "2", "accept": { "media": "application/vnd.shop.v2+json" } },
        /// What must hold for query parameters, as for header fields. The first of a name counts, decoded.
        "query" => query: Named<OrNone<ValueTest>> = { "preview": true },
        /// What must hold for cookies, as for header fields.
        "cookie" => cookie: Named<OrNone<ValueTest>> = { "beta": "on" },
        /// What happens to a path that differs by a slash at its end: "strict" (it does not belong here, the
        /// default), "redirect" (308 to the path without, or with) or "ignore" (it is taken for it).
        "trailing_slash" => trailing_slash: Option<SlashAtEnd> = "redirect",
        /// Who may call: the name of an auth rule, or "public" for everyone. Never left out: who may call
        /// is said, not assumed.
        "auth" => auth: Option<String> = "customer",
        /// The name of the limit that calls count against; null is none, where the group has one.
        /// Default: none.
        "limit" => limit: Option<OrNone<String>> = "per-user",
        /// What a POST or PATCH with an Idempotency-Key does once, however often it is sent; null is nothing,
        /// where the group has it. Default: nothing. For forwards.
        "idempotency" => idempotency: Option<OrNone<IdempotencySettings>> = { "keep": "24h", "required": true },
        /// Which pages of other origins may call from a browser; null is none, where the group has some.
        /// Default: none.
        "cors" => cors: Option<OrNone<CorsSettings>> = { "origins": "https://app.example.com" },
        /// The largest body that is passed on; a larger one is refused with 413. One whose length is not said
        /// before (chunked) is counted only where this is set, and the call to the service aborted. Default
        /// "100MiB".
        "max_body" => max_body: Option<BodySize> = "1MiB",
        /// What changes in the header fields that services get.
        "request_headers" => request_headers: Option<FieldEditsSettings> = { "set": { "x-tenant": "{tenant}" } },
        /// What changes in the query that the service of a forward gets.
        "request_query" => request_query: Option<QueryEditsSettings> = { "remove": ["debug"] },
        /// What changes in the header fields of the answer.
        "response_headers" => response_headers: Option<FieldEditsSettings> = { "add": { "cache-control": "no-store" } },
        /// The routes of a group, and groups in it.
        "routes" => routes: Option<List<RouteSettings>> = [{ "path": "/orders", "forward": "order-svc" }],
        /// A fixed answer; no service is asked.
        "reply" => reply: Option<ReplySettings> = { "body": { "status": "ok" } },
        /// Where the client is sent: a path or a URL with {name} in its path and query, or an object with
        /// `to` and `status`. The client's query goes along, unless there is one here.
        "redirect" => redirect: Option<Redirecting> = "https://shop.example.com/{rest}",
        /// The service that the call is handed on to, as "service" (under the client's path), as
        /// "service:/path/{name}", or as an object with `to` and `timeout`. Method, body and query go on
        /// as they are.
        "forward" => forward: Option<Forwarding> = "order-svc:/v2/orders",
        /// Calls that are made at once, and come back as one object: the names of its members, each with
        /// its call. At least one.
        "aggregate" => aggregate: Option<Named<PartSettings>> = {
            "user": { "get": "user-svc:/users/{jwt.sub}" },
            "orders": { "get": "order-svc:/orders?user={jwt.sub}", "else": [] }
        },
    }
}

shape! {
    /// A fixed answer.
    pub struct ReplySettings {
        /// The status of the answer, from 200 to 599. Default 200.
        "status" => status: Option<u32> = 404,
        /// The body of the answer: any JSON value. Default: no body; 204, 205 and 304 can have none.
        "body" => body: Option<Node> = { "status": "ok" },
    }
}

shape! {
    /// Where the client is sent.
    pub struct RedirectSettings {
        /// A path or a URL, with {name} in its path and query.
        "to" => to: RedirectTarget = "/v2/{rest}",
        /// 301, 302, 303, 307 or 308. Default 307: for now, with the same method.
        "status" => status: Option<u32> = 308,
    }
}

/// `"redirect": "/x"` is short for `"redirect": { "to": "/x" }`.
#[derive(Clone, Debug)]
pub enum Redirecting {
    Brief(RedirectTarget),
    Full(RedirectSettings),
}

impl FromNode for Redirecting {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::String(_) => RedirectTarget::from_node(node, place, problems).map(Self::Brief),
            Node::Object(_) => RedirectSettings::from_node(node, place, problems).map(Self::Full),
            other => wrong_kind(other, "a path, a URL or an object", place, problems),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Described for Redirecting {
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [RedirectTarget::schema(generator), RedirectSettings::schema(generator)] })
    }
}

shape! {
    /// A call handed on.
    pub struct ForwardSettings {
        /// The service, and the path there; by default the client's. The path takes {name} of the route's
        /// path ({rest} for {*rest}) and {jwt.NAME}, a claim of the caller's token.
        "to" => to: Target = "order-svc:/v2/orders/{rest}",
        /// How long until the answer begins, the client's upload included. Default: the service's.
        "timeout" => timeout: Option<TimeLimit> = "2s",
        /// Another version, for a share of the callers.
        "canary" => canary: Option<CanarySettings> = { "to": "order-svc-next", "share": "5%" },
        /// A service that gets copies of requests without a body, after the answer; what it answers does
        /// not count.
        "mirror" => mirror: Option<MirrorSettings> = { "to": "order-svc-next", "share": "10%" },
        /// What answers where the service gives no answer, or says that it cannot (502, 503, 504): another
        /// service, as "service" or "service:/path", or a fixed answer.
        "else" => fallback: Option<FallbackSettings> = { "status": 503, "body": { "orders": "closed" } },
    }
}

shape! {
    /// Another version of a service, for a share of the callers.
    pub struct CanarySettings {
        /// Where it is.
        "to" => to: Target = "order-svc-next",
        /// The share of the callers.
        "share" => share: Percent = "5%",
        /// Whose requests all go one way: "caller" (the token's subject, else the address; the default),
        /// "address" or "jwt.NAME", a claim.
        "by" => by: Option<By> = "jwt.org",
    }
}

shape! {
    /// A service that gets copies.
    pub struct MirrorSettings {
        /// Where it is.
        "to" => to: Target = "order-svc-next",
        /// The share of the requests. Default "100%".
        "share" => share: Option<Percent> = "10%",
    }
}

/// Another service, or a fixed answer.
#[derive(Clone, Debug)]
pub enum FallbackSettings {
    Service(Target),
    Reply(ReplySettings),
}

impl FromNode for FallbackSettings {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::String(_) => Target::from_node(node, place, problems).map(Self::Service),
            Node::Object(_) => ReplySettings::from_node(node, place, problems).map(Self::Reply),
            other => wrong_kind(other, "\"service\", \"service:/path\" or a fixed answer", place, problems),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Described for FallbackSettings {
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [Target::schema(generator), ReplySettings::schema(generator)] })
    }
}

/// `"forward": "orders"` is short for `"forward": { "to": "orders" }`.
#[derive(Clone, Debug)]
pub enum Forwarding {
    Brief(Target),
    Full(Box<ForwardSettings>),
}

impl FromNode for Forwarding {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::String(_) => Target::from_node(node, place, problems).map(Self::Brief),
            Node::Object(_) => {
                ForwardSettings::from_node(node, place, problems).map(|settings| Self::Full(Box::new(settings)))
            }
            other => wrong_kind(other, "\"service\", \"service:/path\" or an object", place, problems),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Described for Forwarding {
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [Target::schema(generator), ForwardSettings::schema(generator)] })
    }
}

shape! {
    /// A call of an aggregate, and the member of its object that the answer becomes.
    pub struct PartSettings {
        /// The service, and the path and query there, which are got. They take {name} of the route's path
        /// ({rest} for {*rest}) and {jwt.NAME}, a claim of the caller's token.
        "get" => get: Target = "order-svc:/orders?user={jwt.sub}",
        /// How long until the whole answer is read. Default: the service's.
        "timeout" => timeout: Option<TimeLimit> = "250ms",
        /// What stands in for the part when its call fails: any JSON value. Without it the part is
        /// required, and the aggregate fails with it.
        "else" => stand_in: Option<Node> = [],
    }
}
