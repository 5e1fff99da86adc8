//! The signatures of a request, as its header fields `Signature-Input` and `Signature` have them (RFC 9421, section 4).

use sfv::{BareItem, Dictionary, FieldType, InnerList, ListEntry, Parser, key_ref};

use crate::head::Headers;

/// The longest `Signature-Input` and `Signature` that are looked at, in bytes.
const LONGEST: usize = 8 << 10;

/// The most signatures of one request, and the most components that one covers.
const MOST_SIGNATURES: usize = 8;
const MOST_COMPONENTS: usize = 32;

/// One signature, and what it says of itself.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Signature {
    /// What it covers: names of header fields, and of parts of the request that begin with `@`.
    pub components: Vec<String>,
    /// Components and parameters, as the last line of what is signed has them (section 2.3).
    pub params: String,
    /// Whose key it is of.
    pub keyid: Option<String>,
    /// What it says of the algorithm.
    pub alg: Option<String>,
    /// What it is for.
    pub tag: Option<String>,
    /// When it was made, in seconds since 1970.
    pub created: Option<i64>,
    /// From when on it counts no more.
    pub expires: Option<i64>,
    /// The signature itself.
    pub bytes: Vec<u8>,
}

/// The signatures of a request; `None` if it has none. The error is for the log.
pub fn signatures(headers: &Headers) -> Option<Result<Vec<Signature>, &'static str>> {
    let (input, signature) = (headers.get("signature-input")?, headers.get("signature")?);
    if input.len() > LONGEST || signature.len() > LONGEST {
        return Some(Err("is too long"));
    }
    let dictionary = |text: &str| Parser::new(text).parse::<Dictionary>();
    let (Ok(inputs), Ok(signatures)) = (dictionary(input), dictionary(signature)) else {
        return Some(Err("is of no form that is known"));
    };
    let all = inputs.into_iter().take(MOST_SIGNATURES).filter_map(|(label, input)| {
        let (ListEntry::InnerList(input), ListEntry::Item(signature)) = (input, signatures.get(&label)?) else {
            return None;
        };
        let BareItem::ByteSequence(bytes) = &signature.bare_item else { return None };
        read(input, bytes.clone())
    });
    Some(Ok(all.collect()))
}

/// A signature, if it covers nothing but what is known here: a parameter of a component is not.
fn read(input: InnerList, bytes: Vec<u8>) -> Option<Signature> {
    let components = input.items.iter().map(|item| match &item.bare_item {
        BareItem::String(name) if item.params.is_empty() => Some(name.as_str().to_owned()),
        _ => None,
    });
    let components: Vec<String> =
        components.collect::<Option<_>>().filter(|all: &Vec<_>| all.len() <= MOST_COMPONENTS)?;
    let text = |name| match input.params.get(key_ref(name)) {
        Some(BareItem::String(text)) => Some(text.as_str().to_owned()),
        _ => None,
    };
    let number = |name| match input.params.get(key_ref(name)) {
        Some(BareItem::Integer(number)) => Some(i64::from(*number)),
        _ => None,
    };
    let (keyid, alg, tag) = (text("keyid"), text("alg"), text("tag"));
    let (created, expires) = (number("created"), number("expires"));
    // What is there and of another kind is not the same as nothing.
    let is_read = [
        ("keyid", keyid.is_some()),
        ("alg", alg.is_some()),
        ("tag", tag.is_some()),
        ("created", created.is_some()),
        ("expires", expires.is_some()),
    ];
    if is_read.iter().any(|(name, is_read)| !is_read && input.params.contains_key(key_ref(name))) {
        return None;
    }
    let params = vec![ListEntry::InnerList(input)].serialize()?;
    Some(Signature { components, params, keyid, alg, tag, created, expires, bytes })
}
