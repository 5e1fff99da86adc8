//! The value that is checked, opened whole: what every reader of it takes it for, or a fault.
//!
//! Readers differ where a key stands twice (the first counts, or the last), where a string means no text (half a
//! pair of surrogates), and where no double holds a number (it becomes infinite, or 0). None of these passes.

use std::borrow::Cow;

use json_scan::string_end;

use super::decimal::Decimal;
use super::wrong::Wrong;
use crate::json::push_string;
use crate::json::tree::text_of;
use crate::settings::Place;

/// A JSON value.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Value<'t> {
    /// `null`
    Null,
    /// `true`, `false`
    Bool(bool),
    /// A number, as it was written.
    Number(&'t str),
    /// What a string means.
    Text(Cow<'t, str>),
    /// An array.
    Array(Vec<Value<'t>>),
    /// An object, in the order of its keys; of those that stand twice, both are there.
    Object(Vec<(Cow<'t, str>, Value<'t>)>),
}

impl<'t> Value<'t> {
    /// The value of a text that [`crate::json::value`] took; notes what others may take for another one.
    pub fn read(text: &'t str, wrong: &mut Wrong) -> Self {
        Reader { rest: text, wrong }.value(&Place::root())
    }

    /// The value of a number in JSON; `None` where no double holds it, or only as 0.
    pub fn number(written: &'t str) -> Option<Self> {
        // So short and without an exponent, each has one.
        let is_plain = written.len() <= 17 && !written.contains(['e', 'E']);
        (is_plain || Decimal::of(written).has_double()).then_some(Self::Number(written))
    }

    /// The member of this name.
    pub fn member(&self, name: &str) -> Option<&Self> {
        let Self::Object(members) = self else { return None };
        let at = members.binary_search_by(|(key, _)| (**key).cmp(name)).ok()?;
        members.get(at).map(|(_, value)| value)
    }

    /// Appends the one text that all equal values have, whatever the order of members and the spelling of numbers.
    pub fn write_canonical(&self, out: &mut Vec<u8>) {
        match self {
            Self::Null => out.extend_from_slice(b"null"),
            Self::Bool(value) => out.extend_from_slice(if *value { b"true" } else { b"false" }),
            Self::Number(written) => out.extend_from_slice(Decimal::of(written).to_string().as_bytes()),
            Self::Text(text) => push_string(out, text),
            Self::Array(elements) => {
                out.push(b'[');
                for element in elements {
                    element.write_canonical(out);
                    out.push(b',');
                }
                out.push(b']');
            }
            Self::Object(members) => {
                out.push(b'{');
                for (key, value) in members {
                    push_string(out, key);
                    out.push(b':');
                    value.write_canonical(out);
                    out.push(b',');
                }
                out.push(b'}');
            }
        }
    }

    /// The text of [`Self::write_canonical`].
    pub fn canonical(&self) -> Vec<u8> {
        let mut out = Vec::new();
        self.write_canonical(&mut out);
        out
    }
}

/// Reads a text that is known to be JSON, in one go.
struct Reader<'t, 'w> {
    rest: &'t str,
    wrong: &'w mut Wrong,
}

impl<'t> Reader<'t, '_> {
    fn value(&mut self, place: &Place<'_>) -> Value<'t> {
        self.skip();
        match self.rest.as_bytes().first() {
            Some(b'{') => self.object(place),
            Some(b'[') => {
                self.take(1);
                let mut elements = Vec::new();
                while !self.ends(']') {
                    elements.push(self.value(&place.at(elements.len())));
                }
                Value::Array(elements)
            }
            Some(b'"') => Value::Text(self.text(place)),
            _ => match self.scalar() {
                "true" => Value::Bool(true),
                "false" => Value::Bool(false),
                "null" => Value::Null,
                number => Value::number(number).unwrap_or_else(|| {
                    self.wrong.add(place, "is a number beyond what a double holds");
                    Value::Number(number)
                }),
            },
        }
    }

    fn object(&mut self, place: &Place<'_>) -> Value<'t> {
        self.take(1);
        let mut members = Vec::new();
        while !self.ends('}') {
            let key = self.text(place);
            let value = self.value(&place.at(&*key));
            members.push((key, value));
        }
        members.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        for ((one, _), (next, _)) in members.iter().zip(members.iter().skip(1)) {
            if one == next {
                self.wrong.add(&place.at(&**one), "stands twice");
            }
        }
        Value::Object(members)
    }

    /// A string, and what it means.
    fn text(&mut self, place: &Place<'_>) -> Cow<'t, str> {
        let token = self.take(string_end(self.rest.as_bytes(), 0));
        text_of(token).unwrap_or_else(|| {
            self.wrong.add(place, "has a string that means no text: half of a pair of surrogates");
            Cow::Borrowed(token)
        })
    }

    fn scalar(&mut self) -> &'t str {
        let is_end = |char: char| matches!(char, ',' | ']' | '}' | ' ' | '\t' | '\n' | '\r');
        self.take(self.rest.find(is_end).unwrap_or(self.rest.len()))
    }

    /// Whether an array or an object is at its end, which is then taken.
    fn ends(&mut self, bracket: char) -> bool {
        self.skip();
        let is_end = self.rest.is_empty() || self.rest.starts_with(bracket);
        if is_end {
            self.take(1);
        }
        is_end
    }

    fn skip(&mut self) {
        self.rest = self.rest.trim_start_matches([',', ':', ' ', '\t', '\n', '\r']);
    }

    fn take(&mut self, length: usize) -> &'t str {
        let (token, rest) = self.rest.split_at_checked(length).unwrap_or((self.rest, ""));
        self.rest = rest;
        token
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::json::samples::json;
    use proptest::prelude::*;

    fn wrong(text: &str) -> Vec<(String, String)> {
        let mut wrong = Wrong::default();
        Value::read(text, &mut wrong);
        wrong.into_told().into_iter().map(|(place, what)| (place.to_string(), what)).collect()
    }

    #[test]
    fn what_readers_take_for_different_values_is_wrong() {
        let twice = "stands twice";
        let number = "is a number beyond what a double holds";
        let text = "has a string that means no text: half of a pair of surrogates";
        for (body, expected) in [
            (r#"{"a":1,"b":{"a":1}}"#, &[][..]),
            (r#"{"a":1,"a":1}"#, &[("/a", twice)]),
            (r#"{"a":1,"\u0061":2}"#, &[("/a", twice)]),
            (r#"[{"x":{"":1 , "" : {"y":[]}}}]"#, &[("/0/x/", twice)]),
            (r#"[1,1e400]"#, &[("/1", number)]),
            (r#"{"a":-1e400}"#, &[("/a", number)]),
            (r#"1e-400"#, &[("", number)]),
            (r#"0e-400"#, &[]),
            (r#"0.00000000000000000000000000000"#, &[]),
            (r#"123456789012345678901234567890"#, &[]),
            (r#"["\ud800"]"#, &[("/0", text)]),
            (r#"["\ud83d\ude00"]"#, &[]),
            (r#"{"\udc00":1}"#, &[("", text)]),
        ] {
            let expected: Vec<_> = expected.iter().map(|(at, what)| (at.to_string(), what.to_string())).collect();
            assert_eq!(wrong(body), expected, "of {body}");
        }
    }

    #[test]
    fn equal_values_have_one_text() {
        let canonical = |text| Value::read(text, &mut Wrong::default()).canonical();
        for (one, other, are_equal) in [
            (r#"{"a":1,"b":[2]}"#, r#" { "b" : [ 2.0 ] , "\u0061" : 10e-1 } "#, true),
            (r#""\u00e4""#, r#""ä""#, true),
            ("[1,2]", "[2,1]", false),
            ("9007199254740992", "9007199254740993", false),
            ("1", "\"1\"", false),
            ("[\"a,b\"]", "[\"a\",\"b\"]", false),
            ("0", "false", false),
        ] {
            assert_eq!(canonical(one) == canonical(other), are_equal, "of {one} and {other}");
        }
    }

    fn same(value: &Value<'_>, other: &serde_json::Value) -> bool {
        match (value, other) {
            (Value::Null, serde_json::Value::Null) => true,
            (Value::Bool(one), serde_json::Value::Bool(other)) => one == other,
            (Value::Number(one), serde_json::Value::Number(other)) => one.parse::<f64>().ok() == other.as_f64(),
            (Value::Text(one), serde_json::Value::String(other)) => one == other,
            (Value::Array(one), serde_json::Value::Array(other)) => {
                one.len() == other.len() && one.iter().zip(other).all(|(one, other)| same(one, other))
            }
            (Value::Object(one), serde_json::Value::Object(other)) => {
                one.len() == other.len()
                    && one.iter().all(|(key, value)| other.get(&**key).is_some_and(|other| same(value, other)))
            }
            _ => false,
        }
    }

    proptest! {
        #[test]
        fn what_is_not_wrong_is_what_others_read(text in json()) {
            let mut wrong = Wrong::default();
            let value = Value::read(&text, &mut wrong);
            // serde_json's bound for the depth is lower than that of these texts.
            let other = serde_json::from_str::<serde_json::Value>(&text);
            if let (Ok(other), true) = (other, wrong.is_empty()) {
                prop_assert!(same(&value, &other), "{:?} is not {:?}", value, other);
            }
        }
    }
}
