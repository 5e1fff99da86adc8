//! Which calls are tried again.
//!
//! ```json
//! "retry": { "attempts": 3, "on": [502, 503, 504], "backoff": "25ms", "budget": "20%" }
//! ```
//!
//! A call is repeated if its method allows for that (RFC 9110, section 9.2), its result leaves hope,
//! [`super::retry_budget`] pays for it and [`super::backoff`] leaves time for it.

use std::time::Duration;

use super::backoff::{self, Backoff};
use super::percent::Percent;
use crate::platform::CallError;

mod settings;

pub use settings::{IdempotencyKey, RetrySettings};

/// When a call is tried again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct RetryRule {
    /// How often a call is tried in all; at least 1.
    pub attempts: u32,
    /// The statuses that leave hope.
    pub on: Vec<u16>,
    /// How long to wait between tries.
    pub backoff: Backoff,
    /// The share of the calls that may be repeated, for [`super::retry_budget::RetryBudget`].
    pub budget: Percent,
    /// What a client's `Idempotency-Key` is worth.
    pub idempotency_key: IdempotencyKey,
}

/// The body of a request, for the question whether it can be sent again.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Body {
    /// There is none.
    None,
    /// It is held in memory.
    Kept,
    /// It goes through as it comes, and is gone then.
    Streamed,
}

impl RetryRule {
    /// Whether a request does no harm when it is made twice, and can be.
    pub fn may_repeat(&self, method: &str, body: Body, has_idempotency_key: bool) -> bool {
        let is_keyed = has_idempotency_key && self.idempotency_key == IdempotencyKey::Trusted;
        let harmless = is_idempotent(method) || (is_keyed && matches!(method, "POST" | "PATCH"));
        harmless && body != Body::Streamed
    }

    /// Whether a result, a status or no answer, may be another one the next time.
    pub fn is_worth_repeating(&self, result: Result<u16, CallError>) -> bool {
        match result {
            Ok(status) => self.on.contains(&status),
            Err(CallError::TimedOut | CallError::Unreachable) => true,
            // The answer would be as large again; and where the client has gone, nobody reads it.
            Err(_) => false,
        }
    }

    /// The wait before the next try, after `tries` calls (at least 1), with `left` of the time of
    /// the request. `unit_random` is of [0, 1). `retry_after` is what the service asked for; `None`
    /// too where the next try goes to another instance, for which the first does not speak.
    ///
    /// `None` if there is no next try: all were made, or there is no time for it.
    pub fn pause(
        &self,
        tries: u32,
        unit_random: f64,
        retry_after: Option<Duration>,
        left: Duration,
    ) -> Option<Duration> {
        if tries >= self.attempts {
            return None;
        }
        backoff::pause(self.backoff.delay(tries, unit_random), retry_after, left)
    }
}

/// Whether a method asks for nothing to change (RFC 9110, section 9.2.1).
pub fn is_safe(method: &str) -> bool {
    matches!(method, "GET" | "HEAD" | "OPTIONS")
}

/// Whether a method has the same effect made twice as made once (RFC 9110, section 9.2.2). Of
/// others than these nothing is known.
pub fn is_idempotent(method: &str) -> bool {
    is_safe(method) || matches!(method, "PUT" | "DELETE")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_does_no_harm_twice_is_repeated() {
        let table = [
            // method, body, with a key; whether to repeat where keys are ignored, and trusted
            ("GET", Body::None, false, [true, true]),
            ("HEAD", Body::None, false, [true, true]),
            ("OPTIONS", Body::None, false, [true, true]),
            ("PUT", Body::Kept, false, [true, true]),
            ("DELETE", Body::None, false, [true, true]),
            ("GET", Body::Streamed, false, [false, false]),
            ("PUT", Body::Streamed, true, [false, false]),
            ("POST", Body::None, false, [false, false]),
            ("POST", Body::Kept, false, [false, false]),
            ("POST", Body::Kept, true, [false, true]),
            ("PATCH", Body::Kept, true, [false, true]),
            ("POST", Body::Streamed, true, [false, false]),
            // Methods are case-sensitive, and of unknown ones nothing is known.
            ("get", Body::None, false, [false, false]),
            ("PROPFIND", Body::None, true, [false, false]),
        ];
        for (method, body, key, expected) in table {
            let found = [IdempotencyKey::Ignored, IdempotencyKey::Trusted].map(|idempotency_key| {
                RetryRule { idempotency_key, ..RetryRule::default() }.may_repeat(method, body, key)
            });
            assert_eq!(found, expected, "{method}, {body:?}, key: {key}");
        }
    }

    #[test]
    fn only_what_may_end_otherwise_is_repeated() {
        let table = [
            (Ok(200), false),
            (Ok(404), false),
            (Ok(500), false),
            (Ok(502), true),
            (Ok(503), true),
            (Ok(504), true),
            (Err(CallError::Unreachable), true),
            (Err(CallError::TimedOut), true),
            (Err(CallError::TooLarge), false),
            (Err(CallError::ClientGone), false),
        ];
        for (result, worth) in table {
            assert_eq!(RetryRule::default().is_worth_repeating(result), worth, "of {result:?}");
        }
    }

    #[test]
    fn a_next_try_needs_a_try_and_time() {
        let rule = RetryRule { attempts: 3, ..RetryRule::default() };
        let ms = Duration::from_millis;
        let table = [
            // tries, asked, left, wait
            (1, None, 1_000, Some(12)),
            (2, None, 1_000, Some(25)),
            (3, None, 1_000, None),
            (1, Some(500), 1_000, Some(500)),
            (1, Some(2_000), 1_000, None),
            (1, None, 10, None),
        ];
        for (tries, asked, left, wait) in table {
            let found = rule.pause(tries, 0.5, asked.map(ms), ms(left)).map(|wait| wait.as_millis());
            assert_eq!(found, wait, "after {tries} tries");
        }
        assert_eq!(RetryRule { attempts: 1, ..rule }.pause(1, 0.0, None, ms(1_000)), None);
    }
}
