//! How units of a limit are taken and given back, by where it is counted.

use std::sync::{Arc, Mutex};
use std::time::Duration;

use crate::head::UnixMillis;
use crate::locked::locked;
use crate::platform::{Afterwards, KvDown, LimiterDown, Platform};
use crate::policy::lease::{Leases, Local, Terms};
use crate::policy::rate_limit::{Charge, Counted, LIMITER_TIMEOUT, Limit};
use crate::policy::tally::Tallies;
use crate::quota::Verdict;

/// Takes units of a limit, where it is counted.
pub async fn spend<P: Platform>(
    limit: &Arc<Limit>,
    charge: &Charge,
    within: Duration,
    platform: &P,
) -> Result<Verdict, LimiterDown> {
    match &limit.counted {
        Counted::Exactly => platform.spend(charge, within).await,
        Counted::Leased(terms, leases) => spend_borrowed(limit, *terms, leases, charge, within, platform).await,
        Counted::InKv(tallies) => spend_tallied(limit, tallies, charge, within, platform).await,
        Counted::ByPlatform(binding, period) => {
            let admitted = platform.is_within_rate(binding, &charge.key, within).await?;
            let next_unit = u64::try_from(period.as_micros()).unwrap_or(u64::MAX);
            Ok(Verdict { admitted, remaining: 0, next_unit })
        }
    }
}

/// Gives units back that were taken at `since` or later.
pub fn give_back<P: Platform>(limit: &Limit, charge: Charge, since: UnixMillis, platform: &P) {
    match &limit.counted {
        Counted::Exactly => platform.afterwards(Afterwards::GiveBack(charge, since)),
        // What was borrowed may be spent in another window, too.
        Counted::Leased(_, leases) => locked(leases).give_back(&charge),
        Counted::InKv(tallies) => tallies.give_back(&charge, since, platform.now()),
        // The platform takes nothing back.
        Counted::ByPlatform(..) => {}
    }
}

/// Takes as many of these units as there are.
pub fn take_rest<P: Platform>(limit: &Limit, charge: Charge, platform: &P) {
    match &limit.counted {
        // What is borrowed is for calls to come.
        Counted::Exactly | Counted::Leased(..) => platform.afterwards(Afterwards::TakeRest(charge)),
        Counted::InKv(tallies) => tallies.take_rest(&charge, platform.now()),
        // It counts calls; no route with another cost has it.
        Counted::ByPlatform(..) => {}
    }
}

/// Takes units of what this isolate has borrowed.
async fn spend_borrowed<P: Platform>(
    limit: &Arc<Limit>,
    terms: Terms,
    leases: &Mutex<Leases>,
    charge: &Charge,
    within: Duration,
    platform: &P,
) -> Result<Verdict, LimiterDown> {
    let admitted = |verdict: Verdict, is_low: bool| {
        if is_low {
            platform.afterwards(Afterwards::Borrow(Arc::clone(limit), charge.clone()));
        }
        verdict
    };
    let local = locked(leases).spend(charge, terms, platform.now());
    match local {
        Local::Admitted(verdict, is_low) => Ok(admitted(verdict, is_low)),
        Local::Refused(verdict) => Ok(verdict),
        Local::Ask => platform.spend(charge, within).await,
        Local::Borrow => {
            let (wanted, since) = (terms.units.max(charge.units), platform.now());
            let borrowed = platform.borrow(&Charge { units: wanted, ..charge.clone() }, within).await;
            let now = platform.now();
            let mut leases = locked(leases);
            let (granted, said) = match borrowed {
                Ok(borrowed) => borrowed,
                Err(LimiterDown) => {
                    leases.asked_in_vain(charge);
                    return Err(LimiterDown);
                }
            };
            if granted > 0 && leases.left(charge, now).saturating_add(granted) < charge.units {
                // It would lapse, time and again, and who keeps knocking would never be let through.
                leases.asked_in_vain(charge);
                let back = Charge { units: granted, ..charge.clone() };
                platform.afterwards(Afterwards::GiveBack(back, since));
                return Ok(Verdict { admitted: false, ..said });
            }
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
    let Counted::Leased(terms, leases) = &limit.counted else { return };
    let borrowed = platform.borrow(&Charge { units: terms.units, ..charge.clone() }, LIMITER_TIMEOUT).await;
    let mut leases = locked(leases);
    match borrowed {
        Ok((granted, said)) => leases.borrowed(&charge, granted, terms.units, &said, *terms, platform.now()),
        // It will be asked for again.
        Err(LimiterDown) => leases.asked_in_vain(&charge),
    }
}

/// Takes units by the count of this isolate, and what it knows of the others'.
async fn spend_tallied<P: Platform>(
    limit: &Arc<Limit>,
    tallies: &Tallies,
    charge: &Charge,
    within: Duration,
    platform: &P,
) -> Result<Verdict, LimiterDown> {
    if let Some((verdict, is_due)) = tallies.spend(charge, platform.now()) {
        if is_due {
            platform.afterwards(Afterwards::Exchange(Arc::clone(limit), charge.clone()));
        }
        return Ok(verdict);
    }
    let exchange = tallies.exchange(charge, platform.random(), platform.now());
    let others = platform.tally(&exchange.prefix, &exchange.own, within).await.map_err(|KvDown| LimiterDown)?;
    tallies.exchanged(charge, &exchange, false, others, platform.now());
    // Where the window has ended meanwhile, nobody has taken anything of the new one.
    let spent = tallies.spend(charge, platform.now());
    Ok(spent.map_or(Verdict { admitted: true, remaining: 0, next_unit: 0 }, |(verdict, _)| verdict))
}

/// Tells KV what this isolate has admitted, and asks what the others have, in the background.
pub async fn exchange<P: Platform>(limit: &Limit, charge: &Charge, platform: &P) {
    let Counted::InKv(tallies) = &limit.counted else { return };
    let exchange = tallies.exchange(charge, platform.random(), platform.now());
    let is_noted = match exchange.note {
        Some(units) => platform.note_count(&exchange.own, units, exchange.ends).await.is_ok(),
        None => false,
    };
    // While KV is down, what it said last counts.
    let others = platform.tally(&exchange.prefix, &exchange.own, LIMITER_TIMEOUT).await.unwrap_or_default();
    tallies.exchanged(charge, &exchange, is_noted, others, platform.now());
}
