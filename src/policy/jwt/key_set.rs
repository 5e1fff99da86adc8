//! The keys of an issuer, by their URL (RFC 7517, section 5) or by OpenID discovery: which there are, and when
//! they are to be fetched. What is decided here is a function of the time and of what is known;
//! [`crate::identify`] does it.
//!
//! Keys are fetched again in the background once they are older than `refresh`. A `kid` that is not among
//! them has them fetched at once, but not within `retry` of the last time: who makes up `kid`s gets no
//! more fetched than that. While the issuer cannot be reached, the last keys count until they are older than
//! `keep`.

use std::sync::{Arc, Mutex, MutexGuard};
use std::time::Duration;

use super::algorithm::Algorithm;
use super::jwk::PublicKey;
use crate::head::UnixMillis;
use crate::locked::locked;
use crate::policy::secure_url::is_secure;
use crate::settings::{FromNode, Node, Place, Problems, Text, TimeLimit, not_of_form, shape, written_as_text};

const DEFAULT_REFRESH: Duration = Duration::from_secs(600);
const DEFAULT_KEEP: Duration = Duration::from_secs(86_400);
const DEFAULT_RETRY: Duration = Duration::from_secs(30);
const DEFAULT_TIMEOUT: Duration = Duration::from_secs(2);

/// How soon after a failure it is tried again where there are no keys to go on with.
const RETRY_WITHOUT_KEYS: Duration = Duration::from_secs(1);

/// The most keys of a set, and the most of them that a token without a `kid` may be of.
const MOST_KEYS: usize = 100;
const MOST_TRIED: usize = 8;

/// Where the keys of an issuer are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeySetUrl {
    /// At this URL.
    At(String),
    /// Where the issuer's OpenID configuration says.
    Discovered,
}

impl Text for KeySetUrl {
    const FORM: &'static str = "\"discover\", or a URL that begins with https://";
    const PATTERN: &'static str = "^(discover|https?://.+)$";

    fn read(text: &str) -> Result<Self, String> {
        match text {
            "discover" => Ok(Self::Discovered),
            url if is_secure(url) => Ok(Self::At(url.to_owned())),
            _ => Err(not_of_form::<Self>()),
        }
    }
}

written_as_text!(KeySetUrl);

shape! {
    /// The keys of an issuer, by their URL.
    pub struct FullKeySetSettings {
        /// The URL, or "discover": where the issuer's /.well-known/openid-configuration says.
        "url" => url: KeySetUrl = "https://id.example.com/.well-known/jwks.json",
        /// The age at which they are fetched again, in the background. Default "10m".
        "refresh" => refresh: Option<TimeLimit> = "1h",
        /// The age until which they count while the issuer cannot be reached. Default "24h".
        "keep" => keep: Option<TimeLimit> = "6h",
        /// The least time between two fetches, also for a `kid` that is not known. Default "30s".
        "retry" => retry: Option<TimeLimit> = "1m",
        /// How long a fetch may take. Default "2s".
        "timeout" => timeout: Option<TimeLimit> = "5s",
    }
}

/// The keys of an issuer, by their URL alone or with more.
#[derive(Clone, Debug)]
pub enum KeySetSettings {
    Brief(KeySetUrl),
    Full(FullKeySetSettings),
}

impl KeySetSettings {
    /// Whether the issuer's OpenID configuration says where they are.
    pub fn is_discovered(&self) -> bool {
        match self {
            Self::Brief(url) => *url == KeySetUrl::Discovered,
            Self::Full(full) => full.url == Some(KeySetUrl::Discovered),
        }
    }
}

impl FromNode for KeySetSettings {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        match node {
            Node::Object(_) => FullKeySetSettings::from_node(node, place, problems).map(Self::Full),
            _ => KeySetUrl::from_node(node, place, problems).map(Self::Brief),
        }
    }
}

#[cfg(not(target_arch = "wasm32"))]
impl crate::settings::schema::Described for KeySetSettings {
    fn schema(generator: &mut schemars::SchemaGenerator) -> schemars::Schema {
        let (brief, full) = (KeySetUrl::schema(generator), FullKeySetSettings::schema(generator));
        schemars::json_schema!({ "anyOf": [brief, full] })
    }
}

/// The keys of an issuer.
#[derive(Debug)]
pub struct KeySet {
    /// Where they are.
    pub url: KeySetUrl,
    /// The algorithms that they may be for.
    pub algorithms: Vec<Algorithm>,
    /// How long a fetch may take.
    pub timeout: Duration,
    refresh: Duration,
    keep: Duration,
    retry: Duration,
    state: Mutex<State>,
}

#[derive(Debug, Default)]
struct State {
    keys: Arc<[PublicKey]>,
    /// When the issuer gave them.
    fetched: Option<UnixMillis>,
    /// When it was asked last, or was done with that: an answer may take longer than the least time between two.
    asked: Option<UnixMillis>,
    /// Until when somebody is at it.
    busy_until: Option<UnixMillis>,
}

/// What is to be done before a token is checked.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Step {
    /// Nothing.
    Use,
    /// Nothing; the keys are to be fetched once the answer is on its way.
    UseAndRefresh,
    /// The keys are to be fetched.
    Fetch,
    /// Somebody is at it.
    Wait,
    /// There are no keys, and the issuer was asked in vain just now.
    Down,
}

impl KeySet {
    /// Of these settings, for these algorithms.
    pub fn compile(settings: KeySetSettings, algorithms: Vec<Algorithm>) -> Option<Self> {
        let (url, refresh, keep, retry, timeout) = match settings {
            KeySetSettings::Brief(url) => (url, None, None, None, None),
            KeySetSettings::Full(full) => (full.url?, full.refresh?, full.keep?, full.retry?, full.timeout?),
        };
        let or = |limit: Option<TimeLimit>, default| limit.map_or(default, |limit| limit.0);
        Some(Self {
            url,
            algorithms,
            timeout: or(timeout, DEFAULT_TIMEOUT),
            refresh: or(refresh, DEFAULT_REFRESH),
            keep: or(keep, DEFAULT_KEEP),
            retry: or(retry, DEFAULT_RETRY),
            state: Mutex::default(),
        })
    }

    /// What is to be done for a token of this algorithm and `kid`.
    pub fn step(&self, algorithm: Algorithm, kid: Option<&str>, now: UnixMillis) -> Step {
        let state = self.state();
        let age = state.fetched.map(|fetched| now.since(fetched));
        let is_usable = age.is_some_and(|age| age < self.keep);
        let is_known = state.keys.iter().any(|key| is_for(key, algorithm, kid));
        let is_busy = state.busy_until.is_some_and(|until| now < until);
        let pause = if is_usable { self.retry } else { self.retry.min(RETRY_WITHOUT_KEYS) };
        let may_ask = state.asked.is_none_or(|asked| now.since(asked) >= pause);
        match (is_usable, is_known) {
            (true, true) if age.is_some_and(|age| age >= self.refresh) && may_ask && !is_busy => Step::UseAndRefresh,
            (true, true) => Step::Use,
            (_, _) if is_busy => Step::Wait,
            (_, _) if may_ask => Step::Fetch,
            (true, false) => Step::Use,
            (false, _) => Step::Down,
        }
    }

    /// Whether what was checked with the keys that there are need not be checked again: they are not to be fetched
    /// anew yet.
    pub fn is_current(&self, now: UnixMillis) -> bool {
        self.state().fetched.is_none_or(|fetched| now.since(fetched) < self.refresh)
    }

    /// The keys that a token of this algorithm and `kid` may be of.
    pub fn keys_for(&self, algorithm: Algorithm, kid: Option<&str>) -> Vec<PublicKey> {
        let keys = Arc::clone(&self.state().keys);
        keys.iter().filter(|key| is_for(key, algorithm, kid)).take(MOST_TRIED).cloned().collect()
    }

    /// Somebody is at it from now on.
    pub fn begin(&self, now: UnixMillis) {
        let mut state = self.state();
        state.asked = Some(now);
        state.busy_until = Some(now.after(self.timeout));
    }

    /// Nobody is at it any more; whoever was had an answer then, or none, unless they were dropped before.
    pub fn end(&self, done: Option<UnixMillis>) {
        let mut state = self.state();
        state.busy_until = None;
        state.asked = done.or(state.asked);
    }

    /// Whether keys that the issuer gave then are newer than those that there are, and count yet.
    pub fn is_of_use(&self, fetched: UnixMillis, now: UnixMillis) -> bool {
        now.since(fetched) < self.keep && self.state().fetched.is_none_or(|own| own < fetched)
    }

    /// Whether keys that the issuer gave then are as good as if it were asked now.
    pub fn is_fresh(&self, fetched: UnixMillis, now: UnixMillis) -> bool {
        // A `kid` that is not known may be of keys that were made since.
        let is_first = self.state().fetched.is_none();
        self.is_of_use(fetched, now) && now.since(fetched) < if is_first { self.refresh } else { self.retry }
    }

    /// Takes keys that the issuer gave then. Whether they are others than those that there were.
    pub fn replace(&self, keys: Vec<PublicKey>, fetched: UnixMillis) -> bool {
        let mut state = self.state();
        state.fetched = Some(fetched);
        let is_other = *state.keys != *keys;
        state.keys = keys.into();
        is_other
    }

    /// The keys of a set as an issuer gives it; those that are of no use here are left out.
    pub fn read(&self, text: &str) -> Result<Vec<PublicKey>, String> {
        let set: Node = serde_json::from_str(text).map_err(|_| "is not JSON".to_owned())?;
        let keys = match &set {
            Node::Object(members) => members.iter().find(|(name, _)| name == "keys"),
            _ => None,
        };
        let Some((_, Node::Array(keys))) = keys else { return Err("has no \"keys\"".to_owned()) };
        let read = keys.iter().take(MOST_KEYS).filter_map(|key| PublicKey::read(key, &self.algorithms).ok());
        let read: Vec<PublicKey> = read.collect();
        if read.is_empty() { Err("has no key that is of use here".to_owned()) } else { Ok(read) }
    }

    fn state(&self) -> MutexGuard<'_, State> {
        locked(&self.state)
    }
}

/// Whether a token may be of a key: a token or a key that has no `kid` says nothing of it.
fn is_for(key: &PublicKey, algorithm: Algorithm, kid: Option<&str>) -> bool {
    let is_of_kid = kid.is_none() || key.kid.is_none() || key.kid.as_deref() == kid;
    is_of_kid && key.algorithms.contains(&algorithm)
}
