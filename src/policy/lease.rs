//! Units that an isolate has borrowed of a limit, and spends without asking.
//!
//! The place that counts has taken them already, so that all isolates together never admit more in all than the
//! limit says. But they may spend what they borrowed later than they paid for it: in a moment they can admit as
//! many units more as they have borrowed: a lease each, and what is left of the one before. What is not spent in time
//! lapses, and counts as taken. More is borrowed in the background before it runs out. That a key is refused is
//! remembered until its next unit is there, and costs no call.

use std::collections::HashMap;
use std::time::Duration;

use crate::head::UnixMillis;
use crate::policy::rate_limit::Charge;
use crate::quota::Verdict;

/// How long somebody is taken to be asking: who asks may go away.
const LONGEST_ASKING: Duration = Duration::from_secs(2);

/// How many keys an isolate has something borrowed of.
const MOST_KEYS: usize = 10_000;

/// How much is borrowed at once, and for how long.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Terms {
    /// Units; at least 1.
    pub units: u32,
    /// How long they can be spent.
    pub lasts: Duration,
}

/// What was borrowed of one key.
#[derive(Clone, Copy, Debug)]
struct Lease {
    units: u32,
    until: UnixMillis,
    /// What the place that counts said last.
    left_there: u32,
    next_unit: UnixMillis,
    /// Whether it has refused more.
    is_refused: bool,
    /// Until when somebody is taken to be asking for more.
    asking_until: UnixMillis,
}

/// What an isolate has borrowed of a limit, by key and quota: a caller who gets another plan is not held to what is
/// remembered of the one before.
#[derive(Debug, Default)]
pub struct Leases(HashMap<String, Lease>);

/// What can be said of a call without asking.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Local {
    /// It is admitted; with `true`, more is to be borrowed in the background.
    Admitted(Verdict, bool),
    /// It is refused.
    Refused(Verdict),
    /// The place that counts is to be asked for a lease.
    Borrow,
    /// Somebody is asking for a lease: the place that counts is to be asked for these units alone.
    Ask,
}

impl Leases {
    /// Spends units of what a charge is on.
    pub fn spend(&mut self, charge: &Charge, terms: Terms, now: UnixMillis) -> Local {
        let nothing = Lease {
            units: 0,
            until: now,
            left_there: 0,
            next_unit: now,
            is_refused: false,
            asking_until: UnixMillis(0),
        };
        let units = charge.units;
        let lease = self.of(charge, now, nothing);
        if now >= lease.until {
            lease.units = 0;
        }
        let is_asking = now < lease.asking_until;
        if lease.units >= units {
            lease.units -= units;
            let is_low = lease.units < terms.units.div_ceil(2) && !lease.is_refused && !is_asking;
            if is_low {
                lease.asking_until = now.after(LONGEST_ASKING);
            }
            return Local::Admitted(lease.verdict(true, now), is_low);
        }
        if lease.is_refused && now < lease.next_unit {
            return Local::Refused(lease.verdict(false, now));
        }
        if is_asking {
            return Local::Ask;
        }
        lease.asking_until = now.after(LONGEST_ASKING);
        Local::Borrow
    }

    /// The lease that a charge is on, if need be this one.
    fn of(&mut self, charge: &Charge, now: UnixMillis, new: Lease) -> &mut Lease {
        let key = kept_under(charge);
        if self.0.len() >= MOST_KEYS && !self.0.contains_key(&key) {
            self.0.retain(|_, lease| now < lease.until || now < lease.next_unit);
            if self.0.len() >= MOST_KEYS {
                self.0.clear();
            }
        }
        self.0.entry(key).or_insert(new)
    }

    /// How many units are left of what was borrowed.
    pub fn left(&self, charge: &Charge, now: UnixMillis) -> u32 {
        self.0.get(&kept_under(charge)).filter(|lease| now < lease.until).map_or(0, |lease| lease.units)
    }

    /// Takes over what was borrowed, of `wanted` units, and what the place that counts said.
    pub fn borrowed(
        &mut self,
        charge: &Charge,
        granted: u32,
        wanted: u32,
        said: &Verdict,
        terms: Terms,
        now: UnixMillis,
    ) {
        let lease = Lease {
            units: self.left(charge, now).saturating_add(granted),
            until: now.after(terms.lasts),
            left_there: said.remaining,
            next_unit: now.after(Duration::from_micros(said.next_unit)),
            is_refused: granted < wanted,
            asking_until: UnixMillis(0),
        };
        *self.of(charge, now, lease) = lease;
    }

    /// Gives units back that a call took, which was refused for another limit.
    pub fn give_back(&mut self, charge: &Charge) {
        if let Some(lease) = self.0.get_mut(&kept_under(charge)) {
            lease.units = lease.units.saturating_add(charge.units);
        }
    }

    /// Nobody is asking for more any longer: it was in vain.
    pub fn asked_in_vain(&mut self, charge: &Charge) {
        if let Some(lease) = self.0.get_mut(&kept_under(charge)) {
            lease.asking_until = UnixMillis(0);
        }
    }

    /// How many keys there are.
    #[cfg(test)]
    fn len(&self) -> usize {
        self.0.len()
    }
}

/// Under which name it is remembered what was borrowed for a charge.
fn kept_under(charge: &Charge) -> String {
    format!("{}\n{}", charge.quota.to_path(), charge.key)
}

impl Lease {
    fn verdict(&self, admitted: bool, now: UnixMillis) -> Verdict {
        let next_unit = u64::try_from(self.next_unit.since(now).as_micros()).unwrap_or(u64::MAX);
        Verdict { admitted, remaining: self.units.saturating_add(self.left_there), next_unit }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::Quota;

    const TERMS: Terms = Terms { units: 10, lasts: Duration::from_secs(5) };

    /// A unit for this key.
    fn one(key: &str) -> Charge {
        Charge { key: key.to_owned(), quota: Quota::Rate { interval: 1, burst: 1 }, units: 1 }
    }

    fn said(remaining: u32) -> Verdict {
        Verdict { admitted: true, remaining, next_unit: 2_000_000 }
    }

    #[test]
    fn what_is_borrowed_is_spent_and_lapses() {
        let mut leases = Leases::default();
        let at = |seconds: u64| UnixMillis(seconds * 1000);
        assert_eq!(leases.spend(&one("k"), TERMS, at(0)), Local::Borrow);
        assert_eq!(leases.spend(&one("k"), TERMS, at(0)), Local::Ask, "somebody is asking");
        leases.borrowed(&one("k"), 10, 10, &said(90), TERMS, at(0));
        assert_eq!(leases.spend(&one("other"), TERMS, at(0)), Local::Borrow);
        let spent: Vec<Local> = (0..11).map(|_| leases.spend(&one("k"), TERMS, at(1))).collect();
        let refills = spent.iter().filter(|local| matches!(local, Local::Admitted(_, true))).count();
        assert_eq!((refills, spent[10]), (1, Local::Ask), "asked for once");
        assert!(matches!(spent[0], Local::Admitted(Verdict { remaining: 99, .. }, false)), "{:?}", spent[0]);
        leases.borrowed(&one("k"), 10, 10, &said(80), TERMS, at(1));
        assert_eq!(leases.spend(&one("k"), TERMS, at(6)), Local::Borrow, "lapsed");
        // Who asked went away.
        assert_eq!(leases.spend(&one("k"), TERMS, at(9)), Local::Borrow);
        leases.asked_in_vain(&one("k"));
        assert_eq!(leases.spend(&one("k"), TERMS, at(9)), Local::Borrow);
    }

    #[test]
    fn a_refused_key_is_not_asked_for_until_its_next_unit() {
        let mut leases = Leases::default();
        leases.borrowed(&one("k"), 1, 10, &said(0), TERMS, UnixMillis(0));
        assert!(matches!(leases.spend(&one("k"), TERMS, UnixMillis(1)), Local::Admitted(_, false)));
        let refused = leases.spend(&one("k"), TERMS, UnixMillis(500));
        assert_eq!(refused, Local::Refused(Verdict { admitted: false, remaining: 0, next_unit: 1_500_000 }));
        assert_eq!(leases.spend(&one("k"), TERMS, UnixMillis(2000)), Local::Borrow);
        leases.give_back(&one("k"));
        assert!(matches!(leases.spend(&one("k"), TERMS, UnixMillis(3)), Local::Admitted(..)));
    }

    #[test]
    fn there_is_room_for_so_many_keys() {
        let mut leases = Leases::default();
        for number in 0..3 * MOST_KEYS {
            leases.borrowed(&one(&number.to_string()), 1, 1, &said(0), TERMS, UnixMillis(number as u64));
        }
        assert!(leases.len() <= MOST_KEYS);
    }
}
