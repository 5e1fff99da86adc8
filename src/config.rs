//! What the operator writes: `routes.json`, from its text to a [`Gateway`].
//!
//! ```text
//! text ─ settings ─▶ tree ─ document ─▶ what was written ─ compile ─▶ Gateway, or every Problem
//! ```
//!
//! [`load_all`] is the only door, and [`load`] is that for one environment. It gives gateways or the faults of the file, all
//! of them, each with its place; never half of each. What may not be meant comes as warnings beside either.

mod action;
mod aggregate;
mod auth;
mod balance;
mod compile;
mod document;
mod environment;
mod part;
mod prefix;
mod routes;
mod said;
mod services;
mod target;

pub use services::instances;
pub(crate) use target::Target;

use crate::gateway::Gateway;
use crate::settings::{FromNode, Node, Place, Problem, Problems, Severity};

/// The JSON Schema (draft 2020-12) of a `routes.json`, for editors.
#[cfg(not(target_arch = "wasm32"))]
pub fn schema() -> schemars::Schema {
    let draft = schemars::generate::SchemaSettings::draft2020_12();
    let mut schema = draft.into_generator().into_root_schema_for::<document::Document>();
    schema.insert("title".to_owned(), "routes.json of the Postern API gateway".into());
    schema
}

/// What a file comes to: the gateway as it is written, and what it is in each of its environments.
#[derive(Debug)]
pub struct Gateways {
    as_written: Gateway,
    by_environment: Vec<(String, Gateway)>,
}

impl Gateways {
    /// Lets go of the memory that is not needed to serve requests.
    pub fn settle(&mut self) {
        self.as_written.router.settle();
        self.by_environment.iter_mut().for_each(|(_, gateway)| gateway.router.settle());
    }

    /// The gateway of an environment; `None` is the file as it is written.
    ///
    /// # Errors
    /// The name is none of the file's, and the file has some.
    pub fn of(mut self, environment: Option<&str>) -> Result<Gateway, Problem> {
        let Some(name) = environment.filter(|_| !self.by_environment.is_empty()) else { return Ok(self.as_written) };
        match self.by_environment.iter().position(|(other, _)| other == name) {
            Some(at) => Ok(self.by_environment.swap_remove(at).1),
            None => Err(environment::unknown(name, self.by_environment.iter().map(|(name, _)| name.as_str()))),
        }
    }
}

/// Reads the text of a `routes.json`, as [`load_all`] does, for one environment. `None` is the file as it is written; a
/// name that is none of the file's is a fault, if it has any.
pub fn load(text: &str, environment: Option<&str>) -> (Option<Gateway>, Vec<Problem>) {
    let (gateways, mut problems) = load_all(text);
    let gateway = gateways.and_then(|gateways| gateways.of(environment).map_err(|unknown| problems.push(unknown)).ok());
    (gateway, problems)
}

/// Reads the text of a `routes.json`. Gives its gateways, unless there is a fault; and every fault of any environment
/// that can be found before the others are mended, and every warning, in the order of the file.
pub fn load_all(text: &str) -> (Option<Gateways>, Vec<Problem>) {
    let tree: Node = match serde_json::from_str(text) {
        Ok(tree) => tree,
        Err(error) => return (None, vec![Problem::not_json(&error)]),
    };
    let mut problems = Problems::default();
    environment::check_names(&tree, &mut problems);
    let as_written = read(&tree, &mut problems);
    let mut all = problems.in_order_of(&tree);
    let mut by_environment = Vec::new();
    for name in environment::names(&tree) {
        let mut problems = Problems::default();
        let there = environment::applied(&tree, name);
        let gateway = read(&there, &mut problems);
        by_environment.extend(gateway.map(|gateway| (name.to_owned(), gateway)));
        for problem in
            problems.in_order_of(&there).into_iter().filter(|problem| !all.contains(problem)).collect::<Vec<_>>()
        {
            let problem = environment::at_its_place(&tree, name, problem);
            if !all.contains(&problem) {
                all.push(problem);
            }
        }
    }
    let is_refused = all.iter().any(|problem| problem.severity == Severity::Error);
    let as_written = as_written.filter(|_| !is_refused);
    (as_written.map(|as_written| Gateways { as_written, by_environment }), all)
}

fn read(tree: &Node, problems: &mut Problems) -> Option<Gateway> {
    let document = document::Document::from_node(tree, &Place::root(), problems);
    document.map(|document| compile::gateway(document, problems))
}
