//! Who is calling: a key that was given to them. Of a key, the gateway knows a digest alone, and what goes with it:
//! in the file, for a few, or in KV under `postern/api-keys/RULE/DIGEST`.
//!
//! ```json
//! "auth": { "partner": { "api_key": { "kv": true,
//!     "keys": [{ "hash": "sha256-9f86…", "owner": "acme", "plan": "pro", "scopes": ["orders:read"] }] } } }
//! ```
//!
//! A key of 256 random bits cannot be guessed from its digest, so that one round of SHA-256 is enough.

use std::collections::HashMap;
use std::sync::Arc;
use std::time::Duration;

use sha2::{Digest as _, Sha256};

use crate::head::UnixMillis;
use crate::policy::credential::{Carrier, Carriers};
use crate::policy::recalled::{Known, Recalled};
use crate::policy::record::{Record, RecordSettings};
use crate::policy::scheme::Scheme;
use crate::settings::{
    List, OneOrMany, Place, Problems, Text, TimeLimit, not_of_form, read_kept, shape, written_as_text,
};

const DEFAULT_REFRESH: Duration = Duration::from_secs(30);

/// The shortest and the longest key that is looked at, in bytes.
const LENGTH: std::ops::RangeInclusive<usize> = 16..=256;

/// The digest of a key: `sha256-` and 64 hexadecimal digits.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Digest(String);

impl Digest {
    /// Of a key.
    pub fn of(key: &str) -> Self {
        Self(format!("sha256-{:x}", Sha256::digest(key)))
    }

    /// As text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl Text for Digest {
    const FORM: &'static str = "\"sha256-\" and 64 hexadecimal digits, as postern key tells it";
    const PATTERN: &'static str = "^sha256-[0-9a-f]{64}$";
    // Who writes a key here by mistake does not want it shown.
    const SECRET: bool = true;

    fn read(text: &str) -> Result<Self, String> {
        let digits = text.strip_prefix("sha256-").unwrap_or_default();
        let is_digit = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        if digits.len() == 64 && digits.bytes().all(is_digit) {
            Ok(Self(text.to_owned()))
        } else {
            Err(not_of_form::<Self>())
        }
    }
}

written_as_text!(Digest);

shape! {
    /// A key of the file.
    pub struct ApiKeySettings with record: RecordSettings {
        /// Its digest, as `postern key create` tells it; the key itself never stands in the file.
        "hash" => hash: Digest = "sha256-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08",
    }
}

shape! {
    /// A key that was given to the caller.
    pub struct ApiKeyRuleSettings {
        /// Where the key is: { "header": NAME }, "authorization" (as a bearer token), "basic" (as the password of the
        /// user that is its owner), { "cookie": NAME } or { "query": NAME }; of several, the first that is there. Default
        /// { "header": "x-api-key" }.
        "from" => from: Option<OneOrMany<Carrier>> = { "header": "x-api-key" },
        /// Whether the key goes on to services with a forwarded request. Default false.
        "pass" => pass: Option<bool> = true,
        /// The keys that count.
        "keys" => keys: Option<List<ApiKeySettings>> = [
            { "hash": "sha256-9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08", "owner": "acme", "plan": "pro" }
        ],
        /// Whether keys count that KV has under postern/api-keys/RULE/HASH. Default false.
        "kv" => kv: Option<bool> = true,
        /// How long it is remembered what KV has of a key, or that it has nothing. Default "30s".
        "refresh" => refresh: Option<TimeLimit> = "10s",
    }
}

/// A compiled rule.
#[derive(Debug)]
pub struct ApiKeyRule {
    /// Its name in the file.
    pub name: String,
    /// Where the key is.
    pub carriers: Carriers,
    keys: HashMap<Digest, Arc<Record>>,
    /// Whether KV has keys, too.
    pub has_kv: bool,
    refresh: Duration,
    recalled: Recalled<Digest, Arc<Record>>,
}

/// Under which key KV has what goes with a digest, for a rule.
pub fn kept_under(rule: &str, digest: &str) -> String {
    format!("postern/api-keys/{rule}/{digest}")
}

impl ApiKeyRule {
    /// Compiles a rule; notes each fault.
    pub fn compile(
        name: &str,
        settings: ApiKeyRuleSettings,
        place: &Place<'_>,
        problems: &mut Problems,
    ) -> Option<Self> {
        let place_of_keys = place.at("keys");
        let has_kv = settings.kv.map(|kv| kv.unwrap_or(false));
        let written = settings.keys.map(|keys| keys.map(|keys| keys.0).unwrap_or_default());
        if has_kv == Some(false) && written.as_ref().is_some_and(Vec::is_empty) {
            problems.add(place, "has neither \"keys\" nor \"kv\", so that nobody can call");
        }
        let mut keys = HashMap::new();
        let mut is_faultless = true;
        for (at, key) in written?.into_iter().enumerate() {
            let record = key.and_then(|key| Some((key.hash, Record::compile(&issuer(name), key.record)?)));
            let Some((Some(hash), record)) = record else {
                is_faultless = false;
                continue;
            };
            if keys.insert(hash, Arc::new(record)).is_some() {
                problems.add(&place_of_keys.at(at).at("hash"), "is there twice");
            }
        }
        let default_from = || vec![Carrier::Header("x-api-key".to_owned())];
        let rule = Self {
            name: name.to_owned(),
            carriers: Carriers {
                from: settings.from?.map_or_else(default_from, |from| from.0),
                passes: settings.pass?.unwrap_or(false),
            },
            keys,
            has_kv: has_kv?,
            refresh: settings.refresh?.map_or(DEFAULT_REFRESH, |limit| limit.0),
            recalled: Recalled::default(),
        };
        is_faultless.then_some(rule)
    }

    /// How clients are asked for the key: as for a password, where it may be one.
    pub fn scheme(&self) -> Scheme {
        if self.carriers.from.contains(&Carrier::Basic) { Scheme::Basic } else { Scheme::ApiKey }
    }

    /// Under which key KV has what goes with a key.
    pub fn kept_under(&self, digest: &Digest) -> String {
        kept_under(&self.name, digest.as_str())
    }

    /// What is known of a key, without asking KV for it.
    pub fn known(&self, key: &str, now: UnixMillis) -> (Digest, Known<Arc<Record>>) {
        let digest = Digest::of(key);
        if !LENGTH.contains(&key.len()) {
            return (digest, Known::Remembered(None));
        }
        if let Some(record) = self.keys.get(&digest) {
            return (digest, Known::Remembered(Some(Arc::clone(record))));
        }
        let known = if self.has_kv { self.recalled.known(&digest, now) } else { Known::Remembered(None) };
        (digest, known)
    }

    /// What KV has of a key; the error is for the log. It is remembered.
    pub fn learned(&self, digest: Digest, kept: Option<&str>, now: UnixMillis) -> Result<Option<Arc<Record>>, String> {
        let record = kept.map(|kept| read_record(&self.name, kept)).transpose()?.map(Arc::new);
        self.recalled.learned(digest, record.clone(), now.after(self.refresh), now);
        Ok(record)
    }
}

/// Reads what KV has of a key of a rule.
fn read_record(rule: &str, kept: &str) -> Result<Record, String> {
    read_kept(kept, |settings: RecordSettings, _| Record::compile(&issuer(rule), settings))
}

/// Who vouches for the keys of a rule: no token's issuer is written so.
fn issuer(rule: &str) -> String {
    format!("api-key {rule}")
}
