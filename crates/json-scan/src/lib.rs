//! Goes over JSON texts byte by byte: whether a text is JSON, how much there is in it, and where the values in it begin
//! and end.
//!
//! It is a crate because that is what Cargo can optimise in another way: every byte of every answer that is put together
//! goes through here some times, so this is made for speed and the rest of the gateway for size.

use serde::de::IgnoredAny;

/// Whether a text is exactly one JSON text (RFC 8259).
pub fn is_json(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// How much there is in a text that is known to be JSON. Texts have less than 4 GiB.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size {
    /// The deepest nesting of arrays and objects.
    pub depth: u32,
    /// Elements and members in all, at most one too many for each array or object.
    pub elements: u32,
}

impl Size {
    /// How much there is in a text.
    pub fn of(text: &str) -> Self {
        let (bytes, mut at) = (text.as_bytes(), 0);
        let (mut deepest, mut current, mut elements) = (0u32, 0u32, 0u32);
        while let Some(byte) = bytes.get(at) {
            at += 1;
            match Mark::of(*byte) {
                Mark::None | Mark::Space => {}
                Mark::Quote => at = string_end(bytes, at - 1),
                Mark::Comma => elements += 1,
                Mark::Open => {
                    current += 1;
                    elements += 1;
                    deepest = deepest.max(current);
                }
                Mark::Close => current = current.saturating_sub(1),
            }
        }
        Self { depth: deepest, elements }
    }
}

/// Goes over the values of a text that is known to be JSON, each once: takes them whole, or enters them.
#[derive(Clone, Debug)]
pub struct Cursor<'t> {
    rest: &'t str,
}

impl<'t> Cursor<'t> {
    /// One at the beginning of a text.
    pub fn new(text: &'t str) -> Self {
        Self { rest: text }
    }

    /// Goes to the next value; of an object, a key is one too. At the end of an array or an object leaves it, and says that
    /// there is none.
    pub fn advance(&mut self) -> bool {
        let is_between = |byte: u8| matches!(Mark::of(byte), Mark::Comma | Mark::Space);
        let begin = self.rest.bytes().position(|byte| !is_between(byte)).unwrap_or(self.rest.len());
        let (_, rest) = self.split(begin);
        self.rest = rest;
        match rest.bytes().next().map(Mark::of) {
            Some(Mark::Close) => {
                self.rest = self.split(1).1;
                false
            }
            Some(_) => true,
            None => false,
        }
    }

    /// Enters the array or the object that begins here; gives its bracket, or none where it is another value.
    pub fn enter(&mut self) -> Option<u8> {
        let bracket = self.rest.bytes().next().filter(|byte| Mark::of(*byte) == Mark::Open)?;
        self.rest = self.split(1).1;
        Some(bracket)
    }

    /// Takes the value that begins here.
    pub fn take(&mut self) -> &'t str {
        let bytes = self.rest.as_bytes();
        let end = match bytes.first().map(|byte| Mark::of(*byte)) {
            Some(Mark::Quote) => string_end(bytes, 0),
            Some(Mark::Open) => nested_end(bytes),
            _ => bytes.iter().position(|byte| Mark::of(*byte) != Mark::None).unwrap_or(bytes.len()),
        };
        let (value, rest) = self.split(end);
        self.rest = rest;
        value
    }

    fn split(&self, at: usize) -> (&'t str, &'t str) {
        self.rest.split_at_checked(at).unwrap_or((self.rest, ""))
    }
}

/// How many arrays and objects there can be in a text: no fewer than there are.
pub fn brackets(text: &str) -> usize {
    text.bytes().filter(|byte| matches!(byte, b'[' | b'{')).count()
}

/// Where a string ends that begins at a byte.
pub fn string_end(bytes: &[u8], begin: usize) -> usize {
    let mut at = begin + 1;
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match byte {
            b'"' => return at,
            b'\\' => at += 1,
            _ => {}
        }
    }
    bytes.len()
}

/// Where an array or an object ends with which a text begins.
fn nested_end(bytes: &[u8]) -> usize {
    let (mut at, mut depth) = (0, 0u32);
    while let Some(byte) = bytes.get(at) {
        at += 1;
        match Mark::of(*byte) {
            Mark::None | Mark::Space | Mark::Comma => {}
            Mark::Quote => at = string_end(bytes, at - 1),
            Mark::Open => depth += 1,
            Mark::Close => {
                depth = depth.saturating_sub(1);
                if depth == 0 {
                    return at;
                }
            }
        }
    }
    bytes.len()
}

/// What a byte outside of strings says of where values begin and end.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Mark {
    /// Nothing: it is of a number, or of a word.
    None,
    /// A string begins.
    Quote,
    /// An array or an object begins.
    Open,
    /// One ends.
    Close,
    /// Another value comes.
    Comma,
    /// Nothing: it is between a key and its value, or white space.
    Space,
}

/// The marks of all bytes: one look in the place of many comparisons.
const MARKS: [Mark; 256] = {
    let mut marks = [Mark::None; 256];
    let mut byte = 0;
    while byte < marks.len() {
        #[allow(clippy::indexing_slicing)] // It ends before.
        {
            marks[byte] = match byte as u8 {
                b'"' => Mark::Quote,
                b'[' | b'{' => Mark::Open,
                b']' | b'}' => Mark::Close,
                b',' => Mark::Comma,
                b':' | b' ' | b'\t' | b'\n' | b'\r' => Mark::Space,
                _ => Mark::None,
            };
        }
        byte += 1;
    }
    marks
};

impl Mark {
    #[allow(clippy::indexing_slicing)] // There is one for each byte.
    fn of(byte: u8) -> Self {
        MARKS[usize::from(byte)]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_ends_where_its_brackets_and_quotes_do() {
        for (text, first, second) in [
            (" , 1.50e+2,2]", "1.50e+2", Some("2")),
            ("true}", "true", None),
            (r#""a,]\"" : 1}"#, r#""a,]\"""#, Some("1")),
            (r#"[2,["]"]],3]"#, r#"[2,["]"]]"#, Some("3")),
            (r#"{"b":"]}","c":{}}, 4]"#, r#"{"b":"]}","c":{}}"#, Some("4")),
            // What is escaped ends no string; a backslash that is escaped itself escapes nothing.
            (r#""\\",1]"#, r#""\\""#, Some("1")),
            (r#""\\\"",1]"#, r#""\\\"""#, Some("1")),
            (r#"["ü\u0022]"],1]"#, r#"["ü\u0022]"]"#, Some("1")),
            (r#""""#, r#""""#, None),
        ] {
            let mut cursor = Cursor::new(text);
            assert!(cursor.advance());
            assert_eq!(cursor.take(), first, "of {text}");
            assert_eq!(cursor.advance().then(|| cursor.take()), second, "of {text}");
        }
    }

    #[test]
    fn what_is_entered_is_left_at_its_end() {
        let mut cursor = Cursor::new(r#" {"a":[1,{}], "b" :2} "#);
        let mut seen = Vec::new();
        let mut depth = 0;
        while cursor.advance() || depth > 1 {
            match cursor.enter() {
                Some(bracket) => {
                    depth += 1;
                    seen.push(char::from(bracket).to_string());
                }
                None if cursor.rest.starts_with(['"', '1', '2']) => seen.push(cursor.take().to_owned()),
                None => depth -= 1,
            }
        }
        assert_eq!(seen, ["{", r#""a""#, "[", "1", "{", r#""b""#, "2"]);
    }

    #[test]
    fn brackets_and_commas_in_strings_are_not_counted() {
        for (text, depth, elements) in [
            ("1", 0, 0),
            ("[]", 1, 1),
            ("[[1],2]", 2, 3),
            (r#"{"a,{":[" \" ] ",1]}"#, 2, 3),
            (r#"["[[[,,,,,,\"[["]"#, 1, 1),
        ] {
            assert_eq!(Size::of(text), Size { depth, elements }, "of {text}");
        }
    }

    #[test]
    fn a_hostile_depth_costs_no_stack() {
        let hostile = "[".repeat(2_000_000);
        assert!(!is_json(&hostile));
        assert_eq!(Cursor::new(&hostile).take(), hostile);
    }
}
