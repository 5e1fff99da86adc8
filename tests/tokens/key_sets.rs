//! Keys by URL: rotation, outage, floods of made-up `kid`s, many requests at once; in the simulation.

use std::cell::{Cell, RefCell};
use std::collections::HashMap;
use std::rc::Rc;
use std::time::Duration;

use futures::future::join_all;
use postern::gateway::Gateway;
use serde_json::{Value, json};

use super::gateway_of;
use crate::signing::Signer;
use crate::world::{BEGINNING, Behaviour, World};

/// An issuer, what it answers, and how often it was asked.
struct Issuer {
    keys: RefCell<Vec<(String, Signer)>>,
    is_up: Cell<bool>,
    takes: Cell<Duration>,
    asked: Cell<u32>,
}

impl Issuer {
    fn new(kids: &[&str]) -> Rc<Self> {
        let issuer = Self {
            keys: RefCell::default(),
            is_up: Cell::new(true),
            takes: Cell::new(Duration::from_millis(30)),
            asked: Cell::new(0),
        };
        issuer.has(kids);
        Rc::new(issuer)
    }

    /// Has keys of these `kid`s from now on, and no others; those that it had stay the same.
    fn has(&self, kids: &[&str]) {
        let mut before: HashMap<String, Signer> = self.keys.take().into_iter().collect();
        let keys = kids.iter().map(|kid| {
            let signer = before.remove(*kid).unwrap_or_else(Signer::ed25519);
            ((*kid).to_owned(), signer)
        });
        *self.keys.borrow_mut() = keys.collect();
    }

    fn set(&self) -> String {
        let of = |(kid, signer): &(String, Signer)| {
            let mut jwk = signer.jwk();
            jwk["kid"] = json!(kid);
            jwk
        };
        let mut keys: Vec<Value> = self.keys.borrow().iter().map(of).collect();
        // What is of no use here is left out, and harms nothing.
        keys.extend([json!({ "kty": "oct", "k": "AAAA" }), json!({ "kty": "RSA", "use": "enc" }), json!(7)]);
        json!({ "keys": keys }).to_string()
    }

    fn answers(&self, url: &str) -> Behaviour {
        if url.starts_with("http://s/") {
            return Behaviour::json(Duration::ZERO, "1");
        }
        self.asked.set(self.asked.get() + 1);
        match (self.is_up.get(), url) {
            (false, _) => Behaviour::breaks(self.takes.get()),
            (true, "https://id.example/keys") => Behaviour::json(self.takes.get(), self.set()),
            (true, "https://id.example/.well-known/openid-configuration") => Behaviour::json(
                self.takes.get(),
                json!({ "issuer": "https://id.example/", "jwks_uri": "https://id.example/keys" }).to_string(),
            ),
            other => panic!("{other:?}"),
        }
    }

    /// A token of a key that it has, which is good for a day.
    fn token(&self, kid: &str, number: u32) -> String {
        let keys = self.keys.borrow();
        let (_, signer) = keys.iter().find(|(own, _)| own == kid).unwrap();
        token_by(signer, kid, number)
    }
}

fn token_by(signer: &Signer, kid: &str, number: u32) -> String {
    let exp = BEGINNING / 1000 + 86_400;
    let claims = json!({ "iss": "https://id.example/", "aud": "a", "sub": "ada", "exp": exp, "number": number });
    signer.token(json!({ "alg": "EdDSA", "kid": kid }).to_string(), claims.to_string())
}

fn gateway(jwks: &Value) -> Gateway {
    gateway_of(&json!({ "issuer": "https://id.example/", "audience": "a", "jwks": jwks }))
}

fn world(issuer: &Rc<Issuer>) -> World {
    let issuer = Rc::clone(issuer);
    World::new(move |url| issuer.answers(url))
}

async fn status(world: &World, gateway: &Gateway, token: &str) -> u16 {
    world.send(gateway, "GET", "http://g/x", &format!("authorization:Bearer {token}\n")).await.status
}

async fn later(world: &World, seconds: u64) {
    world.sleep_until(world.now() + Duration::from_secs(seconds)).await;
}

#[test]
fn keys_are_fetched_once_and_again_in_the_background() {
    for jwks in [json!("https://id.example/keys"), json!("discover")] {
        let issuer = Issuer::new(&["a"]);
        let (world, gateway) = (world(&issuer), gateway(&jwks));
        world.run(async {
            assert_eq!(status(&world, &gateway, &issuer.token("a", 1)).await, 200);
            let first = issuer.asked.get();
            assert_eq!(status(&world, &gateway, &issuer.token("a", 2)).await, 200);
            assert_eq!(issuer.asked.get(), first);
            // Older than `refresh`: the request does not wait.
            later(&world, 700).await;
            let fields = format!("authorization:Bearer {}\n", issuer.token("a", 3));
            let got = world.send(&gateway, "GET", "http://g/x", &fields).await;
            assert_eq!((got.status, got.took), (200, Duration::ZERO));
            assert_eq!(issuer.asked.get(), 2 * first);
        });
    }
}

#[test]
fn a_new_key_counts_at_once_and_an_old_one_no_more() {
    let issuer = Issuer::new(&["a"]);
    let (world, gateway) = (world(&issuer), gateway(&json!("https://id.example/keys")));
    world.run(async {
        let of_old = issuer.token("a", 1);
        assert_eq!(status(&world, &gateway, &of_old).await, 200);
        later(&world, 60).await;
        issuer.has(&["b"]);
        assert_eq!(status(&world, &gateway, &issuer.token("b", 1)).await, 200);
        assert_eq!(issuer.asked.get(), 2);
        // Also a token that was remembered.
        assert_eq!(status(&world, &gateway, &of_old).await, 401);
    });
}

#[test]
fn what_was_refused_counts_once_there_is_its_key() {
    let (issuer, other) = (Issuer::new(&["a"]), Issuer::new(&["a", "b"]));
    let (world, gateway) = (world(&issuer), gateway(&json!({ "url": "https://id.example/keys", "retry": "30s" })));
    world.run(async {
        // Of a key that the issuer has under another value, or not yet.
        let (of_other_value, of_later) = (other.token("a", 1), other.token("b", 1));
        assert_eq!(status(&world, &gateway, &issuer.token("a", 2)).await, 200);
        for _ in 0..3 {
            assert_eq!(status(&world, &gateway, &of_other_value).await, 401);
        }
        assert_eq!(world.verified.get(), 2);
        assert_eq!(status(&world, &gateway, &of_later).await, 401);
        assert_eq!(status(&world, &gateway, &of_later).await, 401);
        issuer.keys.swap(&other.keys);
        later(&world, 31).await;
        assert_eq!(status(&world, &gateway, &of_later).await, 200);
        assert_eq!(status(&world, &gateway, &of_other_value).await, 200);
    });
}

#[test]
fn made_up_kids_have_nothing_fetched_beyond_the_interval() {
    let issuer = Issuer::new(&["a"]);
    let (world, gateway) = (world(&issuer), gateway(&json!({ "url": "https://id.example/keys", "retry": "30s" })));
    let attacker = Signer::ed25519();
    world.run(async {
        assert_eq!(status(&world, &gateway, &issuer.token("a", 1)).await, 200);
        for number in 0..600 {
            assert_eq!(status(&world, &gateway, &token_by(&attacker, &format!("made-up-{number}"), number)).await, 401);
            world.sleep_until(world.now() + Duration::from_millis(100)).await;
        }
        // One for the first, then one in half a minute.
        assert!(issuer.asked.get() <= 4, "{} fetches in a minute", issuer.asked.get());
        assert_eq!(status(&world, &gateway, &issuer.token("a", 2)).await, 200);
    });
}

#[test]
fn many_requests_at_once_wait_for_one_fetch() {
    let issuer = Issuer::new(&["a"]);
    let (world, gateway) = (world(&issuer), gateway(&json!("https://id.example/keys")));
    let tokens: Vec<String> = (0..50).map(|number| issuer.token("a", number)).collect();
    let statuses = world.run(join_all(tokens.iter().map(|token| status(&world, &gateway, token))));
    assert_eq!(statuses, vec![200; 50]);
    assert_eq!(issuer.asked.get(), 1);
}

#[test]
fn the_last_good_keys_count_while_the_issuer_is_down_but_not_for_ever() {
    let issuer = Issuer::new(&["a"]);
    let (world, gateway) = (world(&issuer), gateway(&json!({ "url": "https://id.example/keys", "keep": "1h" })));
    world.run(async {
        assert_eq!(status(&world, &gateway, &issuer.token("a", 1)).await, 200);
        issuer.is_up.set(false);
        for number in 2..6 {
            later(&world, 800).await;
            assert_eq!(status(&world, &gateway, &issuer.token("a", number)).await, 200);
        }
        *world.kv.borrow_mut() = None;
        later(&world, 800).await;
        assert_eq!(status(&world, &gateway, &issuer.token("a", 9)).await, 503);
        issuer.is_up.set(true);
        later(&world, 2).await;
        assert_eq!(status(&world, &gateway, &issuer.token("a", 9)).await, 200);
    });
}

#[test]
fn without_keys_and_issuer_nobody_gets_in_and_it_is_not_asked_by_everyone() {
    let issuer = Issuer::new(&["a"]);
    issuer.is_up.set(false);
    let (world, gateway) = (world(&issuer), gateway(&json!("https://id.example/keys")));
    world.run(async {
        for number in 0..20 {
            assert_eq!(status(&world, &gateway, &issuer.token("a", number)).await, 503);
        }
        assert!(issuer.asked.get() <= 2, "asked {} times", issuer.asked.get());
    });
}

#[test]
fn another_isolate_takes_the_keys_from_kv() {
    let issuer = Issuer::new(&["a"]);
    let world = world(&issuer);
    let (one, other) = (gateway(&json!("https://id.example/keys")), gateway(&json!("https://id.example/keys")));
    world.run(async {
        assert_eq!(status(&world, &one, &issuer.token("a", 1)).await, 200);
        assert_eq!(issuer.asked.get(), 1);
        assert_eq!(status(&world, &other, &issuer.token("a", 2)).await, 200);
        assert_eq!(issuer.asked.get(), 1);
        // One that has keys and is asked for a `kid` that is not among them looks there first as well.
        later(&world, 60).await;
        issuer.has(&["a", "b"]);
        assert_eq!(status(&world, &one, &issuer.token("b", 3)).await, 200);
        assert_eq!(status(&world, &other, &issuer.token("b", 4)).await, 200);
        assert_eq!(issuer.asked.get(), 2);
        // What is there and is no set of keys, or says that it is of the future, is none.
        for text in ["x", "1\n{}", "99999999999999\n{\"keys\":[]}"] {
            world.kv.borrow_mut().as_mut().unwrap().insert("postern/keys/https://id.example/keys".into(), text.into());
            let third = gateway(&json!("https://id.example/keys"));
            assert_eq!(status(&world, &third, &issuer.token("b", 5)).await, 200);
        }
    });
}

#[test]
fn a_fetch_that_is_dropped_holds_nobody_up() {
    let issuer = Issuer::new(&["a"]);
    issuer.takes.set(Duration::from_millis(1500));
    let (world, gateway) = (world(&issuer), gateway(&json!("https://id.example/keys")));
    world.run(async {
        let (first, second) = (issuer.token("a", 1), issuer.token("a", 2));
        let leaving = Box::pin(status(&world, &gateway, &first));
        let left = futures::future::select(leaving, Box::pin(later(&world, 1))).await;
        drop(left);
        issuer.takes.set(Duration::from_millis(30));
        later(&world, 1).await;
        assert_eq!(status(&world, &gateway, &second).await, 200);
    });
}

#[test]
fn the_issuer_leads_to_no_place_where_others_could_put_keys() {
    let discovered = |jwks_uri: &str| {
        let configuration = json!({ "issuer": "https://id.example/", "jwks_uri": jwks_uri }).to_string();
        let world = World::new(move |url| match url {
            "https://id.example/.well-known/openid-configuration" => {
                Behaviour::json(Duration::ZERO, configuration.clone())
            }
            _ => Behaviour::status(Duration::ZERO, 404),
        });
        let token = token_by(&Signer::ed25519(), "a", 1);
        assert_eq!(world.run(status(&world, &gateway(&json!("discover")), &token)), 503);
        let seen = world.seen.take();
        seen.into_iter().map(|seen| seen.url).filter(|url| !url.contains(".well-known")).collect::<Vec<_>>()
    };
    for url in ["https://keys.example/a", "http://localhost/a", "http://127.0.0.1:8080/a", "http://[::1]:8080/a"] {
        assert_eq!(discovered(url), [url]);
    }
    for url in [
        "http://keys.example/a",
        "http://localhost.example/a",
        "http://localhost:80@keys.example/a",
        "http://[::1]:80@keys.example/a",
        "https://user@keys.example/a",
        "https://",
        "https:///a",
        "file:///a",
        // The line after that of the URL names the service binding that is called.
        "https://keys.example/a\nINTERNAL",
        "https://keys.example/a\r",
        " https://keys.example/a",
        "https://keys.example/ä",
    ] {
        assert_eq!(discovered(url), [""; 0], "of {url:?}");
    }
}

#[test]
fn an_issuer_that_does_not_answer_is_asked_once_and_holds_nobody_up() {
    let issuer = Issuer::new(&["a"]);
    issuer.takes.set(Duration::from_secs(1_000));
    let (world, gateway) = (world(&issuer), gateway(&json!("https://id.example/keys")));
    let tokens: Vec<String> = (0..20).map(|number| issuer.token("a", number)).collect();
    let answers = world.run(join_all(tokens.iter().map(|token| async {
        let before = world.now();
        (status(&world, &gateway, token).await, (world.now() - before).as_millis())
    })));
    assert!(answers.iter().all(|(status, took)| *status == 503 && *took < 2_100), "{answers:?}");
    assert_eq!(issuer.asked.get(), 1);
}

#[test]
fn a_made_up_kid_is_worth_one_fetch_however_short_the_interval() {
    let issuer = Issuer::new(&["a"]);
    let (world, gateway) = (world(&issuer), gateway(&json!({ "url": "https://id.example/keys", "retry": "1ms" })));
    world.run(async {
        assert_eq!(status(&world, &gateway, &issuer.token("a", 1)).await, 200);
        later(&world, 1).await;
        assert_eq!(status(&world, &gateway, &token_by(&Signer::ed25519(), "made-up", 1)).await, 401);
        assert_eq!(issuer.asked.get(), 2);
    });
}

#[test]
fn a_remembered_token_of_a_key_that_is_gone_counts_until_the_next_look_at_the_keys() {
    let issuer = Issuer::new(&["a"]);
    let (world, gateway) = (world(&issuer), gateway(&json!({ "url": "https://id.example/keys", "keep": "1h" })));
    world.run(async {
        let token = issuer.token("a", 1);
        assert_eq!(status(&world, &gateway, &token).await, 200);
        issuer.has(&["b"]);
        // The first after `refresh` has the keys fetched, nobody else asks.
        later(&world, 601).await;
        assert_eq!(status(&world, &gateway, &token).await, 200);
        assert_eq!(status(&world, &gateway, &token).await, 401);
        // While the issuer is down, it counts no longer than the keys do.
        let token = issuer.token("b", 1);
        assert_eq!(status(&world, &gateway, &token).await, 200);
        issuer.is_up.set(false);
        *world.kv.borrow_mut() = None;
        later(&world, 3_000).await;
        assert_eq!(status(&world, &gateway, &token).await, 200);
        later(&world, 3_000).await;
        assert_eq!(status(&world, &gateway, &token).await, 503);
    });
}
