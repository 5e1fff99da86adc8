//! What differs from one environment to another: services under other addresses, bindings or keys.
//!
//! ```json
//! "environments": { "staging": { "services": { "orders": { "url": "https://orders.staging.internal" } } } }
//! ```
//!
//! The runtime names the environment that it is ([`super::Gateways::of`]). Each is checked, whichever
//! is run.

use crate::settings::{Node, Place, Problem, Problems};

/// The key of the file that has them.
const ENVIRONMENTS: &str = "environments";

/// The names of the environments of a file.
pub fn names(tree: &Node) -> Vec<&str> {
    match tree.member(ENVIRONMENTS) {
        Some(Node::Object(members)) => members.iter().map(|(name, _)| name.as_str()).collect(),
        _ => Vec::new(),
    }
}

/// The file as it is in an environment: what it says of a service is put over what the file says, key
/// by key; `null` takes a key away.
pub fn applied(tree: &Node, name: &str) -> Node {
    let mut tree = tree.clone();
    let overrides = tree.member(ENVIRONMENTS).and_then(|all| all.member(name)).and_then(|it| it.member("services"));
    let Some(Node::Object(overrides)) = overrides.cloned() else { return tree };
    for (service, changes) in overrides {
        let Some(Node::Object(service)) = tree.member_mut("services").and_then(|all| all.member_mut(&service)) else {
            continue;
        };
        let Node::Object(changes) = changes else { continue };
        for (key, value) in changes {
            if value == Node::Null {
                service.retain(|(other, _)| *other != key);
                continue;
            }
            match service.iter_mut().find(|(other, _)| *other == key) {
                Some((_, there)) => *there = value,
                None => service.push((key, value)),
            }
        }
    }
    tree
}

/// The fault that the runtime is of an environment that is none of the file's.
pub fn unknown<'n>(name: &str, names: impl Iterator<Item = &'n str>) -> Problem {
    let message = format!("lack {name:?}, which the runtime says it is (POSTERN_ENVIRONMENT)");
    Problem::of_unknown(&Place::root().at(ENVIRONMENTS), message, name, names)
}

/// Notes services that an environment changes and the file does not have.
pub fn check_names(tree: &Node, problems: &mut Problems) {
    let Some(Node::Object(environments)) = tree.member(ENVIRONMENTS) else { return };
    let known: Vec<&str> = match tree.member("services") {
        Some(Node::Object(services)) => services.iter().map(|(name, _)| name.as_str()).collect(),
        _ => Vec::new(),
    };
    let (root, services) = (Place::root(), "services");
    let place = root.at(ENVIRONMENTS);
    for (name, environment) in environments {
        let Some(Node::Object(changed)) = environment.member(services) else { continue };
        let place = place.at(name);
        let place = place.at(services);
        for (service, _) in changed.iter().filter(|(service, _)| !known.contains(&service.as_str())) {
            let message = format!("changes the service {service:?}, which does not exist");
            problems.add_unknown(&place.at(service), message, service, known.iter().copied());
        }
    }
}

/// A fault of the file as it is in an environment, at its place in the file as it is written: where the
/// environment says it, or at the environment.
pub fn at_its_place(tree: &Node, name: &str, problem: Problem) -> Problem {
    let inside = tree.member(ENVIRONMENTS).and_then(|all| all.member(name));
    let mut node = inside;
    let keys = problem.place.keys().to_vec();
    let is_said = keys.iter().all(|key| {
        node = node.and_then(|node| node.child(key));
        node.is_some()
    });
    problem.below(&[ENVIRONMENTS, name], if is_said { &keys } else { &[] })
}
