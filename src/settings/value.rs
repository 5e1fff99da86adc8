//! The small values of the file, each read into a type that holds nothing else.

use std::time::Duration;

use super::node::Node;
use super::problem::{Place, Problems};
use super::shape::{quoted, wrong_kind};

/// A value that is written as a string.
pub trait Text: Sized {
    /// What must stand there, for the message.
    const FORM: &'static str;
    /// A regular expression that every such text matches, for editors; of the others, many do not.
    #[cfg_attr(target_arch = "wasm32", allow(dead_code))]
    const PATTERN: &'static str;
    /// Whether a faulty text may hold a secret, and is not shown.
    const SECRET: bool = false;
    /// Reads it; the error completes "is "…", …".
    fn read(text: &str) -> Result<Self, String>;
}

/// What is wrong with a text of another form.
pub fn not_of_form<T: Text>() -> String {
    format!("must be {}", T::FORM)
}

/// Reads a value of the file for each type that is written as a string.
macro_rules! written_as_text {
    ($($name:ty),*) => {$(
        impl $crate::settings::FromNode for $name {
            fn from_node(
                node: &$crate::settings::Node,
                place: &$crate::settings::Place<'_>,
                problems: &mut $crate::settings::Problems,
            ) -> Option<Self> {
                $crate::settings::read_text(node, place, problems)
            }
        }

        #[cfg(not(target_arch = "wasm32"))]
        impl $crate::settings::schema::Described for $name {
            fn schema(_: &mut schemars::SchemaGenerator) -> schemars::Schema {
                $crate::settings::schema::text::<Self>()
            }
        }
    )*};
}
pub(crate) use written_as_text;
written_as_text!(Span, TimeLimit, Size, BodySize, SecretName, Method);

/// Reads a value that is written as a string; notes one that is not of its form.
pub fn read_text<T: Text>(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<T> {
    let Node::String(text) = node else {
        return wrong_kind(node, T::FORM, place, problems);
    };
    match T::read(text) {
        Ok(value) => return Some(value),
        Err(why) if T::SECRET => problems.add_about_secret(place, why),
        Err(why) => problems.add(place, format!("is {}, {why}", quoted(text))),
    }
    None
}

/// A span of time: `"250ms"`, `"5s"`, `"2m"`, `"1h"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Span(pub Duration);

impl Text for Span {
    const FORM: &'static str = "a time such as \"250ms\", \"5s\" or \"2m\"";
    const PATTERN: &'static str = "^[0-9]+(ms|s|m|h)$";

    fn read(text: &str) -> Result<Self, String> {
        let (count, unit) = number_and_unit(text).ok_or_else(not_of_form::<Self>)?;
        let millis = match unit {
            "ms" => 1,
            "s" => 1_000,
            "m" => 60_000,
            "h" => 3_600_000,
            _ => return Err(not_of_form::<Self>()),
        };
        // 24 days: the longest timer of a JavaScript runtime, whose count is a signed 32-bit one.
        match count.checked_mul(millis).filter(|span| *span <= 0x7fff_ffff) {
            Some(span) => Ok(Self(Duration::from_millis(span))),
            None => Err("must be at most 24 days".to_owned()),
        }
    }
}

/// A span of time in which something must be done; not none at all.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct TimeLimit(pub Duration);

impl Text for TimeLimit {
    const FORM: &'static str = Span::FORM;
    const PATTERN: &'static str = "^0*[1-9][0-9]*(ms|s|m|h)$";

    fn read(text: &str) -> Result<Self, String> {
        match Span::read(text)? {
            Span(Duration::ZERO) => Err("must leave some time".to_owned()),
            Span(span) => Ok(Self(span)),
        }
    }
}

/// A number of bytes: `"64KiB"`, `"1MiB"`, `"500B"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Size(pub u32);

impl Text for Size {
    const FORM: &'static str = "a size such as \"64KiB\" or \"1MiB\"";
    const PATTERN: &'static str = "^0*[1-9][0-9]*(B|KiB|MiB)$";

    fn read(text: &str) -> Result<Self, String> {
        let bytes = bytes(text).filter(|_| !text.ends_with("GiB")).ok_or_else(not_of_form::<Self>)?;
        // An isolate has 128 MB in all.
        match bytes.filter(|size| (1..=32 << 20).contains(size)).map(u32::try_from) {
            Some(Ok(size)) => Ok(Self(size)),
            _ => Err("must be from 1B to 32MiB".to_owned()),
        }
    }
}

/// A number of bytes of a body that is not held in memory: `"10MiB"`, `"2GiB"`.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BodySize(pub u64);

impl Text for BodySize {
    const FORM: &'static str = "a size such as \"64KiB\", \"10MiB\" or \"2GiB\"";
    const PATTERN: &'static str = "^[0-9]+(B|KiB|MiB|GiB)$";

    fn read(text: &str) -> Result<Self, String> {
        match bytes(text).ok_or_else(not_of_form::<Self>)?.filter(|size| *size <= 1 << 40) {
            Some(size) => Ok(Self(size)),
            None => Err("must be at most 1024GiB".to_owned()),
        }
    }
}

/// The name of a secret of the runtime's environment, written `{env.NAME}`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SecretName(pub String);

impl Text for SecretName {
    const FORM: &'static str = "the name of a secret, written \"{env.NAME}\"";
    const PATTERN: &'static str = r"^\{env\.[A-Za-z0-9_]+\}$";
    const SECRET: bool = true;

    fn read(text: &str) -> Result<Self, String> {
        let name = text.strip_prefix("{env.").and_then(|rest| rest.strip_suffix('}'));
        match name {
            Some(name) if is_identifier(name) => Ok(Self(name.to_owned())),
            _ => Err(not_of_form::<Self>()),
        }
    }
}

/// A request method, in upper case.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Method(pub String);

impl Text for Method {
    const FORM: &'static str = "a method such as \"GET\", in upper case";
    const PATTERN: &'static str = "^(?!(CONNECT|TRACE)$)[A-Z][A-Z-]{0,23}$";

    fn read(text: &str) -> Result<Self, String> {
        let fine = text.len() <= 24
            && text.starts_with(|first: char| first.is_ascii_uppercase())
            && text.bytes().all(|byte| byte.is_ascii_uppercase() || byte == b'-');
        match text {
            "CONNECT" | "TRACE" => Err("which no runtime lets through".to_owned()),
            _ if fine => Ok(Self(text.to_owned())),
            _ => Err(not_of_form::<Self>()),
        }
    }
}

/// The number that a size means; the inner `None` is one that is far too large.
fn bytes(text: &str) -> Option<Option<u64>> {
    let (count, unit) = number_and_unit(text)?;
    let unit: u64 = match unit {
        "B" => 1,
        "KiB" => 1 << 10,
        "MiB" => 1 << 20,
        "GiB" => 1 << 30,
        _ => return None,
    };
    Some(count.checked_mul(unit))
}

fn number_and_unit(text: &str) -> Option<(u64, &str)> {
    let digits = text.find(|c: char| !c.is_ascii_digit())?;
    let (count, unit) = text.split_at(digits);
    Some((count.parse().ok()?, unit))
}

fn is_identifier(name: &str) -> bool {
    !name.is_empty() && name.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_')
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_sizes_have_one_form() {
        for (text, millis) in [("250ms", 250), ("0s", 0), ("5s", 5_000), ("2m", 120_000), ("1h", 3_600_000)] {
            assert_eq!(Span::read(text), Ok(Span(Duration::from_millis(millis))));
        }
        for text in ["", "5", "s", "5 s", "-5s", "1.5s", "5S", "99999999999999999999s", "600h"] {
            assert!(Span::read(text).is_err(), "of {text:?}");
        }
        assert_eq!(Size::read("64KiB"), Ok(Size(65_536)));
        for text in ["0B", "33MiB", "1MB", "1", "MiB"] {
            assert!(Size::read(text).is_err(), "of {text:?}");
        }
    }

    #[test]
    fn a_secret_is_named_and_never_written() {
        assert_eq!(SecretName::read("{env.JWT_SECRET}"), Ok(SecretName("JWT_SECRET".into())));
        for text in ["hunter2", "{env.}", "{env.A B}", "env.A", "{jwt.A}"] {
            assert!(SecretName::read(text).is_err(), "of {text:?}");
        }
    }
}
