//! Tokens that count and tokens that do not: what they are signed with, and what was done to them. What the claims
//! must be is in `tests/scenarios/auth`.

mod attacks; // what is known to be tried
mod key_sets; // keys by URL
mod vectors; // what others published: tests/vectors

use postern::gateway::Gateway;
use ring::{hmac, signature};
use serde_json::{Value, json};

use crate::chaos::loaded;
use crate::signing::{Signer, base64};
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

fn hmac_token(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
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
        let token = signer.token(json!({ "alg": alg, "kid": "k" }).to_string(), CLAIMS);
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
        let token = Signer::hmac(hmac, &secret).token(json!({ "alg": alg }).to_string(), CLAIMS);
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
fn what_is_known_of_a_header_changes_nothing() {
    let stranger = Signer::hmac(hmac::HMAC_SHA256, [0; 32]);
    let mut headers = vec![
        r#"{"alg":"HS256"}"#.to_owned(),
        r#"{"alg":"HS256","typ":"JWT"}"#.to_owned(),
        r#"{"alg":"HS256","typ":"logout+jwt"}"#.to_owned(),
        r#"{"alg":"HS256","cty":"JWT"}"#.to_owned(),
        r#"{"alg":"HS256","crit":[]}"#.to_owned(),
        r#"{"alg":"HS384"}"#.to_owned(),
        r#"{"alg":"none"}"#.to_owned(),
        "{}".to_owned(),
        "null".to_owned(),
    ];
    // More than are known at once.
    headers.extend((0..20).map(|kid| format!(r#"{{"alg":"HS256","kid":"{kid}"}}"#)));
    let gateway = hmac_gateway();
    for round in 0..3 {
        let claims = CLAIMS.replace("ada", &format!("ada-{round}"));
        for header in &headers {
            for token in [hmac_token(header, &claims), stranger.token(header, &claims), hmac_token(header, "[]")] {
                let fresh = is_accepted(&hmac_gateway(), &token);
                assert_eq!(is_accepted(&gateway, &token), fresh, "of {header} in round {round}: {token}");
            }
        }
    }
}

/// As an isolate that goes on while secrets of its environment change.
#[test]
fn what_was_found_out_by_another_secret_counts_no_more() {
    let other = SECRET.to_uppercase();
    let gateway = gateway(&json!([{ "alg": "HS256", "secret": "{env.S}" }, { "alg": "HS256", "secret": "{env.T}" }]));
    let token = |secret: &str, number: u32| {
        let claims = CLAIMS.replace("ada", &format!("ada-{number}"));
        Signer::hmac(hmac::HMAC_SHA256, secret).token(r#"{"alg":"HS256"}"#, claims)
    };
    let status = |secrets: &[(&str, &str)], token: &str| {
        let answers = |_: &str| Behaviour::json(std::time::Duration::ZERO, "1");
        let world = secrets.iter().fold(World::new(answers), |world, (name, secret)| world.with_secret(name, secret));
        world.run(world.send(&gateway, "GET", "http://g/x", &format!("authorization:Bearer {token}\n"))).status
    };
    let both = [("S", SECRET), ("T", SECRET)];
    let renewed = [("S", other.as_str()), ("T", other.as_str())];
    let (old, new) = (token(SECRET, 0), token(&other, 0));
    for (secrets, token, expected) in [
        // Nothing can be told yet.
        (&[][..], &old, 500),
        (&[("S", "short")], &old, 500),
        // Who is refused while a secret is missing, is so until it is there.
        (&[("S", other.as_str())], &old, 401),
        (&both, &old, 200),
        (&both, &new, 401),
        // Both are remembered, until something new tells that the secrets are others.
        (&renewed, &token(&other, 1), 200),
        (&renewed, &new, 200),
        (&renewed, &old, 401),
        (&renewed, &token(SECRET, 1), 401),
        // And back.
        (&both, &token(SECRET, 2), 200),
        (&both, &new, 401),
        (&both, &old, 200),
    ] {
        assert_eq!(status(secrets, token), expected, "of {token} with {secrets:?}");
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
    // Another signature of the same claims is another token, and a bad one stays so.
    let (data, _) = token.rsplit_once('.').unwrap();
    let forged = format!("{data}.{}", base64([7; 64]));
    assert_eq!([send(forged.clone()), send(forged), send(token.clone())], [401, 401, 200]);
    assert_eq!(world.verified.get(), 2);
    // Its time and the leeway are over, for ever.
    world.run(world.sleep_until(std::time::Duration::from_secs(90)));
    assert_eq!([send(token.clone()), send(token)], [401, 401]);
    assert_eq!(world.verified.get(), 3);
}

#[test]
fn a_token_whose_time_has_not_come_is_not_refused_for_good() {
    let gateway = hmac_gateway();
    let world = world();
    // A minute and a half from the beginning.
    let claims = r#"{"iss":"i","aud":"a","sub":"ada","nbf":1767225690,"exp":1767229200}"#;
    let fields = format!("authorization:Bearer {}\n", hmac_token(r#"{"alg":"HS256"}"#, claims));
    let send = || world.run(world.send(&gateway, "GET", "http://g/x", &fields)).status;
    assert_eq!([send(), send()], [401, 401]);
    world.run(world.sleep_until(std::time::Duration::from_secs(90)));
    assert_eq!(send(), 200);
}

#[test]
fn a_refusal_that_is_remembered_says_the_same() {
    let gateway = hmac_gateway();
    let forged = Signer::hmac(hmac::HMAC_SHA256, [0; 32]).token(r#"{"alg":"HS256"}"#, CLAIMS);
    let first = answer(&gateway, &forged);
    assert!(first.0 == 401 && first.1.contains("not signed by a key here"), "{first:?}");
    assert_eq!(answer(&gateway, &forged), first);
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
