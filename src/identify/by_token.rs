//! Who is calling, by a token: from its text to whom its issuer vouches for.

use std::sync::Arc;

use futures::FutureExt;
use futures::future::join_all;
use serde_json::Value;

use super::{Found, KV_TIMEOUT, keys};
use crate::platform::{Afterwards, KvDown, Platform};
use crate::policy::caller::{Caller, NotIdentified};
use crate::policy::jwt::JwtRule;
use crate::policy::jwt::algorithm::Algorithm;
use crate::policy::jwt::jwk::PublicKey;
use crate::policy::jwt::key::Key;
use crate::policy::jwt::key_set::{KeySet, Step};
use crate::policy::jwt::revocation::{self, Revocation};
use crate::policy::jwt::token::{Header, TokenClaims, Unchecked};
use crate::policy::scheme::Scheme;
use crate::policy::signing_secret::SigningSecret;
use crate::policy::when_down::WhenDown;
use crate::visit::Visit;

/// Who is calling, by a token. One of several rules takes the tokens of its own issuer alone.
pub async fn identify<'g, P: Platform>(
    rule: &'g Arc<JwtRule>,
    is_one_of_several: bool,
    visit: &Visit<'_, P>,
) -> Result<Found<'g>, NotIdentified> {
    let (token, from) = rule.carriers.find(visit.head).ok_or(NotIdentified::NoCredential(vec![Scheme::Bearer]))?;
    let now = visit.head.arrived;
    let (caller, is_known_unrevoked) = match rule.remembered(&token, now) {
        Some(known) => known?,
        None => {
            let unchecked = rule.read(&token)?;
            if is_one_of_several && !names(&unchecked, &rule.issuer) {
                return Err(NotIdentified::token("of another issuer"));
            }
            let generation = rule.generation();
            let verified = verify(rule, &unchecked, visit).await;
            let (caller, until) = verified.and_then(|claims| rule.caller(claims, now)).inspect_err(|why| {
                if had_its_keys(rule, &unchecked) {
                    rule.refuse(&token, why, generation);
                }
            })?;
            rule.remember(&unchecked, &caller, until, generation);
            (caller, false)
        }
    };
    if let Some(revocation) = rule.revocation.as_ref().filter(|_| !is_known_unrevoked)
        && is_unrevoked(rule, revocation, &caller, visit).boxed_local().await?
    {
        rule.remember_unrevoked(&token, visit.platform.now().after(revocation.refresh));
    }
    Ok((caller, Some(from)))
}

/// Whether KV could tell that a caller's token is not revoked; one that is, is refused.
async fn is_unrevoked<P: Platform>(
    rule: &JwtRule,
    revocation: &Revocation,
    caller: &Caller,
    visit: &Visit<'_, P>,
) -> Result<bool, NotIdentified> {
    let entries = revocation::entries(rule.name(), caller);
    let within = visit.time_left().min(KV_TIMEOUT);
    let kept = join_all(entries.iter().map(|(key, _)| visit.platform.recall(key, within))).await;
    let mut is_known = true;
    for ((_, entry), kept) in entries.iter().zip(kept) {
        match (kept, revocation.when_down) {
            (Ok(None), _) => {}
            (Ok(Some(kept)), _) if !revocation::is_revoked(entry, &kept, caller) => {}
            (Ok(Some(_)), _) => return Err(NotIdentified::token("revoked")),
            (Err(KvDown), WhenDown::Open) => {
                visit.trace.note("KV down, token taken as not revoked");
                is_known = false;
            }
            (Err(KvDown), WhenDown::Closed) => {
                return Err(NotIdentified::CannotTell(
                    "KV down, so that nobody knows whether the token is revoked".to_owned(),
                ));
            }
        }
    }
    Ok(is_known)
}

/// Whether the keys that a token may be of were there. Where its issuer, or the environment, may have another one yet, each
/// such token asks for it.
fn had_its_keys(rule: &JwtRule, token: &Unchecked<'_>) -> bool {
    let Header { algorithm, kid } = &*token.header;
    if rule.keys.iter().any(|key| key.is_for(*algorithm, kid.as_deref()) && !key.is_usable()) {
        return false;
    }
    let is_of_set = |set: &&KeySet| set.algorithms.contains(algorithm);
    rule.key_set.as_ref().filter(is_of_set).is_none_or(|set| !set.keys_for(*algorithm, kid.as_deref()).is_empty())
}

/// Whether a token says that it is of an issuer; whether that is so is not known yet.
fn names(token: &Unchecked<'_>, issuer: &str) -> bool {
    token.parts.claims().is_ok_and(|claims| claims.custom.get("iss").and_then(Value::as_str) == Some(issuer))
}

/// The claims of a token, if a key of the rule's has signed it.
async fn verify<P: Platform>(
    rule: &Arc<JwtRule>,
    token: &Unchecked<'_>,
    visit: &Visit<'_, P>,
) -> Result<TokenClaims, NotIdentified> {
    let (algorithm, kid) = (token.header.algorithm, token.header.kid.as_deref());
    let (mut refused, mut unusable) = (None, None);
    for key in rule.keys.iter().filter(|key| key.is_for(algorithm, kid)) {
        let verified = match key {
            Key::Secret { secret, .. } => verify_by_secret(rule, secret, token, visit.platform),
            Key::Public(key) => verify_by_public_key(key, token, visit.platform).await,
        };
        match verified {
            Ok(claims) => return Ok(claims),
            Err(why @ NotIdentified::Misconfigured(_)) => unusable = Some(why),
            Err(why) => refused = Some(why),
        }
    }
    if let Some(set) = rule.key_set.as_ref().filter(|set| set.algorithms.contains(&algorithm)) {
        for key in keys_of_issuer(rule, set, algorithm, kid, visit).boxed_local().await? {
            match verify_by_public_key(&key, token, visit.platform).await {
                Ok(claims) => return Ok(claims),
                // The issuer's fault, not the gateway's: as if it had not given that key.
                Err(NotIdentified::Misconfigured(why)) => visit.trace.note(why),
                Err(why) => refused = Some(why),
            }
        }
    }
    // A key that cannot be used is the gateway's fault only where no other could tell.
    Err(match (refused, unusable) {
        (None, None) => NotIdentified::token("of no key here"),
        (None, Some(unusable)) => unusable,
        (Some(NotIdentified::NotAccepted(_, why)), Some(NotIdentified::Misconfigured(also))) => {
            NotIdentified::token(format!("{why}; {also}"))
        }
        (Some(refused), _) => refused,
    })
}

fn verify_by_secret<P: Platform>(
    rule: &JwtRule,
    secret: &SigningSecret,
    token: &Unchecked<'_>,
    platform: &P,
) -> Result<TokenClaims, NotIdentified> {
    if secret.renew(|name| platform.secret(name)) {
        // They were checked with another one, which may be known to others by now.
        rule.forget_tokens();
    }
    if secret.has_signed(token.parts.signed, &token.signature)? {
        token.parts.claims()
    } else {
        Err(NotIdentified::not_signed())
    }
}

async fn verify_by_public_key<P: Platform>(
    key: &PublicKey,
    token: &Unchecked<'_>,
    platform: &P,
) -> Result<TokenClaims, NotIdentified> {
    match platform.verify(token.header.algorithm, &key.jwk, token.parts.signed, &token.signature).await {
        Ok(true) => token.parts.claims(),
        Ok(false) => Err(NotIdentified::not_signed()),
        Err(_) => {
            let kid: String = key.kid.as_deref().unwrap_or_default().chars().take(64).collect();
            Err(NotIdentified::Misconfigured(format!(
                "the public key {kid:?} is none that signatures can be checked with"
            )))
        }
    }
}

/// The keys of the issuer that a token may be of, as new as they have to be for it.
async fn keys_of_issuer<P: Platform>(
    rule: &Arc<JwtRule>,
    set: &KeySet,
    algorithm: Algorithm,
    kid: Option<&str>,
    visit: &Visit<'_, P>,
) -> Result<Vec<PublicKey>, NotIdentified> {
    let mut why = "they could not be fetched just now".to_owned();
    loop {
        match set.step(algorithm, kid, visit.platform.now()) {
            Step::Use => return Ok(set.keys_for(algorithm, kid)),
            Step::UseAndRefresh => {
                // So that it is not begun twice.
                set.begin(visit.platform.now());
                visit.platform.afterwards(Afterwards::RefreshKeys(Arc::clone(rule)));
                return Ok(set.keys_for(algorithm, kid));
            }
            Step::Down => return Err(NotIdentified::CannotTell(format!("no keys of {}: {why}", rule.issuer))),
            _ if visit.time_left().is_zero() => {
                return Err(NotIdentified::CannotTell(format!("no keys of {} in time", rule.issuer)));
            }
            // What another request waits for cannot be waited for here: the runtime keeps them apart.
            Step::Wait => visit.platform.sleep(keys::PAUSE).await,
            Step::Fetch => {
                if let Err(failure) = keys::fetch(rule, set, visit.platform, visit.time_left()).await {
                    visit.trace.note(format!("keys of {} {failure}", rule.issuer));
                    why = failure;
                }
            }
        }
    }
}
