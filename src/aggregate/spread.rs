//! The answers of a part that is made for each element of an array, back at its elements.

use std::borrow::Cow;
use std::collections::BTreeSet;
use std::rc::Rc;

use super::calls::Answered;
use super::failure::Failure;
use super::value::Value;
use crate::json::Numbers;
use crate::json::path::{Path, Selected};
use crate::json::places::Room;
use crate::json::tree::{Json, Key, elements, members};
use crate::shaping::room_for;

/// What the calls for elements came to.
#[derive(Default)]
pub struct Results {
    /// For each element, its value.
    pub values: Vec<Option<Value>>,
    /// The answers that there were.
    pub answers: Vec<Rc<Answered>>,
    /// The first failure, if one was made up for.
    pub failure: Option<Failure>,
}

/// The room for what is made of elements and of the answers for them, each of which may be there for many.
pub fn room(items: &[&str], answers: &[Rc<Answered>]) -> Room {
    let mut known = BTreeSet::new();
    let distinct = answers.iter().filter(|answer| known.insert(Rc::as_ptr(answer)));
    let sizes = items.iter().map(|item| item.len()).chain(distinct.map(|answer| answer.text().len()));
    room_for(sizes.sum())
}

/// The array of the values, in order, `null` for none; or of the elements themselves, each with its
/// value under a name, if it has one and is an object. `None` if there is no room for it.
pub fn over(items: &[&str], results: &Results, into: Option<&str>) -> Option<String> {
    let mut room = room(items, &results.answers);
    results.values.iter().flatten().for_each(|value| _ = room.takes(value.text().len()));
    if room.is_exceeded {
        return None;
    }
    let mut out = Vec::new();
    out.push(b'[');
    for (at, (item, value)) in items.iter().zip(&results.values).enumerate() {
        if at > 0 {
            out.push(b',');
        }
        match (into, value.as_ref().map(Value::text)) {
            (None, value) => out.extend_from_slice(value.unwrap_or("null").as_bytes()),
            (Some(_), None) => out.extend_from_slice(item.as_bytes()),
            (Some(name), Some(value)) => {
                let name = Key::spelled(name);
                let mut item = Json::Raw(item).opened();
                if let Json::Object(members) = &mut item {
                    members.retain(|(key, _)| key.name() != name.name());
                    members.push((name, Json::Raw(value)));
                }
                item.write(&mut out);
            }
        }
    }
    out.push(b']');
    // What is put together of JSON texts is text.
    String::from_utf8(out).ok()
}

/// The keys of elements.
pub struct Keys<'t> {
    /// Each once, as JSON texts.
    pub distinct: Vec<&'t str>,
    /// For each element.
    pub of_items: Vec<Selected<'t>>,
}

/// The keys that elements have at a place.
pub fn keys<'t>(by: &Path, items: &[&'t str]) -> Keys<'t> {
    let of_items: Vec<Selected<'t>> = items.iter().map(|item| by.select(item)).collect();
    let mut known = Numbers::default();
    let mut distinct = Vec::new();
    for key in of_items.iter().flat_map(of_selected) {
        if let Some(text) = Json::Raw(key).comparable()
            && known.of(text) == distinct.len()
        {
            distinct.push(key);
        }
    }
    Keys { distinct, of_items }
}

fn of_selected<'t>(selected: &Selected<'t>) -> Vec<&'t str> {
    match selected {
        Selected::Nothing => Vec::new(),
        Selected::One(array) if array.starts_with('[') => elements(array).collect(),
        Selected::One(one) => vec![one],
        Selected::Each(each) => each.clone(),
    }
}

/// Values by their keys.
#[derive(Default)]
pub struct Lookup<'t> {
    keys: Numbers<'t>,
    values: Vec<&'t str>,
}

impl<'t> Lookup<'t> {
    /// Adds the elements of an array by the keys that they have at a place, or the members of an object
    /// by their names. The first of a key counts.
    pub fn add(&mut self, answer: &'t str, matching: &Path) {
        if answer.starts_with('{') {
            members(answer).for_each(|(key, value)| self.add_one(key.name(), value));
        } else {
            for element in elements(answer) {
                if let Selected::One(key) = matching.select(element)
                    && let Some(key) = Json::Raw(key).comparable()
                {
                    self.add_one(key, element);
                }
            }
        }
    }

    fn add_one(&mut self, key: Cow<'t, str>, value: &'t str) {
        if self.keys.of(key) == self.values.len() {
            self.values.push(value);
        }
    }

    /// The value for the key of an element; an array of what is there, for an array of keys. What there is no
    /// room for is left out.
    pub fn value(&self, key: &Selected<'_>, room: &mut Room) -> Option<String> {
        let mut find = |key: &str| {
            let value = self.values.get(self.keys.find(&Json::Raw(key).comparable()?)?).copied();
            value.filter(|value| room.takes(value.len()))
        };
        match key {
            Selected::Nothing => None,
            Selected::One(one) if !one.starts_with('[') => find(one).map(str::to_owned),
            several => {
                let found: Vec<&str> = of_selected(several).into_iter().filter_map(find).collect();
                Some(format!("[{}]", found.join(",")))
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Text;

    fn answer(body: String) -> Rc<Answered> {
        Rc::new(Answered { status: 200, headers: Default::default(), body: Ok(body) })
    }

    #[test]
    fn keys_that_stand_often_do_not_fill_the_memory() {
        let products = answer(format!(r#"[{{"id":1,"x":"{}"}}]"#, "x".repeat(100_000)));
        let mut found = Lookup::default();
        found.add(products.text(), &Path::read("id").unwrap());
        for (count, has_room) in [(50, true), (100_000, false)] {
            let item = format!(r#"{{"ids":[{}]}}"#, vec!["1"; count].join(","));
            let mut room = room(&[&item], &[Rc::clone(&products)]);
            let value = found.value(&Path::read("ids").unwrap().select(&item), &mut room);
            assert_eq!(!room.is_exceeded, has_room, "{count} keys");
            assert!(value.is_some_and(|value| value.len() < 9_000_000 + item.len() * 4));
        }
    }

    #[test]
    fn one_answer_for_many_elements_does_not_fill_the_memory() {
        let big = answer(format!(r#""{}""#, "x".repeat(100_000)));
        for (count, has_room) in [(50, true), (100_000, false)] {
            let values = vec![Some(Value::of(&big, big.text())); count];
            let results = Results { values, answers: vec![Rc::clone(&big); count], failure: None };
            assert_eq!(over(&vec!["1"; count], &results, None).is_some(), has_room, "{count} elements");
        }
    }
}
