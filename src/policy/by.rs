//! Whose calls count as one's: for limits, canaries and what is done once.

use std::net::IpAddr;

use crate::head::{Head, is_token};
use crate::policy::caller::Caller;
use crate::router::host_of;
use crate::settings::{FromNode, Node, Place, Problems, described_as};

/// Whose calls count together.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum By {
    /// The caller's subject; where there is none, the client's address.
    Caller,
    /// The client's address: an IPv4 address, or the /64 of an IPv6 one.
    Address,
    /// A claim of the caller, written `jwt.NAME`.
    Claim(String),
    /// A header field of the client's, by its name in lower case.
    Header(String),
    /// The route.
    Route,
    /// The host that the client asked for; a port does not count.
    Host,
}

/// Who makes a call, and which.
#[derive(Clone, Copy, Debug)]
pub struct Who<'w> {
    /// The caller, if one is known.
    pub caller: Option<&'w Caller>,
    /// The request.
    pub head: &'w Head,
    /// Where the route stands in the file.
    pub route: &'w str,
}

impl By {
    /// What is the same for calls that count together. `Err` names the claim that is missing.
    pub fn key(&self, who: Who<'_>) -> Result<String, &str> {
        let claim = |name: &str| {
            let caller = who.caller?;
            let value = caller.claim(name)?;
            // Keys are put together by lines: a claim is not to make one that is another's.
            let value = value.replace('\\', r"\\").replace('\n', r"\n");
            Some(format!("{name}\n{}\n{value}", caller.issuer()))
        };
        match self {
            Self::Claim(name) => claim(name).ok_or(name.as_str()),
            Self::Caller => Ok(claim("sub").unwrap_or_else(|| address_key(who.head.client.get()))),
            Self::Address => Ok(address_key(who.head.client.get())),
            Self::Header(name) => Ok(format!("header\n{}", who.head.headers.get(name).unwrap_or_default())),
            Self::Route => Ok(format!("route\n{}", who.route)),
            Self::Host => Ok(format!("host\n{}", host_of(&who.head.authority))),
        }
    }
}

impl FromNode for By {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let text = String::from_node(node, place, problems)?;
        match (text.as_str(), text.strip_prefix("jwt."), text.strip_prefix("header.")) {
            ("caller", ..) => Some(Self::Caller),
            ("address", ..) => Some(Self::Address),
            ("route", ..) => Some(Self::Route),
            ("host", ..) => Some(Self::Host),
            (_, Some(claim), _) if !claim.is_empty() => Some(Self::Claim(claim.to_owned())),
            (_, _, Some(name)) if is_token(name) => Some(Self::Header(name.to_ascii_lowercase())),
            _ => {
                let words = "\"caller\", \"address\", \"route\", \"host\", \"jwt.NAME\" (a claim) or \"header.NAME\"";
                problems.add(place, format!("is {text:?}, must be {words}"));
                None
            }
        }
    }
}

described_as!(By, {
    "anyOf": [
        { "enum": ["caller", "address", "route", "host"] },
        { "type": "string", "pattern": r"^jwt\.", "minLength": 5 },
        { "type": "string", "pattern": r"^header\.", "minLength": 8 }
    ]
});

fn address_key(address: Option<IpAddr>) -> String {
    match address {
        Some(IpAddr::V4(address)) => format!("address\n{address}"),
        // One customer of a provider commands a whole /64 (RFC 6177).
        Some(IpAddr::V6(address)) => {
            format!("address\n{}/64", std::net::Ipv6Addr::from_bits(address.to_bits() >> 64 << 64))
        }
        None => "address\nunknown".to_owned(),
    }
}
