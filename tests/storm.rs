//! Instances that die, stall and flap, under load: laws that hold whatever happens to them.

use std::cell::RefCell;
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use futures::future::join_all;
use proptest::prelude::*;
use serde_json::json;

use crate::chaos::loaded;
use crate::world::{Behaviour, Boxed, World};

/// What an instance is like for a while.
#[derive(Clone, Copy, Debug, PartialEq)]
enum Mood {
    Well,
    Slow,
    Dead,
    Stalled,
    Failing,
    /// Well and dead in turn, each for 300 ms.
    Flapping,
}

const MOODS: [Mood; 6] = [Mood::Well, Mood::Slow, Mood::Dead, Mood::Stalled, Mood::Failing, Mood::Flapping];
const TIMEOUT: Duration = Duration::from_millis(400);
const BUDGET: Duration = Duration::from_secs(2);

fn behaviour(mood: Mood, now: Duration) -> Behaviour {
    let quickly = Duration::from_millis(5);
    match mood {
        Mood::Well => Behaviour::json(quickly, "1"),
        Mood::Slow => Behaviour::json(Duration::from_millis(200), "1"),
        Mood::Dead => Behaviour::breaks(Duration::from_millis(1)),
        Mood::Stalled => Behaviour::stalls(),
        Mood::Failing => Behaviour::status(quickly, 503),
        Mood::Flapping if (now.as_millis() / 300).is_multiple_of(2) => Behaviour::json(quickly, "1"),
        Mood::Flapping => Behaviour::breaks(Duration::from_millis(1)),
    }
}

/// A request of the storm: its method, when it came and what became of it.
#[derive(Clone, Debug)]
struct Request {
    method: &'static str,
    from: Duration,
    status: u16,
    took: Duration,
}

/// Sends a request each 10 ms for a while; moods are for each instance and second.
fn storm(
    seconds: usize,
    balance: &str,
    hedge: bool,
    moods: impl Fn(usize, usize) -> Mood + 'static,
) -> (Vec<Request>, Rc<World>) {
    let hedge = if hedge { json!({ "hedge": { "after": "50ms" } }) } else { json!({}) };
    let mut service = json!({
        "url": ["http://a", "http://b", "http://c"], "timeout": "400ms", "balance": balance,
        "retry": { "attempts": 3, "idempotency_key": "trusted" }, "breaker": { "open_for": "1s" },
    });
    service.as_object_mut().unwrap().extend(hedge.as_object().unwrap().clone());
    let gateway = loaded(
        &json!({
            "timeout": "2s",
            "services": { "s": service },
            "routes": [
                { "path": "/x/{id}", "auth": "public", "forward": "s" },
                { "path": "/part/{id}", "auth": "public", "aggregate": { "a": { "get": "s:/x/{id}" } } },
            ],
        })
        .to_string(),
    );
    let clock: Rc<RefCell<Option<Rc<World>>>> = Rc::default();
    let seen_by = Rc::clone(&clock);
    let world = Rc::new(World::new(move |url| {
        let now = seen_by.borrow().as_ref().unwrap().now();
        let instance = match url.as_bytes()[7] {
            b'a' => 0,
            b'b' => 1,
            _ => 2,
        };
        behaviour(moods(instance, now.as_secs() as usize), now)
    }));
    *clock.borrow_mut() = Some(Rc::clone(&world));
    let requests: Vec<Boxed<'_, Request>> = (0..seconds * 100)
        .map(|number| {
            let (world, gateway) = (&world, &gateway);
            Box::pin(async move {
                let from = Duration::from_millis(number as u64 * 10);
                world.sleep_until(from).await;
                let (method, url, headers) = match number % 5 {
                    0 => ("POST", format!("https://h/x/{number}"), ""),
                    1 => ("GET", format!("https://h/part/{number}"), ""),
                    2 => ("PUT", format!("https://h/x/{number}"), "content-length:10\n"),
                    _ => ("GET", format!("https://h/x/{number}"), ""),
                };
                let got = world.send(gateway, method, &url, headers).await;
                Request { method, from, status: got.status, took: got.took }
            }) as Boxed<'_, Request>
        })
        .collect();
    let outcome = world.run(join_all(requests));
    (outcome, world)
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn whatever_instances_do_these_hold(
        moods in proptest::collection::vec(proptest::collection::vec(0..MOODS.len(), 6), 3),
        balance in prop_oneof![Just("round-robin"), Just("random"), Just("least-loaded")],
        hedge in any::<bool>(),
    ) {
        let (requests, world) = storm(6, balance, hedge, move |instance, second| MOODS[moods[instance][second.min(5)]]);
        for request in &requests {
            prop_assert!(request.took <= BUDGET, "a request outlives its deadline: {request:?}");
            prop_assert!(matches!(request.status, 200 | 502 | 503 | 504), "{request:?}");
        }
        let mut calls: HashMap<(String, String), usize> = HashMap::new();
        for seen in world.seen.borrow().iter() {
            prop_assert!(seen.until - seen.from <= TIMEOUT, "a call outlives its deadline: {seen:?}");
            let path = seen.url.split_once("/x").unwrap().1.to_owned();
            *calls.entry((seen.method.clone(), path)).or_default() += 1;
        }
        for ((method, path), times) in calls {
            let most = if method == "POST" { 1 } else if method == "GET" && hedge { 6 } else { 3 };
            prop_assert!(times <= most, "{method} {path} was sent {times} times");
        }
    }
}

/// The share of requests that may be repeated and got an answer, of those that came from `from` on.
fn success(requests: &[Request], from: Duration) -> f64 {
    let counted: Vec<_> = requests.iter().filter(|it| it.method != "POST" && it.from >= from).collect();
    counted.iter().filter(|request| request.status == 200).count() as f64 / counted.len() as f64
}

#[test]
fn with_one_healthy_instance_of_three_nearly_all_get_an_answer() {
    for balance in ["round-robin", "random", "least-loaded"] {
        for (second, third) in [
            (Mood::Dead, Mood::Dead),
            (Mood::Dead, Mood::Stalled),
            (Mood::Failing, Mood::Stalled),
            (Mood::Stalled, Mood::Stalled),
            (Mood::Flapping, Mood::Dead),
        ] {
            let (requests, _) = storm(30, balance, false, move |instance, _| [Mood::Well, second, third][instance]);
            // The breaker's window is 10 s.
            let rate = success(&requests, Duration::from_secs(10));
            assert!(rate > 0.99, "{balance}, {second:?} and {third:?}: {rate}");
        }
    }
}

#[test]
fn instances_that_die_after_a_good_while_are_left_before_the_retries_are_spent() {
    for balance in ["round-robin", "random", "least-loaded"] {
        for mood in [Mood::Dead, Mood::Failing] {
            let (requests, _) = storm(
                25,
                balance,
                false,
                move |instance, second| {
                    if instance > 0 && second >= 12 { mood } else { Mood::Well }
                },
            );
            let rate = success(&requests, Duration::from_secs(12));
            assert!(rate > 0.99, "{balance}, {mood:?}: {rate}");
        }
    }
}

#[test]
fn an_instance_that_is_back_gets_its_calls_again() {
    let (requests, world) =
        storm(
            20,
            "round-robin",
            false,
            |instance, second| if instance == 1 && second < 5 { Mood::Dead } else { Mood::Well },
        );
    assert!(success(&requests, Duration::ZERO) > 0.99);
    let to_b =
        world.seen.borrow().iter().filter(|seen| seen.url.starts_with("http://b") && seen.from.as_secs() >= 15).count();
    assert!(to_b > 100, "{to_b} calls in the last 5 s");
}

#[test]
fn a_service_that_is_down_is_not_buried_under_retries() {
    let (requests, world) = storm(20, "round-robin", false, |_, _| Mood::Failing);
    let calls = world.seen.borrow().len();
    assert!(calls < requests.len(), "{calls} calls for {} requests: the breakers let few through", requests.len());
}
