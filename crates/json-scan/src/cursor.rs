//! Going over a text value by value, as far as somebody wants to look.

use crate::string::string_end;

/// Goes over the values of a text that is known to be JSON, each once: takes them whole, or enters them.
#[derive(Clone, Debug)]
pub struct Cursor<'t> {
    text: &'t str,
    at: usize,
}

impl<'t> Cursor<'t> {
    /// One at the beginning of a text.
    pub fn new(text: &'t str) -> Self {
        Self { text, at: 0 }
    }

    /// Goes to the next value; of an object, a key is one too. At the end of an array or an object leaves it, and says that
    /// there is none.
    #[inline(never)]
    pub fn advance(&mut self) -> bool {
        while let Some(Mark::Comma | Mark::Space) = self.mark() {
            self.at += 1;
        }
        match self.mark() {
            Some(Mark::Close) => {
                self.at += 1;
                false
            }
            Some(_) => true,
            None => false,
        }
    }

    /// Enters the array or the object that begins here; gives its bracket, or none where it is another value.
    pub fn enter(&mut self) -> Option<u8> {
        let bracket = self.text.as_bytes().get(self.at).copied().filter(|byte| Mark::of(*byte) == Mark::Open)?;
        self.at += 1;
        Some(bracket)
    }

    /// Takes the value that begins here.
    #[inline(never)]
    pub fn take(&mut self) -> &'t str {
        let (bytes, begin) = (self.text.as_bytes(), self.at);
        match self.mark() {
            Some(Mark::Quote) => self.at = string_end(bytes, begin),
            Some(Mark::Open) => self.at = nested_end(bytes, begin),
            _ => {
                while let Some(Mark::None) = self.mark() {
                    self.at += 1;
                }
            }
        }
        self.text.get(begin..self.at).unwrap_or_default()
    }

    fn mark(&self) -> Option<Mark> {
        self.text.as_bytes().get(self.at).map(|byte| Mark::of(*byte))
    }
}

/// Where an array or an object ends that begins at a byte.
fn nested_end(bytes: &[u8], begin: usize) -> usize {
    let (mut at, mut depth) = (begin, 0u32);
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
        let text = r#" {"a":[1,{}], "b" :2} "#;
        let mut cursor = Cursor::new(text);
        let mut seen = Vec::new();
        let mut depth = 0;
        while cursor.advance() || depth > 1 {
            match cursor.enter() {
                Some(bracket) => {
                    depth += 1;
                    seen.push(char::from(bracket).to_string());
                }
                None if text[cursor.at..].starts_with(['"', '1', '2']) => seen.push(cursor.take().to_owned()),
                None => depth -= 1,
            }
        }
        assert_eq!(seen, ["{", r#""a""#, "[", "1", "{", r#""b""#, "2"]);
    }

    #[test]
    fn a_hostile_depth_costs_no_stack() {
        let hostile = "[".repeat(2_000_000);
        assert_eq!(Cursor::new(&hostile).take(), hostile);
    }
}
