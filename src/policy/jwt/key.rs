//! The keys by which tokens are checked: what the file says of one, and the check of a signature.

use jwt_compact::alg::{Ed25519, Es256, Hs256, Hs256Key, Hs384, Hs384Key, Hs512, Hs512Key};
use jwt_compact::jwk::JsonWebKey;
use jwt_compact::{Algorithm, AlgorithmExt, Claims, UntrustedToken};
use serde::de::IgnoredAny;
use serde::{Deserialize, Deserializer};
use serde_json::{Map, Value};

use super::NotIdentified;
use crate::settings::{FromNode, Node, Place, Problems, SecretName, described_as, shape, wrong_kind};

shape! {
    /// A key that tokens are signed with: a `secret` for HS256, HS384 and HS512, a public `jwk` for
    /// ES256 and EdDSA.
    pub struct KeySettings {
        /// The one algorithm that the key is for.
        "alg" => alg: KeyAlgorithm = "ES256",
        /// The `kid` of the tokens that the key is for. Default: that of the `jwk`; where it has none,
        /// tokens of any `kid` or none.
        "kid" => kid: Option<String> = "2026-11",
        /// The name of a secret of the environment. The secret itself never stands in the file; it has at
        /// least 32 bytes for HS256, 48 for HS384, 64 for HS512.
        "secret" => secret: Option<SecretName> = "{env.JWT_SECRET}",
        /// A public key in the form of RFC 7517: `kty` EC and `crv` P-256 for ES256, OKP and Ed25519 for
        /// EdDSA. A private key is refused.
        "jwk" => jwk: Option<Node> = {
            "kty": "EC",
            "crv": "P-256",
            "x": "MKBCTNIcKUSDii11ySs3526iDZ8AiTo7Tu6KPAqv7D4",
            "y": "4Etl6SRW2YiLUrN5vfvVHuhp7x8PxltmWWlbbM4IFyM"
        },
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

described_as!(KeyAlgorithm, { "enum": KeyAlgorithm::ALL.map(KeyAlgorithm::name) });

/// The hash of an HMAC algorithm.
#[derive(Clone, Copy, Debug)]
pub(super) enum Hmac {
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

/// A compiled key.
#[derive(Debug)]
pub(super) struct Key {
    kid: Option<String>,
    pub(super) material: Material,
}

/// What signatures are checked with.
#[derive(Debug)]
pub(super) enum Material {
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

/// What is read of a token's header beside what `jwt-compact` reads.
#[derive(Clone, Debug, Deserialize)]
pub(super) struct ExtraHeader {
    /// Whether there is a `crit`, of whatever value.
    #[serde(default, rename = "crit", deserialize_with = "is_there")]
    pub(super) has_crit: bool,
}

fn is_there<'de, D: Deserializer<'de>>(deserializer: D) -> Result<bool, D::Error> {
    IgnoredAny::deserialize(deserializer).map(|_| true)
}

/// A token whose header was read, and nothing checked.
pub(super) type Unchecked<'t> = UntrustedToken<'t, ExtraHeader>;

/// The claims of a token whose signature was checked, and nothing else.
pub(super) type SignedClaims = Claims<Map<String, Value>>;

impl Key {
    /// Whether a token names this key's algorithm, and this key if it is for a `kid`.
    pub(super) fn is_for(&self, token: &Unchecked<'_>) -> bool {
        let kid = token.header().key_id.as_deref();
        self.material.algorithm().name() == token.algorithm() && (self.kid.is_none() || self.kid.as_deref() == kid)
    }

    /// Compiles a key; notes each fault.
    pub(super) fn compile(settings: KeySettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
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
        problems.add_about_secret(&place.at("d"), "is a private key, which has no business here");
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
    /// Checks the signature; gives the claims. `secret` gives a secret of the environment by its name.
    pub(super) fn verify(
        &self,
        token: &Unchecked<'_>,
        secret: impl Fn(&str) -> Option<String>,
    ) -> Result<SignedClaims, NotIdentified> {
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
