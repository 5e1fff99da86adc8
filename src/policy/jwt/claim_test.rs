//! What must hold for a claim of a token.

use serde_json::Value;

use crate::settings::{FromNode, Node, Place, Problems, described_as, wrong_kind};

/// What must hold for a claim.
#[derive(Clone, Debug, PartialEq)]
pub enum ClaimTest {
    /// It is there, whatever it is, but null.
    Exists,
    /// It is one of these.
    OneOf(Vec<Value>),
    /// It is an array that has this, or a text that has it among its words (as `scope` does, RFC 8693).
    Contains(Value),
}

impl ClaimTest {
    /// Whether it holds.
    pub fn holds(&self, claim: Option<&Value>) -> bool {
        match (self, claim) {
            (_, None | Some(Value::Null)) => false,
            (Self::Exists, Some(_)) => true,
            (Self::OneOf(values), Some(claim)) => values.contains(claim),
            (Self::Contains(value), Some(Value::Array(elements))) => elements.contains(value),
            (Self::Contains(Value::String(word)), Some(Value::String(text))) => text.split(' ').any(|one| one == word),
            (Self::Contains(_), Some(_)) => false,
        }
    }
}

impl FromNode for ClaimTest {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        const FORM: &str = "a text, a number, true or false; several; {\"contains\": VALUE} or {\"exists\": true}";
        let scalar = |node: &Node| match node {
            Node::String(_) | Node::Number(_) | Node::Bool(_) => serde_json::from_str(&node.to_json()).ok(),
            _ => None,
        };
        let read = match node {
            Node::Array(values) if !values.is_empty() => {
                values.iter().map(scalar).collect::<Option<_>>().map(Self::OneOf)
            }
            Node::Object(members) => match members.as_slice() {
                [(name, value)] if name == "contains" => scalar(value).map(Self::Contains),
                [(name, Node::Bool(true))] if name == "exists" => Some(Self::Exists),
                _ => None,
            },
            other => scalar(other).map(|value| Self::OneOf(vec![value])),
        };
        read.or_else(|| wrong_kind(node, FORM, place, problems))
    }
}

described_as!(ClaimTest, { "anyOf": [
    { "type": ["string", "number", "boolean"] },
    { "type": "array", "items": { "type": ["string", "number", "boolean"] }, "minItems": 1 },
    { "type": "object", "properties": { "contains": { "type": ["string", "number", "boolean"] } }, "required": ["contains"], "additionalProperties": false },
    { "type": "object", "properties": { "exists": { "const": true } }, "required": ["exists"], "additionalProperties": false },
] });

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    #[test]
    fn a_claim_is_as_the_rule_asks_or_not() {
        let one_of = |values: Value| ClaimTest::OneOf(values.as_array().unwrap().clone());
        for (test, claim, holds) in [
            (ClaimTest::Exists, json!(false), true),
            (ClaimTest::Exists, json!(null), false),
            (one_of(json!([true])), json!(true), true),
            (one_of(json!([true])), json!("true"), false),
            (one_of(json!(["a", 7])), json!(7), true),
            (one_of(json!(["a", 7])), json!("7"), false),
            (one_of(json!(["a"])), json!(["a"]), false),
            (ClaimTest::Contains(json!("a")), json!(["b", "a"]), true),
            (ClaimTest::Contains(json!("a")), json!("b a"), true),
            (ClaimTest::Contains(json!("a")), json!("ab"), false),
            (ClaimTest::Contains(json!(7)), json!([7]), true),
            (ClaimTest::Contains(json!(7)), json!("7"), false),
        ] {
            assert_eq!(test.holds(Some(&claim)), holds, "{test:?} of {claim}");
            assert!(!test.holds(None));
        }
    }
}
