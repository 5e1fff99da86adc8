//! Replies that get to the client without another look at them: which do, and that nobody can tell.

use std::time::Duration;

use proptest::prelude::*;
use proptest::sample::{select, subsequence};
use serde_json::{Value, json};

use crate::chaos::loaded;
use crate::leaving::merge;
use crate::world::{Behaviour, Got, Then, World};

/// What a client gets of a service that answers with this status and these header fields, and whether the reply came
/// at once, if the runtime does that.
fn got(says: &Value, status: u16, fields: &str, hands_on: bool) -> (Got, bool) {
    let mut route = json!({ "path": "/x", "auth": "public", "forward": { "to": "s" } });
    let hash = "sha256-a8997b2f05ccb3fa76eb941fde69ea23bd1d78ad7a655b999bcaa8533dc4bf51";
    let mut file = json!({
        "services": { "s": { "url": "http://s" } },
        "auth": { "key": { "api_key": { "keys": [{ "hash": hash, "owner": "ada" }] } } },
    });
    merge(&mut route, &says["route"]);
    merge(&mut file, says);
    file.as_object_mut().unwrap().remove("route");
    file["routes"] = json!([route]);
    let answer = Then::Answer { status, headers: fields.to_owned(), body: b"body".to_vec() };
    let world = World::new(move |_| Behaviour { after: Duration::ZERO, then: answer.clone() });
    world.hands_on.set(hands_on);
    let sent = "x-api-key:pstn_acme-0123456789abcdef\norigin:https://o.example\n";
    let got = world.run(world.send(&loaded(&file.to_string()), "GET", "http://g/x?v=w", sent));
    (got, world.handed_on.get() == 1)
}

#[test]
fn a_reply_is_looked_at_only_where_something_hangs_on_it() {
    let limit = json!({ "limits": { "l": { "rate": "9/s", "by": "host" } }, "route": { "limit": "l" } });
    let told = json!({ "limits": { "l": { "rate": "9/s", "by": "host" } }, "route": { "limit": "l", "cost": { "header": "x-cost", "before": 1 } } });
    let add = json!({ "route": { "response_headers": { "add": { "x-a": "1" } } } });
    let with_key = json!({ "route": { "auth": "key" } });
    let table = [
        (json!({}), 200, "content-type:text/plain\nserver:s\nx-powered-by:p\nx-postern-complete:true\n", true),
        (json!({ "log": "none" }), 200, "", true),
        (json!({}), 404, "", true),
        (json!({}), 599, "", true),
        (json!({}), 600, "", false),
        (json!({}), 302, "location:/y\n", false),
        (json!({}), 201, "content-location:/y\n", false),
        (json!({}), 200, "set-cookie:a=b\n", false),
        (json!({}), 200, "connection:keep-alive\nkeep-alive:timeout=5\n", true),
        (json!({}), 200, "connection:Close\n", true),
        (json!({}), 200, "connection:x-hop\nx-hop:1\n", false),
        (json!({}), 200, "connection:close, x-hop\nx-hop:1\n", false),
        (add.clone(), 200, "x-b:1\n", true),
        (add, 200, "x-a:2\n", false),
        (
            json!({ "route": { "response_headers": { "set": { "x-a": "1" }, "remove": ["x-b"] } } }),
            200,
            "x-a:2\nx-b:2\n",
            true,
        ),
        (with_key.clone(), 200, "", true),
        (with_key, 200, "cache-control:public\n", false),
        (limit, 200, "", true),
        (told, 200, "", false),
        (json!({ "services": { "s": { "breaker": {} } } }), 503, "", true),
        (json!({ "services": { "s": { "retry": {} } } }), 200, "", true),
        (json!({ "services": { "s": { "retry": { "on": [500], "attempts": 1 } } } }), 500, "", false),
        (json!({ "services": { "s": { "retry": { "on": [500], "attempts": 1 } } } }), 502, "", true),
        (json!({ "services": { "s": { "url": ["http://s", "http://t"], "retry": null } } }), 503, "", true),
        (
            json!({ "services": { "t": { "url": "http://t" } }, "route": { "forward": { "to": "s", "mirror": { "to": "t" } } } }),
            200,
            "",
            false,
        ),
        (json!({ "services": { "s": { "hedge": {} } } }), 200, "", false),
        (json!({ "route": { "forward": { "to": "s", "else": { "body": {} } } } }), 200, "", true),
        (json!({ "route": { "forward": { "to": "s", "else": { "body": {} } } } }), 504, "", false),
        (json!({ "route": { "forward": { "to": "s", "else": { "body": {} } } } }), 500, "", true),
    ];
    for (says, status, fields, expected) in table {
        let (at_once, came_at_once) = got(&says, status, fields, true);
        assert_eq!(came_at_once, expected, "of {status} {fields:?} where {says}");
        let (looked_at, _) = got(&says, status, fields, false);
        assert_eq!(at_once, looked_at, "of {status} {fields:?} where {says}");
    }
}

/// What a file may say on which the answer hangs.
const SAID: [&str; 12] = [
    r#"{"route": {"auth": "key"}}"#,
    r#"{"route": {"response_headers": {"set": {"x-a": "{query.v}", "server": "edge"}}}}"#,
    r#"{"route": {"response_headers": {"add": {"x-a": "1", "cache-control": "no-store"}}}}"#,
    r#"{"route": {"response_headers": {"append": {"vary": "accept", "x-a": "{query.none}"}}}}"#,
    r#"{"route": {"response_headers": {"remove": ["x-a", "x-request-id", "cache-control"]}}}"#,
    r#"{"route": {"cors": {"origins": ["https://o.example"]}}}"#,
    r#"{"route": {"header": {"origin": "https://o.example"}}}"#,
    r#"{"security_headers": {}}"#,
    r#"{"services": {"s": {"public_names": false}}}"#,
    r#"{"services": {"s": {"follow_redirects": true}}}"#,
    r#"{"services": {"s": {"retry": {"on": [404, 503]}}}}"#,
    r#"{"route": {"forward": {"else": {"body": "another"}}}}"#,
];

/// Header fields of replies.
const FIELDS: [&str; 16] = [
    "connection:keep-alive",
    "connection:close, x-a",
    "keep-alive:timeout=5",
    "server:s",
    "via:1.1 s",
    "x-postern-complete:true",
    "x-request-id:of-the-service",
    "x-a:a",
    "cache-control:max-age=5",
    "cache-control:private",
    "vary:origin",
    "access-control-allow-origin:*",
    "x-content-type-options:of-the-service",
    "location:http://s/y",
    "set-cookie:a=b; Domain=s",
    "content-type:text/plain",
];

proptest! {
    #![proptest_config(ProptestConfig { cases: 2000, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn nobody_can_tell_whether_a_reply_was_looked_at(
        said in subsequence(&SAID[..], 0..=SAID.len()),
        fields in subsequence(&FIELDS[..], 0..=6),
        status in select(vec![200, 204, 302, 304, 404, 503, 700]),
    ) {
        let mut says = json!({});
        said.iter().for_each(|said| merge(&mut says, &serde_json::from_str(said).unwrap()));
        let fields: String = fields.iter().map(|field| format!("{field}\n")).collect();
        let (at_once, _) = got(&says, status, &fields, true);
        let (looked_at, _) = got(&says, status, &fields, false);
        prop_assert_eq!(at_once, looked_at, "of {} {:?} where {}", status, fields, says);
    }
}
