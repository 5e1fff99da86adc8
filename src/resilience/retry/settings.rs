//! Retries as the operator writes them.

use std::time::Duration;

use super::RetryRule;
use crate::resilience::backoff::Backoff;
use crate::resilience::bounds::within;
use crate::resilience::percent::Percent;
use crate::resilience::retry_budget::DEFAULT_SHARE;
use crate::settings::{OneOrMany, Place, Problems, Span, shape, written_as_word};

/// The longest ceiling of a wait.
const CAP: Duration = Duration::from_secs(1);

shape! {
    /// Retries as written; `{}` are some with every default.
    pub struct RetrySettings {
        /// How often a call is tried in all, the first time counted; from 1 (never again) to 5,
        /// default 2.
        "attempts" => attempts: Option<u32> = 3,
        /// The status or statuses after which a call is tried again, as it is after no answer at
        /// all; from 400 to 599, default 502, 503 and 504.
        "on" => on: Option<OneOrMany<u32>> = [502, 503],
        /// The longest wait before the second try; doubles with each further one, up to `1s`, and
        /// what is waited is a random part of it. From `0s` to `1s`, default `25ms`.
        "backoff" => backoff: Option<Span> = "50ms",
        /// The share of a service's calls that may be repeated, so that a service in trouble does
        /// not get a multiple of its load; from `1%` to `100%`, default `20%`.
        "budget" => budget: Option<Percent> = "10%",
        /// Whether a POST or PATCH with an `Idempotency-Key` may be repeated: `trusted` where the
        /// service knows a key that it has seen, default `ignored`.
        "idempotency_key" => idempotency_key: Option<IdempotencyKey> = "trusted",
    }
}

/// What a client's `Idempotency-Key` is worth (draft-ietf-httpapi-idempotency-key-header).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum IdempotencyKey {
    /// Nothing: the service may not know of such keys.
    Ignored,
    /// The service does a thing once for one key.
    Trusted,
}

written_as_word!(IdempotencyKey { "ignored" => Self::Ignored, "trusted" => Self::Trusted });

impl Default for RetryRule {
    fn default() -> Self {
        Self {
            attempts: 2,
            // Where the service may be back, or another instance there. A 500 is a fault that stays.
            on: vec![502, 503, 504],
            backoff: Backoff { base: Duration::from_millis(25), cap: CAP },
            budget: DEFAULT_SHARE,
            idempotency_key: IdempotencyKey::Ignored,
        }
    }
}

impl RetryRule {
    /// Compiles retries; notes each fault.
    pub fn compile(settings: RetrySettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let default = Self::default();
        let attempts = settings
            .attempts
            .and_then(|attempts| within(attempts.unwrap_or(default.attempts), 1..=5, &place.at("attempts"), problems));
        let on = settings.on.and_then(|on| match on {
            None => Some(default.on),
            Some(OneOrMany(statuses)) => {
                let place = place.at("on");
                let each =
                    |status| within(status, 400..=599, &place, problems).and_then(|status| status.try_into().ok());
                // Collected in two steps, so that a fault does not hide the next.
                let statuses: Vec<Option<u16>> = statuses.into_iter().map(each).collect();
                statuses.into_iter().collect()
            }
        });
        let base = settings.backoff.and_then(|base| {
            let base = base.map_or(default.backoff.base, |span| span.0);
            within(base, Duration::ZERO..=CAP, &place.at("backoff"), problems)
        });
        Some(Self {
            attempts: attempts?,
            on: on?,
            backoff: Backoff { base: base?, cap: CAP },
            budget: settings.budget?.unwrap_or(default.budget),
            idempotency_key: settings.idempotency_key?.unwrap_or(default.idempotency_key),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resilience::tests::compiled;

    #[test]
    fn what_is_left_out_has_a_default_and_every_fault_is_said() {
        let read = |text| compiled(text, RetryRule::compile);
        assert_eq!(read("{}"), Ok(RetryRule::default()));
        let written = r#"{"attempts": 5, "on": 429, "backoff": "0s", "budget": "100%", "idempotency_key": "trusted"}"#;
        let rule = RetryRule {
            attempts: 5,
            on: vec![429],
            backoff: Backoff { base: Duration::ZERO, cap: CAP },
            budget: Percent::new(100),
            idempotency_key: IdempotencyKey::Trusted,
        };
        assert_eq!(read(written), Ok(rule));
        let faulty =
            r#"{"attempts": 0, "on": [200, 502, 600], "backoff": "2s", "budget": 20, "idempotency_key": "yes"}"#;
        let faults = [
            "/attempts: is 0, must be from 1 to 5",
            "/on: is 200, must be from 400 to 599",
            "/on: is 600, must be from 400 to 599",
            "/backoff: is 2s, must be from 0s to 1s",
            "/budget: is 20, must be a share from \"1%\" to \"100%\"",
            "/idempotency_key: must be \"ignored\" or \"trusted\"",
        ];
        assert_eq!(read(faulty), Err(faults.map(str::to_owned).to_vec()));
    }
}
