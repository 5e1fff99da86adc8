//! What isolates admit of slow quotas, each by its own count, and the sum of all kept in KV:
//!
//! | key | metadata |
//! | --- | --- |
//! | `postern/counts/LIMIT/KEY/WINDOW/COUNT` | how many units one isolate has admitted in the window that ends then |
//!
//! `LIMIT/KEY` is as for [`crate::policy::overrides`], or its digest where that would be too long, `WINDOW` the end in
//! seconds since 1970, and `COUNT` a random name. KV takes one write a second for a key, and what is read, changed and
//! written by several gets lost: so each count has a key of its own.
//!
//! An isolate knows what it has admitted itself, and what the others had when it last asked, at most `refresh` ago
//! while it is called. So each isolate can admit beyond the quota what it admits in about `refresh`, which it then
//! asks after, and in the minute that KV takes to tell all places; what it admits between its last note and its end
//! the others never learn, as much as in one `refresh` at most. It can refuse too early by what was given back.

use std::collections::HashMap;
use std::sync::{Mutex, MutexGuard};
use std::time::Duration;

use sha2::{Digest, Sha256};

use crate::head::UnixMillis;
use crate::locked::locked;
use crate::policy::overrides::push_pieces;
use crate::policy::rate_limit::Charge;
use crate::quota::{Micros, Taken, Verdict};

/// How often the others are asked where the file does not say.
pub const DEFAULT_REFRESH: Duration = Duration::from_secs(10);

/// How many keys an isolate has a count of.
const MOST_KEYS: usize = 10_000;

/// The longest name that stands in KV's keys as it is; they have 512 bytes with all that comes after it.
const LONGEST_NAME: usize = 400;

/// One count of this isolate's.
#[derive(Clone, Debug)]
struct Tally {
    /// The end of the window that it is of.
    ends: Micros,
    /// Its name in KV.
    name: String,
    /// Units that were admitted here, and how many of them KV was told of.
    own: u64,
    noted: u64,
    /// Units that the others had admitted when they were last asked.
    others: u64,
    asked: UnixMillis,
}

/// The counts of this isolate for one limit.
#[derive(Debug)]
pub struct Tallies {
    refresh: Duration,
    kept: Mutex<HashMap<String, Tally>>,
}

/// What is to be told to KV of one count, and asked of the others.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Exchange {
    /// What the keys of all counts of the window begin with.
    pub prefix: String,
    /// The whole key of this one.
    pub own: String,
    /// How many units it has, if KV does not know.
    pub note: Option<u64>,
    /// The end of the window.
    pub ends: Micros,
}

impl Tallies {
    /// The others are asked so often.
    pub fn new(refresh: Duration) -> Self {
        Self { refresh, kept: Mutex::default() }
    }

    /// Takes units, if what the others have is known; with `true`, it is to be asked again in the background.
    pub fn spend(&self, charge: &Charge, now: UnixMillis) -> Option<(Verdict, bool)> {
        let mut kept = self.kept();
        let tally = current(&mut kept, charge, now)?;
        let taken = Taken { until: tally.ends, count: tally.own.saturating_add(tally.others), ..Taken::default() };
        let (verdict, _) = charge.quota.spend(taken, charge.units, now.micros());
        if verdict.admitted {
            tally.own = tally.own.saturating_add(u64::from(charge.units));
        }
        let is_due = now.since(tally.asked) >= self.refresh;
        if is_due {
            // So that it is not asked twice.
            tally.asked = now;
        }
        Some((verdict, is_due))
    }

    /// Takes as many of these units as there are.
    pub fn take_rest(&self, charge: &Charge, now: UnixMillis) {
        let mut kept = self.kept();
        if let Some(tally) = current(&mut kept, charge, now) {
            let taken = Taken { until: tally.ends, count: tally.own.saturating_add(tally.others), ..Taken::default() };
            let (granted, ..) = charge.quota.spend_up_to(taken, charge.units, now.micros());
            tally.own = tally.own.saturating_add(u64::from(granted));
        }
    }

    /// Gives units back that a call took at `since` or later, which was refused for another limit; nothing where their
    /// window is over.
    pub fn give_back(&self, charge: &Charge, since: UnixMillis, now: UnixMillis) {
        let mut kept = self.kept();
        let ends = charge.quota.ends(since.micros());
        if let Some(tally) = current(&mut kept, charge, now).filter(|tally| tally.ends == ends) {
            tally.own = tally.own.saturating_sub(u64::from(charge.units));
        }
    }

    /// What is to be told and asked of what a charge is on. A count that is new gets the name that a random number
    /// of [0, 1) makes: one that was forgotten is another's from then on.
    pub fn exchange(&self, charge: &Charge, random: f64, now: UnixMillis) -> Exchange {
        let mut kept = self.kept();
        let known = current(&mut kept, charge, now);
        // What a JavaScript runtime has of randomness in one number.
        let new = || format!("{:013x}", (random * 2f64.powi(52)) as u64);
        let ends = charge.quota.ends(now.micros());
        let name = known.as_ref().map_or_else(new, |tally| tally.name.clone());
        let note = known.filter(|tally| tally.own != tally.noted).map(|tally| tally.own);
        let prefix = prefix(charge, ends);
        Exchange { own: format!("{prefix}{name}"), prefix, note, ends }
    }

    /// Remembers what KV was told, and what it said that the others have.
    pub fn exchanged(&self, charge: &Charge, exchange: &Exchange, is_noted: bool, others: u64, now: UnixMillis) {
        let mut kept = self.kept();
        if kept.len() >= MOST_KEYS && !kept.contains_key(&charge.key) {
            kept.retain(|_, tally| now.micros() < tally.ends);
            if kept.len() >= MOST_KEYS {
                kept.clear();
            }
        }
        let name = exchange.own.strip_prefix(&exchange.prefix).unwrap_or_default().to_owned();
        let new = Tally { ends: exchange.ends, name, own: 0, noted: 0, others: 0, asked: now };
        let tally = kept.entry(charge.key.clone()).or_insert_with(|| new.clone());
        if tally.ends != exchange.ends {
            *tally = new;
        }
        if is_noted && let Some(units) = exchange.note {
            tally.noted = units;
        }
        // What KV says can be older than what it said before.
        tally.others = tally.others.max(others);
        tally.asked = now;
    }

    fn kept(&self) -> MutexGuard<'_, HashMap<String, Tally>> {
        locked(&self.kept)
    }
}

/// The count of what a charge is on, if it is of the window that is now.
fn current<'t>(kept: &'t mut HashMap<String, Tally>, charge: &Charge, now: UnixMillis) -> Option<&'t mut Tally> {
    kept.get_mut(&charge.key).filter(|tally| tally.ends == charge.quota.ends(now.micros()))
}

/// What the keys of all counts of a window begin with.
fn prefix(charge: &Charge, ends: Micros) -> String {
    let mut name = String::new();
    push_pieces(&mut name, &charge.key);
    if name.len() > LONGEST_NAME {
        name = format!("/sha256-{:x}", Sha256::digest(&charge.key));
    }
    format!("postern/counts{name}/{}/", ends / 1_000_000)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::quota::{Quota, Span};

    const REFRESH: Duration = Duration::from_secs(10);

    fn charge(key: &str, units: u32) -> Charge {
        Charge { key: key.to_owned(), quota: Quota::Window { span: Span::Hour, most: 10 }, units }
    }

    #[test]
    fn own_units_and_those_of_others_count_together() {
        let (tallies, at) = (Tallies::new(REFRESH), |seconds: u64| UnixMillis(seconds * 1000));
        let one = charge("l\naddress\n192.0.2.7", 1);
        assert_eq!(tallies.spend(&one, at(1)), None, "the others are to be asked first");
        let first = tallies.exchange(&one, 0.5, at(1));
        let prefix = "postern/counts/l/address/192.0.2.7/3600/";
        let own = format!("{prefix}8000000000000");
        assert_eq!(first, Exchange { prefix: prefix.into(), own: own.clone(), note: None, ends: 3_600_000_000 });
        tallies.exchanged(&one, &first, false, 6, at(1));
        let spend =
            |seconds| tallies.spend(&one, at(seconds)).map(|(verdict, due)| (verdict.admitted, verdict.remaining, due));
        assert_eq!(
            (spend(2), spend(11), spend(11)),
            (Some((true, 3, false)), Some((true, 2, true)), Some((true, 1, false)))
        );
        let next = tallies.exchange(&one, 0.1, at(11));
        assert_eq!(next, Exchange { note: Some(3), own, ..first.clone() });
        // What is older than what was known, and a note that did not arrive.
        tallies.exchanged(&one, &next, false, 5, at(11));
        assert_eq!(tallies.exchange(&one, 0.1, at(12)).note, Some(3));
        tallies.exchanged(&one, &next, true, 5, at(11));
        assert_eq!(tallies.exchange(&one, 0.1, at(12)).note, None);
        tallies.take_rest(&charge(&one.key, 7), at(12));
        assert_eq!(spend(12), Some((false, 0, false)));
        tallies.give_back(&one, at(12), at(12));
        assert_eq!((spend(12), spend(13)), (Some((true, 0, false)), Some((false, 0, false))));
        assert_eq!(tallies.spend(&one, at(3600)), None, "another window");
        assert_ne!(tallies.exchange(&one, 0.1, at(3600)).own, next.own);
    }

    #[test]
    fn there_is_room_for_so_many_keys_and_none_is_too_long() {
        let tallies = Tallies::new(REFRESH);
        for number in 0..3 * MOST_KEYS {
            let one = charge(&number.to_string(), 1);
            let exchange = tallies.exchange(&one, 0.0, UnixMillis(0));
            tallies.exchanged(&one, &exchange, false, 0, UnixMillis(0));
        }
        assert!(tallies.kept().len() <= MOST_KEYS);
        let long = tallies.exchange(&charge(&"é".repeat(100), 1), 0.0, UnixMillis(0));
        assert!(long.own.len() < 200 && long.own.starts_with("postern/counts/sha256-"), "{}", long.own);
    }
}
