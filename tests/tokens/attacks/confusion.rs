//! Keys taken for others, and signatures that are numbers which no signature has.

use ring::{hmac, signature};
use serde_json::{Value, json};

use super::super::{CLAIMS, gateway, gateway_of, is_accepted, signers, world};
use crate::signing::{Signer, base64, unbase64};

#[test]
fn the_algorithm_belongs_to_the_key() {
    let signers = signers();
    let key = |(alg, signer): &(&str, Signer)| json!({ "alg": alg, "kid": alg, "jwk": signer.jwk() });
    let keys: Vec<Value> = signers.iter().map(key).collect();
    let all = gateway(&json!(keys));
    for (own, key) in signers.iter().map(|(alg, _)| alg).zip(&keys) {
        let alone = gateway(&json!([key]));
        for (alg, signer) in &signers {
            for said in ["none", "HS256", own, alg] {
                let token = signer.token(json!({ "alg": said, "kid": own }).to_string(), CLAIMS);
                let is_right = alg == own && said == *own;
                for gateway in [&alone, &all] {
                    assert_eq!(is_accepted(gateway, &token), is_right, "by {alg}, said to be {said}, for {own}");
                }
            }
        }
        // A public key is no secret, in whatever spelling (CVE-2015-9235, CVE-2016-10555).
        for (what, secret) in spellings(&key["jwk"]) {
            for (alg, hmac) in
                [("HS256", hmac::HMAC_SHA256), ("HS384", hmac::HMAC_SHA384), ("HS512", hmac::HMAC_SHA512)]
            {
                for said in [alg, own] {
                    let header = json!({ "alg": said, "kid": own }).to_string();
                    let forged = Signer::hmac(hmac, &secret).token(header, CLAIMS);
                    assert!(!is_accepted(&alone, &forged) && !is_accepted(&all, &forged), "{what} of {own} for {said}");
                }
            }
        }
    }
}

/// A public key as somebody may have it who takes it for a secret.
fn spellings(jwk: &Value) -> Vec<(&'static str, Vec<u8>)> {
    let bytes = |name: &str| jwk[name].as_str().map(unbase64).unwrap_or_default();
    let raw = [bytes("n"), bytes("x"), bytes("y")].concat();
    let hex =
        |text: &str| (0..text.len() / 2).map(|at| u8::from_str_radix(&text[at * 2..][..2], 16).unwrap()).collect();
    let der: Vec<u8> = match (jwk["kty"].as_str().unwrap(), jwk["crv"].as_str()) {
        ("RSA", _) => {
            let before: Vec<u8> = hex("30820122300d06092a864886f70d01010105000382010f003082010a0282010100");
            [before, raw.clone(), hex("0203010001")].concat()
        }
        (_, Some("P-256")) => {
            let before: Vec<u8> = hex("3059301306072a8648ce3d020106082a8648ce3d03010703420004");
            [before, raw.clone()].concat()
        }
        (_, Some("P-384")) => {
            let before: Vec<u8> = hex("3076301006072a8648ce3d020106052b8104002203620004");
            [before, raw.clone()].concat()
        }
        _ => [hex("302a300506032b6570032100"), raw.clone()].concat(),
    };
    let lines = |end: &str| {
        let text = <base64ct::Base64 as base64ct::Encoding>::encode_string(&der);
        let lines: Vec<&str> = text.as_bytes().chunks(64).map(|line| std::str::from_utf8(line).unwrap()).collect();
        format!("-----BEGIN PUBLIC KEY-----{end}{}{end}-----END PUBLIC KEY-----", lines.join(end))
    };
    vec![
        ("the JWK", jwk.to_string().into_bytes()),
        ("the JWK in lines", serde_json::to_vec_pretty(jwk).unwrap()),
        ("the numbers", raw.clone()),
        ("the numbers in base64url", base64(&raw).into_bytes()),
        ("the point", [vec![4], raw].concat()),
        ("PEM", lines("\n").into_bytes()),
        ("PEM and a line break", format!("{}\n", lines("\n")).into_bytes()),
        ("PEM with other line breaks", lines("\r\n").into_bytes()),
        ("PEM in one line", lines("").into_bytes()),
        ("DER", der),
        ("nothing", Vec::new()),
    ]
}

/// The orders of the curves, in hex.
const ORDERS: [(&str, &str); 2] = [
    ("ES256", "ffffffff00000000ffffffffffffffffbce6faada7179e84f3b9cac2fc632551"),
    ("ES384", "ffffffffffffffffffffffffffffffffffffffffffffffffc7634d81f4372ddf581a0db248b0a77aecec196accc52973"),
];

#[test]
fn an_ecdsa_signature_is_two_numbers_within_the_order() {
    for (alg, order) in ORDERS {
        let (_, signer) = signers().into_iter().find(|(other, _)| *other == alg).unwrap();
        let gateway = gateway(&json!([{ "alg": alg, "jwk": signer.jwk() }]));
        let good = signer.token(json!({ "alg": alg }).to_string(), CLAIMS);
        let (data, signature) = good.rsplit_once('.').unwrap();
        let signature = unbase64(signature);
        let (r, s) = signature.split_at(signature.len() / 2);
        let n: Vec<u8> = (0..r.len()).map(|at| u8::from_str_radix(&order[at * 2..][..2], 16).unwrap()).collect();
        let small = |value: u8| [vec![0; r.len() - 1], vec![value]].concat();
        let before = minus(&n, &small(1));
        // Psychic signatures (CVE-2022-21449), and what else is not from 1 to n - 1.
        for r in [&small(0), &small(1), &before, &n, &vec![0xff; r.len()]] {
            for s in [&small(0), &small(1), &before, &n, &vec![0xff; r.len()]] {
                assert!(
                    !is_accepted(&gateway, &format!("{data}.{}", base64([r.clone(), s.clone()].concat()))),
                    "{alg}"
                );
            }
        }
        for number in [&small(0), &n] {
            assert!(!is_accepted(&gateway, &format!("{data}.{}", base64([number, s].concat()))));
            assert!(!is_accepted(&gateway, &format!("{data}.{}", base64([r, number].concat()))));
        }
        // DER instead of the numbers themselves (RFC 7518, section 3.4).
        let integer = |number: &[u8]| {
            let sign: &[u8] = if number[0] > 0x7f { &[0] } else { &[] };
            [&[2, (sign.len() + number.len()) as u8], sign, number].concat()
        };
        let numbers = [integer(r), integer(s)].concat();
        let der = [&[0x30, numbers.len() as u8][..], &numbers].concat();
        assert!(!is_accepted(&gateway, &format!("{data}.{}", base64(der))), "{alg} in DER");
        // The other of the two signatures that each text has. It is as good, of the same caller, and of the same `jti`.
        let other = format!("{data}.{}", base64([r, &minus(&n, s)].concat()));
        assert!(other != good && is_accepted(&gateway, &other));
    }
}

/// One number less another that is not larger, both of as many bytes.
fn minus(from: &[u8], number: &[u8]) -> Vec<u8> {
    let mut borrow = 0;
    let mut difference: Vec<u8> = Vec::new();
    for (from, number) in from.iter().rev().zip(number.iter().rev()) {
        let digit = i16::from(*from) - i16::from(*number) - borrow;
        borrow = i16::from(digit < 0);
        difference.insert(0, (digit & 0xff) as u8);
    }
    difference
}

#[test]
fn another_signature_of_a_revoked_token_is_revoked_as_well() {
    let (alg, signer) = ("ES256", Signer::ecdsa(&signature::ECDSA_P256_SHA256_FIXED_SIGNING, "P-256"));
    let keys = json!([{ "alg": alg, "jwk": signer.jwk() }]);
    let gateway = gateway_of(&json!({ "issuer": "i", "audience": "a", "revocation": true, "keys": keys }));
    let world = world();
    world.kv.borrow_mut().as_mut().unwrap().insert("postern/revoked/r/jti/1".into(), "1".into());
    let good = signer.token(r#"{"alg":"ES256"}"#, CLAIMS.replace("ada", r#"ada","jti":"1"#));
    let (data, signature) = good.rsplit_once('.').unwrap();
    let signature = unbase64(signature);
    let n: Vec<u8> = (0..32).map(|at| u8::from_str_radix(&ORDERS[0].1[at * 2..][..2], 16).unwrap()).collect();
    let other = format!("{data}.{}", base64([&signature[..32], &minus(&n, &signature[32..])].concat()));
    for token in [good, other] {
        let got = world.run(world.send(&gateway, "GET", "http://g/x", &format!("authorization:Bearer {token}\n")));
        assert_eq!(got.status, 401);
        assert!(world.log.take().join("").contains("token revoked"));
    }
}
