//! Limits of which isolates borrow: fifty of them, each with a share of the calls that is its own, and one place
//! that counts. What is admitted in all, in any span, and how often the place is asked.

use std::cell::RefCell;
use std::time::Duration;

use futures::future::join_all;
use postern::gateway::Gateway;
use proptest::prelude::*;
use serde_json::json;

use crate::chaos::loaded;
use crate::world::{BEGINNING, World};

const ISOLATES: usize = 50;
const RATE: u64 = 100;
const BURST: u64 = 50;
const LEASE: u64 = 5;

fn isolates(lease: Option<u64>) -> Vec<Gateway> {
    let mut limit = json!({ "rate": format!("{RATE}/s"), "burst": BURST, "by": "host" });
    if let Some(lease) = lease {
        limit["lease"] = json!(lease);
        limit["lease_time"] = json!("2s");
    }
    let routes = json!([{ "path": "/x", "auth": "public", "limit": "l", "reply": {} }]);
    let file = json!({ "limits": { "l": limit }, "routes": routes }).to_string();
    (0..ISOLATES).map(|_| loaded(&file)).collect()
}

/// Plays calls, each of an isolate at a moment in milliseconds; gives when those were that were admitted.
fn admitted(world: &World, isolates: &[Gateway], calls: &[(usize, u64)]) -> Vec<u64> {
    let admitted = RefCell::new(Vec::new());
    let send = |(isolate, at): &(usize, u64)| {
        let (isolate, at, admitted) = (&isolates[*isolate], *at, &admitted);
        async move {
            world.sleep_until(Duration::from_millis(at)).await;
            let got = world.send(isolate, "GET", "http://g/x", "").await;
            if got.status == 200 {
                admitted.borrow_mut().push(BEGINNING + at);
            }
        }
    };
    world.run(join_all(calls.iter().map(send)));
    let mut admitted = admitted.into_inner();
    admitted.sort_unstable();
    admitted
}

/// The most that is admitted in any span beyond what the limit says of that span.
fn excess(admitted: &[u64], allowed: impl Fn(u64) -> u64) -> i64 {
    let spans = admitted.iter().enumerate().flat_map(|(first, from)| {
        admitted.iter().enumerate().skip(first).map(move |(last, to)| ((last - first + 1) as u64, to - from))
    });
    spans.map(|(count, span)| count as i64 - allowed(span) as i64).max().unwrap_or(0)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 40, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn fifty_isolates_never_admit_more_than_is_said(
        // Most calls go to a few isolates.
        calls in prop::collection::vec((prop::sample::select(vec![0, 0, 0, 1, 1, 2, 3, 5, 8, 13, 21, 34, 49]), 0u64..4_000), 100..600),
    ) {
        let said = |span: u64| BURST + RATE * span / 1000 + 1;
        let world = World::new(|_| unreachable!());
        let exact = admitted(&world, &isolates(None), &calls);
        prop_assert!(excess(&exact, said) <= 0);

        let world = World::new(|_| unreachable!());
        let leased = admitted(&world, &isolates(Some(LEASE)), &calls);
        // In all never more; in a moment, a lease of each isolate more, and what it had of the one before.
        prop_assert!(leased.len() as u64 <= BURST + RATE * 4 + 1);
        prop_assert!(excess(&leased, said) <= 2 * (ISOLATES as u64 * LEASE) as i64);
    }
}

#[test]
fn an_isolate_that_is_busy_asks_for_a_lease_of_calls_at_a_time() {
    let calls: Vec<(usize, u64)> = (0..2_000).map(|number| (0, number * 20)).collect();
    let world = World::new(|_| unreachable!());
    assert_eq!(admitted(&world, &isolates(Some(LEASE)), &calls).len(), 2_000);
    let asked = u64::from(world.counted.get());
    assert!(asked <= 2_000 / (LEASE / 2) + 2, "asked {asked} times");
    let world = World::new(|_| unreachable!());
    admitted(&world, &isolates(None), &calls);
    assert_eq!(world.counted.get(), 2_000);
}

#[test]
fn a_flood_is_refused_without_asking_for_each_call() {
    // Of one isolate, ten times the rate.
    let calls: Vec<(usize, u64)> = (0..4_000).map(|number| (0, number)).collect();
    let world = World::new(|_| unreachable!());
    let admitted = admitted(&world, &isolates(Some(LEASE)), &calls).len() as u64;
    assert!((BURST + RATE * 3..=BURST + RATE * 4 + 1).contains(&admitted), "{admitted} admitted");
    assert!(world.counted.get() < 1_000, "asked {} times for 4000 calls", world.counted.get());
}

#[test]
fn what_is_borrowed_is_spent_while_the_place_that_counts_is_down() {
    let world = World::new(|_| unreachable!());
    let isolates = isolates(Some(LEASE));
    assert_eq!(admitted(&world, &isolates, &[(0, 0)]).len(), 1);
    world.limiter.set(None);
    let calls: Vec<(usize, u64)> = (0..LEASE as usize - 1).map(|_| (0, 10)).collect();
    let before = world.now();
    assert_eq!(admitted(&world, &isolates, &calls).len(), calls.len());
    assert!(world.now() - before < Duration::from_secs(2));
}

#[test]
fn more_is_borrowed_in_the_background_however_small_a_lease_is() {
    let world = World::new(|_| unreachable!());
    let isolates = isolates(Some(1));
    admitted(&world, &isolates, &[(0, 0)]);
    assert_eq!(world.counted.get(), 2, "once for the call, and once for the next");
    admitted(&world, &isolates, &[(0, 10)]);
    assert_eq!(world.counted.get(), 3, "the call itself asked for nothing");
}
