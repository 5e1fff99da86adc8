//! Routes that another one leaves nothing to.

use std::collections::HashMap;

use super::Entry;
use super::conditions::Key;
use super::methods::{Methods, Rank};

/// Two routes of which one takes what the other would.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Overlap {
    /// The number of the route that gets nothing, as `Router::insert` gave it.
    pub later: usize,
    /// The number of the route that goes before it.
    pub earlier: usize,
    /// The method of both; `None` is every method.
    pub method: Option<String>,
    /// Whether both say the same, so that only their order in the file tells them apart.
    pub is_same: bool,
}

/// The overlaps of the routes of one host and path, which stand in their precedence.
pub(super) fn all(entries: &[Entry]) -> Vec<Overlap> {
    // What is implied has the same names; so only routes of the same names are compared, and of the many
    // that each ask for one value of a header, only those that ask for the same.
    // A prefix that loses its very path to another route still has all that is below it.
    let mut by_names: HashMap<(bool, Vec<Key<'_>>), Vec<&Entry>> = HashMap::new();
    let mut overlaps = Vec::new();
    for later in entries {
        let conditions = &later.matcher.conditions;
        let mut before: Vec<&Entry> = Vec::new();
        for names in [conditions.keys(), conditions.keys_with_values()] {
            before.extend(by_names.get(&(later.matcher.is_prefix, names)).into_iter().flatten());
        }
        let before = || before.iter().copied().filter(|earlier| conditions.imply(&earlier.matcher.conditions));
        let overlap = |earlier: &Entry, method: Option<&String>| Overlap {
            later: later.route,
            earlier: earlier.route,
            method: method.cloned(),
            is_same: later.matcher.conditions == earlier.matcher.conditions,
        };
        match &later.matcher.methods {
            Methods::Any => {
                let earlier = before().find(|earlier| earlier.matcher.methods == Methods::Any);
                overlaps.extend(earlier.map(|earlier| overlap(earlier, None)));
            }
            Methods::Only(methods) => {
                let taken = methods.iter().map(|method| {
                    let earlier = before().find(|earlier| earlier.matcher.methods.rank(method) == Rank::Named)?;
                    Some(overlap(earlier, Some(method)))
                });
                let taken: Vec<_> = taken.collect();
                let is_hidden = taken.iter().all(Option::is_some);
                overlaps.extend(taken.into_iter().flatten().filter(|overlap| is_hidden || overlap.is_same));
            }
        }
        // One that asks for single values can only be implied by those values; all others by any.
        let keys = if conditions.are_single_values() { conditions.keys_with_values() } else { conditions.keys() };
        by_names.entry((later.matcher.is_prefix, keys)).or_default().push(later);
    }
    overlaps
}
