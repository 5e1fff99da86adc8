//! Days and dates of the Gregorian calendar, in UTC.

use crate::head::UnixMillis;

/// The first moment of a day, written `2027-01-31` (RFC 3339, full-date).
pub fn day(text: &str) -> Option<UnixMillis> {
    let mut parts = text.split('-');
    let (year, month, day) = (number(parts.next()?, 4)?, number(parts.next()?, 2)?, number(parts.next()?, 2)?);
    let is_fine =
        parts.next().is_none() && (1..=12).contains(&month) && (1..=days_of_month(year, month)).contains(&day);
    let days = is_fine.then(|| days_since_1970(year, month, day))?;
    Some(UnixMillis(u64::try_from(days).ok()? * 86_400_000))
}

/// A number of exactly so many digits.
pub fn number(text: &str, digits: usize) -> Option<i64> {
    let fine = text.len() == digits && text.bytes().all(|byte| byte.is_ascii_digit());
    if fine { text.parse().ok() } else { None }
}

fn is_leap(year: i64) -> bool {
    year % 4 == 0 && (year % 100 != 0 || year % 400 == 0)
}

/// The days of a month, 1 to 12.
pub fn days_of_month(year: i64, month: i64) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

/// Days from 1970-01-01 to a date of the Gregorian calendar; negative before it.
///
/// The year is counted from March, so that the leap day is its last, and 153 days make five months
/// (H. Hinnant, "chrono-Compatible Low-Level Date Algorithms", `days_from_civil`).
pub fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let days_of_year = (153 * month + 2) / 5 + day - 1;
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // 719 468 days lie between the first of March of the year 0 and 1970.
    year * 365 + leap_days + days_of_year - 719_468
}

/// The first day of the month after that of a day, both in days from 1970-01-01.
pub fn next_month(days: i64) -> i64 {
    let mut year = 1970 + days / 366;
    while days_since_1970(year + 1, 1, 1) <= days {
        year += 1;
    }
    let first_days = (2..=12).map(|month| days_since_1970(year, month, 1)).chain([days_since_1970(year + 1, 1, 1)]);
    first_days.into_iter().find(|first| *first > days).unwrap_or(days + 31)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_day_has_one_form() {
        assert_eq!(day("1970-01-02"), Some(UnixMillis(86_400_000)));
        assert_eq!(day("2028-02-29"), Some(UnixMillis(1_835_395_200_000)));
        for text in
            ["", "2027-02-29", "2027-13-01", "2027-1-1", "27-01-01", "2027-01-01T00:00:00Z", "1969-12-31", "2027-01"]
        {
            assert_eq!(day(text), None, "of {text:?}");
        }
    }

    #[test]
    fn four_hundred_years_are_counted_day_by_day() {
        let mut expected = 0;
        for year in 1970..2370 {
            for month in 1..=12 {
                for day in 1..=days_of_month(year, month) {
                    assert_eq!(days_since_1970(year, month, day), expected, "{year}-{month}-{day}");
                    expected += 1;
                }
            }
        }
        assert_eq!(expected, 146_097);
    }
}
