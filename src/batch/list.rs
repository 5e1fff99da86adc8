//! The list of a batch, from text to entries, or every fault with its place.

use std::borrow::Cow;

use crate::head::{is_json, is_token};
use crate::json::tree::{Key, elements, members, text_of};
use crate::json::{self, Bounds};
use crate::policy::headers::is_for_entries_to_say;
use crate::refusal::fault::{Fault, Faults, MOST_FAULTS, at};

/// The methods that an entry can have: those that every runtime makes requests with.
const METHODS: [&str; 7] = ["GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"];

/// The most header fields of one entry.
const MOST_FIELDS: usize = 100;

/// A request of the list.
#[derive(Debug, PartialEq, Eq)]
pub struct Entry<'t> {
    /// What the client calls it, as JSON.
    pub id: Option<&'t str>,
    pub method: &'static str,
    /// Path and query.
    pub target: Cow<'t, str>,
    /// Names in lower case.
    pub headers: Vec<(String, String)>,
    pub body: Option<Cow<'t, [u8]>>,
}

/// The entries of a list of at most so many.
pub fn read(body: &[u8], most: usize) -> Result<Vec<Entry<'_>>, Vec<Fault>> {
    let mut faults = Faults::default();
    let text = match json::value(body, Bounds::default()) {
        Ok(text) if text.starts_with('[') => text,
        Ok(_) => return Err(faults.only("#", "is no array".to_owned())),
        Err(_) => return Err(faults.only("#", "is not JSON, or too deep".to_owned())),
    };
    match elements(text).take(most + 1).count() {
        0 => return Err(faults.only("#", "is empty".to_owned())),
        count if count > most => return Err(faults.only("#", format!("has more than {most} entries"))),
        _ => {}
    }
    let entries: Vec<_> =
        elements(text).enumerate().map(|(at, value)| entry(value, &format!("#/{at}"), &mut faults)).collect();
    match entries.into_iter().collect() {
        Some(entries) if faults.count() == 0 => Ok(entries),
        _ => Err(faults.into_all()),
    }
}

/// An entry; `None` for one at fault, which is noted.
fn entry<'t>(value: &'t str, place: &str, faults: &mut Faults) -> Option<Entry<'t>> {
    if !value.starts_with('{') {
        faults.add(place, "is no object");
        return None;
    }
    let before = faults.count();
    let [id, method, path, headers, body] = known_members(value, place, faults)?;
    let id = id.filter(|id| is_scalar(id, &at(place, "id"), faults));
    let method = method.map_or(Some("GET"), |written| self::method(written, &at(place, "method"), faults));
    let target = match path {
        Some(written) => target(written, &at(place, "path"), faults),
        None => {
            faults.add(place, "lacks \"path\"");
            None
        }
    };
    let mut headers = headers.map_or(Some(Vec::new()), |written| fields(written, &at(place, "headers"), faults))?;
    let (method, target) = (method?, target?);
    let body = match body {
        Some(_) if matches!(method, "GET" | "HEAD") => {
            faults.add(at(place, "body"), format!("cannot go with {method}"));
            None
        }
        Some(written) => Some(self::body(written, &mut headers, &at(place, "body"), faults)?),
        None => None,
    };
    (faults.count() == before).then_some(Entry { id, method, target, headers, body })
}

/// The members of an entry by their keys, in the order `id`, `method`, `path`, `headers`, `body`.
fn known_members<'t>(value: &'t str, place: &str, faults: &mut Faults) -> Option<[Option<&'t str>; 5]> {
    const KEYS: [&str; 5] = ["id", "method", "path", "headers", "body"];
    let mut found = [None; 5];
    for (key, value) in members(value) {
        let known = KEYS.iter().zip(&mut found).find(|(name, _)| key.is(name));
        let fault = match known.map(|(_, slot)| slot.replace(value)) {
            Some(None) => continue,
            Some(Some(_)) => "stands twice",
            None => "is not known here",
        };
        faults.add(at(place, &key.name()), fault);
        if faults.count() == MOST_FAULTS {
            return None;
        }
    }
    Some(found)
}

fn is_scalar(value: &str, place: &str, faults: &mut Faults) -> bool {
    let is_scalar = !value.starts_with(['[', '{']);
    if !is_scalar {
        faults.add(place, "is no text, number, true, false or null");
    }
    is_scalar
}

fn method(value: &str, place: &str, faults: &mut Faults) -> Option<&'static str> {
    let method = text_of(value).and_then(|text| METHODS.into_iter().find(|method| *method == text));
    if method.is_none() {
        faults.add(place, format!("is none of {}", METHODS.join(", ")));
    }
    method
}

/// Path and query, in the characters that a request has them in; what the path means is read where that of
/// every request is.
fn target<'t>(value: &'t str, place: &str, faults: &mut Faults) -> Option<Cow<'t, str>> {
    let fault = match text_of(value) {
        None => "is no text",
        Some(text) if !text.starts_with('/') || text.starts_with("//") => "does not begin with one /",
        Some(text) if text.contains('#') => "has a fragment, which is no part of a request",
        Some(text) if !text.bytes().all(|byte| byte.is_ascii_graphic()) => {
            "has a character that stands percent-encoded in a path or query"
        }
        Some(text) => return Some(text),
    };
    faults.add(place, fault);
    None
}

/// Header fields that a client can have, each name once.
fn fields(value: &str, place: &str, faults: &mut Faults) -> Option<Vec<(String, String)>> {
    if !value.starts_with('{') {
        faults.add(place, "is no object");
        return None;
    }
    if members(value).nth(MOST_FIELDS).is_some() {
        faults.add(place, format!("has more than {MOST_FIELDS} fields"));
        return None;
    }
    let mut fields: Vec<(String, String)> = Vec::new();
    for (key, value) in members(value) {
        match field(key, value) {
            Ok((name, _)) if fields.iter().any(|(other, _)| *other == name) => {
                faults.add(at(place, &key.name()), "stands twice: upper and lower case do not differ here");
            }
            Ok(field) => fields.push(field),
            Err(fault) => faults.add(at(place, &key.name()), fault),
        }
    }
    Some(fields)
}

/// A header field, or what is wrong with it.
fn field(key: Key<'_>, value: &str) -> Result<(String, String), &'static str> {
    let name = key.name().to_ascii_lowercase();
    if !is_token(&name) {
        return Err("is no name of a header field");
    }
    if !is_for_entries_to_say(&name) {
        return Err("is not for an entry to say");
    }
    let value = text_of(value).ok_or("is no text")?;
    // Line breaks would make other fields of it; what is not ASCII has no one encoding there.
    if !value.bytes().all(|byte| byte == b'\t' || (b' '..=b'~').contains(&byte)) {
        return Err("has a character that no header field can have");
    }
    Ok((name, value.trim_matches([' ', '\t']).to_owned()))
}

/// The body as it is sent: JSON as it was written, or the text that a string means, as the type says.
fn body<'t>(
    value: &'t str,
    headers: &mut Vec<(String, String)>,
    place: &str,
    faults: &mut Faults,
) -> Option<Cow<'t, [u8]>> {
    match headers.iter().find(|(name, _)| name == "content-type") {
        Some((_, kind)) if !is_json(kind) => {
            let text = text_of(value);
            if text.is_none() {
                faults.add(place, "is no text, and the content-type says that it is not JSON");
            }
            return Some(match text? {
                Cow::Borrowed(text) => Cow::Borrowed(text.as_bytes()),
                Cow::Owned(text) => Cow::Owned(text.into_bytes()),
            });
        }
        Some(_) => {}
        None => headers.push(("content-type".to_owned(), "application/json".to_owned())),
    }
    Some(Cow::Borrowed(value.as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn faults(list: &str) -> Vec<(String, String)> {
        let faults = read(list.as_bytes(), 3).map(|entries| panic!("{entries:?}")).unwrap_err();
        faults.into_iter().map(|fault| (fault.pointer.unwrap(), fault.detail)).collect()
    }

    #[test]
    fn an_entry_is_as_it_is_written() {
        let list = r#" [ {"path": "/a?b=%20"},
            {"id": 1e400, "method": "POST", "path": "\/a", "headers": {"X-A": " 1\t", "x-b": ""}, "body": {"a": 1.50}},
            {"id": "\u0061", "method": "PUT", "path": "/", "headers": {"Content-Type": "text/plain"}, "body": "a\nb"} ] "#;
        let entries = read(list.as_bytes(), 3).unwrap();
        let [first, second, third] = &entries[..] else { panic!("{entries:?}") };
        assert_eq!(
            first,
            &Entry { id: None, method: "GET", target: "/a?b=%20".into(), headers: Vec::new(), body: None }
        );
        assert_eq!((second.id, second.method, &*second.target), (Some("1e400"), "POST", "/a"));
        assert_eq!(second.body.as_deref(), Some(&br#"{"a": 1.50}"#[..]));
        let fields: Vec<_> = second.headers.iter().map(|(name, value)| (name.as_str(), value.as_str())).collect();
        assert_eq!(fields, [("x-a", "1"), ("x-b", ""), ("content-type", "application/json")]);
        assert_eq!((third.id, third.body.as_deref()), (Some(r#""\u0061""#), Some(&b"a\nb"[..])));
    }

    #[test]
    fn a_list_is_one_of_some_entries() {
        for (list, detail) in [
            ("", "is not JSON, or too deep"),
            ("[{\"path\":\"/\"}", "is not JSON, or too deep"),
            ("{}", "is no array"),
            ("\"[]\"", "is no array"),
            ("[]", "is empty"),
            ("[1,2,3,4]", "has more than 3 entries"),
        ] {
            assert_eq!(faults(list), [("#".to_owned(), detail.to_owned())], "of {list}");
        }
        assert_eq!(faults("[1]"), [("#/0".to_owned(), "is no object".to_owned())]);
    }

    #[test]
    fn each_fault_has_its_place() {
        let list = r#"[{"path": "/a", "pth": 1, "path": "/b"},
            {"id": [], "method": "get", "headers": {"Host": "h", "x-a": 1, "X-A": "", "x-b": "", "X-B": "", "a b/~ä": "", "x-c": "a\r\nx-d: 1"}, "path": "a"},
            {"method": "DELETE", "headers": {"content-type": "text/plain"}, "body": {}, "path": "/"}]"#;
        let expected = [
            ("#/0/pth", "is not known here"),
            ("#/0/path", "stands twice"),
            ("#/1/id", "is no text, number, true, false or null"),
            ("#/1/method", "is none of GET, HEAD, POST, PUT, PATCH, DELETE, OPTIONS"),
            ("#/1/path", "does not begin with one /"),
            ("#/1/headers/Host", "is not for an entry to say"),
            ("#/1/headers/x-a", "is no text"),
            ("#/1/headers/X-B", "stands twice: upper and lower case do not differ here"),
            ("#/1/headers/a%20b~1~0%C3%A4", "is no name of a header field"),
            ("#/1/headers/x-c", "has a character that no header field can have"),
            ("#/2/body", "is no text, and the content-type says that it is not JSON"),
        ];
        assert_eq!(faults(list), expected.map(|(pointer, detail)| (pointer.to_owned(), detail.to_owned())));
    }

    #[test]
    fn a_path_is_one_of_this_gateway() {
        for path in
            ["//evil", "http://evil/", "", "a", "/a#b", "/a?b#c", "/a b", "/a\\n", "/ä", "/a?b=\\u0000", "\\\\evil"]
        {
            assert_eq!(faults(&format!(r#"[{{"path": "{path}"}}]"#)).len(), 1, "of {path}");
        }
        assert_eq!(faults(r#"[{"path": 1}]"#).len(), 1);
    }

    #[test]
    fn faults_without_end_are_cut() {
        let unknown: Vec<String> = (0..10_000).map(|at| format!("\"k{at}\":1")).collect();
        assert_eq!(faults(&format!("[{{{}}}]", unknown.join(","))).len(), MOST_FAULTS);
        let fields: Vec<String> = (0..10_000).map(|at| format!("\"k{at}\":\"\"")).collect();
        let list = format!("[{{\"path\":\"/\",\"headers\":{{{}}}}}]", fields.join(","));
        assert_eq!(faults(&list), [("#/0/headers".to_owned(), "has more than 100 fields".to_owned())]);
    }
}
