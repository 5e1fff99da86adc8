//! Where in a request a token or a key is, and whether services get it.

use std::borrow::Cow;

use base64ct::{Base64, Encoding};

use crate::head::{Head, Headers, is_token};
use crate::policy::headers::HeaderEdits;
use crate::query;
use crate::settings::{FromNode, Node, Place, Problems, described_as, wrong_kind};

/// Where in a request a credential may be.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Carrier {
    /// A bearer token in `Authorization` (RFC 6750, section 2.1).
    Authorization,
    /// The password in `Authorization` (RFC 7617).
    Basic,
    /// The whole of another header field, by its name in lower case.
    Header(String),
    /// A cookie.
    Cookie(String),
    /// A query parameter (RFC 6750, section 2.3, which tells why not to).
    Query(String),
}

impl Carrier {
    /// The credential there; an empty one is none.
    pub fn credential<'h>(&self, head: &'h Head) -> Option<Cow<'h, str>> {
        let credential = match self {
            Self::Authorization => bearer_token(head.headers.get("authorization")?)?.into(),
            Self::Basic => user_and_password(head.headers.get("authorization")?)?.1.into(),
            Self::Header(name) => head.headers.get(name)?.into(),
            Self::Cookie(name) => head.headers.cookie(name)?.into(),
            Self::Query(name) => query::value(head.query.as_deref()?, name)?,
        };
        Some(credential).filter(|credential| !credential.is_empty())
    }

    /// Whether it is in `Authorization`.
    pub fn is_in_authorization(&self) -> bool {
        matches!(self, Self::Authorization | Self::Basic)
    }

    /// Whether it is where another would be: `Authorization` has one credential, of whatever kind.
    pub fn has_place_of(&self, other: &Self) -> bool {
        self == other || (self.is_in_authorization() && other.is_in_authorization())
    }

    /// Notes what tokens cannot be in; `place` is that of their rule.
    pub fn check_for_tokens(from: &[Self], place: &Place<'_>, problems: &mut Problems) {
        if from.contains(&Self::Basic) {
            problems.add(&place.at("from"), "has \"basic\", which is for API keys: a token names its user itself");
        }
    }

    /// The user whose credential it is said to be, if it is of that kind.
    pub fn user(&self, head: &Head) -> Option<String> {
        match self {
            Self::Basic => Some(user_and_password(head.headers.get("authorization")?)?.0),
            _ => None,
        }
    }
}

/// Where a rule looks for its credential, and whether it goes on.
#[derive(Clone, Debug)]
pub struct Carriers {
    /// Where, one after the other.
    pub from: Vec<Carrier>,
    /// Whether services get it.
    pub passes: bool,
}

impl Carriers {
    /// The credential of a request, and where it is.
    pub fn find<'h>(&self, head: &'h Head) -> Option<(Cow<'h, str>, &Carrier)> {
        self.from.iter().find_map(|carrier| Some((carrier.credential(head)?, carrier)))
    }

    /// Where credentials are that services are not to have; also those that were not looked at, since another was
    /// there. Those in a query never go on: queries get logged.
    pub fn hidden(&self) -> impl Iterator<Item = &Carrier> {
        self.from.iter().filter(|carrier| !self.passes || matches!(carrier, Carrier::Query(_)))
    }
}

/// A query without the credentials in it that nobody else is to have.
pub fn query_without<'q>(query: &'q str, hidden: &[&Carrier]) -> Cow<'q, str> {
    hidden.iter().fold(Cow::Borrowed(query), |rest, from| match from {
        Carrier::Query(name) => Cow::Owned(query::without(&rest, name)),
        _ => rest,
    })
}

/// Takes credentials out of the header fields of a request that goes on.
pub fn hide(hidden: &[&Carrier], headers: &Headers, edits: &mut HeaderEdits) {
    let mut cookies = Vec::new();
    for from in hidden {
        match from {
            Carrier::Authorization | Carrier::Basic => edits.remove("authorization"),
            Carrier::Header(name) => edits.remove(name),
            Carrier::Cookie(name) => cookies.push(name.as_str()),
            Carrier::Query(_) => {}
        }
    }
    if !cookies.is_empty() {
        match headers.cookies_without(&cookies) {
            Some(others) => edits.set("cookie", others),
            None => edits.remove("cookie"),
        }
    }
}

impl FromNode for Carrier {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        const FORM: &str = "\"authorization\", \"basic\", {\"header\": NAME}, {\"cookie\": NAME} or {\"query\": NAME}";
        let read = match node {
            Node::String(word) if word == "authorization" => Some(Self::Authorization),
            Node::String(word) if word == "basic" => Some(Self::Basic),
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

described_as!(Carrier, { "anyOf": [
    { "enum": ["authorization", "basic"] },
    { "type": "object", "properties": { "header": { "type": "string", "minLength": 1 } }, "required": ["header"], "additionalProperties": false },
    { "type": "object", "properties": { "cookie": { "type": "string", "minLength": 1 } }, "required": ["cookie"], "additionalProperties": false },
    { "type": "object", "properties": { "query": { "type": "string", "minLength": 1 } }, "required": ["query"], "additionalProperties": false },
] });

/// The token of `Bearer <token>`.
fn bearer_token(authorization: &str) -> Option<&str> {
    of_scheme("Bearer", authorization)
}

/// User and password of `Basic <both>`: in base64, and with the first colon between them (RFC 7617, section 2).
fn user_and_password(authorization: &str) -> Option<(String, String)> {
    let both = Base64::decode_vec(of_scheme("Basic", authorization)?).ok()?;
    let both = String::from_utf8(both).ok()?;
    both.split_once(':').map(|(user, password)| (user.to_owned(), password.to_owned()))
}

/// What follows a scheme, which is case-insensitive (RFC 9110, section 11.1).
fn of_scheme<'h>(wanted: &str, authorization: &'h str) -> Option<&'h str> {
    let (scheme, rest) = authorization.split_once(' ')?;
    let rest = rest.trim_matches(' ');
    (scheme.eq_ignore_ascii_case(wanted) && !rest.is_empty()).then_some(rest)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_bearer_token_has_one_form() {
        for (header, token) in [
            ("Bearer abc", Some("abc")),
            ("bearer abc", Some("abc")),
            ("BEARER  abc ", Some("abc")),
            ("Bearer", None),
            ("Bearer ", None),
            ("Basic abc", None),
            ("abc", None),
            ("", None),
            ("Bearer\tabc", None),
        ] {
            assert_eq!(bearer_token(header), token, "of {header:?}");
        }
    }

    #[test]
    fn a_user_and_a_password_have_one_form() {
        for (header, both) in [
            // RFC 7617, section 2, and section 2.1.
            ("Basic QWxhZGRpbjpvcGVuIHNlc2FtZQ==", Some(("Aladdin", "open sesame"))),
            ("basic dGVzdDoxMjPCow==", Some(("test", "123£"))),
            ("Basic YTpiOmM=", Some(("a", "b:c"))),
            ("Basic Og==", Some(("", ""))),
            ("Basic YQ==", None),
            ("Basic YTpiOmM", None),
            ("Basic YTr/", None),
            ("Bearer YTpiOmM=", None),
        ] {
            let expected = both.map(|(user, password)| (user.to_owned(), password.to_owned()));
            assert_eq!(user_and_password(header), expected, "of {header:?}");
        }
    }
}
