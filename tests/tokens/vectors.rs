//! Keys and tokens that others published, as data: each file in `tests/vectors` says where they are from, has keys as
//! `routes.json` has them (but secrets as a `jwk`, since theirs are no text), and tokens with what must come of them.
//! To add one, add it there; `tests/workers/vectors.test.mjs` sends the same to real workerd.
//!
//! | `expect` | |
//! | --- | --- |
//! | `signed` | the key has signed it; it is turned down all the same, for its claims |
//! | `refused` | it is turned down before anybody looks at its claims |
//! | `no key` | a file with such a key is refused |

use postern::policy::jwt::key::Key;
use postern::policy::jwt::token::{AnyHeader, Parts};
use postern::policy::signing_secret::{Hash, SigningSecret};
use serde::Deserialize;
use serde_json::{Value, json};

use super::{answer, gateway, hmac_gateway};
use crate::signing::{base64, unbase64};

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct File {
    #[serde(rename = "about")]
    _about: String,
    #[serde(rename = "source")]
    _source: String,
    keys: std::collections::BTreeMap<String, Value>,
    vectors: Vec<Vector>,
}

#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Vector {
    name: String,
    key: String,
    expect: Expected,
    token: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Deserialize)]
enum Expected {
    #[serde(rename = "signed")]
    Signed,
    #[serde(rename = "refused")]
    Refused,
    #[serde(rename = "no key")]
    NoKey,
}

#[test]
fn what_others_published_comes_out_as_they_say() {
    let mut count = 0;
    for file in std::fs::read_dir("tests/vectors").unwrap() {
        let path = file.unwrap().path();
        let file: File = serde_json::from_str(&std::fs::read_to_string(&path).unwrap())
            .unwrap_or_else(|error| panic!("{}: {error}", path.display()));
        for vector in &file.vectors {
            count += 1;
            let of = format!("{}: {}", path.display(), vector.name);
            let came = come_of(&file.keys[&vector.key], &vector.token, &of);
            assert_eq!(came, vector.expect, "of {of}");
            if came == Expected::Signed {
                let touched = with_another_signature(&vector.token);
                assert_eq!(come_of(&file.keys[&vector.key], &touched, &of), Expected::Refused, "of {of}, touched");
            }
        }
    }
    assert!(count > 120, "the vectors are not where they should be");
}

fn come_of(key: &Value, token: &str, of: &str) -> Expected {
    if key["jwk"]["kty"] == "oct" {
        // The gateway's secrets are text: to a caller it is a token of another one.
        assert_eq!(answer(&hmac_gateway(), token).0, 401, "of {of}");
        return come_of_secret(key, token);
    }
    let rule = json!({ "issuer": "i", "audience": "a", "keys": [key] });
    let file = json!({ "auth": { "r": { "jwt": rule } }, "routes": [{ "path": "/x", "auth": "r", "reply": {} }] });
    if postern::config::load(&file.to_string(), None).0.is_none() {
        return Expected::NoKey;
    }
    match answer(&gateway(&json!([key])), token) {
        (401, log) if log.contains("token signed, but") || log.contains("token of another issuer") => Expected::Signed,
        (401, _) => Expected::Refused,
        other => panic!("{other:?} of {of}"),
    }
}

/// What comes of a token by a secret that is bytes.
fn come_of_secret(key: &Value, token: &str) -> Expected {
    let secret = unbase64(key["jwk"]["k"].as_str().unwrap());
    let kid = key["kid"].as_str().map(str::to_owned);
    assert_eq!(key["alg"], "HS256");
    let Some(parts) = Parts::of(token) else { return Expected::Refused };
    let header = AnyHeader::read(parts.header).and_then(|header| header.counting().ok());
    let (Some(header), Some(signature)) = (header, parts.signature()) else { return Expected::Refused };
    let by_secret = || SigningSecret::new(Hash::Sha256, "S".into());
    if !(Key::Secret { secret: by_secret(), kid }).is_for(header.algorithm, header.kid.as_deref()) {
        return Expected::Refused;
    }
    let by_secret = by_secret();
    by_secret.renew(|_| Some(&secret));
    let is_signed = by_secret.has_signed(parts.signed, &signature).unwrap();
    // In claims that are in no base64url, nobody sees what is signed.
    let is_one = is_signed && !parts.claims().is_err_and(|why| format!("{why:?}").contains("not a JWT"));
    if is_one { Expected::Signed } else { Expected::Refused }
}

fn with_another_signature(token: &str) -> String {
    let (data, signature) = token.rsplit_once('.').unwrap();
    let mut signature = unbase64(signature);
    signature[9] ^= 1;
    format!("{data}.{}", base64(signature))
}
