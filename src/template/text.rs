//! Values of header fields and query parameters, put together of text and values.

use std::borrow::Cow;

use super::{Piece, Source, Texts, Values, for_each_source, pieces, sources};
use crate::settings::{Text, written_as_text};

/// A text to be completed with values of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextTemplate(Vec<Piece>);

impl Text for TextTemplate {
    const FORM: &'static str = "a text with {name}, {jwt.NAME}, {query.NAME}, {header.NAME} and the like in it";
    const PATTERN: &'static str = r"^([^{}\x00-\x1f\x7f]|\{[^{}]+\})*$";
    // It may have a secret in it, which belongs into the environment.
    const SECRET: bool = true;

    fn read(text: &str) -> Result<Self, String> {
        if text.chars().any(|c| !(' '..='~').contains(&c)) {
            return Err("has characters that are not visible ASCII; percent-encode them".to_owned());
        }
        if text.trim() != text {
            return Err("begins or ends with a space, which is no part of a value".to_owned());
        }
        pieces(text).map(Self)
    }
}

written_as_text!(TextTemplate);

impl TextTemplate {
    /// All values that the text asks for.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        sources(&self.0)
    }

    /// Whether a secret of the environment is among them.
    pub fn asks_for_a_secret(&self) -> bool {
        self.sources().any(|source| matches!(source, Source::Secret(_)))
    }

    /// Completes the text as a query value, not yet encoded. `None` where a value is missing.
    pub fn plain(&self, values: &Values<'_>) -> Option<String> {
        self.render(|source| values.of(source))
    }

    /// Completes the text as a query value, not yet encoded: several texts, where it is one value that is
    /// an array. `None` where a value is missing.
    pub fn texts(&self, values: &Values<'_>) -> Option<Vec<String>> {
        match self.0.as_slice() {
            [Piece::Value(Source::Inner(inner))] => inner.texts(&values.inner),
            _ => self.plain(values).map(|text| vec![text]),
        }
    }

    /// Completes the text for a header field: what is not visible ASCII in a value is
    /// percent-encoded, so that it cannot end the field. A claim that is an array or an object is JSON, with what is
    /// not ASCII escaped as JSON has it. `None` where a value is missing.
    pub fn field_value(&self, values: &Values<'_>) -> Option<String> {
        self.render(|source| match values.of(source) {
            Some(value) => Some(percent_encoded(&value).into()),
            None => Some(ascii_json(&values.composite(source)?).into()),
        })
    }

    fn render<'v>(&self, value: impl Fn(&Source) -> Option<Cow<'v, str>>) -> Option<String> {
        let mut rendered = String::with_capacity(32);
        for piece in &self.0 {
            match piece {
                Piece::Text(text) => rendered.push_str(text),
                Piece::Value(source) => rendered.push_str(&value(source)?),
            }
        }
        Some(rendered)
    }
}

fn percent_encoded(value: &str) -> String {
    let mut encoded = String::with_capacity(value.len());
    for byte in value.bytes() {
        match byte {
            b' '..=b'~' => encoded.push(char::from(byte)),
            _ => encoded.push_str(&format!("%{byte:02X}")),
        }
    }
    encoded
}

/// Outside of its strings, JSON is ASCII, and in them every character can be escaped (RFC 8259, section 7).
fn ascii_json(json: &str) -> String {
    let mut escaped = String::with_capacity(json.len());
    for c in json.chars() {
        match c {
            ' '..='~' => escaped.push(c),
            _ => c.encode_utf16(&mut [0; 2]).iter().for_each(|unit| escaped.push_str(&format!("\\u{unit:04x}"))),
        }
    }
    escaped
}

impl Texts for TextTemplate {
    fn for_each_source(&mut self, change: &mut dyn FnMut(&mut Source)) {
        for_each_source(&mut self.0, change);
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Head;
    use crate::policy::caller::Caller;
    use crate::router::Params;
    use crate::template::InnerValues;
    use serde_json::json;

    #[test]
    fn a_value_cannot_end_a_field() {
        let serde_json::Value::Object(claims) = json!({"name": "Zoë\r\nx: y", "n": 1, "roles": ["a", "ö\u{1f600}\n\u{7f}"], "o": {"a": null}, "null": null})
        else {
            panic!()
        };
        let caller = Caller::new("https://id/", claims);
        let head = Head::from_text("GET\nhttps://h/\n192.0.2.7\nid-1\n1\n").unwrap();
        let params = Params::from_pairs(&[("id", "a%20b")]);
        let secret = |name: &str| (name == "KEY").then(|| "s3cret".to_owned());
        let inner = InnerValues::NONE;
        let values = Values { head: &head, params: &params, caller: Some(&caller), secret: &secret, inner };
        for (text, expected) in [
            ("plain", Some("plain")),
            ("{jwt.name}", Some("Zo%C3%AB%0D%0Ax: y")),
            ("{jwt.roles}", Some(r#"["a","\u00f6\ud83d\ude00\n\u007f"]"#)),
            ("o={jwt.o}", Some(r#"o={"a":null}"#)),
            ("{jwt.null}", None),
            ("n={jwt.n}; id={id}", Some("n=1; id=a b")),
            ("{client.address} {request.id}", Some("192.0.2.7 id-1")),
            ("Bearer {env.KEY}", Some("Bearer s3cret")),
            ("Bearer {env.OTHER}", None),
            ("{header.none}", None),
            ("", Some("")),
        ] {
            let got = TextTemplate::read(text).unwrap().field_value(&values);
            assert_eq!(got.as_deref(), expected, "of {text}");
        }
    }

    #[test]
    fn a_faulty_text_is_refused() {
        for text in ["{", "a}", "{}", "{x.y}", "a\nb", "ä", " a", "a "] {
            assert!(TextTemplate::read(text).is_err(), "of {text:?}");
        }
    }
}
