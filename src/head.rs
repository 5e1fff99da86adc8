//! The head of a request: everything about it but its body, read from the runtime once.

use std::cell::OnceCell;
use std::fmt;
use std::net::IpAddr;
use std::rc::Rc;
use std::time::Duration;

/// Milliseconds since 1970-01-01 UTC, as the runtime's clock gives them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct UnixMillis(pub u64);

impl UnixMillis {
    /// The time from `earlier` to this; zero where the clock went backwards.
    pub fn since(self, earlier: Self) -> Duration {
        Duration::from_millis(self.0.saturating_sub(earlier.0))
    }

    /// The same in microseconds.
    pub fn micros(self) -> u64 {
        self.0.saturating_mul(1000)
    }

    /// The moment so much later.
    pub fn after(self, span: Duration) -> Self {
        Self(self.0.saturating_add(u64::try_from(span.as_millis()).unwrap_or(u64::MAX)))
    }
}

/// The address of a client, if it is known. A runtime may have it at a price: it is asked for it once somebody wants to know.
#[derive(Clone)]
pub struct ClientAddress {
    known: OnceCell<Option<IpAddr>>,
    spelled: OnceCell<String>,
    ask: Option<Rc<dyn Fn() -> String>>,
}

impl ClientAddress {
    /// One whose text a runtime gives when it is asked; an empty one where it is not known.
    pub fn asked(ask: impl Fn() -> String + 'static) -> Self {
        Self { known: OnceCell::new(), spelled: OnceCell::new(), ask: Some(Rc::new(ask)) }
    }

    /// The address. One of IPv4 that came in the form of IPv6, as to a socket for both (RFC 4291, section 2.5.5.2), is one of IPv4.
    pub fn get(&self) -> Option<IpAddr> {
        *self.known.get_or_init(|| {
            let text = self.ask.as_ref()?();
            let address: IpAddr = text.parse().ok()?;
            if address.is_ipv4() {
                // It has no other spelling.
                self.spelled.get_or_init(|| text);
            }
            Some(address.to_canonical())
        })
    }

    /// The address in its one spelling (RFC 5952).
    pub fn text(&self) -> Option<&str> {
        let address = self.get()?;
        Some(self.spelled.get_or_init(|| address.to_string()))
    }
}

impl From<Option<IpAddr>> for ClientAddress {
    fn from(address: Option<IpAddr>) -> Self {
        Self {
            known: OnceCell::from(address.map(|address| address.to_canonical())),
            spelled: OnceCell::new(),
            ask: None,
        }
    }
}

impl fmt::Debug for ClientAddress {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.known.fmt(formatter)
    }
}

/// The head of one request.
#[derive(Clone, Debug)]
pub struct Head {
    /// As sent, such as `GET`.
    pub method: String,
    /// `http` or `https`.
    pub scheme: String,
    /// What the client called the gateway: host and port.
    pub authority: String,
    /// As sent, not yet in normal form ([`crate::path`]); never holds `?`.
    pub raw_path: String,
    /// What followed the first `?`, as sent; `None` where there was none.
    pub query: Option<String>,
    /// The header fields.
    pub headers: Headers,
    /// The client's address as the runtime reports it, never as a header of the client claims.
    pub client: ClientAddress,
    /// Made here for this request; goes into the log, to the services and to the client.
    pub request_id: String,
    /// When the request came.
    pub arrived: UnixMillis,
}

impl Head {
    /// Reads a head from its text form, which lets a runtime hand it over in one piece:
    /// lines for method, URL, client address (may be empty), request id and arrival in
    /// milliseconds, then a line `name:value` for each header field, names in lower case.
    ///
    /// `None` if a line is missing or the URL has no authority: the runtime broke the form.
    pub fn from_text(text: &str) -> Option<Self> {
        let mut fields = text.splitn(6, '\n');
        let method = fields.next()?;
        let url = fields.next()?;
        let client = fields.next()?;
        let request_id = fields.next()?;
        let arrived = fields.next()?.parse().ok()?;
        let headers = fields.next()?;

        let (scheme, after_scheme) = url.split_once(':')?;
        let after_scheme = after_scheme.strip_prefix("//")?;
        let authority_end = after_scheme.find(['/', '?', '#']).unwrap_or(after_scheme.len());
        let (authority, target) = after_scheme.split_at(authority_end);
        // A fragment is for the client alone; in the path, where it would hide the rest, it is refused.
        let target = match target.split_once('?') {
            Some((_, query)) => target.get(..target.len() - query.find('#').map_or(0, |at| query.len() - at))?,
            None => target,
        };
        let (raw_path, query) = match target.split_once('?') {
            Some((path, query)) => (path, Some(query)),
            None => (target, None),
        };
        Some(Self {
            method: method.to_owned(),
            scheme: scheme.to_owned(),
            authority: authority.to_owned(),
            raw_path: if raw_path.is_empty() { "/" } else { raw_path }.to_owned(),
            query: query.map(str::to_owned),
            headers: Headers::from_text(headers),
            client: ClientAddress::from(if client.is_empty() { None } else { client.parse().ok() }),
            request_id: request_id.to_owned(),
            arrived: UnixMillis(arrived),
        })
    }
}

impl Head {
    /// Bytes of the path and the query.
    pub fn url_length(&self) -> usize {
        self.raw_path.len() + self.query.as_ref().map_or(0, |query| query.len() + 1)
    }

    /// Whether `Host` is one name or address with maybe a port. Some runtimes paste it into the URL
    /// as it comes, where a `/` in it would become a path.
    pub fn has_one_host(&self) -> bool {
        let is_one = |host: &str| host == self.authority || is_host_and_port(host);
        is_host_and_port(&self.authority) && self.headers.get("host").is_none_or(is_one)
    }
}

/// Whether a text is one name or address, and maybe a port.
fn is_host_and_port(text: &str) -> bool {
    let (host, port) = match text.rfind(':') {
        Some(colon) if !text.ends_with(']') => text.split_at(colon),
        _ => (text, ""),
    };
    let is_port = port.is_empty() || port.bytes().skip(1).all(|byte| byte.is_ascii_digit());
    let is_host = match host.strip_prefix('[').and_then(|inner| inner.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => are_labels(host.strip_suffix('.').unwrap_or(host)),
    };
    is_host && is_port
}

/// Whether a text is labels, with a dot between two.
fn are_labels(text: &str) -> bool {
    let mut before = b'.';
    let follows = |byte| {
        let is_after_dot = std::mem::replace(&mut before, byte) == b'.';
        match byte {
            b'.' => !is_after_dot,
            _ => byte.is_ascii_alphanumeric() || byte == b'-' || byte == b'_',
        }
    };
    text.bytes().all(follows) && before != b'.'
}

/// Whether a `Content-Type` is one of JSON (RFC 8259, section 11; RFC 6839, section 3.1).
pub fn is_json(content_type: &str) -> bool {
    let essence = content_type.split(';').next().unwrap_or_default().trim().to_ascii_lowercase();
    essence == "application/json" || essence.ends_with("+json")
}

/// Whether a text is a token (RFC 9110, section 5.6.2), such as the name of a header field or a cookie.
pub fn is_token(text: &str) -> bool {
    !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte))
}

/// Header fields, in the lines `name:value` that they came in, and where each of them is: a dozen are asked for, and a
/// browser sends thousands of bytes. Names are compared one after the other; a map would cost more than it saves.
#[derive(Clone, Debug, Default)]
pub struct Headers {
    text: String,
    fields: Vec<FieldAt>,
}

/// Where a field is in the text.
#[derive(Clone, Debug)]
struct FieldAt {
    start: usize,
    colon: usize,
    end: usize,
}

impl Headers {
    /// Reads lines `name:value`, names in lower case.
    pub fn from_text(text: impl Into<String>) -> Self {
        let text = text.into();
        let mut fields = Vec::with_capacity(16);
        let mut start = 0;
        for line in text.split_terminator('\n') {
            let end = start + line.len();
            fields.extend(line.find(':').map(|colon| FieldAt { start, colon: start + colon, end }));
            start = end + 1;
        }
        Self { text, fields }
    }

    /// The value of the field `name` (lower case); several fields of one name come joined by `, `.
    pub fn get(&self, name: &str) -> Option<&str> {
        let is_named = |(other, _): &(&str, &str)| *other == name;
        self.iter().find(is_named).map(|(_, value)| value)
    }

    /// Bytes of all fields, each with its name and two more.
    pub fn size(&self) -> usize {
        self.text.len()
    }

    /// Whether they say that there is a body (RFC 9112, section 6).
    pub fn say_body(&self) -> bool {
        self.get("transfer-encoding").is_some() || self.get("content-length").is_some_and(|length| length != "0")
    }

    /// Whether they say of the body that it is JSON.
    pub fn say_json(&self) -> bool {
        self.get("content-type").is_some_and(is_json)
    }

    /// The cookies as one field without those of these names, if any is left.
    pub fn cookies_without(&self, names: &[&str]) -> Option<String> {
        let pieces = self.get("cookie")?.split(';').flat_map(|piece| piece.split(", ")).map(str::trim);
        let is_named = |pair: &&str| pair.split('=').next().is_some_and(|key| names.contains(&key.trim()));
        let others: Vec<&str> = pieces.filter(|pair| !is_named(pair)).collect();
        Some(others.join("; ")).filter(|others| !others.is_empty())
    }

    /// The value of the first cookie of this name (RFC 6265, section 4.2.1), as sent.
    pub fn cookie(&self, name: &str) -> Option<&str> {
        self.cookies(name).next()
    }

    /// The values of all cookies of this name, as sent.
    pub fn cookies(&self, name: &str) -> impl Iterator<Item = &str> {
        // Several fields come joined by a comma.
        let pieces = self.get("cookie").unwrap_or_default().split(';').flat_map(|piece| piece.split(", "));
        let pairs = pieces.filter_map(|pair| pair.split_once('='));
        pairs
            .map(|(key, value)| (key.trim(), value.trim()))
            .filter(move |(key, _)| *key == name)
            .map(|(_, value)| value)
    }

    /// All fields, name and value, in the order of the runtime.
    pub fn iter(&self) -> impl Iterator<Item = (&str, &str)> {
        let fields = self.fields.iter();
        fields.filter_map(|at| Some((self.text.get(at.start..at.colon)?, self.text.get(at.colon + 1..at.end)?)))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(url: &str) -> Option<Head> {
        Head::from_text(&format!("GET\n{url}\n192.0.2.7\nid-1\n1700000000000\naccept:a:b\nhost:x\n"))
    }

    #[test]
    fn a_url_falls_into_its_parts() {
        let table = [
            ("https://api.example/a/b?c=d?e", "api.example", "/a/b", Some("c=d?e")),
            ("http://localhost:8787/", "localhost:8787", "/", None),
            ("http://localhost", "localhost", "/", None),
            ("http://localhost?x", "localhost", "/", Some("x")),
            ("http://h//evil/../x", "h", "//evil/../x", None),
            ("http://h/a#b", "h", "/a#b", None),
        ];
        for (url, authority, path, query) in table {
            let head = head(url).unwrap();
            assert_eq!(
                (head.authority.as_str(), head.raw_path.as_str(), head.query.as_deref()),
                (authority, path, query),
                "of {url}"
            );
        }
    }

    #[test]
    fn header_values_may_hold_colons() {
        let head = head("http://h/").unwrap();
        assert_eq!(head.headers.get("accept"), Some("a:b"));
        assert_eq!(head.headers.get("cookie"), None);
        assert_eq!(head.client.get(), Some("192.0.2.7".parse().unwrap()));
    }

    #[test]
    fn fields_are_found_wherever_they_stand() {
        let headers = Headers::from_text("a:1\nempty:\nno field\nlonger:b:c\na-b:2\nlast:x");
        let fields = [("a", "1"), ("empty", ""), ("longer", "b:c"), ("a-b", "2"), ("last", "x")];
        assert_eq!(headers.iter().collect::<Vec<_>>(), fields);
        for (name, value) in fields {
            assert_eq!(headers.get(name), Some(value), "of {name}");
        }
        for name in ["", "b", "A", "a-", "no field"] {
            assert_eq!(headers.get(name), None, "of {name:?}");
        }
    }

    #[test]
    fn an_address_has_one_spelling() {
        let table = [
            ("192.0.2.7", Some("192.0.2.7")),
            ("192.0.2.007", None),
            ("2001:DB8:0::1", Some("2001:db8::1")),
            ("::ffff:192.0.2.7", Some("192.0.2.7")),
            ("::FFFF:C000:207", Some("192.0.2.7")),
            ("somewhere", None),
            ("", None),
        ];
        for (given, text) in table {
            let asked = ClientAddress::asked(move || given.to_owned());
            assert_eq!((asked.text(), ClientAddress::from(asked.get()).text()), (text, text), "of {given:?}");
        }
    }

    #[test]
    fn a_host_is_one_host() {
        for (host, one) in [
            ("api.example", true),
            ("localhost:8787", true),
            ("[::1]:80", true),
            ("a_b", true),
            ("h/x?a=", false),
            ("a, b", false),
            ("user@h", false),
            ("h#", false),
            ("h\\x", false),
            ("h h", false),
            ("a.example.", true),
            ("a..example", false),
            (".example", false),
            ("a.example..", false),
            ("[a.example]", false),
            ("h:8x", false),
            ("", false),
            (":80", false),
        ] {
            let head = Head::from_text(&format!("GET\nhttp://h/\n\nid\n1\nhost:{host}\n")).unwrap();
            assert_eq!(head.has_one_host(), one, "of {host:?}");
        }
    }

    #[test]
    fn a_head_of_another_form_is_no_head() {
        for text in ["", "GET\nhttp://h/\n\n", "GET\n/relative\n\nid\n1\n", "GET\nhttp://h/\n\nid\nnow\n"] {
            assert!(Head::from_text(text).is_none(), "of {text:?}");
        }
    }
}
