//! JSON Schema (draft 2020-12): what a value must be, said in the file, checked for the values of clients.
//!
//! A validator of our own, of the keywords in `read`: those of others come to far more than the rest of the
//! gateway may (gzipped, in a release build for Wasm: `boon` 470 KB, `jsonschema` without its defaults 850 KB). In
//! the tests `jsonschema` is the reference by which this one is judged. What is not checked is refused where the
//! file is read, so that nobody takes it for checked.
//!
//! Values come from anybody, so:
//!
//! - numbers are compared as they are written ([`decimal`]), and what readers take for different values is wrong
//!   in itself ([`value`]);
//! - a value is gone over a bounded number of times: each look at a value costs work, of which there is so much
//!   (`check`). Elements are compared by sorting, patterns take time linear in the text;
//! - what is said of it names what is wanted, never what the client sent.

mod check;
pub mod decimal;
mod format;
mod keywords;
mod pattern;
mod read;
mod refs;
pub mod value;
mod wrong;

use decimal::{Decimal, Divisor};
use format::Format;
use pattern::Pattern;

pub use read::{Library, Written};
pub use value::Value;
pub use wrong::{MOST_TOLD, Wrong};

/// A compiled schema, with all that it refers to.
#[derive(Debug)]
pub struct Schema {
    /// Each schema in it by its number: what must hold, in the order in which it is looked at.
    nodes: Vec<Vec<Check>>,
    root: Id,
}

/// The number of a schema.
type Id = usize;

/// How many of something there may be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Range {
    least: u32,
    most: u32,
}

/// One thing that must hold. What is for another type of value than it is of holds.
#[derive(Debug)]
enum Check {
    /// Nothing is fine: the schema `false`.
    Never,
    /// `type`
    Type(Types),
    /// `enum` and `const`: canonical texts, sorted; the types of the values; the values, in words.
    Among { canonical: Vec<Vec<u8>>, types: Types, said: String },
    /// `minimum` and the like.
    Bound { bound: Decimal, side: Side, said: String },
    /// `multipleOf`
    MultipleOf { divisor: Divisor, said: String },
    /// `minLength`, `maxLength`: code points.
    Length(Range),
    /// `pattern`
    Pattern(Pattern),
    /// `format`
    Format(Format),
    /// `minItems`, `maxItems`
    Elements(Range),
    /// `uniqueItems`
    Unique,
    /// `prefixItems`, `items`
    Items { first: Vec<Id>, rest: Option<Id> },
    /// `contains`, `minContains`, `maxContains`
    Contains { what: Id, range: Range },
    /// `minProperties`, `maxProperties`
    Members(Range),
    /// `required`
    Required(Vec<String>),
    /// `dependentRequired`
    Needs(Vec<(String, Vec<String>)>),
    /// `propertyNames`
    Names(Id),
    /// `properties` (sorted by name), `patternProperties`, `additionalProperties`
    Properties { named: Vec<(String, Id)>, patterns: Vec<(Pattern, Id)>, others: Option<Id> },
    /// `$ref`
    Same(Id),
    /// `allOf`
    All(Vec<Id>),
    /// `anyOf`
    Any(Vec<Id>),
    /// `oneOf`
    One(Vec<Id>),
    /// `not`
    Not(Id),
    /// `if`, `then`, `else`
    If { condition: Id, then: Option<Id>, otherwise: Option<Id> },
}

/// On which side of a bound a number must be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Side {
    AtLeast,
    Above,
    AtMost,
    Below,
}

/// Some of the types of JSON Schema.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Types(u8);

impl Types {
    /// Null.
    pub const NULL: Self = Self(1);
    /// `true` and `false`.
    pub const BOOLEAN: Self = Self(2);
    /// Numbers without a fraction.
    pub const INTEGER: Self = Self(4);
    /// Numbers; integers are some of them.
    pub const NUMBER: Self = Self(8 | 4);
    /// Strings.
    pub const STRING: Self = Self(16);
    /// Arrays.
    pub const ARRAY: Self = Self(32);
    /// Objects.
    pub const OBJECT: Self = Self(64);

    const WORDS: [(&'static str, Self, &'static str); 7] = [
        ("null", Self::NULL, "null"),
        ("boolean", Self::BOOLEAN, "true or false"),
        ("number", Self::NUMBER, "a number"),
        ("integer", Self::INTEGER, "an integer"),
        ("string", Self::STRING, "a string"),
        ("array", Self::ARRAY, "an array"),
        ("object", Self::OBJECT, "an object"),
    ];

    /// These and others.
    pub const fn and(self, others: Self) -> Self {
        Self(self.0 | others.0)
    }

    /// Whether some are in both.
    pub fn meets(self, others: Self) -> bool {
        self.0 & others.0 != 0
    }

    /// Whether all of the others are in these.
    pub fn has(self, others: Self) -> bool {
        self.0 & others.0 == others.0
    }

    /// For a message: `a number or null`.
    pub fn said(self) -> String {
        let is_said = |types: Self| self.has(types) && (types != Self::INTEGER || !self.has(Self::NUMBER));
        let words = Self::WORDS.iter().filter(|(_, types, _)| is_said(*types)).map(|(.., said)| *said);
        words.collect::<Vec<_>>().join(" or ")
    }

    /// Those of a value: a whole number is an integer too.
    fn of(value: &Value<'_>) -> Self {
        match value {
            Value::Null => Self::NULL,
            Value::Bool(_) => Self::BOOLEAN,
            Value::Number(written) => {
                let is_plain = !written.contains(['.', 'e', 'E']);
                if is_plain || Decimal::of(written).is_whole() { Self::INTEGER } else { Self(8) }
            }
            Value::Text(_) => Self::STRING,
            Value::Array(_) => Self::ARRAY,
            Value::Object(_) => Self::OBJECT,
        }
    }
}

impl Check {
    /// The types of the values that it is about; of one that is about all, `None`.
    fn about(&self) -> Option<Types> {
        match self {
            Self::Among { types, .. } => Some(*types),
            Self::Bound { .. } | Self::MultipleOf { .. } => Some(Types::NUMBER),
            Self::Length(_) | Self::Pattern(_) | Self::Format(_) => Some(Types::STRING),
            Self::Elements(_) | Self::Unique | Self::Items { .. } | Self::Contains { .. } => Some(Types::ARRAY),
            Self::Members(_) | Self::Required(_) | Self::Needs(_) | Self::Names(_) | Self::Properties { .. } => {
                Some(Types::OBJECT)
            }
            _ => None,
        }
    }
}

impl Schema {
    /// The types that a value may be of, as far as the schema itself says so, or what it refers to.
    pub fn types(&self) -> Option<Types> {
        self.types_of(self.root)
    }

    /// The same of the elements of an array.
    pub fn element_types(&self) -> Option<Types> {
        let items = self.find(self.root, &|check| match check {
            Check::Items { rest: Some(rest), .. } => Some(*rest),
            _ => None,
        });
        self.types_of(items?)
    }

    /// What the schema says of values of no type of these: it never comes to that.
    pub fn vain(&self, types: Types) -> Option<Types> {
        self.find(self.root, &|check| check.about().filter(|about| !types.meets(*about)))
    }

    fn types_of(&self, id: Id) -> Option<Types> {
        self.find(id, &|check| if let Check::Type(types) = check { Some(*types) } else { None })
    }

    /// What is first found in a schema or in those that it refers to.
    fn find<T>(&self, id: Id, what: &impl Fn(&Check) -> Option<T>) -> Option<T> {
        let checks = self.nodes.get(id)?;
        checks.iter().find_map(|check| match check {
            Check::Same(other) => self.find(*other, what),
            check => what(check),
        })
    }
}

#[cfg(test)]
mod tests;
