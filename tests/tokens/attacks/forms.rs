//! What can be done to a token without its key: each is another token, and none is let in.

use serde_json::json;

use super::super::{CLAIMS, gateway, hmac_gateway, hmac_token, is_accepted, signers};
use crate::signing::{base64, unbase64};

/// What the attacker does, and the token that they send.
type Attacks = Vec<(String, String)>;

fn attack(attacks: &mut Attacks, what: impl Into<String>, token: impl Into<String>) {
    attacks.push((what.into(), token.into()));
}

/// What can be done to a token without its key.
fn of_form(good: &str) -> Attacks {
    let mut all = Attacks::new();
    let [header, claims, signature]: [&str; 3] = good.split('.').collect::<Vec<_>>().try_into().unwrap();
    let bytes = unbase64(signature);
    let signed = |bytes: &[u8]| format!("{header}.{claims}.{}", base64(bytes));
    let eve = base64(CLAIMS.replace("ada", "eve"));
    attack(&mut all, "others' claims", format!("{header}.{eve}.{signature}"));
    attack(&mut all, "others' claims and no signature (CVE-2020-28042)", format!("{header}.{eve}."));
    attack(&mut all, "a header that says more", format!("{}.{claims}.{signature}", base64(r#"{"alg":"HS256","a":1}"#)));
    attack(&mut all, "unsecured", format!("{}.{claims}.", base64(r#"{"alg":"none"}"#)));
    attack(&mut all, "unsecured, with a signature", format!("{}.{claims}.{signature}", base64(r#"{"alg":"none"}"#)));
    // All of those that are short, some of RSA.
    let step = bytes.len().div_ceil(64);
    for length in (0..bytes.len()).step_by(step) {
        attack(&mut all, format!("a signature cut to {length}"), signed(&bytes[..length]));
    }
    for value in [vec![0], vec![1], vec![0xff], vec![0; 64], vec![0xff; 64]] {
        attack(&mut all, format!("{value:?} after the signature"), signed(&[&bytes[..], &value].concat()));
        attack(&mut all, format!("{value:?} before the signature"), signed(&[&value, &bytes[..]].concat()));
    }
    for (what, fill) in [("zeroes", 0), ("ones", 0xff)] {
        attack(&mut all, what, signed(&vec![fill; bytes.len()]));
    }
    for bit in (0..bytes.len() * 8).step_by(step * step) {
        let mut touched = bytes.clone();
        touched[bit / 8] ^= 1 << (bit % 8);
        attack(&mut all, format!("bit {bit} of the signature"), signed(&touched));
    }
    // The last letter of unpadded base64 may have spare bits: only one spelling counts.
    for letter in "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_+/=. ".chars() {
        for end in [header.len(), header.len() + 1 + claims.len(), good.len()] {
            let respelled = format!("{}{letter}{}", &good[..end - 1], &good[end..]);
            attack(&mut all, format!("{letter:?} at the end of a part"), respelled);
        }
    }
    for between in ["=", "==", "%3D", " ", "\t", "\u{a0}", "\u{200b}", "\u{0}", "-", "#", "?", "é"] {
        for (place, token) in [
            ("after the header", format!("{header}{between}.{claims}.{signature}")),
            ("before the claims", format!("{header}.{between}{claims}.{signature}")),
            ("after the claims", format!("{header}.{claims}{between}.{signature}")),
            ("before the signature", format!("{header}.{claims}.{between}{signature}")),
            ("in the signature", format!("{header}.{claims}.{}{between}{}", &signature[..5], &signature[5..])),
        ] {
            attack(&mut all, format!("{between:?} {place}"), token);
        }
        if between != " " {
            attack(&mut all, format!("{between:?} after the token"), format!("{good}{between}"));
        }
    }
    for (what, token) in [
        ("two parts", format!("{header}.{claims}")),
        ("one part", header.to_owned()),
        ("four parts", format!("{good}.{signature}")),
        ("four parts, the last empty", format!("{good}.")),
        ("four parts, the first empty", format!(".{good}")),
        ("five parts, as if encrypted (RFC 7516)", format!("{header}.{claims}.{signature}.{claims}.{signature}")),
        ("another order", format!("{claims}.{header}.{signature}")),
        ("another order still", format!("{header}.{signature}.{claims}")),
        ("no claims", format!("{header}..{signature}")),
        ("no header", format!(".{claims}.{signature}")),
        ("nothing but dots", "..".to_owned()),
        ("twice", format!("{good}{good}")),
        ("twice in a field", format!("{good}, Bearer {good}")),
        ("after another scheme", format!("Basic eA==, Bearer {good}")),
        ("in quotes", format!("\"{good}\"")),
        ("the scheme twice", format!("Bearer {good}")),
        ("in upper case", good.to_uppercase()),
        ("as JSON", json!({ "protected": header, "payload": claims, "signature": signature }).to_string()),
        ("huge", format!("{header}.{claims}{}.{signature}", "A".repeat(8 << 10))),
    ] {
        attack(&mut all, what, token);
    }
    all
}

#[test]
fn what_is_done_to_a_token_is_seen_whatever_signed_it() {
    let mut good = vec![(hmac_gateway(), hmac_token(r#"{"alg":"HS256"}"#, CLAIMS))];
    for (alg, signer) in signers() {
        let token = signer.token(json!({ "alg": alg }).to_string(), CLAIMS);
        good.push((gateway(&json!([{ "alg": alg, "jwk": signer.jwk() }])), token));
    }
    for (gateway, good) in good {
        assert!(is_accepted(&gateway, &good));
        for (what, token) in of_form(&good).into_iter().filter(|(_, token)| *token != good) {
            assert!(!is_accepted(&gateway, &token), "{what}: {token:?}");
        }
    }
}
