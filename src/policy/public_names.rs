//! The public names for what a service calls by its own: `Location`, and domain and path of cookies.
//!
//! A service that sends `Location: http://orders.internal/v2/orders/7` means what the client knows as
//! `https://api.example.com/orders/7`. What was sent for what tells how: where `/shop/orders/7` was
//! asked for as `/v2/orders/7`, `/v2` stands for `/shop`.

use super::headers::HeaderEdits;
use crate::head::{Head, Headers};
use crate::service_url::ServiceUrl;

/// How paths of a service are called outside.
#[derive(Debug)]
pub struct PublicNames<'r> {
    service: &'r ServiceUrl,
    head: &'r Head,
    inside: String,
    outside: String,
    asked: String,
}

impl<'r> PublicNames<'r> {
    /// From the path that the client asked for and the one that the service was asked for, below its
    /// base.
    pub fn new(service: &'r ServiceUrl, head: &'r Head, outside: &str, inside: &str) -> Self {
        let common = inside
            .rmatch_indices('/')
            .map(|(at, _)| inside.len() - at)
            .take_while(|length| outside.ends_with(&inside[inside.len() - length..]))
            .last()
            .unwrap_or_default();
        let before = |path: &str| path[..path.len() - common].trim_end_matches('/').to_owned();
        let base = service.base_path();
        Self {
            service,
            head,
            inside: format!("{base}{}", before(inside)),
            outside: before(outside),
            asked: format!("{base}{inside}"),
        }
    }

    /// Makes the public names part of the edits of an answer.
    pub fn apply(&self, headers: &Headers, edits: &mut HeaderEdits) {
        for name in ["location", "content-location"] {
            if let Some(public) = headers.get(name).and_then(|value| self.reference(value)) {
                edits.set(name, public);
            }
        }
        let cookies: Vec<_> = headers.iter().filter(|(name, _)| *name == "set-cookie").collect();
        if !cookies.is_empty() {
            edits.remove("set-cookie");
            edits.append.extend(cookies.into_iter().map(|(_, value)| ("set-cookie".into(), self.cookie(value))));
        }
    }

    /// A reference (RFC 3986, section 4) of the service's as the client can use it; `None` where it
    /// leads elsewhere.
    fn reference(&self, value: &str) -> Option<String> {
        let origin = self.service.origin();
        let path = match value.strip_prefix(origin) {
            Some("") => "/",
            Some(path) if path.starts_with(['/', '?', '#']) => path,
            Some(_) => return None,
            // Of the scheme's own kind: //host/path.
            None => match value.strip_prefix("//") {
                Some(after) => match after.strip_prefix(self.service.authority()) {
                    Some("") => "/",
                    Some(path) if path.starts_with(['/', '?', '#']) => path,
                    _ => return None,
                },
                None if has_scheme(value) => return None,
                None => value,
            },
        };
        let path = match path.as_bytes().first() {
            Some(b'/') => path.to_owned(),
            // Relative to what was asked for: only the path above it counts.
            Some(b'?' | b'#') | None => format!("{}{path}", self.asked),
            Some(_) => {
                let above = self.asked.rfind('/').map_or("", |slash| &self.asked[..=slash]);
                format!("{above}{path}")
            }
        };
        Some(format!("{}://{}{}", self.head.scheme, self.head.authority, self.path(&path)))
    }

    /// A path of the service's as the client knows it.
    fn path(&self, inside: &str) -> String {
        match inside.strip_prefix(self.inside.as_str()) {
            Some(below) if below.is_empty() || below.starts_with(['/', '?', '#']) => {
                let path = format!("{}{below}", self.outside);
                if path.starts_with('/') { path } else { format!("/{path}") }
            }
            _ => inside.to_owned(),
        }
    }

    /// A cookie (RFC 6265, section 4.1) whose domain and path are the client's.
    fn cookie(&self, value: &str) -> String {
        let host = self.head.authority.rsplit_once(':').map_or(self.head.authority.as_str(), |(host, _)| host);
        let mut attributes = value.split(';').map(str::trim);
        let mut cookie = attributes.next().unwrap_or_default().to_owned();
        for attribute in attributes {
            let (name, value) = attribute.split_once('=').unwrap_or((attribute, ""));
            let attribute = match name.trim().to_ascii_lowercase().as_str() {
                // Without one, the cookie is of the host that the client asked.
                "domain" if !is_within(host, value.trim()) => continue,
                "path" => format!("Path={}", self.path(value.trim())),
                _ => attribute.to_owned(),
            };
            cookie.push_str("; ");
            cookie.push_str(&attribute);
        }
        cookie
    }
}

fn has_scheme(reference: &str) -> bool {
    let before_path = reference.split(['/', '?', '#']).next().unwrap_or_default();
    before_path.contains(':')
}

/// Whether a host is a domain or below it.
fn is_within(host: &str, domain: &str) -> bool {
    let (host, domain) = (host.to_ascii_lowercase(), domain.trim_start_matches('.').to_ascii_lowercase());
    host == domain || host.strip_suffix(&domain).is_some_and(|above| above.ends_with('.'))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_inside_has_its_public_name() {
        let service = ServiceUrl::parse("http://orders.internal:8080/base").unwrap();
        let head = Head::from_text("GET\nhttps://api.example.com/shop/orders/7\n\nid\n1\n").unwrap();
        let moved = PublicNames::new(&service, &head, "/shop/orders/7", "/v2/orders/7");
        for (location, public) in [
            ("http://orders.internal:8080/base/v2/orders/8?a=b", Some("https://api.example.com/shop/orders/8?a=b")),
            ("/base/v2/orders/8#x", Some("https://api.example.com/shop/orders/8#x")),
            ("//orders.internal:8080/base/v2", Some("https://api.example.com/shop")),
            ("8", Some("https://api.example.com/shop/orders/8")),
            ("?page=2", Some("https://api.example.com/shop/orders/7?page=2")),
            ("/elsewhere", Some("https://api.example.com/elsewhere")),
            ("/base/v22/x", Some("https://api.example.com/base/v22/x")),
            ("http://orders.internal:8080", Some("https://api.example.com/")),
            ("https://id.example.com/login", None),
            ("http://orders.internal:80801/x", None),
            ("http://orders.internal:8080.evil.example/x", None),
            ("//evil.example/x", None),
            ("mailto:a@b", None),
        ] {
            assert_eq!(moved.reference(location).as_deref(), public, "of {location}");
        }
        let same = PublicNames::new(&service, &head, "/orders/7", "/orders/7");
        assert_eq!(same.reference("/base/login").as_deref(), Some("https://api.example.com/login"));
        let root = PublicNames::new(&service, &head, "/shop", "/");
        assert_eq!(root.reference("/base/x").as_deref(), Some("https://api.example.com/shop/x"));
        for (cookie, public) in [
            ("a=b; Path=/base/v2; HttpOnly", "a=b; Path=/shop; HttpOnly"),
            ("a=b; Domain=orders.internal; Secure", "a=b; Secure"),
            ("a=b; domain=.example.com; path=/", "a=b; domain=.example.com; Path=/"),
            ("a=b", "a=b"),
        ] {
            assert_eq!(moved.cookie(cookie), public, "of {cookie}");
        }
    }
}
