//! The signed requests of RFC 9421, appendix B.2: what is signed is what the RFC has, and its signatures are right.

use base64ct::{Base64, Encoding};
use postern::head::Head;
use postern::policy::jwt::algorithm::Algorithm;
use postern::policy::signature::{Checks, SignatureRule, SignatureRuleSettings, is_digest_of};
use postern::settings::{FromNode, Node, Place, Problems};
use ring::hmac;

use crate::signing;

/// When the RFC's signatures were made, in seconds since 1970.
const CREATED: u64 = 1_618_884_473;

const DIGEST: &str =
    "sha-512=:WZDPaVn/7XgHaAy8pmojAkGWoRx2UFChF41A2svX+TaPm+AbwAgBWnrIiYllu7BNNyealdVLvRwEmTHWXvJwew==:";

const KEY: &str = r#"{"kty":"OKP","crv":"Ed25519","x":"JrQLj5P_89iXES9-vFgrIy29clF9CC_oPPsw3c5D0bs"}"#;

fn rule() -> SignatureRule {
    let written = format!(
        r#"{{"covers": "date", "keys": [
            {{"keyid": "test-key-ed25519", "alg": "ed25519", "jwk": {KEY}, "owner": "ed"}},
            {{"keyid": "test-shared-secret", "alg": "hmac-sha256", "secret": "{{env.S}}", "owner": "hmac"}}]}}"#
    );
    let node: Node = serde_json::from_str(&written).unwrap();
    let mut problems = Problems::default();
    let settings = SignatureRuleSettings::from_node(&node, &Place::root(), &mut problems).unwrap();
    SignatureRule::compile("r", settings, &Place::root(), &mut problems).unwrap()
}

fn request(input: &str, signature: &str) -> Head {
    let text = format!(
        "POST\nhttps://example.com/foo?param=Value&Pet=dog\n192.0.2.7\nid\n{CREATED}000\nhost:example.com\n\
         date:Tue, 20 Apr 2021 02:07:55 GMT\ncontent-type:application/json\ncontent-digest:{DIGEST}\n\
         content-length:18\nsignature-input:{input}\nsignature:{signature}\n"
    );
    Head::from_text(&text).unwrap()
}

#[test]
fn a_signature_by_a_secret_is_that_of_the_rfc() {
    let head = request(
        r#"sig-b25=("date" "@authority" "content-type");created=1618884473;keyid="test-shared-secret""#,
        "sig-b25=:pxcQw6G3AjtMBQjwo8XzkZf/bws5LelbaMk5rGIGtE8=:",
    );
    let rule = rule();
    let signed = rule.read(&head).unwrap();
    let secret = "uzvJfB4u3N0Jy4T7NZ75MDVcr8zSTInedJtkgcu46YW4XByzNJjxBdtjUkdJPBtbmHhIDi6pcl8jsasjlTMtDQ==";
    let key = hmac::Key::new(hmac::HMAC_SHA256, &Base64::decode_vec(secret).unwrap());
    hmac::verify(&key, signed.base.as_bytes(), &signed.signature.bytes).unwrap();
}

#[test]
fn a_signature_by_a_secret_is_right_as_a_whole_or_not_at_all() {
    const SECRET: &str = "a-secret-of-the-tests-of-32-bytes";
    let input = r#"a=("date");created=1618884473;keyid="test-shared-secret""#;
    let (rule, head) = (rule(), request(input, "a=:AAAA:"));
    let base = rule.read(&head).unwrap().base;
    let right = signing::by_secret(SECRET, &base);
    let flipped = right.iter().enumerate().map(|(at, byte)| if at == 31 { byte ^ 1 } else { *byte }).collect();
    for (bytes, is_right) in [
        (right.clone(), true),
        (right[..31].to_vec(), false),
        (right[..16].to_vec(), false),
        ([right.clone(), vec![0]].concat(), false),
        (flipped, false),
        (Vec::new(), false),
    ] {
        let head = request(input, &format!("a=:{}:", Base64::encode_string(&bytes)));
        let signed = rule.read(&head).unwrap();
        let Checks::Secret(secret) = &signed.key.checks else { panic!("the key is a secret") };
        secret.renew(|name| (name == "S").then_some(SECRET));
        let found = secret.has_signed(&signed.base, &signed.signature.bytes);
        assert_eq!(found, Ok(is_right), "of {} bytes", bytes.len());
    }
}

#[test]
fn a_signature_by_a_key_pair_is_that_of_the_rfc() {
    let input = r#"sig-b26=("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#;
    let signature =
        "sig-b26=:wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw==:";
    let (head, rule) = (request(input, signature), rule());
    let signed = rule.read(&head).unwrap();
    let expected = format!(
        "\"date\": Tue, 20 Apr 2021 02:07:55 GMT\n\"@method\": POST\n\"@path\": /foo\n\"@authority\": example.com\n\
         \"content-type\": application/json\n\"content-length\": 18\n\"@signature-params\": {}",
        input.strip_prefix("sig-b26=").unwrap()
    );
    assert_eq!(signed.base, expected);
    assert_eq!(signing::is_signed(Algorithm::EdDsa, KEY, &signed.base, &signed.signature.bytes), Some(true));
    assert!(is_digest_of(DIGEST, br#"{"hello": "world"}"#));
}

#[test]
fn what_is_no_signature_of_a_key_here_is_not_looked_at() {
    let (covered, signature) = (r#"("date")"#, "a=:AAAA:");
    let now = CREATED as i64;
    for (input, signature) in [
        (format!(r#"a={covered};created={now};keyid="other""#), signature),
        (format!(r#"a={covered};created={now}"#), signature),
        (format!(r#"b={covered};created={now};keyid="test-key-ed25519""#), signature),
        (format!(r#"a={covered};created={now};keyid=test-key-ed25519"#), signature),
        (format!(r#"a={covered};created="{now}";keyid="test-key-ed25519""#), signature),
        (format!(r#"a={covered};created={now}.0;keyid="test-key-ed25519""#), signature),
        (format!(r#"a={covered};created={now};keyid="test-key-ed25519""#), "a=AAAA"),
        (format!(r#"a={covered};created={now};keyid="test-key-ed25519""#), "a=:AAAA"),
        (format!(r#"a=("date";sf);created={now};keyid="test-key-ed25519""#), signature),
        (format!(r#"a=(date);created={now};keyid="test-key-ed25519""#), signature),
        (format!(r#"a="date";created={now};keyid="test-key-ed25519""#), signature),
        (format!(r#"a=("date" "date");created={now};keyid="test-key-ed25519""#), signature),
        (format!(r#"a=("date" "x-none");created={now};keyid="test-key-ed25519""#), signature),
        (format!(r#"a=("date" "@status");created={now};keyid="test-key-ed25519""#), signature),
        (format!(r#"a=("@method");created={now};keyid="test-key-ed25519""#), signature),
        (format!(r#"a={covered};keyid="test-key-ed25519""#), signature),
        (format!(r#"a={covered};created=-1;keyid="test-key-ed25519""#), signature),
        (format!(r#"a={covered};created={};keyid="test-key-ed25519""#, now + 31), signature),
        (format!(r#"a={covered};created={};keyid="test-key-ed25519""#, now - 331), signature),
        (format!(r#"a={covered};created={now};expires={};keyid="test-key-ed25519""#, now - 31), signature),
        (format!(r#"a={covered};created={now};alg="hmac-sha256";keyid="test-key-ed25519""#), signature),
        (format!(r#"a=({});created={now};keyid="test-key-ed25519""#, r#""date" "#.repeat(33)), signature),
        (format!(r#"a=("{}")"#, "d".repeat(9000)), signature),
        ("é".to_owned(), signature),
        (String::new(), signature),
    ] {
        assert!(rule().read(&request(&input, signature)).is_err(), "of {input}");
    }
    let fine = format!(r#"a={covered};created={now};alg="ed25519";keyid="test-key-ed25519";nonce="n";later=?1"#);
    assert!(rule().read(&request(&fine, signature)).is_ok());
}
