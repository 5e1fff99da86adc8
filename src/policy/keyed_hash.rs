//! Whether a text is signed with a secret (HMAC, RFC 2104).

use hmac::{Hmac, Mac};
use sha2::{Sha256, Sha384, Sha512};

/// A hash that is keyed.
#[derive(Clone, Copy, Debug)]
pub enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// The fewest bytes of a secret: those of the hash (RFC 7518, section 3.2).
    pub const fn min_secret(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// A hash that has taken its secret in, which is half of the work for a short text.
#[derive(Clone, Debug)]
pub enum KeyedHash {
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
    Sha512(Hmac<Sha512>),
}

impl KeyedHash {
    /// Takes a secret in, unless it is too short.
    pub fn new(hash: Hash, secret: &[u8]) -> Option<Self> {
        if secret.len() < hash.min_secret() {
            return None;
        }
        match hash {
            Hash::Sha256 => Hmac::new_from_slice(secret).map(Self::Sha256),
            Hash::Sha384 => Hmac::new_from_slice(secret).map(Self::Sha384),
            Hash::Sha512 => Hmac::new_from_slice(secret).map(Self::Sha512),
        }
        .ok()
    }

    /// Whether a signature is that of the secret over a text; how long it takes tells nothing of the right one.
    pub fn has_signed(&self, text: &str, signature: &[u8]) -> bool {
        match self {
            Self::Sha256(keyed) => is_of(keyed.clone(), text, signature),
            Self::Sha384(keyed) => is_of(keyed.clone(), text, signature),
            Self::Sha512(keyed) => is_of(keyed.clone(), text, signature),
        }
    }
}

fn is_of(mut keyed: impl Mac, text: &str, signature: &[u8]) -> bool {
    keyed.update(text.as_bytes());
    keyed.verify_slice(signature).is_ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 4231, section 4.7: a key that is longer than a block.
    #[test]
    fn a_text_is_signed_as_the_rfc_says() {
        let (secret, text) = ([0xaa; 131], "Test Using Larger Than Block-Size Key - Hash Key First");
        for (hash, signature) in [
            (Hash::Sha256, "60e431591ee0b67f0d8a26aacbf5b77f8e0bc6213728c5140546040f0ee37f54"),
            (
                Hash::Sha384,
                "4ece084485813e9088d2c63a041bc5b44f9ef1012a2b588f3cd11f05033ac4c60c2ef6ab4030fe8296248df163f44952",
            ),
            (
                Hash::Sha512,
                "80b24263c7c1a3ebb71493c1dd7be8b49b46d1f41b4aeec1121b013783f8f3526b56d037e05f2598bd0fd2215d6a1e5295e64f73f63f0aec8b915a985d786598",
            ),
        ] {
            let digits = |at: usize| u8::from_str_radix(&signature[at..at + 2], 16).unwrap();
            let signature: Vec<u8> = (0..signature.len()).step_by(2).map(digits).collect();
            let keyed = KeyedHash::new(hash, &secret).unwrap();
            assert!(keyed.has_signed(text, &signature), "{hash:?}");
            // It is as it was.
            assert!(keyed.has_signed(text, &signature), "{hash:?}, again");
            assert!(!keyed.has_signed(&text[1..], &signature), "{hash:?}, of another text");
            assert!(!keyed.has_signed(text, &signature[1..]), "{hash:?}, without a byte");
            assert!(!keyed.has_signed(text, &[]), "{hash:?}, of nothing");
            let other = KeyedHash::new(hash, &secret[1..]).unwrap();
            assert!(!other.has_signed(text, &signature), "{hash:?}, by another secret");
        }
    }

    #[test]
    fn a_secret_is_no_shorter_than_its_hash() {
        for (hash, least) in [(Hash::Sha256, 32), (Hash::Sha384, 48), (Hash::Sha512, 64)] {
            assert!(KeyedHash::new(hash, &vec![7; least]).is_some());
            assert!(KeyedHash::new(hash, &vec![7; least - 1]).is_none());
        }
    }

    #[test]
    fn nothing_of_the_secret_is_shown() {
        let shown = format!("{:?}", KeyedHash::new(Hash::Sha256, &[0x61; 32]));
        assert!(!shown.contains("97") && !shown.contains("61") && !shown.contains("aaa"), "{shown}");
    }
}
