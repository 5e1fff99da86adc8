//! The words of every refusal: what clients are told, and what they can do about it.

use super::Refusal;
use crate::policy::scheme::Scheme;

/// How a refusal is put.
pub(super) struct Wording {
    /// The status.
    pub status: u16,
    /// What its problem document begins with, up to the value of `status`: the same each time, so put together beforehand.
    pub beginning: &'static str,
}

/// A wording: its status, the last part of its `type` (all of it after the word `type`), its title, and what to do about it.
macro_rules! wording {
    ($status:expr, $name:literal, $title:literal, $detail:literal $(,)?) => {
        wording!($status, type concat!("urn:postern:problem:", $name), $title, $detail)
    };
    ($status:expr, type $kind:expr, $title:literal, $detail:literal $(,)?) => {{
        const { assert!(is_written_as_is($kind) && is_written_as_is($title) && is_written_as_is($detail)) };
        let beginning =
            concat!("{\"type\":\"", $kind, "\",\"title\":\"", $title, "\",\"detail\":\"", $detail, "\",\"status\":");
        Wording { status: $status, beginning }
    }};
}

/// Whether a text stands in JSON as it is, without escapes.
const fn is_written_as_is(text: &str) -> bool {
    let mut rest = text.as_bytes();
    while let [first, others @ ..] = rest {
        if matches!(first, b'"' | b'\\' | 0..=0x1f) {
            return false;
        }
        rest = others;
    }
    true
}

impl Refusal {
    pub(super) fn wording(&self) -> Wording {
        match self {
            Self::AmbiguousPath => wording!(
                400,
                "ambiguous-path",
                "The path can be read in more than one way",
                "Send a path without empty segments, backslashes, semicolons, control characters and encoded slashes.",
            ),
            Self::AmbiguousHost => wording!(
                400,
                "ambiguous-host",
                "The request names no single host",
                "Send one Host, of a name and maybe a port.",
            ),
            Self::UrlTooLong => wording!(414, "url-too-long", "The URL is too long", "Send less of it."),
            Self::HeadersTooLarge => {
                wording!(431, "headers-too-large", "The header fields are too large", "Send fewer or shorter ones.")
            }
            Self::BodyTooLarge => wording!(413, "body-too-large", "The body is too large", "Send a smaller one."),
            Self::NoRoute => wording!(404, "no-route", "There is nothing here", "Check the path."),
            Self::OtherMethods(_) => wording!(
                405,
                "other-methods",
                "This path does not take that method",
                "The Allow header names the methods that it takes.",
            ),
            Self::NoCredential(schemes) => match schemes.first() {
                Some(Scheme::ApiKey) => {
                    wording!(401, "no-api-key", "There is no API key", "Send the key that you were given.")
                }
                Some(Scheme::Basic) => {
                    wording!(401, "no-password", "A password is needed", "Send the name and key that you were given.")
                }
                Some(Scheme::Certificate) => wording!(
                    401,
                    "no-certificate",
                    "A client certificate is needed",
                    "Connect with the certificate that you were given.",
                ),
                Some(Scheme::Signature) => wording!(
                    401,
                    "no-signature",
                    "The request is not signed",
                    "Sign it with the key that you were given.",
                ),
                Some(Scheme::Bearer) | None => {
                    wording!(401, "no-token", "A token is needed", "Send an Authorization header with a bearer token.")
                }
            },
            Self::TokenExpired => wording!(401, "token-expired", "The token has expired", "Get a new one."),
            Self::TokenNotYet => {
                wording!(401, "token-not-yet", "The token is not valid yet", "Wait, or check the clock.")
            }
            Self::CredentialNotAccepted(scheme) => match scheme {
                Scheme::Bearer => wording!(
                    401,
                    "token-not-accepted",
                    "The token is not accepted here",
                    "Get a token that was issued for this API.",
                ),
                Scheme::ApiKey => {
                    wording!(401, "api-key-not-accepted", "The API key is not accepted here", "Ask for another key.")
                }
                Scheme::Basic => wording!(
                    401,
                    "password-not-accepted",
                    "The name and password are not accepted here",
                    "Ask for another key.",
                ),
                Scheme::Signature => wording!(
                    401,
                    "signature-not-accepted",
                    "The signature is not accepted here",
                    "Check the key, the clock, and what is signed.",
                ),
                Scheme::Certificate => wording!(
                    401,
                    "certificate-not-accepted",
                    "The client certificate is not accepted here",
                    "Connect with another one.",
                ),
            },
            Self::ClaimMissing(_) => wording!(
                403,
                "claim-missing",
                "The token does not say enough",
                "Get a token with the claim that this path needs.",
            ),
            Self::UnusableValue => wording!(
                400,
                "unusable-value",
                "A value of the request cannot be used",
                "A value that names a thing cannot be missing, made of dots or hold slashes.",
            ),
            Self::BodyNotJson => wording!(400, "body-not-json", "The body is not JSON", "Send one JSON value."),
            Self::UnusableFields => wording!(
                400,
                "unusable-fields",
                "The fields that are asked for have no names",
                "Send names with dots in them, separated by commas: ?fields=user.name,orders.",
            ),
            Self::Composed { status, .. } => match status {
                404 => wording!(404, "not-found", "There is no such thing", "Check what the path names."),
                500 => Self::Internal.wording(),
                502 => Self::BadGateway.wording(),
                503 => Self::Unavailable.wording(),
                504 => Self::GatewayTimeout.wording(),
                other => wording!(*other, "part-failed", "A part of the answer cannot be had", "Check the request."),
            },
            // The registered type for a used-up quota.
            Self::OverLimit { .. } => wording!(
                429,
                type "https://iana.org/assignments/http-problem-types#quota-exceeded",
                "Too many requests",
                "Wait as long as the Retry-After header says.",
            ),
            Self::LimiterDown => wording!(503, "limiter-down", "The request cannot be counted now", "Try again later."),
            Self::NoIdempotencyKey => wording!(
                400,
                "no-idempotency-key",
                "An Idempotency-Key is needed",
                "Send one of at most 255 visible characters, a new one for each thing to be done.",
            ),
            Self::StillRunning => wording!(
                409,
                "still-running",
                "A request with this Idempotency-Key is under way",
                "Send it again later.",
            ),
            Self::OtherPayload => wording!(
                422,
                "other-payload",
                "This Idempotency-Key was used for another request",
                "Send a new key for another thing to be done.",
            ),
            Self::AnswerLost => wording!(
                409,
                "answer-lost",
                "This was done before, or may have been, and its answer is not there any more",
                "Look whether it was done, and send a new Idempotency-Key if it is to be done again.",
            ),
            Self::ClientSlow => wording!(408, "client-slow", "The body did not come in time", "Send it faster."),
            Self::OtherContentType => wording!(
                415,
                "other-content-type",
                "The body does not say that it is JSON",
                "Send it with the Content-Type application/json.",
            ),
            Self::EncodedBody => {
                wording!(415, "encoded-body", "The body is encoded", "Send it without a Content-Encoding, in UTF-8.")
            }
            Self::UnfitParameters(_) => wording!(
                400,
                "unfit-parameters",
                "Some parameters are not as they must be",
                "Nothing was done. Mend what errors tells of, and send it again.",
            ),
            Self::UnfitBody(_) => wording!(
                422,
                "unfit-body",
                "The body is not as it must be",
                "Nothing was done. Mend what errors tells of, and send it again.",
            ),
            Self::FaultyList(_) => wording!(
                400,
                "faulty-list",
                "The list of requests is faulty",
                "Nothing of it was done. Mend what errors tells of, and send it again.",
            ),
            Self::BatchInBatch => wording!(
                400,
                "batch-in-batch",
                "A batch cannot be part of a batch",
                "Put its requests into the outer list.",
            ),
            Self::AnswerTooLarge => wording!(
                502,
                "answer-too-large",
                "The answer has no room beside the others",
                "The request was made. Ask for less at once.",
            ),
            Self::StoreDown => {
                wording!(503, "store-down", "It cannot be told whether this was done before", "Try again later.")
            }
            Self::BadGateway => wording!(502, "bad-gateway", "A service gave no usable answer", "Try again later."),
            Self::Unavailable => wording!(503, "unavailable", "A service takes no calls now", "Try again later."),
            Self::AddressNotAllowed => {
                wording!(403, "address-not-allowed", "Not from this address", "Call from an address that may.")
            }
            Self::NotAllowed { .. } => {
                wording!(403, "not-allowed", "The caller may not do this", "Ask for a token that is allowed to.")
            }
            Self::CannotTell => wording!(503, "no-keys", "Callers cannot be identified now", "Try again later."),
            Self::GatewayTimeout => {
                wording!(504, "gateway-timeout", "A service did not answer in time", "Try again later.")
            }
            Self::ClientGone => wording!(499, "client-gone", "The client went away", "Nobody reads this."),
            Self::Internal => wording!(500, "internal", "The gateway failed", "Report the request id."),
        }
    }
}
