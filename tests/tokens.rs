//! Tokens that count and tokens that do not: what they are signed with, and what was done to them. What the claims
//! must be is in `tests/scenarios/auth`.

mod key_sets; // keys by URL
mod vectors; // what others published: tests/vectors

use postern::gateway::Gateway;
use ring::{hmac, signature};
use serde_json::{Value, json};

use crate::chaos::loaded;
use crate::signing::{Signer, base64, unbase64};
use crate::world::{Behaviour, World};

const SECRET: &str = "a-secret-of-the-tests-of-32-bytes";
/// Good at the beginning of the simulation, for a minute.
const CLAIMS: &str = r#"{"iss":"i","aud":"a","sub":"ada","exp":1767225660}"#;

/// A gateway with one rule of these keys.
fn gateway(keys: &Value) -> Gateway {
    gateway_of(&json!({ "issuer": "i", "audience": "a", "keys": keys }))
}

fn gateway_of(rule: &Value) -> Gateway {
    let route = json!({ "path": "/x", "auth": "r", "aggregate": { "sub": { "get": "s:/{jwt.sub}" } } });
    let services = json!({ "s": { "url": "http://s" } });
    loaded(&json!({ "auth": { "r": { "jwt": rule } }, "services": services, "routes": [route] }).to_string())
}

fn hmac_gateway() -> Gateway {
    gateway(&json!([{ "alg": "HS256", "secret": "{env.S}" }]))
}

fn world() -> World {
    let services =
        |url: &str| Behaviour::json(std::time::Duration::ZERO, format!("{:?}", url.trim_start_matches("http://s/")));
    World::new(services).with_secret("S", SECRET)
}

/// The status of a request with a token, and what the log says of it.
fn answer(gateway: &Gateway, token: &str) -> (u16, String) {
    let world = world();
    let got = world.run(world.send(gateway, "GET", "http://g/x", &format!("authorization:Bearer {token}\n")));
    (got.status, world.log.take().join("\n"))
}

fn is_accepted(gateway: &Gateway, token: &str) -> bool {
    match answer(gateway, token) {
        (200, _) => true,
        (401, _) => false,
        other => panic!("{other:?} of {token}"),
    }
}

fn hmac_token(header: &str, claims: &str) -> String {
    Signer::hmac(hmac::HMAC_SHA256, SECRET).token(header, claims)
}

/// A signer of each algorithm that goes by public keys.
fn signers() -> Vec<(&'static str, Signer)> {
    vec![
        ("RS256", Signer::rsa(&signature::RSA_PKCS1_SHA256)),
        ("RS384", Signer::rsa(&signature::RSA_PKCS1_SHA384)),
        ("RS512", Signer::rsa(&signature::RSA_PKCS1_SHA512)),
        ("PS256", Signer::rsa(&signature::RSA_PSS_SHA256)),
        ("PS384", Signer::rsa(&signature::RSA_PSS_SHA384)),
        ("PS512", Signer::rsa(&signature::RSA_PSS_SHA512)),
        ("ES256", Signer::ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, "P-256")),
        ("ES384", Signer::ecdsa(&signature::ECDSA_P384_SHA384_FIXED_SIGNING, "P-384")),
        ("EdDSA", Signer::ed25519()),
    ]
}

#[test]
fn a_good_token_says_who_is_calling_whatever_signed_it() {
    for (alg, signer) in signers() {
        let gateway = gateway(&json!([{ "alg": alg, "kid": "k", "jwk": signer.jwk() }]));
        let world = world();
        let token = signer.token(&json!({ "alg": alg, "kid": "k" }).to_string(), CLAIMS);
        let got = world.run(world.send(&gateway, "GET", "http://g/x", &format!("authorization:Bearer {token}\n")));
        assert_eq!((got.status, got.body.as_str()), (200, r#"{"sub":"ada"}"#), "of {alg}");
    }
    for (alg, hmac, secret) in [
        ("HS256", hmac::HMAC_SHA256, SECRET.to_owned()),
        ("HS384", hmac::HMAC_SHA384, SECRET.repeat(2)),
        ("HS512", hmac::HMAC_SHA512, SECRET.repeat(2)),
    ] {
        let gateway = gateway(&json!([{ "alg": alg, "secret": "{env.OF_ALG}" }]));
        let world = world().with_secret("OF_ALG", &secret);
        let token = Signer::hmac(hmac, &secret).token(&json!({ "alg": alg }).to_string(), CLAIMS);
        let got = world.run(world.send(&gateway, "GET", "http://g/x", &format!("authorization:Bearer {token}\n")));
        assert_eq!(got.status, 200, "of {alg}");
    }
}

#[test]
fn ed25519_is_eddsa_by_another_name() {
    let signer = Signer::ed25519();
    let mut named = signer.jwk();
    named["alg"] = json!("Ed25519");
    for (alg, jwk) in [("EdDSA", signer.jwk()), ("EdDSA", named.clone()), ("Ed25519", signer.jwk()), ("Ed25519", named)]
    {
        let gateway = gateway(&json!([{ "alg": alg, "jwk": jwk }]));
        for (header, accepted) in [
            (r#"{"alg":"EdDSA"}"#, true),
            (r#"{"alg":"Ed25519"}"#, true),
            (r#"{"alg":"ed25519"}"#, false),
            (r#"{"alg":"Ed448"}"#, false),
        ] {
            assert_eq!(
                is_accepted(&gateway, &signer.token(header, CLAIMS)),
                accepted,
                "of {header} by {alg} and {jwk}"
            );
        }
    }
}

#[test]
fn the_algorithm_belongs_to_the_key() {
    let (ed, ec) = (Signer::ed25519(), Signer::ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"));
    let public = gateway(&json!([
        { "alg": "EdDSA", "kid": "ed", "jwk": ed.jwk() },
        { "alg": "ES256", "kid": "ec", "jwk": ec.jwk() },
    ]));
    for header in [
        r#"{"alg":"none"}"#,
        r#"{"alg":"None"}"#,
        r#"{"alg":""}"#,
        r#"{}"#,
        r#"{"alg":"HS256"}"#,
        r#"{"alg":"HS256","kid":"ed"}"#,
        r#"{"alg":"EdDSA","kid":"ec"}"#,
        r#"{"alg":"EdDSA"}"#,
        r#"{"alg":"EdDSA","kid":"other"}"#,
        r#"{"alg":"EdDSA","kid":"../ed"}"#,
        r#"{"alg":"EdDSA","kid":"' or 1=1"}"#,
        r#"{"alg":"EdDSA","kid":["ed"]}"#,
        r#"{"alg":"ES256","kid":"ed"}"#,
        r#"{"alg":"eddsa","kid":"ed"}"#,
        r#"{"alg":"EdDSA","kid":"ed","alg":"none"}"#,
    ] {
        assert!(!is_accepted(&public, &ed.token(header, CLAIMS)), "of {header}");
    }
    // A public key is no secret: HMAC over the text of the key in any of its spellings.
    let x = ed.jwk()["x"].as_str().unwrap().to_owned();
    for guess in [x.as_bytes().to_vec(), unbase64(&x), ed.jwk().to_string().into_bytes()] {
        let forged = Signer::hmac(hmac::HMAC_SHA256, guess).token(r#"{"alg":"HS256","kid":"ed"}"#, CLAIMS);
        assert!(!is_accepted(&public, &forged));
    }
    // RSA by another padding or hash than the key's.
    let keys = json!([{ "alg": "RS256", "jwk": Signer::rsa(&signature::RSA_PKCS1_SHA256).jwk() }]);
    let rs256 = gateway(&keys);
    for (alg, signer) in signers().iter().filter(|(alg, _)| *alg != "RS256") {
        assert!(!is_accepted(&rs256, &signer.token(r#"{"alg":"RS256"}"#, CLAIMS)), "signed by {alg}");
        assert!(!is_accepted(&rs256, &signer.token(&json!({ "alg": alg }).to_string(), CLAIMS)), "said to be {alg}");
    }
    let unsigned = format!("{}.{}.", base64(r#"{"alg":"none"}"#), base64(CLAIMS));
    for gateway in [hmac_gateway(), public, rs256] {
        assert!(!is_accepted(&gateway, &unsigned));
    }
}

#[test]
fn a_token_brings_no_key_and_no_extension() {
    let with = |member: &str| format!(r#"{{"alg":"HS256",{member}}}"#);
    for member in [r#""crit":["exp"]"#, r#""crit":[]"#, r#""crit":"exp""#, r#""crit":null"#, r#""cty":"JWT""#] {
        assert!(!is_accepted(&hmac_gateway(), &hmac_token(&with(member), CLAIMS)), "of {member}");
    }
    // Not read, and so of no effect: neither fetched nor trusted.
    for member in
        [r#""jku":"https://evil/""#, r#""jwk":{"kty":"oct","k":"AA"}"#, r#""x5u":"https://evil/""#, r#""x5c":["AA"]"#]
    {
        let forged = Signer::hmac(hmac::HMAC_SHA256, [0]).token(&with(member), CLAIMS);
        assert!(!is_accepted(&hmac_gateway(), &forged), "of {member}");
    }
}

#[test]
fn only_tokens_that_grant_access_do() {
    for (header, accepted) in [
        (r#"{"alg":"HS256","typ":"JWT"}"#, true),
        (r#"{"alg":"HS256","typ":"jwt"}"#, true),
        (r#"{"alg":"HS256","typ":"at+jwt"}"#, true),
        (r#"{"alg":"HS256","typ":"application/at+jwt"}"#, true),
        (r#"{"alg":"HS256","typ":"logout+jwt"}"#, false),
        (r#"{"alg":"HS256","typ":"dpop+jwt"}"#, false),
        (r#"{"alg":"HS256","typ":"applicätion/"}"#, false),
    ] {
        assert_eq!(is_accepted(&hmac_gateway(), &hmac_token(header, CLAIMS)), accepted, "of {header}");
    }
    let keys = json!([{ "alg": "HS256", "secret": "{env.S}" }]);
    let strict = gateway_of(&json!({ "issuer": "i", "audience": "a", "typ": "at+jwt", "keys": keys }));
    for (header, accepted) in [
        (r#"{"alg":"HS256","typ":"at+JWT"}"#, true),
        (r#"{"alg":"HS256","typ":"application/at+jwt"}"#, true),
        (r#"{"alg":"HS256","typ":"JWT"}"#, false),
        (r#"{"alg":"HS256"}"#, false),
    ] {
        assert_eq!(is_accepted(&strict, &hmac_token(header, CLAIMS)), accepted, "of {header}");
    }
}

#[test]
fn a_token_that_was_touched_is_refused() {
    let mut good = vec![(hmac_gateway(), hmac_token(r#"{"alg":"HS256"}"#, CLAIMS))];
    for (alg, signer) in signers() {
        let token = signer.token(&json!({ "alg": alg }).to_string(), CLAIMS);
        good.push((gateway(&json!([{ "alg": alg, "jwk": signer.jwk() }])), token));
    }
    for (gateway, good) in good {
        assert!(is_accepted(&gateway, &good));
        let [header, claims, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
        let other_claims = base64(CLAIMS.replace("ada", "eve"));
        let bytes = unbase64(signature);
        // Of ECDSA, two zeroes fit every text if nobody looks (CVE-2022-21449).
        let zeroes = base64(vec![0; bytes.len()]);
        let ones = base64([vec![0; bytes.len() - 1], vec![1]].concat());
        for touched in [
            format!("{header}.{other_claims}.{signature}"),
            format!("{header}.{claims}."),
            format!("{header}.{claims}"),
            format!("{header}.{claims}.{}", &signature[..signature.len() - 2]),
            format!("{header}.{claims}.{signature}A"),
            format!("{header}.{claims}.{signature}="),
            format!("{header}.{claims}.{zeroes}"),
            format!("{header}.{claims}.{ones}"),
            format!("{header}.{claims}.{signature}.{signature}"),
            format!(" {header} .{claims}.{signature}"),
            format!("{claims}.{header}.{signature}"),
            format!("{header}.{claims}.{}", signature.replace(['-', '_'], "+")),
            format!("{good}\u{a0}"),
        ] {
            let untouched = touched == good;
            assert!(untouched || !is_accepted(&gateway, &touched), "of {touched:?}");
        }
        // The last letter of unpadded base64 may have spare bits: only one spelling counts.
        let last = signature.chars().last().unwrap();
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars() {
            let respelled = format!("{header}.{claims}.{}{letter}", &signature[..signature.len() - 1]);
            assert_eq!(is_accepted(&gateway, &respelled), letter == last);
        }
    }
}

#[test]
fn absurd_claims_end_in_a_refusal() {
    for claims in [
        "null",
        "[]",
        "\"x\"",
        "{",
        "",
        r#"{"exp":null}"#,
        r#"{"iss":"i","aud":"a","exp":9223372036854775807}"#,
        r#"{"iss":"i","aud":"a","exp":1e300}"#,
        r#"{"iss":"i","aud":"a","exp":"1767225660"}"#,
        r#"{"iss":"i","aud":"a","exp":true}"#,
        r#"{"iss":"i","aud":"a","exp":1767225660,"nbf":[]}"#,
        r#"{"iss":"i","aud":"a","exp":1767225660,"exp":1900000000}"#,
        r#"{"iss":"i","aud":"a","exp":-8000000000000}"#,
        r#"{"iss":"i","aud":"a","exp":8000000000000,"nbf":8000000000000}"#,
        r#"{"iss":["i"],"aud":"a","exp":1767225660}"#,
        r#"{"iss":"i","aud":{"a":1},"exp":1767225660}"#,
        r#"{"iss":"i","aud":["b",["a"]],"exp":1767225660}"#,
    ] {
        assert!(!is_accepted(&hmac_gateway(), &hmac_token(r#"{"alg":"HS256"}"#, claims)), "of {claims}");
    }
    let deep =
        format!("{{\"iss\":\"i\",\"aud\":\"a\",\"exp\":1767225660,\"x\":{}1{}}}", "[".repeat(2000), "]".repeat(2000));
    assert!(!is_accepted(&hmac_gateway(), &hmac_token(r#"{"alg":"HS256"}"#, &deep)));
    let huge = CLAIMS.replace("ada", &"x".repeat(9000));
    assert!(!is_accepted(&hmac_gateway(), &hmac_token(r#"{"alg":"HS256"}"#, &huge)));
}

#[test]
fn a_secret_that_is_missing_or_weak_lets_nobody_in() {
    let token = hmac_token(r#"{"alg":"HS256"}"#, CLAIMS);
    for secret in [None, Some("short")] {
        let mut world = World::new(|_| unreachable!());
        if let Some(secret) = secret {
            world = world.with_secret("S", secret);
        }
        let got =
            world.run(world.send(&hmac_gateway(), "GET", "http://g/x", &format!("authorization:Bearer {token}\n")));
        assert_eq!(got.status, 500);
        assert!(world.log.take().join("").contains("the secret S is"));
    }
}

#[test]
fn a_secret_that_is_missing_beside_a_good_one_is_for_the_log_alone() {
    for names in [["{env.S}", "{env.UNSET}"], ["{env.UNSET}", "{env.S}"]] {
        let gateway = gateway(&json!(names.map(|name| json!({ "alg": "HS256", "secret": name }))));
        assert!(is_accepted(&gateway, &hmac_token(r#"{"alg":"HS256"}"#, CLAIMS)));
        let forged = Signer::hmac(hmac::HMAC_SHA256, [0; 32]).token(r#"{"alg":"HS256"}"#, CLAIMS);
        let (status, log) = answer(&gateway, &forged);
        assert!(status == 401 && log.contains("the secret UNSET is not set"), "{log}");
    }
}

#[test]
fn a_key_takes_the_kid_of_its_jwk() {
    let signer = Signer::ed25519();
    let mut jwk = signer.jwk();
    jwk["kid"] = json!("own");
    let gateway = gateway(&json!([{ "alg": "EdDSA", "jwk": jwk }]));
    assert!(is_accepted(&gateway, &signer.token(r#"{"alg":"EdDSA","kid":"own"}"#, CLAIMS)));
    assert!(!is_accepted(&gateway, &signer.token(r#"{"alg":"EdDSA"}"#, CLAIMS)));
}

#[test]
fn a_signature_is_checked_once_until_the_token_expires() {
    let signer = Signer::ed25519();
    let gateway = gateway(&json!([{ "alg": "EdDSA", "jwk": signer.jwk() }]));
    let world = world();
    let send = |token: String| {
        let fields = format!("authorization:Bearer {token}\n");
        world.run(world.send(&gateway, "GET", "http://g/x", &fields)).status
    };
    let token = signer.token(r#"{"alg":"EdDSA"}"#, CLAIMS);
    for _ in 0..5 {
        assert_eq!(send(token.clone()), 200);
    }
    assert_eq!(world.verified.get(), 1);
    // Another signature of the same claims is another token, and a bad one is asked for each time.
    let (data, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{data}.{}", base64([7; 64]));
    assert_eq!([send(forged.clone()), send(forged), send(token.clone())], [401, 401, 200]);
    assert_eq!(world.verified.get(), 3);
    // Its time and the leeway are over.
    world.run(world.sleep_until(std::time::Duration::from_secs(90)));
    assert_eq!(send(token), 401);
}

#[test]
fn a_token_in_the_query_does_not_go_elsewhere_with_a_redirect() {
    let keys = json!([{ "alg": "HS256", "secret": "{env.S}" }]);
    let rule = json!({ "issuer": "i", "audience": "a", "from": { "query": "token" }, "keys": keys });
    let gateway = loaded(
        &json!({ "auth": { "r": { "jwt": rule } }, "routes": [
            { "path": "/elsewhere", "auth": "r", "redirect": "https://other.example/x" },
            { "path": "/here", "auth": "r", "redirect": "/x" },
        ] })
        .to_string(),
    );
    let world = world();
    let token = hmac_token(r#"{"alg":"HS256"}"#, CLAIMS);
    let location = |target: String| {
        let got = world.run(world.send(&gateway, "GET", &format!("http://g{target}"), ""));
        assert_eq!(got.status, 307);
        got.headers["location"].clone()
    };
    assert_eq!(location(format!("/elsewhere?a=1&token={token}&b=2")), "https://other.example/x?a=1&b=2");
    assert_eq!(location(format!("/elsewhere?%74oken={token}")), "https://other.example/x");
    // Here it is asked for again.
    assert_eq!(location(format!("/here?token={token}")), format!("/x?token={token}"));
}
