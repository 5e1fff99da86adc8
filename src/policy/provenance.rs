//! Where a request came from: whom the gateway believes about it, and what it tells the services.
//!
//! ```json
//! "trusted_proxies": ["10.0.0.0/8"], "tell_services": ["x-forwarded", "request-id"]
//! ```
//!
//! Only a proxy whose address is listed is believed what it says of its client: `X-Forwarded-For`,
//! `X-Forwarded-Proto`, `X-Request-Id`. From everybody else these are removed.

use std::borrow::Cow;
use std::net::IpAddr;

use super::headers::Field;
use crate::head::Head;
use crate::settings::{Text, not_of_form, written_as_text, written_as_word};

/// What is believed and told. By default: nobody, and `X-Forwarded-*` with `X-Request-Id`.
#[derive(Debug)]
pub struct Provenance {
    /// The proxies that are believed.
    pub trusted: Vec<Network>,
    /// What services are told.
    pub told: Vec<Told>,
}

/// One thing that services are told.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Told {
    /// `X-Forwarded-For`, `-Host` and `-Proto`.
    XForwarded,
    /// `Forwarded` (RFC 7239).
    Forwarded,
    /// `Via` (RFC 9110, section 7.6.3).
    Via,
    /// `X-Request-Id`.
    RequestId,
}

impl Default for Provenance {
    fn default() -> Self {
        Self { trusted: Vec::new(), told: vec![Told::XForwarded, Told::RequestId] }
    }
}

written_as_word!(Told {
    "x-forwarded" => Self::XForwarded,
    "forwarded" => Self::Forwarded,
    "via" => Self::Via,
    "request-id" => Self::RequestId,
});

impl Provenance {
    /// Takes over what a trusted proxy says of its client.
    pub fn believe(&self, head: &mut Head) {
        if self.trusted.is_empty() {
            return;
        }
        let Some(proxy) = head.client.get().filter(|address| self.is_trusted(*address)) else { return };
        // From the last entry on: each was added by the proxy that the one after it is the address of.
        let claimed = head.headers.get("x-forwarded-for").unwrap_or_default().rsplit(',');
        let mut nearest = (proxy, 0);
        for (hops, entry) in claimed.map(str::trim).filter(|entry| !entry.is_empty()).enumerate() {
            let Some(address) = address_of(entry) else { break };
            nearest = (address, hops);
            if !self.is_trusted(address) {
                break;
            }
        }
        // The scheme that the same proxy saw, where there is a list of them too.
        let schemes = head.headers.get("x-forwarded-proto").unwrap_or_default().rsplit(',').map(str::trim);
        let scheme = schemes.take(nearest.1 + 1).last().unwrap_or_default().to_ascii_lowercase();
        if matches!(scheme.as_str(), "http" | "https") {
            head.scheme = scheme;
        }
        head.client = Some(nearest.0).into();
        let is_id = |id: &&str| {
            (1..=128).contains(&id.len())
                && id.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte))
        };
        if let Some(id) = head.headers.get("x-request-id").filter(is_id) {
            head.request_id = id.to_owned();
        }
    }

    fn is_trusted(&self, address: IpAddr) -> bool {
        self.trusted.iter().any(|network| network.has(address))
    }

    /// The fields that tell a service of it.
    pub fn fields(&self, head: &Head) -> Vec<Field> {
        let mut fields: Vec<Field> = Vec::with_capacity(4);
        let mut tell = |name: &'static str, value: String| fields.push((Cow::Borrowed(name), value));
        for told in &self.told {
            match told {
                Told::RequestId => tell("x-request-id", head.request_id.clone()),
                Told::XForwarded => {
                    tell("x-forwarded-host", head.authority.clone());
                    tell("x-forwarded-proto", head.scheme.clone());
                    if let Some(address) = head.client.text() {
                        tell("x-forwarded-for", address.to_owned());
                    }
                }
                Told::Forwarded => {
                    let address = match head.client.text() {
                        Some(v6) if v6.contains(':') => format!("\"[{v6}]\""),
                        Some(v4) => v4.to_owned(),
                        None => "unknown".to_owned(),
                    };
                    let (host, scheme) = (&head.authority, &head.scheme);
                    tell("forwarded", format!("for={address};host=\"{host}\";proto={scheme}"));
                }
                Told::Via => tell("via", "1.1 postern".to_owned()),
            }
        }
        fields
    }
}

/// The address of an entry, some of which have a port or brackets: `192.0.2.7:5555`, `[2001:db8::1]:5555`.
fn address_of(entry: &str) -> Option<IpAddr> {
    let bracketed = entry.strip_prefix('[').and_then(|rest| rest.split_once(']')).map(|(address, _)| address);
    let bare = bracketed.unwrap_or(entry);
    let address: Option<IpAddr> = bare.parse().ok();
    let address = address.or_else(|| bare.rsplit_once(':')?.0.parse::<std::net::Ipv4Addr>().ok().map(IpAddr::V4));
    address.map(|address| address.to_canonical())
}

/// A range of addresses: `"10.0.0.0/8"`, `"2001:db8::/32"`, `"192.0.2.7"` (RFC 4632, RFC 4291).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u32,
}

impl Text for Network {
    const FORM: &'static str = "an address or a range of them, such as \"10.0.0.0/8\" or \"2001:db8::/32\"";
    const PATTERN: &'static str = "^[0-9A-Fa-f.:]+(/[0-9]{1,3})?$";

    fn read(text: &str) -> Result<Self, String> {
        let (address, bits) = text.split_once('/').map_or((text, None), |(address, bits)| (address, Some(bits)));
        let address: IpAddr = address.parse().map_err(|_| not_of_form::<Self>())?;
        if address != address.to_canonical() {
            return Err("must be written as IPv4, not in the form of IPv6".to_owned());
        }
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.map_or(Ok(most), |bits| bits.parse::<u32>().map_err(|_| not_of_form::<Self>()))?;
        let network = Self { address, bits };
        match bits <= most && network.masked(address) == Some(bits_of(address)) {
            true => Ok(network),
            false => Err("must have no bits beyond its prefix".to_owned()),
        }
    }
}

written_as_text!(Network);

impl Network {
    /// Whether an address is of the range.
    pub fn has(&self, address: IpAddr) -> bool {
        address.is_ipv4() == self.address.is_ipv4() && self.masked(address) == self.masked(self.address)
    }

    fn masked(&self, address: IpAddr) -> Option<u128> {
        let width = if address.is_ipv4() { 32 } else { 128 };
        let below = width - self.bits.min(width);
        Some(bits_of(address).checked_shr(below).unwrap_or(0).checked_shl(below).unwrap_or(0))
    }
}

fn bits_of(address: IpAddr) -> u128 {
    match address {
        IpAddr::V4(address) => u128::from(address.to_bits()),
        IpAddr::V6(address) => address.to_bits(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn head(client: &str, headers: &str) -> Head {
        Head::from_text(&format!("GET\nhttp://api.example/x\n{client}\nid-1\n1\n{headers}")).unwrap()
    }

    #[test]
    fn only_a_trusted_proxy_is_believed() {
        let trusted = ["10.0.0.0/8", "2001:db8::/32"].map(|text| Network::read(text).unwrap()).to_vec();
        let provenance = Provenance { trusted, ..Provenance::default() };
        let said = "x-forwarded-for:6.6.6.6, 192.0.2.7, 10.9.9.9\nx-forwarded-proto:https\nx-request-id:theirs\n";
        for (client, headers, address, scheme, id) in [
            ("192.0.2.1", said, "192.0.2.1", "http", "id-1"),
            ("10.1.2.3", said, "192.0.2.7", "https", "theirs"),
            ("2001:db8::1", said, "192.0.2.7", "https", "theirs"),
            ("::ffff:10.1.2.3", said, "192.0.2.7", "https", "theirs"),
            ("10.1.2.3", "x-forwarded-for:::ffff:192.0.2.7, ::ffff:10.9.9.9\n", "192.0.2.7", "http", "id-1"),
            ("10.1.2.3", "", "10.1.2.3", "http", "id-1"),
            ("10.1.2.3", "x-forwarded-for:garbage, 10.9.9.9\n", "10.9.9.9", "http", "id-1"),
            ("10.1.2.3", "x-forwarded-for:203.0.113.9:5555\nx-forwarded-proto:HTTPS\n", "203.0.113.9", "https", "id-1"),
            ("10.1.2.3", "x-forwarded-for:[2001:db9::1]:5555,\n", "2001:db9::1", "http", "id-1"),
            (
                "10.1.2.3",
                "x-forwarded-for:192.0.2.7, 10.9.9.9\nx-forwarded-proto:https, http\n",
                "192.0.2.7",
                "https",
                "id-1",
            ),
            ("10.1.2.3", "x-forwarded-proto:gopher\nx-request-id:a b\n", "10.1.2.3", "http", "id-1"),
        ] {
            let mut head = head(client, headers);
            provenance.believe(&mut head);
            let got =
                (head.client.get().map(|client| client.to_string()), head.scheme.as_str(), head.request_id.as_str());
            assert_eq!(got, (Some(address.to_owned()), scheme, id), "of {client} {headers:?}");
        }
    }

    #[test]
    fn a_service_learns_where_the_request_came_from() {
        let all = Provenance {
            trusted: Vec::new(),
            told: vec![Told::XForwarded, Told::Forwarded, Told::Via, Told::RequestId],
        };
        for (client, name, value) in [
            ("192.0.2.7", "x-forwarded-for", "192.0.2.7"),
            ("192.0.2.7", "x-forwarded-host", "api.example"),
            ("192.0.2.7", "x-forwarded-proto", "http"),
            ("192.0.2.7", "x-request-id", "id-1"),
            ("192.0.2.7", "via", "1.1 postern"),
            ("192.0.2.7", "forwarded", "for=192.0.2.7;host=\"api.example\";proto=http"),
            ("2001:db8::1", "forwarded", "for=\"[2001:db8::1]\";host=\"api.example\";proto=http"),
            ("", "forwarded", "for=unknown;host=\"api.example\";proto=http"),
        ] {
            let fields = all.fields(&head(client, "x-forwarded-for:6.6.6.6\n"));
            assert!(fields.contains(&(name.into(), value.to_owned())), "of {name} in {fields:?}");
        }
        let nothing = Provenance { trusted: Vec::new(), told: Vec::new() };
        assert_eq!(nothing.fields(&head("192.0.2.7", "")), []);
    }

    #[test]
    fn a_range_has_its_addresses() {
        for (range, address, has) in [
            ("10.0.0.0/8", "10.255.0.1", true),
            ("10.0.0.0/8", "11.0.0.1", false),
            ("10.0.0.0/8", "a00::", false),
            ("0.0.0.0/0", "1.2.3.4", true),
            ("::/0", "1.2.3.4", false),
            ("::/0", "::1", true),
            ("192.0.2.7", "192.0.2.7", true),
            ("192.0.2.7", "192.0.2.8", false),
            ("2001:db8::/32", "2001:db8:1::", true),
            ("2001:db8::/32", "2001:db9::", false),
        ] {
            assert_eq!(Network::read(range).unwrap().has(address.parse().unwrap()), has, "of {address} in {range}");
        }
        for text in [
            "",
            "10.0.0.0/33",
            "10.0.0.1/8",
            "::1/64",
            "10.0.0/8",
            "x",
            "10.0.0.0/",
            "::/129",
            "::ffff:10.0.0.1",
            "::ffff:10.0.0.0/104",
        ] {
            assert!(Network::read(text).is_err(), "of {text:?}");
        }
    }
}
