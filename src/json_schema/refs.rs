//! Schemas that come back to themselves without a step into the value: they would never end.

use super::{Check, Id, Schema};

/// How far a schema has been looked at.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Seen {
    Not,
    Begun,
    Done,
}

impl Schema {
    /// Whether checking some value would never end.
    pub(super) fn loops(&self) -> bool {
        let mut seen = vec![Seen::Not; self.nodes.len()];
        (0..self.nodes.len()).any(|id| self.comes_back(id, &mut seen))
    }

    fn comes_back(&self, id: Id, seen: &mut [Seen]) -> bool {
        match seen.get(id) {
            Some(Seen::Begun) => return true,
            Some(Seen::Not) => {}
            Some(Seen::Done) | None => return false,
        }
        let mark = |seen: &mut [Seen], how| seen.iter_mut().skip(id).take(1).for_each(|seen| *seen = how);
        mark(seen, Seen::Begun);
        let checks = self.nodes.get(id).map(Vec::as_slice).unwrap_or_default();
        let comes_back = checks.iter().flat_map(of_the_same_value).any(|id| self.comes_back(id, seen));
        mark(seen, Seen::Done);
        comes_back
    }
}

/// The schemas by which a check looks at the value itself, not at what is in it.
fn of_the_same_value(check: &Check) -> Vec<Id> {
    match check {
        Check::Same(id) | Check::Not(id) => vec![*id],
        Check::All(ids) | Check::Any(ids) | Check::One(ids) => ids.clone(),
        Check::If { condition, then, otherwise } => {
            [Some(*condition), *then, *otherwise].into_iter().flatten().collect()
        }
        _ => Vec::new(),
    }
}
