//! What the file changes in the query that a service gets.
//!
//! ```json
//! "request_query": { "remove": ["debug"], "rename": { "q": "search" }, "set": { "tenant": "{tenant}" } }
//! ```
//!
//! Removing goes first, then `rename`, `set`, `add`, `append`. What is not named goes on as it was sent.

use super::additions::Additions;
use crate::path::push_encoded_value;
use crate::query::{decoded, parameters};
use crate::settings::{List, Named, Place, Problems, shape};
use crate::template::{TextTemplate, Values};

shape! {
    /// Changes to the query. Values take what those of header fields take. A parameter whose value is
    /// missing is not sent.
    pub struct QueryEditsSettings {
        /// Parameters that stand in the place of all of their name.
        "set" => set: Named<TextTemplate> = { "tenant": "{tenant}" },
        /// Parameters that are set where there is none of their name.
        "add" => add: Named<TextTemplate> = { "limit": "20" },
        /// Parameters that stand beside those of their name.
        "append" => append: Named<TextTemplate> = { "tag": "edge" },
        /// Names of parameters to remove.
        "remove" => remove: Option<List<String>> = ["debug"],
        /// New names for parameters.
        "rename" => rename: Named<String> = { "q": "search" },
    }
}

/// Compiled changes to a query; names decoded.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct QueryEdits {
    remove: Vec<String>,
    rename: Vec<(String, String)>,
    additions: Additions,
}

impl QueryEdits {
    /// Compiles them; notes each fault.
    pub fn compile(settings: QueryEditsSettings, place: &Place<'_>, problems: &mut Problems) -> Self {
        let written = [("set", settings.set), ("add", settings.add), ("append", settings.append)];
        let any_name = |name: &str, _: &Place<'_>, _: &mut Problems| Some(name.to_owned());
        let additions = Additions::compile(written, any_name, place, problems);
        let remove = settings.remove.flatten().into_iter().flat_map(|names| names.0).flatten().collect();
        let rename = settings.rename.into_iter().flat_map(|named| named.0);
        let rename = rename.filter_map(|(name, new)| Some((name, new?))).collect();
        Self { remove, rename, additions }
    }

    /// What is added, by name.
    pub fn additions(&self) -> &Additions {
        &self.additions
    }

    /// What changes, by name, in the order in which it does.
    pub fn names(&self) -> String {
        let removed = self.remove.iter().map(|name| format!("remove {name}"));
        let renamed = self.rename.iter().map(|(name, new)| format!("rename {name} to {new}"));
        removed.chain(renamed).chain(self.additions.names()).collect::<Vec<_>>().join(", ")
    }

    /// Both, where these count more.
    pub fn over(&self, others: &Self) -> Self {
        Self {
            remove: others.remove.iter().chain(&self.remove).cloned().collect(),
            rename: self.rename.iter().chain(&others.rename).cloned().collect(),
            additions: self.additions.over(&others.additions),
        }
    }

    /// The query after the edits; `None` where there is none left.
    pub fn apply(&self, query: Option<&str>, values: &Values<'_>) -> Option<String> {
        if *self == Self::default() {
            return query.map(str::to_owned);
        }
        let sent = parameters(query.unwrap_or_default());
        // Names decoded, to be compared; values as they were sent.
        let mut pairs: Vec<(String, String, String)> = sent
            .map(|(name, value)| (decoded(name).into_owned(), name.to_owned(), value.to_owned()))
            .filter(|(name, ..)| !self.remove.contains(name))
            .collect();
        for (name, spelling, _) in &mut pairs {
            if let Some((_, new)) = self.rename.iter().find(|(old, _)| old == name) {
                name.clone_from(new);
                *spelling = encoded(new);
            }
        }
        let pair = |name: &String, value: String| (name.clone(), encoded(name), encoded(&value));
        for (name, value) in &self.additions.set {
            pairs.retain(|(other, ..)| other != name);
            pairs.extend(value.plain(values).map(|value| pair(name, value)));
        }
        for (name, value) in &self.additions.add {
            if !pairs.iter().any(|(other, ..)| other == name) {
                pairs.extend(value.plain(values).map(|value| pair(name, value)));
            }
        }
        for (name, value) in &self.additions.append {
            pairs.extend(value.plain(values).map(|value| pair(name, value)));
        }
        let text: Vec<String> = pairs.into_iter().map(|(_, name, value)| format!("{name}={value}")).collect();
        Some(text.join("&")).filter(|text| !text.is_empty())
    }
}

fn encoded(text: &str) -> String {
    let mut encoded = String::with_capacity(text.len());
    push_encoded_value(&mut encoded, text.as_bytes());
    encoded
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Head;
    use crate::router::Params;
    use crate::settings::{FromNode, Node};

    #[test]
    fn each_kind_of_edit_has_its_effect() {
        let head = Head::from_text("GET\nhttp://h/?q=a%26b\n192.0.2.7\nid-1\n1\n").unwrap();
        let params = Params::default();
        let values = Values { head: &head, params: &params, caller: None, secret: &|_| None };
        let table = [
            (r#"{}"#, Some("a=%41&b"), Some("a=%41&b")),
            (r#"{}"#, Some(""), Some("")),
            (r#"{}"#, None, None),
            (r#"{"remove": ["a"]}"#, Some("a=1&b=2&%61=3"), Some("b=2")),
            (r#"{"remove": ["a"]}"#, Some("a=1"), None),
            (r#"{"rename": {"a": "z y"}}"#, Some("a=%2F&b"), Some("z%20y=%2F&b=")),
            (r#"{"set": {"a": "new"}}"#, Some("a=1&b=2&a=3"), Some("b=2&a=new")),
            (r#"{"set": {"a": "{query.q}"}}"#, None, Some("a=a%26b")),
            (r#"{"set": {"a": "{query.none}"}}"#, Some("a=1&b=2"), Some("b=2")),
            (r#"{"add": {"a": "new"}}"#, Some("a=1"), Some("a=1")),
            (r#"{"add": {"a": "new"}}"#, Some("b=1"), Some("b=1&a=new")),
            (r#"{"append": {"a": "new"}}"#, Some("a=1"), Some("a=1&a=new")),
            (r#"{"remove": ["a"], "rename": {"b": "a"}}"#, Some("a=1&b=2"), Some("a=2")),
        ];
        for (written, query, expected) in table {
            let node: Node = serde_json::from_str(written).unwrap();
            let mut problems = Problems::default();
            let settings = QueryEditsSettings::from_node(&node, &Place::root(), &mut problems).unwrap();
            let edits = QueryEdits::compile(settings, &Place::root(), &mut problems);
            assert_eq!(edits.apply(query, &values).as_deref(), expected, "of {written} to {query:?}");
        }
    }
}
