//! Whether a text is JSON, and how much there is in it.

use smallvec::SmallVec;

use crate::spans::Finding;
use crate::string::checked_string_end;

/// How much there is in a text. Texts have less than 4 GiB.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Size {
    /// The deepest nesting of arrays and objects.
    pub depth: u32,
    /// Elements and members in all, at most one too many for each array or object.
    pub elements: u32,
}

impl Size {
    /// How much there is in a text, if that is exactly one JSON text (RFC 8259).
    pub fn of(text: &str) -> Option<Self> {
        scan(text, &mut Finding::nothing())
    }
}

/// How much there is in a text, if that is exactly one JSON text (RFC 8259), and what is found on the way.
pub(crate) fn scan(text: &str, finding: &mut Finding) -> Option<Size> {
    let bytes = text.as_bytes();
    let (mut at, mut size) = (0, Size::default());
    // The bracket that must come next, and those that must come after it; 0 is the end of the text.
    let (mut closing, mut outer) = (0, SmallVec::<[u8; 32]>::new());
    loop {
        let begin = space_end(bytes, at);
        let first = *bytes.get(begin)?;
        if let b'[' | b'{' = first {
            outer.push(closing);
            closing = if first == b'[' { b']' } else { b'}' };
            size.elements += 1;
            size.depth = size.depth.max(outer.len() as u32);
            finding.count(size.elements);
            finding.open(begin);
            at = space_end(bytes, begin + 1);
            if bytes.get(at) != Some(&closing) {
                if first == b'{' {
                    at = key_end(bytes, at, finding)?;
                }
                continue;
            }
        } else {
            at = match first {
                b'"' => checked_string_end(bytes, begin)?,
                b't' => word_end(bytes, begin, b"true")?,
                b'f' => word_end(bytes, begin, b"false")?,
                b'n' => word_end(bytes, begin, b"null")?,
                _ => number_end(bytes, begin)?,
            };
            finding.add(begin, at);
        }
        // A value has ended, or there is none; what it is in may have ended too.
        loop {
            at = space_end(bytes, at);
            match bytes.get(at) {
                Some(b',') if closing != 0 => {
                    size.elements += 1;
                    finding.count(size.elements);
                    at += 1;
                    if closing == b'}' {
                        at = key_end(bytes, space_end(bytes, at), finding)?;
                    }
                    break;
                }
                Some(byte) if *byte == closing => {
                    at += 1;
                    finding.close(at);
                    closing = outer.pop()?;
                }
                None if closing == 0 => return Some(size),
                _ => return None,
            }
        }
    }
}

/// Where the white space ends that may begin at a byte.
fn space_end(bytes: &[u8], mut at: usize) -> usize {
    while let Some(b' ' | b'\n' | b'\t' | b'\r') = bytes.get(at) {
        at += 1;
    }
    at
}

/// Where the key of a member ends, with its colon.
fn key_end(bytes: &[u8], begin: usize, finding: &mut Finding) -> Option<usize> {
    if bytes.get(begin) != Some(&b'"') {
        return None;
    }
    let end = checked_string_end(bytes, begin)?;
    finding.add(begin, end);
    let colon = space_end(bytes, end);
    (bytes.get(colon) == Some(&b':')).then_some(colon + 1)
}

fn word_end(bytes: &[u8], begin: usize, word: &[u8]) -> Option<usize> {
    bytes.get(begin..)?.starts_with(word).then_some(begin + word.len())
}

/// Where a number ends (RFC 8259, section 6).
fn number_end(bytes: &[u8], begin: usize) -> Option<usize> {
    let mut at = begin + usize::from(bytes.get(begin) == Some(&b'-'));
    at = match bytes.get(at)? {
        b'0' => at + 1,
        _ => digits_end(bytes, at)?,
    };
    if bytes.get(at) == Some(&b'.') {
        at = digits_end(bytes, at + 1)?;
    }
    if let Some(b'e' | b'E') = bytes.get(at) {
        let is_signed = matches!(bytes.get(at + 1), Some(b'+' | b'-'));
        at = digits_end(bytes, at + 1 + usize::from(is_signed))?;
    }
    Some(at)
}

/// Where digits end, of which there is at least one.
fn digits_end(bytes: &[u8], begin: usize) -> Option<usize> {
    let mut at = begin;
    while bytes.get(at).is_some_and(u8::is_ascii_digit) {
        at += 1;
    }
    (at > begin).then_some(at)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;
    use serde::de::IgnoredAny;

    fn assert_as_serde(text: &str) {
        let is_json = serde_json::from_str::<IgnoredAny>(text).is_ok();
        let size = Size::of(text);
        assert_eq!(size.is_some(), is_json, "of {text:?}");
        assert_eq!(scan(text, &mut Finding::of_at_most(u32::MAX, 0)), size, "of {text:?}");
    }

    #[test]
    fn only_whole_json_counts() {
        for text in [
            "",
            " ",
            "nul",
            "nulll",
            "true",
            "falsy",
            "tru",
            "[",
            "]",
            "{",
            "}",
            "{]",
            "[}",
            "[]]",
            "[[]",
            "[,]",
            "[1,]",
            "[,1]",
            "{,}",
            "{\"a\"}",
            "{\"a\":}",
            "{\"a\":1,}",
            "{a:1}",
            "{1:1}",
            "{\"a\" : 1 , \"b\":[ ] } ",
            "[1 2]",
            "1 2",
            "0",
            "-",
            "-0",
            "-0.0",
            "01",
            "-01",
            "1.",
            ".1",
            "1.5e",
            "1.5e+",
            "1E-7",
            "1e5.5",
            "+1",
            "0x1",
            "NaN",
            "'a'",
            "\"a",
            "\"\\u00e4\"",
            "\"\\ud800\"",
            "\"\\u12\"",
            "\"\\u12g4\"",
            "\"\\q\"",
            "\"\t\"",
            "\"\u{7f}\"",
            "\u{feff}{}",
            "\u{a0}1",
            "1\u{b}",
            "\u{0}",
            "1\u{0}",
            "[1]\u{0}",
            "\t\n\r 1\t\n\r ",
            "[\"\",\"\\\\\",\"\\\"\"]",
            "{\"\":{\"\":{}}}",
            "12345678901234567890123",
            "1e400",
            "[1,2,[3,{\"a\":[true,false,null]}],-4.25e-10]",
            "true false",
            "\"a\"\"b\"",
            "{}{}",
            "[\"a\":1]",
        ] {
            assert_as_serde(text);
        }
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
            assert_eq!(Size::of(text), Some(Size { depth, elements }), "of {text}");
        }
    }

    #[test]
    fn a_hostile_depth_costs_no_stack() {
        assert_eq!(Size::of(&"[".repeat(2_000_000)), None);
        let whole = format!("{}{}", "[".repeat(2_000_000), "]".repeat(2_000_000));
        assert_eq!(Size::of(&whole), Some(Size { depth: 2_000_000, elements: 2_000_000 }));
    }

    /// Pieces of JSON, in whatever order: some are JSON, and most nearly are.
    fn pieces() -> impl Strategy<Value = String> {
        let piece = prop::sample::select(vec![
            "[",
            "]",
            "{",
            "}",
            ",",
            ":",
            " ",
            "\n",
            "\"",
            "\"a\"",
            "\"a\":",
            "\"b\": ",
            "\\",
            "\\n",
            "\\u00e4",
            "u12",
            "1",
            "0",
            "-",
            ".5",
            "e+3",
            "E",
            "true",
            "false",
            "null",
            "ü",
            "\u{1}",
            "[]",
            "{}",
            "\"a,]}\\\"\"",
            "[1,2]",
            "{\"a\":{\"b\":[]}}",
        ]);
        prop::collection::vec(piece, 0..12).prop_map(|pieces| pieces.concat())
    }

    fn values() -> impl Strategy<Value = String> {
        let leaf = prop::sample::select(vec![
            "null",
            "true",
            "-1.5e+7",
            "0",
            "\"\"",
            "\"\\\\\"",
            "\"a longer text, with ü\"",
            "[ ]",
            "{\n}",
        ]);
        leaf.prop_map(str::to_owned).prop_recursive(4, 30, 5, |inner| {
            let member = ("[ab\\\\]{0,3}", inner.clone()).prop_map(|(name, value)| format!("{name:?} : {value}"));
            prop_oneof![
                prop::collection::vec(inner, 1..5).prop_map(|all| format!("[{}]", all.join(", "))),
                prop::collection::vec(member, 1..5).prop_map(|all| format!("{{{}}}", all.join(","))),
            ]
        })
    }

    proptest! {
        #[test]
        fn what_is_json_is_what_serde_json_says(text in prop_oneof![pieces(), values()]) {
            assert_as_serde(&text);
        }

        #[test]
        fn a_letter_more_or_less_is_noticed(text in values(), at in any::<prop::sample::Index>(), other in "[\\[\\]{},:\"\\\\0-9eE.+ a-z-]") {
            let letters: Vec<char> = text.chars().collect();
            let at = at.index(letters.len());
            let with = |middle: &[char], rest| [&letters[..at], middle, &letters[rest..]].concat().into_iter().collect::<String>();
            assert_as_serde(&with(&[], at + 1));
            let other: Vec<char> = other.chars().collect();
            assert_as_serde(&with(&other, at));
            assert_as_serde(&with(&other, at + 1));
        }
    }
}
