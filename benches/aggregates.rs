//! What an aggregate costs on its whole way through the gateway: `cargo bench --bench aggregates`.
//!
//! Services answer at once, from memory. Beside each case stands the plain way in the same run: every part
//! parsed into a tree, picked from there, and all of it written anew. The ratio of the two is what counts.
#![allow(clippy::unwrap_used, clippy::panic, clippy::indexing_slicing)]

use std::cell::RefCell;
use std::hint::black_box;
use std::time::Duration;

use criterion::{BenchmarkGroup, Criterion, Throughput, criterion_group, criterion_main};
use futures::executor::block_on;
use postern::answer::{Answer, Response};
use postern::gateway::Gateway;
use postern::handle::handle;
use postern::head::{Head, Headers, UnixMillis};
use postern::platform::{
    Afterwards, Call, CallError, Fetched, FirstRequest, KeyUnusable, Known, KvDown, LimiterDown, Onward, Platform,
    ReplyHead, StoreDown,
};
use postern::policy::certificate::Certificate;
use postern::policy::headers::HeaderEdits;
use postern::policy::jwt::algorithm::Algorithm;
use postern::policy::rate_limit::{Charge, Slot};
use postern::quota::{Micros, Verdict};
use serde_json::{Value, json};

const PICKED: &str = r#""pick":["id","owner.name","items.id","items.name","items.price"]"#;

criterion_group! {
    name = benches;
    config = Criterion::default().warm_up_time(Duration::from_millis(500)).measurement_time(Duration::from_secs(3)).sample_size(50);
    targets = cases, sizes
}
criterion_main!(benches);

/// The cases, each beside the plain way.
fn cases(criterion: &mut Criterion) {
    for (name, case) in [
        ("3 parts of 1 KB", parts(3, 1_000, "", "")),
        ("10 parts of 20 KB, picked", parts(10, 20_000, PICKED, "")),
        ("10 parts of 20 KB, picked, as NDJSON", parts(10, 20_000, PICKED, "application/x-ndjson")),
        ("1 part of 1 MB", parts(1, 1_000_000, "", "")),
        ("for each of 50, a call for each", for_each(false)),
        ("for each of 50, one call for all", for_each(true)),
    ] {
        compare(&mut criterion.benchmark_group(name), "", &case);
    }
}

/// One part of growing size: bytes a second that stay the same are a time linear in the bytes.
fn sizes(criterion: &mut Criterion) {
    for (name, shaping) in [("one part, as it came", ""), ("one part, picked", PICKED)] {
        let mut group = criterion.benchmark_group(name);
        for (size, bytes) in [("256 KB", 256_000), ("1 MB", 1_000_000), ("4 MB", 4_000_000)] {
            group.throughput(Throughput::Bytes(bytes));
            compare(&mut group, size, &parts(1, bytes as usize, shaping, ""));
        }
    }
}

/// A route of a gateway, and its services' answers.
struct Case {
    gateway: Gateway,
    services: Services,
    accept: &'static str,
    plain: fn(&Services) -> Vec<u8>,
}

/// By path, what the services answer.
type Services = Vec<(String, Vec<u8>)>;

/// Measures both ways of a case, which come to the same.
fn compare(group: &mut BenchmarkGroup<'_, criterion::measurement::WallTime>, size: &str, case: &Case) {
    assert_eq!(values(&case.answer()), values(&(case.plain)(&case.services)), "the two ways come to the same");
    let named = |way: &str| if size.is_empty() { way.to_owned() } else { format!("{way}, {size}") };
    group.bench_function(named("postern"), |bencher| bencher.iter(|| black_box(case.answer())));
    group.bench_function(named("plain"), |bencher| bencher.iter(|| black_box((case.plain)(&case.services))));
}

/// A body as the values of its lines, in one order; a stream's last line tells that it is complete.
fn values(body: &[u8]) -> Vec<Value> {
    let lines = body.split(|byte| *byte == b'\n').filter(|line| !line.is_empty());
    let values = lines.map(|line| serde_json::from_slice(line).unwrap());
    values.filter(|value| *value != json!({"complete": true})).collect()
}

/// So many parts of so many bytes.
fn parts(count: usize, bytes: usize, shaping: &str, accept: &'static str) -> Case {
    let services: Services = (0..count).map(|part| (format!("/p{part}"), document(part, bytes).into_bytes())).collect();
    let comma = if shaping.is_empty() { "" } else { "," };
    let part = |number| format!(r#""p{number}":{{"get":"s:/p{number}","max_elements":1000000{comma}{shaping}}}"#);
    let parts: Vec<String> = (0..count).map(part).collect();
    let plain = match (accept, shaping) {
        ("", "") => |services: &Services| whole(services, |value| value),
        ("", _) => |services: &Services| whole(services, picked),
        _ => lines,
    };
    Case { gateway: gateway(&parts.join(",")), services, accept, plain }
}

/// A list of 50 elements, and for each of them an answer of 1 KB.
fn for_each(in_one_call: bool) -> Case {
    let items: Vec<Value> =
        (0..50).map(|number| json!({"id": number, "product": 1_000 + number, "count": 2})).collect();
    let product = |number: usize| format!(r#"{{"id":{number},"of":{}}}"#, document(number, 1_000));
    let mut services: Services = vec![("/items".into(), serde_json::to_vec(&items).unwrap())];
    let numbers = 1_000..1_050;
    let call = if in_one_call {
        let products: Vec<String> = numbers.map(product).collect();
        services.push(("/products".into(), format!("[{}]", products.join(",")).into_bytes()));
        r#""get":"s:/products?ids={keys}","batch":{"by":"product","match":"id","size":50}"#
    } else {
        services.extend(numbers.map(|number| (format!("/products/{number}"), product(number).into_bytes())));
        r#""get":"s:/products/{item.product}""#
    };
    let list = r#""items":{"get":"s:/items","hidden":true}"#;
    let lines = format!(r#""lines":{{"for_each":"{{parts.items}}","most":50,"into":"product",{call}}}"#);
    Case { gateway: gateway(&format!("{list},{lines}")), services, accept: "", plain: joined }
}

fn gateway(parts: &str) -> Gateway {
    let file = format!(
        r#"{{"max_calls":100,"services":{{"s":{{"url":"http://s","max_answer":"32MiB"}}}},
             "routes":[{{"path":"/x","auth":"public","aggregate":{{{parts}}},
                         "answer":{{"max_size":"32MiB","stream":"ndjson"}}}}]}}"#
    );
    let (gateway, problems) = postern::config::load(&file, None);
    gateway.unwrap_or_else(|| panic!("{problems:?}"))
}

impl Case {
    /// The body that a client gets.
    fn answer(&self) -> Vec<u8> {
        let head = format!("GET\nhttp://g/x\n192.0.2.7\nid\n0\naccept:{}\nuser-agent:bench\n", self.accept);
        let memory = Memory { services: &self.services, written: RefCell::default() };
        match block_on(handle(&self.gateway, Head::from_text(&head).unwrap(), &memory)) {
            Answer::Own(Response { status: 200, body, .. }) => body,
            Answer::Streamed { .. } => memory.written.take(),
            other => panic!("{other:?}"),
        }
    }
}

/// A document of about so many bytes, as services have them.
fn document(number: usize, bytes: usize) -> String {
    let mut text = format!(
        r#"{{"id":{number},"created":"2026-01-01T09:30:00Z","owner":{{"name":"Ada Lovelace","mail":"ada@example.com","verified":true}},"items":["#
    );
    let mut at = 0;
    while text.len() < bytes {
        let comma = if at == 0 { "" } else { "," };
        text.push_str(&format!(
            r#"{comma}{{"id":{at},"name":"Thing number {at}, \"large\"","price":{}.25,"in_stock":{},"tags":["new","sale"],"maker":{{"name":"Müller & Söhne","place":{{"lat":48.137,"lon":11.575}}}},"note":null}}"#,
            at % 90 + 1,
            at % 3 == 0
        ));
        at += 1;
    }
    text + "]}"
}

/// A part as a service's answer reaches whoever reads it: bytes of its own.
fn parsed((_, body): &(String, Vec<u8>)) -> Value {
    serde_json::from_slice(black_box(&body.clone())).unwrap()
}

/// The plain way to one object of all parts.
fn whole(services: &Services, shaped: impl Fn(Value) -> Value) -> Vec<u8> {
    let members = services.iter().map(|service| (service.0[1..].to_owned(), shaped(parsed(service))));
    serde_json::to_vec(&Value::Object(members.collect())).unwrap()
}

/// The plain way to a line for each part.
fn lines(services: &Services) -> Vec<u8> {
    let mut out = Vec::new();
    for service in services {
        serde_json::to_writer(&mut out, &json!({"part": service.0[1..], "value": picked(parsed(service))})).unwrap();
        out.push(b'\n');
    }
    out
}

/// What `PICKED` says, by hand.
fn picked(mut value: Value) -> Value {
    let items = value["items"].as_array_mut().unwrap().iter_mut();
    let items: Value = items
        .map(|item| json!({"id": item["id"].take(), "name": item["name"].take(), "price": item["price"].take()}))
        .collect();
    json!({"id": value["id"].take(), "owner": {"name": value["owner"]["name"].take()}, "items": items})
}

/// The plain way to a list, each element with what was asked for it.
fn joined(services: &Services) -> Vec<u8> {
    let Value::Array(mut items) = parsed(&services[0]) else { panic!("no list") };
    let products = match &services[1..] {
        [all] => parsed(all).as_array_mut().unwrap().iter_mut().map(Value::take).collect(),
        each => each.iter().map(parsed).collect::<Vec<_>>(),
    };
    for (item, product) in items.iter_mut().zip(products) {
        item["product"] = product;
    }
    serde_json::to_vec(&json!({"lines": items})).unwrap()
}

/// A runtime whose services answer at once, and which has nothing else.
struct Memory<'s> {
    services: &'s Services,
    written: RefCell<Vec<u8>>,
}

impl Platform for Memory<'_> {
    type Reply = ();

    async fn fetch(&self, call: &Call, _: Duration) -> Result<Fetched, CallError> {
        let path = call.url.trim_start_matches("http://s").split('?').next();
        let found = self.services.iter().find(|(name, _)| Some(name.as_str()) == path);
        let (_, body) = found.ok_or(CallError::Unreachable)?;
        Ok(Fetched { status: 200, headers: Headers::from_text(String::new()), body: body.clone() })
    }

    fn open(&self, _: Response) {}

    fn write(&self, piece: &[u8]) {
        self.written.borrow_mut().extend_from_slice(piece);
    }

    fn close(&self) {}

    fn now(&self) -> UnixMillis {
        UnixMillis(0)
    }

    fn random(&self) -> f64 {
        0.5
    }

    fn log(&self, line: &str) {
        black_box(line);
    }

    fn secret(&self, _: &str) -> Option<String> {
        None
    }

    async fn sleep(&self, _: Duration) {}

    async fn body(&self, _: u32, _: Duration) -> Result<Vec<u8>, CallError> {
        Ok(Vec::new())
    }

    fn within(&self, _: &Head, _: Option<Vec<u8>>) -> Self {
        Self { services: self.services, written: RefCell::default() }
    }

    async fn forward(&self, _: &Onward<'_>, _: Duration) -> Result<ReplyHead<()>, CallError> {
        Err(CallError::Unreachable)
    }

    fn certificate(&self) -> Option<Certificate> {
        None
    }

    fn mirror(&self, _: &Onward<'_>, _: Duration) {}

    async fn read(
        &self,
        (): (),
        _: &HeaderEdits,
        _: Option<u32>,
        _: Duration,
    ) -> Result<(Headers, Vec<u8>), CallError> {
        Err(CallError::Unreachable)
    }

    fn discard(&self, (): ()) {}

    async fn recall(&self, _: &str, _: Duration) -> Result<Option<String>, KvDown> {
        Err(KvDown)
    }

    async fn fingerprint(&self, _: &str, _: u32, _: Duration) -> Result<String, CallError> {
        Err(CallError::Unreachable)
    }

    async fn begin(&self, _: &FirstRequest, _: Duration, _: Duration) -> Result<Known<()>, StoreDown> {
        Err(StoreDown)
    }

    async fn keep(&self, _: &FirstRequest, (): (), _: &HeaderEdits, _: Duration, _: Duration) -> ((), bool) {
        ((), false)
    }

    async fn lose(&self, _: &FirstRequest, _: Duration) {}

    async fn forget(&self, _: &FirstRequest) {}

    async fn borrow(&self, _: &Charge, _: Duration) -> Result<(u32, Verdict), LimiterDown> {
        Err(LimiterDown)
    }

    async fn give_back(&self, _: &Charge, _: UnixMillis) {}

    async fn remember(&self, _: &str, _: &str) {}

    async fn verify(&self, _: Algorithm, _: &str, _: &str, _: &[u8]) -> Result<bool, KeyUnusable> {
        Err(KeyUnusable)
    }

    fn afterwards(&self, _: Afterwards) {}

    async fn is_within_rate(&self, _: &str, _: &str, _: Duration) -> Result<bool, LimiterDown> {
        Err(LimiterDown)
    }

    async fn tally(&self, _: &str, _: &str, _: Duration) -> Result<u64, KvDown> {
        Err(KvDown)
    }

    async fn note_count(&self, _: &str, _: u64, _: Micros) -> Result<(), KvDown> {
        Err(KvDown)
    }

    async fn take_slot(&self, _: &str, _: u32, _: Duration, _: Duration) -> Result<Option<Slot>, LimiterDown> {
        Err(LimiterDown)
    }

    async fn free_slot(&self, _: &Slot) {}

    async fn spend(&self, _: &Charge, _: Duration) -> Result<Verdict, LimiterDown> {
        Err(LimiterDown)
    }
}
