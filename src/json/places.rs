//! Going to places in a value that may be opened already: to read what is there, to change it, or to
//! put something there.
//!
//! Reading opens nothing, and of keys that stand twice the last counts. A change opens the values on
//! the way, and is made under all keys that mean the same, so that it holds whichever one counts.

use super::path::{Name, Selected, Step};
use super::tree::{Json, Key};

/// What was found at a path.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Found<'t> {
    /// The values.
    pub values: Vec<Json<'t>>,
    /// Whether there may be several, as the path went through arrays or has `*`.
    pub is_each: bool,
}

impl<'t> Found<'t> {
    /// What steps lead to.
    pub fn at(steps: &[Step], value: &Json<'t>) -> Self {
        let mut found = Self::default();
        found.add(steps, value);
        found
    }

    /// The one value; where there may be several, an array of them.
    pub fn into_one(mut self) -> Option<Json<'t>> {
        if self.is_each { Some(Json::Array(self.values)) } else { self.values.pop() }
    }

    fn add(&mut self, steps: &[Step], value: &Json<'t>) {
        let Some((step, below)) = steps.split_first() else {
            self.values.push(value.clone());
            return;
        };
        match (value, step) {
            (Json::Raw(text), _) => match Selected::by(steps, text) {
                Selected::Nothing => {}
                Selected::One(value) => self.values.push(Json::Raw(value)),
                Selected::Each(values) => {
                    self.is_each = true;
                    self.values.extend(values.into_iter().map(Json::Raw));
                }
            },
            (Json::Object(members), Step::Name(name)) => {
                if let Some((_, value)) = members.iter().rfind(|(key, _)| key.is(&name.text)) {
                    self.add(below, value);
                }
            }
            (Json::Array(elements), Step::Name(Name { index: Some(index), .. })) => {
                if let Some(value) = elements.get(*index) {
                    self.add(below, value);
                }
            }
            (Json::Array(elements), _) => {
                self.is_each = true;
                let below = if *step == Step::Every { below } else { steps };
                elements.iter().for_each(|element| self.add(below, element));
            }
            (Json::Object(members), Step::Every) => {
                self.is_each = true;
                members.iter().for_each(|(_, value)| self.add(below, value));
            }
        }
    }
}

/// Does something to each value that steps lead to.
pub fn change<'t>(steps: &[Step], value: &mut Json<'t>, act: &mut dyn FnMut(&mut Json<'t>)) {
    let Some((step, below)) = steps.split_first() else {
        return act(value);
    };
    value.open();
    match (value, step) {
        (Json::Raw(_), _) => {}
        (Json::Object(members), _) => {
            members.iter_mut().filter(|(key, _)| leads_to(step, *key)).for_each(|(_, value)| change(below, value, act));
        }
        (Json::Array(elements), Step::Name(Name { index: Some(index), .. })) => {
            elements.get_mut(*index).into_iter().for_each(|value| change(below, value, act));
        }
        (Json::Array(elements), _) => {
            let below = if *step == Step::Every { below } else { steps };
            elements.iter_mut().for_each(|element| change(below, element, act));
        }
    }
}

/// Whether a step leads from an object to the member of this key.
pub fn leads_to(step: &Step, key: Key<'_>) -> bool {
    match step {
        Step::Name(name) => key.is(&name.text),
        Step::Every => true,
    }
}

/// How many bytes more there may be for copies: a value that is put into each element of an array
/// must not grow without bounds.
#[derive(Debug)]
pub struct Room {
    left: usize,
    /// Whether there was not enough.
    pub is_exceeded: bool,
}

impl Room {
    /// Room for this many bytes.
    pub fn of(bytes: usize) -> Self {
        Self { left: bytes, is_exceeded: false }
    }

    /// Whether there is room for these too.
    pub fn takes(&mut self, bytes: usize) -> bool {
        self.is_exceeded |= bytes > self.left;
        self.left = self.left.saturating_sub(bytes);
        !self.is_exceeded
    }
}

/// Puts a value where steps lead, in the place of what is there. Objects that are missing on the way
/// are made, and a member on the way that is neither object nor array is replaced by one; an element
/// of an array that is neither stays as it is. Through `*`, nothing is made.
pub fn put<'t>(steps: &'t [Step], value: &mut Json<'t>, new: &Json<'t>, room: &mut Room) {
    // Nothing more is put then; how large it is need not be found out again for each place.
    if room.is_exceeded {
        return;
    }
    let Some((step, below)) = steps.split_first() else {
        if room.takes(new.weight()) {
            *value = new.clone();
        }
        return;
    };
    value.open();
    if matches!(value, Json::Raw(_)) && !steps.contains(&Step::Every) {
        *value = Json::Object(Vec::new());
    }
    match (value, step) {
        (Json::Raw(_), _) => {}
        (Json::Object(members), _) => {
            let mut is_there = false;
            for (_, value) in members.iter_mut().filter(|(key, _)| leads_to(step, *key)) {
                is_there = true;
                put(below, value, new, room);
            }
            if let Step::Name(name) = step
                && !is_there
                && !below.contains(&Step::Every)
            {
                let mut made = Json::NULL;
                put(below, &mut made, new, room);
                members.push((Key::spelled(&name.spelled), made));
            }
        }
        (Json::Array(elements), Step::Name(Name { index: Some(index), .. })) => {
            elements.get_mut(*index).into_iter().for_each(|element| put_in_element(below, element, new, room));
        }
        (Json::Array(elements), _) => {
            let below = if *step == Step::Every { below } else { steps };
            elements.iter_mut().for_each(|element| put_in_element(below, element, new, room));
        }
    }
}

fn put_in_element<'t>(steps: &'t [Step], element: &mut Json<'t>, new: &Json<'t>, room: &mut Room) {
    if steps.is_empty() || element.is_object() || element.is_array() {
        put(steps, element, new, room);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::path::Path;
    use crate::settings::Text;

    fn text(value: &Json<'_>) -> String {
        String::from_utf8(value.to_text()).unwrap()
    }

    #[test]
    fn what_is_read_is_the_same_opened_or_not() {
        let value = r#"{"a":[{"b":1,"b":2},{"b":[3,4]},5],"a.b":{"c":6}}"#;
        for path in ["", "a", "a.b", "a.b.*", "a.1", "a.1.b.0", "a.9", "*", "/a.b/c", "/a.b/c/d", "x"] {
            let path = Path::read(path).unwrap();
            let mut opened = Json::Raw(value);
            change(path.steps(), &mut opened, &mut Json::open);
            let found = Found::at(path.steps(), &opened).into_one().map(|value| text(&value));
            let raw = Found::at(path.steps(), &Json::Raw(value)).into_one().map(|value| text(&value));
            assert_eq!(found, raw, "of {path:?}");
        }
    }

    #[test]
    fn what_is_put_is_there() {
        for (path, value, expected) in [
            ("", "1", "new"),
            ("a", "null", r#"{"a":new}"#),
            ("a.b.c", r#"{"x": 1.0}"#, r#"{"x":1.0,"a":{"b":{"c":new}}}"#),
            ("a.b", r#"{"a":1}"#, r#"{"a":{"b":new}}"#),
            (
                "a.b",
                r#"{"a":[{"b":1,"c":2},{},3,null,[{}]]}"#,
                r#"{"a":[{"b":new,"c":2},{"b":new},3,null,[{"b":new}]]}"#,
            ),
            ("a.1", r#"{"a":[1,2]}"#, r#"{"a":[1,new]}"#),
            ("a.2", r#"{"a":[1,2]}"#, r#"{"a":[1,2]}"#),
            ("a.2", "{}", r#"{"a":{"2":new}}"#),
            ("*.b", r#"{"x":{},"y":1}"#, r#"{"x":{"b":new},"y":{"b":new}}"#),
            ("a.*", "{}", "{}"),
            ("a", r#"{"a":1,"\u0061":2}"#, r#"{"a":new,"\u0061":new}"#),
        ] {
            let path = Path::read(path).unwrap();
            let mut value = Json::Raw(value);
            put(path.steps(), &mut value, &Json::Raw("new"), &mut Room::of(1000));
            assert_eq!(text(&value), expected, "of {path:?}");
        }
    }

    #[test]
    fn copies_have_an_end() {
        let path = Path::read("a").unwrap();
        let mut value = Json::Raw("[{},{},{}]");
        let mut room = Room::of(2 * Json::Raw("new").weight());
        put(path.steps(), &mut value, &Json::Raw("new"), &mut room);
        assert!(room.is_exceeded);
    }
}
