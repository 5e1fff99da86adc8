//! The address of a service.

use std::net::{Ipv4Addr, Ipv6Addr};

use crate::path::NormalPath;

/// The address of a service: an origin and a base path, from the file alone.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ServiceUrl {
    /// Origin and base path, without a slash at the end.
    base: String,
    /// Where the origin ends.
    authority_end: usize,
}

impl ServiceUrl {
    /// Reads `http(s)://host[:port][/base]`; `None` for anything else, credentials among it.
    pub fn parse(text: &str) -> Option<Self> {
        let (scheme, rest) = text.split_once("://")?;
        let (authority, base) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let base = base.strip_suffix('/').unwrap_or(base);
        let clean_base = base.is_empty()
            || !base.ends_with('/') && NormalPath::parse(base).is_ok_and(|normal| normal.as_str() == base);
        let fine = matches!(scheme, "http" | "https") && is_host_and_port(authority) && clean_base;
        fine.then(|| Self {
            base: format!("{scheme}://{authority}{base}"),
            authority_end: scheme.len() + "://".len() + authority.len(),
        })
    }

    /// Scheme, host and port.
    pub fn origin(&self) -> &str {
        self.base.get(..self.authority_end).unwrap_or_default()
    }

    /// The base path, without a slash at its end.
    pub fn base_path(&self) -> &str {
        self.base.get(self.authority_end..).unwrap_or_default()
    }

    /// The path, query and fragment that a reference (RFC 3986, section 4) means, if it is to this
    /// service, in an answer to what was asked for as `asked` below the base path. Upper case and the
    /// usual port do not count (section 6.2).
    pub fn resolve(&self, reference: &str, asked: &str) -> Option<String> {
        let (scheme, rest) = match reference.split_once("://") {
            Some((scheme, rest)) if scheme.bytes().all(|byte| byte.is_ascii_alphanumeric()) => (scheme, Some(rest)),
            _ => (self.scheme(), reference.strip_prefix("//")),
        };
        if let Some(rest) = rest {
            let (authority, path) = rest.split_at(rest.find(['/', '?', '#']).unwrap_or(rest.len()));
            let is_here = scheme.eq_ignore_ascii_case(self.scheme())
                && without_usual_port(scheme, authority) == without_usual_port(scheme, self.authority());
            let slash = if path.starts_with('/') { "" } else { "/" };
            return is_here.then(|| format!("{slash}{path}"));
        }
        let asked = format!("{}{}", self.base_path(), asked.split(['?', '#']).next().unwrap_or_default());
        match reference.as_bytes().first() {
            Some(b'/') => Some(reference.to_owned()),
            Some(b'?' | b'#') | None => Some(format!("{asked}{reference}")),
            // Another scheme, such as mailto.
            Some(_) if reference.split(['/', '?', '#']).next().is_some_and(|first| first.contains(':')) => None,
            Some(_) => {
                let above = asked.rfind('/').map_or("", |slash| asked.get(..=slash).unwrap_or_default());
                Some(format!("{above}{reference}"))
            }
        }
    }

    fn scheme(&self) -> &str {
        self.base.split_once("://").map_or("", |(scheme, _)| scheme)
    }

    fn authority(&self) -> &str {
        self.origin().split_once("://").map_or("", |(_, authority)| authority)
    }

    /// The URL of `path_and_query` at this service.
    pub fn join(&self, path_and_query: &str) -> String {
        let mut url = String::with_capacity(self.base.len() + path_and_query.len());
        url.push_str(&self.base);
        url.push_str(path_and_query);
        url
    }
}

/// A host and port in lower case, without a port that goes without saying (RFC 9110, section 4.2.3).
pub fn without_usual_port(scheme: &str, authority: &str) -> String {
    let usual = if scheme.eq_ignore_ascii_case("https") { ":443" } else { ":80" };
    authority.strip_suffix(usual).unwrap_or(authority).to_ascii_lowercase()
}

fn is_host_and_port(authority: &str) -> bool {
    let (is_host, after) = match authority.strip_prefix('[') {
        Some(rest) => match rest.split_once(']') {
            Some((address, after)) => (address.parse::<Ipv6Addr>().is_ok(), after),
            None => return false,
        },
        None => {
            let (host, after) = authority.split_at(authority.find(':').unwrap_or(authority.len()));
            (is_name_or_v4(host), after)
        }
    };
    let is_port =
        |port: &str| port.bytes().all(|byte| byte.is_ascii_digit()) && port.parse::<u16>().is_ok_and(|port| port > 0);
    is_host && (after.is_empty() || after.strip_prefix(':').is_some_and(is_port))
}

/// A name in lower case or an IPv4 address. What ends in a number is an address to the URL standard.
fn is_name_or_v4(host: &str) -> bool {
    let is_name = !host.is_empty()
        && host.bytes().all(|byte| byte.is_ascii_lowercase() || byte.is_ascii_digit() || b"-._".contains(&byte));
    let ends_in_number =
        host.rsplit('.').next().is_some_and(|last| last.starts_with(|first: char| first.is_ascii_digit()));
    is_name && (!ends_in_number || host.parse::<Ipv4Addr>().is_ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_reference_leads_to_the_service_or_not() {
        let plain = ServiceUrl::parse("http://orders.internal").unwrap();
        let based = ServiceUrl::parse("https://orders.internal:8443/base").unwrap();
        for (service, reference, resolved) in [
            (&plain, "/x?y#z", Some("/x?y#z")),
            (&plain, "http://orders.internal/x", Some("/x")),
            (&plain, "HTTP://ORDERS.internal:80/x", Some("/x")),
            (&plain, "http://orders.internal", Some("/")),
            (&plain, "http://orders.internal?x", Some("/?x")),
            (&plain, "//orders.internal/x", Some("/x")),
            (&plain, "8", Some("/a/8")),
            (&plain, "?p=2", Some("/a/7?p=2")),
            (&plain, "", Some("/a/7")),
            (&plain, "https://orders.internal/x", None),
            (&plain, "http://orders.internal:8080/x", None),
            (&plain, "http://orders.internal.evil.example/x", None),
            (&plain, "http://orders.internal@evil.example/x", None),
            (&plain, "//evil.example/x", None),
            (&plain, "mailto:a@b", None),
            (&based, "8", Some("/base/a/8")),
            (&based, "https://orders.internal:8443/other", Some("/other")),
            (&based, "https://orders.internal/base/x", None),
        ] {
            assert_eq!(service.resolve(reference, "/a/7?q").as_deref(), resolved, "of {reference}");
        }
    }

    #[test]
    fn a_service_has_an_origin_and_a_base() {
        for (text, joined) in [
            ("http://127.0.0.1:9001", "http://127.0.0.1:9001/x"),
            ("https://orders.internal/", "https://orders.internal/x"),
            ("https://orders.internal:8443/v2", "https://orders.internal:8443/v2/x"),
            ("http://[::1]:9001/a/b/", "http://[::1]:9001/a/b/x"),
        ] {
            assert_eq!(ServiceUrl::parse(text).map(|url| url.join("/x")).as_deref(), Some(joined));
        }
        for text in [
            "",
            "orders",
            "orders:9001",
            "ftp://h",
            "http://",
            "http://h:0",
            "http://h:99999",
            "http://u:p@h",
            "http://h?x",
            "http://h/a?x",
            "http://h/a#x",
            "http://h/../x",
            "http://h//x",
            "http://H",
            "http://h h",
            "http://[::1",
            "http://[x]",
            "http://[::1]junk",
            "http://[::1]80",
            "http://h:+80",
            "http://h:",
            "http://999.1.1.1",
            "http://1",
            "http://0x7f000001",
            "http://h//",
            "http://h/a//",
        ] {
            assert_eq!(ServiceUrl::parse(text), None, "of {text:?}");
        }
    }
}
