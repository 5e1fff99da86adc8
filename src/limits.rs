//! How often a caller may: what a call takes of the limits of its route.

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use crate::gateway::Route;
use crate::platform::{Afterwards, LimiterDown, Platform};
use crate::policy::caller::Caller;
use crate::policy::lease::Local;
use crate::policy::rate_limit::{Charge, LIMITER_TIMEOUT, Limit, ToldIn, WhenDown, Who, retry_after};
use crate::quota::Verdict;
use crate::refusal::Refusal;
use crate::visit::Visit;

/// Takes what a call costs from all limits, or from none.
pub async fn admit<P: Platform>(
    route: &Route,
    caller: Option<&Caller>,
    visit: &mut Visit<'_, P>,
) -> Result<(), Refusal> {
    let who = Who { caller, head: visit.head, route: &route.place };
    let charges = route.limits.iter().map(|limit| limit.charge(who, route.cost));
    let charges: Vec<Charge> =
        charges.collect::<Result<_, &str>>().map_err(|claim| Refusal::ClaimMissing(claim.to_owned()))?;
    let within = visit.time_left().min(LIMITER_TIMEOUT);
    let asked = route.limits.iter().zip(&charges).map(|(limit, charge)| spend(limit, charge, within, visit.platform));
    let verdicts = join_all(asked).await;

    let (mut policies, mut states, mut refused, mut is_down) = (Vec::new(), Vec::new(), Vec::new(), false);
    for ((limit, charge), verdict) in route.limits.iter().zip(&charges).zip(&verdicts) {
        match (verdict, limit.when_down) {
            (Ok(verdict), _) if !limit.is_enforced => {
                if !verdict.admitted {
                    visit.trace.note(format!("limit {} would refuse", limit.name()));
                }
            }
            (Ok(verdict), _) => {
                if limit.is_told_in(ToldIn::RateLimit) {
                    let [policy, state] = limit.told(charge, verdict);
                    policies.push(policy);
                    states.push(state);
                }
                if !verdict.admitted {
                    refused.push((limit.name().to_owned(), retry_after(verdict)));
                }
            }
            (Err(LimiterDown), WhenDown::Closed) if limit.is_enforced => {
                visit.trace.note("limiter down, refused");
                is_down = true;
            }
            (Err(LimiterDown), _) => visit.trace.note("limiter down, let through"),
        }
    }
    if !policies.is_empty() {
        visit.answer_edits.set("ratelimit-policy", policies.join(", "));
        visit.answer_edits.set("ratelimit", states.join(", "));
    }
    let told = route.limits.iter().zip(&charges).zip(&verdicts).filter_map(|((limit, charge), verdict)| {
        let is_told = limit.is_enforced && limit.is_told_in(ToldIn::XRateLimit);
        verdict.as_ref().ok().filter(|_| is_told).map(|verdict| (charge, verdict))
    });
    if let Some((charge, verdict)) = told.min_by_key(|(_, verdict)| verdict.remaining) {
        visit.answer_edits.set("x-ratelimit-limit", charge.quota.most().to_string());
        visit.answer_edits.set("x-ratelimit-remaining", verdict.remaining.to_string());
        visit.answer_edits.set("x-ratelimit-reset", retry_after(verdict).to_string());
    }
    if refused.is_empty() && !is_down {
        return Ok(());
    }
    for ((limit, charge), verdict) in route.limits.iter().zip(charges).zip(verdicts) {
        match verdict {
            Ok(Verdict { admitted: true, .. }) if limit.lease.is_some() => {
                limit.leases().give_back(&charge.key, charge.units);
            }
            Ok(Verdict { admitted: true, .. }) => visit.platform.afterwards(Afterwards::GiveBack(charge)),
            _ => {}
        }
    }
    match refused.iter().map(|(_, after)| *after).max() {
        Some(retry_after) => {
            Err(Refusal::OverLimit { retry_after, limits: refused.into_iter().map(|(name, _)| name).collect() })
        }
        None => Err(Refusal::LimiterDown),
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
    let local = limit.leases().spend(&charge.key, charge.units, terms, platform.now());
    match local {
        Local::Admitted(verdict, is_low) => {
            if is_low {
                platform.afterwards(Afterwards::Borrow(Arc::clone(limit), charge.clone()));
            }
            Ok(verdict)
        }
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
                    leases.asked_in_vain(&charge.key);
                    return Err(LimiterDown);
                }
            };
            leases.borrowed(&charge.key, granted, wanted, &said, terms, now);
            match leases.spend(&charge.key, charge.units, terms, now) {
                Local::Admitted(verdict, _) | Local::Refused(verdict) => Ok(verdict),
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
        Ok((granted, said)) => leases.borrowed(&charge.key, granted, terms.units, &said, terms, platform.now()),
        // It will be asked for again.
        Err(LimiterDown) => leases.asked_in_vain(&charge.key),
    }
}
