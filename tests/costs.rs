//! What each job of `tests/costs/jobs.json` costs in memory, beside what `tests/costs.md` keeps of it.
//!
//! It is counted from the text of a head to the answer, the work of the gateway alone: no line of a log, nothing that
//! is done once the answer is on its way. What the runtime hands over is in it once, as in the Wasm: the head as a
//! text, the secret, and the header fields and body of each service's answer. Memory that grows counts anew with its
//! whole size, since it is copied.

mod kept;

use std::fmt::Write as _;

use allocation_counter::{AllocationInfo, measure};
use futures::executor::block_on;
use postern::answer::{Answer, Response};
use postern::gateway::Gateway;
use postern::handle::handle;
use postern::head::Head;
use ring::hmac::HMAC_SHA256;
use serde_json::{Map, Value, json};

use crate::chaos::loaded;
use crate::prepared::{NOW, Prepared};
use crate::signing::Signer;

const SECRET: &str = "a-secret-of-the-tests-of-32-bytes";

/// The jobs, and what they need.
fn all() -> Value {
    serde_json::from_str(&std::fs::read_to_string("tests/costs/jobs.json").unwrap()).unwrap()
}

/// What memory a job asks for when it is done for the second time.
fn asked_for(job: &Value, all: &Value) -> AllocationInfo {
    let gateway = loaded(&all["routes"].to_string());
    let answer = &all["services_answer"];
    let body = answer["body"].to_string().into_bytes();
    let platform = Prepared::new(|_: &str| Some(body.clone())).with(&lines(&answer["headers"]), SECRET);
    let platform = match &job["body"] {
        Value::Null => platform,
        body => platform.sending(&body.to_string()),
    };
    let head = head(job);
    answered(&gateway, &head, &platform);
    let mut status = 0;
    let counted = measure(|| status = answered(&gateway, &head, &platform).status());
    assert_eq!(status, job["status"], "{}", job["job"]);
    counted
}

fn answered<F: Fn(&str) -> Option<Vec<u8>> + Clone>(
    gateway: &Gateway,
    head: &str,
    platform: &Prepared<F>,
) -> Answer<()> {
    block_on(handle(gateway, Head::from_text(head).unwrap(), platform))
}

/// The head of a job's request, as the runtime hands it over.
fn head(job: &Value) -> String {
    let path = job["path"].as_str().unwrap();
    let method = if job["body"].is_null() { "GET" } else { "POST" };
    let mut head = format!("{method}\nhttp://api.test{path}\n192.0.2.7\nrequest-1\n{NOW}\n{}", lines(&job["headers"]));
    head.push_str("accept:*/*\nuser-agent:tests\n");
    if job["signed_in"] == true {
        writeln!(head, "authorization:Bearer {}", token()).unwrap();
    }
    if method == "POST" {
        writeln!(head, "content-type:application/json\ncontent-length:{}", job["body"].to_string().len()).unwrap();
    }
    head
}

/// Header fields as lines `name:value`.
fn lines(fields: &Value) -> String {
    let fields = fields.as_object().into_iter().flatten();
    fields.map(|(name, value)| format!("{name}:{}\n", value.as_str().unwrap())).collect()
}

/// A token of a customer.
fn token() -> String {
    let seconds = NOW / 1000;
    let claims =
        json!({ "iss": "https://id.test/", "aud": "shop", "sub": "ada", "iat": seconds, "exp": seconds + 300 });
    Signer::hmac(HMAC_SHA256, SECRET).token(r#"{"alg":"HS256","typ":"JWT"}"#, claims.to_string())
}

#[test]
fn every_job_asks_for_as_much_memory_as_is_kept() {
    let all = all();
    let jobs = all["jobs"].as_array().unwrap();
    let names: Vec<&str> = jobs.iter().map(|job| job["job"].as_str().unwrap()).collect();
    assert_eq!(kept::rows("allocations"), names, "the rows of tests/costs.md are the jobs");
    let mut changed = Vec::new();
    for (job, name) in jobs.iter().zip(names) {
        let counted = asked_for(job, &all);
        println!("{name}: {} allocations, {} bytes", counted.count_total, counted.bytes_total);
        changed.extend(kept::compared(name, "allocations", counted.count_total));
        changed.extend(kept::compared(name, "bytes", counted.bytes_total));
    }
    assert!(changed.is_empty(), "\n{}", changed.join("\n"));
}

#[test]
fn a_large_part_is_in_memory_as_it_came_and_in_the_answer_and_nowhere_else() {
    let size = 1 << 20;
    let part = json!({ "a": "x".repeat(size) }).to_string().into_bytes();
    let parts: Map<String, Value> = [("p".to_owned(), json!({ "get": "s:/" }))].into_iter().collect();
    let services = json!({ "s": { "url": "http://s", "max_answer": "32MiB" } });
    let route = json!({ "path": "/x", "auth": "public", "aggregate": parts });
    let gateway = loaded(&json!({ "services": services, "routes": [route] }).to_string());
    let platform = Prepared::new(|_: &str| Some(part.clone()));
    let head = head(&json!({ "path": "/x" }));
    let counted = measure(|| {
        let Answer::Own(Response { body, .. }) = answered(&gateway, &head, &platform) else { panic!("not its own") };
        assert!(body.len() > size);
    });
    let times = counted.bytes_total as f64 / size as f64;
    println!("a part of 1 MiB: {times:.3} times its bytes");
    assert!(times < 2.02, "{times} times its bytes");
}
