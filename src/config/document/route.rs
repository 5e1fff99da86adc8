//! A route or a group of routes as it is written.

use super::action::{BatchSettings, Forwarding, Redirecting, ReplySettings};
use super::answer::AnswerSettings;
use super::part::PartSettings;
use crate::policy::addresses::AddressSettings;
use crate::policy::cors::CorsSettings;
use crate::policy::cost::CostSettings;
use crate::policy::field_edits::FieldEditsSettings;
use crate::policy::idempotency::IdempotencySettings;
use crate::policy::query_edits::QueryEditsSettings;
use crate::policy::requirement::RequirementSettings;
use crate::policy::validation::ValidateSettings;
use crate::router::{HostPattern, SlashAtEnd, ValueTest};
use crate::settings::{BodySize, List, Method, Named, OneOrMany, OrNone, shape};

// As everywhere, the outer `None` of a field is one at fault; of an optional one, the inner `None`
// is one that is not written.
shape! {
    /// A route: what clients can call, who of them, how often, and what happens then: exactly one of
    /// `reply`, `redirect`, `forward`, `aggregate` and `batch`. Or a group: `routes` that have what else it says, unless they
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
        /// Default, and null where the group has some: every method for a forward or a redirect, POST for a
        /// batch, GET otherwise.
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
        /// Who may call: the name of an auth rule, or of several, one of which must know the caller; or "public" for
        /// everyone. Never left out: who may call is said, not assumed.
        "auth" => auth: Option<OneOrMany<String>> = "customer",
        /// From which addresses clients may call, others get 403. What groups say holds too.
        "addresses" => addresses: Option<AddressSettings> = { "allow": ["198.51.100.0/24", "2001:db8::/32"] },
        /// What a caller must be allowed, beside being known: scopes, roles, claims. What groups say holds too.
        "require" => require: Option<RequirementSettings> = { "scopes": ["orders:read"], "match": { "sub": "{user}" } },
        /// The name of the limit that calls count against, or of several: a call takes of all or, where one refuses
        /// it, of none; null is none, where the group has one. Default: none.
        "limit" => limit: Option<OrNone<OneOrMany<String>>> = ["per-user", "per-month"],
        /// How many units of its limits a call costs; of a forward, also what a header field of the answer says.
        /// Default 1.
        "cost" => cost: Option<CostSettings> = { "header": "x-cost", "before": 2 },
        /// What requests must be like to go on, by JSON Schema: body, path, query and header fields; others get
        /// 400, or 422 for their body, with what is wrong. null is nothing, where the group has it. Default:
        /// nothing.
        "validate" => validate: Option<OrNone<ValidateSettings>> = { "body": { "type": "object", "required": ["items"] } },
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
        /// Calls that are made at once, or as soon as those are back that they ask for, and come back as one
        /// object: the names of its members, each with its call. At least one.
        "aggregate" => aggregate: Option<Named<PartSettings>> = {
            "user": { "get": "user-svc:/users/{jwt.sub}" },
            "orders": { "get": "order-svc:/orders?user={jwt.sub}", "else": [] }
        },
        /// How the parts of `aggregate` become the answer. Default: an object, a member for each.
        "answer" => answer: Option<AnswerSettings> = { "status": { "partial": 206 }, "errors": "errors" },
        /// A list of requests to the routes of this file, which are answered as one: each is checked, counted
        /// and logged as if it came alone. What the route says holds for the list itself. POST alone, with
        /// JSON.
        "batch" => batch: Option<BatchSettings> = { "most": 20 },
    }
}
