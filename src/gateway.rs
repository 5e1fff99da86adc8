//! The gateway as compiled from its file: immutable, every name resolved, nothing left to check.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::aggregate::plan::Aggregate;
use crate::answer::Response;
use crate::discovery::Discovery;
use crate::policy::addresses::Addresses;
use crate::policy::auth::AuthRule;
use crate::policy::by::By;
use crate::policy::cors::Cors;
use crate::policy::cost::Cost;
use crate::policy::credential::Carrier;
use crate::policy::field_edits::FieldEdits;
use crate::policy::headers::Field;
use crate::policy::idempotency::Idempotency;
use crate::policy::internal_token::InternalToken;
use crate::policy::provenance::Provenance;
use crate::policy::query_edits::QueryEdits;
use crate::policy::rate_limit::Limit;
use crate::policy::request_log::RequestLog;
use crate::policy::requirement::Requirement;
use crate::policy::validation::Validation;
use crate::pool::{Balance, Pool};
use crate::resilience::breaker::BreakerRule;
use crate::resilience::hedge::HedgeRule;
use crate::resilience::percent::Percent;
use crate::resilience::retry::RetryRule;
use crate::router::Router;
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
    /// The most calls to services for one request.
    pub(crate) max_calls: u32,
    /// Where credentials are that some rule keeps from services: on routes that do not look there, too.
    pub(crate) hidden_credentials: Vec<Carrier>,
    /// Which requests the log has a line of.
    pub(crate) log: RequestLog,
    /// What answers say to browsers, where they say nothing themselves.
    pub(crate) security_headers: Vec<Field>,
    /// The header fields in which services are told of callers, and which no client can say.
    pub(crate) vouched: Vec<String>,
}

/// What happens to the requests of one path pattern and its methods.
#[derive(Clone, Debug)]
pub struct Route {
    /// Where it stands in the file, as a JSON pointer.
    pub(crate) place: Arc<str>,
    /// The path pattern: what the log calls the route.
    pub(crate) pattern: Arc<str>,
    /// The name of the group of clients that it is for.
    pub(crate) gateway: Option<Arc<str>>,
    /// From which addresses clients may call.
    pub(crate) addresses: Vec<Arc<Addresses>>,
    /// Who may call: whom one of these knows; without any, everyone.
    pub(crate) auth: Vec<AuthRule>,
    /// What a caller must be allowed.
    pub(crate) require: Vec<Arc<Requirement>>,
    /// How often a caller may.
    pub(crate) limits: Vec<Arc<Limit>>,
    /// How many units of them a call costs.
    pub(crate) cost: Cost,
    /// The largest body that is passed on, in bytes, as the file says.
    pub(crate) max_body: Option<u64>,
    /// What a request must be like.
    pub(crate) validation: Option<Arc<Validation>>,
    /// The names of query parameters by which the route is chosen.
    pub(crate) query_names: Vec<String>,
    /// Whether a request that comes again is done once.
    pub(crate) idempotency: Option<Idempotency>,
    /// Which pages of other origins may call.
    pub(crate) cors: Option<Arc<Cors>>,
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
    Forward(Arc<Forward>),
    /// With one JSON value, put together from the answers of several services.
    Aggregate(Arc<Aggregate>),
    /// With the answers to a list of requests to the gateway's own routes.
    Batch(Batch),
}

/// A fixed answer.
#[derive(Clone, Debug)]
pub struct Reply {
    pub(crate) status: u16,
    /// JSON text; `None` is an empty body.
    pub(crate) body: Option<Arc<str>>,
}

impl Reply {
    /// As a response.
    pub(crate) fn response(&self) -> Response {
        let body = self.body.as_deref().unwrap_or_default();
        let headers =
            if body.is_empty() { Vec::new() } else { vec![("content-type".into(), "application/json".into())] };
        Response { status: self.status, headers, body: body.as_bytes().to_vec() }
    }
}

impl Action {
    /// The same for the path of a prefix itself, below which a rest is captured.
    pub(crate) fn without_rest(self) -> Self {
        match self {
            Self::Redirect(redirect) => Self::Redirect(Redirect { path: redirect.path.without_rest(), ..redirect }),
            Self::Forward(forward) => {
                let mut forward = Forward::clone(&forward);
                for destination in forward.destinations() {
                    destination.path = destination.path.take().map(Template::without_rest);
                }
                Self::Forward(forward.into())
            }
            other => other,
        }
    }
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
    pub(crate) to: Destination,
    /// The time that one try has; `None` is the service's.
    pub(crate) timeout: Option<Duration>,
    /// In boxes, since few have them, and each route's memory is deployed.
    pub(crate) canary: Option<Box<Canary>>,
    pub(crate) mirror: Option<Box<Mirror>>,
    pub(crate) fallback: Option<Box<Fallback>>,
}

impl Forward {
    /// Everywhere that it can lead.
    pub(crate) fn destinations(&mut self) -> impl Iterator<Item = &mut Destination> {
        let canary = self.canary.iter_mut().map(|canary| &mut canary.to);
        let mirror = self.mirror.iter_mut().map(|mirror| &mut mirror.to);
        let fallback = self.fallback.iter_mut().filter_map(|fallback| match &mut **fallback {
            Fallback::Service(to) => Some(to),
            Fallback::Reply(_) => None,
        });
        [&mut self.to].into_iter().chain(canary).chain(mirror).chain(fallback)
    }
}

/// Where a request can be handed on to.
#[derive(Clone, Debug)]
pub struct Destination {
    pub(crate) service: Arc<Service>,
    /// The path there; `None` keeps the client's.
    pub(crate) path: Option<Template>,
    /// The piece of the path that differs there, where the file says so.
    pub(crate) replaced: Option<Replaced>,
}

/// What clients and a service call one piece of a path.
#[derive(Clone, Debug)]
pub struct Replaced {
    pub(crate) outside: Template,
    pub(crate) inside: Template,
}

/// Another version of a service, for a share of the callers.
#[derive(Clone, Debug)]
pub struct Canary {
    pub(crate) to: Destination,
    pub(crate) share: Percent,
    /// Whose requests all go one way.
    pub(crate) by: By,
    /// Tells the split from others, so that not the same callers get every canary.
    pub(crate) name: Arc<str>,
}

/// A service that gets a copy of a share of the requests; its answers do not count.
#[derive(Clone, Debug)]
pub struct Mirror {
    pub(crate) to: Destination,
    pub(crate) share: Percent,
}

/// What answers where the service does not.
#[derive(Clone, Debug)]
pub enum Fallback {
    /// Another service.
    Service(Destination),
    /// A fixed answer.
    Reply(Reply),
}

/// How much a list of requests may be.
#[derive(Clone, Copy, Debug)]
pub struct Batch {
    /// The most entries.
    pub(crate) most: usize,
    /// The most bytes of the list.
    pub(crate) max_body: u32,
    /// The most bytes of all answers together.
    pub(crate) max_answer: u32,
}

/// A service behind the gateway.
#[derive(Debug)]
pub struct Service {
    pub(crate) name: String,
    /// The service binding that reaches it; `None` is the network.
    pub(crate) binding: Option<String>,
    /// Header fields of every call to it.
    pub(crate) headers: Vec<(String, TextTemplate)>,
    /// The token in which it is told of callers.
    pub(crate) internal_token: Option<InternalToken>,
    /// Whether its answers get the names that clients use.
    pub(crate) public_names: bool,
    pub(crate) follow_redirects: bool,
    /// Where its instances are found, if not in the file alone.
    pub(crate) discovery: Option<Discovery>,
    /// What this isolate knows of its instances.
    pub(crate) pool: Mutex<Pool>,
    pub(crate) balance: Balance,
    /// The value that finds an instance, where that is how.
    pub(crate) key: Option<TextTemplate>,
    pub(crate) retry: Option<RetryRule>,
    pub(crate) breaker: Option<BreakerRule>,
    pub(crate) hedge: Option<HedgeRule>,
    pub(crate) timeout: Duration,
    /// The largest answer that is read into memory (the parts of an aggregate), in bytes.
    pub(crate) max_answer: u32,
}
