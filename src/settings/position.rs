//! Where in the text of the file a place is: line and column, for people and editors. Native only.
//!
//! The tree does not keep positions, so that the gateway does not pay for them; here the text is
//! looked through again.

use std::ops::Range;

use serde::Deserialize;
use serde::de::IgnoredAny;

/// A position in a text.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Position {
    /// The line, from 1.
    pub line: usize,
    /// The character in it, from 1.
    pub column: usize,
}

impl Position {
    /// Where a place of a JSON text is, by the keys that lead there: the name of a member, the start
    /// of an element or of the whole. Of members of one name, the last; what is not there is where it
    /// should be.
    pub fn of_place(text: &str, keys: &[String]) -> Self {
        Self::of_offset(text, text.len() - nearest(text, keys).at.len())
    }

    /// Where a text stops being JSON.
    pub fn of_error(text: &str, error: &serde_json::Error) -> Self {
        let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
        // serde_json counts bytes; those of one character are one column.
        let column = line.char_indices().take_while(|(start, _)| *start < error.column()).count();
        Self { line: error.line().max(1), column: column.max(1) }
    }

    fn of_offset(text: &str, offset: usize) -> Self {
        let before = text.get(..offset).unwrap_or(text);
        let line = before.rsplit('\n').next().unwrap_or_default();
        Self { line: before.matches('\n').count() + 1, column: line.chars().count() + 1 }
    }
}

/// The bytes of the value at a place of a JSON text.
pub fn value_at(text: &str, keys: &[String]) -> Range<usize> {
    let value = nearest(text, keys).value.trim_start();
    let rest = read::<IgnoredAny>(value).map_or("", |(_, rest)| rest);
    text.len() - value.len()..text.len() - rest.len()
}

/// A place found: the text from there on.
#[derive(Clone, Copy)]
struct Spot<'t> {
    /// From the name of a member; where it has none, from its value.
    at: &'t str,
    /// From the value.
    value: &'t str,
}

/// The place itself or, if it is not there, the nearest around it.
fn nearest<'t>(text: &'t str, keys: &[String]) -> Spot<'t> {
    let whole = Spot { at: text.trim_start(), value: text };
    (0..=keys.len()).rev().find_map(|depth| below(whole, keys.get(..depth)?)).unwrap_or(whole)
}

/// The place to which keys lead from one that is given.
fn below<'t>(from: Spot<'t>, keys: &[String]) -> Option<Spot<'t>> {
    let Some((key, keys)) = keys.split_first() else { return Some(from) };
    let value = from.value.trim_start();
    let (is_object, mut rest) = match value.strip_prefix('{') {
        Some(members) => (true, members),
        None => (false, value.strip_prefix('[')?),
    };
    let mut found = None;
    for number in 0_usize.. {
        let at = rest.trim_start();
        let (name, value) = if is_object {
            let (name, after) = read::<String>(at)?;
            (name, after.trim_start().strip_prefix(':')?)
        } else {
            (number.to_string(), at)
        };
        if name == *key {
            found = below(Spot { at, value }, keys).or(found);
        }
        let Some((IgnoredAny, after)) = read(value) else { break };
        let Some(next) = after.trim_start().strip_prefix(',') else { break };
        rest = next;
    }
    found
}

/// A value at the start of a text, and the text after it.
fn read<'t, T: Deserialize<'t>>(text: &'t str) -> Option<(T, &'t str)> {
    let mut values = serde_json::Deserializer::from_str(text).into_iter::<T>();
    let value = values.next()?.ok()?;
    Some((value, text.get(values.byte_offset()..)?))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn keys(pointer: &str) -> Vec<String> {
        pointer.split('/').skip(1).map(|key| key.replace("~1", "/").replace("~0", "~")).collect()
    }

    #[test]
    fn a_place_has_a_line_and_a_column() {
        let table = [
            // The whole.
            ("{}", "", (1, 1)),
            ("\n  {}", "", (2, 3)),
            // A member is where its name is, an element where it begins.
            (r#"{"a": 1, "b": 2}"#, "/b", (1, 10)),
            ("{\n  \"a\": {\n    \"b\": [1,\n 22, {\"c\":null}]}}", "/a", (2, 3)),
            ("{\n  \"a\": {\n    \"b\": [1,\n 22, {\"c\":null}]}}", "/a/b", (3, 5)),
            ("{\n  \"a\": {\n    \"b\": [1,\n 22, {\"c\":null}]}}", "/a/b/1", (4, 2)),
            ("{\n  \"a\": {\n    \"b\": [1,\n 22, {\"c\":null}]}}", "/a/b/2/c", (4, 7)),
            (r#"[[], {}, -1.5e3, true, "x"]"#, "/4", (1, 24)),
            // A name of digits is no number of an element, and the other way round.
            (r#"{"x": [0], "0": 1}"#, "/0", (1, 12)),
            // What looks like structure inside strings is none.
            (r#"{"a": "}],\"b\": [{\\", "b": 1}"#, "/b", (1, 25)),
            // A name is what it means, not how it is spelled.
            (r#"{"\u0061\"\/": 1}"#, "/a\"~1", (1, 2)),
            (r#"{"a/b~c": 1}"#, "/a~1b~0c", (1, 2)),
            (r#"{"": {"": 1}}"#, "//", (1, 7)),
            // Of members of one name, the last, in which the place is.
            (r#"{"a": 1, "a": 2}"#, "/a", (1, 10)),
            (r#"{"a": {"b": 1}, "a": {"c": 1}}"#, "/a/b", (1, 8)),
            (r#"{"a": {"b": 1}, "a": {"b": 1}}"#, "/a/b", (1, 23)),
            // Characters are counted, not bytes.
            ("{\"ä€😀\": 1, \"b\": 2}", "/b", (1, 12)),
            // The carriage return belongs to the line that it ends.
            ("{\r\n\t\"a\": 1,\r\n\t\"b\": 2\r\n}", "/b", (3, 2)),
            // What is not there is where it should be.
            (r#"{"a": {"b": [1]}}"#, "/a/c", (1, 2)),
            (r#"{"a": {"b": [1]}}"#, "/a/b/1/x", (1, 8)),
        ];
        for (text, pointer, (line, column)) in table {
            let position = Position::of_place(text, &keys(pointer));
            assert_eq!(position, Position { line, column }, "of {pointer:?} in {text}");
        }
    }

    #[test]
    fn a_value_is_found_whole() {
        let text = r#"{"a": [{"b" : "x\"y" }, 12]}"#;
        for (pointer, value) in [("", text), ("/a/0", r#"{"b" : "x\"y" }"#), ("/a/0/b", r#""x\"y""#), ("/a/1", "12")] {
            assert_eq!(&text[value_at(text, &keys(pointer))], value, "of {pointer:?}");
        }
    }

    #[test]
    fn a_text_that_is_no_json_has_a_position_too() {
        let table = [
            ("", (1, 1)),
            ("{\n  \"a\": 1,\n}", (3, 1)),
            ("{\"ä\": €}", (1, 7)),
            ("{\"a\": \"\n\"}", (2, 1)),
            ("[1, 2", (1, 5)),
            ("{} x", (1, 4)),
        ];
        for (text, (line, column)) in table {
            let error = serde_json::from_str::<crate::settings::Node>(text).unwrap_err();
            assert_eq!(Position::of_error(text, &error), Position { line, column }, "of {text:?}: {error}");
        }
    }
}
