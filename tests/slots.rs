//! Limits of calls at once: many callers, whose calls take as long as they like, and one place that counts.

use std::pin::pin;
use std::time::Duration;

use futures::future::{join_all, select};
use postern::gateway::Gateway;
use proptest::prelude::*;
use serde_json::json;

use crate::chaos::loaded;
use crate::world::{Behaviour, Got, World};

const MOST: usize = 3;
const CALLERS: u64 = 4;

fn gateway() -> Gateway {
    let file = json!({
        "timeout": "2s",
        "limits": { "l": { "concurrent": MOST, "by": "header.x-caller" } },
        "services": { "s": { "url": "http://s" } },
        "routes": [{ "path": "/{caller}/{takes}", "auth": "public", "limit": "l", "forward": "s" }],
    });
    loaded(&file.to_string())
}

/// Services take as many milliseconds as the end of the path says.
fn world() -> World {
    World::new(|url| {
        let takes = url.rsplit('/').next().and_then(|takes| takes.parse().ok()).unwrap();
        Behaviour::json(Duration::from_millis(takes), "1")
    })
}

async fn call(world: &World, gateway: &Gateway, caller: u64, at: u64, takes: u64) -> Got {
    world.sleep_until(Duration::from_millis(at)).await;
    world.send(gateway, "GET", &format!("http://g/{caller}/{takes}"), &format!("x-caller:{caller}\n")).await
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn never_more_calls_of_a_caller_are_under_way(
        calls in prop::collection::vec((0..CALLERS, 0u64..3_000, 0u64..2_500), 1..200),
    ) {
        let (world, gateway) = (world(), gateway());
        let all = calls.iter().map(|(caller, at, takes)| call(&world, &gateway, *caller, *at, *takes));
        let got = world.run(join_all(all));
        for got in &got {
            match got.status {
                200 | 504 => {}
                429 => prop_assert_eq!(&got.headers["retry-after"], "1"),
                other => prop_assert!(false, "status {}", other),
            }
            prop_assert!(!got.headers.contains_key("ratelimit") && !got.headers.contains_key("ratelimit-policy"));
        }
        let seen = world.seen.borrow();
        for caller in 0..CALLERS {
            let of_caller = || seen.iter().filter(|seen| seen.url.starts_with(&format!("http://s/{caller}/")));
            for one in of_caller() {
                let at_once = of_caller().filter(|other| other.from <= one.from && one.from < other.until).count();
                prop_assert!(at_once <= MOST, "{} at once", at_once);
            }
            let asked = calls.iter().filter(|(other, ..)| *other == caller).count();
            prop_assert!(of_caller().count() >= asked.min(MOST));
        }
    }
}

#[test]
fn what_was_under_way_in_an_isolate_that_died_lapses() {
    let (world, gateway) = (world(), gateway());
    let dying = join_all((0..MOST).map(|_| call(&world, &gateway, 0, 0, 1_500)));
    world.run(async { drop(select(pin!(dying), pin!(world.sleep_until(Duration::from_millis(100)))).await) });
    world.forget_jobs();
    let status = |at: u64| world.run(call(&world, &gateway, 0, at, 10)).status;
    assert_eq!((status(1_000), status(1_990), status(2_010)), (429, 429, 200));
}

#[test]
fn a_call_that_another_limit_refuses_holds_no_slot() {
    let file = json!({
        "limits": { "l": { "concurrent": 1, "by": "host" }, "m": { "quota": "1/day", "by": "host" } },
        "routes": [
            { "path": "/both", "auth": "public", "limit": ["l", "m"], "cost": 1, "reply": {} },
            { "path": "/one", "auth": "public", "limit": "l", "reply": {} },
        ],
    });
    let (world, gateway) = (world(), loaded(&file.to_string()));
    let status = |path: &str| world.run(world.send(&gateway, "GET", &format!("http://g{path}"), "")).status;
    assert_eq!([status("/both"), status("/both"), status("/one"), status("/one")], [200, 429, 200, 200]);
}

#[test]
fn a_limiter_that_is_down_lets_calls_through_or_does_not() {
    for (when_down, expected) in [("open", 200), ("closed", 503)] {
        let file = json!({
            "limits": { "l": { "concurrent": 1, "by": "host", "when_down": when_down } },
            "routes": [{ "path": "/x", "auth": "public", "limit": "l", "reply": {} }],
        });
        let world = world();
        world.limiter.set(None);
        assert_eq!(world.run(world.send(&loaded(&file.to_string()), "GET", "http://g/x", "")).status, expected);
    }
}
