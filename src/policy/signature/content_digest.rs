//! The digest of a request's body that its client says (RFC 9530).

use sfv::{BareItem, Dictionary, ListEntry, Parser};
use sha2::{Digest as _, Sha256, Sha512};

/// Whether a `Content-Digest` is that of a body: all digests that it has by algorithms that are known here are, and
/// there is one.
pub fn is_of(field: &str, body: &[u8]) -> bool {
    let Ok(digests) = Parser::new(field).parse::<Dictionary>() else { return false };
    let checked: Vec<bool> = digests
        .iter()
        .filter_map(|(algorithm, digest)| {
            let own = match algorithm.as_str() {
                "sha-256" => Sha256::digest(body).to_vec(),
                "sha-512" => Sha512::digest(body).to_vec(),
                // Others are broken, or not known.
                _ => return None,
            };
            let ListEntry::Item(digest) = digest else { return Some(false) };
            Some(digest.bare_item == BareItem::ByteSequence(own))
        })
        .collect();
    !checked.is_empty() && checked.iter().all(|is_own| *is_own)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_digest_is_of_one_body() {
        let body = b"{\"hello\": \"world\"}";
        // RFC 9421, appendix B.2.
        let sha512 =
            "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";
        let sha256 = "sha-256=:X48E9qOokqqrvdts8nOJRJN3OWDUoyWxBf7kbu9DBPE=:";
        let other = sha256.replace("X48E", "Y48E");
        for (field, is_its) in [
            (sha512.to_owned(), true),
            (sha256.to_owned(), true),
            (format!("{sha256}, {sha512}"), true),
            (format!("md5=:AAAA:, {sha256}"), true),
            (format!("{other}, {sha512}"), false),
            (other, false),
            ("md5=:AAAA:".to_owned(), false),
            ("sha-256=(1 2)".to_owned(), false),
            ("sha-256".to_owned(), false),
            (String::new(), false),
        ] {
            assert_eq!(is_of(&field, body), is_its, "of {field}");
        }
    }
}
