//! What becomes of a call when the client leaves: only where nothing hangs on how it ends does nobody listen.

use std::time::Duration;

use postern::platform::WhenClientLeaves::{self, EndsUnnoticed, EndsWithRequest, GoesOn, IsBrokenOff};
use serde_json::{Value, json};

use crate::chaos::loaded;
use crate::world::{Behaviour, World};

/// What the file says, the header fields of the request, and what becomes of its call.
fn cases() -> Vec<(Value, &'static str, WhenClientLeaves)> {
    let mirror = json!({ "forward": { "to": "s", "mirror": { "to": "t" } } });
    let stand_in = json!({ "forward": { "to": "s", "else": { "body": {} } } });
    vec![
        (json!({}), "", EndsUnnoticed),
        (json!({}), "content-length:0\n", EndsUnnoticed),
        (json!({}), "content-length:3\n", EndsWithRequest),
        (json!({ "log": "troubled" }), "", EndsWithRequest),
        (json!({ "log": "all" }), "", EndsWithRequest),
        (json!({ "limits": { "l": { "rate": "9/s", "by": "host" } }, "route": { "limit": "l" } }), "", EndsWithRequest),
        (json!({ "services": { "s": { "breaker": {} } } }), "", EndsWithRequest),
        (json!({ "services": { "s": { "url": ["http://s", "http://t"] } } }), "", IsBrokenOff),
        (json!({ "services": { "s": { "url": ["http://s", "http://t"], "retry": null } } }), "", EndsWithRequest),
        (json!({ "services": { "s": { "timeout": "30s" } } }), "", EndsUnnoticed),
        (json!({ "services": { "s": { "timeout": "31s" } } }), "", EndsWithRequest),
        (json!({ "services": { "s": { "retry": {} } } }), "", IsBrokenOff),
        (json!({ "services": { "s": { "hedge": {} } } }), "", IsBrokenOff),
        (json!({ "route": mirror }), "", IsBrokenOff),
        (json!({ "route": stand_in }), "", IsBrokenOff),
        (json!({ "route": { "idempotency": {} } }), "idempotency-key:1\n", GoesOn),
        (json!({ "route": { "idempotency": {} } }), "", EndsUnnoticed),
    ]
}

#[test]
fn a_call_ends_unnoticed_where_nothing_hangs_on_its_end() {
    for (says, fields, expected) in cases() {
        let mut route = json!({ "path": "/x", "auth": "public", "forward": "s" });
        let mut file = json!({
            "log": "none",
            "timeout": "60s",
            "services": { "s": { "url": "http://s" }, "t": { "url": "http://t" } },
        });
        merge(&mut route, &says["route"]);
        merge(&mut file, &says);
        file.as_object_mut().unwrap().remove("route");
        file["routes"] = json!([route]);

        let world = World::new(|_| Behaviour::json(Duration::ZERO, "1"));
        let got = world.run(world.send(&loaded(&file.to_string()), "POST", "http://g/x", fields));
        assert_eq!(got.status, 200, "{says}");
        assert_eq!(*world.leaving.borrow(), [expected], "{says} {fields}");
    }
}

/// Adds the members of objects to those that are there, or takes their places.
pub fn merge(into: &mut Value, other: &Value) {
    for (name, value) in other.as_object().into_iter().flatten() {
        match value {
            Value::Object(_) if into[name].is_object() => merge(&mut into[name], value),
            _ => into[name] = value.clone(),
        }
    }
}
