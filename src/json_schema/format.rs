//! The formats that are checked (JSON Schema Validation, section 7.3), for all of a text.

use crate::calendar::{days_of_month, number};

/// A format: its name, and whether a text is of it.
#[derive(Clone, Copy, Debug)]
pub struct Format {
    /// What it is called.
    pub name: &'static str,
    /// Whether a text is of it.
    pub holds: fn(&str) -> bool,
}

/// All of them.
pub const FORMATS: [Format; 9] = [
    Format { name: "date", holds: is_date },
    Format { name: "time", holds: is_time },
    Format { name: "date-time", holds: is_date_time },
    Format { name: "email", holds: is_email },
    Format { name: "hostname", holds: is_hostname },
    Format { name: "ipv4", holds: |text| text.parse::<std::net::Ipv4Addr>().is_ok() },
    Format { name: "ipv6", holds: |text| text.parse::<std::net::Ipv6Addr>().is_ok() },
    Format { name: "uri", holds: is_uri },
    Format { name: "uuid", holds: is_uuid },
];

/// `full-date` (RFC 3339, section 5.6).
fn is_date(text: &str) -> bool {
    let mut parts = text.splitn(3, '-');
    let mut part = |digits| parts.next().and_then(|part| number(part, digits));
    match (part(4), part(2), part(2)) {
        (Some(year), Some(month), Some(day)) => {
            (1..=12).contains(&month) && (1..=days_of_month(year, month)).contains(&day)
        }
        _ => false,
    }
}

/// `full-time` (RFC 3339, section 5.6); a leap second is the last of a day in UTC.
fn is_time(text: &str) -> bool {
    let (local, offset) = match text.strip_suffix(['Z', 'z']) {
        Some(local) => (local, Some(0)),
        None => {
            let Some((local, offset)) = text.rfind(['+', '-']).and_then(|at| text.split_at_checked(at)) else {
                return false;
            };
            let sign = if offset.starts_with('-') { -1 } else { 1 };
            (local, offset.get(1..).and_then(minutes).map(|minutes| sign * minutes))
        }
    };
    let (whole, fraction) = local.split_once('.').map_or((local, None), |(whole, rest)| (whole, Some(rest)));
    let is_fraction = |text: &str| !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    let Some((Some(minutes), Some(seconds))) =
        whole.rsplit_once(':').map(|(before, seconds)| (minutes(before), number(seconds, 2)))
    else {
        return false;
    };
    let is_second = seconds < 60
        || (seconds == 60 && offset.is_some_and(|offset| (minutes - offset).rem_euclid(24 * 60) == 24 * 60 - 1));
    offset.is_some() && is_second && fraction.is_none_or(is_fraction)
}

/// The minutes of a day that `23:59` means.
fn minutes(text: &str) -> Option<i64> {
    let (hours, minutes) = text.split_once(':')?;
    let (hours, minutes) = (number(hours, 2)?, number(minutes, 2)?);
    (hours < 24 && minutes < 60).then_some(hours * 60 + minutes)
}

/// `date-time` (RFC 3339, section 5.6).
fn is_date_time(text: &str) -> bool {
    text.split_once(['T', 't']).is_some_and(|(date, time)| is_date(date) && is_time(time))
}

/// `Mailbox` (RFC 5321, section 4.1.2), but for local parts in quotes and for addresses in brackets, which hardly
/// anybody has and many a service reads otherwise.
fn is_email(text: &str) -> bool {
    let is_atom = |atom: &str| {
        !atom.is_empty()
            && atom.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"!#$%&'*+-/=?^_`{|}~".contains(&byte))
    };
    text.rsplit_once('@')
        .is_some_and(|(local, domain)| local.len() <= 64 && local.split('.').all(is_atom) && is_hostname(domain))
}

/// A name of a host (RFC 1123, section 2.1).
fn is_hostname(text: &str) -> bool {
    let is_label = |label: &str| {
        (1..=63).contains(&label.len())
            && !label.starts_with('-')
            && !label.ends_with('-')
            && label.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'-')
    };
    text.len() <= 253 && text.split('.').all(is_label)
}

/// A UUID (RFC 9562, section 4).
fn is_uuid(text: &str) -> bool {
    let groups: Vec<&str> = text.split('-').collect();
    groups.iter().map(|group| group.len()).eq([8, 4, 4, 4, 12])
        && groups.iter().all(|group| group.bytes().all(|byte| byte.is_ascii_hexdigit()))
}

/// A `URI`, which has a scheme (RFC 3986, section 3): its characters, and that each stands where it may.
fn is_uri(text: &str) -> bool {
    let Some((scheme, rest)) = text.split_once(':') else { return false };
    let is_scheme = scheme.starts_with(|first: char| first.is_ascii_alphabetic())
        && scheme.bytes().all(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte));
    let (rest, fragment) = rest.split_once('#').unwrap_or((rest, ""));
    let (hierarchy, query) = rest.split_once('?').unwrap_or((rest, ""));
    let (authority, path) = match hierarchy.strip_prefix("//") {
        Some(after) => after.split_at_checked(after.find('/').unwrap_or(after.len())).unwrap_or((after, "")),
        None => ("", hierarchy),
    };
    is_scheme && is_authority(authority) && is_of(path, b"@:/") && is_of(query, b"@:/?") && is_of(fragment, b"@:/?")
}

fn is_authority(text: &str) -> bool {
    let (user, host_and_port) = text.rsplit_once('@').unwrap_or(("", text));
    let (host, port) = match host_and_port.rsplit_once(':') {
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (host_and_port, ""),
    };
    let is_host = match host.strip_prefix('[').and_then(|rest| rest.strip_suffix(']')) {
        Some(address) => address.parse::<std::net::Ipv6Addr>().is_ok(),
        None => is_of(host, b""),
    };
    is_of(user, b":") && is_host && port.bytes().all(|byte| byte.is_ascii_digit())
}

/// Whether a text is of unreserved characters, sub-delimiters, escapes and these.
fn is_of(text: &str, others: &[u8]) -> bool {
    let mut bytes = text.bytes();
    while let Some(byte) = bytes.next() {
        let is_fine = match byte {
            b'%' => {
                [bytes.next(), bytes.next()].iter().all(|digit| digit.is_some_and(|digit| digit.is_ascii_hexdigit()))
            }
            _ => byte.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=".contains(&byte) || others.contains(&byte),
        };
        if !is_fine {
            return false;
        }
    }
    true
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Texts of each format, and texts of none: also what `jsonschema` says of them, which knows the same.
    #[test]
    fn a_format_takes_what_is_of_it() {
        let table: [(&str, &[&str], &[&str]); 9] = [
            (
                "date",
                &["2024-02-29", "1999-12-31", "0001-01-01"],
                &[
                    "2023-02-29",
                    "2024-13-01",
                    "2024-00-10",
                    "2024-1-1",
                    "24-01-01",
                    "2024-01-01Z",
                    "",
                    "2024-04-31",
                    "2024-01-01-01",
                ],
            ),
            (
                "time",
                &["23:59:59Z", "00:00:00.123+01:30", "12:00:00-00:00", "23:59:60Z", "00:59:60+01:00"],
                &[
                    "24:00:00Z",
                    "12:00Z",
                    "12:00:00",
                    "12:60:00Z",
                    "12:00:60Z",
                    "12:00:00.Z",
                    "12:00:00+24:00",
                    "1:00:00Z",
                    "12:00:00+1:00",
                    "12:00:00 Z",
                ],
            ),
            (
                "date-time",
                &["2024-02-29T12:00:00Z", "2024-02-29t12:00:00.5z", "1990-12-31T15:59:60-08:00"],
                &["2024-02-29 12:00:00Z", "2024-02-29T12:00:00", "2024-02-30T12:00:00Z", "T12:00:00Z", "2024-02-29"],
            ),
            (
                "email",
                &["ada@example.com", "a.b+c@d-e.example", "a@b"],
                &["ada", "@b", "a@", "a..b@c", ".a@b", "a@b@c", "a b@c", "a@-b", "a@b..c", "a\n@b"],
            ),
            (
                "hostname",
                &["example.com", "a", "1.example", "x--y.example"],
                &["", ".", "a..b", "-a", "a-", "a_b", "a.b ", "ä.example"],
            ),
            ("ipv4", &["127.0.0.1", "255.255.255.255"], &["256.0.0.1", "1.2.3", "01.2.3.4", "1.2.3.4/8", " 1.2.3.4"]),
            (
                "ipv6",
                &["::1", "2001:db8::1", "::ffff:1.2.3.4"],
                &["::1%eth0", "1::2::3", "[::1]", "12345::", "1.2.3.4"],
            ),
            (
                "uri",
                &[
                    "https://example.com/a?b=c#d",
                    "mailto:a@b",
                    "urn:isbn:1",
                    "http://u:p@[::1]:80/",
                    "a:",
                    "http://h:/%41",
                ],
                &[
                    "/a",
                    "example.com",
                    "https://a b/",
                    "https://h/%4",
                    "1a:b",
                    "http://h/\u{e4}",
                    "http://[::1/",
                    "http://h:80a/",
                    "http://h/a#b#c",
                    "http://h/<>",
                    ":a",
                ],
            ),
            (
                "uuid",
                &["2eb8aa08-aa98-11ea-b4aa-73b441d16380", "2EB8AA08-AA98-11EA-B4AA-73B441D16380"],
                &[
                    "2eb8aa08aa9811eab4aa73b441d16380",
                    "2eb8aa08-aa98-11ea-b4aa-73b441d1638",
                    "2eb8aa08-aa98-11ea-b4aa-73b441d1638g",
                    "{2eb8aa08-aa98-11ea-b4aa-73b441d16380}",
                ],
            ),
        ];
        for (name, of_it, others) in table {
            let format = FORMATS.iter().find(|format| format.name == name).unwrap();
            let schema = serde_json::json!({ "format": name });
            let other = jsonschema::options().should_validate_formats(true).build(&schema).unwrap();
            for (text, is_of_it) in of_it.iter().map(|text| (text, true)).chain(others.iter().map(|text| (text, false)))
            {
                assert_eq!((format.holds)(text), is_of_it, "of {name} and {text:?}");
                assert_eq!(other.is_valid(&serde_json::json!(text)), is_of_it, "by jsonschema, of {name} and {text:?}");
            }
        }
    }
}
