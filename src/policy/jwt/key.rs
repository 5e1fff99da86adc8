//! The keys that the file has.

use super::algorithm::Algorithm;
use super::jwk::PublicKey;
use crate::policy::signing_secret::{Hash, SigningSecret};
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

/// A key of the file.
#[derive(Debug)]
pub enum Key {
    Secret {
        secret: SigningSecret,
        /// The `kid` of the tokens that it is for, if it is not for all.
        kid: Option<String>,
    },
    Public(PublicKey),
}

impl Key {
    /// Whether a token names this key's algorithm, and this key if it is for a `kid`.
    pub fn is_for(&self, algorithm: Algorithm, kid: Option<&str>) -> bool {
        let (is_of_algorithm, own) = match self {
            Self::Secret { secret, kid } => (algorithm_by(secret.hash) == algorithm, kid),
            Self::Public(key) => (key.algorithms.contains(&algorithm), &key.kid),
        };
        is_of_algorithm && (own.is_none() || own.as_deref() == kid)
    }

    /// Whether it could tell what it has signed, when it was asked last.
    pub fn is_usable(&self) -> bool {
        match self {
            Self::Secret { secret, .. } => secret.is_usable(),
            Self::Public(_) => true,
        }
    }
}

const fn algorithm_by(hash: Hash) -> Algorithm {
    match hash {
        Hash::Sha256 => Algorithm::Hs256,
        Hash::Sha384 => Algorithm::Hs384,
        Hash::Sha512 => Algorithm::Hs512,
    }
}

impl Key {
    /// Compiles a key; notes each fault.
    pub fn compile(settings: KeySettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let hash = match settings.alg? {
            Algorithm::Hs256 => Hash::Sha256,
            Algorithm::Hs384 => Hash::Sha384,
            Algorithm::Hs512 => Hash::Sha512,
            algorithm => return Self::public(algorithm, settings, place, problems),
        };
        match (settings.secret?, settings.jwk?) {
            (Some(SecretName(name)), None) => {
                Some(Self::Secret { secret: SigningSecret::new(hash, name), kid: settings.kid? })
            }
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
