//! Who is calling, by a token that its issuer is asked about.

use std::sync::Arc;

use super::Found;
use crate::platform::Platform;
use crate::policy::caller::NotIdentified;
use crate::policy::introspection::IntrospectionRule;
use crate::policy::jwt::MAX_TOKEN;
use crate::policy::scheme::Scheme;
use crate::visit::Visit;

/// Who is calling, as the issuer says now, or said not long ago.
pub async fn identify<'g, P: Platform>(
    rule: &'g Arc<IntrospectionRule>,
    visit: &Visit<'_, P>,
) -> Result<Found<'g>, NotIdentified> {
    let found = rule.carriers.find(visit.head);
    let (token, from) = found.ok_or_else(|| NotIdentified::NoCredential(vec![Scheme::Bearer]))?;
    if token.len() > MAX_TOKEN {
        return Err(NotIdentified::token("too long"));
    }
    if let Some(caller) = rule.remembered(&token, visit.head.arrived) {
        return Ok((caller, Some(from)));
    }
    let call = rule.call(&token, |name| visit.platform.secret(name))?;
    let down = |why: String| NotIdentified::CannotTell(format!("the issuer of {} {why}", rule.name()));
    visit.allowance.take_call().map_err(|error| down(error.to_string()))?;
    let answer = visit.platform.fetch(&call, visit.time_left().min(rule.timeout)).await;
    let answer = answer.map_err(|error| down(error.to_string()))?;
    if answer.status != 200 {
        return Err(down(format!("answered with status {}", answer.status)));
    }
    Ok((rule.caller(&token, &answer.body, visit.platform.now())?, Some(from)))
}
