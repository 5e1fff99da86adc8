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

    /// Host and port.
    pub fn authority(&self) -> &str {
        self.origin().split_once("://").map_or("", |(_, authority)| authority)
    }

    /// The base path, without a slash at its end.
    pub fn base_path(&self) -> &str {
        self.base.get(self.authority_end..).unwrap_or_default()
    }

    /// The URL of `path_and_query` at this service.
    pub fn join(&self, path_and_query: &str) -> String {
        format!("{}{path_and_query}", self.base)
    }
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
