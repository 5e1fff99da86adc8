//! JSON with values in it: the body of a call, as the file has it.
//!
//! ```json
//! { "user": "{jwt.sub}", "items": "{body.items}", "note": "from {request.host}", "fixed": 1 }
//! ```
//!
//! A string that is one value and nothing else becomes that value, of the kind that it has: a number
//! stays a number, an object an object. A member whose value is missing is left out, an element is `null`.

use std::borrow::Cow;

use super::{Piece, Source, Texts, Values, pieces, sources};
use crate::json;
use crate::settings::{Node, Place, Problems};

/// A JSON value to be completed with values of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum JsonTemplate {
    /// The same in every request, as JSON text.
    Constant(String),
    /// The value itself.
    Value(Source),
    /// A string with values in it.
    Text(TextPieces),
    /// An array.
    Array(Vec<JsonTemplate>),
    /// An object; keys as JSON strings.
    Object(Vec<(String, JsonTemplate)>),
}

/// A text in pieces.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TextPieces(Vec<Piece>);

impl JsonTemplate {
    /// Reads what the file has; notes faults of its texts.
    pub fn compile(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Self {
        match node {
            Node::String(text) => match pieces(text) {
                Ok(pieces) if sources(&pieces).next().is_none() => Self::Constant(node.to_json()),
                Ok(pieces) => match <[Piece; 1]>::try_from(pieces) {
                    Ok([Piece::Value(source)]) => Self::Value(source),
                    Ok(text) => Self::Text(TextPieces(text.into())),
                    Err(pieces) => Self::Text(TextPieces(pieces)),
                },
                Err(why) => {
                    problems.add(place, why);
                    Self::Constant(node.to_json())
                }
            },
            Node::Array(elements) => {
                let compiled = elements.iter().enumerate();
                Self::Array(compiled.map(|(at, node)| Self::compile(node, &place.at(at), problems)).collect())
            }
            Node::Object(members) => Self::Object(
                members
                    .iter()
                    .map(|(name, node)| (json::string(name), Self::compile(node, &place.at(name), problems)))
                    .collect(),
            ),
            constant => Self::Constant(constant.to_json()),
        }
    }

    /// All values that it asks for.
    pub fn sources(&self) -> Vec<&Source> {
        match self {
            Self::Constant(_) => Vec::new(),
            Self::Value(source) => vec![source],
            Self::Text(TextPieces(pieces)) => sources(pieces).collect(),
            Self::Array(elements) => elements.iter().flat_map(Self::sources).collect(),
            Self::Object(members) => members.iter().flat_map(|(_, value)| value.sources()).collect(),
        }
    }

    /// The completed JSON text; `None` where it is one value, which is missing.
    pub fn render(&self, values: &Values<'_>) -> Option<String> {
        let mut out = String::with_capacity(64);
        self.push(values, &mut out).then_some(out)
    }

    /// Appends it; whether it is there.
    fn push(&self, values: &Values<'_>, out: &mut String) -> bool {
        match self {
            Self::Constant(text) => out.push_str(text),
            Self::Value(source) => match values.json(source) {
                Some(json) => out.push_str(&json),
                None => return false,
            },
            Self::Text(TextPieces(pieces)) => {
                let mut text = String::new();
                for piece in pieces {
                    match piece {
                        Piece::Text(fixed) => text.push_str(fixed),
                        Piece::Value(source) => {
                            let Some(value) = values.of(source) else { return false };
                            text.push_str(&value);
                        }
                    }
                }
                out.push_str(&json::string(&text));
            }
            Self::Array(elements) => {
                out.push('[');
                for (at, element) in elements.iter().enumerate() {
                    if at > 0 {
                        out.push(',');
                    }
                    if !element.push(values, out) {
                        out.push_str("null");
                    }
                }
                out.push(']');
            }
            Self::Object(members) => {
                out.push('{');
                let mut is_first = true;
                for (key, value) in members {
                    let before = out.len();
                    if !is_first {
                        out.push(',');
                    }
                    out.push_str(key);
                    out.push(':');
                    if value.push(values, out) {
                        is_first = false;
                    } else {
                        out.truncate(before);
                    }
                }
                out.push('}');
            }
        }
        true
    }
}

impl Texts for JsonTemplate {
    fn for_each_source(&mut self, change: &mut dyn FnMut(&mut Source)) {
        match self {
            Self::Constant(_) => {}
            Self::Value(source) => change(source),
            Self::Text(TextPieces(pieces)) => super::for_each_source(pieces, change),
            Self::Array(elements) => elements.iter_mut().for_each(|element| element.for_each_source(change)),
            Self::Object(members) => members.iter_mut().for_each(|(_, value)| value.for_each_source(change)),
        }
    }
}

impl Values<'_> {
    /// A value as JSON text; `None` where there is none.
    pub fn json(&self, source: &Source) -> Option<Cow<'_, str>> {
        match source {
            Source::Inner(inner) => inner.json(&self.inner),
            // A claim may be a number, an array, an object.
            Source::Claim(name) => self.caller?.claim_json(name).map(Cow::Owned),
            other => Some(Cow::Owned(json::string(&self.of(other)?))),
        }
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
    fn values_keep_their_kind() {
        let serde_json::Value::Object(claims) = json!({ "sub": "a\"b", "n": 7, "roles": ["x"] }) else { panic!() };
        let caller = Caller::new("https://id/", claims);
        let head = Head::from_text("GET\nhttps://h/?q=1\n\nid-1\n1\n").unwrap();
        let params = Params::from_pairs(&[]);
        let inner =
            InnerValues { body: Some(r#"{"big":12345678901234567890123,"o":{"z":1,"a":2}}"#), ..InnerValues::NONE };
        let values = Values { head: &head, params: &params, caller: Some(&caller), secret: &|_| None, inner };
        for (written, expected) in [
            (r#"{"a":1,"b":[null,true,"x"]}"#, Some(r#"{"a":1,"b":[null,true,"x"]}"#)),
            (r#""{body.o}""#, Some(r#"{"z":1,"a":2}"#)),
            (r#""{body.none}""#, None),
            (r#"{"u":"{jwt.sub}","n":"{jwt.n}","r":"{jwt.roles}"}"#, Some(r#"{"u":"a\"b","n":7,"r":["x"]}"#)),
            (r#"{"x":"{query.none}","t":"q={query.q}; {jwt.n}"}"#, Some(r#"{"t":"q=1; 7"}"#)),
            (r#"["{query.none}","{body.big}"]"#, Some("[null,12345678901234567890123]")),
            (r#"{"é ":"ü"}"#, Some(r#"{"é ":"ü"}"#)),
        ] {
            let node: Node = serde_json::from_str(written).unwrap();
            let mut problems = Problems::default();
            let template = JsonTemplate::compile(&node, &Place::root(), &mut problems);
            assert!(!problems.refuse(), "{written}");
            assert_eq!(template.render(&values).as_deref(), expected, "of {written}");
        }
    }
}
