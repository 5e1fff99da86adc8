//! Several values put into one, in the order of the file.
//!
//! A part of an object brings members: a named part one, a spread one all of its own. Where parts have
//! the same key, a rule says what becomes of it; its place is the first one. Keys that stand twice in
//! one part stay so, unless another part has that key too: then the part's last one counts.
//!
//! What only one part has is written as it came. A name is found by its number, and values of equal keys
//! are collected and merged all at once; so many parts cost no more than their bytes.

pub mod equal_keys;
#[cfg(test)]
mod tests;

pub use equal_keys::EqualKeys;

use crate::json::Numbers;
use crate::json::path::Path;
use crate::json::places::Found;
use crate::json::tree::{Json, Key};

/// The members that a part brings, in their order.
pub type Members<'t> = Vec<(Key<'t>, Json<'t>)>;

/// The members that a value brings when it is spread: those of an object, none of null.
pub fn members_of(value: Json<'_>) -> Option<Members<'_>> {
    match value.opened() {
        Json::Object(members) => Some(members),
        Json::NULL => Some(Vec::new()),
        _ => None,
    }
}

/// One array of the elements that parts bring: a named part its value, a spread one its elements
/// ([`Json::into_elements`]).
pub fn concatenated(parts: Vec<Vec<Json<'_>>>) -> Json<'_> {
    Json::Array(parts.into_iter().flatten().collect())
}

/// One object of the members that parts bring. The error is a key that several have, where none may.
pub fn merged<'t>(parts: Vec<Members<'t>>, equal: &EqualKeys) -> Result<Json<'t>, String> {
    let mut names = Numbers::default();
    let mut shares: Vec<Shared<'t>> = Vec::new();
    for (part, members) in parts.iter().enumerate() {
        for (key, _) in members {
            let name = names.of(key.name());
            match shares.get_mut(name) {
                Some(shared) => shared.is_by_several |= shared.first_part != part,
                None => shares.push(Shared { first_part: part, ..Shared::default() }),
            }
        }
    }
    let mut all: Members<'t> = Vec::new();
    for (part, members) in parts.into_iter().enumerate() {
        for (key, value) in members {
            match names.find(&key.name()).and_then(|name| shares.get_mut(name)) {
                Some(shared) if shared.is_by_several => {
                    if shared.values.is_empty() {
                        shared.place = all.len();
                        all.push((key, Json::NULL));
                    }
                    shared.add(part, value);
                }
                _ => all.push((key, value)),
            }
        }
    }
    for shared in shares.into_iter().filter(|shared| shared.is_by_several) {
        if let Some((key, value)) = all.get_mut(shared.place) {
            let values = shared.values.into_iter().map(|(_, value)| value).collect();
            *value = one_of(values, equal).ok_or_else(|| key.name().into_owned())?;
        }
    }
    Ok(Json::Object(all))
}

/// What parts have under one name.
#[derive(Default)]
struct Shared<'t> {
    first_part: usize,
    /// Whether it is several parts that have it.
    is_by_several: bool,
    /// Which member of the result it becomes.
    place: usize,
    /// The value of each part that has it.
    values: Vec<(usize, Json<'t>)>,
}

impl<'t> Shared<'t> {
    fn add(&mut self, part: usize, value: Json<'t>) {
        match self.values.last_mut() {
            // It stands twice there, and the last counts.
            Some((other, earlier)) if *other == part => *earlier = value,
            _ => self.values.push((part, value)),
        }
    }
}

/// What the rule makes of the values that parts have under one key; none where they may have none.
fn one_of<'t>(mut values: Vec<Json<'t>>, equal: &EqualKeys) -> Option<Json<'t>> {
    match equal {
        EqualKeys::Error => None,
        EqualKeys::First => values.into_iter().next(),
        EqualKeys::Last => values.pop(),
        EqualKeys::Deep | EqualKeys::Concat | EqualKeys::UnionBy(_) => deep(values, equal),
    }
}

/// One value of several, of which the later go over the earlier: of objects one with the members of
/// all, of arrays (unless the rule is `deep`) one with the elements of all, else the last. A value goes
/// over everything before it that is of another kind.
fn deep<'t>(mut values: Vec<Json<'t>>, equal: &EqualKeys) -> Option<Json<'t>> {
    let (objects, arrays) = match values.last() {
        Some(last) => (last.is_object(), last.is_array() && *equal != EqualKeys::Deep),
        None => (false, false),
    };
    let is_like_last = |value: &Json<'_>| (objects && value.is_object()) || (arrays && value.is_array());
    let others = values.iter().rposition(|value| !is_like_last(value)).map_or(0, |at| at + 1);
    let alike = values.split_off(others);
    match (alike.len(), objects) {
        (0, _) => values.pop(),
        (1, _) => alike.into_iter().next(),
        (_, true) => merged(alike.into_iter().filter_map(members_of).collect(), equal).ok(),
        (_, false) => {
            let elements = alike.into_iter().flat_map(Json::into_elements).collect();
            match equal {
                EqualKeys::UnionBy(key) => union(elements, key, equal),
                _ => Some(Json::Array(elements)),
            }
        }
    }
}

/// An array in which elements with equal values under a key became one, at the place of the first.
fn union<'t>(elements: Vec<Json<'t>>, key: &Path, equal: &EqualKeys) -> Option<Json<'t>> {
    let mut keys = Numbers::default();
    // For each key, which of the groups its elements are.
    let mut place_of: Vec<usize> = Vec::new();
    let mut groups: Vec<Vec<Json<'t>>> = Vec::new();
    for element in elements {
        let found = Found::at(key.steps(), &element).into_one().and_then(|value| value.comparable());
        let place = found.map(|text| keys.of(text)).map(|number| {
            place_of.resize(keys.count(), groups.len());
            place_of.get(number).copied().unwrap_or(groups.len())
        });
        match place.and_then(|place| groups.get_mut(place)) {
            Some(group) => group.push(element),
            None => groups.push(vec![element]),
        }
    }
    groups.into_iter().map(|group| deep(group, equal)).collect::<Option<_>>().map(Json::Array)
}
