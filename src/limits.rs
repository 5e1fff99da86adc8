//! How often a caller may: what a call takes of the limits of its route.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use crate::gateway::Route;
use crate::platform::{Afterwards, KvDown, LimiterDown, Platform};
use crate::policy::by::Who;
use crate::policy::caller::Caller;
use crate::policy::cost;
use crate::policy::headers::HeaderEdits;
use crate::policy::lease::Local;
use crate::policy::overrides;
use crate::policy::rate_limit::{Charge, LIMITER_TIMEOUT, Limit, ToldIn, retry_after};
use crate::policy::recalled::Known;
use crate::policy::when_down::WhenDown;
use crate::quota::{Quota, Verdict};
use crate::refusal::Refusal;
use crate::visit::Visit;

/// How long KV may take to tell what it has for a single caller.
const KV_TIMEOUT: Duration = Duration::from_millis(500);

/// What a call takes of one limit, and what came of it.
struct Spent<'r> {
    limit: &'r Arc<Limit>,
    charge: Charge,
    verdict: Result<Verdict, LimiterDown>,
}

/// What a call took that was admitted.
#[derive(Default)]
pub struct Admitted<'r>(Vec<Spent<'r>>);

/// Takes what a call costs from all limits, or from none.
pub async fn admit<'r, P: Platform>(
    route: &'r Route,
    caller: Option<&Caller>,
    visit: &mut Visit<'_, P>,
) -> Result<Admitted<'r>, Refusal> {
    let spent = spend_all(route, caller, visit).await?;
    tell(&spent, &mut visit.answer_edits);
    let (mut refused, mut is_down) = (Vec::new(), false);
    for Spent { limit, verdict, .. } in &spent {
        match (verdict, limit.when_down) {
            (Ok(Verdict { admitted: true, .. }), _) => {}
            (Ok(_), _) if !limit.is_enforced => visit.trace.note(format!("limit {} would refuse", limit.name())),
            (Ok(verdict), _) => refused.push((limit.name().to_owned(), retry_after(verdict))),
            (Err(LimiterDown), WhenDown::Closed) if limit.is_enforced => {
                visit.trace.note("limiter down, refused");
                is_down = true;
            }
            (Err(LimiterDown), _) => visit.trace.note("limiter down, let through"),
        }
    }
    if refused.is_empty() && !is_down {
        return Ok(Admitted(spent));
    }
    give_back(spent, visit.platform);
    match refused.iter().map(|(_, after)| *after).max() {
        Some(retry_after) => {
            Err(Refusal::OverLimit { retry_after, limits: refused.into_iter().map(|(name, _)| name).collect() })
        }
        None => Err(Refusal::LimiterDown),
    }
}

impl Admitted<'_> {
    /// Takes the rest of what a call cost, by what its service `said`: as many units as there are.
    pub fn settle<P: Platform>(self, said: Option<&str>, visit: &Visit<'_, P>) {
        let Some(said) = said else { return };
        let Some(units) = cost::told(said) else {
            visit.trace.note("cost told by the service is no whole number");
            return;
        };
        for Spent { charge, .. } in self.0.into_iter().filter(Spent::is_taken) {
            let rest = units.min(charge.quota.most()).saturating_sub(charge.units);
            if rest > 0 {
                visit.platform.afterwards(Afterwards::TakeRest(Charge { units: rest, ..charge }));
            }
        }
    }
}

impl Spent<'_> {
    fn is_taken(&self) -> bool {
        matches!(self.verdict, Ok(Verdict { admitted: true, .. }))
    }
}

/// What a call takes of each limit of its route, all asked at once.
async fn spend_all<'r, P: Platform>(
    route: &'r Route,
    caller: Option<&Caller>,
    visit: &Visit<'_, P>,
) -> Result<Vec<Spent<'r>>, Refusal> {
    if route.limits.is_empty() {
        return Ok(Vec::new());
    }
    let who = Who { caller, head: visit.head, route: &route.place };
    let mut charges = Vec::new();
    for limit in &route.limits {
        match limit.charge(who, route.cost.before) {
            Ok(charge) => charges.push((limit, charge)),
            Err(claim) if limit.is_enforced => return Err(Refusal::ClaimMissing(claim.to_owned())),
            Err(claim) => {
                visit.trace.note(format!("limit {} would refuse, without the claim {claim}", limit.name()));
            }
        }
    }
    let asked = charges.into_iter().map(async |(limit, mut charge)| {
        if let Some(quota) = overriding(limit, &charge, visit).await {
            charge.quota = quota;
        }
        let within = visit.time_left().min(LIMITER_TIMEOUT);
        let verdict = spend(limit, &charge, within, visit.platform).await;
        Spent { limit, charge, verdict }
    });
    Ok(join_all(asked).await)
}

/// The quota that KV has for those alone whom a charge is on, if it has one.
async fn overriding<P: Platform>(limit: &Limit, charge: &Charge, visit: &Visit<'_, P>) -> Option<Quota> {
    let overrides = limit.overrides.as_ref()?;
    let key = overrides::kept_under(charge)?;
    let before = match overrides.known(&key, visit.platform.now()) {
        Known::Remembered(quota) => return quota,
        Known::Asked(before) => before,
    };
    let kept = visit.platform.recall(&key, visit.time_left().min(KV_TIMEOUT)).await;
    let now = visit.platform.now();
    match kept {
        Ok(kept) => overrides.learned(key, kept.as_deref(), charge.units, now).unwrap_or_else(|why| {
            visit.trace.note(format!("what KV has for a caller of the limit {} {why}", limit.name()));
            None
        }),
        Err(KvDown) => {
            visit.trace.note(format!("KV down, limit {} as it was", limit.name()));
            overrides.asked_in_vain(key, before, now);
            before
        }
    }
}

/// Tells the client of the limits that it is held to.
fn tell(spent: &[Spent<'_>], answer_edits: &mut HeaderEdits) {
    let told_in = |fields: ToldIn| {
        spent.iter().filter_map(move |Spent { limit, charge, verdict }| {
            let is_told = limit.is_enforced && limit.is_told_in(fields);
            verdict.as_ref().ok().filter(|_| is_told).map(|verdict| (limit, charge, verdict))
        })
    };
    let (policies, states): (Vec<_>, Vec<_>) = told_in(ToldIn::RateLimit)
        .map(|(limit, charge, verdict)| <(String, String)>::from(limit.told(charge, verdict)))
        .unzip();
    if !policies.is_empty() {
        answer_edits.set("ratelimit-policy", policies.join(", "));
        answer_edits.set("ratelimit", states.join(", "));
    }
    if let Some((_, charge, verdict)) = told_in(ToldIn::XRateLimit).min_by_key(|(.., verdict)| verdict.remaining) {
        answer_edits.set("x-ratelimit-limit", charge.quota.most().to_string());
        answer_edits.set("x-ratelimit-remaining", verdict.remaining.to_string());
        answer_edits.set("x-ratelimit-reset", retry_after(verdict).to_string());
    }
}

/// Gives back what was taken for a call that is refused.
fn give_back<P: Platform>(spent: Vec<Spent<'_>>, platform: &P) {
    for Spent { limit, charge, .. } in spent.into_iter().filter(Spent::is_taken) {
        match limit.lease {
            Some(_) => limit.leases().give_back(&charge),
            None => platform.afterwards(Afterwards::GiveBack(charge)),
        }
    }
}

/// Takes units of a limit: of what this isolate has borrowed, or where all are counted.
async fn spend<P: Platform>(
    limit: &Arc<Limit>,
    charge: &Charge,
    within: Duration,
    platform: &P,
) -> Result<Verdict, LimiterDown> {
    let Some(terms) = limit.lease else { return platform.spend(charge, within).await };
    let admitted = |verdict: Verdict, is_low: bool| {
        if is_low {
            platform.afterwards(Afterwards::Borrow(Arc::clone(limit), charge.clone()));
        }
        verdict
    };
    let local = limit.leases().spend(charge, terms, platform.now());
    match local {
        Local::Admitted(verdict, is_low) => Ok(admitted(verdict, is_low)),
        Local::Refused(verdict) => Ok(verdict),
        Local::Ask => platform.spend(charge, within).await,
        Local::Borrow => {
            let wanted = terms.units.max(charge.units);
            let borrowed = platform.borrow(&Charge { units: wanted, ..charge.clone() }, within).await;
            let now = platform.now();
            let mut leases = limit.leases();
            let (granted, said) = match borrowed {
                Ok(borrowed) => borrowed,
                Err(LimiterDown) => {
                    leases.asked_in_vain(charge);
                    return Err(LimiterDown);
                }
            };
            leases.borrowed(charge, granted, wanted, &said, terms, now);
            match leases.spend(charge, terms, now) {
                Local::Admitted(verdict, is_low) => Ok(admitted(verdict, is_low)),
                Local::Refused(verdict) => Ok(verdict),
                Local::Borrow | Local::Ask => Ok(Verdict { admitted: false, ..said }),
            }
        }
    }
}

/// Borrows more of a limit, in the background.
pub async fn borrow_more<P: Platform>(limit: &Limit, charge: Charge, platform: &P) {
    let Some(terms) = limit.lease else { return };
    let borrowed = platform.borrow(&Charge { units: terms.units, ..charge.clone() }, LIMITER_TIMEOUT).await;
    let mut leases = limit.leases();
    match borrowed {
        Ok((granted, said)) => leases.borrowed(&charge, granted, terms.units, &said, terms, platform.now()),
        // It will be asked for again.
        Err(LimiterDown) => leases.asked_in_vain(&charge),
    }
}
