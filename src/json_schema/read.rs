//! Schemas as they are written, and what becomes of them.
//!
//! | keywords | |
//! | --- | --- |
//! | of every value | `type`, `enum`, `const`, `allOf`, `anyOf`, `oneOf`, `not`, `if`, `then`, `else`, `$ref` |
//! | of numbers | `minimum`, `maximum`, `exclusiveMinimum`, `exclusiveMaximum`, `multipleOf` |
//! | of strings | `minLength`, `maxLength`, `pattern`, `format` |
//! | of arrays | `items`, `prefixItems`, `minItems`, `maxItems`, `uniqueItems`, `contains`, `minContains`, `maxContains` |
//! | of objects | `properties`, `patternProperties`, `additionalProperties`, `required`, `dependentRequired`, `propertyNames`, `minProperties`, `maxProperties` |
//! | not looked at | `title`, `description`, `default`, `examples`, `deprecated`, `readOnly`, `writeOnly`, `$schema`, `$id`, `$comment` |
//!
//! `$defs` stand at the top of a schema. `$ref` is `"#"`, `"#/$defs/NAME"`, or the same after the name of one of the
//! file's `schemas`: `"order"`, `"order#/$defs/NAME"`. Any other keyword is a fault.
//!
//! Two things are otherwise than in ECMA 262: in `pattern`, `.` takes all but a line feed, and `\s` is ASCII. What
//! else expressions can have there and not here, lookaround above all, is a fault.

use std::sync::Arc;

use super::keywords::Keywords;
use super::pattern::Pattern;
use super::{Check, Id, Range, Schema};
use crate::settings::{FromNode, Named, Node, Place, Problems, described_as, wrong_kind};

/// What a schema can say.
const KEYWORDS: [&str; 47] = [
    "type",
    "enum",
    "const",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "then",
    "else",
    "$ref",
    "$defs",
    "minimum",
    "maximum",
    "exclusiveMinimum",
    "exclusiveMaximum",
    "multipleOf",
    "minLength",
    "maxLength",
    "pattern",
    "format",
    "items",
    "prefixItems",
    "minItems",
    "maxItems",
    "uniqueItems",
    "contains",
    "minContains",
    "maxContains",
    "properties",
    "patternProperties",
    "additionalProperties",
    "required",
    "dependentRequired",
    "propertyNames",
    "minProperties",
    "maxProperties",
    "title",
    "description",
    "default",
    "examples",
    "deprecated",
    "readOnly",
    "writeOnly",
    "$schema",
    "$id",
    "$comment",
];

/// A schema where it is used: the name of one of the file's, or one of its own.
#[derive(Clone, Debug)]
pub struct Written(pub Node);

impl FromNode for Written {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::String(_) | Node::Object(_) | Node::Bool(_) => Node::from_node(node, place, problems).map(Self),
            other => wrong_kind(other, "a JSON Schema or the name of one", place, problems),
        }
    }
}

described_as!(Written, { "type": ["object", "boolean", "string"] });

/// The schemas of the file, by their names.
#[derive(Debug, Default)]
pub struct Library {
    written: Vec<(String, Node)>,
    compiled: Vec<(String, Option<Arc<Schema>>)>,
}

impl Library {
    /// Compiles the schemas of the file.
    pub fn compile(named: Named<Node>, place: &Place<'_>, problems: &mut Problems) -> Self {
        let written = named.0.into_iter().filter_map(|(name, node)| Some((name, node?))).collect();
        let library = Self { written, compiled: Vec::new() };
        let mut compiled = Vec::new();
        for (name, node) in &library.written {
            let place = place.at(name);
            if name.contains('#') {
                problems.add(&place, "has a # in its name, after which $ref has a place");
            }
            if let Node::String(_) = node {
                problems.add(&place, "is a name; it must be a JSON Schema");
                continue;
            }
            let schema = library.schema(name, node, &place, problems);
            compiled.push((name.clone(), schema));
        }
        Self { compiled, ..library }
    }

    /// What a schema becomes; `None` where it is at fault, which is noted.
    pub fn resolve(&self, written: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Arc<Schema>> {
        let Node::String(name) = written else { return self.schema("", written, place, problems) };
        match self.compiled.iter().find(|(other, _)| other == name) {
            Some((_, schema)) => schema.clone(),
            None => {
                let names = self.written.iter().map(|(name, _)| name.as_str());
                problems.add_unknown(place, format!("names the schema {name:?}, which does not exist"), name, names);
                None
            }
        }
    }

    fn schema(&self, name: &str, node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Arc<Schema>> {
        let mut noted = Problems::default();
        let mut reading = Reading { library: self, nodes: Vec::new(), known: Vec::new(), is_faulty: false };
        let root = reading.whole(&Resource { name, root: node }, place, &mut noted);
        let schema = Schema { nodes: reading.nodes, root };
        let is_faulty = reading.is_faulty || noted.refuse();
        if !is_faulty && schema.loops() {
            noted.add(place, "refers back to itself without a step into the value: checking it would never end");
        }
        let is_faulty = is_faulty || noted.refuse();
        problems.take_over(noted);
        (!is_faulty).then(|| Arc::new(schema))
    }
}

/// A schema that others can refer into.
#[derive(Clone, Copy)]
struct Resource<'n> {
    /// Its name in the file; empty for one without.
    name: &'n str,
    root: &'n Node,
}

struct Reading<'l> {
    library: &'l Library,
    nodes: Vec<Vec<Check>>,
    /// The numbers of what `$ref` can lead to, by the names of the resource and of what is in its `$defs`; its top
    /// has the empty name.
    known: Vec<((String, String), Id)>,
    /// Whether something is at fault that is told elsewhere.
    is_faulty: bool,
}

impl<'l> Reading<'l> {
    /// Reads a whole resource, with its `$defs`.
    fn whole(&mut self, of: &Resource<'_>, place: &Place<'_>, problems: &mut Problems) -> Id {
        let id = self.new_id();
        self.known.push(((of.name.to_owned(), String::new()), id));
        if let Some(defs) = of.root.member("$defs") {
            let place = place.at("$defs");
            match defs {
                Node::Object(members) => {
                    for (name, _) in members {
                        let of_def = self.new_id();
                        self.known.push(((of.name.to_owned(), name.clone()), of_def));
                    }
                    for (name, node) in members {
                        if let Some(of_def) = self.find(of.name, name) {
                            self.read_into(of_def, node, of, &place.at(name), problems);
                        }
                    }
                }
                other => wrong_kind(other, "an object", &place, problems).unwrap_or_default(),
            }
        }
        self.read_into(id, of.root, of, place, problems);
        id
    }

    /// The number of what `$ref` leads to: in this resource, what has this name in its `$defs`, or its top.
    fn find(&self, resource: &str, def: &str) -> Option<Id> {
        let known = self.known.iter().find(|((of, name), _)| of == resource && name == def);
        known.map(|(_, id)| *id)
    }

    fn new_id(&mut self) -> Id {
        self.nodes.push(Vec::new());
        self.nodes.len() - 1
    }

    fn read_into(&mut self, id: Id, node: &Node, of: &Resource<'_>, place: &Place<'_>, problems: &mut Problems) {
        let checks = self.checks(node, of, place, problems);
        if let Some(slot) = self.nodes.get_mut(id) {
            *slot = checks;
        }
    }

    /// Reads a schema within another.
    fn schema(&mut self, node: &Node, of: &Resource<'_>, place: &Place<'_>, problems: &mut Problems) -> Id {
        if node.member("$defs").is_some() {
            problems.add(&place.at("$defs"), "stands within a schema; it is for the top of one");
        }
        let id = self.new_id();
        self.read_into(id, node, of, place, problems);
        id
    }

    /// What a schema says, cheap things first.
    fn checks(&mut self, node: &Node, of: &Resource<'_>, place: &Place<'_>, problems: &mut Problems) -> Vec<Check> {
        let members = match node {
            Node::Bool(true) => return Vec::new(),
            Node::Bool(false) => return vec![Check::Never],
            Node::Object(members) => members,
            other => {
                wrong_kind::<()>(other, "a JSON Schema: an object, true or false", place, problems);
                return Vec::new();
            }
        };
        for (key, _) in members {
            if !KEYWORDS.contains(&key.as_str()) {
                problems.add_unknown(&place.at(key), "is no keyword that is checked", key, KEYWORDS.into_iter());
            }
        }
        let mut written = Keywords { node, place, problems };
        let mut checks = Vec::new();
        checks.extend(written.types().map(Check::Type));
        checks.extend(written.among());
        written.numbers(&mut checks);
        checks.extend(written.range("minLength", "maxLength").map(Check::Length));
        checks.extend(written.format().map(Check::Format));
        checks.extend(written.pattern().map(Check::Pattern));
        checks.extend(written.range("minItems", "maxItems").map(Check::Elements));
        checks.extend(written.range("minProperties", "maxProperties").map(Check::Members));
        checks.extend(written.names("required").map(Check::Required));
        checks.extend(written.needs().map(Check::Needs));
        let (is_unique, contained) = (written.flag("uniqueItems"), written.range("minContains", "maxContains"));

        checks.extend(node.member("$ref").and_then(|to| self.reference(to, of, &place.at("$ref"), problems)));
        let one = |reading: &mut Self, key: &str, problems: &mut Problems| {
            let schema = node.member(key)?;
            Some(reading.schema(schema, of, &place.at(key), problems))
        };
        if let Some(names) = one(self, "propertyNames", problems) {
            checks.push(Check::Names(names));
        }
        let others = one(self, "additionalProperties", problems);
        let named = self.properties(node, of, place, problems);
        let patterns = self.pattern_properties(node, of, place, problems);
        if others.is_some() || !named.is_empty() || !patterns.is_empty() {
            checks.push(Check::Properties { named, patterns, others });
        }
        let first = self.list(node, "prefixItems", of, place, problems);
        let rest = one(self, "items", problems);
        if first.is_some() || rest.is_some() {
            checks.push(Check::Items { first: first.unwrap_or_default(), rest });
        }
        match (one(self, "contains", problems), contained) {
            (Some(what), range) => {
                let least = if node.member("minContains").is_some() { range.map_or(1, |range| range.least) } else { 1 };
                let range = Range { least, most: range.map_or(u32::MAX, |range| range.most) };
                checks.push(Check::Contains { what, range });
            }
            (None, Some(_)) => problems.add(place, "says how often it contains something, and not what: \"contains\""),
            (None, None) => {}
        }
        checks.extend(self.list(node, "allOf", of, place, problems).map(Check::All));
        checks.extend(self.list(node, "anyOf", of, place, problems).map(Check::Any));
        checks.extend(self.list(node, "oneOf", of, place, problems).map(Check::One));
        checks.extend(one(self, "not", problems).map(Check::Not));
        let (then, otherwise) = (one(self, "then", problems), one(self, "else", problems));
        match (one(self, "if", problems), then.is_some() || otherwise.is_some()) {
            (Some(condition), true) => checks.push(Check::If { condition, then, otherwise }),
            (None, false) => {}
            _ => problems.add(place, "must have \"if\" and one of \"then\" and \"else\", or none of them"),
        }
        if is_unique {
            checks.push(Check::Unique);
        }
        checks
    }

    fn properties(
        &mut self,
        node: &Node,
        of: &Resource<'_>,
        place: &Place<'_>,
        problems: &mut Problems,
    ) -> Vec<(String, Id)> {
        let place = place.at("properties");
        let members = object(node.member("properties"), &place, problems);
        let read = |(name, schema): &(String, Node)| (name.clone(), self.schema(schema, of, &place.at(name), problems));
        let mut named: Vec<_> = members.iter().map(read).collect();
        named.sort_unstable_by(|(one, _), (other, _)| one.cmp(other));
        named
    }

    fn pattern_properties(
        &mut self,
        node: &Node,
        of: &Resource<'_>,
        place: &Place<'_>,
        problems: &mut Problems,
    ) -> Vec<(Pattern, Id)> {
        let place = place.at("patternProperties");
        let mut patterns = Vec::new();
        for (pattern, schema) in object(node.member("patternProperties"), &place, problems) {
            let place = place.at(pattern);
            let id = self.schema(schema, of, &place, problems);
            match Pattern::compile(pattern) {
                Ok(pattern) => patterns.push((pattern, id)),
                Err(why) => problems.add(&place, format!("is {pattern:?}, {why}")),
            }
        }
        patterns
    }

    fn list(
        &mut self,
        node: &Node,
        key: &str,
        of: &Resource<'_>,
        place: &Place<'_>,
        problems: &mut Problems,
    ) -> Option<Vec<Id>> {
        let place = place.at(key);
        match node.member(key)? {
            Node::Array(schemas) if !schemas.is_empty() => {
                let read = |(at, schema)| self.schema(schema, of, &place.at(at), problems);
                Some(schemas.iter().enumerate().map(read).collect())
            }
            other => wrong_kind(other, "an array of at least one schema", &place, problems),
        }
    }

    /// What a `$ref` leads to.
    fn reference(&mut self, to: &Node, of: &Resource<'_>, place: &Place<'_>, problems: &mut Problems) -> Option<Check> {
        const FORM: &str = "\"#\", \"#/$defs/NAME\", the name of one of the file's schemas, or NAME#/$defs/NAME";
        let Node::String(text) = to else { return wrong_kind(to, FORM, place, problems) };
        let (name, fragment) = text.split_once('#').unwrap_or((text, ""));
        let def = match fragment.strip_prefix("/$defs/") {
            Some(def) if !def.contains('/') && !def.is_empty() => def.replace("~1", "/").replace("~0", "~"),
            None if fragment.is_empty() => String::new(),
            _ => return wrong_kind(to, FORM, place, problems),
        };
        let name = if name.is_empty() { of.name } else { name };
        if name != of.name && self.find(name, "").is_none() {
            let library = self.library;
            let Some((name, root)) = library.written.iter().find(|(other, _)| other == name) else {
                let names = library.written.iter().map(|(name, _)| name.as_str());
                problems.add_unknown(place, format!("names the schema {name:?}, which does not exist"), name, names);
                return None;
            };
            // What is wrong with it is told where it stands.
            let mut told_there = Problems::default();
            self.whole(&Resource { name, root }, &Place::root(), &mut told_there);
            self.is_faulty |= told_there.refuse();
        }
        match self.find(name, &def) {
            Some(id) => Some(Check::Same(id)),
            None => {
                problems.add(place, format!("is {text:?}, and there is no {def:?} in its $defs"));
                None
            }
        }
    }
}

/// The members of an object that may be missing.
pub(super) fn object<'n>(node: Option<&'n Node>, place: &Place<'_>, problems: &mut Problems) -> &'n [(String, Node)] {
    match node {
        None => &[],
        Some(Node::Object(members)) => members,
        Some(other) => wrong_kind(other, "an object", place, problems).unwrap_or(&[]),
    }
}
