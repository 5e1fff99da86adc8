//! Values that are there only while an aggregate is put together: `{parts.user.address.city}`,
//! `{reply.order.location}`, `{body.ids}`, `{item.id}`, `{keys}`.
//!
//! They are JSON. As text, a string is what it means, a number and a boolean as they were written; an
//! array is the texts of its elements, separated by commas; `null` is none, an object has no text.

use std::borrow::Cow;

use crate::head::Headers;
use crate::json::path::{Path, Selected};
use crate::json::tree::{elements, text_of};
use crate::settings::Text;

/// Where such a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Inner {
    /// `{parts.name.path}`: what another part has there.
    Part {
        /// The part's name.
        part: String,
        /// Where in its value.
        path: Path,
    },
    /// `{reply.name.field}`: a header field of another part's answer.
    Reply {
        /// The part's name.
        part: String,
        /// The field's name, in lower case.
        field: String,
    },
    /// `{body.path}`: what the client's JSON body has there.
    Body(Path),
    /// `{item.path}`: what the element has there for which the part is made.
    Item(Path),
    /// `{keys}`: the keys of all elements for which a batch is made.
    Keys,
}

/// The values that are there.
#[derive(Clone, Copy)]
pub struct InnerValues<'r> {
    /// The parts that are done.
    pub parts: &'r [InnerPart<'r>],
    /// The client's body, as JSON text.
    pub body: Option<&'r str>,
    /// The element, as JSON text.
    pub item: Option<&'r str>,
    /// The keys of a batch, as JSON texts.
    pub keys: &'r [&'r str],
}

/// A part that is done.
#[derive(Clone, Copy)]
pub struct InnerPart<'r> {
    /// Its name.
    pub name: &'r str,
    /// Its value as JSON text, if it has one.
    pub value: Option<&'r str>,
    /// The header fields of its answer, if there was one.
    pub reply: Option<&'r Headers>,
}

impl InnerValues<'_> {
    /// No values.
    pub const NONE: InnerValues<'static> = InnerValues { parts: &[], body: None, item: None, keys: &[] };
}

impl Inner {
    /// Reads what stands in the braces, `None` if it is no such value; the error says what is wrong.
    pub fn read(written: &str) -> Option<Result<Self, String>> {
        let (word, rest) = written.split_at_checked(written.find(['.', '/'])?)?;
        let path = |rest: &str| Path::read(rest.strip_prefix('.').unwrap_or(rest));
        match word {
            "body" => Some(path(rest).map(Self::Body)),
            "item" => Some(path(rest).map(Self::Item)),
            "parts" => {
                let rest = rest.strip_prefix('.')?;
                let (part, rest) = rest.split_at_checked(rest.find(['.', '/']).unwrap_or(rest.len()))?;
                let part = part.to_owned();
                Some(path(rest).map(|path| Self::Part { part, path }))
            }
            "reply" => {
                let (part, field) = rest.strip_prefix('.')?.split_once('.')?;
                Some(Ok(Self::Reply { part: part.to_owned(), field: field.to_ascii_lowercase() }))
            }
            _ => None,
        }
    }

    /// The value that a name without a path is, where the route captures nothing of that name.
    pub fn of_name(name: &str) -> Option<Self> {
        match name {
            "body" => Some(Self::Body(Path::default())),
            "item" => Some(Self::Item(Path::default())),
            "keys" => Some(Self::Keys),
            _ => None,
        }
    }

    /// The part that must be there before.
    pub fn part(&self) -> Option<&str> {
        match self {
            Self::Part { part, .. } | Self::Reply { part, .. } => Some(part),
            Self::Body(_) | Self::Item(_) | Self::Keys => None,
        }
    }

    /// The value as JSON text; where there are several, an array of them. `None` where there is none.
    pub fn json<'r>(&self, values: &InnerValues<'r>) -> Option<Cow<'r, str>> {
        let named = |name: &str| values.parts.iter().find(|part| part.name == name);
        let (of, path) = match self {
            Self::Part { part, path } => (named(part)?.value?, path),
            Self::Body(path) => (values.body?, path),
            Self::Item(path) => (values.item?, path),
            Self::Reply { part, field } => {
                return Some(crate::json::string(named(part)?.reply?.get(field)?).into());
            }
            Self::Keys => return Some(array(values.keys).into()),
        };
        match path.select(of) {
            Selected::Nothing => None,
            Selected::One(value) => Some(Cow::Borrowed(value)),
            Selected::Each(values) => Some(array(&values).into()),
        }
    }

    /// The texts that the value is; `None` where there is none, or one that has no text.
    pub fn texts(&self, values: &InnerValues<'_>) -> Option<Vec<String>> {
        let json = self.json(values)?;
        let mut texts = Vec::new();
        add_texts(&json, &mut texts)?;
        (!texts.is_empty()).then_some(texts)
    }
}

fn array(values: &[&str]) -> String {
    format!("[{}]", values.join(","))
}

fn add_texts(value: &str, texts: &mut Vec<String>) -> Option<()> {
    match value.as_bytes().first() {
        Some(b'{') => None,
        Some(b'[') => elements(value).try_for_each(|element| add_texts(element, texts)),
        Some(b'"') => {
            // A string that means no text cannot be sent; an empty one is none.
            texts.extend(text_of(value).filter(|text| !text.is_empty()).map(Cow::into_owned));
            Some(())
        }
        _ => {
            texts.extend((value != "null").then(|| value.to_owned()));
            Some(())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_has_texts() {
        let value = r#"{"n":1.50e+2,"s":"a\u00e9","ids":[7,"8",null,[9]],"x":null,"b":false,"e":[]}"#;
        let reply = Headers::from_text("location:/o/7\n");
        let values = InnerValues {
            parts: &[InnerPart { name: "o", value: Some(value), reply: Some(&reply) }],
            body: Some("[1]"),
            item: Some(r#"{"id":"q"}"#),
            keys: &["1", "\"b\""],
        };
        for (written, expected) in [
            ("parts.o.n", Some(vec!["1.50e+2"])),
            ("parts.o.s", Some(vec!["aé"])),
            ("parts.o.ids", Some(vec!["7", "8", "9"])),
            ("parts.o/ids/1", Some(vec!["8"])),
            ("parts.o.b", Some(vec!["false"])),
            ("parts.o.x", None),
            ("parts.o.e", None),
            ("parts.o", None),
            ("parts.p.n", None),
            ("reply.o.Location", Some(vec!["/o/7"])),
            ("body.0", Some(vec!["1"])),
            ("item.id", Some(vec!["q"])),
        ] {
            let texts = Inner::read(written).unwrap().unwrap().texts(&values);
            let expected = expected.map(|texts| texts.into_iter().map(str::to_owned).collect::<Vec<_>>());
            assert_eq!(texts, expected, "of {written}");
        }
        assert_eq!(Inner::Keys.json(&values).as_deref(), Some("[1,\"b\"]"));
    }
}
