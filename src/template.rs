//! Texts with places for values of a request: `/users/{jwt.sub}?limit=10`.
//!
//! A value is encoded for the place it goes to and can add nothing there: no segment, no
//! parameter, no host. One that would (an empty segment, `..`, a slash) makes the request fail.

use crate::path::{NormalPath, decode, push_encoded_value};
use crate::policy::jwt::Caller;
use crate::router::{Params, no_other_syntax};

/// A path and query to be completed with values of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    path: Vec<Piece>,
    query: Option<Vec<Piece>>,
}

#[derive(Clone, Debug, PartialEq, Eq)]
enum Piece {
    Text(String),
    Value(Source),
}

/// Where a value comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Source {
    /// `{name}`: what the route's path pattern captured as `{name}` or `{*name}`.
    Param(String),
    /// `{jwt.name}`: a claim of the caller's verified token; a string, a number or a boolean.
    Claim(String),
}

/// A value of the request is missing, or cannot stand in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit<'t> {
    /// The token has no such claim, or it is empty or not a single value.
    Claim(&'t str),
    /// A path that would say something else than its template: empty segments, dots, separators.
    Path,
}

impl Template {
    /// Reads `/path?query` with `{…}` in it. The error says what is wrong, for the operator.
    pub fn parse(text: &str) -> Result<Self, String> {
        let (path_text, query_text) = match text.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (text, None),
        };
        let path = pieces(path_text)?;
        let sample = with_values_as(&path, "x");
        NormalPath::check_written(&sample)?;
        no_other_syntax(&sample, "{rest}")?;
        let query = query_text.map(pieces).transpose()?;
        let sample = query.as_deref().map(|query| with_values_as(query, "x")).unwrap_or_default();
        if let Some(bad) = sample.chars().find(|c| !c.is_ascii_graphic() || "\"#<>\\^`".contains(*c)) {
            return Err(format!("has {bad:?} in its query, which must be percent-encoded"));
        }
        for piece in query.iter().flatten() {
            if let Piece::Text(text) = piece
                && has_broken_escape(text)
            {
                return Err("has a % in its query that starts no escape".to_owned());
            }
        }
        Ok(Self { path, query })
    }

    /// Whether the text has a query part.
    pub fn has_query(&self) -> bool {
        self.query.is_some()
    }

    /// All values that the text asks for.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        self.path.iter().chain(self.query.iter().flatten()).filter_map(|piece| match piece {
            Piece::Text(_) => None,
            Piece::Value(source) => Some(source),
        })
    }

    /// Completes the text. The result starts with `/` and its path is in normal form.
    pub fn render(&self, params: &Params<'_>, caller: Option<&Caller>) -> Result<String, Unfit<'_>> {
        let mut path = String::with_capacity(64);
        for piece in &self.path {
            match piece {
                Piece::Text(text) => path.push_str(text),
                // What the pattern captured is a piece of a path in normal form already.
                Piece::Value(Source::Param(name)) => path.push_str(params.get(name).unwrap_or_default()),
                Piece::Value(Source::Claim(name)) => {
                    let value = claim(caller, name)?;
                    push_encoded_value(&mut path, value.as_bytes());
                }
            }
        }
        let path = NormalPath::parse_composed(&path).map_err(|_| Unfit::Path)?;
        let mut rendered = path.as_str().to_owned();
        if let Some(query) = &self.query {
            rendered.push('?');
            for piece in query {
                match piece {
                    Piece::Text(text) => rendered.push_str(text),
                    Piece::Value(Source::Param(name)) => {
                        push_encoded_value(&mut rendered, &decode(params.get(name).unwrap_or_default()));
                    }
                    Piece::Value(Source::Claim(name)) => {
                        push_encoded_value(&mut rendered, claim(caller, name)?.as_bytes());
                    }
                }
            }
        }
        Ok(rendered)
    }
}

fn claim<'t>(caller: Option<&Caller>, name: &'t str) -> Result<String, Unfit<'t>> {
    caller.and_then(|caller| caller.claim(name)).ok_or(Unfit::Claim(name))
}

fn has_broken_escape(text: &str) -> bool {
    text.split('%')
        .skip(1)
        .any(|after| !after.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)))
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
    Ok(pieces)
}

fn source(name: &str) -> Result<Source, String> {
    match name.split_once('.') {
        Some(("jwt", claim)) if !claim.is_empty() => Ok(Source::Claim(claim.to_owned())),
        None if !name.is_empty() && name.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'_') => {
            Ok(Source::Param(name.to_owned()))
        }
        None if name.starts_with('*') => {
            Err(format!("asks for {{{name}}}; write {{{}}}", name.trim_start_matches('*')))
        }
        _ => Err(format!("asks for {{{name}}}; a value is {{name}} of the route's path or {{jwt.NAME}}, a claim")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn rendered(template: &str, captured: &[(&str, &str)], claims: serde_json::Value) -> Option<String> {
        let serde_json::Value::Object(claims) = claims else { panic!("claims are an object") };
        let caller = Caller::new("https://id.example/", claims);
        let params = Params::from_pairs(captured);
        Template::parse(template).unwrap().render(&params, Some(&caller)).ok()
    }

    #[test]
    fn a_value_is_encoded_for_its_place() {
        let table = [
            ("/users/{jwt.sub}", json!({"sub": "ada"}), Some("/users/ada")),
            ("/users/{jwt.sub}", json!({"sub": "auth0|7"}), Some("/users/auth0%7C7")),
            ("/users/{jwt.sub}", json!({"sub": "a b?c#d&e"}), Some("/users/a%20b%3Fc%23d%26e")),
            ("/users/{jwt.sub}", json!({"sub": 42}), Some("/users/42")),
            ("/orders?user={jwt.sub}&n=5", json!({"sub": "a&admin=1"}), Some("/orders?user=a%26admin%3D1&n=5")),
            ("/orders?user={jwt.sub}", json!({"sub": "../x/%2e"}), Some("/orders?user=..%2Fx%2F%252e")),
            ("/users/{jwt.sub}", json!({"sub": ""}), None),
            ("/users/{jwt.sub}/orders", json!({"sub": ""}), None),
            ("/orders?user={jwt.sub}", json!({"sub": ""}), None),
            ("/users/{jwt.sub}", json!({"sub": ".."}), None),
            ("/users/{jwt.sub}", json!({"sub": "."}), None),
            ("/users/.{jwt.sub}", json!({"sub": "."}), None),
            ("/users/{jwt.sub}", json!({"sub": "../admin"}), None),
            ("/users/{jwt.sub}", json!({"sub": "a/b"}), None),
            ("/users/{jwt.sub}", json!({"sub": "a\\b"}), None),
            ("/users/{jwt.sub}", json!({"sub": "a\u{0}"}), None),
            ("/users/{jwt.sub}", json!({"sub": null}), None),
            ("/users/{jwt.sub}", json!({"sub": ["ada"]}), None),
            ("/users/{jwt.sub}", json!({}), None),
        ];
        for (template, claims, expected) in table {
            assert_eq!(rendered(template, &[], claims.clone()).as_deref(), expected, "of {template} with {claims}");
        }
    }

    #[test]
    fn what_the_path_captured_goes_on_as_it_was_matched() {
        let table = [
            ("/v2/orders/{id}", [("id", "a%20b@c")], Some("/v2/orders/a%20b@c")),
            ("/v2/orders?id={id}", [("id", "a%20b@c")], Some("/v2/orders?id=a%20b%40c")),
            ("/v2/{rest}", [("rest", "a/b/")], Some("/v2/a/b/")),
            ("/v2/{rest}", [("rest", "")], Some("/v2/")),
            ("/v2/.{rest}", [("rest", ".")], None),
            ("/v2/{id}:cancel", [("id", "7")], Some("/v2/7:cancel")),
        ];
        for (template, captured, expected) in table {
            assert_eq!(rendered(template, &captured, json!({})).as_deref(), expected, "of {template}");
        }
    }

    #[test]
    fn a_faulty_text_is_refused() {
        for text in [
            "",
            "users",
            "//users",
            "/a/../b",
            "/a//b",
            "/a\\b",
            "/a%2Fb",
            "/%61",
            "/{",
            "/}",
            "/{a",
            "/a}",
            "/{}",
            "/{jwt.}",
            "/{a.b}",
            "/{a b}",
            "/a?b=ä",
            "/a?b#c",
            "/a?b=%2{c}",
            "/a;b",
            "/{*rest}",
            "/a/*",
            "/a/:id",
        ] {
            assert!(Template::parse(text).is_err(), "of {text:?}");
        }
    }
}
