//! Who is calling: a token that its issuer is asked about (OAuth 2.0 token introspection, RFC 7662).
//!
//! ```json
//! "auth": { "app": { "introspection": {
//!     "url": "https://id.example.com/introspect",
//!     "client_id": "gateway", "client_secret": "{env.INTROSPECTION_SECRET}" } } }
//! ```
//!
//! What the issuer says of a token that is active is its caller's claims, for `keep` and no longer than its `exp`: a
//! token that is revoked meanwhile counts until then. That a token is not active is not kept, since a new one may
//! be known to another of the issuer's machines first.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use base64ct::{Base64, Encoding};
use serde_json::{Map, Value};

use crate::head::UnixMillis;
use crate::json::path::Path;
use crate::locked::locked;
use crate::path::push_encoded_value;
use crate::platform::Call;
use crate::policy::caller::{Caller, NotIdentified, is_meant_for};
use crate::policy::credential::{Carrier, Carriers};
use crate::policy::jwt::claim_test::ClaimTest;
use crate::policy::remembered::Remembered;
use crate::policy::secure_url::SecureUrl;
use crate::settings::{Named, OneOrMany, Place, Problems, SecretName, TimeLimit, shape};

const DEFAULT_KEEP: Duration = Duration::from_secs(30);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);

/// The largest answer of an issuer, in bytes.
const MOST_BYTES: u32 = 64 << 10;

shape! {
    /// A token that its issuer is asked about.
    pub struct IntrospectionSettings {
        /// The issuer's introspection endpoint.
        "url" => url: SecureUrl = "https://id.example.com/introspect",
        /// As whom the issuer knows the gateway, with `client_secret`; or `bearer`.
        "client_id" => client_id: Option<String> = "gateway",
        /// The name of the secret that goes with `client_id`.
        "client_secret" => client_secret: Option<SecretName> = "{env.INTROSPECTION_SECRET}",
        /// The name of a token by which the issuer knows the gateway.
        "bearer" => bearer: Option<SecretName> = "{env.INTROSPECTION_TOKEN}",
        /// What the issuer must say in `iss`. Default: whatever it says, or nothing.
        "issuer" => issuer: Option<String> = "https://id.example.com/",
        /// What the issuer must say in `aud`: one value, or several of which it has one at least. Default: anything.
        "audience" => audience: Option<OneOrMany<String>> = "shop",
        /// Claims that the issuer must say, and what must hold for each, as for a `jwt`.
        "claims" => claims: Named<ClaimTest> = { "username": { "exists": true } },
        /// In which claim the scopes of the caller are. Default: "scope", or "scp".
        "scopes_in" => scopes_in: Option<Path> = "permissions",
        /// In which claim the roles of the caller are. Default "roles".
        "roles_in" => roles_in: Option<Path> = "realm_access.roles",
        /// Where the token is, as for a `jwt`. Default "authorization".
        "from" => from: Option<OneOrMany<Carrier>> = { "cookie": "session" },
        /// Whether the token goes on to services with a forwarded request. Default true; one from the query never does.
        "pass" => pass: Option<bool> = false,
        /// How long what the issuer says of an active token counts, in one isolate; at most until its `exp`. Default
        /// "30s".
        "keep" => keep: Option<TimeLimit> = "10s",
        /// How long the issuer may take. Default "2s".
        "timeout" => timeout: Option<TimeLimit> = "1s",
    }
}

/// A compiled rule.
#[derive(Debug)]
pub struct IntrospectionRule {
    name: String,
    url: String,
    gateway: Gateway,
    issuer: Option<String>,
    audience: Option<Vec<String>>,
    claims: Vec<(String, ClaimTest)>,
    scopes_in: Option<Path>,
    roles_in: Option<Path>,
    /// Where the token is.
    pub carriers: Carriers,
    keep: Duration,
    /// How long the issuer may take.
    pub timeout: Duration,
    remembered: Mutex<Remembered>,
}

/// How the issuer knows the gateway.
#[derive(Debug)]
enum Gateway {
    /// By its name and the name of its secret.
    Client(String, String),
    /// By the name of a token.
    Bearer(String),
}

impl IntrospectionRule {
    /// Compiles a rule; notes each fault.
    pub fn compile(
        name: &str,
        settings: IntrospectionSettings,
        place: &Place<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let gateway = match (settings.client_id?, settings.client_secret?, settings.bearer?) {
            (Some(id), Some(secret), None) => Some(Gateway::Client(id, secret.0)),
            (None, None, Some(token)) => Some(Gateway::Bearer(token.0)),
            _ => {
                problems.add(place, "must have \"client_id\" and \"client_secret\", or \"bearer\"");
                None
            }
        };
        let from = settings.from?.map_or_else(|| vec![Carrier::Authorization], |from| from.0);
        Carrier::check_for_tokens(&from, place, problems);
        Some(Self {
            name: name.to_owned(),
            url: settings.url?.0,
            gateway: gateway?,
            issuer: settings.issuer?,
            audience: settings.audience?.map(|audience| audience.0),
            claims: settings.claims?.0.into_iter().map(|(name, test)| Some((name, test?))).collect::<Option<_>>()?,
            scopes_in: settings.scopes_in?,
            roles_in: settings.roles_in?,
            carriers: Carriers { from, passes: settings.pass?.unwrap_or(true) },
            keep: settings.keep?.map_or(DEFAULT_KEEP, |limit| limit.0),
            timeout: settings.timeout?.map_or(DEFAULT_TIMEOUT, |limit| limit.0),
            remembered: Mutex::default(),
        })
    }

    /// Its name in the file.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Whose token it is, if the issuer said so not long ago.
    pub fn remembered(&self, token: &str, now: UnixMillis) -> Option<Arc<Caller>> {
        self.memory().caller(token, now).map(|(caller, _)| caller)
    }

    /// The call that asks about a token (RFC 7662, section 2.1). `secret` gives a secret of the environment by its name.
    pub fn call(&self, token: &str, secret: impl Fn(&str) -> Option<String>) -> Result<Call, NotIdentified> {
        let known = |name: &str| {
            secret(name).ok_or_else(|| NotIdentified::Misconfigured(format!("the secret {name} is not set")))
        };
        let authorization = match &self.gateway {
            // RFC 6749, section 2.3.1: each is encoded, so that a colon in it is none.
            Gateway::Client(id, secret) => {
                let both = format!("{}:{}", encoded(id), encoded(&known(secret)?));
                format!("Basic {}", Base64::encode_string(both.as_bytes()))
            }
            Gateway::Bearer(token) => format!("Bearer {}", known(token)?),
        };
        Ok(Call {
            method: "POST",
            url: self.url.clone(),
            binding: None,
            headers: vec![
                ("accept".into(), "application/json".into()),
                ("content-type".into(), "application/x-www-form-urlencoded".into()),
                ("authorization".into(), authorization),
            ]
            .into(),
            body: Some(format!("token={}&token_type_hint=access_token", encoded(token))),
            reads: "".into(),
            wants: "".into(),
            max_answer: MOST_BYTES,
            outlives_client: false,
        })
    }

    /// Who is calling, by what the issuer answered (RFC 7662, section 2.2). It is remembered.
    pub fn caller(&self, token: &str, answer: &[u8], now: UnixMillis) -> Result<Arc<Caller>, NotIdentified> {
        let unusable = || NotIdentified::CannotTell(format!("the issuer of {} answered with no claims", self.name));
        let mut claims: Map<String, Value> = serde_json::from_slice(answer).map_err(|_| unusable())?;
        match claims.remove("active") {
            Some(Value::Bool(true)) => {}
            Some(Value::Bool(false)) => return Err(NotIdentified::token("not active, as its issuer says")),
            _ => return Err(unusable()),
        }
        let expires = match claims.get("exp") {
            None => None,
            Some(exp) => Some(UnixMillis(exp.as_u64().ok_or_else(unusable)?.saturating_mul(1000))),
        };
        if expires.is_some_and(|expires| now >= expires) {
            return Err(NotIdentified::Expired);
        }
        let issuer = claims.get("iss").and_then(Value::as_str);
        if self.issuer.as_deref().is_some_and(|wanted| issuer != Some(wanted)) {
            return Err(NotIdentified::token("of another issuer"));
        }
        if self.audience.as_ref().is_some_and(|names| !is_meant_for(claims.get("aud"), names)) {
            return Err(NotIdentified::token("for another audience"));
        }
        if let Some((name, _)) = self.claims.iter().find(|(name, test)| !test.holds(claims.get(name))) {
            return Err(NotIdentified::token(format!("with another {name} than the rule asks for")));
        }
        // Where nobody is named who vouches, it is the one that was asked.
        let issuer = issuer.unwrap_or(&self.url).to_owned();
        let caller = Caller::new(&issuer, claims);
        let caller = Arc::new(caller.with_places(self.scopes_in.as_ref(), self.roles_in.as_ref()));
        let until = expires.map_or(now.after(self.keep), |expires| expires.min(now.after(self.keep)));
        let mut memory = self.memory();
        let generation = memory.generation();
        memory.remember(token, &caller, until, generation);
        Ok(caller)
    }

    fn memory(&self) -> MutexGuard<'_, Remembered> {
        locked(&self.remembered)
    }
}

fn encoded(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    push_encoded_value(&mut out, text.as_bytes());
    out
}
