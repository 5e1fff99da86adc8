//! Who is calling: a request that is signed with a key which was given to the caller (HTTP message signatures,
//! RFC 9421).
//!
//! ```json
//! "auth": { "partner": { "signature": { "keys": [
//!     { "keyid": "acme-1", "alg": "hmac-sha256", "secret": "{env.ACME_KEY}", "owner": "acme" } ] } } }
//! ```
//!
//! The signature must cover what the rule says, its body's digest (`Content-Digest`, RFC 9530) where it has a body, and
//! say when it was made. The algorithm belongs to the key. Of the RFC, what is not here: parameters of
//! components (`;sf`, `;bs`, `;key`, `;req`, `;tr`), `@query-param`, and signatures of answers.

mod base;
mod content_digest;
mod read;

use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::head::{Head, UnixMillis, is_token};
use crate::policy::caller::{Caller, NotIdentified};
use crate::policy::jwt::algorithm::Algorithm;
use crate::policy::jwt::jwk::PublicKey;
use crate::policy::record::{Record, RecordSettings};
use crate::policy::scheme::Scheme;
use crate::policy::signing_secret::{Hash, SigningSecret};
use crate::settings::{
    FromNode, List, Node, OneOrMany, Place, Problems, SecretName, Size, Span, TimeLimit, described_as, one_of, shape,
};
pub use content_digest::is_of as is_digest_of;
pub use read::{Signature, signatures};

const DEFAULT_COVERS: [&str; 4] = ["@method", "@authority", "@path", "@query"];
const DEFAULT_MAX_AGE: Duration = Duration::from_secs(300);
const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);
const DEFAULT_MAX_BODY: u32 = 1 << 20;

shape! {
    /// A key that requests are signed with.
    pub struct SignatureKeySettings with record: RecordSettings {
        /// The `keyid` of the signatures that it is for.
        "keyid" => keyid: String = "acme-1",
        /// The one algorithm that it is for: "hmac-sha256" with a `secret`, the others with a public `jwk`.
        "alg" => alg: SignatureAlgorithm = "hmac-sha256",
        /// The name of a secret of the environment, of 32 bytes at least.
        "secret" => secret: Option<SecretName> = "{env.ACME_KEY}",
        /// A public key in the form of RFC 7517.
        "jwk" => jwk: Option<Node> = {
            "kty": "OKP", "crv": "Ed25519", "x": "JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"
        },
    }
}

shape! {
    /// A request that is signed with a key which was given to the caller.
    pub struct SignatureRuleSettings {
        /// The keys that count.
        "keys" => keys: List<SignatureKeySettings> = [
            { "keyid": "acme-1", "alg": "hmac-sha256", "secret": "{env.ACME_KEY}", "owner": "acme" }
        ],
        /// What a signature must cover: header fields, "@method", "@target-uri", "@authority", "@scheme", "@path", "@query"
        /// and "@request-target". Default: all of the request but its header fields; where it has a body,
        /// content-digest always.
        "covers" => covers: Option<OneOrMany<String>> = ["@method", "@target-uri", "content-type"],
        /// How old a signature may be, by its `created`, which it must have. Default "5m".
        "max_age" => max_age: Option<TimeLimit> = "1m",
        /// How far the caller's clock may be off. Default "30s".
        "leeway" => leeway: Option<Span> = "5s",
        /// What `tag` a signature must have. Default: whatever it has, or none.
        "tag" => tag: Option<String> = "shop",
        /// Whether a request counts once: the same one is refused if it comes again while its signature counts. A caller
        /// who means to send the same twice gives each a `nonce`. Default false.
        "once" => once: Option<bool> = true,
        /// The largest body that is read to check its digest. Default "1MiB".
        "max_body" => max_body: Option<Size> = "64KiB",
    }
}

/// An algorithm of signatures, by its name in the registry of RFC 9421 (section 6.2.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct SignatureAlgorithm(Algorithm);

/// All of them: the same as those of tokens.
const ALGORITHMS: [(&str, Algorithm); 6] = [
    ("hmac-sha256", Algorithm::Hs256),
    ("ed25519", Algorithm::EdDsa),
    ("ecdsa-p256-sha256", Algorithm::Es256),
    ("ecdsa-p384-sha384", Algorithm::Es384),
    ("rsa-pss-sha512", Algorithm::Ps512),
    ("rsa-v1_5-sha256", Algorithm::Rs256),
];

impl FromNode for SignatureAlgorithm {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let found = match node {
            Node::String(text) => ALGORITHMS.iter().find(|(name, _)| name == text),
            _ => None,
        };
        if found.is_none() {
            problems.add(place, format!("must be {}", one_of(&ALGORITHMS.map(|(name, _)| name))));
        }
        found.map(|(_, algorithm)| Self(*algorithm))
    }
}

described_as!(SignatureAlgorithm, { "enum": ALGORITHMS.map(|(name, _)| name) });

impl SignatureAlgorithm {
    fn name(self) -> &'static str {
        ALGORITHMS.iter().find(|(_, algorithm)| *algorithm == self.0).map_or("", |(name, _)| name)
    }
}

/// A compiled rule.
#[derive(Debug)]
pub struct SignatureRule {
    /// Its name in the file.
    pub name: String,
    keys: Vec<SignatureKey>,
    covers: Vec<String>,
    max_age: Duration,
    leeway: Duration,
    tag: Option<String>,
    /// Whether a request counts once.
    pub once: bool,
    /// The most bytes of a body that is read.
    pub max_body: u32,
}

/// A key that was given to a caller.
#[derive(Debug)]
pub struct SignatureKey {
    keyid: String,
    alg: &'static str,
    /// How it checks signatures.
    pub checks: Checks,
    record: Record,
}

/// How a key checks signatures.
#[derive(Debug)]
pub enum Checks {
    /// By a secret.
    Secret(SigningSecret),
    /// By a public key.
    Public(Algorithm, PublicKey),
}

/// A signature that is of a key here, and what it is over. Whether it is right is not known yet.
#[derive(Debug)]
pub struct Signed<'r> {
    /// The key.
    pub key: &'r SignatureKey,
    /// The signature.
    pub signature: Signature,
    /// What it is over.
    pub base: String,
}

impl SignatureRule {
    /// Compiles a rule; notes each fault.
    pub fn compile(
        name: &str,
        settings: SignatureRuleSettings,
        place: &Place<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let place_of_keys = place.at("keys");
        let keys = settings.keys.map(|keys| {
            if keys.0.is_empty() {
                problems.add(&place_of_keys, "is empty");
            }
            let keys = keys.0.into_iter().enumerate();
            let compiled = keys.map(|(at, key)| SignatureKey::compile(name, key?, &place_of_keys.at(at), problems));
            compiled.collect::<Vec<_>>()
        });
        for (at, key) in keys.iter().flatten().enumerate() {
            let earlier = keys.iter().flatten().take(at).flatten();
            if key.as_ref().is_some_and(|key| earlier.into_iter().any(|other| other.keyid == key.keyid)) {
                problems.add(&place_of_keys.at(at).at("keyid"), "is there twice");
            }
        }
        let covers = settings.covers.map(|covers| match covers {
            Some(OneOrMany(covers)) => covers,
            None => DEFAULT_COVERS.map(str::to_owned).to_vec(),
        });
        for component in covers.iter().flatten() {
            let is_field = is_token(component) && component.to_ascii_lowercase() == *component;
            if !base::DERIVED.contains(&component.as_str()) && !is_field {
                let message = format!(
                    "names {component:?}, must be a header field in lower case, or one of {}",
                    base::DERIVED.join(", ")
                );
                problems.add(&place.at("covers"), message);
            }
        }
        Some(Self {
            name: name.to_owned(),
            keys: keys?.into_iter().collect::<Option<_>>()?,
            covers: covers?,
            max_age: settings.max_age?.map_or(DEFAULT_MAX_AGE, |limit| limit.0),
            leeway: settings.leeway?.map_or(DEFAULT_LEEWAY, |span| span.0),
            tag: settings.tag?,
            once: settings.once?.unwrap_or(false),
            max_body: settings.max_body?.map_or(DEFAULT_MAX_BODY, |size| size.0),
        })
    }

    /// The first signature of a request that is of a key here, if it covers what it must and is of now. Whether it is
    /// right is for [`SignatureKey::checks`].
    pub fn read(&self, head: &Head) -> Result<Signed<'_>, NotIdentified> {
        let not_accepted = |why: &'static str| NotIdentified::NotAccepted(Scheme::Signature, why.into());
        let all = signatures(&head.headers);
        let all = all.ok_or_else(|| NotIdentified::NoCredential(vec![Scheme::Signature]))?.map_err(not_accepted)?;
        let is_for_us = |signature: &Signature| self.tag.is_none() || self.tag == signature.tag;
        let own = all.into_iter().filter(is_for_us).find_map(|signature| {
            let key = self.keys.iter().find(|key| Some(&key.keyid) == signature.keyid.as_ref())?;
            Some((key, signature))
        });
        let (key, signature) =
            own.ok_or_else(|| not_accepted("is of no key here, or covers what is not known here"))?;
        if signature.alg.as_deref().is_some_and(|alg| alg != key.alg) {
            return Err(not_accepted("is of another algorithm than its key"));
        }
        if self.covers.iter().any(|component| !base::is_covered(component, &signature.components)) {
            return Err(not_accepted("does not cover all that it must"));
        }
        let second = |seconds: i64| u64::try_from(seconds).map(|seconds| UnixMillis(seconds.saturating_mul(1000)));
        let created = signature.created.and_then(|created| second(created).ok());
        let created = created.ok_or_else(|| not_accepted("does not say when it was made"))?;
        let now = head.arrived;
        if created.since(now) > self.leeway {
            return Err(not_accepted("is of the future"));
        }
        let is_over = |expires| second(expires).map_or(true, |expires| now.since(expires) > self.leeway);
        if now.since(created) > self.max_age + self.leeway || signature.expires.is_some_and(is_over) {
            return Err(not_accepted("is too old"));
        }
        let base = base::signed(&signature.components, &signature.params, head).map_err(not_accepted)?;
        Ok(Signed { key, signature, base })
    }

    /// For how long a signature counts, from when it can first come on.
    pub fn counts_for(&self) -> Duration {
        self.max_age + self.leeway * 2
    }

    /// The name under which it is remembered: of all that is signed, since there may be several signatures of one text.
    pub fn name_of(&self, signed: &Signed<'_>) -> String {
        format!("signature\n{}\n{}\n{:x}", self.name, signed.key.keyid, Sha256::digest(&signed.base))
    }
}

impl Signed<'_> {
    /// Whether it covers a header field.
    pub fn covers(&self, field: &str) -> bool {
        self.signature.components.iter().any(|component| component == field)
    }
}

impl SignatureKey {
    fn compile(rule: &str, settings: SignatureKeySettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let algorithm = settings.alg.map(|alg| alg.0);
        let checks = match (algorithm?, settings.secret?, settings.jwk?) {
            (Algorithm::Hs256, Some(SecretName(name)), None) => {
                Some(Checks::Secret(SigningSecret::new(Hash::Sha256, name)))
            }
            (Algorithm::Hs256, ..) => {
                problems.add(place, "is for hmac-sha256, must have a \"secret\" and no \"jwk\"");
                None
            }
            (algorithm, None, Some(jwk)) => {
                let key = PublicKey::compile(&jwk, algorithm, &place.at("jwk"), problems);
                key.map(|key| Checks::Public(algorithm, key))
            }
            _ => {
                problems.add(place, "is for a public key, must have a \"jwk\" and no \"secret\"");
                None
            }
        };
        // No token's issuer is written so.
        let record = Record::compile(&format!("signature {rule}"), settings.record);
        Some(Self { keyid: settings.keyid?, alg: settings.alg?.name(), checks: checks?, record: record? })
    }

    /// Whose key it is, for a route of this pattern; the error is for the log.
    pub fn caller(&self, route: &str, now: UnixMillis) -> Result<Arc<Caller>, NotIdentified> {
        self.record.caller(route, now).map_err(|why| NotIdentified::NotAccepted(Scheme::Signature, why.into()))
    }
}
