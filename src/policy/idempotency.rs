//! Doing once what a client sends several times: `Idempotency-Key`
//! (draft-ietf-httpapi-idempotency-key-header-07).
//!
//! ```json
//! "idempotency": { "keep": "24h", "required": true }
//! ```
//!
//! Of the requests of one client with one key, the first goes to the service. The others get its answer:
//! `409` while it is not there, `422` if they ask for something else. What is kept is in one place for
//! each client and key, where one thing happens at a time.
//!
//! What a service says it did not do (408, 425, 429, 502, 503, 504, and 401 and 403) is not kept: the next
//! request is the first again. Where the service gave no answer, it may have done it or not; the file says
//! whether the next request is made (`"repeat"`, the default: the service sees the key too) or refused.
//! An answer that is too large or breaks off cannot be given again, and is not asked for again.

pub mod first_answer;

use std::time::Duration;

use crate::head::{Head, UnixMillis};
use crate::settings::{TimeLimit, shape, written_as_word};

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
        /// What happens to a request whose first one got no answer, so that nobody knows whether it was
        /// done: "repeat" (it is made again, the default) or "refuse" (409).
        "when_unknown" => when_unknown: Option<WhenUnknown> = "refuse",
    }
}

/// What happens to a request of which nobody knows whether it was done.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum WhenUnknown {
    /// It is made again.
    Repeat,
    /// It is refused.
    Refuse,
}

written_as_word!(WhenUnknown { "repeat" => Self::Repeat, "refuse" => Self::Refuse });

/// A compiled rule.
#[derive(Clone, Copy, Debug)]
pub struct Idempotency {
    /// How long an answer is kept.
    pub keep: Duration,
    /// What happens to a request of which nobody knows whether it was done.
    pub when_unknown: WhenUnknown,
    required: bool,
}

/// Why a request has no key that can be used.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct NoKey;

impl Idempotency {
    /// Compiles a rule; `None` where a value was at fault.
    pub fn compile(settings: IdempotencySettings) -> Option<Self> {
        let keep = settings.keep?.map_or(DEFAULT_KEEP, |limit| limit.0);
        let when_unknown = settings.when_unknown?.unwrap_or(WhenUnknown::Repeat);
        Some(Self { keep, when_unknown, required: settings.required?.unwrap_or(false) })
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

/// Whether a service says by a status that it did not do what it was asked for.
pub fn was_not_done(status: u16) -> bool {
    matches!(status, 401 | 403 | 408 | 425 | 429 | 502..=504)
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
    /// How far it has come.
    pub stage: Stage,
}

/// How far a first request has come.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stage {
    /// It is under way.
    Running,
    /// Its answer is there.
    Answered,
    /// It was answered, or may have been, and the answer is not kept.
    Lost,
}

/// What a request finds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Begun {
    /// Nothing: it is the first.
    First,
    /// The first, whose answer is not there yet.
    Running,
    /// The first, whose answer is not kept.
    Lost,
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
            Some(Self { stage: Stage::Answered, .. }) => Begun::Answered,
            Some(Self { stage: Stage::Running, .. }) => Begun::Running,
            Some(Self { stage: Stage::Lost, .. }) => Begun::Lost,
        }
    }

    /// The text that storage keeps.
    pub fn to_line(&self) -> String {
        let stage = match self.stage {
            Stage::Running => "running",
            Stage::Answered => "answered",
            Stage::Lost => "lost",
        };
        format!("{} {} {stage}", self.fingerprint, self.until.0)
    }

    /// The entry of a line.
    pub fn from_line(line: &str) -> Option<Self> {
        let mut fields = line.split(' ');
        let (fingerprint, until, stage) = (fields.next()?, fields.next()?, fields.next()?);
        let stage = match stage {
            "running" => Stage::Running,
            "answered" => Stage::Answered,
            "lost" => Stage::Lost,
            _ => return None,
        };
        Some(Self { fingerprint: fingerprint.to_owned(), until: UnixMillis(until.parse().ok()?), stage })
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
            let rule = Idempotency { keep: DEFAULT_KEEP, when_unknown: WhenUnknown::Repeat, required };
            assert_eq!(rule.key(&head(method, &fields)), key, "of {method} {value:?}");
        }
    }

    #[test]
    fn a_request_finds_what_the_first_left() {
        let entry = |stage| Entry { fingerprint: "f".into(), until: UnixMillis(100), stage };
        for (entry, fingerprint, now, begun) in [
            (None, "f", 0, Begun::First),
            (Some(entry(Stage::Running)), "f", 99, Begun::Running),
            (Some(entry(Stage::Running)), "f", 100, Begun::First),
            (Some(entry(Stage::Answered)), "f", 99, Begun::Answered),
            (Some(entry(Stage::Answered)), "f", 100, Begun::First),
            (Some(entry(Stage::Lost)), "f", 99, Begun::Lost),
            (Some(entry(Stage::Answered)), "g", 99, Begun::OtherPayload),
            (Some(entry(Stage::Running)), "g", 99, Begun::OtherPayload),
        ] {
            assert_eq!(Entry::found(entry.as_ref(), fingerprint, UnixMillis(now)), begun, "of {entry:?} at {now}");
        }
        for stage in [Stage::Running, Stage::Answered, Stage::Lost] {
            assert_eq!(Entry::from_line(&entry(stage).to_line()), Some(entry(stage)));
        }
        assert_eq!(Entry::from_line("f x 1"), None);
    }
}
