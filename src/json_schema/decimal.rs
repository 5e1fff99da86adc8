//! Numbers as they are written, exactly: no double comes between.

use std::cmp::Ordering;
use std::fmt;

/// Half of the least double above zero, and what is half way from the greatest to the one that would be next: the power and
/// the first digits of `0.DIGITS` times ten to a power (IEEE 754, binary64). What is as far as these is rounded to zero and to
/// infinity.
const ZERO: (i64, &str) = (-323, "2470328229206232720882843964341106861825299013");
const INFINITY: (i64, &str) = (309, "1797693134862315807937289714053034150799341327");

/// A number: `0.DIGITS` times ten to a power.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Decimal {
    is_negative: bool,
    /// Without zeros at either end; none for zero.
    digits: String,
    power: i64,
}

impl Decimal {
    /// The number that is written so in JSON (RFC 8259, section 6). An exponent that no 64 bits hold counts as
    /// the largest, or the least.
    pub fn of(written: &str) -> Self {
        let (is_negative, rest) = written.strip_prefix('-').map_or((false, written), |rest| (true, rest));
        let (mantissa, exponent) = rest.split_once(['e', 'E']).unwrap_or((rest, "0"));
        let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
        let all = format!("{whole}{fraction}");
        let digits = all.trim_start_matches('0');
        let zeros = all.len() - digits.len();
        let digits = digits.trim_end_matches('0');
        if digits.is_empty() {
            return Self { is_negative: false, digits: String::new(), power: 0 };
        }
        let exponent = exponent.parse::<i64>().unwrap_or(if exponent.starts_with('-') { i64::MIN } else { i64::MAX });
        let power = exponent.saturating_add(length(whole)).saturating_sub(i64::try_from(zeros).unwrap_or(i64::MAX));
        Self { is_negative, digits: digits.to_owned(), power }
    }

    /// How many digits it has, zeros at either end not counted.
    pub fn significant(&self) -> usize {
        self.digits.len()
    }

    /// Whether it is above zero.
    pub fn is_positive(&self) -> bool {
        !self.is_negative && !self.digits.is_empty()
    }

    /// Whether it has no fraction: `1.0` has none.
    pub fn is_whole(&self) -> bool {
        self.last_power() >= 0
    }

    /// Whether there is a double for it, other than zero for what is none. Of numbers that agree with the bounds in more
    /// than 45 digits, none has one.
    pub fn has_double(&self) -> bool {
        let size = (self.power, self.digits.as_str());
        let is_as_zero = self.power == ZERO.0 && self.digits.starts_with(ZERO.1);
        self.digits.is_empty() || (size > ZERO && !is_as_zero && size < INFINITY)
    }

    /// The power of ten of its last digit.
    fn last_power(&self) -> i64 {
        self.power.saturating_sub(length(&self.digits))
    }

    /// Whether it is a whole number of times a divisor.
    pub fn is_multiple_of(&self, divisor: &Divisor) -> bool {
        if self.digits.is_empty() {
            return true;
        }
        // The last digit is no zero: if it stands lower than the divisor's, ten would have to divide it.
        let Ok(zeros) = u64::try_from(self.last_power().saturating_sub(divisor.power)) else { return false };
        let modulus = u128::from(divisor.mantissa);
        let digits = self.digits.bytes().map(|byte| u128::from(byte.wrapping_sub(b'0')));
        let rest = digits.fold(0, |rest, digit| (rest * 10 + digit) % modulus);
        (rest * power_of_ten(zeros, modulus)).is_multiple_of(modulus)
    }
}

/// Ten to a power, by a modulus of at most 64 bits.
fn power_of_ten(mut power: u64, modulus: u128) -> u128 {
    let (mut result, mut square) = (1 % modulus, 10 % modulus);
    while power > 0 {
        if power % 2 == 1 {
            result = result * square % modulus;
        }
        square = square * square % modulus;
        power /= 2;
    }
    result
}

fn length(text: &str) -> i64 {
    i64::try_from(text.len()).unwrap_or(i64::MAX)
}

impl Ord for Decimal {
    fn cmp(&self, other: &Self) -> Ordering {
        let sign = |number: &Self| match (number.digits.is_empty(), number.is_negative) {
            (true, _) => 0,
            (false, true) => -1,
            (false, false) => 1,
        };
        // Digits begin with none that is zero: of one power, they sort as texts.
        let size = |one: &Self, other: &Self| one.power.cmp(&other.power).then_with(|| one.digits.cmp(&other.digits));
        sign(self).cmp(&sign(other)).then_with(|| if self.is_negative { size(other, self) } else { size(self, other) })
    }
}

impl PartialOrd for Decimal {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// In one spelling, by which equal numbers are equal texts.
impl fmt::Display for Decimal {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        let sign = if self.is_negative { "-" } else { "" };
        write!(formatter, "{sign}0.{}e{}", self.digits, self.power)
    }
}

/// What numbers can be a multiple of.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Divisor {
    mantissa: u64,
    power: i64,
}

impl Divisor {
    /// A number above zero, of at most 18 digits.
    pub fn of(number: &Decimal) -> Option<Self> {
        let is_fine = number.is_positive() && number.significant() <= 18;
        let mantissa = number.digits.parse().ok().filter(|_| is_fine)?;
        Some(Self { mantissa, power: number.last_power() })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn doubles_end_somewhere() {
        for (written, has_double) in [
            ("0", true),
            ("-0.000", true),
            ("0e999999999999999999999", true),
            ("1", true),
            ("5e-324", true),
            ("2.5e-324", true),
            ("2.4703282292062327e-324", false),
            ("2.470328229206232720882843964341106861825299013", true),
            ("-2.4e-324", false),
            ("1e-400", false),
            ("1e-99999999999999999999", false),
            ("1.7976931348623157e308", true),
            ("-1.7976931348623157e308", true),
            ("1.7976931348623158e308", true),
            ("1.7976931348623159e308", false),
            ("17976931348623157e292", true),
            ("1e309", false),
            ("-1e99999999999999999999", false),
        ] {
            assert_eq!(Decimal::of(written).has_double(), has_double, "of {written}");
            let double: f64 = written.parse().unwrap();
            let is_zero = !written.split('e').next().unwrap().contains(|digit| matches!(digit, '1'..='9'));
            assert_eq!(double.is_finite() && (double != 0.0 || is_zero), has_double, "{written} as {double}");
        }
    }
    use proptest::prelude::*;

    #[test]
    fn equal_numbers_are_equal_however_they_are_written() {
        for (one, other) in [
            ("0", "-0.0e7"),
            ("1", "1.0"),
            ("1", "10e-1"),
            ("100", "1E+2"),
            ("-0.5", "-5e-1"),
            ("12345678901234567890123", "1234567890123456789012.3e1"),
            ("0.001", "1e-3"),
        ] {
            assert_eq!(Decimal::of(one), Decimal::of(other), "of {one} and {other}");
            assert_eq!(Decimal::of(one).to_string(), Decimal::of(other).to_string());
        }
    }

    #[test]
    fn numbers_have_an_order() {
        let order = [
            "-1e99999999999999999999",
            "-1e300",
            "-12",
            "-1.5",
            "-0.01",
            "0",
            "1e-300",
            "0.01",
            "9",
            "10",
            "9007199254740992",
            "9007199254740993",
            "9007199254740993.5",
            "1e300",
            "1e99999999999999999999",
        ]
        .map(Decimal::of);
        for (at, one) in order.iter().enumerate() {
            for (other_at, other) in order.iter().enumerate() {
                assert_eq!(one.cmp(other), at.cmp(&other_at), "of {one} and {other}");
            }
        }
    }

    #[test]
    fn a_fraction_is_seen() {
        for (number, is_whole) in [
            ("1.0", true),
            ("0.0", true),
            ("1e2", true),
            ("1.5e1", true),
            ("1.5", false),
            ("1e-1", false),
            ("10e-1", true),
            ("9007199254740993.5", false),
        ] {
            assert_eq!(Decimal::of(number).is_whole(), is_whole, "of {number}");
        }
    }

    #[test]
    fn multiples_are_exact() {
        for (number, of, is_multiple) in [
            ("0", "7", true),
            ("0.3", "0.1", true),
            ("19.99", "0.01", true),
            ("19.999", "0.01", false),
            ("-6", "3", true),
            ("7", "2.5", false),
            ("7.5", "2.5", true),
            ("1e308", "3", false),
            ("9e307", "3", true),
            ("12345678901234567890123", "3", true),
            ("12345678901234567890124", "3", false),
            ("100", "1e2", true),
            ("150", "1e2", false),
        ] {
            let divisor = Divisor::of(&Decimal::of(of)).unwrap();
            assert_eq!(Decimal::of(number).is_multiple_of(&divisor), is_multiple, "of {number} and {of}");
        }
        for none in ["0", "-1", "1234567890123456789"] {
            assert_eq!(Divisor::of(&Decimal::of(none)), None, "of {none}");
        }
    }

    proptest! {
        #[test]
        fn whole_numbers_are_as_machines_have_them(one: i64, other: i64, divisor in 1i64..1000) {
            let (left, right) = (Decimal::of(&one.to_string()), Decimal::of(&other.to_string()));
            prop_assert_eq!(left.cmp(&right), one.cmp(&other));
            let of = Divisor::of(&Decimal::of(&divisor.to_string())).unwrap();
            prop_assert_eq!(left.is_multiple_of(&of), one % divisor == 0);
        }
    }
}
