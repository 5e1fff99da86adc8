//! What the gateway knows of a service's JSON without reading it into a tree: whether it is JSON,
//! and how deep it goes. Values are spliced as the bytes they came in, so that big numbers, key
//! order and spelling stay as the service wrote them.

use serde::de::IgnoredAny;

/// The deepest nesting of arrays and objects that is passed on (clients recurse).
pub const MAX_DEPTH: usize = 128;

/// The value in `body`, without the white space around it; `None` if the bytes are not exactly
/// one JSON text (RFC 8259) in UTF-8, nested at most [`MAX_DEPTH`] deep.
pub fn value(body: &[u8]) -> Option<&str> {
    let text = std::str::from_utf8(body).ok()?;
    serde_json::from_str::<IgnoredAny>(text).ok()?;
    (depth(text) <= MAX_DEPTH).then(|| text.trim_ascii())
}

/// The nesting depth of a text that is known to be JSON.
fn depth(text: &str) -> usize {
    let (mut deepest, mut current) = (0usize, 0usize);
    let (mut in_string, mut escaped) = (false, false);
    for byte in text.bytes() {
        match byte {
            _ if escaped => escaped = false,
            b'\\' if in_string => escaped = true,
            b'"' => in_string = !in_string,
            b'{' | b'[' if !in_string => {
                current += 1;
                deepest = deepest.max(current);
            }
            b'}' | b']' if !in_string => current = current.saturating_sub(1),
            _ => {}
        }
    }
    deepest
}

/// Appends `text` as a JSON string.
pub fn push_string(out: &mut Vec<u8>, text: &str) {
    // Writing a string into a Vec has no way to fail.
    let _ = serde_json::to_writer(out, text);
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
            assert_eq!(value(text.as_bytes()), Some(text));
        }
        assert_eq!(value(b" \r\n{ } \t"), Some("{ }"));
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
            assert_eq!(value(text.as_bytes()), None, "of {text:?}");
        }
        assert_eq!(value(b"\"\xff\""), None);
    }

    #[test]
    fn a_hostile_depth_costs_no_stack() {
        let hostile = "[".repeat(2_000_000);
        assert_eq!(value(hostile.as_bytes()), None);
    }
}
