//! The algorithms of tokens' signatures (RFC 7518, section 3; RFC 8037; RFC 9864).

use crate::settings::{FromNode, Node, Place, Problems, described_as};

/// An algorithm of signatures.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Algorithm {
    Rs256,
    Rs384,
    Rs512,
    Ps256,
    Ps384,
    Ps512,
    Es256,
    Es384,
    EdDsa,
    Hs256,
    Hs384,
    Hs512,
}

/// Their names in tokens, in keys and in the file.
const NAMES: [(Algorithm, &str); 13] = [
    (Algorithm::Rs256, "RS256"),
    (Algorithm::Rs384, "RS384"),
    (Algorithm::Rs512, "RS512"),
    (Algorithm::Ps256, "PS256"),
    (Algorithm::Ps384, "PS384"),
    (Algorithm::Ps512, "PS512"),
    (Algorithm::Es256, "ES256"),
    (Algorithm::Es384, "ES384"),
    (Algorithm::EdDsa, "EdDSA"),
    (Algorithm::Hs256, "HS256"),
    (Algorithm::Hs384, "HS384"),
    (Algorithm::Hs512, "HS512"),
    // The other name of one (RFC 9864, section 2.2): Ed448, for which EdDSA may stand as well, is not offered.
    (Algorithm::EdDsa, "Ed25519"),
];

impl Algorithm {
    /// All of them.
    pub fn all() -> impl Iterator<Item = Self> {
        NAMES.iter().filter(|(algorithm, name)| algorithm.name() == *name).map(|(algorithm, _)| *algorithm)
    }

    /// The one of a name, letter by letter.
    pub fn named(name: &str) -> Option<Self> {
        NAMES.iter().find(|(_, known)| *known == name).map(|(algorithm, _)| *algorithm)
    }

    /// The name in tokens and in the file; of two, the one that is known everywhere.
    pub fn name(self) -> &'static str {
        NAMES.iter().find(|(algorithm, _)| *algorithm == self).map(|(_, name)| *name).unwrap_or_default()
    }

    /// Whether who can check a signature could have made it.
    pub fn is_by_secret(self) -> bool {
        matches!(self, Self::Hs256 | Self::Hs384 | Self::Hs512)
    }
}

impl FromNode for Algorithm {
    fn from_node(node: &Node, place: &Place<'_>, problems: &mut Problems) -> Option<Self> {
        let name = String::from_node(node, place, problems)?;
        let found = Self::named(&name);
        if found.is_none() {
            // All of them, not the nearest: who has public keys must not be led to a shared secret.
            problems.add_with_help(
                place,
                format!("is {name:?}, which is not supported"),
                "there are: RS256, RS384, RS512, PS256, PS384, PS512, ES256, ES384 and EdDSA or Ed25519 (public keys), HS256, HS384 and HS512 (secrets)",
            );
        }
        found
    }
}

described_as!(Algorithm, { "enum": NAMES.map(|(_, name)| name) });

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_algorithm_has_one_name_but_ed25519() {
        assert_eq!(Algorithm::all().count(), 12);
        for algorithm in Algorithm::all() {
            assert_eq!(Algorithm::named(algorithm.name()), Some(algorithm));
        }
        assert_eq!(Algorithm::named("Ed25519"), Some(Algorithm::EdDsa));
        assert_eq!(Algorithm::EdDsa.name(), "EdDSA");
        for other in ["", "none", "ed25519", "Ed448", "EdDSA ", "ES256K", "ES512", "ESP256", "HS1", "RS1"] {
            assert_eq!(Algorithm::named(other), None, "of {other:?}");
        }
    }
}
