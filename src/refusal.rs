//! Every answer by which the gateway itself turns a request down, as a problem document (RFC 9457).
//!
//! A client learns what it can act on. What happened inside is in the log, under the request id.

use serde::Serialize;

use crate::aggregate::PartError;
use crate::answer::Response;
use crate::batch::Fault;
use crate::platform::CallError;
use crate::template::Unfit;

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
    /// The route needs a token and there is none.
    NoToken,
    /// The token's time is over.
    TokenExpired,
    /// The token's time has not come.
    TokenNotYet,
    /// The token does not count here.
    TokenNotAccepted,
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
        /// The limit's name.
        limit: String,
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
    NotJson,
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
    /// No instance of the service takes calls now.
    Unavailable,
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

/// The challenge of a request without a token (RFC 6750, section 3).
const CHALLENGE: &str = "Bearer realm=\"api\"";

/// The type of problem that is registered for a used-up quota.
const QUOTA_EXCEEDED: &str = "https://iana.org/assignments/http-problem-types#quota-exceeded";

/// The members of a problem document: those of RFC 9457, and ours.
#[derive(Serialize)]
struct ProblemDocument<'p> {
    #[serde(rename = "type")]
    kind: &'p str,
    title: &'p str,
    detail: &'p str,
    status: u16,
    request_id: &'p str,
    /// Of the registered problem type for a used-up quota.
    #[serde(rename = "violated-policies", skip_serializing_if = "Option::is_none")]
    violated_policies: Option<[&'p str; 1]>,
    #[serde(skip_serializing_if = "Option::is_none")]
    claim: Option<&'p str>,
    /// What is wrong, each with its place in the body (RFC 9457, section 3), or of which part.
    #[serde(skip_serializing_if = "Errors::is_empty")]
    errors: Errors<'p>,
}

/// What is told of what is wrong.
#[derive(Serialize)]
#[serde(untagged)]
enum Errors<'p> {
    Parts(&'p [PartError]),
    Faults(&'p [Fault]),
}

impl Errors<'_> {
    fn is_empty(&self) -> bool {
        match self {
            Self::Parts(errors) => errors.is_empty(),
            Self::Faults(faults) => faults.is_empty(),
        }
    }
}

/// How a refusal is put: status, the last part of its `type`, its title, and what to do about it.
struct Wording(u16, &'static str, &'static str, &'static str);

impl Refusal {
    /// The status of the response.
    pub fn status(&self) -> u16 {
        self.wording().0
    }

    /// The same, telling clients of a part of an aggregate.
    pub fn telling(self, error: PartError) -> Self {
        match self {
            // Nobody reads it.
            Self::ClientGone => self,
            other => Self::Composed { status: other.status(), errors: vec![error] },
        }
    }

    fn wording(&self) -> Wording {
        match self {
            Self::AmbiguousPath => Wording(
                400,
                "ambiguous-path",
                "The path can be read in more than one way",
                "Send a path without empty segments, backslashes, semicolons, control characters and encoded slashes.",
            ),
            Self::AmbiguousHost => Wording(
                400,
                "ambiguous-host",
                "The request names no single host",
                "Send one Host, of a name and maybe a port.",
            ),
            Self::UrlTooLong => Wording(414, "url-too-long", "The URL is too long", "Send less of it."),
            Self::HeadersTooLarge => {
                Wording(431, "headers-too-large", "The header fields are too large", "Send fewer or shorter ones.")
            }
            Self::BodyTooLarge => Wording(413, "body-too-large", "The body is too large", "Send a smaller one."),
            Self::NoRoute => Wording(404, "no-route", "There is nothing here", "Check the path."),
            Self::OtherMethods(_) => Wording(
                405,
                "other-methods",
                "This path does not take that method",
                "The Allow header names the methods that it takes.",
            ),
            Self::NoToken => {
                Wording(401, "no-token", "A token is needed", "Send an Authorization header with a bearer token.")
            }
            Self::TokenExpired => Wording(401, "token-expired", "The token has expired", "Get a new one."),
            Self::TokenNotYet => {
                Wording(401, "token-not-yet", "The token is not valid yet", "Wait, or check the clock.")
            }
            Self::TokenNotAccepted => Wording(
                401,
                "token-not-accepted",
                "The token is not accepted here",
                "Get a token that was issued for this API.",
            ),
            Self::ClaimMissing(_) => Wording(
                403,
                "claim-missing",
                "The token does not say enough",
                "Get a token with the claim that this path needs.",
            ),
            Self::UnusableValue => Wording(
                400,
                "unusable-value",
                "A value of the request cannot be used",
                "A value that names a thing cannot be missing, made of dots or hold slashes.",
            ),
            Self::BodyNotJson => Wording(400, "body-not-json", "The body is not JSON", "Send one JSON value."),
            Self::UnusableFields => Wording(
                400,
                "unusable-fields",
                "The fields that are asked for have no names",
                "Send names with dots in them, separated by commas: ?fields=user.name,orders.",
            ),
            Self::Composed { status, .. } => match status {
                404 => Wording(404, "not-found", "There is no such thing", "Check what the path names."),
                500 => Self::Internal.wording(),
                502 => Self::BadGateway.wording(),
                503 => Self::Unavailable.wording(),
                504 => Self::GatewayTimeout.wording(),
                other => Wording(*other, "part-failed", "A part of the answer cannot be had", "Check the request."),
            },
            Self::OverLimit { .. } => {
                Wording(429, "quota-exceeded", "Too many requests", "Wait as long as the Retry-After header says.")
            }
            Self::LimiterDown => Wording(503, "limiter-down", "The request cannot be counted now", "Try again later."),
            Self::NoIdempotencyKey => Wording(
                400,
                "no-idempotency-key",
                "An Idempotency-Key is needed",
                "Send one of at most 255 visible characters, a new one for each thing to be done.",
            ),
            Self::StillRunning => Wording(
                409,
                "still-running",
                "A request with this Idempotency-Key is under way",
                "Send it again later.",
            ),
            Self::OtherPayload => Wording(
                422,
                "other-payload",
                "This Idempotency-Key was used for another request",
                "Send a new key for another thing to be done.",
            ),
            Self::AnswerLost => Wording(
                409,
                "answer-lost",
                "This was done before, or may have been, and its answer is not there any more",
                "Look whether it was done, and send a new Idempotency-Key if it is to be done again.",
            ),
            Self::ClientSlow => Wording(408, "client-slow", "The body did not come in time", "Send it faster."),
            Self::NotJson => Wording(
                415,
                "not-json",
                "The body does not say that it is JSON",
                "Send it with the Content-Type application/json.",
            ),
            Self::FaultyList(_) => Wording(
                400,
                "faulty-list",
                "The list of requests is faulty",
                "Nothing of it was done. Mend what errors tells of, and send it again.",
            ),
            Self::BatchInBatch => Wording(
                400,
                "batch-in-batch",
                "A batch cannot be part of a batch",
                "Put its requests into the outer list.",
            ),
            Self::AnswerTooLarge => Wording(
                502,
                "answer-too-large",
                "The answer has no room beside the others",
                "The request was made. Ask for less at once.",
            ),
            Self::StoreDown => {
                Wording(503, "store-down", "It cannot be told whether this was done before", "Try again later.")
            }
            Self::BadGateway => Wording(502, "bad-gateway", "A service gave no usable answer", "Try again later."),
            Self::Unavailable => Wording(503, "unavailable", "A service takes no calls now", "Try again later."),
            Self::GatewayTimeout => {
                Wording(504, "gateway-timeout", "A service did not answer in time", "Try again later.")
            }
            Self::ClientGone => Wording(499, "client-gone", "The client went away", "Nobody reads this."),
            Self::Internal => Wording(500, "internal", "The gateway failed", "Report the request id."),
        }
    }

    /// The response that says so.
    pub fn response(&self, request_id: &str) -> Response {
        let Wording(status, code, title, detail) = self.wording();
        let kind = match self {
            Self::OverLimit { .. } => QUOTA_EXCEEDED.to_owned(),
            _ => format!("urn:postern:problem:{code}"),
        };
        let document = ProblemDocument {
            kind: &kind,
            title,
            detail,
            status,
            request_id,
            violated_policies: match self {
                Self::OverLimit { limit, .. } => Some([limit]),
                _ => None,
            },
            claim: match self {
                Self::ClaimMissing(claim) => Some(claim),
                _ => None,
            },
            errors: match self {
                Self::Composed { errors, .. } => Errors::Parts(errors),
                Self::FaultyList(faults) => Errors::Faults(faults),
                _ => Errors::Parts(&[]),
            },
        };
        // Writing texts and a number into a Vec has no way to fail.
        let body = serde_json::to_vec(&document).unwrap_or_default();

        let mut headers = vec![
            ("content-type".into(), "application/problem+json".into()),
            ("cache-control".into(), "no-store".into()),
        ];
        headers.extend(self.own_header().map(|(name, value)| (name.into(), value)));
        Response { status, headers, body }
    }

    /// The header field that the status asks for.
    fn own_header(&self) -> Option<(&'static str, String)> {
        let challenge = |error: &str, description: &str| {
            let value = format!("{CHALLENGE}, error=\"{error}\", error_description=\"{description}\"");
            Some(("www-authenticate", value))
        };
        match self {
            Self::OtherMethods(allow) => Some(("allow", allow.clone())),
            // RFC 6750, section 3.1: no error code for a request that did not try.
            Self::NoToken => Some(("www-authenticate", CHALLENGE.to_owned())),
            Self::TokenExpired => challenge("invalid_token", "The token has expired"),
            Self::TokenNotYet => challenge("invalid_token", "The token is not valid yet"),
            Self::TokenNotAccepted => challenge("invalid_token", "The token is not accepted here"),
            Self::ClaimMissing(_) => challenge("insufficient_scope", "The token does not say enough"),
            Self::OverLimit { retry_after, .. } => Some(("retry-after", retry_after.to_string())),
            Self::StillRunning => Some(("retry-after", "1".to_owned())),
            Self::LimiterDown | Self::StoreDown | Self::Unavailable | Self::Composed { status: 503, .. } => {
                Some(("retry-after", "5".to_owned()))
            }
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_refusal_is_a_problem_document() {
        let all = [
            (Refusal::AmbiguousPath, 400, None),
            (Refusal::AmbiguousHost, 400, None),
            (Refusal::UrlTooLong, 414, None),
            (Refusal::HeadersTooLarge, 431, None),
            (Refusal::BodyTooLarge, 413, None),
            (Refusal::NoRoute, 404, None),
            (Refusal::OtherMethods("GET".into()), 405, Some("allow")),
            (Refusal::NoToken, 401, Some("www-authenticate")),
            (Refusal::TokenExpired, 401, Some("www-authenticate")),
            (Refusal::TokenNotYet, 401, Some("www-authenticate")),
            (Refusal::TokenNotAccepted, 401, Some("www-authenticate")),
            (Refusal::ClaimMissing("a\"b".into()), 403, Some("www-authenticate")),
            (Refusal::UnusableValue, 400, None),
            (Refusal::OverLimit { retry_after: 3, limit: "l".into() }, 429, Some("retry-after")),
            (Refusal::LimiterDown, 503, Some("retry-after")),
            (Refusal::BodyNotJson, 400, None),
            (Refusal::UnusableFields, 400, None),
            (Refusal::Composed { status: 404, errors: Vec::new() }, 404, None),
            (Refusal::Composed { status: 403, errors: Vec::new() }, 403, None),
            (Refusal::Composed { status: 503, errors: Vec::new() }, 503, Some("retry-after")),
            (Refusal::NoIdempotencyKey, 400, None),
            (Refusal::StillRunning, 409, Some("retry-after")),
            (Refusal::OtherPayload, 422, None),
            (Refusal::AnswerLost, 409, None),
            (Refusal::ClientSlow, 408, None),
            (Refusal::NotJson, 415, None),
            (Refusal::FaultyList(vec![Fault { pointer: "#".into(), detail: "is empty".into() }]), 400, None),
            (Refusal::BatchInBatch, 400, None),
            (Refusal::AnswerTooLarge, 502, None),
            (Refusal::StoreDown, 503, Some("retry-after")),
            (Refusal::BadGateway, 502, None),
            (Refusal::Unavailable, 503, Some("retry-after")),
            (Refusal::GatewayTimeout, 504, None),
            (Refusal::ClientGone, 499, None),
            (Refusal::Internal, 500, None),
        ];
        for (refusal, status, header) in all {
            let response = refusal.response("id-\"1\"");
            let body: serde_json::Value = serde_json::from_slice(&response.body).unwrap();
            assert_eq!(response.status, status);
            assert_eq!(body["status"], status);
            assert_eq!(body["request_id"], "id-\"1\"");
            for key in ["type", "title", "detail"] {
                assert!(body[key].as_str().is_some_and(|text| !text.is_empty()), "{key} of {refusal:?}");
            }
            let has = |name: &str| response.headers.iter().any(|(other, _)| *other == name);
            assert!(has("content-type") && has("cache-control"));
            assert!(header.is_none_or(has), "of {refusal:?}");
        }
    }
}
