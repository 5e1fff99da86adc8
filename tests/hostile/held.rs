//! What holds of every request, whatever a client or a service writes. `tests/hostile.rs` draws requests for it,
//! `fuzz/` lets a fuzzer look for them.

use std::time::Duration;

use postern::gateway::Gateway;
use postern::head::Head;
use ring::hmac;
use serde_json::{Value, json};

use crate::signing::Signer;
use crate::world::{BEGINNING, Behaviour, Got, Then, World};

const SECRET: &str = "a-secret-of-the-tests-of-32-bytes";

/// The query and the header fields of a request.
type Sent = (String, String);

/// How a token is sent.
type Sending = fn(&str) -> Sent;

/// Where a gateway looks for a token, and how one is sent there.
const CARRIERS: [(&str, Sending); 4] = [
    ("authorization", |token| (String::new(), format!("authorization:Bearer {token}\n"))),
    ("header", |token| (String::new(), format!("x-token:{token}\n"))),
    ("cookie", |token| (String::new(), format!("cookie:a=1; token={token}; b=2\n"))),
    ("query", |token| {
        (token.bytes().fold("?token=".to_owned(), |query, byte| format!("{query}%{byte:02x}")), String::new())
    }),
];

/// A gateway that lets one token in, wherever it is.
pub struct Guarded {
    gateway: Gateway,
    /// The token.
    pub good: String,
}

impl Guarded {
    pub fn new() -> Self {
        let file = json!({
            "auth": { "r": { "jwt": {
                "issuer": "i", "audience": "a", "keys": [{ "alg": "HS256", "secret": "{env.S}" }],
                "from": ["authorization", { "header": "x-token" }, { "cookie": "token" }, { "query": "token" }]
            } } },
            "routes": [{ "path": "/x", "auth": "r", "reply": {} }]
        });
        let exp = BEGINNING / 1000 + 60;
        let claims = json!({ "iss": "i", "aud": "a", "sub": "ada", "exp": exp }).to_string();
        Self { gateway: loaded(&file), good: Self::signed(r#"{"alg":"HS256","typ":"JWT"}"#, claims) }
    }

    /// A token of this header and these claims, by the right secret.
    pub fn signed(header: impl AsRef<[u8]>, claims: impl AsRef<[u8]>) -> String {
        Signer::hmac(hmac::HMAC_SHA256, SECRET).token(header, claims)
    }

    /// A text in the place of the token, in each place: none but the good one is let in, letter by letter, and all
    /// others are turned down with 401.
    pub fn holds(&self, text: &str) {
        let text = in_one_line(text);
        for (place, sent) in CARRIERS {
            if self.lets_in(sent(&text)) {
                // Of a field, the blanks around are not of the token; where one cookie ends, another begins.
                let read = match place {
                    "query" => text.as_str(),
                    "cookie" => text.split(';').next().unwrap().split(", ").next().unwrap().trim(),
                    "header" => text.as_str(),
                    _ => text.trim_matches(' '),
                };
                assert_eq!(read, self.good, "{text:?} was let in by {place}");
            }
        }
    }

    /// Whether a token is let in; any other answer than 401 is wrong.
    pub fn admits(&self, token: &str) -> bool {
        self.lets_in(CARRIERS[0].1(token))
    }

    fn lets_in(&self, (query, fields): Sent) -> bool {
        let world = World::new(|_| unreachable!()).with_secret("S", SECRET);
        let got = world.run(world.send(&self.gateway, "GET", &format!("http://g/x{query}"), &fields));
        assert!(matches!(got.status, 200 | 401 | 414 | 431), "{} of {fields:?}", got.status);
        got.status == 200
    }
}

/// What an answer may be that no secret is missing for. Never 500, and nothing that is no answer to anybody.
const EXPECTED: [u16; 25] = [
    200, 204, 206, 302, 304, 307, 308, 400, 401, 403, 404, 405, 406, 409, 412, 413, 414, 415, 422, 428, 429, 431, 502,
    503, 504,
];

/// A gateway with a route of each kind, so that each header field is read that it reads.
pub struct Everything(Gateway);

/// The paths of its routes.
pub const PATHS: [&str; 11] = [
    "/reply",
    "/elsewhere",
    "/forward",
    "/aggregate",
    "/variants",
    "/stream",
    "/once",
    "/batch",
    "/chosen",
    "/both",
    "/own/ada",
];

impl Everything {
    pub fn new() -> Self {
        Self(loaded(&json!({
            "trusted_proxies": ["192.0.2.0/24", "10.0.0.0/8", "::1"],
            "tell_services": ["x-forwarded", "forwarded", "via", "request-id"],
            "services": { "s": { "url": "http://s", "timeout": "300ms", "retry": { "attempts": 2 } } },
            "auth": {
                "token": { "jwt": {
                    "issuer": "i", "audience": "a", "from": ["authorization", { "cookie": "t" }, { "query": "t" }],
                    "keys": [{ "alg": "HS256", "secret": "{env.S}" }]
                } },
                "key": { "api_key": { "keys": [{ "hash": format!("sha256-{}", "0".repeat(64)), "owner": "o" }] } }
            },
            "limits": {
                "by-address": { "rate": "1000/s", "by": "address" },
                "by-header": { "rate": "1000/s", "by": ["header.x-tenant", "host"] }
            },
            "routes": [
                { "path": "/reply", "auth": "public", "limit": ["by-address", "by-header"], "reply": { "body": 1 },
                  "cors": { "origins": ["https://*.example.com"], "credentials": true, "methods": ["PUT"], "headers": ["x-a"] },
                  "response_headers": { "set": { "x-said": "{header.x-say}{query.say}{cookie.say}{client.address}" } } },
                { "path": "/elsewhere", "auth": "public", "redirect": "https://other.example/{query.to}" },
                { "path": "/forward", "auth": "public", "forward": "s:/f",
                  "addresses": { "deny": ["203.0.113.0/24"] },
                  "request_headers": { "set": { "x-who": "{header.x-say} {cookie.say}" } },
                  "request_query": { "set": { "q": "{query.say}" } } },
                { "path": "/aggregate", "auth": "public", "aggregate": { "a": { "get": "s:/a?{query.say}={header.x-say}", "optional": true }, "b": { "get": "s:/b", "else": 0 } } },
                { "path": "/variants", "auth": "public", "aggregate": { "a": { "get": "s:/a" }, "b": { "get": "s:/b", "else": 0 } } },
                { "path": "/stream", "auth": "public", "aggregate": { "a": { "get": "s:/a" }, "b": { "get": "s:/b", "else": 0 } }, "answer": { "stream": ["ndjson", "sse"] } },
                { "path": "/once", "auth": "public", "method": ["POST", "PUT"], "idempotency": {}, "forward": "s:/o", "max_body": "1KiB" },
                { "path": "/batch", "auth": "public", "batch": {} },
                { "path": "/chosen", "auth": "public", "header": { "accept": { "media": "application/vnd.shop.v2+json" }, "x-say": { "regex": "[a-z]+" } }, "reply": { "body": 2 } },
                { "path": "/chosen", "auth": "public", "query": { "say": true }, "cookie": { "say": { "prefix": "a" } }, "reply": { "body": 3 } },
                { "path": "/both", "auth": ["token", "key"], "reply": {} },
                { "path": "/own/{user}", "auth": "token", "require": { "match": { "sub": "{user}" } }, "reply": {} }
            ]
        })))
    }

    /// A request of a client and what its services answer to it: nothing panics, and the answer is one of those that
    /// there are. `fields` are lines `name:value`.
    pub fn holds(&self, method: &str, url: &str, fields: &str, body: &str, answer: Answered<'_>) {
        // The runtime lets no such field through, from either side.
        let (fields, said) = (&fields.replace(['\r', '\0'], " "), answer.fields.replace(['\r', '\0'], " "));
        let head = format!("{}\n{}\n192.0.2.7\nid\n{BEGINNING}\n{fields}", in_one_line(method), in_one_line(url));
        if Head::from_text(&head).is_none() {
            return;
        }
        let (status, body_of_service) = (answer.status, answer.body.as_bytes().to_vec());
        let world = World::new(move |_| Behaviour {
            after: Duration::from_millis(5),
            then: Then::Answer { status, headers: said.clone(), body: body_of_service.clone() },
        });
        let world = world.with_secret("S", SECRET);
        let got: Got = world.run(world.send_body(&self.0, &in_one_line(method), &in_one_line(url), fields, body));
        let is_relayed = got.status == status;
        assert!(is_relayed || EXPECTED.contains(&got.status), "{} of {head:?} and {body:?}", got.status);
        for (name, value) in got.headers.iter().filter(|(name, _)| *name != "set-cookie") {
            assert!(!value.contains(['\r', '\n', '\0']), "{name} ends too late in {got:?}");
        }
        let is_said = |text: &str| text.contains("http://s");
        assert!(is_said(answer.body) || !is_said(&got.body), "the inside shows: {got:?}");
    }
}

/// What a service answers.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    pub status: u16,
    pub fields: &'a str,
    pub body: &'a str,
}

/// A text without what would end its line: the runtime lets none through.
pub fn in_one_line(text: &str) -> String {
    text.replace(['\n', '\r'], " ")
}

fn loaded(file: &Value) -> Gateway {
    let (gateway, problems) = postern::config::load(&file.to_string(), None);
    gateway.unwrap_or_else(|| panic!("{problems:?}"))
}
