//! Who is calling, by asking a service.

use std::sync::Arc;

use crate::call::{Wanted, call};
use crate::forward;
use crate::path::NormalPath;
use crate::platform::{Call, Platform};
use crate::policy::caller::{Caller, NotIdentified};
use crate::policy::forward_auth::ForwardAuthRule;
use crate::policy::headers;
use crate::resilience::retry::Body;
use crate::router::Params;
use crate::template::{InnerValues, Values};
use crate::visit::Visit;

/// The largest answer that is read: nothing of its body counts.
const MOST_BYTES: u32 = 64 << 10;

/// Who is calling for a path, as the service says.
pub async fn identify<P: Platform>(
    rule: &ForwardAuthRule,
    path: &NormalPath,
    visit: &Visit<'_, P>,
) -> Result<Arc<Caller>, NotIdentified> {
    let (head, service) = (visit.head, &rule.service);
    let mut edits = headers::of_own_call(head, &visit.gateway.provenance, "*/*");
    rule.tell(head, path.as_str(), &mut edits);
    let (params, secret) = (Params::default(), |name: &str| visit.platform.secret(name));
    let values = Values { head, params: &params, caller: None, secret: &secret, inner: InnerValues::NONE };
    let cannot = || NotIdentified::Misconfigured(format!("service {} cannot be asked", service.name));
    forward::add_fields_of_service(&mut edits, service, &values, &visit.trace).map_err(|_| cannot())?;
    let question = rule.question(&edits);
    if let Some(caller) = question.as_ref().and_then(|question| rule.remembered(question, head.arrived)) {
        return Ok(caller);
    }
    let target = rule.target.render(&values).map_err(|_| cannot())?;
    let fields: Vec<_> = edits.set.into_iter().chain(edits.append).collect();
    let key = service.key.as_ref().and_then(|key| key.plain(&values));
    let wanted = Wanted {
        method: "GET",
        target: &target,
        body: Body::None,
        has_idempotency_key: false,
        key: key.as_deref(),
        timeout: rule.timeout,
        retry: service.retry.as_ref(),
    };
    let make = async |url, within| {
        let call = Call {
            method: "GET",
            url,
            binding: service.binding.clone(),
            headers: fields.clone().into(),
            body: None,
            reads: "".into(),
            wants: rule.wanted().into(),
            max_answer: MOST_BYTES,
            outlives_client: false,
        };
        visit.platform.fetch(&call, within).await
    };
    let called = call(service, wanted, visit, make, |_| {}).await;
    let answer = called.map_err(|error| NotIdentified::CannotTell(format!("service {} {error}", service.name)))?.answer;
    match answer.status {
        200..=299 => {}
        401 => return Err(NotIdentified::token("not known to the service that was asked")),
        403 => return Err(NotIdentified::NotAllowed),
        status => {
            return Err(NotIdentified::CannotTell(format!("service {} answered with status {status}", service.name)));
        }
    }
    let caller = rule.caller(&answer.headers)?;
    if let Some(question) = question {
        rule.remember(&question, &caller, visit.platform.now());
    }
    Ok(caller)
}
