//! What a route does, as it is written.

use crate::config::target::{RedirectTarget, Target};
use crate::policy::by::By;
use crate::resilience::percent::Percent;
#[cfg(not(target_arch = "wasm32"))]
use crate::settings::schema::Described;
use crate::settings::{FromNode, Node, Place, Problems, Size, TimeLimit, shape, wrong_kind};

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
    /// How much a list of requests may be.
    pub struct BatchSettings {
        /// The most requests of one list, from 1 to 100. Default 10.
        "most" => most: Option<u32> = 20,
        /// The most bytes of the list; more is refused with 413. Default "256KiB".
        "max_body" => max_body: Option<Size> = "64KiB",
        /// The most bytes of all answers together. Those that have no room after the ones before them in
        /// the list are left out, with a 502 in their place. Default "4MiB".
        "max_answer" => max_answer: Option<Size> = "1MiB",
    }
}
