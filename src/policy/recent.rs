//! What was found out about texts, of so many and so many bytes.
//!
//! A text is known by all of it, so that nobody gets in by a piece. Two halves are kept, the younger of which fills; when
//! it is full, the older is forgotten. What is asked for stays young.

use std::collections::HashMap;

/// How many texts one half has.
pub const HALF: usize = 1_000;

/// What was found out about some texts.
#[derive(Debug)]
pub struct Recent<V> {
    young: HashMap<Box<str>, Known<V>>,
    old: HashMap<Box<str>, Known<V>>,
    /// About how many bytes the younger half has.
    bytes: usize,
    /// The most of them.
    most_bytes: usize,
}

#[derive(Debug)]
struct Known<V> {
    value: V,
    /// About how many bytes it has, with its text.
    bytes: usize,
}

impl<V: Clone> Recent<V> {
    /// Nothing yet, and room for so many bytes in each half.
    pub fn new(most_bytes: usize) -> Self {
        Self { young: HashMap::new(), old: HashMap::new(), bytes: 0, most_bytes }
    }

    /// What is known of a text.
    pub fn get(&mut self, text: &str) -> Option<V> {
        if let Some(known) = self.young.get(text) {
            return Some(known.value.clone());
        }
        let (text, known) = self.old.remove_entry(text)?;
        let value = known.value.clone();
        self.put(text, known);
        Some(value)
    }

    /// What is known of a text, if it was asked for just now.
    pub fn get_mut(&mut self, text: &str) -> Option<&mut V> {
        self.young.get_mut(text).map(|known| &mut known.value)
    }

    /// Keeps what was found out about a text, which has about so many bytes.
    pub fn keep(&mut self, text: &str, value: V, bytes: usize) {
        self.put(text.into(), Known { value, bytes: text.len() + bytes });
    }

    fn put(&mut self, text: Box<str>, known: Known<V>) {
        if self.young.len() >= HALF || self.bytes.saturating_add(known.bytes) > self.most_bytes {
            self.old = std::mem::take(&mut self.young);
            self.bytes = 0;
        }
        self.bytes += known.bytes;
        self.young.insert(text, known);
    }

    /// How many there are.
    #[cfg(test)]
    pub fn count(&self) -> usize {
        self.young.len() + self.old.len()
    }
}
