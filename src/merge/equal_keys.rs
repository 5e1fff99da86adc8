//! The rule for keys that several parts have, as the operator writes it.

use crate::json::path::Path;
#[cfg(not(target_arch = "wasm32"))]
use crate::settings::schema::Described;
use crate::settings::{FromNode, Node, Place, Problems, shape, written_as_word};

/// What becomes of a key that several parts have.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub enum EqualKeys {
    /// The whole fails: nobody expects it.
    Error,
    /// The first part's value.
    First,
    /// The last part's value.
    #[default]
    Last,
    /// Objects become one, member by member; else the last part's value.
    Deep,
    /// As `Deep`, and arrays go one after the other.
    Concat,
    /// As `Concat`, and elements with equal values at this place become one, the later over the earlier.
    UnionBy(Path),
}

/// The rules that are a word.
#[derive(Clone, Debug)]
struct Word(EqualKeys);

written_as_word!(Word {
    "error" => Self(EqualKeys::Error),
    "first" => Self(EqualKeys::First),
    "last" => Self(EqualKeys::Last),
    "deep" => Self(EqualKeys::Deep),
    "concat" => Self(EqualKeys::Concat),
});

shape! {
    /// Arrays are united: elements with the same key become one.
    pub struct UnionSettings {
        /// Where an element has its key. Keys are equal as texts: "7" is 7. Elements without it stay.
        "union_by" => union_by: Path = "id",
    }
}

impl FromNode for EqualKeys {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        if !matches!(node, Node::Object(_)) {
            return Word::from_node(node, place, problems).map(|word| word.0);
        }
        let key = UnionSettings::from_node(node, place, problems)?.union_by?;
        if key.steps().is_empty() {
            problems.add(&place.at("union_by"), "is empty");
            return None;
        }
        Some(Self::UnionBy(key))
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Described for EqualKeys {
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [Word::schema(generator), UnionSettings::schema(generator)] })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::settings::Text;

    #[test]
    fn a_rule_is_a_word_or_a_union() {
        for (text, expected) in [
            (r#""error""#, Ok(EqualKeys::Error)),
            (r#""first""#, Ok(EqualKeys::First)),
            (r#""last""#, Ok(EqualKeys::Last)),
            (r#""deep""#, Ok(EqualKeys::Deep)),
            (r#""concat""#, Ok(EqualKeys::Concat)),
            (r#"{"union_by": "meta.id"}"#, Ok(EqualKeys::UnionBy(Path::read("meta.id").unwrap()))),
            (r#""union""#, Err(r#"must be "error", "first", "last", "deep" or "concat""#)),
            ("7", Err(r#"must be "error", "first", "last", "deep" or "concat""#)),
            (r#"{"union_by": ""}"#, Err("/union_by: is empty")),
            ("{}", Err(r#"lacks "union_by""#)),
        ] {
            let node: Node = serde_json::from_str(text).unwrap();
            let mut problems = Problems::default();
            let read = EqualKeys::from_node(&node, &Place::root(), &mut problems);
            let fault = problems.in_order_of(&node).first().map(ToString::to_string);
            assert_eq!((read, fault.as_deref()), (expected.clone().ok(), expected.err()), "of {text}");
        }
    }
}
