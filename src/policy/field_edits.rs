//! What the file changes in the header fields of a request or of an answer.
//!
//! ```json
//! "request_headers": { "set": { "x-tenant": "{tenant}" }, "remove": ["cookie"] },
//! "response_headers": { "add": { "cache-control": "no-store" } }
//! ```
//!
//! Removing goes first, then `set`, `add`, `append`. A field whose value lacks something is not sent,
//! nor what the client sent under its name.

use std::borrow::Cow;

use super::additions::Additions;
use super::headers::{HeaderEdits, is_reserved};
use crate::head::{Headers, is_token};
use crate::settings::{List, Named, Place, Problems, shape};
use crate::template::{TextTemplate, Values};

shape! {
    /// Changes to header fields. Values take {name} of path and host, {jwt.NAME}, {query.NAME},
    /// {header.NAME}, {cookie.NAME}, {request.id}, {request.host} and {client.address}; what is not
    /// visible ASCII in them is percent-encoded. A field whose value is missing is not sent.
    pub struct FieldEditsSettings {
        /// Fields that stand in the place of all of their name.
        "set" => set: Named<TextTemplate> = { "x-tenant": "{tenant}" },
        /// Fields that are set where there is none of their name.
        "add" => add: Named<TextTemplate> = { "cache-control": "no-store" },
        /// Fields that stand beside those of their name.
        "append" => append: Named<TextTemplate> = { "vary": "accept" },
        /// Names of fields to remove.
        "remove" => remove: Option<List<String>> = ["cookie"],
    }
}

/// Compiled changes to header fields; names in lower case.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct FieldEdits {
    remove: Vec<String>,
    additions: Additions,
}

impl FieldEdits {
    /// Compiles them; notes each fault.
    pub fn compile(settings: FieldEditsSettings, place: &Place<'_>, problems: &mut Problems) -> Self {
        let written = [("set", settings.set), ("add", settings.add), ("append", settings.append)];
        let additions = Additions::compile(written, field_name, place, problems);
        let place = place.at("remove");
        let names = settings.remove.flatten().into_iter().flat_map(|names| names.0).enumerate();
        let remove = names.filter_map(|(at, name)| field_name(&name?, &place.at(at), problems)).collect();
        Self { remove, additions }
    }

    /// Whether nothing changes.
    pub fn is_empty(&self) -> bool {
        self.remove.is_empty() && self.additions.is_empty()
    }

    /// What is added, by name.
    pub fn additions(&self) -> &Additions {
        &self.additions
    }

    /// What changes, by name, in the order in which it does.
    pub fn names(&self) -> String {
        let removed = self.remove.iter().map(|name| format!("remove {name}"));
        removed.chain(self.additions.names()).collect::<Vec<_>>().join(", ")
    }

    /// Both, where these count more.
    pub fn over(&self, others: &Self) -> Self {
        let remove = others.remove.iter().chain(&self.remove).cloned().collect();
        Self { remove, additions: self.additions.over(&others.additions, &self.remove) }
    }

    /// The names of the fields of a message on which it hangs what changes.
    pub fn looked_at(&self) -> impl Iterator<Item = &str> {
        self.additions.add.iter().map(|(name, _)| name.as_str())
    }

    /// Makes them part of `edits`, which are to be made in `headers`.
    pub fn apply(&self, values: &Values<'_>, headers: &Headers, edits: &mut HeaderEdits) {
        self.remove.iter().for_each(|name| edits.remove(name));
        for (name, value) in &self.additions.set {
            match value.field_value(values) {
                Some(value) => edits.set(name.clone(), value),
                None => edits.remove(name),
            }
        }
        for (name, value) in &self.additions.add {
            match value.field_value(values) {
                Some(value) if !edits.leave(name, headers) => edits.set(name.clone(), value),
                _ => {}
            }
        }
        let append = self.additions.append.iter();
        edits
            .append
            .extend(append.filter_map(|(name, value)| Some((Cow::Owned(name.clone()), value.field_value(values)?))));
    }
}

/// The name of a field that the file may change, in lower case.
pub fn field_name(written: &str, place: &Place<'_>, problems: &mut Problems) -> Option<String> {
    let name = written.to_ascii_lowercase();
    if !is_token(&name) {
        problems.add(place, format!("names the header field {written:?}, and no field can have that name"));
    } else if is_reserved(&name) {
        problems.add(place, format!("names {written:?}, which is the gateway's own to say"));
    } else {
        return Some(name);
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Head;
    use crate::router::Params;
    use crate::settings::{FromNode, Node};
    use crate::template::InnerValues;

    fn edits(written: &str) -> FieldEdits {
        let node: Node = serde_json::from_str(written).unwrap();
        let mut problems = Problems::default();
        let settings = FieldEditsSettings::from_node(&node, &Place::root(), &mut problems).unwrap();
        let edits = FieldEdits::compile(settings, &Place::root(), &mut problems);
        assert!(!problems.refuse(), "{written}: {problems:?}");
        edits
    }

    /// The fields that come of `headers`, as lines.
    fn applied(edits: &FieldEdits, before: HeaderEdits, headers: &str) -> Vec<String> {
        let head = Head::from_text("GET\nhttp://h/?q=1\n192.0.2.7\nid-1\n1\nx-in:in\n").unwrap();
        let params = Params::default();
        let values = Values { head: &head, params: &params, caller: None, secret: &|_| None, inner: InnerValues::NONE };
        let headers = Headers::from_text(headers);
        let mut all = before;
        edits.apply(&values, &headers, &mut all);
        let mut lines: Vec<_> = headers
            .iter()
            .filter(|(name, _)| !all.remove.iter().any(|other| other == name))
            .filter(|(name, _)| !all.set.iter().any(|(other, _)| other == name))
            .map(|(name, value)| format!("{name}:{value}"))
            .chain(all.set.iter().chain(&all.append).map(|(name, value)| format!("{name}:{value}")))
            .collect();
        lines.sort();
        lines
    }

    #[test]
    fn each_kind_of_edit_has_its_effect() {
        let table = [
            (r#"{"set": {"X-A": "new"}}"#, "x-a:old\n", vec!["x-a:new"]),
            (
                r#"{"set": {"x-a": "{query.q}-{header.x-in}-{client.address}-{request.id}"}}"#,
                "",
                vec!["x-a:1-in-192.0.2.7-id-1"],
            ),
            (r#"{"set": {"x-a": "{query.none}"}}"#, "x-a:old\n", vec![]),
            (r#"{"add": {"x-a": "new"}}"#, "x-a:old\n", vec!["x-a:old"]),
            (r#"{"add": {"x-a": "new"}}"#, "", vec!["x-a:new"]),
            (r#"{"append": {"x-a": "new"}}"#, "x-a:old\n", vec!["x-a:new", "x-a:old"]),
            (r#"{"append": {"x-a": "new"}}"#, "", vec!["x-a:new"]),
            (r#"{"remove": ["X-A"]}"#, "x-a:old\nx-b:b\n", vec!["x-b:b"]),
            (r#"{"remove": ["x-a"], "add": {"x-a": "new"}}"#, "x-a:old\n", vec!["x-a:new"]),
        ];
        for (written, headers, expected) in table {
            assert_eq!(
                applied(&edits(written), HeaderEdits::default(), headers),
                expected,
                "of {written} to {headers:?}"
            );
        }
    }

    #[test]
    fn the_file_goes_over_the_gateway_and_a_route_over_its_group() {
        let gateways = || HeaderEdits { set: vec![("x-request-id".into(), "id-1".into())], ..HeaderEdits::default() };
        assert_eq!(applied(&edits(r#"{"remove": ["x-request-id"]}"#), gateways(), ""), Vec::<String>::new());
        assert_eq!(applied(&edits(r#"{"add": {"x-request-id": "b"}}"#), gateways(), ""), ["x-request-id:id-1"]);
        let group = edits(r#"{"set": {"x-a": "group", "x-b": "group"}, "add": {"x-c": "group"}}"#);
        let route = edits(r#"{"set": {"x-a": "route"}, "add": {"x-c": "route"}}"#);
        let both = applied(&route.over(&group), HeaderEdits::default(), "");
        assert_eq!(both, ["x-a:route", "x-b:group", "x-c:route"]);
        let without = edits(r#"{"remove": ["x-a", "x-c"]}"#).over(&group);
        assert_eq!(applied(&without, HeaderEdits::default(), ""), ["x-b:group"]);
    }

    #[test]
    fn what_is_the_gateways_own_is_refused() {
        for name in ["Connection", "host", "content-length", "transfer-encoding", "a b", ""] {
            let mut problems = Problems::default();
            let named = field_name(name, &Place::root(), &mut problems);
            assert!(named.is_none() && problems.refuse(), "of {name:?}");
        }
    }
}
