//! What holds whatever a client or a service writes: random tokens, one token with random changes, random claims by
//! the right key, header fields of every kind. `fuzz/` looks for more of them.

mod drawn;
mod held;

use std::sync::LazyLock;

use proptest::collection::vec;
use proptest::prelude::*;
use proptest::sample::select;
use serde_json::Value;

use crate::world::BEGINNING;
use drawn::{ANSWERED, ASKED, change, claims, field, fields, headers, value};
use held::{Answered, Everything, Guarded, PATHS};

/// Whether a token of this header and these claims counts, said as plainly as can be.
fn counts(header: &Value, claims: &Value) -> bool {
    let is_access = |typ: &Value| typ.is_null() || typ.as_str().is_some_and(|typ| ["JWT", "at+jwt"].contains(&typ));
    let typ = header.get("typ").is_none_or(is_access);
    let is_text = |name| header.get(name).is_none_or(|value| value.is_string() || value.is_null());
    let is_header_fine = header["alg"] == "HS256" && typ && header.get("crit").is_none() && is_text("kid");
    let now = BEGINNING as i64 / 1000;
    let seconds = |name| claims.get(name).map(|time| time.as_i64().or_else(|| time.as_f64().map(|time| time as i64)));
    let is_time = |time: &Option<Option<i64>>| {
        time.is_none_or(|time| time.is_some_and(|time| time.unsigned_abs() < 8_000_000_000_000))
    };
    let (exp, nbf, iat) = (seconds("exp"), seconds("nbf"), seconds("iat"));
    let for_us = match &claims["aud"] {
        Value::Array(all) => all.iter().any(|one| one == "a"),
        one => one == "a",
    };
    is_header_fine
        && header.get("cty").is_none_or(Value::is_null)
        && claims["iss"] == "i"
        && for_us
        && [&exp, &nbf, &iat].into_iter().all(is_time)
        && exp.flatten().is_some_and(|exp| now < exp + 30)
        && nbf.flatten().is_none_or(|nbf| now >= nbf - 30)
}

static GUARDED: LazyLock<Guarded> = LazyLock::new(Guarded::new);

proptest! {
    #![proptest_config(ProptestConfig { cases: 1000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nothing_but_the_token_is_let_in(bytes in vec(any::<u8>(), 0..300), text in any::<String>(), dots in "[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,40}\\.[A-Za-z0-9_-]{0,86}") {
        for text in [&String::from_utf8_lossy(&bytes), text.as_str(), dots.as_str()] {
            GUARDED.holds(text);
        }
    }

    #[test]
    fn a_token_that_was_changed_is_another(changes in vec(change(), 0..4)) {
        let changed = changes.iter().fold(GUARDED.good.clone(), |text, change| change.of(&text));
        GUARDED.holds(&changed);
        prop_assert!(changed != GUARDED.good || GUARDED.admits(&changed));
    }

    #[test]
    fn what_the_right_key_signed_counts_if_it_says_what_it_must(header in headers(), claims in claims()) {
        let token = Guarded::signed(header.to_string(), claims.to_string());
        prop_assert_eq!(GUARDED.admits(&token), counts(&header, &claims), "{} {}", header, claims);
    }

    #[test]
    fn whatever_is_in_a_request_it_has_an_answer(
        method in prop_oneof![6 => select(vec!["GET", "POST", "PUT", "OPTIONS", "HEAD"]).prop_map(str::to_owned), 1 => "[!-~]{1,8}"],
        path in prop_oneof![8 => select(&PATHS[..]).prop_map(str::to_owned), 1 => "/[ -~]{0,20}", 1 => any::<String>()],
        query in field(),
        asked in fields(ASKED),
        body in prop_oneof![field(), value().prop_map(|value| value.to_string()), Just(r#"[{"path":"/reply"},{"path":"/batch"}]"#.to_owned())],
        status in prop_oneof![6 => Just(200u16), 1 => 200..600u16],
        answered in fields(ANSWERED),
        answer in prop_oneof![field(), value().prop_map(|value| value.to_string())],
    ) {
        let everything = Everything::new();
        let url = format!("https://g.example{path}?{query}");
        everything.holds(&method, &url, &asked, &body, Answered { status, fields: &answered, body: &answer });
    }

    #[test]
    fn whatever_is_no_head_is_none(text in any::<String>(), lines in vec(field(), 0..8)) {
        let framed = format!("GET\nhttps://{}\n\nid\n1\n{}", lines.first().map_or("", String::as_str), lines.join("\n"));
        for text in [text, lines.join("\n"), framed] {
            if let Some(head) = postern::head::Head::from_text(&text) {
                let _ = (head.has_one_host(), head.url_length(), head.headers.cookie("say"), head.headers.cookies_without(&["t"]));
                assert!(!head.raw_path.contains('?') && head.headers.iter().all(|(name, _)| !name.contains(':')));
            }
        }
    }
}
