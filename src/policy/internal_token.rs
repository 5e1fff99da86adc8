//! What a service is told of the caller in a token that the gateway signs, so that it need not believe the network.
//!
//! ```json
//! "order-svc": { "url": "https://orders.internal", "internal_token": {
//!     "secret": "{env.ORDERS_KEY}", "issuer": "https://api.example.com", "audience": "order-svc", "claims": ["sub", "scope"] } }
//! ```
//!
//! The token is a JWT (RFC 7519) of a minute or so, signed with a secret that the gateway shares with this one service
//! (HS256): who has it can make tokens for nobody but itself. It has `iss`, `aud`, `iat`, `exp`, `jti` (the id of the
//! request), `caller_iss` (who vouches for the caller), and the claims of the caller that the file names, as they are. For
//! callers whom no rule knows there is none. What a client sends in its place never passes.

use std::time::Duration;

use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header};
use serde_json::{Map, Value, json};

use crate::policy::field_edits::field_name;
use crate::policy::headers::HeaderEdits;
use crate::settings::{OneOrMany, Place, Problems, SecretName, TimeLimit, shape};
use crate::template::Values;

const DEFAULT_LIFETIME: Duration = Duration::from_secs(60);

/// The claims that are the gateway's own to say.
const OWN: [&str; 6] = ["iss", "aud", "iat", "exp", "jti", "caller_iss"];

/// The fewest bytes of a secret: those of the hash (RFC 7518, section 3.2).
const MIN_SECRET: usize = 32;

shape! {
    /// A token in which the service is told of the caller.
    pub struct InternalTokenSettings {
        /// The name of a secret of the environment, of 32 bytes at least, that the service knows and no other does.
        "secret" => secret: SecretName = "{env.ORDERS_KEY}",
        /// What the token says in `iss`.
        "issuer" => issuer: String = "https://api.example.com",
        /// What the token says in `aud`. Default: the service's name.
        "audience" => audience: Option<String> = "order-svc",
        /// The caller's claims that it has, of whatever kind. Default "sub".
        "claims" => claims: Option<OneOrMany<String>> = ["sub", "scope", "tenant"],
        /// How long it counts. Default "1m".
        "lifetime" => lifetime: Option<TimeLimit> = "30s",
        /// The header field that it is in; in authorization, as a bearer token. Default "authorization".
        "header" => header: Option<String> = "x-internal-token",
    }
}

/// A compiled setting.
#[derive(Debug)]
pub struct InternalToken {
    secret: String,
    issuer: String,
    audience: String,
    claims: Vec<String>,
    lifetime: Duration,
    /// The header field that it is in.
    pub header: String,
}

impl InternalToken {
    /// Compiles it, for a service; notes each fault.
    pub fn compile(
        service: &str,
        settings: InternalTokenSettings,
        place: &Place<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let claims = settings.claims.map(|claims| claims.map_or_else(|| vec!["sub".to_owned()], |claims| claims.0));
        for claim in claims.iter().flatten().filter(|claim| OWN.contains(&claim.as_str())) {
            problems.add(&place.at("claims"), format!("names {claim:?}, which is the gateway's own to say"));
        }
        let header = settings.header.map(|header| header.unwrap_or_else(|| "authorization".to_owned()));
        let header = header.map(|header| field_name(&header, &place.at("header"), problems));
        Some(Self {
            secret: settings.secret?.0,
            issuer: settings.issuer?,
            audience: settings.audience?.unwrap_or_else(|| service.to_owned()),
            claims: claims?,
            lifetime: settings.lifetime?.map_or(DEFAULT_LIFETIME, |limit| limit.0),
            header: header??,
        })
    }

    /// Puts the token of a request's caller among the header fields of a call. The error is for the log.
    pub fn add(&self, edits: &mut HeaderEdits, values: &Values<'_>) -> Result<(), String> {
        let Some(caller) = values.caller else {
            edits.remove(&self.header);
            return Ok(());
        };
        let secret = (values.secret)(&self.secret).ok_or_else(|| format!("the secret {} is not set", self.secret))?;
        if secret.len() < MIN_SECRET {
            return Err(format!("the secret {} is shorter than {MIN_SECRET} bytes", self.secret));
        }
        let now = values.head.arrived.0 / 1000;
        let named = self.claims.iter().filter_map(|name| Some((name.clone(), caller.claim_value(name)?.clone())));
        let mut claims: Map<String, Value> = named.collect();
        let own = [
            json!(self.issuer),
            json!(self.audience),
            json!(now),
            json!(now.saturating_add(self.lifetime.as_secs().max(1))),
            json!(values.head.request_id),
            json!(caller.issuer()),
        ];
        claims.extend(OWN.map(str::to_owned).into_iter().zip(own));
        let header = Header::empty().with_token_type("JWT");
        let token = Hs256.token(&header, &Claims::new(claims), &Hs256Key::new(secret));
        let token = token.map_err(|_| "the caller's claims cannot be written into a token".to_owned())?;
        let is_bearer = self.header == "authorization";
        edits.set(self.header.clone(), if is_bearer { format!("Bearer {token}") } else { token });
        Ok(())
    }
}
