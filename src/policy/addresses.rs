//! From which addresses a route may be called.

use std::net::IpAddr;

use crate::policy::provenance::Network;
use crate::settings::{List, Place, Problems, shape};

shape! {
    /// From which addresses clients may call.
    pub struct AddressSettings {
        /// Those that may; others may not. Default: all.
        "allow" => allow: Option<List<Network>> = ["198.51.100.0/24", "2001:db8::/32"],
        /// Those that may not, whatever `allow` says. Default: none.
        "deny" => deny: Option<List<Network>> = ["198.51.100.7"],
    }
}

/// From which addresses clients may call.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Addresses {
    allow: Option<Vec<Network>>,
    deny: Vec<Network>,
}

impl Addresses {
    /// Compiles it; notes what says nothing.
    pub fn compile(settings: AddressSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let all = |networks: List<Network>| networks.0.into_iter().collect::<Option<Vec<_>>>();
        let allow = match settings.allow? {
            Some(networks) => Some(all(networks)?),
            None => None,
        };
        let deny = match settings.deny? {
            Some(networks) => all(networks)?,
            None => Vec::new(),
        };
        if allow.is_none() && deny.is_empty() {
            problems.add(place, "says nothing of any address");
        }
        if allow.as_ref().is_some_and(Vec::is_empty) {
            problems.add(&place.at("allow"), "is empty, so that nobody may call");
        }
        Some(Self { allow, deny })
    }

    /// Whether a client may call. One whose address is not known may not.
    pub fn admit(&self, client: Option<IpAddr>) -> bool {
        let Some(client) = client else { return false };
        let among = |networks: &[Network]| networks.iter().any(|network| network.has(client));
        !among(&self.deny) && self.allow.as_deref().is_none_or(among)
    }
}
