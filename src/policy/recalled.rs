//! What KV said under some keys, for a while. There is room for so many; those who fill it with names that they made
//! up drive out what was known, and cost a look into KV each.

use std::collections::HashMap;
use std::hash::Hash;
use std::sync::{Mutex, MutexGuard};

use crate::head::UnixMillis;
use crate::locked::locked;

/// How many keys an isolate remembers, of one rule or limit.
const MOST_REMEMBERED: usize = 2_000;

/// What KV said, and until when that counts.
type Memory<K, V> = HashMap<K, (Option<V>, UnixMillis)>;

/// What KV said under some keys; also that it had nothing.
#[derive(Debug)]
pub struct Recalled<K, V>(Mutex<Memory<K, V>>);

impl<K, V> Default for Recalled<K, V> {
    fn default() -> Self {
        Self(Mutex::default())
    }
}

/// What is known of a key without asking KV.
#[derive(Debug, PartialEq, Eq)]
pub enum Known<V> {
    /// What KV has.
    Remembered(Option<V>),
    /// KV is to be asked. What it said before, if it did.
    Asked(Option<V>),
}

impl<K: Eq + Hash, V: Clone> Recalled<K, V> {
    /// What is known of a key.
    pub fn known(&self, key: &K, now: UnixMillis) -> Known<V> {
        match self.memory().get(key) {
            Some((value, until)) if now < *until => Known::Remembered(value.clone()),
            Some((value, _)) => Known::Asked(value.clone()),
            None => Known::Asked(None),
        }
    }

    /// Remembers what KV has under a key.
    pub fn learned(&self, key: K, value: Option<V>, until: UnixMillis, now: UnixMillis) {
        let mut memory = self.memory();
        if memory.len() >= MOST_REMEMBERED {
            memory.retain(|_, (_, until)| now < *until);
        }
        if memory.len() >= MOST_REMEMBERED {
            memory.clear();
        }
        memory.insert(key, (value, until));
    }

    fn memory(&self) -> MutexGuard<'_, Memory<K, V>> {
        locked(&self.0)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_kv_said_counts_for_a_while_and_there_is_room_for_so_many() {
        let recalled = Recalled::default();
        let at = UnixMillis;
        assert_eq!(recalled.known(&1, at(0)), Known::Asked(None));
        recalled.learned(1, Some('a'), at(10), at(0));
        assert_eq!(recalled.known(&1, at(9)), Known::Remembered(Some('a')));
        assert_eq!(recalled.known(&1, at(10)), Known::Asked(Some('a')));
        recalled.learned(1, None, at(20), at(10));
        assert_eq!(recalled.known(&1, at(10)), Known::Remembered(None));
        for key in 0..3 * MOST_REMEMBERED {
            recalled.learned(key, None, at(99), at(11));
        }
        assert!(recalled.memory().len() <= MOST_REMEMBERED);
    }
}
