//! JSON as the bytes that a service wrote: whether it is JSON at all, how deep and how much of it
//! there is, and, in [`tree`], the values in it, opened only as far as somebody looks. What nobody
//! looks at is spliced as it came, so that big numbers, key order and spelling stay as they were.

pub mod numbers;
pub mod path;
pub mod places;
#[cfg(test)]
pub(crate) mod samples;
pub mod tree;

use json_scan::{Size, Spans};
pub use numbers::{Grouped, Numbers};

/// How much JSON is taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Bounds {
    /// The deepest nesting of arrays and objects (clients recurse).
    pub depth: u32,
    /// The most elements of arrays and members of objects in all.
    pub elements: u32,
}

impl Default for Bounds {
    fn default() -> Self {
        Self { depth: 128, elements: 200_000 }
    }
}

impl Bounds {
    fn take(self, size: Size) -> Result<(), Unusable> {
        if size.depth > self.depth {
            return Err(Unusable::TooDeep);
        }
        if size.elements > self.elements {
            return Err(Unusable::TooMany);
        }
        Ok(())
    }
}

/// Why bytes are not taken for a value.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Unusable {
    /// They are not exactly one JSON text (RFC 8259) in UTF-8.
    NotJson,
    /// They are not exactly one XML document, without a type of its own.
    NotXml,
    /// It is nested deeper than the bounds.
    TooDeep,
    /// It has more elements than the bounds.
    TooMany,
}

/// The value in `body`, without the white space around it.
pub fn value(body: &[u8], bounds: Bounds) -> Result<&str, Unusable> {
    value_of(std::str::from_utf8(body).map_err(|_| Unusable::NotJson)?, bounds)
}

/// The same of what is known to be UTF-8.
pub fn value_of(text: &str, bounds: Bounds) -> Result<&str, Unusable> {
    bounds.take(Size::of(text).ok_or(Unusable::NotJson)?)?;
    Ok(text.trim_ascii())
}

/// The same, with where all in it is.
pub fn spans_of(text: &str, bounds: Bounds) -> Result<Spans<'_>, Unusable> {
    let (spans, size) = Spans::of(text, bounds.elements).ok_or(Unusable::NotJson)?;
    bounds.take(size)?;
    Ok(spans)
}

/// Appends `text` as a JSON string.
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    // Writing a string into a Vec has no way to fail.
    let _ = serde_json::to_writer(out, text);
}

/// A text as a JSON string.
pub fn string(text: &str) -> String {
    // Writing a string has no way to fail.
    serde_json::to_string(text).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_whole_json_counts() {
        let deep = format!("{}{}", "[".repeat(128), "]".repeat(128));
        let too_deep = format!("{}{}", "[".repeat(129), "]".repeat(129));
        let brackets_in_a_string = format!("\"{}\\\"{}\"", "[".repeat(500), "{".repeat(500));
        for text in [
            "null",
            "true",
            "0",
            "-1.5e300",
            "1e400",
            "12345678901234567890123",
            "\"\"",
            "[]",
            "{\"a\":1,\"a\":2}",
            "\"\\ud800\"",
            &deep,
            &brackets_in_a_string,
        ] {
            assert_eq!(value(text.as_bytes(), Bounds::default()), Ok(text));
        }
        assert_eq!(value(b" \r\n{ } \t", Bounds::default()), Ok("{ }"));
        for text in [
            "",
            " ",
            "nul",
            "<html>",
            "{\"a\":}",
            "[1,]",
            "1 2",
            "{}{}",
            "01",
            "'a'",
            "NaN",
            "\u{feff}{}",
            "\"a",
            &too_deep,
        ] {
            assert!(value(text.as_bytes(), Bounds::default()).is_err(), "of {text:?}");
        }
        assert_eq!(value(b"\"\xff\"", Bounds::default()), Err(Unusable::NotJson));
    }

    #[test]
    fn a_hostile_depth_costs_no_stack() {
        let hostile = "[".repeat(2_000_000);
        assert_eq!(value(hostile.as_bytes(), Bounds::default()), Err(Unusable::NotJson));
    }

    #[test]
    fn what_is_too_much_is_not_taken() {
        let bounds = Bounds { depth: 2, elements: 4 };
        for (text, expected) in [
            ("[[1]]", Ok("[[1]]")),
            ("[[[]]]", Err(Unusable::TooDeep)),
            ("[1,2,3,4]", Ok("[1,2,3,4]")),
            ("[1,2,3,4,5]", Err(Unusable::TooMany)),
            (r#"["[[[,,,,,,\"[["]"#, Ok(r#"["[[[,,,,,,\"[["]"#)),
        ] {
            assert_eq!(value(text.as_bytes(), bounds), expected, "of {text}");
        }
    }
}
