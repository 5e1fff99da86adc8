//! How a rate and a quota are written.

use std::time::Duration;

use crate::quota::{Quota, Span};
use crate::settings::{Text, not_of_form, written_as_text};

/// How many in a window: of the calendar, `"10000/month"` (`hour`, `day` or `month`), or in any span of a length,
/// `"1000/24h"` (`s`, `min`, `h`, `d`).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Windowed(pub Quota);

/// The longest span of a sliding window.
const LONGEST: u64 = 366 * 86_400;

impl Text for Windowed {
    const FORM: &'static str =
        "a quota such as \"1000/day\" or \"10000/month\" of the calendar, or \"1000/24h\" of any 24 hours";
    const PATTERN: &'static str = "^0*[1-9][0-9]*/(hour|day|month|[1-9][0-9]*(s|min|h|d))$";

    fn read(text: &str) -> Result<Self, String> {
        let (most, span) = text.split_once('/').ok_or_else(not_of_form::<Self>)?;
        let most = number(most, 1_000_000_000).ok_or_else(not_of_form::<Self>)?;
        let quota = match span {
            "hour" => Quota::Window { span: Span::Hour, most },
            "day" => Quota::Window { span: Span::Day, most },
            "month" => Quota::Window { span: Span::Month, most },
            other => {
                let seconds = seconds(other).filter(|seconds| *seconds <= LONGEST);
                Quota::Sliding { span: seconds.ok_or_else(not_of_form::<Self>)? * 1_000_000, most }
            }
        };
        Ok(Self(quota))
    }
}

/// How many in which time: `"100/min"`; units `s`, `10s`, `min`, `h`, `day`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Rate {
    count: u32,
    period_micros: u64,
}

impl Rate {
    /// In which time it is so many.
    pub fn period(self) -> Duration {
        Duration::from_micros(self.period_micros)
    }

    /// The quota of this rate with `burst` units at once (by default, all of a period's).
    pub fn quota(self, burst: Option<u32>) -> Quota {
        Quota::Rate {
            // Rounded up, so that no more than the rate is ever let through.
            interval: self.period_micros.div_ceil(u64::from(self.count)),
            burst: burst.unwrap_or(self.count),
        }
    }
}

impl Text for Rate {
    const FORM: &'static str = "a rate such as \"10/s\", \"100/min\", \"1000/h\" or \"5000/day\"";
    const PATTERN: &'static str = "^0*[1-9][0-9]*/(s|10s|min|h|day)$";

    fn read(text: &str) -> Result<Self, String> {
        let (count, unit) = text.split_once('/').ok_or_else(not_of_form::<Self>)?;
        let seconds = match unit {
            "s" => 1,
            "10s" => 10,
            "min" => 60,
            "h" => 3_600,
            "day" => 86_400,
            _ => return Err(not_of_form::<Self>()),
        };
        let count = number(count, 1_000_000).ok_or_else(not_of_form::<Self>)?;
        Ok(Self { count, period_micros: seconds * 1_000_000 })
    }
}

written_as_text!(Rate, Windowed);

/// The seconds of a span such as `24h`; none that begins with a zero.
fn seconds(span: &str) -> Option<u64> {
    let (count, unit) = span.split_at(span.find(|c: char| !c.is_ascii_digit())?);
    let of_unit = match unit {
        "s" => 1,
        "min" => 60,
        "h" => 3_600,
        "d" => 86_400,
        _ => return None,
    };
    count.parse::<u64>().ok().filter(|_| !count.starts_with('0'))?.checked_mul(of_unit)
}

/// A number from 1 to `most`, in digits.
fn number(text: &str, most: u32) -> Option<u32> {
    let is_of_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_of_digits && (1..=most).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quota_has_one_form() {
        for (text, quota) in [
            ("1000/day", Quota::Window { span: Span::Day, most: 1000 }),
            ("1000/24h", Quota::Sliding { span: 86_400_000_000, most: 1000 }),
            ("5/10min", Quota::Sliding { span: 600_000_000, most: 5 }),
            ("5/366d", Quota::Sliding { span: 31_622_400_000_000, most: 5 }),
        ] {
            assert_eq!(Windowed::read(text), Ok(Windowed(quota)), "of {text}");
        }
        for text in
            ["5/367d", "5/0h", "5/01h", "5/h", "5/24", "5/24hour", "5/ 1h", "5/-1h", "0/1h", "5/99999999999999999999d"]
        {
            assert!(Windowed::read(text).is_err(), "of {text:?}");
        }
    }

    #[test]
    fn a_rate_has_one_form() {
        assert_eq!(Rate::read("100/min").unwrap().quota(None), Quota::Rate { interval: 600_000, burst: 100 });
        assert_eq!(Rate::read("7/s").unwrap().quota(Some(1)), Quota::Rate { interval: 142_858, burst: 1 });
        assert_eq!(Rate::read("50/10s").unwrap().quota(None), Quota::Rate { interval: 200_000, burst: 50 });
        for text in ["5/20s", "5/1s", "0/s", "+1/s", "10", "10/sec", "10/minute", "-1/s", "1000001/s", "/s"] {
            assert!(Rate::read(text).is_err(), "of {text:?}");
        }
    }
}
