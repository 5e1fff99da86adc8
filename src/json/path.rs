//! Places in a JSON value: `items.id`, `items.0.id`, `*.name`, `/items/0/a.b`.
//!
//! A name is a member of an object. On an array it means that member of every element, and a whole
//! number means the one element, counted from 0. `*` is every member, or every element. A path that
//! begins with `/` is written as a JSON Pointer (RFC 6901), for names with a dot in them; `~1` is `/`
//! there and `~0` is `~`. The empty path is the value itself.

use super::tree::{elements, members};
use crate::settings::{Text, written_as_text};

/// The most steps of a path; clients write some.
pub const MOST_STEPS: usize = 32;

/// A place in a value, or one in each of several.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Path(Vec<Step>);

/// One step into a value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Step {
    /// A member of an object, or of every element; an element of an array, where it is a number.
    Name(Name),
    /// Every member, or every element.
    Every,
}

/// A name in a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Name {
    /// What it means.
    pub text: String,
    /// The same as a JSON string.
    pub spelled: String,
    /// The number that it is, if it is one.
    pub index: Option<usize>,
}

impl From<&str> for Name {
    fn from(text: &str) -> Self {
        let is_index = text.bytes().all(|byte| byte.is_ascii_digit()) && (text == "0" || !text.starts_with('0'));
        let index = if is_index { text.parse().ok() } else { None };
        Self { text: text.to_owned(), spelled: super::string(text), index }
    }
}

written_as_text!(Path);

impl Text for Path {
    const FORM: &'static str = "a path such as \"items.id\", \"items.0\", \"*.name\" or \"/a.b/c\"";
    const PATTERN: &'static str = r"^(|/.*|[^.]+(\.[^.]+)*)$";

    fn read(text: &str) -> Result<Self, String> {
        let step = |name: &str| if name == "*" { Step::Every } else { Step::Name(Name::from(name)) };
        if text.split(if text.starts_with('/') { '/' } else { '.' }).count() > MOST_STEPS {
            return Err("has too many steps".to_owned());
        }
        if text.is_empty() {
            return Ok(Self::default());
        }
        if let Some(pointer) = text.strip_prefix('/') {
            if pointer.split('~').skip(1).any(|after| !after.starts_with(['0', '1'])) {
                return Err("has a ~ that is neither ~0 nor ~1".to_owned());
            }
            let unescaped = |name: &str| name.replace("~1", "/").replace("~0", "~");
            return Ok(Self(pointer.split('/').map(|name| step(&unescaped(name))).collect()));
        }
        if text.split('.').any(str::is_empty) {
            return Err("has an empty name in it; one with dots is written as \"/a.b\"".to_owned());
        }
        Ok(Self(text.split('.').map(step).collect()))
    }
}

/// What is at a path.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Selected<'t> {
    /// Nothing.
    Nothing,
    /// One value, as text.
    One(&'t str),
    /// One of each of several values, where the path goes through arrays or has `*`; maybe none.
    Each(Vec<&'t str>),
}

impl Path {
    /// The steps.
    pub fn steps(&self) -> &[Step] {
        &self.0
    }

    /// What is there in a value, which is JSON text.
    pub fn select<'t>(&self, value: &'t str) -> Selected<'t> {
        Selected::by(&self.0, value)
    }
}

impl From<Vec<Step>> for Path {
    fn from(steps: Vec<Step>) -> Self {
        Self(steps)
    }
}

impl<'t> Selected<'t> {
    /// What steps lead to in a value, which is JSON text.
    pub fn by(steps: &[Step], value: &'t str) -> Self {
        let mut found = Found::default();
        found.add(steps, value);
        match (found.is_each, found.values.pop()) {
            (false, Some(value)) => Self::One(value),
            (false, None) => Self::Nothing,
            (true, last) => {
                found.values.extend(last);
                Self::Each(found.values)
            }
        }
    }
}

#[derive(Default)]
struct Found<'t> {
    values: Vec<&'t str>,
    /// Whether there may be several.
    is_each: bool,
}

impl<'t> Found<'t> {
    fn add(&mut self, steps: &[Step], value: &'t str) {
        let Some((step, below)) = steps.split_first() else {
            self.values.push(value);
            return;
        };
        match (value.as_bytes().first(), step) {
            (Some(b'{'), Step::Name(name)) => {
                if let Some((_, value)) = members(value).filter(|(key, _)| key.is(&name.text)).last() {
                    self.add(below, value);
                }
            }
            (Some(b'['), Step::Name(Name { index: Some(index), .. })) => {
                if let Some(value) = elements(value).nth(*index) {
                    self.add(below, value);
                }
            }
            (Some(b'['), _) => {
                self.is_each = true;
                let below = if *step == Step::Every { below } else { steps };
                elements(value).for_each(|element| self.add(below, element));
            }
            (Some(b'{'), Step::Every) => {
                self.is_each = true;
                members(value).for_each(|(_, value)| self.add(below, value));
            }
            _ => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_leads_to_values() {
        let value = r#"{"a":{"b":1,"b":2},"x.y":3,"":4,"list":[{"id":"p","n":[1,2]},{"id":"q"},5],"0":6,"~/":7}"#;
        for (path, expected) in [
            ("", Selected::One(value)),
            ("a.b", Selected::One("2")),
            ("a.c", Selected::Nothing),
            ("a.b.c", Selected::Nothing),
            ("/x.y", Selected::One("3")),
            ("/", Selected::One("4")),
            ("/~0~1", Selected::One("7")),
            ("0", Selected::One("6")),
            ("list.0.id", Selected::One("\"p\"")),
            ("list.3", Selected::Nothing),
            ("list.id", Selected::Each(vec!["\"p\"", "\"q\""])),
            ("list.*.id", Selected::Each(vec!["\"p\"", "\"q\""])),
            ("list.n", Selected::Each(vec!["[1,2]"])),
            ("list.n.*", Selected::Each(vec!["1", "2"])),
            ("a.*", Selected::Each(vec!["1", "2"])),
        ] {
            assert_eq!(Path::read(path).unwrap().select(value), expected, "of {path:?}");
        }
    }

    #[test]
    fn a_faulty_path_is_refused() {
        for path in [".", "a.", ".a", "a..b", "/a~2", &"/a".repeat(32), &["a"; 33].join(".")] {
            assert!(Path::read(path).is_err(), "of {path:?}");
        }
        assert_eq!(Path::read(&["a"; 32].join(".")).unwrap().steps().len(), 32);
    }
}
