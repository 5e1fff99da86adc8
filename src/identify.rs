//! Who is calling: from what the request says to the caller, by the first of the route's rules that it fits. Each
//! kind of rule has its way in a file of its own. All but the one of tokens are boxed, as in [`crate::handle`].

mod by_asking;
mod by_introspection;
mod by_key;
mod by_signature;
mod by_token;
mod keys;

pub use keys::refresh;

use std::sync::Arc;
use std::time::Duration;

use futures::FutureExt;

use crate::gateway::Route;
use crate::path::NormalPath;
use crate::platform::Platform;
use crate::policy::auth::AuthRule;
use crate::policy::caller::{Caller, NotIdentified};
use crate::policy::certificate::CertificateRule;
use crate::policy::credential::Carrier;
use crate::policy::scheme::Scheme;
use crate::refusal::Refusal;
use crate::visit::Visit;

/// How long KV may take to tell what it has: of an API key, of a token that is revoked, or of an issuer's keys.
const KV_TIMEOUT: Duration = Duration::from_millis(500);

/// Who is calling.
pub struct Identified<'g> {
    /// The caller.
    pub caller: Arc<Caller>,
    /// Where credentials are that services are not to have.
    pub hidden: Vec<&'g Carrier>,
    /// Whether `Authorization` says who is calling, by which caches know whom the answer is for (RFC 9111, section 3.5).
    pub is_by_authorization: bool,
}

/// What a rule found: the caller, and where the credential was, if it is one that can be hidden.
type Found<'g> = (Arc<Caller>, Option<&'g Carrier>);

/// Who is calling a route by a path, by the first of its rules that the request fits. Of several, a token is for those whose issuer it
/// names.
pub async fn identify<'g, P: Platform>(
    route: &'g Route,
    path: &NormalPath,
    visit: &Visit<'_, P>,
) -> Result<Identified<'g>, NotIdentified> {
    let rules = route.auth.as_slice();
    let mut why = NotIdentified::NoCredential(rules.iter().map(AuthRule::scheme).collect());
    for rule in rules {
        let found = match rule {
            AuthRule::Jwt(rule) => by_token::identify(rule, rules.len() > 1, visit).await,
            AuthRule::ApiKey(rule) => by_key::identify(rule, &route.pattern, visit).boxed_local().await,
            AuthRule::Introspection(rule) => by_introspection::identify(rule, visit).boxed_local().await,
            AuthRule::Certificate(rule) => by_certificate(rule, &route.pattern, visit).map(|caller| (caller, None)),
            AuthRule::Signature(rule) => {
                let identified = by_signature::identify(rule, &route.pattern, visit).boxed_local().await;
                identified.map(|caller| (caller, None))
            }
            AuthRule::ForwardAuth(rule) => {
                by_asking::identify(rule, path, visit).boxed_local().await.map(|caller| (caller, None))
            }
        };
        match found {
            Ok((caller, used)) => {
                // Those of all rules: a client may send several. What was used goes on where its own rule says so.
                let is_passed = rule.hidden().all(|carrier| Some(carrier) != used);
                let is_used = |from: &Carrier| used.is_some_and(|used| used.has_place_of(from));
                let hidden = rules.iter().flat_map(AuthRule::hidden);
                return Ok(Identified {
                    caller,
                    hidden: hidden.filter(|from| !(is_passed && is_used(from))).collect(),
                    is_by_authorization: used.is_some_and(Carrier::is_in_authorization),
                });
            }
            Err(NotIdentified::NoCredential(_)) => {}
            Err(other) if says_more(&other) >= says_more(&why) => why = other,
            Err(_) => {}
        }
    }
    Err(why)
}

/// Who is calling, by the client certificate that the platform has checked.
fn by_certificate<P: Platform>(
    rule: &CertificateRule,
    route: &str,
    visit: &Visit<'_, P>,
) -> Result<Arc<Caller>, NotIdentified> {
    let scheme = Scheme::Certificate;
    let certificate = visit.platform.certificate().ok_or_else(|| NotIdentified::NoCredential(vec![scheme]))?;
    let caller = rule.caller(&certificate, route, visit.head.arrived);
    caller.map_err(|why| NotIdentified::NotAccepted(scheme, why.into()))
}

/// How much a reason says to a caller whom several rules did not know.
fn says_more(why: &NotIdentified) -> u8 {
    match why {
        NotIdentified::NoCredential(_) => 0,
        NotIdentified::NotAccepted(..) => 1,
        _ => 2,
    }
}

/// How a request is turned down whose caller is not known; the log is told more.
pub fn refusal<P: Platform>(why: NotIdentified, visit: &Visit<'_, P>) -> Refusal {
    match why {
        NotIdentified::NoCredential(schemes) => Refusal::NoCredential(schemes),
        NotIdentified::Expired => Refusal::TokenExpired,
        NotIdentified::NotYet => Refusal::TokenNotYet,
        NotIdentified::NotAllowed => Refusal::NotAllowed { scopes: None },
        NotIdentified::NotAccepted(scheme, why) => {
            visit.trace.note([scheme.credential(), " ", &why].concat());
            Refusal::CredentialNotAccepted(scheme)
        }
        NotIdentified::Misconfigured(why) => {
            visit.trace.note(why);
            Refusal::Internal
        }
        NotIdentified::CannotTell(why) => {
            visit.trace.note(why);
            Refusal::CannotTell
        }
    }
}
