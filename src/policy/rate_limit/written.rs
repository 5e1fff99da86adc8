//! How a rate and a quota are written.

use std::time::Duration;

use crate::quota::{Quota, Span};
use crate::settings::{Text, not_of_form, written_as_text};

/// How many in a part of the calendar: `"10000/month"`; `hour`, `day` or `month`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Calendar(pub Quota);

impl Text for Calendar {
    const FORM: &'static str = "a quota such as \"100/hour\", \"1000/day\" or \"10000/month\"";
    const PATTERN: &'static str = "^0*[1-9][0-9]*/(hour|day|month)$";

    fn read(text: &str) -> Result<Self, String> {
        let (most, span) = text.split_once('/').ok_or_else(not_of_form::<Self>)?;
        let span = match span {
            "hour" => Span::Hour,
            "day" => Span::Day,
            "month" => Span::Month,
            _ => return Err(not_of_form::<Self>()),
        };
        let most = number(most, 1_000_000_000).ok_or_else(not_of_form::<Self>)?;
        Ok(Self(Quota::Window { span, most }))
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

written_as_text!(Rate, Calendar);

/// A number from 1 to `most`, in digits.
fn number(text: &str, most: u32) -> Option<u32> {
    let is_of_digits = text.bytes().all(|byte| byte.is_ascii_digit());
    text.parse().ok().filter(|number| is_of_digits && (1..=most).contains(number))
}

#[cfg(test)]
mod tests {
    use super::*;

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
