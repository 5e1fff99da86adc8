//! Who is calling, by a request that is signed.

use std::sync::Arc;

use crate::platform::{CallError, FirstRequest, Known, Platform};
use crate::policy::caller::{Caller, NotIdentified};
use crate::policy::scheme::Scheme;
use crate::policy::signature::{Checks, SignatureRule, Signed, is_digest_of};
use crate::visit::Visit;

/// Who has signed the request.
pub async fn identify<P: Platform>(
    rule: &SignatureRule,
    route: &str,
    visit: &Visit<'_, P>,
) -> Result<Arc<Caller>, NotIdentified> {
    let not_accepted = |why: &'static str| NotIdentified::NotAccepted(Scheme::Signature, why.into());
    let head = visit.head;
    let signed = rule.read(head)?;
    if !is_right(&signed, visit).await? {
        return Err(not_accepted("is not right"));
    }
    let caller = signed.key.caller(route, head.arrived)?;
    // Who has no key has no body read. What header fields say of a body is not believed: it may be there without.
    if matches!(head.method.as_str(), "GET" | "HEAD") {
        // No runtime makes one of a body that was read, and workerd sends one on that was not.
        if head.headers.say_body() {
            return Err(not_accepted("is of a request that has a body, and by its method has none"));
        }
    } else {
        let body = visit.whole_body(rule.max_body).await.map_err(|error| match error {
            CallError::BodyTooLarge => not_accepted("is of a body that is too large to check"),
            error => NotIdentified::CannotTell(format!("the body could not be read: {error}")),
        })?;
        let digest = head.headers.get("content-digest").filter(|_| signed.covers("content-digest"));
        if digest.map_or(!body.is_empty(), |digest| !is_digest_of(digest, &body)) {
            return Err(not_accepted("is not of this body"));
        }
    }
    if rule.once {
        let request = FirstRequest { name: rule.name_of(&signed), fingerprint: "once".to_owned() };
        // It was of its time when its head came; its body may take all the time that a request has.
        let remembered_for = rule.counts_for() + visit.gateway.budget;
        let known = visit.platform.begin(&request, remembered_for, visit.time_left()).await;
        match known {
            Ok(Known::Nothing) => {}
            Ok(_) => return Err(not_accepted("was used before")),
            Err(_) => {
                let why = "it cannot be told whether the request was made before";
                return Err(NotIdentified::CannotTell(why.to_owned()));
            }
        }
    }
    Ok(caller)
}

async fn is_right<P: Platform>(signed: &Signed<'_>, visit: &Visit<'_, P>) -> Result<bool, NotIdentified> {
    match &signed.key.checks {
        Checks::Secret(secret) => {
            secret.renew(|name| visit.platform.secret(name));
            secret.has_signed(&signed.base, &signed.signature.bytes)
        }
        Checks::Public(algorithm, key) => {
            let right = visit.platform.verify(*algorithm, &key.jwk, &signed.base, &signed.signature.bytes).await;
            right.map_err(|_| {
                NotIdentified::Misconfigured("a public key is none that signatures can be checked with".to_owned())
            })
        }
    }
}
