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
const OTHER_SECRET: &str = "a-secret-of-somebody-else-entirely";

/// What a browser sends beside, to a page of its own origin that has set cookies.
const BROWSER: &str = "\
accept-encoding:gzip, deflate, br, zstd\n\
accept-language:en-GB,en;q=0.9,de;q=0.8\n\
cache-control:no-cache\n\
connection:keep-alive\n\
cookie:session=4f1c0a9e7b2d4c6f8e1a3b5d7f9c0e2a; theme=dark; consent=analytics:0|marketing:0|functional:1; cart=8d7c6b5a-4f3e-2d1c-0b9a-8f7e6d5c4b3a\n\
host:api.test\n\
origin:https://shop.test\n\
pragma:no-cache\n\
priority:u=1, i\n\
referer:https://shop.test/orders?page=2\n\
sec-ch-ua:\"Chromium\";v=\"146\", \"Not_A Brand\";v=\"24\"\n\
sec-ch-ua-mobile:?0\n\
sec-ch-ua-platform:\"Linux\"\n\
sec-fetch-dest:empty\n\
sec-fetch-mode:cors\n\
sec-fetch-site:same-site\n";

/// What is done, time after time; it is given the number of the time.
type Work = Box<dyn Fn(usize)>;

/// A work's name, and what prepares it.
type Named = (&'static str, fn() -> Work);

const WORKS: [Named; 11] = [
    ("routing among 10 routes", || routing(10)),
    ("routing among 10 000 routes", || routing(10_000)),
    ("constant reply", || reply("public", |_| String::new(), 200)),
    ("forward", || forward("")),
    ("forward for a browser", || forward(BROWSER)),
    ("constant reply, HS256 token remembered", || reply("customer", |_| token(0, SECRET), 200)),
    ("constant reply, HS256 token new", || reply("customer", |time| token(time, SECRET), 200)),
    ("refusal, HS256 token remembered", || reply("customer", |_| token(0, OTHER_SECRET), 401)),
    ("refusal, HS256 token new", || reply("customer", |time| token(time, OTHER_SECRET), 401)),
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

/// Replies with a constant, under an auth rule, to whom a token says, if it is accepted; the status is as expected.
fn reply(auth: &str, token: impl Fn(usize) -> String, status: u16) -> Work {
    let jwt = r#"{"issuer":"https://id.test/","audience":"shop","keys":[{"alg":"HS256","secret":"{env.JWT_SECRET}"}]}"#;
    let routes = format!(r#"[{{"path":"/x","auth":"{auth}","reply":{{"body":{{"status":"ok"}}}}}}]"#);
    let gateway = loaded(&format!(r#"{{"auth":{{"customer":{{"jwt":{jwt}}}}},"routes":{routes}}}"#));
    let field = |token: String| if token.is_empty() { token } else { format!("authorization:Bearer {token}\n") };
    let heads: Vec<String> = (0..=TIMES).map(|time| head(&field(token(time)))).collect();
    let platform = Prepared::new(|_: &str| None).with("", SECRET);
    Box::new(move |time| answer(&gateway, &heads[time], &platform, status))
}

/// Hands a request with these header fields on.
fn forward(fields: &str) -> Work {
    let services = r#"{"upstream":{"url":"http://upstream.test"}}"#;
    let gateway = loaded(&format!(
        r#"{{"services":{services},"routes":[{{"path":"/x","auth":"public","forward":"upstream"}}]}}"#
    ));
    let (head, platform) = (head(fields), Prepared::new(|_: &str| Some(b"{}".to_vec())));
    Box::new(move |_| answer(&gateway, &head, &platform, 200))
}

/// Puts so many parts of so many bytes together.
fn merging(count: usize, bytes: usize) -> Work {
    let (gateway, services) = parts::parts(count, bytes, PICKED);
    let head = head("");
    Box::new(move |_| answer(&gateway, &head, &Prepared::new(answering(&services)), 200))
}

fn answer<F: Fn(&str) -> Option<Vec<u8>> + Clone>(gateway: &Gateway, head: &str, platform: &Prepared<F>, status: u16) {
    let answer = block_on(handle(gateway, Head::from_text(head).unwrap(), platform));
    assert_eq!(black_box(answer).status(), status);
}

/// The head of a request, with these header fields beside the usual ones.
fn head(fields: &str) -> String {
    format!("GET\nhttp://api.test/x\n192.0.2.7\nrequest-1\n{NOW}\naccept:*/*\nuser-agent:bench\n{fields}")
}

/// A token, signed with a secret; each number has its own.
fn token(number: usize, secret: &str) -> String {
    let (from, until) = (NOW / 1000, NOW / 1000 + 300);
    let claims =
        format!(r#"{{"iss":"https://id.test/","aud":"shop","sub":"customer-{number:03}","iat":{from},"exp":{until}}}"#);
    Signer::hmac(HMAC_SHA256, secret).token(r#"{"alg":"HS256","typ":"JWT"}"#, claims)
}

fn loaded(file: &str) -> Gateway {
    let (gateway, problems) = postern::config::load(file, None);
    gateway.unwrap_or_else(|| panic!("{problems:?}"))
}
