//! Requests and the answers they must get, as data: each file in `tests/scenarios` is a world, a
//! `routes.json` and a list of requests. To add a case, add a file.
//!
//! ```json
//! { "about": "what it shows",
//!   "routes": { … },
//!   "secrets": { "JWT_SECRET": "…" },
//!   "limiter": "down",
//!   "services": { "http://users/users/ada": { "json": { … }, "after": 20 },
//!                 "http://orders/…": { "status": 500 }, "http://x/": "breaks", "http://y/": "stalls" },
//!   "requests": [
//!     { "at": 0, "get": "https://api.example/dashboard", "token": { "sub": "ada" },
//!       "status": 200, "headers": { "x-postern-complete": "true", "server": null },
//!       "json": { … }, "text": "…", "calls": ["GET http://users/users/ada"], "took": 20, "log": "…" } ] }
//! ```
//!
//! `environment` names one of the file's. A service whose behaviour is an array goes through it, call by call, and stays with the last. `kv` has
//! what KV has, for all or from one request on; `"down"` is none.
//!
//! `body` is a request's, as a text or as JSON, which is then said to be; `batch` is the answer to a list of
//! requests: an array with what each element must at least have, however deep (`null`: not at all);
//! `"firsts": "down"` says that what is kept for an Idempotency-Key cannot be asked.
//!
//! `"log": null` is that the log has nothing.
//!
//! `limiter` says how long the place takes that counts; `"down"` is for ever.
//!
//! `certificate` is the client's: the lines of `Certificate::from_text`.
//!
//! `sign` signs a request with a secret (RFC 9421): `over` has the lines that are signed but the last, `params` what
//! follows their names, `created` and `expires` what is added to it, counted from now in seconds.
//! `rates` has rate limits of the platform's own, by the names of their bindings: how many, in how many seconds.
//!
//! `pieces` says when the pieces came of an answer that comes in pieces, since the request.
//!
//! Times are in milliseconds. `get` may be `post`, `head` and so on. `token` has claims that are put
//! over usual ones; `exp` and `nbf` count from now. `send` has header fields to send, `service_got`
//! those that the first service must have got (`null`: not at all), `sent` the bodies of the gateway's own calls. A service may also have `text`
//! for a body, and `headers`. What is not said is not checked, but a call to a service that is not in
//! the file fails the case, and so does a key that is none of these.

use std::cell::RefCell;
use std::collections::HashMap;
use std::path::{Path, PathBuf};
use std::time::Duration;

use base64ct::{Base64, Encoding};
use jwt_compact::alg::{Hs256, Hs256Key};
use jwt_compact::{AlgorithmExt, Claims, Header};
use serde_json::value::RawValue;
use serde_json::{Map, Value, json};

use crate::signing;
use crate::world::{BEGINNING, Behaviour, Got, Then, World};

const SECRET: &str = "a-secret-of-the-scenarios-32-bytes";

/// The `routes` of a scenario as they stand there: the order of their keys counts.
#[derive(serde::Deserialize)]
struct Routes {
    routes: Box<RawValue>,
}

#[test]
fn every_scenario_goes_as_written() {
    let mut files = Vec::new();
    collect(Path::new("tests/scenarios"), &mut files);
    assert!(files.len() >= 10, "the scenarios are not where they should be");
    let mut faults = Vec::new();
    for file in files {
        let text = std::fs::read_to_string(&file).unwrap();
        let scenario: Value = serde_json::from_str(&text).unwrap_or_else(|error| panic!("{}: {error}", file.display()));
        let Routes { routes } = serde_json::from_str(&text).unwrap();
        for hands_on in [true, false] {
            let gone_otherwise = play(&scenario, routes.get(), hands_on);
            faults.extend(gone_otherwise.into_iter().map(|fault| format!("{}: {fault}", file.display())));
        }
    }
    assert!(faults.is_empty(), "\n{}", faults.join("\n"));
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    let mut entries: Vec<_> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    entries.sort();
    for entry in entries {
        if entry.is_dir() {
            collect(&entry, files);
        } else if entry.extension().is_some_and(|extension| extension == "json") {
            files.push(entry);
        }
    }
}

/// The keys of a scenario, and of a request in it.
const KEYS: [&str; 9] = ["about", "environment", "routes", "secrets", "limiter", "rates", "kv", "services", "requests"];
const REQUEST_KEYS: [&str; 19] = [
    "sign",
    "certificate",
    "at",
    "kv",
    "firsts",
    "batch",
    "body",
    "send",
    "token",
    "status",
    "headers",
    "json",
    "text",
    "calls",
    "pieces",
    "took",
    "log",
    "service_got",
    "sent",
];

fn unknown_keys(scenario: &Value) -> Vec<String> {
    let keys = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let of_requests = scenario["requests"].as_array().unwrap().iter().flat_map(keys);
    let known = |key: &String| REQUEST_KEYS.contains(&key.as_str()) || METHODS.contains(&key.as_str());
    keys(scenario)
        .into_iter()
        .filter(|key| !KEYS.contains(&key.as_str()))
        .chain(of_requests.filter(|key| !known(key)))
        .map(|key| format!("the key {key:?} is not known"))
        .collect()
}

/// Plays a scenario, in which replies are handed on at once or not; gives what went otherwise.
fn play(scenario: &Value, routes: &str, hands_on: bool) -> Vec<String> {
    let unknown = unknown_keys(scenario);
    if !unknown.is_empty() {
        return unknown;
    }
    let gateway = match postern::config::load(routes, scenario["environment"].as_str()) {
        (Some(gateway), _) => gateway,
        (None, problems) => return problems.iter().map(|problem| format!("routes: {problem}")).collect(),
    };
    let services = scenario["services"].as_object().cloned().unwrap_or_default();
    let calls: RefCell<HashMap<String, usize>> = RefCell::default();
    let mut world = World::new(move |url| match services.get(url) {
        Some(Value::Array(turns)) => {
            let mut calls = calls.borrow_mut();
            let call = calls.entry(url.to_owned()).or_default();
            *call += 1;
            behaviour(&turns[(*call - 1).min(turns.len() - 1)])
        }
        Some(written) => behaviour(written),
        None => panic!("a call to {url}, which the scenario does not have"),
    });
    world.hands_on.set(hands_on);
    set_kv(&world, &scenario["kv"]);
    world = world.with_secret("JWT_SECRET", SECRET);
    for (name, value) in scenario["secrets"].as_object().into_iter().flatten() {
        world = world.with_secret(name, value.as_str().unwrap());
    }
    for (name, rate) in scenario["rates"].as_object().into_iter().flatten() {
        world.rates.insert(name.clone(), (rate[0].as_u64().unwrap(), rate[1].as_u64().unwrap()));
    }
    match &scenario["limiter"] {
        Value::Null => {}
        Value::Number(takes) => world.limiter.set(Some(Duration::from_millis(takes.as_u64().unwrap()))),
        _ => world.limiter.set(None),
    }
    let mut faults = Vec::new();
    for (number, step) in scenario["requests"].as_array().unwrap().iter().enumerate() {
        world.seen.borrow_mut().clear();
        world.log.borrow_mut().clear();
        set_kv(&world, &step["kv"]);
        if step["firsts"] == "down" {
            *world.firsts.borrow_mut() = None;
        }
        let certificate = step["certificate"].as_array().into_iter().flatten().map(|line| line.as_str().unwrap());
        *world.certificate.borrow_mut() = certificate.collect::<Vec<_>>().join("\n");
        let got = world.run(async {
            world.sleep_until(Duration::from_millis(step["at"].as_u64().unwrap_or_default())).await;
            let (method, url) = target(step);
            let body = match &step["body"] {
                Value::Null => String::new(),
                Value::String(text) => text.clone(),
                json => json.to_string(),
            };
            world.send_body(&gateway, &method, &url, &fields(step, &world), &body).await
        });
        faults.extend(differences(step, &got, &world).into_iter().map(|fault| format!("request {number}: {fault}")));
    }
    faults
}

fn set_kv(world: &World, written: &Value) {
    match written {
        Value::Null => {}
        Value::Object(values) => {
            let texts = values.iter().map(|(key, value)| (key.clone(), value.to_string()));
            *world.kv.borrow_mut() = Some(texts.collect());
        }
        _ => *world.kv.borrow_mut() = None,
    }
}

fn behaviour(written: &Value) -> Behaviour {
    match written.as_str() {
        Some("breaks") => return Behaviour::breaks(Duration::ZERO),
        Some("stalls") => return Behaviour::stalls(),
        _ => {}
    }
    let body = match (&written["json"], written["text"].as_str()) {
        (_, Some(text)) => text.as_bytes().to_vec(),
        (Value::Null, None) => Vec::new(),
        (json, None) => json.to_string().into_bytes(),
    };
    let headers = written["headers"].as_object().into_iter().flatten();
    Behaviour {
        after: Duration::from_millis(written["after"].as_u64().unwrap_or(10)),
        then: Then::Answer {
            status: written["status"].as_u64().unwrap_or(200) as u16,
            headers: headers.map(|(name, value)| format!("{name}:{}\n", value.as_str().unwrap())).collect(),
            body,
        },
    }
}

const METHODS: [&str; 7] = ["get", "head", "post", "put", "patch", "delete", "options"];

fn target(step: &Value) -> (String, String) {
    METHODS
        .into_iter()
        .find_map(|method| Some((method.to_uppercase(), step[method].as_str()?.to_owned())))
        .expect("a request has a method")
}

fn fields(step: &Value, world: &World) -> String {
    let mut lines: String = step["send"]
        .as_object()
        .into_iter()
        .flatten()
        .map(|(name, value)| format!("{name}:{}\n", value.as_str().unwrap()))
        .collect();
    if matches!(step["body"], Value::Array(_) | Value::Object(_)) && !lines.contains("content-type:") {
        lines.push_str("content-type:application/json\n");
    }
    if let Some(sign) = step["sign"].as_object() {
        lines.push_str(&signature(sign, world));
    }
    if let Some(claims) = step["token"].as_object() {
        lines.push_str(&format!("authorization:Bearer {}\n", token(claims, world)));
    }
    lines
}

/// The header fields of a signature by a secret (RFC 9421): over the lines that the scenario has, and its parameters.
fn signature(sign: &Map<String, Value>, world: &World) -> String {
    let now = (BEGINNING / 1000) as i64 + world.now().as_secs() as i64;
    let mut params = sign["params"].as_str().unwrap().to_owned();
    for (name, offset) in [("created", "created"), ("expires", "expires")] {
        if let Some(offset) = sign.get(offset).and_then(Value::as_i64) {
            params.push_str(&format!(";{name}={}", now + offset));
        }
    }
    let lines: Vec<&str> = sign["over"].as_array().unwrap().iter().map(|line| line.as_str().unwrap()).collect();
    let names: Vec<&str> = lines.iter().map(|line| line.split(": ").next().unwrap()).collect();
    let input = format!("({}){params}", names.join(" "));
    let base = [lines, vec![&format!("\"@signature-params\": {input}")]].concat().join("\n");
    let secret = sign.get("secret").and_then(Value::as_str).unwrap_or(SECRET);
    let signature = Base64::encode_string(&signing::by_secret(secret, &base));
    format!("signature-input:sig={input}\nsignature:sig=:{signature}:\n")
}

fn token(claims: &Map<String, Value>, world: &World) -> String {
    let now = (BEGINNING / 1000) as i64 + world.now().as_secs() as i64;
    let usual = json!({ "iss": "https://id.example/", "aud": "shop", "sub": "ada", "exp": 300 });
    let mut all = usual.as_object().unwrap().clone();
    all.extend(claims.clone());
    all.retain(|_, value| !value.is_null());
    for name in ["exp", "nbf"] {
        if let Some(offset) = all.get(name).and_then(Value::as_i64) {
            all.insert(name.to_owned(), json!(now + offset));
        }
    }
    Hs256.token(&Header::empty(), &Claims::new(all), &Hs256Key::new(SECRET)).unwrap()
}

/// Where a value has not what is expected at least of it, with what is expected and what is there.
fn lacks(place: &str, expected: &Value, actual: &Value) -> Vec<(String, [String; 2])> {
    match (expected, actual) {
        (Value::Object(members), Value::Object(_)) => {
            members.iter().flat_map(|(key, value)| lacks(&format!("{place}, {key}"), value, &actual[key])).collect()
        }
        (Value::Array(elements), Value::Array(others)) if elements.len() == others.len() => {
            let pairs = elements.iter().zip(others).enumerate();
            pairs.flat_map(|(at, (expected, actual))| lacks(&format!("{place}, {at}"), expected, actual)).collect()
        }
        _ if expected == actual => Vec::new(),
        _ => vec![(place.to_owned(), [expected.to_string(), actual.to_string()])],
    }
}

fn differences(step: &Value, got: &Got, world: &World) -> Vec<String> {
    let mut faults = Vec::new();
    let mut expect = |what: &str, expected: String, actual: String| {
        if expected != actual {
            faults.push(format!("{what}: expected {expected}, got {actual}"));
        }
    };
    expect("status", step["status"].to_string(), got.status.to_string());
    for (name, value) in step["headers"].as_object().into_iter().flatten() {
        let actual = got.headers.get(name).map_or(Value::Null, |actual| json!(actual));
        expect(name, value.to_string(), actual.to_string());
    }
    if let Some(text) = step["text"].as_str() {
        expect("body", text.to_owned(), got.body.clone());
    }
    if let Some(expected) = step.get("json") {
        let actual = serde_json::from_str(&got.body).unwrap_or(Value::Null);
        for (key, value) in expected.as_object().into_iter().flatten() {
            expect(&format!("body, {key}"), value.to_string(), actual[key].to_string());
        }
        if !expected.is_object() {
            expect("body", expected.to_string(), actual.to_string());
        }
    }
    if let Some(expected) = step.get("batch") {
        let actual = serde_json::from_str(&got.body).unwrap_or(Value::Null);
        lacks("batch", expected, &actual)
            .iter()
            .for_each(|(place, [said, got])| expect(place, said.clone(), got.clone()));
    }
    if let Some(pieces) = step.get("pieces") {
        let came: Vec<_> = got.pieces.iter().map(|came| came.as_millis() as u64).collect();
        expect("pieces", pieces.to_string(), json!(came).to_string());
    }
    if let Some(took) = step["took"].as_u64() {
        expect("took", took.to_string(), got.took.as_millis().to_string());
    }
    if let Some(calls) = step["calls"].as_array() {
        let mut made: Vec<_> = world.seen.borrow().iter().map(|seen| format!("{} {}", seen.method, seen.url)).collect();
        let mut expected: Vec<_> = calls.iter().map(|call| call.as_str().unwrap().to_owned()).collect();
        made.sort();
        expected.sort();
        expect("calls", format!("{expected:?}"), format!("{made:?}"));
    }
    if let Some(sent) = step.get("sent") {
        let bodies: Vec<_> = world.seen.borrow().iter().map(|seen| seen.body.clone()).collect();
        expect("sent", sent.to_string(), json!(bodies).to_string());
    }
    for (name, value) in step["service_got"].as_object().into_iter().flatten() {
        let seen = world.seen.borrow();
        let prefix = format!("{name}:");
        let actual = seen.first().and_then(|seen| seen.headers.iter().find_map(|line| line.strip_prefix(&prefix)));
        expect(&format!("the service's {name}"), value.to_string(), json!(actual).to_string());
    }
    if let Some(note) = step["log"].as_str() {
        let log = world.log.borrow().join("\n");
        expect(
            "log",
            format!("something with {note}"),
            if log.contains(note) { format!("something with {note}") } else { log },
        );
    }
    if step.get("log") == Some(&Value::Null) {
        expect("log", String::new(), world.log.borrow().join("\n"));
    }
    faults
}
