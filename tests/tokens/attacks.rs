//! What is known to be tried with tokens, as tables: each is turned down with 401, and never with 500. Here is what a
//! token says, whoever signed it; `forms` has what can be done to one without its key, `confusion` what to its key.

mod confusion;
mod forms;

use ring::hmac;
use serde_json::json;

use super::{CLAIMS, SECRET, gateway, hmac_gateway, hmac_token, is_accepted};
use crate::signing::Signer;

/// Headers that the secret itself has signed: what they say does not count here.
const HEADERS: &[&str] = &[
    // The algorithm: none, however it is written; another; several; none that is a text (CVE-2015-9235, CVE-2022-23540).
    r#"{}"#,
    r#"{"alg":""}"#,
    r#"{"alg":"none"}"#,
    r#"{"alg":"None"}"#,
    r#"{"alg":"NONE"}"#,
    r#"{"alg":"nOnE"}"#,
    r#"{"alg":" none"}"#,
    r#"{"alg":"none "}"#,
    r#"{"alg":"no\u006ee"}"#,
    r#"{"alg":"none\u0000"}"#,
    r#"{"alg":"HS256\u0000"}"#,
    r#"{"alg":"HS256 "}"#,
    r#"{"alg":"hs256"}"#,
    r#"{"alg":"HS384"}"#,
    r#"{"alg":"RS256"}"#,
    r#"{"alg":"dir"}"#,
    r#"{"alg":null}"#,
    r#"{"alg":256}"#,
    r#"{"alg":true}"#,
    r#"{"alg":["HS256"]}"#,
    r#"{"alg":{"alg":"HS256"}}"#,
    r#"{"ALG":"HS256"}"#,
    r#"{"alg":"HS256","alg":"HS256"}"#,
    r#"{"alg":"none","alg":"HS256"}"#,
    r#"{"alg":"HS256","alg":"none"}"#,
    r#"{"alg":"HS256","\u0061lg":"none"}"#,
    // Extensions that are not understood (RFC 7515, section 4.1.11; RFC 7797), tokens in tokens.
    r#"{"alg":"HS256","crit":["exp"]}"#,
    r#"{"alg":"HS256","crit":["b64"],"b64":false}"#,
    r#"{"alg":"HS256","crit":["b64"],"b64":true}"#,
    r#"{"alg":"HS256","crit":[]}"#,
    r#"{"alg":"HS256","crit":"exp"}"#,
    r#"{"alg":"HS256","crit":null}"#,
    r#"{"alg":"HS256","\u0063rit":["exp"]}"#,
    r#"{"alg":"HS256","crit":[],"crit":null}"#,
    r#"{"alg":"HS256","cty":"JWT"}"#,
    r#"{"alg":"HS256","cty":"jwt"}"#,
    // What is said twice, or is of another kind.
    r#"{"alg":"HS256","typ":"JWT","typ":"logout+jwt"}"#,
    r#"{"alg":"HS256","kid":"a","kid":"b"}"#,
    r#"{"alg":"HS256","kid":7}"#,
    r#"{"alg":"HS256","kid":["a"]}"#,
    r#"{"alg":"HS256","kid":{"$ne":null}}"#,
    r#"{"alg":"HS256","typ":["JWT"]}"#,
    r#"{"alg":"HS256","jku":["https://evil/"]}"#,
    // No object, or not only one.
    "",
    " ",
    "null",
    "[]",
    r#"["HS256"]"#,
    r#""HS256""#,
    r#"{"alg":"HS256"}{}"#,
    r#"{"alg":"HS256"},"#,
    r#"{"alg":"HS256","#,
    r#"{'alg':'HS256'}"#,
    r#"{"alg":"HS256"}\0"#,
    "\u{feff}{\"alg\":\"HS256\"}",
];

/// Claims that the secret itself has signed: they say too little, or nothing that can be read.
const UNREADABLE: &[&str] = &[
    "",
    "{",
    "null",
    "[]",
    "0",
    r#""x""#,
    "eyJhbGciOiJub25lIn0.e30.",
    "\u{feff}{\"iss\":\"i\",\"aud\":\"a\",\"exp\":1767225660}",
    r#"{"iss":"i","aud":"a","exp":1767225660}{}"#,
    r#"{"iss":"i","aud":"a","exp":1767225660,"sub":"\ud800"}"#,
    r#"{"iss":"i","aud":"a","exp":1767225660,"exp":1900000000}"#,
    r#"{"iss":"i","aud":"a","exp":1767225660,"\u0065xp":1900000000}"#,
];

/// The time of `exp` that is none, or over; `nbf` and `iat` that are none.
const TIMES: &[&str] = &[
    r#""exp":null"#,
    r#""exp":true"#,
    r#""exp":"1767225660""#,
    r#""exp":"never""#,
    r#""exp":"""#,
    r#""exp":[1767225660]"#,
    r#""exp":{"$gt":0}"#,
    r#""exp":0"#,
    r#""exp":-0"#,
    r#""exp":-1"#,
    r#""exp":-1767225660"#,
    r#""exp":-8000000000000"#,
    r#""exp":-1e300"#,
    r#""exp":1e300"#,
    r#""exp":1e999"#,
    r#""exp":NaN"#,
    r#""exp":Infinity"#,
    r#""exp":0x7fffffff"#,
    r#""exp":9223372036854775807"#,
    r#""exp":9223372036854775808"#,
    r#""exp":18446744073709551616"#,
    r#""exp":1767225000.5"#,
    r#""EXP":1767225660"#,
    r#""exp ":1767225660"#,
    r#""exp":1767225660,"nbf":[]"#,
    r#""exp":1767225660,"nbf":"0""#,
    r#""exp":1767225660,"nbf":1e300"#,
    r#""exp":1767225660,"nbf":1767225900"#,
    r#""exp":8000000000000,"nbf":8000000000000"#,
    r#""exp":1767225660,"iat":"now""#,
    r#""exp":1767225660,"iat":null"#,
];

/// Issuers and audiences that are not quite those of the rule.
const OTHERS: &[&str] = &[
    r#""aud":"a""#,
    r#""iss":"i""#,
    r#""iss":"I","aud":"a""#,
    r#""iss":"i ","aud":"a""#,
    r#""iss":"i\u0000","aud":"a""#,
    "\"iss\":\"\u{456}\",\"aud\":\"a\"",
    r#""iss":"i/","aud":"a""#,
    r#""iss":["i"],"aud":"a""#,
    r#""iss":{"i":1},"aud":"a""#,
    r#""iss":null,"aud":"a""#,
    r#""iss":true,"aud":"a""#,
    r#""Iss":"i","aud":"a""#,
    r#""iss":"i","iss":"other","aud":"a""#,
    r#""iss":"i","aud":"""#,
    r#""iss":"i","aud":[]"#,
    r#""iss":"i","aud":"A""#,
    r#""iss":"i","aud":"a b""#,
    r#""iss":"i","aud":"*""#,
    r#""iss":"i","aud":{"a":1}"#,
    r#""iss":"i","aud":["b",["a"]]"#,
    r#""iss":"i","aud":[{"a":"a"}]"#,
    r#""iss":"i","aud":null"#,
];

#[test]
fn what_a_token_says_of_itself_is_not_taken_for_more() {
    let gateway = hmac_gateway();
    let is_let_in = |header: &[u8], claims: &[u8]| is_accepted(&gateway, &hmac_token(header, claims));
    let header = br#"{"alg":"HS256"}"#;
    assert!(is_let_in(header, CLAIMS.as_bytes()));
    for other in HEADERS {
        assert!(!is_let_in(other.as_bytes(), CLAIMS.as_bytes()), "of {other}");
    }
    for claims in UNREADABLE {
        assert!(!is_let_in(header, claims.as_bytes()), "of {claims}");
    }
    for times in TIMES {
        assert!(!is_let_in(header, format!(r#"{{"iss":"i","aud":"a",{times}}}"#).as_bytes()), "of {times}");
    }
    for others in OTHERS {
        assert!(!is_let_in(header, format!(r#"{{{others},"exp":1767225660}}"#).as_bytes()), "of {others}");
    }
    // Other encodings than UTF-8, and too much of it.
    let utf_16 = |text: &str, of: fn(u16) -> [u8; 2]| text.encode_utf16().flat_map(of).collect::<Vec<_>>();
    for of in [u16::to_le_bytes, u16::to_be_bytes] {
        assert!(!is_let_in(&utf_16(r#"{"alg":"HS256"}"#, of), CLAIMS.as_bytes()));
        assert!(!is_let_in(header, &utf_16(CLAIMS, of)));
    }
    for wrong in [&b"\xff"[..], b"\xc0\xaf", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\0", b"\x1b"] {
        let within = |before: &str, after: &str| [before.as_bytes(), wrong, after.as_bytes()].concat();
        assert!(
            !is_let_in(&within(r#"{"alg":"HS256","kid":""#, r#""}"#), CLAIMS.as_bytes()),
            "{wrong:?} in the header"
        );
        let claims = within(r#"{"iss":"i","aud":"a","exp":1767225660,"sub":""#, r#""}"#);
        assert!(!is_let_in(header, &claims), "{wrong:?} in the claims");
    }
    let deep = |open: &str, close: &str| format!("{}1{}", open.repeat(700), close.repeat(700));
    for deep in [deep("[", "]"), deep("{\"\":", "}")] {
        assert!(!is_let_in(format!(r#"{{"alg":"HS256","x":{deep}}}"#).as_bytes(), CLAIMS.as_bytes()), "a deep header");
        let claims = format!(r#"{{"iss":"i","aud":"a","exp":1767225660,"x":{deep}}}"#);
        assert!(!is_let_in(header, claims.as_bytes()), "deep claims");
    }
    assert!(!is_let_in(header, CLAIMS.replace("ada", &"x".repeat(9000)).as_bytes()), "huge claims");
    assert!(!is_let_in(format!(r#"{{"alg":"HS256","kid":"{}"}}"#, "x".repeat(9000)).as_bytes(), CLAIMS.as_bytes()));
}

#[test]
fn a_header_brings_no_key_and_leads_to_none() {
    let attacker = Signer::ed25519();
    let signer = Signer::ed25519();
    let gateway = gateway(&json!([{ "alg": "EdDSA", "kid": "ed", "jwk": signer.jwk() }]));
    let mut own = attacker.jwk();
    own["kid"] = json!("ed");
    // Embedded keys (CVE-2018-0114), and where to fetch one.
    for (name, value) in [
        ("jwk", own),
        ("jku", json!("https://evil.example/keys")),
        ("jku", json!("http://127.0.0.1/keys")),
        ("x5u", json!("https://evil.example/certificate")),
        ("x5c", json!(["MIIB"])),
        ("x5t", json!("AAAAAAAAAAAAAAAAAAAAAAAAAAA")),
        ("zip", json!("DEF")),
        ("b64", json!(false)),
        ("p2c", json!(2_147_483_647)),
        ("epk", json!({ "kty": "EC" })),
    ] {
        let header = json!({ "alg": "EdDSA", "kid": "ed", name: value }).to_string();
        assert!(!is_accepted(&gateway, &attacker.token(&header, CLAIMS)), "of {header}");
        // Whoever has the key may say so: it is not read.
        assert!(is_accepted(&gateway, &signer.token(&header, CLAIMS)), "of {header}");
    }
    for kid in [
        "",
        "ed ",
        "ED",
        "ed\0",
        "\0ed",
        "ed\n",
        "../ed",
        "/dev/null",
        "../../../../../../dev/null",
        "file:///dev/null",
        "' OR 1=1 --",
        "x' UNION SELECT 'key",
        "| /bin/true",
        "$(id)",
        "*",
        "ed,ed",
        "{env.S}",
        "\u{feff}ed",
        "__proto__",
        &"e".repeat(5000),
    ] {
        let header = json!({ "alg": "EdDSA", "kid": kid }).to_string();
        assert!(!is_accepted(&gateway, &signer.token(&header, CLAIMS)), "of {kid:?}");
        for secret in ["", "\0", "ed", kid] {
            let header = json!({ "alg": "HS256", "kid": kid }).to_string();
            let forged = Signer::hmac(hmac::HMAC_SHA256, secret).token(&header, CLAIMS);
            assert!(!is_accepted(&gateway, &forged), "of {kid:?} with the secret {secret:?}");
            assert!(!is_accepted(&hmac_gateway(), &forged), "of {kid:?} with the secret {secret:?}");
        }
    }
    for other in ["null", "[\"ed\"]", "1", "true", "{}"] {
        let header = format!(r#"{{"alg":"EdDSA","kid":{other}}}"#);
        assert!(!is_accepted(&gateway, &signer.token(&header, CLAIMS)), "of {header}");
    }
}

#[test]
fn secrets_that_are_easily_guessed_open_nothing() {
    for secret in
        ["", "\0", "secret", "changeme", "your-256-bit-secret", "{env.S}", "S", &SECRET[1..], &SECRET.to_uppercase()]
    {
        let forged = Signer::hmac(hmac::HMAC_SHA256, secret).token(r#"{"alg":"HS256"}"#, CLAIMS);
        assert!(!is_accepted(&hmac_gateway(), &forged), "of {secret:?}");
    }
}
