//! What holds whatever the services, the limiter and the clients do. Every run has a seed; a
//! failure prints it.

use std::cell::Cell;
use std::time::Duration;

use futures::future::join_all;
use postern::gateway::Gateway;
use serde_json::{Value, json};

use crate::world::{Behaviour, Boxed, Got, World};

/// A small generator of numbers that look random (xorshift64*).
struct Random(Cell<u64>);

impl Random {
    fn new(seed: u64) -> Self {
        Self(Cell::new(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15) | 1))
    }

    fn below(&self, limit: u64) -> u64 {
        let mut state = self.0.get();
        state ^= state >> 12;
        state ^= state << 25;
        state ^= state >> 27;
        self.0.set(state);
        (state.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33) % limit
    }
}

fn millis(count: u64) -> Duration {
    Duration::from_millis(count)
}

fn gateway(parts: usize, optional_from: usize) -> Gateway {
    let services: serde_json::Map<String, Value> = (0..parts)
        .map(|at| (format!("s{at}"), json!({ "url": format!("http://s{at}"), "timeout": "400ms" })))
        .collect();
    let aggregate: serde_json::Map<String, Value> = (0..parts)
        .map(|at| {
            let mut part = json!({ "get": format!("s{at}:/") });
            if at >= optional_from {
                part["else"] = json!("stand-in");
            }
            (format!("p{at}"), part)
        })
        .collect();
    let file = json!({
        "timeout": "500ms",
        "services": services,
        "limits": { "l": { "rate": "10/s", "burst": 5, "by": "address" } },
        "routes": [
            { "path": "/all", "auth": "public", "aggregate": aggregate },
            { "path": "/limited", "auth": "public", "limit": "l", "reply": {} }
        ]
    });
    loaded(&file.to_string())
}

#[test]
fn an_aggregate_takes_as_long_as_its_slowest_part() {
    for seed in 0..200 {
        let random = Random::new(seed);
        let delays: Vec<u64> = (0..6).map(|_| random.below(400)).collect();
        let slowest = *delays.iter().max().unwrap();
        let world = World::new(move |url| {
            let at: usize = url.trim_start_matches("http://s").trim_end_matches('/').parse().unwrap();
            Behaviour::json(millis(delays[at]), at.to_string())
        });
        let gateway = gateway(6, 0);
        let got = world.run(world.send(&gateway, "GET", "http://g/all", ""));
        assert_eq!((got.status, got.took), (200, millis(slowest)), "seed {seed}");
        assert_eq!(got.body, r#"{"p0":0,"p1":1,"p2":2,"p3":3,"p4":4,"p5":5}"#, "seed {seed}");
    }
}

/// What a service of a seed does at a place.
fn whim(random: &Random) -> Behaviour {
    let after = millis(random.below(450));
    match random.below(8) {
        0 => Behaviour::status(after, 500),
        1 => Behaviour::breaks(after),
        2 => Behaviour::stalls(),
        3 => Behaviour::json(after, "<html>"),
        _ => Behaviour::json(after, "\"own\""),
    }
}

fn is_own(behaviour: &Behaviour) -> bool {
    behaviour.after <= millis(400)
        && matches!(&behaviour.then, crate::world::Then::Answer { status: 200, body, .. } if body == b"\"own\"")
}

#[test]
fn whatever_services_do_the_answer_is_right_and_in_time() {
    let (parts, optional_from) = (5, 2);
    let gateway = gateway(parts, optional_from);
    for seed in 0..2_000 {
        let random = Random::new(seed);
        let whims: Vec<Behaviour> = (0..parts).map(|_| whim(&random)).collect();
        let own: Vec<bool> = whims.iter().map(is_own).collect();
        let world = World::new(move |url| {
            let at: usize = url.trim_start_matches("http://s").trim_end_matches('/').parse().unwrap();
            whims[at].clone()
        });
        let got = world.run(world.send(&gateway, "GET", "http://g/all", ""));

        assert!(got.took <= millis(500), "seed {seed}");
        let required_there = own[..optional_from].iter().all(|own| *own);
        assert_eq!(got.status == 200, required_there, "seed {seed}: {got:?}");
        assert!(matches!(got.status, 200 | 502 | 504), "seed {seed}");
        assert!(!got.body.contains("http://s"), "seed {seed}: the inside shows");
        if got.status == 200 {
            let body: Value = serde_json::from_str(&got.body).unwrap();
            let mut stand_ins = Vec::new();
            for (at, own) in own.iter().enumerate() {
                assert_eq!(body[format!("p{at}")], if *own { "own" } else { "stand-in" }, "seed {seed}, part {at}");
                if !own {
                    stand_ins.push(format!("p{at}"));
                }
            }
            assert_eq!(got.headers["x-postern-complete"], stand_ins.is_empty().to_string(), "seed {seed}");
            let said = got.headers.get("x-postern-stand-ins").cloned().unwrap_or_default();
            assert_eq!(said, stand_ins.join(", "), "seed {seed}");
        }
        let seen = world.seen.borrow();
        // A required part that fails at once may end it all before the others are called.
        assert!(seen.len() == parts || got.status != 200, "seed {seed}: each call is made");
        assert!(
            seen.iter().enumerate().all(|(at, one)| seen[..at].iter().all(|other| other.url != one.url)),
            "seed {seed}: and made once"
        );
        assert!(seen.iter().all(|seen| seen.until - seen.from <= millis(400)), "seed {seed}: a call outlived its time");
    }
}

#[test]
fn a_crowd_gets_the_burst_and_the_rate_and_no_more() {
    let gateway = gateway(1, 0);
    for seed in 0..100 {
        let random = Random::new(seed);
        let world = World::new(|_| unreachable!());
        let arrivals: Vec<Duration> = (0..150).map(|_| millis(random.below(3_000))).collect();
        let crowd: Vec<Boxed<'_, (Duration, Got)>> = arrivals
            .iter()
            .map(|at| -> Boxed<'_, (Duration, Got)> {
                Box::pin(async {
                    world.sleep_until(*at).await;
                    let got = world.send(&gateway, "GET", "http://g/limited", "").await;
                    (world.now(), got)
                })
            })
            .collect();
        let mut admitted = Vec::new();
        for (at, got) in world.run(join_all(crowd)) {
            match got.status {
                200 => admitted.push(at),
                429 => assert!(got.headers.contains_key("retry-after"), "seed {seed}"),
                other => panic!("seed {seed}: status {other}"),
            }
        }
        admitted.sort();
        for (first, from) in admitted.iter().enumerate() {
            for (last, to) in admitted.iter().enumerate().skip(first) {
                let most = 5 + (*to - *from).as_millis() / 100;
                assert!((last - first + 1) as u128 <= most, "seed {seed}");
            }
        }
        assert!(admitted.len() >= 25, "seed {seed}: the rate is not reached, only {}", admitted.len());
    }
}

#[test]
fn whatever_a_client_sends_services_see_one_clean_path() {
    let bits = [
        "/", "admin", "..", ".", "%2e", "%2E%2e", "%2f", "%5c", ";", "=", "&", "+", "%", "%00", "%zz", "é", "a", "{",
        "}", "//", "#", "%25", "~", "*", ":", "@", "\\", "%C3%A9", "%ff", " ", "%61dmin", "%3b", "|", "\t",
    ];
    let file = json!({
        "services": { "s": { "url": "http://s/base" } },
        "auth": { "nobody": { "jwt": {
            "issuer": "i", "audience": "a", "keys": [{ "alg": "HS256", "secret": "{env.UNSET}" }] } } },
        "routes": [
            { "path": ["/admin", "/admin/{*rest}"], "auth": "nobody", "forward": "s" },
            { "path": "/moved/{*rest}", "auth": "public", "forward": "s:/new/{rest}" },
            { "path": "/one/{id}", "auth": "public", "aggregate": { "a": { "get": "s:/x/{id}?id={id}" } } },
            { "path": "/{*rest}", "auth": "public", "forward": "s" }
        ]
    });
    let gateway = loaded(&file.to_string());
    let mut asked = 0;
    for seed in 0..20_000 {
        let random = Random::new(seed);
        let mut path = ["/", "/admin", "/moved/", "/one/", "/x/"][random.below(5) as usize].to_owned();
        for _ in 0..random.below(9) {
            path.push_str(bits[random.below(bits.len() as u64) as usize]);
        }
        let world = World::new(|_| Behaviour::json(Duration::ZERO, "1"));
        let got = world.run(world.send(&gateway, "GET", &format!("http://g{path}?q={path}"), ""));
        assert!(matches!(got.status, 200 | 400 | 401 | 404), "seed {seed}, {path:?}: {got:?}");
        for seen in world.seen.borrow().iter() {
            asked += 1;
            let target = seen.url.strip_prefix("http://s/base").unwrap();
            let sent = target.split_once('?').unwrap().0;
            let normal = postern::path::NormalPath::parse(sent).map(|normal| normal.as_str().to_owned());
            assert_eq!(normal.as_deref(), Ok(sent), "seed {seed}: {path:?} is sent in another reading");
            let decoded = String::from_utf8_lossy(&postern::path::decode(sent)).into_owned();
            let guarded = decoded == "/admin" || decoded.starts_with("/admin/");
            assert!(!guarded, "seed {seed}: {path:?} reached {sent}");
        }
    }
    assert!(asked > 2_000, "only {asked} requests got through: the test tests nothing");
}

pub fn loaded(text: &str) -> Gateway {
    let (gateway, problems) = postern::config::load(text, None);
    gateway.unwrap_or_else(|| panic!("{problems:?}"))
}
