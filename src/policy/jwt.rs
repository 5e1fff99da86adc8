//! Who is calling: a bearer token (RFC 6750) that is a signed JWT (RFC 7519).
//!
//! ```json
//! "auth": { "customer": { "jwt": {
//!     "issuer": "https://id.example.com/", "audience": "shop", "leeway": "30s",
//!     "keys": [
//!         { "alg": "HS256", "secret": "{env.JWT_SECRET}" },
//!         { "alg": "ES256", "kid": "2026-11", "jwk": { "kty": "EC", "crv": "P-256", "x": "…", "y": "…" } } ] } } }
//! ```
//!
//! The algorithm belongs to the key: a token's header only picks among the keys of the file, and
//! can bring no key of its own (`jwk`, `jku`, `x5u` are not read). A token counts if it has an
//! `exp` that is not over, an `nbf` that has come if it has one, the issuer and an audience of the
//! rule, no `crit` (RFC 7515, section 4.1.11: no extension is understood here), and a `typ` of an
//! access token. Signatures are checked by `jwt-compact`.
//!
//! Not here: keys by URL (JWKS), RSA, opaque tokens.

use std::borrow::Cow;
use std::time::Duration;

use serde_json::{Map, Value};

use crate::head::UnixMillis;
use crate::settings::{List, OneOrMany, Place, Problems, Span, shape};

mod key;

use key::{Key, KeySettings, SignedClaims, Unchecked};

const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);

/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 8 << 10;

shape! {
    /// A bearer token that is a signed JWT, in the Authorization header.
    pub struct JwtSettings {
        /// What a token must have in `iss`, letter by letter.
        "issuer" => issuer: String = "https://id.example.com/",
        /// What a token must have in `aud`: one value, or several of which it has one at least.
        "audience" => audience: OneOrMany<String> = "shop",
        /// How far the issuer's clock may be off, for `exp` and `nbf`. Default "30s", at most 24 days.
        "leeway" => leeway: Option<Span> = "5s",
        /// The keys that tokens are signed with; at least one. A token picks among them by `alg` and
        /// `kid`, and can bring none of its own.
        "keys" => keys: List<KeySettings> = [{ "alg": "HS256", "secret": "{env.JWT_SECRET}" }],
    }
}

/// A compiled rule.
#[derive(Debug)]
pub struct JwtRule {
    name: String,
    issuer: String,
    audience: Vec<String>,
    /// In milliseconds.
    leeway: i64,
    keys: Vec<Key>,
}

/// Who is calling, from a token that was verified.
#[derive(Clone, Debug, PartialEq)]
pub struct Caller {
    issuer: String,
    claims: Map<String, Value>,
}

impl Caller {
    /// A caller with these claims, vouched for by this issuer.
    pub fn new(issuer: &str, claims: Map<String, Value>) -> Self {
        Self { issuer: issuer.to_owned(), claims }
    }

    /// Whom a bearer token claims to be of; its signature and times are not looked at. For the tool, to
    /// show what would be sent; never for a request.
    #[cfg(not(target_arch = "wasm32"))]
    pub fn claimed(authorization: &str) -> Option<Self> {
        let token = bearer_token(authorization)?;
        let token = jwt_compact::UntrustedToken::new(token).ok()?;
        let claims = token.deserialize_claims_unchecked::<Map<String, Value>>().ok()?.custom;
        let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default().to_owned();
        Some(Self { issuer, claims })
    }

    /// The issuer that vouches for the caller.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// A claim that is a single value, as text: a string, a number or a boolean. An empty string is
    /// none: it would turn "this user's" into "everybody's", and strangers into one caller.
    pub fn claim(&self, name: &str) -> Option<String> {
        match self.claims.get(name)? {
            Value::String(text) if text.is_empty() => None,
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
    }
}

impl Caller {
    /// A claim of whatever kind, as JSON text.
    pub fn claim_json(&self, name: &str) -> Option<String> {
        self.claims.get(name).map(Value::to_string)
    }
}

/// Why nobody is known to be calling.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum NotIdentified {
    /// There is no bearer token.
    NoToken,
    /// The token was good, and its time is over.
    Expired,
    /// The token will be good later.
    NotYet,
    /// The token does not count here; the reason is for the log alone.
    NotAccepted(Cow<'static, str>),
    /// The gateway lacks what it needs to tell; the reason is for the log alone.
    Misconfigured(String),
}

impl JwtRule {
    /// Compiles a rule; notes each fault.
    pub fn compile(name: &str, settings: JwtSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let place = place.at("keys");
        let keys = settings.keys.map(|keys| {
            if keys.0.is_empty() {
                problems.add(&place, "is empty");
            }
            let keys = keys.0.into_iter().enumerate();
            keys.map(|(at, key)| Key::compile(key?, &place.at(at), problems)).collect::<Vec<_>>()
        });
        let leeway = settings.leeway?.map_or(DEFAULT_LEEWAY, |span| span.0);
        Some(Self {
            name: name.to_owned(),
            issuer: settings.issuer?,
            audience: settings.audience?.0,
            leeway: i64::try_from(leeway.as_millis()).unwrap_or(i64::MAX),
            keys: keys?.into_iter().collect::<Option<_>>()?,
        })
    }

    /// Its name in the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Tells who is calling from the value of the `Authorization` header. `secret` gives a secret
    /// of the environment by its name.
    pub fn identify(
        &self,
        authorization: Option<&str>,
        now: UnixMillis,
        secret: impl Fn(&str) -> Option<String>,
    ) -> Result<Caller, NotIdentified> {
        let token = bearer_token(authorization.unwrap_or_default()).ok_or(NotIdentified::NoToken)?;
        if token.len() > MAX_TOKEN {
            return Err(NotIdentified::NotAccepted("too long".into()));
        }
        let token = Unchecked::try_from(token).map_err(|_| NotIdentified::NotAccepted("not a JWT".into()))?;
        if token.header().other_fields.has_crit {
            return Err(NotIdentified::NotAccepted("asks for an extension by crit".into()));
        }
        if !token.header().token_type.as_deref().is_none_or(is_access_token) {
            return Err(NotIdentified::NotAccepted("of another typ".into()));
        }
        let claims = self.verify(&token, secret)?;
        self.check_claims(claims, now)
    }

    fn verify(
        &self,
        token: &Unchecked<'_>,
        secret: impl Fn(&str) -> Option<String>,
    ) -> Result<SignedClaims, NotIdentified> {
        let mut refused = None;
        let mut unusable = None;
        for key in self.keys.iter().filter(|key| key.is_for(token)) {
            match key.material.verify(token, &secret) {
                Ok(claims) => return Ok(claims),
                Err(why @ NotIdentified::Misconfigured(_)) => unusable = Some(why),
                Err(why) => refused = Some(why),
            }
        }
        // A key that cannot be used is the gateway's fault only where no other could tell.
        Err(match (refused, unusable) {
            (None, None) => NotIdentified::NotAccepted("of no key here".into()),
            (None, Some(unusable)) => unusable,
            (Some(NotIdentified::NotAccepted(why)), Some(NotIdentified::Misconfigured(also))) => {
                NotIdentified::NotAccepted(format!("{why}; {also}").into())
            }
            (Some(refused), _) => refused,
        })
    }

    fn check_claims(&self, claims: SignedClaims, now: UnixMillis) -> Result<Caller, NotIdentified> {
        let now = i64::try_from(now.0).unwrap_or(i64::MAX);
        let mut custom = claims.custom;
        if custom.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(NotIdentified::NotAccepted("of another issuer".into()));
        }
        let is_for_us =
            |audience: &Value| audience.as_str().is_some_and(|name| self.audience.iter().any(|a| a == name));
        let for_us = match custom.get("aud") {
            Some(Value::Array(audiences)) => audiences.iter().any(is_for_us),
            Some(audience) => is_for_us(audience),
            None => false,
        };
        if !for_us {
            return Err(NotIdentified::NotAccepted("for another audience".into()));
        }
        let Some(expires) = claims.expiration else {
            return Err(NotIdentified::NotAccepted("without exp".into()));
        };
        if now >= expires.timestamp_millis().saturating_add(self.leeway) {
            return Err(NotIdentified::Expired);
        }
        if claims.not_before.is_some_and(|start| now < start.timestamp_millis().saturating_sub(self.leeway)) {
            return Err(NotIdentified::NotYet);
        }
        // `jwt-compact` reads these out of the others; a template may ask for them.
        let times = [("exp", claims.expiration), ("nbf", claims.not_before), ("iat", claims.issued_at)];
        custom.extend(times.into_iter().filter_map(|(name, time)| Some((name.to_owned(), time?.timestamp().into()))));
        Ok(Caller::new(&self.issuer, custom))
    }
}

/// The token of `Bearer <token>`; the scheme is case-insensitive (RFC 9110, section 11.1).
fn bearer_token(authorization: &str) -> Option<&str> {
    let (scheme, token) = authorization.split_once(' ')?;
    let token = token.trim_matches(' ');
    (scheme.eq_ignore_ascii_case("Bearer") && !token.is_empty()).then_some(token)
}

/// Types of tokens that grant access: `JWT`, and `at+jwt` of RFC 9068. Others (a logout token, a
/// proof of possession) are signed by the same issuer for another end.
fn is_access_token(token_type: &str) -> bool {
    let bare = token_type.get(..12).filter(|prefix| prefix.eq_ignore_ascii_case("application/"));
    let bare = bare.map_or(token_type, |prefix| token_type.get(prefix.len()..).unwrap_or_default());
    bare.eq_ignore_ascii_case("JWT") || bare.eq_ignore_ascii_case("at+jwt")
}

#[cfg(test)]
mod tests;
