//! The text of a file, for a terminal or the log of a CI: without what may be a secret.
//!
//! A secret has no business in the file, but may have got there by mistake, and under any key. So the
//! texts of those keys alone are shown whose values are known not to be secret, and the value that a
//! message is about.

use std::ops::Range;

/// Keys whose values are shown.
const HARMLESS: [&str; 20] = [
    "alg",
    "auth",
    "audience",
    "binding",
    "burst",
    "by",
    "forward",
    "gateway",
    "get",
    "host",
    "issuer",
    "limit",
    "method",
    "path",
    "prefix",
    "rate",
    "redirect",
    "replace_prefix",
    "timeout",
    "to",
];

/// The text with `*` for what stands in strings, but for names of members, values of harmless keys and
/// what is in `told`. What is no JSON is gone through as well as it can be.
pub(super) fn without_secrets(text: &str, told: &[Range<usize>]) -> String {
    let mut masked = String::with_capacity(text.len());
    // The key whose value comes next, or whose array is being read.
    let mut key = String::new();
    let mut rest = text;
    while let Some(open) = rest.find('"') {
        let (before, from) = rest.split_at(open);
        masked.push_str(before);
        let length = end_of_string(from);
        let (string, after) = from.split_at(length);
        let start = text.len() - from.len();
        let is_name = after.trim_start().starts_with(':');
        let inner = string.strip_prefix('"').unwrap_or(string);
        let inner = inner.strip_suffix('"').unwrap_or(inner);
        let is_harmless = HARMLESS.contains(&key.as_str()) && !(inner.contains("://") && inner.contains('@'));
        if is_name || is_harmless || told.iter().any(|range| range.contains(&start)) {
            masked.push_str(string);
        } else {
            masked.push('"');
            masked.extend(inner.chars().map(|_| '*'));
            masked.extend((string.len() > 1 && string.ends_with('"')).then_some('"'));
        }
        if is_name {
            key = inner.to_owned();
        }
        rest = after;
    }
    masked.push_str(rest);
    masked
}

/// The bytes of the string at the start of a text, its quotation marks included; one that does not end
/// goes to the end of its line.
fn end_of_string(text: &str) -> usize {
    let mut is_escaped = false;
    for (at, byte) in text.bytes().enumerate().skip(1) {
        match byte {
            b'\n' => return at,
            _ if is_escaped => is_escaped = false,
            b'\\' => is_escaped = true,
            b'"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_cannot_be_secret_is_shown() {
        for (text, shown) in [
            (r#"{"path": "/a", "secrt": "hunter2"}"#, r#"{"path": "/a", "secrt": "*******"}"#),
            (r#"{"headers": {"authorization": "Bearer x"}}"#, r#"{"headers": {"authorization": "********"}}"#),
            (r#"["a\"b", {"method": ["GET", "PUT"]}]"#, r#"["****", {"method": ["GET", "PUT"]}]"#),
            (r#"{"forward": "http://u:pw@o"}"#, r#"{"forward": "*************"}"#),
            ("{\"secret\": \"hunter2\n}", "{\"secret\": \"*******\n}"),
            (r#"{"a": "ä"}"#, r#"{"a": "*"}"#),
        ] {
            assert_eq!(without_secrets(text, &[]), shown, "of {text}");
        }
        let told = std::iter::once(6..9).collect::<Vec<_>>();
        assert_eq!(without_secrets(r#"{"a": "b", "c": "d"}"#, &told), r#"{"a": "b", "c": "*"}"#);
    }
}
