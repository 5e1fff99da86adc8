//! Drawing tokens, claims and header fields that are nearly right.

use std::ops::Range;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::{Index, select};
use serde_json::{Value, json};

use super::held::in_one_line;
use crate::world::BEGINNING;

/// A change of a text.
#[derive(Clone, Debug)]
pub enum Change {
    Flip(Index, u8),
    Replace(Index, char),
    Cut(Index, usize),
    Insert(Index, String),
    Repeat(Index, usize),
    Swap(usize, usize),
    Case(Index),
}

impl Change {
    /// The text, changed.
    pub fn of(&self, text: &str) -> String {
        let chars: Vec<char> = text.chars().collect();
        let at = |index: &Index| if chars.is_empty() { 0 } else { index.index(chars.len()) };
        let put = |range: Range<usize>, between: String| {
            let (before, after) = (&chars[..range.start], &chars[range.end.min(chars.len())..]);
            format!("{}{between}{}", String::from_iter(before), String::from_iter(after))
        };
        let one = |at: usize| chars.get(at).copied().unwrap_or_default();
        match self {
            Self::Flip(index, bit) => {
                let flipped = char::from_u32(one(at(index)) as u32 ^ (1 << bit)).unwrap_or_default();
                put(at(index)..at(index) + 1, flipped.to_string())
            }
            Self::Replace(index, with) => put(at(index)..at(index) + 1, with.to_string()),
            Self::Cut(index, length) => put(at(index)..at(index) + length, String::new()),
            Self::Insert(index, what) => put(at(index)..at(index), what.clone()),
            Self::Repeat(index, length) => {
                let end = (at(index) + length).min(chars.len());
                put(end..end, String::from_iter(&chars[at(index)..end]))
            }
            Self::Swap(one, other) => {
                let mut parts: Vec<&str> = text.split('.').collect();
                let count = parts.len();
                parts.swap(one % count, other % count);
                parts.join(".")
            }
            Self::Case(index) => {
                let one = one(at(index));
                let other = if one.is_ascii_uppercase() { one.to_ascii_lowercase() } else { one.to_ascii_uppercase() };
                put(at(index)..at(index) + 1, other.to_string())
            }
        }
    }
}

pub fn change() -> impl Strategy<Value = Change> {
    let base64 = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. ";
    let letter = || prop_oneof![4 => select(base64.chars().collect::<Vec<_>>()), 1 => any::<char>()];
    prop_oneof![
        (any::<Index>(), 0..7u8).prop_map(|(at, bit)| Change::Flip(at, bit)),
        (any::<Index>(), letter()).prop_map(|(at, with)| Change::Replace(at, with)),
        (any::<Index>(), 1..40usize).prop_map(|(at, length)| Change::Cut(at, length)),
        (any::<Index>(), vec(letter(), 1..5)).prop_map(|(at, what)| Change::Insert(at, what.into_iter().collect())),
        (any::<Index>(), 1..60usize).prop_map(|(at, length)| Change::Repeat(at, length)),
        (0..4usize, 0..4usize).prop_map(|(one, other)| Change::Swap(one, other)),
        any::<Index>().prop_map(Change::Case),
    ]
}

/// JSON as a claim or a member of a header may be.
pub fn value() -> impl Strategy<Value = Value> {
    let word = select(vec!["", "i", "a", "HS256", "none", "JWT", "at+jwt", "b", "I", "\0", "1767225660"]);
    let leaf = prop_oneof![
        1 => Just(Value::Null),
        1 => any::<bool>().prop_map(Value::from),
        1 => any::<i64>().prop_map(Value::from),
        1 => (-100..100i64).prop_map(|seconds| Value::from(BEGINNING as i64 / 1000 + seconds)),
        1 => any::<f64>().prop_map(Value::from),
        4 => word.prop_map(Value::from),
        1 => any::<String>().prop_map(Value::from),
    ];
    leaf.prop_recursive(3, 12, 4, |inner| {
        prop_oneof![
            vec(inner.clone(), 0..4).prop_map(Value::from),
            vec((select(vec!["a", "i", "x"]), inner), 0..3)
                .prop_map(|members| members.into_iter().map(|(name, value)| (name.to_owned(), value)).collect()),
        ]
    })
}

/// An object that has each of these with some probability, as the right one says or otherwise.
fn object(right: &'static [(&'static str, Value)]) -> impl Strategy<Value = Value> {
    let others = vec(
        (select(vec!["iss", "aud", "exp", "nbf", "iat", "alg", "typ", "kid", "crit", "cty", "sub"]), value()),
        0..3,
    );
    (vec(0..10u8, right.len()), others).prop_map(|(kept, others)| {
        let right =
            right.iter().zip(kept).filter(|(_, kept)| *kept > 0).map(|((name, value), _)| (*name, value.clone()));
        right.chain(others).map(|(name, value)| (name.to_owned(), value)).collect()
    })
}

pub fn headers() -> impl Strategy<Value = Value> {
    static RIGHT: std::sync::LazyLock<Vec<(&str, Value)>> =
        std::sync::LazyLock::new(|| vec![("alg", json!("HS256")), ("typ", json!("JWT"))]);
    object(&RIGHT)
}

pub fn claims() -> impl Strategy<Value = Value> {
    static RIGHT: std::sync::LazyLock<Vec<(&str, Value)>> = std::sync::LazyLock::new(|| {
        vec![("iss", json!("i")), ("aud", json!("a")), ("exp", json!(BEGINNING / 1000 + 60)), ("sub", json!("ada"))]
    });
    object(&RIGHT)
}

/// Something like the value of a header field: pieces of such, and anything.
pub fn field() -> impl Strategy<Value = String> {
    let pieces = vec![
        "application/json",
        "text/event-stream",
        "application/x-ndjson",
        "*/*",
        "application/vnd.shop.v2+json",
        ";q=",
        "0.5",
        "1.0001",
        "for=",
        "proto=https",
        "by=",
        "\"",
        "[::1]",
        "[",
        "]",
        ":",
        "::1",
        "192.0.2.7",
        "203.0.113.9",
        "10.0.0.1",
        "999.1.1.1",
        "_hidden",
        "unknown",
        "say=",
        "t=",
        "a=b",
        "; ",
        ";",
        ", ",
        ",",
        "=",
        " ",
        "\t",
        "max-age=",
        "s-maxage",
        "no-store",
        "private",
        "18446744073709551616",
        "-1",
        "0",
        "Wed, 21 Oct 2026 07:28:00 GMT",
        "Bearer ",
        "Basic ",
        "bytes=0-",
        "W/\"x\"",
        "charset=utf-8",
        "gzip",
        "chunked",
        "https",
        "null",
        "https://a.example.com",
        "%",
        "%00",
        "%0d%0aset-cookie:a=b",
        "%ff",
        "{jwt.sub}",
        "\u{0}",
        "\u{7f}",
        "é",
        "\u{2028}",
        "😀",
        "PUT",
        "x-a",
    ];
    let piece = prop_oneof![8 => select(pieces).prop_map(str::to_owned), 1 => any::<String>(), 1 => "[ -~]{0,12}"];
    vec(piece, 0..8).prop_map(|pieces| in_one_line(&pieces.concat()))
}

pub fn fields(names: &'static [&'static str]) -> impl Strategy<Value = String> {
    vec((select(names), field()), 0..6).prop_map(|fields| {
        // The runtime gives each name once.
        let mut seen = std::collections::BTreeMap::new();
        seen.extend(fields);
        seen.iter().map(|(name, value)| format!("{name}:{value}\n")).collect()
    })
}

/// The header fields of a request that the gateway reads.
pub const ASKED: &[&str] = &[
    "accept",
    "forwarded",
    "x-forwarded-for",
    "x-forwarded-proto",
    "x-forwarded-host",
    "x-request-id",
    "cookie",
    "idempotency-key",
    "content-type",
    "content-length",
    "transfer-encoding",
    "authorization",
    "x-api-key",
    "origin",
    "access-control-request-method",
    "access-control-request-headers",
    "if-none-match",
    "range",
    "host",
    "connection",
    "upgrade",
    "via",
    "x-say",
    "x-tenant",
    "te",
    "expect",
];

/// Those of an answer.
pub const ANSWERED: &[&str] = &[
    "retry-after",
    "cache-control",
    "age",
    "expires",
    "vary",
    "content-type",
    "content-length",
    "etag",
    "set-cookie",
    "location",
    "content-encoding",
    "connection",
    "date",
    "link",
    "access-control-allow-origin",
    "server",
    "x-postern-complete",
];
