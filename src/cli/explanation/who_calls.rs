//! Who calls, as far as that can be told without asking anybody.

use std::sync::Arc;

use crate::gateway::Route;
use crate::identify::{self, Identified};
use crate::path::NormalPath;
use crate::platform::Platform;
use crate::policy::auth::AuthRule;
use crate::policy::caller::{Caller, NotIdentified};
use crate::policy::credential::Carrier;
use crate::policy::jwt;
use crate::policy::scheme::Scheme;
use crate::visit::Visit;

/// Who is taken to be calling, and where credentials are that services are not to have; `None` where nothing can be
/// said of what comes then.
pub async fn who_calls<'g, P: Platform>(
    route: &'g Route,
    path: &NormalPath,
    visit: &Visit<'_, P>,
    notes: &mut Vec<String>,
) -> Option<(Option<Arc<Caller>>, Vec<&'g Carrier>)> {
    if route.auth.is_empty() {
        return Some((None, Vec::new()));
    }
    let asking = route.auth.iter().filter_map(|rule| match rule {
        AuthRule::ForwardAuth(rule) => Some(rule),
        _ => None,
    });
    let asking: Vec<_> = asking.collect();
    let why = match identify::identify(route, path, visit).await {
        Ok(Identified { caller, hidden, .. }) if !asking.iter().any(|rule| rule.vouches_for(&caller)) => {
            return Some((Some(caller), hidden));
        }
        Ok(_) => None,
        Err(why) => Some(why),
    };
    if let Some(rule) = asking.first() {
        let service = &rule.service.name;
        let note = format!("the service {service} is not asked who calls; it is taken to say nothing of them");
        notes.push(note);
        let hidden = route.auth.iter().flat_map(AuthRule::hidden).collect();
        return Some((Some(Arc::new(Caller::new("", serde_json::Map::new()))), hidden));
    }
    let why = why?;
    let token = route.auth.iter().find_map(|rule| match rule {
        AuthRule::Jwt(rule) => rule.carriers.find(visit.head),
        _ => None,
    });
    if let Some(claimed) = token.as_ref().and_then(|(token, _)| jwt::claimed(token)) {
        notes.push(format!(
            "the token would be refused or cannot be verified here ({}); its claims are taken as they stand",
            reason(&why)
        ));
        return Some((Some(Arc::new(claimed)), Vec::new()));
    }
    notes.push(match why {
        NotIdentified::NoCredential(schemes) => {
            let scheme = schemes.first().copied().unwrap_or(Scheme::Bearer);
            let (credential, option) = (scheme.credential(), if scheme == Scheme::Bearer { "--token" } else { "-H" });
            format!("there is no {credential}: the answer would be 401; give one with {option} to see more")
        }
        other => format!("who calls cannot be told here: {}", reason(&other)),
    });
    None
}

fn reason(why: &NotIdentified) -> String {
    match why {
        NotIdentified::NoCredential(_) => "there is none".to_owned(),
        NotIdentified::Expired => "its time is over".to_owned(),
        NotIdentified::NotYet => "its time has not come".to_owned(),
        NotIdentified::NotAllowed => "it may not".to_owned(),
        NotIdentified::NotAccepted(Scheme::Bearer, why) => why.to_string(),
        NotIdentified::NotAccepted(scheme, why) => format!("the {} {why}", scheme.credential()),
        NotIdentified::Misconfigured(why) => why.clone(),
        NotIdentified::CannotTell(why) => format!("{why}; neither KV nor issuers are asked here"),
    }
}
