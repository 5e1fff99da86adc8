//! Routes that another one leaves nothing to.

use super::Entry;
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
    let mut overlaps = Vec::new();
    for (at, later) in entries.iter().enumerate() {
        let before =
            || entries.iter().take(at).filter(|earlier| later.matcher.conditions.imply(&earlier.matcher.conditions));
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
    }
    overlaps
}
