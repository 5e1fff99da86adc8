//! The settings as a JSON Schema (draft 2020-12), for editors: which keys there are, what each
//! says, what may stand there. Native only.
//!
//! It refuses nothing that the gateway accepts. The other way round it is looser: names and rules
//! across keys are for the gateway alone to check.

use schemars::{JsonSchema, Schema, SchemaGenerator, json_schema};
use serde_json::Value;

use super::node::Node;
use super::shape::{FromNode, List, Named, OneOrMany, OrNone};
use super::value::Text;

/// What has a schema as a value of the file. Not schemars' own trait, by which an `Option` may be
/// `null` and a string empty; here they may not.
pub trait Described {
    /// The schema of a value; shapes that it names go to the generator's definitions.
    fn schema(generator: &mut SchemaGenerator) -> Schema;
}

impl<T: Described> Described for Option<T> {
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        T::schema(generator)
    }
}

impl Described for Node {
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!(true)
    }
}

impl Described for String {
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "string", "minLength": 1 })
    }
}

impl Described for bool {
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "boolean" })
    }
}

impl Described for u32 {
    fn schema(_: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "integer", "minimum": 0, "maximum": u32::MAX })
    }
}

impl<T: Described> Described for List<T> {
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "type": "array", "items": T::schema(generator) })
    }
}

impl<T: Described> Described for OneOrMany<T> {
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        let one = T::schema(generator);
        json_schema!({ "anyOf": [one, { "type": "array", "items": one, "minItems": 1 }] })
    }
}

impl<T: Described> Described for OrNone<T> {
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({ "anyOf": [T::schema(generator), { "type": "null" }] })
    }
}

impl<T: Described> Described for Named<T> {
    fn schema(generator: &mut SchemaGenerator) -> Schema {
        json_schema!({
            "type": "object",
            "propertyNames": { "minLength": 1 },
            "additionalProperties": T::schema(generator),
        })
    }
}

/// The schema of a value that is written as a string.
pub fn text<T: Text>() -> Schema {
    json_schema!({ "type": "string", "description": format!("Must be {}.", T::FORM), "pattern": T::PATTERN })
}

/// The schema of a shape where it is used: a reference to its definition.
pub fn reference<T: JsonSchema>(generator: &mut SchemaGenerator) -> Schema {
    generator.subschema_for::<T>()
}

/// A key of a shape.
pub struct Key {
    name: &'static str,
    is_required: bool,
    schema: Schema,
}

impl Key {
    /// A key whose value is a `T`, with what its declaration says of it.
    pub fn of<T: Described + FromNode>(
        name: &'static str,
        description: &[&str],
        example: Value,
        generator: &mut SchemaGenerator,
    ) -> Self {
        let mut schema = T::schema(generator);
        let mut description = paragraph(description);
        // What the key is for, then how such a value is written.
        if let Some(form) = schema.get("description").and_then(Value::as_str) {
            description = format!("{description} {form}");
        }
        schema.insert("description".to_owned(), description.into());
        schema.insert("examples".to_owned(), Value::Array(vec![example]));
        Self { name, is_required: T::when_missing().is_none(), schema }
    }
}

/// The schema of a shape: an object that has these keys and no others.
pub fn object(description: &[&str], keys: Vec<Key>) -> Schema {
    let required: Vec<_> = keys.iter().filter(|key| key.is_required).map(|key| key.name).collect();
    let mut schema = json_schema!({ "type": "object", "description": paragraph(description) });
    if !required.is_empty() {
        schema.insert("required".to_owned(), required.into());
    }
    let properties = keys.into_iter().map(|key| (key.name.to_owned(), key.schema.to_value())).collect();
    schema.insert("properties".to_owned(), Value::Object(properties));
    schema.insert("additionalProperties".to_owned(), false.into());
    schema
}

/// The lines of a doc comment as running text.
fn paragraph(lines: &[&str]) -> String {
    let lines: Vec<_> = lines.iter().map(|line| line.trim()).collect();
    lines.join(" ")
}
