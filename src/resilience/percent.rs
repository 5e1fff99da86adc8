//! A share of a whole, as operators write it: `"50%"`.

use std::fmt;

use crate::settings::{Text, not_of_form, written_as_text};

/// A share from 1% to 100%.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub struct Percent(u32);

impl Percent {
    /// That many hundredths, brought within 1 to 100.
    pub const fn new(hundredths: u32) -> Self {
        Self(match hundredths {
            0 => 1,
            1..=100 => hundredths,
            _ => 100,
        })
    }

    /// Whether `part` is this share of `whole`, or more.
    pub fn is_reached(self, part: u32, whole: u32) -> bool {
        u64::from(part) * 100 >= u64::from(whole) * u64::from(self.0)
    }

    /// This share of `whole`, rounded down.
    pub fn of(self, whole: u64) -> u64 {
        // Divided first where the product would be too large.
        whole.checked_mul(u64::from(self.0)).map_or(whole / 100 * u64::from(self.0), |product| product / 100)
    }

    /// The number before the sign.
    pub const fn hundredths(self) -> u32 {
        self.0
    }
}

impl fmt::Display for Percent {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(formatter, "{}%", self.0)
    }
}

impl Text for Percent {
    const FORM: &'static str = "a share from \"1%\" to \"100%\"";
    const PATTERN: &'static str = "^[0-9]+%$";

    fn read(text: &str) -> Result<Self, String> {
        let digits = text.strip_suffix('%').filter(|digits| digits.bytes().all(|byte| byte.is_ascii_digit()));
        match digits.and_then(|digits| digits.parse().ok()) {
            Some(hundredths @ 1..=100) => Ok(Self(hundredths)),
            _ => Err(not_of_form::<Self>()),
        }
    }
}

written_as_text!(Percent);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_share_has_one_form() {
        for (text, hundredths) in [("1%", 1), ("50%", 50), ("100%", 100)] {
            assert_eq!(Percent::read(text), Ok(Percent(hundredths)));
        }
        for text in ["", "%", "50", "0%", "101%", "+5%", "-5%", "1.5%", "50 %", "99999999999%"] {
            assert!(Percent::read(text).is_err(), "of {text:?}");
        }
    }

    #[test]
    fn shares_are_counted_without_rounding_errors() {
        let table = [
            // share, part, whole, reached
            (50, 5, 10, true),
            (50, 4, 10, false),
            (7, 7, 100, true),
            (1, 0, 1, false),
            (100, u32::MAX, u32::MAX, true),
            (100, u32::MAX - 1, u32::MAX, false),
            (50, 0, 0, true),
        ];
        for (share, part, whole, reached) in table {
            assert_eq!(Percent::new(share).is_reached(part, whole), reached, "{part} of {whole}");
        }
        assert_eq!([Percent::new(20).of(49), Percent::new(20).of(50)], [9, 10]);
        assert_eq!(Percent::new(100).of(u64::MAX), u64::MAX / 100 * 100);
    }
}
