//! Signatures of tokens, made and checked by an implementation that is not the gateway's, as the runtime does
//! in the Wasm.

use base64ct::{Base64UrlUnpadded, Encoding};
use postern::policy::jwt::algorithm::Algorithm;
use ring::hmac;
use ring::rand::SystemRandom;
use ring::signature::{
    self, EcdsaKeyPair, EcdsaSigningAlgorithm, Ed25519KeyPair, KeyPair, RsaEncoding, RsaKeyPair, RsaParameters,
    RsaPublicKeyComponents, UnparsedPublicKey, VerificationAlgorithm,
};
use serde_json::{Value, json};

/// Bytes in base64url, without padding.
pub fn base64(bytes: impl AsRef<[u8]>) -> String {
    Base64UrlUnpadded::encode_string(bytes.as_ref())
}

/// What base64url says, strictly.
pub fn unbase64(text: &str) -> Vec<u8> {
    Base64UrlUnpadded::decode_vec(text).unwrap()
}

/// Whether a signature over a text is that of a public key; `None` if it is none.
pub fn is_signed(algorithm: Algorithm, jwk: &str, signed: &str, signature: &[u8]) -> Option<bool> {
    let jwk: Value = serde_json::from_str(jwk).ok()?;
    let member = |name: &str| Base64UrlUnpadded::decode_vec(jwk[name].as_str()?).ok();
    let rsa = |parameters: &'static RsaParameters| {
        let key = RsaPublicKeyComponents { n: member("n")?, e: member("e")? };
        Some(key.verify(parameters, signed.as_bytes(), signature).is_ok())
    };
    let other = |algorithm: &'static dyn VerificationAlgorithm, key: Vec<u8>| {
        Some(UnparsedPublicKey::new(algorithm, key).verify(signed.as_bytes(), signature).is_ok())
    };
    let point = || Some([vec![4], member("x")?, member("y")?].concat());
    match algorithm {
        Algorithm::Rs256 => rsa(&signature::RSA_PKCS1_2048_8192_SHA256),
        Algorithm::Rs384 => rsa(&signature::RSA_PKCS1_2048_8192_SHA384),
        Algorithm::Rs512 => rsa(&signature::RSA_PKCS1_2048_8192_SHA512),
        Algorithm::Ps256 => rsa(&signature::RSA_PSS_2048_8192_SHA256),
        Algorithm::Ps384 => rsa(&signature::RSA_PSS_2048_8192_SHA384),
        Algorithm::Ps512 => rsa(&signature::RSA_PSS_2048_8192_SHA512),
        Algorithm::Es256 => other(&signature::ECDSA_P256_SHA256_FIXED, point()?),
        Algorithm::Es384 => other(&signature::ECDSA_P384_SHA384_FIXED, point()?),
        Algorithm::EdDsa => other(&signature::ED25519, member("x")?),
        Algorithm::Hs256 | Algorithm::Hs384 | Algorithm::Hs512 => None,
    }
}

/// A signature by a secret: HMAC with SHA-256.
pub fn by_secret(secret: &str, text: &str) -> Vec<u8> {
    hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()), text.as_bytes()).as_ref().to_vec()
}

/// A key pair that signs tokens.
pub enum Signer {
    Rsa(RsaKeyPair, &'static dyn RsaEncoding),
    Ecdsa(EcdsaKeyPair, &'static str),
    Ed25519(Ed25519KeyPair),
    Hmac(hmac::Key),
}

impl Signer {
    /// An RSA key, which is the same in every run: to make one takes long.
    pub fn rsa(encoding: &'static dyn RsaEncoding) -> Self {
        let key = std::fs::read("tests/keys/rsa-2048.pk8").unwrap();
        Self::Rsa(RsaKeyPair::from_pkcs8(&key).unwrap(), encoding)
    }

    /// A new key on this curve.
    pub fn ecdsa(algorithm: &'static EcdsaSigningAlgorithm, curve: &'static str) -> Self {
        let random = SystemRandom::new();
        let key = EcdsaKeyPair::generate_pkcs8(algorithm, &random).unwrap();
        Self::Ecdsa(EcdsaKeyPair::from_pkcs8(algorithm, key.as_ref(), &random).unwrap(), curve)
    }

    /// A new Ed25519 key.
    pub fn ed25519() -> Self {
        let key = Ed25519KeyPair::generate_pkcs8(&SystemRandom::new()).unwrap();
        Self::Ed25519(Ed25519KeyPair::from_pkcs8(key.as_ref()).unwrap())
    }

    /// A secret.
    pub fn hmac(algorithm: hmac::Algorithm, secret: impl AsRef<[u8]>) -> Self {
        Self::Hmac(hmac::Key::new(algorithm, secret.as_ref()))
    }

    /// Its public key.
    pub fn jwk(&self) -> Value {
        match self {
            Self::Rsa(key, _) => {
                let key: RsaPublicKeyComponents<Vec<u8>> = key.public().into();
                json!({ "kty": "RSA", "n": base64(key.n), "e": base64(key.e) })
            }
            Self::Ecdsa(key, curve) => {
                let point = &key.public_key().as_ref()[1..];
                let (x, y) = point.split_at(point.len() / 2);
                json!({ "kty": "EC", "crv": curve, "x": base64(x), "y": base64(y) })
            }
            Self::Ed25519(key) => json!({ "kty": "OKP", "crv": "Ed25519", "x": base64(key.public_key()) }),
            Self::Hmac(_) => panic!("a secret has no public key"),
        }
    }

    /// Its signature over a text.
    pub fn sign(&self, text: &str) -> Vec<u8> {
        let random = SystemRandom::new();
        match self {
            Self::Rsa(key, encoding) => {
                let mut signature = vec![0; key.public().modulus_len()];
                key.sign(*encoding, &random, text.as_bytes(), &mut signature).unwrap();
                signature
            }
            Self::Ecdsa(key, _) => key.sign(&random, text.as_bytes()).unwrap().as_ref().to_vec(),
            Self::Ed25519(key) => key.sign(text.as_bytes()).as_ref().to_vec(),
            Self::Hmac(key) => hmac::sign(key, text.as_bytes()).as_ref().to_vec(),
        }
    }

    /// A token of header and claims as they are written.
    pub fn token(&self, header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
        let signed = format!("{}.{}", base64(header), base64(claims));
        format!("{signed}.{}", base64(self.sign(&signed)))
    }
}
