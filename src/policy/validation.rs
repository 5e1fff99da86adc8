//! Is a request of the form that the file says? Its path, query and header fields here, as texts that are read as
//! what their schema says they are; the body where it is read ([`crate::validate`]).
//!
//! ```json
//! "validate": {
//!   "body": "order",
//!   "path": { "id": { "type": "integer", "minimum": 1 } },
//!   "query": { "page": { "type": "integer", "maximum": 100 }, "q": { "type": "string", "minLength": 2, "required": true } },
//!   "header": { "x-tenant": { "pattern": "^[a-z]+$" } },
//!   "other_query": false
//! }
//! ```
//!
//! A text is a number, true, false or null only where its schema has that `type`, and it is written as in JSON.
//! Without a `type` it is a string. A parameter of the query that stands several times must be an `array`.

use std::borrow::Cow;
use std::sync::Arc;

use serde::de::IgnoredAny;

use crate::head::{Head, is_token};
use crate::json_schema::{Library, Schema, Types, Value, Written, Wrong};
use crate::path::decode;
use crate::query;
use crate::refusal::fault::{Fault, MOST_FAULTS};
use crate::router::Params;
use crate::settings::{FromNode, Named, Node, Place, Problems, described_as, shape, wrong_kind};

shape! {
    /// What requests must be like to go on; others get 400, or 422 for their body.
    pub struct ValidateSettings {
        /// The JSON body: a JSON Schema, or the name of one of `schemas`. It is read whole, of at most `max_body`
        /// (here by default "1MiB", at most "32MiB"), and must be there for POST, PUT and PATCH.
        "body" => body: Option<Written> = { "type": "object", "required": ["items"] },
        /// Values that the path captures, by name, each with its JSON Schema, or the name of one of `schemas`.
        "path" => path: Named<ParameterSettings> = { "id": { "type": "integer", "minimum": 1 } },
        /// Parameters of the query, in the same way; of the `type` "array" for one that may stand several times.
        /// With "required": true in its schema, it must be there.
        "query" => query: Named<ParameterSettings> = { "page": { "type": "integer", "maximum": 100 }, "q": { "type": "string", "required": true } },
        /// Header fields, in the same way.
        "header" => header: Named<ParameterSettings> = { "x-tenant": { "pattern": "^[a-z]+$", "required": true } },
        /// Whether the query may have parameters that `query` does not name. Default true.
        "other_query" => other_query: Option<bool> = false,
    }
}

/// The schema of a parameter, and whether it must be there: `required` is no keyword of its schema.
#[derive(Clone, Debug)]
pub struct ParameterSettings {
    schema: Node,
    is_required: Option<bool>,
}

impl FromNode for ParameterSettings {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let mut schema = Written::from_node(node, place, problems)?.0;
        let required = match &mut schema {
            Node::Object(members) => {
                let at = members.iter().position(|(key, _)| key == "required");
                at.map(|at| members.remove(at).1)
            }
            Node::String(_) => None,
            _ => return wrong_kind(node, "a JSON Schema that is an object, or the name of one", place, problems),
        };
        let is_required = match required {
            Some(required) => Some(bool::from_node(&required, &place.at("required"), problems)?),
            None => None,
        };
        Some(Self { schema, is_required })
    }
}

described_as!(ParameterSettings, { "type": ["object", "string"], "properties": { "required": { "type": "boolean" } } });

/// A compiled rule.
#[derive(Debug)]
pub struct Validation {
    /// What the body must be.
    pub body: Option<Arc<Schema>>,
    path: Vec<Parameter>,
    query: Vec<Parameter>,
    header: Vec<Parameter>,
    may_have_others: bool,
}

#[derive(Debug)]
struct Parameter {
    name: String,
    schema: Arc<Schema>,
    types: Types,
    /// Of an array: the types of its elements.
    of_elements: Types,
    is_required: bool,
}

/// What a text can be read as.
const SCALARS: Types = Types::STRING.and(Types::NUMBER).and(Types::BOOLEAN).and(Types::NULL);

impl Validation {
    /// Compiles a rule; `None` where it is at fault, which is noted.
    pub fn compile(
        settings: ValidateSettings,
        library: &Library,
        place: &Place<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let body =
            settings.body.map(|body| body.map(|Written(schema)| library.resolve(&schema, &place.at("body"), problems)));
        let mut read = |key: &'static str, named: Option<Named<ParameterSettings>>| {
            named.and_then(|named| parameters(key, named, library, &place.at(key), problems))
        };
        let (path, query, header) =
            (read("path", settings.path), read("query", settings.query), read("header", settings.header));
        let may_have_others = settings.other_query?.unwrap_or(true);
        let rule = Self {
            body: match body? {
                Some(body) => Some(body?),
                None => None,
            },
            path: path?,
            query: query?,
            header: header?,
            may_have_others,
        };
        let says_nothing = rule.body.is_none()
            && may_have_others
            && [&rule.path, &rule.query, &rule.header].iter().all(|parameters| parameters.is_empty());
        if says_nothing {
            problems.add(place, "says nothing of what requests must be like");
        }
        Some(rule)
    }

    /// The names of the values that the path must capture.
    pub fn captured(&self) -> impl Iterator<Item = &str> {
        self.path.iter().map(|parameter| parameter.name.as_str())
    }

    /// What the rule is about, for people: `body, query page`.
    pub fn said(&self) -> String {
        let names = |of: &str, parameters: &[Parameter]| {
            let names: Vec<_> = parameters.iter().map(|parameter| parameter.name.as_str()).collect();
            (!names.is_empty()).then(|| format!("{of} {}", names.join(", ")))
        };
        let of = [
            names("path", &self.path),
            names("query", &self.query),
            (!self.may_have_others).then(|| "no other query".to_owned()),
            names("header", &self.header),
            self.body.is_some().then(|| "JSON body".to_owned()),
        ];
        of.into_iter().flatten().collect::<Vec<_>>().join("; ")
    }

    /// What is wrong with a request but for its body. `query` is what of the query is not for the gateway itself;
    /// `is_known` tells names in it that the file says elsewhere.
    pub fn faults(&self, head: &Head, params: &Params<'_>, query: &str, is_known: impl Fn(&str) -> bool) -> Vec<Fault> {
        let mut faults = Vec::new();
        for parameter in &self.path {
            // The one reading of the path has nothing in it that is no UTF-8.
            let value = params.get(&parameter.name).map(|value| String::from_utf8_lossy(&decode(value)).into_owned());
            parameter.check("path", value.as_deref().as_slice(), &mut faults);
        }
        self.query_faults(query, is_known, &mut faults);
        for parameter in &self.header {
            parameter.check("header", head.headers.get(&parameter.name).as_slice(), &mut faults);
        }
        faults
    }

    fn query_faults(&self, query: &str, is_known: impl Fn(&str) -> bool, faults: &mut Vec<Fault>) {
        let sent: Vec<_> = query::parameters(query).map(|(name, value)| (query::decoded(name), value)).collect();
        for (name, value) in &sent {
            let is_ours = self.query.iter().any(|parameter| parameter.name == *name);
            let (told, what) = match is_ours {
                true if !is_utf8(value) => (name.to_string(), "must be UTF-8, percent-encoded"),
                true => continue,
                false if self.may_have_others || is_known(name) => continue,
                // Of names that nobody knows, as much as a name is long.
                false => (name.chars().take(50).collect(), "is not known here"),
            };
            if faults.len() < MOST_FAULTS {
                faults.push(Fault::of_parameter("query", told, what));
            }
        }
        for parameter in &self.query {
            let own = sent.iter().filter(|(name, _)| parameter.name == *name);
            let values: Vec<_> = own.map(|(_, value)| query::decoded(value)).collect();
            let values: Vec<&str> = values.iter().map(|value| &**value).collect();
            parameter.check("query", &values, faults);
        }
    }
}

/// Whether the bytes that are encoded in a value are UTF-8: else one reader takes them for this, another for that.
fn is_utf8(encoded: &str) -> bool {
    !encoded.contains('%') || String::from_utf8(decode(encoded)).is_ok()
}

fn parameters(
    key: &'static str,
    named: Named<ParameterSettings>,
    library: &Library,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<Vec<Parameter>> {
    let mut all = Some(Vec::new());
    for (written, settings) in named.0 {
        let place = place.at(&written);
        let name = if key == "header" { written.to_ascii_lowercase() } else { written.clone() };
        if key == "header" && !is_token(&name) {
            problems.add(&place, "has a name that no such field can have");
        }
        let is_there = |parameter: &Parameter| parameter.name == name;
        if all.as_ref().is_some_and(|all: &Vec<Parameter>| all.iter().any(is_there)) {
            problems.add(&place, "stands twice: upper and lower case do not differ here");
        }
        let parameter = settings.and_then(|settings| parameter(key, name, settings, library, &place, problems));
        match (&mut all, parameter) {
            (Some(all), Some(parameter)) => all.push(parameter),
            _ => all = None,
        }
    }
    all
}

fn parameter(
    key: &'static str,
    name: String,
    settings: ParameterSettings,
    library: &Library,
    place: &Place<'_>,
    problems: &mut Problems,
) -> Option<Parameter> {
    if key == "path" && settings.is_required.is_some() {
        problems.add(&place.at("required"), "is for what may be missing; a path without the value is another one");
    }
    let schema = library.resolve(&settings.schema, place, problems)?;
    let types = schema.types().unwrap_or(Types::STRING);
    let is_array = types == Types::ARRAY;
    if !is_array && !SCALARS.has(types) {
        problems.add(place, "can be an object, or an array among others, which no parameter can be read as");
        return None;
    }
    if is_array && key != "query" {
        problems.add(place, "is an array, which is for parameters of the query alone");
    }
    if let Some(about) = schema.vain(types) {
        let (about, types) = (about.said(), types.said());
        problems.add(place, format!("says something of {about}, and the value is {types}; say its \"type\""));
    }
    let of_elements = schema.element_types().unwrap_or(Types::STRING);
    if is_array && !SCALARS.has(of_elements) {
        problems.add(place, "has elements that can be arrays or objects, which no text can be read as");
    }
    Some(Parameter { name, schema, types, of_elements, is_required: settings.is_required.unwrap_or(false) })
}

impl Parameter {
    /// Notes what is wrong with the values that were sent under its name.
    fn check(&self, of: &'static str, sent: &[&str], faults: &mut Vec<Fault>) {
        if let Some(what) = self.wrong(sent)
            && faults.len() < MOST_FAULTS
        {
            faults.push(Fault::of_parameter(of, self.name.clone(), what));
        }
    }

    fn wrong(&self, sent: &[&str]) -> Option<String> {
        let value = match sent {
            [] => return self.is_required.then(|| "is missing".to_owned()),
            _ if self.types == Types::ARRAY => {
                let elements = sent.iter().map(|text| read(text, self.of_elements));
                match elements.collect::<Option<Vec<_>>>() {
                    Some(elements) => Value::Array(elements),
                    None => return Some(format!("must be {} each time", self.of_elements.said())),
                }
            }
            [one] => match read(one, self.types) {
                Some(value) => value,
                None => return Some(format!("must be {}", self.types.said())),
            },
            _ => return Some("stands several times".to_owned()),
        };
        let mut wrong = Wrong::default();
        self.schema.check(&value, &mut wrong);
        let (place, what) = wrong.into_told().into_iter().next()?;
        match place.keys().first() {
            Some(at) => Some(format!("in element {at}, counted from 0: {what}")),
            None => Some(what),
        }
    }
}

/// A text as a value of one of these types.
fn read(text: &str, types: Types) -> Option<Value<'_>> {
    let is_number = text.starts_with(|first: char| first == '-' || first.is_ascii_digit())
        && text.ends_with(|last: char| last.is_ascii_digit())
        && serde_json::from_str::<IgnoredAny>(text).is_ok();
    match text {
        "null" if types.meets(Types::NULL) => Some(Value::Null),
        "true" if types.meets(Types::BOOLEAN) => Some(Value::Bool(true)),
        "false" if types.meets(Types::BOOLEAN) => Some(Value::Bool(false)),
        number if is_number && types.meets(Types::NUMBER) => Value::number(number),
        text => types.meets(Types::STRING).then_some(Value::Text(Cow::Borrowed(text))),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_text_is_read_as_its_type_says() {
        let number = |text| Some(Value::Number(text));
        let text = |text: &'static str| Some(Value::Text(text.into()));
        for (sent, types, value) in [
            ("7", Types::INTEGER, number("7")),
            ("-7.50e1", Types::NUMBER, number("-7.50e1")),
            ("7", Types::STRING, text("7")),
            ("7", Types::STRING.and(Types::INTEGER), number("7")),
            ("x", Types::STRING.and(Types::INTEGER), text("x")),
            ("true", Types::BOOLEAN, Some(Value::Bool(true))),
            ("null", Types::NULL, Some(Value::Null)),
            ("null", Types::STRING, text("null")),
            ("", Types::STRING, text("")),
            ("", Types::INTEGER, None),
            ("+7", Types::INTEGER, None),
            (" 7", Types::INTEGER, None),
            ("7 ", Types::INTEGER, None),
            ("7\n", Types::INTEGER, None),
            ("07", Types::INTEGER, None),
            ("0x7", Types::INTEGER, None),
            ("7,8", Types::NUMBER, None),
            ("\u{0667}", Types::INTEGER, None),
            ("1e400", Types::NUMBER, None),
            ("NaN", Types::NUMBER, None),
            ("TRUE", Types::BOOLEAN, None),
            ("1", Types::BOOLEAN, None),
        ] {
            assert_eq!(read(sent, types), value, "of {sent:?}");
        }
    }
}
