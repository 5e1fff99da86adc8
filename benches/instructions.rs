//! Works of the gateway, for valgrind to count their instructions: `npm run instructions`.
//!
//! With the name of a work it does it [`TIMES`] times and prints how many that was; else it prints the names. Replies
//! and aggregates are whole requests, from the text of a head to the answer.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

mod parts;
#[allow(dead_code)] // the tests use more of it
#[path = "../tests/prepared.rs"]
mod prepared;
mod routes;
#[allow(dead_code)] // as above
#[path = "../tests/signing.rs"]
mod signing;

use std::hint::black_box;

use futures::executor::block_on;
use parts::{PICKED, answering};
use postern::gateway::Gateway;
use postern::handle::handle;
use postern::head::Head;
use postern::router::{Asked, Found};
use prepared::{NOW, Prepared};
use ring::hmac::HMAC_SHA256;
use signing::Signer;

const TIMES: usize = 100;
const SECRET: &str = "a-secret-of-the-tests-of-32-bytes";

/// What is done, time after time; it is given the number of the time.
type Work = Box<dyn Fn(usize)>;

/// A work's name, and what prepares it.
type Named = (&'static str, fn() -> Work);

const WORKS: [Named; 8] = [
    ("routing among 10 routes", || routing(10)),
    ("routing among 10 000 routes", || routing(10_000)),
    ("constant reply", || reply("public", |_| String::new())),
    ("forward", forward),
    ("constant reply, HS256 token remembered", || reply("customer", |_| token(0))),
    ("constant reply, HS256 token new", || reply("customer", token)),
    ("3 parts of 1 KB, picked and merged", || merging(3, 1_000)),
    ("10 parts of 20 KB, picked and merged", || merging(10, 20_000)),
];

fn main() {
    let asked = std::env::args().nth(1);
    let Some((_, prepare)) = WORKS.iter().find(|(name, _)| asked.as_deref() == Some(name)) else {
        return WORKS.iter().for_each(|(name, _)| println!("{name}"));
    };
    let work = prepare();
    work(TIMES);
    counted_work(&*work);
    println!("{TIMES}");
}

/// Does a work. What is done in here alone is counted, by this name.
#[inline(never)]
fn counted_work(work: &dyn Fn(usize)) {
    (0..TIMES).for_each(work);
}

/// Finds routes all over a file of so many.
fn routing(size: usize) -> Work {
    let (router, requests) = (routes::router(size, false), routes::requests(size, false));
    Box::new(move |time| {
        let (head, host, path) = &requests[time % requests.len()];
        assert!(matches!(black_box(router.find(Asked { host, path, head })), Found::Route(..)));
    })
}

/// Replies with a constant, under an auth rule, to whom a token says.
fn reply(auth: &str, token: impl Fn(usize) -> String) -> Work {
    let jwt = r#"{"issuer":"https://id.test/","audience":"shop","keys":[{"alg":"HS256","secret":"{env.JWT_SECRET}"}]}"#;
    let routes = format!(r#"[{{"path":"/x","auth":"{auth}","reply":{{"body":{{"status":"ok"}}}}}}]"#);
    let gateway = loaded(&format!(r#"{{"auth":{{"customer":{{"jwt":{jwt}}}}},"routes":{routes}}}"#));
    let field = |token: String| if token.is_empty() { token } else { format!("authorization:Bearer {token}\n") };
    let heads: Vec<String> = (0..=TIMES).map(|time| head(&field(token(time)))).collect();
    let platform = Prepared::new(|_: &str| None).with("", SECRET);
    Box::new(move |time| answer(&gateway, &heads[time], &platform))
}

/// Hands a request on.
fn forward() -> Work {
    let services = r#"{"upstream":{"url":"http://upstream.test"}}"#;
    let gateway = loaded(&format!(
        r#"{{"services":{services},"routes":[{{"path":"/x","auth":"public","forward":"upstream"}}]}}"#
    ));
    let (head, platform) = (head(""), Prepared::new(|_: &str| Some(b"{}".to_vec())));
    Box::new(move |_| answer(&gateway, &head, &platform))
}

/// Puts so many parts of so many bytes together.
fn merging(count: usize, bytes: usize) -> Work {
    let (gateway, services) = parts::parts(count, bytes, PICKED);
    let head = head("");
    Box::new(move |_| answer(&gateway, &head, &Prepared::new(answering(&services))))
}

fn answer<F: Fn(&str) -> Option<Vec<u8>> + Clone>(gateway: &Gateway, head: &str, platform: &Prepared<F>) {
    let answer = block_on(handle(gateway, Head::from_text(head).unwrap(), platform));
    assert_eq!(black_box(answer).status(), 200);
}

/// The head of a request, with these header fields beside the usual ones.
fn head(fields: &str) -> String {
    format!("GET\nhttp://api.test/x\n192.0.2.7\nrequest-1\n{NOW}\naccept:*/*\nuser-agent:bench\n{fields}")
}

/// A token; each number has its own.
fn token(number: usize) -> String {
    let (from, until) = (NOW / 1000, NOW / 1000 + 300);
    let claims =
        format!(r#"{{"iss":"https://id.test/","aud":"shop","sub":"customer-{number:03}","iat":{from},"exp":{until}}}"#);
    Signer::hmac(HMAC_SHA256, SECRET).token(r#"{"alg":"HS256","typ":"JWT"}"#, claims)
}

fn loaded(file: &str) -> Gateway {
    let (gateway, problems) = postern::config::load(file, None);
    gateway.unwrap_or_else(|| panic!("{problems:?}"))
}
