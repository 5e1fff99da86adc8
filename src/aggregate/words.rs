//! The words by which the file says how an aggregate is made.

#[cfg(not(target_arch = "wasm32"))]
use crate::settings::schema::Described;
use crate::settings::{FromNode, Node, Place, Problems, shape, written_as_word, wrong_kind};

/// A status, or all of a hundred.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Statuses {
    /// `404`
    One(u16),
    /// `"2xx"`: the first digit.
    Hundred(u16),
}

impl Statuses {
    /// Whether all of these are statuses of errors.
    pub fn are_errors(self) -> bool {
        match self {
            Self::One(status) => status >= 400,
            Self::Hundred(hundred) => hundred >= 4,
        }
    }

    /// Whether a status is of these.
    pub fn include(self, status: u16) -> bool {
        match self {
            Self::One(one) => one == status,
            Self::Hundred(hundred) => hundred == status / 100,
        }
    }
}

impl FromNode for Statuses {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let read = match node {
            Node::Number(number) => {
                let status = number.as_u64().and_then(|status| u16::try_from(status).ok());
                status.filter(|status| (200..=599).contains(status)).map(Self::One)
            }
            Node::String(text) => {
                let hundreds = ["2xx", "3xx", "4xx", "5xx"].iter().zip(2..);
                hundreds.into_iter().find(|(word, _)| *word == text).map(|(_, hundred)| Self::Hundred(hundred))
            }
            _ => None,
        };
        read.or_else(|| wrong_kind(node, "a status from 200 to 599, or \"2xx\" and the like", place, problems))
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Described for Statuses {
    fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [
            { "type": "integer", "minimum": 200, "maximum": 599 },
            { "enum": ["2xx", "3xx", "4xx", "5xx"] },
        ] })
    }
}

/// Which status the whole has for that of a required part.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StatusOfWhole {
    /// This one.
    One(u16),
    /// The same.
    Same,
}

impl StatusOfWhole {
    /// The status of the whole for that of a part.
    pub fn status(self, of_part: u16) -> u16 {
        match self {
            Self::One(status) => status,
            Self::Same => of_part,
        }
    }
}

impl FromNode for StatusOfWhole {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let read = match node {
            Node::Number(number) => {
                let status = number.as_u64().and_then(|status| u16::try_from(status).ok());
                status.filter(|status| (400..=599).contains(status)).map(Self::One)
            }
            Node::String(word) if word == "same" => Some(Self::Same),
            _ => None,
        };
        read.or_else(|| wrong_kind(node, "a status from 400 to 599, or \"same\"", place, problems))
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Described for StatusOfWhole {
    fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [{ "type": "integer", "minimum": 400, "maximum": 599 }, { "enum": ["same"] }] })
    }
}

/// What an empty body is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Empty {
    /// The value null.
    Null,
    /// A failure of the part.
    Failure,
}

written_as_word!(Empty { "null" => Self::Null, "failure" => Self::Failure });

/// What the body of an answer is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Format {
    /// JSON.
    Json,
    /// Text.
    Text,
    /// Names and values, as of an HTML form.
    Form,
    /// XML.
    Xml,
}

impl Format {
    /// How a service is asked for it, in `Accept`. Of what is not JSON there are many types.
    pub fn accepted(self) -> &'static str {
        match self {
            Self::Json => "application/json",
            Self::Text | Self::Form | Self::Xml => "*/*",
        }
    }
}

written_as_word!(Format { "json" => Self::Json, "text" => Self::Text, "form" => Self::Form, "xml" => Self::Xml });

/// What an aggregate's answer is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Form {
    /// An object of the parts.
    #[default]
    Object,
    /// An array of them.
    Array,
    /// The value of one.
    Value,
}

written_as_word!(Form { "object" => Self::Object, "array" => Self::Array, "value" => Self::Value });

/// How an answer is written as its parts arrive.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamForm {
    /// A line of JSON for each event.
    NdJson,
    /// Server-sent events.
    Sse,
}

written_as_word!(StreamForm { "ndjson" => Self::NdJson, "sse" => Self::Sse });

impl StreamForm {
    /// The media types by which clients ask for it; the first is what the answer says.
    pub fn media_types(self) -> &'static [&'static str] {
        match self {
            Self::NdJson => &["application/x-ndjson", "application/ndjson", "application/jsonl"],
            // The HTML standard, section 9.2.
            Self::Sse => &["text/event-stream"],
        }
    }

    /// The media type that the answer says.
    pub fn media_type(self) -> &'static str {
        self.media_types().first().copied().unwrap_or_default()
    }
}

/// How header fields of several answers become one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum HeaderRule {
    /// All of them.
    Append,
    /// Of the first part that has it.
    First,
    /// Of the last part that has it.
    Last,
    /// Of this part.
    Of(String),
}

shape! {
    /// A header field of one part.
    pub struct HeaderOf {
        /// The part.
        "of" => of: String = "orders",
    }
}

impl FromNode for HeaderRule {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::String(word) if word == "append" => Some(Self::Append),
            Node::String(word) if word == "first" => Some(Self::First),
            Node::String(word) if word == "last" => Some(Self::Last),
            Node::Object(_) => HeaderOf::from_node(node, place, problems)?.of.map(Self::Of),
            other => wrong_kind(other, "\"append\", \"first\", \"last\" or {\"of\": \"part\"}", place, problems),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl Described for HeaderRule {
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let of = HeaderOf::schema(generator);
        schemars::json_schema!({ "anyOf": [{ "enum": ["append", "first", "last"] }, of] })
    }
}
