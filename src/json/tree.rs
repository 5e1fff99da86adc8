//! The values in a JSON text, opened level by level: a value that nobody looks into stays the piece
//! of text that it came as, and is written as that.
//!
//! Keys are compared by what they mean (`"\u0061"` is `a`) and written as they were spelled. Keys
//! that stand twice are both there; where one value is asked for, the last counts, as in `JSON.parse`.
//! Only for texts that [`super::value`] took: they are not checked again.

use std::borrow::Cow;

use json_scan::Cursor;

/// A value, opened or not.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Json<'t> {
    /// As it was written.
    Raw(&'t str),
    /// An array that was opened.
    Array(Vec<Json<'t>>),
    /// An object that was opened, its members in their order.
    Object(Vec<(Key<'t>, Json<'t>)>),
}

/// The key of a member, as it was spelled: with quotes and escapes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Key<'t>(&'t str);

impl<'t> Key<'t> {
    /// A key that is spelled as this JSON string.
    pub fn spelled(string: &'t str) -> Self {
        Self(string)
    }

    /// What it means; one that means no text (a lone surrogate) means its spelling.
    pub fn name(self) -> Cow<'t, str> {
        text_of(self.0).unwrap_or(Cow::Borrowed(self.0))
    }

    /// Whether it means this.
    pub fn is(self, name: &str) -> bool {
        self.name() == name
    }
}

impl<'t> Json<'t> {
    /// The value null.
    pub const NULL: Json<'static> = Json::Raw("null");

    /// Opens an array or an object whose elements or members nobody has looked at yet.
    pub fn open(&mut self) {
        if let Self::Raw(text) = *self {
            match text.as_bytes().first() {
                Some(b'[') => *self = Self::Array(elements(text).map(Json::Raw).collect()),
                Some(b'{') => *self = Self::Object(members(text).map(|(key, value)| (key, Json::Raw(value))).collect()),
                _ => {}
            }
        }
    }

    /// Whether it is an object.
    pub fn is_object(&self) -> bool {
        matches!(self, Self::Object(_)) || matches!(self, Self::Raw(text) if text.starts_with('{'))
    }

    /// Whether it is an array.
    pub fn is_array(&self) -> bool {
        matches!(self, Self::Array(_)) || matches!(self, Self::Raw(text) if text.starts_with('['))
    }

    /// The elements of an array; of null, none; any other value is the one element.
    pub fn into_elements(self) -> Vec<Self> {
        if !self.is_array() {
            return if self == Self::NULL { Vec::new() } else { vec![self] };
        }
        match self.opened() {
            Self::Array(elements) => elements,
            _ => Vec::new(),
        }
    }

    /// The text by which values are found equal: `"7"` is 7, and a number is as it was written. Null,
    /// arrays and objects are equal to nothing.
    pub fn comparable(&self) -> Option<Cow<'t, str>> {
        match *self {
            Self::Raw("null") => None,
            Self::Raw(text) if text.starts_with(['{', '[']) => None,
            Self::Raw(text) => Some(text_of(text).unwrap_or(Cow::Borrowed(text))),
            _ => None,
        }
    }

    /// The same, opened.
    pub fn opened(mut self) -> Self {
        self.open();
        self
    }

    /// Appends it as text.
    pub fn write(&self, out: &mut Vec<u8>) {
        match self {
            Self::Raw(text) => out.extend_from_slice(text.as_bytes()),
            Self::Array(elements) => {
                out.push(b'[');
                for (at, element) in elements.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    element.write(out);
                }
                out.push(b']');
            }
            Self::Object(members) => {
                out.push(b'{');
                for (at, (key, value)) in members.iter().enumerate() {
                    if at > 0 {
                        out.push(b',');
                    }
                    out.extend_from_slice(key.0.as_bytes());
                    out.push(b':');
                    value.write(out);
                }
                out.push(b'}');
            }
        }
    }

    /// How many bytes [`Self::write`] appends.
    pub fn size(&self) -> usize {
        match self {
            Self::Raw(text) => text.len(),
            Self::Array(elements) => elements.iter().map(|element| element.size() + 1).sum::<usize>().max(1) + 1,
            Self::Object(members) => {
                members.iter().map(|(key, value)| key.0.len() + value.size() + 2).sum::<usize>().max(1) + 1
            }
        }
    }

    /// About how many bytes a copy of it takes, as a tree and then as text: one of many small values has more
    /// of them as a tree.
    pub fn weight(&self) -> usize {
        const NODE: usize = 16;
        match self {
            Self::Raw(text) => NODE + text.len(),
            Self::Array(elements) => NODE + elements.iter().map(Self::weight).sum::<usize>(),
            Self::Object(members) => {
                NODE + members.iter().map(|(key, value)| NODE + key.0.len() + value.weight()).sum::<usize>()
            }
        }
    }

    /// As text, in one piece of memory.
    pub fn to_text(&self) -> Vec<u8> {
        let mut out = Vec::with_capacity(self.size());
        self.write(&mut out);
        out
    }
}

/// The elements of an array, as text.
pub fn elements(array: &str) -> impl Iterator<Item = &str> {
    let mut cursor = Cursor::new(array);
    cursor.enter();
    std::iter::from_fn(move || cursor.advance().then(|| cursor.take()))
}

/// The members of an object, as text.
pub fn members(object: &str) -> impl Iterator<Item = (Key<'_>, &str)> {
    let mut cursor = Cursor::new(object);
    cursor.enter();
    std::iter::from_fn(move || {
        let key = cursor.advance().then(|| Key(cursor.take()))?;
        cursor.advance();
        Some((key, cursor.take()))
    })
}

/// The text that a JSON string means; `None` for other values, and for a string that means none.
pub fn text_of(string: &str) -> Option<Cow<'_, str>> {
    let inner = string.get(1..string.len().checked_sub(1)?).filter(|_| string.starts_with('"'))?;
    match inner.as_bytes().contains(&b'\\') {
        true => serde_json::from_str(string).ok().map(Cow::Owned),
        false => Some(Cow::Borrowed(inner)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::samples::json;
    use proptest::prelude::*;

    #[test]
    fn a_text_falls_into_its_values() {
        assert_eq!(
            elements(r#"[ 1 ,"a,]\"" , [2,[3]], {"b":"]}"},null]"#).collect::<Vec<_>>(),
            ["1", r#""a,]\"""#, "[2,[3]]", r#"{"b":"]}"}"#, "null"]
        );
        let object = r#"{ "a" : 1.50e+2, "\u0061":[ ],"x y":"z" }"#;
        let read: Vec<_> = members(object).map(|(key, value)| (key.name().into_owned(), value)).collect();
        assert_eq!(read, [("a".into(), "1.50e+2"), ("a".into(), "[ ]"), ("x y".into(), "\"z\"")]);
        assert_eq!(elements("[ ]").count() + members("{ }").count(), 0);
    }

    #[test]
    fn a_key_that_means_no_text_means_its_spelling() {
        let lone = r#""\ud800""#;
        assert!(Key(lone).is(lone));
        assert!(!Key(lone).is("\u{fffd}"));
    }

    fn open_all(value: &mut Json<'_>) {
        value.open();
        match value {
            Json::Raw(_) => {}
            Json::Array(elements) => elements.iter_mut().for_each(open_all),
            Json::Object(members) => members.iter_mut().for_each(|(_, value)| open_all(value)),
        }
    }

    proptest! {
        #[test]
        fn what_is_opened_and_written_is_what_it_was(text in json()) {
            let mut value = Json::Raw(&text);
            open_all(&mut value);
            prop_assert_eq!(value.size(), text.len());
            prop_assert_eq!(String::from_utf8(value.to_text()).unwrap(), text);
        }
    }
}
