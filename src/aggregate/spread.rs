//! The answers of a part that is made for each element of an array, back at its elements.

use std::borrow::Cow;
use std::rc::Rc;

use super::calls::Answered;
use super::failure::Failure;
use super::value::Value;
use crate::json::Numbers;
use crate::json::path::{Path, Selected};
use crate::json::tree::{Json, Key, elements, members};

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

/// The array of the values, in order, `null` for none; or of the elements themselves, each with its
/// value under a name, if it has one and is an object.
pub fn over(items: &[&str], results: &Results, into: Option<&str>) -> String {
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
    String::from_utf8(out).unwrap_or_default()
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
        if let Some(text) = comparable(key)
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

/// The text by which keys are compared; none of null, of objects and arrays.
fn comparable(key: &str) -> Option<Cow<'_, str>> {
    Json::Raw(key).comparable().filter(|_| key != "null")
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
                    && let Some(key) = comparable(key)
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

    /// The value for the key of an element; an array of what is there, for an array of keys.
    pub fn value(&self, key: &Selected<'_>) -> Option<String> {
        let find = |key: &str| self.values.get(self.keys.find(&comparable(key)?)?).copied();
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
