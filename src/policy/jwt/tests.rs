//! Tokens that count, tokens that do not, and the published vectors of the algorithms. What the
//! claims must be is in `tests/scenarios/auth`.

use jwt_compact::Algorithm;
use jwt_compact::alg::{Ed25519, Es256, Hs256, Hs256Key, SigningKey};
use jwt_compact::jwk::JsonWebKey;
use serde_json::json;

use super::key::Material;
use super::*;
use crate::settings::{FromNode, Node};

const SECRET: &str = "a-secret-of-the-tests-of-32-bytes";
const NOW: UnixMillis = UnixMillis(1_800_000_000_000);
const CLAIMS: &str = r#"{"iss":"i","aud":"a","sub":"ada","exp":1800000060}"#;

/// The key pair of RFC 8037, appendix A.
const ED_SECRET: &str = "nWGxne_9WmC6hEr0kuwsxERJxWl7MmkZcDusAxyuf2A";
const ED_PUBLIC: &str = "11qYAYKxCrfVS_7TyWQHOg7hcvPapiMlrwIaaPcHURo";
/// The key pair of RFC 7515, appendix A.3.
const EC_X: &str = "f83OJ3D2xF1Bg8vub9tLe1gHMzV76e8Tus9uPHvRVEU";
const EC_Y: &str = "x_FEzRu9m36HLN_tue659LNpXW6pCyStikYjKIWI5a0";
const EC_SECRET: &str = "jpsQnnGQmL-YBIffH1136cspYG6-0iY7X1fCE9-E9LI";

fn rule(keys: &serde_json::Value) -> JwtRule {
    let settings = json!({ "issuer": "i", "audience": "a", "keys": keys }).to_string();
    let node: Node = serde_json::from_str(&settings).unwrap();
    let (place, mut problems) = (Place::root(), Problems::default());
    let settings = JwtSettings::from_node(&node, &place, &mut problems).unwrap();
    JwtRule::compile("rule", settings, &place, &mut problems).unwrap_or_else(|| panic!("{problems:?}"))
}

fn hmac_rule() -> JwtRule {
    rule(&json!([{ "alg": "HS256", "secret": "{env.S}" }]))
}

fn public_rule() -> JwtRule {
    rule(&json!([
        { "alg": "EdDSA", "kid": "ed", "jwk": { "kty": "OKP", "crv": "Ed25519", "x": ED_PUBLIC } },
        { "alg": "ES256", "kid": "ec", "jwk": { "kty": "EC", "crv": "P-256", "x": EC_X, "y": EC_Y } },
    ]))
}

fn identify(rule: &JwtRule, token: &str) -> Result<Caller, NotIdentified> {
    rule.identify(Some(&format!("Bearer {token}")), NOW, |name| (name == "S").then(|| SECRET.to_owned()))
}

fn is_accepted(rule: &JwtRule, token: &str) -> bool {
    match identify(rule, token) {
        Ok(_) => true,
        Err(NotIdentified::NotAccepted(_)) => false,
        Err(other) => panic!("{other:?}"),
    }
}

fn base64(bytes: &[u8]) -> String {
    const ALPHABET: &[u8; 64] = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let mut text = String::new();
    for chunk in bytes.chunks(3) {
        let group = chunk.iter().fold(0u32, |group, byte| group << 8 | u32::from(*byte)) << (8 * (3 - chunk.len()));
        let letters = [18, 12, 6, 0].map(|shift| char::from(ALPHABET[(group >> shift) as usize & 63]));
        text.extend(&letters[..=chunk.len()]);
    }
    text
}

fn unbase64(text: &str) -> Vec<u8> {
    let jwk = json!({ "kty": "oct", "k": text }).to_string();
    match serde_json::from_str(&jwk).unwrap() {
        JsonWebKey::Symmetric { secret } => secret.to_vec(),
        other => panic!("{other:?}"),
    }
}

fn signed<A: Algorithm>(algorithm: &A, key: &A::SigningKey, header: &str, claims: &str) -> String {
    use jwt_compact::AlgorithmSignature;
    let data = format!("{}.{}", base64(header.as_bytes()), base64(claims.as_bytes()));
    let signature = algorithm.sign(key, data.as_bytes());
    format!("{data}.{}", base64(&signature.as_bytes()))
}

fn hmac(header: &str, claims: &str) -> String {
    signed(&Hs256, &Hs256Key::new(SECRET), header, claims)
}

fn ed(header: &str) -> String {
    let key = <Ed25519 as Algorithm>::SigningKey::from_slice(&unbase64(ED_SECRET)).unwrap();
    signed(&Ed25519, &key, header, CLAIMS)
}

fn ec(header: &str) -> String {
    let key = <Es256 as Algorithm>::SigningKey::from_slice(&unbase64(EC_SECRET)).unwrap();
    signed(&Es256, &key, header, CLAIMS)
}

#[test]
fn a_good_token_says_who_is_calling() {
    let caller = identify(&hmac_rule(), &hmac(r#"{"alg":"HS256"}"#, CLAIMS)).unwrap();
    assert_eq!(caller.claim("sub").as_deref(), Some("ada"));
    assert_eq!(caller.issuer(), "i");
    assert!(is_accepted(&public_rule(), &ed(r#"{"alg":"EdDSA","kid":"ed"}"#)));
    assert!(is_accepted(&public_rule(), &ec(r#"{"alg":"ES256","kid":"ec"}"#)));
}

#[test]
fn the_published_signatures_verify() {
    // RFC 8037 A.4 and RFC 7515 A.3: their payloads are no claims of ours, so the signature alone.
    let rule = public_rule();
    let ed = "eyJhbGciOiJFZERTQSJ9.RXhhbXBsZSBvZiBFZDI1NTE5IHNpZ25pbmc.\
              hgyY0il_MGCjP0JzlnLWG1PPOt7-09PGcvMg3AIbQR6dWbhijcNR4ki4iylGjg5BhVsPt9g7sVvpAr_MuM0KAg";
    let ec = "eyJhbGciOiJFUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAsDQogImh0dHA6Ly9leGFt\
              cGxlLmNvbS9pc19yb290Ijp0cnVlfQ.DtEhU3ljbEg8L38VWAfUAqOyKAM6-Xx-F4GawxaepmXFCgfTjDxw5djxLa8IS\
              lSApmWQxfKTUJqPP3-Kg6NU1Q";
    let verify = |token: &str, key: &Key| {
        let (data, signature) = token.rsplit_once('.').unwrap();
        match &key.material {
            Material::Ed25519(key) => Ed25519.verify_signature(
                &jwt_compact::AlgorithmSignature::try_from_slice(&unbase64(signature)).unwrap(),
                key,
                data.as_bytes(),
            ),
            Material::Es256(key) => Es256.verify_signature(
                &jwt_compact::AlgorithmSignature::try_from_slice(&unbase64(signature)).unwrap(),
                key,
                data.as_bytes(),
            ),
            Material::Secret(..) => unreachable!(),
        }
    };
    assert!(verify(ed, &rule.keys[0]));
    assert!(verify(ec, &rule.keys[1]));
}

#[test]
fn the_algorithm_belongs_to_the_key() {
    let public = public_rule();
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
        r#"{"alg":"ES256","kid":"ed"}"#,
        r#"{"alg":"eddsa","kid":"ed"}"#,
        r#"{"alg":"EdDSA","kid":"ed","alg":"none"}"#,
    ] {
        assert!(!is_accepted(&public, &ed(header)), "of {header}");
    }
    // A public key is no secret: HMAC over the text of the key in any of its spellings.
    for guess in [ED_PUBLIC.as_bytes().to_vec(), unbase64(ED_PUBLIC)] {
        let forged = signed(&Hs256, &Hs256Key::new(guess), r#"{"alg":"HS256","kid":"ed"}"#, CLAIMS);
        assert!(!is_accepted(&public, &forged));
    }
    let unsigned = format!("{}.{}.", base64(br#"{"alg":"none"}"#), base64(CLAIMS.as_bytes()));
    for rule in [hmac_rule(), public_rule()] {
        assert!(!is_accepted(&rule, &unsigned));
    }
}

#[test]
fn a_token_brings_no_key_and_no_extension() {
    let with = |member: &str| format!(r#"{{"alg":"HS256",{member}}}"#);
    for member in [r#""crit":["exp"]"#, r#""crit":[]"#, r#""crit":"exp""#, r#""crit":null"#, r#""cty":"JWT""#] {
        assert!(!is_accepted(&hmac_rule(), &hmac(&with(member), CLAIMS)), "of {member}");
    }
    // Not read, and so of no effect: neither fetched nor trusted.
    for member in [r#""jku":"https://evil/""#, r#""jwk":{"kty":"oct","k":"AA"}"#, r#""x5u":"https://evil/""#] {
        let forged = signed(&Hs256, &Hs256Key::new([0]), &with(member), CLAIMS);
        assert!(!is_accepted(&hmac_rule(), &forged), "of {member}");
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
        assert_eq!(is_accepted(&hmac_rule(), &hmac(header, CLAIMS)), accepted, "of {header}");
    }
}

#[test]
fn a_token_that_was_touched_is_refused() {
    for (rule, good) in [
        (hmac_rule(), hmac(r#"{"alg":"HS256"}"#, CLAIMS)),
        (public_rule(), ed(r#"{"alg":"EdDSA","kid":"ed"}"#)),
        (public_rule(), ec(r#"{"alg":"ES256","kid":"ec"}"#)),
    ] {
        assert!(is_accepted(&rule, &good));
        let [header, claims, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
        let other_claims = base64(CLAIMS.replace("ada", "eve").as_bytes());
        let zeroes = base64(&[0; 64]);
        for touched in [
            format!("{header}.{other_claims}.{signature}"),
            format!("{header}.{claims}."),
            format!("{header}.{claims}"),
            format!("{header}.{claims}.{}", &signature[..signature.len() - 2]),
            format!("{header}.{claims}.{signature}A"),
            format!("{header}.{claims}.{signature}="),
            format!("{header}.{claims}.{zeroes}"),
            format!("{header}.{claims}.{signature}.{signature}"),
            format!(" {header} .{claims}.{signature}"),
            format!("{header}.{claims}.{}", signature.replace(['-', '_'], "+")),
            format!("{good}\n"),
        ] {
            let untouched = touched == good;
            assert!(untouched || !is_accepted(&rule, &touched), "of {touched:?}");
        }
        // The last letter of unpadded base64 has spare bits: only one spelling counts.
        let last = signature.chars().last().unwrap();
        for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_".chars() {
            let respelled = format!("{header}.{claims}.{}{letter}", &signature[..signature.len() - 1]);
            assert_eq!(is_accepted(&rule, &respelled), letter == last);
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
        r#"{"iss":"i","aud":"a","exp":"1800000060"}"#,
        r#"{"iss":"i","aud":"a","exp":true}"#,
        r#"{"iss":"i","aud":"a","exp":1800000060,"nbf":[]}"#,
        r#"{"iss":"i","aud":"a","exp":1800000060,"exp":1900000000}"#,
    ] {
        assert!(!is_accepted(&hmac_rule(), &hmac(r#"{"alg":"HS256"}"#, claims)), "of {claims}");
    }
    for (claims, expected) in [
        (r#"{"iss":"i","aud":"a","exp":-8000000000000}"#, NotIdentified::Expired),
        (r#"{"iss":"i","aud":"a","exp":8000000000000,"nbf":8000000000000}"#, NotIdentified::NotYet),
    ] {
        assert_eq!(identify(&hmac_rule(), &hmac(r#"{"alg":"HS256"}"#, claims)), Err(expected), "of {claims}");
    }
}

#[test]
fn a_secret_that_is_missing_or_weak_lets_nobody_in() {
    let token = format!("Bearer {}", hmac(r#"{"alg":"HS256"}"#, CLAIMS));
    for secret in [None, Some("short")] {
        let identified = hmac_rule().identify(Some(&token), NOW, |_| secret.map(str::to_owned));
        assert!(matches!(identified, Err(NotIdentified::Misconfigured(_))));
    }
}

#[test]
fn a_secret_that_is_missing_beside_a_good_one_is_for_the_log_alone() {
    for names in [["{env.S}", "{env.UNSET}"], ["{env.UNSET}", "{env.S}"]] {
        let rule = rule(&json!(names.map(|name| json!({ "alg": "HS256", "secret": name }))));
        assert!(is_accepted(&rule, &hmac(r#"{"alg":"HS256"}"#, CLAIMS)));
        let forged = signed(&Hs256, &Hs256Key::new([0; 32]), r#"{"alg":"HS256"}"#, CLAIMS);
        match identify(&rule, &forged) {
            Err(NotIdentified::NotAccepted(why)) => assert!(why.contains("the secret UNSET is not set"), "{why}"),
            other => panic!("{other:?}"),
        }
    }
}

#[test]
fn the_times_of_a_token_are_claims_too() {
    let claims = r#"{"iss":"i","aud":"a","exp":1800000060,"iat":1800000000}"#;
    let caller = identify(&hmac_rule(), &hmac(r#"{"alg":"HS256"}"#, claims)).unwrap();
    assert_eq!(caller.claim("iat").as_deref(), Some("1800000000"));
    assert_eq!(caller.claim("exp").as_deref(), Some("1800000060"));
    assert_eq!(caller.claim("nbf"), None);
}

#[test]
fn a_key_takes_the_kid_of_its_jwk() {
    let jwk = json!({ "kty": "OKP", "crv": "Ed25519", "x": ED_PUBLIC, "kid": "own", "use": "sig", "alg": "EdDSA" });
    let rule = rule(&json!([{ "alg": "EdDSA", "jwk": jwk }]));
    assert!(is_accepted(&rule, &ed(r#"{"alg":"EdDSA","kid":"own"}"#)));
    assert!(!is_accepted(&rule, &ed(r#"{"alg":"EdDSA"}"#)));
}

#[test]
fn a_bearer_token_has_one_form() {
    for (header, token) in [
        ("Bearer abc", Some("abc")),
        ("bearer abc", Some("abc")),
        ("BEARER  abc ", Some("abc")),
        ("Bearer", None),
        ("Bearer ", None),
        ("Basic abc", None),
        ("abc", None),
        ("", None),
        ("Bearer\tabc", None),
    ] {
        assert_eq!(bearer_token(header), token, "of {header:?}");
    }
}
