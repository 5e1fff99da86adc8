//! What the operator writes: `routes.json`, from its text to a [`Gateway`].
//!
//! ```text
//! text ─ settings ─▶ tree ─ document ─▶ what was written ─ compile ─▶ Gateway, or every Problem
//! ```
//!
//! [`load`] is the only door. It gives a gateway or the faults of the file, all of them, each with
//! its place; never half of each.

mod compile;
mod document;
mod target;

use crate::gateway::Gateway;
use crate::settings::{FromNode, Node, Place, Problem, Problems};

/// Reads the text of a `routes.json`.
///
/// # Errors
/// Every fault of the file that can be found before the others are mended.
pub fn load(text: &str) -> Result<Gateway, Vec<Problem>> {
    let tree: Node = match serde_json::from_str(text) {
        Ok(tree) => tree,
        Err(error) => return Err(vec![Problem::not_json(&error)]),
    };
    let mut problems = Problems::default();
    let document = document::Document::from_node(&tree, &Place::root(), &mut problems);
    let gateway = document.map(|document| compile::gateway(document, &mut problems));
    match gateway {
        Some(gateway) if problems.is_empty() => Ok(gateway),
        _ => Err(problems.in_order_of(&tree)),
    }
}
