//! How an instance is chosen, as written.

use crate::pool::Balance;
#[cfg(not(target_arch = "wasm32"))]
use crate::settings::schema::Described;
use crate::settings::{FromNode, Node, Place, Problems, shape, wrong_kind};
use crate::template::TextTemplate;

/// `"round-robin"`, `"random"`, `"least-loaded"` or `{ "hash": "{jwt.sub}" }`.
#[derive(Clone, Debug)]
pub enum BalanceSettings {
    Plain(Balance),
    Hash(TextTemplate),
}

shape! {
    /// The same value finds the same instance.
    pub struct HashSettings {
        /// The value: a text with {name} of path and host, {jwt.NAME}, {header.NAME}, {cookie.NAME} and the
        /// like. A request that lacks it gets any instance.
        "hash" => hash: TextTemplate = "{jwt.sub}",
    }
}

impl FromNode for BalanceSettings {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::String(text) => match text.as_str() {
                "round-robin" => Some(Self::Plain(Balance::RoundRobin)),
                "random" => Some(Self::Plain(Balance::Random)),
                "least-loaded" => Some(Self::Plain(Balance::LeastLoaded)),
                _ => {
                    problems.add(
                        place,
                        format!(
                            "is {text:?}, must be \"round-robin\", \"random\", \"least-loaded\" or {{\"hash\": …}}"
                        ),
                    );
                    None
                }
            },
            Node::Object(_) => HashSettings::from_node(node, place, problems)?.hash.map(Self::Hash),
            other => {
                wrong_kind(other, "\"round-robin\", \"random\", \"least-loaded\" or {\"hash\": …}", place, problems)
            }
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Described for BalanceSettings {
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let hash = HashSettings::schema(generator);
        schemars::json_schema!({ "anyOf": [{ "enum": ["round-robin", "random", "least-loaded"] }, hash] })
    }
}
