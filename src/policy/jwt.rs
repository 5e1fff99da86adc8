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

use jwt_compact::alg::{Ed25519, Es256, Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{Algorithm, AlgorithmExt, Claims, UntrustedToken};
use serde::Deserialize;
use serde::de::IgnoredAny;
use serde_json::{Map, Value};

use crate::head::UnixMillis;
use crate::settings::{FromNode, List, Node, OneOrMany, Place, Problems, SecretName, Span, shape, wrong_kind};

const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);

/// The longest token that is looked at, in bytes.
const MAX_TOKEN: usize = 8 << 10;

shape! {
    /// A rule as written.
    pub struct JwtSettings {
        /// The `iss` that tokens must have.
        "issuer" => issuer: String,
        /// One or more values, one of which tokens must have in `aud`.
        "audience" => audience: OneOrMany<String>,
        /// How far the issuer's clock may be off; default 30 s.
        "leeway" => leeway: Option<Span>,
        "keys" => keys: List<KeySettings>,
    }
}

shape! {
    /// A key as written: a secret for HS256, HS384 and HS512, a public JWK (RFC 7517) otherwise.
    pub struct KeySettings {
        "alg" => alg: KeyAlgorithm,
        /// The `kid` of the tokens that this key is for; without it, tokens of any or no `kid`.
        "kid" => kid: Option<String>,
        "secret" => secret: Option<SecretName>,
        "jwk" => jwk: Option<Node>,
    }
}

/// The algorithms that a key can be for.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyAlgorithm {
    Es256,
    EdDsa,
    Hs256,
    Hs384,
    Hs512,
}

impl KeyAlgorithm {
    const ALL: [Self; 5] = [Self::Es256, Self::EdDsa, Self::Hs256, Self::Hs384, Self::Hs512];

    /// The name in tokens and in the file (RFC 7518, RFC 8037).
    const fn name(self) -> &'static str {
        match self {
            Self::Es256 => "ES256",
            Self::EdDsa => "EdDSA",
            Self::Hs256 => "HS256",
            Self::Hs384 => "HS384",
            Self::Hs512 => "HS512",
        }
    }
}

impl FromNode for KeyAlgorithm {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let name = String::from_node(node, place, problems)?;
        let found = Self::ALL.into_iter().find(|known| known.name() == name);
        if found.is_none() {
            // All of them, not the nearest: who has public keys must not be led to a shared secret.
            problems.add_with_help(
                place,
                format!("is {name:?}, which is not supported"),
                "there are: ES256 and EdDSA (public keys), HS256, HS384 and HS512 (secrets)",
            );
        }
        found
    }
}

/// The hash of an HMAC algorithm.
#[derive(Clone, Copy, Debug)]
enum Hmac {
    Sha256,
    Sha384,
    Sha512,
}

impl Hmac {
    const fn algorithm(self) -> KeyAlgorithm {
        match self {
            Self::Sha256 => KeyAlgorithm::Hs256,
            Self::Sha384 => KeyAlgorithm::Hs384,
            Self::Sha512 => KeyAlgorithm::Hs512,
        }
    }

    /// The fewest bytes of a secret: those of the hash (RFC 7518, section 3.2).
    const fn min_secret(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// A compiled rule.
#[derive(Debug)]
pub struct JwtRule {
    issuer: String,
    audience: Vec<String>,
    /// In milliseconds.
    leeway: i64,
    keys: Vec<Key>,
}

#[derive(Debug)]
struct Key {
    kid: Option<String>,
    material: Material,
}

#[derive(Debug)]
enum Material {
    /// The name of a secret of the environment.
    Secret(Hmac, String),
    Es256(Box<<Es256 as Algorithm>::VerifyingKey>),
    Ed25519(Box<<Ed25519 as Algorithm>::VerifyingKey>),
}

impl Material {
    fn algorithm(&self) -> KeyAlgorithm {
        match self {
            Self::Secret(hmac, _) => hmac.algorithm(),
            Self::Es256(_) => KeyAlgorithm::Es256,
            Self::Ed25519(_) => KeyAlgorithm::EdDsa,
        }
    }
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

    /// The issuer that vouches for the caller.
    pub fn issuer(&self) -> &str {
        &self.issuer
    }

    /// A claim that is a single value, as text: a string, a number or a boolean.
    pub fn claim(&self, name: &str) -> Option<String> {
        match self.claims.get(name)? {
            Value::String(text) => Some(text.clone()),
            Value::Number(number) => Some(number.to_string()),
            Value::Bool(value) => Some(value.to_string()),
            Value::Null | Value::Array(_) | Value::Object(_) => None,
        }
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

/// What is read of a token's header beside what `jwt-compact` reads.
#[derive(Clone, Debug, Deserialize)]
struct ExtraHeader {
    #[serde(default)]
    crit: Option<IgnoredAny>,
}

impl JwtRule {
    /// Compiles a rule; notes each fault.
    pub fn compile(settings: JwtSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
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
            issuer: settings.issuer?,
            audience: settings.audience?.0,
            leeway: i64::try_from(leeway.as_millis()).unwrap_or(i64::MAX),
            keys: keys?.into_iter().collect::<Option<_>>()?,
        })
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
        let token = UntrustedToken::<ExtraHeader>::try_from(token)
            .map_err(|_| NotIdentified::NotAccepted("not a JWT".into()))?;
        if token.header().other_fields.crit.is_some() {
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
        token: &UntrustedToken<'_, ExtraHeader>,
        secret: impl Fn(&str) -> Option<String>,
    ) -> Result<Claims<Map<String, Value>>, NotIdentified> {
        let kid = token.header().key_id.as_deref();
        let candidates = self.keys.iter().filter(|key| {
            key.material.algorithm().name() == token.algorithm() && (key.kid.is_none() || key.kid.as_deref() == kid)
        });
        let mut refused = None;
        let mut unusable = None;
        for key in candidates {
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

    fn check_claims(&self, claims: Claims<Map<String, Value>>, now: UnixMillis) -> Result<Caller, NotIdentified> {
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

impl Key {
    fn compile(settings: KeySettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let material = match settings.alg? {
            KeyAlgorithm::Hs256 => secret(Hmac::Sha256, &settings, place, problems),
            KeyAlgorithm::Hs384 => secret(Hmac::Sha384, &settings, place, problems),
            KeyAlgorithm::Hs512 => secret(Hmac::Sha512, &settings, place, problems),
            KeyAlgorithm::Es256 => public_key(&settings, place, problems).map(|key| Material::Es256(Box::new(key))),
            KeyAlgorithm::EdDsa => public_key(&settings, place, problems).map(|key| Material::Ed25519(Box::new(key))),
        };
        let material = material?;
        let own_kid =
            settings.jwk.flatten().map(|jwk| check_use(&jwk, material.algorithm().name(), &place.at("jwk"), problems));
        let kid = match (settings.kid?, own_kid.flatten()) {
            (Some(kid), Some(own)) if kid != own => {
                problems.add(&place.at("kid"), format!("is {kid:?}, and {own:?} in the jwk"));
                None
            }
            (kid, own) => kid.or(own),
        };
        Some(Self { kid, material })
    }
}

/// Notes what a JWK says of its use that does not go with checking signatures of an algorithm
/// (RFC 7517, sections 4.2 to 4.4); gives its `kid`.
fn check_use(jwk: &Node, algorithm: &str, place: &Place<'_>, problems: &mut Problems) -> Option<String> {
    let Node::Object(members) = jwk else { return None };
    let text = |node: &Node| match node {
        Node::String(text) => Some(text.clone()),
        _ => None,
    };
    let mut kid = None;
    for (name, value) in members {
        let fits = match name.as_str() {
            "kid" => {
                kid = text(value);
                kid.is_some()
            }
            "alg" => text(value).as_deref() == Some(algorithm),
            "use" => text(value).as_deref() == Some("sig"),
            "key_ops" => {
                matches!(value, Node::Array(uses) if uses.iter().any(|one| text(one).as_deref() == Some("verify")))
            }
            _ => true,
        };
        if !fits {
            problems.add(
                &place.at(name),
                format!("is {}, which is no key to check {algorithm} signatures with", value.to_json()),
            );
        }
    }
    kid
}

fn secret(hmac: Hmac, settings: &KeySettings, place: &Place<'_>, problems: &mut Problems) -> Option<Material> {
    match (settings.secret.as_ref()?, settings.jwk.as_ref()?) {
        (Some(SecretName(name)), None) => Some(Material::Secret(hmac, name.clone())),
        _ => {
            let name = hmac.algorithm().name();
            problems.add(place, format!("is for {name}, must have a \"secret\" and no \"jwk\""));
            None
        }
    }
}

fn public_key<K>(settings: &KeySettings, place: &Place<'_>, problems: &mut Problems) -> Option<K>
where
    K: for<'k> TryFrom<&'k JsonWebKey<'k>, Error: std::fmt::Display>,
{
    let (Some(jwk), None) = (settings.jwk.as_ref()?, settings.secret.as_ref()?) else {
        problems.add(place, "is for a public key, must have a \"jwk\" and no \"secret\"");
        return None;
    };
    let place = place.at("jwk");
    let Node::Object(members) = jwk else {
        return wrong_kind(jwk, "an object, a public key in the form of RFC 7517", &place, problems);
    };
    if members.iter().any(|(key, _)| key == "d") {
        problems.add(&place.at("d"), "is a private key, which has no business here");
        return None;
    }
    let text = jwk.to_json();
    let key = serde_json::from_str::<JsonWebKey<'_>>(&text).map_err(|error| error.to_string());
    match key.and_then(|key| K::try_from(&key).map_err(|error| error.to_string())) {
        Ok(key) => Some(key),
        Err(why) => {
            problems.add(&place, format!("is no public key of this algorithm: {why}"));
            None
        }
    }
}

impl Material {
    fn verify(
        &self,
        token: &UntrustedToken<'_, ExtraHeader>,
        secret: impl Fn(&str) -> Option<String>,
    ) -> Result<Claims<Map<String, Value>>, NotIdentified> {
        let verified = match self {
            Self::Secret(hmac, name) => {
                let secret = secret(name)
                    .ok_or_else(|| NotIdentified::Misconfigured(format!("the secret {name} is not set")))?;
                if secret.len() < hmac.min_secret() {
                    let (least, algorithm) = (hmac.min_secret(), hmac.algorithm().name());
                    let why = format!("the secret {name} is shorter than the {least} bytes of {algorithm}");
                    return Err(NotIdentified::Misconfigured(why));
                }
                match hmac {
                    Hmac::Sha256 => Hs256.validator(&Hs256Key::new(secret)).validate(token),
                    Hmac::Sha384 => Hs384.validator(&Hs384Key::new(secret)).validate(token),
                    Hmac::Sha512 => Hs512.validator(&Hs512Key::new(secret)).validate(token),
                }
            }
            Self::Es256(key) => Es256.validator(key.as_ref()).validate(token),
            Self::Ed25519(key) => Ed25519.validator(key.as_ref()).validate(token),
        };
        match verified {
            Ok(token) => Ok(token.into_parts().1),
            Err(_) => {
                Err(NotIdentified::NotAccepted("not signed by a key here, or with claims of a wrong type".into()))
            }
        }
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
