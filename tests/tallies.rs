//! Slow quotas of which isolates count for themselves, and whose sum is in KV: fifty isolates, and a KV that takes a
//! minute to tell what it was told. What is admitted in all, and how often KV is asked.

use std::cell::RefCell;
use std::time::Duration;

use futures::future::join_all;
use postern::gateway::Gateway;
use proptest::prelude::*;
use serde_json::json;

use crate::chaos::loaded;
use crate::world::World;

const ISOLATES: usize = 50;
const QUOTA: u64 = 1_000;
const REFRESH: u64 = 10;
const LATE: u64 = 60;

fn isolates(number: usize, more: serde_json::Value) -> Vec<Gateway> {
    let mut limit = json!({ "quota": format!("{QUOTA}/day"), "by": "host", "kv": true });
    limit.as_object_mut().unwrap().extend(more.as_object().unwrap().clone());
    let file = json!({
        "limits": { "l": limit, "never": { "quota": "1/day", "by": "host" } },
        "routes": [
            { "path": "/x", "auth": "public", "limit": "l", "reply": {} },
            { "path": "/refused", "auth": "public", "limit": ["l", "never"], "reply": {} },
        ],
    });
    (0..number).map(|_| loaded(&file.to_string())).collect()
}

/// Plays calls, each of an isolate at a moment in seconds; gives those that were admitted.
fn admitted(world: &World, isolates: &[Gateway], calls: &[(usize, u64)]) -> Vec<(usize, u64)> {
    let admitted = RefCell::new(Vec::new());
    let send = |call: &(usize, u64)| {
        let ((isolate, at), admitted) = (*call, &admitted);
        async move {
            world.sleep_until(Duration::from_secs(at)).await;
            if world.send(&isolates[isolate], "GET", "http://g/x", "").await.status == 200 {
                admitted.borrow_mut().push((isolate, at));
            }
        }
    };
    world.run(join_all(calls.iter().map(send)));
    admitted.into_inner()
}

/// The most that one isolate admitted in any span of so many seconds.
fn most_in(admitted: &[(usize, u64)], isolate: usize, span: u64) -> u64 {
    let times = || admitted.iter().filter(|(other, _)| *other == isolate).map(|(_, at)| *at);
    times().map(|from| times().filter(|at| (from..from + span).contains(at)).count() as u64).max().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 6, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn each_isolate_admits_no_more_than_it_does_in_the_time_that_it_does_not_know_of(
        // Of two hours, in each of which the quota would be used up twice.
        calls in prop::collection::vec((0..ISOLATES, 0u64..7_200), 4_000..4_200),
    ) {
        let world = World::new(|_| unreachable!());
        world.kv_late.set(Duration::from_secs(LATE));
        let admitted = admitted(&world, &isolates(ISOLATES, json!({})), &calls);
        let all = admitted.len() as u64;
        // While KV is late and until it is asked again; and what was admitted since it was told last.
        let unknown = |isolate| most_in(&admitted, isolate, LATE + 2 * REFRESH) + most_in(&admitted, isolate, REFRESH);
        let beyond: u64 = (0..ISOLATES).map(unknown).sum();
        prop_assert!((QUOTA..=QUOTA + beyond).contains(&all), "{} admitted, {} beyond", all, beyond);
        // That says something.
        prop_assert!(QUOTA + beyond < 3_000);
    }
}

#[test]
fn what_one_isolate_admits_others_know_of_soon() {
    let world = World::new(|_| unreachable!());
    let isolates = isolates(2, json!({}));
    let calls: Vec<_> = (0..2 * QUOTA).map(|number| (0, number / 100)).collect();
    assert_eq!(admitted(&world, &isolates, &calls).len() as u64, QUOTA, "of one isolate, it is exact");
    assert!(world.tallied.get() <= 1 + 20 / REFRESH as u32 + 100, "asked {} times", world.tallied.get());
    // Another isolate knows of all that was noted, before its first call.
    assert_eq!(admitted(&world, &isolates, &[(1, 40), (1, 41)]).len(), 0);
}

#[test]
fn while_kv_is_down_the_last_that_is_known_counts() {
    for (when_down, status) in [("open", 200), ("closed", 503)] {
        let world = World::new(|_| unreachable!());
        let isolates = isolates(2, json!({ "when_down": when_down, "quota": "3/day" }));
        assert_eq!(admitted(&world, &isolates, &[(0, 0)]).len(), 1);
        let kv = world.kv.take();
        let calls: Vec<_> = (1..10).map(|at| (0, at * 20)).collect();
        assert_eq!(admitted(&world, &isolates, &calls).len(), 2);
        let call = || world.run(world.send(&isolates[1], "GET", "http://g/x", "")).status;
        assert_eq!(call(), status);
        world.kv.replace(kv);
        assert_eq!(call(), 200, "what was admitted while KV was down was not noted yet");
        // It is, by the next call; that one is refused.
        admitted(&world, &isolates, &[(0, 300), (1, 320)]);
        assert_eq!(call(), 429);
    }
}

#[test]
fn what_another_limit_refuses_is_given_back() {
    let world = World::new(|_| unreachable!());
    let isolates = isolates(1, json!({ "quota": "3/day" }));
    let status = |path: &str| world.run(world.send(&isolates[0], "GET", &format!("http://g{path}"), "")).status;
    let refused: Vec<_> = (0..5).map(|_| status("/refused")).collect();
    assert_eq!(refused, [200, 429, 429, 429, 429]);
    assert_eq!([status("/x"), status("/x"), status("/x")], [200, 200, 429]);
}
