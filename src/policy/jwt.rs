//! Who is calling: a bearer token (RFC 6750) that is a signed JWT (RFC 7519).
//!
//! ```json
//! "auth": { "customer": { "jwt": {
//!     "issuer": "https://id.example.com/", "audience": "shop", "leeway": "30s",
//!     "jwks": "https://id.example.com/.well-known/jwks.json",
//!     "keys": [{ "alg": "HS256", "secret": "{env.JWT_SECRET}" }] } } }
//! ```
//!
//! The algorithm belongs to the key: a token's header only picks among the keys of the file and of the issuer, and
//! can bring no key of its own (`jwk`, `jku`, `x5u` are not read). A token counts if it has an
//! `exp` that is not over, an `nbf` that has come if it has one, the issuer and an audience of the
//! rule, no `crit` (RFC 7515, section 4.1.11: no extension is understood here), and a `typ` of an
//! access token. Headers and claims are what `jwt-compact` makes of them; signatures by secrets are checked here, those by
//! public keys by the runtime, which is faster and takes none of the Wasm. [`crate::identify`] is the way of a token.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use serde_json::Value;

use crate::head::UnixMillis;
use crate::json::path::Path;
use crate::locked::locked;
use crate::policy::caller::{Caller, NotIdentified, is_meant_for};
use crate::policy::credential::{Carrier, Carriers};
use crate::policy::remembered::Remembered;
use crate::policy::secure_url::is_secure;
use crate::settings::{List, Named, OneOrMany, Place, Problems, Span, TimeLimit, shape};

pub mod algorithm;
pub mod claim_test;
mod ed25519;
pub mod jwk;
pub mod key;
pub mod key_set;
pub mod revocation;
pub mod token;

use algorithm::Algorithm;
use claim_test::ClaimTest;
use key::{Key, KeySettings};
use key_set::{KeySet, KeySetSettings};
use revocation::{Revocation, RevocationSettings};
use token::{AnyHeader, Header, Headers, Parts, TokenClaims, Unchecked, bare_type, not_a_token};

const DEFAULT_LEEWAY: Duration = Duration::from_secs(30);

/// The longest token that is looked at, in bytes.
pub const MAX_TOKEN: usize = 8 << 10;

shape! {
    /// A bearer token that is a signed JWT.
    pub struct JwtSettings {
        /// What a token must have in `iss`, letter by letter.
        "issuer" => issuer: String = "https://id.example.com/",
        /// What a token must have in `aud`: one value, or several of which it has one at least.
        "audience" => audience: OneOrMany<String> = "shop",
        /// How far the issuer's clock may be off, for `exp`, `nbf` and `iat`. Default "30s", at most 24 days.
        "leeway" => leeway: Option<Span> = "5s",
        /// The age that a token may have, by its `iat`, which it must then have. Default: none.
        "max_age" => max_age: Option<TimeLimit> = "12h",
        /// What `typ` a token must have. Default: "JWT" or "at+jwt", if it has one.
        "typ" => typ: Option<OneOrMany<String>> = "at+jwt",
        /// Claims that a token must have, and what must hold for each: a value that it is; several, of which it is
        /// one; { "contains": VALUE } for an array, or a text of words; or { "exists": true }.
        "claims" => claims: Named<ClaimTest> = { "email_verified": true, "plan": ["pro", "team"], "groups": { "contains": "staff" } },
        /// In which claim the scopes of the caller are: a text of words, or an array. Default: "scope", or "scp".
        "scopes_in" => scopes_in: Option<Path> = "permissions",
        /// In which claim the roles of the caller are: an array, or one. Default "roles".
        "roles_in" => roles_in: Option<Path> = "realm_access.roles",
        /// Where the token is: "authorization" (a bearer token in that header field, the default), { "header": NAME },
        /// { "cookie": NAME } or { "query": NAME }; of several, the first that is there.
        "from" => from: Option<OneOrMany<Carrier>> = ["authorization", { "cookie": "session" }],
        /// Whether the token goes on to services with a forwarded request. Default true; one from the query never does.
        "pass" => pass: Option<bool> = false,
        /// The keys that tokens are signed with. A token picks among them by `alg` and `kid`, and can bring none of
        /// its own. At least one, or `jwks`.
        "keys" => keys: Option<List<KeySettings>> = [{ "alg": "HS256", "secret": "{env.JWT_SECRET}" }],
        /// Where the issuer has its public keys: a URL, or "discover", by OpenID discovery.
        "jwks" => jwks: Option<KeySetSettings> = "https://id.example.com/.well-known/jwks.json",
        /// Whether tokens can be revoked by what KV has under postern/revoked/RULE/jti/ID, .../sub/SUBJECT or .../all: of
        /// a subject, and of all, the seconds since 1970 before which tokens must not have been issued. Default false.
        "revocation" => revocation: Option<RevocationSettings> = true,
        /// The algorithms that the keys of `jwks` may be for. Default: all that go by public keys.
        "algorithms" => algorithms: Option<OneOrMany<Algorithm>> = ["RS256", "ES256"],
    }
}

/// A compiled rule.
#[derive(Debug)]
pub struct JwtRule {
    name: String,
    /// Who issues the tokens.
    pub issuer: String,
    audience: Vec<String>,
    /// In milliseconds.
    leeway: i64,
    max_age: Option<i64>,
    typ: Vec<String>,
    claims: Vec<(String, ClaimTest)>,
    scopes_in: Option<Path>,
    roles_in: Option<Path>,
    /// Where the token is.
    pub carriers: Carriers,
    /// The keys of the file.
    pub keys: Vec<Key>,
    /// The keys of the issuer.
    pub key_set: Option<KeySet>,
    /// How revoked tokens are known.
    pub revocation: Option<Revocation>,
    remembered: Mutex<Remembered>,
    headers: Mutex<Headers>,
}

/// Whom a token claims to be of; its signature and times are not looked at. For the tool, to
/// show what would be sent; never for a request.
#[cfg(not(target_arch = "wasm32"))]
pub fn claimed(token: &str) -> Option<Caller> {
    let claims = Parts::of(token)?.claims().ok()?.custom;
    let issuer = claims.get("iss").and_then(Value::as_str).unwrap_or_default().to_owned();
    Some(Caller::new(&issuer, claims))
}

impl JwtRule {
    /// Compiles a rule; notes each fault.
    pub fn compile(name: &str, settings: JwtSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let place_of_keys = place.at("keys");
        let has_set = !matches!(settings.jwks, Some(None));
        let keys = settings.keys.map(|keys| {
            let keys = keys.map(|keys| keys.0);
            match &keys {
                None if !has_set => problems.add(place, "lacks \"keys\" or \"jwks\""),
                Some(keys) if keys.is_empty() => problems.add(&place_of_keys, "is empty"),
                _ => {}
            }
            let keys = keys.unwrap_or_default().into_iter().enumerate();
            keys.map(|(at, key)| Key::compile(key?, &place_of_keys.at(at), problems)).collect::<Vec<_>>()
        });
        let algorithms = settings.algorithms.map(|algorithms| {
            let place = place.at("algorithms");
            if algorithms.is_some() && !has_set {
                problems.add(&place, "is for \"jwks\", and there is none");
            }
            let names_one_of_secrets =
                |algorithms: &OneOrMany<Algorithm>| algorithms.0.iter().any(|algorithm| algorithm.is_by_secret());
            if has_set && algorithms.as_ref().is_some_and(names_one_of_secrets) {
                problems.add(&place, "has an algorithm of secrets, which nobody has at a URL");
            }
            let algorithms = algorithms.map_or_else(|| Algorithm::all().collect(), |algorithms| algorithms.0);
            algorithms.into_iter().filter(|algorithm| !algorithm.is_by_secret()).collect::<Vec<_>>()
        });
        if let Some(Some(OneOrMany(from))) = &settings.from {
            Carrier::check_for_tokens(from, place, problems);
        }
        let millis = |span: Duration| i64::try_from(span.as_millis()).unwrap_or(i64::MAX);
        if let (Some(Some(jwks)), Some(issuer)) = (&settings.jwks, &settings.issuer)
            && jwks.is_discovered()
            && !is_secure(issuer)
        {
            // Who is on the way to its configuration could put other keys there.
            problems
                .add(&place.at("issuer"), "is no URL that begins with https://, where \"jwks\" could be discovered");
        }
        let key_set = match (settings.jwks?, algorithms?) {
            (Some(jwks), algorithms) => Some(KeySet::compile(jwks, algorithms)?),
            (None, _) => None,
        };
        Some(Self {
            name: name.to_owned(),
            issuer: settings.issuer?,
            audience: settings.audience?.0,
            leeway: millis(settings.leeway?.map_or(DEFAULT_LEEWAY, |span| span.0)),
            max_age: settings.max_age?.map(|limit| millis(limit.0)),
            typ: settings.typ?.map(|typ| typ.0).unwrap_or_default(),
            claims: settings.claims?.0.into_iter().map(|(name, test)| Some((name, test?))).collect::<Option<_>>()?,
            scopes_in: settings.scopes_in?,
            roles_in: settings.roles_in?,
            carriers: Carriers {
                from: settings.from?.map_or_else(|| vec![Carrier::Authorization], |from| from.0),
                passes: settings.pass?.unwrap_or(true),
            },
            keys: keys?.into_iter().collect::<Option<_>>()?,
            key_set,
            revocation: match settings.revocation? {
                Some(revocation) => Revocation::compile(revocation)?,
                None => None,
            },
            remembered: Mutex::default(),
            headers: Mutex::default(),
        })
    }

    /// Its name in the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What is known of a token that was checked before: whose it is, and whether it is known not to be revoked; or why it
    /// is refused.
    pub fn remembered(&self, token: &str, now: UnixMillis) -> Option<Result<(Arc<Caller>, bool), NotIdentified>> {
        // What was checked with keys that are to be fetched anew is checked again, and has them fetched.
        if self.key_set.as_ref().is_some_and(|set| !set.is_current(now)) {
            return None;
        }
        let mut memory = self.memory();
        memory.caller(token, now).map(Ok).or_else(|| memory.refusal(token).map(Err))
    }

    /// Remembers that a token was not revoked.
    pub fn remember_unrevoked(&self, token: &str, until: UnixMillis) {
        self.memory().unrevoked(token, until);
    }

    /// Forgets the tokens that were checked: the keys have changed.
    pub fn forget_tokens(&self) {
        self.memory().forget();
    }

    fn memory(&self) -> MutexGuard<'_, Remembered> {
        locked(&self.remembered)
    }

    /// Reads a token, and refuses one whose header does not count here, whatever it is signed with.
    pub fn read<'t>(&self, token: &'t str) -> Result<Unchecked<'t>, NotIdentified> {
        if token.len() > MAX_TOKEN {
            return Err(NotIdentified::token("too long"));
        }
        let parts = Parts::of(token).ok_or_else(not_a_token)?;
        let header = self.header(parts.header)?;
        Ok(Unchecked { text: token, parts, header, signature: parts.signature().ok_or_else(not_a_token)? })
    }

    /// What counts of a header.
    fn header(&self, text: &str) -> Result<Arc<Header>, NotIdentified> {
        let mut headers = locked(&self.headers);
        if let Some(known) = headers.get(text) {
            return Ok(known);
        }
        let any = AnyHeader::read(text).ok_or_else(not_a_token)?;
        let is_wanted = match (any.bare_type(), self.typ.as_slice()) {
            (None, wanted) => wanted.is_empty(),
            // Others (a logout token, a proof of possession) are signed by the same issuer for another end.
            (Some(typ), []) => ["JWT", "at+jwt"].iter().any(|known| typ.eq_ignore_ascii_case(known)),
            (Some(typ), wanted) => wanted.iter().any(|wanted| typ.eq_ignore_ascii_case(bare_type(wanted))),
        };
        if !is_wanted {
            return Err(NotIdentified::token("of another typ"));
        }
        let header = Arc::new(any.counting()?);
        headers.keep(text, &header, false);
        Ok(header)
    }

    /// Which keys there are: another number after each change of them.
    pub fn generation(&self) -> u64 {
        self.memory().generation()
    }

    /// Remembers whose token it is, until it is over, if it was checked with the keys that there are yet.
    pub fn remember(&self, token: &Unchecked<'_>, caller: &Arc<Caller>, until: UnixMillis, generation: u64) {
        self.memory().remember(token.text, caller, until, generation);
        locked(&self.headers).keep(token.parts.header, &token.header, true);
    }

    /// Remembers why a token is refused, if that is for good, and it was checked with the keys that there are yet.
    pub fn refuse(&self, token: &str, why: &NotIdentified, generation: u64) {
        if why.is_for_good() {
            self.memory().refuse(token, why, generation);
        }
    }

    /// Who is calling, by the claims of a token whose signature was checked, and until when that is so.
    pub fn caller(&self, claims: TokenClaims, now: UnixMillis) -> Result<(Arc<Caller>, UnixMillis), NotIdentified> {
        let leeway = self.leeway;
        let now = i64::try_from(now.0).unwrap_or(i64::MAX);
        let mut custom = claims.custom;
        if custom.get("iss").and_then(Value::as_str) != Some(&self.issuer) {
            return Err(NotIdentified::token("of another issuer"));
        }
        if !is_meant_for(custom.get("aud"), &self.audience) {
            return Err(NotIdentified::token("for another audience"));
        }
        let Some(expires) = claims.expiration else {
            return Err(NotIdentified::token("without exp"));
        };
        let mut until = expires.timestamp_millis().saturating_add(leeway);
        if let Some(max_age) = self.max_age {
            let Some(issued) = claims.issued_at.map(|issued| issued.timestamp_millis()) else {
                return Err(NotIdentified::token("without iat"));
            };
            if now < issued.saturating_sub(leeway) {
                return Err(NotIdentified::NotYet);
            }
            until = until.min(issued.saturating_add(max_age).saturating_add(leeway));
        }
        if now >= until {
            return Err(NotIdentified::Expired);
        }
        if claims.not_before.is_some_and(|start| now < start.timestamp_millis().saturating_sub(leeway)) {
            return Err(NotIdentified::NotYet);
        }
        // `jwt-compact` reads these out of the others; a template may ask for them.
        let times = [("exp", claims.expiration), ("nbf", claims.not_before), ("iat", claims.issued_at)];
        custom.extend(times.into_iter().filter_map(|(name, time)| Some((name.to_owned(), time?.timestamp().into()))));
        if let Some((name, _)) = self.claims.iter().find(|(name, test)| !test.holds(custom.get(name))) {
            return Err(NotIdentified::token(format!("with another {name} than the rule asks for")));
        }
        let caller = Caller::new(&self.issuer, custom);
        let caller = Arc::new(caller.with_places(self.scopes_in.as_ref(), self.roles_in.as_ref()));
        let until = UnixMillis(u64::try_from(until).unwrap_or_default());
        Ok((caller, until))
    }
}
