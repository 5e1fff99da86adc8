//! The public names for what a service calls by its own: `Location`, and domain and path of cookies.
//!
//! A service that sends `Location: http://orders.internal/v2/orders/7` means what the client knows as
//! `https://api.example.com/shop/orders/7`, where the file has `/v2` in the place of `/shop`.

use super::headers::HeaderEdits;
use crate::head::{Head, Headers};
use crate::service_url::ServiceUrl;

/// The header fields that may have other names in them, and where a service [sends on](crate::call).
pub const LOOKED_AT: &str = "location,content-location,set-cookie";

/// How paths of a service are called outside.
#[derive(Debug)]
pub struct PublicNames<'r> {
    service: &'r ServiceUrl,
    head: &'r Head,
    /// The path and query that the service was asked for, below its base.
    asked: &'r str,
    /// What the service calls it, its base path included, and what clients do; without slashes at the
    /// ends.
    inside: String,
    outside: String,
}

impl<'r> PublicNames<'r> {
    /// For the answer to what was asked for as `asked`; `replaced` has the piece of the path that the
    /// file replaces, inside and outside.
    pub fn new(service: &'r ServiceUrl, head: &'r Head, replaced: Option<(String, String)>, asked: &'r str) -> Self {
        let (inside, outside) = replaced.unwrap_or_default();
        let inside = format!("{}{}", service.base_path(), inside).trim_end_matches('/').to_owned();
        Self { service, head, asked, inside, outside: outside.trim_end_matches('/').to_owned() }
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

    /// A reference of the service's as the client can use it; `None` where it leads elsewhere.
    fn reference(&self, value: &str) -> Option<String> {
        let path = self.service.resolve(value, self.asked)?;
        Some(format!("{}://{}{}", self.head.scheme, self.head.authority, self.path(&path)))
    }

    /// A path of the service's as the client knows it.
    fn path(&self, inside: &str) -> String {
        match inside.strip_prefix(self.inside.as_str()) {
            Some("" | "/") if !self.outside.is_empty() => self.outside.clone(),
            Some(below) if below.is_empty() || below.starts_with(['/', '?', '#']) => {
                let path = format!("{}{below}", self.outside);
                if path.starts_with('/') { path } else { format!("/{path}") }
            }
            _ => inside.to_owned(),
        }
    }

    /// A cookie (RFC 6265, section 4.1) whose domain and path are the client's.
    fn cookie(&self, value: &str) -> String {
        // Such a cookie has no domain and is for every path, or it is none (RFC 6265bis, section 4.1.3.2).
        if value.get(..7).is_some_and(|prefix| prefix.eq_ignore_ascii_case("__host-")) {
            return value.to_owned();
        }
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
        let replaced = |inside: &str, outside: &str| Some((inside.to_owned(), outside.to_owned()));
        let moved = PublicNames::new(&service, &head, replaced("/v2", "/shop"), "/v2/orders/7?x");
        for (location, public) in [
            ("http://orders.internal:8080/base/v2/orders/8?a=b", Some("https://api.example.com/shop/orders/8?a=b")),
            ("/base/v2/orders/8#x", Some("https://api.example.com/shop/orders/8#x")),
            ("//orders.internal:8080/base/v2", Some("https://api.example.com/shop")),
            ("8", Some("https://api.example.com/shop/orders/8")),
            ("?page=2", Some("https://api.example.com/shop/orders/7?page=2")),
            // What the file does not replace keeps its path.
            ("/base/v22/x", Some("https://api.example.com/base/v22/x")),
            ("https://id.example.com/login", None),
        ] {
            assert_eq!(moved.reference(location).as_deref(), public, "of {location}");
        }
        let same = PublicNames::new(&service, &head, None, "/orders/7");
        assert_eq!(same.reference("/base/login").as_deref(), Some("https://api.example.com/login"));
        let stripped = PublicNames::new(&service, &head, replaced("/", "/shop"), "/x");
        assert_eq!(stripped.reference("/base/x").as_deref(), Some("https://api.example.com/shop/x"));
        for (names, cookie, public) in [
            (&moved, "a=b; Path=/base/v2; HttpOnly", "a=b; Path=/shop; HttpOnly"),
            (&moved, "a=b; Domain=orders.internal; Secure", "a=b; Secure"),
            (&moved, "a=b; domain=.example.com; path=/", "a=b; domain=.example.com; Path=/"),
            (&moved, "a=b", "a=b"),
            (&moved, "__Host-a=b; Path=/; Secure", "__Host-a=b; Path=/; Secure"),
            (&stripped, "a=b; Path=/base/", "a=b; Path=/shop"),
        ] {
            assert_eq!(names.cookie(cookie), public, "of {cookie}");
        }
    }
}
