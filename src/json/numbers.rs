//! Texts and a number for each, so that equal ones are found in one look.

use std::borrow::Cow;
use std::collections::BTreeMap;

/// Numbers from 0 for texts, in the order in which they are first seen. No hash map: hashes have no random
/// seed in the Wasm, and a service could send texts whose hashes are all the same.
#[derive(Default)]
pub struct Numbers<'t>(BTreeMap<Cow<'t, str>, usize>);

impl<'t> Numbers<'t> {
    /// The number of a text; the next one for one that is new.
    pub fn of(&mut self, text: Cow<'t, str>) -> usize {
        let next = self.0.len();
        *self.0.entry(text).or_insert(next)
    }

    /// The number of a text, unless it was never seen.
    pub fn find(&self, text: &str) -> Option<usize> {
        self.0.get(text).copied()
    }

    /// How many texts there are.
    pub fn count(&self) -> usize {
        self.0.len()
    }
}

/// Values by their names; names stand in the order in which they are first seen.
pub struct Grouped<'t, V> {
    numbers: Numbers<'t>,
    groups: Vec<(Cow<'t, str>, Vec<V>)>,
}

impl<'t, V> Grouped<'t, V> {
    /// Adds a value to those of its name.
    pub fn add(&mut self, name: Cow<'t, str>, value: V) {
        match self.groups.get_mut(self.numbers.of(name.clone())) {
            Some((_, values)) => values.push(value),
            None => self.groups.push((name, vec![value])),
        }
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.groups.is_empty()
    }

    /// Each name with its values, one at least.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &[V])> {
        self.groups.iter().map(|(name, values)| (&**name, values.as_slice()))
    }
}

impl<V> Default for Grouped<'_, V> {
    fn default() -> Self {
        Self { numbers: Numbers::default(), groups: Vec::new() }
    }
}
