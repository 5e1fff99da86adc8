//! What the file changes in the query that a service gets.
//!
//! ```json
//! "request_query": { "remove": ["debug"], "rename": { "q": "search" }, "set": { "tenant": "{tenant}" } }
//! ```
//!
//! Removing goes first, then `rename`, `set`, `add`, `append`. What is not named goes on as it was sent.

use super::additions::Additions;
use crate::path::push_encoded_value;
use crate::query::decoded;
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
            additions: self.additions.over(&others.additions, &self.remove),
        }
    }

    /// The query after the edits; `None` where there is none left.
    pub fn apply(&self, query: Option<&str>, values: &Values<'_>) -> Option<String> {
        if self.remove.is_empty() && self.rename.is_empty() && self.additions.is_empty() {
            return query.map(str::to_owned);
        }
        // Names decoded, to be compared, and pairs as they were sent. But for `;`, at which some servers
        // split too: a parameter behind one would not be found here.
        let sent = query.into_iter().flat_map(|query| query.split('&')).map(|pair| {
            let name = pair.split('=').next().unwrap_or_default();
            (decoded(name).into_owned(), pair.replace(';', "%3B"))
        });
        let mut pairs: Vec<(String, String)> = sent.filter(|(name, _)| !self.remove.contains(name)).collect();
        for (name, pair) in &mut pairs {
            if let Some((_, new)) = self.rename.iter().find(|(old, _)| old == name) {
                let value = pair.find('=').and_then(|at| pair.get(at..)).unwrap_or_default();
                *pair = format!("{}{value}", encoded(new));
                name.clone_from(new);
            }
        }
        let new = |name: &String, value: &TextTemplate| {
            let value = value.plain(values)?;
            Some((name.clone(), format!("{}={}", encoded(name), encoded(&value))))
        };
        for (name, value) in &self.additions.set {
            pairs.retain(|(other, _)| other != name);
            pairs.extend(new(name, value));
        }
        for (name, value) in &self.additions.add {
            if !pairs.iter().any(|(other, _)| other == name) {
                pairs.extend(new(name, value));
            }
        }
        for (name, value) in &self.additions.append {
            pairs.extend(new(name, value));
        }
        let text: Vec<String> = pairs.into_iter().map(|(_, pair)| pair).collect();
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
    use crate::template::InnerValues;

    #[test]
    fn each_kind_of_edit_has_its_effect() {
        let head = Head::from_text("GET\nhttp://h/?q=a%26b\n192.0.2.7\nid-1\n1\n").unwrap();
        let params = Params::default();
        let values = Values { head: &head, params: &params, caller: None, secret: &|_| None, inner: InnerValues::NONE };
        let table = [
            (r#"{}"#, Some("a=%41&b"), Some("a=%41&b")),
            (r#"{}"#, Some(""), Some("")),
            (r#"{}"#, None, None),
            (r#"{"remove": ["a"]}"#, Some("a=1&b=2&%61=3"), Some("b=2")),
            (r#"{"remove": ["a"]}"#, Some("a=1"), None),
            (r#"{"rename": {"a": "z y"}}"#, Some("a=%2F&b"), Some("z%20y=%2F&b")),
            (r#"{"set": {"a": "new"}}"#, Some("a=1&b=2&a=3"), Some("b=2&a=new")),
            (r#"{"set": {"a": "{query.q}"}}"#, None, Some("a=a%26b")),
            (r#"{"set": {"a": "{query.none}"}}"#, Some("a=1&b=2"), Some("b=2")),
            (r#"{"remove": ["a"]}"#, Some("flag&&b=a+b&sig="), Some("flag&&b=a+b&sig=")),
            (r#"{"remove": ["debug"]}"#, Some("a=1;debug=1"), Some("a=1%3Bdebug=1")),
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
