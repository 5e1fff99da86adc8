//! The slash at the end of a path.

use crate::settings::{FromNode, Node, Place, Problems, described_as};

/// What happens to a path that would belong to a route but for a slash at its end.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum SlashAtEnd {
    /// It does not belong to it.
    #[default]
    Strict,
    /// The client is sent to the path of the route.
    Redirect,
    /// It is taken for the path of the route.
    Ignore,
}

impl FromNode for SlashAtEnd {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::String(text) if text == "strict" => Some(Self::Strict),
            Node::String(text) if text == "redirect" => Some(Self::Redirect),
            Node::String(text) if text == "ignore" => Some(Self::Ignore),
            _ => {
                problems.add(place, "must be \"strict\", \"redirect\" or \"ignore\"");
                None
            }
        }
    }
}

described_as!(SlashAtEnd, { "enum": ["strict", "redirect", "ignore"] });
