//! The query of a request: its parameters, as the URL standard's form encoding has them.

use std::borrow::Cow;

use crate::path::decode;

/// The parameters of a query, names and values as sent, in their order. Empty ones are left out.
pub fn parameters(query: &str) -> impl Iterator<Item = (&str, &str)> {
    query.split('&').filter(|pair| !pair.is_empty()).map(|pair| pair.split_once('=').unwrap_or((pair, "")))
}

/// The value of the first parameter of this name, decoded. Bytes that are not UTF-8 become `U+FFFD`.
pub fn value<'q>(query: &'q str, name: &str) -> Option<Cow<'q, str>> {
    parameters(query).find(|(other, _)| decoded(other) == name).map(|(_, value)| decoded(value))
}

/// How many parameters of this name there are.
pub fn count(query: &str, name: &str) -> usize {
    parameters(query).filter(|(other, _)| decoded(other) == name).count()
}

/// A query without the parameters of this name; the others as sent.
pub fn without(query: &str, name: &str) -> String {
    let others = query.split('&').filter(|pair| decoded(pair.split('=').next().unwrap_or_default()) != name);
    others.collect::<Vec<_>>().join("&")
}

/// A name or a value, decoded: `+` is a space, `%41` is `A`.
pub fn decoded(encoded: &str) -> Cow<'_, str> {
    if !encoded.contains(['%', '+']) {
        return Cow::Borrowed(encoded);
    }
    let bytes = decode(&encoded.replace('+', " "));
    Cow::Owned(String::from_utf8(bytes).unwrap_or_else(|error| String::from_utf8_lossy(error.as_bytes()).into_owned()))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_parameter_can_be_taken_out() {
        for (query, expected) in
            [("t=1&a=2&t=3&b", "a=2&b"), ("%74=1&a=%20", "a=%20"), ("t", ""), ("tt=1&&x", "tt=1&&x")]
        {
            assert_eq!(without(query, "t"), expected);
        }
    }

    #[test]
    fn the_first_parameter_of_a_name_counts() {
        for (query, name, expected) in [
            ("a=1&b=2", "b", Some("2")),
            ("a=1&a=2", "a", Some("1")),
            ("a", "a", Some("")),
            ("a=", "a", Some("")),
            ("a=b=c", "a", Some("b=c")),
            ("%61=x", "a", Some("x")),
            ("a=x%26b%3d1", "a", Some("x&b=1")),
            ("a=x+y", "a", Some("x y")),
            ("a=%ff", "a", Some("\u{fffd}")),
            ("a=%", "a", Some("%")),
            ("&&a=1", "a", Some("1")),
            ("A=1", "a", None),
            ("", "a", None),
        ] {
            assert_eq!(value(query, name).as_deref(), expected, "of {name} in {query:?}");
        }
    }
}
