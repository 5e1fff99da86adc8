//! Who is calling, by a key that was given to them.

use super::{Found, KV_TIMEOUT};
use crate::platform::{KvDown, Platform};
use crate::policy::api_key::ApiKeyRule;
use crate::policy::caller::NotIdentified;
use crate::policy::recalled::Known;
use crate::visit::Visit;

/// Who is calling, by a key that was given to them. As a password, it is sent under the name of its owner.
pub async fn identify<'g, P: Platform>(
    rule: &'g ApiKeyRule,
    route: &str,
    visit: &Visit<'_, P>,
) -> Result<Found<'g>, NotIdentified> {
    let scheme = rule.scheme();
    let (key, from) = rule.carriers.find(visit.head).ok_or_else(|| NotIdentified::NoCredential(vec![scheme]))?;
    let not_accepted = |why: &'static str| NotIdentified::NotAccepted(scheme, why.into());
    let now = visit.head.arrived;
    let (digest, known) = rule.known(&key, now);
    let record = match known {
        Known::Remembered(record) => record,
        Known::Asked(before) => {
            let within = visit.time_left().min(KV_TIMEOUT);
            match visit.platform.recall(&rule.kept_under(&digest), within).await {
                Ok(kept) => rule.learned(digest, kept.as_deref(), now).unwrap_or_else(|why| {
                    visit.trace.note(format!("what KV has of an API key of {} {why}", rule.name));
                    None
                }),
                // A key that was good counts while nobody can say otherwise.
                Err(KvDown) if before.is_some() => {
                    visit.trace.note("KV down, API key taken as before");
                    before
                }
                Err(KvDown) => {
                    return Err(NotIdentified::CannotTell("KV down, API keys cannot be looked up".to_owned()));
                }
            }
        }
    };
    let record = record.ok_or_else(|| not_accepted("is none that is known"))?;
    let caller = record.caller(route, now).map_err(not_accepted)?;
    // A key is known by itself; who sends it under another name has mixed something up, or is guessing.
    if from.user(visit.head).is_some_and(|user| caller.claim("sub").as_deref() != Some(&user)) {
        return Err(not_accepted("is not of the user that is named"));
    }
    Ok((caller, Some(from)))
}
