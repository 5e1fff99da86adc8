//! Tokens that count no more before they expire: by their id (`jti`), by their subject, or all that were issued
//! before a moment. What is revoked is in KV:
//!
//! | key | value |
//! | --- | --- |
//! | `postern/revoked/RULE/jti/ID` | anything: this token |
//! | `postern/revoked/RULE/sub/SUBJECT` | seconds since 1970: this subject's tokens that were issued before |
//! | `postern/revoked/RULE/all` | seconds since 1970: all tokens that were issued before |
//!
//! An id or a subject of more than 200 bytes stands there as `sha256-` and the digest in hex.

use std::time::Duration;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::policy::caller::Caller;
use crate::policy::when_down::WhenDown;
use crate::settings::{FromNode, Node, Place, Problems, TimeLimit, shape};

const DEFAULT_REFRESH: Duration = Duration::from_secs(30);

/// The longest id or subject that stands in a key as it is; KV has keys of 512 bytes.
const LONGEST: usize = 200;

shape! {
    /// Tokens that count no more before they expire.
    pub struct FullRevocationSettings {
        /// How long a token that was not revoked is not asked for again. Default "30s"; KV itself takes up to a
        /// minute to tell all places.
        "refresh" => refresh: Option<TimeLimit> = "10s",
        /// What happens while KV cannot be read: "open" takes tokens as not revoked, "closed" refuses them with 503.
        /// Default "open".
        "when_down" => when_down: Option<WhenDown> = "closed",
    }
}

/// Whether tokens can be revoked, and how.
#[derive(Clone, Debug)]
pub enum RevocationSettings {
    /// `true` or `false`.
    Brief(bool),
    /// With more.
    Full(FullRevocationSettings),
}

impl FromNode for RevocationSettings {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::Object(_) => FullRevocationSettings::from_node(node, place, problems).map(Self::Full),
            _ => bool::from_node(node, place, problems).map(Self::Brief),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl crate::settings::schema::Described for RevocationSettings {
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (brief, full) = (bool::schema(generator), FullRevocationSettings::schema(generator));
        schemars::json_schema!({ "anyOf": [brief, full] })
    }
}

/// How revoked tokens are known.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Revocation {
    /// How long a token that was not revoked is not asked for again.
    pub refresh: Duration,
    /// What happens while KV cannot be read.
    pub when_down: WhenDown,
}

impl Revocation {
    /// Of these settings; `None` is none.
    pub fn compile(settings: RevocationSettings) -> Option<Option<Self>> {
        Some(match settings {
            RevocationSettings::Brief(false) => None,
            RevocationSettings::Brief(true) => Some(Self { refresh: DEFAULT_REFRESH, when_down: WhenDown::Open }),
            RevocationSettings::Full(full) => Some(Self {
                refresh: full.refresh?.map_or(DEFAULT_REFRESH, |limit| limit.0),
                when_down: full.when_down?.unwrap_or(WhenDown::Open),
            }),
        })
    }
}

/// What KV may have of a token.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Entry {
    /// That it is revoked.
    Token,
    /// Since when tokens count that are issued.
    IssuedBefore,
}

/// Under which keys KV may have something of a caller's token.
pub fn entries(rule: &str, caller: &Caller) -> Vec<(String, Entry)> {
    let of = |claim: &str, entry: Entry| {
        let value = caller.claim(claim)?;
        let value = if value.len() > LONGEST { format!("sha256-{:x}", Sha256::digest(value)) } else { value };
        Some((format!("postern/revoked/{rule}/{claim}/{value}"), entry))
    };
    let all = Some((format!("postern/revoked/{rule}/all"), Entry::IssuedBefore));
    [of("jti", Entry::Token), of("sub", Entry::IssuedBefore), all].into_iter().flatten().collect()
}

/// Whether a token is revoked by what KV has of it. One that does not say when it was issued may have been
/// before; and what cannot be read was meant to revoke something.
pub fn is_revoked(entry: &Entry, kept: &str, caller: &Caller) -> bool {
    match entry {
        Entry::Token => true,
        Entry::IssuedBefore => {
            let issued = caller.claim_value("iat").and_then(Value::as_i64);
            let since = kept.trim().parse::<i64>().ok();
            issued.zip(since).is_none_or(|(issued, since)| issued < since)
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use serde_json::json;

    fn caller(claims: Value) -> Caller {
        let Value::Object(claims) = claims else { panic!("claims are an object") };
        Caller::new("i", claims)
    }

    #[test]
    fn a_token_is_known_by_its_id_and_by_its_subject() {
        let keys = |claims| entries("r", &caller(claims)).into_iter().map(|(key, _)| key).collect::<Vec<_>>();
        let all = "postern/revoked/r/all";
        assert_eq!(keys(json!({ "jti": "a", "sub": 7 })), ["postern/revoked/r/jti/a", "postern/revoked/r/sub/7", all]);
        assert_eq!(keys(json!({ "jti": ["a"], "sub": "" })), [all]);
        let long = keys(json!({ "jti": "x".repeat(201) }));
        assert!(long[0].starts_with("postern/revoked/r/jti/sha256-") && long[0].len() < 120, "{}", long[0]);
    }

    #[test]
    fn tokens_that_were_issued_before_count_no_more() {
        for (claims, kept, expected) in [
            (json!({ "iat": 99 }), "100", true),
            (json!({ "iat": 100 }), "100\n", false),
            (json!({ "iat": 101 }), "100", false),
            (json!({}), "100", true),
            (json!({ "iat": 101 }), "yesterday", true),
        ] {
            assert_eq!(is_revoked(&Entry::IssuedBefore, kept, &caller(claims.clone())), expected, "{claims} of {kept}");
            assert!(is_revoked(&Entry::Token, kept, &caller(claims)));
        }
    }
}
