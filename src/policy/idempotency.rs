//! Doing once what a client sends several times: `Idempotency-Key`
//! (draft-ietf-httpapi-idempotency-key-header-07).
//!
//! ```json
//! "idempotency": { "keep": "24h", "required": true }
//! ```
//!
//! Of the requests of one client with one key, the first goes to the service. The others get its answer:
//! `409` while it is not there, `422` if they ask for something else. What is kept is in one place for
//! each client and key, where one thing happens at a time. An answer that the gateway gives because the
//! service gave none is not kept: the next request is the first again.

use std::time::Duration;

use crate::head::{Head, UnixMillis};
use crate::settings::{Place, Problems, TimeLimit, shape};

/// How long an answer is kept.
const DEFAULT_KEEP: Duration = Duration::from_secs(24 * 3600);

/// The longest key, in bytes.
const MAX_KEY: usize = 255;

/// The largest body that a request with a key can have, and the largest answer that is kept, in bytes.
pub const MOST: u32 = 1 << 20;

/// Tells that an answer is that of an earlier request.
pub const REPLAYED: &str = "idempotent-replayed";

shape! {
    /// What a POST or PATCH with an Idempotency-Key does once, however often it is sent.
    pub struct IdempotencySettings {
        /// How long the answer is kept. Default "24h".
        "keep" => keep: Option<TimeLimit> = "1h",
        /// Whether a request without a key is refused (400). Default false.
        "required" => required: Option<bool> = true,
    }
}

/// A compiled rule.
#[derive(Clone, Copy, Debug)]
pub struct Idempotency {
    /// How long an answer is kept.
    pub keep: Duration,
    required: bool,
}

/// Why a request has no key that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoKey;

impl Idempotency {
    /// Compiles a rule; notes each fault.
    pub fn compile(settings: IdempotencySettings, _: &Place<'_>, _: &mut Problems) -> Option<Self> {
        let keep = settings.keep?.map_or(DEFAULT_KEEP, |limit| limit.0);
        Some(Self { keep, required: settings.required?.unwrap_or(false) })
    }

    /// The key of a request; `None` where it needs none and has none. `Err` where it lacks one that it
    /// needs, or has one that is none: the draft's is a string in quotation marks, and without them it
    /// is taken too.
    pub fn key<'h>(&self, head: &'h Head) -> Result<Option<&'h str>, NoKey> {
        let written = match head.headers.get("idempotency-key") {
            Some(written) => written.trim(),
            None if self.required && repeats(&head.method) => return Err(NoKey),
            None => return Ok(None),
        };
        if !repeats(&head.method) {
            return Ok(None);
        }
        let key = written.strip_prefix('"').and_then(|inner| inner.strip_suffix('"')).unwrap_or(written);
        let is_fine = (1..=MAX_KEY).contains(&key.len()) && key.bytes().all(|byte| matches!(byte, b'!'..=b'~'));
        // Several fields come joined by a comma: which of them would count?
        if is_fine && !key.contains([',', '"']) { Ok(Some(key)) } else { Err(NoKey) }
    }
}

/// Whether a method does something again when it is sent again (RFC 9110, section 9.2.2).
fn repeats(method: &str) -> bool {
    matches!(method, "POST" | "PATCH")
}

/// What is kept of the first request of a client and key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Entry {
    /// Of what was asked for: method, path, query and body.
    pub fingerprint: String,
    /// When it is forgotten.
    pub until: UnixMillis,
    /// Whether the answer is there.
    pub is_answered: bool,
}

/// What a request finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing: it is the first.
    First,
    /// The first, whose answer is not there yet.
    Running,
    /// A first that asked for something else.
    OtherPayload,
    /// The answer.
    Answered,
}

impl Entry {
    /// What a request for `fingerprint` finds at `now`.
    pub fn found(entry: Option<&Self>, fingerprint: &str, now: UnixMillis) -> Begun {
        match entry.filter(|entry| entry.until > now) {
            None => Begun::First,
            Some(entry) if entry.fingerprint != fingerprint => Begun::OtherPayload,
            Some(entry) if entry.is_answered => Begun::Answered,
            Some(_) => Begun::Running,
        }
    }

    /// The text that storage keeps.
    pub fn to_line(&self) -> String {
        format!("{} {} {}", self.fingerprint, self.until.0, u8::from(self.is_answered))
    }

    /// The entry of a line.
    pub fn from_line(line: &str) -> Option<Self> {
        let mut fields = line.split(' ');
        let (fingerprint, until, answered) = (fields.next()?, fields.next()?, fields.next()?);
        Some(Self {
            fingerprint: fingerprint.to_owned(),
            until: UnixMillis(until.parse().ok()?),
            is_answered: answered == "1",
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_one_short_word() {
        let head = |method: &str, headers: &str| {
            Head::from_text(&format!("{method}\nhttps://h/\n\nid\n1\n{headers}")).unwrap()
        };
        let long = "x".repeat(256);
        for (method, value, required, key) in [
            ("POST", Some("abc-1"), false, Ok(Some("abc-1"))),
            ("POST", Some("\"abc-1\""), false, Ok(Some("abc-1"))),
            ("PATCH", Some("abc-1"), false, Ok(Some("abc-1"))),
            ("PUT", Some("abc-1"), true, Ok(None)),
            ("GET", None, true, Ok(None)),
            ("POST", None, false, Ok(None)),
            ("POST", None, true, Err(NoKey)),
            ("POST", Some(""), false, Err(NoKey)),
            ("POST", Some("a, b"), false, Err(NoKey)),
            ("POST", Some("a b"), false, Err(NoKey)),
            ("POST", Some("\"a\"b\""), false, Err(NoKey)),
            ("POST", Some(long.as_str()), false, Err(NoKey)),
        ] {
            let fields = value.map(|value| format!("idempotency-key:{value}\n")).unwrap_or_default();
            let rule = Idempotency { keep: DEFAULT_KEEP, required };
            assert_eq!(rule.key(&head(method, &fields)), key, "of {method} {value:?}");
        }
    }

    #[test]
    fn a_request_finds_what_the_first_left() {
        let entry = |is_answered| Entry { fingerprint: "f".into(), until: UnixMillis(100), is_answered };
        for (entry, fingerprint, now, begun) in [
            (None, "f", 0, Begun::First),
            (Some(entry(false)), "f", 99, Begun::Running),
            (Some(entry(false)), "f", 100, Begun::First),
            (Some(entry(true)), "f", 99, Begun::Answered),
            (Some(entry(true)), "f", 100, Begun::First),
            (Some(entry(true)), "g", 99, Begun::OtherPayload),
            (Some(entry(false)), "g", 99, Begun::OtherPayload),
        ] {
            assert_eq!(Entry::found(entry.as_ref(), fingerprint, UnixMillis(now)), begun, "of {entry:?} at {now}");
        }
        assert_eq!(Entry::from_line(&entry(true).to_line()), Some(entry(true)));
        assert_eq!(Entry::from_line("f x 1"), None);
    }
}
