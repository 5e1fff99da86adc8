//! What a request must say beside its host, path and method: header fields, query parameters and
//! cookies, by which several routes of one path are told apart.
//!
//! ```json
//! { "path": "/orders", "header": { "x-version": "2" }, "query": { "debug": true }, "cookie": { "beta": false } }
//! ```

use std::borrow::Cow;
use std::fmt;

use regex_lite::Regex;

use crate::accept::liking;
use crate::head::Head;
use crate::query;
#[cfg(not(target_arch = "wasm32"))]
use crate::settings::schema::Described;
use crate::settings::{FromNode, Node, OneOrMany, Place, Problems, shape, wrong_kind};

/// The conditions of a route; all must hold.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Conditions(Vec<Condition>);

/// One condition: of the value of this name, that test holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Condition {
    /// What has the value.
    pub of: Kind,
    /// The name of the value; of a header field in lower case.
    pub name: String,
    /// What must hold.
    pub test: ValueTest,
}

/// What has a value with a name. The order is that of precedence.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Kind {
    /// A header field; several of one name are one value, joined by `, `.
    Header,
    /// A query parameter, decoded; the first of its name.
    Query,
    /// A cookie, as sent; the first of its name.
    Cookie,
}

/// What must hold for a value. Upper and lower case differ.
#[derive(Clone, Debug)]
pub enum ValueTest {
    /// It is there (`true`).
    Present,
    /// It is not there (`false`).
    Absent,
    /// It is one of these (`"2"`, `["1", "2"]`).
    OneOf(Vec<String>),
    /// It begins so (`{ "prefix": "2." }`).
    Prefix(String),
    /// All of it is of this form (`{ "regex": "[0-9]+" }`).
    Regex(Regex),
    /// It lists this media type, not just by a wildcard (`{ "media": "application/vnd.shop.v2+json" }`).
    Media(String),
}

impl Conditions {
    /// All of these.
    pub fn all_of(mut conditions: Vec<Condition>) -> Self {
        conditions.sort_by(|one, other| (one.of, &one.name).cmp(&(other.of, &other.name)));
        Self(conditions)
    }

    /// The first condition that does not hold.
    pub fn unmet(&self, head: &Head) -> Option<&Condition> {
        self.0.iter().find(|condition| !condition.holds(head))
    }

    /// How many there are of each kind: more header conditions go before fewer, then query, then cookies.
    pub fn weight(&self) -> [usize; 3] {
        [Kind::Header, Kind::Query, Kind::Cookie]
            .map(|kind| self.0.iter().filter(|condition| condition.of == kind).count())
    }

    /// Whether whatever meets these meets `other` too.
    pub fn imply(&self, other: &Self) -> bool {
        other.0.iter().all(|wanted| self.0.iter().any(|condition| condition.implies(wanted)))
    }

    /// What they are of, to be compared with others.
    pub(super) fn keys(&self) -> Vec<Key<'_>> {
        self.0.iter().map(|condition| (condition.of, condition.name.as_str(), None)).collect()
    }

    /// The same, with the value of each that asks for one.
    pub(super) fn keys_with_values(&self) -> Vec<Key<'_>> {
        self.0.iter().map(|condition| (condition.of, condition.name.as_str(), condition.test.single_value())).collect()
    }

    /// Whether there are some, and each asks for one value.
    pub(super) fn are_single_values(&self) -> bool {
        !self.0.is_empty() && self.0.iter().all(|condition| condition.test.single_value().is_some())
    }

    /// One by one.
    pub fn iter(&self) -> impl Iterator<Item = &Condition> {
        self.0.iter()
    }
}

impl Condition {
    /// The header field that it is of.
    pub fn field(&self) -> Option<&str> {
        match self.of {
            Kind::Header => Some(&self.name),
            Kind::Cookie => Some("cookie"),
            Kind::Query => None,
        }
    }
}

impl fmt::Display for Condition {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let kind = match self.of {
            Kind::Header => "header",
            Kind::Query => "query",
            Kind::Cookie => "cookie",
        };
        write!(formatter, "{kind} {}", self.name)?;
        match &self.test {
            ValueTest::Present => formatter.write_str(" is there"),
            ValueTest::Absent => formatter.write_str(" is not there"),
            ValueTest::OneOf(values) => write!(
                formatter,
                " is {}",
                values.iter().map(|value| format!("{value:?}")).collect::<Vec<_>>().join(" or ")
            ),
            ValueTest::Prefix(prefix) => write!(formatter, " begins with {prefix:?}"),
            ValueTest::Regex(regex) => write!(formatter, " matches {}", regex.as_str()),
            ValueTest::Media(media) => write!(formatter, " lists {media}"),
        }
    }
}

impl Condition {
    /// Whether it holds for a request.
    pub fn holds(&self, head: &Head) -> bool {
        let value = match self.of {
            Kind::Header => head.headers.get(&self.name).map(Cow::Borrowed),
            Kind::Query => head.query.as_deref().and_then(|query| query::value(query, &self.name)),
            Kind::Cookie => head.headers.cookie(&self.name).map(Cow::Borrowed),
        };
        self.test.holds(value.as_deref())
    }

    fn implies(&self, other: &Self) -> bool {
        self.of == other.of && self.name == other.name && self.test.implies(&other.test)
    }
}

/// What a condition is of, and the value that it asks for.
pub(super) type Key<'c> = (Kind, &'c str, Option<&'c str>);

impl ValueTest {
    fn single_value(&self) -> Option<&str> {
        match self {
            Self::OneOf(values) if values.len() == 1 => values.first().map(String::as_str),
            _ => None,
        }
    }

    /// Whether it holds for a value, or for none.
    pub fn holds(&self, value: Option<&str>) -> bool {
        match (self, value) {
            (Self::Absent, value) => value.is_none(),
            (_, None) => false,
            (Self::Present, Some(_)) => true,
            (Self::OneOf(values), Some(value)) => values.iter().any(|other| other == value),
            (Self::Prefix(prefix), Some(value)) => value.starts_with(prefix),
            (Self::Regex(regex), Some(value)) => regex.is_match(value),
            (Self::Media(wanted), Some(value)) => liking(value, wanted).is_some_and(|liked| liked.quality > 0),
        }
    }

    /// Whether each value for which this holds is one for which `other` does. `false` where that is
    /// not plain to see.
    fn implies(&self, other: &Self) -> bool {
        match (self, other) {
            (one, other) if one == other => true,
            (Self::Absent, _) => false,
            (_, Self::Present) => true,
            (Self::OneOf(values), other) => values.iter().all(|value| other.holds(Some(value))),
            (Self::Prefix(longer), Self::Prefix(shorter)) => longer.starts_with(shorter),
            _ => false,
        }
    }
}

impl PartialEq for ValueTest {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Present, Self::Present) | (Self::Absent, Self::Absent) => true,
            (Self::OneOf(one), Self::OneOf(other)) => {
                one.iter().all(|value| other.contains(value)) && other.iter().all(|value| one.contains(value))
            }
            (Self::Prefix(one), Self::Prefix(other)) | (Self::Media(one), Self::Media(other)) => one == other,
            (Self::Regex(one), Self::Regex(other)) => one.as_str() == other.as_str(),
            _ => false,
        }
    }
}

impl Eq for ValueTest {}

shape! {
    /// A test that needs a word for what it does.
    pub struct TestSettings {
        /// The value begins so.
        "prefix" => prefix: Option<String> = "2.",
        /// All of the value is of this form (a regular expression, anchored at both ends).
        "regex" => regex: Option<String> = "[0-9]+",
        /// The value lists this media type, as Accept does; a wildcard does not count.
        "media" => media: Option<String> = "application/vnd.shop.v2+json",
    }
}

impl FromNode for ValueTest {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::Bool(true) => Some(Self::Present),
            Node::Bool(false) => Some(Self::Absent),
            // An empty value is a value.
            Node::String(text) if text.is_empty() => Some(Self::OneOf(vec![String::new()])),
            Node::String(_) | Node::Array(_) => {
                OneOrMany::from_node(node, place, problems).map(|values| Self::OneOf(values.0))
            }
            Node::Object(_) => match TestSettings::from_node(node, place, problems)? {
                TestSettings { prefix: Some(Some(prefix)), regex: Some(None), media: Some(None) } => {
                    Some(Self::Prefix(prefix))
                }
                TestSettings { prefix: Some(None), regex: Some(Some(regex)), media: Some(None) } => {
                    read_regex(&regex, &place.at("regex"), problems).map(Self::Regex)
                }
                TestSettings { prefix: Some(None), regex: Some(None), media: Some(Some(media)) } => {
                    let fine = media.split_once('/').is_some_and(|(kind, rest)| !kind.is_empty() && !rest.is_empty());
                    if !fine || media.contains(['*', ';', ',', ' ']) {
                        problems.add(&place.at("media"), "must be a media type without parameters and wildcards");
                    }
                    Some(Self::Media(media))
                }
                TestSettings { prefix: None, .. }
                | TestSettings { regex: None, .. }
                | TestSettings { media: None, .. } => None,
                _ => {
                    problems.add(place, "must have exactly one of \"prefix\", \"regex\" and \"media\"");
                    None
                }
            },
            other => {
                wrong_kind(other, "a text, several, true, false or a test such as {\"prefix\": …}", place, problems)
            }
        }
    }
}

fn read_regex(written: &str, place: &Place<'_>, problems: &mut Problems) -> Option<Regex> {
    match Regex::new(&format!("^(?:{written})$")) {
        // Unbalanced parentheses could close the group that anchors it.
        Ok(regex) if Regex::new(written).is_ok() => Some(regex),
        Ok(_) => {
            problems.add(place, "is not a regular expression by itself");
            None
        }
        Err(error) => {
            problems.add(place, format!("is not a regular expression: {error}"));
            None
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Described for ValueTest {
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let text = schemars::json_schema!({ "type": "string" });
        let texts =
            schemars::json_schema!({ "type": "array", "items": { "type": "string", "minLength": 1 }, "minItems": 1 });
        let test = TestSettings::schema(generator);
        schemars::json_schema!({ "anyOf": [{ "type": "boolean" }, text, texts, test] })
    }
}

#[cfg(test)]
mod tests;
