//! Shapes of the file: reading the tree into what was written, without stopping at the first fault.
//!
//! serde's own derive stops there, and an operator would mend a file one fault at a time; so the
//! shapes of the file are declared with [`shape!`], which reads each key by itself. Wherever a
//! value is at fault, that is noted and `None` stands for it, and everything around it is read.

use super::node::Node;
use super::problem::{Place, Problems, UNKNOWN_KEY};

/// What can be read from a value of the file.
pub trait FromNode: Sized {
    /// Reads the value, or notes what is wrong with it and gives `None`.
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self>;

    /// What stands where the key is missing; `None` where it must not be.
    fn when_missing() -> Option<Self> {
        None
    }
}

impl<T: FromNode> FromNode for Option<T> {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        T::from_node(node, place, problems).map(Some)
    }

    fn when_missing() -> Option<Self> {
        Some(None)
    }
}

impl FromNode for Node {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        each_key_once_below(node, place, problems);
        Some(node.clone())
    }
}

impl FromNode for String {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
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

impl FromNode for bool {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::Bool(value) => Some(*value),
            other => wrong_kind(other, "true or false", place, problems),
        }
    }
}

impl FromNode for u32 {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let number = match node {
            Node::Number(number) => number.as_u64().and_then(|number| u32::try_from(number).ok()),
            _ => None,
        };
        number.or_else(|| wrong_kind(node, "a whole number", place, problems))
    }
}

/// An array. `None` stands for an element at fault.
#[derive(Clone, Debug)]
pub struct List<T>(pub Vec<Option<T>>);

impl<T> List<T> {
    /// The elements that are not at fault.
    pub fn without_faults(self) -> Vec<T> {
        self.0.into_iter().flatten().collect()
    }
}

impl<T: FromNode> FromNode for List<T> {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let Node::Array(elements) = node else {
            return wrong_kind(node, "an array", place, problems);
        };
        let read = |(at, element)| T::from_node(element, &place.at(at), problems);
        Some(Self(elements.iter().enumerate().map(read).collect()))
    }
}

/// One value, or an array of at least one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OneOrMany<T>(pub Vec<T>);

impl<T: FromNode> FromNode for OneOrMany<T> {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::Array(elements) if elements.is_empty() => {
                problems.add(place, "is empty");
                None
            }
            Node::Array(_) => List::from_node(node, place, problems)?.0.into_iter().collect::<Option<_>>().map(Self),
            one => T::from_node(one, place, problems).map(|one| Self(vec![one])),
        }
    }
}

/// A value, or `null` for none: the word by which a route does without what its group has.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct OrNone<T>(pub Option<T>);

impl<T: FromNode> FromNode for OrNone<T> {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::Null => Some(Self(None)),
            value => T::from_node(value, place, problems).map(|value| Self(Some(value))),
        }
    }
}

/// An object whose keys are names that the operator gave, in the order of the file. `None` stands
/// for a value at fault, so that its name is not taken for unknown elsewhere.
#[derive(Clone, Debug)]
pub struct Named<T>(pub Vec<(String, Option<T>)>);

impl<T: FromNode> FromNode for Named<T> {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let Node::Object(members) = node else {
            return wrong_kind(node, "an object", place, problems);
        };
        each_key_once(members, place, problems);
        if members.iter().any(|(name, _)| name.is_empty()) {
            problems.add(place, "has an empty name");
        }
        let read = |(name, value): &(String, Node)| (name.clone(), T::from_node(value, &place.at(name), problems));
        Some(Self(members.iter().map(read).collect()))
    }

    fn when_missing() -> Option<Self> {
        Some(Self(Vec::new()))
    }
}

/// A text of the file for a message; one that may have a password in it is not shown.
pub fn quoted(text: &str) -> String {
    match text.split_once("://") {
        Some((_, rest)) if rest.contains('@') => "a URL with credentials".to_owned(),
        _ => format!("{text:?}"),
    }
}

/// Notes a value of another kind than `expected`.
pub fn wrong_kind<T>(node: &Node, expected: &str, place: &Place<'_>, problems: &mut Problems) -> Option<T> {
    note_wrong_kind(node, expected, place, problems);
    None
}

/// Once in the Wasm, not for each type.
fn note_wrong_kind(node: &Node, expected: &str, place: &Place<'_>, problems: &mut Problems) {
    let got = match node {
        Node::Number(number) => number.to_string(),
        Node::String(text) => quoted(text),
        other => other.kind().to_owned(),
    };
    problems.add(place, format!("is {got}, must be {expected}"));
}

/// Notes each key that stands more than once in an object.
fn each_key_once(members: &[(String, Node)], place: &Place<'_>, problems: &mut Problems) {
    for (at, (key, _)) in members.iter().enumerate() {
        if members.iter().take(at).any(|(earlier, _)| earlier == key) {
            problems.add(&place.at(key), "stands twice");
        }
    }
}

/// Notes each key that stands more than once in an object, however deep.
fn each_key_once_below(node: &Node, place: &Place<'_>, problems: &mut Problems) {
    match node {
        Node::Array(elements) => {
            for (at, element) in elements.iter().enumerate() {
                each_key_once_below(element, &place.at(at), problems);
            }
        }
        Node::Object(members) => {
            each_key_once(members, place, problems);
            for (key, value) in members {
                each_key_once_below(value, &place.at(key), problems);
            }
        }
        _ => {}
    }
}

/// Finds a member and reads it; a missing one is a fault unless its type says otherwise.
pub fn member<T: FromNode>(
    members: &[(String, Node)],
    key: &str,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<T> {
    match members.iter().find(|(name, _)| name == key) {
        Some((_, value)) => T::from_node(value, &place.at(key), problems),
        None => {
            let default = T::when_missing();
            if default.is_none() {
                problems.add(place, format!("lacks {key:?}"));
            }
            default
        }
    }
}

/// Notes each key that is none of `known`, and each that stands twice.
fn check_keys(members: &[(String, Node)], known: &[&str], place: &Place<'_>, problems: &mut Problems) {
    each_key_once(members, place, problems);
    for (key, _) in members {
        if !known.contains(&key.as_str()) {
            problems.add_unknown(&place.at(key), UNKNOWN_KEY, key, known.iter().copied());
        }
    }
}

/// An object of the file that has certain keys.
pub trait Shape: Sized {
    /// The keys.
    fn keys() -> Vec<&'static str>;

    /// Reads the member of each key.
    fn from_members(members: &[(String, Node)], place: &Place<'_>, problems: &mut Problems) -> Self;

    /// The keys with what an editor shows of them.
    #[cfg(not(target_arch = "wasm32"))]
    fn described_keys(generator: &mut schemars::SchemaGenerator) -> Vec<super::schema::Key>;
}

/// Reads an object of a shape; notes keys that it does not have.
pub fn read_shape<S: Shape>(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<S> {
    let Node::Object(members) = node else {
        return wrong_kind(node, "an object", place, problems);
    };
    check_keys(members, &S::keys(), place, problems);
    Some(S::from_members(members, place, problems))
}

/// Reads what stands elsewhere than in the file, such as in KV, and compiles it; the error is for the log.
pub fn read_kept<S: FromNode, T>(kept: &str, compile: impl FnOnce(S, &mut Problems) -> Option<T>) -> Result<T, String> {
    let node: Node = serde_json::from_str(kept).map_err(|_| "is not JSON".to_owned())?;
    let mut problems = Problems::default();
    let settings = S::from_node(&node, &Place::root(), &mut problems);
    let compiled = settings.and_then(|settings| compile(settings, &mut problems));
    match (compiled, problems.in_order_of(&node).into_iter().next()) {
        (Some(compiled), None) => Ok(compiled),
        (_, Some(problem)) => Err(format!("is at fault: {problem}")),
        (None, None) => Err("is at fault".to_owned()),
    }
}

/// Declares a shape of the file: each key, the field it is read into, its type, and an example. A
/// field is `None` where its value is at fault, or missing and must not be. A shape that is declared
/// `with` another has the keys of that one too, at the same level.
///
/// The doc comments and examples are what an operator's editor shows, by the JSON Schema that is
/// made of them; so they are written for operators, and none may be left out. The Wasm has none.
macro_rules! shape {
    ($(#[doc = $about:literal])+ $visible:vis struct $name:ident $(with $other:ident: $other_kind:ty)? {
        $(
            $(#[doc = $description:literal])+
            $(#[allow($lint:ident)])?
            $key:literal => $field:ident: $kind:ty = $example:tt,
        )*
    }) => {
        $(#[doc = $about])+
        #[derive(Clone, Debug)]
        $visible struct $name {
            $(
                $(#[doc = $description])+
                $(#[allow($lint)])?
                pub $field: Option<$kind>,
            )*
            $(
                /// What stands at the same level.
                pub $other: $other_kind,
            )?
        }

        impl $crate::settings::Shape for $name {
            fn keys() -> Vec<&'static str> {
                #[allow(unused_mut)]
                let mut keys = vec![$($key),*];
                $(keys.extend(<$other_kind as $crate::settings::Shape>::keys());)?
                keys
            }

            fn from_members(
                members: &[(String, $crate::settings::Node)],
                place: &$crate::settings::Place<'_>,
                problems: &mut $crate::settings::Problems,
            ) -> Self {
                Self {
                    $($field: $crate::settings::member(members, $key, place, problems),)*
                    $($other: <$other_kind as $crate::settings::Shape>::from_members(members, place, problems),)?
                }
            }

            #[cfg(not(target_arch = "wasm32"))]
            fn described_keys(generator: &mut schemars::SchemaGenerator) -> Vec<$crate::settings::schema::Key> {
                use $crate::settings::schema::Key;
                #[allow(unused_mut)]
                let mut keys = vec![
                    $(Key::of::<$kind>($key, &[$($description),+], serde_json::json!($example), generator),)*
                ];
                $(keys.extend(<$other_kind as $crate::settings::Shape>::described_keys(generator));)?
                keys
            }
        }

        impl $crate::settings::FromNode for $name {
            fn from_node(
                node: &$crate::settings::Node,
                place: &$crate::settings::Place<'_>,
                problems: &mut $crate::settings::Problems,
            ) -> Option<Self> {
                $crate::settings::read_shape(node, place, problems)
            }
        }

        #[cfg(not(target_arch = "wasm32"))]
        impl schemars::JsonSchema for $name {
            fn schema_name() -> std::borrow::Cow<'static, str> {
                stringify!($name).into()
            }

            fn json_schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                let keys = <Self as $crate::settings::Shape>::described_keys(generator);
                $crate::settings::schema::object(&[$($about),+], keys)
            }
        }

        #[cfg(not(target_arch = "wasm32"))]
        impl $crate::settings::schema::Described for $name {
            fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::settings::schema::reference::<Self>(generator)
            }
        }
    };
}
pub(crate) use shape;

/// Says how a type stands in the JSON Schema, for one that is no shape, text or container.
macro_rules! described_as {
    ($name:ty, $schema:tt) => {
        #[cfg(not(target_arch = "wasm32"))]
        impl $crate::settings::schema::Described for $name {
            fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                schemars::json_schema!($schema)
            }
        }
    };
}
pub(crate) use described_as;

/// Reads a value of the file that is one of a few words, and says how it stands in the JSON Schema.
macro_rules! written_as_word {
    ($name:ty { $($word:literal => $value:expr),+ $(,)? }) => {
        impl $crate::settings::FromNode for $name {
            fn from_node(
                node: &$crate::settings::Node,
                place: &$crate::settings::Place<'_>,
                problems: &mut $crate::settings::Problems,
            ) -> Option<Self> {
                let word = match node {
                    $crate::settings::Node::String(text) => text.as_str(),
                    _ => "",
                };
                match word {
                    $($word => Some($value),)+
                    _ => {
                        problems.add(place, format!("must be {}", $crate::settings::one_of(&[$($word),+])));
                        None
                    }
                }
            }
        }

        $crate::settings::described_as!($name, { "enum": [$($word),+] });
    };
}
pub(crate) use written_as_word;

/// Words for a message: `"a", "b" or "c"`.
pub fn one_of(words: &[&str]) -> String {
    let quoted: Vec<String> = words.iter().map(|word| format!("{word:?}")).collect();
    match quoted.split_last() {
        Some((last, others)) if !others.is_empty() => format!("{} or {last}", others.join(", ")),
        _ => quoted.concat(),
    }
}
