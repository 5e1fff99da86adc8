//! Hedged calls: a second call to another instance when the first takes longer than most.
//!
//! ```json
//! "hedge": { "after": "p95" }
//! ```
//!
//! The first answer counts, the other call is dropped. After the 95th percentile, that costs one
//! call in twenty and takes away most of what is slow by chance (J. Dean and L. Barroso, "The Tail
//! at Scale", CACM 56(2), 2013). When a whole service is slow, every call would be hedged: a hedge is
//! a repetition, and [`super::retry_budget`] has to pay for it.

use std::time::Duration;

use super::bounds::within;
use super::latency::Latencies;
use super::percent::Percent;
use super::retry::{Body, is_safe};
use crate::settings::{Place, Problems, Span, Text, not_of_form, shape, written_as_text};

shape! {
    /// Hedging as written; `{}` is hedging after the 95th percentile.
    pub struct HedgeSettings {
        /// When a second call is made: after the time within which 95 of 100 answers came (`p95`;
        /// from `p50` to `p99`), or after a fixed one (from `1ms` to `1m`). Default `p95`.
        "after" => after: Option<HedgeAfter> = "p95",
    }
}

/// When a second call is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum HedgeAfter {
    /// When that share of the service's answers would be there.
    Percentile(Percent),
    /// After a fixed time.
    Time(Duration),
}

impl Text for HedgeAfter {
    const FORM: &'static str = "a percentile from \"p50\" to \"p99\", or a time such as \"250ms\"";
    const PATTERN: &'static str = "^(p[0-9]+|[0-9]+(ms|s|m|h))$";

    fn read(text: &str) -> Result<Self, String> {
        match text.strip_prefix('p') {
            // Below the median, most calls would be made twice; and p100 is one odd call.
            Some(digits) if digits.len() == 2 => match digits.parse() {
                Ok(hundredths @ 50..=99) => Ok(Self::Percentile(Percent::new(hundredths))),
                _ => Err(not_of_form::<Self>()),
            },
            Some(_) => Err(not_of_form::<Self>()),
            None => Span::read(text).map(|span| Self::Time(span.0)).map_err(|_| not_of_form::<Self>()),
        }
    }
}

written_as_text!(HedgeAfter);

/// When a call is hedged.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HedgeRule {
    /// When a second call is made.
    pub after: HedgeAfter,
}

impl HedgeRule {
    /// Compiles hedging; notes each fault.
    pub fn compile(settings: HedgeSettings, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let after = settings.after?.unwrap_or(HedgeAfter::Percentile(Percent::new(95)));
        if let HedgeAfter::Time(time) = after {
            within(time, Duration::from_millis(1)..=Duration::from_secs(60), &place.at("after"), problems)?;
        }
        Some(Self { after })
    }

    /// Whether a request may be under way twice at once. Stricter than for a retry: two calls that
    /// change something could overtake the client's next one.
    pub fn may_hedge(&self, method: &str, body: Body) -> bool {
        is_safe(method) && body == Body::None
    }

    /// How long to wait for the first answer of a service with these latencies. `None` while too
    /// little is known of it: then there is no second call.
    pub fn wait(&self, latencies: &Latencies) -> Option<Duration> {
        match self.after {
            HedgeAfter::Percentile(share) => latencies.percentile(share),
            HedgeAfter::Time(time) => Some(time),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::resilience::tests::compiled;

    #[test]
    fn a_percentile_or_a_time() {
        let read = |text| compiled(text, HedgeRule::compile).map(|rule| rule.after);
        let percentile = |hundredths| Ok(HedgeAfter::Percentile(Percent::new(hundredths)));
        let fault = |message: &str| Err(vec![format!("/after: {message}")]);
        assert_eq!(read("{}"), percentile(95));
        assert_eq!(read(r#"{"after": "p50"}"#), percentile(50));
        assert_eq!(read(r#"{"after": "30ms"}"#), Ok(HedgeAfter::Time(Duration::from_millis(30))));
        assert_eq!(read(r#"{"after": "0s"}"#), fault("is 0s, must be from 1ms to 1m"));
        assert_eq!(read(r#"{"after": "61s"}"#), fault("is 61s, must be from 1ms to 1m"));
        for text in ["", "p", "p5", "p49", "p100", "p+9", "95", "P95", "p99.9", "p95ms"] {
            assert!(HedgeAfter::read(text).is_err(), "of {text:?}");
        }
    }

    #[test]
    fn only_what_changes_nothing_is_under_way_twice() {
        let rule = HedgeRule { after: HedgeAfter::Time(Duration::from_millis(30)) };
        for (method, body, may) in [
            ("GET", Body::None, true),
            ("HEAD", Body::None, true),
            ("GET", Body::Kept, false),
            ("PUT", Body::None, false),
            ("DELETE", Body::None, false),
            ("POST", Body::Kept, false),
        ] {
            assert_eq!(rule.may_hedge(method, body), may, "{method}, {body:?}");
        }
    }

    #[test]
    fn the_wait_follows_the_service() {
        let (mut latencies, millis) = (Latencies::default(), Duration::from_millis);
        let by_percentile = HedgeRule { after: HedgeAfter::Percentile(Percent::new(95)) };
        let fixed = HedgeRule { after: HedgeAfter::Time(millis(30)) };
        assert_eq!([by_percentile.wait(&latencies), fixed.wait(&latencies)], [None, Some(millis(30))]);
        (0..96).for_each(|_| latencies.observe(millis(10)));
        (0..4).for_each(|_| latencies.observe(millis(800)));
        let wait = by_percentile.wait(&latencies).unwrap();
        assert!((millis(10)..millis(12)).contains(&wait), "{wait:?}");
    }
}
