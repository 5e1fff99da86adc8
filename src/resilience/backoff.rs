//! How long to wait before a call is tried again.
//!
//! Exponential with full jitter (M. Brooker, "Exponential Backoff And Jitter", AWS Architecture
//! Blog, 2015): a random time up to a ceiling that doubles with each try, so that callers who failed
//! together do not come back together.

use std::time::Duration;

use super::http_date;
use crate::head::UnixMillis;

/// The times of a backoff.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Backoff {
    /// The ceiling before the first repetition.
    pub base: Duration,
    /// The highest ceiling.
    pub cap: Duration,
}

impl Backoff {
    /// The wait after `tries` calls (at least 1): from none to the smaller of `cap` and
    /// base × 2^(tries - 1), as `unit_random` of [0, 1) says.
    pub fn delay(&self, tries: u32, unit_random: f64) -> Duration {
        let doubled = 2_u32.saturating_pow(tries.saturating_sub(1));
        let ceiling = self.base.saturating_mul(doubled).min(self.cap);
        // The cast takes what is no number for 0, and is never too large.
        Duration::from_micros((ceiling.as_micros() as f64 * unit_random.clamp(0.0, 1.0)) as u64)
    }
}

/// What the value of a `Retry-After` field asks for at `now`: seconds, or the time until a date;
/// none if that has passed (RFC 9110, section 10.2.3). `None` for another form.
pub fn retry_after(value: &str, now: UnixMillis) -> Option<Duration> {
    let value = value.trim();
    if !value.is_empty() && value.bytes().all(|byte| byte.is_ascii_digit()) {
        // Too large a number is a long time, and not another form.
        return Some(Duration::from_secs(value.parse().unwrap_or(u64::MAX)));
    }
    http_date::read(value).map(|date| date.since(now))
}

/// The wait before the next try: the backoff's, or what the service asked for if that is longer.
/// `None` if nothing would be `left` of the time of the request then.
pub fn pause(delay: Duration, retry_after: Option<Duration>, left: Duration) -> Option<Duration> {
    let wait = retry_after.map_or(delay, |asked| asked.max(delay));
    (wait < left).then_some(wait)
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    const BACKOFF: Backoff = Backoff { base: Duration::from_millis(25), cap: Duration::from_secs(1) };

    fn ms(millis: u64) -> Duration {
        Duration::from_millis(millis)
    }

    #[test]
    fn the_ceiling_doubles_up_to_the_cap() {
        let ceilings = [(1, 25), (2, 50), (3, 100), (6, 800), (7, 1_000), (40, 1_000), (u32::MAX, 1_000)];
        for (tries, ceiling) in ceilings {
            assert_eq!(BACKOFF.delay(tries, 1.0), ms(ceiling), "after {tries} tries");
            assert_eq!(BACKOFF.delay(tries, 0.5), ms(ceiling) / 2, "after {tries} tries");
            assert_eq!(BACKOFF.delay(tries, 0.0), ms(0), "after {tries} tries");
        }
        assert_eq!(BACKOFF.delay(1, f64::NAN), ms(0));
        assert_eq!(BACKOFF.delay(0, 1.0), ms(25));
    }

    #[test]
    fn a_service_says_when_to_come_back() {
        let now = UnixMillis(784_111_777_000); // Sun, 06 Nov 1994 08:49:37 GMT
        let table = [
            ("0", Some(0)),
            ("120", Some(120_000)),
            (" 2 ", Some(2_000)),
            ("Sun, 06 Nov 1994 08:49:40 GMT", Some(3_000)),
            ("Sun, 06 Nov 1994 08:49:30 GMT", Some(0)),
            ("", None),
            ("-1", None),
            ("1.5", None),
            ("+1", None),
            ("soon", None),
        ];
        for (value, millis) in table {
            assert_eq!(retry_after(value, now), millis.map(ms), "of {value:?}");
        }
        assert_eq!(retry_after("99999999999999999999", now), Some(Duration::from_secs(u64::MAX)));
    }

    #[test]
    fn the_longer_wait_counts_and_must_leave_some_time() {
        let table = [
            // delay, asked, left, wait
            (20, None, 100, Some(20)),
            (20, Some(0), 100, Some(20)),
            (20, Some(50), 100, Some(50)),
            (20, Some(100), 100, None),
            (100, None, 100, None),
            (0, None, 0, None),
        ];
        for (delay, asked, left, wait) in table {
            let found = pause(ms(delay), asked.map(ms), ms(left));
            assert_eq!(found, wait.map(ms), "{delay} ms, {asked:?} asked, {left} ms left");
        }
    }

    proptest! {
        #[test]
        fn a_wait_is_within_its_ceiling(
            tries in 1u32..50,
            unit in 0.0f64..1.0,
            base in 0u64..2_000,
            cap in 0u64..5_000,
        ) {
            let backoff = Backoff { base: ms(base), cap: ms(cap) };
            let delay = backoff.delay(tries, unit);
            prop_assert!(delay <= backoff.cap);
            prop_assert!(delay <= backoff.base * 2_u32.pow(tries.min(30) - 1) || tries > 30);
        }
    }
}
