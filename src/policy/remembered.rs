//! Tokens that were checked: a signature is checked once, not at every call. One that counts is remembered until it
//! expires; so is one that never will, apart from the others, so that nobody drives those out with what he made up.

use std::sync::Arc;

use crate::head::UnixMillis;
use crate::policy::caller::{Caller, NotIdentified};
use crate::policy::recent::Recent;

/// How many bytes the tokens and the callers of one half have: there are claims that have a hundred times the bytes of
/// their token, and an isolate 128 MB.
const MOST_BYTES: usize = 4 << 20;

/// How many bytes the refused tokens of one half have.
const MOST_BYTES_REFUSED: usize = 512 << 10;

/// The tokens of one rule.
#[derive(Debug)]
pub struct Remembered {
    good: Recent<Verdict>,
    refused: Recent<Verdict>,
    /// How often all were forgotten.
    generation: u64,
}

type Verdict = Result<Good, NotIdentified>;

#[derive(Clone, Debug)]
struct Good {
    caller: Arc<Caller>,
    until: UnixMillis,
    /// Until when it is known not to be revoked.
    unrevoked: UnixMillis,
}

impl Default for Remembered {
    fn default() -> Self {
        Self { good: Recent::new(MOST_BYTES), refused: Recent::new(MOST_BYTES_REFUSED), generation: 0 }
    }
}

impl Remembered {
    /// Whose token it is, if it was good, and is until later than now; and whether it is known not to be revoked.
    pub fn caller(&mut self, token: &str, now: UnixMillis) -> Option<(Arc<Caller>, bool)> {
        let Good { caller, until, unrevoked } = self.good.get(token)?.ok()?;
        (now < until).then_some((caller, now < unrevoked))
    }

    /// Remembers that a token was not revoked.
    pub fn unrevoked(&mut self, token: &str, until: UnixMillis) {
        if let Some(Ok(good)) = self.good.get_mut(token) {
            good.unrevoked = until;
        }
    }

    /// Why a token was refused for good, if it was.
    pub fn refusal(&mut self, token: &str) -> Option<NotIdentified> {
        self.refused.get(token)?.err()
    }

    /// How often all were forgotten.
    pub fn generation(&self) -> u64 {
        self.generation
    }

    /// Remembers a token that is good until then, unless all were forgotten while it was checked.
    pub fn remember(&mut self, token: &str, caller: &Arc<Caller>, until: UnixMillis, generation: u64) {
        if generation == self.generation {
            let good = Good { caller: Arc::clone(caller), until, unrevoked: UnixMillis(0) };
            self.good.keep(token, Ok(good), caller.bytes());
        }
    }

    /// Remembers why a token is refused for good, unless all were forgotten while it was checked.
    pub fn refuse(&mut self, token: &str, why: &NotIdentified, generation: u64) {
        if generation == self.generation {
            self.refused.keep(token, Err(why.clone()), size_of::<Verdict>());
        }
    }

    /// Forgets all: keys have changed.
    pub fn forget(&mut self) {
        *self = Self { generation: self.generation + 1, ..Self::default() };
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::recent::HALF;
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
        let before = remembered.generation();
        remembered.forget();
        assert_eq!(issuer(&mut remembered, "a.b.c", 9), None);
        // One whose check began before.
        remembered.remember("a.b.c", &caller("x"), UnixMillis(10), before);
        assert_eq!(issuer(&mut remembered, "a.b.c", 9), None);
    }

    #[test]
    fn a_refusal_is_known_until_keys_change_and_drives_out_no_good_token() {
        let mut remembered = Remembered::default();
        let why = NotIdentified::not_signed();
        remembered.remember("good", &caller("x"), UnixMillis(10), 0);
        remembered.refuse("bad", &why, 0);
        assert_eq!(remembered.refusal("bad"), Some(why.clone()));
        assert_eq!(remembered.refusal("good"), None);
        assert_eq!(issuer(&mut remembered, "bad", 1), None);
        for number in 0..3 * HALF {
            remembered.refuse(&number.to_string(), &why, 0);
        }
        assert_eq!(remembered.refusal("bad"), None);
        assert!(remembered.refused.count() <= 2 * HALF);
        assert!(issuer(&mut remembered, "good", 1).is_some());
        remembered.refuse("bad", &why, 0);
        remembered.forget();
        assert_eq!(remembered.refusal("bad"), None);
        // One whose check began before.
        remembered.refuse("bad", &why, 0);
        assert_eq!(remembered.refusal("bad"), None);
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
        assert!(remembered.good.count() <= 2 * HALF);
        assert_eq!(issuer(&mut remembered, "0", 1), None);
    }
}
