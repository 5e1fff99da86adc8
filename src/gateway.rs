//! The gateway as compiled from its file: immutable, every name resolved, nothing left to check.

use std::sync::Arc;
use std::time::Duration;

use crate::policy::field_edits::FieldEdits;
use crate::policy::jwt::JwtRule;
use crate::policy::provenance::Provenance;
use crate::policy::query_edits::QueryEdits;
use crate::policy::rate_limit::Limit;
use crate::router::Router;
use crate::service_url::ServiceUrl;
use crate::template::{Template, TextTemplate};

/// A compiled `routes.json`.
#[derive(Debug)]
pub struct Gateway {
    pub(crate) router: Router<Route>,
    /// The time that one request has in all.
    pub(crate) budget: Duration,
    /// The longest path with its query, and the most bytes of all header fields.
    pub(crate) max_url: usize,
    pub(crate) max_headers: usize,
    pub(crate) provenance: Provenance,
}

/// What happens to the requests of one path pattern and its methods.
#[derive(Clone, Debug)]
pub struct Route {
    /// Where it stands in the file, as a JSON pointer.
    pub(crate) place: Arc<str>,
    /// The path pattern: what the log calls the route.
    pub(crate) pattern: String,
    /// The name of the group of clients that it is for.
    pub(crate) gateway: Option<Arc<str>>,
    /// Who may call; `None` is everyone.
    pub(crate) auth: Option<Arc<JwtRule>>,
    /// How often a caller may.
    pub(crate) limit: Option<Arc<Limit>>,
    /// The largest body that is passed on, in bytes.
    pub(crate) max_body: u64,
    /// What changes in header fields and query on the way to a service.
    pub(crate) request_headers: Arc<FieldEdits>,
    pub(crate) request_query: Arc<QueryEdits>,
    /// What changes in the header fields of the answer.
    pub(crate) response_headers: Arc<FieldEdits>,
    pub(crate) action: Action,
}

/// How a route answers.
#[derive(Clone, Debug)]
pub enum Action {
    /// With a fixed answer; no service is asked.
    Reply(Reply),
    /// By sending the client elsewhere.
    Redirect(Redirect),
    /// With the answer of one service, handed on as it comes.
    Forward(Forward),
    /// With one JSON object, put together from the answers of several services.
    Aggregate(Arc<[Part]>),
}

/// A fixed answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(crate) status: u16,
    /// JSON text; `None` is an empty body.
    pub(crate) body: Option<Arc<str>>,
}

/// Another place for the client to ask.
#[derive(Clone, Debug)]
pub struct Redirect {
    pub(crate) status: u16,
    /// Scheme, host and port; `None` keeps the client's.
    pub(crate) origin: Option<String>,
    pub(crate) path: Template,
}

/// A call handed on to a service.
#[derive(Clone, Debug)]
pub struct Forward {
    pub(crate) service: Arc<Service>,
    /// The path there; `None` keeps the client's.
    pub(crate) path: Option<Template>,
    pub(crate) timeout: Duration,
}

/// One member of an aggregate's object, and the call that it comes from.
#[derive(Clone, Debug)]
pub struct Part {
    pub(crate) name: String,
    pub(crate) service: Arc<Service>,
    pub(crate) path: Template,
    pub(crate) timeout: Duration,
    /// JSON text that stands in for a part that failed; `None` makes the part required.
    pub(crate) stand_in: Option<String>,
}

/// A service behind the gateway.
#[derive(Clone, Debug)]
pub struct Service {
    pub(crate) name: String,
    /// Where it is; with a binding, what it sees of that.
    pub(crate) url: ServiceUrl,
    /// The service binding that reaches it; `None` is the network.
    pub(crate) binding: Option<String>,
    /// Header fields of every call to it.
    pub(crate) headers: Vec<(String, TextTemplate)>,
    /// Whether its answers get the names that clients use.
    pub(crate) public_names: bool,
    pub(crate) follow_redirects: bool,
    pub(crate) timeout: Duration,
    /// The largest answer that is read into memory (the parts of an aggregate), in bytes.
    pub(crate) max_answer: u32,
}
