//! Whether something is looked up in KV, and how often again: `true`, or `{ "refresh": "30s" }`.

use std::time::Duration;

use crate::settings::{FromNode, Node, Place, Problems, TimeLimit, shape};

shape! {
    /// Whether something is looked up in KV, and how often again.
    pub struct FullRefreshSettings {
        /// How long what KV said is remembered. KV itself takes up to a minute to tell all places.
        "refresh" => refresh: Option<TimeLimit> = "30s",
    }
}

/// Whether something is looked up in KV, and how often again.
#[derive(Clone, Debug)]
pub enum RefreshSettings {
    /// `true` or `false`.
    Brief(bool),
    /// With a time.
    Full(FullRefreshSettings),
}

impl FromNode for RefreshSettings {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::Object(_) => FullRefreshSettings::from_node(node, place, problems).map(Self::Full),
            _ => bool::from_node(node, place, problems).map(Self::Brief),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl crate::settings::schema::Described for RefreshSettings {
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (brief, full) = (bool::schema(generator), FullRefreshSettings::schema(generator));
        schemars::json_schema!({ "anyOf": [brief, full] })
    }
}

impl RefreshSettings {
    /// How long what KV said is remembered; the inner `None` is that it is not asked.
    pub fn compile(self, default: Duration) -> Option<Option<Duration>> {
        Some(match self {
            Self::Brief(is_asked) => is_asked.then_some(default),
            Self::Full(full) => Some(full.refresh?.map_or(default, |limit| limit.0)),
        })
    }
}
