//! The file as it is written. Defaults are filled in, names resolved and rules across keys checked
//! in [`super::compile`].

mod action;
mod answer;
mod part;
mod route;
mod service;

pub use action::{BatchSettings, CanarySettings, FallbackSettings, Forwarding, Redirecting, ReplySettings};
pub use answer::{AnswerSettings, StatusSettings};
pub use part::{PartSettings, SpreadSettings};
pub use route::RouteSettings;
pub use service::{InstanceSettings, Instances, ServiceChanges, ServiceSettings};

use crate::policy::api_key::ApiKeyRuleSettings;
use crate::policy::certificate::CertificateRuleSettings;
use crate::policy::forward_auth::ForwardAuthSettings;
use crate::policy::introspection::IntrospectionSettings;
use crate::policy::jwt::JwtSettings;
use crate::policy::provenance::{Network, Told};
use crate::policy::rate_limit::LimitSettings;
use crate::policy::request_log::RequestLog;
use crate::policy::security_headers::SecurityHeadersSettings;
use crate::policy::signature::SignatureRuleSettings;
use crate::settings::{List, Named, Node, Size, TimeLimit, shape};

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
        /// The most calls to services that one request may make, tries counted: what the platform allows.
        /// Default 50, what Cloudflare's smallest plan does. From 1 to 10000.
        "max_calls" => max_calls: Option<u32> = 1000,
        /// Addresses of proxies in front of the gateway that are believed what they say in X-Forwarded-For,
        /// X-Forwarded-Proto and X-Request-Id. Default: none.
        "trusted_proxies" => trusted_proxies: Option<List<Network>> = ["10.0.0.0/8", "2001:db8::/32"],
        /// What services are told of where a request came from: "x-forwarded" (X-Forwarded-For, -Host and
        /// -Proto), "forwarded" (RFC 7239), "via", "request-id". Default: the first and the last.
        "tell_services" => tell_services: Option<List<Told>> = ["x-forwarded", "request-id", "via"],
        /// What every answer tells browsers where it does not itself: true (what suits an API: no sniffing, no frames, no
        /// scripts, no referrer, TLS alone), or header fields with values that differ from that, null for none. Default:
        /// nothing.
        "security_headers" => security_headers: Option<SecurityHeadersSettings> = { "x-frame-options": "SAMEORIGIN", "permissions-policy": "geolocation=()" },
        /// Which requests the log has a line of: "all", "troubled" (those that were refused or failed, or of which something
        /// is to be told), or "none". Default "all".
        "log" => log: Option<RequestLog> = "troubled",
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
        /// JSON Schemas (draft 2020-12), each by the name that `validate` of routes, and `$ref` in others, call it.
        "schemas" => schemas: Named<Node> = { "order": { "type": "object", "required": ["items"] } },
        /// What clients can call; at least one route. Which of several that take a request goes first is
        /// in the table of the README; their order counts last.
        "routes" => routes: List<RouteSettings> = [{ "path": "/orders", "auth": "customer", "forward": "order-svc" }],
    }
}

shape! {
    /// What differs in an environment.
    pub struct EnvironmentSettings {
        /// Services of the file, with the keys that are put in the place of theirs; null takes one away.
        #[allow(dead_code)]
        "services" => services: Named<ServiceChanges> = { "order-svc": { "url": "https://orders.staging.internal" } },
    }
}

shape! {
    /// How a caller proves who it is: exactly one of these.
    pub struct AuthSettings {
        /// By a token that is a signed JWT.
        "jwt" => jwt: Option<JwtSettings> = {
            "issuer": "https://id.example.com/",
            "audience": "shop",
            "keys": [{ "alg": "HS256", "secret": "{env.JWT_SECRET}" }]
        },
        /// By a key that was given to the caller.
        "api_key" => api_key: Option<ApiKeyRuleSettings> = { "kv": true },
        /// By a token that its issuer is asked about.
        "introspection" => introspection: Option<IntrospectionSettings> = {
            "url": "https://id.example.com/introspect",
            "client_id": "gateway",
            "client_secret": "{env.INTROSPECTION_SECRET}"
        },
        /// By a signature of the request.
        "signature" => signature: Option<SignatureRuleSettings> = { "keys": [
            { "keyid": "acme-1", "alg": "hmac-sha256", "secret": "{env.ACME_KEY}", "owner": "acme" }
        ] },
        /// By a client certificate that the platform has checked.
        "certificate" => certificate: Option<CertificateRuleSettings> = { "any": true },
        /// By asking a service.
        "forward_auth" => forward_auth: Option<ForwardAuthSettings> = { "to": "auth-svc:/check", "caller": "x-user-id" },
    }
}
