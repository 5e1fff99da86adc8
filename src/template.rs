//! Texts with places for values of a request: `/users/{jwt.sub}?limit=10`, `{header.accept-language}`.
//!
//! A value is encoded for the place it goes to and can add nothing there: no segment, no parameter,
//! no host, no header field. An empty value is none.

mod inner;
mod json;
mod target;
mod text;

use std::borrow::Cow;

use crate::head::Head;
use crate::path::decode;
use crate::policy::caller::Caller;
use crate::query;
use crate::router::Params;
use crate::settings::{Text, written_as_text};
pub use inner::{Inner, InnerPart, InnerValues};
pub use json::JsonTemplate;
pub use target::{REST, Template, Unfit};
pub use text::TextTemplate;

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(Source),
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `{name}`: what the route's host or path captured as `{name}` or `{*name}`.
    Param(String),
    /// `{jwt.name}`: a claim of the caller's verified token; a string, a number or a boolean.
    Claim(String),
    /// `{query.name}`: the first query parameter of this name.
    Query(String),
    /// `{header.name}`: a header field of the client's.
    Header(String),
    /// `{cookie.name}`: a cookie of the client's.
    Cookie(String),
    /// `{request.id}`: the id of the request.
    RequestId,
    /// `{request.host}`: what the client called the gateway.
    RequestHost,
    /// `{client.address}`: the client's address.
    ClientAddress,
    /// `{env.NAME}`: a secret of the environment.
    Secret(String),
    /// What is there only while an aggregate is put together.
    Inner(Inner),
}

impl Text for Source {
    const FORM: &'static str = "one value, such as \"{jwt.sub}\" or \"{parts.orders.items}\"";
    const PATTERN: &'static str = r"^\{[^{}]+\}$";

    fn read(text: &str) -> Result<Self, String> {
        match pieces(text)?.as_slice() {
            [Piece::Value(source)] => Ok(source.clone()),
            _ => Err(crate::settings::not_of_form::<Self>()),
        }
    }
}

written_as_text!(Source);

impl Source {
    /// Reads a value by its name, without braces.
    pub fn named(name: &str) -> Result<Self, String> {
        source(name)
    }

    /// The part of an aggregate that must be there before.
    pub fn part(&self) -> Option<&str> {
        match self {
            Self::Inner(inner) => inner.part(),
            _ => None,
        }
    }

    /// Whether it is of an element that a part is made for.
    pub fn is_of_element(&self) -> bool {
        matches!(self, Self::Inner(Inner::Item(_)))
    }
}

/// What values can stand in.
pub trait Texts {
    /// Changes where its values come from.
    fn for_each_source(&mut self, change: &mut dyn FnMut(&mut Source));
}

/// The values of one request.
#[derive(Clone, Copy)]
pub struct Values<'r> {
    /// The request.
    pub head: &'r Head,
    /// What its host and path captured.
    pub params: &'r Params<'r>,
    /// Who is calling, where a token says so.
    pub caller: Option<&'r Caller>,
    /// The secrets of the environment.
    pub secret: &'r dyn Fn(&str) -> Option<String>,
    /// What is there only while an aggregate is put together.
    pub inner: InnerValues<'r>,
}

impl Values<'_> {
    /// A value as plain text, not encoded; `None` where there is none, or an empty one.
    pub fn of(&self, source: &Source) -> Option<Cow<'_, str>> {
        let value = match source {
            Source::Param(name) => String::from_utf8(decode(self.params.get(name)?)).ok()?.into(),
            Source::Claim(name) => self.caller?.claim(name)?.into(),
            Source::Query(name) => query::value(self.head.query.as_deref()?, name)?,
            Source::Header(name) => self.head.headers.get(name)?.into(),
            Source::Cookie(name) => self.head.headers.cookie(name)?.into(),
            Source::RequestId => self.head.request_id.as_str().into(),
            Source::RequestHost => self.head.authority.as_str().into(),
            Source::ClientAddress => self.head.client.text()?.into(),
            Source::Secret(name) => (self.secret)(name)?.into(),
            Source::Inner(inner) => inner.texts(&self.inner)?.join(",").into(),
        };
        Some(value).filter(|value| !value.is_empty())
    }

    /// A claim that is an array or an object, as JSON.
    fn composite(&self, source: &Source) -> Option<String> {
        let Source::Claim(name) = source else { return None };
        self.caller?.claim_value(name).filter(|claim| claim.is_array() || claim.is_object()).map(ToString::to_string)
    }

    /// Whether the request does not say a value more than once.
    pub fn has_at_most_one(&self, source: &Source) -> bool {
        match source {
            Source::Query(name) => query::count(self.head.query.as_deref().unwrap_or_default(), name) <= 1,
            Source::Cookie(name) => self.head.headers.cookies(name).count() <= 1,
            // Header fields of one name come as one.
            _ => true,
        }
    }
}

fn with_values_as(pieces: &[Piece], value: &str) -> String {
    pieces
        .iter()
        .map(|piece| match piece {
            Piece::Text(text) => text.as_str(),
            Piece::Value(_) => value,
        })
        .collect()
}

fn sources(pieces: &[Piece]) -> impl Iterator<Item = &Source> {
    pieces.iter().filter_map(|piece| match piece {
        Piece::Text(_) => None,
        Piece::Value(source) => Some(source),
    })
}

fn for_each_source(pieces: &mut [Piece], change: &mut dyn FnMut(&mut Source)) {
    for piece in pieces {
        if let Piece::Value(source) = piece {
            change(source);
        }
    }
}

fn pieces(text: &str) -> Result<Vec<Piece>, String> {
    let mut pieces = Vec::new();
    let mut rest = text;
    while let Some(open) = rest.find(['{', '}']) {
        let (before, from_brace) = rest.split_at(open);
        let Some((name, after)) = from_brace.strip_prefix('{').and_then(|inner| inner.split_once('}')) else {
            return Err("has a brace without its partner".to_owned());
        };
        if !before.is_empty() {
            pieces.push(Piece::Text(before.to_owned()));
        }
        pieces.push(Piece::Value(source(name)?));
        rest = after;
    }
    if !rest.is_empty() {
        pieces.push(Piece::Text(rest.to_owned()));
    }
    // Each route's memory is deployed.
    pieces.shrink_to_fit();
    Ok(pieces)
}

fn source(written: &str) -> Result<Source, String> {
    let is_name =
        |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_');
    let is_token = |name: &str| !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_graphic() && byte != b'{');
    if let Some(inner) = Inner::read(written) {
        return inner.map(Source::Inner).map_err(|why| format!("asks for {{{written}}}, whose path {why}"));
    }
    match written.split_once('.') {
        Some(("jwt", claim)) if !claim.is_empty() => Ok(Source::Claim(claim.to_owned())),
        Some(("query", name)) if is_token(name) => Ok(Source::Query(name.to_owned())),
        Some(("header", name)) if is_token(name) => Ok(Source::Header(name.to_ascii_lowercase())),
        Some(("cookie", name)) if is_token(name) => Ok(Source::Cookie(name.to_owned())),
        Some(("request", "id")) => Ok(Source::RequestId),
        Some(("request", "host")) => Ok(Source::RequestHost),
        Some(("client", "address")) => Ok(Source::ClientAddress),
        Some(("env", name)) if is_name(name) => Ok(Source::Secret(name.to_owned())),
        None if is_name(written) => Ok(Source::Param(written.to_owned())),
        None if written.starts_with('*') => {
            Err(format!("asks for {{{written}}}; write {{{}}}", written.trim_start_matches('*')))
        }
        _ => Err(format!(
            "asks for {{{written}}}; a value is {{name}} of the route's path or host, {{jwt.NAME}}, {{query.NAME}}, \
             {{header.NAME}}, {{cookie.NAME}}, {{request.id}}, {{request.host}} or {{client.address}}"
        )),
    }
}
