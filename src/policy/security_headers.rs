//! Header fields by which browsers are kept from doing more with an answer than it is for.
//!
//! ```json
//! "security_headers": true
//! "security_headers": { "x-frame-options": "SAMEORIGIN", "permissions-policy": "geolocation=()", "strict-transport-security": null }
//! ```
//!
//! They are put into every answer, also into those by which the gateway turns a request down, where it has none of that
//! name: what a service or a route says counts. What is there by itself is for an API, whose answers are no pages.
//! Source: OWASP, REST Security Cheat Sheet, "Security Headers".

use std::borrow::Cow;

use super::field_edits::field_name;
use super::headers::Field;
use crate::settings::{FromNode, Named, Node, OrNone, Place, Problems};

/// What is there by itself.
const OF_AN_API: [(&str, &str); 5] = [
    // RFC 6797, section 6.1; browsers do not look at it without TLS.
    ("strict-transport-security", "max-age=31536000"),
    ("x-content-type-options", "nosniff"),
    ("x-frame-options", "DENY"),
    ("content-security-policy", "default-src 'none'; frame-ancestors 'none'"),
    ("referrer-policy", "no-referrer"),
];

/// What is written: whether there are any, or what differs from those that are there by themselves.
#[derive(Clone, Debug)]
pub enum SecurityHeadersSettings {
    Plain(bool),
    Changed(Named<OrNone<String>>),
}

impl FromNode for SecurityHeadersSettings {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::Object(_) => Named::from_node(node, place, problems).map(Self::Changed),
            _ => bool::from_node(node, place, problems).map(Self::Plain),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl crate::settings::schema::Described for SecurityHeadersSettings {
    fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
        schemars::json_schema!({ "anyOf": [
            { "type": "boolean" },
            { "type": "object", "additionalProperties": { "type": ["string", "null"], "minLength": 1 } },
        ] })
    }
}

/// The fields that answers get where they have none of their name; notes each fault.
pub fn compile(settings: Option<SecurityHeadersSettings>, place: &Place<'_>, problems: &mut Problems) -> Vec<Field> {
    let changed = match settings {
        None | Some(SecurityHeadersSettings::Plain(false)) => return Vec::new(),
        Some(SecurityHeadersSettings::Plain(true)) => Vec::new(),
        Some(SecurityHeadersSettings::Changed(changed)) => changed.0,
    };
    let mut fields: Vec<Field> =
        OF_AN_API.map(|(name, value)| (Cow::Borrowed(name), value.to_owned())).into_iter().collect();
    for (name, value) in changed {
        let place = place.at(&name);
        let (Some(name), Some(OrNone(value))) = (field_name(&name, &place, problems), value) else { continue };
        fields.retain(|(other, _)| *other != name);
        if value.as_ref().is_some_and(|value| !value.bytes().all(|byte| matches!(byte, b' '..=b'~'))) {
            problems.add(&place, "has characters that are not visible ASCII");
        }
        fields.extend(value.map(|value| (Cow::Owned(name), value)));
    }
    fields
}
