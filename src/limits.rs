//! How often a caller may: what a call takes of the limits of its route.

mod counting;

pub use counting::{borrow_more, exchange};

use std::sync::Arc;
use std::time::Duration;

use futures::future::join_all;

use crate::gateway::Route;
use crate::head::UnixMillis;
use crate::platform::{Afterwards, KvDown, LimiterDown, Platform};
use crate::policy::by::Who;
use crate::policy::caller::Caller;
use crate::policy::cost;
use crate::policy::headers::HeaderEdits;
use crate::policy::overrides;
use crate::policy::rate_limit::{Charge, Limit, Measure, Slot, ToldIn, retry_after};
use crate::policy::recalled::Known;
use crate::policy::when_down::WhenDown;
use crate::quota::Verdict;
use crate::refusal::Refusal;
use crate::visit::Visit;

/// How long KV may take to tell what it has for a single caller.
const KV_TIMEOUT: Duration = Duration::from_millis(500);

/// What a call takes of one limit, and what came of it.
struct Asked<'r> {
    limit: &'r Arc<Limit>,
    came: Came,
}

/// What came of asking a limit.
enum Came {
    /// Of one that counts over time, for these units.
    Units(Charge, Result<Verdict, LimiterDown>),
    /// Of one of calls at once: a slot, or that all are taken.
    Slot(Result<Option<Slot>, LimiterDown>),
}

impl Came {
    /// In how many seconds a refused call may come again; `None` is that it is admitted.
    fn refused(&self) -> Result<Option<u64>, LimiterDown> {
        match self {
            Self::Units(_, Ok(Verdict { admitted: true, .. })) | Self::Slot(Ok(Some(_))) => Ok(None),
            Self::Units(_, Ok(verdict)) => Ok(Some(retry_after(verdict))),
            // Whose call ends next, and when, nobody knows.
            Self::Slot(Ok(None)) => Ok(Some(1)),
            Self::Units(_, Err(LimiterDown)) | Self::Slot(Err(LimiterDown)) => Err(LimiterDown),
        }
    }
}

/// What a call has taken of its limits. The slots are given back when this is dropped, however the call ended.
pub struct Admitted<'v, P: Platform> {
    units: Vec<(&'v Arc<Limit>, Charge)>,
    slots: Vec<Slot>,
    platform: &'v P,
}

impl<P: Platform> Drop for Admitted<'_, P> {
    fn drop(&mut self) {
        self.slots.drain(..).for_each(|slot| self.platform.afterwards(Afterwards::FreeSlot(slot)));
    }
}

/// Takes what a call costs from all limits, or from none.
pub async fn admit<'v, P: Platform>(
    route: &'v Route,
    caller: Option<&Caller>,
    visit: &mut Visit<'v, P>,
) -> Result<Admitted<'v, P>, Refusal> {
    let asked = ask_all(route, caller, visit).await?;
    tell(&asked, &mut visit.answer_edits);
    let (mut refused, mut is_down) = (Vec::new(), false);
    for Asked { limit, came } in &asked {
        match (came.refused(), limit.when_down) {
            (Ok(None), _) => {}
            (Ok(_), _) if !limit.is_enforced => visit.trace.note(format!("limit {} would refuse", limit.name())),
            (Ok(Some(retry_after)), _) => refused.push((limit.name().to_owned(), retry_after)),
            (Err(LimiterDown), WhenDown::Closed) if limit.is_enforced => {
                visit.trace.note(format!("limiter down, refused by limit {}", limit.name()));
                is_down = true;
            }
            (Err(LimiterDown), _) => visit.trace.note(format!("limiter down, let through by limit {}", limit.name())),
        }
    }
    let admitted = Admitted::of(asked, visit.platform);
    if refused.is_empty() && !is_down {
        return Ok(admitted);
    }
    admitted.give_back(visit.head.arrived);
    match refused.iter().map(|(_, after)| *after).max() {
        Some(retry_after) => {
            Err(Refusal::OverLimit { retry_after, limits: refused.into_iter().map(|(name, _)| name).collect() })
        }
        None => Err(Refusal::LimiterDown),
    }
}

impl<'v, P: Platform> Admitted<'v, P> {
    fn of(asked: Vec<Asked<'v>>, platform: &'v P) -> Self {
        let (mut units, mut slots) = (Vec::new(), Vec::new());
        for Asked { limit, came } in asked {
            match came {
                Came::Units(charge, Ok(Verdict { admitted: true, .. })) => units.push((limit, charge)),
                Came::Slot(Ok(Some(slot))) => slots.push(slot),
                Came::Units(..) | Came::Slot(_) => {}
            }
        }
        Self { units, slots, platform }
    }

    /// Gives back what was taken for a call that arrived at `since` and is refused.
    fn give_back(mut self, since: UnixMillis) {
        for (limit, charge) in self.units.drain(..) {
            counting::give_back(limit, charge, since, self.platform);
        }
    }

    /// Takes the rest of what a call cost, by what its service `said`, as many units as there are, and gives its slots
    /// back.
    pub fn settle(mut self, said: Option<&str>, visit: &Visit<'_, P>) {
        let units = said.map_or(Some(0), cost::told).unwrap_or_else(|| {
            visit.trace.note("cost told by the service is no whole number");
            0
        });
        for (limit, charge) in self.units.drain(..) {
            let rest = units.min(charge.quota.most()).saturating_sub(charge.units);
            if rest > 0 {
                counting::take_rest(limit, Charge { units: rest, ..charge }, self.platform);
            }
        }
    }
}

/// What a call takes of each limit of its route, all asked at once.
async fn ask_all<'v, P: Platform>(
    route: &'v Route,
    caller: Option<&Caller>,
    visit: &Visit<'v, P>,
) -> Result<Vec<Asked<'v>>, Refusal> {
    let who = Who { caller, head: visit.head, route: &route.place };
    let mut keys = Vec::new();
    for limit in &route.limits {
        match limit.key(who) {
            Ok(key) => keys.push((limit, key)),
            Err(claim) if limit.is_enforced => return Err(Refusal::ClaimMissing(claim.to_owned())),
            Err(claim) => {
                visit.trace.note(format!("limit {} would refuse, without the claim {claim}", limit.name()));
            }
        }
    }
    let units = route.cost.before;
    let asked = keys.into_iter().map(async |(limit, key)| {
        let said = limit.measure(caller);
        let measure = overriding(limit, &key, (said, units), visit).await.unwrap_or(said);
        let within = visit.time_left().min(limit.timeout);
        let key = limit.state_of(key, measure);
        let came = match measure {
            Measure::OverTime(quota) => {
                let charge = Charge { key, quota, units };
                let verdict = counting::spend(limit, &charge, within, visit.platform).await;
                Came::Units(charge, verdict)
            }
            // Longer than that no call is under way.
            Measure::AtOnce(most) => {
                Came::Slot(visit.platform.take_slot(&key, most, visit.gateway.budget, within).await)
            }
        };
        Asked { limit, came }
    });
    Ok(join_all(asked).await)
}

/// What KV has for those alone who count by a key, in the place of what the file says, if it has something.
async fn overriding<P: Platform>(
    limit: &Limit,
    key: &str,
    said: (Measure, u32),
    visit: &Visit<'_, P>,
) -> Option<Measure> {
    let overrides = limit.overrides.as_ref()?;
    let key = overrides::kept_under(key)?;
    let before = match overrides.known(&key, visit.platform.now()) {
        Known::Remembered(own) => return own,
        Known::Asked(before) => before,
    };
    let kept = visit.platform.recall(&key, visit.time_left().min(KV_TIMEOUT)).await;
    let now = visit.platform.now();
    match kept {
        Ok(kept) => overrides.learned(key, kept.as_deref(), said, now).unwrap_or_else(|why| {
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

/// Tells the client of the limits that it is held to, but of those of calls at once: the fields are of quotas over
/// time.
fn tell(asked: &[Asked<'_>], answer_edits: &mut HeaderEdits) {
    let told_in = |fields: ToldIn| {
        asked.iter().filter_map(move |Asked { limit, came }| match came {
            Came::Units(charge, Ok(verdict)) if limit.is_enforced && limit.is_told_in(fields) => {
                Some((limit, charge, verdict))
            }
            _ => None,
        })
    };
    let (policies, states): (Vec<_>, Vec<_>) =
        told_in(ToldIn::RateLimit).map(|(limit, charge, verdict)| limit.told(charge, verdict)).unzip();
    let states: Vec<_> = states.into_iter().flatten().collect();
    for (name, told) in [("ratelimit-policy", policies), ("ratelimit", states)] {
        if !told.is_empty() {
            answer_edits.set(name, told.join(", "));
        }
    }
    if let Some((_, charge, verdict)) = told_in(ToldIn::XRateLimit).min_by_key(|(.., verdict)| verdict.remaining) {
        answer_edits.set("x-ratelimit-limit", charge.quota.most().to_string());
        answer_edits.set("x-ratelimit-remaining", verdict.remaining.to_string());
        answer_edits.set("x-ratelimit-reset", retry_after(verdict).to_string());
    }
}
