//! The file as it is written. Defaults are filled in, names resolved and rules across keys checked
//! in [`super::compile`].

use super::target::Target;
use crate::policy::jwt::JwtSettings;
use crate::policy::rate_limit::LimitSettings;
use crate::service_url::ServiceUrl;
use crate::settings::{
    FromNode, List, Method, Named, Node, OneOrMany, Place, Problems, Size, TimeLimit, shape, wrong_kind,
};

shape! {
    /// The whole file.
    pub struct Document {
        /// For editors; not read.
        #[allow(dead_code)]
        "$schema" => schema: Option<String>,
        /// The time that one request has in all; default 30 s.
        "timeout" => timeout: Option<TimeLimit>,
        "services" => services: Named<ServiceSettings>,
        "auth" => auth: Named<AuthSettings>,
        "limits" => limits: Named<LimitSettings>,
        "routes" => routes: List<RouteSettings>,
    }
}

shape! {
    /// A service behind the gateway.
    pub struct ServiceSettings {
        "url" => url: ServiceUrl,
        /// Until the head of an answer (forward) or all of it (aggregate) is there; default 10 s.
        "timeout" => timeout: Option<TimeLimit>,
        /// The largest answer that is read into memory; default 1 MiB.
        "max_answer" => max_answer: Option<Size>,
    }
}

shape! {
    /// How a caller proves who it is.
    pub struct AuthSettings {
        "jwt" => jwt: JwtSettings,
    }
}

shape! {
    /// A route. As everywhere, the outer `None` of a field is one at fault; of an optional one, the
    /// inner `None` is one that is not written.
    pub struct RouteSettings {
        "path" => path: OneOrMany<String>,
        /// Default: every method for a forward, `GET` otherwise.
        "method" => method: Option<OneOrMany<Method>>,
        /// The name of an auth rule, or `public`. Never left out: who may call is said, not assumed.
        "auth" => auth: String,
        "limit" => limit: Option<String>,
        "reply" => reply: Option<ReplySettings>,
        "forward" => forward: Option<Forwarding>,
        "aggregate" => aggregate: Option<Named<PartSettings>>,
    }
}

shape! {
    /// A fixed answer.
    pub struct ReplySettings {
        /// Default 200.
        "status" => status: Option<u32>,
        "body" => body: Option<Node>,
    }
}

shape! {
    /// A call handed on.
    pub struct ForwardSettings {
        "to" => to: Target,
        /// Default: the service's.
        "timeout" => timeout: Option<TimeLimit>,
    }
}

/// `"forward": "orders"` is short for `"forward": { "to": "orders" }`.
#[derive(Clone, Debug)]
pub enum Forwarding {
    Brief(Target),
    Full(ForwardSettings),
}

impl FromNode for Forwarding {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::String(_) => Target::from_node(node, place, problems).map(Self::Brief),
            Node::Object(_) => ForwardSettings::from_node(node, place, problems).map(Self::Full),
            other => wrong_kind(other, "\"service\", \"service:/path\" or an object", place, problems),
        }
    }
}

shape! {
    /// A member of an aggregate's object.
    pub struct PartSettings {
        "get" => get: Target,
        /// Default: the service's.
        "timeout" => timeout: Option<TimeLimit>,
        /// What stands in for the part when it fails; without it, the whole fails.
        "else" => stand_in: Option<Node>,
    }
}
