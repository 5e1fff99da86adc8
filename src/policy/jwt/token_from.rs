//! Where in a request the token is.

use std::borrow::Cow;

use super::bearer_token;
use crate::head::{Head, Headers, is_token};
use crate::policy::headers::HeaderEdits;
use crate::query;
use crate::settings::{FromNode, Node, Place, Problems, described_as, wrong_kind};

/// Where in a request the token is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenFrom {
    /// A bearer token in `Authorization` (RFC 6750, section 2.1).
    Authorization,
    /// The whole of another header field, by its name in lower case.
    Header(String),
    /// A cookie.
    Cookie(String),
    /// A query parameter (RFC 6750, section 2.3, which tells why not to).
    Query(String),
}

impl TokenFrom {
    /// The token there; an empty one is none.
    pub fn token<'h>(&self, head: &'h Head) -> Option<Cow<'h, str>> {
        let token = match self {
            Self::Authorization => bearer_token(head.headers.get("authorization")?)?.into(),
            Self::Header(name) => head.headers.get(name)?.into(),
            Self::Cookie(name) => head.headers.cookie(name)?.into(),
            Self::Query(name) => query::value(head.query.as_deref()?, name)?,
        };
        Some(token).filter(|token| !token.is_empty())
    }
}

/// A query without the tokens in it that nobody else is to have.
pub fn query_without<'q>(query: &'q str, hidden: &[&TokenFrom]) -> Cow<'q, str> {
    hidden.iter().fold(Cow::Borrowed(query), |rest, from| match from {
        TokenFrom::Query(name) => Cow::Owned(query::without(&rest, name)),
        _ => rest,
    })
}

/// Takes tokens out of the header fields of a request that goes on.
pub fn hide(hidden: &[&TokenFrom], headers: &Headers, edits: &mut HeaderEdits) {
    let mut cookies = Vec::new();
    for from in hidden {
        match from {
            TokenFrom::Authorization => edits.remove("authorization"),
            TokenFrom::Header(name) => edits.remove(name),
            TokenFrom::Cookie(name) => cookies.push(name.as_str()),
            TokenFrom::Query(_) => {}
        }
    }
    if !cookies.is_empty() {
        match headers.cookies_without(&cookies) {
            Some(others) => edits.set("cookie", others),
            None => edits.remove("cookie"),
        }
    }
}

impl FromNode for TokenFrom {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        const FORM: &str = "\"authorization\", {\"header\": NAME}, {\"cookie\": NAME} or {\"query\": NAME}";
        let read = match node {
            Node::String(word) if word == "authorization" => Some(Self::Authorization),
            Node::Object(members) => match members.as_slice() {
                [(of, Node::String(name))] if of == "header" && is_token(name) => {
                    Some(Self::Header(name.to_ascii_lowercase()))
                }
                [(of, Node::String(name))] if of == "cookie" && is_token(name) => Some(Self::Cookie(name.clone())),
                [(of, Node::String(name))] if of == "query" && !name.is_empty() => Some(Self::Query(name.clone())),
                _ => None,
            },
            _ => None,
        };
        read.or_else(|| wrong_kind(node, FORM, place, problems))
    }
}

described_as!(TokenFrom, { "anyOf": [
    { "const": "authorization" },
    { "type": "object", "properties": { "header": { "type": "string", "minLength": 1 } }, "required": ["header"], "additionalProperties": false },
    { "type": "object", "properties": { "cookie": { "type": "string", "minLength": 1 } }, "required": ["cookie"], "additionalProperties": false },
    { "type": "object", "properties": { "query": { "type": "string", "minLength": 1 } }, "required": ["query"], "additionalProperties": false },
] });
