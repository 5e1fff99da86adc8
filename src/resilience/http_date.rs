//! The dates of HTTP header fields, in the form that is to be written: IMF-fixdate, such as
//! `Sun, 06 Nov 1994 08:49:37 GMT` (RFC 9110, section 5.6.7). The two obsolete forms are not read.

use crate::calendar::{days_of_month, days_since_1970, number};
use crate::head::UnixMillis;

const DAYS: [&str; 7] = ["Mon,", "Tue,", "Wed,", "Thu,", "Fri,", "Sat,", "Sun,"];
const MONTHS: [&str; 12] = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"];

/// Reads a date; one before 1970 is the beginning of 1970. The name of the day must be one, but is
/// not held against the date, which says the same.
pub fn read(text: &str) -> Option<UnixMillis> {
    let mut words = text.split(' ');
    let mut word = || words.next();
    let (day_name, day, month, year, time, zone) = (word()?, word()?, word()?, word()?, word()?, word()?);
    if word().is_some() || !DAYS.contains(&day_name) || zone != "GMT" {
        return None;
    }
    let (day, year) = (number(day, 2)?, number(year, 4)?);
    let month = MONTHS.iter().zip(1..).find(|(name, _)| **name == month).map(|(_, month)| month)?;
    if !(1..=days_of_month(year, month)).contains(&day) {
        return None;
    }
    let mut parts = time.split(':');
    let mut part = || number(parts.next()?, 2);
    let (hour, minute, second) = (part()?, part()?, part()?);
    // The grammar allows a leap second; clocks that count from 1970 have it as the one after.
    if parts.next().is_some() || hour > 23 || minute > 59 || second > 60 {
        return None;
    }
    let seconds = days_since_1970(year, month, day) * 86_400 + hour * 3_600 + minute * 60 + second;
    Some(UnixMillis(u64::try_from(seconds).unwrap_or(0) * 1_000))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_are_read() {
        let table = [
            ("Thu, 01 Jan 1970 00:00:00 GMT", 0),
            ("Sun, 06 Nov 1994 08:49:37 GMT", 784_111_777),
            ("Tue, 29 Feb 2000 23:59:59 GMT", 951_868_799),
            ("Thu, 01 Mar 2001 00:00:00 GMT", 983_404_800),
            ("Sat, 31 Dec 2016 23:59:60 GMT", 1_483_228_800),
            ("Thu, 19 Sep 2024 12:00:00 GMT", 1_726_747_200),
            ("Mon, 01 Mar 2100 00:00:00 GMT", 4_107_542_400),
            ("Fri, 31 Dec 9999 23:59:59 GMT", 253_402_300_799),
            ("Wed, 31 Dec 1969 23:59:59 GMT", 0),
            ("Sat, 01 Jan 0000 00:00:00 GMT", 0),
        ];
        for (text, seconds) in table {
            assert_eq!(read(text), Some(UnixMillis(seconds * 1_000)), "of {text:?}");
        }
    }

    #[test]
    fn what_is_not_of_the_form_is_no_date() {
        for text in [
            "",
            "Sun, 06 Nov 1994 08:49:37",
            "Sun, 06 Nov 1994 08:49:37 UTC",
            "Sun, 06 Nov 1994 08:49:37 GMT ",
            "Sun,  06 Nov 1994 08:49:37 GMT",
            "sun, 06 Nov 1994 08:49:37 GMT",
            "Sun, 6 Nov 1994 08:49:37 GMT",
            "Sun, 06 nov 1994 08:49:37 GMT",
            "Sun, 06 Nov 94 08:49:37 GMT",
            "Sun, 06 Nov 1994 8:49:37 GMT",
            "Sun, 06 Nov 1994 08:49 GMT",
            "Sun, 06 Nov 1994 08:49:37:00 GMT",
            "Sun, 06 Nov 1994 24:00:00 GMT",
            "Sun, 06 Nov 1994 08:60:00 GMT",
            "Sun, 06 Nov 1994 08:49:61 GMT",
            "Sun, 00 Nov 1994 08:49:37 GMT",
            "Sun, 31 Nov 1994 08:49:37 GMT",
            "Wed, 29 Feb 2023 00:00:00 GMT",
            "Mon, 29 Feb 2100 00:00:00 GMT",
            "Sun, +6 Nov 1994 08:49:37 GMT",
            // The obsolete forms.
            "Sunday, 06-Nov-94 08:49:37 GMT",
            "Sun Nov  6 08:49:37 1994",
        ] {
            assert_eq!(read(text), None, "of {text:?}");
        }
    }
}
