//! Where in the text of the file a place is: line and column, for people and editors. Native only.
//!
//! The tree does not keep positions, so that the gateway does not pay for them; here the text is
//! looked through again.

use std::collections::HashMap;
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
    /// Where a text stops being JSON.
    pub fn of_error(text: &str, error: &serde_json::Error) -> Self {
        let line = text.split('\n').nth(error.line().saturating_sub(1)).unwrap_or_default();
        // serde_json counts bytes; those of one character are one column.
        let column = line.char_indices().take_while(|(start, _)| *start < error.column()).count();
        Self { line: error.line().max(1), column: column.max(1) }
    }
}

/// Where everything is in a JSON text, which is gone through once.
pub struct Positions<'t> {
    text: &'t str,
    /// Where each line begins.
    lines: Vec<usize>,
    /// By the keys that lead to it. Of members of one name, the last.
    spots: HashMap<Vec<String>, Spot>,
}

/// A place found, in bytes from the start of the text.
#[derive(Clone)]
struct Spot {
    /// The name of a member; where it has none, its value.
    at: usize,
    value: Range<usize>,
}

impl<'t> Positions<'t> {
    /// Of all places of a text.
    pub fn of(text: &'t str) -> Self {
        let starts = text.match_indices('\n').map(|(at, _)| at + 1);
        let mut positions = Self { text, lines: [0].into_iter().chain(starts).collect(), spots: HashMap::new() };
        let whole = text.trim_start();
        positions.add(whole, whole, &mut Vec::new());
        positions
    }

    /// Where a place is: the name of a member, the start of an element or of the whole; of what is not
    /// there, where it should be.
    pub fn of_place(&self, keys: &[String]) -> Position {
        let offset = self.nearest(keys).map_or(0, |spot| spot.at);
        let line = self.lines.partition_point(|start| *start <= offset);
        let start = self.lines.get(line.saturating_sub(1)).copied().unwrap_or_default();
        let before = self.text.get(start..offset).unwrap_or_default();
        Position { line, column: before.chars().count() + 1 }
    }

    /// The bytes of the value at a place.
    pub fn value_at(&self, keys: &[String]) -> Range<usize> {
        self.nearest(keys).map_or(0..0, |spot| spot.value.clone())
    }

    /// The place itself or, if it is not there, the nearest around it.
    fn nearest(&self, keys: &[String]) -> Option<&Spot> {
        (0..=keys.len()).rev().find_map(|depth| self.spots.get(keys.get(..depth)?))
    }

    /// Adds the place whose text begins at `at` and whose value at `value`, and all below it.
    fn add(&mut self, at: &str, value: &str, keys: &mut Vec<String>) {
        let value = value.trim_start();
        let offset = |rest: &str| self.text.len() - rest.len();
        let end = read::<IgnoredAny>(value).map_or(self.text.len(), |(_, rest)| offset(rest));
        let spot = Spot { at: offset(at), value: offset(value)..end };
        self.spots.insert(keys.clone(), spot);
        let (is_object, mut rest) = match (value.strip_prefix('{'), value.strip_prefix('[')) {
            (Some(members), _) => (true, members),
            (_, Some(elements)) => (false, elements),
            _ => return,
        };
        for number in 0_usize.. {
            let at = rest.trim_start();
            let (name, value) = if is_object {
                let Some((name, after)) = read::<String>(at) else { return };
                let Some(value) = after.trim_start().strip_prefix(':') else { return };
                (name, value)
            } else {
                (number.to_string(), at)
            };
            let Some((IgnoredAny, after)) = read(value) else { return };
            keys.push(name);
            self.add(at, value, keys);
            keys.pop();
            let Some(next) = after.trim_start().strip_prefix(',') else { return };
            rest = next;
        }
    }
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
            let position = Positions::of(text).of_place(&keys(pointer));
            assert_eq!(position, Position { line, column }, "of {pointer:?} in {text}");
        }
    }

    #[test]
    fn a_value_is_found_whole() {
        let text = r#"{"a": [{"b" : "x\"y" }, 12]}"#;
        for (pointer, value) in [("", text), ("/a/0", r#"{"b" : "x\"y" }"#), ("/a/0/b", r#""x\"y""#), ("/a/1", "12")] {
            assert_eq!(&text[Positions::of(text).value_at(&keys(pointer))], value, "of {pointer:?}");
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
