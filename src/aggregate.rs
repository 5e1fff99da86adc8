//! One answer from several services: the calls of a route's parts, at once, and the one object
//! that is put together from what they bring.
//!
//! The object has the parts in the order of the file, whichever came first. A part's JSON is
//! spliced in as the bytes it came in. A part that failed is replaced by its stand-in; one that has
//! none fails the whole, at once.

use futures::future::try_join_all;
use std::fmt;

use crate::answer::Response;
use crate::call::{Wanted, call};
use crate::gateway::Part;
use crate::json::{self, Bounds};
use crate::path::push_encoded_value;
use crate::platform::{Call, CallError, Fetched, Platform};
use crate::policy::headers::Field;
use crate::refusal::Refusal;
use crate::resilience::retry::Body;
use crate::service_url::ServiceUrl;
use crate::visit::Visit;

/// Tells whether every part is the service's own.
pub const COMPLETE: &str = "x-postern-complete";

/// Names the parts that are stand-ins, percent-encoded, separated by `, `.
pub const STAND_INS: &str = "x-postern-stand-ins";

/// What became of one part.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// JSON text of the service.
    Value(Vec<u8>),
    /// No value.
    Failed(Failure),
}

/// Why a part has no value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Failure {
    /// The call gave no answer.
    Call(CallError),
    /// The service answered with a status that is not of 200 to 299.
    Status(u16),
    /// The service answered with something that is not JSON.
    NotJson,
}

impl Failure {
    /// Whether no stand-in helps: there is nobody to give it to.
    fn is_final(self) -> bool {
        self == Self::Call(CallError::ClientGone)
    }
}

impl From<Failure> for Refusal {
    fn from(failure: Failure) -> Self {
        match failure {
            Failure::Call(error) => error.into(),
            Failure::Status(_) | Failure::NotJson => Self::BadGateway,
        }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Call(error) => error.fmt(formatter),
            Self::Status(status) => write!(formatter, "answered with status {status}"),
            Self::NotJson => formatter.write_str("answered with what is not JSON"),
        }
    }
}

/// What is asked for the sake of a part.
pub struct PartRequest {
    /// Path and query.
    pub target: String,
    /// Header fields.
    pub headers: Vec<Field>,
    /// The value that finds an instance, where that is how.
    pub key: Option<String>,
}

/// Makes the calls, one a part, all at once. Ends early when a required part fails, and the calls that
/// are still under way are dropped.
pub async fn fetch<P: Platform>(
    parts: &[Part],
    requests: &[PartRequest],
    visit: &Visit<'_, P>,
) -> Result<Vec<Outcome>, Refusal> {
    let fetches = parts.iter().zip(requests).map(|(part, request)| async move {
        match outcome(fetch_part(part, request, visit).await) {
            Outcome::Failed(failure) if part.stand_in.is_none() || failure.is_final() => Err((part, failure)),
            outcome => Ok(outcome),
        }
    });
    let outcomes = try_join_all(fetches).await.map_err(|(part, failure)| {
        visit.trace.note(format!("part {} {failure}", part.name));
        Refusal::from(failure)
    })?;
    for (part, outcome) in parts.iter().zip(&outcomes) {
        if let Outcome::Failed(failure) = outcome {
            visit.trace.note(format!("part {} {failure}; stood in for", part.name));
        }
    }
    Ok(outcomes)
}

async fn fetch_part<P: Platform>(
    part: &Part,
    request: &PartRequest,
    visit: &Visit<'_, P>,
) -> Result<Fetched, CallError> {
    let service = &part.service;
    let wanted = Wanted {
        method: "GET",
        body: Body::None,
        has_idempotency_key: false,
        key: request.key.as_deref(),
        timeout: part.timeout,
    };
    let make = async |url: &ServiceUrl, within| {
        let call = Call {
            url: url.join(&request.target),
            binding: service.binding.clone(),
            headers: request.headers.clone(),
            max_answer: service.max_answer,
        };
        visit.platform.get(&call, within).await
    };
    call(service, wanted, visit, make, drop).await.map(|(fetched, _)| fetched)
}

fn outcome(result: Result<Fetched, CallError>) -> Outcome {
    match result {
        Err(error) => Outcome::Failed(Failure::Call(error)),
        // 204 and 205 say that there is nothing, and JSON has a word for that.
        Ok(fetched) if matches!(fetched.status, 204 | 205) => Outcome::Value(b"null".to_vec()),
        Ok(fetched) if !(200..300).contains(&fetched.status) => Outcome::Failed(Failure::Status(fetched.status)),
        Ok(fetched) => match json::value(&fetched.body, Bounds::default()) {
            Err(_) => Outcome::Failed(Failure::NotJson),
            Ok(value) if value.len() == fetched.body.len() => Outcome::Value(fetched.body),
            Ok(value) => Outcome::Value(value.as_bytes().to_vec()),
        },
    }
}

/// Puts the parts together.
pub fn merge(parts: &[Part], outcomes: &[Outcome]) -> Response {
    let size: usize =
        parts.iter().zip(outcomes).map(|(part, outcome)| part.name.len() + 4 + value(part, outcome).len()).sum();
    let mut body = Vec::with_capacity(size + 2);
    let mut stand_ins = String::new();
    body.push(b'{');
    for (part, outcome) in parts.iter().zip(outcomes) {
        if body.len() > 1 {
            body.push(b',');
        }
        json::push_string(&mut body, &part.name);
        body.push(b':');
        body.extend_from_slice(value(part, outcome));
        if matches!(outcome, Outcome::Failed(_)) {
            if !stand_ins.is_empty() {
                stand_ins.push_str(", ");
            }
            push_encoded_value(&mut stand_ins, part.name.as_bytes());
        }
    }
    body.push(b'}');
    let mut headers = vec![
        ("content-type".into(), "application/json".into()),
        ("cache-control".into(), "no-store".into()),
        (COMPLETE.into(), stand_ins.is_empty().to_string()),
    ];
    if !stand_ins.is_empty() {
        headers.push((STAND_INS.into(), stand_ins));
    }
    Response { status: 200, headers, body }
}

fn value<'a>(part: &'a Part, outcome: &'a Outcome) -> &'a [u8] {
    match outcome {
        Outcome::Value(value) => value,
        Outcome::Failed(_) => part.stand_in.as_deref().unwrap_or("null").as_bytes(),
    }
}
