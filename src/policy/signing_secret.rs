//! Secrets of the environment that texts are signed with (HMAC, RFC 2104).

use std::fmt;
use std::sync::Mutex;

use hmac::{Hmac, Mac};
use sha2::{Sha256, Sha384, Sha512};

use crate::locked::locked;
use crate::policy::caller::NotIdentified;

/// A hash that is keyed.
#[derive(Clone, Copy, Debug)]
pub enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// The fewest bytes of a secret: those of the hash (RFC 7518, section 3.2).
    const fn min_secret(self) -> usize {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// A secret, by its name.
pub struct SigningSecret {
    /// What texts are signed with it by.
    pub hash: Hash,
    name: String,
    known: Mutex<Known>,
}

/// What is known of a secret.
enum Known {
    Unread,
    Missing,
    TooShort,
    /// With what it takes in, which is half of the work for a short text.
    Read(Box<[u8]>, Keyed),
}

/// Without the secret.
impl fmt::Debug for SigningSecret {
    fn fmt(&self, formatter: &mut fmt::Formatter<'_>) -> fmt::Result {
        formatter.debug_tuple("SigningSecret").field(&self.hash).field(&self.name).finish()
    }
}

impl SigningSecret {
    /// The secret of a name, which was not read yet.
    pub fn new(hash: Hash, name: String) -> Self {
        Self { hash, name, known: Mutex::new(Known::Unread) }
    }

    /// Reads it: `read` gives a secret of the environment by its name. Gives whether it is another one than before. It may
    /// be: the platform can give an isolate that goes on another environment.
    pub fn renew<S: AsRef<[u8]>>(&self, read: impl FnOnce(&str) -> Option<S>) -> bool {
        let mut known = locked(&self.known);
        let secret = read(&self.name);
        let new = match (secret.as_ref().map(AsRef::as_ref), &*known) {
            (Some(now), Known::Read(before, _)) if *now == **before => return false,
            (None, Known::Missing) => return false,
            (Some(now), _) => {
                Keyed::new(self.hash, now).map_or(Known::TooShort, |keyed| Known::Read(now.into(), keyed))
            }
            (None, _) => Known::Missing,
        };
        !matches!(std::mem::replace(&mut *known, new), Known::Unread)
    }

    /// Whether there is one, and it is long enough.
    pub fn is_usable(&self) -> bool {
        matches!(*locked(&self.known), Known::Read(..))
    }

    /// Whether a signature is that of the secret, as it was read, over a text. How long it takes tells nothing of the right
    /// one. The error is for the log.
    pub fn has_signed(&self, text: &str, signature: &[u8]) -> Result<bool, NotIdentified> {
        let why = match &*locked(&self.known) {
            Known::Read(_, keyed) => return Ok(keyed.clone().has_signed(text, signature)),
            Known::Unread | Known::Missing => format!("the secret {} is not set", self.name),
            Known::TooShort => format!("the secret {} is shorter than {} bytes", self.name, self.hash.min_secret()),
        };
        Err(NotIdentified::Misconfigured(why))
    }
}

/// A hash that has taken a secret in.
#[derive(Clone)]
enum Keyed {
    Sha256(Box<Hmac<Sha256>>),
    Sha384(Box<Hmac<Sha384>>),
    Sha512(Box<Hmac<Sha512>>),
}

impl Keyed {
    /// Takes a secret in, unless it is too short.
    fn new(hash: Hash, secret: &[u8]) -> Option<Self> {
        if secret.len() < hash.min_secret() {
            return None;
        }
        match hash {
            Hash::Sha256 => Hmac::new_from_slice(secret).map(|keyed| Self::Sha256(Box::new(keyed))),
            Hash::Sha384 => Hmac::new_from_slice(secret).map(|keyed| Self::Sha384(Box::new(keyed))),
            Hash::Sha512 => Hmac::new_from_slice(secret).map(|keyed| Self::Sha512(Box::new(keyed))),
        }
        .ok()
    }

    fn has_signed(self, text: &str, signature: &[u8]) -> bool {
        match self {
            Self::Sha256(keyed) => is_of(*keyed, text, signature),
            Self::Sha384(keyed) => is_of(*keyed, text, signature),
            Self::Sha512(keyed) => is_of(*keyed, text, signature),
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

    fn secret(hash: Hash, text: &str) -> SigningSecret {
        let secret = SigningSecret::new(hash, "S".to_owned());
        assert!(!secret.renew(|name| (name == "S").then(|| text.to_owned())), "there was none before");
        secret
    }

    fn bytes(hex: &str) -> Vec<u8> {
        (0..hex.len()).step_by(2).map(|at| u8::from_str_radix(&hex[at..at + 2], 16).unwrap()).collect()
    }

    /// By Python's `hmac`: of a secret that is longer than a block, and of a text that is longer than one.
    #[test]
    fn a_text_is_signed_as_others_sign_it() {
        let (key, text) = ("key ".repeat(50), "text ".repeat(50));
        for (hash, signature) in [
            (Hash::Sha256, "800fad1ae7d44d48b8af3da5670e1f54bc22b5b0a4b2aaaccddb7439aead4955"),
            (
                Hash::Sha384,
                "07c0e53071f61532a586dd8171b7fd7f0338dad45d08e1cd796ef1b1df30b0479a5821c39623a34752054b41d3461a6f",
            ),
            (
                Hash::Sha512,
                "a61ce839a83fba28ea4f6460735ffe0497e22dc627b2ae8c155f842e07537cab666802eab2bfe789d3fe3c9ce433f12d39598dc219105ea112feacb57eda9c0e",
            ),
        ] {
            let (secret, signature) = (secret(hash, &key), bytes(signature));
            let is_signed = |text: &str, signature: &[u8]| secret.has_signed(text, signature).unwrap();
            assert!(is_signed(&text, &signature), "{hash:?}");
            assert!(is_signed(&text, &signature), "{hash:?}, again");
            assert!(!is_signed(&text[1..], &signature), "{hash:?}, of another text");
            assert!(!is_signed(&text, &signature[1..]), "{hash:?}, without the first byte");
            assert!(!is_signed(&text, &signature[..signature.len() - 1]), "{hash:?}, without the last byte");
            assert!(!is_signed(&text, &[]), "{hash:?}, of nothing");
            assert!(
                !self::secret(hash, &key[1..]).has_signed(&text, &signature).unwrap(),
                "{hash:?}, by another secret"
            );
        }
    }

    #[test]
    fn a_secret_is_there_and_no_shorter_than_its_hash() {
        for (hash, least) in [(Hash::Sha256, 32), (Hash::Sha384, 48), (Hash::Sha512, 64)] {
            assert!(secret(hash, &"x".repeat(least)).is_usable());
            let short = secret(hash, &"x".repeat(least - 1));
            assert!(!short.is_usable());
            let why = NotIdentified::Misconfigured(format!("the secret S is shorter than {least} bytes"));
            assert_eq!(short.has_signed("", &[]), Err(why));
        }
        let missing = SigningSecret::new(Hash::Sha256, "S".to_owned());
        assert!(!missing.renew(|_| None::<&str>));
        assert_eq!(
            missing.has_signed("", &[]),
            Err(NotIdentified::Misconfigured("the secret S is not set".to_owned()))
        );
    }

    #[test]
    fn it_is_known_when_it_is_another_one() {
        let secret = SigningSecret::new(Hash::Sha256, "S".to_owned());
        let (one, other) = ("1".repeat(32), "2".repeat(32));
        for (now, is_another) in [
            (Some(&one), false),
            (Some(&one), false),
            (Some(&other), true),
            (None, true),
            (None, false),
            (Some(&other), true),
            (Some(&"short".to_owned()), true),
            (Some(&one), true),
        ] {
            assert_eq!(secret.renew(|_| now.cloned()), is_another, "{now:?}");
        }
    }

    #[test]
    fn nothing_of_it_is_shown() {
        let shown = format!("{:?}", secret(Hash::Sha256, &"a".repeat(32)));
        assert!(!shown.contains("97") && !shown.contains("61") && !shown.contains("aaa"), "{shown}");
    }
}
