//! Every answer by which the gateway itself turns a request down, as a problem document (RFC 9457).
//!
//! A client learns what it can act on. What happened inside is in the log, under the request id.

pub mod fault;
mod wording;

use serde::Serialize;

use crate::aggregate::PartError;
use crate::answer::Response;
use crate::platform::CallError;
use crate::policy::scheme::{Scheme, challenges};
use crate::template::Unfit;
use fault::Fault;
use wording::Wording;

/// Why a request is turned down.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Refusal {
    /// The path has no single reading.
    AmbiguousPath,
    /// What the request calls the gateway is not one host.
    AmbiguousHost,
    /// The path and query are longer than allowed.
    UrlTooLong,
    /// The header fields come to more than allowed.
    HeadersTooLarge,
    /// The body is larger than allowed.
    BodyTooLarge,
    /// No route has this path.
    NoRoute,
    /// The route has other methods: the value of `Allow`.
    OtherMethods(String),
    /// The route needs a credential, of one of these schemes, and there is none.
    NoCredential(Vec<Scheme>),
    /// The token's time is over.
    TokenExpired,
    /// The token's time has not come.
    TokenNotYet,
    /// The credential does not count here.
    CredentialNotAccepted(Scheme),
    /// The token lacks a claim that the route needs.
    ClaimMissing(String),
    /// A value of the request cannot stand where the route puts it.
    UnusableValue,
    /// The body is no JSON, where it has to be.
    BodyNotJson,
    /// What follows `?fields=` names no fields.
    UnusableFields,
    /// A required part of an aggregate failed, or all parts did: the file says the status.
    Composed {
        /// The status.
        status: u16,
        /// What clients are told of the parts.
        errors: Vec<PartError>,
    },
    /// The caller's limit is used up.
    OverLimit {
        /// Seconds until the next call can be admitted.
        retry_after: u64,
        /// The limits' names.
        limits: Vec<String>,
    },
    /// The limiter cannot be asked, and the file says that nothing passes then.
    LimiterDown,
    /// The request lacks an `Idempotency-Key`, or has one that is none.
    NoIdempotencyKey,
    /// The first request with this key is not answered yet.
    StillRunning,
    /// The first request with this key asked for something else.
    OtherPayload,
    /// The first request with this key was answered, or may have been, and its answer is not kept.
    AnswerLost,
    /// The client's body did not come in time.
    ClientSlow,
    /// The client's body does not say that it is JSON.
    OtherContentType,
    /// The client's body is encoded, so that it cannot be looked at.
    EncodedBody,
    /// Parameters of the request are not as the file says.
    UnfitParameters(Vec<Fault>),
    /// The body is JSON, and not as the file says.
    UnfitBody(Vec<Fault>),
    /// The list of a batch is no such list.
    FaultyList(Vec<Fault>),
    /// A batch is part of another one.
    BatchInBatch,
    /// The answer to a request of a batch has no room beside the others.
    AnswerTooLarge,
    /// It cannot be looked up whether the request was made before.
    StoreDown,
    /// The service gave no answer that can be used.
    BadGateway,
    /// The client may not call from its address.
    AddressNotAllowed,
    /// The caller is known, and may not.
    NotAllowed {
        /// The scopes that would do, if it is for want of them.
        scopes: Option<String>,
    },
    /// No instance of the service takes calls now.
    Unavailable,
    /// There are no keys to check tokens with.
    CannotTell,
    /// The service gave no answer in time.
    GatewayTimeout,
    /// The client went away; nobody reads this, but the log keeps its status.
    ClientGone,
    /// The gateway itself is at fault.
    Internal,
}

impl From<Unfit<'_>> for Refusal {
    fn from(unfit: Unfit<'_>) -> Self {
        match unfit {
            Unfit::Claim(claim) => Self::ClaimMissing(claim.to_owned()),
            Unfit::Missing | Unfit::Part | Unfit::Path => Self::UnusableValue,
        }
    }
}

impl From<CallError> for Refusal {
    fn from(error: CallError) -> Self {
        match error {
            CallError::TimedOut => Self::GatewayTimeout,
            CallError::Unreachable | CallError::TooLarge | CallError::TooManyCalls => Self::BadGateway,
            CallError::BodyTooLarge => Self::BodyTooLarge,
            CallError::ClientSlow => Self::ClientSlow,
            CallError::NoInstance | CallError::NotAdmitted => Self::Unavailable,
            CallError::NoBinding => Self::Internal,
            CallError::ClientGone => Self::ClientGone,
        }
    }
}

impl Refusal {
    /// The status of the response.
    pub fn status(&self) -> u16 {
        self.wording().status
    }

    /// The same, telling clients of a part of an aggregate.
    pub fn telling(self, error: PartError) -> Self {
        match self {
            // Nobody reads it.
            Self::ClientGone => self,
            other => Self::Composed { status: other.status(), errors: vec![error] },
        }
    }

    /// What is wrong with the request, piece by piece, where that is told.
    pub fn faults(&self) -> &[Fault] {
        match self {
            Self::FaultyList(faults) | Self::UnfitParameters(faults) | Self::UnfitBody(faults) => faults,
            _ => &[],
        }
    }

    /// The response that says so.
    pub fn response(&self, request_id: &str) -> Response {
        let Wording { status, beginning } = self.wording();
        let mut body = Vec::with_capacity(512);
        body.extend_from_slice(beginning.as_bytes());
        push_json(&mut body, &status);
        push_member(&mut body, "request_id", request_id);
        match self {
            // Of the registered problem type for a used-up quota.
            Self::OverLimit { limits, .. } => push_member(&mut body, "violated-policies", limits),
            Self::ClaimMissing(claim) => push_member(&mut body, "claim", claim),
            // Of which part.
            Self::Composed { errors, .. } if !errors.is_empty() => push_member(&mut body, "errors", errors),
            _ => {}
        }
        // Each with its place in the body (RFC 9457, section 3).
        if !self.faults().is_empty() {
            push_member(&mut body, "errors", self.faults());
        }
        body.push(b'}');

        // With room for those that every answer carries.
        let mut headers = Vec::with_capacity(8);
        headers.push(("content-type".into(), "application/problem+json".into()));
        headers.push(("cache-control".into(), "no-store".into()));
        headers.extend(self.own_header().map(|(name, value)| (name.into(), value)));
        Response { status, headers, body }
    }

    /// The header field that the status asks for.
    fn own_header(&self) -> Option<(&'static str, String)> {
        let challenge = |error: &str, description: &str| {
            let bearer = Scheme::Bearer.challenge();
            let pieces = [bearer, ", error=\"", error, "\", error_description=\"", description, "\""];
            Some(("www-authenticate", pieces.concat()))
        };
        match self {
            Self::OtherMethods(allow) => Some(("allow", allow.clone())),
            // RFC 6750, section 3.1: no error code for a request that did not try.
            Self::NoCredential(schemes) => Some(("www-authenticate", challenges(schemes))),
            Self::TokenExpired => challenge("invalid_token", "The token has expired"),
            Self::TokenNotYet => challenge("invalid_token", "The token is not valid yet"),
            Self::CredentialNotAccepted(Scheme::Bearer) => challenge("invalid_token", "The token is not accepted here"),
            Self::CredentialNotAccepted(scheme) => Some(("www-authenticate", scheme.challenge().to_owned())),
            // RFC 6750, section 3.1.
            Self::NotAllowed { scopes: Some(scopes) } => {
                let bearer = Scheme::Bearer.challenge();
                let value = format!("{bearer}, error=\"insufficient_scope\", scope=\"{scopes}\"");
                Some(("www-authenticate", value))
            }
            Self::NotAllowed { scopes: None } => challenge("insufficient_scope", "The caller may not do this"),
            Self::ClaimMissing(_) => challenge("insufficient_scope", "The token does not say enough"),
            Self::OverLimit { retry_after, .. } => Some(("retry-after", retry_after.to_string())),
            Self::StillRunning => Some(("retry-after", "1".to_owned())),
            // RFC 9110, section 12.5.3: what would have been fine.
            Self::EncodedBody => Some(("accept-encoding", "identity".to_owned())),
            Self::LimiterDown
            | Self::StoreDown
            | Self::Unavailable
            | Self::CannotTell
            | Self::Composed { status: 503, .. } => Some(("retry-after", "5".to_owned())),
            _ => None,
        }
    }
}

/// Adds a member to an object that has one already.
fn push_member(object: &mut Vec<u8>, name: &str, value: &(impl Serialize + ?Sized)) {
    object.extend_from_slice(b",\"");
    object.extend_from_slice(name.as_bytes());
    object.extend_from_slice(b"\":");
    push_json(object, value);
}

fn push_json(bytes: &mut Vec<u8>, value: &(impl Serialize + ?Sized)) {
    // Writing texts and numbers into a Vec has no way to fail.
    let _ = serde_json::to_writer(bytes, value);
}

#[cfg(test)]
mod tests;
