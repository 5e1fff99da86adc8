//! A public key in the form of RFC 7517: what it can check, and whether it is one at all.

use base64ct::{Base64UrlUnpadded, Encoding};

use super::algorithm::Algorithm;
use super::ed25519::is_of_small_order;
use crate::settings::{Node, Place, Problems};

/// The fewest and the most bits of an RSA key: RFC 7518 (section 3.3) asks for 2048, and to check a signature of
/// a huge one takes long.
const RSA_BITS: std::ops::RangeInclusive<usize> = 2048..=8192;

/// A public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct PublicKey {
    /// Its `kid`.
    pub kid: Option<String>,
    /// The algorithms that it is for; at least one.
    pub algorithms: Vec<Algorithm>,
    /// The key as JSON text, without anything else.
    pub jwk: String,
}

/// What is wrong with a key: at which member, if it is one, and what completes "is …".
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Unusable {
    /// The member.
    pub member: Option<&'static str>,
    /// What is wrong.
    pub why: String,
    /// Whether it tells of a secret, and its value is not to be shown.
    pub is_about_secret: bool,
}

impl PublicKey {
    /// Reads a key of the file; notes each fault.
    pub fn compile(jwk: &Node, algorithm: Algorithm, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let fault = match Self::read(jwk, &[algorithm]) {
            Ok(key) => return Some(key),
            Err(fault) => fault,
        };
        let place = fault.member.map_or(*place, |member| place.at(member));
        match fault.is_about_secret {
            true => problems.add_about_secret(&place, format!("is {}", fault.why)),
            false => problems.add(&place, format!("is {}", fault.why)),
        }
        None
    }

    /// Reads a key that is for one of these algorithms.
    pub fn read(jwk: &Node, wanted: &[Algorithm]) -> Result<Self, Unusable> {
        let Node::Object(members) = jwk else { return Err(unusable(None, "no object")) };
        let text = |name: &str| {
            members.iter().find(|(key, _)| key == name).and_then(|(_, value)| match value {
                Node::String(text) => Some(text.as_str()),
                _ => None,
            })
        };
        let has = |name: &str| members.iter().any(|(key, _)| key == name);
        if ["d", "k"].into_iter().any(has) {
            let (member, why) = if has("d") { ("d", "a private key") } else { ("k", "a secret") };
            let why = format!("{why}, which has no business here");
            return Err(Unusable { member: Some(member), why, is_about_secret: true });
        }
        let number = |name: &'static str, bytes: Option<usize>| {
            let written = text(name).ok_or_else(|| unusable(Some(name), "missing, or no text"))?;
            let value = Base64UrlUnpadded::decode_vec(written).map_err(|_| unusable(Some(name), "no base64url"))?;
            match bytes {
                Some(bytes) if bytes != value.len() => Err(unusable(Some(name), &format!("not of {bytes} bytes"))),
                _ => Ok(format!(",\"{name}\":\"{written}\"")).map(|member| (value, member)),
            }
        };
        use Algorithm::{EdDsa, Es256, Es384, Ps256, Ps384, Ps512, Rs256, Rs384, Rs512};
        let (kind, possible): (String, &[Algorithm]) = match (text("kty"), text("crv")) {
            (Some("RSA"), _) => {
                let ((modulus, n), (exponent, e)) = (number("n", None)?, number("e", None)?);
                let bits = modulus.len() * 8 - modulus.first().map_or(0, |first| first.leading_zeros() as usize);
                if modulus.first() == Some(&0) || !RSA_BITS.contains(&bits) {
                    let why = format!("of {bits} bits, and must be of {} to {}", RSA_BITS.start(), RSA_BITS.end());
                    return Err(unusable(Some("n"), &why));
                }
                let is_odd = exponent.last().is_some_and(|last| last % 2 == 1);
                if !is_odd || exponent == [1] || exponent.len() > 4 || exponent.first() == Some(&0) {
                    return Err(unusable(Some("e"), "no exponent of a key that is safe"));
                }
                (format!("\"kty\":\"RSA\"{n}{e}"), &[Rs256, Rs384, Rs512, Ps256, Ps384, Ps512])
            }
            (Some("EC"), Some(curve @ ("P-256" | "P-384"))) => {
                let (bytes, of_curve): (_, &[Algorithm]) =
                    if curve == "P-256" { (32, &[Es256]) } else { (48, &[Es384]) };
                let ((_, x), (_, y)) = (number("x", Some(bytes))?, number("y", Some(bytes))?);
                (format!("\"kty\":\"EC\",\"crv\":\"{curve}\"{x}{y}"), of_curve)
            }
            (Some("OKP"), Some("Ed25519")) => {
                if text("x").is_some_and(is_of_small_order) {
                    return Err(unusable(Some("x"), "a point of small order, for which anybody can sign"));
                }
                (format!("\"kty\":\"OKP\",\"crv\":\"Ed25519\"{}", number("x", Some(32))?.1), &[EdDsa])
            }
            (Some("EC" | "OKP"), _) => return Err(unusable(Some("crv"), "no curve that is known here")),
            _ => return Err(unusable(Some("kty"), "no kind of public key that is known here")),
        };
        // What it says of its use (RFC 7517, sections 4.2 to 4.4).
        if has("use") && text("use") != Some("sig") {
            return Err(unusable(Some("use"), "for something else than signatures"));
        }
        if let Some((_, uses)) = members.iter().find(|(key, _)| key == "key_ops") {
            let is_verify = |one: &Node| matches!(one, Node::String(text) if text == "verify");
            if !matches!(uses, Node::Array(uses) if uses.iter().any(is_verify)) {
                return Err(unusable(Some("key_ops"), "for something else than to check signatures"));
            }
        }
        let own = text("alg").map(Algorithm::named);
        let is_for = |algorithm: &Algorithm| {
            possible.contains(algorithm)
                && own.is_none_or(|own| own == Some(*algorithm))
                && (own.is_some() || !has("alg"))
        };
        let algorithms: Vec<Algorithm> = wanted.iter().copied().filter(is_for).collect();
        if algorithms.is_empty() {
            let names: Vec<&str> = wanted.iter().map(|algorithm| algorithm.name()).collect();
            let member = if has("alg") { "alg" } else { "kty" };
            return Err(unusable(Some(member), &format!("no key to check {} signatures with", names.join(", "))));
        }
        if has("kid") && text("kid").is_none() {
            return Err(unusable(Some("kid"), "no text"));
        }
        Ok(Self { kid: text("kid").map(str::to_owned), algorithms, jwk: format!("{{{kind}}}") })
    }
}

fn unusable(member: Option<&'static str>, why: &str) -> Unusable {
    Unusable { member, why: why.to_owned(), is_about_secret: false }
}

#[cfg(test)]
mod tests {
    use super::*;

    const ED25519: &str = r#""kty":"OKP","crv":"Ed25519","x":"11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo""#;

    fn read(jwk: &str) -> Result<PublicKey, Unusable> {
        let all: Vec<Algorithm> = Algorithm::all().collect();
        PublicKey::read(&serde_json::from_str(jwk).unwrap(), &all)
    }

    #[test]
    fn a_key_is_for_the_algorithms_of_its_kind() {
        let modulus = format!("0{}", "A".repeat(341));
        let rsa = format!(r#""kty":"RSA","n":"{modulus}","e":"AQAB""#);
        for (jwk, algorithms) in [
            (format!("{{{rsa}}}"), "RS256 RS384 RS512 PS256 PS384 PS512"),
            (format!(r#"{{{rsa},"alg":"PS384","use":"sig","key_ops":["verify"],"x5c":[]}}"#), "PS384"),
            (format!(r#"{{"kty":"EC","crv":"P-256","x":"{0}","y":"{0}"}}"#, "A".repeat(43)), "ES256"),
            (format!(r#"{{"kty":"EC","crv":"P-384","x":"{0}","y":"{0}"}}"#, "A".repeat(64)), "ES384"),
            (format!("{{{ED25519}}}"), "EdDSA"),
            (format!(r#"{{{ED25519},"alg":"EdDSA"}}"#), "EdDSA"),
            (format!(r#"{{{ED25519},"alg":"Ed25519"}}"#), "EdDSA"),
        ] {
            let names: Vec<&str> = read(&jwk).unwrap().algorithms.iter().map(|algorithm| algorithm.name()).collect();
            assert_eq!(names.join(" "), algorithms, "of {jwk}");
        }
    }

    #[test]
    fn what_is_no_public_key_is_told() {
        let rsa = |n: &str, more: &str| format!(r#"{{"kty":"RSA","n":"{n}"{more}}}"#);
        let modulus = format!("0{}", "A".repeat(341));
        for (jwk, member) in [
            ("[]".to_owned(), None),
            ("{}".to_owned(), Some("kty")),
            (r#"{"kty":"oct","k":"AA"}"#.to_owned(), Some("k")),
            (r#"{"kty":"EC","crv":"P-521"}"#.to_owned(), Some("crv")),
            (r#"{"kty":"OKP","crv":"X25519"}"#.to_owned(), Some("crv")),
            (r#"{"kty":"OKP","crv":"Ed25519","x":"AA"}"#.to_owned(), Some("x")),
            (r#"{"kty":"OKP","crv":"Ed448"}"#.to_owned(), Some("crv")),
            (format!(r#"{{{ED25519},"d":"AA"}}"#), Some("d")),
            (format!(r#"{{{ED25519},"alg":"Ed448"}}"#), Some("alg")),
            (format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}B"}}"#, "A".repeat(42)), Some("x")),
            (format!(r#"{{"kty":"OKP","crv":"Ed25519","x":"{}"}}"#, "A".repeat(43)), Some("x")),
            (rsa("AQAB", r#","e":"AQAB""#), Some("n")),
            (rsa(&format!("_{}", "A".repeat(170)), r#","e":"AQAB""#), Some("n")),
            (rsa(&format!("f{}", "A".repeat(341)), r#","e":"AQAB""#), Some("n")),
            (rsa(&format!("_{}", "A".repeat(1366)), r#","e":"AQAB""#), Some("n")),
            (rsa(&format!("AA{}", "A".repeat(340)), r#","e":"AQAB""#), Some("n")),
            (rsa(&modulus, ""), Some("e")),
            (rsa(&modulus, r#","e":"AQ""#), Some("e")),
            (rsa(&modulus, r#","e":"Ag""#), Some("e")),
            (rsa(&modulus, r#","e":"AQAB","use":"enc""#), Some("use")),
            (rsa(&modulus, r#","e":"AQAB","key_ops":["sign"]"#), Some("key_ops")),
            (rsa(&modulus, r#","e":"AQAB","alg":"ES256""#), Some("alg")),
            (rsa(&modulus, r#","e":"AQAB","alg":7"#), Some("alg")),
            (rsa(&modulus, r#","e":"AQAB","alg":"RSA-OAEP""#), Some("alg")),
            (rsa(&modulus, r#","e":"AQAB","kid":7"#), Some("kid")),
        ] {
            assert_eq!(read(&jwk).unwrap_err().member, member, "of {jwk}");
        }
    }
}
