//! The keys that the file has: what it says of one, and the check of a signature by a secret.

use jwt_compact::alg::{Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key};
use jwt_compact::{Algorithm as HmacAlgorithm, AlgorithmSignature, Claims, UntrustedToken};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::algorithm::Algorithm;
use super::jwk::PublicKey;
use crate::policy::caller::NotIdentified;
use crate::settings::{Node, Place, Problems, SecretName, shape};

shape! {
    /// A key that tokens are signed with: a `secret` for HS256, HS384 and HS512, a public `jwk` for the others.
    pub struct KeySettings {
        /// The one algorithm that the key is for.
        "alg" => alg: Algorithm = "ES256",
        /// The `kid` of the tokens that the key is for. Default: that of the `jwk`; where it has none,
        /// tokens of any `kid` or none.
        "kid" => kid: Option<String> = "2026-11",
        /// The name of a secret of the environment. The secret itself never stands in the file; it has at
        /// least 32 bytes for HS256, 48 for HS384, 64 for HS512.
        "secret" => secret: Option<SecretName> = "{env.JWT_SECRET}",
        /// A public key in the form of RFC 7517: `kty` RSA, of 2048 to 8192 bits, EC with `crv` P-256 (ES256) or
        /// P-384 (ES384), or OKP with Ed25519 (EdDSA, Ed25519). A private key is refused.
        "jwk" => jwk: Option<Node> = {
            "kty": "EC",
            "crv": "P-256",
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
        },
    }
}

/// The hash of an HMAC algorithm.
#[derive(Clone, Copy, Debug)]
pub enum Hmac {
    Sha256,
    Sha384,
    Sha512,
}

impl Hmac {
    const fn algorithm(self) -> Algorithm {
        match self {
            Self::Sha256 => Algorithm::Hs256,
            Self::Sha384 => Algorithm::Hs384,
            Self::Sha512 => Algorithm::Hs512,
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

/// A key of the file, and the `kid` of its tokens.
#[derive(Debug)]
pub enum Key {
    /// The name of a secret of the environment.
    Secret(Hmac, String, Option<String>),
    /// A public key.
    Public(PublicKey),
}

impl Key {
    /// Whether a token names this key's algorithm, and this key if it is for a `kid`.
    pub fn is_for(&self, algorithm: Algorithm, kid: Option<&str>) -> bool {
        let (is_of_algorithm, own) = match self {
            Self::Secret(hmac, _, own) => (hmac.algorithm() == algorithm, own),
            Self::Public(key) => (key.algorithms.contains(&algorithm), &key.kid),
        };
        is_of_algorithm && (own.is_none() || own.as_deref() == kid)
    }
}

/// What is read of a token's header beside what `jwt-compact` reads.
#[derive(Clone, Debug, Deserialize)]
pub struct ExtraHeader {
    /// Whether there is a `crit`, of whatever value.
    #[serde(default, rename = "crit", deserialize_with = "is_there")]
    pub has_crit: bool,
}

fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// A token whose header was read, and nothing checked.
pub type Unchecked<'t> = UntrustedToken<'t, ExtraHeader>;

/// The claims of a token whose signature was checked, and nothing else.
pub type SignedClaims = Claims<Map<String, Value>>;

impl Key {
    /// Compiles a key; notes each fault.
    pub fn compile(settings: KeySettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let hmac = match settings.alg? {
            Algorithm::Hs256 => Hmac::Sha256,
            Algorithm::Hs384 => Hmac::Sha384,
            Algorithm::Hs512 => Hmac::Sha512,
            algorithm => return Self::public(algorithm, settings, place, problems),
        };
        match (settings.secret?, settings.jwk?) {
            (Some(SecretName(name)), None) => Some(Self::Secret(hmac, name, settings.kid?)),
            _ => {
                let name = settings.alg.map(Algorithm::name).unwrap_or_default();
                problems.add(place, format!("is for {name}, must have a \"secret\" and no \"jwk\""));
                None
            }
        }
    }

    fn public(algorithm: Algorithm, settings: KeySettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let (Some(jwk), None) = (settings.jwk?, settings.secret?) else {
            problems.add(place, "is for a public key, must have a \"jwk\" and no \"secret\"");
            return None;
        };
        let key = PublicKey::compile(&jwk, algorithm, &place.at("jwk"), problems)?;
        match (settings.kid?, &key.kid) {
            (Some(kid), Some(own)) if kid != *own => {
                problems.add(&place.at("kid"), format!("is {kid:?}, and {own:?} in the jwk"));
                None
            }
            (kid, own) => Some(Self::Public(PublicKey { kid: kid.or(own.clone()), ..key })),
        }
    }
}

/// Checks the signature of a token by a secret; gives the claims. `signed` is the token up to its last dot, `secret`
/// gives a secret of the environment by its name.
pub fn verify_by_secret<S: AsRef<[u8]>>(
    hmac: Hmac,
    name: &str,
    token: &Unchecked<'_>,
    signed: &str,
    secret: impl Fn(&str) -> Option<S>,
) -> Result<SignedClaims, NotIdentified> {
    let secret = secret(name).ok_or_else(|| NotIdentified::Misconfigured(format!("the secret {name} is not set")))?;
    let secret = secret.as_ref();
    if secret.len() < hmac.min_secret() {
        let (least, algorithm) = (hmac.min_secret(), hmac.algorithm().name());
        let why = format!("the secret {name} is shorter than the {least} bytes of {algorithm}");
        return Err(NotIdentified::Misconfigured(why));
    }
    let signature = token.signature_bytes();
    let is_signed = match hmac {
        Hmac::Sha256 => is_signed(&Hs256, &Hs256Key::new(secret), signed, signature),
        Hmac::Sha384 => is_signed(&Hs384, &Hs384Key::new(secret), signed, signature),
        Hmac::Sha512 => is_signed(&Hs512, &Hs512Key::new(secret), signed, signature),
    };
    if is_signed { signed_claims(token) } else { Err(NotIdentified::not_signed()) }
}

/// Whether a signature is that of a key over a text. The claims wait until it is known: `jwt-compact` by itself would
/// read them first, whoever wrote them.
pub fn is_signed<A: HmacAlgorithm>(algorithm: &A, key: &A::VerifyingKey, signed: &str, signature: &[u8]) -> bool {
    A::Signature::LENGTH.is_none_or(|length| length.get() == signature.len())
        && A::Signature::try_from_slice(signature)
            .is_ok_and(|signature| algorithm.verify_signature(&signature, key, signed.as_bytes()))
}

/// The claims of a token whose signature was checked.
pub fn signed_claims(token: &Unchecked<'_>) -> Result<SignedClaims, NotIdentified> {
    token.deserialize_claims_unchecked().map_err(|_| NotIdentified::unreadable())
}
