//! Paths and queries with values: what a call asks for.

use super::{Piece, Source, Texts, Values, for_each_source, pieces, sources, with_values_as};
use crate::path::{NormalPath, push_encoded_value};
use crate::router::no_other_syntax;

/// What a prefix without a path captures of what is below it.
pub const REST: &str = "rest";

/// A path and query to be completed with values of a request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Template {
    path: Vec<Piece>,
    query: Option<Vec<Piece>>,
}

/// A value of the request is missing, or cannot stand in its place.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Unfit<'t> {
    /// The token has no such claim, or it is empty or not a single value.
    Claim(&'t str),
    /// There is no such value, or it is empty.
    Missing,
    /// Of an aggregate: another part, or the client's body, has no such value, or one without a text.
    Part,
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

    /// The text for a path that has no rest: without the `/{rest}` at the end of its path.
    pub fn without_rest(mut self) -> Self {
        if matches!(self.path.last(), Some(Piece::Value(Source::Param(name))) if name == REST) {
            self.path.pop();
            if let Some(Piece::Text(text)) = self.path.last_mut()
                && text.len() > 1
                && text.ends_with('/')
            {
                text.pop();
            }
        }
        self
    }

    /// Whether the text has a query part.
    pub fn has_query(&self) -> bool {
        self.query.is_some()
    }

    /// Whether the paths of two such texts can come out the same, as far as can be told by how they begin and end.
    pub fn can_be_equal(&self, other: &Self) -> bool {
        fn fixed(piece: Option<&Piece>) -> &str {
            if let Some(Piece::Text(text)) = piece { text } else { "" }
        }
        let is_either = |one: &str, other: &str, holds: fn(&str, &str) -> bool| holds(one, other) || holds(other, one);
        let (begin, end) = (fixed(self.path.first()), fixed(self.path.last()));
        let (other_begin, other_end) = (fixed(other.path.first()), fixed(other.path.last()));
        match (self.path.as_slice(), other.path.as_slice()) {
            ([Piece::Text(one)], [Piece::Text(other)]) => one == other,
            _ => {
                is_either(begin, other_begin, |text, beginning| text.starts_with(beginning))
                    && is_either(end, other_end, |text, end| text.ends_with(end))
            }
        }
    }

    /// All values that the text asks for.
    pub fn sources(&self) -> impl Iterator<Item = &Source> {
        sources(&self.path).chain(self.query.iter().flat_map(|query| sources(query)))
    }

    /// Completes the text. The result starts with `/` and its path is in normal form.
    pub fn render(&self, values: &Values<'_>) -> Result<String, Unfit<'_>> {
        let mut path = String::with_capacity(64);
        for piece in &self.path {
            match piece {
                Piece::Text(text) => path.push_str(text),
                // What the pattern captured is a piece of a path in normal form already.
                Piece::Value(Source::Param(name)) => path.push_str(values.params.get(name).unwrap_or_default()),
                Piece::Value(source) => push_value(&mut path, source, values)?,
            }
        }
        let path = NormalPath::parse_composed(&path).map_err(|_| Unfit::Path)?;
        let mut rendered = path.as_str().to_owned();
        if let Some(query) = &self.query {
            rendered.push('?');
            for piece in query {
                match piece {
                    Piece::Text(text) => rendered.push_str(text),
                    // A rest may be empty.
                    Piece::Value(Source::Param(name)) if values.params.get(name) == Some("") => {}
                    Piece::Value(source) => push_value(&mut rendered, source, values)?,
                }
            }
        }
        Ok(rendered)
    }
}

impl Texts for Template {
    fn for_each_source(&mut self, change: &mut dyn FnMut(&mut Source)) {
        for_each_source(&mut self.path, change);
        for_each_source(self.query.as_deref_mut().unwrap_or_default(), change);
    }
}

fn push_value<'t>(out: &mut String, source: &'t Source, values: &Values<'_>) -> Result<(), Unfit<'t>> {
    if let Source::Inner(inner) = source {
        let texts = inner.texts(&values.inner).ok_or(Unfit::Part)?;
        for (at, text) in texts.iter().enumerate() {
            if at > 0 {
                out.push(',');
            }
            push_encoded_value(out, text.as_bytes());
        }
        return Ok(());
    }
    let value = match (values.of(source), source) {
        (Some(value), _) => value,
        (None, Source::Claim(name)) => return Err(Unfit::Claim(name)),
        (None, _) => return Err(Unfit::Missing),
    };
    push_encoded_value(out, value.as_bytes());
    Ok(())
}

fn has_broken_escape(text: &str) -> bool {
    text.split('%')
        .skip(1)
        .any(|after| !after.as_bytes().get(..2).is_some_and(|hex| hex.iter().all(u8::is_ascii_hexdigit)))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::head::Head;
    use crate::policy::caller::Caller;
    use crate::router::Params;
    use crate::template::InnerValues;
    use serde_json::json;

    fn rendered(template: &str, captured: &[(&str, &str)], claims: serde_json::Value) -> Option<String> {
        let serde_json::Value::Object(claims) = claims else { panic!("claims are an object") };
        let caller = Caller::new("https://id.example/", claims);
        let params = Params::from_pairs(captured);
        let head =
            Head::from_text("GET\nhttps://api.example/x?q=a%26b&empty=\n192.0.2.7\nid-1\n1\nx-h:a/b\ncookie:c=1\n");
        let inner = InnerValues::NONE;
        let values = Values { head: &head.unwrap(), params: &params, caller: Some(&caller), secret: &|_| None, inner };
        Template::parse(template).unwrap().render(&values).ok()
    }

    #[test]
    fn paths_that_begin_or_end_otherwise_are_never_equal() {
        let table = [
            ("/a", "/a", true),
            ("/a?x={jwt.sub}", "/a?x=1", true),
            ("/a", "/a/b", false),
            ("/a/{jwt.sub}", "/a/b", true),
            ("/a/{jwt.sub}", "/b", false),
            ("/a/{jwt.sub}", "/b/{jwt.sub}", false),
            ("/a/{jwt.sub}", "/{jwt.iss}/b", true),
            ("/{jwt.sub}/orders", "/{jwt.sub}/user", false),
            ("/{jwt.sub}/orders", "/{jwt.sub}/late-orders", false),
            ("/{jwt.sub}/orders", "/{jwt.sub}/{jwt.iss}-orders", false),
            ("/{jwt.sub}/orders", "/{jwt.sub}/{jwt.iss}", true),
        ];
        for (one, other, can_be) in table {
            let (one, other) = (Template::parse(one).unwrap(), Template::parse(other).unwrap());
            assert_eq!((one.can_be_equal(&other), other.can_be_equal(&one)), (can_be, can_be), "{one:?} {other:?}");
        }
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
    fn a_request_has_values_beside() {
        let table = [
            ("/o/{query.q}", Some("/o/a%26b")),
            ("/o?q={query.q}", Some("/o?q=a%26b")),
            ("/o/{query.empty}", None),
            ("/o/{query.none}", None),
            ("/o/{header.X-H}", None),
            ("/o?h={header.x-h}", Some("/o?h=a%2Fb")),
            ("/o/{cookie.c}/{request.id}/{client.address}", Some("/o/1/id-1/192.0.2.7")),
            ("/o?h={request.host}", Some("/o?h=api.example")),
        ];
        for (template, expected) in table {
            assert_eq!(rendered(template, &[], json!({})).as_deref(), expected, "of {template}");
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
