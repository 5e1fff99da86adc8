//! A token as its text has it: header, claims and signature in base64url, with dots between (RFC 7515, section 3.1).
//! Each is read when it is asked for: the header once for the many tokens that have the same, the claims mostly once it is
//! known who signed them.

use std::sync::Arc;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use jwt_compact::Claims;
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use crate::policy::caller::NotIdentified;

/// The claims of a token, as `jwt-compact` reads them.
pub type TokenClaims = Claims<Map<String, Value>>;

/// The parts of a token, of which nothing was read.
#[derive(Clone, Copy, Debug)]
pub struct Parts<'t> {
    /// What the signature is over: all up to the last dot.
    pub signed: &'t str,
    /// In base64url, like the others.
    pub header: &'t str,
    claims: &'t str,
    signature: &'t str,
}

impl<'t> Parts<'t> {
    /// The parts of a text that has as many.
    pub fn of(text: &'t str) -> Option<Self> {
        let (signed, signature) = text.rsplit_once('.')?;
        let (header, claims) = signed.split_once('.')?;
        (!claims.contains('.')).then_some(Self { signed, header, claims, signature })
    }

    /// The bytes of the signature.
    pub fn signature(&self) -> Option<Vec<u8>> {
        URL_SAFE_NO_PAD.decode(self.signature).ok()
    }

    /// The claims, whoever wrote them. The error, which is for the log, takes them for signed.
    pub fn claims(&self) -> Result<TokenClaims, NotIdentified> {
        let claims = URL_SAFE_NO_PAD.decode(self.claims).map_err(|_| not_a_token())?;
        serde_json::from_slice(&claims).map_err(|_| NotIdentified::unreadable())
    }
}

/// What is said of a text that is no token.
pub fn not_a_token() -> NotIdentified {
    NotIdentified::token("not a JWT")
}

/// A header (RFC 7515, section 4; RFC 7519, section 5), whatever it says.
#[derive(Debug, Deserialize)]
pub struct AnyHeader {
    /// The name of the algorithm.
    #[serde(rename = "alg")]
    algorithm: String,
    /// Of the claims, where it is told.
    #[serde(rename = "cty")]
    content_type: Option<String>,
    #[serde(flatten)]
    others: jwt_compact::Header<Extra>,
}

/// What is read of a header beside what `jwt-compact` reads.
#[derive(Debug, Deserialize)]
struct Extra {
    /// Whether there is a `crit`, of whatever value.
    #[serde(default, rename = "crit", deserialize_with = "is_there")]
    has_crit: bool,
}

fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

impl AnyHeader {
    /// Reads it from base64url.
    pub fn read(text: &str) -> Option<Self> {
        let header: Self = serde_json::from_slice(&URL_SAFE_NO_PAD.decode(text).ok()?).ok()?;
        // Claims are JSON.
        header.content_type.as_ref().is_none_or(|own| own.eq_ignore_ascii_case("json")).then_some(header)
    }

    /// The type of the token, without `application/` before it (RFC 7515, section 4.1.9).
    pub fn bare_type(&self) -> Option<&str> {
        self.others.token_type.as_deref().map(bare_type)
    }

    /// What counts of it, unless it asks for an extension (RFC 7515, section 4.1.11: none is understood here) or is of an
    /// algorithm that no key here is for.
    pub fn counting(self) -> Result<Header, NotIdentified> {
        if self.others.other_fields.has_crit {
            return Err(NotIdentified::token("asks for an extension by crit"));
        }
        let algorithm = Algorithm::named(&self.algorithm).ok_or_else(|| NotIdentified::token("of no key here"))?;
        Ok(Header { algorithm, kid: self.others.key_id })
    }
}

/// A type without `application/` before it.
pub fn bare_type(token_type: &str) -> &str {
    let prefix = token_type.get(..12).filter(|prefix| prefix.eq_ignore_ascii_case("application/"));
    prefix.map_or(token_type, |prefix| token_type.get(prefix.len()..).unwrap_or_default())
}

/// What counts of a header, where that is one that counts: by what a token says to be signed.
#[derive(Debug)]
pub struct Header {
    /// With what algorithm.
    pub algorithm: Algorithm,
    /// With which key, where it tells.
    pub kid: Option<String>,
}

/// Some headers that count. Once there is no room, one comes in only in the place of another, and by a token that was good:
/// so that strangers drive none out.
#[derive(Debug, Default)]
pub struct Headers {
    known: Vec<(Box<str>, Arc<Header>)>,
    /// Which of them goes next.
    oldest: usize,
}

/// How many are known. An issuer has one for each of its keys.
const MOST_HEADERS: usize = 16;

/// The longest that is known, in bytes: what strangers can have kept has a bound.
const LONGEST_HEADER: usize = 1 << 10;

impl Headers {
    /// The one of a text, if it is known.
    pub fn get(&self, text: &str) -> Option<Arc<Header>> {
        self.known.iter().find(|(known, _)| **known == *text).map(|(_, header)| Arc::clone(header))
    }

    /// Has it known by its text, if there is room. `is_of_good` says that it is of a token that was good.
    pub fn keep(&mut self, text: &str, header: &Arc<Header>, is_of_good: bool) {
        if text.len() > LONGEST_HEADER || self.get(text).is_some() {
            return;
        }
        let known = || (text.into(), Arc::clone(header));
        if self.known.len() < MOST_HEADERS {
            self.known.push(known());
        } else if is_of_good && let Some(oldest) = self.known.get_mut(self.oldest) {
            *oldest = known();
            self.oldest = (self.oldest + 1) % MOST_HEADERS;
        }
    }
}

/// A token whose header counts, and of which nothing was checked.
#[derive(Debug)]
pub struct Unchecked<'t> {
    /// All of it.
    pub text: &'t str,
    /// The same, in parts.
    pub parts: Parts<'t>,
    /// By what it says to be signed.
    pub header: Arc<Header>,
    /// The bytes of its signature.
    pub signature: Vec<u8>,
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_has_three_parts() {
        let Parts { signed, header, claims, signature } = Parts::of("h.c.s").unwrap();
        assert_eq!((signed, header, claims, signature), ("h.c", "h", "c", "s"));
        assert!(Parts::of("..").is_some());
        for text in ["", ".", "h", "h.c", "h.c.s.", "h.c.s.t", "..."] {
            assert!(Parts::of(text).is_none(), "of {text:?}");
        }
    }

    #[test]
    fn headers_are_known_and_strangers_drive_none_out() {
        let header = || Arc::new(Header { algorithm: Algorithm::Hs256, kid: None });
        let mut headers = Headers::default();
        for number in 0..MOST_HEADERS {
            headers.keep(&number.to_string(), &header(), number % 2 == 0);
            headers.keep(&number.to_string(), &header(), true);
        }
        headers.keep("of a stranger", &header(), false);
        assert!(headers.get("of a stranger").is_none());
        assert!((0..MOST_HEADERS).all(|number| headers.get(&number.to_string()).is_some()));
        for number in 0..3 * MOST_HEADERS {
            let name = format!("good {number}");
            headers.keep(&name, &header(), true);
            assert!(headers.get(&name).is_some());
        }
        assert!(headers.get("0").is_none());
        assert_eq!(headers.known.len(), MOST_HEADERS);
        let long = "x".repeat(LONGEST_HEADER + 1);
        headers.keep(&long, &header(), true);
        assert!(headers.get(&long).is_none());
    }
}
