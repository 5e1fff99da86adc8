//! The one normal form of a request's path.
//!
//! A gateway and the services behind it must never read one path in two ways, or a rule that
//! guards `/admin` can be walked around by `/%61dmin` or `/public/../admin`. So a path is brought
//! into its normal form once, before anything looks at it; the normal form is what is matched and
//! what is sent. What has no single reading is refused.
//!
//! | in the path | what happens | why |
//! | --- | --- | --- |
//! | `.` and `..` segments, also as `%2e` | resolved, RFC 3986 section 5.2.4 | every HTTP client does so before it sends |
//! | percent-encoded unreserved characters and `@ : $ ! ' ( ) * ,` | decoded | equal by RFC 3986 section 6.2.2.2, or to every server that decodes |
//! | other percent-encoded bytes | kept, hexadecimal digits in upper case | RFC 3986 section 6.2.2.1 |
//! | characters that may not stand in a path | percent-encoded | what the URL standard's parser would do on the way out |
//! | `//`, `\`, `%2F`, `%5C`, control characters and `%00` to `%1F`, `%7F`, a broken `%` | refused | servers differ: a separator to one is a letter to another |
//! | percent-encoded bytes that are not UTF-8 | refused | to a reader that takes overlong forms, `%C0%AE` is `.` and `%C0%AF` is `/` |
//! | `;` | refused | some servers take `;…` for parameters and drop it: to them `/admin;x` is `/admin` |

use std::fmt;

/// A path in normal form: starts with `/`, holds visible ASCII only.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct NormalPath(String);

/// The path has more than one reading, or none.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Ambiguous;

#[derive(Clone, Copy, PartialEq, Eq)]
enum DotSegments {
    Resolved,
    Refused,
}

impl NormalPath {
    /// Reads a raw path (from the first `/` after the authority up to `?`); resolves dot segments.
    pub fn parse(raw: &str) -> Result<Self, Ambiguous> {
        Self::read(raw, DotSegments::Resolved)
    }

    /// Reads a path that was put together here, of a text in the file and values of a request:
    /// a dot segment in it is a value's doing, and refused.
    pub fn parse_composed(composed: &str) -> Result<Self, Ambiguous> {
        Self::read(composed, DotSegments::Refused)
    }

    fn read(raw: &str, dots: DotSegments) -> Result<Self, Ambiguous> {
        if is_plain(raw) {
            return Ok(Self(raw.to_owned()));
        }
        let mut segments = raw.strip_prefix('/').ok_or(Ambiguous)?.split('/').peekable();
        let mut path = String::with_capacity(raw.len());
        while let Some(segment) = segments.next() {
            let is_last = segments.peek().is_none();
            if segment.is_empty() && !is_last {
                return Err(Ambiguous);
            }
            let start = path.len();
            path.push('/');
            push_normal_segment(&mut path, segment)?;
            let is_parent = match path.get(start..) {
                Some("/.") => false,
                Some("/..") => true,
                _ => continue,
            };
            if dots == DotSegments::Refused {
                return Err(Ambiguous);
            }
            path.truncate(start);
            if is_parent {
                path.truncate(path.rfind('/').unwrap_or(0));
            }
            if is_last {
                path.push('/');
            }
        }
        Ok(Self(path))
    }

    /// Reads a path of the file, with `x` in the place of each value: it must be written in normal
    /// form, or what it says is not what happens. The error says what is wrong, for the operator.
    pub fn check_written(sample: &str) -> Result<(), String> {
        match Self::parse_composed(sample) {
            Ok(normal) if normal.as_str() == sample => Ok(()),
            Ok(normal) => Err(format!("is in an unusual spelling; write {normal} (x for each value)")),
            Err(Ambiguous) => Err("is not a clean path: it starts with / and has no empty or dot segments, no \
                                   backslash, no encoded slash, and none of ; ? #"
                .to_owned()),
        }
    }

    /// The same path with a slash at its end, or without the one that it has; `/` has no other end.
    pub fn with_other_end(&self) -> Option<Self> {
        match self.0.strip_suffix('/') {
            Some("") => None,
            Some(bare) => Some(Self(bare.to_owned())),
            None => Some(Self(format!("{}/", self.0))),
        }
    }

    /// The path as text.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl fmt::Display for NormalPath {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.write_str(&self.0)
    }
}

/// Whether a path is in normal form and that is seen at once, as of most. Of others nothing is said.
fn is_plain(raw: &str) -> bool {
    let mut before = None;
    let follows = |byte| {
        let is_first_of_segment = before.replace(byte) == Some(b'/');
        match byte {
            b'/' | b'.' => !is_first_of_segment,
            _ => is_path_character(byte),
        }
    };
    raw.starts_with('/') && raw.bytes().all(follows)
}

/// Appends a segment without the dot rule: decoded where decoding changes nothing, encoded where it must.
fn push_normal_segment(path: &mut String, raw: &str) -> Result<(), Ambiguous> {
    let start = path.len();
    let mut bytes = raw.bytes();
    while let Some(byte) = bytes.next() {
        let byte = match byte {
            b'%' => {
                let high = bytes.next().and_then(hex_digit).ok_or(Ambiguous)?;
                let low = bytes.next().and_then(hex_digit).ok_or(Ambiguous)?;
                let decoded = high << 4 | low;
                match decoded {
                    b'/' | b'\\' | 0..=0x1f | 0x7f => return Err(Ambiguous),
                    _ if is_equal_encoded_or_not(decoded) => decoded,
                    _ => {
                        push_encoded(path, decoded);
                        continue;
                    }
                }
            }
            b'\\' | b'?' | b'#' | b';' | 0..=0x1f | 0x7f => return Err(Ambiguous),
            byte => byte,
        };
        if is_path_character(byte) {
            path.push(char::from(byte));
        } else {
            push_encoded(path, byte);
        }
    }
    let normal = path.get(start..).unwrap_or_default();
    if normal.contains('%') && std::str::from_utf8(&decode(normal)).is_err() {
        return Err(Ambiguous);
    }
    Ok(())
}

/// Appends `value` percent-encoded as one path segment or one query value: everything but the
/// unreserved characters of RFC 3986 section 2.3 is encoded, so that it cannot add a delimiter.
pub fn push_encoded_value(out: &mut String, value: &[u8]) {
    for &byte in value {
        if is_unreserved(byte) {
            out.push(char::from(byte));
        } else {
            push_encoded(out, byte);
        }
    }
}

/// The bytes behind a percent-encoded text; a `%` that starts no escape stands for itself.
pub fn decode(encoded: &str) -> Vec<u8> {
    let mut decoded = Vec::with_capacity(encoded.len());
    let mut rest = encoded.as_bytes();
    while let Some((&first, tail)) = rest.split_first() {
        rest = tail;
        if first == b'%'
            && let [high, low, after @ ..] = tail
            && let (Some(high), Some(low)) = (hex_digit(*high), hex_digit(*low))
        {
            decoded.push(high << 4 | low);
            rest = after;
        } else {
            decoded.push(first);
        }
    }
    decoded
}

fn push_encoded(out: &mut String, byte: u8) {
    const DIGITS: [char; 16] = ['0', '1', '2', '3', '4', '5', '6', '7', '8', '9', 'A', 'B', 'C', 'D', 'E', 'F'];
    out.push('%');
    out.extend(DIGITS.get(usize::from(byte >> 4)));
    out.extend(DIGITS.get(usize::from(byte & 15)));
}

fn hex_digit(byte: u8) -> Option<u8> {
    char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok())
}

fn is_unreserved(byte: u8) -> bool {
    byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'.' | b'_' | b'~')
}

/// Characters that mean the same to a server whether they come encoded or not. `;`, `=`, `&` and
/// `+` are not among them: path parameters and form decoding give them a second meaning.
fn is_equal_encoded_or_not(byte: u8) -> bool {
    is_unreserved(byte) || matches!(byte, b'@' | b':' | b'$' | b'!' | b'\'' | b'(' | b')' | b'*' | b',')
}

/// `pchar` of RFC 3986 section 3.3, without the percent sign and `;`.
fn is_path_character(byte: u8) -> bool {
    is_equal_encoded_or_not(byte) || matches!(byte, b'=' | b'&' | b'+')
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    #[test]
    fn every_path_has_one_normal_form_or_none() {
        let refused = None;
        let table = [
            ("/", Some("/")),
            ("/orders/7", Some("/orders/7")),
            ("/orders/", Some("/orders/")),
            ("/public/../admin", Some("/admin")),
            ("/public/%2e%2e/admin", Some("/admin")),
            ("/public/%2E./admin", Some("/admin")),
            ("/public/./x", Some("/public/x")),
            ("/a/..", Some("/")),
            ("/.well-known/x.json", Some("/.well-known/x.json")),
            ("/a/.", Some("/a/")),
            ("/a./b..", Some("/a./b..")),
            ("/a/b/.", Some("/a/b/")),
            ("/../../etc", Some("/etc")),
            ("/%61dmin", Some("/admin")),
            ("/users/%40me", Some("/users/@me")),
            ("/users/ada%40example.com", Some("/users/ada@example.com")),
            ("/a%20b", Some("/a%20b")),
            ("/a b", Some("/a%20b")),
            ("/%c3%a4", Some("/%C3%A4")),
            ("/ä", Some("/%C3%A4")),
            ("/%c0%ae%c0%ae/admin", refused),
            ("/a%c0%afb", refused),
            ("/a%ff", refused),
            ("/%e4", refused),
            ("/%ef%bc%8e%ef%bc%8e", Some("/%EF%BC%8E%EF%BC%8E")),
            ("/a%2bb", Some("/a%2Bb")),
            ("/a+b=1&c", Some("/a+b=1&c")),
            ("/a;v=1", refused),
            ("/admin;x/y", refused),
            ("/a%3bb", Some("/a%3Bb")),
            ("/%252e%252e/admin", Some("/%252e%252e/admin")),
            ("/{id}", Some("/%7Bid%7D")),
            ("/a//b", refused),
            ("//evil.example/x", refused),
            ("/a\\b", refused),
            ("/public/..\\admin", refused),
            ("/a%2fb", refused),
            ("/a%5Cb", refused),
            ("/a%00", refused),
            ("/a%0d%0aSet-Cookie:x", refused),
            ("/a\u{0}b", refused),
            ("/a%", refused),
            ("/a%4", refused),
            ("/a%zz", refused),
            ("/public/..;/admin", refused),
            ("/public/%2e%2e;x=1/admin", refused),
            ("/a#b", refused),
            ("", refused),
            ("admin", refused),
        ];
        for (raw, expected) in table {
            let normal = NormalPath::parse(raw).ok();
            assert_eq!(normal.as_ref().map(NormalPath::as_str), expected, "of {raw:?}");
        }
    }

    proptest! {
        #[test]
        fn the_normal_form_is_a_fixed_point(raw in "/[ -~ä]{0,40}") {
            if let Ok(normal) = NormalPath::parse(&raw) {
                prop_assert_eq!(NormalPath::parse(normal.as_str()), Ok(normal));
            }
        }

        #[test]
        fn what_is_plain_is_normal(raw in "/([a./:@%;\\\\-]|//){0,20}") {
            if is_plain(&raw) {
                let segments: Vec<_> = raw.split('/').skip(1).collect();
                let (last, others) = segments.split_last().unwrap();
                prop_assert!(others.iter().all(|segment| !segment.is_empty() && !segment.starts_with('.')));
                prop_assert!(!last.starts_with('.'));
                let mut normal = String::new();
                for segment in segments {
                    normal.push('/');
                    prop_assert!(push_normal_segment(&mut normal, segment).is_ok());
                }
                prop_assert_eq!(normal, raw);
            }
        }

        #[test]
        fn no_normal_path_holds_a_second_reading(raw in "(/|%2e|\\.|%2f|\\\\|;|%5c|a|%00){1,20}") {
            if let Ok(normal) = NormalPath::parse(&raw) {
                let mut segments: Vec<_> = normal.as_str().split('/').skip(1).collect();
                segments.pop();
                prop_assert!(segments.iter().all(|segment| !segment.is_empty()));
                prop_assert!(segments.iter().all(|segment| *segment != "." && *segment != ".."));
                prop_assert!(!normal.as_str().contains('\\'));
            }
        }

        #[test]
        fn an_encoded_value_comes_back_whole(value in proptest::collection::vec(any::<u8>(), 0..40)) {
            let mut encoded = String::new();
            push_encoded_value(&mut encoded, &value);
            prop_assert!(encoded.bytes().all(|byte| is_unreserved(byte) || byte == b'%'));
            prop_assert_eq!(decode(&encoded), value);
        }
    }
}
