//! Reading the tree into what was written, without stopping at the first fault.
//!
//! serde's own derive stops there, and an operator would mend a file one fault at a time; so the
//! shapes of the file are declared with [`settings!`], which reads each key by itself.

use super::node::Node;
use super::problem::{Place, Problems};

/// What can be read from a value of the file.
pub trait FromNode: Sized {
    /// Reads the value, or notes what is wrong with it and gives `None`.
    fn from_node(node: &Node, place: &Place, problems: &mut Problems) -> Option<Self>;

    /// What stands where the key is missing; `None` where it must not be.
    fn when_missing() -> Option<Self> {
        None
    }
}

impl<T: FromNode> FromNode for Option<T> {
    fn from_node(node: &Node, place: &Place, problems: &mut Problems) -> Option<Self> {
        T::from_node(node, place, problems).map(Some)
    }

    fn when_missing() -> Option<Self> {
        Some(None)
    }
}

impl FromNode for Node {
    fn from_node(node: &Node, place: &Place, problems: &mut Problems) -> Option<Self> {
        let whole = no_key_twice(node, place, problems);
        whole.then(|| node.clone())
    }
}

impl FromNode for String {
    fn from_node(node: &Node, place: &Place, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::String(text) if text.is_empty() => {
                problems.add(place, "is empty");
                None
            }
            Node::String(text) => Some(text.clone()),
            other => wrong_kind(other, "a string", place, problems),
        }
    }
}

impl FromNode for u32 {
    fn from_node(node: &Node, place: &Place, problems: &mut Problems) -> Option<Self> {
        let number = match node {
            Node::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
            _ => None,
        };
        number.or_else(|| wrong_kind(node, "a whole number", place, problems))
    }
}

impl<T: FromNode> FromNode for Vec<T> {
    fn from_node(node: &Node, place: &Place, problems: &mut Problems) -> Option<Self> {
        let Node::Array(elements) = node else {
            return wrong_kind(node, "an array", place, problems);
        };
        let read: Vec<Option<T>> = elements
            .iter()
            .enumerate()
            .map(|(at, element)| T::from_node(element, &place.at(at), problems))
            .collect();
        read.into_iter().collect()
    }
}

/// One value, or an array of at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T: FromNode> FromNode for OneOrMany<T> {
    fn from_node(node: &Node, place: &Place, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::Array(elements) if elements.is_empty() => {
                problems.add(place, "is empty");
                None
            }
            Node::Array(_) => Vec::from_node(node, place, problems).map(Self),
            one => T::from_node(one, place, problems).map(|one| Self(vec![one])),
        }
    }
}

/// An object whose keys are names that the operator gave, in the order of the file.
#[derive(Clone, Debug)]
pub struct Named<T>(pub Vec<(String, T)>);

impl<T: FromNode> FromNode for Named<T> {
    fn from_node(node: &Node, place: &Place, problems: &mut Problems) -> Option<Self> {
        let Node::Object(members) = node else {
            return wrong_kind(node, "an object", place, problems);
        };
        let unique = each_key_once(members, place, problems);
        let read: Vec<Option<(String, T)>> = members
            .iter()
            .map(|(name, value)| {
                let value = T::from_node(value, &place.at(name), problems);
                if name.is_empty() {
                    problems.add(place, "has an empty name");
                    return None;
                }
                value.map(|value| (name.clone(), value))
            })
            .collect();
        read.into_iter().collect::<Option<Vec<_>>>().filter(|_| unique).map(Self)
    }

    fn when_missing() -> Option<Self> {
        Some(Self(Vec::new()))
    }
}

/// Notes a value of another kind than `expected`.
pub fn wrong_kind<T>(node: &Node, expected: &str, place: &Place, problems: &mut Problems) -> Option<T> {
    let got = match node {
        Node::Number(number) => number.to_string(),
        Node::String(text) => format!("{text:?}"),
        other => other.kind().to_owned(),
    };
    problems.add(place, format!("is {got}, must be {expected}"));
    None
}

/// Notes each key that stands more than once in an object.
pub fn each_key_once(members: &[(String, Node)], place: &Place, problems: &mut Problems) -> bool {
    let mut once = true;
    for (at, (key, _)) in members.iter().enumerate() {
        if members.iter().take(at).any(|(earlier, _)| earlier == key) {
            problems.add(&place.at(key), "stands twice");
            once = false;
        }
    }
    once
}

fn no_key_twice(node: &Node, place: &Place, problems: &mut Problems) -> bool {
    match node {
        Node::Array(elements) => elements
            .iter()
            .enumerate()
            .fold(true, |fine, (at, element)| no_key_twice(element, &place.at(at), problems) && fine),
        Node::Object(members) => members
            .iter()
            .fold(each_key_once(members, place, problems), |fine, (key, value)| {
                no_key_twice(value, &place.at(key), problems) && fine
            }),
        _ => true,
    }
}

/// Finds a member and reads it; a missing one is a fault unless its type says otherwise.
pub fn member<T: FromNode>(
    members: &[(String, Node)],
    key: &str,
    place: &Place,
    problems: &mut Problems,
) -> Option<T> {
    match members.iter().find(|(name, _)| name == key) {
        Some((_, value)) => T::from_node(value, &place.at(key), problems),
        None => {
            let stand_in = T::when_missing();
            if stand_in.is_none() {
                problems.add(place, format!("lacks {key:?}"));
            }
            stand_in
        }
    }
}

/// Notes each key that is none of `known`, and each that stands twice.
pub fn check_keys(members: &[(String, Node)], known: &[&str], place: &Place, problems: &mut Problems) -> bool {
    let mut fine = each_key_once(members, place, problems);
    for (key, _) in members {
        if !known.contains(&key.as_str()) {
            problems.add_unknown(&place.at(key), "is not known here", key, known.iter().copied());
            fine = false;
        }
    }
    fine
}

/// Declares a shape of the file: each key, the field it is read into, and its type.
macro_rules! settings {
    ($(#[$about:meta])* $visible:vis struct $name:ident {
        $($(#[$field_about:meta])* $key:literal => $field:ident: $kind:ty,)*
    }) => {
        $(#[$about])*
        #[derive(Clone, Debug)]
        $visible struct $name {
            $($(#[$field_about])* pub $field: $kind,)*
        }

        impl $crate::config::FromNode for $name {
            fn from_node(
                node: &$crate::config::Node,
                place: &$crate::config::Place,
                problems: &mut $crate::config::Problems,
            ) -> Option<Self> {
                use $crate::config::settings::{check_keys, member, wrong_kind};
                let $crate::config::Node::Object(members) = node else {
                    return wrong_kind(node, "an object", place, problems);
                };
                let fine = check_keys(members, &[$($key),*], place, problems);
                $(let $field = member(members, $key, place, problems);)*
                if !fine {
                    return None;
                }
                Some(Self { $($field: $field?,)* })
            }
        }
    };
}
pub(crate) use settings;
