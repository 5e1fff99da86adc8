//! Tokens that were checked, until they expire: a signature is checked once, not at every call.
//!
//! A token is known by all of it, so that nobody gets in by a piece. Two halves are kept, the
//! younger of which fills; when it is full, the older is forgotten. What is asked for stays young.

use std::collections::HashMap;
use std::sync::Arc;

use crate::head::UnixMillis;
use crate::policy::caller::Caller;

/// How many tokens one half has: a caller has some hundred bytes, an isolate 128 MB.
const HALF: usize = 1_000;

/// How many bytes the tokens and the callers of one half have: there are claims that have a hundred times the bytes of their token.
const MOST_BYTES: usize = 4 << 20;

/// The tokens of one rule.
#[derive(Debug, Default)]
pub struct Remembered {
    young: HashMap<Box<str>, Known>,
    old: HashMap<Box<str>, Known>,
    /// About how many bytes the tokens and the callers of the younger half have.
    bytes: usize,
    /// How often all were forgotten.
    generation: u64,
}

#[derive(Clone, Debug)]
struct Known {
    caller: Arc<Caller>,
    until: UnixMillis,
    /// Until when it is known not to be revoked.
    unrevoked: UnixMillis,
}

impl Remembered {
    /// Whose token it is, if it was good, and is until later than now; and whether it is known not to be revoked.
    pub fn caller(&mut self, token: &str, now: UnixMillis) -> Option<(Arc<Caller>, bool)> {
        let young = self.young.get(token);
        let is_young = young.is_some();
        let known = young.or_else(|| self.old.get(token))?.clone();
        if now >= known.until {
            self.young.remove(token);
            self.old.remove(token);
            return None;
        }
        if !is_young {
            self.keep(token, known.clone());
        }
        Some((known.caller, now < known.unrevoked))
    }

    /// Remembers that a token was not revoked.
    pub fn unrevoked(&mut self, token: &str, until: UnixMillis) {
        // It was asked for just now, and is young.
        if let Some(known) = self.young.get_mut(token) {
            known.unrevoked = until;
        }
    }

    /// How often all were forgotten.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Remembers a token that is good until then, unless all were forgotten while it was checked.
    pub fn remember(&mut self, token: &str, caller: &Arc<Caller>, until: UnixMillis, generation: u64) {
        if generation != self.generation {
            return;
        }
        self.keep(token, Known { caller: Arc::clone(caller), until, unrevoked: UnixMillis(0) });
    }

    /// Forgets all: keys have changed.
    pub fn forget(&mut self) {
        *self = Self { generation: self.generation + 1, ..Self::default() };
    }

    fn keep(&mut self, token: &str, known: Known) {
        let bytes = token.len() + known.caller.bytes();
        if self.young.len() >= HALF || self.bytes.saturating_add(bytes) > MOST_BYTES {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += bytes;
        self.young.insert(token.into(), known);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::Map;

    fn caller(name: &str) -> Arc<Caller> {
        Arc::new(Caller::new(name, Map::new()))
    }

    fn issuer(remembered: &mut Remembered, token: &str, now: u64) -> Option<String> {
        remembered.caller(token, UnixMillis(now)).map(|(caller, _)| caller.issuer().to_owned())
    }

    #[test]
    fn a_token_is_known_until_it_expires() {
        let mut remembered = Remembered::default();
        remembered.remember("a.b.c", &caller("x"), UnixMillis(10), remembered.generation());
        assert_eq!(issuer(&mut remembered, "a.b.c", 9).as_deref(), Some("x"));
        assert_eq!(issuer(&mut remembered, "a.b.d", 9), None);
        assert_eq!(issuer(&mut remembered, "a.b.c", 10), None);
        assert_eq!(issuer(&mut remembered, "a.b.c", 9), None);
        remembered.remember("a.b.c", &caller("x"), UnixMillis(10), remembered.generation());
        let before = remembered.generation();
        remembered.forget();
        assert_eq!(issuer(&mut remembered, "a.b.c", 9), None);
        // One whose check began before.
        remembered.remember("a.b.c", &caller("x"), UnixMillis(10), before);
        assert_eq!(issuer(&mut remembered, "a.b.c", 9), None);
    }

    #[test]
    fn large_claims_take_no_more_room_than_there_is() {
        // Of 8 KiB, what takes most: objects of one member each.
        let objects = serde_json::json!({ "x": vec![serde_json::json!({ "": 0 }); 800] });
        // Of 64 KiB, what an issuer that is asked may answer: words that are kept one by one.
        let words = serde_json::json!({ "scope": "a ".repeat(32 << 10) });
        for claims in [objects, words] {
            let serde_json::Value::Object(claims) = claims else { panic!("claims are an object") };
            let mut remembered = Remembered::default();
            let kept = allocation_counter::measure(|| {
                for number in 0..200 {
                    let caller = Arc::new(Caller::new("i", claims.clone()));
                    remembered.remember(&number.to_string(), &caller, UnixMillis(10), remembered.generation());
                }
            });
            assert!(kept.bytes_current <= 2 * MOST_BYTES as i64, "{} bytes", kept.bytes_current);
            assert!(issuer(&mut remembered, "199", 1).is_some());
            assert!(issuer(&mut remembered, "0", 1).is_none());
        }
    }

    #[test]
    fn there_are_never_more_than_there_is_room_for_and_who_comes_again_stays() {
        let mut remembered = Remembered::default();
        let until = UnixMillis(10);
        remembered.remember("often", &caller("often"), until, remembered.generation());
        for number in 0..10 * HALF {
            remembered.remember(&number.to_string(), &caller("once"), until, remembered.generation());
            if number % 100 == 0 {
                assert!(issuer(&mut remembered, "often", 1).is_some(), "after {number}");
            }
        }
        assert!(remembered.young.len() + remembered.old.len() <= 2 * HALF);
        assert_eq!(issuer(&mut remembered, "0", 1), None);
    }
}
