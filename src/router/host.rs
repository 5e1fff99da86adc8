//! The hosts that a route answers to: `api.example.com`, `*.example.com`, `{tenant}.example.com`.
//!
//! A host is read from its end, so that it becomes a path (`/com/example/api`) and the patterns of
//! [`super::patterns`] serve for it too. Ports and upper case do not count (RFC 9110 section 4.2.3).

use crate::settings::{Text, not_of_form, written_as_text};

/// A host or a pattern of hosts.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct HostPattern {
    written: String,
    as_path: String,
}

impl HostPattern {
    /// As it is written in the file.
    pub fn as_str(&self) -> &str {
        &self.written
    }

    /// As a path pattern, from the last label to the first.
    pub(super) fn as_path(&self) -> &str {
        &self.as_path
    }

    /// The names of the labels that it captures, from the last; an empty one for `*`.
    pub fn captures(&self) -> impl Iterator<Item = &str> {
        super::captures(&self.as_path)
    }
}

impl Text for HostPattern {
    const FORM: &'static str = "a host such as \"api.example.com\", \"*.example.com\" or \"{tenant}.example.com\"";
    const PATTERN: &'static str =
        r"^(\[[0-9a-f:.]+\]|(\*\.)?([a-z0-9_-]+|\{[A-Za-z0-9_]+\})(\.([a-z0-9_-]+|\{[A-Za-z0-9_]+\}))*)$";

    fn read(text: &str) -> Result<Self, String> {
        if text.starts_with('[') {
            let fine =
                text.ends_with(']') && text.bytes().all(|byte| byte.is_ascii_hexdigit() || b"[]:.".contains(&byte));
            return match fine && text == text.to_ascii_lowercase() {
                true => Ok(Self { written: text.to_owned(), as_path: as_path(text) }),
                false => Err(not_of_form::<Self>()),
            };
        }
        if text.contains(':') && !text.contains('{') {
            return Err("must be without a port: the port does not count".to_owned());
        }
        let mut names: Vec<&str> = Vec::new();
        for (at, label) in text.split('.').enumerate() {
            let name = label.strip_prefix('{').and_then(|inner| inner.strip_suffix('}'));
            let fine = match (label, name) {
                ("*", _) => at == 0 && text.len() > 2,
                (_, Some(name)) => {
                    let fresh = !names.contains(&name);
                    names.push(name);
                    fresh && !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
                }
                (label, None) => is_label(label),
            };
            if !fine {
                return Err(not_of_form::<Self>());
            }
        }
        Ok(Self { written: text.to_owned(), as_path: as_path(text) })
    }
}

written_as_text!(HostPattern);

/// Whether a text is a label of a host, in lower case.
pub fn is_label(label: &str) -> bool {
    !label.is_empty()
        && label.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || byte == b'-' || byte == b'_')
}

/// A host as a path, from its last label to its first.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct HostPath(String);

impl HostPath {
    /// Of an authority, `host` or `host:port`.
    pub fn of(authority: &str) -> Self {
        Self(as_path(&host_of(authority)))
    }

    pub(super) fn as_str(&self) -> &str {
        &self.0
    }
}

/// The host of an authority, in the one form that all that lead to the same routes have: in lower case, without the
/// port and the dot at its end.
pub fn host_of(authority: &str) -> String {
    let host = match authority.rfind(':') {
        // The colons of an IPv6 address are inside its brackets.
        Some(colon) if !authority.ends_with(']') => authority.get(..colon).unwrap_or_default(),
        _ => authority,
    };
    host.strip_suffix('.').unwrap_or(host).to_ascii_lowercase()
}

fn as_path(host: &str) -> String {
    let mut path = String::with_capacity(host.len() + 8);
    let labels: Vec<&str> = if host.starts_with('[') { vec![host] } else { host.rsplit('.').collect() };
    for label in labels {
        path.push('/');
        path.push_str(if label == "*" { "{*}" } else { label });
    }
    path
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_host_reads_from_its_end() {
        for (authority, path) in [
            ("api.example.com", "/com/example/api"),
            ("API.Example.com:8443", "/com/example/api"),
            ("api.example.com.", "/com/example/api"),
            ("localhost:8787", "/localhost"),
            ("127.0.0.1:80", "/1/0/0/127"),
            ("[::1]:8787", "/[::1]"),
            ("[::1]", "/[::1]"),
        ] {
            assert_eq!(HostPath::of(authority).as_str(), path, "of {authority}");
        }
    }

    #[test]
    fn a_host_pattern_has_one_form() {
        for (text, path) in [
            ("api.example.com", "/com/example/api"),
            ("*.example.com", "/com/example/{*}"),
            ("{tenant}.example.com", "/com/example/{tenant}"),
            ("localhost", "/localhost"),
            ("[::1]", "/[::1]"),
        ] {
            assert_eq!(HostPattern::read(text).map(|host| host.as_path).as_deref(), Ok(path), "of {text}");
        }
        for text in [
            "", "*", "*.", "a.*.b", "*a.b", "A.b", "a..b", ".a", "a.", "a:80", "a/b", "{}.b", "{a}.{a}", "x{a}.b",
            "[x]",
        ] {
            assert!(HostPattern::read(text).is_err(), "of {text:?}");
        }
    }
}
